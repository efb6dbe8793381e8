"""The front door (arm-core 1): ids in every casing, versions, headers, error bodies, pages, conditions; a case names its row."""
import re
import urllib.parse
import uuid

import pytest

from harness.site import READER

V, GROUP, ROLE = "?api-version=2019-05-01", "?api-version=2019-10-01", "?api-version=2015-07-01"
STANDARD = {"location": "local", "sku": {"name": "Standard"}}


@pytest.fixture(scope="module")
def place(site, operator):
    group = site.unique("Front")
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{group}{GROUP}", {"location": site.region}).expect(201)
    made = site.create_registry(operator, group, "Reg" + site.unique("Front"))
    made.group = group
    return made


def spellings(path):
    """The same resource as clients spell it."""
    parts = path.split("/")
    yield path.lower()
    yield path.upper()
    yield path.replace("resourceGroups", "resourcegroups")
    yield path.replace("/providers/", "//providers/")
    yield path + "/"
    yield "/".join("".join(f"%{b:02X}" for b in p.encode()) if i == len(parts) - 1 else p for i, p in enumerate(parts))


# arm-core 1.1.2, 1.1.5, 1.1.6
def test_every_spelling_names_the_same_resource(operator, place):
    plain = operator.get(place.id + V).expect(200).json
    for spelling in spellings(place.id):
        shown = operator.get(spelling + V).expect(200).json
        assert shown["id"].lower() == place.id.lower() and shown["name"] == place.name, spelling
        assert {k: v for k, v in shown.items() if k != "id"} == {k: v for k, v in plain.items() if k != "id"}


# arm-core 1.1.4
def test_a_groups_id_has_canonical_literals(site, operator, place):
    for literal in ("resourcegroups", "RESOURCEGROUPS", "resourceGroups"):
        shown = operator.get(f"/subscriptions/{site.subscription.upper()}/{literal}/{place.group.lower()}{GROUP}").expect(200).json
        assert shown["id"].startswith("/subscriptions/") and "/resourceGroups/" in shown["id"]
        assert shown["id"].lower() == f"/subscriptions/{site.subscription}/resourcegroups/{place.group}".lower()
    shown = operator.get(f"/subscriptions/{site.subscription}/providers/microsoft.containerREGISTRY{GROUP}").expect(200).json
    assert shown["namespace"] == "Microsoft.ContainerRegistry"


# arm-core 1.1.3
def test_names_keep_the_casing_that_the_caller_used(site, operator, place):
    shown = operator.get(place.id + V).expect(200).json
    assert shown["name"] == place.name and place.name != place.name.lower()
    body = {**STANDARD, "name": "another", "id": "/subscriptions/x"}  # name and group come from the URL
    name = "Mixed" + site.unique("Case")
    assert operator.put(site.registry_id(place.group, name) + V, body).expect(200).json["name"] == name


# arm-core 1.1.1
def test_an_extension_repeats_providers_on_a_whole_id(site, operator, place):
    principal, name = site.principal(), str(uuid.uuid4())
    id_ = f"{place.id}/providers/Microsoft.Authorization/roleAssignments/{name}"
    made = operator.put(id_ + ROLE, {"properties": {"roleDefinitionId": site.role(READER), "principalId": principal["objectId"]}})
    assert made.expect(201).json["properties"]["scope"].lower() == place.id.lower()
    assert operator.get(id_.upper() + ROLE).expect(200).json["name"] == name


# arm-core 1.2.2, 1.2.3
@pytest.mark.parametrize("tail,status,code", [
    ("registries/" + "a" * 261, 400, "InvalidResourceName"), ("registries/a%3Cb", 400, "InvalidResourceName"),
    ("registries/a%25b", 400, "InvalidResourceName"), ("registries/a%26bcd", 400, "InvalidResourceName"),
    ("reg%20istries/abcde", 404, "InvalidResourceType"), ("reg-istries/abcde", 404, "InvalidResourceType")])
def test_names_that_no_resource_may_have(site, operator, place, tail, status, code):
    path = f"/subscriptions/{site.subscription}/resourceGroups/{place.group}/providers/Microsoft.ContainerRegistry/{tail}"
    assert operator.put(path + V, STANDARD).expect(status).code == code
    odd = f"/subscriptions/{site.subscription}/resourceGroups/{place.group}/providers/Micro-soft%20X/things/a"
    assert operator.put(odd + V, STANDARD).expect(404).code == "InvalidResourceNamespace"


# arm-core 1.2.5
def test_a_body_of_4_mib_is_the_largest(operator, place):
    def sized(size):
        head = b'{"location":"local","sku":{"name":"Standard"},"tags":{"a":"'
        return head + b"x" * (size - len(head) - 3) + b'"}}'
    kind = {"Content-Type": "application/json"}
    within = operator.put(place.id + V, sized(4194304), headers=kind).expect(400)
    assert within.code == "InvalidTagValue"  # read, and refused for what it says
    assert operator.put(place.id + V, sized(4194305), headers=kind).expect(413).code == "RequestEntityTooLarge"


# arm-core 1.3.1
@pytest.mark.parametrize("version", ["2019-10-1", "19-10-01", "2019-10-01-", "2019-10-01-final", "2019-13-45x", "", "%20", "latest"])
def test_what_is_no_version(site, operator, version):
    answer = operator.get(f"/subscriptions/{site.subscription}/resourcegroups?api-version={version}").expect(400)
    assert answer.code == ("MissingApiVersionParameter" if version == "" else "InvalidApiVersionParameter")


# arm-core 1.3.4, 1.3.5
def test_versions_that_a_providers_type_does_not_have(site, operator, place):
    answer = operator.get(place.id + "?api-version=2018-09-01").expect(400)
    assert answer.code == "NoRegisteredProviderFound"
    # Clients find the versions by this pattern.
    listed = re.search(r"The supported api-versions are '([^']+)'", answer.message).group(1).split(", ")
    assert listed[:2] == ["2017-10-01", "2019-05-01"] and listed == sorted(listed)
    everywhere = operator.get(f"/subscriptions/{site.subscription}/providers/Microsoft.ContainerRegistry/registries?api-version=2018-09-01")
    assert re.search(r"The supported api-versions are '([^']+)'", everywhere.message), everywhere
    unknown = operator.get(f"/subscriptions/{site.subscription}/providers/Microsoft.ContainerRegistry/nothings{V}").expect(404)
    assert unknown.code == "InvalidResourceType" and "supported api-versions" not in unknown.message


# arm-core 1.4.2, 1.4.4, 1.5.1: every status that the door can answer, with the headers of every answer
def test_headers_whatever_the_answer(site, operator, place):
    sub, group = f"/subscriptions/{site.subscription}", site.unique("headers")
    groups = f"{sub}/resourcegroups/{group}{GROUP}"
    rows = [("GET", place.id + V, None, 200), ("PUT", groups, {"location": "local"}, 201), ("HEAD", groups, None, 204),
            ("DELETE", groups, None, 202), ("GET", "/subscriptions/x" + GROUP, None, 400), ("GET", place.id + "x" + V, None, 404),
            ("POST", place.id + V, None, 405), ("PUT", place.id + V, b"{", 400), ("PUT", place.id + V, {"location": "local"}, 400),
            ("HEAD", sub + "/resourcegroups/absent" + GROUP, None, 404), ("GET", "/nowhere" + V, None, 404), ("GET", "/tenants" + ROLE, None, 400)]
    for method, path, body, status in rows:
        answer = operator.request(method, path, body, headers={"Content-Type": "application/json"} if body else {}).expect(status)
        for name, value in {"Cache-Control": "no-cache", "Pragma": "no-cache", "Expires": "-1", "X-Content-Type-Options": "nosniff",
                            "Strict-Transport-Security": "max-age=31536000; includeSubDomains"}.items():
            assert answer.header(name) == value, (method, path, name)
        assert uuid.UUID(answer.header("x-ms-request-id")) and uuid.UUID(answer.header("x-ms-correlation-request-id"))
        assert re.fullmatch(r"LOCAL:\d{8}T\d{6}Z:[0-9a-f-]{36}", answer.header("x-ms-routing-request-id"))
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.header("Date"))
        if answer.body:
            assert answer.header("Content-Type") == "application/json; charset=utf-8"
        if status >= 400 and method != "HEAD":
            assert set(answer.json) <= {"error", "status"} and set(answer.json["error"]) <= {"code", "message", "target", "details", "additionalInfo"}
            assert re.fullmatch(r"[A-Z][A-Za-z]+", answer.code) and answer.message


# arm-core 1.4.1
def test_correlation_is_kept_or_made(operator, place):
    mine = str(uuid.uuid4())
    kept = operator.get(place.id + V, headers={"x-ms-correlation-request-id": mine}).expect(200)
    assert kept.header("x-ms-correlation-request-id") == mine != kept.header("x-ms-request-id")
    made = [operator.get(place.id + V).header("x-ms-correlation-request-id") for _ in range(2)]
    assert len(set(made)) == 2
    for odd in ("not a guid", "x" * 500, "a\"b", "<script>"):  # never echoed as it came where it is none
        answer = operator.get(place.id + V, headers={"x-ms-correlation-request-id": odd}).expect(200)
        assert uuid.UUID(answer.header("x-ms-correlation-request-id"))
    for asked, echoed in (("true", "mine"), ("false", None), ("", None)):
        answer = operator.get(place.id + V, headers={"x-ms-client-request-id": "mine", "x-ms-return-client-request-id": asked})
        assert answer.header("x-ms-client-request-id") == echoed


# arm-core 1.4.3
def test_only_the_doors_own_errors_say_gateway(site, operator, place):
    own = operator.get(f"/subscriptions/{site.subscription}/resourcegroups/absent{GROUP}").expect(404)
    assert own.header("x-ms-failure-cause") == "gateway"
    providers = operator.put(place.id + V, {"location": "local"}).expect(400)
    assert providers.header("x-ms-failure-cause") is None
    assert operator.get(place.id + V).header("x-ms-failure-cause") is None


# arm-core 1.5.1, 1.7.4
def test_head_has_the_gets_headers_and_no_body(site, operator, place):
    for path in (place.id + "x" + V, f"/subscriptions/{site.subscription}/resourcegroups/absent{GROUP}", f"/subscriptions/x{GROUP}"):
        got, head = operator.get(path), operator.head(path)
        assert head.status == got.status and head.body == b""
        assert head.header("Content-Type") == got.header("Content-Type") and head.header("Content-Length") == got.header("Content-Length")
    assert operator.head(f"/subscriptions/{site.subscription}/resourcegroups/{place.group}{GROUP}").expect(204).header("Content-Type") is None


# arm-core 1.6.1
@pytest.mark.parametrize("token", ["$skiptoken", "$skipToken", "%24SkipToken"])
def test_pages_are_followed_to_their_end(site, operator, token):
    prefix = site.unique("page")
    made = [f"{prefix}x{i}" for i in range(5)]
    for name in made:
        operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{name}{GROUP}", {"location": "local"}).expect(201)
    link, seen, base = f"/subscriptions/{site.subscription}/resourcegroups{GROUP}&$top=2", [], site.facts["resourceManager"].rstrip("/")
    while link:
        page = operator.get(link).expect(200).json
        assert len(page["value"]) <= 2 and page.get("nextLink") != ""
        seen += [g["name"] for g in page["value"]]
        link = page.get("nextLink")
        if link:
            assert link.startswith(base + "/subscriptions/") and "api-version=2019-10-01" in link and "$top=2" in link
            link = link.replace("$skiptoken", token)
    assert [n for n in seen if n in made] == made and len(seen) == len(set(seen))
    for name in made:
        operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{name}{GROUP}").expect(202)
    for bad in ("0", "-1", "x", "1.5"):
        operator.get(f"/subscriptions/{site.subscription}/resourcegroups{GROUP}&$top={bad}").expect(400)
    operator.get(f"/subscriptions/{site.subscription}/resourcegroups{GROUP}&$skiptoken=%21%21").expect(400)


# arm-core 1.7.1: an echoed GET never fails, whatever its read-only members say; the location matches in any case and with blanks
def test_what_a_get_gave_can_be_put_back(operator, place):
    whole = operator.get(place.id + V).expect(200).json
    assert operator.put(place.id + V, whole).expect(200).json["properties"]["creationDate"] == whole["properties"]["creationDate"]
    for location in ("LOCAL", "Local", " lo cal"):
        operator.put(place.id + V, {**whole, "location": location}).expect(200)
    group = f"{place.id.split('/providers/')[0]}{GROUP}"
    shown = operator.get(group).expect(200).json
    assert operator.put(group, shown).expect(200).json == shown


# arm-core 1.7.5
def test_an_actions_name_is_what_rights_are_about(site, operator, place):
    principal = site.principal()
    site.assign(operator, principal, READER, place.id)
    reader = site.client_of(principal)
    refused = reader.post(f"{place.id}/listCredentials{V}").expect(403)
    assert "action 'Microsoft.ContainerRegistry/registries/listCredentials/action'" in refused.message
    assert urllib.parse.unquote(place.id).lower() in refused.message.lower()


# decisions 12: of two faults the earlier check's is told
@pytest.mark.parametrize("path,token,status,code", [
    ("/subscriptions/x/resourcegroups", False, 401, "AuthenticationFailed"),
    ("/subscriptions/x/resourcegroups", True, 400, "MissingApiVersionParameter"),
    ("/subscriptions/x/nowhere?api-version=2001-01-01", True, 400, "InvalidSubscriptionId"),
    ("/subscriptions/{s}/nowhere?api-version=2001-01-01", True, 404, None),
    ("/subscriptions/{s}/resourcegroups?api-version=2001-01-01", True, 400, "InvalidApiVersionParameter"),
    ("/subscriptions/{s}/resourceGroups/absent/providers/Microsoft.ContainerRegistry/registries/abcde?api-version=2019-05-01", True, 404,
     "ResourceGroupNotFound")])
def test_the_earlier_check_speaks(site, operator, path, token, status, code):
    client = operator if token else site.arm_client()
    answer = client.get(path.format(s=site.subscription)).expect(status)
    assert code is None or answer.code == code
    if token:  # rights come before existence
        nobody = site.client_of(site.principal())
        if code == "ResourceGroupNotFound":
            nobody.get(path.format(s=site.subscription)).expect(403)
