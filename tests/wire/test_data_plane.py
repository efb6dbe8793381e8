"""The data plane over the wire: challenges, tokens, uploads, manifests, tags, deletes, usage (contract/data-plane.md)."""
import base64
import concurrent.futures
import json
import os

import pytest

from harness.site import digest_of, image_manifest

OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
BYTES = {"Content-Type": "application/octet-stream"}


def challenge(registry, path, **kw):
    return registry.client(anonymous=True).request(kw.get("method", "GET"), path).expect(401)


def test_challenge_is_what_az_can_parse(registry):
    answer = challenge(registry, "/v2/")
    assert answer.header("WWW-Authenticate") == (
        f'Bearer realm="https://{registry.server}/oauth2/token",service="{registry.server}"')
    assert answer.code == "UNAUTHORIZED" and "detail" not in answer.json["errors"][0]
    assert answer.header("Docker-Distribution-Api-Version") == "registry/2.0"
    pull = challenge(registry, "/v2/lib/app/manifests/x")
    assert pull.header("WWW-Authenticate").endswith(',scope="repository:lib/app:pull"')
    assert pull.json["errors"][0]["detail"] == [{"Type": "repository", "Name": "lib/app", "Action": "pull"}]
    push = challenge(registry, "/v2/lib/app/blobs/uploads/", method="POST").header("WWW-Authenticate")
    assert push.endswith(('scope="repository:lib/app:pull,push"', 'scope="repository:lib/app:push,pull"'))
    assert challenge(registry, "/v2/_catalog").header("WWW-Authenticate").endswith('scope="registry:catalog:*"')
    assert 'scope="repository:lib/app:metadata_read"' in challenge(
        registry, "/acr/v1/lib%2Fapp/_tags").header("WWW-Authenticate")


def basic(username, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def test_token_forms_of_every_client(site, registry):
    anonymous = registry.client(anonymous=True)
    app, secret = site.operator_secret()
    service = registry.server
    docker = anonymous.get(f"/oauth2/token?account={app}&client_id=docker&offline_token=true&service={service}",
                           headers=basic(app, secret)).expect(200).json
    assert docker["access_token"] and docker["refresh_token"]
    renewed = anonymous.post("/oauth2/token", form={"grant_type": "refresh_token", "service": service, "client_id": "docker",
                                                    "scope": "repository:x:pull", "refresh_token": docker["refresh_token"]})
    assert renewed.expect(200).json["access_token"]
    podman = anonymous.get(f"/oauth2/token?account={registry.username}&service={service}&scope=repository%3Ax%3Apull%2Cpush",
                           headers=basic(registry.username, registry.password)).expect(200).json
    assert "refresh_token" not in podman
    null = "00000000-0000-0000-0000-000000000000"
    anonymous.get(f"/oauth2/token?service={service}", headers=basic(null, docker["refresh_token"])).expect(200)
    containerd = {"grant_type": "password", "username": registry.username, "password": registry.password,
                  "service": service, "scope": "repository:x:pull", "client_id": "containerd-client"}
    anonymous.post("/oauth2/token", form=containerd).expect(200)
    anonymous.post("/oauth2/token", form={**containerd, "password": "wrong"}).expect(401)
    health = anonymous.post("/oauth2/token", form={"grant_type": "refresh_token", "service": service,
                                                   "scope": "registry:None:*", "refresh_token": docker["refresh_token"]})
    weak = health.expect(200).json["access_token"]
    registry.client(token=weak).get("/v2/").expect(200)
    refused = registry.client(token=weak).get("/v2/_catalog").expect(401)
    assert 'error="insufficient_scope"' in refused.header("WWW-Authenticate")
    js = anonymous.post("/oauth2/token", form={"grant_type": "password", "service": service, "scope": "registry:catalog:*",
                                               "refresh_token": ""}).expect(200).json["access_token"]
    registry.client(token=js).get("/v2/_catalog").expect(401)
    anonymous.get("/oauth2/exchange").expect(404)
    anonymous.post("/oauth2/exchange", form={"grant_type": "access_token", "service": service, "access_token": "x"}).expect(401)


def test_a_token_of_another_registry_is_refused(site, operator, group, registry):
    other = site.create_registry(operator, group)
    form = {"grant_type": "password", "username": other.username, "password": other.password, "service": other.server,
            "scope": "registry:catalog:*"}
    token = other.client(anonymous=True).post("/oauth2/token", form=form).expect(200).json["access_token"]
    other.client(token=token).get("/v2/_catalog").expect(200)
    registry.client(token=token).get("/v2/_catalog").expect(401)


# decisions 43
def test_unknown_registry_host(site, registry):
    import copy
    stranger = copy.copy(registry)
    stranger.host = f"nosuchregistry.azsacr.{site.region}.{site.facts['domain']}"
    with open("/etc/hosts", "a") as hosts:
        hosts.write(f"127.0.0.1 {stranger.host}\n")
    answer = stranger.client(anonymous=True).get("/v2/").expect(404)
    assert answer.code == "NAME_UNKNOWN" and answer.header("WWW-Authenticate") is None


# decisions 34
def test_uploads_in_all_forms(registry):
    client = registry.client()
    data = os.urandom(300000)
    registry.push_blob(client, "up/chunks", data, chunks=[100000, 150000, 50000])
    assert client.get(f"/v2/up/chunks/blobs/{digest_of(data)}").expect(200).body == data
    one = os.urandom(5000)
    made = client.post(f"/v2/up/one/blobs/uploads/?digest={digest_of(one)}", one, headers=BYTES).expect(201)
    assert made.header("Docker-Content-Digest") == digest_of(one)
    location = client.post("/v2/up/mono/blobs/uploads/").expect(202).header("Location")
    client.put(f"{location}&digest={digest_of(data, 'sha512')}", data, headers=BYTES).expect(201)
    assert client.get(f"/v2/up/mono/blobs/{digest_of(data, 'sha512')}").expect(200).body == data
    location = client.post("/v2/up/empty/blobs/uploads/").expect(202).header("Location")
    client.put(f"{location}&digest={digest_of(b'')}").expect(201)
    head = client.head(f"/v2/up/empty/blobs/{digest_of(b'')}").expect(200)
    assert head.header("Content-Length") == "0"


def test_upload_ranges_status_and_cancel(registry):
    client = registry.client()
    started = client.post("/v2/up/ranges/blobs/uploads/").expect(202)
    assert started.header("Docker-Upload-UUID") and started.header("Range") == "0-0"
    location = started.header("Location")
    assert client.get(location).expect(204).header("Range") == "0-0"
    first = client.patch(location, b"12345", headers={**BYTES, "Content-Range": "0-4"}).expect(202)
    assert first.header("Range") == "0-4"
    client.patch(first.header("Location"), b"xx", headers={**BYTES, "Content-Range": "3-4"}).expect(416)
    client.patch(first.header("Location"), b"xx", headers={**BYTES, "Content-Range": "9-10"}).expect(416)
    assert client.get(first.header("Location")).expect(204).header("Range") == "0-4"
    wrong = client.put(f"{first.header('Location')}&digest={digest_of(b'other')}").expect(400)
    assert wrong.code == "DIGEST_INVALID"
    client.put(f"{first.header('Location')}&digest={digest_of(b'12345')}").expect(201)  # a mismatch deletes nothing
    location = client.post("/v2/up/ranges/blobs/uploads/").expect(202).header("Location")
    location = client.patch(location, b"abc", headers=BYTES).expect(202).header("Location")
    client.delete(location).expect(204)
    assert client.get(location).expect(404).code == "BLOB_UPLOAD_UNKNOWN"
    assert client.put(f"{location}&digest={digest_of(b'abc')}").expect(404).code == "BLOB_UPLOAD_UNKNOWN"


def test_tampered_upload_state_is_refused(registry):
    client = registry.client()
    location = client.post("/v2/up/state/blobs/uploads/").expect(202).header("Location")
    client.patch(location[:-3] + "AAA", b"x", headers=BYTES).expect(404)
    client.patch(location.replace("/up/state/", "/up/other/"), b"x", headers=BYTES).expect(404)


# decisions 29
def test_a_cut_patch_resumes_at_its_offset(registry):
    client = registry.client()
    location = client.post("/v2/up/cut/blobs/uploads/").expect(202).header("Location")
    import socket
    from harness.wire import context
    data = os.urandom(200000)
    with socket.create_connection(("127.0.0.1", client.port)) as plain:
        tls = context(client.ca).wrap_socket(plain, server_hostname=client.host)
        head = (f"PATCH {location} HTTP/1.1\r\nHost: {client.host}\r\nAuthorization: {client.headers['Authorization']}\r\n"
                f"Content-Type: application/octet-stream\r\nContent-Length: {len(data)}\r\n\r\n")
        tls.sendall(head.encode() + data[:120000])
        import time
        time.sleep(0.5)
        tls.close()
    for _ in range(50):
        status = client.get(location)
        if status.status == 204 and status.header("Range") == "0-119999":
            break
        import time
        time.sleep(0.1)
    assert status.header("Range") == "0-119999", status
    location = status.header("Location") or location
    location = client.patch(location, data[120000:], headers={**BYTES, "Content-Range": f"120000-{len(data) - 1}"}).expect(
        202).header("Location")
    client.put(f"{location}&digest={digest_of(data)}").expect(201)
    assert client.get(f"/v2/up/cut/blobs/{digest_of(data)}").expect(200).body == data


def test_blob_ranges_and_conditions(registry):
    client = registry.client()
    data = bytes(range(256)) * 10
    path = f"/v2/r/app/blobs/{registry.push_blob(client, 'r/app', data)}"
    part = client.get(path, headers={"Range": "bytes=10-19"}).expect(206)
    assert part.body == data[10:20] and part.header("Content-Range") == f"bytes 10-19/{len(data)}"
    client.get(path, headers={"Range": "bytes=999999-"}).expect(416)
    whole = client.get(path).expect(200)
    assert whole.header("Docker-Content-Digest") == digest_of(data)
    assert client.head(path).expect(200).header("Content-Length") == str(len(data))
    client.get(path, headers={"If-None-Match": whole.header("ETag")}).expect(304)
    assert client.get(f"/v2/r/app/blobs/{digest_of(b'nothing')}").expect(404).code == "BLOB_UNKNOWN"
    assert client.get("/v2/r/app/blobs/sha256:short").expect(400).code == "DIGEST_INVALID"
    client.get("/_store/aa/bb/x").expect(404)


# decisions 32
def test_mount(registry):
    client = registry.client()
    digest = registry.push_blob(client, "m/source", b"to be mounted")
    made = client.post(f"/v2/m/target/blobs/uploads/?mount={digest}&from=m/source").expect(201)
    assert made.header("Location").endswith(f"/v2/m/target/blobs/{digest}")
    client.get(f"/v2/m/target/blobs/{digest}").expect(200)
    client.post(f"/v2/m/target/blobs/uploads/?mount={digest_of(b'unknown')}&from=m/source").expect(202)


def test_manifests_tags_catalog_and_deletes(registry):
    client = registry.client()
    digest, _ = registry.push_image(client, "team/app", "v1", [b"layer one"])
    by_tag = client.get("/v2/team/app/manifests/v1", headers={"Accept": "text/nonsense"}).expect(200)
    assert by_tag.header("Docker-Content-Digest") == digest and by_tag.header("Content-Type") == OCI
    assert digest_of(by_tag.body) == digest
    head = client.head(f"/v2/team/app/manifests/{digest}").expect(200)
    assert head.body == b"" and head.header("Content-Length") == str(len(by_tag.body))
    client.get("/v2/team/app/manifests/v1", headers={"If-None-Match": by_tag.header("ETag")}).expect(304)
    for tag in ("v2", "v3", "v4"):
        client.put(f"/v2/team/app/manifests/{tag}", by_tag.body, headers={"Content-Type": OCI}).expect(201)
    page = client.get("/v2/team/app/tags/list?n=2").expect(200)
    assert page.json == {"name": "team/app", "tags": ["v1", "v2"]}
    assert page.header("Link") == '</v2/team/app/tags/list?last=v2&n=2&orderby=>; rel="next"'
    assert client.get("/v2/team/app/tags/list?n=2&last=v2").expect(200).json["tags"] == ["v3", "v4"]
    assert client.get("/v2/_catalog").expect(200).json == {"repositories": ["team/app"]}
    client.delete("/v2/team/app/manifests/v4").expect(202)
    assert client.get("/v2/team/app/manifests/v4").expect(404).code == "MANIFEST_UNKNOWN"
    client.delete(f"/v2/team/app/manifests/{digest}").expect(202)
    assert client.get("/v2/team/app/tags/list").expect(200).json["tags"] == []
    assert client.delete(f"/v2/team/app/manifests/{digest}").expect(404).code == "MANIFEST_UNKNOWN"


@pytest.mark.parametrize("path,body,code", [
    ("/v2/UPPER/app/manifests/x", b"{}", "NAME_INVALID"),
    ("/v2/bad/app/manifests/x", b"{", "MANIFEST_INVALID"),
    ("/v2/bad/app/manifests/x", b"[]", "MANIFEST_INVALID"),
    ("/v2/bad/app/manifests/-x", b"{}", "TAG_INVALID"),
    ("/v2/bad/app/manifests/sha256:" + "0" * 64, b'{"schemaVersion":2}', None),
    ("/v2/bad/app/manifests/sha256:zz", b"{}", "DIGEST_INVALID"),
])
def test_bad_manifests(registry, path, body, code):
    answer = registry.client().put(path, body, headers={"Content-Type": OCI}).expect(400)
    if code:
        assert answer.code == code


def test_manifest_with_unknown_blobs(registry):
    answer = registry.client().put("/v2/u/app/manifests/x", image_manifest(b"{}", [b"never pushed"]),
                                   headers={"Content-Type": OCI}).expect(400, 404)
    assert answer.code == "MANIFEST_BLOB_UNKNOWN"


# decisions 28
def test_index_children_survive_the_clean_up_of_the_faq(registry):
    client = registry.client()
    digests = [registry.push_image(client, "multi/app", f"arch{i}", [os.urandom(100)])[0] for i in range(2)]
    entries = [{"mediaType": OCI, "digest": d, "size": len(client.get(f"/v2/multi/app/manifests/{d}").body),
                "platform": {"architecture": "amd64", "os": "linux"}} for d in digests]
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
    client.put("/v2/multi/app/manifests/all", index, headers={"Content-Type": INDEX}).expect(201)
    for i in range(2):
        client.delete(f"/v2/multi/app/manifests/arch{i}").expect(202)
    refused = client.delete(f"/v2/multi/app/manifests/{digests[0]}").expect(405)
    assert digest_of(index) in refused.message
    client.delete(f"/v2/multi/app/manifests/{digest_of(index)}").expect(202)
    client.delete(f"/v2/multi/app/manifests/{digests[0]}").expect(202)


def test_referrers(registry):
    client = registry.client()
    subject, _ = registry.push_image(client, "ref/app", "v1", [b"x"])
    size = len(client.get(f"/v2/ref/app/manifests/{subject}").body)
    registry.push_blob(client, "ref/app", b"{}")
    signature = json.loads(image_manifest(b"{}", []))
    signature.update(artifactType="example/signature", subject={"mediaType": OCI, "digest": subject, "size": size},
                     annotations={"k": "v"})
    body = json.dumps(signature).encode()
    made = client.put(f"/v2/ref/app/manifests/{digest_of(body)}", body, headers={"Content-Type": OCI}).expect(201)
    assert made.header("OCI-Subject") == subject
    listed = client.get(f"/v2/ref/app/referrers/{subject}").expect(200)
    assert listed.header("Content-Type").startswith(INDEX)
    assert [(m["digest"], m["artifactType"], m["annotations"]) for m in listed.json["manifests"]] == [
        (digest_of(body), "example/signature", {"k": "v"})]
    none = client.get(f"/v2/ref/app/referrers/{subject}?artifactType=other").expect(200)
    assert none.json["manifests"] == [] and none.header("OCI-Filters-Applied") == "artifactType"


# decisions 21
def test_usage_is_exact_to_the_byte(operator, registry):
    client = registry.client()
    shared, mine = os.urandom(70000), os.urandom(30000)
    config = b'{"architecture":"amd64","os":"linux"}'
    digest_a, total_a = registry.push_image(client, "use/a", "1", [shared, mine], config)
    assert registry.usage(operator) == total_a
    registry.push_image(client, "use/a", "again", [shared, mine], config)
    assert registry.usage(operator) == total_a
    digest_b, total_b = registry.push_image(client, "use/b", "1", [shared], config)
    manifest_b = total_b - len(shared) - len(config)
    assert registry.usage(operator) == total_a + manifest_b
    registry.push_blob(client, "use/c", os.urandom(1000))  # never referenced: not counted
    assert registry.usage(operator) == total_a + manifest_b
    client.delete(f"/v2/use/a/manifests/{digest_a}").expect(202)
    assert registry.usage(operator) == total_b
    client.delete(f"/v2/use/b/manifests/{digest_b}").expect(202)
    assert registry.usage(operator) == 0


def test_two_pushes_at_once_count_a_shared_layer_once(operator, registry):
    config = b'{"architecture":"amd64","os":"linux"}'

    def push(repository, layer):
        return registry.push_image(registry.client(), repository, "1", [layer], config)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for i in range(int(os.environ.get("AZSACR_ROUNDS", 15))):  # script/prove shared-layers: 200
            layer = os.urandom(2000)
            results = list(pool.map(push, (f"race/a{i}", f"race/b{i}"), (layer, layer)))
            manifests = {d: t - len(layer) - len(config) for d, t in results}
            # The same manifest in two repositories counts in each; layer and config count once in the registry.
            assert registry.usage(operator) == len(config) + len(layer) + sum(t - len(layer) - len(config) for _, t in results)
            for (digest, _), repository in zip(results, (f"race/a{i}", f"race/b{i}")):
                registry.client().delete(f"/v2/{repository}/manifests/{digest}").expect(202)
            assert registry.usage(operator) == 0, (i, manifests)


# decisions 13
def test_acr_api(registry):
    client = registry.client()
    digest, _ = registry.push_image(client, "meta/app", "v1", [b"x" * 100])
    shown = client.get("/acr/v1/meta%2Fapp").expect(200).json
    assert shown["registry"] == registry.server and shown["imageName"] == "meta/app"
    assert (shown["manifestCount"], shown["tagCount"]) == (1, 1)
    tag = client.get("/acr/v1/meta/app/_tags/v1").expect(200).json["tag"]
    assert tag["digest"] == digest and tag["signed"] is False
    manifest = client.get(f"/acr/v1/meta/app/_manifests/{digest}").expect(200).json["manifest"]
    assert manifest["tags"] == ["v1"] and manifest["architecture"] == "amd64" and manifest["os"] == "linux"
    locked = client.patch("/acr/v1/meta/app/_tags/v1", {"writeEnabled": False}).expect(200).json["tag"]
    assert locked["changeableAttributes"]["writeEnabled"] is False
    refused = client.delete(f"/v2/meta/app/manifests/{digest}").expect(405)
    assert refused.code == "REGISTRY_DISALLOWED_OPERATION"
    client.patch("/acr/v1/meta/app/_tags/v1", {"writeEnabled": True}).expect(200)
    gone = client.delete("/acr/v1/meta/app").expect(202).json
    assert gone == {"manifestsDeleted": [digest], "tagsDeleted": ["v1"]}
    assert client.get("/acr/v1/meta/app").expect(404).code == "NAME_UNKNOWN"


def test_a_repository_may_be_called_like_an_upload(registry):
    """The edge tells uploads from manifests by the whole path, not by a piece of it."""
    client = registry.client()
    digest, _ = registry.push_image(client, "odd/blobs/uploads/name", "v1", [b"odd"])
    assert client.get("/v2/odd/blobs/uploads/name/manifests/v1").expect(200).header("Docker-Content-Digest") == digest


def test_a_refusal_from_the_headers_is_not_lost_with_the_body(registry):
    """It was queued before the body was read: the connection closed under the edge, which answered 502 now and then."""
    client = registry.client(anonymous=True)
    for size in [2, 100, 5000] * 100:
        refused = client.patch("/v2/a/blobs/uploads/x", b"x" * size, headers=BYTES)
        assert refused.status in (401, 404), refused
    big = client.patch("/v2/a/blobs/uploads/x", b"x" * 20_000_000, headers=BYTES)
    assert big.status in (401, 404), big
