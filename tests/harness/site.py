"""A running site: started by the real program, spoken to over HTTPS."""
import base64
import hashlib
import itertools
import json
import os
import pathlib
import signal
import subprocess
import time

from .wire import Client

PROGRAM = os.environ.get("AZSACR_PROGRAM", "build/asan/azsacrd")
ARM_REGISTRY = "2019-05-01"
ARM_GROUP = "2019-10-01"
ARM_ROLE = "2015-07-01"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ACR_PUSH = "8311e382-0749-4cb8-b61a-304f252e45ec"
ACR_DELETE = "c2f4ef07-c644-48eb-af81-4b1b4947fb11"
_numbers = itertools.count(int(time.time()) % 100000 * 1000)


class Site:
    def __init__(self, state, port=443, region="local", environment=None, program=None):
        self.state, self.port, self.region = pathlib.Path(state), port, region
        self.environment, self.program = dict(environment or {}), program or PROGRAM
        self.process = None
        self.facts = None

    # Running it.

    def start(self, wait=90):
        self.state.parent.mkdir(parents=True, exist_ok=True)
        # The edge's workers are another user: every directory above the store must let them through.
        for parent in self.state.parents:
            if str(parent).startswith("/tmp/"):
                parent.chmod(parent.stat().st_mode | 0o011)
        self.log_path = self.state.parent / f"{self.state.name}.log"
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [self.program, "up", "--state", str(self.state), "--port", str(self.port), "--region", self.region, "--hosts"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env={**os.environ, "AZSACR_THROTTLE": "false", "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0",
                 **self.environment})
        log.close()
        self.wait_ready(wait)
        return self

    def wait_ready(self, wait=90):
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"azsacrd up ended with {self.process.returncode}:\n{self.log()[-6000:]}")
            try:
                self.facts = json.loads((self.state / "endpoints.json").read_text())
                if self.arm_client().get("/metadata/endpoints?api-version=2015-01-01").status == 200:
                    return
            except (OSError, ValueError):
                pass
            time.sleep(0.1)
        raise AssertionError(f"the site is not ready after {wait} s:\n{self.log()[-6000:]}")

    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the site did not stop:\n{self.log()[-4000:]}")
        text = self.log()
        assert "ERROR: AddressSanitizer" not in text and "runtime error:" not in text, text[-6000:]
        assert self.process.returncode == 0, f"ended with {self.process.returncode}:\n{text[-4000:]}"

    def pids(self, name):
        """Process ids of this site's children: 'serve', 'edge', 'database'."""
        marks = {"serve": ["serve", "--state", str(self.state)], "edge": ["nginx", str(self.state)],
                 "database": ["postgres", "-D", str(self.state)]}[name]
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue
                if all(mark in line for mark in marks):
                    found.append(int(entry.name))
        return sorted(found)

    def command(self, *arguments, check=True):
        """`azsacrd ARGUMENTS --state STATE`; its JSON, or its text."""
        done = subprocess.run([self.program, *arguments, "--state", str(self.state)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}, timeout=60)
        if check:
            assert done.returncode == 0, done.stderr
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout if check else done

    def sql(self, statement):
        """What the private database answers, as lines of text: for states that no request can make."""
        done = subprocess.run(["psql", "-XAtq", "-h", f"{self.state}/run/pg", "-U", "azsacr", "-d", "azsacr", "-v",
                               "ON_ERROR_STOP=1", "-c", statement], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def wait_until(self, true, seconds=60):
        deadline = time.monotonic() + seconds
        while not (came := true()):
            assert time.monotonic() < deadline, f"it did not become so in {seconds} s"
            time.sleep(0.1)
        return came

    # What it is.

    @property
    def subscription(self):
        return self.facts["subscriptionId"]

    @property
    def tenant(self):
        return self.facts["tenantId"]

    @property
    def ca(self):
        return self.facts["caBundle"]

    def unique(self, prefix):
        return f"{prefix}{next(_numbers)}"

    def host(self, label):
        return f"{label}.{self.region}.{self.facts['domain']}"

    # Signing in and speaking.

    def arm_client(self, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Client(self.host("management"), self.port, self.ca, headers)

    def adfs(self):
        return Client(self.host("adfs"), self.port, self.ca)

    def graph(self, token):
        return Client(self.host("graph"), self.port, self.ca, {"Authorization": f"Bearer {token}"})

    def token(self, app_id, secret, audience=None):
        audience = audience or self.facts["audience"]
        answer = self.adfs().post("/adfs/oauth2/token", form={
            "grant_type": "client_credentials", "client_id": app_id, "client_secret": secret,
            "scope": f"{audience}/.default"}).expect(200)
        return answer.json["access_token"]

    def operator_secret(self):
        return self.facts["operator"]["appId"], pathlib.Path(self.facts["operator"]["secretFile"]).read_text().strip()

    def operator(self):
        return self.arm_client(self.token(*self.operator_secret()))

    def principal(self, name=None):
        """A fresh service principal: its appId, objectId, secret."""
        made = self.command("sp", "add", name or self.unique("sp"))
        made["secret"] = pathlib.Path(made["secretFile"]).read_text().strip()
        return made

    def user(self, name=None):
        made = self.command("user", "add", name or f"{self.unique('u')}@{self.region}.{self.facts['domain']}")
        made["password"] = pathlib.Path(made["passwordFile"]).read_text().strip()
        return made

    def client_of(self, principal):
        return self.arm_client(self.token(principal["appId"], principal["secret"]))

    # Rights.

    def assign(self, arm, principal, role, scope, name=None):
        import uuid
        name = name or str(uuid.uuid4())
        arm.put(f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version={ARM_ROLE}",
                {"properties": {"roleDefinitionId": self.role(role), "principalId": principal["objectId"]}}).expect(201)
        return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"

    def unassign(self, arm, assignment):
        arm.delete(f"{assignment}?api-version={ARM_ROLE}").expect(200)

    def role(self, guid):
        return f"/subscriptions/{self.subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}"

    # Registries.

    def registry_id(self, group, name, subscription=None):
        return (f"/subscriptions/{subscription or self.subscription}/resourceGroups/{group}"
                f"/providers/Microsoft.ContainerRegistry/registries/{name}")

    def create_registry(self, arm, group, name=None, admin=True, subscription=None):
        name = name or self.unique("reg")
        id_ = self.registry_id(group, name, subscription)
        arm.put(f"{id_}?api-version={ARM_REGISTRY}", {"location": self.region, "sku": {"name": "Standard"},
                                                      "properties": {"adminUserEnabled": admin}}).expect(200)
        made = Registry(self, id_, name)
        if admin:
            credentials = arm.post(f"{id_}/listCredentials?api-version={ARM_REGISTRY}").expect(200).json
            made.username, made.password = credentials["username"], credentials["passwords"][0]["value"]
        made.await_host()
        return made


class Registry:
    """A registry's data plane."""

    def __init__(self, site, id_, name):
        self.site, self.id, self.name = site, id_, name
        self.host = f"{name.lower()}.azsacr.{site.region}.{site.facts['domain']}"
        self.server = self.host + ("" if site.port == 443 else f":{site.port}")
        self.username = self.password = None

    def await_host(self):
        """The hosts file is followed by a thread that looks ten times a second."""
        for _ in range(100):
            if self.host in open("/etc/hosts").read():
                return
            time.sleep(0.05)
        raise AssertionError(f"{self.host} did not appear in the hosts file")

    def client(self, username=None, password=None, token=None, anonymous=False):
        headers = {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        elif not anonymous:
            pair = f"{username or self.username}:{password or self.password}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return Client(self.host, self.site.port, self.site.ca, headers)

    def usage(self, arm):
        rows = arm.get(f"{self.id}/listUsages?api-version={ARM_REGISTRY}").expect(200).json["value"]
        return next(row["currentValue"] for row in rows if row["name"] == "Size")

    def push_blob(self, client, repository, data, chunks=None):
        """POST, PATCH (one a chunk), PUT. The digest."""
        digest = digest_of(data)
        location = client.post(f"/v2/{repository}/blobs/uploads/").expect(202).header("Location")
        offset = 0
        for size in chunks or [len(data)]:
            piece = data[offset:offset + size]
            location = client.patch(location, piece, headers={
                "Content-Type": "application/octet-stream",
                "Content-Range": f"{offset}-{offset + len(piece) - 1}"} if piece else {}).expect(202).header("Location")
            offset += len(piece)
        client.put(f"{location}&digest={digest}").expect(201)
        return digest

    def push_image(self, client, repository, tag, layers, config=None):
        """An OCI image of these layers; (digest, total bytes of manifest, config and layers)."""
        config = config or json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                                       "rootfs": {"type": "layers", "diff_ids": [digest_of(l) for l in layers]}}).encode()
        for blob in [config, *layers]:
            self.push_blob(client, repository, blob)
        manifest = image_manifest(config, layers)
        answer = client.put(f"/v2/{repository}/manifests/{tag}", manifest,
                            headers={"Content-Type": "application/vnd.oci.image.manifest.v1+json"}).expect(201)
        return answer.header("Docker-Content-Digest"), len(manifest) + len(config) + sum(len(l) for l in layers)


def digest_of(data, algorithm="sha256"):
    return f"{algorithm}:" + hashlib.new(algorithm, data).hexdigest()


def image_manifest(config, layers):
    return json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": len(config), "digest": digest_of(config)},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "size": len(l), "digest": digest_of(l)}
                   for l in layers]}).encode()
