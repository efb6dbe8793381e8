"""What somebody may do at a scope (decisions 49)."""
import uuid

import pytest

from harness.site import ACR_PULL, OWNER, READER

READ = "Microsoft.ContainerRegistry/registries/read"
WRITE = "Microsoft.ContainerRegistry/registries/write"
PULL = "Microsoft.ContainerRegistry/registries/pull/read"
NEVER = {"roleAssignment": None, "denyAssignment": None, "timeToLiveInMs": 0}


def url(scope, name="checkAccess"):
    return f"{scope}/providers/Microsoft.Authorization/{name}?api-version=2018-09-01-preview"


def ask(client, scope, subject, *actions, resource=None, expect=200, name="checkAccess"):
    body = {"Subject": {"Attributes": {"ObjectId": subject["objectId"] if isinstance(subject, dict) else subject}},
            "Actions": [{"Id": a, "IsDataAction": False} if isinstance(a, str) else a for a in actions]}
    if resource is not None:
        body["Resource"] = {"Id": resource}
    return client.post(url(scope, name), body).expect(expect)


def decisions(answer):
    return [d["accessDecision"] for d in answer.json]


@pytest.fixture(scope="module")
def place(site, operator):
    """A group with a registry; somebody who reads the group, and nobody else."""
    class Place:
        subscription = f"/subscriptions/{site.subscription}"
        group = f"{subscription}/resourceGroups/{site.unique('g')}"
    operator.put(f"{Place.group}?api-version=2019-10-01", {"location": site.region}).expect(201)
    Place.registry = site.create_registry(operator, Place.group.rsplit("/", 1)[1], admin=False).id
    Place.person = site.principal()
    Place.assignment = site.assign(operator, Place.person, READER, Place.group)
    Place.other = site.principal()
    yield Place
    operator.delete(f"{Place.group}?api-version=2019-10-01")


def test_the_answer_has_every_member(place, operator):
    """decisions 49: the answer's shape and order."""
    answer = ask(operator, place.group, place.person, READ, WRITE)
    read, write = answer.json
    assert list(read) == ["actionId", "accessDecision", "isDataAction", "roleAssignment", "denyAssignment", "timeToLiveInMs"]
    assignment = read.pop("roleAssignment")
    assert read == {"actionId": READ, "accessDecision": "Allowed", "isDataAction": False, "denyAssignment": None,
                    "timeToLiveInMs": 0}
    assert assignment == {"id": place.assignment.rsplit("/", 1)[1], "roleDefinitionId": READER,
                          "principalId": place.person["objectId"], "principalType": "ServicePrincipal", "scope": place.group,
                          "condition": None, "conditionVersion": None, "canDelegate": False,
                          "delegatedManagedIdentityResourceId": None, "description": None}
    assert write == {"actionId": WRITE, "accessDecision": "NotAllowed", "isDataAction": False, **NEVER}


def test_scopes(place, operator, site):
    """An assignment counts at its scope and below."""
    for scope, expected in ((place.subscription, "NotAllowed"), (place.group, "Allowed"), (place.registry, "Allowed"),
                            (f"{place.registry}/webhooks/hook", "Allowed"),
                            (place.group.upper(), "Allowed")):
        assert decisions(ask(operator, scope, place.person, READ)) == [expected], scope
    assert decisions(ask(site.client_of(place.person), "", place.person, READ)) == ["NotAllowed"]
    assert ask(operator, f"{place.group}0", place.person, READ, expect=404).code == "ResourceGroupNotFound"
    for resource, expected in ((place.registry, "Allowed"), (place.registry.upper(), "Allowed"), (place.subscription, "NotAllowed")):
        assert decisions(ask(operator, "", place.person, READ, resource=resource)) == [expected], resource


@pytest.mark.parametrize("name", ["checkAccess", "CheckAccess", "checkaccess", "CHECKACCESS"])
def test_any_casing(place, operator, name):
    """decisions 49: any casing."""
    assert decisions(ask(operator, place.group, place.person, READ, name=name)) == ["Allowed"]
    lower = {"subject": {"attributes": {"objectid": place.person["objectId"].upper()}}, "actions": [{"id": READ.upper()}]}
    answer = operator.post(url(place.group, name).upper().replace("API-VERSION", "api-version").replace("PREVIEW", "preview"),
                           lower).expect(200)
    assert decisions(answer) == ["Allowed"] and answer.json[0]["actionId"] == READ.upper()


def test_about_oneself(place, site):
    """decisions 49: the caller may ask about itself, with no right at all."""
    for person, expected in ((place.person, "Allowed"), (place.other, "NotAllowed")):
        client = site.client_of(person)
        assert decisions(ask(client, place.group, person, READ)) == [expected]
        assert decisions(ask(client, place.group, person["objectId"].upper(), READ)) == [expected]
        nobody = client.post(url(place.group), {"actions": [{"id": READ}]}).expect(200)  # as newer clients ask
        assert decisions(nobody) == [expected]


def test_about_others(place, site, operator):
    """decisions 49: the caller needs roleAssignments/read there."""
    refused = ask(site.client_of(place.other), place.group, place.person, READ, expect=403)
    assert refused.code == "AuthorizationFailed" and "Microsoft.Authorization/roleAssignments/read" in refused.message
    reader = site.client_of(place.person)  # Reader has */read
    assert decisions(ask(reader, place.group, place.other, READ)) == ["NotAllowed"]
    ask(reader, place.subscription, place.other, READ, expect=403)
    assert decisions(ask(reader, place.subscription, place.other, READ, resource=place.registry)) == ["NotAllowed"]
    ask(reader, "", place.other, READ, resource=place.subscription, expect=403)


def test_actions(place, operator, site):
    person = site.principal()
    pull = site.assign(operator, person, ACR_PULL, place.registry)
    try:
        answer = ask(operator, place.registry, person, PULL, READ, PULL.lower(), "*", "no/such/action",
                     {"Id": PULL, "IsDataAction": True}, {"Id": PULL})
        assert decisions(answer) == ["Allowed", "NotAllowed", "Allowed", "NotAllowed", "NotAllowed", "NotAllowed", "Allowed"]
        assert [d["isDataAction"] for d in answer.json] == [False] * 5 + [True, False]
    finally:
        site.unassign(operator, pull)
    assert decisions(ask(operator, place.registry, person, PULL)) == ["NotAllowed"]


def test_data_actions_and_exceptions_of_roles(place, operator, site):
    """Roles as they stand: notActions, and dataActions where a role has them."""
    name, person = str(uuid.uuid4()), site.principal()
    role = f"{place.subscription}/providers/Microsoft.Authorization/roleDefinitions/{name}?api-version=2018-01-01-preview"
    operator.put(role, {"properties": {
        "roleName": name, "type": "CustomRole", "description": "", "assignableScopes": [place.subscription],
        "permissions": [{"actions": ["Microsoft.ContainerRegistry/*"], "notActions": ["*/write"],
                         "dataActions": ["Microsoft.ContainerRegistry/registries/repositories/content/*"],
                         "notDataActions": ["*/delete"]}]}}).expect(201)
    assignment = site.assign(operator, person, name, place.group)
    data = "Microsoft.ContainerRegistry/registries/repositories/content/"
    answer = ask(operator, place.registry, person, READ, WRITE, {"Id": data + "read", "IsDataAction": True},
                 {"Id": data + "delete", "IsDataAction": True}, {"Id": READ, "IsDataAction": True})
    assert decisions(answer) == ["Allowed", "NotAllowed", "Allowed", "NotAllowed", "NotAllowed"]
    site.unassign(operator, assignment)
    operator.delete(role).expect(200)


def test_nobody(place, operator):
    """Who is not in the directory may do nothing; groups count for nothing, for there are none."""
    assert decisions(ask(operator, place.group, str(uuid.uuid4()), READ)) == ["NotAllowed"]
    body = {"Subject": {"Attributes": {"ObjectId": place.other["objectId"], "Groups": [place.person["objectId"]],
                                       "xms-pasrp-retrievegroupmemberships": True}}, "Actions": [{"Id": READ}]}
    assert decisions(operator.post(url(place.group), body).expect(200)) == ["NotAllowed"]


def test_it_agrees_with_the_door(place, operator, site):
    """A grant and a revocation hold for the very next question."""
    person = site.principal()
    client = site.client_of(person)
    for _ in range(5):
        made = site.assign(operator, person, OWNER, place.registry)
        assert decisions(ask(client, place.registry, person, WRITE, READ)) == ["Allowed", "Allowed"]
        client.get(f"{place.registry}?api-version=2019-05-01").expect(200)
        site.unassign(operator, made)
        assert decisions(ask(client, place.registry, person, WRITE, READ)) == ["NotAllowed", "NotAllowed"]
        client.get(f"{place.registry}?api-version=2019-05-01").expect(403)


GOOD = {"Subject": {"Attributes": {"ObjectId": str(uuid.uuid4())}}, "Actions": [{"Id": READ}]}


@pytest.mark.parametrize("change", [
    {"Subject": 1}, {"Subject": {}}, {"Subject": {"Attributes": 1}}, {"Subject": {"Attributes": {"ObjectId": "x"}}},
    {"Subject": {"Attributes": {"ObjectId": 1}}}, {"Subject": {"Attributes": {"ObjectId": str(uuid.uuid4()), "Groups": 1}}},
    {"Subject": {"Attributes": {"ObjectId": str(uuid.uuid4()), "Groups": ["x"]}}}, {"Actions": None}, {"Actions": []},
    {"Actions": ["x"]}, {"Actions": [{}]}, {"Actions": [{"Id": ""}]}, {"Actions": [{"Id": 1}]}, {"Actions": [{"Id": "x" * 600}]},
    {"Actions": [{"Id": READ, "IsDataAction": "no"}]}, {"Actions": [{"Id": READ}] * 501}, {"Resource": 1},
    {"Resource": {"Id": 1}}, {"Resource": {"Id": "not an id"}}, {"Resource": {"Id": "/subscriptions/" + str(uuid.uuid4())}},
])
def test_bodies_that_are_none(place, operator, change):
    assert operator.post(url(place.group), {**GOOD, **change}).expect(400).code == "InvalidRequestContent"


def test_the_door_before_it(place, operator, site):
    assert site.arm_client().post(url(place.group), GOOD).expect(401).code == "AuthenticationFailed"
    assert operator.get(url(place.group)).expect(405).header("Allow") == "POST"
    assert operator.post(url(place.group).split("?")[0], GOOD).expect(400).code == "MissingApiVersionParameter"
    assert operator.post(url(f"/subscriptions/{uuid.uuid4()}"), GOOD).expect(404).code == "SubscriptionNotFound"
