"""Registries at 2019-05-01 as contract/acr-resource-provider.md has them: shapes, order of keys, refusals."""
import json
import re

import pytest

from harness.site import Site

V = "?api-version=2019-05-01"
STANDARD = {"location": "local", "sku": {"name": "Standard"}}


def put(operator, site, group, body, name=None, version="2019-05-01"):
    return operator.put(f"{site.registry_id(group, name or site.unique('reg'))}?api-version={version}", body)


# decisions 3, 17; arm-core 1.1.3, 1.1.5, 1.8.3
def test_created_at_once_with_the_recorded_shape(site, operator, group):
    name = "My" + site.unique("Reg")
    answer = put(operator, site, group, {**STANDARD, "tags": {"b": "2", "a": ""}}, name).expect(200)
    pairs = json.loads(answer.body, object_pairs_hook=lambda p: p)
    assert [k for k, _ in pairs] == ["sku", "type", "id", "name", "location", "tags", "properties"]
    body = answer.json
    assert body["sku"] == {"name": "Standard", "tier": "Standard"} and body["name"] == name
    assert body["id"] == site.registry_id(group, name) and list(body["tags"].items()) == [("b", "2"), ("a", "")]
    properties = body["properties"]
    assert list(properties) == ["loginServer", "creationDate", "provisioningState", "adminUserEnabled", "policies"]
    assert properties["loginServer"] == name.lower() + site.facts["acrSuffix"]
    assert properties["provisioningState"] == "Succeeded" and properties["adminUserEnabled"] is False
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z", properties["creationDate"])
    policies = properties["policies"]
    assert policies["quarantinePolicy"] == {"status": "disabled"}
    assert policies["trustPolicy"] == {"type": "Notary", "status": "disabled"}
    assert policies["retentionPolicy"]["days"] == 7 and policies["retentionPolicy"]["lastUpdatedTime"].endswith("+00:00")
    assert b" " not in answer.body.replace(b"W. ", b"")
    assert answer.header("Azure-AsyncOperation") is None and answer.header("Location") is None
    read = operator.get(f"{site.registry_id(group, name.upper())}{V}").expect(200)
    assert read.json == body
    for header, value in {"Cache-Control": "no-cache", "Pragma": "no-cache", "Expires": "-1",
                          "X-Content-Type-Options": "nosniff"}.items():
        assert read.header(header) == value
    assert read.header("x-ms-request-id") and read.header("x-ms-correlation-request-id")
    assert read.header("Content-Type") == "application/json; charset=utf-8"
    old = operator.get(f"{site.registry_id(group, name)}?api-version=2017-10-01").expect(200).json
    assert "policies" not in old["properties"]


# decisions 2, 16, 17; arm-core 1.7.1
def test_put_replaces_and_keeps_what_it_must(site, operator, registry):
    before = operator.get(registry.id + V).json
    answer = operator.put(registry.id + V, {"location": "LOCAL", "sku": {"name": "Basic"}}).expect(200).json
    assert answer["properties"]["creationDate"] == before["properties"]["creationDate"]
    assert answer["properties"]["adminUserEnabled"] is False and answer["tags"] == {} and answer["sku"]["name"] == "Basic"
    operator.patch(registry.id + V, {"properties": {"adminUserEnabled": True}}).expect(200)
    again = operator.post(f"{registry.id}/listCredentials{V}").expect(200).json
    assert again["passwords"][0]["value"] == registry.password


# arm-core 1.7.2, 1.7.1
def test_patch_merges_and_replaces_tags(site, operator, registry):
    operator.patch(registry.id + V, {"tags": {"one": "1"}}).expect(200)
    answer = operator.patch(registry.id + V, {"tags": {"two": "2"}}).expect(200).json
    assert answer["tags"] == {"two": "2"} and answer["properties"]["adminUserEnabled"] is True
    assert operator.patch(registry.id + V, {}).expect(200).json["tags"] == {"two": "2"}
    whole = operator.get(registry.id + V).json
    operator.put(registry.id + V, whole).expect(200)  # what a GET gave can be put back


# decisions 2, 18, 20, 30, 52
@pytest.mark.parametrize("body,status,code", [
    ({"sku": {"name": "Standard"}}, 400, "LocationRequired"),
    ({"location": "mars", "sku": {"name": "Standard"}}, 400, "LocationNotAvailableForResourceType"),
    ({"location": "local"}, 400, "ClassicSkuDeprecated"),
    ({"location": "local", "sku": {"name": "Classic"}}, 400, "ClassicSkuDeprecated"),
    ({"location": "local", "sku": {"name": "Premium"}}, 400, "SkuNotSupported"),
    ({**STANDARD, "properties": {"networkRuleSet": {"defaultAction": "Deny"}}}, 400, "NetworkRuleNotSupported"),
    ({**STANDARD, "properties": {"policies": {"trustPolicy": {"status": "enabled"}}}}, 400, "PolicyNotSupported"),
    ({**STANDARD, "properties": {"policies": {"retentionPolicy": {"status": "enabled"}}}}, 400, "PolicyNotSupported"),
    ({**STANDARD, "properties": {"policies": {"quarantinePolicy": {"status": "enabled"}}}}, 400, "PolicyNotSupported"),
    ({**STANDARD, "properties": {"adminUserEnabled": "yes"}}, 400, "InvalidRequestContent"),
    ({**STANDARD, "properties": {"policies": {"trustPolicy": {"status": "maybe"}}}}, 400, "InvalidRequestContent"),
    ({**STANDARD, "tags": {"a": 1}}, 400, "InvalidRequestContent"),
    ({**STANDARD, "sku": "Standard"}, 400, "InvalidRequestContent"),
])
def test_refusals(site, operator, group, body, status, code):
    assert put(operator, site, group, body).expect(status).code == code


# arm-core 1.4.3, 1.5.1
def test_provider_errors_have_the_providers_form(site, operator, group):
    answer = put(operator, site, group, {"location": "local"}).expect(400)
    assert list(answer.json) == ["error", "status"] and answer.json["status"] == "Failed"
    gateway = operator.get(f"{site.registry_id(group, 'absent1')}{V}").expect(404)
    assert list(gateway.json) == ["error"] and gateway.code == "ResourceNotFound"
    assert gateway.header("x-ms-failure-cause") == "gateway"
    assert gateway.message.startswith(
        f"The Resource 'Microsoft.ContainerRegistry/registries/absent1' under resource group '{group}' was not found.")


# decisions 19; arm-core 1.2.2
def test_names(site, operator, group, registry):
    other = put(operator, site, group, STANDARD, "abcd").expect(400)
    assert other.code == "InvalidResourceName" and "between 5 and 50" in other.message
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{group}x?api-version=2019-10-01",
                 {"location": "local"}).expect(201)
    taken = put(operator, site, group + "x", STANDARD, registry.name.upper()).expect(409)
    assert taken.code == "AlreadyInUse" and registry.server in taken.message
    operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{group}x?api-version=2019-10-01").expect(202)


@pytest.mark.parametrize("name,available,reason", [
    ("surelyfree987", True, None), ("Microsoft", False, "Invalid"), ("abc", False, "Invalid"),
    ("has-dash", False, "Invalid"), ("a" * 51, False, "Invalid"),
])
def test_name_check(site, operator, name, available, reason):
    body = operator.post(f"/subscriptions/{site.subscription}/providers/Microsoft.ContainerRegistry/checkNameAvailability{V}",
                         {"name": name, "type": "Microsoft.ContainerRegistry/registries"}).expect(200).json
    assert body["nameAvailable"] is available and body.get("reason") == reason
    if available:
        assert body == {"nameAvailable": True}


# S4, S5
def test_credentials(site, operator, registry):
    first = operator.post(f"{registry.id}/listCredentials{V}").expect(200).json
    assert first["username"] == registry.name
    assert [p["name"] for p in first["passwords"]] == ["password", "password2"]
    assert all(re.fullmatch(r"[A-Za-z0-9+/=]{32}", p["value"]) for p in first["passwords"])
    registry.client(password=first["passwords"][1]["value"]).get("/v2/").expect(200)
    odd = registry.id.replace("resourceGroups", "ResourceGroups").replace("Microsoft.ContainerRegistry", "microsoft.containerregistry")
    for version in ("2017-10-01", "2019-05-01"):
        assert operator.post(f"{odd}/ListCredentials?api-version={version}").expect(200).json == first
    second = operator.post(f"{registry.id}/regenerateCredential{V}", {"name": "password2"}).expect(200).json
    assert second["passwords"][0] == first["passwords"][0] and second["passwords"][1] != first["passwords"][1]
    registry.client(password=first["passwords"][1]["value"]).get("/v2/").expect(401)
    registry.client(password=second["passwords"][1]["value"]).get("/v2/").expect(200)
    assert operator.post(f"{registry.id}/regenerateCredential{V}", {"name": "password3"}).expect(400).code == \
        "InvalidRequestContent"
    assert first["passwords"][0]["value"] not in operator.get(registry.id + V).body.decode()
    operator.patch(registry.id + V, {"properties": {"adminUserEnabled": False}}).expect(200)
    refused = operator.post(f"{registry.id}/listCredentials{V}").expect(400)
    assert refused.code == "UnAuthorizedForCredentialOperations" and registry.id in refused.message
    registry.client().get("/v2/").expect(401)


def test_usages(operator, registry):
    assert operator.get(f"{registry.id}/listUsages{V}").expect(200).json == {"value": [
        {"name": "Size", "limit": 107374182400, "currentValue": 0, "unit": "Bytes"},
        {"name": "Webhooks", "limit": 10, "currentValue": 0, "unit": "Count"}]}


# decisions 38; arm-core 1.7.3, 1.1.2
def test_lists_and_delete(site, operator, group):
    names = sorted(site.unique("list") for _ in range(3))
    for name in names:
        put(operator, site, group, STANDARD, name).expect(200)
    in_group = operator.get(f"/subscriptions/{site.subscription}/resourceGroups/{group}/providers/"
                            f"Microsoft.ContainerRegistry/registries{V}").expect(200).json
    assert sorted(r["name"] for r in in_group["value"]) == names and "nextLink" not in in_group
    everywhere = operator.get(f"/subscriptions/{site.subscription}/providers/microsoft.containerregistry/Registries{V}")
    assert set(names) <= {r["name"] for r in everywhere.expect(200).json["value"]}
    gone = operator.delete(f"{site.registry_id(group, names[0])}{V}").expect(200)
    assert gone.body == b"" and gone.header("Content-Type") is None
    operator.delete(f"{site.registry_id(group, names[0])}{V}").expect(204)
    put(operator, site, group, STANDARD, names[0]).expect(200)  # the name is free at once
    operator.get(f"/subscriptions/{site.subscription}/resourceGroups/nogroup/providers/"
                 f"Microsoft.ContainerRegistry/registries{V}").expect(404)


# arm-core 1.3.1, 1.3.2, 1.3.4; decisions 40
@pytest.mark.parametrize("version,status,code", [
    ("", 400, "MissingApiVersionParameter"), ("?api-version=2018-02-01", 400, "NoRegisteredProviderFound"),
    ("?api-version=nonsense", 400, None),
])
def test_versions(site, operator, registry, version, status, code):
    answer = operator.get(registry.id + version).expect(status)
    if code:
        assert answer.code == code
    if code == "NoRegisteredProviderFound":
        assert "The supported api-versions are '2017-10-01, 2019-05-01" in answer.message
        assert "for type 'registries'" in answer.message and "location 'local'" in answer.message


# decisions 41
def test_newer_versions_of_current_clients(site, operator, group):
    name = site.unique("newer")
    id_ = site.registry_id(group, name)
    made = operator.put(f"{id_}?api-version=2025-11-01", STANDARD).expect(201).json
    assert made["properties"]["publicNetworkAccess"] == "Enabled" and made["properties"]["zoneRedundancy"] == "Disabled"
    operator.put(f"{id_}?api-version=2025-11-01", STANDARD).expect(200)


# decisions 42; arm-core 1.3.5, 1.3.6
def test_unknown_verbs_and_types(site, operator, registry):
    answer = operator.request("DELETE", f"{registry.id}/listUsages{V}").expect(405)
    assert answer.code == "HttpMethodNotSupported" and "GET" in answer.header("Allow")
    unknown = operator.get(f"{registry.id}/tasks{V}").expect(404)
    assert unknown.code == "InvalidResourceType"
    assert operator.get(f"/subscriptions/{site.subscription}/providers/Microsoft.Nothing/things{V}").expect(404).code == \
        "InvalidResourceNamespace"


# decisions 8
def test_strict_serves_stack_hubs_versions_only(tmp_path):
    """In templates the modes differ too: that waits for templates."""
    strict = Site(tmp_path / "state", port=9443, region="strict", environment={"AZSACR_API_VERSIONS": "strict"}).start()
    try:
        arm, group = strict.operator(), strict.unique("strict")
        arm.put(f"/subscriptions/{strict.subscription}/resourcegroups/{group}?api-version=2019-10-01",
                {"location": strict.region}).expect(201)
        id_, body = strict.registry_id(group, strict.unique("reg")), {"location": "strict", "sku": {"name": "Standard"}}
        for version in ("2025-04-01", "2022-02-01-preview"):
            refused = arm.put(f"{id_}?api-version={version}", body).expect(400)
            assert refused.code == "NoRegisteredProviderFound"
            assert "The supported api-versions are '2017-10-01, 2019-05-01'." in refused.message
        arm.put(f"{id_}{V}", body).expect(200)
        types = arm.get(f"/subscriptions/{strict.subscription}/providers/Microsoft.ContainerRegistry?api-version=2019-10-01").expect(200)
        listed = {t["resourceType"]: t["apiVersions"] for t in types.json["resourceTypes"]}
        assert listed["registries"] == ["2019-05-01", "2017-10-01"]
    finally:
        strict.stop()
