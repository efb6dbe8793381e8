"""Limits of what is pushed: a registry's, its subscription's, the stamp's (decisions 36 and 37, S26; acr-resource-provider 7)."""
import concurrent.futures
import os
import time

import pytest

from harness.site import ARM_REGISTRY, digest_of, image_manifest

OCI = "application/vnd.oci.image.manifest.v1+json"
BYTES = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def quotas(site, registry):
    """Quotas end with the test: the site is shared."""
    yield site
    site.command("quota", "clear", "stamp")
    site.command("quota", "clear", "registry", registry.name)
    site.command("quota", "clear", "subscription", site.subscription)


def limit_of(operator, registry):
    rows = operator.get(f"{registry.id}/listUsages?api-version={ARM_REGISTRY}").expect(200).json["value"]
    return next(row["limit"] for row in rows if row["name"] == "Size")


def refused(answer, text):
    """S26: the known code, and a message that names the limit."""
    assert answer.status == 405 and answer.code == "REGISTRY_DISALLOWED_OPERATION", answer
    assert text in answer.message and "disallowed" in answer.message, answer.message


# decisions 36: sizes bind the very next push; what is there stays, and deleting is always allowed.
def test_a_registrys_quota_binds_the_next_push(quotas, operator, registry):
    client = registry.client()
    digest, size = registry.push_image(client, "q/app", "v1", [os.urandom(5000)])
    shown = quotas.command("quota", "set", "registry", registry.name.upper(), str(size))
    assert (shown["maximumBytes"], shown["setFor"], shown["usedBytes"]) == (size, "registry", size)
    assert limit_of(operator, registry) == size
    for _ in range(3):  # at once, and again from what is remembered
        refused(client.post("/v2/q/app/blobs/uploads/"), f"storage limit of {size} bytes")
    body = client.get("/v2/q/app/manifests/v1").body
    client.put("/v2/q/app/manifests/again", body, headers={"Content-Type": OCI}).expect(201)  # brings nothing
    client.get("/v2/q/app/manifests/v1").expect(200)
    client.delete(f"/v2/q/app/manifests/{digest}").expect(202)
    # What was deleted makes room at once, whatever the sweep has done by then.
    registry.push_image(client, "q/app", "v2", [os.urandom(4000)])
    quotas.command("quota", "clear", "registry", registry.name)
    registry.push_image(client, "q/app", "v3", [os.urandom(50000)])
    assert limit_of(operator, registry) == 100 << 30


# Exact under concurrency: of 12 images whose layers are there already, so many manifests as fit.
def test_a_registrys_quota_is_exact_under_concurrency(quotas, operator, registry):
    client = registry.client()
    config = b'{"architecture":"amd64","os":"linux"}'
    registry.push_blob(client, "q/many", config)
    layers = [os.urandom(1000) for _ in range(12)]
    for layer in layers:
        registry.push_blob(client, "q/many", layer)
    manifests = [image_manifest(config, [layer]) for layer in layers]
    each = 1000 + len(manifests[0])
    quotas.command("quota", "set", "registry", registry.name, str(len(config) + 5 * each + each - 1))

    def put(i):
        return registry.client().put(f"/v2/q/many/manifests/t{i}", manifests[i], headers={"Content-Type": OCI})

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(put, range(12)))
    assert sorted(a.status for a in answers) == [201] * 5 + [405] * 7, [a.status for a in answers]
    assert registry.usage(operator) == len(config) + 5 * each


# Uploads in progress are bounded: in mid-body, and by what sessions hold between their requests.
def test_sessions_that_wait_count(quotas, registry):
    client = registry.client()
    quotas.command("quota", "set", "registry", registry.name, "1M")
    held = client.post("/v2/q/idle/blobs/uploads/").expect(202).header("Location")
    held = client.patch(held, os.urandom(700 << 10), headers=BYTES).expect(202).header("Location")

    def turned_away():
        location = client.post("/v2/q/idle/blobs/uploads/").expect(202).header("Location")
        answer = client.patch(location, os.urandom(600 << 10), headers=BYTES)
        if answer.status == 202:
            client.delete(answer.header("Location")).expect(204)
        return answer.status == 405 and answer

    refused(quotas.wait_until(turned_away), "storage limit of 1048576 bytes")
    # The session itself goes on: its own bytes are not counted twice.
    held = client.patch(held, os.urandom(200 << 10), headers=BYTES).expect(202).header("Location")
    client.delete(held).expect(204)
    registry.push_image(client, "q/idle", "v1", [os.urandom(900 << 10)])


# Each unfinished upload is a file, however small, and files are what a file system has an end of.
def test_unfinished_uploads_are_bounded_in_number(quotas, registry):
    client = registry.client()
    opened = client.post("/v2/q/open/blobs/uploads/").expect(202).header("Location")
    held = client.post("/v2/q/open/blobs/uploads/").expect(202).header("Location")
    held = client.patch(held, b"some", headers=BYTES).expect(202).header("Location")
    number = f"(select id from acr.registry where login_key = '{registry.name}')"
    quotas.sql(f"insert into acr.upload (id, registry_id, repository) select gen_random_uuid(), {number}, 'q/many'"
               " from generate_series(1, 10000)")
    time.sleep(1.2)  # what was read is a second old at most
    for path in ("/v2/q/open/blobs/uploads/", f"/v2/q/open/blobs/uploads/?digest={digest_of(b'x')}"):
        answer = client.post(path, b"x" if "digest" in path else None, headers=BYTES).expect(429)
        assert answer.code == "TOOMANYREQUESTS" and "10000 unfinished uploads" in answer.message, answer
        assert answer.header("Retry-After")
    # One that was opened before and has had no body is as new; one that has had one goes on, and so does what makes none.
    client.patch(opened, b"x", headers=BYTES).expect(429)
    location = client.patch(held, b"more", headers=BYTES).expect(202).header("Location")
    client.put(f"{location}&digest={digest_of(b'somemore')}").expect(201)
    client.post(f"/v2/q/other/blobs/uploads/?mount={digest_of(b'somemore')}&from=q/open").expect(201)
    quotas.sql(f"delete from acr.upload where repository = 'q/many' and registry_id = {number}")
    registry.push_image(client, "q/open", "v1", [os.urandom(100)])  # at once, whatever was read before


def test_a_subscriptions_quota_holds_where_a_registry_has_none(quotas, operator, group, registry):
    client = registry.client()
    shown = quotas.command("quota", "set", "subscription", quotas.subscription, "--size", "20K")
    assert shown["maximumBytesOfARegistry"] == 20480 and shown["maximumRegistries"] is None
    assert limit_of(operator, registry) == 20480
    location = client.post("/v2/q/sub/blobs/uploads/").expect(202).header("Location")
    refused(client.patch(location, os.urandom(30000), headers=BYTES), "storage limit of 20480 bytes")
    quotas.command("quota", "set", "registry", registry.name, "64K")  # its own wins
    registry.push_blob(client, "q/sub", os.urandom(30000))
    quotas.command("quota", "clear", "registry", registry.name)
    quotas.command("quota", "set", "subscription", quotas.subscription, "--registries", "0")
    shown = next(s for s in quotas.command("quota", "list")["subscriptions"] if s["subscriptionId"] == quotas.subscription)
    assert (shown["maximumRegistries"], shown["maximumBytesOfARegistry"]) == (0, 20480)
    name = quotas.unique("reg")
    body = {"location": quotas.region, "sku": {"name": "Standard"}}
    path = f"{quotas.registry_id(group, name)}?api-version={ARM_REGISTRY}"
    answer = operator.put(path, body).expect(403)
    assert answer.json["error"]["code"] == "QuotaExceeded" and "registries" in answer.json["error"]["message"]
    operator.put(f"{registry.id}?api-version={ARM_REGISTRY}", {**body, "properties": {"adminUserEnabled": True}}).expect(200)
    quotas.command("quota", "clear", "subscription", quotas.subscription)
    operator.put(path, body).expect(200)
    assert limit_of(operator, registry) == 100 << 30


# Creators of one subscription follow each other where their number is limited.
def test_the_number_of_registries_is_exact_under_concurrency(site, operator):
    made = site.command("subscription", "add", site.unique("Team"))
    subscription = made["subscriptionId"]
    operator.put(f"/subscriptions/{subscription}/resourcegroups/g?api-version=2019-10-01",
                 {"location": site.region}).expect(201)
    site.command("quota", "set", "subscription", subscription, "--registries", "3")
    names = [site.unique("many") for _ in range(8)]

    def create(name):
        return operator.at("127.0.0.1").put(f"{site.registry_id('g', name, subscription)}?api-version={ARM_REGISTRY}",
                            {"location": site.region, "sku": {"name": "Basic"}}).status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(create, names)) == [200] * 3 + [403] * 5
    operator.delete(f"/subscriptions/{subscription}/resourcegroups/g?api-version=2019-10-01").expect(202)


# AllowPush: no further push a second after what is there has reached the stamp's limit, and again a second after it has not.
def test_the_stamps_limit_binds_within_a_second(quotas, operator, group, registry):
    client = registry.client()
    digest, size = registry.push_image(client, "q/stamp", "v1", [os.urandom(9000)])
    other = quotas.create_registry(operator, group)
    before = quotas.command("quota", "list")["stamp"]
    assert before["allowPush"] is True and before["maximumBytes"] is None and before["usedBytes"] >= size
    shown = quotas.command("quota", "set", "stamp", "1")
    assert shown["allowPush"] is False and shown["maximumBytes"] == 1
    time.sleep(1)  # the stated bound
    for pushed_to in (registry, other):
        answer = pushed_to.client().post("/v2/q/stamp/blobs/uploads/")
        refused(answer, "all registries together, 1 bytes")
    refused(client.put("/v2/q/stamp/manifests/x", image_manifest(*_known(registry, client)),
                       headers={"Content-Type": OCI}), "all registries together")
    client.get("/v2/q/stamp/manifests/v1").expect(200)
    client.delete(f"/v2/q/stamp/manifests/{digest}").expect(202)
    quotas.command("quota", "clear", "stamp")
    time.sleep(1)
    registry.push_image(client, "q/stamp", "v2", [os.urandom(100)])


def _known(registry, client):
    """A config that is there, without layers: a manifest that brings nothing but itself."""
    shown = client.get("/v2/q/stamp/manifests/v1").json
    return client.get(f"/v2/q/stamp/blobs/{shown['config']['digest']}").expect(200).body, []


def test_the_command_says_what_is_wrong(site):
    for words, said in ((["set", "registry", "nosuchregistry", "1G"], "there is no registry 'nosuchregistry'"),
                        (["set", "subscription", "nobody", "--size", "1G"], "there is no subscription 'nobody'"),
                        (["set", "stamp", "1X"], "'1X' is no size"),
                        (["set", "subscription", "x"], "usage: azsacrd quota"),
                        (["clear", "stamp", "x"], "usage: azsacrd quota"),
                        (["list", "--size", "1"], "usage: azsacrd quota")):
        done = site.command("quota", *words, check=False)
        assert done.returncode != 0 and said in done.stderr, (words, done.stderr)
