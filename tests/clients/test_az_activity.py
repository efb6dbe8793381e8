"""az's audit commands: `monitor activity-log list` with its flags, and `role assignment list-changelogs`, of the
distribution's az in its latest profile and of the current az (az-cli 4; arm-core 2.7)."""
import datetime
import json
import time

import pytest

from harness.az import Az
from harness.site import READER

@pytest.fixture(scope="module", params=["2.45-latest", "current"])
def az(site, registered, tmp_path_factory, request):
    if request.param == "current":
        return request.getfixturevalue("current")
    made = Az(site, tmp_path_factory.mktemp("az-activity"), profile="latest", repaired=True, like=registered)
    made.use_profile()
    made.login()
    return made


@pytest.fixture(scope="module")
def place(site, operator):
    """A group with a registry that was made, changed and refused once."""
    group, name = site.unique("azact"), site.unique("azact")
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version=2019-10-01",
                 {"location": site.region}).expect(201)
    id_ = site.registry_id(group, name)
    answer = operator.put(f"{id_}?api-version=2019-05-01", {"location": site.region, "sku": {"name": "Standard"}}).expect(200)
    operator.patch(f"{id_}?api-version=2019-05-01", {"tags": {"a": "b"}}).expect(200)
    operator.patch(f"{id_}?api-version=2019-05-01", {"sku": {"name": "Nothing"}}).expect(400)
    yield {"group": group, "id": id_, "correlation": answer.header("x-ms-correlation-request-id")}
    operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version=2019-10-01").expect(202)


# arm-core 2.7.1
def test_activity_log_list(site, az, place):
    def listed(*flags):
        return az("monitor", "activity-log", "list", *flags)
    of_group = listed("--resource-group", place["group"])
    assert {e["resourceGroupName"] for e in of_group} == {place["group"]} and len(of_group) >= 7
    assert [e["eventTimestamp"] for e in of_group] == sorted((e["eventTimestamp"] for e in of_group), reverse=True)
    of_registry = listed("--resource-id", place["id"], "--offset", "2h")
    assert {e["resourceId"] for e in of_registry} == {place["id"]} and len(of_registry) == 6
    begun = next(e for e in of_registry if e["status"]["value"] == "Started" and e["httpRequest"]["method"] == "PATCH")
    assert begun["operationName"]["value"] == "Microsoft.ContainerRegistry/registries/write"
    assert begun["authorization"]["scope"] == place["id"]
    one = listed("--correlation-id", place["correlation"])
    assert [e["status"]["value"] for e in one] == ["Succeeded", "Started"] and len({e["operationId"] for e in one}) == 1
    assert len(listed("--resource-id", place["id"], "--max-events", "3")) == 3
    failed = listed("--resource-id", place["id"], "--status", "Failed")
    assert [e["subStatus"]["value"] for e in failed] == ["BadRequest"]
    operator = site.facts["operator"]["appId"]
    assert len(listed("--resource-id", place["id"], "--caller", operator)) == 6
    assert listed("--resource-id", place["id"], "--caller", "nobody@nowhere.test") == []
    now = datetime.datetime.utcnow()
    assert len(listed("--resource-id", place["id"], "--start-time", (now - datetime.timedelta(hours=1)).isoformat())) == 6
    assert listed("--resource-id", place["id"], "--start-time", "2020-01-01", "--end-time", "2020-02-01") == []
    named = listed("--namespace", "Microsoft.ContainerRegistry", "--max-events", "1000")
    assert named and {e["resourceProviderName"]["value"] for e in named} == {"Microsoft.ContainerRegistry"}
    chosen = listed("--resource-id", place["id"], "--select", "caller", "status")
    assert len(chosen) == 6 and {e["caller"] for e in chosen} == {operator}
    assert all(e.get("operationId") is None for e in chosen)


# arm-core 2.7.2
def test_role_assignment_list_changelogs(site, az, operator, place):
    principal = site.principal()
    scope = f"/subscriptions/{site.subscription}/resourceGroups/{place['group']}"
    assignment = site.assign(operator, principal, READER, scope)
    site.unassign(operator, assignment)
    time.sleep(1.1)  # az asks up to the beginning of the current second
    changes = [c for c in az("role", "assignment", "list-changelogs") if c["principalId"] == principal["objectId"]]
    assert {c["action"] for c in changes} == {"Granted", "Revoked"} and len(changes) == 2, changes
    for change in changes:
        assert change["scope"] == scope and change["scopeName"] == place["group"] and change["scopeType"] == "Resource group"
        assert change["roleName"] == "Reader" and change["roleDefinitionId"] == READER
        assert change["caller"] == site.facts["operator"]["appId"] and change["principalName"] == principal["appId"]
        assert change["timestamp"]


# az-cli 4: the hybrid profile has no `az monitor`; `az rest` reads the log there.
def test_rest_in_the_hybrid_profile(site, registered, tmp_path, place):
    az = Az(site, tmp_path, like=registered)
    az.login()
    since = (datetime.datetime.utcnow() - datetime.timedelta(hours=1)).isoformat()
    said = az("rest", "--method", "get", "--url",
              f"/subscriptions/{site.subscription}/providers/microsoft.insights/eventtypes/management/values",
              "--uri-parameters", "api-version=2015-04-01", f"$filter=eventTimestamp ge {since} and resourceUri eq '{place['id']}'")
    assert len((said if isinstance(said, dict) else json.loads(said))["value"]) == 6
