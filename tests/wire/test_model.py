"""Random operations of several clients against a model, with kills of `serve` in between (harness/model.py, model_steps.py).

A round is a stretch in which one client acts at a time and everything common is compared after each step, with an image at the
very limit of a quota at its end, and one in which all act at once; every second round `serve` is killed meanwhile, and what was
asked is asked again (S29: it does no harm). What a client does follows from the seed alone: AZSACR_SEED repeats a run,
AZSACR_ROUNDS makes it longer, AZSACR_QUIET=1 leaves the kills out; with AZSACR_REPLICA=1 there are two `serve`, each client asks
them in turn, and either is killed. `script/prove model` is the long form.
"""
import collections
import os
import random
import signal
import threading
import time

import pytest

from harness.model import Content, Fire, Owner, live_blobs_of, usage_of, usage_rows
from harness.model_steps import put_at_the_limit, step
from harness.replica import Replica
from harness.site import CONTRIBUTOR

ROUNDS = int(os.environ.get("AZSACR_ROUNDS", 2))
SEED = int(os.environ.get("AZSACR_SEED", 0)) or random.SystemRandom().randrange(1, 10**9)
ALONE, TOGETHER = 12, 14  # steps of a round
SCOPES = "pull,push,delete,metadata_read,metadata_write"


@pytest.fixture(scope="module")
def model_registry(sweeping_site):
    arm = sweeping_site.operator()
    group = sweeping_site.unique("model")
    arm.put(f"/subscriptions/{sweeping_site.subscription}/resourcegroups/{group}?api-version=2019-10-01",
            {"location": sweeping_site.region}).expect(201)
    return arm, sweeping_site.create_registry(arm, group)


def bearer(registry, *repositories):
    """A token as a client asks for it: for these repositories and the catalog."""
    scope = " ".join([*(f"repository:{name}:{SCOPES}" for name in repositories), "registry:catalog:*"])
    return registry.client(anonymous=True).post("/oauth2/token", form={
        "grant_type": "password", "username": registry.username, "password": registry.password, "service": registry.server,
        "scope": scope}).expect(200).json["access_token"]


@pytest.fixture(scope="module")
def replica(sweeping_site):
    """The second `serve`, or None."""
    if os.environ.get("AZSACR_REPLICA") != "1":
        yield None
        return
    made = Replica(sweeping_site, environment=sweeping_site.environment)
    try:
        yield made.start()
    finally:
        made.stop()


def make_owners(site, arm, registry, fire, replica):
    principal = site.principal()
    site.assign(arm, principal, CONTRIBUTOR, registry.id)
    clients = [registry.client(), registry.client(principal["appId"], principal["secret"]),
               registry.client(token=bearer(registry, "two/app", "two/team/lib")), registry.client()]
    content = Content(SEED)
    places = [[client, replica.of(client)] if replica else [client] for client in clients]
    return [Owner(name, place, content, fire, SEED) for name, place in zip(("none", "one", "two", "three"), places)]


class Run:
    def __init__(self, site, arm, registry, replica):
        self.site, self.arm, self.registry, self.fire, self.replica = site, arm, registry, Fire(), replica
        self.owners = make_owners(site, arm, registry, self.fire, replica)
        self.lot, self.did, self.kills = random.Random(f"{SEED} order"), collections.Counter(), 0
        self.quiet = os.environ.get("AZSACR_QUIET") == "1"

    def compare(self):
        """What is common to all clients: exact, and at once."""
        owner = self.owners[0]
        catalog = sorted(name for o in self.owners for name in o.in_catalog())
        assert owner.walk("/v2/_catalog", "repositories", self.lot.choice((1, 3, 100))) == catalog
        assert self.registry.usage(self.arm) == usage_of(self.owners)
        rows = owner.walk("/acr/v1/_usage", "repositories", self.lot.choice((2, 100)))
        assert [r["name"] for r in rows] == catalog
        assert {r["name"]: (r["manifestCount"], r["manifestBytes"], r["uniqueBytes"], r["sharedBytes"])
                for r in rows} == usage_rows(self.owners)

    def limit(self, size):
        """What the registry may hold."""
        if size is None:
            self.site.command("quota", "clear", "registry", self.registry.name)
        else:
            self.site.command("quota", "set", "registry", self.registry.name, str(size))

    def at_the_limit(self):
        owner = self.lot.choice(self.owners)
        put_at_the_limit(owner, usage_of(self.owners), live_blobs_of(self.owners), self.limit)
        for name in owner.names:
            owner.verify(name)
        self.compare()

    def act(self, owner):
        self.did[step(owner)] += 1
        for name in owner.names:
            owner.verify(name)

    def alone(self):
        for _ in range(ALONE):
            self.act(self.lot.choice(self.owners))
            self.compare()
        self.at_the_limit()

    def together(self, kill):
        faults, self.fire.burning = [], kill

        def all_of(owner):
            try:
                for _ in range(TOGETHER):
                    self.act(owner)
            except BaseException as error:  # noqa: BLE001: raised again below
                faults.append(error)
        threads = [threading.Thread(target=all_of, args=(owner,)) for owner in self.owners]
        for thread in threads:
            thread.start()
        if kill:
            time.sleep(self.lot.random())
            self.kill()
        for thread in threads:
            thread.join()
        self.site.wait_ready()
        if self.replica:
            self.replica.wait_ready()
        self.fire.burning = False
        if faults:
            raise faults[0]

    def kill(self):
        self.kills += 1
        if self.replica and self.lot.random() < 0.5:
            self.replica.kill_serve()
            return
        for pid in self.serve():
            os.kill(pid, signal.SIGKILL)

    def serve(self):
        """Those of the site; the replica's has the same state directory."""
        return [pid for pid in self.site.pids("serve") if not self.replica or pid != self.replica.serve.pid]

    def verify(self):
        self.compare()
        for owner in self.owners:
            for name in owner.names:
                owner.verify(name)
                owner.verify_content(name)

    def clear(self):
        """Everything goes; nothing is left that counts, and nothing that nobody names."""
        for owner in self.owners:
            for name in owner.names:
                repository = owner.repositories.get(name)
                if repository is None or not repository.manifests:
                    continue
                opened = {"deleteEnabled": True, "writeEnabled": True}
                owner.clients[0].patch(f"/acr/v1/{name}", opened).expect(200)
                for digest in repository.manifests:
                    owner.clients[0].patch(f"/acr/v1/{name}/_manifests/{digest}", opened).expect(200)
                for tag in repository.tags:
                    owner.clients[0].patch(f"/acr/v1/{name}/_tags/{tag}", opened).expect(200)
                owner.clients[0].delete(f"/acr/v1/{name}").expect(202)
        assert self.registry.usage(self.arm) == 0


def test_random_operations_keep_to_the_model(sweeping_site, model_registry, replica):
    arm, registry = model_registry
    run, began = Run(sweeping_site, arm, registry, replica), time.monotonic()
    print(f"seed {SEED}: AZSACR_SEED={SEED} AZSACR_ROUNDS={ROUNDS} repeats this run")
    for number in range(ROUNDS):
        try:
            run.alone()
            run.together(kill=number % 2 == 1 and not run.quiet)
            run.verify()
        except BaseException as error:
            last = "\n".join(line for line in sweeping_site.log().splitlines()[-300:] if "error" in line)
            raise AssertionError(f"AZSACR_SEED={SEED}, round {number}: {error!r}\n{last[-3000:]}") from error
        if number % 10 == 9:
            print(f"{number + 1} rounds, {sum(run.did.values())} steps, {time.monotonic() - began:.0f} s", flush=True)
    run.clear()
    assert "nothing is wrong" in sweeping_site.command("check", "--store", "--deep")
    print(f"{sum(run.did.values())} steps of {len(run.owners)} clients in {ROUNDS} rounds and {time.monotonic() - began:.0f} s, "
          f"{run.kills} kills of serve, {run.fire.repeats} requests repeated: {dict(run.did)}")
