"""containerd by ctr and by crictl as Kubernetes asks it, and helm: pushing, pulling, trusting the site's CA."""
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from harness.images import multi_platform, run, tool
from harness.site import ACR_PULL, ACR_PUSH


@pytest.fixture(scope="module")
def place(site, operator):
    group = site.unique("runtimes")
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version=2019-10-01",
                 {"location": site.region}).expect(201)
    return site.create_registry(operator, group)


class Containerd:
    """A containerd of our own with its CRI plugin; nothing of it is outside of its directory."""

    CONFIG = """
version = 2
root = "{base}/root"
state = "{base}/state"
[grpc]
  address = "{base}/sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{base}/opt"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "{base}/certs.d"
"""

    def __init__(self, site, place):
        self.site, self.base = site, pathlib.Path(f"/tmp/azsacr-containerd-{os.getpid()}")
        self.base.mkdir()
        trust = self.base / "certs.d" / place.server
        trust.mkdir(parents=True)
        (trust / "hosts.toml").write_text(f'server = "https://{place.server}"\n[host."https://{place.server}"]\n'
                                          f'capabilities = ["pull", "resolve", "push"]\nca = "{site.ca}"\n')
        (self.base / "config.toml").write_text(self.CONFIG.format(base=self.base))
        with open(self.base / "log", "wb") as log:
            self.process = subprocess.Popen(["containerd", "-c", str(self.base / "config.toml")], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)

    def is_up(self):
        return run("ctr", "-a", f"{self.base}/sock", "version", check=False).returncode == 0

    def start(self):
        deadline = time.monotonic() + 60
        while not self.is_up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = (self.base / "log").read_text(errors="replace")[-400:]
                self.stop()
                pytest.skip(f"containerd does not run here: {said}")
            time.sleep(0.2)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.base, ignore_errors=True)

    def ctr(self, *arguments, **more):
        return run("ctr", "-a", f"{self.base}/sock", "-n", "k8s.io", *arguments, **more)

    def crictl(self, *arguments, **more):
        return run(tool("crictl"), "--config", f"{self.base}/crictl.yaml", "--timeout", "120s", "--image-endpoint",
                   f"unix://{self.base}/sock", "--runtime-endpoint", f"unix://{self.base}/sock", *arguments, **more)


@pytest.fixture(scope="module")
def containerd(site, place):
    if shutil.which("containerd") is None:
        pytest.skip("containerd is not installed (Debian: containerd)")
    made = Containerd(site, place).start()
    (made.base / "crictl.yaml").write_text("debug: false\n")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def image(site, place, containerd, tmp_path_factory):
    """An image of two platforms that ctr pushed: its name and the layout it came from."""
    directory = tmp_path_factory.mktemp("image")
    made = multi_platform(directory / "multi", tag="1")
    containerd.ctr("images", "import", "--no-unpack", "--all-platforms", "--base-name", "localhost/made",
                   made.archive(directory / "multi.tar"))
    name = f"{place.server}/ctr/app:1"
    containerd.ctr("images", "push", "--user", f"{place.username}:{place.password}", "--tlscacert", site.ca, name,
                   "localhost/made:1", timeout=300)
    return name, made


# S8
def test_ctr_pushes_an_index_and_pulls_it(site, place, containerd, image):
    name, made = image
    client = place.client()
    shown = client.get("/v2/ctr/app/manifests/1").expect(200)
    assert shown.header("Docker-Content-Digest") == made.top["digest"]
    for child in made.images:
        client.get(f"/v2/ctr/app/manifests/{child['digest']}").expect(200)
    containerd.ctr("images", "rm", "--sync", "localhost/made:1")
    containerd.ctr("images", "pull", "--user", f"{place.username}:{place.password}", "--tlscacert", site.ca, "--snapshotter",
                   "native", "--platform", "linux/amd64", name, timeout=300)
    assert made.top["digest"] in containerd.ctr("images", "ls", f"name=={name}").stdout
    checked = containerd.ctr("images", "check", "--snapshotter", "native", f"name=={name}").stdout
    assert "complete" in checked, checked
    containerd.ctr("images", "rm", "--sync", name)
    # The same again to another repository: containerd looks first, and pushes nothing twice.
    containerd.ctr("images", "pull", "--user", f"{place.username}:{place.password}", "--tlscacert", site.ca, "--snapshotter",
                   "native", "--all-platforms", f"{place.server}/ctr/app@{made.top['digest']}", timeout=300)
    containerd.ctr("images", "push", "--user", f"{place.username}:{place.password}", "--tlscacert", site.ca,
                   f"{place.server}/ctr/copy:1", f"{place.server}/ctr/app@{made.top['digest']}", timeout=300)
    assert client.get("/v2/ctr/copy/manifests/1").expect(200).body == shown.body
    client.delete("/acr/v1/ctr/copy").expect(202)


def test_ctr_is_refused_without_the_right(site, operator, place, containerd, image):
    name, _ = image
    stranger = site.principal()
    refused = containerd.ctr("images", "pull", "--user", f"{stranger['appId']}:{stranger['secret']}", "--tlscacert", site.ca,
                             name, check=False, timeout=300)
    assert refused.returncode != 0 and "insufficient_scope" in refused.stderr + refused.stdout, refused


# S3
def test_kubernetes_pulls_as_a_principal_whose_grant_is_a_second_old(site, operator, place, containerd, image):
    name, made = image
    principal = site.principal()
    creds = f"{principal['appId']}:{principal['secret']}"
    refused = containerd.crictl("pull", "--creds", creds, name, check=False)
    assert refused.returncode != 0 and "insufficient_scope" in refused.stderr, refused.stderr
    site.assign(operator, principal, ACR_PULL, place.id)
    containerd.crictl("pull", "--creds", creds, name)
    images = json.loads(containerd.crictl("images", "-o", "json").stdout)["images"]
    assert any(name in image["repoTags"] for image in images), images
    assert any(f"{place.server}/ctr/app@{made.top['digest']}" in image["repoDigests"] for image in images), images
    containerd.crictl("pull", "--creds", creds, f"{place.server}/ctr/app@{made.top['digest']}")
    containerd.crictl("rmi", name)


# S8
def test_helm_pushes_and_pulls_a_chart(site, operator, place, tmp_path):
    helm = tool("helm")
    env = {"HOME": str(tmp_path), "HELM_REGISTRY_CONFIG": str(tmp_path / "registry.json")}
    chart = tmp_path / "web"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 0.1.0\ndescription: A chart of a test\n")
    (chart / "values.yaml").write_text("replicas: 1\n")
    (chart / "templates" / "map.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {replicas: '{{ .Values.replicas }}'}\n")
    run(helm, "package", str(chart), "-d", str(tmp_path), env=env)
    principal = site.principal()
    site.assign(operator, principal, ACR_PUSH, place.id)
    ca = ("--ca-file", site.ca)
    run(helm, "registry", "login", place.server, "-u", principal["appId"], "-p", principal["secret"], *ca, env=env)
    pushed = run(helm, "push", str(tmp_path / "web-0.1.0.tgz"), f"oci://{place.server}/charts", *ca, env=env)
    digest = (pushed.stdout + pushed.stderr).split("Digest: ")[1].split()[0]
    row = place.client().get(f"/acr/v1/charts/web/_manifests/{digest}").expect(200).json["manifest"]
    assert row["configMediaType"] == "application/vnd.cncf.helm.config.v1+json" and row["tags"] == ["0.1.0"]
    shown = run(helm, "show", "chart", f"oci://{place.server}/charts/web", "--version", "0.1.0", *ca, env=env).stdout
    assert "A chart of a test" in shown
    (tmp_path / "back").mkdir()
    run(helm, "pull", f"oci://{place.server}/charts/web", "--version", "0.1.0", "-d", str(tmp_path / "back"), *ca, env=env)
    assert (tmp_path / "back" / "web-0.1.0.tgz").read_bytes() == (tmp_path / "web-0.1.0.tgz").read_bytes()
    rendered = run(helm, "template", "web", f"oci://{place.server}/charts/web", "--version", "0.1.0", *ca, env=env).stdout
    assert "replicas: '1'" in rendered
    run(helm, "registry", "logout", place.server, env=env)
    refused = run(helm, "pull", f"oci://{place.server}/charts/web", "--version", "0.1.0", *ca, env=env, check=False)
    assert refused.returncode != 0
