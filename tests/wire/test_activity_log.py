"""The activity log (arm-core 2.7): what is recorded, what is left out, who may read it, filters, pages, retention."""
import base64
import datetime
import json
import re
import subprocess
import time
import urllib.parse
import uuid

import pytest

from harness.site import ACR_PULL, READER

LOG = "/providers/Microsoft.Insights/eventtypes/management/values"
REGISTRY, GROUP, ROLE = "?api-version=2019-05-01", "?api-version=2019-10-01", "?api-version=2015-07-01"
MEMBERS = ["authorization", "caller", "channels", "claims", "correlationId", "description", "eventDataId", "eventName",
           "category", "httpRequest", "id", "level", "resourceGroupName", "resourceProviderName", "resourceId",
           "resourceType", "operationId", "operationName", "properties", "status", "subStatus", "eventTimestamp",
           "submissionTimestamp", "subscriptionId", "tenantId"]


def ago(**span):
    return (datetime.datetime.utcnow() - datetime.timedelta(**span)).isoformat()


def path(site, terms="", start=None, version="2015-04-01", log=LOG, **query):
    written = f"eventTimestamp ge {start or ago(hours=1)}" + (f" and {terms}" if terms else "")
    more = "".join(f"&${k}={urllib.parse.quote(str(v))}" for k, v in query.items())
    return f"/subscriptions/{site.subscription}{log}?api-version={version}&$filter={urllib.parse.quote(written)}{more}"


def events(arm, where, pages=None):
    found, seen = [], 0
    while where:
        body = arm.get(where).expect(200).json
        assert list(body) in (["value"], ["nextLink", "value"])
        found += body["value"]
        where, seen = body.get("nextLink"), seen + 1
        assert seen < 200
    if pages is not None:
        pages.append(seen)
    return found


def eventually(ask, count):
    """Refusals are recorded soon, not at once."""
    for _ in range(100):
        found = ask()
        if len(found) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{len(found)} of {count} events: {found}")


def sql(site, statement):
    done = subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "psql", "-XAtq", "-U", "azsacr",
                           "-v", "ON_ERROR_STOP=1", "-h", str(site.state / "run" / "pg"), "-d", "azsacr", "-c", statement],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_write_is_two_events(site, operator, group):
    """arm-core 2.7.2: members and their order; begin and end share operationId; ticks, seven digits."""
    correlation, client = str(uuid.uuid4()), str(uuid.uuid4())
    name = site.unique("act")
    id_ = site.registry_id(group, name)
    answer = operator.put(id_ + REGISTRY, {"location": site.region, "sku": {"name": "Standard"}, "tags": {"a": "b"}}, headers={
        "x-ms-correlation-request-id": correlation, "x-ms-client-request-id": client}).expect(200)
    end, begin = events(operator, path(site, f"correlationId eq '{correlation}'"))
    assert list(begin) == list(end) == MEMBERS
    assert begin["operationId"] == end["operationId"] == answer.header("x-ms-request-id")
    assert begin["eventDataId"] != end["eventDataId"]
    assert begin["eventName"] == {"value": "BeginRequest", "localizedValue": "Begin request"}
    assert end["eventName"] == {"value": "EndRequest", "localizedValue": "End request"}
    assert begin["status"] == {"value": "Started", "localizedValue": "Started"}
    assert end["status"] == {"value": "Succeeded", "localizedValue": "Succeeded"}
    assert begin["subStatus"]["value"] == ""
    assert end["subStatus"] == {"value": "OK", "localizedValue": "OK (HTTP Status Code: 200)"}
    assert json.loads(begin["properties"]["requestbody"])["tags"] == {"a": "b"}
    assert "requestbody" not in end["properties"] and end["properties"]["statusCode"] == "OK"
    assert end["properties"]["serviceRequestId"] == answer.header("x-ms-request-id")
    for event in (begin, end):
        assert event["authorization"] == {"action": "Microsoft.ContainerRegistry/registries/write", "scope": id_}
        assert event["caller"] == site.facts["operator"]["appId"] and event["channels"] == "Operation"
        assert event["claims"]["appid"] == site.facts["operator"]["appId"]
        assert event["correlationId"] == correlation and event["category"]["value"] == "Administrative"
        assert event["httpRequest"] == {"clientRequestId": client, "clientIpAddress": "127.0.0.1", "method": "PUT"}
        assert event["level"] == "Informational" and event["resourceGroupName"] == group and event["resourceId"] == id_
        assert event["resourceProviderName"]["value"] == "Microsoft.ContainerRegistry"
        assert event["resourceType"]["value"] == "Microsoft.ContainerRegistry/registries"
        assert event["operationName"]["value"] == "Microsoft.ContainerRegistry/registries/write"
        assert event["subscriptionId"] == site.subscription and event["tenantId"] == site.tenant
        for time_ in (event["eventTimestamp"], event["submissionTimestamp"]):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", time_)
        when = datetime.datetime.fromisoformat(event["eventTimestamp"][:26])
        ticks = (when - datetime.datetime(1, 1, 1)) // datetime.timedelta(microseconds=1) * 10
        assert event["id"] == f"{id_}/events/{event['eventDataId']}/ticks/{ticks}"
    assert begin["eventTimestamp"] < end["eventTimestamp"]


def test_every_kind_of_write(site, operator, registry, group):
    """PUT, PATCH, POST, DELETE; reads and name checks are none."""
    start = ago()
    operator.patch(registry.id + REGISTRY, {"tags": {"x": "y"}}).expect(200)
    operator.post(f"{registry.id}/regenerateCredential{REGISTRY}", {"name": "password"}).expect(200)
    operator.get(registry.id + REGISTRY).expect(200)
    operator.post(f"/subscriptions/{site.subscription}/providers/Microsoft.ContainerRegistry/checkNameAvailability{REGISTRY}",
                  {"name": "something1", "type": "Microsoft.ContainerRegistry/registries"}).expect(200)
    operator.delete(registry.id + REGISTRY).expect(200)
    operator.delete(registry.id + REGISTRY).expect(204)
    found = events(operator, path(site, f"resourceGroupName eq '{group}'", start=start))
    ends = [(e["httpRequest"]["method"], e["operationName"]["value"], e["properties"]["statusCode"]) for e in found
            if e["eventName"]["value"] == "EndRequest"]
    prefix = "Microsoft.ContainerRegistry/registries/"
    assert ends == [("DELETE", prefix + "delete", "NoContent"), ("DELETE", prefix + "delete", "OK"),
                    ("POST", prefix + "regenerateCredential/action", "OK"), ("PATCH", prefix + "write", "OK")]
    assert {e["resourceType"]["value"] for e in found} == {"Microsoft.ContainerRegistry/registries"}
    times = [e["eventTimestamp"] for e in found]
    assert times == sorted(times, reverse=True) and len(found) == 8


def test_a_refusal_is_recorded(site, operator, group, registry):
    """Failed with status and code; 403 too; 401 and 429 not."""
    stranger = site.principal()
    site.assign(operator, stranger, ACR_PULL, registry.id)
    arm = site.client_of(stranger)
    refused = arm.delete(registry.id + REGISTRY, headers={"x-ms-correlation-request-id": str(uuid.uuid4())}).expect(403)
    site.arm_client("nonsense").delete(registry.id + REGISTRY).expect(401)
    bad = operator.put(site.registry_id(group, "ab") + REGISTRY, {"location": site.region, "sku": {"name": "Standard"}}).expect(400)
    end, begin = eventually(lambda: events(operator, path(
        site, f"correlationId eq '{refused.header('x-ms-correlation-request-id')}'")), 2)
    assert end["status"]["value"] == "Failed" and end["level"] == "Error" and begin["status"]["value"] == "Started"
    assert end["caller"] == stranger["appId"] and end["subStatus"]["value"] == "Forbidden"
    message = json.loads(end["properties"]["statusMessage"])["error"]
    assert message == {"code": "AuthorizationFailed", "message": refused.message}
    end, _ = eventually(lambda: events(operator, path(
        site, f"correlationId eq '{bad.header('x-ms-correlation-request-id')}'")), 2)
    assert json.loads(end["properties"]["statusMessage"])["error"] == {"code": "InvalidResourceName"}
    failed = events(operator, path(site, f"resourceGroupName eq '{group}' and status eq 'Failed'"))
    assert {e["properties"]["statusCode"] for e in failed} == {"Forbidden", "BadRequest"} and len(failed) == 2
    assert len(events(operator, path(site, f"resourceGroupName eq '{group}' and levels eq 'Error'"))) == 2


def test_a_subscription_that_is_not_there_has_no_log(site, operator):
    operator.put(f"/subscriptions/{uuid.uuid4()}/resourcegroups/nolog{GROUP}", {"location": site.region}).expect(404)
    operator.put(f"/subscriptions/nonsense/resourcegroups/nolog{GROUP}", {"location": site.region}).expect(400)
    time.sleep(0.3)
    assert sql(site, "select count(*) from arm.activity where scope like '%nolog%'") == "0"


def test_a_group_s_deletion_ends_when_its_job_ends(site, operator):
    name = site.unique("gone")
    where = f"/subscriptions/{site.subscription}/resourcegroups/{name}"
    operator.put(where + GROUP, {"location": site.region}).expect(201)
    site.create_registry(operator, name, admin=False)
    answer = operator.delete(where + GROUP).expect(202)
    while operator.get(answer.header("Location")).expect(200, 202).status == 202:
        time.sleep(0.05)
    found = events(operator, path(site, f"resourceUri eq '{where}' and operationName eq "
                                        f"'Microsoft.Resources/subscriptions/resourcegroups/delete'"))
    assert [e["status"]["value"] for e in found] == ["Succeeded", "Started"]
    assert len({e["operationId"] for e in found}) == 1 and len({e["correlationId"] for e in found}) == 1
    assert found[0]["eventTimestamp"] > found[1]["eventTimestamp"] and found[0]["caller"] == found[1]["caller"]


def test_grants_and_revocations_tell_az_what_it_reads(site, operator, group):
    """The request body of a PUT and the answer of a DELETE of role assignments, in resourceProvider-first form."""
    principal = site.principal()
    scope = f"/subscriptions/{site.subscription}/resourceGroups/{group}"
    start = ago(seconds=1)
    assignment = site.assign(operator, principal, READER, scope)
    site.unassign(operator, assignment)
    asked = urllib.parse.quote(f"resourceProvider eq Microsoft.Authorization and eventTimestamp ge {start}Z and "
                               f"eventTimestamp le {ago(seconds=-5)}Z")
    where = f"/subscriptions/{site.subscription}/providers/microsoft.insights/eventtypes/management/values"
    found = [e for e in events(operator, f"{where}?api-version=2015-04-01&$filter={asked}") if e["resourceId"] == assignment]
    assert [(e["httpRequest"]["method"], e["status"]["value"]) for e in found] == [
        ("DELETE", "Succeeded"), ("DELETE", "Started"), ("PUT", "Succeeded"), ("PUT", "Started")]
    assert json.loads(found[3]["properties"]["requestbody"])["properties"]["principalId"] == principal["objectId"]
    revoked = json.loads(found[0]["properties"]["responseBody"])["properties"]
    assert revoked["principalId"] == principal["objectId"] and revoked["scope"] == scope
    assert found[0]["authorization"]["scope"] == assignment


def test_who_may_read(site, operator, group):
    """Only events of what the caller may read."""
    one, other = site.create_registry(operator, group), site.create_registry(operator, group)
    reader, puller, stranger = site.principal(), site.principal(), site.principal()
    site.assign(operator, reader, READER, one.id)
    site.assign(operator, puller, ACR_PULL, one.id)
    whole = path(site, f"resourceGroupName eq '{group}'")
    all_ = {e["resourceId"] for e in events(operator, whole)}
    assert {one.id, other.id} <= all_
    seen = {e["resourceId"] for e in events(site.client_of(reader), whole)}
    assert seen and all(id_.startswith(one.id) for id_ in seen)
    assert events(site.client_of(puller), whole) == events(site.client_of(stranger), whole) == []


@pytest.mark.parametrize("terms, why", [
    (None, "a start is required"),
    ("", "a start is required"),
    ("eventTimestamp le 2026-01-01", "a start is required"),
    ("eventTimestamp ge yesterday", "takes a date and time"),
    ("eventTimestamp ge 2026-01-01 or caller eq 'x'", "an operator and a value"),
    ("eventTimestamp ge 2026-01-01 or eventTimestamp le 2026-01-02", "takes a date and time"),
    ("eventTimestamp ge 2026-01-01 and", "takes a date and time"),
    ("eventTimestamp ge '2026-01-01' or caller eq 'x'", "joined by and"),
    ("eventTimestamp ge '2026-01-01' and ", "takes a date|missing"),
    ("eventTimestamp ge 2026-01-01 and color eq 'red'", "is not supported"),
    ("eventTimestamp ge 2026-01-01 and caller ne 'x'", "takes eq only"),
    ("eventTimestamp ge 2026-01-01 and caller eq 'x' and caller eq 'y'", "given twice"),
    ("eventTimestamp ge 2026-01-01 and caller eq 'x", "a value"),
    ("eventTimestamp ge 2026-01-01 and eventTimestamp ge 2026-01-02", "two bounds"),
    ("eventTimestamp ge 2026-13-01", "takes a date and time"),
])
def test_a_bad_filter_is_refused(site, operator, terms, why):
    """arm-core 2.7.1"""
    where = f"/subscriptions/{site.subscription}{LOG}?api-version=2015-04-01"
    if terms is not None:
        where += "&$filter=" + urllib.parse.quote(terms)
    answer = operator.get(where).expect(400)
    assert answer.code == "InvalidFilterInQueryString" and re.search(why, answer.message), answer.message


def test_filters_of_clients(site, operator, group):
    """arm-core 2.7.1: bare and quoted values, any casing of names, az's resourceId, blanks, zones."""
    registry = site.create_registry(operator, group)
    caller = site.facts["operator"]["appId"]

    def count(terms, **more):
        return len(events(operator, path(site, terms, **more)))
    base = count(f"resourceGroupName eq '{group}'")
    assert base >= 6  # group, registry, listCredentials
    of_registry = count(f"resourceUri eq '{registry.id}'")
    assert of_registry == 4
    for terms in (f"resourceId eq '{registry.id}'", f"RESOURCEURI EQ '{registry.id.upper()}'", f"resourceUri eq {registry.id}",
                  f"resourceUri eq '{registry.id}' and resourceProvider eq 'Microsoft.ContainerRegistry'",
                  f"resourceUri eq '{registry.id}' and caller eq '{caller}'",
                  f"resourceUri eq '{registry.id}' and resourceType eq 'microsoft.containerregistry/registries'",
                  f"resourceUri eq '{registry.id}' and eventChannels eq 'Admin, Operation'",
                  f"resourceUri eq '{registry.id}' and category eq 'Administrative'"):
        assert count(terms) == of_registry, terms
    for start in (ago(hours=1) + "Z", ago(hours=1) + "+00:00", ago(hours=1).replace("T", " "), "'" + ago(hours=1) + "'",
                  ago(hours=1)[:19], ago(hours=1)[:10]):
        assert count(f"resourceUri eq '{registry.id}'", start=start) == of_registry, start
    assert count(f"resourceUri eq '{registry.id}' and status eq 'Started'") == 2
    assert count(f"resourceUri eq '{registry.id}' and status eq 'Succeeded'") == 2
    assert count(f"resourceUri eq '{registry.id}' and operationName eq 'Microsoft.ContainerRegistry/registries/write'") == 2
    assert count(f"resourceUri eq '{registry.id}' and caller eq 'nobody@nowhere'") == 0
    assert count(f"resourceUri eq '{registry.id}' and category eq 'Security'") == 0
    assert count(f"resourceUri eq '{registry.id}' and eventTimestamp le {ago(minutes=30)}") == 0
    assert count(f"resourceUri eq '{registry.id}x'") == 0
    for version, log in (("2014-04-01", LOG), ("2015-04-01", LOG.lower()), ("2015-04-01", LOG.upper())):
        assert count(f"resourceUri eq '{registry.id}'", version=version, log=log) == of_registry
    refused = operator.get(path(site, version="2017-01-01")).expect(400)
    assert refused.code == "InvalidApiVersionParameter" and "'2015-04-01,2014-04-01'" in refused.message
    assert operator.head(path(site, f"resourceUri eq '{registry.id}'")).expect(200).body == b""


def test_select(site, operator, group):
    """arm-core 2.7.1: the properties asked for, in an event's own order."""
    where = path(site, f"resourceGroupName eq '{group}'", select="status , eventTimestamp,CALLER")
    found = events(operator, where)
    assert found and all(list(e) == ["caller", "status", "eventTimestamp"] for e in found)
    refused = operator.get(path(site, select="caller,password")).expect(400)
    assert refused.code == "InvalidSelectInQueryString" and "'caller,password'" in refused.message


def test_pages(site, operator, group):
    """arm-core 1.6.1, 2.7.1: nextLink before value, $skipToken, each event once and in order whatever the page's size."""
    id_ = site.registry_id(group, site.unique("paged"))
    for i in range(7):
        operator.put(id_ + REGISTRY, {"location": site.region, "sku": {"name": "Standard"}, "tags": {"i": str(i)}}).expect(200)
    whole = events(operator, path(site, f"resourceUri eq '{id_}'"))
    assert len(whole) == 14
    for top in (1, 2, 3, 5, 14):
        pages = []
        assert events(operator, path(site, f"resourceUri eq '{id_}'", top=top), pages) == whole
        assert pages[0] >= 14 / top
    page = operator.get(path(site, f"resourceUri eq '{id_}'", top=2)).expect(200).json
    assert list(page) == ["nextLink", "value"] and "$skipToken=" in page["nextLink"] and "$skiptoken" not in page["nextLink"]
    assert page["nextLink"].startswith(f"https://{site.host('management')}")
    assert operator.get(path(site, skipToken="nonsense!")).expect(400).code == "InvalidSkipToken"
    assert operator.get(path(site, skipToken="MS4y")).expect(400).code == "InvalidSkipToken"


@pytest.mark.parametrize("place", ["-9223372036854775808.1.0", "-99999999999999999999999.1.0", "-300000000000000000.0.1", "-1.1.0"])
def test_a_forged_place_before_all_times(site, operator, place):
    """A token of a time that PostgreSQL does not have was answered with 500."""
    token = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
    assert operator.get(path(site, skipToken=token)).expect(400).code == "InvalidSkipToken"


def test_pages_of_overlapping_operations(site, operator):
    """A walk gives each event once, newest first, though operations lie within others (made in the table: five minutes of
    them, of the same time, too)."""
    mark = str(uuid.uuid4())
    sql(site, f"""insert into arm.activity (operation_id, log_id, correlation_id, caller, object_id, is_user, method, action,
        scope, status, at, started_at, ended)
        select gen_random_uuid(), '{site.subscription}', '{mark}', 'someone', gen_random_uuid(), false, 'PUT',
        'Microsoft.Made/things/write', '/subscriptions/{site.subscription}/providers/Microsoft.Made/things/' || i, 200,
        now() - interval '10 minutes' + (i / 3) * interval '1 second',
        now() - interval '10 minutes' + (i / 3) * interval '1 second' - (i % 7) * interval '3 seconds', true
        from generate_series(1, 300) i""")
    try:
        whole = events(operator, path(site, f"correlationId eq '{mark}'"))
        assert len(whole) == 600 and len({e["eventDataId"] for e in whole}) == 600
        times = [e["eventTimestamp"] for e in whole]
        assert times == sorted(times, reverse=True)
        for top in (7, 50):
            assert [e["eventDataId"] for e in events(operator, path(site, f"correlationId eq '{mark}'", top=top))] == [
                e["eventDataId"] for e in whole]
        middle = whole[300]["eventTimestamp"]
        older = events(operator, path(site, f"correlationId eq '{mark}' and eventTimestamp le {middle}"))
        assert [e["eventDataId"] for e in older] == [e["eventDataId"] for e in whole if e["eventTimestamp"] <= middle]
        newer = events(operator, path(site, f"correlationId eq '{mark}'", start=middle))
        assert [e["eventDataId"] for e in newer] == [e["eventDataId"] for e in whole if e["eventTimestamp"] >= middle]
        # Behind more rows than a page looks at: pages may be empty, the walk ends all the same.
        sql(site, f"""insert into arm.activity (operation_id, log_id, correlation_id, caller, object_id, is_user, method, action,
            scope, status, at, started_at, ended)
            select gen_random_uuid(), '{site.subscription}', '{mark}x', 'someone', gen_random_uuid(), false, 'PUT',
            'Microsoft.Made/things/write', '/subscriptions/{site.subscription}/providers/Microsoft.Made/things/x', 200,
            now() - interval '5 minutes', now() - interval '5 minutes', true from generate_series(1, 12000)""")
        pages = []
        assert len(events(operator, path(site, f"correlationId eq '{mark}'"), pages)) == 600 and pages[0] >= 5
    finally:
        sql(site, f"delete from arm.activity where correlation_id like '{mark}%'")


@pytest.mark.parametrize("state, result, status, code, expected", [
    ("Succeeded", "{}", "Succeeded", "OK", None),
    ("Failed", '{"httpStatus": 409, "error": {"code": "ScopeLocked", "message": "It is locked."}}', "Failed", "Conflict",
     {"code": "ScopeLocked", "message": "It is locked."}),
    ("Failed", '{"error": {"code": "InternalServerError", "message": "Given up."}}', "Failed", "Conflict",
     {"code": "InternalServerError", "message": "Given up."}),
    ("Failed", None, "Failed", "Conflict", {"code": "Conflict"}),
])
def test_the_end_of_a_job_is_the_end_of_its_write(site, operator, group, state, result, status, code, expected):
    """Whoever ends it, in the transaction that does; a job that no write began leaves nothing."""
    job, lone = str(uuid.uuid4()), str(uuid.uuid4())
    written = "null" if result is None else f"'{result}'"
    sql(site, f"""insert into azsacr.job (id, kind, subscription_id, state, payload, run_at)
        select id::uuid, 'test-none', '{site.subscription}', 'Pending', '{{}}', now() + interval '1 hour'
        from unnest(array['{job}', '{lone}']) id;
        insert into arm.activity (operation_id, log_id, correlation_id, caller, object_id, is_user, method, action, scope, status,
        at, started_at, ended) values ('{job}', '{site.subscription}', '{job}', 'someone', gen_random_uuid(), true, 'DELETE',
        'Microsoft.Made/things/delete', '/subscriptions/{site.subscription}/resourceGroups/{group}', 202, now(), now(), false);
        update azsacr.job set state = 'Running' where id in ('{job}', '{lone}');
        update azsacr.job set state = '{state}', result = {written}, finished_at = now() where id in ('{job}', '{lone}')""")
    found = events(operator, path(site, f"correlationId eq '{job}'"))
    assert [e["status"]["value"] for e in found] == [status, "Started"] and {e["operationId"] for e in found} == {job}
    assert found[0]["properties"]["statusCode"] == code
    if expected:
        assert json.loads(found[0]["properties"]["statusMessage"])["error"] == expected
    assert sql(site, f"select count(*) from arm.activity where operation_id = '{lone}'") == "0"


def test_filters_together(site, operator, group):
    """Several terms narrow: a resource in another group, a provider longer than any action."""
    registry = site.create_registry(operator, group, admin=False)
    assert len(events(operator, path(site, f"resourceUri eq '{registry.id}' and resourceGroupName eq '{group}'"))) == 2
    assert events(operator, path(site, f"resourceUri eq '{registry.id}' and resourceGroupName eq 'other'")) == []
    assert events(operator, path(site, f"resourceType eq 'Microsoft.ContainerRegistry/registries' and resourceProvider eq "
                                       f"'{'x' * 3000}'")) == []
    assert events(operator, path(site, "correlationId eq 'A'")) == []


def test_tenant_level(site, operator):
    """Writes outside every subscription are in the tenant's log; eventcategories; Microsoft.Insights by the tables."""
    assert site.tenant
    where = f"{LOG}?api-version=2015-04-01&$filter=" + urllib.parse.quote(f"eventTimestamp ge {ago(hours=1)}")
    refused = operator.put(f"/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}{ROLE}", {"properties": {
        "roleDefinitionId": site.role(READER), "principalId": str(uuid.uuid4())}})
    assert refused.status >= 400
    eventually(lambda: sql(site, f"select id from arm.activity where log_id = '{site.tenant}'").split(), 1)
    assert events(operator, where) == []  # nobody here may read at "/"
    categories = operator.get("/providers/Microsoft.Insights/eventcategories?api-version=2015-04-01").expect(200).json["value"]
    assert categories[0] == {"value": "Administrative", "localizedValue": "Administrative"}
    document = operator.get(f"/subscriptions/{site.subscription}/providers/microsoft.insights{GROUP}").expect(200).json
    assert document["namespace"] == "Microsoft.Insights"
    types = {t["resourceType"]: t["apiVersions"] for t in document["resourceTypes"]}
    assert types["eventtypes"] == ["2015-04-01", "2014-04-01"] and "eventCategories" in types
    names = {o["name"] for o in operator.get("/providers/Microsoft.Insights/operations?api-version=2015-04-01").expect(
        200).json["value"]}
    assert "Microsoft.Insights/eventtypes/values/read" in names
    answer = operator.put(path(site).replace("&$filter", "&x"), {}).expect(405)
    assert answer.header("Allow") == "GET,HEAD"


def test_no_secret_is_kept(site, operator, registry, group):
    """Neither the table nor the log of the service holds a password, whatever was sent or answered."""
    planted = {key: f"planted{uuid.uuid4().hex}" for key in ("password", "clientSecret", "accessToken", "protectedSettings",
                                                             "connectionString", "apiKey", "Authorization")}
    operator.put(site.registry_id(group, site.unique("sec")) + REGISTRY, {
        "location": site.region, "sku": {"name": "Standard"}, "properties": {"adminUserEnabled": False, **planted}})
    operator.put(site.registry_id(group, site.unique("sec")) + REGISTRY, {
        "location": site.region, "sku": {"name": "Standard"}, "properties": {"adminUserEnabled": planted}})
    operator.put(site.registry_id(group, site.unique("sec")) + REGISTRY, {
        "location": site.region, "sku": {"name": "Standard"}, "tags": {"url": "https://me:planted1url@example.test/"}})
    operator.put(site.registry_id(group, site.unique("sec")) + REGISTRY, {
        "location": site.region, "sku": {"name": "Standard"}, "tags": {"note": "Bearer planted2bearer"}})
    operator.post(f"{registry.id}/regenerateCredential{REGISTRY}", {"name": "password", "value": "planted3value"})
    kept = operator.post(f"{registry.id}/listCredentials{REGISTRY}").expect(200).json["passwords"]
    fresh = operator.post(f"{registry.id}/regenerateCredential{REGISTRY}", {"name": "password2"}).expect(200).json["passwords"]
    eventually(lambda: events(operator, path(site, f"resourceGroupName eq '{group}' and status eq 'Failed'")), 1)
    time.sleep(0.3)
    secrets = [p["value"] for p in kept + fresh] + list(planted.values()) + [
        "planted1url", "planted2bearer", "planted3value", operator.headers["Authorization"].split()[1], site.operator_secret()[1]]
    table, log = sql(site, "select a::text from arm.activity a"), site.log()
    assert '"name":"password2"' in table.replace('""', '"')  # the word is no secret
    for secret in secrets:
        assert len(secret) > 8 and secret not in table, secret
        assert secret not in log


def test_a_rolled_back_write_is_not_told_as_done(site, operator, group):
    """What failed has no Succeeded; what succeeded has exactly one, under repetition of transactions too."""
    id_ = site.registry_id(group, site.unique("once"))
    body = {"location": site.region, "sku": {"name": "Standard"}}
    import threading
    clients = [site.operator() for _ in range(6)]
    answers = []
    threads = [threading.Thread(target=lambda c=c: answers.append(c.put(id_ + REGISTRY, body))) for c in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = sum(a.status == 200 for a in answers)
    found = events(operator, path(site, f"resourceUri eq '{id_}'"))
    assert sum(e["status"]["value"] == "Succeeded" for e in found) == done
    assert len({e["operationId"] for e in found if e["status"]["value"] == "Succeeded"}) == done


def test_partitions_are_made_ahead_moved_and_dropped(site, operator, group):
    """An insert never fails for want of a partition; a week that was missed moves; old weeks go whole."""
    weeks = sql(site, "select count(*) from pg_inherits where inhparent = 'arm.activity'::regclass")
    assert int(weeks) == 4  # this week, two ahead, the default
    # Off for months: no partition of today. What is written goes to the default, and into its week later.
    name = sql(site, "select 'activity_' || to_char(date_trunc('week', now() at time zone 'UTC'), 'YYYYMMDD')")
    sql(site, f"begin; create temp table kept as select * from arm.{name}; drop table arm.{name}; "
              f"insert into arm.activity select * from kept; commit")
    operator.put(site.registry_id(group, site.unique("def")) + REGISTRY, {
        "location": site.region, "sku": {"name": "Standard"}}).expect(200)
    assert int(sql(site, "select count(*) from arm.activity_default")) > 0
    before = sql(site, "select count(*) from arm.activity")
    assert sql(site, "select arm.activity_make_weeks()") == "1"
    assert sql(site, "select count(*) from arm.activity_default") == "0"
    # One look at both, and no fewer: what other tests were refused is still being written.
    kept, inside = sql(site, f"select count(*) || ' ' || (select count(*) from arm.{name}) from arm.activity").split()
    assert kept == inside and int(kept) >= int(before)
    assert sql(site, "select arm.activity_make_weeks()") == "0"
    # Old: a partition and a row in the default one.
    sql(site, "create table arm.activity_20200106 partition of arm.activity for values from ('2020-01-06') to ('2020-01-13')")
    sql(site, f"insert into arm.activity select log_id, '2021-01-01', id, started_at, ended, operation_id, correlation_id, "
              f"client_request_id, client_address, caller, object_id, app_id, is_user, method, action, scope, status "
              f"from arm.{name} limit 1")
    assert sql(site, "select arm.activity_drop_week(90)") == "1"
    assert sql(site, "select arm.activity_drop_week(90)") == "0"
    assert sql(site, "select to_regclass('arm.activity_20200106') is null and "
                     "not exists (select from arm.activity_default)") == "t"
