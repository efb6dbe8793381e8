"""Pulling 1 GiB through the edge with TLS and authorisation; against the same file served by nginx alone over TLS."""
import os
import shutil

from bench.lib import large, reference
from bench.lib.measure import rates


def measure(bench):
    registry, nginx = bench.registry(), reference.nginx(bench)
    path, digest = large.file(bench)
    repository = large.repository("pull")
    bearer = f"Authorization: Bearer {bench.registry_token(repository)}"
    base = f"https://{registry.host}"
    large.push(bench, base, repository, [bearer])
    shutil.copyfile(path, nginx.root / "large")
    os.chmod(nginx.root / "large", 0o644)
    return rates("pull-1g", bench,
                 lambda warm_up: large.pull(bench, f"{base}/v2/{repository}/blobs/{digest}", [bearer]),
                 lambda warm_up: large.pull(bench, f"{nginx.files_url}/large"), "MB/s")
