"""Resource groups: names, bodies, shapes, the list, and their deletion as a job that retries and reports."""
import json
import time
import urllib.parse
import uuid

import pytest

from harness.replica import Replica
from harness.site import READER, Site

V = "?api-version=2019-10-01"
REGISTRY = "?api-version=2019-05-01"


def path_of(site, name, subscription=None):
    return f"/subscriptions/{subscription or site.subscription}/resourcegroups/{urllib.parse.quote(name)}"


@pytest.fixture
def name(site, operator):
    made = site.unique("grp")
    yield made
    operator.delete(path_of(site, made) + V)


def create(site, operator, name, **more):
    return operator.put(path_of(site, name) + V, {"location": site.region, **more}).expect(200, 201)


def poll(client, answer, seconds=60):
    """The answer that a Location ends in; every pending one is checked."""
    location, deadline = answer.expect(202).header("Location"), time.monotonic() + seconds
    while True:
        polled = client.get(location)
        if polled.status != 202:
            return polled
        assert polled.header("Location") == location and polled.header("Retry-After") == "1" and polled.body == b""
        assert time.monotonic() < deadline
        time.sleep(0.1)


# Names.

@pytest.mark.parametrize("good", ["a", "(x)_y-z.1", "n" * 90, "Größe", "東京", "группа", "٣", "ﬁ", "東" * 90])
def test_names(site, operator, good):  # arm-core 1.2.1
    made = operator.put(path_of(site, good) + V, {"location": site.region}).expect(201).json
    try:
        assert made["name"] == good and made["id"] == f"/subscriptions/{site.subscription}/resourceGroups/{good}"
        assert operator.get(path_of(site, good) + V).expect(200).json == made
        assert made in operator.get(f"/subscriptions/{site.subscription}/resourcegroups{V}").json["value"]
    finally:
        operator.delete(path_of(site, good) + V).expect(202)


@pytest.mark.parametrize("bad, message", [
    ("a b", "has these invalid characters: ' '."),
    ("a@b#c@", "has these invalid characters: '@#'."),
    ("100€", "has these invalid characters: '€'."),
    ("Ⅷ", "has these invalid characters: 'Ⅷ'."),   # a number, but neither a letter nor a digit
    ("😀", "has these invalid characters: '😀'."),
    ("𐐀", "has these invalid characters: '𐐀'."),   # a letter, but two UTF-16 units
    ("a\u0308", "has these invalid characters: '\u0308'."),  # a combining mark
    ("ends.", "ends with a period, which is not allowed."),
    ("n" * 91, "has a length of '91', which exceeds the maximum length of '90' characters."),
    ("東" * 91, "has a length of '91', which exceeds the maximum length of '90' characters."),
])
def test_names_that_are_refused(site, operator, bad, message):  # arm-core 1.2.1
    answer = operator.put(path_of(site, bad) + V, {"location": site.region}).expect(400)
    assert answer.code == "InvalidResourceGroup" and message in answer.message and bad in answer.message


def test_casing(site, operator, name):  # arm-core 1.1
    create(site, operator, name)
    upper = path_of(site, name.upper())
    assert operator.get(upper + V).expect(200).json["name"] == name
    again = operator.put(upper.replace("resourcegroups", "RESOURCEGROUPS") + V, {"location": site.region}).expect(200).json
    assert again["name"] == name.upper() and again["id"].endswith(f"/resourceGroups/{name.upper()}")
    patched = operator.patch(path_of(site, name) + V, {"tags": {"a": "b"}}).expect(200).json
    assert patched["name"] == name.upper()  # a PUT's casing counts
    assert len([g for g in operator.get(f"/subscriptions/{site.subscription}/resourcegroups{V}").json["value"]
                if g["name"].lower() == name.lower()]) == 1


# Bodies.

def test_members_and_their_order(site, operator, name):  # arm-core 2.1.1, 2.1.2
    path = path_of(site, name)
    made = operator.put(path + V, {"location": site.region.upper(), "tags": {"b": "2", "a": "1"}, "managedBy": "/x/y"}).expect(201)
    assert list(made.json) == ["id", "name", "type", "managedBy", "location", "tags", "properties"]
    assert made.json["location"] == site.region and list(made.json["tags"]) == ["b", "a"]
    assert made.json["properties"] == {"provisioningState": "Succeeded"}
    plain = operator.put(path + V, {"location": site.region}).expect(200).json
    assert list(plain) == ["id", "name", "type", "location", "properties"]  # PUT replaces
    for version, typed in (("2014-04-01", False), ("2016-09-01", False), ("2018-02-01", False), ("2018-05-01", False),
                           ("2019-10-01", True), ("2020-06-01", True), ("2021-04-01", True), ("2022-09-01", True),
                           ("2025-04-01", True)):
        shown = operator.get(f"{path}?api-version={version}").expect(200).json
        assert (shown.get("type") == "Microsoft.Resources/resourceGroups") is typed, version


def test_put_with_what_az_echoes(site, operator, name):  # arm-core 1.7.1, az-cli 4: group update
    create(site, operator, name, tags={"a": "1"})
    shown = operator.get(path_of(site, name) + V).json
    shown["tags"]["b"] = "2"
    assert operator.put(path_of(site, name) + V, shown).expect(200).json == shown
    answer = operator.put(path_of(site, name) + V, {"properties": {}, "location": site.region, "tags": {}}).expect(200)
    assert answer.json["tags"] == {}


def test_patch(site, operator, name):  # arm-core 1.7.2, 2.1.2
    create(site, operator, name, tags={"a": "1", "b": "2"}, managedBy="/m")
    path = path_of(site, name) + V
    assert operator.patch(path, {}).expect(200).json["tags"] == {"a": "1", "b": "2"}
    patched = operator.patch(path, {"tags": {"c": "3"}}).expect(200).json
    assert patched["tags"] == {"c": "3"} and patched["managedBy"] == "/m"
    assert "managedBy" not in operator.patch(path, {"managedBy": None}).expect(200).json
    assert operator.patch(path, {"location": "mars"}).expect(409).code == "InvalidResourceGroupLocation"
    operator.patch(path, {"location": site.region}).expect(200)
    assert operator.patch(path_of(site, "absent") + V, {"tags": {}}).expect(404).code == "ResourceGroupNotFound"


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("body, code", [
    ({"tags": {f"t{i}": "v" for i in range(51)}}, "TooManyTags"),
    ({"tags": {"n" * 513: "v"}}, "InvalidTagName"),
    ({"tags": {"n": "v" * 257}}, "InvalidTagValue"),
    ({"tags": {"a<b": "v"}}, "InvalidTagNameCharacters"),
    ({"tags": {"a": "1", "A": "2"}}, "InvalidTagName"),
    ({"tags": {"a": 1}}, "InvalidRequestContent"),
    ({"tags": []}, "InvalidRequestContent"),
    ({"managedBy": 5}, "InvalidRequestContent"),
    ({"location": 5}, "InvalidRequestContent"),
    ([], "InvalidRequestContent"),
])
def test_bodies_that_are_refused(site, operator, name, method, body, code):  # arm-core 1.2.4
    create(site, operator, name)
    if isinstance(body, dict):
        body = {"location": site.region, **body}
    answer = operator.request(method.upper(), path_of(site, name) + V, body).expect(400)
    assert answer.code == code
    assert "tags" not in operator.get(path_of(site, name) + V).json


def test_largest_tags(site, operator, name):  # arm-core 1.2.4
    tags = {f"{i:03}" + "n" * 509: "v" * 256 for i in range(50)}
    assert create(site, operator, name, tags=tags).json["tags"] == tags


def test_locations(site, operator, name):  # arm-core 2.1.2
    path = path_of(site, name) + V
    answer = operator.put(path, {"location": "mars"}).expect(400)
    assert (answer.code, answer.message) == (
        "LocationNotAvailableForResourceGroup",
        f"The provided location 'mars' is not available for resource group. List of available regions is '{site.region}'.")
    assert operator.put(path, {}).expect(400).code == "LocationRequired"
    assert operator.put(path, {"location": ""}).expect(400).code == "LocationRequired"
    create(site, operator, name)
    answer = operator.put(path, {"location": "mars"}).expect(409)
    assert (answer.code, answer.message) == (
        "InvalidResourceGroupLocation", f"Invalid resource group location 'mars'. The Resource group already exists in "
        f"location '{site.region}'.")
    operator.put(path, {"location": site.region.upper()}).expect(200)


# Reading.

def test_absent(site, operator):  # arm-core 2.1.3
    for method in ("get", "delete"):
        answer = operator.request(method.upper(), path_of(site, "Absent") + V).expect(404)
        assert (answer.code, answer.message) == ("ResourceGroupNotFound", "Resource group 'Absent' could not be found.")
        assert answer.header("x-ms-failure-cause") == "gateway"


def test_head(site, operator, name):  # arm-core 1.7.4
    answer = operator.head(path_of(site, name) + V).expect(404)
    assert answer.body == b"" and answer.header("Content-Type") == "application/json; charset=utf-8"
    create(site, operator, name)
    answer = operator.head(path_of(site, name) + V).expect(204)
    assert answer.body == b"" and answer.header("Content-Length") is None and answer.header("Content-Type") is None


def test_methods(site, operator, name):  # decisions 42
    create(site, operator, name)
    answer = operator.post(path_of(site, name) + V).expect(405)
    assert answer.message == "The http method 'POST' is not supported for this resource."
    assert sorted(answer.header("Allow").split(",")) == ["DELETE", "GET", "HEAD", "PATCH", "PUT"]


def test_what_manages_a_group_has_a_bounded_name(site, operator, name):
    """It was kept and listed whatever its length was."""
    long = "/subscriptions/" + "x" * 2033
    assert create(site, operator, name, managedBy=long[:2048]).json["managedBy"] == long[:2048]
    for refused in (operator.put(path_of(site, name) + V, {"location": site.region, "managedBy": long + "x"}),
                    operator.patch(path_of(site, name) + V, {"managedBy": long * 100})):
        assert refused.expect(400).code == "InvalidRequestContent" and len(refused.body) < 500


def test_a_method_that_nobody_has_is_named(site, operator, name):  # decisions 42
    create(site, operator, name)
    answer = operator.request("MERGE", path_of(site, name) + V).expect(405)
    assert answer.message == "The http method 'MERGE' is not supported for this resource."


def test_list(site, operator):
    mark = site.unique("t")
    names = [site.unique("lst") for _ in range(5)]
    for i, n in enumerate(names):
        create(site, operator, n, tags={"Mark": mark, "Odd": str(i % 2)})
    base = f"/subscriptions/{site.subscription}/resourcegroups{V}"

    def listed(query):
        found, link = [], f"{base}&{query}"
        while link:
            page = operator.get(link).expect(200).json
            found += [g["name"] for g in page["value"]]
            link = page.get("nextLink")
        return sorted(n for n in found if n in names)
    q = urllib.parse.quote
    assert listed("$top=2") == sorted(names) and listed("$filter=") == sorted(names)
    assert listed("$filter=" + q(f"tagName eq 'mark' and tagValue eq '{mark}'") + "&$top=1") == sorted(names)
    assert listed("$filter=" + q(f"tagname eq 'Odd' and tagvalue eq '1'")) == sorted(names[1::2])
    assert listed("$filter=" + q("tagname eq 'Mark'")) == sorted(names)
    assert listed("$filter=" + q(f"tagName eq 'Mark' and tagValue eq '{mark.upper()}x'")) == []
    first = operator.get(base + "&$top=1").expect(200).json
    assert first["nextLink"].startswith(f"https://{operator.host}") and len(first["value"]) <= 1
    for bad in ("$top=0", "$top=x", "$skiptoken=%FF", "$filter=" + q("name eq"), "$filter=" + q("nonsense eq 'x'")):
        assert operator.get(f"{base}&{bad}").expect(400).code.startswith(("Invalid", "BadRequest"))
    for n in names:
        operator.delete(path_of(site, n) + V).expect(202)


def test_list_shows_what_the_caller_may_read(site, operator, name):
    create(site, operator, name)
    principal = site.principal()
    client = site.client_of(principal)
    base = f"/subscriptions/{site.subscription}/resourcegroups{V}"
    assert client.get(base).expect(200).json["value"] == []
    client.get(path_of(site, name) + V).expect(403)
    site.assign(operator, principal, READER, f"/subscriptions/{site.subscription}/resourceGroups/{name}")
    found, link = [], base
    while link:
        page = client.get(link).expect(200).json
        found += page["value"]
        link = page.get("nextLink")
    assert [g["name"] for g in found] == [name]
    client.get(path_of(site, name) + V).expect(200)
    assert client.put(path_of(site, name) + V, {"location": site.region}).expect(403).code == "AuthorizationFailed"


def test_980_groups(site, operator):  # arm-core 1.2.6
    made = site.command("subscription", "add", site.unique("Full "))["subscriptionId"]
    site.sql(f"insert into arm.resource_group (subscription_id, name, name_key, location) "
             f"select '{made}', 'g' || i, 'g' || i, '{site.region}' from generate_series(1, 980) i")
    answer = operator.put(path_of(site, "one-more", made) + V, {"location": site.region}).expect(409)
    assert answer.code == "ResourceGroupQuotaExceeded" and "quota of '980'" in answer.message
    operator.put(path_of(site, "g7", made) + V, {"location": site.region, "tags": {"a": "b"}}).expect(200)  # no new one
    site.sql(f"delete from arm.resource_group where subscription_id = '{made}' and name_key <> 'g7'")
    operator.put(path_of(site, "one-more", made) + V, {"location": site.region}).expect(201)


# Deleting.

def test_delete(site, operator, name):  # arm-core 2.1.4, 1.7.3, 1.8.1, decisions 6
    create(site, operator, name)
    registries = [site.create_registry(operator, name, admin=False) for _ in range(3)]
    with held(site, name):
        answer = operator.delete(path_of(site, name) + V).expect(202)
        assert answer.body == b"" and answer.header("Retry-After") is None
        location = answer.header("Location")
        assert location.startswith(f"https://{operator.host}") and f"/subscriptions/{site.subscription}/operationresults/" in location
        assert location.endswith(V)
        assert operator.get(path_of(site, name) + V).expect(200).json["properties"]["provisioningState"] == "Deleting"
        sentence = f"The resource group '{name}' is in deprovisioning state and cannot perform this operation."
        for method, path, body in (
                ("PUT", path_of(site, name) + V, {"location": site.region}), ("PATCH", path_of(site, name) + V, {"tags": {}}),
                ("PUT", site.registry_id(name, site.unique("late")) + REGISTRY, {"location": site.region, "sku": {"name": "Standard"}}),
                ("PATCH", registries[0].id + REGISTRY, {"tags": {}}), ("DELETE", registries[0].id + REGISTRY, None),
                ("POST", registries[0].id + "/listCredentials" + REGISTRY, None)):
            refused = operator.request(method, path, body).expect(409)
            assert (refused.code, refused.message) == ("ResourceGroupBeingDeleted", sentence), (method, path)
        # Asked again: the same operation.
        again = operator.delete(path_of(site, name) + V).expect(202)
        assert again.header("Location") == location
        pending = operator.get(location).expect(202)
        assert pending.header("Location") == location and pending.header("Retry-After") == "1" and pending.body == b""
    final = poll(operator, answer)
    assert final.status == 200 and final.body == b"" and final.header("Location") is None and final.header("Retry-After") is None
    assert operator.get(path_of(site, name) + V).expect(404).code == "ResourceGroupNotFound"
    for registry in registries:
        operator.get(registry.id + REGISTRY).expect(404)
    # Made again under its name, and it is whole.
    create(site, operator, name)
    assert operator.get(f"{path_of(site, name)}/resources{V}").expect(200).json["value"] == []
    operator.get(location).expect(200)


class held:
    """The group's row is held, so that its deletion cannot take a step meanwhile."""

    def __init__(self, site, name):
        self.site, self.name = site, name

    def __enter__(self):
        # A resource's row, which the job's step wants and no request of the test does.
        import subprocess
        self.psql = subprocess.Popen(
            ["psql", "-XAtq", "-h", f"{self.site.state}/run/pg", "-U", "azsacr", "-d", "azsacr"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.psql.stdin.write("begin; select r.id from arm.resource r join arm.resource_group g on g.id = r.group_id where "
                              f"g.name_key = lower('{self.name}') order by r.id desc limit 1 for key share of r;\n\\echo held\n")
        self.psql.stdin.flush()
        while self.psql.stdout.readline().strip() != "held":
            pass

    def __exit__(self, *_):
        self.psql.stdin.write("rollback;\n\\q\n")
        self.psql.stdin.close()
        self.psql.wait(10)


def test_an_empty_group_is_deleted(site, operator, name):
    create(site, operator, name)
    assert poll(operator, operator.delete(path_of(site, name) + V)).status == 200
    operator.delete(path_of(site, name) + V).expect(404)


def test_assignments_go_with_the_group(site, operator, name):
    create(site, operator, name)
    principal = site.principal()
    site.assign(operator, principal, READER, f"/subscriptions/{site.subscription}/resourceGroups/{name}")
    assert poll(operator, operator.delete(path_of(site, name) + V)).status == 200
    create(site, operator, name)
    site.client_of(principal).get(path_of(site, name) + V).expect(403)


def test_a_deletion_that_is_blocked_says_by_what_and_gives_the_group_back(site, operator, name):  # arm-core 2.1.4, 1.8.2
    create(site, operator, name)
    others = [site.create_registry(operator, name, admin=False) for _ in range(3)]
    # A type that a newer release made: this one cannot delete it.
    site.sql("insert into arm.resource (group_id, subscription_id, type, type_key, name, name_key, location) "
             f"select id, subscription_id, 'Microsoft.Unknown/things', 'microsoft.unknown/things', 'Stone', 'stone', location "
             f"from arm.resource_group where name_key = lower('{name}')")
    final = poll(operator, operator.delete(path_of(site, name) + V)).expect(409)
    error = final.json["error"]
    assert error["code"] == "ResourceGroupDeletionBlocked"
    assert error["message"].startswith(
        f"Deletion of resource group '{name}' failed as resources with identifiers 'Microsoft.Unknown/things/Stone' could not be "
        "deleted. The provisioning state of the resource group will be rolled back.")
    assert [(d["code"], d["target"]) for d in error["details"]] == [(
        "InvalidResourceType",
        f"/subscriptions/{site.subscription}/resourceGroups/{name}/providers/Microsoft.Unknown/things/Stone")]
    assert operator.get(path_of(site, name) + V).expect(200).json["properties"]["provisioningState"] == "Succeeded"
    for registry in others:  # in any order, what could go is gone
        operator.get(registry.id + REGISTRY).expect(404)
    operator.patch(path_of(site, name) + V, {"tags": {"usable": "again"}}).expect(200)
    site.create_registry(operator, name, admin=False)
    site.sql("delete from arm.resource where type_key = 'microsoft.unknown/things'")
    assert poll(operator, operator.delete(path_of(site, name) + V)).status == 200


def test_parents_of_what_is_blocked_stay(site, operator, name):
    create(site, operator, name)
    registry = site.create_registry(operator, name, admin=False)
    site.sql("insert into arm.resource (group_id, subscription_id, type, type_key, name, name_key, location) "
             "select id, subscription_id, 'Microsoft.ContainerRegistry/registries/parrots', "
             f"'microsoft.containerregistry/registries/parrots', '{registry.name}/polly', '{registry.name.lower()}/polly', location "
             f"from arm.resource_group where name_key = lower('{name}')")
    error = poll(operator, operator.delete(path_of(site, name) + V)).expect(409).json["error"]
    assert sorted(d["code"] for d in error["details"]) == ["InvalidResourceType", "NestedResourcesExist"]
    operator.get(registry.id + REGISTRY).expect(200)
    site.sql("delete from arm.resource where type_key = 'microsoft.containerregistry/registries/parrots'")
    assert poll(operator, operator.delete(path_of(site, name) + V)).status == 200


def test_a_lock_inside_blocks_the_whole_up_front(site, operator, name):  # arm-core 2.1.4, 2.5
    create(site, operator, name)
    first, second = (site.create_registry(operator, name, admin=False) for _ in range(2))
    lock = f"{first.id}/providers/Microsoft.Authorization/locks/keep?api-version=2016-09-01"
    operator.put(lock, {"properties": {"level": "CanNotDelete"}}).expect(201)
    answer = operator.delete(path_of(site, name) + V).expect(409)
    assert answer.code == "ScopeLocked" and first.id.lower() in answer.message.lower()
    assert operator.get(path_of(site, name) + V).json["properties"]["provisioningState"] == "Succeeded"
    operator.get(second.id + REGISTRY).expect(200)
    operator.delete(lock).expect(200, 204)
    assert poll(operator, operator.delete(path_of(site, name) + V)).status == 200


def test_a_lock_put_between_the_request_and_the_job_blocks_it_whole(site, operator):  # arm-core 2.1.4
    made = site.command("subscription", "add", site.unique("Locked "))["subscriptionId"]
    path = path_of(site, "inner", made)
    operator.put(path + V, {"location": site.region}).expect(201)
    registry = site.create_registry(operator, "inner", admin=False, subscription=made)
    lock = f"/subscriptions/{made}/providers/Microsoft.Authorization/locks/all?api-version=2016-09-01"
    # The job is made as a request makes it, with the lock already there: no request could be so quick.
    operator.put(lock, {"properties": {"level": "CanNotDelete"}}).expect(201)
    site.sql(f"update arm.resource_group set state = 'Deleting' where subscription_id = '{made}'")
    job, = site.sql("insert into azsacr.job (kind, subscription_id, payload) select 'group-delete', subscription_id, "
                    f"json_build_object('group', id::text) from arm.resource_group where subscription_id = '{made}' returning id")
    token = __import__("base64").urlsafe_b64encode(json.dumps({"jobId": job, "jobLocation": "x"}).encode()).decode().rstrip("=")
    site.wait_until(lambda: operator.get(f"/subscriptions/{made}/operationresults/{token}{V}").status != 202)
    answer = operator.get(f"/subscriptions/{made}/operationresults/{token}{V}").expect(409)
    assert answer.code == "ScopeLocked"
    assert operator.get(path + V).expect(200).json["properties"]["provisioningState"] == "Succeeded"
    operator.get(registry.id + REGISTRY).expect(200)


def test_a_deletion_that_was_given_up_leaves_a_usable_group(site, operator, name):  # users.md 3
    create(site, operator, name)
    registry = site.create_registry(operator, name, admin=False)
    with held(site, name):
        location = operator.delete(path_of(site, name) + V).expect(202).header("Location")
        # As if it had been taken ten times and had ended each time before a step was done.
        site.sql("update azsacr.job set attempts = 10, lease_until = now() - interval '1 second', state = 'Running', "
                 "owner = 'nobody', epoch = epoch + 1 where kind = 'group-delete' and state in ('Pending', 'Running')")
        site.wait_until(lambda: operator.get(location).status == 409 or operator.get(location).status != 202)
    answer = operator.get(location).expect(409)
    assert answer.code == "InternalServerError" and "given up" in answer.message
    assert operator.get(path_of(site, name) + V).expect(200).json["properties"]["provisioningState"] == "Succeeded"
    operator.get(registry.id + REGISTRY).expect(200)
    assert poll(operator, operator.delete(path_of(site, name) + V)).status == 200


# Two `serve`, kills: the short form of tests/prove/group-delete.

def test_a_group_goes_although_serve_is_killed(tmp_path):
    import os
    count, kills = int(os.environ.get("AZSACR_REGISTRIES", 60)), int(os.environ.get("AZSACR_KILLS", 2))
    step = os.environ.get("AZSACR_STEP_MS", "1500")
    from harness.deletion import delete_under_fire
    # A step of 20 registries takes a while, so that each kill meets a worker in the middle of one.
    lease = {"AZSACR_LEASE_SECONDS": "2", "AZSACR_LOG_LEVEL": "debug", "AZSACR_FAILPOINTS": f"group-delete.step=wait:{step}"}
    site = Site(tmp_path / "state", port=9449, region="going", environment={"AZSACR_LISTEN": "127.0.0.1", **lease}).start()
    try:
        replica = Replica(site, environment=lease)
        try:
            replica.start()
            delete_under_fire(site, replica, count, kills)
        finally:
            replica.stop()
    finally:
        site.stop()
