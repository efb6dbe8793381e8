"""az's lock and tag commands at every scope (az-cli 4): 2.45 in both of its profiles, and the current az."""
import pytest


@pytest.fixture(scope="module", params=["az", "latest", "current"])
def profile(request):
    with request.getfixturevalue(request.param).serving() as quick:
        yield quick


@pytest.fixture(autouse=True)
def no_lock_stays(site, operator):
    """Not even of a test that failed: the subscription is everybody's."""
    yield
    version = "?api-version=2016-09-01"
    url = f"/subscriptions/{site.subscription}/providers/Microsoft.Authorization/locks{version}"
    for lock in operator.get(url).expect(200).json["value"]:
        operator.delete(f"{lock['id']}{version}").expect(200)


def fails(az, *arguments):
    done = az.run(*arguments)
    assert done.returncode != 0 and "Traceback" not in done.stderr, done.stderr
    return done


def scopes(az_group, az_registry):
    resource = ["-g", az_group, "--resource", az_registry.name, "--resource-type", "Microsoft.ContainerRegistry/registries"]
    return {"account": [], "group": ["-g", az_group], "resource": resource}


@pytest.mark.parametrize("kind", ["account", "group", "resource"])
def test_locks(kind, profile, site, az_group, az_registry):
    """az-cli 4: lock create, list, show, update, delete"""
    name, where = site.unique("lock"), scopes(az_group, az_registry)[kind]
    made = profile("lock", "create", "-n", name, "--lock-type", "CanNotDelete", "--notes", "kept", *where)
    assert made["level"] == "CanNotDelete" and made["notes"] == "kept" and made["name"] == name
    assert made["id"].lower().endswith(f"/providers/microsoft.authorization/locks/{name}")
    assert name in [l["name"] for l in profile("lock", "list")]
    assert name in [l["name"] for l in profile("lock", "list", *where)]
    assert profile("lock", "show", "-n", name, *where)["id"] == made["id"]
    assert profile("lock", "show", "--ids", made["id"])["notes"] == "kept"
    updated = profile("lock", "update", "-n", name, "--lock-type", "ReadOnly", "--notes", "still", *where)
    assert updated["level"] == "ReadOnly" and updated["notes"] == "still"
    refused = fails(profile, "acr", "update", "-n", az_registry.name, "-g", az_group, "--tags", "a=b")
    assert "ScopeLocked" in refused.stderr and "Please remove the lock and try again." in refused.stderr
    profile("lock", "delete", "-n", name, *where)
    assert name not in [l["name"] for l in profile("lock", "list")]


def test_the_commands_of_groups_and_resources(profile, site, az_group, az_registry):
    """az-cli 4: also `group lock`, `account lock`, `resource lock`"""
    name, where = site.unique("lock"), scopes(az_group, az_registry)
    for command in ("group", "resource", "account"):
        profile(command, "lock", "create", "-n", name, "--lock-type", "CanNotDelete", *where[command])
        assert name in [l["name"] for l in profile(command, "lock", "list", *where[command])]
        assert profile(command, "lock", "show", "-n", name, *where[command])["name"] == name
        if command == "group":
            refused = fails(profile, "group", "delete", "-n", az_group, "-y")
            assert "ScopeLocked" in refused.stderr
        profile(command, "lock", "delete", "-n", name, *where[command])


def test_an_owner_of_a_group_only_removes_its_lock(site, operator, registered, az_group, tmp_path):
    """az-cli 4: `lock delete` first lists the whole subscription, where who owns one group finds what is that group's."""
    from harness.az import Az
    from harness.site import OWNER
    principal = site.principal()
    site.assign(operator, principal, OWNER, f"/subscriptions/{site.subscription}/resourceGroups/{az_group}")
    mine = Az(site, tmp_path, like=registered)
    mine.login(principal)
    with mine.serving() as quick:
        quick("lock", "create", "-n", "mine", "--lock-type", "CanNotDelete", "-g", az_group)
        quick("lock", "delete", "-n", "mine", "-g", az_group)
        assert quick("lock", "list", "-g", az_group) == []


@pytest.mark.parametrize("kind", ["account", "group", "resource"])
def test_tags_of_a_resource(kind, profile, site, az_group, az_registry):
    """az-cli 4: tag list, create, update, delete --resource-id"""
    subscription = f"/subscriptions/{site.subscription}"
    id_ = {"account": subscription, "group": f"{subscription}/resourceGroups/{az_group}", "resource": az_registry.id}[kind]
    before = profile("tag", "list", "--resource-id", id_)["properties"]["tags"]
    made = profile("tag", "create", "--resource-id", id_, "--tags", "team=blue", "env=test")
    assert made["properties"]["tags"] == {"team": "blue", "env": "test"}
    assert made["id"] == f"{id_}/providers/Microsoft.Resources/tags/default"
    merged = profile("tag", "update", "--resource-id", id_, "--operation", "Merge", "--tags", "Env=prod", "x=y")
    assert merged["properties"]["tags"] == {"team": "blue", "env": "prod", "x": "y"}
    less = profile("tag", "update", "--resource-id", id_, "--operation", "Delete", "--tags", "x=y")
    assert less["properties"]["tags"] == {"team": "blue", "env": "prod"}
    assert profile("tag", "list", "--resource-id", id_)["properties"]["tags"] == {"team": "blue", "env": "prod"}
    profile("tag", "delete", "--resource-id", id_, "-y")
    assert profile("tag", "list", "--resource-id", id_)["properties"]["tags"] == {}
    if before:
        profile("tag", "create", "--resource-id", id_, "--tags", *[f"{k}={v}" for k, v in before.items()])


def test_tag_names(profile, site, az_group):
    """az-cli 4: tag list, create -n, add-value, remove-value, delete -n"""
    name = site.unique("tag")
    assert profile("tag", "create", "-n", name)["tagName"] == name
    assert profile("tag", "add-value", "-n", name, "--value", "one")["tagValue"] == "one"
    listed = next(t for t in profile("tag", "list") if t["tagName"] == name)
    assert [v["tagValue"] for v in listed["values"]] == ["one"] and listed["count"]["value"] == 0
    tagged = profile("group", "update", "-n", az_group, "--tags", f"{name}=one", "team=blue")
    assert tagged["tags"] == {name: "one", "team": "blue"}
    used = fails(profile, "tag", "remove-value", "-n", name, "--value", "one")
    assert "TagValueInUse" in used.stderr
    profile("group", "update", "-n", az_group, "--tags", "team=blue")
    profile("tag", "remove-value", "-n", name, "--value", "one")
    profile("tag", "delete", "-n", name, "-y")
    assert name not in [t["tagName"] for t in profile("tag", "list")]


def test_resource_tag_and_update(profile, site, az_group, az_registry):
    """az-cli 4: `resource tag` sends the whole object back; incremental keeps what is there."""
    def show():
        return profile("resource", "show", "--ids", az_registry.id)["tags"]
    profile("resource", "tag", "--ids", az_registry.id, "--tags", "colour=red")
    assert show() == {"colour": "red"}
    profile("resource", "tag", "--ids", az_registry.id, "--tags", "size=big", "-i")
    assert show() == {"colour": "red", "size": "big"}
    profile("resource", "update", "--ids", az_registry.id, "--set", "tags.colour=blue")
    assert show() == {"colour": "blue", "size": "big"}
    profile("resource", "tag", "--ids", az_registry.id, "--tags")
    assert show() in ({}, None)
