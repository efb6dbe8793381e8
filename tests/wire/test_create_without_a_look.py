"""A create in a group that was seen a moment ago goes without a look (arm/seen_groups.h): it must answer as if it had looked."""
import concurrent.futures
import re

import pytest

from harness.site import ARM_GROUP, ARM_REGISTRY, CONTRIBUTOR

V = f"?api-version={ARM_REGISTRY}"
BODY = {"location": "local", "sku": {"name": "Standard"}}


@pytest.fixture
def place(site, operator):
    """A subscription of its own with a group, in which a registry was made at this moment."""
    class Place:
        pass
    made = Place()
    made.subscription = site.command("subscription", "add", site.unique("Seen"))["subscriptionId"]
    made.scope = f"/subscriptions/{made.subscription}"
    made.group = f"{made.scope}/resourceGroups/{site.unique('seen')}"
    made.registries = f"{made.group}/providers/Microsoft.ContainerRegistry/registries/"
    operator.put(f"{made.group}?api-version={ARM_GROUP}", {"location": site.region}).expect(201)
    seen(site, operator, made)
    yield made
    operator.delete(f"{made.group}?api-version={ARM_GROUP}")


def seen(site, operator, place):
    """The first looks, the second need not."""
    for _ in range(2):
        place.registry = place.registries + site.unique("seen")
        operator.put(place.registry + V, BODY).expect(200)


def new(site, place):
    return place.registries + site.unique("seen") + V


def test_an_unregistered_provider_is_seen(site, operator, place):
    for name in [r["id"] for r in operator.get(place.registries[:-1] + V).json["value"]]:
        operator.delete(name + V).expect(200)
    provider = f"{place.scope}/providers/Microsoft.ContainerRegistry"
    operator.post(f"{provider}/unregister?api-version=2021-04-01").expect(200)
    refused = operator.put(new(site, place), BODY).expect(409)
    assert refused.json["error"]["code"] == "MissingSubscriptionRegistration"
    operator.post(f"{provider}/register?api-version=2021-04-01").expect(200)
    operator.put(new(site, place), BODY).expect(200)


def test_a_lock_is_seen(site, operator, place):
    lock = f"{place.group}/providers/Microsoft.Authorization/locks/hold?api-version=2016-09-01"
    operator.put(lock, {"properties": {"level": "ReadOnly"}}).expect(201)
    assert operator.put(new(site, place), BODY).expect(409).json["error"]["code"] == "ScopeLocked"
    operator.delete(lock).expect(200)
    operator.put(new(site, place), BODY).expect(200)


def test_a_group_that_goes_is_seen(site, operator, place):
    operator.delete(f"{place.group}?api-version={ARM_GROUP}").expect(202)
    refused = operator.put(new(site, place), BODY)
    assert refused.status in (404, 409)
    assert refused.json["error"]["code"] in ("ResourceGroupNotFound", "ResourceGroupBeingDeleted")


def test_the_name_of_a_group_is_its_last_one(site, operator, place):
    """arm-core 1.1: the casing of the last PUT. The id of what was made without a look had the group's name of a moment ago."""
    upper = place.group.rsplit("/", 1)[1].upper()
    operator.put(f"{place.scope}/resourceGroups/{upper}?api-version={ARM_GROUP}", {"location": site.region}).expect(200)
    assert f"/resourceGroups/{upper}/" in operator.put(new(site, place), BODY).expect(200).json["id"]


def test_ids_that_are_taken_meanwhile(site, operator, place):
    """A database that came back from an older state gives ids again that wait in the process: the create was answered with 500."""
    name = place.registry.rsplit("/", 1)[1].lower()
    taken = int(site.sql(f"select id from arm.resource where name_key = '{name}'")[0])
    site.sql("insert into arm.resource (id, group_id, subscription_id, type, type_key, name, name_key, location, state) overriding "
             f"system value select i, 0, '{place.subscription}', 'Test/taken', 'test/taken', i, i, '', 'Succeeded' from "
             f"generate_series({taken} + 1, {taken} + 31) i on conflict do nothing")
    try:
        for _ in range(3):
            operator.put(new(site, place), BODY).expect(200)
    finally:
        site.sql("delete from arm.resource where type_key = 'test/taken'")


def test_a_resource_that_is_there_is_updated(site, operator, place):
    before = operator.get(place.registry + V).json
    after = operator.put(place.registry + V, {**BODY, "tags": {"a": "b"}}).expect(200).json
    assert after["properties"]["creationDate"] == before["properties"]["creationDate"] and after["tags"] == {"a": "b"}


def test_a_name_that_another_has_is_refused(site, operator, place, registry):
    refused = operator.put(place.registries + registry.name + V, BODY).expect(409)
    assert refused.json["error"]["code"] == "AlreadyInUse" or "already in use" in refused.json["error"]["message"]


# arm-core 1.7: conditions are of what is there, not of what was taken for granted
def test_conditions_see_what_is_there(site, operator, place):
    operator.put(new(site, place), BODY, headers={"If-Match": "*"}).expect(412)
    operator.put(place.registry + V, BODY, headers={"If-None-Match": "*"}).expect(412)
    seen(site, operator, place)
    operator.put(place.registry + V, BODY, headers={"If-Match": "*"}).expect(200)


def test_a_right_that_is_taken_is_seen(site, operator, place):
    person = site.principal()
    assignment = site.assign(operator, person, CONTRIBUTOR, place.group)
    client = site.client_of(person)
    for _ in range(3):
        client.put(new(site, place), BODY).expect(200)
    site.unassign(operator, assignment)
    client.put(new(site, place), BODY).expect(403)


def test_ids_are_given_once(site, operator, place):
    """More creates at once than one block of ids, each with its own registry and times that do not run ahead."""
    names = [new(site, place) for _ in range(80)]
    token = site.token(*site.operator_secret())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda name: site.arm_client(token).put(name, BODY).expect(200).json, names))
    assert len({m["id"] for m in made}) == 80
    listed = operator.get(place.registries[:-1] + V).expect(200).json["value"]
    assert {m["id"] for m in made} <= {r["id"] for r in listed}
    for m in made:
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z", m["properties"]["creationDate"])
        assert operator.get(m["id"] + V).json["properties"]["creationDate"] == m["properties"]["creationDate"]
