"""Subscriptions, tenants and locations; the operator's commands about subscriptions; what a disabled one refuses."""
import subprocess
import uuid

import pytest

from harness.site import ACR_PULL, CONTRIBUTOR, READER, digest_of

REGISTRY = "?api-version=2019-05-01"
GROUP = "?api-version=2019-10-01"
VERSIONS = ["2014-04-01", "2015-11-01", "2016-06-01", "2018-06-01", "2019-06-01", "2019-11-01", "2020-01-01", "2021-01-01",
            "2022-12-01"]


@pytest.fixture
def another(site):
    """A subscription of the test's own, removed with what is in it."""
    made = site.command("subscription", "add", site.unique("Team "))
    yield made["subscriptionId"]
    arm = site.operator()
    id_ = made["subscriptionId"]
    if not any(s["subscriptionId"] == id_ for s in site.command("subscription", "list")):
        return
    site.command("subscription", "enable", id_)
    for group in arm.get(f"/subscriptions/{id_}/resourcegroups{GROUP}").expect(200).json["value"]:
        arm.delete(f"{group['id']}{GROUP}")
    site.wait_until(lambda: not arm.get(f"/subscriptions/{id_}/resourcegroups{GROUP}").json["value"])
    site.command("subscription", "remove", id_)


# Members by version.

@pytest.mark.parametrize("version", VERSIONS)
def test_members_by_version(site, operator, version):  # arm-core 2.2.1, decisions 55
    shown = operator.get(f"/subscriptions/{site.subscription}?api-version={version}").expect(200).json
    listed = operator.get(f"/subscriptions?api-version={version}").expect(200).json["value"]
    assert [s for s in listed if s["subscriptionId"] == site.subscription] == [shown]
    assert shown["id"] == f"/subscriptions/{site.subscription}" and shown["tenantId"] == site.tenant
    assert shown["state"] == "Enabled" and shown["displayName"] == "Default Subscription"
    assert shown["subscriptionPolicies"] == {"locationPlacementId": "AzureStack", "quotaId": "AzureStack", "spendingLimit": "Off"}
    old = ["id", "subscriptionId", "tenantId", "displayName", "state", "subscriptionPolicies", "authorizationSource"]
    new = ["id", "authorizationSource", "managedByTenants", "subscriptionId", "tenantId", "displayName", "state",
           "subscriptionPolicies"]
    if version >= "2019-11-01":
        new.insert(3, "tags")
    assert list(shown) == (new if version >= "2019-06-01" else old)


def test_unpublished_versions_fail(site, operator):  # decisions 27
    for path in ("/subscriptions", f"/subscriptions/{site.subscription}", "/tenants", f"/subscriptions/{site.subscription}/locations"):
        answer = operator.get(f"{path}?api-version=2001-01-01").expect(400)
        assert answer.code == "InvalidApiVersionParameter"
        assert answer.message == ("The api-version '2001-01-01' is invalid. The supported versions are '"
                                  + ",".join(reversed(VERSIONS)) + "'.")


@pytest.mark.parametrize("id_, status, code, message", [
    ("nonsense", 400, "InvalidSubscriptionId", "The provided subscription identifier 'nonsense' is malformed or invalid."),
    ("{" + str(uuid.UUID(int=5)) + "}", 400, "InvalidSubscriptionId", None),
    (str(uuid.UUID(int=5)), 404, "SubscriptionNotFound", f"The subscription '{uuid.UUID(int=5)}' could not be found."),
])
def test_malformed_and_unknown(operator, id_, status, code, message):  # arm-core 2.2.2
    import urllib.parse
    for rest in ("", "/resourcegroups", "/locations", "/providers"):
        answer = operator.get(f"/subscriptions/{urllib.parse.quote(id_)}{rest}?api-version=2019-11-01".replace(
            "2019-11-01", "2019-10-01" if rest in ("/resourcegroups", "/providers") else "2019-11-01")).expect(status)
        assert answer.code == code and (message is None or answer.message == message)


def test_casings_slashes_and_head(site, operator):
    shown = operator.get(f"/subscriptions/{site.subscription}?api-version=2016-06-01").expect(200)
    for path in (f"/SUBSCRIPTIONS/{site.subscription.upper()}", f"//subscriptions//{site.subscription}/"):
        assert operator.get(f"{path}?api-version=2016-06-01").expect(200).json == shown.json
    for path in ("/subscriptions", f"/subscriptions/{site.subscription}", "/tenants"):
        head = operator.head(f"{path}?api-version=2016-06-01").expect(200)
        assert head.body == b"" and head.header("Content-Type") == "application/json; charset=utf-8"
    answer = operator.put(f"/subscriptions/{site.subscription}?api-version=2016-06-01", {}).expect(405)
    assert answer.code == "HttpMethodNotSupported" and "GET" in answer.header("Allow")


# Who sees which.

def test_lists_show_what_the_caller_may_see(site, operator, another):
    principal = site.principal()
    client = site.client_of(principal)
    listed = lambda: [s["subscriptionId"] for s in  # noqa: E731
                      client.get("/subscriptions?api-version=2019-11-01").expect(200).json["value"]]
    assert listed() == []
    refused = client.get(f"/subscriptions/{another}?api-version=2019-11-01").expect(403)
    assert refused.code == "AuthorizationFailed" and "Microsoft.Resources/subscriptions/read" in refused.message
    operator.put(f"/subscriptions/{another}/resourcegroups/inner{GROUP}", {"location": site.region}).expect(201)
    assignment = site.assign(operator, principal, ACR_PULL, f"/subscriptions/{another}/resourceGroups/inner")
    assert listed() == [another]
    client.get(f"/subscriptions/{another}?api-version=2019-11-01").expect(200)
    # Whoever has anything inside may look at what describes the whole: az asks before each of its commands.
    client.get(f"/subscriptions/{another}/locations?api-version=2019-11-01").expect(200)
    client.get(f"/subscriptions/{another}/providers?api-version=2019-10-01").expect(200)
    client.get(f"/subscriptions/{site.subscription}/locations?api-version=2019-11-01").expect(403)
    client.get(f"/subscriptions/{site.subscription}/providers?api-version=2019-10-01").expect(403)
    site.unassign(operator, assignment)
    assert listed() == []


def test_the_operators_subscription_is_listed_at_its_own_host_only(site, operator):  # decisions 53
    own = site.facts["operatorSubscriptionId"]
    assert own not in [s["subscriptionId"] for s in operator.get("/subscriptions?api-version=2016-06-01").json["value"]]
    from harness.wire import Client
    admin = Client(site.host("adminmanagement"), site.port, site.ca, operator.headers)
    assert own in [s["subscriptionId"] for s in admin.get("/subscriptions?api-version=2016-06-01").json["value"]]


# Tenants, locations.

def test_tenants_by_version(site, operator):  # arm-core 2.2.3
    old = operator.get("/tenants?api-version=2016-06-01").expect(200).json
    assert old == {"value": [{"id": f"/tenants/{site.tenant}", "tenantId": site.tenant}]}
    new = operator.get("/tenants?api-version=2019-11-01").expect(200).json["value"][0]
    assert set(new) == {"id", "tenantId", "countryCode", "country", "displayName", "domains", "tenantCategory"}
    assert new["tenantId"] == site.tenant and new["tenantCategory"] == "Home" and new["domains"]


def test_locations_by_version(site, operator):  # arm-core 2.2.4
    path = f"/subscriptions/{site.subscription}/locations?api-version="
    old = operator.get(path + "2016-06-01").expect(200).json["value"]
    assert [list(l) for l in old] == [["id", "name", "displayName", "longitude", "latitude"]]
    assert old[0]["id"] == f"/subscriptions/{site.subscription}/locations/{site.region}"
    assert isinstance(old[0]["longitude"], str) and isinstance(old[0]["latitude"], str)
    new = operator.get(path + "2019-11-01").expect(200).json["value"][0]
    assert set(new) == {"id", "name", "displayName", "regionalDisplayName", "metadata"}
    assert set(new["metadata"]) == {"regionType", "regionCategory", "geographyGroup", "longitude", "latitude",
                                    "physicalLocation", "pairedRegion"}
    typed = operator.get(path + "2022-12-01").expect(200).json["value"][0]
    assert typed["type"] == "Region"


def test_check_resource_name(operator):
    path = "/providers/Microsoft.Resources/checkResourceName?api-version=2019-11-01"
    type_ = "Microsoft.ContainerRegistry/registries"
    assert operator.post(path, {"name": "mine", "type": type_}).expect(200).json == \
        {"name": "mine", "type": type_, "status": "Allowed"}
    for reserved in ("Azure", "APP_DATA", "mymicrosoftthing", "WindowsStuff"):
        assert operator.post(path, {"name": reserved, "type": type_}).expect(200).json["status"] == "Reserved"
    for body in ({"type": type_}, {"name": "x"}, {"name": 5, "type": type_}, {}):
        assert operator.post(path, body).expect(400).code in ("InvalidRequestContent", "InvalidResourceName")


# The operator's commands.

def refused(site, *arguments):
    done = site.command("subscription", *arguments, check=False)
    assert isinstance(done, subprocess.CompletedProcess) and done.returncode != 0, done
    assert "Sanitizer" not in done.stderr and done.stdout == ""
    return done.stderr


def test_commands(site, operator, another):
    listed = {s["subscriptionId"]: s for s in site.command("subscription", "list")}
    assert listed[site.subscription]["operator"] is False and listed[site.facts["operatorSubscriptionId"]]["operator"] is True
    name = site.unique("Renamed ")
    made = site.command("subscription", "rename", another, name)
    assert made == {"subscriptionId": another, "displayName": name, "state": "Enabled", "operator": False}
    assert operator.get(f"/subscriptions/{another}?api-version=2016-06-01").json["displayName"] == name
    assert site.command("subscription", "disable", name)["state"] == "Disabled"  # by its name
    assert operator.get(f"/subscriptions/{another}?api-version=2016-06-01").json["state"] == "Disabled"
    assert site.command("subscription", "enable", another.upper())["state"] == "Enabled"
    assert operator.get(f"/subscriptions/{another}?api-version=2016-06-01").json["state"] == "Enabled"


def test_commands_refuse_clearly(site, another):
    own = site.facts["operatorSubscriptionId"]
    assert f"there is no subscription '{uuid.UUID(int=5)}'" in refused(site, "disable", str(uuid.UUID(int=5)))
    assert "operator's own" in refused(site, "disable", own) and "operator's own" in refused(site, "remove", own)
    assert "first subscription cannot be removed" in refused(site, "remove", site.subscription)
    assert "usage:" in refused(site, "nonsense") and "usage:" in refused(site, "remove") and "usage:" in refused(site)
    for bad in ("", " x", "a\nb", "n" * 200):
        assert "a name has 1 to 128 bytes" in refused(site, "rename", another, bad)
    twin = site.unique("Twin ")
    first = site.command("subscription", "add", twin)["subscriptionId"]
    second = site.command("subscription", "add", twin)["subscriptionId"]
    assert "say which by its id" in refused(site, "disable", twin)
    for id_ in (first, second):
        site.command("subscription", "remove", id_)


def test_removal_refuses_while_groups_exist_and_names_them(site, operator):
    made = site.command("subscription", "add", site.unique("Going "))["subscriptionId"]
    group = f"/subscriptions/{made}/resourcegroups/still-here{GROUP}"
    operator.put(group, {"location": site.region}).expect(201)
    principal = site.principal()
    site.assign(operator, principal, READER, f"/subscriptions/{made}")
    assert "still has 1 resource group: still-here; delete it first" in refused(site, "remove", made)
    operator.get(group).expect(200)
    operator.delete(group).expect(202)
    site.wait_until(lambda: operator.get(group).status == 404)
    assert site.command("subscription", "remove", made)["subscriptionId"] == made
    assert operator.get(f"/subscriptions/{made}?api-version=2016-06-01").expect(404).code == "SubscriptionNotFound"
    assert made not in [s["subscriptionId"] for s in operator.get("/subscriptions?api-version=2016-06-01").json["value"]]
    assert site.client_of(principal).get("/subscriptions?api-version=2016-06-01").json["value"] == []


def test_removal_refuses_while_it_is_locked(site, operator, another):
    lock = f"/subscriptions/{another}/providers/Microsoft.Authorization/locks/keep?api-version=2016-09-01"
    operator.put(lock, {"properties": {"level": "CanNotDelete"}}).expect(201)
    assert "is locked by 'keep'; delete its locks first" in refused(site, "remove", another)
    operator.delete(lock).expect(200)


def test_tags_of_a_subscription_are_shown_by_version(site, operator, another):  # arm-core 2.2.1
    operator.put(f"/subscriptions/{another}/providers/Microsoft.Resources/tags/default?api-version=2019-10-01",
                 {"properties": {"tags": {"cost": "1"}}}).expect(200)
    assert operator.get(f"/subscriptions/{another}?api-version=2019-11-01").expect(200).json["tags"] == {"cost": "1"}
    assert "tags" not in operator.get(f"/subscriptions/{another}?api-version=2019-06-01").expect(200).json


def test_a_name_that_looks_like_another_id_is_found_by_the_id(site, another):
    name = site.command("subscription", "add", another)["subscriptionId"]  # called like the other's id
    try:
        assert site.command("subscription", "disable", another)["subscriptionId"] == another
        assert site.command("subscription", "enable", another)["subscriptionId"] == another
    finally:
        site.command("subscription", "remove", name)


# Disabled: read-only.

@pytest.fixture
def disabled(site, operator, another):
    """A disabled subscription with a group and a registry that holds an image."""
    operator.put(f"/subscriptions/{another}/resourcegroups/g{GROUP}", {"location": site.region}).expect(201)
    registry = site.create_registry(operator, "g", subscription=another)
    registry.push_image(registry.client(), "team/app", "v1", [b"layer"])
    site.command("subscription", "disable", another)
    registry.subscription = another
    return registry


def test_a_disabled_subscription_is_read_only(site, operator, disabled):  # decisions 12
    base, sentence = f"/subscriptions/{disabled.subscription}", (
        f"The subscription '{disabled.subscription}' is disabled and therefore marked as read only. You cannot perform any "
        "write actions on this subscription until it is re-enabled.")
    writes = [
        ("PUT", f"{base}/resourcegroups/new{GROUP}", {"location": site.region}),
        ("PATCH", f"{base}/resourcegroups/g{GROUP}", {"tags": {"a": "b"}}),
        ("DELETE", f"{base}/resourcegroups/g{GROUP}", None),
        ("PUT", f"{disabled.id}{REGISTRY}", {"location": site.region, "sku": {"name": "Standard"}}),
        ("PATCH", f"{disabled.id}{REGISTRY}", {"tags": {"a": "b"}}),
        ("DELETE", f"{disabled.id}{REGISTRY}", None),
        ("POST", f"{disabled.id}/listCredentials{REGISTRY}", None),
        ("POST", f"{disabled.id}/regenerateCredential{REGISTRY}", {"name": "password"}),
        ("POST", f"{base}/providers/Microsoft.ContainerRegistry/register{GROUP}", None),
        ("PUT", f"{base}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}?api-version=2015-07-01",
         {"properties": {"roleDefinitionId": site.role(READER), "principalId": site.principal()["objectId"]}}),
    ]
    for method, path, body in writes:
        answer = operator.request(method, path, body)
        assert (answer.status, answer.code, answer.message) == (409, "ReadOnlyDisabledSubscription", sentence), (method, path)
        assert answer.header("x-ms-failure-cause") == "gateway"
    for path in (f"{base}?api-version=2016-06-01", f"{base}/resourcegroups{GROUP}", f"{base}/resourcegroups/g{GROUP}",
                 f"{disabled.id}{REGISTRY}", f"{disabled.id}/listUsages{REGISTRY}", f"{base}/resources{GROUP}"):
        operator.get(path).expect(200)
    # A POST that reads is no write.
    operator.post(f"{base}/providers/Microsoft.ContainerRegistry/checkNameAvailability{REGISTRY}",
                  {"name": "surelyfree", "type": "Microsoft.ContainerRegistry/registries"}).expect(200)
    site.command("subscription", "enable", disabled.subscription)
    operator.patch(f"{base}/resourcegroups/g{GROUP}", {"tags": {"a": "b"}}).expect(200)


def test_rights_come_before_the_state(site, operator, disabled):
    stranger = site.client_of(site.principal())
    answer = stranger.put(f"/subscriptions/{disabled.subscription}/resourcegroups/x{GROUP}", {"location": site.region})
    assert answer.expect(403).code == "AuthorizationFailed"


def test_registries_of_a_disabled_subscription_are_pulled_from_and_not_changed(site, disabled):
    client = disabled.client()
    client.get("/v2/").expect(200)
    manifest = client.get("/v2/team/app/manifests/v1").expect(200)
    digest = manifest.header("Docker-Content-Digest")
    client.get(f"/v2/team/app/blobs/{digest_of(b'layer')}").expect(200)
    client.get("/v2/_catalog").expect(200)
    kind = {"Content-Type": manifest.header("Content-Type")}
    for answer in (client.post("/v2/team/app/blobs/uploads/"),
                   client.post(f"/v2/team/app/blobs/uploads/?digest={digest_of(b'x')}", b"x",
                               headers={"Content-Type": "application/octet-stream"}),
                   client.put("/v2/team/app/manifests/v2", manifest.body, headers=kind),
                   client.delete(f"/v2/team/app/manifests/{digest}"),
                   client.delete("/acr/v1/team/app"),
                   client.patch("/acr/v1/team/app", {"deleteEnabled": False})):
        assert answer.expect(403).code == "DENIED" and "disabled" in answer.message
    site.command("subscription", "enable", disabled.subscription)
    client.post("/v2/team/app/blobs/uploads/").expect(202)


def test_an_upload_that_began_before_is_refused_at_its_end(site, operator, another):
    operator.put(f"/subscriptions/{another}/resourcegroups/g{GROUP}", {"location": site.region}).expect(201)
    registry = site.create_registry(operator, "g", subscription=another)
    client, data = registry.client(), b"some bytes"
    location = client.post("/v2/team/app/blobs/uploads/").expect(202).header("Location")
    location = client.patch(location, data, headers={"Content-Type": "application/octet-stream"}).expect(202).header("Location")
    site.command("subscription", "disable", another)
    assert client.put(f"{location}&digest={digest_of(data)}").expect(403).code == "DENIED"
    site.command("subscription", "enable", another)
    client.put(f"{location}&digest={digest_of(data)}").expect(201)


def test_contributors_of_several_subscriptions(site, operator, another):
    """A caller's rights in one subscription are none in the other."""
    principal = site.principal()
    client = site.client_of(principal)
    site.assign(operator, principal, CONTRIBUTOR, f"/subscriptions/{another}")
    client.put(f"/subscriptions/{another}/resourcegroups/mine{GROUP}", {"location": site.region}).expect(201)
    client.put(f"/subscriptions/{site.subscription}/resourcegroups/mine{GROUP}", {"location": site.region}).expect(403)
