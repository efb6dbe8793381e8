"""Management locks: their routes (arm-core 2.5) and what they hold back (decisions 12)."""
import threading
import time
import uuid

import pytest

from harness.site import ARM_GROUP, ARM_REGISTRY, ARM_ROLE, CONTRIBUTOR, OWNER, READER
from harness.steps import Steps, in_background

LOCK = "?api-version=2016-09-01"
VERSIONS = ["2015-01-01", "2016-09-01", "2017-04-01", "2020-05-01"]
USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
GONE = str(uuid.uuid4())


def locks(scope):
    return f"{scope}/providers/Microsoft.Authorization/locks"


def lock_url(scope, name, version="2016-09-01"):
    return f"{locks(scope)}/{name}?api-version={version}"


def lock(client, scope, name, level, **properties):
    answer = client.put(lock_url(scope, name), {"properties": {"level": level, **properties}})
    return answer.expect(200, 201).json


def unlock(client, scope, name):
    client.delete(lock_url(scope, name)).expect(200)


@pytest.fixture
def place(site, operator):
    """A subscription of its own with a group and a registry; its locks are removed at the end."""
    class Place:
        pass
    made = Place()
    made.subscription = site.command("subscription", "add", site.unique("Locked"))["subscriptionId"]
    made.scope = f"/subscriptions/{made.subscription}"
    made.group = f"{made.scope}/resourceGroups/{site.unique('lg')}"
    operator.put(f"{made.group}?api-version={ARM_GROUP}", {"location": site.region}).expect(201)
    made.registry = f"{made.group}/providers/Microsoft.ContainerRegistry/registries/{site.unique('lreg')}"
    create(site, operator, made.registry)
    yield made
    for found in operator.get(locks(made.scope) + LOCK).expect(200).json["value"]:
        operator.delete(f"{found['id']}{LOCK}").expect(200)
    operator.delete(f"{made.group}?api-version={ARM_GROUP}")


def create(site, client, registry, status=200):
    return client.put(f"{registry}?api-version={ARM_REGISTRY}", {
        "location": site.region, "sku": {"name": "Standard"}, "properties": {"adminUserEnabled": True}}).expect(status)


def refused(answer, target, operation, *scopes):
    """arm-core 2.5.3: the whole sentence."""
    answer.expect(409)
    assert answer.json == {"error": {"code": "ScopeLocked", "message":
                           f"The scope '{target}' cannot perform {operation} operation because following scope(s) are "
                           f"locked: '{','.join(scopes)}'. Please remove the lock and try again."}}
    assert answer.header("x-ms-failure-cause") == "gateway"


# The resource itself.

@pytest.mark.parametrize("version", VERSIONS)
def test_life_of_a_lock(site, operator, place, version):
    """arm-core 2.5.1: order of members, 201, 200, 204; decisions 55: every published version."""
    scopes = [place.scope, place.group, place.registry]
    for scope in scopes:
        url = lock_url(scope, "Keep", version)
        made = operator.put(url, {"properties": {"level": "cannotdelete", "notes": "n"}}).expect(201)
        members = ["properties", "id", "type", "name"] + (["systemData"] if version == "2020-05-01" else [])
        assert list(made.json) == members
        assert made.json["properties"] == {"level": "CanNotDelete", "notes": "n"}
        assert made.json["id"] == f"{scope}/providers/Microsoft.Authorization/locks/Keep"
        assert made.json["type"] == "Microsoft.Authorization/locks" and made.json["name"] == "Keep"
        assert operator.get(url).expect(200).json == made.json
        assert operator.head(url).expect(200).body == b""
        again = operator.put(url.replace("Keep", "KEEP"), {"properties": {"level": "ReadOnly"}}).expect(200).json
        assert again["name"] == "KEEP" and again["properties"] == {"level": "ReadOnly"}
        assert operator.delete(url).expect(200).body == b""
        assert operator.delete(url).expect(204).body == b""
        missing = operator.get(url).expect(404)
        assert missing.code == "LockNotFound" and missing.message == "The lock 'Keep' could not be found."


def test_who_made_it_is_told_since_2020(site, operator, place):
    """decisions 27: that version's shape."""
    made = operator.put(lock_url(place.group, "l", "2020-05-01"), {"properties": {"level": "ReadOnly"}}).expect(201).json
    assert made["systemData"]["createdByType"] == "Application"
    assert made["systemData"]["createdBy"] == site.operator_secret()[0]
    assert made["systemData"]["createdAt"] <= made["systemData"]["lastModifiedAt"]


def test_owners_are_kept(operator, place):
    """arm-core 2.5.1: owners? behind notes?; 2015-01-01 has none."""
    owners = [{"applicationId": GONE}]
    made = lock(operator, place.registry, "l", "ReadOnly", notes="why", owners=owners)
    assert list(made["properties"].items()) == [("level", "ReadOnly"), ("notes", "why"), ("owners", owners)]
    old = operator.get(lock_url(place.registry, "l", "2015-01-01")).expect(200).json
    assert "owners" not in old["properties"]


def test_unpublished_versions(operator, place):
    """decisions 55"""
    answer = operator.get(lock_url(place.group, "l", "2018-01-01")).expect(400)
    assert answer.code == "InvalidApiVersionParameter"
    assert answer.message == ("The api-version '2018-01-01' is invalid. The supported versions are "
                              "'2020-05-01,2017-04-01,2016-09-01,2015-01-01'.")


def test_the_id_echoes_the_casing_of_the_request(operator, place):
    """arm-core 1.1: lock ids are not made canonical."""
    scope = place.group.replace("resourceGroups", "resourcegroups")
    made = lock(operator, scope, "l", "CanNotDelete")
    assert made["id"] == f"{scope}/providers/Microsoft.Authorization/locks/l"
    assert operator.get(lock_url(place.group, "l")).expect(200).json["id"] == \
        f"{place.group}/providers/Microsoft.Authorization/locks/l"
    assert [v["id"] for v in operator.get(locks(place.scope) + LOCK).json["value"]] == [made["id"]]
    operator.get(lock_url(place.group.upper(), "L")).expect(200)


def test_double_slashes(operator, place):
    """az-cli 1: `az lock … --resource` sends …/Microsoft.ContainerRegistry//registries/x"""
    url = place.registry.replace("ContainerRegistry/", "ContainerRegistry//")
    made = operator.put(lock_url(url, "l"), {"properties": {"level": "CanNotDelete"}}).expect(201).json
    assert made["id"] == f"{place.registry}/providers/Microsoft.Authorization/locks/l"
    operator.delete(lock_url(place.registry, "l")).expect(200)


@pytest.mark.parametrize("body,code", [
    ({}, "LockLevelNotSpecified"),
    ({"properties": {}}, "LockLevelNotSpecified"),
    ({"properties": {"level": ""}}, "LockLevelNotSpecified"),
    ({"properties": {"level": "NotSpecified"}}, "LockLevelNotSpecified"),
    ({"properties": {"level": "Delete"}}, "InvalidRequestContent"),
    ({"properties": {"level": 1}}, "InvalidRequestContent"),
    ({"properties": []}, "InvalidRequestContent"),
    ({"properties": {"level": "ReadOnly", "notes": "x" * 513}}, "LockNotesTooLong"),
    ({"properties": {"level": "ReadOnly", "notes": {}}}, "InvalidRequestContent"),
    ({"properties": {"level": "ReadOnly", "owners": {}}}, "InvalidRequestContent"),
    ({"properties": {"level": "ReadOnly", "owners": ["x"]}}, "InvalidRequestContent"),
    ({"properties": {"level": "ReadOnly", "owners": [{"applicationId": 3}]}}, "InvalidRequestContent"),
    ({"properties": {"level": "ReadOnly", "owners": [{}] * 65}}, "InvalidRequestContent"),
    (None, "InvalidRequestContent"),
    ([], "InvalidRequestContent"),
])
def test_bodies_that_are_refused(operator, place, body, code):
    """arm-core 2.5.1"""
    assert operator.put(lock_url(place.group, "l"), body).expect(400).code == code
    assert operator.get(locks(place.group) + LOCK).json == {"value": []}


def test_notes_count_characters(operator, place):
    """arm-core 2.5.1: notes of 512 characters, not bytes."""
    assert lock(operator, place.group, "l", "ReadOnly", notes="ä" * 512)["properties"]["notes"] == "ä" * 512


@pytest.mark.parametrize("name", ["a%3Cb", "a%26b", "x" * 261, "a%3Ab", "a%25b"])
def test_names_that_are_refused(operator, place, name):
    """arm-core 1.2.2"""
    answer = operator.put(lock_url(place.group, name), {"properties": {"level": "ReadOnly"}}).expect(400)
    assert answer.code == "InvalidLockName"


def test_scopes_that_are_not_there(site, operator, place):
    body = {"properties": {"level": "ReadOnly"}}
    answer = operator.put(lock_url(place.registry + "x", "l"), body).expect(404)
    assert answer.code == "ResourceNotFound"
    assert operator.put(lock_url(place.group + "x", "l"), body).expect(404).code == "ResourceGroupNotFound"
    assert operator.put(lock_url(f"/subscriptions/{GONE}", "l"), body).expect(404).code == "SubscriptionNotFound"
    assert operator.put(lock_url("", "l"), body).status in (400, 403)


def test_a_child_of_a_resource_is_locked(site, operator, place):
    """arm-core 1.1: extension resources hang on a full id, a child's too."""
    child = f"{place.registry}/replications/{site.region}"
    lock(operator, child, "l", "CanNotDelete")
    assert [v["id"] for v in operator.get(locks(place.registry) + LOCK).json["value"]] == [f"{locks(child)}/l"]
    refused(operator.delete(f"{place.registry}?api-version={ARM_REGISTRY}"), place.registry, "delete", child)


# Lists.

def test_lists_show_at_above_and_below(site, operator, place):
    """arm-core 2.5.1: a list at a scope gives what is at, above and below it."""
    other = f"{place.scope}/resourceGroups/{site.unique('lo')}"
    operator.put(f"{other}?api-version={ARM_GROUP}", {"location": site.region}).expect(201)
    for scope, name in [(place.scope, "s"), (place.group, "g"), (place.registry, "r"), (other, "o")]:
        lock(operator, scope, name, "CanNotDelete")
    def names(scope, query=""):
        return sorted(v["name"] for v in operator.get(f"{locks(scope)}{LOCK}{query}").expect(200).json["value"])
    assert names(place.scope) == ["g", "o", "r", "s"]
    assert names(place.group) == ["g", "r", "s"]
    assert names(place.registry) == ["g", "r", "s"]
    assert names(other) == ["o", "s"]
    at_scope = "&$filter=atScope%28%29"
    assert names(place.scope, at_scope) == ["s"] and names(place.group, at_scope) == ["g", "s"]
    assert names(place.group, "&$filter=") == ["g", "r", "s"]
    bad = operator.get(f"{locks(place.scope)}{LOCK}&$filter=level%20eq%20%27x%27").expect(400)
    assert bad.code == "InvalidFilterInQueryString"
    unlock(operator, other, "o")
    unlock(operator, place.scope, "s")
    operator.delete(f"{other}?api-version={ARM_GROUP}").expect(202)


def test_a_name_with_the_same_start_is_not_below(site, operator, place):
    """arm-core 1.1: whole segments."""
    near = place.group + "-2"
    operator.put(f"{near}?api-version={ARM_GROUP}", {"location": site.region}).expect(201)
    lock(operator, near, "n", "ReadOnly")
    assert operator.get(locks(place.group) + LOCK).json["value"] == []
    operator.patch(f"{place.group}?api-version={ARM_GROUP}", {"tags": {"a": "b"}}).expect(200)
    unlock(operator, near, "n")
    operator.delete(f"{near}?api-version={ARM_GROUP}").expect(202)


def test_lists_are_paged(operator, place):
    """arm-core 1.6.1"""
    for i in range(5):
        lock(operator, place.group if i % 2 else place.registry, f"l{i}", "CanNotDelete")
    seen, url = [], f"{locks(place.scope)}{LOCK}&$top=2"
    while url:
        page = operator.get(url).expect(200).json
        assert len(page["value"]) <= 2 and page.get("nextLink") != ""
        seen += [v["name"] for v in page["value"]]
        url = page.get("nextLink")
    assert sorted(seen) == [f"l{i}" for i in range(5)]
    assert operator.get(f"{locks(place.scope)}{LOCK}&$skiptoken=eA").expect(400).code == "InvalidSkipToken"


def test_lists_hide_what_may_not_be_read(site, operator, place):
    """arm-core 1.6.1, for az's `lock delete -g`, which lists the subscription: who owns a group finds the group's locks."""
    principal = site.principal()
    site.assign(operator, principal, OWNER, place.group)
    mine = site.client_of(principal)
    lock(operator, place.scope, "s", "CanNotDelete")
    lock(operator, place.group, "g", "CanNotDelete")
    assert [v["name"] for v in mine.get(locks(place.scope) + LOCK).expect(200).json["value"]] == ["g"]
    assert [v["name"] for v in mine.get(locks(place.group) + LOCK).expect(200).json["value"]] == ["s", "g"]
    stranger = site.client_of(site.principal())
    assert stranger.get(locks(place.scope) + LOCK).expect(200).json["value"] == []
    stranger.get(lock_url(place.group, "g")).expect(403)


# Rights.

def test_only_owners_and_access_administrators_lock(site, operator, place):
    """arm-core 2.5.2: Microsoft.Authorization/locks/*: Owner, User Access Administrator, not Contributor."""
    for role, may in [(OWNER, True), (USER_ACCESS_ADMINISTRATOR, True), (CONTRIBUTOR, False), (READER, False)]:
        principal = site.principal()
        site.assign(operator, principal, role, place.group)
        client = site.client_of(principal)
        answer = client.put(lock_url(place.group, "l"), {"properties": {"level": "CanNotDelete"}})
        assert answer.status == (201 if may else 403)
        if not may:
            assert "'Microsoft.Authorization/locks/write'" in answer.message
            client.delete(lock_url(place.group, "l")).expect(403)
        else:
            client.delete(lock_url(place.group, "l")).expect(200)


# What they hold back.

def registry_writes(site, registry):
    body = {"location": site.region, "sku": {"name": "Standard"}, "properties": {"adminUserEnabled": True}}
    version = f"?api-version={ARM_REGISTRY}"
    return [("PUT", registry + version, body, registry), ("PATCH", registry + version, {"tags": {"a": "b"}}, registry),
            ("POST", f"{registry}/listCredentials{version}", None, registry),
            ("POST", f"{registry}/regenerateCredential{version}", {"name": "password"}, registry)]


@pytest.mark.parametrize("level", ["subscription", "group", "registry"])
def test_read_only_holds_back_every_write(site, operator, place, level):
    """arm-core 2.5.2: PUT, PATCH, DELETE and POST; faq: a ReadOnly lock blocks listCredentials."""
    scope = {"subscription": place.scope, "group": place.group, "registry": place.registry}[level]
    lock(operator, scope, "l", "ReadOnly")
    for method, url, body, target in registry_writes(site, place.registry):
        refused(operator.request(method, url, body), target, "write", scope)
    refused(operator.delete(f"{place.registry}?api-version={ARM_REGISTRY}"), place.registry, "delete", scope)
    refused(operator.delete(f"{place.group}?api-version={ARM_GROUP}"), place.group, "delete", scope)
    assignment = f"{place.registry}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    refused(operator.put(f"{assignment}?api-version={ARM_ROLE}", {"properties": {
        "roleDefinitionId": site.role(READER), "principalId": site.principal()["objectId"]}}), assignment, "write", scope)
    group_patch = operator.patch(f"{place.group}?api-version={ARM_GROUP}", {"tags": {}})
    if level == "registry":
        group_patch.expect(200)  # nothing above a lock is held back, but its deletion
    else:
        refused(group_patch, place.group, "write", scope)
    # Reads, and POSTs that only look, go on.
    operator.get(f"{place.registry}?api-version={ARM_REGISTRY}").expect(200)
    operator.post(f"{place.scope}/providers/Microsoft.ContainerRegistry/checkNameAvailability?api-version={ARM_REGISTRY}",
                  {"name": "somename", "type": "Microsoft.ContainerRegistry/registries"}).expect(200)
    unlock(operator, scope, "l")
    for method, url, body, _ in registry_writes(site, place.registry):
        operator.request(method, url, body).expect(200)


def test_read_only_holds_back_what_is_not_there_yet(site, operator, place):
    """arm-core 2.5.2: a PUT that would create."""
    lock(operator, place.scope, "l", "ReadOnly")
    new = f"{place.scope}/resourceGroups/{site.unique('never')}"
    refused(operator.put(f"{new}?api-version={ARM_GROUP}", {"location": site.region}), new, "write", place.scope)
    registry = place.registry + "new"
    refused(operator.put(f"{registry}?api-version={ARM_REGISTRY}", {"location": site.region, "sku": {"name": "Basic"}}),
            registry, "write", place.scope)


@pytest.mark.parametrize("level", ["subscription", "group", "registry"])
def test_can_not_delete_holds_back_deletion_only(site, operator, place, level):
    """arm-core 2.5.2: DELETE, and the deletion of role assignments under it."""
    scope = {"subscription": place.scope, "group": place.group, "registry": place.registry}[level]
    assignment = site.assign(operator, site.principal(), READER, place.registry)
    lock(operator, scope, "l", "CanNotDelete")
    for method, url, body, _ in registry_writes(site, place.registry):
        operator.request(method, url, body).expect(200)
    refused(operator.delete(f"{place.registry}?api-version={ARM_REGISTRY}"), place.registry, "delete", scope)
    refused(operator.delete(f"{assignment}?api-version={ARM_ROLE}"), assignment, "delete", scope)
    refused(operator.delete(f"{place.group}?api-version={ARM_GROUP}"), place.group, "delete", scope)
    assert operator.get(f"{place.group}?api-version={ARM_GROUP}").json["properties"]["provisioningState"] == "Succeeded"
    unlock(operator, scope, "l")
    operator.delete(f"{assignment}?api-version={ARM_ROLE}").expect(200)
    operator.delete(f"{place.registry}?api-version={ARM_REGISTRY}").expect(200)


def test_deletion_of_what_is_not_there_is_held_back_too(operator, place):
    """decisions 12: locks come before the provider, which would say 204."""
    lock(operator, place.group, "l", "CanNotDelete")
    refused(operator.delete(f"{place.registry}x?api-version={ARM_REGISTRY}"), place.registry + "x", "delete", place.group)


def test_the_target_is_named_as_in_the_url(operator, place):
    """arm-core 2.5.3: '{target as in URL}', and the lock's scope as its lock was written"""
    lock(operator, place.group.replace("resourceGroups", "resourcegroups"), "l", "ReadOnly")
    url = place.registry.replace("resourceGroups", "ResourceGroups").replace("registries", "Registries")
    refused(operator.patch(f"{url}?api-version={ARM_REGISTRY}", {"tags": {}}), url, "write",
            place.group.replace("resourceGroups", "resourcegroups"))


def test_all_locked_scopes_are_named(operator, place):
    """arm-core 2.5.2: the most restrictive over the ancestors; 2.5.3: scope(s)"""
    lock(operator, place.scope, "s", "CanNotDelete")
    lock(operator, place.group, "g", "ReadOnly")
    refused(operator.delete(f"{place.registry}?api-version={ARM_REGISTRY}"), place.registry, "delete",
            place.scope, place.group)
    refused(operator.patch(f"{place.registry}?api-version={ARM_REGISTRY}", {"tags": {}}), place.registry, "write",
            place.group)


def test_the_strictest_of_two_locks_at_one_scope_counts(operator, place):
    """arm-core 2.5.2"""
    lock(operator, place.group, "a", "CanNotDelete")
    lock(operator, place.group, "b", "ReadOnly")
    url = f"{place.registry}?api-version={ARM_REGISTRY}"
    refused(operator.patch(url, {"tags": {}}), place.registry, "write", place.group)
    unlock(operator, place.group, "b")
    operator.patch(url, {"tags": {}}).expect(200)
    refused(operator.delete(url), place.registry, "delete", place.group)
    lock(operator, place.group, "a", "ReadOnly")  # the level of a lock can be changed while it locks
    refused(operator.patch(url, {"tags": {}}), place.registry, "write", place.group)
    unlock(operator, place.group, "a")
    operator.delete(url).expect(200)


def test_locks_are_asked_after_rights_and_existence(site, operator, place):
    """decisions 12: 403, 404, registration 409, locks 409"""
    lock(operator, place.scope, "l", "ReadOnly")
    stranger = site.client_of(site.principal())
    stranger.patch(f"{place.registry}?api-version={ARM_REGISTRY}", {"tags": {}}).expect(403)
    operator.patch(f"{place.registry.replace(place.group, place.group + 'x')}?api-version={ARM_REGISTRY}",
                   {"tags": {}}).expect(404)


def test_the_data_plane_is_never_held_back(site, operator, group):
    """arm-core 2.5.2: data plane never affected."""
    registry = site.create_registry(operator, group)
    scope = f"/subscriptions/{site.subscription}/resourceGroups/{group}"
    lock(operator, scope, "l", "ReadOnly")
    try:
        client = registry.client()
        started = client.post("/v2/some/blobs/uploads/").expect(202)
        client.put(started.header("Location") + ("&" if "?" in started.header("Location") else "?") +
                   "digest=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", b"").expect(201)
    finally:
        unlock(operator, scope, "l")


# The end of locks.

def test_locks_go_with_what_they_lock(site, operator, place):
    """A lock stays until it is removed, or with its resource: none is left for the next owner of the name."""
    second = place.registry + "b"
    create(site, operator, second)
    lock(operator, place.group, "g", "CanNotDelete")
    lock(operator, second, "r", "ReadOnly")
    unlock(operator, place.group, "g")
    unlock(operator, second, "r")
    lock(operator, place.registry, "r", "ReadOnly")
    unlock(operator, place.registry, "r")
    operator.delete(f"{place.group}?api-version={ARM_GROUP}").expect(202)
    deadline = time.monotonic() + 30
    while operator.get(f"{place.group}?api-version={ARM_GROUP}").status != 404:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert operator.get(locks(place.scope) + LOCK).json["value"] == []


def test_a_group_with_a_lock_inside_is_not_deleted_in_part(site, operator, place):
    """arm-core 2.1.4: any delete lock inside blocks the whole thing up front, never partial."""
    second = place.registry + "b"
    create(site, operator, second)
    lock(operator, second, "r", "CanNotDelete")
    refused(operator.delete(f"{place.group}?api-version={ARM_GROUP}"), place.group, "delete", second)
    time.sleep(1.5)
    for registry in (place.registry, second):
        operator.get(f"{registry}?api-version={ARM_REGISTRY}").expect(200)
    assert operator.get(f"{place.group}?api-version={ARM_GROUP}").json["properties"]["provisioningState"] == "Succeeded"
    unlock(operator, second, "r")
    operator.delete(f"{place.group}?api-version={ARM_GROUP}").expect(202)
    answer = operator.put(lock_url(place.group, "late"), {"properties": {"level": "CanNotDelete"}})
    assert answer.status in (404, 409), answer
    deadline = time.monotonic() + 30
    while operator.get(f"{place.group}?api-version={ARM_GROUP}").status != 404:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert operator.get(locks(place.scope) + LOCK).json["value"] == []


# Races.

def test_a_write_and_a_lock_take_turns(site, operator, place):
    """decisions 12: once a lock's PUT is answered, no write that it forbids takes effect any more."""
    url, stop, faults = f"{place.registry}?api-version={ARM_REGISTRY}", threading.Event(), []
    turn = [0]

    def write():
        client = site.operator()
        while not stop.is_set():
            turn[0] += 1
            answer = client.patch(url, {"tags": {"turn": str(turn[0])}})
            if answer.status != 200 and answer.code != "ScopeLocked":
                faults.append(answer)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        for i in range(25):
            scope = [place.scope, place.group, place.registry][i % 3]
            lock(operator, scope, "race", "ReadOnly")
            seen = operator.get(url).expect(200).json["tags"]
            for _ in range(5):
                now = operator.get(url).expect(200).json["tags"]
                if now != seen:
                    faults.append((seen, now))
            unlock(operator, scope, "race")
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert not faults, faults[:5]
    assert turn[0] > 25


def test_a_deletion_and_a_lock_take_turns(site, operator, place):
    """decisions 12: either the lock stands and the registry lives, or the registry went first."""
    other, results = site.operator(), {"locked": 0, "deleted": 0}
    for i in range(12):
        registry = f"{place.registry}d{i}"
        create(site, operator, registry)
        answers = []
        thread = threading.Thread(target=lambda: answers.append(other.delete(f"{registry}?api-version={ARM_REGISTRY}")))
        thread.start()
        time.sleep(0.002 * (i % 4))
        made = operator.put(lock_url(registry, "race"), {"properties": {"level": "CanNotDelete"}}).expect(201, 404)
        thread.join()
        found = operator.get(f"{registry}?api-version={ARM_REGISTRY}").status
        if made.status == 201 and answers[0].status == 409:
            results["locked"] += 1
            assert found == 200
            unlock(operator, registry, "race")
        else:
            results["deleted"] += 1
            assert answers[0].status == 200 and found == 404
            assert operator.get(locks(place.scope) + LOCK).json["value"] == []
    print(results)


@pytest.fixture
def steps(tmp_path):
    made = Steps(tmp_path)
    yield made
    for held in made.directory.glob("*"):
        held.unlink()
    made.site.stop()


def test_neither_a_write_nor_a_lock_overtakes_the_other(steps):
    """decisions 12: a lock waits for a write that was let through, and a write for a lock that is being made."""
    site = steps.site
    operator, other = site.operator(), site.operator()
    group = f"/subscriptions/{site.subscription}/resourceGroups/steps"
    url, body = f"{group}?api-version={ARM_GROUP}", {"properties": {"level": "ReadOnly"}}
    operator.put(url, {"location": site.region}).expect(201)

    steps.hold("arm.decided")  # the write has proved that no lock holds it back, and has not committed yet
    writing, written = in_background(lambda: other.patch(url, {"tags": {"a": "1"}}))
    steps.reached("arm.decided")
    (steps.directory / "arm.decided").unlink()  # for nobody else
    locking, locked = in_background(lambda: operator.put(lock_url(group, "l"), body))
    time.sleep(1)
    assert not locked, "the lock was answered while a write that it forbids could still commit"
    steps.release("arm.decided")
    writing.join()
    locking.join()
    assert written[0].status == 200 and locked[0].status == 201
    refused(operator.patch(url, {"tags": {}}), group, "write", group)
    unlock(operator, group, "l")

    steps.hold("lock.before_commit")
    locking, locked = in_background(lambda: operator.put(lock_url(group, "l"), body))
    steps.reached("lock.before_commit")
    writing, written = in_background(lambda: other.patch(url, {"tags": {"a": "2"}}))
    time.sleep(1)
    assert not written, "a write went past a lock that was being made"
    steps.release("lock.before_commit")
    writing.join()
    locking.join()
    assert locked[0].status == 201
    refused(written[0], group, "write", group)
    assert operator.get(url).json["tags"] == {"a": "1"}
    unlock(operator, group, "l")
