"""Tags as one resource at every scope, and a subscription's tag names and values (arm-core 2.4)."""
import uuid

import pytest

from harness.site import ARM_GROUP, ARM_REGISTRY, CONTRIBUTOR, READER

TAGS = "?api-version=2019-10-01"


def tags_of(scope):
    return f"{scope}/providers/Microsoft.Resources/tags/default"


def put(client, scope, tags, status=200):
    return client.put(tags_of(scope) + TAGS, {"properties": {"tags": tags}}).expect(status)


def patch(client, scope, operation, tags, status=200):
    return client.patch(tags_of(scope) + TAGS, {"operation": operation, "properties": {"tags": tags}}).expect(status)


def get(client, scope):
    return client.get(tags_of(scope) + TAGS).expect(200).json["properties"]["tags"]


@pytest.fixture
def place(site, operator):
    """A subscription of its own with a group and a registry."""
    class Place:
        pass
    made = Place()
    made.subscription = site.command("subscription", "add", site.unique("Tagged"))["subscriptionId"]
    made.scope = f"/subscriptions/{made.subscription}"
    made.group = f"{made.scope}/resourceGroups/{site.unique('tg')}"
    operator.put(f"{made.group}?api-version={ARM_GROUP}", {"location": site.region}).expect(201)
    made.registry = f"{made.group}/providers/Microsoft.ContainerRegistry/registries/{site.unique('treg')}"
    operator.put(f"{made.registry}?api-version={ARM_REGISTRY}",
                 {"location": site.region, "sku": {"name": "Basic"}}).expect(200)
    made.scopes = [made.scope, made.group, made.registry]
    yield made
    operator.delete(f"{made.group}?api-version={ARM_GROUP}")


# The resource.

@pytest.mark.parametrize("version", ["2019-10-01", "2021-04-01", "2025-04-01", "2015-01-01"])
def test_tags_at_every_scope(operator, place, version):
    """arm-core 2.4.1: the object and its order; decisions 27: every published version."""
    for scope in place.scopes:
        url = f"{tags_of(scope)}?api-version={version}"
        empty = operator.get(url).expect(200).json
        assert list(empty) == ["id", "name", "type", "properties"]
        assert empty == {"id": tags_of(scope), "name": "default", "type": "Microsoft.Resources/tags",
                         "properties": {"tags": {}}}
        made = operator.put(url, {"properties": {"tags": {"b": "1", "a": "", "Zoë": "ü"}}}).expect(200).json
        assert list(made["properties"]["tags"].items()) == [("b", "1"), ("a", ""), ("Zoë", "ü")]
        assert operator.get(url).expect(200).json == made
        assert operator.head(url).expect(200).body == b""
        assert operator.delete(url).expect(200).body == b""
        assert operator.get(url).json == empty
        operator.delete(url).expect(200)


def test_the_targets_show_them(operator, place):
    """arm-core 2.2.1: subscriptions have tags from 2019-11-01 on; groups and registries always."""
    for scope in place.scopes:
        put(operator, scope, {"k": scope[-3:]})
    assert operator.get(f"{place.group}?api-version={ARM_GROUP}").json["tags"] == {"k": place.group[-3:]}
    assert operator.get(f"{place.registry}?api-version={ARM_REGISTRY}").json["tags"] == {"k": place.registry[-3:]}
    assert operator.get(f"{place.scope}?api-version=2019-11-01").json["tags"] == {"k": place.scope[-3:]}
    listed = operator.get("/subscriptions?api-version=2022-12-01").json["value"]
    assert [s["tags"] for s in listed if s["subscriptionId"] == place.subscription] == [{"k": place.scope[-3:]}]
    assert "tags" not in operator.get(f"{place.scope}?api-version=2016-06-01").json
    # And what is written there shows here.
    operator.patch(f"{place.registry}?api-version={ARM_REGISTRY}", {"tags": {"from": "patch"}}).expect(200)
    operator.patch(f"{place.group}?api-version={ARM_GROUP}", {"tags": {"from": "group"}}).expect(200)
    assert get(operator, place.registry) == {"from": "patch"} and get(operator, place.group) == {"from": "group"}
    found = operator.get(f"{place.scope}/resources?$filter=tagName eq 'from' and tagValue eq 'patch'&api-version=2019-10-01"
                         .replace(" ", "%20")).expect(200).json["value"]
    assert [r["id"] for r in found] == [place.registry]


@pytest.mark.parametrize("scope", [0, 1, 2])
def test_merge_replace_delete(operator, place, scope):
    """arm-core 2.4.1: PATCH; 1.1: names are looked up in any case and keep their casing, values count as they are."""
    scope = place.scopes[scope]
    put(operator, scope, {"Env": "test", "team": "a"})
    merged = patch(operator, scope, "Merge", {"ENV": "prod", "new": "1"}).json
    assert list(merged["properties"]["tags"].items()) == [("Env", "prod"), ("team", "a"), ("new", "1")]
    assert list(patch(operator, scope, "delete", {"TEAM": "A", "env": "prod"}).json["properties"]["tags"].items()) == \
        [("team", "a"), ("new", "1")]
    assert patch(operator, scope, "Delete", {"Team": "", "absent": "x"}).json["properties"]["tags"] == {"new": "1"}
    assert patch(operator, scope, "Delete", {"new": None}).json["properties"]["tags"] == {}
    assert patch(operator, scope, "Replace", {"x": "y"}).json["properties"]["tags"] == {"x": "y"}
    assert patch(operator, scope, "Merge", {}).json["properties"]["tags"] == {"x": "y"}
    assert patch(operator, scope, "Replace", {}).json["properties"]["tags"] == {}


def test_casings_and_slashes(operator, place):
    """arm-core 1.1; the id is canonical."""
    put(operator, place.registry, {"a": "b"})
    url = place.registry.replace("resourceGroups", "RESOURCEGROUPS").replace("registries/", "Registries//")
    answer = operator.get(f"{url}/Providers/microsoft.resources/Tags/Default/{TAGS}").expect(200).json
    assert answer["id"] == tags_of(place.registry)


@pytest.mark.parametrize("tags,code", [
    ({f"t{i}": "" for i in range(51)}, "TooManyTags"),
    ({"": "x"}, "InvalidTagName"),
    ({"x" * 513: "x"}, "InvalidTagName"),
    ({"x": "y" * 257}, "InvalidTagValue"),
    ({"a": "1", "A": "2"}, "InvalidTagName"),
    ({"a": 1}, "InvalidRequestContent"),
    ({"a": None}, "InvalidRequestContent"),
    ([], "InvalidRequestContent"),
    *[({f"a{c}b": "x"}, "InvalidTagNameCharacters") for c in "<>%&\\?/\x07"],
])
def test_limits(operator, place, tags, code):
    """arm-core 1.2.4, decisions 47"""
    for scope in place.scopes:
        assert put(operator, scope, tags, 400).code == code
        assert patch(operator, scope, "Merge", tags, 400).code == code
        assert get(operator, scope) == {}


def test_the_limit_counts_what_a_merge_makes(operator, place):
    """arm-core 1.2.4: 50 in all"""
    put(operator, place.group, {f"a{i}": "" for i in range(50)})
    assert patch(operator, place.group, "Merge", {"one more": ""}, 400).code == "TooManyTags"
    patch(operator, place.group, "Merge", {"A7": "changed"})
    assert get(operator, place.group)["a7"] == "changed" and len(get(operator, place.group)) == 50
    put(operator, place.registry, {"n" * 512: "v" * 256, "ä" * 512: "ö" * 256})


@pytest.mark.parametrize("body", [{}, {"properties": None}, {"properties": []}, {"properties": {"tags": "x"}}, None, []])
def test_bodies_that_are_refused(operator, place, body):
    assert operator.put(tags_of(place.group) + TAGS, body).expect(400).code == "InvalidRequestContent"


@pytest.mark.parametrize("operation", [None, "", "Add", 1, {}])
def test_operations_that_are_refused(operator, place, operation):
    """arm-core 2.4.1: Merge, Replace, Delete"""
    answer = operator.patch(tags_of(place.group) + TAGS, {"operation": operation, "properties": {"tags": {"a": "b"}}})
    assert answer.expect(400).code == "InvalidRequestContent"
    assert get(operator, place.group) == {}


def test_what_is_not_there(site, operator, place):
    assert put(operator, place.registry + "x", {}, 404).code == "ResourceNotFound"
    assert put(operator, place.group + "x", {}, 404).code == "ResourceGroupNotFound"
    assert put(operator, f"/subscriptions/{uuid.uuid4()}", {}, 404).code == "SubscriptionNotFound"
    assert operator.get(tags_of(f"{place.registry}/replications/{site.region}") + TAGS).expect(404).code == "ResourceNotFound"
    assert operator.get(tags_of("") + TAGS).expect(400, 403).code in ("InvalidScope", "AuthorizationFailed")
    assert operator.post(tags_of(place.group) + TAGS, {}).expect(405).header("Allow") == "GET,HEAD,PUT,PATCH,DELETE"


def test_rights(site, operator, place):
    """arm-core 2.4.1: needs Microsoft.Resources/tags/* or write on the target."""
    def role(actions):
        guid = str(uuid.uuid4())
        operator.put(f"{place.scope}/providers/Microsoft.Authorization/roleDefinitions/{guid}?api-version=2015-07-01", {
            "properties": {"roleName": site.unique("tagger"), "type": "CustomRole", "permissions": [{"actions": actions}],
                           "assignableScopes": [place.scope]}}).expect(201)
        return guid
    cases = [(CONTRIBUTOR, 200, 200), (READER, 200, 403), (role(["Microsoft.Resources/tags/*"]), 200, 200),
             (role(["Microsoft.ContainerRegistry/registries/write", "Microsoft.ContainerRegistry/registries/read"]), 200, 200),
             (role(["Microsoft.ContainerRegistry/registries/read"]), 200, 403),
             (role(["Microsoft.ContainerRegistry/registries/delete"]), 403, 403)]
    for guid, reads, writes in cases:
        principal = site.principal()
        site.assign(operator, principal, guid, place.registry)
        client = site.client_of(principal)
        client.get(tags_of(place.registry) + TAGS).expect(reads)
        answer = put(client, place.registry, {"by": guid}, writes)
        if writes == 403:
            assert "'Microsoft.Resources/tags/write'" in answer.message
        patch(client, place.registry, "Merge", {"by": guid}, writes)
        client.delete(tags_of(place.registry) + TAGS).expect(writes)
        put(client, place.group, {}, 403)
        put(client, place.group + "absent", {}, 403)  # who may not look does not learn what exists


def test_locks_hold_tags_back(operator, place):
    """arm-core 2.5.2: ReadOnly blocks PUT, PATCH and DELETE of tags too."""
    lock = f"{place.group}/providers/Microsoft.Authorization/locks/l?api-version=2016-09-01"
    operator.put(lock, {"properties": {"level": "ReadOnly"}}).expect(201)
    try:
        for scope in (place.group, place.registry):
            answer = put(operator, scope, {"a": "b"}, 409)
            assert answer.code == "ScopeLocked"
            assert answer.message.startswith(f"The scope '{tags_of(scope)}' cannot perform write operation because")
            patch(operator, scope, "Merge", {"a": "b"}, 409)
            operator.delete(tags_of(scope) + TAGS).expect(409)
            operator.get(tags_of(scope) + TAGS).expect(200)
        put(operator, place.scope, {"a": "b"})
        operator.put(lock, {"properties": {"level": "CanNotDelete"}}).expect(200)
        put(operator, place.group, {"a": "b"})
        operator.delete(tags_of(place.group) + TAGS).expect(409)  # a DELETE
    finally:
        operator.delete(lock).expect(200)


# Names and values.

def names(client, place, query=""):
    return client.get(f"{place.scope}/tagNames{TAGS}{query}").expect(200).json


def test_names_and_values(operator, place):
    """arm-core 2.4.2: shapes, 201, 200, 204."""
    base = f"{place.scope}/tagNames"
    total = {"type": "Total", "value": 0}
    assert names(operator, place) == {"value": []}
    made = operator.put(f"{base}/Env{TAGS}").expect(201).json
    assert list(made) == ["id", "tagName", "count", "values"]
    assert made == {"id": f"{base}/Env", "tagName": "Env", "count": total, "values": []}
    assert operator.put(f"{base}/ENV{TAGS}").expect(200).json == made
    value = operator.put(f"{base}/env/tagValues/prod{TAGS}").expect(201).json
    assert list(value) == ["id", "tagValue", "count"]
    assert value == {"id": f"{base}/Env/tagValues/prod", "tagValue": "prod", "count": total}
    assert operator.put(f"{base}/env/tagValues/prod{TAGS}").expect(200).json == value
    operator.put(f"{base}/env/tagValues/Prod{TAGS}").expect(201)  # values are case-sensitive
    listed = names(operator, place)["value"]
    assert [n["tagName"] for n in listed] == ["Env"]
    assert [v["tagValue"] for v in listed[0]["values"]] == ["Prod", "prod"]
    assert operator.delete(f"{base}/Env{TAGS}").expect(409).code == "TagNameHasValues"
    for value in ("prod", "Prod"):
        operator.delete(f"{base}/ENV/tagValues/{value}{TAGS}").expect(200)
        operator.delete(f"{base}/ENV/tagValues/{value}{TAGS}").expect(204)
    operator.delete(f"{base}/env{TAGS}").expect(200)
    operator.delete(f"{base}/env{TAGS}").expect(204)
    assert operator.put(f"{base}/env/tagValues/prod{TAGS}").expect(404).code == "TagNameNotFound"
    assert operator.get(f"{base}/env{TAGS}").expect(405).header("Allow") == "PUT,DELETE"


def test_counts_of_what_is_tagged(operator, place):
    """arm-core 2.4.2: count of groups and resources; a value in use cannot be deleted."""
    base = f"{place.scope}/tagNames"
    put(operator, place.group, {"env": "prod", "Only": ""})
    put(operator, place.registry, {"ENV": "prod", "owner": "x"})
    listed = {n["tagName"].lower(): n for n in names(operator, place)["value"]}
    assert sorted(listed) == ["env", "only", "owner"]
    assert listed["env"]["count"] == {"type": "Total", "value": 2}
    assert [(v["tagValue"], v["count"]["value"]) for v in listed["env"]["values"]] == [("prod", 2)]
    assert [(v["tagValue"], v["count"]["value"]) for v in listed["only"]["values"]] == [("", 1)]
    made = operator.put(f"{base}/Env{TAGS}").expect(201).json
    assert made["tagName"] == "Env" and made["count"]["value"] == 2
    operator.put(f"{base}/env/tagValues/prod{TAGS}").expect(201)
    operator.put(f"{base}/env/tagValues/test{TAGS}").expect(201)
    refused = operator.delete(f"{base}/env/tagValues/prod{TAGS}").expect(409)
    assert refused.code == "TagValueInUse"
    assert operator.delete(f"{base}/env{TAGS}").expect(409).code == "TagNameInUse"
    operator.delete(f"{base}/env/tagValues/test{TAGS}").expect(200)
    put(operator, place.group, {"env": "other"})
    put(operator, place.registry, {})
    operator.delete(f"{base}/env/tagValues/prod{TAGS}").expect(200)
    listed = names(operator, place)["value"]
    assert [(n["tagName"], [v["tagValue"] for v in n["values"]]) for n in listed] == [("Env", ["other"])]


def test_the_longest_name_and_value(operator, place):
    """arm-core 1.2.4: characters, of up to four bytes; together longer than an index of PostgreSQL takes."""
    from random import Random
    from urllib.parse import quote
    random = Random(5)
    name = "".join(chr(random.randrange(0x1F300, 0x1F9FF)) for _ in range(512))
    value = "".join(chr(random.randrange(0x20000, 0x2A6D0)) for _ in range(256))
    url = f"{place.scope}/tagNames/{quote(name)}"
    assert operator.put(url + TAGS).expect(201).json["tagName"] == name
    assert operator.put(f"{url}/tagValues/{quote(value)}{TAGS}").expect(201).json["tagValue"] == value
    put(operator, place.group, {name: value})
    assert [n["count"]["value"] for n in names(operator, place)["value"]] == [1]
    operator.delete(f"{url}/tagValues/{quote(value)}{TAGS}").expect(409)
    put(operator, place.group, {})
    operator.delete(f"{url}/tagValues/{quote(value)}{TAGS}").expect(200)
    operator.delete(url + TAGS).expect(200)


def test_names_are_a_subscriptions_own(site, operator, place):
    other = site.command("subscription", "add", site.unique("Other"))["subscriptionId"]
    operator.put(f"{place.scope}/tagNames/mine{TAGS}").expect(201)
    assert operator.get(f"/subscriptions/{other}/tagNames{TAGS}").expect(200).json == {"value": []}


def test_names_are_paged(operator, place):
    """arm-core 1.6.1"""
    put(operator, place.group, {f"n{i}": "v" for i in range(3)})
    for i in range(3, 7):
        operator.put(f"{place.scope}/tagNames/n{i}{TAGS}").expect(201)
    seen, url = [], f"{place.scope}/tagNames{TAGS}&$top=3"
    while url:
        page = operator.get(url).expect(200).json
        assert len(page["value"]) <= 3
        seen += [n["tagName"] for n in page["value"]]
        url = page.get("nextLink")
    assert seen == [f"n{i}" for i in range(7)]


@pytest.mark.parametrize("path,code", [
    ("a%3Cb", "InvalidTagNameCharacters"), ("a%3Fb", "InvalidTagNameCharacters"), ("x" * 513, "InvalidTagName"),
    ("Microsoft.x", "ReservedTagName"), ("azure", "ReservedTagName"), ("windowsx", "ReservedTagName"),
    ("ok/tagValues/" + "v" * 257, "InvalidTagValue")])
def test_names_that_are_refused(operator, place, path, code):
    """arm-core 1.2.4"""
    assert operator.put(f"{place.scope}/tagNames/{path}{TAGS}").expect(400).code == code


def test_who_may_change_names(site, operator, place):
    for role, status in [(CONTRIBUTOR, 201), (READER, 403)]:
        principal = site.principal()
        site.assign(operator, principal, role, place.scope)
        client = site.client_of(principal)
        client.get(f"{place.scope}/tagNames{TAGS}").expect(200)
        client.put(f"{place.scope}/tagNames/{role}{TAGS}").expect(status)
    stranger = site.client_of(site.principal())
    stranger.get(f"{place.scope}/tagNames{TAGS}").expect(403)
