"""Deletes a group of many registries while the `serve` that works on it is killed again and again, and once frozen past its
lease; the Location must end in 200, and nothing may be left."""
import concurrent.futures
import os
import signal
import time

V = "?api-version=2019-10-01"
FROZEN_SECONDS = 3  # at least: past the lease of 2 s, and until the other has gone on, which it can when PostgreSQL has ended the
# frozen one's idle transaction (10 s)


def until(true, seconds, what):
    deadline = time.monotonic() + seconds
    while not (came := true()):
        assert time.monotonic() < deadline, f"{what}: not in {seconds} s"
        time.sleep(0.05)
    return came


class Fire:
    def __init__(self, site, replica, group):
        self.site, self.replica, self.group = site, replica, group
        self.kills = {"site": 0, "replica": 0}

    def left(self):
        row = self.site.sql("select count(*) from arm.resource r join arm.resource_group g on g.id = r.group_id where "
                            f"g.name_key = '{self.group}'")
        return int(row[0])

    def job(self):
        return self.site.sql("select state || ' ' || coalesce(owner, '-') from azsacr.job where kind = 'group-delete'")[0].split()

    def holder(self):
        """Whose worker has the job now: both tell their log at the level debug."""
        state, owner = self.job()
        if state != "Running":
            return None
        return "site" if owner in self.site.log() else "replica" if owner in self.replica.log() else None

    def pid(self, who):
        of_replica = self.replica.serve.pid  # its command line names the same site
        return of_replica if who == "replica" else next(pid for pid in self.site.pids("serve") if pid != of_replica)

    def kill_holder(self):
        who = until(self.holder, 60, "somebody takes the job")
        left = self.left()
        if who == "replica":
            self.replica.kill_serve()
        else:
            os.kill(self.pid("site"), signal.SIGKILL)
        self.kills[who] += 1
        until(lambda: self.left() < left or self.job()[0] not in ("Running", "Pending"), 90, "the deletion goes on")

    def freeze_holder(self):
        who = until(self.holder, 60, "somebody takes the job")
        pid, left = self.pid(who), self.left()
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(FROZEN_SECONDS)
            # The other took over meanwhile.
            until(lambda: self.left() < left, 60, "the other goes on")
            assert self.holder() != who
        finally:
            os.kill(pid, signal.SIGCONT)
        return who


def create_registries(site, group, count):
    token = site.operator().headers

    def some(numbers):
        arm = site.arm_client()
        arm.headers = token
        for n in numbers:
            arm.put(site.registry_id(group, f"fire{n:04}") + "?api-version=2019-05-01",
                    {"location": site.region, "sku": {"name": "Standard"}}).expect(200)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(some, [range(i, count, 4) for i in range(4)]))


def delete_under_fire(site, replica, count, kills):
    arm, group = site.operator(), "fire"
    path = f"/subscriptions/{site.subscription}/resourcegroups/{group}"
    arm.put(path + V, {"location": site.region}).expect(201)
    create_registries(site, group, count)
    fire = Fire(site, replica, group)
    assert fire.left() == count
    started = time.monotonic()
    location = arm.delete(path + V).expect(202).header("Location")
    frozen = None
    for kill in range(kills):
        fire.kill_holder()
        if kill == kills // 2 - 1 or kills == 1:
            frozen = fire.freeze_holder()
    assert sum(fire.kills.values()) == kills and frozen
    clients = (arm, replica.of(arm))

    def answer(client):
        try:
            polled = client.get(location)
            return polled if polled.status not in (202, 502, 503, 504) else None
        except OSError:
            client.close()
    for client in clients:
        final = until(lambda c=client: answer(c), 300, "the Location ends")
        assert final.status == 200 and final.body == b"", final
        client.get(path + V).expect(404)
    assert fire.left() == 0
    assert site.sql("select count(*) from acr.registry where login_key like 'fire%'") == ["0"]
    print(f"{count} registries deleted in {time.monotonic() - started:.0f} s; killed {fire.kills}, frozen: {frozen}")
