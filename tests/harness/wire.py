"""HTTP over TLS without a library that hides faults: one request, one answer, headers as they came."""
import http.client
import json
import socket
import ssl
import urllib.parse


class Answer:
    """Status, headers (a list of pairs, order kept) and body of one answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        values = [v for k, v in self.headers if k.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The error's code, in ARM's form or the registry's."""
        body = self.json
        return body["error"]["code"] if "error" in body else body["errors"][0]["code"]

    @property
    def message(self):
        body = self.json
        return body["error"]["message"] if "error" in body else body["errors"][0]["message"]

    def expect(self, *statuses):
        assert self.status in statuses, f"{self.status} {self.headers} {self.body[:2000]!r}"
        return self

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def context(ca):
    made = ssl.create_default_context(cafile=str(ca))
    return made


class Client:
    """A keep-alive client of one host; ARM paths start with '/', absolute URLs are cut to their path."""

    def __init__(self, host, port, ca, headers=None, timeout=60, address=None):
        self.host, self.port, self.ca, self.timeout = host, port, ca, timeout
        self.address = address  # where to connect instead of where the name leads
        self.headers = dict(headers or {})
        self.connection = None

    def request(self, method, path, body=None, headers=None, form=None):
        if path.startswith("https://"):
            parts = urllib.parse.urlsplit(path)
            path = parts.path + ("?" + parts.query if parts.query else "")
        sent = {**self.headers, **(headers or {})}
        if form is not None:
            body = urllib.parse.urlencode(form).encode()
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        elif isinstance(body, str):
            body = body.encode()
        for attempt in (0, 1):
            kept = self.connection is not None
            if not kept:
                self.connection = self.connect()
            try:
                self.connection.request(method, path, body=body, headers=sent)
                response = self.connection.getresponse()
                answer = Answer(response.status, response.getheaders(), response.read())
                if response.will_close:
                    self.close()
                return answer
            except (http.client.RemoteDisconnected, http.client.CannotSendRequest, http.client.ResponseNotReady,
                    ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                # A kept connection that the server closed meanwhile (the edge does after 75 s without a request), or whose
                # last exchange was cut short by an exception of ours. A fresh one that fails is a fault.
                self.close()
                if attempt or not kept:
                    raise
            except BaseException:
                self.close()
                raise
        raise AssertionError("unreachable")

    def connect(self):
        made = http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout, context=context(self.ca))
        if self.address:
            made._create_connection = lambda address, *rest: socket.create_connection((self.address, address[1]), *rest)
        return made

    def at(self, address):
        """The same client, of another address."""
        return Client(self.host, self.port, self.ca, self.headers, self.timeout, address)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def head(self, path, **kw):
        return self.request("HEAD", path, **kw)

    def put(self, path, body=None, **kw):
        return self.request("PUT", path, body, **kw)

    def post(self, path, body=None, **kw):
        return self.request("POST", path, body, **kw)

    def patch(self, path, body=None, **kw):
        return self.request("PATCH", path, body, **kw)

    def delete(self, path, **kw):
        return self.request("DELETE", path, **kw)

    def raw(self, data, timeout=10):
        """Sends bytes as they are; everything the server says until it closes or is silent for `timeout`."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as plain:
            with context(self.ca).wrap_socket(plain, server_hostname=self.host) as tls:
                tls.sendall(data)
                received = b""
                try:
                    while chunk := tls.recv(65536):
                        received += chunk
                except (TimeoutError, ssl.SSLError, ConnectionResetError):
                    pass
                return received
