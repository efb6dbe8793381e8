"""Malformed input on every route: the contract's 4xx in the contract's form, never 5xx, a hang or a crash."""
import json

import pytest

S = "{subscription}"
ROUTES = [
    "/subscriptions", f"/subscriptions/{S}", f"/subscriptions/{S}/locations", f"/subscriptions/{S}/resourcegroups",
    f"/subscriptions/{S}/resourcegroups/g1", f"/subscriptions/{S}/resources", f"/subscriptions/{S}/providers",
    f"/subscriptions/{S}/providers/Microsoft.ContainerRegistry",
    f"/subscriptions/{S}/providers/Microsoft.ContainerRegistry/checkNameAvailability",
    f"/subscriptions/{S}/providers/Microsoft.ContainerRegistry/registries",
    f"/subscriptions/{S}/resourceGroups/g1/providers/Microsoft.ContainerRegistry/registries/reg12345",
    f"/subscriptions/{S}/resourceGroups/g1/providers/Microsoft.ContainerRegistry/registries/reg12345/listCredentials",
    f"/subscriptions/{S}/resourceGroups/g1/providers/Microsoft.ContainerRegistry/registries/reg12345/regenerateCredential",
    f"/subscriptions/{S}/providers/Microsoft.Authorization/roleAssignments",
    f"/subscriptions/{S}/providers/Microsoft.Authorization/roleAssignments/not-a-guid",
    f"/subscriptions/{S}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "/metadata/endpoints", "/tenants", "/providers/Microsoft.ContainerRegistry/operations",
]
BODIES = [b"", b"{", b"[]", b"null", b'"x"', b"{\"a\":1,\"a\":2}", b"\xff\xfe", b"[" * 2000, b'{"location":{"x":[]}}',
          b'{"properties":null}', b'{"tags":[],"location":5}', b'{"a":"\\u0000"}']


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("route", ROUTES)
def test_arm(site, operator, method, route):
    path = route.format(subscription=site.subscription)
    for version in ("?api-version=2019-05-01", "?api-version=2015-07-01", "?api-version=x", "", "?api-version=%zz"):
        for body in BODIES if method in ("PUT", "POST", "PATCH") else [None]:
            if method == "DELETE" and "roleDefinitions" in route:
                continue
            answer = operator.request(method, path + version, body, headers={"Content-Type": "application/json"})
            assert answer.status < 500, (method, path, version, body, answer)
            if answer.status >= 400 and method != "HEAD":
                assert answer.json["error"]["code"] and answer.json["error"]["message"], answer
    operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/g1?api-version=2019-10-01")


@pytest.mark.parametrize("path", [
    "/subscriptions/%zz", "/subscriptions/%00", "/subscriptions/%ff%fe", "/%2e%2e/%2e%2e/etc/passwd", "/a/../../b", "/" + "x" * 9000,
    "//", "/" + "/".join("a" * 60), "/subscriptions/not-a-guid?api-version=2019-11-01",
])
def test_paths(site, operator, path):
    answer = operator.get(path)
    assert 400 <= answer.status < 500, answer
    assert answer.json["error"]["code"]


@pytest.mark.parametrize("head", [
    "GET /subscriptions HTTP/1.1\r\nHost: {h}\r\nHost: {h}\r\n\r\n",
    "POST /subscriptions HTTP/1.1\r\nHost: {h}\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
    "POST /subscriptions HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "POST /subscriptions HTTP/1.1\r\nHost: {h}\r\nContent-Length: -1\r\n\r\n",
    "GET /subscriptions HTTP/1.1\r\nHost: {h}\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    "GET /subscriptions HTTP/1.1\r\nHost : {h}\r\n\r\n",
    "GET  HTTP/1.1\r\n\r\n", "\x00\x01\x02\r\n\r\n",
    "GET /subscriptions HTTP/1.1\r\nHost: {h}\r\nX: " + "y" * 60000 + "\r\n\r\n",
])
def test_raw_heads(site, operator, head):
    received = operator.raw(head.format(h=site.host("management")).encode("latin-1"), timeout=3)
    assert received.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")) or b"<html>" not in received, received[:300]
    assert b" 500 " not in received[:20] and b" 502 " not in received[:20]


def test_oversized_bodies(site, operator, registry):
    big = b'{"location":"' + b"x" * (4 * 1024 * 1024 + 200 * 1024) + b'"}'
    answer = operator.put(f"/subscriptions/{site.subscription}/resourcegroups/big?api-version=2019-10-01", big,
                          headers={"Content-Type": "application/json"})
    assert answer.status == 413 and answer.json["error"]["code"] == "RequestEntityTooLarge"
    manifest = registry.client().put("/v2/big/app/manifests/x", b"{" + b" " * (4 * 1024 * 1024 + 200 * 1024) + b"}")
    assert manifest.status == 400 and manifest.code == "MANIFEST_INVALID" and "4 MiB" in manifest.message


DATA = ["/v2/", "/v2/_catalog", "/v2/_catalog?n=0", "/v2/_catalog?n=x", "/v2/a/tags/list?n=-1", "/v2/a/manifests/x",
        "/v2/a/manifests/sha256:x", "/v2/a/blobs/x", "/v2/a/blobs/sha256:zz", "/v2/a/blobs/uploads/", "/v2/a/blobs/uploads/x",
        "/v2/a/blobs/uploads/00000000-0000-0000-0000-000000000000?_state=x", "/v2/A%20B/manifests/x", "/v2/../manifests/x",
        "/v2/a//b/manifests/x", "/v2/%zz/manifests/x", "/v2/a%2F..%2Fb/manifests/x", "/v2/a/referrers/x", "/acr/v1/_catalog",
        "/acr/v1/a/_tags?orderby=x", "/acr/v1/a/_manifests/x", "/oauth2/token", "/oauth2/exchange", "/nothing", "/v2/a/b/c/d/e"]


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_data_plane(registry, method):
    client = registry.client()
    for path in DATA:
        for body in BODIES[:9] if method in ("PUT", "POST", "PATCH") else [None]:
            answer = client.request(method, path, body, headers={"Content-Type": "application/vnd.oci.image.manifest.v1+json"})
            assert answer.status < 500, (method, path, body, answer)
            if answer.status >= 400 and method != "HEAD":
                assert json.loads(answer.body)["errors"][0]["code"], (method, path, answer)


@pytest.mark.parametrize("credentials", ["Basic", "Basic %%%", "Basic YQ==", "Bearer", "Bearer x", "Bearer a.b.c", "Nonsense x",
                                         "Bearer " + "a" * 20000, "Basic " + "QQ==" * 4000])
def test_bad_credentials(site, registry, credentials):
    answer = registry.client(anonymous=True).get("/v2/", headers={"Authorization": credentials})
    assert answer.status in (400, 401) and answer.json["errors"][0]["code"]
    answer = site.arm_client().get("/subscriptions?api-version=2019-11-01", headers={"Authorization": credentials})
    assert answer.status in (400, 401) and answer.json["error"]["code"]
    if answer.status == 401:
        assert f'authorization_uri="{site.facts["activeDirectory"]}/{site.tenant}"' in answer.header("WWW-Authenticate")
