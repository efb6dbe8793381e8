"""The compose file: valid, and as docs/compose.md describes it."""
import os
import pathlib
import re
import subprocess

import pytest

TREE = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose():
    """A function from variables to the resolved file."""
    def resolve(**variables):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("AZSACR_", "BASE", "COMPOSE_"))}
        done = subprocess.run(["docker-compose", "config"], cwd=TREE, env={**environment, **variables}, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
        return done.stdout

    return resolve


def block(text, service):
    return re.search(rf"(?ms)^  {service}:\n(.*?)(?=^  \S|^\S|\Z)", text)[1]


def test_it_is_valid_and_has_the_three_services(compose):
    text = compose()
    for service in ("database", "serve", "edge"):
        one = block(text, service)
        assert f"target: {service}" in one and "read_only: true" in one and "no-new-privileges:true" in one
        assert re.search(r"cap_drop:\n    - ALL", one)
    assert "condition: service_healthy" in block(text, "serve") and "condition: service_healthy" in block(text, "edge")
    assert "network_mode: none" in block(text, "database")
    assert "state:/var/lib/azsacr:ro" in block(text, "edge") and "state:/var/lib/azsacr:rw" in block(text, "serve")


def test_its_variables_reach_both_sides_alike(compose):
    text = compose(AZSACR_PORT="8443", AZSACR_REGION="north", AZSACR_DOMAIN="example.test", AZSACR_STATE_VOLUME="/srv/azsacr",
                   BASE="other:12")
    for service in ("serve", "edge"):
        one = block(text, service)
        for value in ("AZSACR_PORT: '8443'", "AZSACR_REGION: north", "AZSACR_DOMAIN: example.test", "/srv/azsacr:/var/lib/azsacr",
                      "BASE: other:12"):
            assert value in one, (service, value)
    assert re.search(r"published: 8443\n\s+target: 8443", block(text, "edge"))


def test_every_image_has_a_health_check_and_no_password(compose):
    dockerfile = (TREE / "Dockerfile").read_text()
    stages = re.split(r"(?m)^FROM ", dockerfile)
    for name in ("database", "edge", "serve"):
        stage = next(s for s in stages if re.match(rf"\S+ AS {name}\n", s))
        assert "HEALTHCHECK" in stage and "ENTRYPOINT [" in stage, name
    assert "password" not in compose().lower()
    for copied in re.findall(r"(?m)^COPY (deploy/\S+(?: deploy/\S+)*)", dockerfile):
        for file in copied.split():
            assert os.access(TREE / file, os.X_OK), file


def test_the_builder_is_sent_every_file_that_the_program_embeds():
    named = re.findall(r"\$\{CMAKE_SOURCE_DIR\}/([\w./-]+\.(?:md|in|sql|json))", (TREE / "CMakeLists.txt").read_text())
    sent = re.findall(r"(?m)^!(\S+)$", (TREE / ".dockerignore").read_text())
    assert len(named) >= 5
    for file in named:
        assert any(file == each or file.startswith(f"{each}/") for each in sent), f"{file} is not sent to the builder"
