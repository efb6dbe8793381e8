"""A publish and a sweep of the same digest by two `serve`, either held at each named step: no lost layer.

Every round makes a fresh image, deletes its manifest, so that the sweep of one replica takes its blobs at once, and pushes
the same bytes again through the other while one of the two stands still at one step (docs/store.md names them). What
holds whichever comes first: a blob that was answered 201 takes a manifest within the grace, and what a manifest that was
answered 201 refers to can be pulled, whole, from both. All of it is pulled once more at the end.
"""
import itertools
import os
import pathlib
import random
import threading
import time

import pytest

from harness.replica import Replica
from harness.site import Site, digest_of, image_manifest

ROUNDS = int(os.environ.get("AZSACR_ROUNDS", 20))
GRACE = 1.5  # seconds that a blob waits for its manifest here, instead of an hour
MANIFEST = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
SWEEP_STEPS = ["sweep.locked", "sweep.before_commit", "sweep.before_unlink", "sweep.after_unlink"]
PUBLISH_STEPS = ["publish.before_sync", "publish.before_transaction", "publish.before_blob", "publish.before_commit",
                 "publish.after_commit"]
MANIFEST_STEPS = ["manifest.before_lock", "manifest.locked", "manifest.before_commit"]


class Failpoints:
    """The armed steps of one process."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir()
        self.numbers = itertools.count()

    def hold(self, step):
        file = self.directory / f"hold{next(self.numbers)}"
        file.touch()
        armed = self.directory / f"{step}.armed"
        armed.write_text(f"hold:{file}\n")
        armed.rename(self.directory / step)
        return Hold(file, self.directory / step)


class Hold:
    def __init__(self, file, step):
        self.file, self.step = file, step
        self.mark = pathlib.Path(f"{file}.reached")

    def reached(self, seconds=8):
        deadline = time.monotonic() + seconds
        while not self.mark.exists():
            assert time.monotonic() < deadline, f"{self.step.name} was not reached in {seconds} s"
            time.sleep(0.002)

    def release(self):
        self.step.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)
        self.mark.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    directory = tmp_path_factory.mktemp("sweep")
    times = {"AZSACR_SWEEP_GRACE_MS": str(int(GRACE * 1000)), "AZSACR_SWEEP_TICK_MS": "20", "AZSACR_SWEEP_REST": "0"}
    publisher, sweeper = Failpoints(directory / "publisher"), Failpoints(directory / "sweeper")
    # The publisher's own sweep stands aside, so that it is the other replica that takes what is pushed here.
    publisher.hold("sweep.begin")
    site = Site(directory / "state", port=9447, region="sweep",
                environment={**times, "AZSACR_LISTEN": "127.0.0.1", "AZSACR_FAILPOINT_DIRECTORY": str(publisher.directory)}
                ).start()
    replica = Replica(site, environment={**times, "AZSACR_FAILPOINT_DIRECTORY": str(sweeper.directory)})
    try:
        replica.start()
        yield site, replica, publisher, sweeper
    finally:
        for armed in (publisher, sweeper):
            for file in armed.directory.glob("hold*"):
                file.unlink()
        replica.stop()
        site.stop()


class Round:
    def __init__(self, pair, registry, number):
        self.site, self.replica, self.publisher, self.sweeper = pair
        self.registry, self.name = registry, f"r{number % 7}/app"
        self.here = registry.client()               # where it is pushed
        self.there = self.replica.of(registry.client())  # whose sweep takes it
        self.layer = os.urandom(random.randrange(1, 20_000))
        self.config = b'{"architecture":"amd64","os":"linux","n":"%s"}' % os.urandom(8).hex().encode()
        self.blobs = [self.config, self.layer]
        self.manifest = image_manifest(self.config, [self.layer])
        self.digest = digest_of(self.manifest)
        self.pushed_at, self.repeats = 0, 0

    def push_blobs(self, client=None):
        self.pushed_at = time.monotonic()  # the first blob's grace ends first
        for blob in self.blobs:
            self.registry.push_blob(client or self.here, self.name, blob)

    def put_manifest(self, client=None):
        return (client or self.here).put(f"/v2/{self.name}/manifests/{self.digest}", self.manifest, headers=MANIFEST)

    def complete(self):
        """The manifest, as a client brings it: within the grace it must be taken."""
        for _ in range(10):
            began = self.pushed_at
            answer = self.put_manifest()
            if answer.status == 201:
                return
            assert answer.code == "MANIFEST_BLOB_UNKNOWN", answer
            assert time.monotonic() - began > GRACE, f"a layer was lost {time.monotonic() - began:.3f} s after its push"
            self.repeats += 1
            self.push_blobs()
        raise AssertionError("the manifest was refused ten times")

    def verify(self):
        for client in (self.here, self.there):
            for blob in self.blobs:
                assert client.get(f"/v2/{self.name}/blobs/{digest_of(blob)}").expect(200).body == blob

    def delete_manifest(self):
        """Its blobs are due at once: referred to no more, and nobody was told that they exist."""
        for _ in range(20):  # a held step may keep the registry's lock for longer than a statement waits
            if self.there.delete(f"/v2/{self.name}/manifests/{self.digest}").expect(202, 503).status == 202:
                return
        raise AssertionError("the manifest could not be deleted")


def in_thread(act):
    failures = []

    def guarded():
        try:
            act()
        except BaseException as error:  # noqa: BLE001: raised again by join
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()

    def join():
        thread.join(60)
        assert not thread.is_alive()
        if failures:
            raise failures[0]
    return join


def hold_the_sweep(round_, step):
    round_.push_blobs()
    round_.complete()
    hold = round_.sweeper.hold(step)
    try:
        deleted = in_thread(round_.delete_manifest)
        hold.reached()
        pushed = in_thread(round_.push_blobs)
        time.sleep(random.random() * 0.1)
    finally:
        hold.release()
    deleted()
    pushed()
    round_.complete()


def hold_the_publish(round_, step):
    round_.push_blobs()
    round_.complete()
    hold = round_.publisher.hold(step)
    try:
        pushed = in_thread(round_.push_blobs)
        hold.reached()
        deleted = in_thread(round_.delete_manifest)
        time.sleep(0.06 + random.random() * 0.1)  # the sweep looks every 20 ms
    finally:
        hold.release()
    pushed()
    deleted()
    round_.complete()


def hold_the_manifest(round_, step):
    """The manifest of another repository's name for the same blobs, while the last that held them goes."""
    round_.push_blobs()
    round_.complete()
    hold, other = round_.publisher.hold(step), Round.__new__(Round)
    other.__dict__.update(round_.__dict__)
    other.name, other.here = round_.name + "/second", round_.registry.client()
    for blob in other.blobs:  # linked there, so that the manifest may refer to them
        other.here.post(f"/v2/{other.name}/blobs/uploads/?mount={digest_of(blob)}&from={round_.name}").expect(201)
    answers = []
    try:
        put = in_thread(lambda: answers.append(other.put_manifest()))
        hold.reached()
        deleted = in_thread(round_.delete_manifest)
        time.sleep(0.06 + random.random() * 0.1)
    finally:
        hold.release()
    put()
    deleted()
    if answers[0].status != 201:
        assert answers[0].code == "MANIFEST_BLOB_UNKNOWN", answers
        other.push_blobs(other.here)
        other.complete()
    other.verify()
    round_.name = other.name


def test_no_layer_is_lost(pair):
    site, replica, *_ = pair
    arm = site.operator()
    arm.put(f"/subscriptions/{site.subscription}/resourcegroups/g?api-version=2019-10-01",
            {"location": site.region}).expect(200, 201)
    registry = site.create_registry(arm, "g")
    steps = ([(hold_the_sweep, s) for s in SWEEP_STEPS] + [(hold_the_publish, s) for s in PUBLISH_STEPS] +
             [(hold_the_manifest, s) for s in MANIFEST_STEPS])
    rounds, repeats, began = [], 0, time.monotonic()
    for number in range(ROUNDS):
        act, step = steps[number % len(steps)]
        round_ = Round(pair, registry, number)
        try:
            act(round_, step)
            round_.verify()
        except BaseException as error:
            said = "\n".join(line for log in (site.log(), replica.log()) for line in log.splitlines()[-400:]
                             if "error" in line or "warning" in line or "crit" in line)
            raise AssertionError(f"round {number}, {step}: {error}\n{said[-6000:]}") from error
        for client in (round_.here, round_.there):
            client.close()
        repeats += round_.repeats
        rounds.append((round_.name, round_.blobs))
    time.sleep(GRACE + 1)  # all that is not referred to goes now
    for client in (registry.client(), replica.of(registry.client())):
        for name, blobs in rounds:
            for blob in blobs:
                assert client.get(f"/v2/{name}/blobs/{digest_of(blob)}").expect(200).body == blob
    assert "nothing is wrong" in site.command("check", "--store", "--deep")
    print(f"{len(rounds)} rounds over {len(steps)} steps in {time.monotonic() - began:.0f} s: no layer lost, "
          f"{repeats} pushes repeated after the grace of {GRACE} s had passed")
