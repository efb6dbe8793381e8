"""Locks on images: each attribute at each level against every operation (decisions 13, 14, 44; S26: the refusal names object
and attribute)."""
import json

import pytest

from harness.site import digest_of

ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
KNOWN = ("The operation is disallowed on this registry, repository or image. View troubleshooting steps at "
         "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation")


class Repository:
    """Manifest `one` with the tags t1 and other, manifest `two` with the tag t2; a blob that `one` refers to, and a loose one."""

    def __init__(self, registry, client, name):
        self.registry, self.client, self.name = registry, client, name
        self.blob = registry.push_blob(client, name, name.encode())
        self.loose = registry.push_blob(client, name, b"loose" + name.encode())
        self.one = self.manifest([{"mediaType": "test/blob", "digest": self.blob, "size": len(name)}])
        self.two = self.manifest([])
        for tag, manifest in (("t1", self.one), ("other", self.one), ("t2", self.two)):
            self.put(tag, manifest).expect(201)
        self.places = {"repository": ("", name), "manifest": (f"/_manifests/{digest_of(self.one)}", digest_of(self.one)),
                       "tag": ("/_tags/t1", "t1")}

    def manifest(self, blobs):
        return json.dumps({"mediaType": ARTIFACT, "artifactType": "test/x", "blobs": blobs}).encode()

    def put(self, reference, manifest):
        return self.client.put(f"/v2/{self.name}/manifests/{reference}", manifest, headers={"Content-Type": ARTIFACT})

    def set(self, level, attribute, value):
        self.client.patch(f"/acr/v1/{self.name}{self.places[level][0]}", {attribute: value}).expect(200)

    def get(self, what):
        return self.client.get(f"/v2/{self.name}/{what}")

    def delete(self, what):
        return self.client.delete(f"/v2/{self.name}/{what}")


READ, WRITE, DELETE = {"readEnabled"}, {"writeEnabled"}, {"writeEnabled", "deleteEnabled"}
R, M, T = "repository", "manifest", "tag"
# Operation: what it does, the attributes it needs, and the levels at which a lock stops it. Those that change nothing come
# first, then pushes, then deletions: each leaves what the next one needs.
OPERATIONS = [
    ("pull t1", lambda r: r.get("manifests/t1"), READ, {R, M, T}, 200),
    ("pull other", lambda r: r.get("manifests/other"), READ, {R, M}, 200),
    ("pull by digest", lambda r: r.get(f"manifests/{digest_of(r.one)}"), READ, {R, M}, 200),
    ("head t1", lambda r: r.client.head(f"/v2/{r.name}/manifests/t1"), READ, {R, M, T}, 200),
    ("pull t2", lambda r: r.get("manifests/t2"), READ, {R}, 200),
    ("pull the blob", lambda r: r.get(f"blobs/{r.blob}"), READ, {R}, 200),
    ("show t1", lambda r: r.client.get(f"/acr/v1/{r.name}/_tags/t1"), set(), set(), 200),
    ("list referrers", lambda r: r.get(f"referrers/{digest_of(r.one)}"), set(), set(), 200),
    ("begin an upload", lambda r: r.client.post(f"/v2/{r.name}/blobs/uploads/"), WRITE, {R}, 202),
    ("push t1 again", lambda r: r.put("t1", r.one), WRITE, {R, M, T}, 201),
    ("push by digest again", lambda r: r.put(digest_of(r.one), r.one), WRITE, {R, M}, 201),
    ("tag one anew", lambda r: r.put("new", r.one), WRITE, {R, M}, 201),
    ("tag two anew", lambda r: r.put("fresh", r.two), WRITE, {R}, 201),
    ("move t2 to one", lambda r: r.put("t2", r.one), WRITE, {R, M}, 201),
    ("move other to two", lambda r: r.put("other", r.two), WRITE, {R, M}, 201),  # a tag's lock protects no other tag
    ("move t1 to two and back", lambda r: (r.put("t1", r.two).status == 201 and r.put("t1", r.one)) or r.put("t1", r.two), WRITE,
     {R, M, T}, 201),
    ("delete the loose blob", lambda r: r.delete(f"blobs/{r.loose}"), DELETE, {R}, 202),
    ("untag free", lambda r: r.delete("manifests/free"), DELETE, {R}, 202),
    ("delete two", lambda r: r.delete(f"manifests/{digest_of(r.two)}"), DELETE, {R}, 202),
    ("delete one", lambda r: r.delete(f"manifests/{digest_of(r.one)}"), DELETE, {R, M, T}, 202),
]


@pytest.mark.parametrize("attribute", ["readEnabled", "writeEnabled", "deleteEnabled", "listEnabled"])
@pytest.mark.parametrize("level", [R, M, T])
def test_each_lock_against_each_operation(site, shared_registry, level, attribute):
    r = Repository(shared_registry, shared_registry.client(), site.unique("locks"))
    r.put("free", r.two).expect(201)
    r.set(level, attribute, False)
    said = f"{KNOWN}. The {level} '{r.places[level][1]}' is locked: its attribute {attribute} is false"
    stops = attribute in ("writeEnabled", "deleteEnabled")
    if stops:  # nothing of a repository may be locked when it goes
        refused = r.client.delete(f"/acr/v1/{r.name}").expect(405)
        assert refused.message == said
        if level != R or attribute == "deleteEnabled":
            for path in (f"/acr/v1/{r.name}/_tags/t1", f"/v2/{r.name}/manifests/t1"):
                assert r.client.delete(path).expect(405).message == said
    for name, act, needs, levels, status in OPERATIONS:
        answer = act(r)
        if attribute in needs and level in levels:
            assert answer.status == 405, (name, answer)
            if answer.body:
                assert answer.code == "REGISTRY_DISALLOWED_OPERATION" and answer.json["errors"][0]["detail"] == {}
                assert answer.message == said, name
        else:
            assert answer.status == status, (name, answer)
    r.client.patch(f"/acr/v1/{r.name}", {"deleteEnabled": True, "writeEnabled": True})
    if stops and level != R:
        r.set(level, attribute, True)
    r.client.delete(f"/acr/v1/{r.name}").expect(202, 404)


# decisions 13: each hides at its own level only.
def test_what_is_hidden(site, shared_registry):
    client = shared_registry.client()
    r = Repository(shared_registry, client, site.unique("locks"))

    def seen():
        return (r.name in client.get(f"/v2/_catalog?last={r.name[:-1]}&n=1000").json["repositories"],
                r.get("tags/list").json["tags"] == ["other", "t1", "t2"],
                [t["name"] for t in client.get(f"/acr/v1/{r.name}/_tags").json["tags"]] == ["other", "t1", "t2"],
                len(client.get(f"/acr/v1/{r.name}/_manifests").json["manifests"]) == 2)

    assert seen() == (True, True, True, True)
    for level, hidden in (("repository", (False, True, True, True)), ("tag", (True, False, False, True)),
                          ("manifest", (True, True, True, False))):
        r.set(level, "listEnabled", False)
        assert seen() == hidden, level
        r.get("manifests/t1").expect(200)
        r.set(level, "listEnabled", True)


# decisions 44
def test_a_blob_that_a_manifest_needs(site, shared_registry):
    r = Repository(shared_registry, shared_registry.client(), site.unique("locks"))
    refused = r.delete(f"blobs/{r.blob}").expect(405)
    assert refused.message == f"{KNOWN}. The blob is referred to by the manifest {digest_of(r.one)}"


def test_an_upload_into_a_repository_that_was_locked_meanwhile(site, shared_registry):
    client = shared_registry.client()
    r = Repository(shared_registry, client, site.unique("locks"))
    location = client.post(f"/v2/{r.name}/blobs/uploads/").expect(202).header("Location")
    begun = client.patch(location, b"123", headers={"Content-Type": "application/octet-stream"}).expect(202).header("Location")
    r.set("repository", "writeEnabled", False)
    said = f"{KNOWN}. The repository '{r.name}' is locked: its attribute writeEnabled is false"
    assert client.patch(begun, b"4", headers={"Content-Type": "application/octet-stream"}).expect(405).message == said
    assert client.put(f"{begun}&digest={digest_of(b'123')}").expect(405).message == said
    mounted = client.post(f"/v2/{r.name}/blobs/uploads/?mount={r.blob}&from={r.name}").expect(405)
    assert mounted.message == said
    whole = client.post(f"/v2/{r.name}/blobs/uploads/?digest={digest_of(b'1')}", b"1", headers={"Content-Type": "application/octet-stream"})
    assert whole.expect(405).message == said
    r.set("repository", "writeEnabled", True)
    client.put(f"{begun}&digest={digest_of(b'123')}").expect(201)  # nothing was lost


# decisions 32: who may not read there, or what may not be read there, is mounted from nowhere.
def test_a_read_locked_repository_lends_no_blob(site, shared_registry):
    client = shared_registry.client()
    r = Repository(shared_registry, client, site.unique("locks"))
    r.set("repository", "readEnabled", False)
    client.post(f"/v2/{r.name}x/blobs/uploads/?mount={r.blob}&from={r.name}").expect(202)
    r.set("repository", "readEnabled", True)
    client.post(f"/v2/{r.name}x/blobs/uploads/?mount={r.blob}&from={r.name}").expect(201)
