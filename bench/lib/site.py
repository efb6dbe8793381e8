"""The site that is measured: the release build under `azsacrd up`, with a plain listener on the loopback interface."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from harness.site import Registry, Site

from . import namespace

LOOPBACK = "127.0.0.1:8080"
GROUP = "bench"
REGISTRY = "benchregistry"


class Bench(Site):
    """A site with 100,000 registries on demand, and what cases share."""

    pairs, seconds = 5, 3

    def __init__(self, root, directory, program):
        super().__init__(directory / "state", environment={"AZSACR_LOOPBACK": LOOPBACK, "AZSACR_HELLO": "true",
                                                           "AZSACR_STORE_GRACE": "1", "AZSACR_LOG_LEVEL": "warning"},
                         program=program)
        self.root, self.directory = root, directory
        self.cleanup = contextlib.ExitStack()
        self.loopback = LOOPBACK

    def start(self, wait=60):
        domain = f"{self.region}.azurestack.external"
        labels = ["management", "adminmanagement", "adfs", "graph", "portal", "hello", f"{REGISTRY}.azsacr"]
        namespace.name_hosts([f"{label}.{domain}" for label in labels])
        self.state.parent.chmod(0o755)
        self.log_path = self.directory / "up.log"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "up", "--state", str(self.state), "--port", str(self.port)], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env={**os.environ, "AZSACR_THROTTLE": "false", **self.environment})
        self.wait_ready(wait)
        self.idle_since = time.monotonic()
        return self

    # What cases share; made once, when first asked for.

    def once(self, name, make):
        """The value of `make()`, the same for every case of this run."""
        kept = self.__dict__.setdefault("kept", {})
        if name not in kept:
            kept[name] = make()
        return kept[name]

    def bearer(self):
        """A sign-in token of the operator's service principal."""
        return self.once("bearer", lambda: self.token(*self.operator_secret()))

    def group(self):
        def make():
            self.arm_client(self.bearer()).put(
                f"/subscriptions/{self.subscription}/resourcegroups/{GROUP}?api-version=2019-10-01",
                {"location": self.region}).expect(200, 201)
            return GROUP
        return self.once("group", make)

    def registry(self):
        """A registry with a name that resolves in here."""
        def make():
            arm, id_ = self.arm_client(self.bearer()), self.registry_id(self.group(), REGISTRY)
            arm.put(f"{id_}?api-version=2019-05-01", {"location": self.region, "sku": {"name": "Standard"}}).expect(200)
            return Registry(self, id_, REGISTRY)
        return self.once("registry", make)

    def refresh_token(self):
        def make():
            client = self.registry().client(anonymous=True)
            return client.post("/oauth2/exchange", form={
                "grant_type": "access_token", "service": self.registry().server, "access_token": self.bearer(),
            }).expect(200).json["refresh_token"]
        return self.once("refresh", make)

    def registry_token(self, repository):
        client = self.registry().client(anonymous=True)
        return client.post("/oauth2/token", form={
            "grant_type": "refresh_token", "service": self.registry().server, "refresh_token": self.refresh_token(),
            "scope": f"repository:{repository}:pull,push,delete"}).expect(200).json["access_token"]

    def sql(self, text):
        done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-A", "-t", *self.psql_target(), "-c", text],
                              capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise SystemExit(f"SQL failed: {done.stderr}")
        return done.stdout.strip()

    def psql_target(self):
        return ["-h", str(self.sockets()), "-U", "azsacr", "-d", "azsacr"]

    def sockets(self):
        for candidate in [self.state / "run", self.state / "database", self.state / "run" / "postgresql"]:
            if list(candidate.glob(".s.PGSQL.*")):
                return candidate
        found = next(self.state.rglob(".s.PGSQL.5432"), None)
        if found is None:
            raise SystemExit(f"no database socket below {self.state}")
        return found.parent


def release(root):
    """The path of the release build, made if it is not there or out of date."""
    done = subprocess.run([str(root / "script/build"), "release"], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return done.stdout.strip().splitlines()[-1]


@contextlib.contextmanager
def running(root, program=None, environment=None):
    program = str(pathlib.Path(program).resolve()) if program else release(root)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="azsacr-bench-"))
    bench = Bench(root, directory, program)
    bench.environment.update(environment or {})
    try:
        bench.start()
        yield bench
    finally:
        try:
            bench.cleanup.close()
            bench.stop()
        finally:
            shutil.rmtree(directory, ignore_errors=True)
