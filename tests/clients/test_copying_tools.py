"""skopeo and buildah, crane and oras: what they do to a registry beside a plain push (data-plane.md 5)."""
import json
import os
import pathlib
import shutil

import pytest

from harness.images import NOT_FOR_DISTRIBUTION, Layout, multi_platform, run, tool
from harness.site import digest_of


@pytest.fixture(scope="module")
def place(site, operator):
    """A registry for this file, and what every tool of it needs to trust and to sign in."""
    group = site.unique("tools")
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version=2019-10-01",
                 {"location": site.region}).expect(201)
    return site.create_registry(operator, group)


@pytest.fixture
def quiet_usage(place, operator):
    """Checks that a test leaves nothing behind that counts: every tool's deletes are taken at their word."""
    before = place.usage(operator)
    yield
    assert place.usage(operator) == before


def trusting(site, directory):
    """Go programs read SSL_CERT_FILE; their credentials are in a directory of the test's own."""
    return {"SSL_CERT_FILE": site.ca, "DOCKER_CONFIG": str(directory), "HOME": str(directory), "REGISTRY_AUTH_FILE":
            str(directory / "auth.json")}


def remote(place, repository, tag):
    return f"{place.server}/{repository}:{tag}"


# ---- skopeo

@pytest.fixture
def skopeo(site, place, tmp_path):
    env, login = trusting(site, tmp_path), f"{place.username}:{place.password}"
    return lambda *arguments, **more: run("skopeo", *[a.replace("CREDS", login) for a in arguments], env=env, **more)


def test_skopeo_copies_all_platforms_both_ways(place, skopeo, tmp_path, quiet_usage):
    made, there = multi_platform(tmp_path / "multi"), f"docker://{remote(place, 'skopeo/multi', '1')}"
    skopeo("copy", "--all", "--dest-creds", "CREDS", f"oci:{tmp_path}/multi:latest", there)
    client = place.client()
    shown = client.get("/v2/skopeo/multi/manifests/1").expect(200)
    assert shown.header("Docker-Content-Digest") == made.top["digest"]
    skopeo("copy", "--all", "--src-creds", "CREDS", there, f"oci:{tmp_path}/back:latest")
    back = json.loads((tmp_path / "back" / "index.json").read_text())["manifests"][0]
    assert back["digest"] == made.top["digest"]
    # To another repository: layers are mounted, and count once.
    usage = json.loads(skopeo("inspect", "--creds", "CREDS", there).stdout)
    assert usage["RepoTags"] == ["1"] and usage["Architecture"] == "amd64"
    other = f"docker://{remote(place, 'skopeo/other', '1')}"
    skopeo("copy", "--all", "--src-creds", "CREDS", "--dest-creds", "CREDS", there, other)
    tags = json.loads(skopeo("list-tags", "--creds", "CREDS", f"docker://{place.server}/skopeo/other").stdout)["Tags"]
    assert tags == ["1"]
    # decisions 28: the children of a tagged index stay until it goes; skopeo deletes by the digest of the tag.
    child = f"docker://{place.server}/skopeo/multi@{made.images[0]['digest']}"
    refused = skopeo("delete", "--creds", "CREDS", child, check=False)
    assert refused.returncode != 0 and made.top["digest"] in refused.stderr
    for where, repository in ((there, "skopeo/multi"), (other, "skopeo/other")):
        skopeo("delete", "--creds", "CREDS", where)
        for image in made.images:
            client.delete(f"/v2/{repository}/manifests/{image['digest']}").expect(202)


def test_skopeo_copies_between_docker_and_oci_forms(place, skopeo, tmp_path, quiet_usage):
    Layout(tmp_path / "image").image([b"some content" * 100], tag="latest")
    there = f"docker://{remote(place, 'skopeo/forms', 'docker')}"
    skopeo("copy", "--format", "v2s2", "--dest-creds", "CREDS", f"oci:{tmp_path}/image:latest", there)
    raw = json.loads(skopeo("inspect", "--raw", "--creds", "CREDS", there).stdout)
    assert raw["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    oci = f"docker://{remote(place, 'skopeo/forms', 'oci')}"
    skopeo("copy", "--format", "oci", "--src-creds", "CREDS", "--dest-creds", "CREDS", there, oci)
    assert json.loads(skopeo("inspect", "--raw", "--creds", "CREDS", oci).stdout)["config"]["mediaType"].startswith(
        "application/vnd.oci.image.config")
    for where in (there, oci):
        skopeo("delete", "--creds", "CREDS", where)


# S7: what was carried in as a file goes up over the local network; this namespace has no way out
def test_an_archive_that_was_carried_in_is_pushed(place, skopeo, tmp_path, quiet_usage):
    made = multi_platform(tmp_path / "multi")
    made.archive(tmp_path / "carried.tar")
    there = f"docker://{remote(place, 'skopeo/carried', '1')}"
    skopeo("copy", "--all", "--dest-creds", "CREDS", f"oci-archive:{tmp_path}/carried.tar", there)
    skopeo("copy", "--src-creds", "CREDS", there, f"docker-archive:{tmp_path}/out.tar:localhost/carried:1")
    assert (tmp_path / "out.tar").stat().st_size > 50_000
    place.client().delete("/acr/v1/skopeo/carried").expect(202)


# S20: the login server is lower case, and found in any
def test_a_login_server_in_any_case(site, place, skopeo, tmp_path, quiet_usage):
    assert place.server == place.server.lower()
    Layout(tmp_path / "image").image([b"case"], tag="latest")
    shouted = f"docker://{place.server.upper()}/skopeo/case:1"
    skopeo("copy", "--dest-creds", "CREDS", f"oci:{tmp_path}/image:latest", shouted)
    skopeo("copy", "--src-creds", "CREDS", f"docker://{remote(place, 'skopeo/case', '1')}", f"oci:{tmp_path}/back:latest")
    listed = skopeo("list-tags", "--creds", "CREDS", f"docker://{place.server.title()}/skopeo/case").stdout
    assert json.loads(listed)["Tags"] == ["1"]
    said = run("curl", "-sS", "--cacert", site.ca, "-u", f"{place.username}:{place.password}",
               f"https://{place.server.upper()}/v2/skopeo/case/tags/list").stdout
    assert json.loads(said) == {"name": "skopeo/case", "tags": ["1"]}
    place.client().delete("/acr/v1/skopeo/case").expect(202)


# S23: no redirect that would carry the Authorization header elsewhere
def test_a_blob_by_curl_in_one_step(site, place, tmp_path, quiet_usage):
    data = os.urandom(100_000)
    digest = place.push_blob(place.client(), "curl/app", data)
    said = run("curl", "-sSL", "--cacert", site.ca, "-w", "%{http_code} %{num_redirects}", "-o", str(tmp_path / "blob"), "-H",
               "Authorization: basic " + place.client().headers["Authorization"].split()[1],
               f"https://{place.server}/v2/curl/app/blobs/{digest}").stdout
    assert said == "200 0" and (tmp_path / "blob").read_bytes() == data
    # Cut, it goes on where it was.
    (tmp_path / "part").write_bytes(data[:30_000])
    run("curl", "-sS", "--cacert", site.ca, "-C", "-", "-o", str(tmp_path / "part"), "-u", f"{place.username}:{place.password}",
        f"https://{place.server}/v2/curl/app/blobs/{digest}")
    assert (tmp_path / "part").read_bytes() == data
    place.client().delete(f"/v2/curl/app/blobs/{digest}").expect(202)


# S16
def test_layers_not_for_distribution_go_up_without_their_bytes(place, skopeo, tmp_path, quiet_usage):
    made = Layout(tmp_path / "image")
    base, diff = made.layer(b"the vendor's base image")
    (made.blobs / base["digest"].split(":")[1]).unlink()
    descriptor = {**base, "mediaType": NOT_FOR_DISTRIBUTION, "urls": ["https://vendor.invalid/layer"]}
    image = made.image([b"our own layer"], tag="latest", foreign=(descriptor, diff))
    there = f"docker://{remote(place, 'skopeo/foreign', '1')}"
    skopeo("copy", "--dest-creds", "CREDS", f"oci:{tmp_path}/image:latest", there)
    client = place.client()
    shown = client.get("/v2/skopeo/foreign/manifests/1").expect(200)
    assert digest_of(shown.body) == image["digest"] and shown.json["layers"][-1] == descriptor
    client.head(f"/v2/skopeo/foreign/blobs/{base['digest']}").expect(404)
    skopeo("delete", "--creds", "CREDS", there)


# S16, with `allow-nondistributable-artifacts`
def test_layers_not_for_distribution_go_up_with_their_bytes(site, place, tmp_path, crane, quiet_usage):
    made = Layout(tmp_path / "image")
    base, diff = made.layer(b"the vendor's base image")
    descriptor = {**base, "mediaType": NOT_FOR_DISTRIBUTION, "urls": ["https://vendor.invalid/layer"]}
    made.image([b"our own layer"], tag="latest", foreign=(descriptor, diff))
    there = remote(place, "crane/foreign", "1")
    crane("push", "--allow-nondistributable-artifacts", str(tmp_path / "image"), there)
    client = place.client()
    assert digest_of(client.get(f"/v2/crane/foreign/blobs/{base['digest']}").expect(200).body) == base["digest"]
    crane("pull", "--format", "oci", "--allow-nondistributable-artifacts", there, str(tmp_path / "back"))
    assert (tmp_path / "back" / "blobs" / "sha256" / base["digest"].split(":")[1]).exists()
    crane("delete", f"{place.server}/crane/foreign@{crane('digest', there).stdout.strip()}")


# ---- crane

@pytest.fixture
def crane(site, place, tmp_path):
    program, env = tool("crane"), trusting(site, tmp_path)
    run(program, "auth", "login", place.server, "-u", place.username, "-p", place.password, env=env)
    return lambda *arguments, **more: run(program, *arguments, env=env, **more)


def test_crane_pushes_copies_tags_lists_and_deletes(place, crane, tmp_path, quiet_usage):
    made = multi_platform(tmp_path / "multi")
    there = remote(place, "crane/app", "1")
    crane("push", "--index", str(tmp_path / "multi"), there)
    # crane pushes the layout's own index: an index that lists ours.
    top = json.loads(crane("manifest", there).stdout)
    assert [m["digest"] for m in top["manifests"]] == [made.top["digest"]]
    crane("copy", f"{place.server}/crane/app@{made.top['digest']}", remote(place, "crane/other", "1"))  # mounts
    assert crane("digest", remote(place, "crane/other", "1")).stdout.strip() == made.top["digest"]
    crane("tag", remote(place, "crane/other", "1"), "stable")
    assert crane("ls", f"{place.server}/crane/other").stdout.split() == ["1", "stable"]
    assert {"crane/app", "crane/other"} <= set(crane("catalog", place.server).stdout.split())
    crane("validate", "--remote", f"{place.server}/crane/other@{made.images[0]['digest']}")
    pulled = crane("export", "--platform", "linux/arm64", remote(place, "crane/other", "1"), str(tmp_path / "files.tar"))
    assert pulled.returncode == 0 and (tmp_path / "files.tar").stat().st_size > 50_000
    crane("delete", remote(place, "crane/other", "1"), check=False)
    client = place.client()
    for repository in ("crane/app", "crane/other"):
        client.delete(f"/acr/v1/{repository}").expect(202)


def test_crane_appends_and_flattens(place, crane, tmp_path, quiet_usage):
    Layout(tmp_path / "image").image([b"one", b"two"], tag="latest")
    there = remote(place, "crane/built", "1")
    crane("push", str(tmp_path / "image"), there)
    (tmp_path / "more").write_text("more")
    run("tar", "-C", str(tmp_path), "-cf", str(tmp_path / "more.tar"), "more")
    crane("append", "-b", there, "-f", str(tmp_path / "more.tar"), "-t", remote(place, "crane/built", "2"))
    crane("mutate", there, "--label", "team=blue", "-t", remote(place, "crane/built", "3"))
    crane("flatten", remote(place, "crane/built", "2"), "-t", remote(place, "crane/built", "4"))
    assert crane("ls", f"{place.server}/crane/built").stdout.split() == ["1", "2", "3", "4"]
    config = json.loads(crane("config", remote(place, "crane/built", "3")).stdout)
    assert config["config"]["Labels"] == {"team": "blue"}
    for tag in "1234":
        crane("validate", "--remote", remote(place, "crane/built", tag))
    place.client().delete("/acr/v1/crane/built").expect(202)


# ---- oras

@pytest.fixture
def oras(site, place, tmp_path):
    program, env = tool("oras"), trusting(site, tmp_path)
    home = tmp_path / "files"
    home.mkdir()
    run(program, "login", place.server, "-u", place.username, "-p", place.password, env=env)
    return lambda *arguments, **more: run(program, *arguments, env=env, cwd=home, **more)


def test_oras_pushes_attaches_discovers_and_copies(place, oras, tmp_path, quiet_usage):
    files, there = tmp_path / "files", remote(place, "oras/app", "1")
    (files / "report.json").write_text('{"found": 0}')
    (files / "bill.spdx").write_text("a bill of materials")
    oras("push", there, "--artifact-type", "example/report", "report.json:application/json")
    oras("attach", there, "--artifact-type", "example/sbom", "bill.spdx:text/spdx")
    oras("attach", there, "--artifact-type", "example/signature", "--annotation", "signed-by=us")
    found = json.loads(oras("discover", there, "--format", "json").stdout)
    kinds = sorted(m["artifactType"] for m in found.get("referrers", found.get("manifests", [])))
    assert kinds == ["example/sbom", "example/signature"]
    found = json.loads(oras("discover", there, "--format", "json", "--artifact-type", "example/sbom").stdout)
    assert len(found.get("referrers", found.get("manifests", []))) == 1
    # With everything that refers to it, to another repository; and back to a file.
    other = remote(place, "oras/other", "1")
    oras("cp", "-r", there, other)
    found = json.loads(oras("discover", other, "--format", "json").stdout)
    assert len(found.get("referrers", found.get("manifests", []))) == 2
    oras("pull", other, "-o", "back")
    assert (files / "back" / "report.json").read_text() == '{"found": 0}'
    assert oras("repo", "tags", f"{place.server}/oras/other").stdout.split() == ["1"]
    assert {"oras/app", "oras/other"} <= set(oras("repo", "ls", place.server).stdout.split())
    oras("tag", other, "2", "3")
    digest = oras("resolve", remote(place, "oras/other", "3")).stdout.strip()
    assert digest == place.client().get("/v2/oras/app/manifests/1").header("Docker-Content-Digest")
    oras("manifest", "delete", "--force", other)
    place.client().get("/v2/oras/other/manifests/2").expect(404)
    for repository in ("oras/app", "oras/other"):
        place.client().delete(f"/acr/v1/{repository}").expect(202, 404)


def test_oras_handles_single_blobs_and_manifests(place, oras, tmp_path, quiet_usage):
    data = os.urandom(200_000)
    (tmp_path / "files" / "blob").write_bytes(data)
    where = f"{place.server}/oras/blob"
    oras("blob", "push", where, "blob")
    assert int(json.loads(oras("blob", "fetch", "--descriptor", f"{where}@{digest_of(data)}").stdout)["size"]) == len(data)
    oras("blob", "fetch", "--output", "again", f"{where}@{digest_of(data)}")
    assert (tmp_path / "files" / "again").read_bytes() == data
    oras("blob", "delete", "--force", f"{where}@{digest_of(data)}")
    place.client().head(f"/v2/oras/blob/blobs/{digest_of(data)}").expect(404)


# ---- buildah

@pytest.fixture
def buildah(site, place, tmp_path, request):
    """A store of its own below a short path, and certificates where `--cert-dir` finds them."""
    short = pathlib.Path(f"/tmp/azsacr-buildah-{os.getpid()}")
    certs = short / "certs"
    certs.mkdir(parents=True)
    shutil.copy(site.ca, certs / "ca.crt")
    request.addfinalizer(lambda: shutil.rmtree(short, ignore_errors=True))
    store = ["--root", f"{short}/root", "--runroot", f"{short}/run", "--storage-driver", "vfs"]
    env = {"HOME": str(short), "BUILDAH_ISOLATION": "chroot", "REGISTRY_AUTH_FILE": f"{short}/auth.json"}

    def call(*arguments, **more):
        return run("buildah", *store, *[a.replace("CERTS", f"--cert-dir={certs}") for a in arguments], env=env, **more)
    call("login", "CERTS", "-u", place.username, "-p", place.password, place.server)
    return call, short


def test_buildah_builds_pushes_and_pulls(place, buildah, quiet_usage):
    buildah, home = buildah
    context = home / "context"
    context.mkdir()
    (context / "content").write_bytes(os.urandom(50_000))
    (context / "Containerfile").write_text("FROM scratch\nCOPY content /content\nLABEL made=here\n")
    for platform in ("amd64", "arm64"):
        buildah("bud", "--arch", platform, "--manifest", "localhost/both", "-f", str(context / "Containerfile"), str(context))
    there = remote(place, "buildah/app", "1")
    buildah("manifest", "push", "--all", "CERTS", "localhost/both", f"docker://{there}")
    client = place.client()
    index = client.get("/v2/buildah/app/manifests/1").expect(200).json
    assert sorted(m["platform"]["architecture"] for m in index["manifests"]) == ["amd64", "arm64"]
    buildah("rmi", "--all", "--force")
    buildah("pull", "CERTS", f"docker://{there}")
    image = buildah("images", "-q").stdout.split()[0]
    # In Docker's form, to another repository.
    buildah("push", "--format", "v2s2", "CERTS", image, f"docker://{remote(place, 'buildah/docker', '1')}")
    assert client.get("/v2/buildah/docker/manifests/1").expect(200).header("Content-Type").startswith(
        "application/vnd.docker.distribution.manifest.v2")
    buildah("logout", place.server)
    for repository in ("buildah/app", "buildah/docker"):
        client.delete(f"/acr/v1/{repository}").expect(202)
