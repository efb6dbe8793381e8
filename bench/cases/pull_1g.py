"""Pulling 1 GiB through the edge with TLS and authorisation; against the same file served by nginx alone over TLS, and against
docker-registry behind that nginx (pull-1g-registry)."""
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
    large.push(bench, reference.docker_registry(bench).url, repository)

    def ours(warm_up):
        return large.pull(bench, f"{base}/v2/{repository}/blobs/{digest}", [bearer])

    def theirs(where):
        return lambda warm_up: large.pull(bench, where)

    return {**rates("pull-1g", bench, ours, theirs(f"{nginx.files_url}/large"), "MB/s"),
            **rates("pull-1g-registry", bench, ours, theirs(f"{nginx.registry_url}/v2/{repository}/blobs/{digest}"), "MB/s")}
