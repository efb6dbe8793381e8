"""Which pages of other origins may read answers in a browser: the portal's (S25, docs/portal.md)."""
import pytest

from harness.site import Site
from harness.wire import Client

HOSTS = ["management", "adminmanagement", "adfs", "graph"]
STRANGERS = ["https://evil.example", "null", "*", "https://portal.local.azurestack.external.evil.example",
             "http://portal.local.azurestack.external", "https://portal.local.azurestack.external:444"]
CORS = ["Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age"]


@pytest.fixture(scope="module")
def origin(site):
    return f"https://{site.host('portal')}"


def preflight(client, path, origin, method="PUT", headers="authorization,content-type,x-ms-client-request-id"):
    return client.request("OPTIONS", path, headers={
        "Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers})


def names(value):
    return {n.strip().lower() for n in (value or "").split(",")}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "PATCH", "DELETE"])
def test_preflight_needs_no_sign_in(site, origin, host, method):
    client = Client(site.host(host), site.port, site.ca)
    answer = preflight(client, "/subscriptions/x/anything?api-version=2019-10-01", origin, method).expect(204)
    assert answer.header("Access-Control-Allow-Origin") == origin
    assert method.lower() in names(answer.header("Access-Control-Allow-Methods"))
    assert names("authorization,content-type,x-ms-client-request-id") <= names(answer.header("Access-Control-Allow-Headers"))
    assert int(answer.header("Access-Control-Max-Age")) > 0 and "origin" in names(answer.header("Vary"))
    assert answer.header("Access-Control-Allow-Credentials") is None and not answer.body
    assert answer.header("Content-Length") is None and answer.header("Content-Type") is None


def test_preflight_of_a_registry(site, operator, registry, origin):
    """S25: the portal lists repositories and tags in the browser."""
    client = registry.client(anonymous=True)
    for path in ("/v2/", "/v2/_catalog", "/acr/v1/_catalog", "/v2/a/tags/list", "/oauth2/token", "/v2/a/manifests/x"):
        assert preflight(client, path, origin, "GET").expect(204).header("Access-Control-Allow-Origin") == origin
    for method, path in (("DELETE", "/v2/a/manifests/x"), ("PATCH", "/acr/v1/a%2Fb/_tags/x"), ("DELETE", "/acr/v1/a"),
                         ("GET", "/v2/a/referrers/sha256:0"), ("GET", "/v2/a/blobs/sha256:0"), ("POST", "/v2/a/blobs/uploads/"),
                         ("POST", "/v2/a/blobs/uploads/?digest=sha256:0"), ("PATCH", "/v2/a/blobs/uploads/x"), ("GET", "/v2/Bad/x")):
        answer = preflight(client, path, origin, method).expect(204)
        assert answer.header("Access-Control-Allow-Origin") == origin, path
        assert method.lower() in names(answer.header("Access-Control-Allow-Methods"))
        assert preflight(client, path, STRANGERS[0], method).header("Access-Control-Allow-Origin") is None


def exposed(answer):
    return names(answer.header("Access-Control-Expose-Headers"))


def test_answers_may_be_read(site, operator, group, origin):
    url = f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version=2019-10-01"
    answer = operator.get(url, headers={"Origin": origin}).expect(200)
    assert answer.header("Access-Control-Allow-Origin") == origin
    assert names(answer.header("Vary")) == {"accept-encoding", "origin"}
    assert {"location", "azure-asyncoperation", "retry-after", "x-ms-request-id", "x-ms-correlation-request-id",
            "x-ms-ratelimit-remaining-subscription-reads"} <= exposed(answer)
    batch = operator.post("/batch?api-version=2020-06-01", {"requests": [{"httpMethod": "GET", "url": url}]},
                          headers={"Origin": origin}).expect(200)
    assert batch.header("Access-Control-Allow-Origin") == origin
    assert "Access-Control-Allow-Origin" not in batch.json["responses"][0]["headers"]


def test_errors_may_be_read(site, operator, origin):
    """A 401 without the headers looks to a script like a network that is down."""
    arm = site.arm_client()
    refused = arm.get("/subscriptions?api-version=2019-06-01", headers={"Origin": origin}).expect(401)
    assert refused.header("Access-Control-Allow-Origin") == origin and "www-authenticate" in exposed(refused)
    for path, status in (("/nothing?api-version=2019-10-01", 404), ("/subscriptions?api-version=1", 400)):
        answer = operator.get(path, headers={"Origin": origin}).expect(status)
        assert answer.header("Access-Control-Allow-Origin") == origin and "x-ms-failure-cause" in exposed(answer)


def test_what_the_edge_refuses_may_be_read(site, operator, origin):
    large = operator.put("/x?api-version=2019-10-01", b"x" * 5_000_000, headers={"Origin": origin}).expect(413)
    assert large.header("Access-Control-Allow-Origin") == origin and "origin" in names(large.header("Vary"))
    stranger = operator.put("/x?api-version=2019-10-01", b"x" * 5_000_000, headers={"Origin": STRANGERS[0]}).expect(413)
    assert stranger.header("Access-Control-Allow-Origin") is None and stranger.header("Access-Control-Expose-Headers") is None


def test_registries_answers_may_be_read(site, registry, origin):
    client = registry.client()
    registry.push_image(client, "team/app", "v1", [b"layer"])
    manifest = client.get("/v2/team/app/manifests/v1", headers={
        "Origin": origin, "Accept": "application/vnd.oci.image.manifest.v1+json"}).expect(200)
    blob = client.get("/v2/team/app/blobs/" + manifest.json["layers"][0]["digest"], headers={"Origin": origin}).expect(200)
    tags = client.get("/v2/team/app/tags/list", headers={"Origin": origin}).expect(200)
    refused = registry.client(anonymous=True).get("/v2/_catalog", headers={"Origin": origin}).expect(401)
    for answer in (manifest, blob, tags, refused):
        assert answer.header("Access-Control-Allow-Origin") == origin and "origin" in names(answer.header("Vary"))
        assert {"docker-content-digest", "www-authenticate", "link", "x-ms-correlation-request-id"} <= exposed(answer)
    for path in ("/v2/team/app/tags/list", "/v2/team/app/blobs/" + manifest.json["layers"][0]["digest"]):
        assert client.get(path, headers={"Origin": STRANGERS[0]}).expect(200).header("Access-Control-Allow-Origin") is None


def test_uploads_answers_may_be_read(site, registry, origin):
    """They come from the receiver, which said nothing of origins."""
    from harness.site import digest_of
    client, sent = registry.client(), {"Origin": origin, "Content-Type": "application/octet-stream"}
    begun = client.post("/v2/cors/up/blobs/uploads/", headers=sent).expect(202)
    location = begun.header("Location")
    answers = [begun, client.patch(location, b"abc", headers=sent).expect(202), client.get(location, headers=sent).expect(204),
               client.patch(location, b"x", headers={**sent, "Content-Range": "9-9"}).expect(416),
               client.put(f"{location}&digest={digest_of(b'other')}", headers=sent).expect(400),
               registry.client(anonymous=True).patch(location, b"x" * 100000, headers=sent).expect(401),
               client.put(f"{location}&digest={digest_of(b'abc')}", headers=sent).expect(201),
               client.put("/v2/Bad/blobs/uploads/x", b"x" * 100000, headers=sent).expect(400)]
    for answer in answers:
        assert answer.header("Access-Control-Allow-Origin") == origin and answer.header("Vary") == "Origin", answer
        assert "docker-content-digest" in exposed(answer)
    other = client.post("/v2/cors/up/blobs/uploads/", headers={"Origin": STRANGERS[0]}).expect(202)
    assert client.get(other.header("Location"), headers={"Origin": STRANGERS[0]}).header("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize("stranger", STRANGERS)
def test_others_get_nothing(site, operator, registry, stranger):
    arm = site.arm_client()
    for client, path in ((arm, "/subscriptions?api-version=2019-06-01"), (registry.client(), "/v2/_catalog")):
        refused = preflight(client, path, stranger)
        assert refused.status >= 400 and all(refused.header(h) is None for h in CORS)
    answer = operator.get("/subscriptions?api-version=2019-06-01", headers={"Origin": stranger}).expect(200)
    assert all(answer.header(h) is None for h in CORS) and "origin" in names(answer.header("Vary"))


def test_without_an_origin(site, operator):
    answer = operator.get("/subscriptions?api-version=2019-06-01").expect(200)
    assert all(answer.header(h) is None for h in CORS) and names(answer.header("Vary")) == {"accept-encoding"}
    assert operator.request("OPTIONS", "/subscriptions?api-version=2019-06-01").expect(405).header("Allow")


def test_configured_origins(tmp_path):
    """Those that are set, and none else: not the portal host's either."""
    site = Site(tmp_path / "state", port=9463, region="cors", environment={
        "AZSACR_PORTAL_ORIGINS": "https://Portal.Example.com:443 http://localhost:3000"}).start()
    try:
        arm = site.arm_client()
        for origin in ("https://portal.example.com", "http://localhost:3000"):
            assert preflight(arm, "/subscriptions", origin).expect(204).header("Access-Control-Allow-Origin") == origin
            large = arm.put("/x", b"x" * 5_000_000, headers={"Origin": origin}).expect(413)
            assert large.header("Access-Control-Allow-Origin") == origin
        own = f"https://{site.host('portal')}:9463"
        assert preflight(arm, "/subscriptions", own).header("Access-Control-Allow-Origin") is None
    finally:
        site.stop()
