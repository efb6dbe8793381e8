"""Generic resources (contract/arm-core.md 1.6, 1.7, 3.3; az-cli.md 4 and 5): the lists with their filters and pages, and a
resource by its id in every verb."""
import threading
import urllib.parse
import uuid

import pytest

from harness.site import ACR_PULL

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
LISTS, REGISTRY = "2019-10-01", "2019-05-01"
TYPE = "Microsoft.ContainerRegistry/registries"


class Place:
    def __init__(self, site, operator, prefix):
        self.site, self.operator = site, operator
        self.group = site.unique(prefix)
        operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{self.group}?api-version={LISTS}",
                     {"location": site.region}).expect(201)

    def create(self, name=None, tags=None):
        name = name or self.site.unique("res")
        id_ = self.site.registry_id(self.group, name)
        self.operator.put(f"{id_}?api-version={REGISTRY}", {
            "location": self.site.region, "sku": {"name": "Basic"}, "tags": tags or {}}).expect(200)
        return id_


@pytest.fixture(scope="module")
def place(site, operator):
    made = Place(site, operator, "list")
    made.one = made.create("ListOne", {"env": "prod", "team": "it's"})
    made.two = made.create("listtwo", {"env": "test"})
    made.three = made.create("listthree")
    made.other = Place(site, operator, "other")
    made.far = made.other.create("listfar", {"env": "prod"})
    yield made
    for group in (made.group, made.other.group):
        operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version={LISTS}")


def path_of(site, group=None, version=LISTS, **query):
    at = f"/subscriptions/{site.subscription}" + (f"/resourceGroups/{group}" if group else "")
    text = "".join(f"&{'' if k == 'skip' else '$'}{k}={urllib.parse.quote(str(v))}" for k, v in query.items())
    return f"{at}/resources?api-version={version}{text}"


def walk(client, path, limit=1000):
    """Every item of a list, and how many pages it took."""
    items, pages = [], 0
    while path:
        page = client.get(path).expect(200).json
        assert page.get("nextLink", None) != ""
        items += page["value"]
        path, pages = page.get("nextLink"), pages + 1
        assert pages <= limit
    return items, pages


def names(client, path):
    return sorted(item["name"] for item in walk(client, path)[0])


# arm-core 1.6.2: what is asked of the group, and which names come.
FILTERS = [
    ("", ["ListOne", "listthree", "listtwo"]),
    ("name eq 'listone'", ["ListOne"]),
    ("NAME EQ 'LISTONE' AND RESOURCETYPE EQ 'microsoft.containerregistry/REGISTRIES'", ["ListOne"]),
    ("name eq 'listone' or name eq 'listtwo'", ["ListOne", "listtwo"]),
    ("name ne 'listone'", ["listthree", "listtwo"]),
    ("(name eq 'listone' or name eq 'listtwo') and tagName eq 'env'", ["ListOne", "listtwo"]),
    ("name eq 'listthree' or name eq 'listone' and tagname eq 'none'", ["listthree"]),
    (f"resourceType eq '{TYPE}'", ["ListOne", "listthree", "listtwo"]),
    (f"resourceType ne '{TYPE}'", []),
    ("resourceType eq 'Microsoft.Other/things'", []),
    ("location eq 'LO CAL'", ["ListOne", "listthree", "listtwo"]),
    ("location ne 'local'", []),
    ("location eq 'westus'", []),
    ("tagname eq 'env' and tagvalue eq 'prod'", ["ListOne"]),
    ("tagname eq 'ENV' and tagvalue eq 'PROD'", []),
    ("tagname eq 'team' and tagvalue eq 'it''s'", ["ListOne"]),
    ("tagname eq 'env' and tagvalue eq 'it''s'", []),
    ("startswith(tagname, 'te')", ["ListOne"]),
    ("substringof('thr', name)", ["listthree"]),
    ("substringof('ist', name) and not_a_word eq 'x'", None),
    ("identity eq 'x' or identity/principalId eq 'x'", []),
    ("plan ne 'x' and plan/publisher ne 'a' and plan/product ne 'b' and plan/name ne 'c' and plan/version ne 'd' and "
     "plan/promotionCode ne 'e'", ["ListOne", "listthree", "listtwo"]),
]


@pytest.mark.parametrize("filter_, wanted", FILTERS)
def test_a_filter(site, operator, place, filter_, wanted):
    path = path_of(site, place.group, filter=filter_)
    if wanted is None:
        refused = operator.get(path).expect(400)
        assert refused.code == "InvalidFilterInQueryString" and "'not_a_word'" in refused.message
        return
    assert names(operator, path) == sorted(wanted)
    if filter_:
        both = f"({filter_}) and resourceGroup eq '{place.group.upper()}'"
        assert names(operator, path_of(site, filter=both)) == sorted(wanted)


def test_the_filter_over_a_subscription(site, operator, place):
    """arm-core 1.6.2, az-cli 4: what az sends for -g, --tag, -n and --resource-type."""
    far = path_of(site, filter="tagname eq 'env' and tagvalue eq 'prod'")
    assert {"ListOne", "listfar"} <= set(names(operator, far))
    assert names(operator, path_of(site, filter=f"resourceGroup eq '{place.other.group}' and resourceType eq '{TYPE}'")) == [
        "listfar"]
    assert names(operator, path_of(site, filter="resourceGroup eq 'no-such-group'")) == []
    assert names(operator, path_of(site, filter=f"substringof('{place.other.group[-4:]}', resourceGroup) and name eq 'listfar'")
                 ) == ["listfar"]
    assert "listfar" not in names(operator, path_of(site, filter=f"resourceGroup ne '{place.other.group}'"))
    assert names(operator, path_of(site, place.group, filter=f"resourceGroup eq '{place.other.group}'")) == []


# arm-core 1.6.5: each names the word that is wrong.
@pytest.mark.parametrize("filter_, named", [
    ("colour eq 'x'", "'colour'"), ("name gt 'x'", "'gt'"), ("name eq x", "'x'"), ("name eq 'x", "quote"),
    ("name eq 'x' and", "property"), ("endswith(name, 'x')", "'endswith'"), ("startswith(name, 'x')", "'name'"),
    ("tagvalue eq 'x'", "tagValue"), ("name eq 'x') or name eq 'y'", "')'"), ("(name eq 'x'", "parenthesis"),
    ("(" * 40 + "name eq 'x'" + ")" * 40, "parentheses"), (" or ".join(["name eq 'x'"] * 100), "too many"),
    ("name eq '" + "x" * 5000 + "'", "longer"), ("name eq 'a\0b'", "")], ids=lambda value: value[:20].replace("\0", "0"))
def test_a_wrong_filter(site, operator, filter_, named):
    refused = operator.get(path_of(site, filter=filter_)).expect(400)
    assert refused.code in ("InvalidFilterInQueryString", "BadRequest") and named in refused.message
    assert refused.code == "InvalidFilterInQueryString" or not named


def test_an_item(site, operator, place):
    """arm-core 1.6.3, 1.6.4: members in their order; $expand; tags are not shown by a filter of name and value."""
    item = operator.get(path_of(site, place.group, filter="name eq 'listone'")).expect(200).json["value"][0]
    assert list(item) == ["id", "name", "type", "sku", "location", "tags"]
    assert item["id"] == place.one and item["name"] == "ListOne" and item["type"] == TYPE
    assert item["sku"] == {"name": "Basic", "tier": "Basic"} and item["tags"] == {"env": "prod", "team": "it's"}
    for expand in ("createdTime,changedTime,provisioningState", "CREATEDTIME , changedtime,provisioningstate"):
        whole = operator.get(path_of(site, place.group, filter="name eq 'listone'", expand=expand)).json["value"][0]
        assert list(whole) == ["id", "name", "type", "sku", "location", "createdTime", "changedTime", "provisioningState", "tags"]
        assert whole["provisioningState"] == "Succeeded" and whole["createdTime"] <= whole["changedTime"]
    assert "changedTime" in operator.get(path_of(site, place.group, expand="changedTime")).json["value"][0]
    assert "createdTime" not in operator.get(path_of(site, place.group, expand="changedTime")).json["value"][0]
    wrong = operator.get(path_of(site, place.group, expand="createdTime,colour")).expect(400)
    assert "'colour'" in wrong.message
    tagged = operator.get(path_of(site, place.group, filter="tagName eq 'env' and tagValue eq 'prod'")).json["value"][0]
    assert "tags" not in tagged


def test_pages(site, operator, place):
    """arm-core 1.6.1: $top, nextLink on the client's host with the client's own query, either casing of the token."""
    path = path_of(site, place.group, top=1, filter=f"resourceType eq '{TYPE}'", expand="createdTime")
    items, pages = walk(operator, path)
    assert [i["name"] for i in items] == ["ListOne", "listthree", "listtwo"] and pages == 3
    first = operator.get(path).json
    link = urllib.parse.urlsplit(first["nextLink"])
    assert f"{link.scheme}://{link.netloc}" == site.facts["resourceManager"].rstrip("/")
    query = dict(urllib.parse.parse_qsl(link.query))
    assert query["api-version"] == LISTS and query["$top"] == "1" and query["$filter"] == f"resourceType eq '{TYPE}'"
    other = first["nextLink"].replace("$skiptoken", "$skipToken")
    assert operator.get(other).expect(200).json == operator.get(first["nextLink"]).expect(200).json
    assert "nextLink" not in operator.get(path_of(site, place.group, top=3)).json
    for wrong in ("0", "-1", "x", "1001x"):
        assert operator.get(path_of(site, place.group, top=wrong)).expect(400).code == "InvalidTopInQueryString"
    for wrong in ("x", "!!", "WyJhIl0", "bm90anNvbg", "A" * 5000):
        assert operator.get(path_of(site, place.group, skiptoken=wrong)).expect(400).code == "InvalidSkipToken"


def test_registry_lists_have_pages(site, operator, place):
    for at in ("", f"/resourceGroups/{place.group}"):
        path = f"/subscriptions/{site.subscription}{at}/providers/{TYPE}?api-version={REGISTRY}&$top=2"
        items, pages = walk(operator, path)
        ids = [i["id"].lower() for i in items]
        assert len(ids) == len(set(ids)) and place.one.lower() in ids and pages >= 2
        assert "properties" in items[0] and (at == "" or len(ids) == 3)


def test_lists_show_what_may_be_read(site, operator, place):
    """arm-core 3.3, decisions 11: filtered item by item, 200 with nothing for who may read nothing."""
    reader, puller, nobody = site.principal(), site.principal(), site.principal()
    given = [site.assign(operator, reader, READER, place.one), site.assign(operator, reader, READER, place.far),
             site.assign(operator, reader, ACR_PULL, place.two), site.assign(operator, puller, ACR_PULL, place.one)]
    group_reader = site.principal()
    given.append(site.assign(operator, group_reader, READER,
                             f"/subscriptions/{site.subscription}/resourceGroups/{place.group}"))
    given.append(site.assign(operator, group_reader, READER, place.one))  # covered twice, shown once
    registries = f"/subscriptions/{site.subscription}/providers/{TYPE}?api-version={REGISTRY}"
    in_group = f"/subscriptions/{site.subscription}/resourceGroups/{place.group}/providers/{TYPE}?api-version={REGISTRY}"
    for principal, all_, of_group in ((reader, ["ListOne", "listfar"], ["ListOne"]), (puller, [], []), (nobody, [], []),
                                      (group_reader, ["ListOne", "listthree", "listtwo"], ["ListOne", "listthree", "listtwo"])):
        client = site.client_of(principal)
        assert names(client, path_of(site)) == all_ and names(client, registries) == all_
        assert names(client, path_of(site, top=1)) == all_
        assert names(client, path_of(site, place.group)) == of_group and names(client, in_group) == of_group
        found = [n for n in all_ if n.lower() == "listone"]
        assert names(client, path_of(site, filter="name eq 'LISTONE'")) == found
        assert names(client, path_of(site, filter=f"resourceType eq '{TYPE}'")) == all_
        assert client.get(place.three + f"?api-version={REGISTRY}").status == (200 if "listthree" in all_ else 403)
    for assignment in given:
        site.unassign(operator, assignment)


def test_a_walk_shows_each_once_while_others_come_and_go(site, operator):
    """Issue 3, paging: what is there all the time is seen exactly once."""
    place = Place(site, operator, "walk")
    kept = {place.create(f"walk{i:03}keep") for i in range(0, 60, 2)}
    stop = threading.Event()

    def others():
        client, i = site.operator(), 1
        while not stop.is_set():
            id_ = site.registry_id(place.group, f"walk{i % 60:03}gone")
            client.put(f"{id_}?api-version={REGISTRY}", {"location": site.region, "sku": {"name": "Basic"}})
            client.delete(f"{id_}?api-version={REGISTRY}")
            i += 7

    thread = threading.Thread(target=others)
    thread.start()
    try:
        for top in (1, 7, 1000):
            for path in (path_of(site, place.group, top=top), path_of(site, top=top, filter="substringof('walk', name)")):
                seen = [i["id"] for i in walk(operator, path)[0]]
                assert len(seen) == len(set(seen)) and kept <= set(seen)
    finally:
        stop.set()
        thread.join()
    operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{place.group}?api-version={LISTS}").expect(202)


# ---- by id

def spellings(id_):
    return [id_, id_ + "/", id_.lower(), id_.upper().replace("/SUBSCRIPTIONS/", "/Subscriptions/"),
            id_.replace("/providers/", "//providers//"), id_.replace("ContainerRegistry/", "ContainerRegistry//"),
            id_.replace("r", "%72", 1)]


def test_a_resource_in_any_spelling(site, operator, place):
    """arm-core 1.1.2, 1.1.5, 1.7.4; az-cli 4 (double slash)."""
    for id_ in spellings(place.two):
        assert operator.get(f"{id_}?api-version={REGISTRY}").expect(200).json["id"] == place.two
        head = operator.head(f"{id_}?API-VERSION={REGISTRY}").expect(204)
        assert head.body == b"" and head.header("Content-Type") is None and head.header("Content-Length") is None
        assert operator.patch(f"{id_}?api-version={REGISTRY}", {}).expect(200).json["id"] == place.two
        credentials = operator.post(f"{id_.rstrip('/')}/listCredentials?api-version={REGISTRY}")
        assert credentials.status in (200, 400)
    absent = site.registry_id(place.group, "absent123")
    for id_ in spellings(absent):
        refused = operator.head(f"{id_}?api-version={REGISTRY}").expect(404)
        assert refused.body == b"" and int(refused.header("Content-Length")) > 0
        operator.delete(f"{id_}?api-version={REGISTRY}").expect(204)
        operator.patch(f"{id_}?api-version={REGISTRY}", {}).expect(404)
    gone = site.registry_id("no-such-group", "absent123")
    assert operator.delete(f"{gone}?api-version={REGISTRY}").expect(404).code == "ResourceGroupNotFound"  # arm-core 1.7.3
    for version in ("2019-05-01", "2017-10-01"):
        assert operator.get(f"{place.two}?api-version={version}").expect(200).json["name"] == "listtwo"


def test_the_whole_object_comes_back(site, operator, place):
    """arm-core 1.7.1: az puts what it got, read-only members and all."""
    shown = operator.get(f"{place.two}?api-version={REGISTRY}").expect(200).json
    assert {"loginServer", "creationDate", "provisioningState"} <= set(shown["properties"]) and "tier" in shown["sku"]
    changed = operator.put(f"{place.two}?api-version={REGISTRY}", {
        **shown, "tags": {"colour": "red"}, "systemData": {"createdBy": "x"}, "etag": "\"1\"", "identity": None}).expect(200).json
    assert changed["properties"]["creationDate"] == shown["properties"]["creationDate"]
    assert changed["tags"] == {"colour": "red"}
    again = operator.put(f"{place.two}?api-version={REGISTRY}", {**shown, "location": "LO CAL"}).expect(200).json
    again["properties"]["policies"]["retentionPolicy"]["lastUpdatedTime"] = shown["properties"]["policies"]["retentionPolicy"][
        "lastUpdatedTime"]
    assert again == shown
    moved = operator.put(f"{place.two}?api-version={REGISTRY}", {**shown, "location": "elsewhere"}).expect(409)
    assert moved.code == "InvalidResourceLocation"
    other = operator.put(f"{place.two}?api-version={REGISTRY}", {
        **shown, "properties": {**shown["properties"], "provisioningState": "Failed"}}).expect(200).json  # decisions 47
    assert other["properties"]["provisioningState"] == "Succeeded"


def test_patch_merges(site, operator):
    """arm-core 1.7.2: tags are replaced, properties merged; null takes a member away (RFC 7396)."""
    place = Place(site, operator, "patch")
    id_ = place.create(tags={"one": "1", "two": "2"})
    at = f"{id_}?api-version={REGISTRY}"
    assert operator.patch(at, {"tags": {"three": "3"}}).expect(200).json["tags"] == {"three": "3"}
    patched = operator.patch(at, {"properties": {"adminUserEnabled": True}}).expect(200).json
    assert patched["tags"] == {"three": "3"} and patched["properties"]["adminUserEnabled"] is True
    kept = operator.patch(at, {"properties": {"policies": {"retentionPolicy": {"days": 30, "status": "disabled"}}}})
    assert kept.expect(200).json["properties"]["adminUserEnabled"] is True
    assert kept.json["properties"]["policies"]["retentionPolicy"]["days"] == 30
    assert operator.patch(at, {"sku": {"name": "Standard"}}).expect(200).json["sku"]["name"] == "Standard"
    bare = operator.patch(at, {"properties": {"adminUserEnabled": None, "policies": {"retentionPolicy": None}}}).expect(200).json
    assert bare["properties"]["adminUserEnabled"] is False
    assert bare["properties"]["policies"]["retentionPolicy"]["days"] == 7
    shown = operator.get(at).json
    assert operator.patch(at, {}).expect(200).json == shown
    operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{place.group}?api-version={LISTS}").expect(202)


def test_conditional_requests(site, operator):
    """arm-core 1.7.6: the ETag matrix, of a type without entity tags."""
    place = Place(site, operator, "match")
    id_ = site.registry_id(place.group, site.unique("match"))
    at, body = f"{id_}?api-version={REGISTRY}", {"location": site.region, "sku": {"name": "Basic"}}

    def answer(method, sent=None, **headers):
        made = operator.request(method, at, sent, headers={k.replace("_", "-"): v for k, v in headers.items()})
        assert made.status != 412 or made.code == "PreconditionFailed"
        return made.status

    assert answer("PUT", body, If_Match="*") == 412
    assert answer("PUT", body, If_Match='"x"') == 412
    assert answer("PATCH", {}, If_Match="*") == 404 and answer("PATCH", {}, If_Match='"x"') == 404
    assert answer("DELETE", If_Match="*") == 204 and answer("DELETE", If_Match='"x"') == 204
    assert operator.get(at).status == 404
    assert answer("PUT", body, If_None_Match="*") == 200
    assert answer("PUT", body, If_None_Match="*") == 412
    assert answer("PUT", body, If_Match='"x"') == 412 and answer("PATCH", {}, If_Match='"x", "y"') == 412
    assert answer("PUT", body, If_Match="*") == 200 and answer("PATCH", {}, If_Match="*") == 200
    assert answer("PUT", body, If_None_Match='"x"') == 200
    assert answer("DELETE", If_Match='"x"') == 412 and answer("DELETE", If_Match="*") == 200
    operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{place.group}?api-version={LISTS}").expect(202)


def test_a_post_is_judged_by_its_own_name(site, operator, place):
    """arm-core 1.7.5: a reader may GET, and not listCredentials."""
    reader = site.principal()
    given = site.assign(operator, reader, READER, place.two)
    client = site.client_of(reader)
    client.get(f"{place.two}?api-version={REGISTRY}").expect(200)
    refused = client.post(f"{place.two}/listCredentials?api-version={REGISTRY}").expect(403)
    assert f"'{TYPE}/listCredentials/action'" in refused.message
    site.unassign(operator, given)
    assert client.get(f"{place.two}?api-version={REGISTRY}").status == 403
    assert client.get(f"{site.registry_id(place.group, str(uuid.uuid4())[:8])}?api-version={REGISTRY}").status == 403
