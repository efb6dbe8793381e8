"""Names of repositories and tags (OCI distribution 1.1): what is accepted, and the rule in the refusal (S27); names that look
like routes; content trust, which is not offered (decisions 33)."""
import os

import pytest

from harness.oci import IMAGE, Content, follow, post_only, push, start, with_digest
from harness.site import digest_of


@pytest.fixture(scope="module")
def client(shared_registry):
    return shared_registry.client()


def catalog(client):
    return [name for page in follow(client, "/v2/_catalog", "repositories") for name in page]


GOOD = ["a", "0", "a/b", "a/b/c/d/e/f/g/h/i/j/k/l", "a.b", "a_b", "a__b", "a-b", "a--b", "a-----b", "a.b_c__d-e--f/0.1", "x" * 255,
        "/".join(["abcdefg"] * 31) + "/abcdef0", "a/blobs/uploads/b", "manifests/tags", "tags/list", "blobs/uploads", "v2/x", "referrers/x"]


@pytest.mark.parametrize("name", GOOD)
def test_good_names(client, name):
    """Each can be pushed to, pulled from, listed and deleted, whatever routes it looks like."""
    content = Content()
    content.image("v1")
    push(client, name, content)
    (digest, (_, body)), = content.manifests.items()
    assert client.get(f"/v2/{name}/manifests/v1").expect(200).body == body
    assert client.get(f"/v2/{name}/tags/list").expect(200).json == {"name": name, "tags": ["v1"]}
    assert name in catalog(client)
    assert client.get(f"/acr/v1/{name.replace('/', '%2F')}").expect(200).json["imageName"] == name
    location = start(client, name)
    client.put(with_digest(location, digest_of(b"b")), b"b").expect(201)
    client.delete(f"/v2/{name}/manifests/{digest}").expect(202)
    assert name not in catalog(client)


ALPHABET = "a repository name may contain lower-case letters, digits, '.', '_', '-' and '/' only"
ENDS = "each path component of a repository name starts and ends with a letter or digit"
SEPARATORS = "separators in a repository name are one '.', one or two '_', or any number of '-'"
BAD = [("Lib/app", "a repository name must be lower case"), ("lib/App", "a repository name must be lower case"),
       ("a..b", SEPARATORS), ("a___b", SEPARATORS), ("a._b", SEPARATORS), ("a-_b", SEPARATORS), ("a.-b", SEPARATORS),
       ("-a", ENDS), ("a-", ENDS), (".a/b", ENDS), ("a/b.", ENDS), ("_a", ENDS), ("a/_b/c", ENDS), ("a/-", ENDS),
       ("a%20b", ALPHABET), ("a+b", ALPHABET), ("a:b", ALPHABET), ("a@b", ALPHABET), ("a~b", ALPHABET), ("%C3%A4", ALPHABET),
       ("a%2Cb", ALPHABET), ("a%5Cb", ALPHABET), ("a*", ALPHABET), ("a%22", ALPHABET),
       ("x" * 256, "a repository name must not be longer than 255 characters")]


# S27
@pytest.mark.parametrize("name,why", BAD)
def test_bad_names(shared_registry, client, name, why):
    """400 NAME_INVALID on every route, and the sentence says which rule; bare distribution answers 404 in text or 500."""
    digest = digest_of(b"x")
    for method, path in (("GET", f"/v2/{name}/manifests/v1"), ("PUT", f"/v2/{name}/manifests/v1"), ("DELETE", f"/v2/{name}/manifests/v1"),
                         ("GET", f"/v2/{name}/tags/list"), ("GET", f"/v2/{name}/blobs/{digest}"), ("GET", f"/v2/{name}/referrers/{digest}"),
                         ("POST", f"/v2/{name}/blobs/uploads/"), ("POST", f"/v2/{name}/blobs/uploads/?digest={digest}"),
                         ("PATCH", f"/v2/{name}/blobs/uploads/00000000-0000-4000-8000-000000000000"),
                         ("GET", f"/acr/v1/{name.replace('/', '%2F')}"), ("GET", f"/acr/v1/{name}/_tags")):
        answer = client.request(method, path).expect(400)
        assert (answer.code, answer.message) == ("NAME_INVALID", why), (method, path)
    anonymous = shared_registry.client(anonymous=True)
    assert anonymous.get(f"/v2/{name}/manifests/v1").status in (400, 401)


@pytest.mark.parametrize("path", ["/v2//manifests/v1", "/v2/a//b/manifests/v1", "/v2/a/./b/manifests/v1", "/v2/a/../b/manifests/v1",
                                  "/v2/a/%2E%2E/b/manifests/v1", "/v2/a%2F%2Fb/manifests/v1", "/v2/%2Fa/manifests/v1", "/v2/a%2F/manifests/v1",
                                  "/v2/a%2F../manifests/v1"])
def test_segments_that_no_name_has(client, path):
    answer = client.get(path)
    assert answer.status in (400, 404) and answer.json["errors"][0]["code"] in ("NAME_INVALID", "NOT_FOUND"), answer


TAGS = ["a", "A", "0", "_", "_a.b-c", "v1.0", "latest", "x" * 128, "sha256-" + "0" * 64, "list", "uploads", "A_B.C-D"]
BAD_TAGS = [(".a", "a tag must not start with '.' or '-'"), ("-a", "a tag must not start with '.' or '-'"),
            ("a b", "a tag may contain"), ("a+b", "a tag may contain"), ("a@b", "a tag may contain"), ("ä", "a tag may contain"),
            ("x" * 129, "a tag must not be longer than 128 characters")]


def test_tags(site, client):
    place, content = site.unique("oci/names"), Content()
    content.image()
    push(client, place, content)
    (digest, (_, body)), = content.manifests.items()
    for tag in TAGS:
        client.put(f"/v2/{place}/manifests/{tag}", body, headers={"Content-Type": IMAGE}).expect(201)
        assert client.head(f"/v2/{place}/manifests/{tag}").expect(200).header("Docker-Content-Digest") == digest
    assert client.get(f"/v2/{place}/tags/list").expect(200).json["tags"] == sorted(TAGS)
    from urllib.parse import quote
    for tag, why in BAD_TAGS:
        refused = client.put(f"/v2/{place}/manifests/{quote(tag)}", body, headers={"Content-Type": IMAGE}).expect(400)
        assert refused.code == "TAG_INVALID" and why in refused.message
        # To read and to delete, a name that no tag can have is one that is not there.
        assert client.get(f"/v2/{place}/manifests/{quote(tag)}").expect(404).code == "MANIFEST_UNKNOWN"
        assert client.delete(f"/v2/{place}/manifests/{quote(tag)}").expect(404).code == "MANIFEST_UNKNOWN"
    client.delete(f"/v2/{place}/manifests/a").expect(202)
    assert "A" in client.get(f"/v2/{place}/tags/list").expect(200).json["tags"]  # a tag's case counts


# decisions 33
@pytest.mark.parametrize("credentials", ["anonymous", "known"])
def test_content_trust_is_not_offered(shared_registry, client, credentials):
    """A quick 404 in JSON that says so, without a challenge: docker asks under the host's name, too (S14)."""
    asks = client if credentials == "known" else shared_registry.client(anonymous=True)
    for repository in ("lib/app", f"{shared_registry.host}/lib/app", f"{shared_registry.host}:8443/lib/app"):
        for path in ("root.json", "timestamp.json", "targets/releases.json", "snapshot.key", f"root.{'0' * 64}.json", ""):
            for method in ("GET", "POST", "DELETE", "HEAD"):
                answer = asks.request(method, f"/v2/{repository}/_trust/tuf/{path}").expect(404)
                assert answer.header("WWW-Authenticate") is None
                if method != "HEAD":
                    assert answer.code == "NOT_FOUND" and answer.message == "content trust is not supported by this registry"


def test_a_repositorys_first_upload_makes_it(site, client):
    """Nothing is to be set up before a push; what was pushed to one name is not seen under another."""
    one, other = site.unique("oci/first"), site.unique("oci/second")
    data = os.urandom(64)
    post_only(client, one, digest_of(data), data).expect(201)
    client.head(f"/v2/{one}/blobs/{digest_of(data)}").expect(200)
    client.head(f"/v2/{other}/blobs/{digest_of(data)}").expect(404)
    client.head(f"/v2/{one}/x/blobs/{digest_of(data)}").expect(404)


def test_a_name_of_128_components(client):
    """255 characters may be as many; the door had room for 40 segments of a path."""
    name = "/".join("a" * 128)
    assert len(name) == 255
    content = Content()
    content.image("v1")
    push(client, name, content)
    (digest, (_, body)), = content.manifests.items()
    client.put(with_digest(start(client, name), digest_of(b"x")), b"x").expect(201)
    assert client.get(f"/v2/{name}/manifests/{digest}").expect(200).body == body
    assert client.get(f"/acr/v1/{name}/_manifests/{digest}").expect(200).json["imageName"] == name
    client.delete(f"/v2/{name}/manifests/v1").expect(202)
    assert client.get(f"/v2/{name}/b/tags/list").expect(400).message == "a repository name must not be longer than 255 characters"
    # However long, it is told so and by this rule.
    for longer in ("/".join("a" * 129), "/".join("a" * 3000), "a" * 6000):
        assert client.get(f"/v2/{longer}/tags/list").expect(400).code == "NAME_INVALID"
