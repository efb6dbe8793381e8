"""A host of templates: a small HTTPS server with an authority of its own, which notes what it is asked."""
import http.server
import json
import ssl
import subprocess
import threading

ADDRESS = "127.0.0.2"  # this machine, but listed by nobody who lists names


def _certificate(folder, name, *arguments, extension=None):
    made = [folder / f"{name}.pem", folder / f"{name}.key"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-out", str(made[0]), "-keyout", str(made[1]), *arguments,
                    *(["-addext", extension] if extension else [])], check=True, capture_output=True, timeout=60)
    return made


class TemplateHost:
    """`files`: path without query to a body (bytes, or what becomes JSON), or to (status, headers, body)."""

    def __init__(self, folder, address=ADDRESS):
        folder.mkdir(parents=True, exist_ok=True)
        self.ca, key = _certificate(folder, "templates-ca", extension=f"subjectAltName=IP:{address},DNS:localhost,DNS:templates.example")
        self.files, self.asked, self.address = {}, [], address
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path.split("?")[0]
                host.asked.append((self.path, dict(self.headers)))
                found = host.files.get(path, (404, {}, b"{}"))
                status, headers, body = found if isinstance(found, tuple) else (200, {}, found)
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):  # a client that does not trust us is no fault of ours
                pass

        self.server = Server((address, 0), Handler)
        self.port = self.server.server_address[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path, host=None):
        return f"https://{host or self.address}:{self.port}{path}"

    def put(self, path, content):
        """The URL that it then has."""
        self.files[path] = content
        return self.url(path)

    def paths(self):
        return [path for path, _ in self.asked]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
