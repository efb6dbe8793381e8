"""What users ask (docs/faq.md): every question has its answer, the tests that an answer names are there, and the answers that
tell where to look are right about it."""
import json
import pathlib
import re
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAQ = (ROOT / "docs/faq.md").read_text()


def test_every_question_has_an_answer():
    sections = re.findall(r"^### S(\d+): \S.*\n\n\S", FAQ, re.M)
    assert [int(number) for number in sections] == list(range(1, 30))


def test_the_tests_that_answers_name_are_there():
    sources = {path.name: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    for file, name in re.findall(r"(test_\w+\.py)(?:::(\w+))?", FAQ):
        assert file in sources and (not name or f"def {name}(" in sources[file]), f"{file}::{name}"


# S18, S21: how long the server took is in the edge's log, found by the id that the answer has (the service's log names it where
# something failed: test_edge.py; the activity log with every write: test_activity_log.py).
def test_a_request_is_found_by_its_id(site, operator, shared_registry):
    def seen(id_):
        return [json.loads(line) for line in (site.state / "log" / "edge.log").read_text().splitlines() if id_ in line]

    answer = shared_registry.client().get("/v2/_catalog").expect(200)
    line = site.wait_until(lambda: seen(answer.header("x-ms-correlation-request-id")))[0]
    assert line["path"] == "/v2/_catalog" and line["status"] == 200 and 0 <= float(line["seconds"]) < 600
    mine = str(uuid.uuid4())
    operator.get(f"{shared_registry.id}?api-version=2019-05-01", headers={"x-ms-correlation-request-id": mine}).expect(200)
    assert site.wait_until(lambda: seen(mine))[0]["path"] == shared_registry.id
