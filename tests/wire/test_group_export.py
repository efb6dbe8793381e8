"""exportTemplate of a resource group, and calculateTemplateHash (arm-templates 2.4, 7)."""
import uuid

import pytest

from harness.deployments import Deployments
from harness.site import READER

V = "?api-version=2019-10-01"
REGISTRY = "?api-version=2019-05-01"
ALL = {"resources": ["*"]}


@pytest.fixture
def scope(site, group):
    return f"/subscriptions/{site.subscription}/resourceGroups/{group}"


def make(site, operator, scope, name, **more):
    body = {"location": site.region, "sku": {"name": "Standard"}, "properties": {"adminUserEnabled": True}, **more}
    operator.put(f"{scope}/providers/Microsoft.ContainerRegistry/registries/{name}{REGISTRY}", body).expect(200)
    return f"{scope}/providers/Microsoft.ContainerRegistry/registries/{name}"


def export(client, scope, body, version=V):
    return client.post(f"{scope.replace('resourceGroups', 'resourcegroups')}/exportTemplate{version}", body)


def test_names_become_parameters(site, operator, scope):
    """arm-templates 7 exportTemplate: the template with parameters for names, nothing read-only in it."""
    name = site.unique("reg")
    make(site, operator, scope, name, tags={"a": "[b]"})
    answer = export(operator, scope, ALL).expect(200).json
    assert list(answer) == ["template"]
    template = answer["template"]
    assert list(template) == ["$schema", "contentVersion", "parameters", "variables", "resources"]
    assert template["parameters"] == {f"registries_{name}_name": {"type": "String"}}
    [resource] = template["resources"]
    assert list(resource)[:3] == ["type", "apiVersion", "name"] and list(resource)[-1] == "properties"
    assert resource["type"] == "Microsoft.ContainerRegistry/registries" and resource["apiVersion"] == "2019-05-01"
    assert resource["name"] == f"[parameters('registries_{name}_name')]" and resource["location"] == site.region
    assert resource["tags"] == {"a": "[[b]"} and resource["properties"]["adminUserEnabled"] is True
    assert not {"loginServer", "creationDate", "provisioningState", "status"} & set(resource["properties"])


def test_options(site, operator, scope):
    name = site.unique("reg")
    id_ = make(site, operator, scope, name)
    with_all = {"options": "IncludeParameterDefaultValue, includecomments", **ALL}
    template = export(operator, scope, with_all, "?api-version=2022-09-01").expect(200).json["template"]
    assert template["parameters"] == {f"registries_{name}_name": {"defaultValue": name, "type": "String"}}
    assert template["resources"][0]["comments"] == f"Generalized from resource: '{id_}'."
    for option in ("SkipResourceNameParameterization", "SkipAllParameterization"):
        template = export(operator, scope, {"options": option, **ALL}).expect(200).json["template"]
        assert template["parameters"] == {} and template["resources"][0]["name"] == name


def test_what_is_exported_deploys(site, operator, scope):
    """An exported template deployed to its own group changes nothing."""
    name = site.unique("reg")
    id_ = make(site, operator, scope, name, tags={"x": "[y]", "[z]": "1"})
    before = operator.get(id_ + REGISTRY).expect(200).json
    template = export(operator, scope, {"options": "IncludeParameterDefaultValue", **ALL}).expect(200).json["template"]
    Deployments(operator, scope).succeed("again", template)
    after = operator.get(id_ + REGISTRY).expect(200).json
    for shown in (before, after):  # when the policy was last written
        del shown["properties"]["policies"]["retentionPolicy"]["lastUpdatedTime"]
    assert after == before


def test_resources_by_id(site, operator, scope, group):
    one, two = sorted(site.unique("reg") for _ in range(2))
    first, second = make(site, operator, scope, one), make(site, operator, scope, two)
    template = export(operator, scope, {"resources": [second.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), first, second],
                                        "options": "SkipAllParameterization"}).expect(200).json["template"]
    assert [r["name"] for r in template["resources"]] == [one, two]
    elsewhere = first.replace(f"/{group}/", "/another/")
    refused = export(operator, scope, {"resources": [elsewhere]}).expect(400)
    assert refused.code == "ExportTemplateInvalidResource" and elsewhere in refused.message


def test_what_cannot_be_read_is_named(site, operator, scope):
    make(site, operator, scope, site.unique("reg"))
    none = f"{scope}/providers/Microsoft.ContainerRegistry/registries/none{site.unique('x')}"
    other = f"{scope}/providers/Microsoft.Web/sites/a"
    answer = export(operator, scope, {"resources": [none, other]}).expect(200).json
    assert answer["template"]["resources"] == []
    assert answer["error"]["code"] == "ExportTemplateCompletedWithErrors"
    details = {row["target"]: row["code"] for row in answer["error"]["details"]}
    assert details[none] == "ResourceNotFound" and len(details) == 2


def test_many_that_cannot_be_read(operator, scope):
    """Each of them is a request inside one transaction; the seventeenth once had no savepoint left."""
    answer = export(operator, scope, {"resources": [f"{scope}/providers/Microsoft.ContainerRegistry/registries/none{i}" for i in range(40)]})
    assert [row["code"] for row in answer.expect(200).json["error"]["details"]] == ["ResourceNotFound"] * 40


def test_empty_and_absent_groups(operator, scope):
    assert export(operator, scope, ALL).expect(200).json["template"]["resources"] == []
    assert export(operator, scope + "none", ALL).expect(404).code == "ResourceGroupNotFound"


@pytest.mark.parametrize("body, code", [
    ({}, "InvalidRequestContent"),
    ({"resources": []}, "InvalidRequestContent"),
    ({"resources": [1]}, "InvalidRequestContent"),
    ({"resources": ["x"]}, "ExportTemplateInvalidResource"),
    ({"resources": ["*"], "options": "Everything"}, "InvalidRequestContent"),
    ({"resources": ["*"], "outputFormat": "Bicep"}, "ExportTemplateOutputFormatNotSupported"),
])
def test_bad_requests(operator, scope, body, code):
    assert export(operator, scope, body).expect(400).code == code


def test_rights(site, operator, scope):
    """A reader of the group has no right to export it; a reader of everything sees what it may read."""
    principal = site.principal()
    site.assign(operator, principal, READER, scope)
    refused = export(site.client_of(principal), scope, ALL).expect(403)
    assert "Microsoft.Resources/subscriptions/resourcegroups/exportTemplate/action" in refused.message


def test_only_what_the_caller_may_read(site, operator, scope):
    """The right to export is none to read: what the caller may not see is named, not shown."""
    first, second = (make(site, operator, scope, site.unique("reg")) for _ in range(2))
    role, principal = str(uuid.uuid4()), site.principal()
    operator.put(f"{site.role(role)}?api-version=2022-04-01", {"properties": {
        "roleName": site.unique("exporter"), "type": "CustomRole", "assignableScopes": [f"/subscriptions/{site.subscription}"],
        "permissions": [{"actions": ["Microsoft.Resources/subscriptions/resourcegroups/exportTemplate/action"], "notActions": []}]}}).expect(201)
    site.assign(operator, principal, role, scope)
    site.assign(operator, principal, READER, first)
    answer = export(site.client_of(principal), scope, {"options": "SkipAllParameterization", **ALL}).expect(200).json
    assert [r["name"] for r in answer["template"]["resources"]] == [first.rsplit("/", 1)[1]]
    [detail] = answer["error"]["details"]
    assert detail["code"] == "AuthorizationFailed" and detail["target"] == second


def test_too_many(site, operator, group, scope):
    """arm-templates 7: at most 200 resources."""
    rows = (f"insert into arm.resource (group_id, subscription_id, type, type_key, name, name_key, location, tags, state) "
            f"select g.id, g.subscription_id, 'Microsoft.ContainerRegistry/registries', 'microsoft.containerregistry/registries', "
            f"'many' || i, 'many' || i, '{site.region}', '{{}}', 'Succeeded' from arm.resource_group g, generate_series(1, 201) i "
            f"where g.name = '{group}'")
    site.sql(rows)
    try:
        refused = export(operator, scope, ALL).expect(400)
        assert refused.code == "ExportTemplateResourceLimitExceeded" and "at most '200'" in refused.message
    finally:
        site.sql("delete from arm.resource where name_key like 'many%'")


# calculateTemplateHash.

HASH = "/providers/Microsoft.Resources/calculateTemplateHash" + V
SPECIFIED = {"$schema": "http://schemas.management.azure.com/deploymentTemplate?api-version=2014-04-01-preview",
             "contentVersion": "1.0.0.0", "parameters": {"string": {"type": "string"}},
             "variables": {"string": "string", "int": 42, "bool": True, "array": [1, 2, 3, 4],
                           "object": {"object": {"vmSize": "Large", "location": "West US"}}},
             "resources": [], "outputs": {"string": {"type": "string", "value": "myvalue"}}}


def test_template_hash(operator):
    """arm-templates 2.4, the specification's example."""
    answer = operator.post(HASH, SPECIFIED).expect(200).json
    assert list(answer) == ["minifiedTemplate", "templateHash"] and answer["templateHash"] == "695440707931307747"
    assert answer["minifiedTemplate"].startswith('{"$SCHEMA":"HTTP://SCHEMAS.MANAGEMENT.AZURE.COM/DEPLOYMENTTEMPLATE?API-VERSION=')
    raw = b"// c\n{ 'B' : [1.0, 2,], a:\"x\ny\" }"
    answer = operator.request("POST", HASH, raw, headers={"Content-Type": "application/json"}).expect(200).json
    assert answer["minifiedTemplate"] == '{"B":[1.0,2],"A":"X\\NY"}'


def test_the_hash_is_that_of_a_deployment(operator, scope):
    template = {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                "contentVersion": "1.0.0.0", "resources": []}
    record = Deployments(operator, scope).succeed("hash", template)
    assert record["properties"]["templateHash"] == operator.post(HASH, template).expect(200).json["templateHash"]


@pytest.mark.parametrize("body, message", [
    (b"[1]", "A JSON object is required. Path '', line 1, position 1."),
    (b'{"a":\n x}', "Unexpected character encountered while parsing value: x. Path 'a', line 2, position 2."),
])
def test_no_template_has_no_hash(operator, body, message):
    refused = operator.request("POST", HASH, body, headers={"Content-Type": "application/json"}).expect(400)
    assert refused.code == "InvalidRequestContent"
    assert refused.message == f"The request content was invalid and could not be deserialized: '{message}'."
