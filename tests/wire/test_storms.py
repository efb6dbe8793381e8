"""Many clients at once: nothing half there, no decision missed, usage exact to the byte."""
import collections
import json
import random
import threading

from harness.site import READER, digest_of, image_manifest

REGISTRY, GROUP = "?api-version=2019-05-01", "?api-version=2019-10-01"
IMAGE = "application/vnd.oci.image.manifest.v1+json"


def together(*acts):
    faults = []

    def run(act):
        try:
            act()
        except Exception as fault:  # noqa: BLE001 (shown below)
            faults.append(fault)
    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults


def fresh(site, operator):
    return site.arm_client(operator.headers["Authorization"].split()[1])


def test_eight_clients_create_and_delete_one_name(site, operator, group):
    other, name, seen = site.unique("g"), site.unique("same"), collections.Counter()
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{other}{GROUP}", {"location": site.region}).expect(201)

    def act(where):
        client = fresh(site, operator)
        for _ in range(8):
            url = site.registry_id(where, name) + REGISTRY
            seen["put", client.put(url, {"location": site.region, "sku": {"name": "Standard"}}).status] += 1
            seen["patch", client.patch(url, {"tags": {"a": "b"}}).status] += 1
            seen["delete", client.delete(url).status] += 1
    together(*[lambda where=where: act(where) for where in (group, other) * 4])
    assert set(seen) <= {("put", 200), ("put", 409), ("patch", 200), ("patch", 404), ("delete", 200), ("delete", 204)}, seen
    created = site.create_registry(operator, group, name=name)
    operator.delete(created.id + REGISTRY).expect(200)


def test_a_group_goes_while_registries_come(site, operator):
    group, seen = site.unique("going"), collections.Counter()
    url = f"/subscriptions/{site.subscription}/resourcegroups/{group}{GROUP}"

    def groups():
        client = fresh(site, operator)
        for _ in range(6):
            seen["group", client.put(url, {"location": site.region}).status] += 1
            seen["group", client.delete(url).status] += 1

    def registries(k):
        client = fresh(site, operator)
        for i in range(20):
            made = client.put(site.registry_id(group, f"going{k}x{i}") + REGISTRY,
                              {"location": site.region, "sku": {"name": "Standard"}})
            seen["registry", made.status] += 1
            if made.status not in (200, 404, 409):
                raise AssertionError(made)
    together(groups, *[lambda k=k: registries(k) for k in range(4)])
    assert {status for _, status in seen} <= {200, 201, 202, 404, 409}, seen
    operator.put(url, {"location": site.region}).expect(200, 201, 409)


def test_grants_and_revocations_in_a_storm_hold_at_once(site, operator, registry):
    def act():
        principal, owner = site.principal(), fresh(site, operator)
        reader = site.client_of(principal)
        for _ in range(12):
            assignment = site.assign(owner, principal, READER, registry.id)
            reader.get(registry.id + REGISTRY).expect(200)
            site.unassign(owner, assignment)
            reader.get(registry.id + REGISTRY).expect(403)
    together(*[act] * 6)


def counted(registry, client, repositories):
    """What the pulled manifests say: their bytes, and each blob once."""
    manifests, blobs = 0, {}
    for repository in repositories:
        listed = client.get(f"/acr/v1/{repository}/_manifests?n=1000")
        for row in listed.json["manifests"] if listed.status == 200 else []:
            body = client.get(f"/v2/{repository}/manifests/{row['digest']}").expect(200).body
            manifests += len(body)
            for part in [json.loads(body)["config"], *json.loads(body)["layers"]]:
                blobs[part["digest"]] = part["size"]
                head = client.head(f"/v2/{repository}/blobs/{part['digest']}").expect(200)
                assert int(head.header("Content-Length")) == part["size"]
    return manifests + sum(blobs.values())


def test_usage_is_exact_after_a_storm(site, operator, registry):
    chosen = random.Random(7)
    layers = [chosen.randbytes(size) for size in (10, 100, 1000, 5000, 7, 70, 700)]
    configs = [json.dumps({"n": n}).encode() for n in range(3)]
    repositories = ["r0", "r1", "r2"]

    def blob(client, repository, data, lot):
        start = f"/v2/{repository}/blobs/uploads/"
        if lot.random() < 0.4:
            start += f"?mount={digest_of(data)}&from={lot.choice(repositories)}"
        answer = client.post(start).expect(201, 202)
        if answer.status == 202:
            client.put(f"{answer.header('Location')}&digest={digest_of(data)}", data,
                       headers={"Content-Type": "application/octet-stream"}).expect(201)

    def act(seed):
        lot, client = random.Random(seed), registry.client()
        for _ in range(20):
            repository, what = lot.choice(repositories), lot.random()
            parts, config = lot.sample(layers, lot.randrange(1, 4)), lot.choice(configs)
            manifest = image_manifest(config, parts)
            if what < 0.65:
                for data in [config, *parts]:
                    blob(client, repository, data, lot)
                client.put(f"/v2/{repository}/manifests/t{lot.randrange(4)}", manifest,
                           headers={"Content-Type": IMAGE}).expect(201, 404)
            elif what < 0.85:
                client.delete(f"/v2/{repository}/manifests/{digest_of(manifest)}").expect(202, 404)
            elif what < 0.93:
                client.delete(f"/acr/v1/{repository}/_tags/t{lot.randrange(4)}").expect(202, 404)
            else:
                client.delete(f"/acr/v1/{repository}").expect(202, 404)
    together(*[lambda seed=seed: act(seed) for seed in range(8)])
    client = registry.client()
    assert registry.usage(operator) == counted(registry, client, repositories) > 0
    for repository in repositories:
        client.delete(f"/acr/v1/{repository}").expect(202, 404)
    assert registry.usage(operator) == 0


def test_one_upload_session_in_many_hands(registry):
    octets = {"Content-Type": "application/octet-stream"}
    data = bytes(range(256)) * 4000
    for _ in range(4):
        location, seen = registry.client().post("/v2/u/blobs/uploads/").expect(202).header("Location"), []
        together(*[lambda: seen.append(registry.client().put(f"{location}&digest={digest_of(data)}", data, headers=octets).status)
                   for _ in range(3)])
        assert 201 in seen and set(seen) <= {201, 404, 409, 416}, seen
        assert registry.client().get(f"/v2/u/blobs/{digest_of(data)}").expect(200).body == data
        location, seen = registry.client().post("/v2/u/blobs/uploads/").expect(202).header("Location"), []
        together(*[lambda: seen.append(registry.client().patch(
            location, data[:100], headers={**octets, "Content-Range": "0-99"}).status) for _ in range(4)])
        assert seen.count(202) == 1 and set(seen) <= {202, 416, 409}, seen
        assert registry.client().get(location).expect(204).header("Range") == "0-99"
        location, seen = registry.client().post("/v2/u/blobs/uploads/").expect(202).header("Location"), []
        together(lambda: seen.append(registry.client().patch(location, data, headers=octets).status),
                 lambda: seen.append(registry.client().delete(location).status))
        assert set(seen) <= {202, 204, 404, 409}, seen


def test_uploads_that_begin_together_are_decided_each_by_its_own(site, operator, group, registry):
    """The read lane asks for several at once with one statement: each is answered from its own row."""
    other = site.create_registry(operator, group)
    other.await_host()
    for place, repository in ((registry, "begin/shut"), (other, "begin/open"), (registry, "begin/open")):
        place.push_image(place.client(), repository, "1", [b"together" + repository.encode()])
    registry.client().patch("/acr/v1/begin/shut", {"writeEnabled": False}).expect(200)
    # A body first, so that both registries were read a moment ago and what follows is the read lane's.
    wanted = [(registry, "begin/open", 202), (registry, "begin/shut", 405), (other, "begin/open", 202),
              (other, "begin/shut", 202), (registry, "begin/new", 202)]
    seen = []

    def begin(turn):
        clients = {place: place.client() for place in (registry, other)}
        for i in range(20):
            place, repository, status = wanted[(turn + i) % len(wanted)]
            answer = clients[place].post(f"/v2/{repository}/blobs/uploads/")
            seen.append((repository, status, answer.status))
            if answer.status == 202:
                assert answer.header("Location").startswith(f"/v2/{repository}/blobs/uploads/")
    together(*[lambda turn=turn: begin(turn) for turn in range(8)])
    assert [s for s in seen if s[1] != s[2]] == [] and len(seen) == 160
    registry.client().patch("/acr/v1/begin/shut", {"writeEnabled": True}).expect(200)
