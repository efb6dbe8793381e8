"""az resource, of 2.45 in both profiles and of the current az (contract/az-cli.md 4): list in every form, show, create, update, tag, wait, invoke-action,
move, delete."""
import json

import pytest

TYPE = "Microsoft.ContainerRegistry/registries"


@pytest.fixture(scope="module", params=["az", "latest", "current"])
def place(site, request):
    """A client, two groups and two registries of its own."""
    with request.getfixturevalue(request.param).serving() as az:
        groups = [site.unique("azres"), site.unique("azres")]
        for group in groups:
            az("group", "create", "-n", group, "-l", site.region)
        names = [site.unique("azres"), site.unique("azres")]
        made = [az("acr", "create", "-n", n, "-g", groups[0], "--sku", "Basic", "--tags", f"env={n}", "kind=box") for n in names]
        yield az, groups, names, [m["id"] for m in made]
        for group in groups:
            az("group", "delete", "-n", group, "-y", "--no-wait")


def test_resource_list(site, place):
    """az-cli 4 `resource list`, arm-core 1.6.2: -g, -n, --resource-type, -l, --tag and what may be combined."""
    az, groups, names, _ = place

    def listed(*flags):
        return sorted(r["name"] for r in az("resource", "list", *flags))

    assert listed("-g", groups[0]) == sorted(names) and listed("-g", groups[1]) == []
    assert set(names) <= set(listed())
    assert set(names) <= set(listed("--resource-type", TYPE)) and set(names) <= set(listed("-l", site.region))
    assert listed("-n", names[0]) == [names[0]]
    assert listed("-g", groups[0], "-n", names[1], "--resource-type", TYPE) == [names[1]]
    assert listed("--tag", f"env={names[0]}") == [names[0]]
    assert set(names) <= set(listed("--tag", "kind")) and set(names) <= set(listed("--tag", "ki*"))
    assert listed("--tag", "no-such-tag") == []
    whole = az("resource", "list", "-n", names[0])[0]
    assert whole["createdTime"] and whole["changedTime"] and whole["provisioningState"] == "Succeeded"
    assert whole["type"] == TYPE and whole["sku"]["name"] == "Basic" and whole["tags"]["kind"] == "box"
    assert "ResourceGroupNotFound" in az.fails("resource", "list", "-g", "no-such-group").stderr


def test_resource_create_update_tag_delete(site, place):
    """az-cli 4: the whole object goes back with its read-only members, and is taken (arm-core 1.7.1)."""
    az, groups, names, _ = place
    name = site.unique("azres")
    body = json.dumps({"location": site.region, "sku": {"name": "Standard"}, "properties": {"adminUserEnabled": True}})
    made = az("resource", "create", "-g", groups[0], "-n", name, "--resource-type", TYPE, "--is-full-object", "-p", body)
    assert made["properties"]["provisioningState"] == "Succeeded" and made["sku"]["tier"] == "Standard"
    az("resource", "wait", "--created", "--ids", made["id"], "--interval", "1", "--timeout", "20")
    az("resource", "wait", "--exists", "-g", groups[0], "-n", name, "--resource-type", TYPE, "--interval", "1")
    for shown in (az("resource", "show", "--ids", made["id"]), az("resource", "show", "-g", groups[0], "-n", name.upper(),
                                                                   "--resource-type", TYPE)):
        assert shown["id"] == made["id"]
    updated = az("resource", "update", "--ids", made["id"], "--set", "properties.adminUserEnabled=false", "tags.colour=red")
    assert updated["properties"]["adminUserEnabled"] is False and updated["tags"] == {"colour": "red"}
    assert az("resource", "tag", "--ids", made["id"], "--tags", "a=b")["tags"] == {"a": "b"}
    assert az("resource", "tag", "--ids", made["id"], "--tags", "c=d", "-i")["tags"] == {"a": "b", "c": "d"}
    az("resource", "delete", "--ids", made["id"])
    assert "ResourceNotFound" in az.fails("resource", "show", "--ids", made["id"]).stderr
    az("resource", "wait", "--deleted", "--ids", made["id"], "--interval", "1", "--timeout", "20")


def test_resource_invoke_action(place):
    """az-cli 4: listCredentials and regenerateCredential by their names. Since its callback gives an object and no text, the
    current az prints {} for every action's answer (DeploymentOutputLongRunningOperation); there the effect is looked at."""
    az, _, names, ids = place
    az("acr", "update", "-n", names[0], "--admin-enabled", "true")

    def invoke(action, *more):
        answer = az("resource", "invoke-action", "--ids", ids[0], "--action", action, *more)
        answer = json.loads(answer) if isinstance(answer, str) else answer
        if answer == {}:
            assert az.program != "az"
            answer = az("acr", "credential", "show", "-n", names[0])
        return answer

    before = invoke("listCredentials")
    assert before["username"] == names[0] and len(before["passwords"]) == 2
    after = invoke("regenerateCredential", "--request-body", '{"name":"password2"}')
    assert after["passwords"][0] == before["passwords"][0] and after["passwords"][1] != before["passwords"][1]
    assert invoke("listcredentials") == after


def test_resource_move(site, place):
    """arm-core 2.6.1, az-cli 4: `az resource move` waits for the move; refusals are the error's own words."""
    az, groups, names, ids = place
    target = az("group", "show", "-n", groups[1])["id"]
    az("resource", "move", "--destination-group", groups[1], "--ids", *ids)
    assert sorted(r["name"] for r in az("resource", "list", "-g", groups[1])) == sorted(names)
    assert az("resource", "list", "-g", groups[0]) == []
    assert az("acr", "show", "-n", names[0])["resourceGroup"] == groups[1]
    assert "ResourceNotFound" in az.fails("acr", "show", "-n", names[0], "-g", groups[0]).stderr
    moved = [i.replace(groups[0], groups[1]) for i in ids]
    assert "ResourceMoveToSameResourceGroup" in az.fails("resource", "move", "--destination-group", groups[1], "--ids",
                                                         *moved).stderr
    assert "ResourceGroupNotFound" in az.fails("resource", "move", "--destination-group", "no-such-group", "--ids",
                                               *moved).stderr
    az("lock", "create", "-n", "held", "--lock-type", "CanNotDelete", "--resource", names[0], "-g", groups[1],
       "--resource-type", TYPE)
    assert "ScopeLocked" in az.fails("resource", "move", "--destination-group", groups[0], "--ids", *moved).stderr
    az("lock", "delete", "-n", "held", "--resource", names[0], "-g", groups[1], "--resource-type", TYPE)
    assert target.endswith(groups[1])
