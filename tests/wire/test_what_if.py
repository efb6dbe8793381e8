"""What-if: what a deployment would change, and nothing else (arm-templates 7.4)."""
import json
import re
import threading
import time
import uuid

import pytest

from harness.deployments import Deployments, nested, registry, template
from harness.what_if import SUBSCRIPTION_SCHEMA, WhatIf, assignment, group_of
from harness.site import ACR_PULL, ACR_PUSH, ARM_GROUP, ARM_REGISTRY, CONTRIBUTOR, READER

V = "2019-10-01"
SNAPSHOT = ["apiVersion", "id", "kind", "location", "name", "properties", "sku", "tags", "type"]


@pytest.fixture
def here(site, operator, group):
    return WhatIf(operator, f"/subscriptions/{site.subscription}/resourceGroups/{group}")


@pytest.fixture
def subscription(site, operator):
    """A subscription of its own, to deploy to."""
    made = site.command("subscription", "add", site.unique("WhatIf"))["subscriptionId"]
    return WhatIf(operator, f"/subscriptions/{made}")


def flat(delta, path=""):
    """{path: (kind, before, after)} of all leaves."""
    found = {}
    for change in delta or []:
        whole = f"{path}.{change['path']}".lstrip(".")
        if "children" in change:
            assert change["children"]
            found.update(flat(change["children"], whole))
        else:
            found[whole] = (change["propertyChangeType"], change.get("before"), change.get("after"))
    return found


# ---- one resource

def test_create(site, here):
    """arm-templates 7.4: Create with `after` as the type's own GET will show it, defaults included."""
    name = site.unique("reg")
    change = here.only(template(registry(name, tags={"b": "2", "a": "1"})))
    assert change["changeType"] == "Create" and set(change) == {"resourceId", "changeType", "after"}
    assert change["resourceId"] == f"{here.scope}/providers/Microsoft.ContainerRegistry/registries/{name}"
    after = change["after"]
    assert [k for k in SNAPSHOT if k in after] == list(after)
    assert after["apiVersion"] == ARM_REGISTRY and after["name"] == name and after["location"] == site.region
    assert after["sku"] == {"name": "Standard"} and after["tags"] == {"a": "1", "b": "2"}
    assert after["properties"] == {"adminUserEnabled": False, "policies": {
        "quarantinePolicy": {"status": "disabled"}, "retentionPolicy": {"days": 7, "status": "disabled"},
        "trustPolicy": {"status": "disabled", "type": "Notary"}}}
    here.client.get(f"{change['resourceId']}?api-version={ARM_REGISTRY}").expect(404)
    assert here.get("w").status == 404
    # What it said is what is there afterwards.
    here.succeed("d", template(registry(name, tags={"b": "2", "a": "1"})))
    assert here.only(template(registry(name, tags={"a": "1", "b": "2"})))["before"] == after


def test_no_change_modify_no_change(site, here):
    """arm-templates 7.4: unchanged template → NoChange for every property; after a PATCH exactly the members it changed show
    Modify, after the next deployment NoChange."""
    name = site.unique("reg")
    document = template(registry(name, tags={"team": "blue", "x": "1"}, properties={"adminUserEnabled": True}))
    here.succeed("d", document)
    here.quiet(document)
    url = f"{here.scope}/providers/Microsoft.ContainerRegistry/registries/{name}?api-version={ARM_REGISTRY}"
    here.client.patch(url, {"properties": {"adminUserEnabled": False}, "sku": {"name": "Basic"},
                            "tags": {"team": "red", "y": "2"}}).expect(200)
    change = here.only(document)
    assert change["changeType"] == "Modify" and set(change) == {"resourceId", "changeType", "before", "after", "delta"}
    assert flat(change["delta"]) == {
        "properties.adminUserEnabled": ("Modify", False, True), "sku.name": ("Modify", "Basic", "Standard"),
        "tags.team": ("Modify", "red", "blue"), "tags.x": ("Create", None, "1"), "tags.y": ("Delete", "2", None)}
    assert change["before"]["tags"] == {"team": "red", "y": "2"} and change["after"]["tags"] == {"team": "blue", "x": "1"}
    here.succeed("d", document)
    here.quiet(document)


@pytest.mark.parametrize("spelled", [
    {"location": "LOCAL"}, {"location": "Local "}, {"sku": {"name": "standard"}}, {"sku": {"name": "Standard", "tier": "Standard"}},
    {"properties": {"networkRuleSet": {"defaultAction": "Allow"}}}, {"tags": {}}, {"tags": None},
    {"properties": {"policies": {"retentionPolicy": {"days": 7, "status": "disabled"}}}},
    {"type": "microsoft.containerregistry/REGISTRIES"}, {"apiVersion": "2017-10-01"}])
def test_spelling_is_no_change(site, here, spelled):
    """arm-templates 7.4: defaults, casing and what Standard does not show are understood."""
    name = site.unique("reg")
    here.succeed("d", template(registry(name)))
    here.quiet(template({**registry(name), **spelled}))
    here.quiet(template({**registry(name.upper()), **spelled}))


def test_read_only_members_have_no_effect(site, here):
    """arm-templates 7.4: NoEffect for what a template says of members that nobody sets."""
    name = site.unique("reg")
    here.succeed("d", template(registry(name)))
    change = here.only(template(registry(name, properties={"loginServer": "mine", "provisioningState": "Failed"})))
    assert change["changeType"] == "NoChange" and flat(change["delta"]) == {
        "properties.loginServer": ("NoEffect", None, "mine"), "properties.provisioningState": ("NoEffect", None, "Failed")}


def test_ids_only(site, here):
    """arm-templates 7.4: ResourceIdOnly: Deploy, and nothing about properties."""
    name, other = site.unique("reg"), site.unique("reg")
    here.succeed("d", template(registry(other)))
    for document in (template(registry(name)), template(registry(name), registry(other))):
        for change in here.changes(document, ids_only=True):
            assert set(change) == {"resourceId", "changeType"}
            assert change["changeType"] == ("Ignore" if change["resourceId"].endswith(other) and
                                            len(document["resources"]) == 1 else "Deploy")


# ---- every type

def lock(name, level="CanNotDelete", scope=None, notes=None, version="2016-09-01", depends=()):
    made = {"type": "Microsoft.Authorization/locks", "apiVersion": version, "name": name,
            "properties": {"level": level, **({"notes": notes} if notes else {})}}
    if scope:
        made["scope"] = scope
    if depends:
        made["dependsOn"] = list(depends)
    return made


def test_role_assignments(site, here):
    """arm-templates 7.4: a role assignment is created, then does not change, at every api-version's shape."""
    principal, name = site.principal(), site.unique("reg")
    on = f"Microsoft.ContainerRegistry/registries/{name}"
    for version in ("2015-07-01", "2018-01-01-preview", "2020-04-01-preview", "2022-04-01"):
        document = template(registry(name), assignment(principal, ACR_PULL, name, scope=on, apiVersion=version),
                            assignment(principal, ACR_PUSH, apiVersion=version))
        if version == "2015-07-01":
            assert set(here.kinds(document).values()) == {"Create"}
            here.succeed("d", document)
        here.quiet(document)
    # Another principal under the same name is what the deployment would fail with.
    wrong = dict(assignment(principal, ACR_PUSH))
    wrong["properties"] = {**wrong["properties"], "principalId": site.principal()["objectId"]}
    result = here.ask(template(wrong))
    assert result["status"] == "Failed" and result["error"]["code"] == "InvalidTemplateDeployment", result
    assert result["error"]["details"][0]["code"] == "RoleAssignmentUpdateNotPermitted", result
    assert result["error"]["details"][0]["target"].endswith(wrong["name"])


@pytest.mark.parametrize("version", ["2015-01-01", "2016-09-01", "2020-05-01"])
def test_locks(site, here, version):
    """arm-templates 7.4: locks, as resources and as what holds a deployment back."""
    name = site.unique("reg")
    document = template(registry(name), lock("keep", scope=f"Microsoft.ContainerRegistry/registries/{name}", notes="mine",
                                             version=version, depends=[name]), lock("group", version=version))
    assert set(here.kinds(document).values()) == {"Create"}
    here.succeed("d", document)
    here.quiet(document)
    url = f"{here.scope}/providers/Microsoft.Authorization/locks/group?api-version=2016-09-01"
    here.client.put(url, {"properties": {"level": "CanNotDelete", "notes": "other"}}).expect(200)
    change = next(c for c in here.changes(document) if c["changeType"] == "Modify")
    assert flat(change["delta"]) == {"properties.notes": ("Delete", "other", None)}
    # arm-core 2.5.2: ReadOnly holds every POST back; on a resource it is what the deployment would fail of.
    here.client.put(url, {"properties": {"level": "ReadOnly"}}).expect(200)
    for action in ("/whatIf", "/validate"):
        assert here.send("POST", "d", action, document).expect(409).code == "ScopeLocked"
    here.client.put(url, {"properties": {"level": "CanNotDelete"}}).expect(200)
    keep = url.replace("/providers/Microsoft.Authorization/locks/group", f"/providers/Microsoft.ContainerRegistry/registries/{name}"
                       "/providers/Microsoft.Authorization/locks/keep")
    here.client.put(keep, {"properties": {"level": "ReadOnly"}}).expect(200)
    result = here.ask(document)
    assert result["status"] == "Failed" and [d["code"] for d in result["error"]["details"]] == ["ScopeLocked"], result
    here.client.delete(url).expect(200)
    here.client.delete(f"{here.scope}/providers/Microsoft.ContainerRegistry/registries/{name}"
                       "/providers/Microsoft.Authorization/locks/keep?api-version=2016-09-01").expect(200)


def test_tags_of_what_the_template_makes(site, here):
    """arm-templates 7.4: the tags resource comes after the registry that it is of; what is there in the end is what counts."""
    name = site.unique("reg")

    def document(**tags):
        return template(registry(name), {
            "type": "Microsoft.Resources/tags", "apiVersion": "2021-04-01", "name": "default", "dependsOn": [name],
            "scope": f"Microsoft.ContainerRegistry/registries/{name}", "properties": {"tags": tags}})
    assert here.kinds(document(a="1")) == {name: "Create", "default": "Create"}
    here.succeed("d", document(a="1"))
    here.quiet(document(a="1"))
    changes = {c["resourceId"].rsplit("/", 1)[1]: flat(c.get("delta")) for c in here.changes(document(a="2"))}
    assert changes == {name: {"tags.a": ("Modify", "1", "2")}, "default": {"properties.tags.a": ("Modify", "1", "2")}}


def test_custom_roles(site, subscription):
    """arm-templates 7.4: arrays by index; Array with children."""
    guid = str(uuid.uuid4())

    def document(*actions):
        return template({"type": "Microsoft.Authorization/roleDefinitions", "apiVersion": "2018-07-01", "name": guid,
                         "properties": {"roleName": f"R {guid}", "description": "d", "type": "customRole",
                                        "assignableScopes": ["[subscription().id]"],
                                        "permissions": [{"actions": list(actions), "notActions": []}]}})
    at = {"location": site.region}
    assert subscription.only(document("a/read", "b/read"), **at)["changeType"] == "Create"
    subscription.succeed("d", document("a/read", "b/read"), **at)
    subscription.quiet(document("a/read", "b/read"), **at)
    change = subscription.only(document("a/read", "c/read", "d/read"), **at)
    assert change["delta"] == [{"path": "properties.permissions", "propertyChangeType": "Array", "children": [
        {"path": "0", "propertyChangeType": "Modify", "children": [
            {"path": "actions", "propertyChangeType": "Array", "children": [
                {"path": "1", "propertyChangeType": "Modify", "before": "b/read", "after": "c/read"},
                {"path": "2", "propertyChangeType": "Create", "after": "d/read"}]}]}]}]
    change = subscription.only(document("a/read"), **at)
    assert flat(change["delta"]) == {"properties.permissions.0.actions.1": ("Delete", "b/read", None)}


def test_subscription_scope(site, subscription):
    """arm-templates 7.4 at subscription scope: the group of a nested deployment does not exist yet."""
    name, inside = site.unique("g"), site.unique("reg")
    at = {"location": site.region}
    deployed = nested("inner", template(registry(inside, location=site.region), outputs={"s": {
        "type": "string", "value": f"[reference('{inside}').loginServer]"}}), name, resourceGroup=name)
    document = template(group_of(name, site.region, tags={"of": "us"}), deployed,
                        outputs={"s": {"type": "string", "value": "[reference('inner').outputs.s.value]"}})
    document["$schema"] = SUBSCRIPTION_SCHEMA
    changes = subscription.changes(document, **at)
    assert [(c["resourceId"].rsplit("/", 1)[1], c["changeType"]) for c in changes] == [(name, "Create"), (inside, "Create")]
    assert changes[0]["after"]["tags"] == {"of": "us"} and "properties" in changes[0]["after"]
    subscription.client.get(f"{subscription.scope}/resourceGroups/{name}?api-version={V}").expect(404)
    subscription.succeed("d", document, **at)
    subscription.quiet(document, **at)
    subscription.client.patch(f"{subscription.scope}/resourceGroups/{name}?api-version={V}", {"tags": {"of": "them"}}).expect(200)
    change = subscription.only(template(group_of(name, site.region, tags={"of": "us"})), **at)
    assert flat(change["delta"]) == {"tags.of": ("Modify", "them", "us")}
    # What else is in the group of a nested deployment is told, too.
    other = site.unique("reg")
    subscription.client.put(f"{subscription.scope}/resourceGroups/{name}/providers/Microsoft.ContainerRegistry/registries/{other}"
                            f"?api-version={ARM_REGISTRY}", {"location": site.region, "sku": {"name": "Basic"}}).expect(200)
    assert subscription.kinds(document, **at) == {name: "Modify", inside: "NoChange", other: "Ignore"}


# ---- modes, conditions, nested ones

def test_complete_mode(site, here):
    """arm-templates 7.4, 6.6: what is there and not in the template: Ignore in Incremental mode, Delete in Complete mode; so is
    what a condition leaves out."""
    kept, gone, left_out = (site.unique("reg") for _ in range(3))
    here.succeed("d", template(registry(kept), registry(gone), registry(left_out)))
    document = template(registry(kept), {**registry(left_out), "condition": False})
    assert here.kinds(document) == {kept: "NoChange", gone: "Ignore", left_out: "Ignore"}
    assert here.kinds(document, mode="Complete") == {kept: "NoChange", gone: "Delete", left_out: "Delete"}
    change = next(c for c in here.changes(document, mode="Complete") if c["resourceId"].endswith(gone))
    assert "after" not in change and change["before"]["properties"]["adminUserEnabled"] is False
    assert here.kinds(document, mode="Complete", ids_only=True) == {kept: "Deploy", gone: "Delete", left_out: "Delete"}
    here.succeed("d", document, mode="Complete")
    assert here.kinds(document, mode="Complete") == {kept: "NoChange"}


@pytest.mark.parametrize("scope", ["inner", "outer"])
def test_nested_deployments_are_flattened(site, here, scope):
    """arm-templates 7.4: resources of nested deployments are told in their place."""
    first, second = site.unique("reg"), site.unique("reg")
    document = template(registry(first), nested("n", template(registry(second, location=site.region)), first, scope=scope))
    assert here.kinds(document) == {first: "Create", second: "Create"}
    here.succeed("d", document)
    here.quiet(document)


def test_a_nested_deployment_that_only_the_run_knows(site, here):
    """arm-templates 4.4: parameters by reference(): its plan is made when it is tried."""
    first, second, third = (site.unique("reg") for _ in range(3))
    inner = template(registry("[parameters('n')]", location=site.region, tags={"of": "[parameters('host')]"}),
                     parameters={"n": {"type": "string"}, "host": {"type": "string"}},
                     outputs={"n": {"type": "string", "value": "[parameters('n')]"}})
    document = template(
        registry(first),
        nested("one", inner, parameters={"n": {"value": second}, "host": {"value": f"[reference('{first}').loginServer]"}}),
        nested("two", inner, parameters={"n": {"value": f"[concat(reference('one').outputs.n.value, 'x')]"},
                                         "host": {"value": "[reference('one').provisioningState]"}}))
    changes = here.changes(document)
    assert {c["resourceId"].rsplit("/", 1)[1]: c["changeType"] for c in changes} == {
        first: "Create", second: "Create", second + "x": "Create"}
    tags = {c["resourceId"].rsplit("/", 1)[1]: c["after"].get("tags") for c in changes}
    assert tags[second] == {"of": f"{first}{site.facts['acrSuffix']}"} and tags[second + "x"] == {"of": "Succeeded"}
    here.succeed("d", document)
    here.quiet(document)


def test_reference_sees_earlier_resources(site, here):
    """arm-templates 5.8: reference() of what does not exist yet."""
    first, second = site.unique("reg"), site.unique("reg")
    document = template(registry(first, properties={"adminUserEnabled": True}),
                        registry(second, tags={}, properties={"adminUserEnabled": f"[reference('{first}').adminUserEnabled]"}))
    change = next(c for c in here.changes(document) if c["resourceId"].endswith(second))
    assert change["after"]["properties"]["adminUserEnabled"] is True


# ---- what is not shown, what is not left behind

def test_secrets_are_not_shown(site, here):
    """arm-templates 7.1: secure values are never shown; nor is what list*() answers."""
    name = site.unique("reg")
    here.succeed("d", template(registry(name, properties={"adminUserEnabled": True})))
    secret = "Hunter2-" + site.unique("s")
    inner = template(registry(name + "n", location=site.region, tags={"n": "[parameters('p')]"}),
                     parameters={"p": {"type": "secureString"}})
    document = template(
        registry(name, properties={"adminUserEnabled": True}, tags={
            "whole": "[parameters('s')]", "part": "[concat('x', parameters('s'), 'y')]", "member": "[parameters('o').a[0]]",
            "made": "[base64(concat(parameters('s'), '!'))]", "chosen": "[if(empty(parameters('s')), 'none', 'some')]"}),
        {"type": "Microsoft.Resources/tags", "apiVersion": "2021-04-01", "name": "default", "properties": {"tags": {
            "p": f"[listCredentials(resourceId('Microsoft.ContainerRegistry/registries', '{name}'), '2019-05-01').passwords[0].value]",
            "b": f"[base64(listCredentials(resourceId('Microsoft.ContainerRegistry/registries', '{name}'), '2019-05-01').passwords[0].value)]",
            "u": f"[listCredentials(resourceId('Microsoft.ContainerRegistry/registries', '{name}'), '2019-05-01').username]"}},
         "dependsOn": [name]},
        nested("n", inner, parameters={"p": {"value": "[parameters('s')]"}}),
        parameters={"s": {"type": "secureString"}, "o": {"type": "secureObject"}})
    result = here.ask(document, {"s": secret, "o": {"a": ["q1w2"]}})
    shown = json.dumps(result)
    password = here.client.post(f"{here.scope}/providers/Microsoft.ContainerRegistry/registries/{name}/listCredentials"
                                f"?api-version={ARM_REGISTRY}").expect(200).json["passwords"][0]["value"]
    assert secret not in shown and password not in shown and "q1w2" not in shown
    tags = {c["resourceId"].rsplit("/", 1)[1]: c["after"].get("tags", c["after"].get("properties", {}).get("tags"))
            for c in result["properties"]["changes"]}
    assert tags[name] == {"whole": "*******", "part": "x*******y", "member": "*******", "made": "*******", "chosen": "some"}
    assert tags[name + "n"] == {"n": "*******"} and tags["default"] == {"p": "*******", "b": "*******", "u": name}
    stored = "\n".join(site.sql("select coalesce(payload::text, '') || coalesce(result::text, '') from azsacr.job"))
    assert secret not in stored and password not in stored
    # Nor what an error quotes.
    wrong = template(registry(name, sku="[parameters('s')]"), parameters={"s": {"type": "secureString"}})
    answer = here.ask(wrong, {"s": secret})
    assert answer["status"] == "Failed" and secret not in json.dumps(answer), answer


TABLES = """select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('arm', 'acr', 'rbac', 'azsacr') and c.relkind = 'r'
and c.relname not in ('job', 'job_wake', 'replica', 'lease', 'worker')"""


def everything(site):
    """A hash of each table's rows."""
    each = " union all ".join(f"select '{t}', md5(coalesce(string_agg(r, '|' order by r), '')) from (select t::text r from {t} t) x"
                              for t in site.sql(TABLES))
    return dict(line.split("|") for line in site.sql(each))


def test_nothing_is_left_behind(site, here):
    """arm-templates 7.4: no resource is touched by what-if: no row of any table changes but the answer's."""
    name, principal = site.unique("reg"), site.principal()
    here.succeed("d", template(registry(name)))
    on = f"Microsoft.ContainerRegistry/registries/{name}"
    document = template(
        registry(name, tags={"a": "b"}, properties={"adminUserEnabled": True}), registry(name + "new"),
        assignment(principal, ACR_PULL, name, scope=on), assignment(principal, READER),
        lock("l", "ReadOnly"), lock("m", scope=on, depends=[name]),
        {"type": "Microsoft.Resources/tags", "apiVersion": "2021-04-01", "name": "default", "properties": {"tags": {"t": "1"}}},
        nested("n", template(registry(name + "in", location=site.region))))
    time.sleep(1.5)  # refusals and jobs of before
    before = everything(site)
    assert len(before) > 20 and before["rbac.version"]
    kinds = here.kinds(document)
    assert kinds == {name: "Modify", name + "new": "Create", name + "in": "Create", "default": "Modify", "l": "Create",
                     "m": "Create", **{a["name"]: "Create" for a in document["resources"][2:4]}}, kinds
    failing = here.ask(template(registry(name + "other"), assignment({"objectId": str(uuid.uuid4())}, str(uuid.uuid4()))))
    assert failing["status"] == "Failed"
    time.sleep(1.5)  # what is recorded later would be by now
    after = everything(site)
    assert {t for t in before if before[t] != after[t]} == set()
    # Later requests do not take for granted what was never there.
    here.client.put(f"{here.scope}/providers/{on}new?api-version={ARM_REGISTRY}",
                    {"location": site.region, "sku": {"name": "Basic"}}).expect(200)


def test_a_group_that_never_was(site, subscription):
    """A group of a trial is not remembered by the creates that follow (decisions 12: group existence)."""
    name, inside = site.unique("g"), site.unique("reg")
    document = template(group_of(name, site.region),
                        nested("n", template(*[registry(inside + str(i), location=site.region) for i in range(3)]), name,
                               resourceGroup=name))
    document["$schema"] = SUBSCRIPTION_SCHEMA
    for _ in range(2):
        assert len(subscription.changes(document, location=site.region)) == 4
        subscription.client.put(f"{subscription.scope}/resourceGroups/{name}/providers/Microsoft.ContainerRegistry/registries/"
                                f"{inside}0?api-version={ARM_REGISTRY}",
                                {"location": site.region, "sku": {"name": "Basic"}}).expect(404)


# ---- refusals and rights

def test_errors_are_those_of_validate(site, here):
    """arm-templates 9.2: what validate refuses is the result of what-if, with the same error."""
    name = site.unique("reg")
    for document, parameters, more in [
            (template({**registry(name), "apiVersion": "2023-07-01"}), None, {}), (template(registry("")), None, {}),
            (template(registry("x")), {"unknown": 1}, {}), ({"contentVersion": "1.0.0.0", "resources": []}, None, {}),
            (template({"type": "Microsoft.Web/sites", "apiVersion": "2020-01-01", "name": "x"}), None, {}),
            (template(registry(name, sku="Premium")), None, {}), (template(registry(name)), None, {"mode": "Other"}),
            (template(registry(name)), None, {"location": site.region}), (template(registry(name)), None, {"raw": "{,"}),
            (template(registry(name, "[resourceId('a/b', 'c')]")), None, {})]:
        validated = here.validate("w", document, parameters, **more)
        result = here.ask(document, parameters, **more)
        assert validated.status >= 400 and result["status"] == "Failed" and set(result) == {"status", "error"}

        def without_ids(error):
            return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "id", json.dumps(error))
        assert without_ids(result["error"]) == without_ids(validated.json["error"])
    here.client.request("POST", here.path("w", "/whatIf"), b"").expect(400)
    here.client.get(here.path("w", "/whatIf")).expect(405)
    nowhere = WhatIf(here.client, here.scope + "x")
    assert nowhere.send("POST", "w", "/whatIf", template()).expect(404).code == "ResourceGroupNotFound"


def test_what_only_the_trial_finds(site, here, operator):
    """What validate cannot see: the deployment would fail, and so the result says (arm-templates 7.4: status Failed)."""
    name, second = site.unique("reg"), site.unique("g")
    operator.put(f"/subscriptions/{site.subscription}/resourceGroups/{second}?api-version={ARM_GROUP}",
                 {"location": site.region}).expect(201)
    document = template(registry(name), nested("n", template(registry(name, location=site.region)), name, resourceGroup=second),
                        registry(site.unique("reg"), "n"))
    here.validate("w", document).expect(200)
    result = here.ask(document)
    assert result["status"] == "Failed" and "properties" not in result
    assert [d["code"] for d in result["error"]["details"]] == ["AlreadyInUse"]
    assert f"/{second}/" in result["error"]["details"][0]["target"]
    assert result["error"]["message"].startswith("The template deployment 'w' is not valid according to the validation procedure.")


def test_rights(site, operator, here):
    """arm-templates 7: whatIf/action at the scope, then the rights that the deployment's resources want."""
    principal = site.principal()
    theirs = WhatIf(site.client_of(principal), here.scope)
    document = template(registry(site.unique("reg")))
    refused = theirs.send("POST", "w", "/whatIf", document).expect(403)
    assert "Microsoft.Resources/deployments/whatIf/action" in refused.message
    site.assign(operator, principal, READER, here.scope)
    theirs.send("POST", "w", "/whatIf", document).expect(403)
    site.assign(operator, principal, CONTRIBUTOR, here.scope)
    location = theirs.send("POST", "w", "/whatIf", document).expect(202).header("Location")
    theirs.client.get(location).expect(200)
    stranger = site.client_of(site.principal())
    stranger.get(location).expect(404)
    refused = theirs.ask(template(assignment(principal, ACR_PULL)))["error"]
    assert refused["code"] == "InvalidTemplateDeployment" and "roleAssignments/write" in refused["message"]


def test_what_may_not_be_read(site, operator, here):
    """arm-templates 7.4: Unsupported, where the caller may write a resource and not read it."""
    role, principal, name = str(uuid.uuid4()), site.principal(), site.unique("reg")
    operator.put(f"{here.scope}/providers/Microsoft.Authorization/roleDefinitions/{role}?api-version=2018-07-01", {"properties": {
        "roleName": f"W {role}", "type": "CustomRole", "assignableScopes": [here.scope], "permissions": [{"actions": [
            "Microsoft.ContainerRegistry/registries/write", "Microsoft.Resources/deployments/*"]}]}}).expect(201)
    site.assign(operator, principal, role, here.scope)
    here.succeed("d", template(registry(name)))
    theirs = WhatIf(site.client_of(principal), here.scope)
    change, = theirs.changes(template(registry(name, tags={"a": "b"})))
    assert change["changeType"] == "Unsupported" and change["unsupportedReason"]
    assert not {"before", "after", "delta"} & set(change)


def test_other_api_versions(site, here):
    """arm-templates 7: every api-version of deployments; arm-templates 7.4 result's members."""
    name = site.unique("reg")
    for version in ("2019-07-01", "2021-04-01", "2022-09-01", "2025-04-01"):
        result = here.ask(template(registry(name)), version=version)
        assert set(result) == {"status", "properties"} and set(result["properties"]) == {"correlationId", "changes"}
        uuid.UUID(result["properties"]["correlationId"])


def test_in_a_batch(site, here):
    """decisions 48: a what-if among other requests; its answer's Location is followed as any."""
    name = site.unique("reg")
    url = here.path("w", "/whatIf")
    content = json.loads(json.dumps({"properties": {"mode": "Incremental", "template": template(registry(name))}}))
    answers = here.client.post("/batch?api-version=2020-06-01", {"requests": [
        {"httpMethod": "POST", "url": url, "content": content, "name": "one"},
        {"httpMethod": "GET", "url": f"{here.scope}?api-version={V}", "name": "two"}]}).expect(200).json["responses"]
    assert [a["httpStatusCode"] for a in answers] == [202, 200]
    location = next(v for k, v in answers[0]["headers"].items() if k.lower() == "location")
    assert here.client.get(location).expect(200).json["properties"]["changes"][0]["changeType"] == "Create"


def test_at_once(site, here, subscription):
    """The same what-if by several at once, while the deployment itself runs: unique names, grants and locks are in each."""
    name, principal = site.unique("reg"), site.principal()
    on = f"Microsoft.ContainerRegistry/registries/{name}"
    document = template(registry(name), assignment(principal, ACR_PULL, name, scope=on), lock("l", scope=on, depends=[name]),
                        lock("g", depends=[name]), registry(name + "2", name))
    faults = []

    def many():
        mine = WhatIf(site.operator(), here.scope)
        for _ in range(5):
            try:
                kinds = set(mine.kinds(document).values())
                assert kinds <= {"Create", "NoChange", "Modify", "Ignore"}, kinds
            except BaseException as fault:  # noqa: B902: told by the test itself
                faults.append(fault)
    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    here.succeed("d", document)
    for thread in threads:
        thread.join()
    assert not faults, faults
    here.quiet(document)
    for url in (f"{here.scope}/providers/{on}/providers/Microsoft.Authorization/locks/l",
                f"{here.scope}/providers/Microsoft.Authorization/locks/g"):
        here.client.delete(f"{url}?api-version=2016-09-01").expect(200)
