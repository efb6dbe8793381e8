"""ACR's own API, /acr/v1: its objects to the byte, its lists, its headers and errors, repository deletion, the events that
pushes and deletions leave (data-plane.md 2, decisions 13 to 15 and 51)."""
import json
import os
import re

import pytest

from harness.site import digest_of

OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
HELM = "application/vnd.cncf.helm.config.v1+json"
TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?Z")
UNLOCKED = {"deleteEnabled": True, "writeEnabled": True, "readEnabled": True, "listEnabled": True}


def empty(salt="", **members):
    """A manifest that needs no blob."""
    return json.dumps({"mediaType": ARTIFACT, "artifactType": "test/empty", "blobs": [], "annotations": {"salt": salt}, **members}).encode()


def put(client, repository, reference, manifest, media_type=ARTIFACT):
    client.put(f"/v2/{repository}/manifests/{reference}", manifest, headers={"Content-Type": media_type}).expect(201)
    return digest_of(manifest)


@pytest.fixture
def client(shared_registry):
    return shared_registry.client()


@pytest.fixture
def name(site):
    return site.unique("acr/api")


def times(of):
    assert TIME.fullmatch(of["createdTime"]) and TIME.fullmatch(of["lastUpdateTime"]), of
    return {"createdTime": of["createdTime"], "lastUpdateTime": of["lastUpdateTime"]}


def test_objects_member_by_member(shared_registry, client, name):
    config = b'{"architecture":"arm64","os":"linux"}'
    digest, _ = shared_registry.push_image(client, name, "v1", [b"x" * 100], config)
    head = {"registry": shared_registry.server, "imageName": name}
    shown = client.get(f"/acr/v1/{name}").expect(200).json
    assert list(shown.items()) == list({**head, **times(shown), "manifestCount": 1, "tagCount": 1, "changeableAttributes": {
        **UNLOCKED, "teleportEnabled": False}}.items())
    tag = client.get(f"/acr/v1/{name}/_tags/v1").expect(200).json
    wanted = {"name": "v1", "digest": digest, **times(tag["tag"]), "signed": False, "changeableAttributes": UNLOCKED}
    assert list(tag["tag"].items()) == list(wanted.items()) and tag == {**head, "tag": wanted}
    assert client.get(f"/acr/v1/{name}/_tags").expect(200).json == {**head, "tags": [wanted]}
    manifest = client.get(f"/acr/v1/{name}/_manifests/{digest}").expect(200).json
    wanted = {"digest": digest, "imageSize": 100 + len(config), **times(manifest["manifest"]), "architecture": "arm64", "os": "linux",
              "mediaType": OCI, "configMediaType": "application/vnd.oci.image.config.v1+json", "tags": ["v1"],
              "changeableAttributes": UNLOCKED}
    assert list(manifest["manifest"].items()) == list(wanted.items()) and manifest == {**head, "manifest": wanted}
    assert client.get(f"/acr/v1/{name}/_manifests").expect(200).json == {**head, "manifests": [wanted]}


# decisions 15
def test_an_index_and_what_it_lists(shared_registry, client, name):
    digests, entries = [], []
    for i, architecture in enumerate(("amd64", "arm")):
        config = json.dumps({"architecture": architecture, "os": "linux"}).encode()
        digest, _ = shared_registry.push_image(client, name, f"only{i}", [b"shared" * 50], config)
        digests.append(digest)
        entries.append({"mediaType": OCI, "digest": digest, "size": len(client.get(f"/v2/{name}/manifests/{digest}").body)})
    entries[1]["platform"] = {"architecture": "arm", "os": "linux", "variant": "v7"}
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
    put(client, name, "all", index, INDEX)
    shown = client.get(f"/acr/v1/{name}/_manifests/{digest_of(index)}").expect(200).json["manifest"]
    assert not {"architecture", "os", "configMediaType"} & set(shown)
    assert shown["references"] == [{"digest": d, "architecture": a, "os": "linux"}
                                   for d, a in sorted(zip(digests, ("amd64", "arm")))]
    sizes = [client.get(f"/acr/v1/{name}/_manifests/{d}").json["manifest"]["imageSize"] for d in digests]
    assert shown["imageSize"] == sum(sizes) - 300  # the shared layer once


def test_an_untagged_manifest_has_no_tags(client, name):
    digest = put(client, name, digest_of(empty()), empty())
    assert "tags" not in client.get(f"/acr/v1/{name}/_manifests/{digest}").expect(200).json["manifest"]
    assert client.get(f"/acr/v1/{name}").expect(200).json["tagCount"] == 0


def test_a_hidden_tag_still_names_its_manifest(client, name):
    """S9 deletes what has no tag in the list of manifests: a tag that is only not listed counts."""
    digest = put(client, name, "v1", empty())
    client.patch(f"/acr/v1/{name}/_tags/v1", {"listEnabled": False}).expect(200)
    assert client.get(f"/acr/v1/{name}/_tags").expect(200).json["tags"] == []
    [listed] = client.get(f"/acr/v1/{name}/_manifests").expect(200).json["manifests"]
    assert listed["digest"] == digest and listed["tags"] == ["v1"]


@pytest.mark.parametrize("encode", [str, lambda name: name.replace("/", "%2F"), lambda name: name.replace("/", "%2f")])
def test_names_as_the_sdks_write_them(client, name, encode):
    digests = [put(client, name, f"v{i}", empty(str(i))) for i in range(2)]
    raw = encode(name)
    page = client.get(f"/acr/v1/{raw}/_tags?n=1&orderby=").expect(200)
    # The path as the client wrote it; every part of the query has its "=".
    assert page.header("Link") == f'</acr/v1/{raw}/_tags?last=v0&n=1&orderby=>; rel="next"'
    page = client.get(f"/acr/v1/{raw}/_manifests?n=1").expect(200)
    first = min(digests)
    assert page.header("Link") == f'</acr/v1/{raw}/_manifests?last={first.replace(":", "%3A")}&n=1&orderby=>; rel="next"'
    following = page.header("Link").split(">")[0][1:]
    assert [m["digest"] for m in client.get(following).expect(200).json["manifests"]] == [max(digests)]
    escaped = first.replace(":", "%3A")
    assert client.get(f"/acr/v1/{raw}/_manifests/{escaped}?api-version=2021-07-01").expect(200).json["manifest"]["digest"] == first


def follow(client, path, key, of):
    """Every page; and each Link as a client that splits at & and = would read it."""
    pages = []
    while path:
        answer = client.get(path).expect(200)
        pages.append([one[of] if of else one for one in answer.json[key]])
        link = answer.header("Link")
        assert link is None or all("=" in part for part in link.split("?")[1].split(">")[0].split("&"))
        path = link and link.split(">")[0][1:]
        assert len(pages) < 100
    return pages


# S24
def test_lists_by_time(client, name):
    digests = [put(client, name, f"t{i}", empty(str(i // 2))) for i in (4, 0, 3, 1, 2)]
    tags = ["t4", "t0", "t3", "t1", "t2"]
    assert follow(client, f"/acr/v1/{name}/_tags?n=2&orderby=timeasc", "tags", "name") == [tags[:2], tags[2:4], tags[4:]]
    assert sum(follow(client, f"/acr/v1/{name}/_tags?n=1&orderby=timedesc", "tags", "name"), []) == tags[::-1]
    assert sum(follow(client, f"/v2/{name}/tags/list?n=2&orderby=timedesc", "tags", None), []) == tags[::-1]
    of_one = f"/acr/v1/{name}/_tags?n=1&orderby=timedesc&digest={digests[1]}"
    assert follow(client, of_one, "tags", "name") == [["t1"], ["t0"]]
    # A manifest's time is that of its last push: t1 and t2 were pushed anew.
    newest = sum(follow(client, f"/acr/v1/{name}/_manifests?n=1&orderby=timedesc", "manifests", "digest"), [])
    assert newest == [digest_of(empty("1")), digest_of(empty("0")), digest_of(empty("2"))]
    names = [f"{name}/{i}" for i in "cab"]
    for one in names:
        put(client, one, "v1", empty())
    listed = [n for n in sum(follow(client, "/acr/v1/_catalog?n=3&orderby=timeasc", "repositories", None), []) if n in names]
    assert listed == names
    assert [n for n in sum(follow(client, "/acr/v1/_catalog?n=3", "repositories", None), []) if n in names] == sorted(names)


@pytest.mark.parametrize("path,status,code,message", [
    ("/acr/v1/{name}/none", 404, "NAME_UNKNOWN", "repository name not known to registry"),
    ("/acr/v1/{name}/none/_tags", 404, "NAME_UNKNOWN", "repository name not known to registry"),
    ("/acr/v1/{name}/none/_manifests", 404, "NAME_UNKNOWN", "repository name not known to registry"),
    ("/acr/v1/{name}/_tags/none", 404, "TAG_UNKNOWN", "the specified tag does not exist"),
    ("/acr/v1/{name}/none/_tags/v1", 404, "TAG_UNKNOWN", "the specified tag does not exist"),
    ("/acr/v1/{name}/_tags/.x", 404, "TAG_UNKNOWN", "the specified tag does not exist"),
    ("/acr/v1/{name}/_manifests/sha256:" + "0" * 64, 404, "MANIFEST_UNKNOWN", "manifest unknown"),
    ("/acr/v1/{name}/_manifests/sha256:12", 400, "DIGEST_INVALID", None),
    ("/acr/v1/{name}/_tags?n=x", 400, "PAGINATION_NUMBER_INVALID", None),
    ("/acr/v1/{name}/_tags?orderby=up", 400, "BAD_REQUEST", None),
    ("/acr/v1/{name}/_tags?digest=v1", 400, "DIGEST_INVALID", None),
    ("/acr/v1/{name}/_tags?orderby=timedesc&last=v1", 400, "BAD_REQUEST", None),
    ("/acr/v1/Upper", 400, "NAME_INVALID", "a repository name must be lower case"),
    ("/acr/v1/{name}/_nothing", 400, "NAME_INVALID", None),
])
def test_errors_of_reads(client, name, path, status, code, message):
    put(client, name, "v1", empty())
    refused = client.get(path.format(name=name)).expect(status)
    assert refused.code == code and (message is None or refused.message == message)
    assert refused.header("Content-Type") == "application/json; charset=utf-8"
    if code == "NAME_UNKNOWN":
        assert refused.json["errors"][0]["detail"] == {"name": f"{name}/none"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"writeEnabled":1}', b'{"writeEnabled":null}', b'{"other":true}',
                                  b'{"teleportEnabled":true}', b'{"writeEnabled":true,"writeEnabled":false}', b"[" * 100000,
                                  b'{"x":"' + b"y" * 70000 + b'"}'])
def test_a_change_that_is_none(client, name, body):
    put(client, name, "v1", empty())
    for path in (f"/acr/v1/{name}", f"/acr/v1/{name}/_tags/v1", f"/acr/v1/{name}/_manifests/{digest_of(empty())}"):
        assert client.patch(path, body, headers={"Content-Type": "application/json"}).expect(400).code == "BAD_REQUEST"


# decisions 13: any subset of the four; the whole object comes back.
def test_changes(client, name):
    digest = put(client, name, "v1", empty())
    for path, key in ((f"/acr/v1/{name}", None), (f"/acr/v1/{name}/_tags/v1", "tag"), (f"/acr/v1/{name}/_manifests/{digest}", "manifest")):
        before = client.get(path).expect(200).json
        for attribute in UNLOCKED:
            changed = client.patch(path, {attribute: False}).expect(200).json
            of = changed[key] if key else changed
            assert [a for a, is_true in of["changeableAttributes"].items() if not is_true and a != "teleportEnabled"] == [attribute]
            assert client.patch(path, {}).expect(200).json == changed
            client.patch(path, {attribute: True}).expect(200)
        whole = {**UNLOCKED, "listEnabled": False}
        assert client.patch(path, whole).expect(200).json == client.get(path).expect(200).json
        client.patch(path, {**UNLOCKED, **({} if key else {"teleportEnabled": False})}).expect(200)
        assert client.get(path).expect(200).json == before  # its times too: a change of attributes is none of the content
    assert client.patch(f"/acr/v1/{name}/none", {}).expect(404).code == "NAME_UNKNOWN"
    assert client.patch(f"/acr/v1/{name}/_tags/none", {}).expect(404).code == "TAG_UNKNOWN"
    assert client.patch(f"/acr/v1/{name}/_manifests/sha256:{'0' * 64}", {}).expect(404).code == "MANIFEST_UNKNOWN"


# decisions 42
@pytest.mark.parametrize("path,allowed", [("", {"DELETE", "GET", "HEAD", "PATCH"}), ("/_tags", {"GET", "HEAD"}),
                                          ("/_tags/v1", {"DELETE", "GET", "HEAD", "PATCH"}), ("/_manifests", {"GET", "HEAD"}),
                                          ("/_manifests/v1", {"DELETE", "GET", "HEAD", "PATCH"})])
def test_other_methods(client, name, path, allowed):
    refused = client.put(f"/acr/v1/{name}{path}", b"{}").expect(405)
    assert refused.code == "UNSUPPORTED" and allowed <= set(refused.header("Allow").split(","))
    assert client.head(f"/acr/v1/{name}{path}").body == b""


def test_headers(shared_registry, client, name):
    put(client, name, "v1", empty())
    sent = {"x-ms-client-request-id": "11111111-2222-3333-4444-555555555555"}
    for answer in (client.get(f"/acr/v1/{name}", headers=sent).expect(200), client.get(f"/acr/v1/{name}/x", headers=sent).expect(404),
                   client.delete(f"/acr/v1/{name}/_tags/v1", headers=sent).expect(202)):
        assert answer.header("Docker-Distribution-Api-Version") == "registry/2.0"
        assert answer.header("X-Content-Type-Options") == "nosniff" and answer.header("Strict-Transport-Security")
        assert answer.header("X-Ms-Client-Request-Id") == sent["x-ms-client-request-id"] and answer.header("X-Ms-Request-Id")
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.header("X-Ms-Correlation-Request-Id"))
        assert answer.header("Access-Control-Expose-Headers") == (
            "Docker-Content-Digest, WWW-Authenticate, Link, X-Ms-Correlation-Request-Id")
    assert answer.body == b"" and answer.header("X-Ms-Ratelimit-Remaining-Calls-Per-Second") == "8.000000"
    for method, path, scope in (("GET", "/_tags", "metadata_read"), ("PATCH", "", "metadata_write"), ("DELETE", "", "delete"),
                                ("DELETE", "/_tags/v1", "delete")):
        asked = shared_registry.client(anonymous=True).request(method, f"/acr/v1/{name.replace('/', '%2F')}{path}").expect(401)
        assert asked.header("WWW-Authenticate").endswith(f'scope="repository:{name}:{scope}"')


def test_a_repository_goes_at_once(site, shared_registry, client, operator, name):
    """Its name is free the moment the deletion is answered; the rows go by a job."""
    before = shared_registry.usage(operator)
    digest, _ = shared_registry.push_image(client, name, "v1", [os.urandom(500)])
    other = put(client, name, digest_of(empty()), empty())
    put(client, name, "v2", client.get(f"/v2/{name}/manifests/v1").body, OCI)
    gone = client.delete(f"/acr/v1/{name}").expect(202)
    assert gone.json == {"manifestsDeleted": sorted([digest, other]), "tagsDeleted": ["v1", "v2"]}
    assert gone.header("Content-Type") == "application/json; charset=utf-8"
    assert shared_registry.usage(operator) == before
    for path, code in ((f"/acr/v1/{name}", "NAME_UNKNOWN"), (f"/acr/v1/{name}/_tags", "NAME_UNKNOWN"), (f"/v2/{name}/tags/list", "NAME_UNKNOWN"),
                       (f"/acr/v1/{name}/_tags/v1", "TAG_UNKNOWN")):
        assert client.get(path).expect(404).code == code
    client.get(f"/v2/{name}/manifests/{digest}").expect(404)
    assert name not in sum(follow(client, "/acr/v1/_catalog", "repositories", None), [])
    assert client.delete(f"/acr/v1/{name}").expect(404).code == "NAME_UNKNOWN"
    put(client, name, "v1", empty("new"))
    assert client.get(f"/acr/v1/{name}").expect(200).json["manifestCount"] == 1
    site.wait_until(lambda: site.sql(f"select count(*) from acr.repository where name = '{name}'") == ["1"])


# decisions 28
def test_what_an_index_lists_at_any_depth_stays(client, name):
    child = put(client, name, digest_of(empty()), empty())
    inner = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": ARTIFACT, "digest": child, "size": len(empty())}]}).encode()
    outer = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": INDEX, "digest": digest_of(inner), "size": len(inner)}]}).encode()
    put(client, name, digest_of(inner), inner, INDEX)
    put(client, name, "multi", outer, INDEX)
    for path in (f"/v2/{name}/manifests/", f"/acr/v1/{name}/_manifests/"):
        for digest in (child, digest_of(inner)):
            refused = client.delete(path + digest).expect(405)
            assert refused.code == "REGISTRY_DISALLOWED_OPERATION" and refused.json["errors"][0]["detail"] == {}
            assert refused.message.endswith(f"The manifest is listed by the tagged index {digest_of(outer)}; delete that first")
    client.delete(f"/acr/v1/{name}/_tags/multi").expect(202)  # now nothing names them
    for digest in (child, digest_of(inner), digest_of(outer)):
        client.delete(f"/acr/v1/{name}/_manifests/{digest}").expect(202)
    # What refers to an image may go before it: that is how signatures are removed.
    signature = empty(subject={"mediaType": ARTIFACT, "digest": put(client, name, "v1", empty()), "size": len(empty())})
    client.delete(f"/v2/{name}/manifests/{put(client, name, digest_of(signature), signature)}").expect(202)


def events(site, repository):
    rows = site.sql("select json_build_object('action', action, 'tag', tag, 'digest', digest, 'media', media_type, 'size', size, 'host', host,"
                    " 'method', method, 'agent', user_agent, 'request', request_id, 'id', id) from acr.event"
                    f" where repository = '{repository}' order by number")
    return [json.loads(row) for row in rows]


# decisions 51
def test_events(site, shared_registry, client, name):
    agent = {"User-Agent": "docker/20.10.24 go/1.19 (linux)", "x-ms-client-request-id": "probe"}
    pushed = client.put(f"/v2/{name}/manifests/v1", empty(), headers={"Content-Type": ARTIFACT, **agent}).expect(201)
    put(client, name, digest_of(empty("2")), empty("2"))
    client.put(f"/v2/{name}/manifests/v3", b"{", headers={"Content-Type": ARTIFACT}).expect(400)  # did not happen
    first, second = events(site, name)
    assert re.fullmatch(r"[0-9a-f-]{36}", first.pop("id"))
    assert first == {"action": "push", "tag": "v1", "digest": digest_of(empty()), "media": ARTIFACT, "size": len(empty()),
                     "host": shared_registry.server, "method": "PUT", "agent": agent["User-Agent"],
                     "request": pushed.header("X-Ms-Request-Id")}
    assert (second["action"], second["tag"], second["digest"]) == ("push", None, digest_of(empty("2")))
    put(client, name, "v2", empty())
    client.delete(f"/acr/v1/{name}/_tags/v2").expect(202)
    client.delete(f"/v2/{name}/manifests/{digest_of(empty())}").expect(202)
    client.delete(f"/v2/{name}/manifests/{digest_of(empty())}").expect(404)
    client.delete(f"/acr/v1/{name}").expect(202)
    deleted = events(site, name)[3:]
    assert {(e["action"], e["size"], e["method"], e["media"]) for e in deleted} == {("delete", 0, "DELETE", ARTIFACT)}
    assert [e["tag"] for e in deleted] == ["v2", None, "v1", None]
    assert [e["digest"] for e in deleted] == [digest_of(empty())] * 3 + [digest_of(empty("2"))]


def test_events_of_charts(site, shared_registry, client, name):
    config = b'{"name":"app","version":"1.0.0"}'
    digest = shared_registry.push_blob(client, name, config)
    chart = json.dumps({"schemaVersion": 2, "mediaType": OCI, "config": {"mediaType": HELM, "digest": digest, "size": len(config)},
                        "layers": []}).encode()
    put(client, name, "1.0.0", chart, OCI)
    client.delete(f"/v2/{name}/manifests/{digest_of(chart)}").expect(202)
    assert sorted((e["action"], e["tag"]) for e in events(site, name) if e["tag"]) == [
        ("chart_delete", "1.0.0"), ("chart_push", "1.0.0"), ("delete", "1.0.0"), ("push", "1.0.0")]


def test_everything_can_be_repeated(shared_registry, client, name):
    """S29: what timed out for a client may have been done; doing it again harms nothing."""
    digest, _ = shared_registry.push_image(client, name, "v1", [b"layer"])
    manifest = client.get(f"/v2/{name}/manifests/v1").body
    created = client.get(f"/acr/v1/{name}/_manifests/{digest}").json["manifest"]["createdTime"]
    for _ in range(2):
        shared_registry.push_image(client, name, "v1", [b"layer"])
        put(client, name, digest, manifest, OCI)
        assert client.patch(f"/acr/v1/{name}/_tags/v1", {"deleteEnabled": True}).expect(200)
    shown = client.get(f"/acr/v1/{name}").expect(200).json
    assert (shown["manifestCount"], shown["tagCount"]) == (1, 1)
    assert client.get(f"/acr/v1/{name}/_manifests/{digest}").json["manifest"]["createdTime"] == created
    client.delete(f"/acr/v1/{name}/_tags/v1").expect(202)
    assert client.delete(f"/acr/v1/{name}/_tags/v1").expect(404).code == "TAG_UNKNOWN"
    client.delete(f"/v2/{name}/manifests/{digest}").expect(202)
    assert client.delete(f"/v2/{name}/manifests/{digest}").expect(404).code == "MANIFEST_UNKNOWN"
    assert client.delete(f"/acr/v1/{name}").expect(404).code == "NAME_UNKNOWN"
