"""Raw HTTP/1.1 over TLS for many slow connections at once: none of them has a thread or a large buffer."""
import socket
import ssl


def connect(bench, host):
    """A connection whose certificate is not looked at: hundreds are opened, and what is shown is the server's."""
    context = bench.once("tls", lambda: ssl._create_unverified_context())
    plain = socket.create_connection(("127.0.0.1", bench.port), timeout=60)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    return context.wrap_socket(plain, server_hostname=host)


def head(method, path, host, token, length=None):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {token}"]
    if length is not None:
        lines += [f"Content-Length: {length}", "Content-Type: application/octet-stream"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
