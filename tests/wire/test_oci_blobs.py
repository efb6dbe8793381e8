"""The OCI conformance suite's cases of blobs (distribution 1.1), under its names, for both digest algorithms; then what the
rules of uploads say beyond it (contract/data-plane.md 2.2 and 4)."""
import concurrent.futures
import contextlib
import os
import socket
import threading

import pytest

from harness.oci import BYTES, WAYS, chunked, pieces, post_and_put, post_only, start, stream, with_digest
from harness.site import digest_of
from harness.wire import context

ALGORITHMS = ["sha256", "sha512"]
BOTH = pytest.mark.parametrize("algorithm", ALGORITHMS)


@pytest.fixture
def place(site):
    return site.unique("oci/blobs")


@pytest.fixture(scope="module")
def client(shared_registry):
    return shared_registry.client()


def check_pushed(client, answer, repository, digest, data):
    """201 whose Location is the blob; HEAD and GET show it."""
    answer.expect(201)
    assert answer.header("Docker-Content-Digest") == digest
    assert answer.header("Location") == f"/v2/{repository}/blobs/{digest}"
    head = client.head(answer.header("Location")).expect(200)
    assert (head.header("Content-Length"), head.header("Docker-Content-Digest"), head.body) == (str(len(data)), digest, b"")
    whole = client.get(answer.header("Location")).expect(200)
    assert whole.body == data and whole.header("Docker-Content-Digest") == digest


def check_deleted(client, repository, digest):
    client.delete(f"/v2/{repository}/blobs/{digest}").expect(202)
    client.head(f"/v2/{repository}/blobs/{digest}").expect(404)
    assert client.get(f"/v2/{repository}/blobs/{digest}").expect(404).code == "BLOB_UNKNOWN"


# ---- the suite's cases

@BOTH
def test_get_missing(client, place, algorithm):
    digest = digest_of(os.urandom(64), algorithm)
    assert client.get(f"/v2/{place}/blobs/{digest}").expect(404).code == "BLOB_UNKNOWN"
    client.head(f"/v2/{place}/blobs/{digest}").expect(404)


@BOTH
@pytest.mark.parametrize("name,way", [
    ("post only", post_only), ("post+put", post_and_put), ("chunked single", lambda *of: chunked(*of, chunks=1)),
    ("stream", stream), ("chunked multi", chunked), ("chunked multi and put chunk", lambda *of: chunked(*of, put_chunk=True))])
def test_push(client, place, algorithm, name, way):
    data = os.urandom(3 * 1024 - 5)
    digest = digest_of(data, algorithm)
    check_pushed(client, way(client, place, digest, data), place, digest, data)
    check_deleted(client, place, digest)


@BOTH
@pytest.mark.parametrize("put_chunk", [False, True], ids=["chunked out-of-order", "chunked out-of-order and put chunk"])
def test_out_of_order(client, place, algorithm, put_chunk):
    """A chunk that does not begin where the session ends is refused, and the session stays as it was."""
    data = os.urandom(3 * 1024 - 5)
    digest = digest_of(data, algorithm)

    def disorder(location, offset, size):
        wrong = offset + size if offset + size < len(data) else 0
        piece = data[wrong:wrong + size]
        last = put_chunk and wrong + size >= len(data)
        refused = client.request("PUT" if last else "PATCH", with_digest(location, digest) if last else location, piece, headers={
            **BYTES, "Content-Range": f"{wrong}-{wrong + len(piece) - 1}"}).expect(416)
        held = f"0-{max(offset - 1, 0)}"
        assert refused.code == "BLOB_UPLOAD_INVALID" and refused.header("Range") == held
        status = client.get(refused.header("Location") or location).expect(204)
        assert status.header("Range") == held
        return status.header("Location")
    answer = chunked(client, place, digest, data, put_chunk=put_chunk, between=disorder)
    check_pushed(client, answer, place, digest, data)


@BOTH
@pytest.mark.parametrize("source", ["mount", "mount anonymous"])
def test_mount(client, place, algorithm, source):
    data, other = os.urandom(512), f"{place}/other"
    digest = digest_of(data, algorithm)
    post_only(client, other, digest, data).expect(201)
    named = f"&from={other}" if source == "mount" else ""
    answer = client.post(f"/v2/{place}/blobs/uploads/?mount={digest}{named}")
    check_pushed(client, answer, place, digest, data)
    check_deleted(client, other, digest)
    assert client.get(f"/v2/{place}/blobs/{digest}").expect(200).body == data  # the other link is enough
    check_deleted(client, place, digest)


@BOTH
def test_mount_missing(client, place, algorithm):
    data = os.urandom(512)
    digest = digest_of(data, algorithm)
    begun = client.post(f"/v2/{place}/blobs/uploads/?mount={digest}&from={place}/other").expect(202)
    answer = client.put(with_digest(begun.header("Location"), digest), data, headers=BYTES)
    check_pushed(client, answer, place, digest, data)


@BOTH
def test_post_cancel(client, place, algorithm):
    location = start(client, place)
    client.delete(location).expect(204)
    assert client.get(location).expect(404).code == "BLOB_UPLOAD_UNKNOWN"
    assert client.delete(location).expect(404).code == "BLOB_UPLOAD_UNKNOWN"
    digest = digest_of(b"cancelled", algorithm)
    assert client.put(with_digest(location, digest), b"cancelled", headers=BYTES).expect(404).code == "BLOB_UPLOAD_UNKNOWN"


RANGES = {"500-1499": (500, 1500), "500-": (500, 2048), "-500": (1548, 2048), "2000-5000": (2000, 2048),
          "500-0": None, "5000-10000": None}


@BOTH
@pytest.mark.parametrize("name", RANGES)
def test_range_requests(client, place, algorithm, name):
    data = os.urandom(2048)
    digest = digest_of(data, algorithm)
    post_only(client, place, digest, data).expect(201)
    answer = client.get(f"/v2/{place}/blobs/{digest}", headers={"Range": f"bytes={name}"})
    if RANGES[name] is None:
        assert answer.expect(416).code == "RANGE_INVALID" and answer.header("Content-Range") == "bytes */2048"
        return
    first, end = RANGES[name]
    assert answer.expect(206).body == data[first:end] and answer.header("Content-Length") == str(end - first)
    assert answer.header("Content-Range") == f"bytes {first}-{end - 1}/2048"
    assert answer.header("Docker-Content-Digest") == digest


@BOTH
@pytest.mark.parametrize("name,data", [("empty", b""), ("emptyJSON", b"{}")])
@pytest.mark.parametrize("way", WAYS)
def test_well_known_blobs(client, place, algorithm, name, data, way):
    digest = digest_of(data, algorithm)
    check_pushed(client, WAYS[way](client, place, digest, data), place, digest, data)
    check_deleted(client, place, digest)


@BOTH
@pytest.mark.parametrize("name,way", [
    ("bad digest post only", post_only), ("bad digest post+put", post_and_put), ("bad digest chunked", chunked),
    ("bad digest chunked and put chunk", lambda *of: chunked(*of, put_chunk=True)), ("bad digest stream", stream)])
def test_bad_digest(client, place, algorithm, name, way):
    data = os.urandom(3000)
    digest = digest_of(data, algorithm)
    assert way(client, place, digest, data + b"oh no").expect(400).code == "DIGEST_INVALID"
    client.head(f"/v2/{place}/blobs/{digest}").expect(404)


# ---- beyond it

@pytest.mark.parametrize("form", ["{}-{}", "bytes {}-{}/*", "bytes {}-{}/400"])
def test_forms_of_a_range(client, place, form):
    """OCI has no unit, HTTP has one: clients send either."""
    location = client.patch(start(client, place), b"x" * 100, headers={**BYTES, "Content-Range": form.format(0, 99)}).expect(
        202).header("Location")
    answer = client.patch(location, b"y" * 100, headers={**BYTES, "Content-Range": form.format(100, 199)}).expect(202)
    assert answer.header("Range") == "0-199"


def test_ranges_that_do_not_fit(client, place):
    """data-plane.md 4: a PATCH with a wrong Content-Range is 416 and adds nothing."""
    location = client.patch(start(client, place), b"x" * 100, headers=BYTES).expect(202).header("Location")
    for given, body, status in (("0-99", b"y" * 100, 416), ("99-100", b"yy", 416), ("101-102", b"yy", 416), ("100-99", b"y", 416),
                                ("100-101", b"yyy", 400), ("100-103", b"yyy", 400), ("100", b"y", 400), ("-1", b"y", 400),
                                ("a-b", b"yyy", 400), ("100-102,103-104", b"yyy", 400), ("200-209", b"", 416)):
        refused = client.patch(location, body, headers={**BYTES, "Content-Range": given})
        assert refused.status == status, (given, refused)
        assert client.get(location).expect(204).header("Range") == "0-99", given
    for given, body in (("100-103", b"yyy"), ("100-101", b"yyy")):  # no length is told: seen as the bytes come
        assert client.patch(location, pieces(body), headers={**BYTES, "Content-Range": given}).expect(400).code == "SIZE_INVALID"
        assert client.get(location).expect(204).header("Range") == "0-99"
    digest = digest_of(b"x" * 100 + b"yy")
    client.put(with_digest(location, digest), b"yy", headers={**BYTES, "Content-Range": "0-1"}).expect(416)
    client.put(with_digest(location, digest), b"yy", headers={**BYTES, "Content-Range": "100-101"}).expect(201)


def test_a_refused_range_tells_where_to_go_on(client, place):
    location = client.patch(start(client, place), b"12345", headers=BYTES).expect(202).header("Location")
    refused = client.patch(location, b"xx", headers={**BYTES, "Content-Range": "9-10"}).expect(416)
    assert refused.header("Range") == "0-4" and refused.header("Docker-Upload-UUID") in location
    client.patch(refused.header("Location"), b"67", headers={**BYTES, "Content-Range": "5-6"}).expect(202)


def test_answers_of_a_session(client, place):
    """Location, Range and Docker-Upload-UUID on each; the same session under each Location it was given."""
    begun = client.post(f"/v2/{place}/blobs/uploads/").expect(202)
    uuid, first = begun.header("Docker-Upload-UUID"), begun.header("Location")
    assert first.startswith(f"/v2/{place}/blobs/uploads/{uuid}?_nouploadcache=false&_state=") and begun.header("Range") == "0-0"
    for answer, last in ((client.get(first).expect(204), 0), (client.patch(first, b"abc", headers=BYTES).expect(202), 2),
                         (client.patch(first, b"", headers=BYTES).expect(202), 2), (client.get(first).expect(204), 2),
                         (client.patch(first, pieces(b"de"), headers=BYTES).expect(202), 4), (client.head(first).expect(204), 4)):
        assert answer.header("Range") == f"0-{last}" and answer.header("Docker-Upload-UUID") == uuid
        assert answer.header("Location").startswith(f"/v2/{place}/blobs/uploads/{uuid}") and answer.body == b""
    client.put(with_digest(first, digest_of(b"abcde"))).expect(201)


def test_a_digest_may_be_escaped(client, place):
    """SDKs escape every colon (data-plane.md 2.1)."""
    data = os.urandom(100)
    digest = digest_of(data)
    escaped = digest.replace(":", "%3A")
    client.put(with_digest(start(client, place), escaped), data, headers=BYTES).expect(201)
    assert client.get(f"/v2/{place}/blobs/{escaped}").expect(200).body == data
    assert client.get(f"/v2/{place.replace('/', '%2F')}/blobs/{escaped}").expect(200).body == data
    client.post(f"/v2/{place}/b/blobs/uploads/?mount={escaped}&from={place.replace('/', '%2F')}").expect(201)


@pytest.mark.parametrize("digest", [
    "sha256:", "sha256:short", "sha256:" + "A" * 64, "sha256:" + "0" * 63, "sha256:" + "0" * 65, "sha512:" + "0" * 64, "sha384:" + "0" * 96,
    "md5:" + "0" * 32, "SHA256:" + "0" * 64, "sha256:" + "g" * 64, "0" * 64, "sha256:sha256:" + "0" * 57])
def test_malformed_digests(client, place, digest):
    """Wherever a digest stands it is 400 DIGEST_INVALID, and never a 500 (data-plane.md 4)."""
    location = start(client, place)
    for method, path in (("GET", f"/v2/{place}/blobs/{digest}"), ("DELETE", f"/v2/{place}/blobs/{digest}"),
                         ("POST", f"/v2/{place}/blobs/uploads/?digest={digest}"), ("POST", f"/v2/{place}/blobs/uploads/?mount={digest}"),
                         ("PUT", with_digest(location, digest))):
        assert client.request(method, path).expect(400).code == "DIGEST_INVALID", (method, path)
    client.head(f"/v2/{place}/blobs/{digest}").expect(400)
    assert client.put(location).expect(400).code == "DIGEST_INVALID"
    client.delete(location).expect(204)


def test_a_post_that_mounts_and_brings_the_digest_too(client, place):
    """There is a body to be had only where nothing is mounted."""
    data = os.urandom(400)
    digest = digest_of(data)
    post_only(client, f"{place}/from", digest, data).expect(201)
    mounted = client.post(f"/v2/{place}/blobs/uploads/?mount={digest}&from={place}/from&digest={digest}")
    check_pushed(client, mounted, place, digest, data)
    absent = digest_of(b"absent")
    client.post(f"/v2/{place}/blobs/uploads/?mount={absent}&from={place}/from&digest={absent}").expect(202)
    client.post(f"/v2/{place}/blobs/uploads/?mount={absent}&from={place}/from&digest={absent}", b"absent", headers=BYTES).expect(201)


def test_the_last_slash_may_be_missing(client, place):
    digest = digest_of(b"no slash")
    location = client.post(f"/v2/{place}/blobs/uploads").expect(202).header("Location")
    client.put(with_digest(location, digest), b"no slash", headers=BYTES).expect(201)
    client.post(f"/v2/{place}/blobs/uploads?digest={digest}", b"no slash", headers=BYTES).expect(201)


def test_an_algorithm_named_at_the_start(client, place):
    """What follows 1.1 lets a client say which digest will come; any may come all the same."""
    data = os.urandom(2000)
    for named in ("sha512", "sha256", "md5"):
        location = client.post(f"/v2/{place}/blobs/uploads/?digest-algorithm={named}").expect(202).header("Location")
        location = client.patch(location, data, headers=BYTES).expect(202).header("Location")
        digest = digest_of(data, "sha512")
        check_pushed(client, client.put(with_digest(location, digest)), place, digest, data)


def test_a_session_belongs_to_its_repository(client, place):
    location = client.patch(start(client, place), b"mine", headers=BYTES).expect(202).header("Location")
    other = location.replace(f"/v2/{place}/", f"/v2/{place}/other/")
    for method, path in (("GET", other), ("PATCH", other), ("PUT", with_digest(other, digest_of(b"mine"))), ("DELETE", other)):
        assert client.request(method, path, b"x" if method == "PATCH" else None).expect(404).code == "BLOB_UPLOAD_UNKNOWN"
    client.put(with_digest(location, digest_of(b"mine"))).expect(201)


@contextlib.contextmanager
def cut(client, method, location, data, chunked_body=False):
    """Sends the head and only that much of the body; hangs up when its block is left."""
    length = "Transfer-Encoding: chunked" if chunked_body else f"Content-Length: {len(data) * 2}"
    head = (f"{method} {location} HTTP/1.1\r\nHost: {client.host}\r\nAuthorization: {client.headers['Authorization']}\r\n"
            f"Content-Type: application/octet-stream\r\n{length}\r\n\r\n").encode()
    body = b"%x\r\n%s\r\n" % (len(data), data) if chunked_body else data
    with socket.create_connection(("127.0.0.1", client.port)) as plain:
        tls = context(client.ca).wrap_socket(plain, server_hostname=client.host)
        tls.sendall(head + body)
        yield
        tls.close()


def once_it_is_free(site, send):
    """What `send` gives; 409 while the request that was cut still holds the session."""
    answers = []

    def is_free():
        answers.append(send())
        return answers[-1].status != 409
    site.wait_until(is_free)
    return answers[-1]


# decisions 29
@pytest.mark.parametrize("chunked_body", [False, True], ids=["with a length", "in chunks"])
def test_resumption_after_a_lost_connection(site, client, place, chunked_body):
    """Twice in one upload: a client asks where the session is and goes on there."""
    data = os.urandom(150000)
    location, offset = start(client, place), 0
    for until in (40000, 90000):
        with cut(client, "PATCH", location, data[offset:until], chunked_body):
            site.wait_until(lambda: client.get(location).expect(204).header("Range") == f"0-{until - 1}")
        location, offset = client.get(location).header("Location"), until
    location = once_it_is_free(site, lambda: client.patch(location, data[offset:], headers={
        **BYTES, "Content-Range": f"{offset}-{len(data) - 1}"})).expect(202).header("Location")
    client.put(with_digest(location, digest_of(data))).expect(201)
    assert client.get(f"/v2/{place}/blobs/{digest_of(data)}").expect(200).body == data


# decisions 29
def test_a_put_is_sent_again_whole_after_a_patch(site, client, place):
    """What a PUT that was cut brought is no part of the session, what the PATCH before it brought is."""
    first, last = os.urandom(30000), os.urandom(50000)
    digest = digest_of(first + last)
    begun = client.patch(start(client, place), first, headers=BYTES).expect(202)
    location, uuid = begun.header("Location"), begun.header("Docker-Upload-UUID")
    with cut(client, "PUT", with_digest(location, digest), last[:25000]):
        site.wait_until(lambda: site.sql(f"select put_from from acr.upload where id = '{uuid}'") == ["30000"])
        assert client.get(location).expect(204).header("Range") == "0-29999"
    once_it_is_free(site, lambda: client.put(with_digest(location, digest), last, headers={
        **BYTES, "Content-Range": f"30000-{30000 + len(last) - 1}"})).expect(201)
    assert client.get(f"/v2/{place}/blobs/{digest}").expect(200).body == first + last


def test_two_requests_on_one_session(shared_registry, client, place):
    """The second waits for the first, or is told so: bytes never mix."""
    location = start(client, place)
    halves = [b"a" * 60000, b"b" * 60000]
    ready = threading.Barrier(2)

    def send(half):
        mine = shared_registry.client()
        mine.get("/v2/").expect(200)
        ready.wait(30)
        return mine.patch(location, half, headers=BYTES).expect(202, 409).status
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(send, halves))
    assert 202 in statuses
    size = 60000 * statuses.count(202)
    assert client.get(location).expect(204).header("Range") == f"0-{size - 1}"
    possible = [halves[0], halves[1], halves[0] + halves[1], halves[1] + halves[0]]
    assert 201 in [client.put(with_digest(location, digest_of(data))).expect(201, 400, 404).status for data in possible]


def test_pushing_what_is_there(client, place):
    """Every way of pushing a blob again gives 201, and it stays one blob."""
    data = os.urandom(2500)
    digest = digest_of(data)
    for _ in range(2):
        for way in WAYS.values():
            check_pushed(client, way(client, place, digest, data), place, digest, data)
    check_deleted(client, place, digest)


def test_conditional_get_of_a_blob(client, place):
    data = os.urandom(600)
    digest = digest_of(data)
    post_only(client, place, digest, data).expect(201)
    path, tag = f"/v2/{place}/blobs/{digest}", f'"{digest}"'
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for method in ("GET", "HEAD"):
            answer = client.request(method, path, headers={"If-None-Match": known}).expect(304)
            assert answer.header("ETag") == tag and answer.body == b""
    # A tag that only has the digest in it is another one.
    for unknown in ('"other"', f'"x{digest}"', digest, f'"{digest} "'):
        assert client.get(path, headers={"If-None-Match": unknown}).expect(200).body == data, unknown
    client.get(path, headers={"If-Match": '"other"'}).expect(412)
    assert client.get(path, headers={"Range": "bytes=0-9,20-29"}).expect(200).body == data  # one range, or the whole
    assert client.get(path, headers={"Range": "pages=1-2"}).expect(200).body == data


def test_methods_that_there_are_not(client, place):
    digest = digest_of(b"")
    for method, path, allow in (("PUT", f"/v2/{place}/blobs/{digest}", {"DELETE", "GET", "HEAD"}),
                                ("GET", f"/v2/{place}/blobs/uploads/", {"POST"}),
                                ("POST", start(client, place), {"DELETE", "GET", "HEAD", "PATCH", "PUT"})):
        answer = client.request(method, path).expect(405)
        assert answer.code == "UNSUPPORTED" and set(answer.header("Allow").split(",")) == allow, path


def test_a_closing_put_is_repeated(client, place):
    """Its answer was lost: the same PUT gives 201 once more, with its bytes and without (S29); it was 404 with them."""
    data = os.urandom(5000)
    digest = digest_of(data)
    whole = start(client, place)
    location = client.patch(start(client, place), data[:2000], headers=BYTES).expect(202).header("Location")
    rest = {**BYTES, "Content-Range": "2000-4999"}
    for _ in range(2):
        check_pushed(client, client.put(with_digest(whole, digest), data, headers=BYTES), place, digest, data)
    closed = client.patch(start(client, f"{place}/b"), data, headers=BYTES).expect(202).header("Location")
    for _ in range(2):
        check_pushed(client, client.put(with_digest(closed, digest), headers=BYTES), f"{place}/b", digest, data)
    for _ in range(2):  # its file gives way to the one that holds the blob already
        client.put(with_digest(location, digest), data[2000:], headers=rest).expect(201)
    other = digest_of(b"other")
    assert client.put(with_digest(whole, other), b"other", headers=BYTES).expect(404).code == "BLOB_UPLOAD_UNKNOWN"
    check_deleted(client, place, digest)
    assert client.put(with_digest(whole, digest), data, headers=BYTES).expect(404).code == "BLOB_UPLOAD_UNKNOWN"
