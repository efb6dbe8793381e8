"""Tags, catalog and referrers, and their pages (OCI distribution 1.1, listing; data-plane.md 2.2 and 4)."""
import os
import urllib.parse

import pytest

from harness.oci import EXAMPLE, IMAGE, INDEX, Content, follow, push
from harness.site import digest_of


@pytest.fixture
def place(site):
    return site.unique("oci/lists")


@pytest.fixture(scope="module")
def client(shared_registry):
    return shared_registry.client()


@pytest.fixture(scope="module")
def tags(site, client):
    """A repository with tags of every form."""
    place, content = site.unique("oci/tags"), Content()
    descriptor = content.image()
    content.tags = {tag: descriptor["digest"] for tag in ("V1", "_x", "a", "a-b", "a.b", "a_b", "b", "latest", "v1", "v1.0", "v10", "v2")}
    push(client, place, content)
    return place, sorted(content.tags)


def test_empty(client, place):
    """The suite's case: a repository that nobody pushed to has no tags list, and no referrers."""
    assert client.get(f"/v2/{place}/tags/list").expect(404).code == "NAME_UNKNOWN"
    answer = client.get(f"/v2/{place}/referrers/{digest_of(os.urandom(9))}").expect(200)
    assert answer.json == {"schemaVersion": 2, "mediaType": INDEX, "manifests": []} and answer.header("Content-Type") == INDEX


def test_ping(client):
    for path in ("/v2/", "/v2"):
        assert client.get(path).expect(200).json == {}
    client.head("/v2/").expect(200)


@pytest.mark.parametrize("n", [1, 2, 5, 11, 12, 13, 1000, 5000])
def test_pages_of_tags(client, tags, n):
    place, names = tags
    pages = follow(client, f"/v2/{place}/tags/list?n={n}", "tags")
    assert [tag for page in pages for tag in page] == names
    assert [len(page) for page in pages] == [n] * (len(names) // n) + ([len(names) % n] if len(names) % n else [])


def test_last(client, tags):
    """Behind a name that is there, that is not, that is the last; never the name itself."""
    place, names = tags
    for last in ("", "V1", "a", "aa", "a.", "v1", "v2", "zzz", "~"):
        for n in ("", "&n=100"):
            listed = client.get(f"/v2/{place}/tags/list?last={last}{n}").expect(200)
            assert listed.json == {"name": place, "tags": [t for t in names if t > last]} and listed.header("Link") is None


def test_without_n_all_are_listed(client, tags):
    place, names = tags
    answer = client.get(f"/v2/{place}/tags/list").expect(200)
    assert answer.json["tags"] == names and answer.header("Link") is None


def test_n_may_be_zero(client, tags):
    """OCI distribution 1.1: an empty list and no Link; it was a 400."""
    place, _ = tags
    subject = digest_of(b"nobody's subject")
    for path, key in ((f"/v2/{place}/tags/list", "tags"), ("/v2/_catalog", "repositories"), (f"/v2/{place}/referrers/{subject}", "manifests")):
        for more in ("", "&last=a"):
            answer = client.get(f"{path}?n=0{more}").expect(200)
            assert answer.json[key] == [] and answer.header("Link") is None, path


@pytest.mark.parametrize("n", ["-1", "x", "1.5", "", "99999999999999999999", "0x10"])
def test_n_that_is_no_number(client, tags, n):
    for path in (f"/v2/{tags[0]}/tags/list", "/v2/_catalog", f"/v2/{tags[0]}/referrers/{digest_of(b'x')}"):
        assert client.get(f"{path}?n={n}").expect(400).code == "PAGINATION_NUMBER_INVALID", path


def test_a_page_begins_where_the_last_ended_whatever_happens_meanwhile(client, place):
    """Tags that come and go between two pages neither hide nor repeat another."""
    content = Content()
    descriptor = content.image()
    content.tags = {tag: descriptor["digest"] for tag in ("b", "d", "f", "h")}
    push(client, place, content)
    first = client.get(f"/v2/{place}/tags/list?n=2").expect(200)
    assert first.json["tags"] == ["b", "d"]
    body = content.manifests[descriptor["digest"]][1]
    for tag in ("a", "c", "e"):
        client.put(f"/v2/{place}/manifests/{tag}", body, headers={"Content-Type": IMAGE}).expect(201)
    for tag in ("b", "d"):
        client.delete(f"/v2/{place}/manifests/{tag}").expect(202)
    following = first.header("Link").split(";")[0].strip("<>")
    assert client.get(following).expect(200).json["tags"] == ["e", "f"]


def test_a_repository_without_tags(client, place):
    content = Content()
    content.image()
    push(client, place, content)
    assert client.get(f"/v2/{place}/tags/list").expect(200).json == {"name": place, "tags": []}


def test_pages_of_the_catalog(site, operator, group):
    """A repository is listed from its first manifest to its last."""
    client = site.create_registry(operator, group).client()
    assert client.get("/v2/_catalog").expect(200).json == {"repositories": []}
    names = ["a", "a-b", "a/b", "a/b/c", "a0", "b.c/d_e/f--g", "zz"]
    made = {}
    for name in names:
        content = Content()
        made[name] = content.image("t")["digest"]
        push(client, name, content)
    client.post(f"/v2/only/blobs/uploads/?digest={digest_of(b'x')}", b"x").expect(201)
    ordered = sorted(names)
    for path in ("/v2/_catalog", "/acr/v1/_catalog"):
        for n in (1, 3, 7, 100):
            assert [r for page in follow(client, f"{path}?n={n}", "repositories") for r in page] == ordered
        assert client.get(f"{path}?last=a/b").expect(200).json["repositories"] == [n for n in ordered if n > "a/b"]
        assert client.get(f"{path}?last=a%2Fb").expect(200).json["repositories"] == [n for n in ordered if n > "a/b"]
    client.delete(f"/v2/a/b/manifests/{made['a/b']}").expect(202)
    assert client.get("/v2/_catalog").expect(200).json["repositories"] == [n for n in ordered if n != "a/b"]


@pytest.fixture(scope="module")
def referred(site, client):
    """A subject with seven referrers of two kinds, and one of another subject."""
    place, content = site.unique("oci/referrers"), Content()
    subject, other = content.image("subject"), content.image("other")
    for i in range(7):
        content.artifact(kind=f"{EXAMPLE}.{i % 2}+json", subject=subject, annotations={"at": str(i)})
    content.artifact(subject=other)
    push(client, place, content)
    return place, content, subject["digest"]


def test_pages_of_referrers(client, referred):
    place, content, subject = referred
    expected = sorted(content.referrers[subject], key=lambda d: d["digest"])
    for n in (1, 3, 7, 100):
        pages = follow(client, f"/v2/{place}/referrers/{subject}?n={n}", "manifests")
        assert [d for page in pages for d in page] == expected and len(pages[0]) == min(n, 7)
        kind = f"{EXAMPLE}.1+json"
        pages = follow(client, f"/v2/{place}/referrers/{subject}?artifactType={urllib.parse.quote(kind, safe='')}&n={n}", "manifests")
        assert [d for page in pages for d in page] == [d for d in expected if d["artifactType"] == kind]


def test_filters_that_find_nothing(client, referred):
    place, _, subject = referred
    for kind in ("none/none", "%00", "a" * 300):
        answer = client.get(f"/v2/{place}/referrers/{subject}?artifactType={kind}")
        if answer.status == 200:
            assert answer.json["manifests"] == [] and answer.header("OCI-Filters-Applied") == "artifactType"
        else:
            assert answer.status == 400
    answer = client.get(f"/v2/{place}/referrers/{subject}?artifactType=").expect(200)  # no filter
    assert len(answer.json["manifests"]) == 7 and answer.header("OCI-Filters-Applied") is None


def test_a_tag_is_no_subject(client, referred):
    place, _, _ = referred
    assert client.get(f"/v2/{place}/referrers/subject").expect(400).code == "DIGEST_INVALID"


def test_referrers_outlive_their_subject(client, place):
    """Pushed before it, kept after it; deleted by themselves."""
    content = Content()
    subject = content.image("v1")
    (media_type, body) = content.manifests.pop(subject["digest"])
    content.tags = {}
    signature = content.artifact(subject=subject)
    push(client, place, content)
    listed = content.referrers[subject["digest"]]

    def referrers():
        return client.get(f"/v2/{place}/referrers/{subject['digest']}").expect(200).json["manifests"]
    assert referrers() == listed
    client.put(f"/v2/{place}/manifests/v1", body, headers={"Content-Type": media_type}).expect(201)
    client.delete(f"/v2/{place}/manifests/{subject['digest']}").expect(202)
    assert referrers() == listed
    client.delete(f"/v2/{place}/manifests/{signature['digest']}").expect(202)
    assert referrers() == []
