"""Many clients of one registry at once: nothing lost, nothing in between, usage exact.

Each is the short form of a proof: AZSACR_SECONDS, AZSACR_ROUNDS and AZSACR_CLIENTS make it long (tests/prove/registry-storm,
one-tag, re-pushed, many-pushes).
"""
import json
import os
import random
import signal
import threading
import time

import pytest

from harness.pushers import BYTES, CONFIG, IMAGE, Pusher, recount
from harness.site import digest_of, image_manifest

ROUNDS = int(os.environ.get("AZSACR_ROUNDS", 0))
SECONDS = float(os.environ.get("AZSACR_SECONDS", 4))
CLIENTS = int(os.environ.get("AZSACR_CLIENTS", 0))
KILLS = int(os.environ.get("AZSACR_KILLS", 1))


@pytest.fixture
def storm_registry(sweeping_site):
    arm = sweeping_site.operator()
    group = sweeping_site.unique("g")
    arm.put(f"/subscriptions/{sweeping_site.subscription}/resourcegroups/{group}?api-version=2019-10-01",
            {"location": sweeping_site.region}).expect(201)
    yield arm, sweeping_site.create_registry(arm, group)
    arm.delete(f"/subscriptions/{sweeping_site.subscription}/resourcegroups/{group}?api-version=2019-10-01").expect(202)


def together(acts):
    """Runs all at once; the first fault is raised."""
    faults = []

    def guarded(act):
        try:
            act()
        except BaseException as error:  # noqa: BLE001: raised again below
            faults.append(error)
    threads = [threading.Thread(target=guarded, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    return threads, faults


def join(threads, faults):
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


# S29, S10
def test_no_layer_is_lost_in_a_storm_of_pushes_pulls_deletes_and_kills(sweeping_site, storm_registry):
    """The sweep runs flat out and `serve` is killed meanwhile: a pull of a live image that a retry does not mend, or a push
    whose blobs are gone before its manifest comes, fails it."""
    site, (arm, registry) = sweeping_site, storm_registry
    seed = int(os.environ.get("AZSACR_SEED", 0)) or random.SystemRandom().randrange(1, 10**9)
    print(f"seed {seed}")
    lot = random.Random(seed)
    shared = [lot.randbytes(size) for size in (1, 500, 4096, 9000, 60_000)]
    count = CLIENTS or 20
    pushers = [Pusher(registry, f"storm/r{n}", f"{seed} {n}", shared) for n in range(count)]
    for pusher in pushers:
        pusher.mounts_from = [other.repository for other in pushers]
    over, kills = threading.Event(), []

    def work(pusher):
        turns = 0
        while not over.is_set() or turns < 3:  # a slow machine does something, too
            pusher.turn()
            turns += 1
    threads, faults = together([lambda p=pusher: work(p) for pusher in pushers])
    began = time.monotonic()
    while time.monotonic() < began + SECONDS and not faults:
        if len(kills) < KILLS and time.monotonic() > began + SECONDS * (len(kills) + 0.5) / KILLS:
            for pid in site.pids("serve"):
                os.kill(pid, signal.SIGKILL)
            kills.append(time.monotonic())
        time.sleep(0.05)
    over.set()
    join(threads, faults)
    site.wait_ready()
    assert registry.usage(arm) == recount(pushers)
    for pusher in pushers:
        for digest in pusher.live:
            pusher.pull(digest)
    assert "nothing is wrong" in site.command("check", "--store", "--deep")
    total = {name: sum(getattr(p, name) for p in pushers) for name in ("pushes", "pulls", "deletes", "repeats")}
    for pusher in pushers:
        for digest in list(pusher.live):
            pusher.delete(digest)
    assert registry.usage(arm) == 0
    print(f"{count} clients, {len(kills)} kills, {time.monotonic() - began:.0f} s: {total}; no layer lost, usage as recounted")


def test_two_manifests_for_one_new_tag_leave_one_of_them(storm_registry):
    _, registry = storm_registry
    contents = [(config := json.dumps({"n": n}).encode(), image_manifest(config, [])) for n in range(2)]
    clients = [registry.client() for _ in contents]
    for client, (config, _) in zip(clients, contents):
        registry.push_blob(client, "race/app", config)
    for number in range(ROUNDS or 15):
        if number % 3 == 0:  # the manifests are new, too
            for _, manifest in contents:
                clients[0].delete(f"/v2/race/app/manifests/{digest_of(manifest)}").expect(202, 404)
            for client, (config, _) in zip(clients, contents):
                registry.push_blob(client, "race/app", config)
        answers, start = [None, None], threading.Barrier(2)

        def put(i, number=number, answers=answers, start=start):
            start.wait()
            answers[i] = clients[i].put(f"/v2/race/app/manifests/n{number}", contents[i][1], headers=IMAGE)
        join(*together([lambda i=i: put(i) for i in range(2)]))
        assert [a.status for a in answers] == [201, 201], answers
        shown = clients[0].get(f"/v2/race/app/manifests/n{number}").expect(200)
        assert shown.body in [manifest for _, manifest in contents]
        assert shown.header("Docker-Content-Digest") == digest_of(shown.body)
        for _, manifest in contents:
            clients[0].get(f"/v2/race/app/manifests/{digest_of(manifest)}").expect(200)
        repository = clients[0].get("/acr/v1/race/app").expect(200).json
        assert (repository["manifestCount"], repository["tagCount"]) == (2, number % 3 + 1), repository
        listed = clients[0].get("/acr/v1/race/app/_tags").expect(200).json["tags"]
        assert {row["digest"] for row in listed if row["name"] == f"n{number}"} == {digest_of(shown.body)}


# data-plane 4: readers while a tag, manifest or blob link is rewritten
def test_readers_of_what_is_pushed_again_all_the_time(storm_registry):
    _, registry = storm_registry
    layers = [os.urandom(3000), os.urandom(5000)]
    manifests = [image_manifest(CONFIG, [layer]) for layer in layers]
    first = registry.client()
    for data in [CONFIG, *layers]:
        registry.push_blob(first, "again/app", data)
    for manifest in manifests:
        first.put("/v2/again/app/manifests/latest", manifest, headers=IMAGE).expect(201)
    over, read = threading.Event(), []

    def write(which):
        client = registry.client()
        while not over.is_set():
            for manifest in manifests if which else reversed(manifests):
                client.put("/v2/again/app/manifests/latest", manifest, headers=IMAGE).expect(201)
                client.put(f"/v2/again/app/manifests/{digest_of(manifest)}", manifest, headers=IMAGE).expect(201)
            client.post(f"/v2/again/app/blobs/uploads/?digest={digest_of(layers[which])}", layers[which],
                        headers=BYTES).expect(201)
            client.post(f"/v2/again/app/blobs/uploads/?mount={digest_of(CONFIG)}&from=again/app").expect(201)

    def look(number):
        client = registry.client()
        for turn in range(ROUNDS or 60):
            layer, manifest = layers[turn % 2], manifests[turn % 2]
            by_tag = client.get("/v2/again/app/manifests/latest").expect(200)
            assert by_tag.body in manifests and by_tag.header("Docker-Content-Digest") == digest_of(by_tag.body)
            head = client.head("/v2/again/app/manifests/latest").expect(200)
            assert head.header("Docker-Content-Digest") in [digest_of(m) for m in manifests]
            assert client.get(f"/v2/again/app/manifests/{digest_of(manifest)}").expect(200).body == manifest
            assert client.get(f"/v2/again/app/blobs/{digest_of(layer)}").expect(200).body == layer
            client.head(f"/v2/again/app/blobs/{digest_of(CONFIG)}").expect(200)
            assert client.get("/v2/again/app/tags/list").expect(200).json["tags"] == ["latest"]
            tag = client.get("/acr/v1/again/app/_tags/latest").expect(200).json["tag"]
            assert tag["digest"] in [digest_of(m) for m in manifests]
            read.append(number)
    writers = together([lambda which=which: write(which) for which in range(2)])
    try:
        join(*together([lambda n=n: look(n) for n in range(4)]))
    finally:
        over.set()
        join(*writers)
    print(f"{len(read) * 7} reads by 4 clients beside 2 that push the same again: each answered, each one of the pushed contents")


def test_many_pushes_at_once_hold_few_database_connections(sweeping_site, storm_registry):
    site, (arm, registry) = sweeping_site, storm_registry
    count, rounds = CLIENTS or 60, ROUNDS or 1
    start, over, seen = threading.Barrier(count), threading.Event(), []
    pushed = []

    def push(number):
        client = registry.client()
        client.get("/v2/").expect(200)  # the connection is there: what follows begins at once for all
        start.wait(120)
        for turn in range(rounds):
            layer = b"%d %d " % (number, turn) + os.urandom(2000)
            _, size = registry.push_image(client, f"many/r{number % 10}", f"t{number}-{turn}", [layer], CONFIG)
            pushed.append(size - len(CONFIG))

    def watch():
        while not over.wait(0.1):
            seen.append(int(site.sql("select count(*) from pg_stat_activity where backend_type = 'client backend'")[0]))
    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    try:
        join(*together([lambda n=n: push(n) for n in range(count)]))
    finally:
        over.set()
        watcher.join()
    assert registry.usage(arm) == sum(pushed) + len(CONFIG)
    # docs/operations.md, Sizing: what one serve holds, and who looks here.
    assert max(seen, default=0) <= 2 + 8 + 2 + 16 + 5 + 3, seen
    print(f"{len(pushed)} images by {count} clients at once in {time.monotonic() - began:.1f} s, no error; "
          f"{max(seen, default=0)} database connections at most")
