"""skopeo, podman and docker against a registry, trusting the site's CA as `azsacrd trust` says."""
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import time

import pytest

from harness.site import ACR_PULL


def run(*arguments, env=None, check=True, timeout=180):
    done = subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout,
                          env={**os.environ, **(env or {})})
    assert not check or done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done


def layout(directory, layers=2, size=300000):
    """An OCI layout made on the spot; its bytes. Layers are compressed: a client that finds plain ones compresses them."""
    directory = pathlib.Path(directory)
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return "sha256:" + digest

    made, diff_ids = [], []
    for i in range(layers):
        content = directory / f"file{i}"
        content.write_bytes(os.urandom(size))
        with tarfile.open(directory / f"layer{i}.tar", "w") as tar:
            tar.add(content, f"file{i}")
        plain = (directory / f"layer{i}.tar").read_bytes()
        data = gzip.compress(plain)
        diff_ids.append("sha256:" + hashlib.sha256(plain).hexdigest())
        made.append({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": put(data), "size": len(data)})
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                         "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                           "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": put(config),
                                      "size": len(config)}, "layers": made}).encode()
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": put(manifest), "size": len(manifest),
         "annotations": {"org.opencontainers.image.ref.name": "latest"}}]}))
    (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return len(manifest) + len(config) + sum(l["size"] for l in made)


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


def test_podman_pushes_and_pulls(site, registry, certs, tmp_path, request):
    # podman refuses a run root whose path is longer than 50 characters, and takes the layout's path for an image's name: no
    # part of it may end in "_", as random names do.
    short = f"/tmp/azsacr-podman-{os.getpid()}"
    os.mkdir(short)
    request.addfinalizer(lambda: shutil.rmtree(short, ignore_errors=True))
    layout(f"{short}/image")
    store = ["--root", f"{short}/root", "--runroot", f"{short}/run", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
             "--events-backend", "file"]
    auth = ["--authfile", str(tmp_path / "auth.json")]
    run("podman", *store, "pull", f"oci:{short}/image:latest")
    image = run("podman", *store, "images", "-q").stdout.split()[0]
    run("podman", *store, "login", *auth, "-u", registry.username, "-p", registry.password, registry.server)
    run("podman", *store, "push", *auth, image, f"docker://{registry.server}/pod/app:1")
    run("podman", *store, "rmi", "-f", image)
    run("podman", *store, "pull", *auth, f"{registry.server}/pod/app:1")
    assert run("podman", *store, "images", "-q").stdout.split()


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


def test_docker_logs_in_pushes_and_pulls(site, registry, dockerd, tmp_path):
    directory = pathlib.Path(f"/etc/docker/certs.d/{registry.server}")
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(site.ca, directory / "ca.crt")
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "file").write_bytes(os.urandom(200000))
    run("tar", "-C", str(tmp_path / "content"), "-cf", str(tmp_path / "content.tar"), ".")
    image = f"{registry.server}/dock/app:1"
    run("docker", "import", str(tmp_path / "content.tar"), image, env=dockerd)
    # A Go program keeps what it read of the hosts file for five seconds: the daemon may not know the registry's host yet.
    login = ("docker", "login", "-u", registry.username, "-p", registry.password, registry.server)
    for _ in range(12):
        if run(*login, env=dockerd, check=False).returncode == 0:
            break
        time.sleep(1)
    run(*login, env=dockerd)
    run("docker", "push", image, env=dockerd)
    run("docker", "rmi", image, env=dockerd)
    run("docker", "pull", image, env=dockerd)
    shutil.rmtree(directory)
