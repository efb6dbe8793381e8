"""Resource Graph: what portals ask their lists with (decisions 50, docs/portal.md)."""
import base64
import json
import time
import uuid

import pytest

from harness.site import READER

URL = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
COLUMNS = ["id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy", "sku", "plan",
           "properties", "tags", "identity", "zones", "extendedLocation"]
REGISTRY = "microsoft.containerregistry/registries"


class World:
    """Two groups with six registries, and a reader of one of the groups."""

    def __init__(self, site, operator):
        self.site, self.operator = site, operator
        self.mark = site.unique("w")
        self.groups = [f"{self.mark}-One", f"{self.mark}-two"]
        for i, group in enumerate(self.groups):
            operator.put(self.group_id(group) + "?api-version=2019-10-01",
                         {"location": site.region, "tags": {"tier": f"t{i}"}}).expect(201)
        self.names = {}
        for letter, group, sku, tags, admin in [
                ("a", 0, "Standard", {"env": "prod", "Cost Centre": "7"}, True),
                ("b", 0, "Basic", {"env": "Prod"}, False),
                ("c", 0, "Standard", {"env": "test"}, False),
                ("d", 1, "Standard", {}, True),
                ("e", 1, "Basic", {"env": "test", "note": "it's \"quoted\" \\ here"}, False),
                ("F", 1, "Standard", {"env": "dev"}, False)]:
            name = f"{self.mark}{letter}"
            self.names[letter] = name
            operator.put(site.registry_id(self.groups[group], name) + "?api-version=2019-05-01",
                         {"location": site.region, "sku": {"name": sku}, "tags": tags,
                          "properties": {"adminUserEnabled": admin}}).expect(200)
        self.reader = site.client_of(principal := site.principal())
        site.assign(operator, principal, READER, self.group_id(self.groups[1]))

    def group_id(self, group):
        return f"/subscriptions/{self.site.subscription}/resourceGroups/{group}"

    def ask(self, query, client=None, expect=200, **members):
        body = {"query": query.replace("$MARK", self.mark).replace("$SUB", self.site.subscription), **members}
        return (client or self.operator).post(URL, body).expect(expect)

    def letters(self, query, client=None, **members):
        """The letters of the registries that a query finds, in order."""
        rows = self.ask(query, client, **members).json["data"]
        return "".join(row["name"][len(self.mark):] for row in rows)


@pytest.fixture(scope="module")
def world(site, operator):
    made = World(site, operator)
    yield made
    for group in made.groups:
        operator.delete(made.group_id(group) + "?api-version=2019-10-01")


def test_a_row_has_every_column_in_order(world, site):
    """decisions 50: the columns."""
    answer = world.ask("resources | where name == '$MARKa'").json
    assert [answer[k] for k in ("totalRecords", "count", "resultTruncated", "facets")] == [1, 1, "false", []]
    assert "$skipToken" not in answer
    (row,) = answer["data"]
    assert list(row) == COLUMNS
    provider = world.operator.get(f"/subscriptions/{site.subscription}/providers/Microsoft.ContainerRegistry"
                                  "?api-version=2019-10-01").expect(200).json
    versions = next(t["apiVersions"] for t in provider["resourceTypes"] if t["resourceType"] == "registries")
    newest = max(v for v in versions if "preview" not in v)
    direct = world.operator.get(site.registry_id(world.groups[0], world.names["a"]) + f"?api-version={newest}").expect(200).json
    assert row == {"id": direct["id"], "name": direct["name"], "type": REGISTRY, "tenantId": site.tenant, "kind": "",
                   "location": site.region, "resourceGroup": world.groups[0], "subscriptionId": site.subscription,
                   "managedBy": "", "sku": {"name": "Standard", "tier": "Standard"}, "plan": None,
                   "properties": direct["properties"], "tags": {"env": "prod", "Cost Centre": "7"}, "identity": None,
                   "zones": None, "extendedLocation": None}


# Conditions over the six registries, and which of them they leave, by name.
CONDITIONS = [
    ("name == '$MARKa'", "a"),
    ('name == "$MARKA"', ""),
    ("name =~ '$MARKA'", "a"),
    ("'$MARKa' == name", "a"),
    ("name != '$MARKa'", "Fbcde"),
    ("name !~ '$MARKf'", "abcde"),
    ("name in ('$MARKa', '$MARKB')", "a"),
    ("name in~ ('$MARKa', '$MARKB')", "ab"),
    ("name !in ('$MARKa', '$MARKb', '$MARKc')", "Fde"),
    ("name !in~ ('$MARKA', '$MARKB', '$MARKC', '$MARKD')", "Fe"),
    ("name in ()", ""),
    ("type == 'microsoft.containerregistry/registries'", "Fabcde"),
    ("type == 'Microsoft.ContainerRegistry/registries'", ""),
    ("type =~ 'Microsoft.ContainerRegistry/registries'", "Fabcde"),
    ("type in~ ('Microsoft.ContainerRegistry/Registries', 'a.b/c')", "Fabcde"),
    ("type =~ 'Microsoft.Compute/virtualMachines'", ""),
    ("resourceGroup =~ '$MARK-one'", "abc"),
    ("resourceGroup == '$MARK-One'", "abc"),
    ("resourceGroup == '$MARK-one'", ""),
    ("resourceGroup in~ ('$MARK-ONE', '$MARK-TWO')", "Fabcde"),
    ("tolower(resourceGroup) == '$MARK-two'", "Fde"),
    ("toupper(name) == toupper('$MARKe')", "e"),
    ("subscriptionId == '$SUB'", "Fabcde"),
    ("subscriptionId == '00000000-0000-0000-0000-000000000000'", ""),
    ("location =~ 'LOCAL'", "Fabcde"),
    ("location == 'westus'", ""),
    ("id =~ '/SUBSCRIPTIONS/$SUB/RESOURCEGROUPS/$MARK-ONE/providers/microsoft.containerregistry/registries/$MARKb'", "b"),
    ("id contains '/registries/$MARKc'", "c"),
    ("id endswith '$MARKD'", "d"),
    ("tags['env'] == 'prod'", "a"),
    ("tags.env =~ 'PROD'", "ab"),
    ("tags.env != 'prod'", "Fbcde"),
    ("tags['Cost Centre'] == '7'", "a"),
    ("tags.env in ('dev', 'test')", "Fce"),
    ("tags.note == 'it\\'s \"quoted\" \\\\ here'", "e"),
    ("tags.note contains @'\\ here'", "e"),
    ("isempty(tags.env)", "d"),
    ("isnotempty(tags['env'])", "Fabce"),
    ("isnull(tags.env)", "d"),
    ("isnotnull(tags.env) and not(tags.env == 'test')", "Fab"),
    ("isempty(tags.nothing.deeper['and'][3])", "Fabcde"),
    ("sku.name == 'Basic'", "be"),
    ("sku['name'] !~ 'BASIC'", "Facd"),
    ("properties.adminUserEnabled == true", "ad"),
    ("properties.adminUserEnabled == 'true'", "ad"),
    ("tostring(properties.adminUserEnabled) =~ 'False'", "Fbce"),
    ("properties.provisioningState =~ 'succeeded'", "Fabcde"),
    ("properties.policies.retentionPolicy.days == 7", "Fabcde"),
    ("properties.policies.retentionPolicy.days > 6 and properties.policies.retentionPolicy.days <= 7", "Fabcde"),
    ("properties.policies.retentionPolicy.days < 7", ""),
    ("properties.loginServer startswith '$MARKa.'", "a"),
    ("properties contains '\"loginServer\":\"$MARKe.'", "e"),
    ("name contains '$MARK' and name contains 'A'", "a"),
    ("name !contains 'Ka' and name !contains '$MARKA'", "Fbcde"),
    ("name contains_cs '$MARKF'", "F"),
    ("name contains_cs '$MARKf'", ""),
    ("name startswith '$MARKB'", "b"),
    ("name startswith_cs '$MARKB'", ""),
    ("name !startswith '$MARKb'", "Facde"),
    ("name endswith 'C'", "c"),
    ("name !endswith 'c'", "Fabde"),
    ("resourceGroup has 'ONE'", "abc"),
    ("resourceGroup has 'on'", ""),
    ("resourceGroup !has 'one'", "Fde"),
    ("type has 'containerregistry'", "Fabcde"),
    ("name == '$MARKa' or name == '$MARKb' and tags.env == 'Prod'", "ab"),
    ("(name == '$MARKa' or name == '$MARKb') and tags.env == 'Prod'", "b"),
    ("not (name == '$MARKa' or name == '$MARKb')", "Fcde"),
    ("name == '$MARKa' and name == '$MARKb'", ""),
    ("name contains ('$MARK') // a comment\n and (name =~ ('$MARKa'))", "a"),
    ("true", "Fabcde"),
    ("false", ""),
]


@pytest.mark.parametrize("condition,expected", CONDITIONS, ids=[c for c, _ in CONDITIONS])
def test_condition(world, condition, expected):
    """decisions 50: where."""
    query = f"resources | where {condition} | where name startswith '$MARK' | order by name asc"
    assert world.letters(query) == expected


def test_conditions_one_after_the_other_and_in_one(world):
    assert world.letters("Resources\n| where tags.env =~ 'prod'\n| where sku.name == 'Basic'\n| where name startswith '$MARK'") == "b"


# Whole queries, and the rows they give.
QUERIES = [
    ("where name startswith '$MARK' | project name | order by name asc | take 2",
     [{"name": "$MARKF"}, {"name": "$MARKa"}]),
    ("where name startswith '$MARK' | order by name | limit 1 | project name", [{"name": "$MARKe"}]),
    ("where name startswith '$MARK' | sort by tolower(tostring(name)) desc | take 2 | project n=name, resourceGroup",
     [{"n": "$MARKF", "resourceGroup": "$MARK-two"}, {"n": "$MARKe", "resourceGroup": "$MARK-two"}]),
    ("where name startswith '$MARK' | top 2 by name asc | project name", [{"name": "$MARKF"}, {"name": "$MARKa"}]),
    ("where name startswith '$MARK' | order by sku.name asc, name desc | project sku.name, name | take 3",
     [{"sku_name": "Basic", "name": "$MARKe"}, {"sku_name": "Basic", "name": "$MARKb"},
      {"sku_name": "Standard", "name": "$MARKd"}]),
    ("where name startswith '$MARK' | order by tags.env asc, name asc | project tags['env'] | take 2",
     [{"tags_env": None}, {"tags_env": "Prod"}]),
    ("where name startswith '$MARK' | order by tags.env asc nulls last, name asc | project e=tags.env | take 1", [{"e": "Prod"}]),
    ("where name == '$MARKa' | extend Name = toupper(name), mine = name startswith '$MARK' | project Name, mine",
     [{"Name": "$UPPERA", "mine": True}]),
    ("where name == '$MARKa' | extend name = tolower(resourceGroup) | project name", [{"name": "$MARK-one"}]),
    ("where name == '$MARKa' | project-away id, type, tenantId, kind, location, resourceGroup, subscriptionId, managedBy, sku,"
     " plan, properties, tags, identity, zones | project-away extendedLocation", [{"name": "$MARKa"}]),
    ("where name startswith '$MARK' | count", [{"Count": 6}]),
    ("where name startswith '$MARK' and name == 'x' | count", [{"Count": 0}]),
    ("where name startswith '$MARK' | summarize count()", [{"count_": 6}]),
    ("where name startswith '$MARK' | summarize count() by type", [{"type": REGISTRY, "count_": 6}]),
    ("where name startswith '$MARK' | summarize n=count() by resourceGroup, tostring(sku.name) | order by n desc, resourceGroup asc",
     [{"resourceGroup": "$MARK-One", "sku_name": "Standard", "n": 2},
      {"resourceGroup": "$MARK-two", "sku_name": "Standard", "n": 2},
      {"resourceGroup": "$MARK-One", "sku_name": "Basic", "n": 1},
      {"resourceGroup": "$MARK-two", "sku_name": "Basic", "n": 1}]),
    ("where name startswith '$MARK' | summarize total=count() by env=tolower(tags.env) | where total > 1 | order by env asc",
     [{"env": "prod", "total": 2}, {"env": "test", "total": 2}]),
    ("where name startswith '$MARK' | summarize count() by tags.env | count", [{"Count": 5}]),
    ("where name startswith '$MARK' | distinct resourceGroup | order by resourceGroup asc",
     [{"resourceGroup": "$MARK-One"}, {"resourceGroup": "$MARK-two"}]),
    ("where name startswith '$MARK' | distinct type, location | project location", [{"location": "local"}]),
    ("where name startswith '$MARK' | order by name asc | take 4 | where sku.name == 'Basic' | project name", [{"name": "$MARKb"}]),
    ("where name startswith '$MARK' | order by name asc | take 3 | summarize count() by resourceGroup | order by count_ desc",
     [{"resourceGroup": "$MARK-One", "count_": 2}, {"resourceGroup": "$MARK-two", "count_": 1}]),
    ("where name startswith '$MARK' | take 0", []),
    ("where name == '$MARKa' | project tags, tags['Cost Centre'], properties.adminUserEnabled;",
     [{"tags": {"env": "prod", "Cost Centre": "7"}, "tags_Cost Centre": "7", "properties_adminUserEnabled": True}]),
]


@pytest.mark.parametrize("query,expected", QUERIES, ids=[q for q, _ in QUERIES])
def test_query(world, query, expected):
    """decisions 50: project, extend, order by, take, count, distinct, summarize."""
    def filled(value):
        if isinstance(value, str):
            return value.replace("$MARK", world.mark).replace("$UPPER", world.mark.upper())
        return value
    assert world.ask("resources | " + query).json["data"] == [{k: filled(v) for k, v in row.items()} for row in expected]


def test_the_table_may_be_left_out(world):
    """What az graph's own documentation begins with."""
    assert world.ask("project name, type | where name == '$MARKa'").json["data"] == [
        {"name": world.names["a"], "type": REGISTRY}]


def test_containers(world, site):
    """decisions 50: resourcecontainers: subscriptions and groups."""
    rows = world.ask("ResourceContainers | where name startswith '$MARK' | order by name asc").json["data"]
    assert [list(row) for row in rows] == [COLUMNS, COLUMNS]
    assert [(r["name"], r["type"], r["tags"], r["properties"], r["resourceGroup"]) for r in rows] == [
        (f"{world.mark}-One", "microsoft.resources/subscriptions/resourcegroups", {"tier": "t0"},
         {"provisioningState": "Succeeded"}, f"{world.mark}-One"),
        (f"{world.mark}-two", "microsoft.resources/subscriptions/resourcegroups", {"tier": "t1"},
         {"provisioningState": "Succeeded"}, f"{world.mark}-two")]
    (subscription,) = world.ask("resourcecontainers | where type == 'microsoft.resources/subscriptions'"
                                " and subscriptionId == '$SUB'").json["data"]
    shown = world.operator.get(f"/subscriptions/{site.subscription}?api-version=2019-06-01").expect(200).json
    assert (subscription["id"], subscription["name"], subscription["properties"]["state"]) == (
        shown["id"], shown["displayName"], shown["state"])


def test_only_what_the_caller_may_read(world):
    """decisions 50: only what the caller may read."""
    assert world.letters("resources | order by name asc", world.reader) == "Fde"
    assert world.ask("resources | summarize count()", world.reader).json["data"] == [{"count_": 3}]
    groups = world.ask("resourcecontainers | where type endswith 'resourcegroups' | project name", world.reader).json["data"]
    assert groups == [{"name": f"{world.mark}-two"}]
    stranger = world.site.client_of(world.site.principal())
    assert world.ask("resources", stranger).json["data"] == []
    assert world.ask("resourcecontainers", stranger).json["data"] == []


def test_a_right_taken_away_counts_for_the_next_query(world, site, operator):
    principal = site.principal()
    client = site.client_of(principal)
    for _ in range(5):
        assignment = site.assign(operator, principal, READER, site.registry_id(world.groups[0], world.names["a"]))
        assert world.letters("resources", client) == "a"
        site.unassign(operator, assignment)
        assert world.letters("resources", client) == ""


def test_subscriptions_asked_for(world, site):
    where = "resources | where name startswith '$MARK' | count"
    assert world.ask(where, subscriptions=[site.subscription.upper()]).json["data"] == [{"Count": 6}]
    assert world.ask(where, subscriptions=[str(uuid.uuid4())]).json["data"] == [{"Count": 0}]
    assert world.ask(where, subscriptions=[]).json["data"] == [{"Count": 6}]
    assert world.ask(where, subscriptions=None, managementGroups=[], facets=[], options=None).json["data"] == [{"Count": 6}]


def test_table_format(world):
    """decisions 50: resultFormat table."""
    answer = world.ask("resources | where name == '$MARKa' | project name, tags, n = isempty(name), sku.tier",
                       options={"resultFormat": "table"}).json
    assert answer["data"] == {
        "columns": [{"name": "name", "type": "string"}, {"name": "tags", "type": "object"}, {"name": "n", "type": "boolean"},
                    {"name": "sku_tier", "type": "object"}],
        "rows": [[world.names["a"], {"env": "prod", "Cost Centre": "7"}, False, "Standard"]]}
    counted = world.ask("resources | where name startswith '$MARK' | count", options={"resultFormat": "Table"}).json
    assert counted["data"] == {"columns": [{"name": "Count", "type": "integer"}], "rows": [[6]]}


PAGED = ["resources | where name startswith '$MARK'",
         "resources | where name startswith '$MARK' | order by name desc",
         "resources | where name startswith '$MARK' | order by tags.env asc, sku.name desc",
         "resources | where name startswith '$MARK' | order by location asc | project name",
         "resources | where name startswith '$MARK' | take 5",
         "resources | where name startswith '$MARK' | order by name asc | take 5",
         "resources | where name startswith '$MARK' | distinct name",
         "resources | where name startswith '$MARK' | summarize count() by name | order by count_ desc, name asc",
         "resources | where name in~ ('$MARKf', '$MARKa', '$MARKd')",
         "resources | where resourceGroup =~ '$MARK-one'",
         "resourcecontainers | where name startswith '$MARK'"]


@pytest.mark.parametrize("query", PAGED)
@pytest.mark.parametrize("top", [1, 2, 4])
def test_pages(world, query, top):
    """decisions 50: $top and $skipToken: the pages together are the whole, in the same order."""
    whole = world.ask(query).json
    rows, options, pages = [], {"$top": top, "$skipToken": "", "$skip": 0, "resultFormat": ""}, 0
    while True:
        page = world.ask(query, options=options).json
        pages += 1
        assert page["count"] == len(page["data"]) <= top and page["totalRecords"] == whole["totalRecords"] == whole["count"]
        rows += page["data"]
        assert (page["resultTruncated"] == "true") == ("$skipToken" in page)
        if "$skipToken" not in page:
            break
        options = {"$top": top, "$skipToken": page["$skipToken"], "$skip": 0}
    assert rows == whole["data"] and pages == -(-whole["count"] // top)


@pytest.mark.parametrize("query", PAGED)
def test_rows_skipped(world, query):
    """decisions 50: $skip."""
    whole = world.ask(query).json
    for skip in (1, 2, 5, 50):
        page = world.ask(query, options={"$skip": skip, "$top": 2}).json
        assert page["data"] == whole["data"][skip:skip + 2] and page["totalRecords"] == whole["count"]
        assert ("$skipToken" in page) == (skip + 2 < whole["count"] and page["count"] > 0)
        if "$skipToken" in page:
            rest = world.ask(query, options={"$skipToken": page["$skipToken"]}).json
            assert rest["data"] == whole["data"][skip + 2:]


def test_pages_while_others_come_and_go(world, site):
    """A page begins behind the last row of the one before, whatever was made or deleted meanwhile."""
    group = world.groups[1]
    for query in ("resources | where name startswith '$MARK'", "resources | where name startswith '$MARK' | order by name desc"):
        seen, options = [], {"$top": 2}
        for step in range(20):
            page = world.ask(query, options=options).json
            seen += [row["name"] for row in page["data"]]
            extra = site.registry_id(group, f"{world.mark}{'az'[step % 2]}x{step}")
            world.operator.put(extra + "?api-version=2019-05-01", {"location": site.region, "sku": {"name": "Basic"}}).expect(200)
            world.operator.delete(extra + "?api-version=2019-05-01").expect(200)
            if "$skipToken" not in page:
                break
            options = {"$top": 2, "$skipToken": page["$skipToken"]}
        assert [n for n in seen if "x" not in n[len(world.mark):]] == sorted(world.names.values(), key=str.lower,
                                                                            reverse="desc" in query) or \
            sorted(seen) == sorted(world.names.values())


# Queries that are none, and the word that the answer names.
BAD = [
    ("resources | join kind=inner (resources) on id", "join"),
    ("resources | mv-expand tags", "mv-expand"),
    ("resources | project-rename a = name", "project-rename"),
    ("resources | parse name with a", "parse"),
    ("resources | union resourcecontainers", "union"),
    ("let a = 1; resources", "let"),
    ("securityresources", "securityresources"),
    ("resources | where nosuchcolumn == 'x'", "nosuchcolumn"),
    ("resources | where Name == 'x'", "Name"),
    ("resources | where name matches regex 'x'", "matches"),
    ("resources | where name has_any ('x')", "has_any"),
    ("resources | where name between ('a' .. 'b')", "between"),
    ("resources | where strcat(name, 'x') == 'x'", "strcat"),
    ("resources | where name == 'unended", "'unended"),
    ("resources | where name == 'bad \\q escape'", "'bad \\q escape'"),
    ("resources | where name + 'x' == 'y'", "+"),
    ("resources | where name.member == 'x'", "."),
    ("resources | where name in ('a', name)", "name"),
    ("resources | where", ""),
    ("resources | where (name == 'x'", ""),
    ("resources | summarize dcount(name) by type", "dcount"),
    ("resources | summarize count(), count() by type", ","),
    ("resources | order by", ""),
    ("resources | order name", "name"),
    ("resources | take many", "many"),
    ("resources | project name, name", "name"),
    ("resources | project-away nothere", "nothere"),
    ("resources | extend x = ago(1d)", "ago"),
    ("resources | count name", "name"),
    ("resources name", "name"),
    ("resources | where name == 'x' 'y'", "'y'"),
    ("resources | where name == ☃", "☃"),
    ("resources |", ""),
    ("'resources'", "'resources'"),
    ("resources | order by name | take 6000 | where name == 'x'", "take"),
    ("resources | where " + "(" * 80 + "true" + ")" * 80, "("),
    ("resources" + " | where true" * 40, "where"),
]


@pytest.mark.parametrize("query,word", BAD, ids=[q[:60] for q, _ in BAD])
def test_a_query_that_is_none(world, query, word):
    """decisions 50: bad query: 400 BadRequest with details InvalidQuery naming the word."""
    error = world.ask(query, expect=400).json["error"]
    assert error["code"] == "BadRequest"
    (detail,) = error["details"]
    assert detail["code"] == "InvalidQuery" and (word in detail["message"] if word else "end" in detail["message"]), detail
    assert detail["target"] == word


@pytest.mark.parametrize("members,word", [
    ({"facets": [{"expression": "type"}]}, "facets"),
    ({"managementGroups": ["mg"]}, "managementGroups"),
    ({"subscriptions": ["x"]}, "subscriptions"),
    ({"subscriptions": "x"}, "subscriptions"),
    ({"subscriptions": [1]}, "subscriptions"),
    ({"options": {"$top": 0}}, "$top"),
    ({"options": {"$top": 1001}}, "$top"),
    ({"options": {"$top": "10"}}, "$top"),
    ({"options": {"$skip": -1}}, "$skip"),
    ({"options": {"resultFormat": "csv"}}, "resultFormat"),
    ({"options": {"$skipToken": "x"}}, "$skipToken"),
    ({"options": {"$skipToken": 1}}, "$skipToken"),
    ({"options": {"other": 1}}, "other"),
    ({"options": []}, "options"),
    ({"more": 1}, "more"),
    ({"query": ""}, "query"),
    ({"query": 7}, "query"),
    ({"query": None}, "query"),
    ({"query": "x" * 20000}, ""),
])
def test_a_request_that_is_none(world, operator, members, word):
    error = operator.post(URL, {"query": "resources", **members}).expect(400).json["error"]
    assert error["code"] == "BadRequest" and error["details"][0].get("target", "") == word, error


def test_a_token_of_another_query(world):
    token = world.ask("resources | where name startswith '$MARK'", options={"$top": 1}).json["$skipToken"]
    for query, subscriptions in (("resources", None), ("resources | where name startswith '$MARK'", [world.site.subscription])):
        error = world.ask(query, expect=400, subscriptions=subscriptions, options={"$skipToken": token}).json["error"]
        assert error["details"][0]["code"] == "InvalidSkipToken"


def test_the_door_is_the_same(world, site, operator):
    """decisions 12, arm-core 1.4: versions, method, headers."""
    assert operator.post(URL.replace("2021-03-01", "2018-09-01"), {"query": "resources"}).expect(400).code == "InvalidApiVersionParameter"
    for version in ("2021-06-01-preview", "2022-10-01", "2024-04-01"):
        operator.post(URL.replace("2021-03-01", version), {"query": "resources | take 1"}).expect(200)
    assert operator.get(URL).expect(405).header("Allow") == "POST"
    assert site.arm_client().post(URL, {"query": "resources"}).expect(401).code == "AuthenticationFailed"
    assert operator.post(URL).expect(400).code == "InvalidRequestContent"
    answer = operator.post("//PROVIDERS/microsoft.resourcegraph//Resources/?api-version=2021-03-01", {"query": "resources | take 1"})
    assert answer.expect(200).header("x-ms-correlation-request-id") and answer.header("Cache-Control") == "no-cache"


def test_nothing_of_the_query_becomes_sql(world):
    for text in ("'; drop table arm.resource; --", "$1", "%", "_", "\\\\", "\x01"):
        assert world.ask("resources | where name == '%s' or resourceGroup == '%s'" % (text.replace("'", "\\'"), text.replace("'", "\\'"))
                         ).json["data"] == []


@pytest.mark.parametrize("forged", [
    {3: b"{s}\x01{t}\x01\xff\xfe\x010"}, {3: b"{s}\x01{t}\x01a\x00b\x010"}, {3: b"\xff"}, {1: 2**63 - 1}, {1: 2**31}, {1: -1}, {1: "1"}, {2: None}])
def test_a_forged_place(world, forged):
    """A token whose place is no text for PostgreSQL was answered with 500, one that counts to the end of numbers went over it."""
    query = "resources | where name startswith '$MARK'"
    token = world.ask(query, options={"$top": 1}).json["$skipToken"]
    parts = json.loads(base64.urlsafe_b64decode(token + "=="))
    subscription, kind = base64.b64decode(parts[3]).split(b"\x01")[:2]
    for at, value in forged.items():
        if isinstance(value, bytes):
            value = base64.b64encode(value.replace(b"{s}", subscription).replace(b"{t}", kind)).decode()
        parts[at] = value
    token = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    error = world.ask(query, expect=400, options={"$top": 1, "$skipToken": token}).json["error"]
    assert error["details"][0]["code"] == "InvalidSkipToken"


def test_a_query_whose_rows_are_made_large(site, operator):
    """One text of the query in every column of every row: that was kept and answered however large, and could end the service."""
    subscription = site.command("subscription", "add", site.unique("Large"))["subscriptionId"]
    groups = [f"/subscriptions/{subscription}/resourceGroups/large{i}?api-version=2019-10-01" for i in range(100)]
    for group in groups:
        operator.put(group, {"location": site.region}).expect(201)
    long, wide = "x" * 14000, ", ".join(f"c{i} = a" for i in range(47))

    def refused(query):
        answer = operator.post(URL, {"query": "resourcecontainers | " + query, "subscriptions": [subscription]}).expect(400)
        assert len(answer.body) < 2000
        return answer.json["error"]["details"][0]["code"]

    for query in (f"extend a = '{long}' | extend {wide}", f"extend a = '{long}' | extend {wide} | take 100"):
        assert refused(query) == "ResponsePayloadTooLarge", query[-80:]
    for query in (f"extend a = '{long}' | extend {wide} | order by name | take 100 | where {' or '.join(f'c{i} == 1' for i in range(47))}",
                  f"extend a = '{long}' | extend {wide} | summarize count() by name, {wide}",
                  f"extend a = '{long}' | where {'toupper(' * 60}a{')' * 60} == ''",
                  f"where {'toupper(' * 60}'{long}'{')' * 60} == ''"):
        assert refused(query) == "InvalidQuery", query[-80:]
    for group in groups:
        operator.delete(group).expect(202)
    site.wait_until(lambda: not operator.get(f"/subscriptions/{subscription}/resourceGroups?api-version=2019-10-01").json["value"])
    site.command("subscription", "remove", subscription)
