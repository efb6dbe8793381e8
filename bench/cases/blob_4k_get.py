"""GET of a 4 KiB blob through the edge with TLS; against docker-registry behind the same kind of nginx."""
from bench.lib import content
from bench.lib.measure import rates

from .manifest_get import sides


def measure(bench):
    layer, _ = content.image(bench)
    return rates("blob-4k-get", bench, *sides(bench, f"/v2/{content.REPOSITORY}/blobs/{layer}", "*/*"))
