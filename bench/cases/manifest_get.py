"""GET of a manifest through the edge with TLS; against docker-registry behind the same kind of nginx."""
from bench.lib import content, reference, wrk
from bench.lib.measure import rates


def sides(bench, path, accept):
    """The same GET at our registry and at docker-registry, sixteen connections each."""
    host = bench.registry().host
    token = bench.registry_token(content.REPOSITORY)
    ours = wrk.constant(wrk.head("GET", path, host, {"Authorization": f"Bearer {token}", "Accept": accept}))
    theirs = wrk.constant(wrk.head("GET", path, f"{host}:{reference.PROXY_PORT}", {"Accept": accept}))
    return (wrk.side(bench, f"https://{host}/", ours, 16),
            wrk.side(bench, f"https://{host}:{reference.PROXY_PORT}/", theirs, 16))


def measure(bench):
    _, manifest = content.image(bench)
    return rates("manifest-get", bench, *sides(bench, f"/v2/{content.REPOSITORY}/manifests/{manifest}", content.TYPE))
