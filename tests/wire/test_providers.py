"""Resource providers: their documents, registration and its gate, and the operations that roles are made of."""
import time
import uuid

import pytest

from harness.site import ACR_PULL, Site
from harness.steps import Steps, in_background

V = "?api-version=2019-10-01"
REGISTRY = "?api-version=2019-05-01"
ACR = "Microsoft.ContainerRegistry"
NAMESPACES = {"Microsoft.Resources", "Microsoft.Authorization", ACR}


@pytest.fixture
def subscription(site):
    """One of the test's own: what it registers is nobody else's."""
    made = site.command("subscription", "add", site.unique("Prov "))["subscriptionId"]
    yield made
    arm = site.operator()
    for group in arm.get(f"/subscriptions/{made}/resourcegroups{V}").expect(200).json["value"]:
        arm.delete(group["id"] + V)
    site.wait_until(lambda: not arm.get(f"/subscriptions/{made}/resourcegroups{V}").json["value"])
    site.command("subscription", "remove", made)


def provider(client, subscription, namespace=ACR, version="2019-10-01"):
    return client.get(f"/subscriptions/{subscription}/providers/{namespace}?api-version={version}").expect(200).json


# Documents.

def test_document(site, operator):  # arm-core 2.3.1, 2.3.3, decisions 40
    shown = provider(operator, site.subscription)
    assert list(shown) == ["id", "namespace", "resourceTypes", "registrationState", "registrationPolicy"]
    assert shown["id"] == f"/subscriptions/{site.subscription}/providers/{ACR}" and shown["namespace"] == ACR
    assert (shown["registrationState"], shown["registrationPolicy"]) == ("Registered", "RegistrationRequired")
    types = {t["resourceType"]: t for t in shown["resourceTypes"]}
    assert len(types) == len(shown["resourceTypes"])
    registries = types["registries"]
    assert registries["locations"] == [site.region] and registries["apiVersions"][:2] == ["2019-05-01", "2017-10-01"]
    assert {"profileVersion": "2020-09-01-hybrid", "apiVersion": "2019-05-01"} in registries["apiProfiles"]
    for name in ("registries", "registries/replications", "checkNameAvailability"):
        assert name in types and types[name]["apiVersions"], name


def test_every_type_has_versions_that_az_finds(site, operator):  # arm-core 2.3.3: az takes the first that is no preview
    for shown in operator.get(f"/subscriptions/{site.subscription}/providers{V}").expect(200).json["value"]:
        for type_ in shown["resourceTypes"]:
            stable = [v for v in type_["apiVersions"] if "-" not in v[10:]]
            assert stable, (shown["namespace"], type_["resourceType"])
            assert set(type_) >= {"resourceType", "locations", "apiVersions", "capabilities"}


def test_profiles(site, operator):  # decisions 54, arm-core 5
    wanted = {(ACR, "registries"): "2019-05-01", ("Microsoft.Resources", "resourceGroups"): "2019-10-01",
              ("Microsoft.Resources", "subscriptions"): "2016-06-01",
              ("Microsoft.Authorization", "roleAssignments"): "2015-07-01", ("Microsoft.Authorization", "locks"): "2016-09-01"}
    for (namespace, name), version in wanted.items():
        type_ = next(t for t in provider(operator, site.subscription, namespace)["resourceTypes"] if t["resourceType"] == name)
        assert type_["apiProfiles"] == [{"profileVersion": p, "apiVersion": version}
                                        for p in ("2020-09-01-hybrid", "2019-03-01-hybrid", "2018-06-01")], name


def test_lists(site, operator):
    listed = operator.get(f"/subscriptions/{site.subscription}/providers{V}").expect(200).json["value"]
    assert {p["namespace"] for p in listed} >= NAMESPACES and len({p["namespace"] for p in listed}) == len(listed)
    assert next(p for p in listed if p["namespace"] == ACR) == provider(operator, site.subscription)
    tenant = operator.get(f"/providers{V}").expect(200).json["value"]
    assert {p["namespace"] for p in tenant} == {p["namespace"] for p in listed}
    assert all(list(p) == ["namespace", "resourceTypes"] for p in tenant)  # no subscription, no state
    assert operator.get(f"/providers/{ACR}{V}").expect(200).json == next(p for p in tenant if p["namespace"] == ACR)
    # Paged when asked.
    found, link = [], f"/subscriptions/{site.subscription}/providers{V}&$top=1"
    while link:
        page = operator.get(link).expect(200).json
        assert len(page["value"]) == 1
        found += page["value"]
        link = page.get("nextLink")
    assert found == listed
    assert operator.get(f"/providers{V}&$skiptoken=x").expect(400).code == "InvalidSkipToken"


def test_expand(site, operator):
    plain = provider(operator, site.subscription)
    for query in ("$expand=metadata", "$expand=", "%24expand=metadata"):
        assert operator.get(f"/subscriptions/{site.subscription}/providers/{ACR}{V}&{query}").expect(200).json == plain
    path = f"/subscriptions/{site.subscription}/providers/{ACR}{V}&$expand=resourceTypes/aliases"
    assert all(t["aliases"] == [] for t in operator.get(path).expect(200).json["resourceTypes"])


def test_casings_and_unknown(site, operator):  # arm-core 1.1
    for spelled in (ACR.lower(), ACR.upper()):
        assert provider(operator, site.subscription.upper(), spelled)["namespace"] == ACR
    for path in (f"/subscriptions/{site.subscription}/providers/No.Such", "/providers/No.Such", "/providers/No.Such/operations"):
        answer = operator.get(path + V).expect(404)
        assert (answer.code, answer.message) == ("InvalidResourceNamespace", "The resource namespace 'No.Such' is invalid.")
    answer = operator.put(f"/subscriptions/{site.subscription}/providers/{ACR}{V}", {}).expect(405)
    assert answer.header("Allow") == "GET,HEAD"
    answer = operator.get(f"/subscriptions/{site.subscription}/providers/{ACR}/register{V}")
    assert answer.status in (404, 405)


def test_types_and_permissions_of_a_provider(site, operator):
    path = f"/subscriptions/{site.subscription}/providers/{ACR}"
    types = operator.get(f"{path}/resourceTypes?api-version=2021-04-01").expect(200).json["value"]
    assert types == provider(operator, site.subscription)["resourceTypes"]
    assert operator.get(f"{path}/providerPermissions?api-version=2021-04-01").expect(200).json == {"value": []}
    stranger = site.client_of(site.principal())
    for rest in ("", "/resourceTypes", "/providerPermissions"):
        stranger.get(f"{path}{rest}?api-version=2021-04-01").expect(403)


def test_whoever_has_a_right_inside_may_look(site, operator, registry):
    """A reader of one registry asks for its provider's versions before `az resource show`."""
    principal = site.principal()
    client = site.client_of(principal)
    client.get(f"/subscriptions/{site.subscription}/providers/{ACR}{V}").expect(403)
    site.assign(operator, principal, ACR_PULL, registry.id)
    client.get(f"/subscriptions/{site.subscription}/providers/{ACR}{V}").expect(200)
    refused = client.post(f"/subscriptions/{site.subscription}/providers/{ACR}/register{V}").expect(403)
    assert f"'{ACR}/register/action' over scope '/subscriptions/{site.subscription}'" in refused.message


# Registration.

def test_register_and_unregister(site, operator, subscription):  # arm-core 2.3.1
    path = f"/subscriptions/{subscription}/providers/{ACR}"
    assert operator.post(f"{path}/unregister{V}").expect(200).json["registrationState"] == "Unregistering"
    assert provider(operator, subscription)["registrationState"] == "Unregistered"
    assert operator.post(f"{path}/unregister{V}").expect(200).json["registrationState"] == "Unregistered"
    going = operator.post(f"{path}/register?api-version=2016-02-01").expect(200).json  # the version of az's own registering
    assert going["registrationState"] == "Registering" and going["namespace"] == ACR and going["resourceTypes"]
    assert provider(operator, subscription, version="2016-02-01")["registrationState"] == "Registered"
    assert operator.post(f"{path}/register{V}").expect(200).json["registrationState"] == "Registered"
    body = {"thirdPartyProviderConsent": {"consentToAuthorization": True}}
    assert operator.post(f"{path}/register{V}", body).expect(200).json["registrationState"] == "Registered"
    assert provider(operator, site.subscription)["registrationState"] == "Registered"  # each subscription for itself


def test_arms_own_need_no_registration(site, operator, subscription):
    for namespace in ("Microsoft.Resources", "Microsoft.Authorization"):
        shown = operator.post(f"/subscriptions/{subscription}/providers/{namespace}/unregister{V}").expect(200).json
        assert (shown["registrationState"], shown["registrationPolicy"]) == ("Registered", "RegistrationFree")
    operator.put(f"/subscriptions/{subscription}/resourcegroups/g{V}", {"location": site.region}).expect(201)


def test_the_gate_on_writes(site, operator, subscription):  # arm-core 2.3.2
    operator.put(f"/subscriptions/{subscription}/resourcegroups/g{V}", {"location": site.region}).expect(201)
    operator.post(f"/subscriptions/{subscription}/providers/{ACR}/unregister{V}").expect(200)
    id_ = site.registry_id("g", site.unique("gate"), subscription)
    body = {"location": site.region, "sku": {"name": "Standard"}}
    sentence = (f"The subscription is not registered to use namespace '{ACR}'. See https://aka.ms/rps-not-found for how to "
                "register subscriptions.")
    for method, path, sent in (("PUT", id_, body), ("PATCH", id_, {"tags": {}}), ("DELETE", id_, None),
                               ("POST", f"{id_}/listCredentials", None)):
        answer = operator.request(method, path + REGISTRY, sent).expect(409)
        assert answer.json["error"] == {"code": "MissingSubscriptionRegistration", "message": sentence, "details": [
            {"code": "MissingSubscriptionRegistration", "target": ACR, "message": sentence}]}, method
        assert answer.header("x-ms-failure-cause") == "gateway"
    # Reads are never held back.
    operator.get(id_ + REGISTRY).expect(404)
    assert operator.get(f"/subscriptions/{subscription}/providers/{ACR}/registries{REGISTRY}").expect(200).json["value"] == []
    operator.post(f"/subscriptions/{subscription}/providers/{ACR}/checkNameAvailability{REGISTRY}",
                  {"name": "surelyfree", "type": f"{ACR}/registries"}).expect(200)
    # Rights come first, a missing group too.
    site.client_of(site.principal()).put(id_ + REGISTRY, body).expect(403)
    assert operator.put(site.registry_id("absent", "abcdef", subscription) + REGISTRY, body).expect(404).code == "ResourceGroupNotFound"
    operator.post(f"/subscriptions/{subscription}/providers/{ACR}/register{V}").expect(200)
    operator.put(id_ + REGISTRY, body).expect(200)


def test_unregister_is_refused_while_there_are_resources(site, operator, subscription):
    operator.put(f"/subscriptions/{subscription}/resourcegroups/g{V}", {"location": site.region}).expect(201)
    registry = site.create_registry(operator, "g", subscription=subscription)
    answer = operator.post(f"/subscriptions/{subscription}/providers/{ACR}/unregister{V}").expect(409)
    assert answer.code == "CannotUnregisterProvider" and ACR in answer.message
    assert provider(operator, subscription)["registrationState"] == "Registered"
    operator.delete(registry.id + REGISTRY).expect(200)
    operator.post(f"/subscriptions/{subscription}/providers/{ACR}/unregister{V}").expect(200)


def test_where_registration_is_required(tmp_path):  # arm-core 2.3.1: NotRegistered
    site = Site(tmp_path / "state", port=9447, region="required", environment={"AZSACR_REGISTRATION": "required"}).start()
    try:
        arm = site.operator()
        assert provider(arm, site.subscription)["registrationState"] == "NotRegistered"
        arm.put(f"/subscriptions/{site.subscription}/resourcegroups/g{V}", {"location": site.region}).expect(201)
        id_ = site.registry_id("g", "required1")
        body = {"location": site.region, "sku": {"name": "Standard"}}
        assert arm.put(id_ + REGISTRY, body).expect(409).code == "MissingSubscriptionRegistration"
        arm.post(f"/subscriptions/{site.subscription}/providers/{ACR}/register{V}").expect(200)
        arm.put(id_ + REGISTRY, body).expect(200)
    finally:
        site.stop()


# Operations.

def test_operations_of_a_provider(operator):  # arm-core 2.3.4
    listed = operator.get(f"/providers/{ACR}/operations{REGISTRY}").expect(200).json["value"]
    names = {o["name"].lower() for o in listed}
    assert len(names) == len(listed)
    for rest in ("register/action", "unregister/action", "registries/read", "registries/write", "registries/delete",
                 "registries/listCredentials/action", "registries/regenerateCredential/action", "registries/pull/read",
                 "registries/push/write", "registries/artifacts/delete"):
        assert f"{ACR}/{rest}".lower() in names, rest
    for operation in listed:
        assert operation["isDataAction"] is False
        assert set(operation["display"]) == {"provider", "resource", "operation", "description"}
        assert all(operation["display"].values()), operation
    for namespace, version in (("Microsoft.Resources", "2019-10-01"), ("Microsoft.Authorization", "2015-07-01")):
        found = operator.get(f"/providers/{namespace}/operations?api-version={version}").expect(200).json["value"]
        assert found and all(o["name"].lower().startswith(namespace.lower() + "/") for o in found)
    assert operator.get(f"/providers/{ACR}/operations?api-version=2001-01-01").expect(404).code == "InvalidResourceType"


def test_provider_operations(operator):  # arm-core 2.3.4
    base = "/providers/Microsoft.Authorization/providerOperations"
    # az in the hybrid profile sends a version where a word is meant.
    shown = operator.get(f"{base}/{ACR}?api-version=2015-07-01&$expand=2015-07-01").expect(200).json
    assert list(shown)[:4] == ["id", "type", "name", "displayName"] or set(shown) >= {"id", "type", "name", "displayName"}
    assert shown["name"] == ACR and shown["id"] == f"{base}/{ACR}"
    registries = next(t for t in shown["resourceTypes"] if t["name"] == "registries")
    assert registries["displayName"] and registries["operations"]
    one = registries["operations"][0]
    assert set(one) == {"name", "displayName", "description", "origin", "properties"}
    newer = operator.get(f"{base}/{ACR}?api-version=2018-01-01-preview&$expand=resourceTypes").expect(200).json
    assert all("isDataAction" in o for t in newer["resourceTypes"] for o in t["operations"])
    listed = operator.get(f"{base}?api-version=2015-07-01").expect(200).json["value"]
    assert {p["name"] for p in listed} >= NAMESPACES and shown in listed
    assert operator.get(f"{base}/No.Such?api-version=2015-07-01").expect(404).code == "InvalidResourceNamespace"


def test_every_operation_of_the_tables_can_stand_in_a_role(site, operator):
    """What the document lists is what a custom role may name, and what it then allows."""
    id_ = str(uuid.uuid4())
    scope = f"/subscriptions/{site.subscription}"
    definition = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{id_}?api-version=2015-07-01"
    actions = [o["name"] for o in operator.get(f"/providers/{ACR}/operations{REGISTRY}").json["value"]]
    operator.put(definition, {"properties": {"roleName": site.unique("all of them "), "type": "CustomRole", "description": "",
                                             "permissions": [{"actions": actions, "notActions": []}],
                                             "assignableScopes": [scope]}}).expect(201)
    principal = site.principal()
    assignment = site.assign(operator, principal, id_, scope)
    client = site.client_of(principal)
    assert client.get(f"{scope}/providers/{ACR}/registries{REGISTRY}").expect(200).json["value"] is not None
    client.post(f"{scope}/providers/{ACR}/register{V}").expect(200)
    site.unassign(operator, assignment)
    operator.delete(definition).expect(200)


# What is made while the registration goes.

@pytest.fixture
def steps(tmp_path):
    made = Steps(tmp_path)
    yield made
    for held in made.directory.glob("*"):
        held.unlink()
    made.site.stop()


def test_no_registry_is_left_in_a_subscription_that_is_not_registered(steps):
    """arm-core 2.3.2: a create that is let through and not yet committed, a create that begins while the registration goes, and
    a move on its way: none may end where the namespace is not registered. One of them did."""
    site = steps.site
    operator, other = site.operator(), site.operator()
    scopes = [f"/subscriptions/{site.command('subscription', 'add', name)['subscriptionId']}" for name in ("From", "To")]
    groups = [f"{scope}/resourceGroups/steps" for scope in scopes]
    for group in groups:
        operator.put(group + V, {"location": site.region}).expect(201)
    body = {"location": site.region, "sku": {"name": "Standard"}}

    def registry(group):
        return f"{group}/providers/{ACR}/registries/{site.unique('steps')}"

    def unregister(scope):
        return operator.post(f"{scope}/providers/{ACR}/unregister{V}")

    def overtaken(step, call, scope):
        steps.hold(step)
        thread, answers = in_background(call)
        steps.for_nobody_else(step)
        going, gone = in_background(lambda: unregister(scope))
        time.sleep(1)
        assert not gone, "the registration went while what needs it could still commit"
        steps.release(step)
        thread.join()
        going.join()
        assert gone[0].expect(409).code == "CannotUnregisterProvider"
        return answers[0]

    first = registry(groups[0])
    overtaken("arm.decided", lambda: other.put(first + REGISTRY, body), scopes[0]).expect(200)
    move = {"resources": [first], "targetResourceGroup": groups[1]}
    overtaken("move.step", lambda: other.post(f"{groups[0]}/moveResources{V}", move), scopes[1]).expect(202)
    target = first.replace(groups[0], groups[1])
    site.wait_until(lambda: operator.get(target + REGISTRY).status == 200, 20)

    operator.put(registry(groups[0]) + REGISTRY, body).expect(200)
    for known in [r["id"] for r in operator.get(f"{groups[0]}/providers/{ACR}/registries{REGISTRY}").json["value"]]:
        operator.delete(known + REGISTRY).expect(200)
    steps.hold("registration.in_use")  # nothing is there any more, and the group was seen a moment ago
    going, gone = in_background(lambda: unregister(scopes[0]))
    steps.for_nobody_else("registration.in_use")
    making, made = in_background(lambda: other.put(registry(groups[0]) + REGISTRY, body))
    time.sleep(1)
    assert not made, "a registry was made while the registration went"
    steps.release("registration.in_use")
    going.join()
    making.join()
    gone[0].expect(200)
    assert made[0].expect(409).code == "MissingSubscriptionRegistration"


def test_locks_hold_an_unregistering_back(operator, subscription):
    """decisions 12: ReadOnly on the subscription; it judges locks by itself."""
    lock = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/locks/l?api-version=2016-09-01"
    operator.put(lock, {"properties": {"level": "ReadOnly"}}).expect(201)
    assert operator.post(f"/subscriptions/{subscription}/providers/{ACR}/unregister{V}").expect(409).code == "ScopeLocked"
    operator.delete(lock).expect(200)
    operator.post(f"/subscriptions/{subscription}/providers/{ACR}/unregister{V}").expect(200)
