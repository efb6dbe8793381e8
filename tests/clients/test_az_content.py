"""az's commands for what is in a registry, in each az: what they show, what they change, and what they say when they are
refused (data-plane.md 2.5). Each az runs all of its commands in one process."""
import json
import os

import pytest

from harness.site import digest_of, image_manifest

OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
CONFIG = b'{"architecture":"amd64","os":"linux"}'
MANY = 105  # more than az asks for at once


def empty(salt):
    """A manifest that needs no blob."""
    return json.dumps({"mediaType": ARTIFACT, "artifactType": "test/empty", "blobs": [], "annotations": {"salt": salt}}).encode()


@pytest.fixture(scope="module")
def filled(site, az_registry):
    """More repositories, and more tags of one repository, than a page of az's: the repository of many tags."""
    client, name = az_registry.client(), site.unique("content/many")
    for i in range(MANY):
        client.put(f"/v2/{name}{i:03}/manifests/1", empty("r"), headers={"Content-Type": ARTIFACT}).expect(201)
        client.put(f"/v2/{name}/manifests/t{(i * 11) % MANY:03}", empty("t"), headers={"Content-Type": ARTIFACT}).expect(201)
    return name


@pytest.fixture(scope="module", params=["az", "long_term", "current"])
def quick(request):
    with request.getfixturevalue(request.param).serving() as serving:
        yield serving


@pytest.fixture
def repository(site, az_registry):
    """A fresh repository with the tag `1`: its name and the digest."""
    name = site.unique("content/r")
    digest, _ = az_registry.push_image(az_registry.client(), name, "1", [os.urandom(1000)], CONFIG)
    return name, digest


# S24
def test_lists_of_more_than_a_page(quick, az_registry, filled):
    r, tags = az_registry.name, [f"t{i:03}" for i in range(MANY)]
    listed = quick("acr", "repository", "list", "-n", r)
    assert listed == sorted(listed) and set(listed) >= {filled, *(f"{filled}{i:03}" for i in range(MANY))}
    assert quick("acr", "repository", "list", "-n", r, "--top", "3") == listed[:3]
    show_tags = ["acr", "repository", "show-tags", "-n", r, "--repository", filled]
    assert quick(*show_tags) == tags
    newest = quick(*show_tags, "--orderby", "time_desc")
    assert newest == [f"t{(i * 11) % MANY:03}" for i in reversed(range(MANY))]
    assert quick(*show_tags, "--orderby", "time_asc", "--top", "2") == newest[:-3:-1]
    detail = quick(*show_tags, "--detail", "--top", "1")
    assert [(t["name"], t["digest"], t["signed"]) for t in detail] == [("t000", digest_of(empty("t")), False)]


def test_what_is_shown(quick, az_registry, repository):
    r, (name, digest) = az_registry.name, repository
    shown = quick("acr", "repository", "show", "-n", r, "--repository", name)
    assert (shown["imageName"], shown["manifestCount"], shown["tagCount"]) == (name, 1, 1)
    assert shown["registry"] == az_registry.server
    attributes = {"deleteEnabled": True, "listEnabled": True, "readEnabled": True, "writeEnabled": True}
    assert shown["changeableAttributes"] == {**attributes, "teleportEnabled": False}
    tag = quick("acr", "repository", "show", "-n", r, "--image", f"{name}:1")
    assert (tag["name"], tag["digest"], tag["changeableAttributes"]) == ("1", digest, attributes)
    manifest = quick("acr", "repository", "show", "-n", r, "--image", f"{name}@{digest}")
    assert (manifest["digest"], manifest["tags"], manifest["architecture"], manifest["os"]) == (digest, ["1"], "amd64", "linux")
    assert manifest["imageSize"] == 1000 + len(CONFIG) and manifest["mediaType"] == OCI
    assert quick("acr", "manifest", "show-metadata", "-r", r, "-n", f"{name}:1")["digest"] == digest
    raw = quick.run("acr", "manifest", "show", "-r", r, "-n", f"{name}:1", "--raw")
    assert raw.returncode == 0 and digest_of(raw.stdout.rstrip("\n").encode()) == digest, raw.stderr
    listed = quick("acr", "manifest", "list", "-r", r, "-n", name)
    assert [m["config"]["digest"] for m in listed] == [digest_of(CONFIG)]
    missing = quick.fails("acr", "repository", "show", "-n", r, "--image", f"{name}:none")
    assert "the specified tag does not exist" in missing.stderr
    missing = quick.fails("acr", "repository", "show", "-n", r, "--repository", f"{name}/none")
    assert "repository name not known to registry" in missing.stderr


def test_order_of_manifests(quick, az_registry, repository):
    r, (name, first) = az_registry.name, repository
    second, _ = az_registry.push_image(az_registry.client(), name, "2", [os.urandom(10)], CONFIG)
    metadata = ["acr", "manifest", "list-metadata", "-r", r, "-n", name]
    assert [m["digest"] for m in quick(*metadata)] == sorted([first, second])
    assert [m["digest"] for m in quick(*metadata, "--orderby", "time_desc")] == [second, first]
    assert [m["digest"] for m in quick(*metadata, "--orderby", "time_asc", "--top", "1")] == [first]


# decisions 13; S26: the message names the object and the attribute.
def test_locks_at_three_levels(quick, az_registry, repository):
    r, (name, digest) = az_registry.name, repository
    untag = ["acr", "repository", "untag", "-n", r, "--image", f"{name}:1"]
    for target, wanted in ((["--image", f"{name}:1"], "The tag '1' is locked: its attribute writeEnabled is false"),
                           (["--image", f"{name}@{digest}"], f"The manifest '{digest}' is locked: its attribute writeEnabled is false"),
                           (["--repository", name], f"The repository '{name}' is locked: its attribute writeEnabled is false")):
        update = ["acr", "repository", "update", "-n", r, *target, "--write-enabled"]
        assert quick(*update, "false")["changeableAttributes"]["writeEnabled"] is False
        refused = " ".join(quick.fails(*untag).stderr.split())
        assert wanted in refused, refused
        assert quick(*update, "true")["changeableAttributes"]["writeEnabled"] is True
    metadata = ["acr", "manifest", "update-metadata", "-r", r, "-n", f"{name}@{digest}", "--delete-enabled"]
    assert quick(*metadata, "false")["changeableAttributes"]["deleteEnabled"] is False
    refused = quick.fails("acr", "repository", "delete", "-n", r, "--repository", name, "--yes")
    assert f"The manifest '{digest}' is locked: its attribute deleteEnabled is false" in " ".join(refused.stderr.split())
    quick(*metadata, "true")
    quick("acr", "repository", "update", "-n", r, "--image", f"{name}:1", "--list-enabled", "false", "--read-enabled", "false")
    assert quick("acr", "repository", "show-tags", "-n", r, "--repository", name) == []
    assert az_registry.client().get(f"/v2/{name}/manifests/1").expect(405).code == "REGISTRY_DISALLOWED_OPERATION"
    quick("acr", "repository", "update", "-n", r, "--image", f"{name}:1", "--list-enabled", "true", "--read-enabled", "true")
    quick(*untag)
    assert quick("acr", "repository", "show", "-n", r, "--repository", name)["tagCount"] == 0


# decisions 28; S9: what a tagged index lists survives.
def test_deletes(quick, az_registry, repository):
    r, client, (name, child) = az_registry.name, az_registry.client(), repository
    size = int(client.head(f"/v2/{name}/manifests/{child}").header("Content-Length"))
    index = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": OCI, "digest": child, "size": size}]}).encode()
    client.put(f"/v2/{name}/manifests/all", index, headers={"Content-Type": INDEX}).expect(201)
    signature = json.dumps({"mediaType": ARTIFACT, "artifactType": "test/signature", "blobs": [],
                            "subject": {"mediaType": OCI, "digest": child, "size": size}}).encode()
    client.put(f"/v2/{name}/manifests/{digest_of(signature)}", signature, headers={"Content-Type": ARTIFACT}).expect(201)
    referrers = quick("acr", "manifest", "list-referrers", "-r", r, "-n", f"{name}:1")
    assert [m["digest"] for m in referrers["manifests"]] == [digest_of(signature)]
    assert quick("acr", "manifest", "show", "-r", r, "-n", f"{name}:all")["manifests"][0]["digest"] == child
    quick("acr", "repository", "untag", "-n", r, "--image", f"{name}:1")
    untagged = quick("acr", "manifest", "list-metadata", "-r", r, "-n", name, "--query", "[?tags[0]==null].digest")
    assert untagged == sorted([child, digest_of(signature)])
    refused = quick.fails("acr", "repository", "delete", "-n", r, "--image", f"{name}@{child}", "--yes")
    assert f"The manifest is listed by the tagged index {digest_of(index)}" in " ".join(refused.stderr.split())
    quick("acr", "repository", "delete", "-n", r, "--image", f"{name}:all", "--yes")
    client.get(f"/v2/{name}/manifests/{digest_of(index)}").expect(404)
    quick("acr", "manifest", "delete", "-r", r, "-n", f"{name}@{child}", "--yes")
    client.get(f"/v2/{name}/manifests/{child}").expect(404)
    quick("acr", "repository", "delete", "-n", r, "--repository", name, "--yes")
    client.get(f"/acr/v1/{name}").expect(404)
    again = quick.fails("acr", "repository", "delete", "-n", r, "--repository", name, "--yes")
    assert "repository name not known to registry" in again.stderr


# S10, S11: at once, and an image without a tag is its `latest`.
def test_usage_rises_and_falls(quick, az_registry, site):
    r, name, layer = az_registry.name, site.unique("content/usage"), os.urandom(300000)

    def used():
        return quick("acr", "show-usage", "-n", r)["value"][0]["currentValue"]

    before = used()
    az_registry.push_image(az_registry.client(), name, "latest", [layer], b'{"architecture":"amd64","os":"plan9"}')
    assert used() == before + len(layer) + 37 + len(image_manifest(b" " * 37, [layer]))
    quick("acr", "repository", "delete", "-n", r, "--image", name, "--yes")
    assert used() == before


def test_by_password(quick, az_registry, repository):
    who = ["-u", az_registry.username, "-p", az_registry.password]
    assert quick("acr", "repository", "show-tags", "-n", az_registry.name, "--repository", repository[0], *who) == ["1"]
    wrong = quick.fails("acr", "repository", "list", "-n", az_registry.name, "-u", az_registry.username, "-p", "wrong")
    assert "401" in wrong.stderr or "unauthorized" in wrong.stderr.lower()
