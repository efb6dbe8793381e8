"""Statuses, codes, messages and headers, row by row (contract/arm-core.md, acr-resource-provider.md, data-plane.md)."""
import re
import uuid

import pytest

REGISTRY, GROUP, ROLE = "?api-version=2019-05-01", "?api-version=2019-10-01", "?api-version=2015-07-01"
STANDARD = {"name": "Standard"}


@pytest.fixture(scope="module")
def place(site, operator):
    group = site.unique("c")
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{group}{GROUP}", {"location": site.region}).expect(201)
    made = site.create_registry(operator, group)
    made.group = f"/subscriptions/{site.subscription}/resourceGroups/{group}"
    made.group_name = group
    return made


# method, path ({s} subscription, {g} group, {r} registry, {v} a version), body, status, code, message (a regular expression)
ROWS = [
    ("GET", "/subscriptions/{s}", None, 400, "MissingApiVersionParameter",
     r"The api-version query parameter \(\?api-version=\) is required for all requests\."),
    ("GET", "/subscriptions/{s}/resourcegroups?api-version=2001-01-01", None, 400, "InvalidApiVersionParameter",
     r"The api-version '2001-01-01' is invalid\. The supported versions are '2025-04-01,2024-11-01,.*,2014-04-01'\."),
    ("GET", "{r}?api-version=2001-01-01", None, 400, "NoRegisteredProviderFound",
     r"No registered resource provider found for location 'local' and API version '2001-01-01' for type 'registries'\. The "
     r"supported api-versions are '2017-10-01, 2019-05-01.*'\. The supported locations are 'local'\."),
    ("GET", "{g}/providers/Microsoft.ContainerRegistry/nothings/x" + REGISTRY, None, 404, "InvalidResourceType",
     r"The resource type 'nothings' could not be found in the namespace 'Microsoft\.ContainerRegistry' for api version "
     r"'2019-05-01'\."),
    ("GET", "{g}/providers/Microsoft.Nothing/things/x" + REGISTRY, None, 404, "InvalidResourceNamespace",
     r"The resource namespace 'Microsoft\.Nothing' is invalid\."),
    ("GET", "/subscriptions/nonsense/resourcegroups" + GROUP, None, 400, "InvalidSubscriptionId",
     r"The provided subscription identifier 'nonsense' is malformed or invalid\."),
    ("GET", "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups" + GROUP, None, 404, "SubscriptionNotFound",
     r"The subscription '11111111-1111-1111-1111-111111111111' could not be found\."),
    ("GET", "/subscriptions/{s}/resourcegroups/Absent" + GROUP, None, 404, "ResourceGroupNotFound",
     r"Resource group 'Absent' could not be found\."),
    ("DELETE", "/subscriptions/{s}/resourcegroups/Absent" + GROUP, None, 404, "ResourceGroupNotFound", None),
    ("PUT", "/subscriptions/{s}/resourcegroups/a%25b" + GROUP, {"location": "local"}, 400, "InvalidResourceGroup",
     r"The provided resource group name 'a%b' has these invalid characters: '%'\. The name can only be a letter, digit, '-', "
     r"'\.', '\(', '\)' or '_'\."),
    ("PUT", "/subscriptions/{s}/resourcegroups/abc" + GROUP, {"location": "mars"}, 400, "LocationNotAvailableForResourceGroup",
     r"The provided location 'mars' is not available for resource group\. List of available regions is 'local'\."),
    ("PUT", "/subscriptions/{s}/resourcegroups/abc" + GROUP, {}, 400, "LocationRequired",
     r"The location property is required for this definition\."),
    ("GET", "{g}/providers/Microsoft.ContainerRegistry/registries/absent1" + REGISTRY, None, 404, "ResourceNotFound",
     r"The Resource 'Microsoft\.ContainerRegistry/registries/absent1' under resource group '{n}' was not found\..*"),
    ("POST", "{g}/providers/Microsoft.ContainerRegistry/registries/absent1/listCredentials" + REGISTRY, None, 404,
     "(Parent)?ResourceNotFound", None),
    ("PUT", "{g}/providers/Microsoft.ContainerRegistry/registries/abc" + REGISTRY, {"location": "local", "sku": STANDARD}, 400,
     "InvalidResourceName",
     r"Resource names may contain alpha numeric characters only and must be between 5 and 50 characters\."),
    ("PUT", "{g}/providers/Microsoft.ContainerRegistry/registries/abcde" + REGISTRY, {"sku": STANDARD}, 400,
     "LocationRequired", r"The location property is required for this definition\."),
    ("PUT", "{g}/providers/Microsoft.ContainerRegistry/registries/abcde" + REGISTRY, {"location": "mars", "sku": STANDARD}, 400,
     "LocationNotAvailableForResourceType",
     r"The provided location 'mars' is not available for resource type 'Microsoft\.ContainerRegistry/registries'\. List of "
     r"available regions for the resource type is 'local'\."),
    ("PUT", "{g}/providers/Microsoft.ContainerRegistry/registries/abcde" + REGISTRY, {"location": "local"}, 400,
     "ClassicSkuDeprecated", r"Classic SKU is now deprecated\. Please select a managed SKU\..*"),
    ("PUT", "{g}/providers/Microsoft.ContainerRegistry/registries/abcde" + REGISTRY,
     {"location": "local", "sku": {"name": "Classic"}}, 400, "ClassicSkuDeprecated", None),
    ("PUT", "{g}/providers/Microsoft.ContainerRegistry/registries/abcde" + REGISTRY,
     {"location": "local", "sku": {"name": "Premium"}}, 400, "SkuNotSupported", r".*Premium.*"),
    ("PUT", "{g}/providers/Microsoft.ContainerRegistry/registries/abcde" + REGISTRY,
     {"location": "local", "sku": STANDARD, "properties": {"networkRuleSet": {"defaultAction": "Deny"}}}, 400,
     "NetworkRuleNotSupported", r"The requested feature virtual network rule is not supported for the SKU Standard\."),
    ("PUT", "{g}/providers/Microsoft.ContainerRegistry/registries/abcde" + REGISTRY,
     {"location": "local", "sku": STANDARD, "properties": {"policies": {"trustPolicy": {"status": "enabled"}}}}, 400,
     "PolicyNotSupported", r"The requested feature .* is not supported for the SKU Standard\."),
    ("PUT", "{g}/providers/Microsoft.ContainerRegistry/registries/abcde" + REGISTRY,
     {"location": "local", "sku": STANDARD, "properties": {"policies": {"retentionPolicy": {"status": "maybe"}}}}, 400,
     "InvalidRequestContent", r"The request content was invalid and could not be deserialized: '.*maybe.*Path '.*"),
    ("PUT", "{r}" + REGISTRY, {"location": "mars", "sku": STANDARD}, "400|409", "LocationNotAvailable.*|InvalidResourceLocation",
     None),
    ("PUT", "{r}" + REGISTRY, b"{", 400, "InvalidRequestContent",
     r"The request content was invalid and could not be deserialized: '.*Path '.*', line \d+, position \d+\.'\."),
    ("PATCH", "{g}/providers/Microsoft.ContainerRegistry/registries/absent1" + REGISTRY, {"tags": {}}, 404, "ResourceNotFound",
     None),
    ("POST", "{r}/regenerateCredential" + REGISTRY, {"name": "password3"}, 400, "InvalidRequestContent", r".*password3.*name.*"),
    ("PUT", "{r}/replications/westus" + REGISTRY, {"location": "westus"}, 400, "ReplicationNotSupported",
     r"The requested feature .* is not supported for the SKU Standard\."),
    ("POST", "{r}" + REGISTRY, None, 405, "HttpMethodNotSupported",
     r"The http method 'POST' is not supported for this resource\."),
    ("GET", "{r}/providers/Microsoft.Authorization/roleAssignments/{v}" + ROLE, None, 404, "RoleAssignmentNotFound",
     r"The role assignment '.*' is not found\."),
    ("GET", "/subscriptions/{s}/providers/Microsoft.Authorization/roleDefinitions/{v}" + ROLE, None, 404,
     "RoleDefinitionDoesNotExist", r"The specified role definition with ID '.*' does not exist\."),
    ("PUT", "{r}/providers/Microsoft.Authorization/roleAssignments/x" + ROLE, {"properties": {}}, 400, "InvalidRoleAssignmentId",
     None),
    ("GET", "/subscriptions/{s}/resources?api-version=2019-10-01&$filter=nonsense%20eq", None, 400, "InvalidFilterInQueryString",
     None),
]


@pytest.mark.parametrize("method,path,body,status,code,message", ROWS, ids=[f"{r[0]} {r[4]} {i}" for i, r in enumerate(ROWS)])
def test_arm_error(site, operator, place, method, path, body, status, code, message):
    url = path.format(s=site.subscription, g=place.group, r=place.id, v=uuid.uuid4())
    answer = operator.request(method, url, body, headers={"Content-Type": "application/json"} if body is not None else {})
    assert re.fullmatch(str(status), str(answer.status)), answer
    assert re.fullmatch(code, answer.code), answer
    if message:
        assert re.fullmatch(message.replace("{n}", place.group_name), answer.message, re.S), answer.message
    assert answer.header("Content-Type") == "application/json; charset=utf-8"
    # The gateway's body, or the provider's with its "status" and without the header (acr-resource-provider.md 5).
    if "status" in answer.json:
        assert list(answer.json) == ["error", "status"] and answer.json["status"] == "Failed"
        assert answer.header("x-ms-failure-cause") is None
    else:
        assert list(answer.json) == ["error"]
        assert answer.header("x-ms-failure-cause") == "gateway"


# arm-core 1.4.1, 1.4.2
def test_headers_of_every_arm_answer(site, operator, place):
    sent = str(uuid.uuid4())
    for url, status in ((place.id + REGISTRY, 200), (place.id + "x" + REGISTRY, 404), ("/subscriptions/x" + GROUP, 400)):
        answer = operator.get(url, headers={"x-ms-correlation-request-id": sent, "x-ms-client-request-id": "mine",
                                            "x-ms-return-client-request-id": "true"}).expect(status)
        wanted = {"Cache-Control": "no-cache", "Pragma": "no-cache", "Expires": "-1", "X-Content-Type-Options": "nosniff",
                  "Strict-Transport-Security": "max-age=31536000; includeSubDomains", "x-ms-correlation-request-id": sent,
                  "x-ms-client-request-id": "mine"}
        for name, value in wanted.items():
            assert answer.header(name) == value, (name, answer.headers)
        assert uuid.UUID(answer.header("x-ms-request-id"))
        assert re.fullmatch(r"LOCAL:\d{8}T\d{6}Z:[0-9a-f-]{36}", answer.header("x-ms-routing-request-id"))
        assert answer.header("Retry-After") is None and answer.header("Date")
    assert operator.get(place.id + REGISTRY).header("x-ms-client-request-id") is None


# arm-core 1.5.1
def test_head_is_the_get_without_its_body(operator, place):
    got, head = operator.get(place.id + "x" + REGISTRY), operator.head(place.id + "x" + REGISTRY)
    assert head.status == got.status == 404 and head.body == b""
    assert head.header("Content-Type") == got.header("Content-Type")


# decisions 1, 12
@pytest.mark.parametrize("credentials,code,description", [
    (None, "AuthenticationFailed", "The authentication failed because of missing 'Authorization' header."),
    ("Bearer nonsense", "InvalidAuthenticationToken", "The access token is invalid."),
    ("Basic eDp5", "InvalidAuthenticationToken", "The access token is invalid."),
])
def test_401_comes_before_everything(site, credentials, code, description):
    headers = {"Authorization": credentials} if credentials else {}
    for url in ("/subscriptions/x", f"/subscriptions/{uuid.uuid4()}", "/subscriptions?api-version=x", "/nowhere",
                f"/subscriptions/{site.subscription}/resourcegroups/absent/providers/No.Such/thing/x"):
        answer = site.arm_client().get(url, headers=headers).expect(401)
        assert answer.code == code
        assert answer.header("WWW-Authenticate") == (
            f'Bearer authorization_uri="{site.facts["activeDirectory"]}/{site.tenant}", error="invalid_token", '
            f'error_description="{description}"')


# decisions 24
def test_wrong_audience(site):
    token = site.token(*site.operator_secret(), audience=site.facts["graph"].rstrip("/"))
    answer = site.arm_client(token).get("/subscriptions?api-version=2019-11-01").expect(401)
    assert answer.code == "InvalidAuthenticationTokenAudience"
    assert "has been obtained from wrong audience or resource" in answer.message


def test_a_name_that_is_taken(site, operator, place):
    other = site.unique("d")
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{other}{GROUP}", {"location": site.region}).expect(201)
    answer = operator.put(site.registry_id(other, place.name.upper()) + REGISTRY, {"location": site.region, "sku": STANDARD})
    assert answer.status == 409 and answer.code == "AlreadyInUse"
    assert answer.message.startswith(f"The registry DNS name {place.server} is already in use.")
    check = operator.post(f"/subscriptions/{site.subscription}/providers/Microsoft.ContainerRegistry/checkNameAvailability{REGISTRY}",
                          {"name": place.name, "type": "Microsoft.ContainerRegistry/registries"}).expect(200).json
    assert check == {"nameAvailable": False, "reason": "AlreadyExists", "message": f"The registry {place.name} is already in use."}


def test_credentials_while_the_admin_user_is_off(site, operator, place):
    plain = site.create_registry(operator, place.group_name, admin=False)
    answer = operator.post(f"{plain.id}/listCredentials{REGISTRY}").expect(400)
    assert answer.code == "UnAuthorizedForCredentialOperations"
    assert answer.message.startswith(f"Cannot perform credential operations for {plain.id} as admin user is disabled.")


# decisions 7; arm-core 1.7.3
def test_delete_answers(operator, site, place):
    id_ = site.registry_id(place.group_name, site.unique("del"))
    operator.put(id_ + REGISTRY, {"location": site.region, "sku": STANDARD}).expect(200)
    gone = operator.delete(id_ + REGISTRY).expect(200)
    assert gone.body == b"" and gone.header("Content-Type") is None
    absent = operator.delete(id_ + REGISTRY).expect(204)
    assert absent.header("Content-Length") is None and absent.header("Content-Type") is None


# decisions 33
def test_registry_errors(place):
    client, anonymous = place.client(), place.client(anonymous=True)
    place.push_image(client, "lib/app", "v1", [b"contract"])
    rows = [("GET", "/v2/lib/app/manifests/absent", 404, "MANIFEST_UNKNOWN"),
            ("GET", "/v2/absent/tags/list", 404, "NAME_UNKNOWN"), ("GET", "/acr/v1/absent", 404, "NAME_UNKNOWN"),
            ("GET", "/acr/v1/lib%2Fapp/_tags/absent", 404, "TAG_UNKNOWN"), ("GET", "/acr/v1/absent/_tags/x", 404, "TAG_UNKNOWN"),
            ("GET", f"/acr/v1/lib%2Fapp/_manifests/sha256:{'0' * 64}", 404, "MANIFEST_UNKNOWN"),
            ("DELETE", f"/v2/lib/app/manifests/sha256:{'0' * 64}", 404, "MANIFEST_UNKNOWN"),
            ("DELETE", f"/v2/lib/app/blobs/sha256:{'0' * 64}", 404, "BLOB_UNKNOWN"),
            ("PUT", "/v2/lib/app/manifests/x", 400, "MANIFEST_INVALID"), ("GET", "/v2/Lib/manifests/x", 400, "NAME_INVALID"),
            ("GET", "/oauth2/exchange", 404, None), ("GET", "/v2/lib/app/_trust/tuf/root.json", 404, None)]
    for method, path, status, code in rows:
        answer = client.request(method, path, b"{" if method == "PUT" else None).expect(status)
        assert code is None or answer.code == code, (path, answer)
        assert answer.header("Docker-Distribution-Api-Version") == "registry/2.0"
        assert uuid.UUID(answer.header("X-Ms-Correlation-Request-Id"))
    name = client.get("/acr/v1/absent").json["errors"][0]
    assert name["message"] == "repository name not known to registry" and name["detail"] == {"name": "absent"}
    assert anonymous.get("/v2/").header("WWW-Authenticate") == (
        f'Bearer realm="https://{place.server}/oauth2/token",service="{place.server}"')
    scopes = {("GET", "/v2/lib/app/manifests/x"): "repository:lib/app:pull", ("GET", "/v2/_catalog"): "registry:catalog:*",
              ("POST", "/v2/lib/app/blobs/uploads/"): "repository:lib/app:pull,push",
              ("GET", "/acr/v1/lib%2Fapp/_tags"): "repository:lib/app:metadata_read",
              ("PATCH", "/acr/v1/lib%2Fapp"): "repository:lib/app:metadata_write",
              ("DELETE", "/acr/v1/lib%2Fapp"): "repository:lib/app:delete"}
    for (method, path), scope in scopes.items():
        answer = anonymous.request(method, path).expect(401)
        assert answer.header("WWW-Authenticate") == (
            f'Bearer realm="https://{place.server}/oauth2/token",service="{place.server}",scope="{scope}"')
        kind, name, actions = scope.rsplit(":", 2)
        assert answer.json["errors"][0]["detail"] == [{"Type": kind, "Name": name, "Action": a} for a in actions.split(",")]


# decisions 43
def test_a_host_without_a_registry(site, place):
    head = "GET {p} HTTP/1.1\r\nHost: absent12.azsacr." + f"{site.region}.{site.facts['domain']}\r\n\r\n"
    for path in ("/v2/", "/acr/v1/_catalog"):
        received = place.client().raw(head.format(p=path).encode(), timeout=2)
        assert received.startswith(b"HTTP/1.1 404") and b"NAME_UNKNOWN" in received
        assert b"\r\nWWW-Authenticate:" not in received


def test_subscriptions_are_listed_from_the_oldest_so_that_az_keeps_its_default(site, operator):
    """az takes the first of the list as its default: one added later, whatever its id, must not become that."""
    added = [site.command("subscription", "add", f"Later {i}")["subscriptionId"] for i in range(3)]
    path, seen = "/subscriptions?api-version=2019-11-01&$top=2", []
    while path:
        page = operator.get(path).expect(200).json
        seen += [s["subscriptionId"] for s in page["value"]]
        path = page.get("nextLink", "").removeprefix(site.facts["resourceManager"].rstrip("/"))
    assert seen[0] == site.subscription
    assert [s for s in seen if s in added] == added and len(seen) == len(set(seen))
    for token in ("MQ", "MS54", "eC4wMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDA"):
        assert operator.get(f"/subscriptions?api-version=2019-11-01&$skiptoken={token}").expect(400).code == "InvalidSkipToken"
