"""Faults of deployments that were found by looking for them, each with the case that showed it."""
import json
import uuid

import pytest

from harness.deployments import Deployments, nested, registry, template
from harness.site import CONTRIBUTOR, Site
from harness.what_if import WhatIf

V = "2019-10-01"


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A site whose every step of a deployment takes a while."""
    site = Site(tmp_path_factory.mktemp("faults") / "state", port=9473, region="slow",
                environment={"AZSACR_FAILPOINTS": "deployment.step=wait:300"}).start()
    yield site
    site.stop()


def in_group(site, client, **more):
    group = site.unique("g")
    scope = f"/subscriptions/{site.subscription}/resourceGroups/{group}"
    site.operator().put(f"{scope}?api-version={V}", {"location": site.region, **more}).expect(201)
    return group, Deployments(client, scope)


@pytest.fixture
def deployments(site, operator, group):
    return Deployments(operator, f"/subscriptions/{site.subscription}/resourceGroups/{group}")


@pytest.fixture
def stranger(site, operator, deployments):
    """The deployments of somebody who may do everything in that group, and nothing elsewhere."""
    principal = site.principal()
    site.assign(operator, principal, CONTRIBUTOR, deployments.scope)
    return Deployments(site.client_of(principal), deployments.scope)


def present(deployments):
    found = deployments.client.get(f"{deployments.scope}/resources?api-version={V}").expect(200).json["value"]
    return {r["name"] for r in found}


# ---- crossing scopes

def test_scope_functions_of_a_group_that_is_not_ones_own(site, operator, stranger):
    """arm-templates 3.6, 6.3: resourceGroup() of a nested deployment told tags and location of any group to everybody."""
    group, _ = in_group(site, operator, tags={"secret": "TOPSECRET"})
    said = template(variables={"x": "[fail(string(resourceGroup()))]"}, outputs={"o": {"type": "string", "value": "[variables('x')]"}})
    named = template(registry("[concat('x', resourceGroup().tags.secret)]"))
    for inner in (said, named):
        for scope in ("inner", "outer"):
            answer = stranger.validate("v", template(nested("n", inner, resourceGroup=group, scope=scope))).expect(400)
            assert b"TOPSECRET" not in answer.body
    # A group that is there and one that is not are answered alike.
    answers = [stranger.validate("v", template(nested("n", template(registry("abcdefgh")), resourceGroup=g))).expect(400)
               for g in (group, "absent")]
    assert [a.message.replace(group, "absent") for a in answers] == [answers[1].message] * 2
    # Who may deploy there is answered.
    mine = Deployments(operator, stranger.scope)
    assert "TOPSECRET" in mine.validate("v", template(nested("n", said, resourceGroup=group))).expect(400).message


def test_scope_functions_of_a_subscription_that_is_not_ones_own(site, operator, stranger):
    """arm-templates 3.6: subscription() of a nested deployment told the names of subscriptions to everybody."""
    said = template(variables={"x": "[fail(string(subscription()))]"}, outputs={"o": {"type": "string", "value": "[variables('x')]"}})
    other = site.facts["operatorSubscriptionId"]
    shown = operator.get(f"/subscriptions/{other}?api-version=2016-06-01").expect(200).json["displayName"]
    answer = stranger.validate("v", template(nested("n", said, subscriptionId=other, resourceGroup="x"))).expect(400)
    assert shown not in answer.message and "Authorization failed for template resource 'n'" in answer.message


def test_a_subscription_that_is_not_there(stranger):
    """arm-templates 6.3: a nested deployment to a subscription that does not exist was told that its group does not."""
    document = template(nested("n", template(), subscriptionId=str(uuid.uuid4()), resourceGroup="x"))
    answer = stranger.validate("v", document).expect(400)
    assert [d["code"] for d in answer.json["error"]["details"]] == ["SubscriptionNotFound"]


@pytest.mark.parametrize("scope", ["/", "Microsoft.Management/managementGroups/m"])
def test_nested_to_where_no_deployment_goes(deployments, scope):
    """arm-templates 6.3: a nested deployment to the tenant was accepted and failed when its turn came."""
    document = template({**nested("n", template()), "scope": scope, "location": "local"})
    answer = deployments.put("v", document).expect(400)
    assert [d["code"] for d in answer.json["error"]["details"]] == ["InvalidDeploymentScope"]


@pytest.mark.parametrize("name, properties, code", [
    ("a b", {}, "InvalidDeploymentName"), ("n" * 65, {}, "InvalidDeploymentName"), ("..", {}, "InvalidDeploymentName"),
    ("n", {"onErrorDeployment": {"type": "LastSuccessful"}}, "InvalidDeployment")])
def test_nested_that_its_own_put_would_refuse(deployments, name, properties, code):
    """arm-templates 6.3: such a deployment was accepted and failed when its turn came."""
    made = nested(name, template())
    made["properties"].update(properties)
    answer = deployments.put("v", template(made)).expect(400)
    assert [d["code"] for d in answer.json["error"]["details"]] == [code]


# ---- the history

def test_what_a_failure_goes_back_to_is_not_groomed(site, deployments):
    """arm-templates 6 History: the chosen deployment of an onErrorDeployment, when old, went in the very PUT that chose it."""
    deployments.succeed("old", template())
    deployments.succeed("seed", template())
    columns = ", ".join(site.sql("select column_name from information_schema.columns where table_schema = 'arm' and table_name = "
                                 "'deployment' and column_name not in ('id', 'name', 'name_key')"))
    site.sql(f"insert into arm.deployment (name, name_key, {columns}) select 'h' || i, 'h' || i, {columns} from arm.deployment, "
             "generate_series(1, 780) i where id = (select max(id) from arm.deployment where name = 'seed')")
    deployments.fail("new", template(outputs={"o": {"type": "int", "value": "[int('x')]"}}),
                     onErrorDeployment={"type": "SpecificDeployment", "deploymentName": "old"})
    count, = site.sql("select count(*) from arm.deployment where group_id = (select group_id from arm.deployment where name = 'old' "
                      "order by id desc limit 1)")
    assert int(count) <= 752
    record = site.wait_until(lambda: (r := deployments.get("new").json["properties"]["onErrorDeployment"]).get(
        "provisioningState") == "Succeeded" and r)
    assert record["deploymentName"] == "old"


# ---- the Complete mode

def test_complete_with_nested_deployments_of_the_same_name(site, deployments):
    """arm-templates 6.6: two nested deployments hold one of the same name each; the second takes the first one's record, and
    the Complete mode then deleted what the first had made."""
    names = [site.unique("reg") for _ in range(2)]
    one = nested("one", template(nested("inner", template(registry(names[0])))))
    two = nested("two", template(nested("inner", template(registry(names[1])))), "one")
    record = deployments.succeed("complete", template(one, two), mode="Complete")
    assert present(deployments) == set(names)
    assert [r["id"].rsplit("/", 1)[1] for r in record["properties"]["outputResources"]] == sorted(names)


def test_complete_after_a_nested_record_was_deleted(slow):
    """arm-templates 6.6, 7: what a nested deployment made stays its parent's, though its record is deleted meanwhile."""
    operator = slow.operator()
    _, deployments = in_group(slow, operator)
    names = [slow.unique("reg") for _ in range(6)]
    chain = [registry(name, before) for name, before in zip(names[1:], ["within"] + names[1:])]
    deployments.put("around", template(nested("within", template(registry(names[0]))), *chain), mode="Complete").expect(201)
    slow.wait_until(lambda: names[1] in present(deployments))
    operator.delete(deployments.path("within")).expect(202)
    slow.wait_until(lambda: deployments.get("within").status == 404)
    record = deployments.wait("around")
    assert record["properties"]["provisioningState"] == "Succeeded", record
    assert present(deployments) == set(names) and len(record["properties"]["outputResources"]) == 6


def test_complete_keeps_what_is_existing(site, operator, deployments):
    """arm-templates 3.4, 6.6: a resource that the template has as `existing` is in the template."""
    kept, gone, new = (site.unique("reg") for _ in range(3))
    deployments.succeed("before", template(registry(kept), registry(gone)))
    existing = {"existing": True, "type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2019-05-01", "name": kept}
    document = {**template(), "languageVersion": "2.0", "resources": {"k": existing, "n": registry(new)}}
    kinds = WhatIf(operator, deployments.scope).kinds(document, mode="Complete")
    assert kinds == {kept: "Ignore", gone: "Delete", new: "Create"}
    deployments.succeed("after", document, mode="Complete")
    assert present(deployments) == {kept, new}
    # One that is nested says so too.
    inner = {**document, "resources": {"k": existing}}
    deployments.succeed("nested", template(nested("n", inner), registry(new)), mode="Complete")
    assert present(deployments) == {kept, new}


# ---- cancel

def test_cancel_while_a_nested_deployment_begins(slow):
    """arm-templates 6 Cancel: a nested deployment that began in the step which the cancel had to wait for ran on."""
    operator = slow.operator()
    _, deployments = in_group(slow, operator)
    names = [slow.unique("reg") for _ in range(8)]
    inner = template(*[registry(n, *names[max(i - 1, 0):i]) for i, n in enumerate(names)])
    deployments.put("around", template(nested("within", inner))).expect(201)
    slow.wait_until(lambda: slow.sql("select count(*) from azsacr.job where state = 'Running' and kind = 'deployment'") == ["1"])
    operator.post(deployments.path("around", "/cancel")).expect(204)
    slow.wait_until(lambda: slow.sql("select count(*) from azsacr.job where state in ('Pending', 'Running') and kind "
                                     "like 'deployment%'") == ["0"])
    within = deployments.get("within")
    assert within.status == 404 or within.json["properties"]["provisioningState"] == "Canceled"
    assert names[-1] not in present(deployments)


def test_operations_of_a_canceled_deployment_end(slow):
    """arm-templates 7.3: the operation of a nested deployment was Running for ever once its parent was canceled."""
    operator = slow.operator()
    _, deployments = in_group(slow, operator)
    names = [slow.unique("reg") for _ in range(8)]
    inner = template(*[registry(n, *names[max(i - 1, 0):i]) for i, n in enumerate(names)])
    deployments.put("around", template(nested("within", inner))).expect(201)
    slow.wait_until(lambda: present(deployments))
    operator.post(deployments.path("around", "/cancel")).expect(204)
    slow.wait_until(lambda: [o["properties"]["provisioningState"] for o in deployments.operations("around")] == ["Failed"])
    operation, = deployments.operations("around")
    assert operation["properties"]["statusMessage"]["error"]["code"] == "DeploymentCanceled"


# ---- secrets

SECRET = "S3cr3tValueXyZ"
SHOWN = {"debugSetting": {"detailLevel": "requestContent,responseContent"}}


def told(site, deployments, name):
    """Everything that a reader of the group is told of a deployment."""
    log = (f"/subscriptions/{site.subscription}/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01"
           f"&$filter=eventTimestamp%20ge%20%272020-01-01T00:00:00Z%27%20and%20resourceGroupName%20eq%20%27"
           f"{deployments.scope.rsplit('/', 1)[1]}%27")
    site.wait_until(lambda: b"deployments/write" in deployments.client.get(log).expect(200).body)
    return (deployments.get(name).expect(200).body + json.dumps(deployments.operations(name)).encode()
            + deployments.client.get(log).expect(200).body + deployments.client.post(deployments.path(name, "/exportTemplate")).body)


def test_what_list_functions_answered_is_in_no_error(site, operator, group, deployments):
    """arm-templates 5.8, 9.3: an error quoted the password that an expression had done something wrong with, to every reader."""
    made = site.create_registry(operator, group)
    password = f"listCredentials('{made.id}', '2019-05-01').passwords[0].value"
    wrong = registry(site.unique("reg"))
    wrong["properties"] = {"policies": {"quarantinePolicy": {"status": f"[{password}]"}}}
    error = deployments.fail("body", template(wrong))
    assert "Error converting value" in error["details"][0]["message"] and "***" in error["details"][0]["message"]
    expression = registry(site.unique("reg"))
    expression["properties"] = {"adminUserEnabled": f"[int({password})]"}
    deployments.fail("expression", template(expression))
    deployments.fail("output", template(outputs={"o": {"type": "int", "value": f"[int({password})]"}}))
    inner = template(parameters={"p": {"type": "securestring"}}, variables={"v": "[int(parameters('p'))]"})
    deployments.fail("nested", template(nested("within", inner, parameters={"p": {"value": f"[{password}]"}})))
    for name in ("body", "expression", "output", "nested"):
        assert made.password not in told(site, deployments, name).decode()


def test_a_parameter_of_which_a_part_is_secure(site, deployments):
    """arm-templates 3.1, 7.1: an object with a secure member was kept out of the record alone."""
    kind = {"type": "object", "properties": {"secret": {"type": "securestring"}, "open": {"type": "string"}}}
    document = {**template(parameters={"p": kind}), "languageVersion": "2.0",
                "resources": {"r": registry(site.unique("reg"), tags={"t": "[parameters('p').secret]"})}}
    deployments.succeed("partly", document, {"p": {"secret": SECRET, "open": "x"}}, **SHOWN)
    assert SECRET not in told(site, deployments, "partly").decode()


def test_numbers_and_many_members_of_secure_objects(site, deployments):
    """arm-templates 3.1, 7.3: of a secureObject only texts were kept out of contents, and only the first 256."""
    value = {"pin": 12345678, **{f"m{i}": f"{SECRET}-{i:04d}" for i in range(400)}}
    document = template(parameters={"p": {"type": "secureObject"}}, outputs={
        "bad": {"type": "int", "value": "[int(parameters('p').m399)]"}, "pin": {"type": "bool", "value": "[bool(string(parameters('p').pin))]"}})
    deployments.fail("many", document, {"p": value}, **SHOWN)
    shown = told(site, deployments, "many").decode()
    assert SECRET not in shown and "12345678" not in shown and "***" in shown


# ---- nested deployments of the outer scope

def test_outer_outputs_that_are_known(site, deployments):
    """arm-templates 3.6: an output of a nested deployment of the outer scope failed unless the run had to be asked for it."""
    outputs = {"text": {"type": "string", "value": "[concat(variables('v'), '''', parameters('p'))]"},
               "number": {"type": "int", "value": "[length(parameters('p'))]"},
               "bracket": {"type": "string", "value": "[concat('[', 'x]')]"},
               "loop": {"type": "array", "copy": {"count": 2, "input": "[concat(parameters('p'), copyIndex())]"}}}
    around = template(nested("within", template(outputs=outputs), scope="outer"), variables={"v": "a"},
                      parameters={"p": {"type": "string"}},
                      outputs={"all": {"type": "object", "value": "[reference('within').outputs]"}})
    record = deployments.succeed("around", around, {"p": "é"})
    values = {k: v["value"] for k, v in record["properties"]["outputs"]["all"]["value"].items()}
    assert values == {"text": "a'é", "number": 1, "bracket": "[x]", "loop": ["é0", "é1"]}


# ---- the request

def test_tags_with_a_nul_character(deployments):
    """arm-templates 1.2: tags with U+0000 in them were passed over without a word."""
    body = json.dumps({"tags": {"a": "b\0c"}, "properties": {"mode": "Incremental", "template": template()}})
    answer = deployments.client.put(deployments.path("tags"), body, headers={"Content-Type": "application/json"}).expect(400)
    assert answer.code == "InvalidRequestContent" and "U+0000" in answer.message


@pytest.mark.parametrize("name", [".", ".."])
def test_names_that_no_url_has(deployments, name):
    """arm-templates 1.2: clients take such a segment out of a URL."""
    assert deployments.put(name, template()).expect(400).code == "InvalidDeploymentName"
