"""What a client really sends: a proxy that answers CONNECT with the site's own certificate, passes every request on, and
keeps it. A client is pointed at it by HTTPS_PROXY, so nothing of its configuration or of the site changes."""
import http.client
import http.server
import json
import pathlib
import socket
import socketserver
import ssl
import threading
import urllib.parse

from .wire import context

_NOT_PASSED_ON = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "host"}


class Exchange:
    """One request and the status of its answer. Header names are lower case."""

    def __init__(self, host, method, target, headers, body):
        parts = urllib.parse.urlsplit(target)
        self.host, self.method, self.path = host, method, parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.headers = {name.lower(): value for name, value in headers}
        self.body, self.status, self.answer = body, None, None

    @property
    def api_version(self):
        return self.query.get("api-version")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def resource_type(self):
        """"Microsoft.ContainerRegistry/registries" of a path that names such a one, its list or an action on it; the
        last word of the path where no provider is named."""
        words = [word for word in self.path.split("/") if word]
        marks = [i for i in range(0, len(words), 2) if words[i].lower() == "providers"]
        if not marks:
            return words[-1 if len(words) % 2 else -2] if words else ""
        return "/".join([words[marks[-1] + 1], *words[marks[-1] + 2::2]]) if len(words) > marks[-1] + 1 else words[-1]

    def __repr__(self):
        return f"<{self.method} {self.path} {self.query} → {self.status}>"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        host, port = self.path.rsplit(":", 1)
        self.send_response(200)
        self.end_headers()
        try:
            with self.server.recorder.tls.wrap_socket(self.connection, server_side=True) as tls:
                _Passing(tls, self.client_address, self.server, host, int(port))
        except (ssl.SSLError, ConnectionError, TimeoutError):
            pass
        self.close_connection = True


class _Passing(http.server.BaseHTTPRequestHandler):
    """The requests inside a tunnel."""
    protocol_version = "HTTP/1.1"

    def __init__(self, connection, address, server, host, port):
        self.host, self.port, self.upstream = host, port, None
        super().__init__(connection, address, server)

    def log_message(self, *_):
        pass

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def pass_on(self):
        recorder, body = self.server.recorder, self.read_body()
        exchange = Exchange(self.host, self.command, self.path, self.headers.items(), body)
        recorder.exchanges.append(exchange)
        upstream = http.client.HTTPSConnection(self.host, self.port, timeout=60, context=context(recorder.site.ca))
        try:
            upstream.putrequest(self.command, self.path, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _NOT_PASSED_ON - {"host"} and name.lower() != "host":
                    upstream.putheader(name, value)
            if body or self.command in ("POST", "PUT", "PATCH"):
                upstream.putheader("Content-Length", str(len(body)))
            upstream.endheaders(body or None)
            response = upstream.getresponse()
            data = response.read()
        finally:
            upstream.close()
        exchange.status, exchange.answer = response.status, data
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in _NOT_PASSED_ON or (name.lower() == "content-length" and self.command == "HEAD"):
                self.send_header(name, value)
        if response.status != 204 and self.command != "HEAD":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_OPTIONS = pass_on


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True

    def handle_error(self, request, client_address):
        pass  # a client that went away


class Recorder:
    """`with Recorder(site) as recorder: az.run(…, **recorder.environment)`; then recorder.exchanges."""

    def __init__(self, site):
        self.site, self.exchanges = site, []
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = edge_certificate(site)
        self.tls.load_cert_chain(certificate, key)

    def __enter__(self):
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.recorder = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.environment = {"HTTPS_PROXY": url, "https_proxy": url, "NO_PROXY": "", "no_proxy": ""}
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def take(self):
        """What came since the last time."""
        taken, self.exchanges = self.exchanges, []
        return taken

    def arm(self):
        return [e for e in self.take() if e.host == self.site.host("management")]


def edge_certificate(site):
    state = pathlib.Path(site.state)
    return state / "tls" / "edge.pem", state / "tls" / "edge.key"
