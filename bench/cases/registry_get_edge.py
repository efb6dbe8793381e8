"""The same GET through the edge with TLS; against the hello through the edge."""
from bench.cases.registry_get import through


def measure(bench):
    return through("registry-get-edge", bench, f"https://{bench.host('management')}/", f"https://{bench.host('hello')}/")
