"""skopeo, podman and docker against a registry, trusting the site's CA as `azsacrd trust` says."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from harness.images import Layout, run
from harness.site import ACR_PULL, ACR_PUSH


def layout(directory, layers=2, size=300000):
    """A layout of one image of random layers, tagged `latest`; its bytes."""
    made = Layout(directory)
    made.image([os.urandom(size) for _ in range(layers)], tag="latest")
    return made.size


def test_skopeo_copies_both_ways(site, operator, registry, tmp_path):
    total = layout(tmp_path / "image")
    env = {"SSL_CERT_FILE": site.ca}
    login = f"{registry.username}:{registry.password}"
    run("skopeo", "copy", "--dest-creds", login, f"oci:{tmp_path}/image:latest", f"docker://{registry.server}/sk/app:1", env=env)
    assert registry.usage(operator) == total
    principal = site.principal()
    site.assign(operator, principal, ACR_PULL, registry.id)
    pull = f"{principal['appId']}:{principal['secret']}"
    run("skopeo", "copy", "--src-creds", pull, f"docker://{registry.server}/sk/app:1", f"oci:{tmp_path}/back:latest", env=env)
    inspected = json.loads(run("skopeo", "inspect", "--creds", pull, f"docker://{registry.server}/sk/app:1", env=env).stdout)
    assert inspected["RepoTags"] == ["1"]
    run("skopeo", "copy", "--src-creds", login, "--dest-creds", login, f"docker://{registry.server}/sk/app:1",
        f"docker://{registry.server}/sk/other:1", env=env)  # mounts
    refused = run("skopeo", "delete", "--creds", pull, f"docker://{registry.server}/sk/app:1", env=env, check=False)
    assert refused.returncode != 0
    run("skopeo", "delete", "--creds", login, f"docker://{registry.server}/sk/app:1", env=env)
    run("skopeo", "delete", "--creds", login, f"docker://{registry.server}/sk/other:1", env=env)
    assert registry.usage(operator) == 0


@pytest.fixture
def certs(site, registry):
    """What `azsacrd trust podman` prints, done."""
    printed = site.command("trust", "podman")
    assert "/etc/containers/certs.d/REGISTRY" in printed
    directory = pathlib.Path(f"/etc/containers/certs.d/{registry.server}")
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(site.ca, directory / "ca.crt")
    yield
    shutil.rmtree(directory)


@pytest.fixture
def podman(registry, certs, request):
    """podman with a store of its own, signed in.

    It refuses a run root whose path is longer than 50 characters, and takes the layout's path for an image's name: no part of
    it may end in "_", as random names do. Where it lists tags it reads the default file of credentials only."""
    short = f"/tmp/azsacr-podman-{os.getpid()}"
    os.mkdir(short)
    request.addfinalizer(lambda: shutil.rmtree(short, ignore_errors=True))
    store = ["--root", f"{short}/root", "--runroot", f"{short}/run", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
             "--events-backend", "file"]
    env = {"XDG_RUNTIME_DIR": short, "HOME": short}

    def call(*arguments, **more):
        return run("podman", *store, *arguments, env=env, **more)
    call("login", "-u", registry.username, "-p", registry.password, registry.server)
    layout(f"{short}/image")
    call("pull", f"oci:{short}/image:latest")
    return call, call("images", "-q").stdout.split()[0]


def test_podman_pushes_and_pulls(registry, podman):
    podman, image = podman
    podman("push", image, f"docker://{registry.server}/pod/app:1")
    podman("push", "--format", "docker", image, f"docker://{registry.server}/pod/app:2")
    podman("push", image, f"docker://{registry.server}/pod/other:1")  # what the registry has is mounted
    podman("rmi", "-f", image)
    podman("pull", f"{registry.server}/pod/app:1")
    assert podman("images", "-q").stdout.split()
    podman("pull", "--all-tags", f"{registry.server}/pod/app")
    listed = podman("images", "--format", "{{.Repository}}:{{.Tag}}").stdout
    assert f"{registry.server}/pod/app:2" in listed
    found = podman("search", "--format", "{{.Name}}", f"{registry.server}/pod").stdout
    assert f"{registry.server}/pod/app" in found and f"{registry.server}/pod/other" in found
    tags = podman("search", "--list-tags", f"{registry.server}/pod/app").stdout
    assert [line.split()[1] for line in tags.splitlines()[1:]] == ["1", "2"]


def test_podman_pushes_a_list_of_platforms(registry, podman):
    podman, image = podman
    podman("manifest", "create", "localhost/both")
    podman("manifest", "add", "localhost/both", f"containers-storage:{image}")
    podman("manifest", "push", "--all", "localhost/both", f"docker://{registry.server}/pod/both:1")
    index = registry.client().get("/v2/pod/both/manifests/1").expect(200).json
    assert len(index["manifests"]) == 1
    podman("manifest", "rm", "localhost/both")
    podman("pull", f"{registry.server}/pod/both:1")


@pytest.fixture(scope="module")
def dockerd(tmp_path_factory):
    """A docker daemon of our own; skipped where the kernel does not let it run."""
    base = pathlib.Path("/tmp") / f"azsacr-docker-{os.getpid()}"
    base.mkdir()
    log = open(base / "log", "wb")
    socket = base / "docker.sock"
    process = subprocess.Popen(
        ["dockerd", "--exec-opt", "native.cgroupdriver=cgroupfs", "--data-root", str(base / "data"), "--exec-root",
         str(base / "exec"), "--pidfile", str(base / "pid"), "-H", f"unix://{socket}", "--bridge=none", "--iptables=false",
         "--storage-driver", "vfs", "--containerd-namespace", f"t{os.getpid()}"], stdout=log, stderr=log)
    env = {"DOCKER_HOST": f"unix://{socket}", "DOCKER_CONFIG": str(base / "config")}
    for _ in range(150):
        if process.poll() is not None:
            break
        if subprocess.run(["docker", "version"], env={**os.environ, **env}, capture_output=True).returncode == 0:
            break
        time.sleep(0.2)
    else:
        process.terminate()
    if process.poll() is not None:
        pytest.skip("dockerd does not run here: " + (base / "log").read_text(errors="replace")[-300:])
    yield env
    process.terminate()
    process.wait(30)
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def docker(site, registry, dockerd, tmp_path):
    """The client, trusting the registry; and an image with a layer of its own."""
    directory = pathlib.Path(f"/etc/docker/certs.d/{registry.server}")
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(site.ca, directory / "ca.crt")
    env = {**dockerd, "DOCKER_CONFIG": str(tmp_path / "docker")}

    def call(*arguments, **more):
        return run("docker", *arguments, env=env, **more)

    def sign_in(user, password):
        # A Go program keeps what it read of the hosts file for five seconds: the daemon may not know the registry's host yet.
        deadline = time.monotonic() + 30
        while call("login", "-u", user, "-p", password, registry.server, check=False).returncode != 0:
            assert time.monotonic() < deadline, call("login", "-u", user, "-p", password, registry.server, check=False).stderr
            time.sleep(1)

    def make(name, size=200_000):
        (tmp_path / "content").mkdir(exist_ok=True)
        (tmp_path / "content" / "file").write_bytes(os.urandom(size))
        run("tar", "-C", str(tmp_path / "content"), "-cf", str(tmp_path / "content.tar"), ".")
        call("import", str(tmp_path / "content.tar"), f"{registry.server}/{name}")
        return f"{registry.server}/{name}"
    call.sign_in, call.make, call.env = sign_in, make, env
    yield call
    shutil.rmtree(directory)


def test_docker_logs_in_pushes_and_pulls(registry, docker):
    image = docker.make("dock/app:1")
    docker.sign_in(registry.username, registry.password)
    docker("push", image)
    docker("rmi", image)
    docker("pull", image)
    digest = registry.client().get("/v2/dock/app/manifests/1").header("Docker-Content-Digest")
    docker("rmi", "-f", image)
    docker("pull", f"{registry.server}/dock/app@{digest}")
    # To another repository the layer is mounted, not sent again.
    docker("tag", f"{registry.server}/dock/app@{digest}", f"{registry.server}/dock/other:1")
    assert "Mounted from dock/app" in docker("push", f"{registry.server}/dock/other:1").stdout
    docker("logout", registry.server)
    refused = docker("pull", image, check=False)
    assert refused.returncode != 0 and "unauthorized" in refused.stderr.lower(), refused.stderr


# S7: saved where there is a network, carried over, loaded and pushed here
def test_docker_pushes_what_was_saved_elsewhere(registry, docker, tmp_path):
    docker.sign_in(registry.username, registry.password)
    made = docker.make("dock/saved:1")
    docker("tag", made, "elsewhere.example/app:1")
    docker("save", "-o", str(tmp_path / "saved.tar"), "elsewhere.example/app:1")
    docker("rmi", made, "elsewhere.example/app:1")
    docker("load", "-i", str(tmp_path / "saved.tar"))
    docker("tag", "elsewhere.example/app:1", made)
    docker("push", made)
    assert registry.client().get("/v2/dock/saved/tags/list").expect(200).json["tags"] == ["1"]


# S12: what `az acr login` has docker do
def test_docker_signs_in_by_a_refresh_token(site, operator, registry, docker):
    principal = site.principal()
    site.assign(operator, principal, ACR_PUSH, registry.id)
    token = registry.client(anonymous=True).post("/oauth2/exchange", form={
        "grant_type": "access_token", "service": registry.server,
        "access_token": site.token(principal["appId"], principal["secret"])}).expect(200).json["refresh_token"]
    docker.sign_in("00000000-0000-0000-0000-000000000000", token)
    docker("push", docker.make("dock/token:1"))
    docker("rmi", f"{registry.server}/dock/token:1")
    docker("pull", f"{registry.server}/dock/token:1")


# S26: docker says at once, and in full, what a locked tag refuses
def test_docker_tells_why_a_push_is_disallowed(registry, docker):
    docker.sign_in(registry.username, registry.password)
    image = docker.make("dock/locked:1")
    docker("push", image)
    registry.client().patch("/acr/v1/dock/locked/_tags/1", {"writeEnabled": False}).expect(200)
    docker.make("dock/locked:1")
    refused = docker("push", image, check=False)
    said = refused.stdout + refused.stderr
    assert refused.returncode != 0 and "operation is disallowed" in said and "writeEnabled" in said, said
    docker("pull", image)
    registry.client().patch("/acr/v1/dock/locked/_tags/1", {"readEnabled": False}).expect(200)
    refused = docker("pull", image, check=False)
    assert refused.returncode != 0 and "readEnabled" in refused.stderr, refused.stderr


# S29: every operation can be repeated without harm
def test_docker_push_outlives_a_kill_of_serve(site, operator, registry, docker):
    docker.sign_in(registry.username, registry.password)
    image = docker.make("dock/killed:1", 40_000_000)
    pushing = subprocess.Popen(["docker", "push", image], env={**os.environ, **docker.env}, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    site.wait_until(lambda: pushing.poll() is not None or site.sql("select 1 from acr.upload where repository = 'dock/killed'"))
    for pid in site.pids("serve"):
        os.kill(pid, signal.SIGKILL)
    said, _ = pushing.communicate(timeout=300)
    site.wait_ready()  # what comes next must not suffer for it
    assert pushing.returncode == 0, said
    site.wait_ready()
    docker("rmi", image)
    docker("pull", image)
    client = registry.client()
    shown = client.get("/v2/dock/killed/manifests/1").expect(200)
    assert registry.usage(operator) == len(shown.body) + shown.json["config"]["size"] + shown.json["layers"][0]["size"]
