"""Two `serve` on one store and one database: what one did holds on the other for the very next request."""
import hashlib
import os
import time

import pytest

from harness.replica import Replica
from harness.site import ACR_PULL, READER, Site, digest_of

ROUNDS = int(os.environ.get("AZSACR_ROUNDS", 50))
GROUPS = "api-version=2019-10-01"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("pair") / "state", port=9446, region="pair",
                environment={"AZSACR_LISTEN": "127.0.0.1"}).start()
    replica = Replica(site)
    try:
        replica.start()
        yield site, replica
    finally:
        replica.stop()
        site.stop()


@pytest.fixture
def registry(pair):
    site, _ = pair
    arm = site.operator()
    arm.put(f"/subscriptions/{site.subscription}/resourcegroups/g?{GROUPS}", {"location": site.region}).expect(200, 201)
    return site.create_registry(arm, "g")


def test_patch_on_one_patch_and_put_on_the_other(pair, registry):
    _, replica = pair
    one = registry.client()
    other = replica.of(registry.client())
    bytes_ = {"Content-Type": "application/octet-stream"}
    first, second, third = os.urandom(300_000), os.urandom(1), os.urandom(70_000)
    location = one.post("/v2/team/app/blobs/uploads/").expect(202).header("Location")
    location = one.patch(location, first, headers=bytes_).expect(202).header("Location")
    location = other.patch(location, second, headers=bytes_).expect(202).header("Location")
    assert one.get(location).expect(204).header("Range") == f"0-{len(first)}"
    location = one.patch(location, third, headers=bytes_).expect(202).header("Location")
    whole = first + second + third
    other.put(f"{location}&digest={digest_of(whole)}").expect(201)
    for client in (one, other):
        assert client.get(f"/v2/team/app/blobs/{digest_of(whole)}").expect(200).body == whole
    # POST on one, the whole of it in the PUT on the other; and the next the other way round.
    for here, there in ((one, other), (other, one)):
        data = os.urandom(5000)
        location = here.post("/v2/team/app/blobs/uploads/").expect(202).header("Location")
        there.put(f"{location}&digest={digest_of(data)}", data, headers=bytes_).expect(201)
        assert hashlib.sha256(here.get(f"/v2/team/app/blobs/{digest_of(data)}").expect(200).body).digest() == \
            hashlib.sha256(data).digest()


def test_a_grant_on_one_holds_on_the_other(pair, registry):
    site, replica = pair
    registry.push_image(registry.client(), "team/app", "v1", [b"layer"])
    principal = site.principal()
    arms = [site.operator(), replica.of(site.operator())]
    pulls = [registry.client(principal["appId"], principal["secret"])]
    pulls.append(replica.of(pulls[0]))
    reads = [site.client_of(principal)]
    reads.append(replica.of(reads[0]))
    for i in range(ROUNDS):
        here, there = i % 2, 1 - i % 2
        pulls[there].get("/v2/team/app/manifests/v1").expect(401)
        reads[there].get(f"{registry.id}?api-version=2019-05-01").expect(403)
        pull = site.assign(arms[here], principal, ACR_PULL, registry.id)
        pulls[there].get("/v2/team/app/manifests/v1").expect(200)
        read = site.assign(arms[here], principal, READER, registry.id)
        reads[there].get(f"{registry.id}?api-version=2019-05-01").expect(200)
        site.unassign(arms[here], read)  # first: a Reader may pull, too (*/read)
        reads[there].get(f"{registry.id}?api-version=2019-05-01").expect(403)
        site.unassign(arms[here], pull)
        pulls[there].get("/v2/team/app/manifests/v1").expect(401)


def test_a_registry_of_one_is_served_by_the_other_at_once(pair, registry):
    site, replica = pair
    arm, other = site.operator(), replica.of(site.operator())
    for i in range(10):
        made = site.create_registry(arm if i % 2 else other, "g")
        replica.of(made.client()).get("/v2/").expect(200)
        # Connected before: its name leaves the hosts file with it.
        made.await_host()
        client = made.client()
        client.get("/v2/").expect(200)
        (other if i % 2 else arm).delete(f"{made.id}?api-version=2019-05-01").expect(200)
        assert client.get("/v2/").status in (401, 404)


def test_a_group_is_deleted_by_one_of_them_once(pair):
    site, replica = pair
    arm, other = site.operator(), replica.of(site.operator())
    group = f"/subscriptions/{site.subscription}/resourcegroups/going"
    arm.put(f"{group}?{GROUPS}", {"location": site.region}).expect(201)
    registries = [site.create_registry(arm, "going") for _ in range(4)]
    answer = arm.delete(f"{group}?{GROUPS}").expect(202)
    location, deadline = answer.header("Location"), time.monotonic() + 60
    while (polled := other.get(location)).status == 202:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert polled.status == 200
    for client in (arm, other):
        client.get(f"{group}?{GROUPS}").expect(404)
        for registry in registries:
            client.get(f"{registry.id}?api-version=2019-05-01").expect(404)
    # The group is free again and whole: nobody deletes it a second time.
    other.put(f"{group}?{GROUPS}", {"location": site.region}).expect(201)
    again = site.create_registry(other, "going")
    time.sleep(3)
    arm.get(f"{again.id}?api-version=2019-05-01").expect(200)
