"""Every `az acr` management command (acr_commands.py) in four az: Debian's 2.45 in both of its profiles, 2.66.1 in the hub's,
and the current one with default settings. Each az runs all of them once, in one process; every case looks at its own. What
was asked of ARM on the way is held to the table of docs/clients.md."""
import collections
import os
import pathlib
import re

import pytest

from acr_commands import CRASH, MISSING, OK, ROWS, outcome
from harness.az import Az, installed
from harness.recorder import Recorder
from harness.site import Registry

GENERATIONS = ["hybrid", "latest", "lts", "current"]
NAMES = {"hybrid": "az 2.45, hybrid profile", "latest": "az 2.45, profile latest", "lts": "az 2.66.1, hybrid profile",
         "current": "az current"}
DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "clients.md"


def az_of(generation, site, directory, registered):
    if generation in ("hybrid", "latest"):
        made = Az(site, directory, profile={"latest": "latest"}.get(generation, "2020-09-01-hybrid"), like=registered)
        if generation == "latest":
            made.use_profile()
    else:
        program = installed({"lts": "az-2.66", "current": "az-current"}[generation])
        if program is None:
            pytest.skip(f"{NAMES[generation]} is not installed: script/clients takes it from PyPI")
        made = Az(site, directory, program=program, profile="latest" if generation == "current" else "2020-09-01-hybrid")
        made.register()
    made.login()
    return made


@pytest.fixture(scope="module")
def runs(site, operator, registered, tmp_path_factory):
    """generation → what each command of ROWS came to, and what it asked of ARM."""
    made = {}

    def run(generation):
        if generation not in made:
            made[generation] = run_all(generation, site, operator, registered, tmp_path_factory.mktemp(generation))
        if isinstance(made[generation], BaseException):
            raise made[generation]
        return made[generation]

    return run


def run_all(generation, site, operator, registered, directory):
    try:
        return run_rows(az_of(generation, site, directory, registered), site, operator, directory)
    except (Exception, pytest.skip.Exception) as end:  # skipped, or broken: once for all cases
        return end


def run_rows(az, site, operator, directory):
    group, name = site.unique("acrg"), site.unique("acr")
    context = directory / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\n")
    words = {"r": name, "g": group, "context": str(context), "region": site.region}
    done = []
    with Recorder(site) as recorder, az.serving(**recorder.environment) as quick:
        quick("group", "create", "-n", group, "-l", site.region)
        quick("acr", "create", "-n", name, "-g", group, "--sku", "Standard", "--admin-enabled", "true")
        registry = Registry(site, site.registry_id(group, name), name)
        registry.await_host()
        registry.username = name
        registry.password = quick("acr", "credential", "show", "-n", name)["passwords"][0]["value"]
        registry.push_image(registry.client(), "hello", "1", [os.urandom(1000)])
        seen = recorder.arm()
        for row in ROWS:
            ended = quick.run(*(part.format(**words) for part in row[0].split(" ")))
            exchanges = recorder.take()
            seen += [e for e in exchanges if e.host == site.host("management")]
            done.append((ended, exchanges))
    operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version=2019-10-01").expect(202)
    return done, seen


# acr-resource-provider 8, az-cli 5 and 13; decisions 3, 22, 41, 52
@pytest.mark.parametrize("index", range(len(ROWS)), ids=[row[0] for row in ROWS])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_command(runs, generation, index):
    ended, exchanges = runs(generation)[0][index]
    wanted, said = outcome(ROWS[index], generation), ended.stderr
    faults = [e for e in exchanges if e.status is None or e.status >= 500]
    assert not faults, faults
    assert ended.returncode != 124, f"{ROWS[index][0]} hangs"
    if wanted == OK:
        assert ended.returncode == 0, said
        return
    assert ended.returncode != 0, ended.stdout
    if wanted == MISSING:
        assert "unrecognized" in said or "misspelled" in said, said
    elif wanted == CRASH:
        assert 'File "' in said or "ImportError" in said, said
    else:
        assert wanted in " ".join(said.split()), said
        assert 'File "' not in said, said
    repeated = [e for e, n in collections.Counter((e.method, e.path) for e in exchanges if e.status >= 400
                                                 and e.status not in (401, 404, 409)).items() if n > 2]
    assert not repeated, f"az asked again and again: {repeated}"


def documented(name):
    """The rows of docs/clients.md: client → {resource type: api-versions}."""
    found = collections.defaultdict(set)
    for line in DOCUMENT.read_text().splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0] == name and re.fullmatch(r"\d{4}-\d\d-\d\d(-preview)?", cells[1]):
            for type_name in cells[2].split(","):
                found[type_name.strip().strip("`")].add(cells[1])
    return found


# decisions 41: docs/clients.md tells who pins which version.
@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_it_asks_for_is_documented(runs, generation):
    table = documented(NAMES[generation])
    asked = collections.defaultdict(set)
    for exchange in runs(generation)[1]:
        kind = exchange.resource_type.replace("Microsoft.ContainerRegistry/", "")
        asked[kind.split("/")[1] if kind.startswith("registries/") else kind].add(exchange.api_version)
    assert {k: v for k, v in asked.items() if not v <= table[k]} == {}
