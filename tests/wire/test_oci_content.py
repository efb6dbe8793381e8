"""The OCI conformance suite's kinds of content (distribution 1.1, image 1.1), under its names: each is pushed, listed, headed,
pulled, asked for its referrers and deleted; then the suite's errors of manifests, and what goes beyond it."""
import json
import os

import pytest

from harness.oci import (ARTIFACT, BYTES, CONFIG, DOCKER_FOREIGN, DOCKER_IMAGE, DOCKER_LIST, EMPTY, EXAMPLE, IMAGE, INDEX, LAYER,
                         Content, post_only, push)
from harness.site import digest_of

MISSING = {"mediaType": IMAGE, "digest": digest_of(b"missing content"), "size": 123}
ANNOTATED = {"annotations": {"org.opencontainers.conformance": "hello", "of": "azsacr"}}


@pytest.fixture
def place(site):
    return site.unique("oci/content")


@pytest.fixture(scope="module")
def client(shared_registry):
    return shared_registry.client()


def image(content):
    content.image("image")


def image_uncompressed(content):
    content.image("image-uncompressed", compressed=False)


def large_manifest(content):
    """As large as a manifest may be: 390 annotations of 10,000 letters."""
    content.image("large-manifest", annotations={f"large-annotation-{i}": "A" * 10000 for i in range(390)})


def index(content):
    content.platforms("index")


def nested_index(content):
    content.index([content.platforms(), content.platforms()], "index-of-index")


def empty_index(content):
    content.index([], "index")


def artifact(content):
    content.artifact("artifact")


def artifact_index(content):
    content.platforms("artifact-index", make=lambda architecture: content.artifact(), artifactType=EXAMPLE)


def artifact_without_layers(content):
    """Its one layer is the empty blob that its config is, too."""
    content.artifact("artifact-without-layers", layer=content.blob(b"{}", EMPTY))


def artifacts_with_subject(content):
    subject = content.image("image")
    content.image(subject=subject)
    content.artifact("tagged-artifact1", subject=subject, **ANNOTATED)
    content.artifact("tagged-artifact2", kind=EXAMPLE + "2", subject=subject, **ANNOTATED)


def index_with_subject(content):
    subject = content.platforms("index")
    content.platforms("tagged-artifact", make=lambda architecture: content.artifact(), artifactType=EXAMPLE, subject=subject,
                      **ANNOTATED)


def index_with_subject_and_no_type(content):
    """An index without an artifactType is listed without one."""
    content.platforms(subject=content.image())


def missing_subject(content):
    content.artifact("tagged-artifact", subject=MISSING, **ANNOTATED)


def data_field(content):
    import base64
    inside = b'{"inside":"the descriptor"}'
    config = {**content.blob(b"{}", EMPTY), "data": base64.b64encode(b"{}").decode()}
    layer = {**content.blob(inside, EXAMPLE), "data": base64.b64encode(inside).decode()}
    content.manifest({"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": [layer]}, "data-field")


def non_distributable_layers(content):
    layer, plain = content.layer()
    away = [{"mediaType": f"application/vnd.oci.image.layer.nondistributable.v1.tar{form}", "size": size, "digest": digest,
             "urls": [f"https://store.example.com/blobs/{digest}"]}
            for form, size, digest in (("+gzip", 123456, digest_of(os.urandom(9))), ("", 12345, digest_of(os.urandom(9))))]
    config = content.blob(json.dumps({"architecture": "amd64", "os": "windows", "rootfs": {
        "type": "layers", "diff_ids": [*[layer["digest"] for layer in away], plain]}}).encode(), CONFIG)
    content.manifest({"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": [*away, layer]}, "non-distributable-image")


def custom_fields(content):
    content.platforms("custom-fields", extra={"org." + os.urandom(6).hex(): os.urandom(6).hex()})


def no_layers(content):
    content.image("no-layers", layers=0)


KINDS = {f.__name__.replace("_", "-"): f for f in (
    image, image_uncompressed, large_manifest, index, nested_index, empty_index, artifact, artifact_index, artifact_without_layers,
    artifacts_with_subject, index_with_subject, index_with_subject_and_no_type, missing_subject, data_field,
    non_distributable_layers, custom_fields, no_layers)}


def check_push(client, repository, content):
    push(client, repository, content)
    for digest, (media_type, body) in content.manifests.items():  # again, and what is answered
        answer = client.put(f"/v2/{repository}/manifests/{digest}", body, headers={"Content-Type": media_type}).expect(201)
        assert answer.header("Location") == f"/v2/{repository}/manifests/{digest}" and answer.body == b""
        assert answer.header("Docker-Content-Digest") == digest
        assert answer.header("OCI-Subject") == json.loads(body).get("subject", {}).get("digest")


def check_list(client, repository, content):
    if not content.tags:
        assert client.get(f"/v2/{repository}/tags/list").expect(200).json == {"name": repository, "tags": []}
    tags = client.get(f"/v2/{repository}/tags/list").expect(200).json["tags"]
    assert tags == sorted(content.tags)
    for last in tags:
        assert client.get(f"/v2/{repository}/tags/list?last={last}").expect(200).json["tags"] == [t for t in tags if t > last]


def check_pull(client, repository, content):
    """HEAD and GET of all of it, by digest and by tag: the very bytes, type and length."""
    for reference, digest in [*content.tags.items(), *zip(content.manifests, content.manifests)]:
        media_type, body = content.manifests[digest]
        for method in ("HEAD", "GET"):
            answer = client.request(method, f"/v2/{repository}/manifests/{reference}").expect(200)
            assert answer.body == (body if method == "GET" else b"")
            assert (answer.header("Content-Type"), answer.header("Content-Length")) == (media_type, str(len(body)))
            assert answer.header("Docker-Content-Digest") == digest
    for digest, data in content.blobs.items():
        head = client.head(f"/v2/{repository}/blobs/{digest}").expect(200)
        assert (head.header("Content-Length"), head.body) == (str(len(data)), b"")
        assert client.get(f"/v2/{repository}/blobs/{digest}").expect(200).body == data


def check_referrers(client, repository, content):
    def order(descriptors):
        return sorted(descriptors, key=lambda d: d["digest"])
    for subject, expected in content.referrers.items():
        answer = client.get(f"/v2/{repository}/referrers/{subject}").expect(200)
        assert answer.header("Content-Type") == INDEX and answer.header("OCI-Filters-Applied") is None
        assert answer.json["schemaVersion"] == 2 and answer.json["mediaType"] == INDEX
        assert order(answer.json["manifests"]) == order(expected)
        for kind in {d.get("artifactType") for d in expected} - {None} | {"application/of.none"}:
            answer = client.get(f"/v2/{repository}/referrers/{subject}?artifactType={kind.replace('+', '%2B')}").expect(200)
            assert answer.header("OCI-Filters-Applied") == "artifactType"
            assert order(answer.json["manifests"]) == order([d for d in expected if d.get("artifactType") == kind])


def check_delete(client, repository, content):
    """Tags, then manifests from the last to the first, then blobs; gone at once, each."""
    for tag, digest in content.tags.items():
        client.delete(f"/v2/{repository}/manifests/{tag}").expect(202)
        client.head(f"/v2/{repository}/manifests/{tag}").expect(404)
        client.head(f"/v2/{repository}/manifests/{digest}").expect(200)
    for digest in reversed(content.manifests):
        client.delete(f"/v2/{repository}/manifests/{digest}").expect(202)
        client.head(f"/v2/{repository}/manifests/{digest}").expect(404)
        assert client.delete(f"/v2/{repository}/manifests/{digest}").expect(404).code == "MANIFEST_UNKNOWN"
    for digest in content.blobs:
        client.delete(f"/v2/{repository}/blobs/{digest}").expect(202)
        client.head(f"/v2/{repository}/blobs/{digest}").expect(404)
    for subject in content.referrers:
        assert client.get(f"/v2/{repository}/referrers/{subject}").expect(200).json["manifests"] == []
    assert client.get(f"/v2/{repository}/tags/list").expect(200).json["tags"] == []


@pytest.mark.parametrize("name", KINDS)
def test_content(client, place, name):
    content = Content()
    KINDS[name](content)
    for check in (check_push, check_list, check_pull, check_referrers, check_delete):
        check(client, place, content)


@pytest.mark.parametrize("name", ["index", "artifacts-with-subject", "index-with-subject"])
def test_sha512(client, place, name):
    """By digest only: a tag's manifest is named by its sha256 (a push by digest that sets tags is no part of 1.1)."""
    content = Content("sha512")
    KINDS[name](content)
    content.tags = {}
    for check in (check_push, check_list, check_pull, check_referrers, check_delete):
        check(client, place, content)


def test_bad_digest_image(client, place):
    content = Content()
    content.image()
    (digest, (media_type, body)), = content.manifests.items()
    content.manifests = {}
    push(client, place, content)
    for wrong in (body + b"  ", body[:-1] + b" }"):
        answer = client.put(f"/v2/{place}/manifests/{digest}", wrong, headers={"Content-Type": media_type}).expect(400)
        assert answer.code == "DIGEST_INVALID"
    client.head(f"/v2/{place}/manifests/{digest}").expect(404)


@pytest.mark.parametrize("name", ["by-digest", "by-tag"])
def test_missing_manifest(client, place, name):
    reference = digest_of(os.urandom(9)) if name == "by-digest" else "missing-" + os.urandom(6).hex()
    for repository in (place, f"{place}/there"):
        if repository != place:
            post_only(client, repository, digest_of(b"there"), b"there").expect(201)
        client.head(f"/v2/{repository}/manifests/{reference}").expect(404)
        answer = client.get(f"/v2/{repository}/manifests/{reference}").expect(404)
        assert answer.code == ("NAME_UNKNOWN" if repository == place else "MANIFEST_UNKNOWN")


@pytest.mark.parametrize("digest", ["sha256:baddigeststring", "sha256:" + "A" * 64, "sha512:" + "0" * 64, "sha1:" + "0" * 40, "sha256:"])
def test_invalid_digest_format(client, place, digest):
    """data-plane.md 4: a malformed digest in a manifest's path is 400, never 500."""
    content = Content()
    content.image()
    push(client, place, content)
    body = next(iter(content.manifests.values()))[1]
    answer = client.put(f"/v2/{place}/manifests/{digest}", body, headers={"Content-Type": IMAGE}).expect(400)
    assert answer.code == "DIGEST_INVALID"
    assert client.get(f"/v2/{place}/manifests/{digest}").expect(400).code == "DIGEST_INVALID"
    assert client.delete(f"/v2/{place}/manifests/{digest}").expect(400).code == "DIGEST_INVALID"
    assert client.get(f"/v2/{place}/referrers/{digest}").expect(400).code == "DIGEST_INVALID"
    client.head(f"/v2/{place}/manifests/{digest}").expect(400)


# ---- beyond it

def docker_image(content, layers, media_type=DOCKER_IMAGE, **members):
    config = content.blob(json.dumps({"architecture": "amd64", "os": "linux", "made": os.urandom(8).hex()}).encode(),
                          "application/vnd.docker.container.image.v1+json")
    return content.manifest({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers, **members})


def docker_layer(content):
    return content.blob(os.urandom(500), "application/vnd.docker.image.rootfs.diff.tar.gzip")


def test_docker_images_and_lists(client, place):
    content = Content()
    child = docker_image(content, [docker_layer(content)])
    listed = content.manifest({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [
        {**child, "platform": {"architecture": "arm", "os": "linux", "variant": "v7"}}]}, "list")
    for check in (check_push, check_list, check_pull):
        check(client, place, content)
    client.get(f"/v2/{place}/manifests/{listed['digest']}").expect(200)
    body = content.manifests[child["digest"]][1]
    without = json.dumps({k: v for k, v in json.loads(body).items() if k != "mediaType"}).encode()
    refused = client.put(f"/v2/{place}/manifests/x", without, headers={"Content-Type": DOCKER_IMAGE}).expect(400)
    assert refused.code == "MANIFEST_INVALID" and "mediaType is missing" in refused.message
    check_delete(client, place, content)


def test_media_types(client, place):
    """The header and the document agree, or one of them says it; parameters and schema 1."""
    content = Content()
    content.image()
    push(client, place, content)
    body = next(iter(content.manifests.values()))[1]
    plain = json.dumps({k: v for k, v in json.loads(body).items() if k != "mediaType"}).encode()

    def put(data, kind, status):
        return client.put(f"/v2/{place}/manifests/t", data, headers={"Content-Type": kind} if kind else {}).expect(status)
    for kind in (IMAGE, IMAGE + "; charset=utf-8", " " + IMAGE + " ", None):
        put(body, kind, 201)
        assert client.get(f"/v2/{place}/manifests/t").header("Content-Type") == IMAGE
    put(plain, IMAGE, 201)
    put(plain, None, 201)
    for data, kind, why in ((body, INDEX, "differs"), (body, DOCKER_IMAGE, "differs"), (plain, "text/plain", "media type"),
                            (plain, INDEX, "config does not belong"), (b'{"schemaVersion":1}', None, "schema 1"),
                            (plain, "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1")):
        answer = put(data, kind, 400)
        assert answer.code == "MANIFEST_INVALID" and why in answer.message, (kind, answer)


@pytest.mark.parametrize("accept", [None, "*/*", "application/vnd.docker.distribution.manifest.v1+prettyjws", DOCKER_IMAGE, "text/html"])
def test_the_stored_type_whatever_accept_says(client, place, accept):
    """data-plane.md 4: never a 404, never a conversion to schema 1; az asks for no index (2.5)."""
    content = Content()
    content.platforms("v1")
    push(client, place, content)
    for reference in ("v1", *content.manifests):
        media_type, body = content.manifests[content.tags.get(reference, reference)]
        answer = client.get(f"/v2/{place}/manifests/{reference}", headers={"Accept": accept} if accept else {}).expect(200)
        assert answer.header("Content-Type") == media_type and answer.body == body


def test_artifact_manifests(client, place):
    """The kind that image 1.1 dropped: oras and notation of old made them, with a subject and without."""
    content = Content()
    subject = content.image("subject")
    for kind in (ARTIFACT, "application/vnd.cncf.oras.artifact.manifest.v1+json"):
        content.manifest({"mediaType": kind, "artifactType": EXAMPLE, "blobs": [content.blob(os.urandom(50), EXAMPLE)],
                          "subject": subject, "annotations": {"of": kind}})
    content.manifest({"mediaType": ARTIFACT, "artifactType": EXAMPLE}, "bare")
    for check in (check_push, check_list, check_pull, check_referrers, check_delete):
        check(client, place, content)


# S16
@pytest.mark.parametrize("media_type", [DOCKER_FOREIGN, LAYER.replace(".layer.", ".layer.nondistributable.") + "+gzip"])
def test_foreign_layers_with_and_without_bytes(operator, shared_registry, client, place, media_type):
    """A Windows image, pushed by a client that keeps the layer to itself and by one that does not; pulled back the same."""
    data = os.urandom(4000)
    used = shared_registry.usage(operator)
    foreign = {"mediaType": media_type, "digest": digest_of(data), "size": len(data),
               "urls": ["https://mcr.example.com/layer", "https://elsewhere.example.com/layer"]}
    made = {}
    for name in ("without", "with"):
        content = Content()
        if name == "with":
            content.blob(data, media_type)
        descriptor = docker_image(content, [foreign, docker_layer(content)])
        push(client, f"{place}/{name}", content)
        check_pull(client, f"{place}/{name}", content)
        bytes_here = sum(len(b) for b in content.blobs.values()) + sum(len(b) for _, b in content.manifests.values())
        used += bytes_here  # the layer counts where its bytes are
        assert shared_registry.usage(operator) == used
        made[name] = descriptor["digest"]
    assert client.get(f"/v2/{place}/without/blobs/{digest_of(data)}").expect(404).code == "BLOB_UNKNOWN"
    # Without urls nobody could find it: then it must be here, and of the size that is said.
    for wrong, code in (({**foreign, "urls": []}, "MANIFEST_BLOB_UNKNOWN"), ({**foreign, "urls": None}, "MANIFEST_BLOB_UNKNOWN"),
                        ({**foreign, "urls": ["x", 1]}, "MANIFEST_INVALID"),
                        ({**foreign, "mediaType": LAYER}, "MANIFEST_BLOB_UNKNOWN")):
        content = Content()
        docker_image(content, [wrong])
        body = next(iter(content.manifests.values()))[1]
        content.manifests = {}
        push(client, f"{place}/without", content)
        assert client.put(f"/v2/{place}/without/manifests/x", body, headers={"Content-Type": DOCKER_IMAGE}).expect(400, 404).code == code
    content = Content()
    docker_image(content, [{**foreign, "size": 1}])
    body = next(iter(content.manifests.values()))[1]
    content.manifests = {}
    push(client, f"{place}/with", content)
    assert client.put(f"/v2/{place}/with/manifests/x", body, headers={"Content-Type": DOCKER_IMAGE}).expect(400).code == "MANIFEST_INVALID"


# decisions 31
@pytest.mark.parametrize("media_type", [INDEX, DOCKER_LIST])
def test_a_build_cache_lists_blobs(client, place, media_type):
    """What buildx exports with --cache-to type=registry: an index of layers, its config at the end."""
    content = Content()
    layers = [content.blob(os.urandom(800), LAYER + "+gzip") for _ in range(3)]
    config = content.blob(json.dumps({"layers": [], "records": []}).encode(), "application/vnd.buildkit.cacheconfig.v0")
    cache = content.manifest({"schemaVersion": 2, "mediaType": media_type, "manifests": [*layers, config]}, "buildcache")
    for check in (check_push, check_list, check_pull):
        check(client, place, content)
    for layer in layers:
        refused = client.delete(f"/v2/{place}/blobs/{layer['digest']}").expect(405)
        assert cache["digest"] in refused.message
    unknown = {"schemaVersion": 2, "mediaType": media_type, "manifests": [{**layers[0], "digest": digest_of(b"never pushed")}]}
    answer = client.put(f"/v2/{place}/manifests/x", json.dumps(unknown).encode(), headers={"Content-Type": media_type}).expect(404)
    assert answer.code == "MANIFEST_BLOB_UNKNOWN"
    check_delete(client, place, content)


def test_conditional_get_of_a_manifest(client, place):
    content = Content()
    content.image("v1")
    push(client, place, content)
    (digest, (_, body)), = content.manifests.items()
    for reference in ("v1", digest):
        for known in (f'"{digest}"', f'W/"{digest}"', f'"other", "{digest}"', "*"):
            for method in ("GET", "HEAD"):
                answer = client.request(method, f"/v2/{place}/manifests/{reference}", headers={"If-None-Match": known}).expect(304)
                assert answer.header("ETag") == f'"{digest}"' and answer.body == b""
        assert client.get(f"/v2/{place}/manifests/{reference}", headers={"If-None-Match": f'"x{digest}"'}).expect(200).body == body


def test_two_names_of_one_content(client, place):
    """The same bytes by sha256 and by sha512 are two manifests; each goes by itself."""
    content = Content()
    content.image()
    push(client, place, content)
    (first, (_, body)), = content.manifests.items()
    second = digest_of(body, "sha512")
    client.put(f"/v2/{place}/manifests/{second}", body, headers={"Content-Type": IMAGE}).expect(201)
    client.delete(f"/v2/{place}/manifests/{first}").expect(202)
    assert client.get(f"/v2/{place}/manifests/{second}").expect(200).body == body
    client.head(f"/v2/{place}/manifests/{first}").expect(404)


def test_a_blob_is_no_manifest(client, place):
    """What is pushed as one is not found as the other."""
    content = Content()
    content.image()
    push(client, place, content)
    (digest, (_, body)), = content.manifests.items()
    assert client.get(f"/v2/{place}/blobs/{digest}").expect(404).code == "BLOB_UNKNOWN"
    assert client.get(f"/v2/{place}/manifests/{next(iter(content.blobs))}").expect(404).code == "MANIFEST_UNKNOWN"
    client.post(f"/v2/{place}/blobs/uploads/?digest={digest}", body, headers=BYTES).expect(201)
    assert client.get(f"/v2/{place}/blobs/{digest}").expect(200).header("Content-Type") == "application/octet-stream"
    assert client.get(f"/v2/{place}/manifests/{digest}").expect(200).header("Content-Type") == IMAGE


@pytest.mark.parametrize("name,algorithm", [("tag-param-sha256", "sha256"), ("tag-param-sha512", "sha512")])
def test_tags_of_a_push_by_digest(client, place, name, algorithm):
    """The suite's cases of what follows 1.1: tags as parameters, the only way to tag what is named by its sha512."""
    content = Content(algorithm)
    content.platforms()
    push(client, place, content)
    tags = {}
    for i, (digest, (media_type, body)) in enumerate(content.manifests.items()):
        mine = [f"{name}-{i}", f"{name}-{i}.again", f"{name}-{i}"]
        answer = client.put(f"/v2/{place}/manifests/{digest}?" + "&".join(f"tag={tag}" for tag in mine), body,
                            headers={"Content-Type": media_type}).expect(201)
        assert answer.header("OCI-Tag") == ", ".join(mine) and answer.header("Docker-Content-Digest") == digest
        tags.update(dict.fromkeys(mine, digest))
    for tag, digest in tags.items():
        answer = client.get(f"/v2/{place}/manifests/{tag}").expect(200)
        assert answer.header("Docker-Content-Digest") == digest and answer.body == content.manifests[digest][1]
    assert client.get(f"/acr/v1/{place.replace('/', '%2F')}").expect(200).json["tagCount"] == len(tags)
    # A new manifest and its tags in one request.
    fresh = Content(algorithm)
    fresh.image()
    (digest, (media_type, body)), = fresh.manifests.items()
    fresh.manifests = {}
    push(client, place, fresh)
    path = f"/v2/{place}/manifests/{digest}"
    client.put(f"{path}?tag=new&tag={name}-0", body, headers={"Content-Type": media_type}).expect(201)
    assert client.head(f"/v2/{place}/manifests/{name}-0").expect(200).header("Docker-Content-Digest") == digest


def test_tags_of_a_push_by_digest_are_all_set_or_none(client, place):
    content = Content()
    content.image("locked")
    push(client, place, content)
    (old, _), = content.manifests.items()
    fresh = Content()
    fresh.image()
    (digest, (media_type, body)), = fresh.manifests.items()
    fresh.manifests = {}
    push(client, place, fresh)
    client.patch(f"/acr/v1/{place.replace('/', '%2F')}/_tags/locked", {"writeEnabled": False}).expect(200)
    path = f"/v2/{place}/manifests/{digest}"
    for query, status, code in (("tag=first&tag=locked", 405, "REGISTRY_DISALLOWED_OPERATION"), ("tag=first&tag=-x", 400, "TAG_INVALID"),
                                ("tag=first&tag=", 400, "TAG_INVALID"), ("&".join(f"tag=t{i}" for i in range(51)), 414, "TAG_INVALID")):
        assert client.put(f"{path}?{query}", body, headers={"Content-Type": media_type}).expect(status).code == code, query
        client.head(path).expect(404)
        assert client.get(f"/v2/{place}/tags/list").expect(200).json["tags"] == ["locked"], query
    assert client.put(f"/v2/{place}/manifests/one?tag=two", body, headers={"Content-Type": media_type}).expect(400).code == "TAG_INVALID"
    answer = client.put(f"{path}?" + "&".join(f"tag=t{i}" for i in range(50)), body, headers={"Content-Type": media_type}).expect(201)
    assert len(answer.header("OCI-Tag").split(", ")) == 50
    client.patch(f"/acr/v1/{place.replace('/', '%2F')}/_tags/locked", {"writeEnabled": True}).expect(200)
    client.delete(f"/v2/{place}/manifests/{old}").expect(202)
