"""What a deployment costs, and who begins first (script/prove copy-loop and fairness run the whole)."""
import json
import os
import statistics
import subprocess
import time

import pytest

from harness.deployments import Deployments, registry, template
from harness.site import Site

V = "2019-10-01"
COPIES = int(os.environ.get("AZSACR_COPIES", 100))
ROUNDS = int(os.environ.get("AZSACR_COPY_ROUNDS", 1))
QUEUED = int(os.environ.get("AZSACR_QUEUED", 60))
BODY = {"location": "", "sku": {"name": "Standard"}, "properties": {}}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("measures") / "state", port=9486, region="measures").start()
    yield site
    site.stop()


def in_group(site, operator):
    scope = f"/subscriptions/{site.subscription}/resourceGroups/{site.unique('g')}"
    operator.put(f"{scope}?api-version={V}", {"location": site.region}).expect(201)
    return scope


def puts(site, operator, directory, count):
    """Seconds of as many PUTs over one kept connection of curl."""
    scope, prefix = in_group(site, operator), site.unique("c")
    body = json.dumps({**BODY, "location": site.region}).replace('"', '\\"')
    host = f"https://{site.host('management')}:{site.port}"
    entries = [f'url = "{host}{scope}/providers/Microsoft.ContainerRegistry/registries/{prefix}n{n}?api-version=2019-05-01"\n'
               f'request = "PUT"\nheader = "Authorization: {operator.headers["Authorization"]}"\nheader = "Content-Type: application/json"\n'
               f'data = "{body}"\ncacert = "{site.ca}"\noutput = "/dev/null"\nsilent\nwrite-out = "%{{http_code}} %{{num_connects}}\\n"\n' for n in range(count)]
    config = directory / f"{prefix}.curl"
    config.write_text("next\n".join(entries))
    started = time.monotonic()
    done = subprocess.run(["curl", "--config", str(config)], capture_output=True, text=True, timeout=600)
    seconds = time.monotonic() - started
    lines = done.stdout.split("\n")[:-1]
    assert done.returncode == 0 and [line.split()[0] for line in lines] == ["200"] * count, done.stdout[:300] + done.stderr
    assert sum(int(line.split()[1]) for line in lines) == 1, "more than one connection"
    return seconds


def copy_loop(site, operator, count):
    """Seconds from the PUT of a deployment to its end."""
    mine = Deployments(operator, in_group(site, operator))
    document = template(registry(f"[concat('{site.unique('c')}n', copyIndex())]", copy={"name": "many", "count": count}))
    started = time.monotonic()
    mine.put("loop", document).expect(201)
    accepted = time.monotonic() - started
    record = mine.wait("loop", 300)
    seconds = time.monotonic() - started
    assert record["properties"]["provisioningState"] == "Succeeded" and len(record["properties"]["outputResources"]) == count
    return seconds, accepted


def test_copy_loop(own, tmp_path):
    """800 registries by a copy loop: deployed in at most half of the time of 800 PUTs over one keep-alive curl connection."""
    operator = own.operator()
    operator.timeout = 300
    pairs = []
    for _ in range(ROUNDS):
        direct = puts(own, operator, tmp_path, COPIES)
        loop, accepted = copy_loop(own, operator, COPIES)
        pairs.append((loop / direct, direct, loop, accepted))
        print(f"{COPIES} PUTs {direct:.2f} s, as a loop {loop:.2f} s (accepted after {accepted:.2f} s): ratio {loop / direct:.2f}")
    ratio = statistics.median(pair[0] for pair in pairs)
    assert ratio <= float(os.environ.get("AZSACR_COPY_RATIO", 2)), pairs  # measured for good by script/prove copy-loop


class Held:
    """A site whose job workers stop at the next job they take, until they are let go."""

    def __init__(self, tmp_path):
        self.points, self.file = tmp_path / "points", tmp_path / "held"
        self.points.mkdir()
        self.site = Site(tmp_path / "state", port=9487, region="fair", environment={"AZSACR_FAILPOINT_DIRECTORY": str(self.points)}).start()

    def hold(self):
        self.file.touch()
        (self.points / "job.taken").write_text(f"hold:{self.file}")

    def let_go(self):
        self.file.unlink()


def test_fairness(tmp_path):
    """First in, first out within a subscription, round robin between subscriptions: with 1,000 queued in one, the only one of
    another is among the next ten to begin."""
    held = Held(tmp_path)
    site = held.site
    try:
        other = site.command("subscription", "add", site.unique("Team"))["subscriptionId"]
        operator = site.operator()
        operator.put(f"/subscriptions/{other}/resourceGroups/g?api-version={V}", {"location": site.region}).expect(201)
        single = Deployments(operator, f"/subscriptions/{other}/resourceGroups/g")
        groups = [Deployments(operator, in_group(site, operator)) for _ in range(-(-QUEUED // 700))]
        held.hold()
        started = time.monotonic()
        for n in range(QUEUED):
            groups[n % len(groups)].put(f"d{n:04}", template()).expect(201)
        single.put("one", template()).expect(201)
        print(f"{QUEUED} queued in {time.monotonic() - started:.1f} s")
        held.let_go()
        names = site.wait_until(lambda: len(found := site.sql(
            "select d.name from arm.deployment d join arm.deployment_operation o on o.deployment_id = d.id where o.kind = 'EvaluateDeploymentOutput' "
            "order by o.ended_at")) == QUEUED + 1 and found, 240)
        place = names.index("one")
        print(f"the other subscription's began as number {place + 1} of {len(names)}")
        assert place < 2 + 10  # two were in the workers' hands
        # In order, but for the one that the other worker may have in hand, however long the machine lets that worker wait.
        numbers = [int(n[1:]) for n in names if n != "one"]
        overtaken = [sum(later < number for later in numbers[at + 1:]) for at, number in enumerate(numbers)]
        assert max(overtaken) <= 2, numbers
    finally:
        site.stop()
