"""/acr/v1/_usage: bytes of each repository, unique and shared (an extension of ours); it agrees with listUsages (decisions 21)."""
import os

import pytest

from harness.site import ARM_REGISTRY


def rows_of(client, n=None):
    """All pages, following Link as clients do."""
    rows, path = [], "/acr/v1/_usage" + (f"?n={n}" if n else "")
    while path:
        answer = client.get(path).expect(200)
        assert n is None or len(answer.json["repositories"]) <= n
        rows += answer.json["repositories"]
        link = answer.header("Link")
        path = link[1:link.index(">")] if link else None
    return rows, answer.json


def test_usage_of_repositories(operator, registry):
    client = registry.client()
    config = b'{"architecture":"amd64","os":"linux"}'
    base, mine, other = os.urandom(7000), os.urandom(3000), os.urandom(500)
    _, a = registry.push_image(client, "u/a", "1", [base, mine], config)
    _, b = registry.push_image(client, "u/b", "1", [base, other], config)
    registry.push_image(client, "u/c", "1", [os.urandom(100)])
    registry.push_blob(client, "u/waiting", os.urandom(999))  # a failed push counts nothing
    rows, shown = rows_of(client)
    by_name = {row["name"]: row for row in rows}
    assert list(by_name) == ["u/a", "u/b", "u/c"]
    assert by_name["u/a"]["sharedBytes"] == by_name["u/b"]["sharedBytes"] == len(base) + len(config)
    assert by_name["u/a"]["totalBytes"] == a and by_name["u/b"]["totalBytes"] == b
    assert by_name["u/a"]["uniqueBytes"] == a - len(base) - len(config)
    assert by_name["u/a"]["manifestCount"] == 1
    # Unique bytes and what is shared, once, are all there is; listUsages says the same.
    assert sum(row["uniqueBytes"] for row in rows) + len(base) + len(config) == shown["size"] == registry.usage(operator)
    assert shown["limit"] == 100 << 30 and shown["registry"] == registry.server
    assert rows_of(client, n=1)[0] == rows_of(client, n=2)[0] == rows
    # S10: what u/b shared is its own once u/a is gone, and still counted.
    client.delete("/acr/v1/u/a").expect(202)
    rows, shown = rows_of(client)
    assert rows[0]["name"] == "u/b" and rows[0]["sharedBytes"] == 0 and rows[0]["uniqueBytes"] == b
    assert shown["size"] == registry.usage(operator) == sum(row["uniqueBytes"] for row in rows)
    client.patch("/acr/v1/u/c", {"listEnabled": False}).expect(200)
    assert [row["name"] for row in rows_of(client)[0]] == ["u/b"]
    challenge = registry.client(anonymous=True).get("/acr/v1/_usage").expect(401).header("WWW-Authenticate")
    assert challenge.endswith('scope="registry:catalog:*"')
    client.post("/acr/v1/_usage").expect(405)
    client.get("/acr/v1/_usage?n=x").expect(400)


# S11 with a layer that a test can afford: up by it and down again, at once.
@pytest.mark.parametrize("form", ["manifest", "repository"])
def test_usage_rises_and_falls_at_once(operator, registry, form):
    client = registry.client()
    before = registry.usage(operator)
    digest, size = registry.push_image(client, "s11/1gb", "latest", [os.urandom(3 << 20)])
    assert registry.usage(operator) == before + size
    path = "/acr/v1/s11/1gb" if form == "repository" else f"/v2/s11/1gb/manifests/{digest}"
    client.delete(path).expect(202)
    assert registry.usage(operator) == before
    assert rows_of(client)[0] == []


# A registry's deletion takes what it held off the stamp at once.
def test_a_deleted_registry_counts_nothing(site, operator, group):
    registry = site.create_registry(operator, group)
    _, size = registry.push_image(registry.client(), "a/b", "1", [os.urandom(5000)])
    number = site.sql(f"select id from acr.registry where login_key = '{registry.name}'")[0]
    assert site.sql(f"select live_bytes from acr.registry_usage where registry_id = {number}") == [str(size)]
    operator.delete(f"{registry.id}?api-version={ARM_REGISTRY}").expect(200)
    assert site.sql(f"select coalesce(sum(live_bytes), 0) from acr.registry_usage where registry_id = {number}") == ["0"]
    # The rows and the files follow by the job and the sweep.
    site.wait_until(lambda: site.sql(f"select count(*) from acr.blob where registry_id = {number}") == ["0"])
