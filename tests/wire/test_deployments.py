"""Deployments of a resource group: from the request to the record's end (arm-templates 6, 7, 7.1)."""
import json
import re
import uuid

import pytest

from harness.deployments import SCHEMA, Deployments, nested, registry, template

V = "2019-10-01"
GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z"
DURATION = r"P(T(\d+H)?(\d+M)?(\d+(\.\d{1,7})?S)?)"


@pytest.fixture
def scope(site, group):
    return f"/subscriptions/{site.subscription}/resourceGroups/{group}"


@pytest.fixture
def deployments(operator, scope):
    return Deployments(operator, scope)


def test_from_put_to_succeeded(site, operator, deployments, scope):
    """arm-templates 7 PUT: 201, "Accepted", Azure-AsyncOperation only; the status URL answers 200 in every state."""
    name = site.unique("reg")
    accepted = deployments.put("one", template(registry(name))).expect(201)
    record = accepted.json
    assert record["properties"]["provisioningState"] == "Accepted"
    assert accepted.header("Location") is None and accepted.header("Retry-After") is None
    url = accepted.header("Azure-AsyncOperation")
    assert re.fullmatch(rf"https://{re.escape(site.host('management'))}{re.escape(scope)}/providers/Microsoft.Resources/deployments/one"
                        rf"/operationStatuses/\d{{20}}\?api-version={V}", url), url
    site.wait_until(lambda: operator.get(url).expect(200).json["status"] == "Succeeded")
    done = operator.get(url)
    assert done.json == {"status": "Succeeded"} and done.header("Retry-After") is None
    assert operator.get(f"{scope}/providers/Microsoft.ContainerRegistry/registries/{name}?api-version=2019-05-01").expect(200)
    record = deployments.get("one").expect(200).json
    assert list(record) == ["id", "name", "type", "properties"]
    assert list(record["properties"]) == ["templateHash", "mode", "provisioningState", "timestamp", "duration", "correlationId",
                                          "providers", "dependencies", "outputResources"]
    assert record["id"] == f"{scope}/providers/Microsoft.Resources/deployments/one" and record["type"] == "Microsoft.Resources/deployments"
    properties = record["properties"]
    assert properties["mode"] == "Incremental" and re.fullmatch(r"\d+", properties["templateHash"])
    assert re.fullmatch(TIMESTAMP, properties["timestamp"]) and re.fullmatch(DURATION, properties["duration"])
    assert re.fullmatch(GUID, properties["correlationId"])
    assert properties["providers"] == [{"namespace": "Microsoft.ContainerRegistry", "resourceTypes": [
        {"resourceType": "registries", "locations": [site.region]}]}]
    assert properties["outputResources"] == [{"id": f"{scope}/providers/Microsoft.ContainerRegistry/registries/{name}"}]


def test_the_same_name_again(site, deployments):
    """arm-templates 7 PUT: 200 for an existing name."""
    one = template(registry(site.unique("reg")))
    deployments.succeed("again", one)
    answer = deployments.put("AGAIN", one).expect(200)
    assert answer.json["properties"]["provisioningState"] == "Accepted"
    assert deployments.wait("again")["properties"]["provisioningState"] == "Succeeded"


def test_type_is_absent_in_older_versions(deployments):
    """arm-templates 7.1: `type` is absent before 2019-07-01."""
    deployments.succeed("empty", template())
    assert "type" not in deployments.get("empty", version="2018-05-01").expect(200).json
    assert deployments.get("empty", version="2022-09-01").expect(200).json["type"] == "Microsoft.Resources/deployments"


def test_head_and_absent(deployments, operator):
    """arm-templates 7 HEAD: 204 or 404, no body; GET 404 DeploymentNotFound."""
    deployments.succeed("here", template())
    assert operator.head(deployments.path("here")).expect(204).body == b""
    assert operator.head(deployments.path("nothere")).expect(404).body == b""
    answer = deployments.get("nothere").expect(404)
    assert (answer.code, answer.message) == ("DeploymentNotFound", "Deployment 'nothere' could not be found.")


def test_dependencies_and_outputs(site, operator, deployments, scope):
    """arm-templates 7.1 parameters, dependencies, outputs."""
    one, two = site.unique("reg"), site.unique("reg")
    document = template(registry("[parameters('first')]"), registry(two, "[resourceId('Microsoft.ContainerRegistry/registries', parameters('first'))]"),
                        parameters={"first": {"type": "string"}, "hidden": {"type": "securestring"}, "count": {"type": "int", "defaultValue": 3}},
                        outputs={"server": {"type": "string", "value": f"[reference('{two}').loginServer]"},
                                 "count": {"type": "int", "value": "[parameters('count')]"},
                                 "hidden": {"type": "securestring", "value": "[parameters('hidden')]"}})
    record = deployments.succeed("graph", document, {"first": one, "hidden": "a very secret word"})
    properties = record["properties"]
    assert properties["parameters"] == {"first": {"type": "String", "value": one}, "hidden": {"type": "SecureString"},
                                        "count": {"type": "Int", "value": 3}}
    assert list(properties["parameters"]) == ["first", "hidden", "count"]
    id_ = f"{scope}/providers/Microsoft.ContainerRegistry/registries/"
    dependency = properties["dependencies"][0]
    assert dependency["id"] == id_ + two and dependency["dependsOn"][0] == {
        "id": id_ + one, "resourceType": "Microsoft.ContainerRegistry/registries", "resourceName": one}
    assert properties["outputs"]["server"]["value"].startswith(two)
    assert properties["outputs"]["count"] == {"type": "Int", "value": 3} and properties["outputs"]["hidden"] == {"type": "SecureString"}
    assert [r["id"] for r in properties["outputResources"]] == sorted([id_ + one, id_ + two], key=str.lower)
    # Nothing of it is left where somebody may look.
    everything = "".join(site.sql("select d::text from arm.deployment d") + site.sql("select o::text from arm.deployment_operation o"))
    assert "very secret" not in everything and "very secret" not in site.log()
    assert site.sql("select count(*) from arm.deployment where input is not null and state not in ('Accepted', 'Running')") == ["0"]
    assert site.sql("select count(*) from arm.deployment_operation o join arm.deployment d on d.id = o.deployment_id where "
                    "o.body is not null and d.state not in ('Accepted', 'Running')") == ["0"]


def test_credentials_as_outputs(site, deployments):
    """S6: listCredentials at 2017-10-01 in outputs."""
    name = site.unique("reg")
    call = f"listCredentials(resourceId('Microsoft.ContainerRegistry/registries','{name}'),'2017-10-01').passwords"
    record = deployments.succeed("s6", template(
        registry(name, properties={"adminUserEnabled": True}),
        outputs={"one": {"type": "string", "value": f"[{call}[0].value]"}, "two": {"type": "string", "value": f"[{call}[1].value]"}}))
    credentials = deployments.client.post(f"{deployments.scope}/providers/Microsoft.ContainerRegistry/registries/{name}/listCredentials"
                                          "?api-version=2019-05-01").expect(200).json
    assert [record["properties"]["outputs"][o]["value"] for o in ("one", "two")] == [p["value"] for p in credentials["passwords"]]


def test_nested(site, deployments, operator, scope):
    """arm-templates 3.6, 7.1 outputResources: nested ones flattened in place of the nested deployment."""
    one, two = site.unique("reg"), site.unique("reg")
    inner = template(registry("[parameters('name')]"), parameters={"name": {"type": "string"}},
                     outputs={"server": {"type": "string", "value": "[reference(parameters('name')).loginServer]"}})
    record = deployments.succeed("outer", template(
        nested("inner", inner, parameters={"name": {"value": one}}), registry(two, "inner"),
        outputs={"server": {"type": "string", "value": "[reference('inner').outputs.server.value]"}}))
    assert record["properties"]["outputs"]["server"]["value"].startswith(one)
    assert [r["id"].rsplit("/", 1)[1] for r in record["properties"]["outputResources"]] == sorted([one, two])
    child = deployments.get("inner").expect(200).json
    assert child["properties"]["provisioningState"] == "Succeeded"
    assert child["properties"]["correlationId"] == record["properties"]["correlationId"]


def test_operations(site, deployments, operator, scope, group):
    """arm-templates 7.3: the newest first, outputs last; both routes; one by its id."""
    one, two = site.unique("reg"), site.unique("reg")
    deployments.succeed("ops", template(registry(one), registry(two, one)))
    found = deployments.operations("ops")
    assert [o["properties"].get("targetResource", {}).get("resourceName") for o in found] == [two, one, None]
    first = found[0]
    assert list(first) == ["id", "operationId", "properties"] and re.fullmatch("[0-9A-F]{16}", first["operationId"])
    assert list(first["properties"]) == ["provisioningOperation", "provisioningState", "timestamp", "duration", "trackingId",
                                         "serviceRequestId", "statusCode", "targetResource"]
    assert first["properties"]["provisioningOperation"] == "Create" and first["properties"]["statusCode"] == "OK"
    assert found[2]["properties"]["provisioningOperation"] == "EvaluateDeploymentOutput" and re.fullmatch(r"\d{20}", found[2]["operationId"])
    plain = f"/subscriptions/{site.subscription}/resourcegroups/{group}/deployments/ops/operations"
    assert operator.get(f"{plain}?api-version={V}").expect(200).json["value"] == found
    assert operator.get(f"{plain}/{first['operationId']}?api-version={V}").expect(200).json == first
    assert operator.get(f"{first['id']}?api-version={V}").expect(200).json == first
    assert operator.get(f"{plain}/0123456789ABCDEF?api-version={V}").expect(404).code == "DeploymentOperationNotFound"
    page = operator.get(f"{plain}?api-version={V}&$top=2").expect(200).json
    assert page["value"] == found[:2]
    assert operator.get(page["nextLink"]).expect(200).json["value"] == found[2:]


def test_validate(site, deployments, operator, scope):
    """arm-templates 7.2: the record with Succeeded, an empty time, validatedResources; nothing is made."""
    one, two = site.unique("reg"), site.unique("reg")
    answer = deployments.validate("v", template(registry(one), nested("inner", template(registry(two))))).expect(200).json
    properties = answer["properties"]
    assert (properties["provisioningState"], properties["timestamp"], properties["duration"]) == ("Succeeded", "0001-01-01T00:00:00Z", "PT0S")
    assert [r["id"].split("/providers/")[-1] for r in properties["validatedResources"]] == [
        f"Microsoft.ContainerRegistry/registries/{one}", "Microsoft.Resources/deployments/inner",
        f"Microsoft.ContainerRegistry/registries/{two}"]
    assert "outputs" not in properties
    deployments.get("v").expect(404)
    operator.get(f"{scope}/providers/Microsoft.ContainerRegistry/registries/{one}?api-version=2019-05-01").expect(404)


def test_a_failing_node(site, operator, deployments, scope):
    """arm-templates 6.5: dependents never start, other branches finish; arm-templates 9.3 DeploymentFailed with details."""
    group = site.unique("g")
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version={V}", {"location": site.region}).expect(201)
    taken, free, after = site.unique("reg"), site.unique("reg"), site.unique("reg")
    deployments.put("bad", template(registry(f"[concat('{taken}')]", properties={"adminUserEnabled": f"[reference('{free}').creationDate]"}),
                                    registry(free), registry(after, taken))).expect(201)
    record = deployments.wait("bad")
    assert record["properties"]["provisioningState"] == "Failed"
    error = record["properties"]["error"]
    assert list(error) == ["code", "target", "message", "details"] and error["code"] == "DeploymentFailed"
    assert error["message"] == ("At least one resource deployment operation failed. Please list deployment operations for details. "
                                "Please see https://aka.ms/arm-deployment-operations for usage details.")
    assert [d["code"] for d in error["details"]] == ["InvalidRequestContent"]
    assert "outputs" not in record["properties"] and "outputResources" not in record["properties"]
    operations = {o["properties"]["targetResource"]["resourceName"]: o["properties"] for o in deployments.operations("bad")}
    assert set(operations) == {taken, free} and operations[free]["provisioningState"] == "Succeeded"
    assert operations[taken]["statusCode"] == "BadRequest" and operations[taken]["statusMessage"]["error"]["code"] == "InvalidRequestContent"


def test_list(site, deployments, operator):
    """arm-templates 7 list: the newest first, $filter, $top, a trailing slash; nextLink keeps the api-version."""
    for name in ("one", "two", "three"):
        deployments.succeed(name, template())
    names = lambda answer: [d["name"] for d in answer.expect(200).json["value"]]
    assert names(operator.get(deployments.path())) == ["three", "two", "one"]
    assert names(operator.get(deployments.path().replace("deployments?", "deployments/?"))) == ["three", "two", "one"]
    assert names(operator.get(deployments.path(filter="provisioningState%20eq%20%27succeeded%27"))) == ["three", "two", "one"]
    assert names(operator.get(deployments.path(filter="provisioningState%20eq%20%27Failed%27"))) == []
    assert operator.get(deployments.path(filter="name%20eq%20%27x%27")).expect(400).code == "InvalidFilterInQueryString"
    page = operator.get(deployments.path(top=2))
    assert names(page) == ["three", "two"] and f"api-version={V}" in page.json["nextLink"]
    assert names(operator.get(page.json["nextLink"])) == ["one"]


def test_delete(site, deployments, operator):
    """arm-templates 7 DELETE: 202 with a Location that answers 202 and then 204; 204 for an absent one."""
    deployments.succeed("gone", template())
    location = operator.delete(deployments.path("gone")).expect(202).header("Location")
    assert re.search(rf"/subscriptions/{site.subscription}/operationresults/[\w-]+\?api-version={V}$", location)
    assert site.wait_until(lambda: operator.get(location).status == 204)
    deployments.get("gone").expect(404)
    operator.delete(deployments.path("gone")).expect(204)


def test_export(site, deployments, operator):
    """arm-templates 7.5: types in Pascal case, members of resources in order, expressions as text."""
    document = template({"name": "[parameters('n')]", "type": "Microsoft.ContainerRegistry/registries", "sku": {"name": "Standard"},
                         "location": "[resourceGroup().location]", "apiVersion": "2019-05-01", "properties": {}},
                        parameters={"n": {"type": "string"}}, outputs={"o": {"type": "int", "value": 1}})
    deployments.succeed("exported", document, {"n": site.unique("reg")})
    found = operator.post(deployments.path("exported", "/exportTemplate")).expect(200).json["template"]
    assert found["parameters"]["n"]["type"] == "String" and found["outputs"]["o"]["type"] == "Int"
    assert list(found["resources"][0]) == ["type", "apiVersion", "name", "location", "sku", "properties"]
    assert found["resources"][0]["name"] == "[parameters('n')]" and found["$schema"] == SCHEMA


def test_raw_text(site, deployments):
    """arm-templates 0.1: what az sends is no JSON."""
    name = site.unique("reg")
    raw = json.dumps(template(registry(name)), indent=1).replace('"resources"', "// a remark\n /* and\n one */ 'resources'").replace("}\n ]", "},\n ]")
    record = deployments.succeed("raw", None, raw=raw)
    assert record["properties"]["outputResources"]


@pytest.mark.parametrize("where", ["", "/providers/Microsoft.Management/managementGroups/m"])
def test_scopes_that_are_not_served(operator, where):
    """Management group and tenant: a clear refusal."""
    body = {"location": "local", "properties": {"mode": "Incremental", "template": template()}}
    for method, action in (("PUT", "/d"), ("GET", "/d"), ("GET", ""), ("POST", "/d/validate"), ("DELETE", "/d")):
        answer = operator.request(method, f"{where}/providers/Microsoft.Resources/deployments{action}?api-version={V}", body if method in ("PUT", "POST") else None)
        assert answer.expect(400).code == "InvalidDeploymentScope", (method, action)
        assert "resource group or to a subscription" in answer.message


def test_provider_document(operator, site):
    """The types stand in the provider document, and 405 follows the tables."""
    document = operator.get(f"/subscriptions/{site.subscription}/providers/Microsoft.Resources?api-version={V}").expect(200).json
    types = {t["resourceType"]: t for t in document["resourceTypes"]}
    assert {"deployments", "deployments/operations"} <= set(types)
    assert {"profileVersion": "2020-09-01-hybrid", "apiVersion": "2019-10-01"} in types["deployments"]["apiProfiles"]
    group = f"/subscriptions/{site.subscription}/resourceGroups/x/providers/Microsoft.Resources/deployments/d?api-version={V}"
    answer = operator.patch(group, {}).expect(405)
    assert set(answer.header("Allow").split(",")) == {"GET", "HEAD", "PUT", "DELETE"}
