"""Pushing 4 KiB blobs (POST, PATCH, PUT) by sixteen connections with TLS; against docker-registry behind nginx."""
from bench.lib import blobs, reference
from bench.lib.measure import rates

REPOSITORY = "bench/small"


def measure(bench):
    reference.nginx(bench)
    host, token = bench.registry().host, bench.registry_token(REPOSITORY)

    def ours(warm_up):
        return blobs.push_rate(bench, host, bench.port, REPOSITORY, 1 if warm_up else bench.seconds, token)

    def theirs(warm_up):
        return blobs.push_rate(bench, host, reference.PROXY_PORT, REPOSITORY, 1 if warm_up else bench.seconds)

    return rates("blob-4k-put", bench, ours, theirs, "blobs/s")
