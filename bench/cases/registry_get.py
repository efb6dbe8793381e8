"""GET of a registry: sign-in, rights and PostgreSQL, uniform keys; against twelve bytes of the same loops."""
from bench.lib import rows, wrk
from bench.lib.measure import rates


def scripts(bench):
    """The request for a random registry, and the same random path asked of the hello."""
    count = rows.registries(bench)
    path = bench.registry_id("bulk", "bulk")
    before, after = wrk.head("GET", path + "@?api-version=2019-05-01", bench.host("management"), {
        "Authorization": f"Bearer {bench.bearer()}", "User-Agent": "bench"}).split("@")
    hello_before, hello_after = wrk.head("GET", "/bulk@", bench.host("hello"), {"User-Agent": "bench"}).split("@")
    return wrk.random_key(before, after, count), wrk.random_key(hello_before, hello_after, count)


def through(name, bench, ours, theirs):
    get, hello = scripts(bench)
    return rates(name, bench, wrk.side(bench, ours, get, 64), wrk.side(bench, theirs, hello, 64))


def measure(bench):
    url = f"http://{bench.loopback}/"
    return through("registry-get", bench, url, url)
