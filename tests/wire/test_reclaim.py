"""What is deleted and comes back or goes for good: retention and `azsacrd recover`, the sweep, `azsacrd check --store` with
`--repair` (docs/store.md; S9, S10, S11)."""
import json
import os
import subprocess
import time

import pytest

from harness.site import Site, digest_of

OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture(scope="module")
def keeping_site(tmp_path_factory):
    """What is deleted there can be recovered for a day; garbage goes after a second."""
    site = Site(tmp_path_factory.mktemp("keeping") / "state", port=9447, region="keeping",
                environment={"AZSACR_DELETED_RETENTION": "1", "AZSACR_STORE_GRACE": "1"}).start()
    arm = site.operator()
    arm.put(f"/subscriptions/{site.subscription}/resourcegroups/g?api-version=2019-10-01", {"location": site.region}).expect(201)
    yield site
    site.stop()


@pytest.fixture
def kept(keeping_site):
    return keeping_site.create_registry(keeping_site.operator(), "g")


def run_check(site, *flags):
    done = subprocess.run([site.program, "check", *flags, "--state", str(site.state)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0",
                                                         **site.environment}, timeout=120)
    return done.returncode, done.stdout, done.stderr


def file_of(site, registry, digest):
    file = site.sql("select b.file from acr.blob b join acr.registry r on r.id = b.registry_id"
                    f" where r.login_key = '{registry.name.lower()}' and b.digest = '{digest}'")
    return site.state / "store" / file[0][:2] / file[0] if file else None


def recover(site, *words):
    return site.command("recover", *words)


def end_retention(site, registry):
    site.sql("update acr.repository p set deleted_at = deleted_at - interval '25 hours' from acr.registry r"
             f" where r.id = p.registry_id and r.login_key = '{registry.name.lower()}' and p.kept")


def test_a_deleted_image_comes_back_with_its_tags(keeping_site, kept):
    site, client, operator = keeping_site, kept.client(), keeping_site.operator()
    digest, size = kept.push_image(client, "r/app", "v1", [os.urandom(3000)])
    body = client.get("/v2/r/app/manifests/v1").body
    client.put("/v2/r/app/manifests/v2", body, headers={"Content-Type": OCI}).expect(201)
    client.delete(f"/v2/r/app/manifests/{digest}").expect(202)
    # Gone for everybody, and no longer counted.
    client.get("/v2/r/app/manifests/v1").expect(404)
    client.get(f"/v2/r/app/manifests/{digest}").expect(404)
    assert client.get("/v2/_catalog").json["repositories"] == [] and kept.usage(operator) == 0
    listed = recover(site, "list", kept.name, "r/app")
    assert [(row["digest"], row["tags"], row["mediaType"]) for row in listed] == [(digest, ["v1", "v2"], OCI)]
    # A tag that is in use again stays where it is.
    newer, _ = kept.push_image(client, "r/app", "v2", [os.urandom(10)])
    before = kept.usage(operator)
    done = recover(site, "restore", kept.name, "r/app:v1")
    assert (done["manifests"], done["tags"], done["tagsInUseAgain"]) == (1, 1, 1)
    assert client.get("/v2/r/app/manifests/v1").expect(200).header("Docker-Content-Digest") == digest
    assert client.get("/v2/r/app/manifests/v2").expect(200).header("Docker-Content-Digest") == newer
    shown = client.get("/acr/v1/r/app").expect(200).json
    assert (shown["manifestCount"], shown["tagCount"]) == (2, 2)
    assert kept.usage(operator) == before + done["bytes"] and done["bytes"] <= size
    for layer in json.loads(body)["layers"]:
        client.get(f"/v2/r/app/blobs/{layer['digest']}").expect(200)
    assert recover(site, "list", kept.name) == []
    failed = site.command("recover", "restore", kept.name, "r/app:v1", check=False)
    assert failed.returncode == 1 and "nothing that was deleted there is kept" in failed.stderr
    assert run_check(site, "--store")[0] == 0


def test_a_deleted_repository_comes_back(keeping_site, kept):
    site, client, operator = keeping_site, kept.client(), keeping_site.operator()
    children = [kept.push_image(client, "r/multi", f"arch{i}", [os.urandom(500)])[0] for i in range(2)]
    entries = [{"mediaType": OCI, "digest": d, "size": len(client.get(f"/v2/r/multi/manifests/{d}").body)} for d in children]
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
    client.put("/v2/r/multi/manifests/all", index, headers={"Content-Type": INDEX}).expect(201)
    total = kept.usage(operator)
    client.delete("/acr/v1/r/multi").expect(202)
    assert kept.usage(operator) == 0
    client.get("/acr/v1/r/multi").expect(404)
    # An index brings what it lists; the whole repository all the same.
    done = recover(site, "restore", kept.name, f"r/multi@{digest_of(index)}")
    assert (done["manifests"], done["tags"], done["bytes"]) == (3, 3, total)
    assert kept.usage(operator) == total
    for reference in ["all", "arch0", *children]:
        client.get(f"/v2/r/multi/manifests/{reference}").expect(200)
    # Deleted one by one, the parent first, and all of it back at once.
    for digest in [digest_of(index), *children]:
        client.delete(f"/v2/r/multi/manifests/{digest}").expect(202)
    assert kept.usage(operator) == 0
    assert recover(site, "restore", kept.name, "r/multi")["manifests"] == 3
    assert kept.usage(operator) == total
    # Not beyond the quota.
    client.delete("/acr/v1/r/multi").expect(202)
    site.command("quota", "set", "registry", kept.name, str(total - 1))
    failed = site.command("recover", "restore", kept.name, "r/multi", check=False)
    assert failed.returncode == 1 and f"limit of {total - 1} bytes" in failed.stderr
    assert kept.usage(operator) == 0 and client.get("/v2/_catalog").json["repositories"] == []


def test_what_nobody_recovers_goes_when_the_retention_is_over(keeping_site, kept):
    site, client = keeping_site, kept.client()
    layer = os.urandom(2000)
    digest, _ = kept.push_image(client, "r/old", "v1", [layer])
    path = file_of(site, kept, digest_of(layer))
    client.delete(f"/v2/r/old/manifests/{digest}").expect(202)
    assert path.exists()
    end_retention(site, kept)
    site.wait_until(lambda: not path.exists())
    assert recover(site, "list", kept.name) == []
    assert site.sql("select count(*) from acr.blob b join acr.registry r on r.id = b.registry_id"
                    f" where r.login_key = '{kept.name.lower()}'") == ["0"]


# S11: bytes on disk follow, for a whole repository too.
def test_bytes_on_disk_follow_a_repositorys_deletion(keeping_site, kept):
    site, client = keeping_site, kept.client()
    layer = os.urandom(2 << 20)
    kept.push_image(client, "s/11", "v1", [layer])
    path = file_of(site, kept, digest_of(layer))
    assert path.stat().st_size == len(layer)
    client.delete("/acr/v1/s/11").expect(202)
    end_retention(site, kept)
    site.wait_until(lambda: not path.exists(), 120)


# A lost file is mended from another registry that has the same layer.
def test_repair_takes_another_registrys_copy(keeping_site, kept):
    site = keeping_site
    other = site.create_registry(site.operator(), "g")
    layer = os.urandom(4000)
    for registry in (kept, other):
        registry.push_image(registry.client(), "fix/app", "v1", [layer])
    path = file_of(site, kept, digest_of(layer))
    path.unlink()
    status, out, _ = run_check(site, "--store")
    assert status == 1 and f"missing file: {digest_of(layer)}" in out, out
    status, out, _ = run_check(site, "--repair")
    assert status == 0 and "of 1 findings 1 are mended" in out, out
    assert kept.client().get(f"/v2/fix/app/blobs/{digest_of(layer)}").expect(200).body == layer
    assert run_check(site, "--store", "--deep", "--rate", "0")[0] == 0


# What nobody else has is unknown from then on, so that clients, which ask first, push it again: and that mends it.
@pytest.mark.parametrize("damage", ["missing", "bent"])
def test_repair_lets_clients_push_again_what_is_lost(keeping_site, kept, damage):
    site, client = keeping_site, kept.client()
    layer = os.urandom(4000)
    blob = f"/v2/lost/app/blobs/{digest_of(layer)}"
    image, _ = kept.push_image(client, "lost/app", "v1", [layer])
    path = file_of(site, kept, digest_of(layer))
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"x" + layer[1:])
        assert run_check(site, "--store")[0] == 0  # its size is right: only its digest tells
    status, out, told = run_check(site, "--deep", "--repair")
    assert status == 1 and f"needed by {kept.name} lost/app@{image}" in out, out
    client.head(blob).expect(404)
    client.post(f"/v2/lost/other/blobs/uploads/?mount={digest_of(layer)}&from=lost/app").expect(202)
    kept.push_blob(client, "lost/app", layer)
    assert client.get(blob).expect(200).body == layer
    assert run_check(site, "--deep", "--rate", "1G")[0] == 0
    # Restored by hand is as good.
    if damage == "missing":
        path = file_of(site, kept, digest_of(layer))
        saved = path.read_bytes()
        path.unlink()
        assert run_check(site, "--repair")[0] == 1
        path.write_bytes(saved)
        path.chmod(0o640)
        os.chown(path, -1, path.parent.stat().st_gid)
        status, out, _ = run_check(site, "--repair")
        assert status == 0 and f"there again: {digest_of(layer)}" in out, out
        assert client.get(blob).expect(200).body == layer


def test_repair_of_orphans_and_sums(keeping_site, kept):
    site, operator = keeping_site, keeping_site.operator()
    _, size = kept.push_image(kept.client(), "sum/app", "v1", [os.urandom(1000)])
    number = site.sql(f"select id from acr.registry where login_key = '{kept.name.lower()}'")[0]
    orphan = site.state / "store" / "0a" / "0a1b2c3d-0000-4000-8000-000000000099"
    orphan.write_bytes(b"nobody's")
    site.sql(f"update acr.registry_usage set live_bytes = 1 where registry_id = {number}")
    site.sql(f"update acr.repository set manifest_count = 7 where registry_id = {number}")
    site.sql(f"update acr.blob set referenced = false where registry_id = {number} and size = 1000")
    status, out, _ = run_check(site, "--store")
    assert status == 1 and f"usage of {kept.name}: 1 bytes, but its images have {size}" in out, out
    assert "file that no row names" in out and "with wrong counts: 1" in out and "wrongly marked" in out, out
    status, out, _ = run_check(site, "--repair")
    assert status == 0 and "are mended" in out, out
    assert kept.usage(operator) == size
    site.wait_until(lambda: not orphan.exists())
    assert run_check(site, "--store")[0] == 0


# The digests are read at the rate that is asked for, and it says how far it is.
def test_the_deep_check_keeps_its_rate(keeping_site, kept):
    for _ in range(6):
        kept.push_blob(kept.client(), "rate/app", os.urandom(1 << 20))
    began = time.monotonic()
    status, _, told = run_check(keeping_site, "--deep", "--rate", "1M")
    assert status == 0 and time.monotonic() - began >= 6
    assert "checked: " in told and "MiB read" in told, told
    done = keeping_site.command("check", "--rate", "fast", check=False)
    assert done.returncode == 2 and "--rate is bytes a second" in done.stderr
