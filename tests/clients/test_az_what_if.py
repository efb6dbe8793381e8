"""az deployment … what-if, of 2.45 in both profiles, 2.66 and the current az (contract/az-cli.md 8, arm-templates 7.4)."""
import json
import os
import pathlib
import pty
import re
import subprocess

import pytest


EXAMPLES = pathlib.Path(__file__).parents[2] / "templates" / "examples"
GROUP_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


@pytest.fixture(scope="module", params=["az", "latest", "long_term", "current"])
def place(site, request, tmp_path_factory):
    """A client, commands of it in one process, and a group of its own."""
    az = request.getfixturevalue(request.param)
    group = site.unique("azwi")
    with az.serving() as quick:
        quick("group", "create", "-n", group, "-l", site.region)
        yield az, quick, group, tmp_path_factory.mktemp("templates")
        quick("group", "delete", "-n", group, "-y", "--no-wait")


def written(directory, name, sku="Standard", tags=None):
    """A template as people write them: with comments and line ends in strings."""
    path = directory / "template.json"
    path.write_text(f"""// a registry
{{ "$schema": "{GROUP_SCHEMA}", "contentVersion": "1.0.0.0", /* no
   parameters */ 'resources': [
  {{ "type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2019-05-01", "name": "{name}",
    "location": "[resourceGroup().location]", "sku": {{ "name": "{sku}" }}, "tags": {json.dumps(tags or dict())}, "properties": {{ }} }},
] }}""")
    return str(path)


def ask(quick, group, *arguments):
    done = quick.run("deployment", "group", "what-if", "-g", group, "-n", "w", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_if_for_people(site, place):
    """az-cli 8 `deployment group what-if`: what is printed of Create, Modify, NoChange."""
    az, quick, group, directory = place
    name = site.unique("azwi")
    shown = ask(quick, group, "-f", written(directory, name, tags={"team": "blue"}))
    assert f"+ Microsoft.ContainerRegistry/registries/{name} [2019-05-01]" in shown and "1 to create." in shown
    assert re.search(r'sku.name: +"Standard"', shown) and re.search(r'tags.team: +"blue"', shown)
    quick("deployment", "group", "create", "-g", group, "-n", "d", "-f", written(directory, name, tags={"team": "blue"}))
    shown = ask(quick, group, "-f", written(directory, name, tags={"team": "blue"}))
    assert f"= Microsoft.ContainerRegistry/registries/{name} [2019-05-01]" in shown and "1 no change." in shown
    assert "~" not in shown and "x " not in shown.split("Scope:")[1]
    quick("acr", "update", "-n", name, "-g", group, "--admin-enabled", "true")
    shown = ask(quick, group, "-f", written(directory, name, sku="Basic", tags={"team": "red"}))
    assert f"~ Microsoft.ContainerRegistry/registries/{name} [2019-05-01]" in shown and "1 to modify." in shown
    assert re.search(r"~ properties.adminUserEnabled: true +=> false", shown), shown
    assert re.search(r'~ sku.name: +"Standard" => "Basic"', shown) and re.search(r'~ tags.team: +"blue" +=> "red"', shown)


def test_what_if_for_programs(site, place):
    """az-cli 8: --no-pretty-print, --result-format ResourceIdOnly, --exclude-change-types, -m Complete."""
    az, quick, group, directory = place
    name, other = site.unique("azwi"), site.unique("azwi")
    quick("acr", "create", "-n", other, "-g", group, "--sku", "Basic")

    def asked(*flags):
        return json.loads(ask(quick, group, "-f", written(directory, name), "--no-pretty-print", *flags))

    def kinds(result):
        return {c["resourceId"].rsplit("/", 1)[1]: c["changeType"] for c in result["changes"]}
    whole = asked()
    assert whole["status"] == "Succeeded" and not whole.get("error")
    assert kinds(whole)[name] == "Create" and kinds(whole)[other] == "Ignore"
    change = next(c for c in whole["changes"] if c["changeType"] == "Create")
    assert change["after"]["properties"]["adminUserEnabled"] is False and not change.get("before")
    assert kinds(asked("--exclude-change-types", "Ignore")) == {name: "Create"}
    ids = asked("--result-format", "ResourceIdOnly")
    assert kinds(ids)[name] == "Deploy" and not any(c.get("after") or c.get("before") for c in ids["changes"])
    assert kinds(asked("--mode", "Complete"))[other] == "Delete"
    shown = ask(quick, group, "-f", written(directory, name), "-r", "ResourceIdOnly", "-x", "Ignore")
    assert f"! Microsoft.ContainerRegistry/registries/{name}" in shown and "1 to deploy." in shown
    assert f"- Microsoft.ContainerRegistry/registries/{other}" in ask(quick, group, "-f", written(directory, name), "--mode", "Complete")


def test_errors(site, place):
    """az-cli 8, S1: a template of another version is told the remedy; nothing is a traceback."""
    az, quick, group, directory = place
    path = pathlib.Path(written(directory, site.unique("azwi")))
    path.write_text(path.read_text().replace("2019-05-01", "2023-07-01"))
    done = quick.run("deployment", "group", "what-if", "-g", group, "-f", str(path))
    assert done.returncode != 0 and "NoRegisteredProviderFound" in done.stderr and "2019-05-01" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr


def test_subscription(site, place):
    """az-cli 8 `deployment sub what-if`: the group is not there yet."""
    az, quick, group, directory = place
    name, inside = site.unique("azwi"), site.unique("azwi")
    arguments = ["-l", site.region, "-n", "w", "-f", str(EXAMPLES / "group-and-registry.json"), "-p", f"groupName={name}",
                 f"registryName={inside}"]
    shown = quick("deployment", "sub", "what-if", *arguments)
    assert f"+ resourceGroups/{name} [2019-10-01]" in shown, shown
    assert f"+ Microsoft.ContainerRegistry/registries/{inside} [2019-05-01]" in shown and "2 to create." in shown
    assert quick("group", "exists", "-n", name) is False
    quick("deployment", "sub", "create", *arguments)
    shown = quick("deployment", "sub", "what-if", *arguments)
    assert "2 no change." in shown
    quick("group", "delete", "-n", name, "-y", "--no-wait")


def with_terminal(az, answer, *arguments):
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    try:
        return subprocess.run([az.program, *arguments], capture_output=True, text=True, stdin=theirs, env=az.environment(), timeout=180)
    finally:
        os.close(theirs)
        os.close(ours)


def test_confirmed(site, place):
    """az-cli 8: `deployment group create --confirm-with-what-if`, answered at a terminal; without a change --proceed-if-no-change
    asks nobody."""
    az, quick, group, directory = place
    name = site.unique("azwi")
    create = ["deployment", "group", "create", "-g", group, "-n", "c", "-f", written(directory, name)]
    done = with_terminal(az, b"n\n", *create, "--confirm-with-what-if")
    assert done.returncode == 0 and f"+ Microsoft.ContainerRegistry/registries/{name}" in done.stdout, done.stderr
    assert name not in [r["name"] for r in quick("acr", "list", "-g", group)]
    done = with_terminal(az, b"y\n", *create, "-c")
    assert done.returncode == 0 and '"provisioningState": "Succeeded"' in done.stdout, done.stderr
    assert name in [r["name"] for r in quick("acr", "list", "-g", group)]
    done = quick.run(*create, "-c", "--proceed-if-no-change", "-x", "Ignore")
    assert done.returncode == 0 and "1 no change." in done.stdout, done.stderr
