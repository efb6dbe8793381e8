"""A deployment of 40 resources with dependencies and nested templates, while the `serve` that runs it is killed or frozen: it
must end Succeeded, and each resource must have been written by exactly one committed step."""
import os
import random
import signal
import time
import uuid

from .deployments import TERMINAL, V, Deployments, nested, registry, template

LEVELS, WIDTH, INNER = 6, 5, 2  # six levels of five registries, and five nested deployments of two
SUCCEEDED_WRITES = ("select scope, count(*) from arm.activity where correlation_id = '{}' and method = 'PUT' and ended and status < 300 "
                    "and action = 'Microsoft.ContainerRegistry/registries/write' group by scope")


def until(true, seconds, what):
    deadline = time.monotonic() + seconds
    while not (came := true()):
        assert time.monotonic() < deadline, f"{what}: not in {seconds} s"
        time.sleep(0.02)
    return came


def document(prefix):
    """(template, names of the registries)."""
    names, resources = [], []
    for level in range(LEVELS):
        for place in range(WIDTH):
            name = f"{prefix}l{level}p{place}"
            names.append(name)
            depends = [f"{prefix}l{level - 1}p{place}"] if level else []
            if level == LEVELS - 1:
                depends.append(f"{prefix}n{place}")
            resources.append(registry(name, *depends))
    for place in range(WIDTH):
        inner = [f"{prefix}n{place}i{i}" for i in range(INNER)]
        names += inner
        made = template(registry(inner[0]), *[registry(n, inner[0], properties={"adminUserEnabled": f"[equals(reference('{inner[0]}').provisioningState, 'Succeeded')]"})
                                              for n in inner[1:]])
        resources.append(nested(f"{prefix}n{place}", made, f"{prefix}l1p{place}"))
    return template(*resources), names


class Run:
    def __init__(self, site, group, number, clients):
        self.site, self.prefix, self.clients = site, f"fire{number:03}x{uuid.uuid4().hex[:6]}", clients
        self.deployments = Deployments(clients[0], f"/subscriptions/{site.subscription}/resourceGroups/{group}")
        self.document, self.names = document(self.prefix)
        self.correlation = str(uuid.uuid4())

    def begin(self):
        self.deployments.put(self.prefix, self.document, headers={"x-ms-correlation-request-id": self.correlation}).expect(201)

    def record(self):
        """The record, or None while nobody answers."""
        for client in self.clients:
            try:
                answer = client.get(self.deployments.path(self.prefix))
                if answer.status == 200:
                    return answer.json
                assert answer.status in (502, 503, 504), answer
            except OSError:
                client.close()
        return None

    def over(self):
        record = self.record()
        return record if record and record["properties"]["provisioningState"] in TERMINAL else None

    def made(self):
        return int(self.site.sql(f"select count(*) from arm.resource where name_key like '{self.prefix}%'")[0])

    def check(self, seconds=120):
        record = until(self.over, seconds, f"{self.prefix} ends")
        assert record["properties"]["provisioningState"] == "Succeeded", record["properties"].get("error")
        assert {r["id"].rsplit("/", 1)[1] for r in record["properties"]["outputResources"]} == set(self.names)
        assert self.made() == len(self.names) == 40
        written = dict(line.rsplit("|", 1) for line in self.site.sql(SUCCEEDED_WRITES.format(self.correlation)))
        assert {scope.rsplit("/", 1)[1] for scope in written} == set(self.names) and set(written.values()) == {"1"}, written
        left = self.site.sql("select count(*) from arm.deployment_operation o join arm.deployment d on d.id = o.deployment_id where "
                             f"d.correlation_id = '{self.correlation}' and (o.state <> 'Succeeded' or o.body is not null)")
        assert left == ["0"]


class Fire:
    """`replica` may be None."""

    def __init__(self, site, replica=None):
        self.site, self.replica = site, replica
        self.group = site.unique("fire")
        operator = site.operator()
        self.clients = [operator] + ([replica.of(operator)] if replica else [])
        operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{self.group}?api-version={V}", {"location": site.region}).expect(201)

    def run(self, number):
        return Run(self.site, self.group, number, self.clients)

    def serve(self):
        own = self.replica.serve.pid if self.replica else None
        return next((pid for pid in self.site.pids("serve") if pid != own), None)

    def kill(self):
        pid = until(self.serve, 60, "serve is there")
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.serve() not in (None, pid), 60, "serve is back")

    def one_kill(self, number, longest):
        """Killed once, at a random moment of the run."""
        run = self.run(number)
        run.begin()
        time.sleep(random.uniform(0, longest))
        self.kill()
        run.check()

    def many_kills(self, kills):
        run = self.run(900)
        run.begin()
        done = 0
        while done < kills:
            made = run.made()
            time.sleep(random.uniform(0.05, 0.4))
            self.kill()
            done += 1
            if done % 2:
                continue  # the next one meets who has just taken it over
            # On it goes a little before the next, but not to the end before the last.
            deadline = time.monotonic() + 60
            while run.made() <= made and not run.over():
                assert time.monotonic() < deadline, "it does not go on"
                time.sleep(0.02)
            if run.over():
                break
        assert done == kills, f"it ended after {done} kills: make its steps longer"
        run.check()

    def holder(self):
        """Whose worker leads a deployment now: both tell their log at the level debug."""
        rows = self.site.sql("select owner from azsacr.job where kind = 'deployment' and state = 'Running' and owner is not null")
        for owner in rows:
            if owner in self.replica.log():
                return self.replica.serve.pid
            if owner in self.site.log():
                return self.serve()
        return None

    def frozen(self, number, longest):
        """Frozen past its lease, and continued when the other has brought the deployment to its end."""
        run = self.run(number)
        run.begin()
        pid = until(self.holder, 30, "somebody runs it")
        time.sleep(random.uniform(0, longest))
        os.kill(pid, signal.SIGSTOP)
        try:
            self.clients = self.clients[::-1] if pid == self.serve() else self.clients
            run.clients = [c for c in self.clients if (c.address is not None) == (pid != self.replica.serve.pid)]
            until(run.over, 60, "the other brings it to its end")
        finally:
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.3)  # what it was about to commit, it commits not
        run.check()
