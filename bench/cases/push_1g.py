"""Pushing 1 GiB through the edge with TLS and authorisation; against docker-registry, bare, over plain HTTP."""
from bench.lib import large, reference
from bench.lib.measure import rates


def measure(bench):
    registry, theirs = bench.registry(), reference.docker_registry(bench)
    _, digest = large.file(bench)

    def push_ours(warm_up):
        repository = large.repository("push")
        bearer = f"Authorization: Bearer {bench.registry_token(repository)}"
        rate = large.push(bench, f"https://{registry.host}", repository, [bearer])
        # Each push is the first of its blob, and its disk space comes back.
        large.curl(bench, "-H", bearer, "-X", "DELETE", f"https://{registry.host}/v2/{repository}/blobs/{digest}")
        return rate

    def push_theirs(warm_up):
        rate = large.push(bench, theirs.url, large.repository("push"))
        theirs.forget()
        return rate

    return rates("push-1g", bench, push_ours, push_theirs, "MB/s")
