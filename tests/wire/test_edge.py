"""The edge: TLS, names, protocols, bodies, the headers that only it may set, and blob files that cannot be sent."""
import gzip
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import threading
import time

import pytest

from harness.site import PROGRAM, digest_of
from harness.wire import Client, context


def tls(site, server_name, least, most):
    """The version that a handshake agrees on; raises when the edge refuses."""
    made = context(site.ca)
    made.set_ciphers("ALL:@SECLEVEL=0")
    made.minimum_version, made.maximum_version = least, most
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as plain:
        with made.wrap_socket(plain, server_hostname=server_name) as connection:
            return connection.version()


# S13
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_versions(site):
    name, version = site.host("management"), ssl.TLSVersion
    assert tls(site, name, version.TLSv1_2, version.TLSv1_2) == "TLSv1.2"
    assert tls(site, name, version.TLSv1_3, version.TLSv1_3) == "TLSv1.3"
    for old in (version.TLSv1, version.TLSv1_1):
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            tls(site, name, old, old)


# decisions 43
@pytest.mark.parametrize("name", ["example.com", "azsacr.local.azurestack.external", "local.azurestack.external", None])
def test_an_unknown_name_gets_no_handshake(site, name):
    made = context(site.ca)
    made.check_hostname = False
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as plain:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            made.wrap_socket(plain, server_hostname=name)


def raw(site, server_name, request):
    """Sends bytes after a handshake for that name; all that comes back."""
    return Client(server_name, site.port, site.ca).raw(request.encode("latin-1"))


def head_and_body(received):
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), head.decode("latin-1"), body


def test_the_host_wins_over_the_name_of_the_handshake(site, registry):
    get = "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n"
    management = site.host("management")
    status, head, _ = head_and_body(raw(site, management, get.format("/v2/", registry.host)))
    assert status == 401 and f'service="{registry.server}"' in head
    status, _, body = head_and_body(raw(site, registry.host, get.format("/metadata/endpoints?api-version=2015-01-01", management)))
    assert status == 200 and "authentication" in json.loads(body)
    for foreign in ("example.com", "azsacr.local.azurestack.external", "a.b.azsacr.local.azurestack.external"):
        status, _, body = head_and_body(raw(site, management, get.format("/", foreign)))
        assert status == 421 and re.match(rb'\{"errors?":', body), (foreign, status, body)
    # The absolute form wins over Host.
    status, head, _ = head_and_body(raw(site, management, get.format(f"https://{registry.host}/v2/", "example.com")))
    assert status == 401 and f'service="{registry.server}"' in head


@pytest.mark.parametrize("form", ["{upper}", "{host}.", "{upper}.", "{host}:443", "{upper}.:443"])
def test_a_registry_is_reached_under_every_spelling_of_its_host(site, registry, form):
    spelt = form.format(upper=registry.host.upper(), host=registry.host)
    status, head, _ = head_and_body(raw(site, registry.host, f"GET /v2/ HTTP/1.1\r\nHost: {spelt}\r\nConnection: close\r\n\r\n"))
    assert status == 401
    assert f'realm="https://{registry.server}/oauth2/token",service="{registry.server}"' in head


def test_a_request_without_tls_is_refused_in_the_hosts_form(site, registry):
    for host, key in ((site.host("management"), "error"), (registry.host, "errors")):
        with socket.create_connection(("127.0.0.1", site.port), timeout=10) as plain:
            plain.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            received = b""
            while chunk := plain.recv(65536):
                received += chunk
        status, _, body = head_and_body(received)
        assert status == 400 and key in json.loads(body)


def test_what_the_edge_refuses_carries_the_headers_of_its_host(site, registry):
    big = {"Content-Length": str(5 * 1024 * 1024)}
    arm = site.arm_client().put("/subscriptions", None, headers=big).expect(413)
    ours = registry.client(anonymous=True).put("/v2/a/manifests/x", None, headers=big).expect(400)
    assert ours.code == "MANIFEST_INVALID"  # data-plane.md 2.3
    assert registry.client(anonymous=True).post("/oauth2/token", None, headers=big).expect(413).code == "SIZE_INVALID"
    for answer, names in ((arm, ("x-ms-request-id", "x-ms-correlation-request-id")), (ours, ("X-Ms-Correlation-Request-Id",))):
        assert answer.header("Content-Type") == "application/json; charset=utf-8"
        assert answer.header("X-Content-Type-Options") == "nosniff" and answer.header("Strict-Transport-Security")
        for name in names:
            assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.header(name)), answer.headers
    assert arm.header("x-ms-failure-cause") == "gateway" and ours.header("Docker-Distribution-Api-Version") == "registry/2.0"


def test_no_room_for_a_body_is_a_503(fresh_site):
    """A body of more than a few KiB becomes a file of the edge's: on a full disk that was 500, which no client tries again."""
    site, operator = fresh_site, fresh_site.operator()
    url = f"/subscriptions/{site.subscription}/resourcegroups/room?api-version=2019-10-01"
    body = {"location": site.region, "tags": {f"t{i}": "v" * 250 for i in range(50)}, "padding": "x" * 100_000}
    operator.put(url, body).expect(201)
    registry = site.create_registry(operator, "room")
    bodies = site.state / "run" / "edge-body"
    for file in [bodies, *bodies.rglob("*")]:
        file.chmod(0)
    refused = operator.put(url, body).expect(503)
    assert refused.code == "ServiceUnavailable" and refused.header("Retry-After") == "1" and refused.header("x-ms-request-id")
    refused = registry.client().put("/v2/a/manifests/b", b"x" * 100_000, headers={
        "Content-Type": "application/vnd.oci.image.manifest.v1+json"}).expect(503)
    assert refused.code == "UNAVAILABLE"
    signing = site.adfs().post("/adfs/oauth2/token", form={"a": "x" * 100_000}).expect(503)
    assert signing.json["error"] == "temporarily_unavailable" and signing.header("Retry-After") is None  # decisions 6
    operator.patch(url, {"tags": {}}).expect(200)


def test_no_answer_names_a_version_of_the_server(site, registry):
    answers = [site.arm_client().get("/metadata/endpoints?api-version=2015-01-01"), site.adfs().get("/nothing"),
               registry.client(anonymous=True).get("/v2/"), registry.client().get("/v2/a/blobs/" + digest_of(b"none"))]
    for answer in answers:
        assert not re.search(r"[0-9]", answer.header("Server") or ""), answer.headers
        assert answer.header("X-Powered-By") is None and answer.header("Via") is None


# ---- protocols and bodies


def curl(site, *arguments, data=None):
    """curl's status, negotiated version and body."""
    done = subprocess.run(["curl", "-sS", "--cacert", str(site.ca), "-w", "\n%{http_code} %{http_version}", *arguments],
                          capture_output=True, input=data, timeout=60)
    assert done.returncode == 0, done.stderr
    body, _, last = done.stdout.rpartition(b"\n")
    status, version = last.split()
    return int(status), version.decode(), body


def test_http2(site, operator, registry, tmp_path):
    bearer = f"Authorization: {operator.headers['Authorization']}"
    url = f"https://{site.host('management')}/subscriptions?api-version=2019-11-01"
    assert curl(site, "--http2", "-H", bearer, url)[:2] == (200, "2")
    base, login = f"https://{registry.host}", f"{registry.username}:{registry.password}"
    layer = os.urandom(3 * 1024 * 1024 + 17)
    (tmp_path / "layer").write_bytes(layer)
    status, version, _ = curl(site, "--http2", "-u", login, "-D", str(tmp_path / "head"), "-X", "POST",
                              f"{base}/v2/h2/app/blobs/uploads/", "-d", "")
    assert (status, version) == (202, "2")
    for method, query in (("PATCH", ""), ("PUT", f"&digest={digest_of(layer)}")):
        location = re.search(r"(?im)^location: (\S+)", (tmp_path / "head").read_text())[1]
        sent = ["--data-binary", f"@{tmp_path / 'layer'}"] if method == "PATCH" else ["-d", ""]
        status, version, body = curl(site, "--http2", "-u", login, "-D", str(tmp_path / "head"), "-X", method, *sent,
                                     "-H", "Content-Type: application/octet-stream", f"{base}{location}{query}")
        assert (status, version) == (202 if method == "PATCH" else 201, "2"), body
    assert curl(site, "--http2", "-u", login, f"{base}/v2/h2/app/blobs/{digest_of(layer)}") == (200, "2", layer)
    assert curl(site, "--http2", "-u", login, "-r", "5-9", f"{base}/v2/h2/app/blobs/{digest_of(layer)}") == (206, "2", layer[5:10])


def test_gzip_for_resource_manager_only(site, operator, registry):
    plain = operator.get(f"/subscriptions/{site.subscription}/providers?api-version=2019-10-01").expect(200)
    assert plain.header("Content-Encoding") is None and len(plain.body) > 1024
    packed = operator.get(f"/subscriptions/{site.subscription}/providers?api-version=2019-10-01",
                          headers={"Accept-Encoding": "gzip"}).expect(200)
    assert packed.header("Content-Encoding") == "gzip" and gzip.decompress(packed.body) == plain.body
    assert packed.header("x-ms-request-id") and "Accept-Encoding" in packed.header("Vary")
    client = registry.client()
    layer = b"a" * 100000
    digest = registry.push_blob(client, "gz/app", layer)
    for path in (f"/v2/gz/app/blobs/{digest}", "/v2/_catalog"):
        answer = client.get(path, headers={"Accept-Encoding": "gzip"}).expect(200)
        assert answer.header("Content-Encoding") is None and answer.header("Content-Length") == str(len(answer.body))


def test_an_upload_may_ask_before_it_sends(site, registry):
    client, body = registry.client(), os.urandom(200000)
    location = client.post("/v2/ask/app/blobs/uploads/").expect(202).header("Location")
    head = (f"PATCH {location} HTTP/1.1\r\nHost: {registry.host}\r\nAuthorization: {client.headers['Authorization']}\r\n"
            f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as plain:
        with context(site.ca).wrap_socket(plain, server_hostname=registry.host) as connection:
            connection.sendall(head.encode())
            assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(body)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
    status, answered, _ = head_and_body(received)
    assert status == 202
    assert f"range: 0-{len(body) - 1}" in answered.lower()


def test_ranges_of_a_blob(site, registry):
    client, data = registry.client(), os.urandom(1000)
    path = f"/v2/range/app/blobs/{registry.push_blob(client, 'range/app', data)}"
    whole = client.get(path).expect(200)
    assert whole.body == data and whole.header("ETag") == f'"{digest_of(data)}"'
    assert whole.header("Last-Modified") is None and whole.header("Accept-Ranges") == "bytes"
    assert whole.header("Content-Type") == "application/octet-stream"
    part = client.get(path, headers={"Range": "bytes=10-19", "If-Range": whole.header("ETag")}).expect(206)
    assert part.body == data[10:20] and part.header("Content-Range") == "bytes 10-19/1000"
    assert client.get(path, headers={"Range": "bytes=10-19", "If-Range": '"other"'}).expect(200).body == data
    assert client.get(path, headers={"Range": "bytes=990-"}).expect(206).body == data[990:]
    assert client.get(path, headers={"Range": "bytes=-5"}).expect(206).body == data[-5:]
    refused = client.get(path, headers={"Range": "bytes=1000-"}).expect(416)
    assert refused.code == "RANGE_INVALID" and refused.header("Content-Range") == "bytes */1000"
    client.get(path, headers={"If-None-Match": whole.header("ETag")}).expect(304)
    assert client.get(path, headers={"If-Match": '"other"'}).expect(412).json["errors"]
    for answer in (whole, part, refused):
        assert answer.header("Docker-Distribution-Api-Version") == "registry/2.0"
        assert answer.header("X-Content-Type-Options") == "nosniff"


def test_the_access_log_holds_no_query(site, registry):
    client = registry.client()
    location = client.post("/v2/logged/app/blobs/uploads/").expect(202).header("Location")
    state = re.search(r"_state=([^&]+)", location)[1]
    client.patch(location, b"x").expect(202)
    time.sleep(1.3)
    log = (site.state / "log" / "edge.log").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert any(line["method"] == "PATCH" and line["path"] == location.partition("?")[0] for line in lines)
    assert state not in log and registry.password not in log


def test_a_renamed_access_log_is_followed_by_a_new_one(fresh_site):
    """The edge's workers open the new file themselves, as the user they are."""
    operator = fresh_site.operator()
    operator.put(f"/subscriptions/{fresh_site.subscription}/resourcegroups/logs?api-version=2019-10-01",
                 {"location": fresh_site.region}).expect(201)
    registry = fresh_site.create_registry(operator, "logs")
    log = fresh_site.state / "log" / "edge.log"
    log.rename(log.with_suffix(".1"))
    os.kill(int((fresh_site.state / "run" / "edge.pid").read_text()), signal.SIGUSR1)
    fresh_site.wait_until(lambda: registry.client().get("/v2/after/rotation/tags/list") and log.exists()
                          and "/v2/after/rotation/tags/list" in log.read_text(), 20)


# ---- the headers that only the edge may set


class Upstream(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Stands where azsacrd would: keeps each head, and answers by a function of it."""
    daemon_threads = True

    def __init__(self, path, answer):
        self.seen, self.answer = [], answer
        super().__init__(str(path), Handler)
        os.chmod(path, 0o666)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, self.headers.items()))
        self.send_response_only(200)
        for name, value in self.server.answer(self):
            self.send_header(name, value)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any

    def address_string(self):
        return "edge"

    def log_message(self, *_):
        pass


class Edge:
    """nginx with the rendered configuration, before upstreams of ours."""

    def __init__(self, site, directory, port):
        self.site, self.port, self.state = site, port, directory / "state"
        for parent in (directory, *directory.parents):
            if str(parent).startswith("/tmp/"):
                parent.chmod(parent.stat().st_mode | 0o011)
        run = self.state / "run"
        for made in (run, self.state / "log", self.state / "store" / "aa" / "bb"):
            made.mkdir(parents=True)
        shutil.copytree(pathlib.Path(site.state) / "tls", self.state / "tls")
        self.redirects = []
        self.loops = [Upstream(run / f"http-{i}.sock", self.answer) for i in range(2)]
        self.receiver = Upstream(run / "receiver.sock", self.answer)
        text = subprocess.run([PROGRAM, "edge-config", "--state", str(self.state), "--port", str(port)], capture_output=True,
                              check=True, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}, timeout=30).stdout
        (run / "edge.conf").write_bytes(text)
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-e", "stderr", "-p", str(run), "-c", str(run / "edge.conf")])
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("nginx does not listen")

    def answer(self, request):
        if self.redirects and "/blobs/sha256" in request.path:
            return [("X-Accel-Redirect", self.redirects.pop(0)), ("Docker-Content-Digest", "sha256:x")]
        return []

    def take(self):
        """What came, of all upstreams: (receiver?, method, path, headers)."""
        found = [(server is self.receiver, *one) for server in (*self.loops, self.receiver) for one in server.seen]
        for server in (*self.loops, self.receiver):
            server.seen.clear()
        return found

    def client(self, host):
        return Client(host, self.port, self.site.ca, address="127.0.0.1")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        for server in (*self.loops, self.receiver):
            server.shutdown()
            server.server_close()


@pytest.fixture(scope="module")
def edge(site, tmp_path_factory):
    started = Edge(site, tmp_path_factory.mktemp("edge"), 9543)
    yield started
    started.stop()


SMUGGLED = {"X-Azsacr-Host": "adfs.local.azurestack.external", "x-azsacr-client": "203.0.113.9", "X-AZSACR-PORT": "666",
            "X-Azsacr-Lost": "/_store/aa/bb/stolen", "X-Azsacr-Other": "x", "Connection": "X-Azsacr-Host, keep-alive",
            "X_Azsacr_Host": "underscores.example"}
REGISTRY = "reg12345.azsacr"


@pytest.mark.parametrize("label, method, path, receiver", [
    ("management", "GET", "/subscriptions", False), ("adminmanagement", "PUT", "/x", False), ("adfs", "POST", "/adfs/oauth2/token", False),
    ("graph", "GET", "/v1.0/users", False), ("portal", "GET", "/", False), (REGISTRY, "GET", "/v2/", False),
    (REGISTRY, "POST", "/v2/a/blobs/uploads/", False), (REGISTRY, "POST", "/v2/a/blobs/uploads/?digest=sha256:x", True),
    (REGISTRY, "PATCH", "/v2/a/blobs/uploads/x?_state=y", True), (REGISTRY, "PUT", "/v2/a/blobs/uploads/x?digest=z", True),
    (REGISTRY, "GET", "/_store/aa/bb/stolen", False), (REGISTRY, "GET", "/_edge/registry/404", None),
    (REGISTRY, "GET", "/v2/a/%2e%2e/%2e%2e/_store/aa/bb/stolen", False),
])
def test_a_client_cannot_set_what_the_edge_says(edge, label, method, path, receiver):
    host = edge.site.host(label)
    edge.take()
    edge.client(host).request(method, path, b"body" if method != "GET" else None, headers=SMUGGLED)
    came = edge.take()
    if receiver is None:
        assert came == []
        return
    assert [(r, m, p) for r, m, p, _ in came] == [(receiver, method, path)]
    headers = [(name.lower(), value) for name, value in came[0][3]]
    ours = sorted(pair for pair in headers if "azsacr" in pair[0] and pair[0] != "x-azsacr-other")
    expected = [("x-azsacr-client", "127.0.0.1"), ("x-azsacr-host", host), ("x-azsacr-port", f":{edge.port}")]
    if "_store" in path:  # a file that is not there, and the client's own word for it
        expected.insert(2, ("x-azsacr-lost", "/_store/aa/bb/stolen"))
    assert ours == expected
    assert [value for name, value in headers if name == "host"] == [host]
    assert not [value for name, value in headers if name == "connection" and value != "close"]


# A docker push that `serve` was killed under was told 413 in HTML, and gave up: the page of the 502 had a limit for bodies.
@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_that_nobody_takes_is_a_502(site, tmp_path_factory, chunked):
    edge = Edge(site, tmp_path_factory.mktemp("nobody"), 9544)
    try:
        (edge.state / "run" / "receiver.sock").unlink()
        body = bytes(6 << 20)
        pieces = (body[i:i + 65536] for i in range(0, len(body), 65536))
        answer = edge.client(edge.site.host(REGISTRY)).request("PATCH", "/v2/a/blobs/uploads/x?_state=y", pieces if chunked else body)
    finally:
        edge.stop()
    assert answer.status == 502 and answer.json["errors"][0]["code"] == "UNAVAILABLE", answer


def test_a_lost_file_is_asked_for_once_more(edge):
    client, path = edge.client(edge.site.host(REGISTRY)), "/v2/a/blobs/sha256:x%3a?ns=1"
    good, lost = "/_store/aa/bb/11111111-1111-1111-1111-111111111111", "/_store/aa/bb/22222222-2222-2222-2222-222222222222"
    file = edge.state / "store" / good.removeprefix("/_store/")
    file.write_bytes(b"the blob")
    file.chmod(0o644)
    edge.take()
    edge.redirects[:] = [lost, good]
    answer = client.get(path, headers={"Range": "bytes=4-", **SMUGGLED}).expect(206)
    assert answer.body == b"blob" and answer.header("Docker-Content-Digest") == "sha256:x"
    came = sorted(edge.take(), key=lambda one: "X-Azsacr-Lost" in dict(one[3]))
    assert [p for _, _, p, _ in came] == [path, path]
    assert [dict(h).get("X-Azsacr-Lost") for *_, h in came] == [None, lost]
    # Twice in a row, and one that may not be read.
    file.chmod(0)
    edge.redirects[:] = [lost, lost, good]
    assert client.get(path).expect(200).body == b"ok"
    assert sorted(dict(h).get("X-Azsacr-Lost") or "" for *_, h in edge.take()) == ["", good, lost, lost]


# ---- blob files under a running site


def file_of(site, data):
    found = [path for path in (site.state / "store").rglob("*") if path.is_file() and path.read_bytes() == data]
    assert len(found) == 1, found
    return found[0]


def ask_service(site, registry, path, lost):
    """As the edge asks, over its socket."""
    with socket.socket(socket.AF_UNIX) as plain:
        plain.connect(str(site.state / "run" / "http-0.sock"))
        plain.sendall((f"GET {path} HTTP/1.1\r\nHost: {registry.host}\r\nX-Azsacr-Host: {registry.host}\r\nX-Azsacr-Port: \r\n"
                       f"X-Azsacr-Client: 127.0.0.1\r\nX-Azsacr-Lost: {lost}\r\nConnection: close\r\n"
                       f"Authorization: {registry.client().headers['Authorization']}\r\n\r\n").encode())
        received = b""
        while chunk := plain.recv(65536):
            received += chunk
    return head_and_body(received)


@pytest.mark.parametrize("damage", ["missing", "unreadable"])
def test_a_blob_without_its_file_is_an_alarm(site, registry, damage):
    client, data = registry.client(), os.urandom(5000)
    digest = registry.push_blob(client, "lost/app", data)
    path, file = f"/v2/lost/app/blobs/{digest}", file_of(site, data)
    client.get(path).expect(200)
    if damage == "missing":
        file.rename(file.with_suffix(".away"))
    else:
        file.chmod(0)
    refused = client.get(path).expect(500)
    assert refused.code == "UNKNOWN" and refused.header("X-Accel-Redirect") is None
    assert refused.header("X-Ms-Correlation-Request-Id") in refused.message
    assert str(site.state) not in refused.body.decode()
    alarms = [line for line in site.log().splitlines() if '"store.blob_lost"' in line and digest in line]
    id_ = refused.header("X-Ms-Correlation-Request-Id")
    assert len(alarms) == 1 and file.name in alarms[0] and json.loads(alarms[0])["correlation"] == id_
    failed = [json.loads(line) for line in site.log().splitlines() if '"request.failed"' in line and id_ in line]
    assert [(line["method"], line["path"]) for line in failed] == [("GET", path)]
    if damage == "missing":
        file.with_suffix(".away").rename(file)
    else:
        file.chmod(0o640)
    assert client.get(path).expect(200).body == data


def test_a_push_heals_a_blob_without_its_file(site, registry):
    client, data = registry.client(), os.urandom(5000)
    digest = registry.push_blob(client, "heal/app", data)
    file_of(site, data).unlink()
    client.get(f"/v2/heal/app/blobs/{digest}").expect(500)
    assert registry.push_blob(client, "heal/app", data) == digest
    assert client.get(f"/v2/heal/app/blobs/{digest}").expect(200).body == data


def test_the_service_points_at_the_file_that_holds_the_blob_now(site, registry):
    client, data = registry.client(), os.urandom(5000)
    digest = registry.push_blob(client, "now/app", data)
    file = file_of(site, data)
    address = f"/_store/{file.relative_to(site.state / 'store')}"
    other = "/_store/aa/bb/aabb0000-0000-4000-8000-000000000000"
    status, head, _ = ask_service(site, registry, f"/v2/now/app/blobs/{digest}", other)
    assert status == 200 and f"x-accel-redirect: {address}" in head.lower()
    status, _, body = ask_service(site, registry, f"/v2/now/app/blobs/{digest}", address)
    assert status == 500 and json.loads(body)["errors"][0]["code"] == "UNKNOWN"
    status, _, body = ask_service(site, registry, f"/v2/now/app/blobs/{digest_of(b'gone')}", other)
    assert status == 404 and json.loads(body)["errors"][0]["code"] == "BLOB_UNKNOWN"


def test_a_client_cannot_name_a_lost_file(site, registry):
    client, data = registry.client(), os.urandom(5000)
    digest = registry.push_blob(client, "mine/app", data)
    address = f"/_store/{file_of(site, data).relative_to(site.state / 'store')}"
    assert client.get(f"/v2/mine/app/blobs/{digest}", headers={"X-Azsacr-Lost": address}).expect(200).body == data
    for path in (address, "/_store/", "/_edge/registry/500", "/v2/a/../.." + address, "/%5fstore/x"):
        answer = client.get(path)
        assert 400 <= answer.status < 500 and answer.json["errors"], (path, answer)


def test_health(site):
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    assert subprocess.run([PROGRAM, "health", "--state", str(site.state)], env=environment, timeout=20).returncode == 0
    done = subprocess.run([PROGRAM, "health", "--state", str(site.state / "nowhere")], env=environment, timeout=20,
                          capture_output=True, text=True)
    assert done.returncode == 1 and "http-0.sock" in done.stderr
