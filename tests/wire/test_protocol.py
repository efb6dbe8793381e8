"""Hostile bodies, uploads and manifests: the contract's 4xx, and the others served meanwhile."""
import json
import socket
import ssl

import pytest

from harness.site import digest_of, image_manifest
from harness.wire import context

OCTETS = {"Content-Type": "application/octet-stream"}
IMAGE, INDEX = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
VALUES = [b'"\\u0000"', b'"a\\u0000b"', b'"\xff\xfe"', b'"\\ud800"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"' + b"x" * 70000 + b'"',
          b'""', b"1e400", b"-1", b"0.5", b"123456789012345678901234567890", b"9223372036854775808", b"true", b"null", b"[]", b"{}",
          b'"\\uffff\\u202e"', b"[" * 2000 + b"]" * 2000, b'"\'\\";--<script>"']
BODIES = [
    ("PUT", "{g}Odd?api-version=2019-10-01", b'{"location":%s}'),
    ("PUT", "{g}Odd?api-version=2019-10-01", b'{"location":"local","tags":{%s:"x"}}'),
    ("PATCH", "{g}?api-version=2019-10-01", b'{"tags":{"k":%s}}'),
    ("PUT", "{r}?api-version=2019-05-01", b'{"location":"local","sku":{"name":%s}}'),
    ("PUT", "{r}?api-version=2019-05-01",
     b'{"location":"local","sku":{"name":"Standard"},"properties":{"adminUserEnabled":true,"policies":{"retentionPolicy":%s}}}'),
    ("PATCH", "{r}?api-version=2019-05-01", b'{"properties":{"policies":{"retentionPolicy":{"days":%s}}}}'),
    ("PATCH", "{r}?api-version=2019-05-01", b'{"tags":{%s:"v"}}'),
    ("POST", "{r}/regenerateCredential?api-version=2019-05-01", b'{"name":%s}'),
    ("POST", "/subscriptions/{s}/providers/Microsoft.ContainerRegistry/checkNameAvailability?api-version=2019-05-01",
     b'{"name":%s,"type":"Microsoft.ContainerRegistry/registries"}'),
    ("PUT", "{r}/providers/Microsoft.Authorization/roleAssignments/8e3af657-0000-4000-8000-000000000000?api-version=2022-04-01",
     b'{"properties":{"roleDefinitionId":%s,"principalId":"8e3af657-0000-4000-8000-000000000001"}}'),
]


@pytest.mark.parametrize("method,path,body", BODIES)
def test_every_value_in_every_member(site, operator, group, registry, method, path, body):
    url = path.format(s=site.subscription, r=registry.id, g=f"/subscriptions/{site.subscription}/resourcegroups/{group}")
    for value in VALUES:
        answer = operator.request(method, url, body.replace(b"%s", value), headers={"Content-Type": "application/json"})
        assert answer.status < 500, (value[:60], answer)
        if answer.status >= 400:
            assert answer.json["error"]["code"], answer


@pytest.mark.parametrize("form", [
    b"grant_type=password&username=%00&password=x", b"grant_type=password&username=%ff&password=%ff", b"%zz", b"&" * 30000,
    b"grant_type=refresh_token&refresh_token=%00", b"grant_type=client_credentials&client_id=%00&client_secret=%00",
    b"user_code=BBBB-BBBB&username=%00a&password=%00&action=approve", b"grant_type=access_token&access_token=%00&service=%00"])
def test_forms(site, registry, form):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/adfs/oauth2/token", "/adfs/oauth2/devicecode", "/adfs/oauth2/deviceauth"):
        assert 400 <= site.adfs().post(path, form, headers=headers).status < 500
    for path in ("/oauth2/token", "/oauth2/exchange"):
        answer = registry.client(anonymous=True).post(path, form, headers=headers)
        assert answer.status < 500 and (answer.status == 200 or answer.json["errors"])


def test_ranges_and_sessions(registry):
    client = registry.client()

    def start():
        return client.post("/v2/up/blobs/uploads/").expect(202).header("Location")
    for given in ("x", "0-", "-1-2", "0-7", "5-7", "2-0", "0-2,3-4", "0-99999999999999999999", "bytes=0-2"):
        client.patch(start(), b"abc", headers={**OCTETS, "Content-Range": given}).expect(400, 416)
    location, other = start(), start()
    name, state = location.split("/")[-1].split("?"), other.split("?")[1]
    for wrong in (location.replace("/up/", "/down/"), location.split("?")[0], location[:-6] + "AAAAAA",
                  location.replace(name[1], state)):
        client.patch(wrong, b"x", headers=OCTETS).expect(404)
    client.put(f"{location}&digest={digest_of(b'abc')}", b"abc", headers=OCTETS).expect(201)
    for method in ("PATCH", "GET", "DELETE"):
        client.request(method, f"{location}&digest={digest_of(b'abc')}", b"abc" if method[0] == "P" else None).expect(404)
    client.put(f"{other}&digest=sha256:{'0' * 64}", b"abc", headers=OCTETS).expect(400)
    client.put(f"{start()}&digest={digest_of(b'')}", b"", headers=OCTETS).expect(201)
    client.post(f"/v2/up/blobs/uploads/?digest={digest_of(b'whole')}", b"else", headers=OCTETS).expect(400)


def test_manifests(registry):
    client = registry.client()
    for blob in (b"{}", b"l"):
        registry.push_blob(client, "m", blob)
    plain = json.loads(image_manifest(b"{}", [b"l"]))
    layer = plain["layers"][0]

    def put(manifest, status, tag="t", kind=IMAGE):
        body = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        return client.put(f"/v2/m/manifests/{tag}", body, headers={"Content-Type": kind}).expect(status)
    put(plain, 201, tag="t" * 128)
    put(plain, 400, tag="t" * 129)
    for wrong in (b"", b"[]", {**plain, "schemaVersion": "2"}, {**plain, "layers": {}}, {**plain, "layers": [{**layer, "size": -1}]},
                  {**plain, "layers": [{**layer, "size": 2 ** 63}]}, {**plain, "layers": [{**layer, "size": 5}]},
                  {**plain, "layers": [{**layer, "digest": layer["digest"].upper()}]}, {**plain, "annotations": {"a": 1}},
                  {**plain, "annotations": {"a": "\0"}}, {**plain, "subject": "x"}, {**plain, "artifactType": "x" * 1000},
                  b'{"a":' * 5000 + b"1" + b"}" * 5000):
        assert put(wrong, 400).code == "MANIFEST_INVALID"
    text = json.dumps(plain).encode()
    put(text[:-1] + b" " * (4194304 - len(text)) + b"}", 201)
    assert put(text[:-1] + b" " * (4194305 - len(text)) + b"}", 400).code == "MANIFEST_INVALID"


def test_an_index_of_many_paths_is_walked_once(registry):
    """25 levels of two indexes that each list both below: 2^25 paths to the image, which stays protected."""
    client = registry.client()
    digest, _ = registry.push_image(client, "m", "leaf", [b"l"])
    size = len(client.get(f"/v2/m/manifests/{digest}").body)
    level = [{"mediaType": IMAGE, "size": size, "digest": digest}]
    for depth in range(25):
        above = []
        for side in "ab":
            body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": level,
                               "annotations": {"at": f"{depth}{side}"}}).encode()
            client.put(f"/v2/m/manifests/{digest_of(body)}", body, headers={"Content-Type": INDEX}).expect(201)
            above.append({"mediaType": INDEX, "size": len(body), "digest": digest_of(body)})
        level = above
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": level}).encode()
    client.put("/v2/m/manifests/top", body, headers={"Content-Type": INDEX}).expect(201)
    client.delete("/acr/v1/m/_tags/leaf").expect(202)
    client.delete(f"/v2/m/manifests/{digest}").expect(405)
    assert client.get(f"/acr/v1/m/_manifests/{digest_of(body)}").expect(200).json["manifest"]["imageSize"] > 0


@pytest.mark.parametrize("tail", [
    b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF1\r\nabc\r\n0\r\n\r\n",
    b"Content-Length: 99999999999999999999999\r\n\r\nabc", b"Content-Length: 3\r\nTransfer-Encoding : chunked\r\n\r\nabc"])
def test_lengths_that_lie(registry, tail):
    client = registry.client()
    location = client.post("/v2/up/blobs/uploads/").expect(202).header("Location")
    head = f"PATCH {location} HTTP/1.1\r\nHost: {registry.host}\r\nAuthorization: {client.headers['Authorization']}\r\n"
    assert client.raw(head.encode() + tail, timeout=3).startswith(b"HTTP/1.1 400")
    assert client.get(location).expect(204).header("Range") in ("0-0", "0-2")


def test_slow_heads_hold_nobody_up(site, operator, registry):
    slow, made = [], context(site.ca)
    try:
        for _ in range(150):
            plain = socket.create_connection(("127.0.0.1", site.port), timeout=10)
            slow.append(made.wrap_socket(plain, server_hostname=registry.host))
            slow[-1].sendall(f"GET /v2/ HTTP/1.1\r\nHost: {registry.host}\r\nX: ".encode())
        registry.client().get("/v2/").expect(200)
        operator.get(f"{registry.id}?api-version=2019-05-01").expect(200)
    finally:
        for one in slow:
            try:
                one.close()
            except (OSError, ssl.SSLError):
                pass
