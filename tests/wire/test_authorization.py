"""Who may do what on every route, and tokens that are shown where they do not belong."""
import base64
import json
import subprocess
import uuid

import pytest

from harness.site import ACR_PULL, CONTRIBUTOR, OWNER, READER, digest_of

REGISTRY, GROUP, ROLE = "?api-version=2019-05-01", "?api-version=2019-10-01", "?api-version=2015-07-01"
NULL_GUID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def place(site, operator):
    """A group with a registry, and one client for each kind of caller."""
    group = site.unique("a")
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{group}{GROUP}", {"location": site.region}).expect(201)
    made = site.create_registry(operator, group)
    other = site.command("subscription", "add", "Elsewhere")["subscriptionId"]
    scopes = {"reader": (READER, f"/subscriptions/{site.subscription}/resourceGroups/{group}"), "puller": (ACR_PULL, made.id),
              "contributor": (CONTRIBUTOR, f"/subscriptions/{site.subscription}"),
              "elsewhere": (OWNER, f"/subscriptions/{other}")}
    clients = {"anonymous": site.arm_client(), "nobody": site.client_of(site.principal()), "owner": operator}
    for name, (role, scope) in scopes.items():
        principal = site.principal()
        site.assign(operator, principal, role, scope)
        clients[name] = site.client_of(principal)
    made.group, made.callers = group, clients
    return made


CALLERS = ["anonymous", "nobody", "reader", "puller", "contributor", "elsewhere", "owner"]
# method, path, body, the statuses in the order of CALLERS; {s} subscription, {g} group, {r} registry, {n} a new GUID
MATRIX = [
    ("GET", "/subscriptions/{s}?api-version=2019-11-01", None, [401, 403, 200, 200, 200, 403, 200]),
    ("GET", "/subscriptions/{s}/resourcegroups" + GROUP, None, [401, 200, 200, 200, 200, 200, 200]),
    ("GET", "/subscriptions/{s}/resourcegroups/{g}" + GROUP, None, [401, 403, 200, 403, 200, 403, 200]),
    ("HEAD", "/subscriptions/{s}/resourcegroups/{g}" + GROUP, None, [401, 403, 204, 403, 204, 403, 204]),
    ("GET", "/subscriptions/{s}/resourcegroups/absent" + GROUP, None, [401, 403, 403, 403, 404, 403, 404]),
    ("PATCH", "/subscriptions/{s}/resourcegroups/{g}" + GROUP, {"tags": {"a": "b"}}, [401, 403, 403, 403, 200, 403, 200]),
    ("GET", "{r}" + REGISTRY, None, [401, 403, 200, 403, 200, 403, 200]),
    ("HEAD", "{r}" + REGISTRY, None, [401, 403, 204, 403, 204, 403, 204]),
    ("GET", "{r}absent" + REGISTRY, None, [401, 403, 404, 403, 404, 403, 404]),
    ("PATCH", "{r}" + REGISTRY, {"tags": {"a": "b"}}, [401, 403, 403, 403, 200, 403, 200]),
    ("GET", "{r}/listUsages" + REGISTRY, None, [401, 403, 200, 403, 200, 403, 200]),
    ("POST", "{r}/listCredentials" + REGISTRY, None, [401, 403, 403, 403, 200, 403, 200]),
    ("POST", "{r}/regenerateCredential" + REGISTRY, {"name": "password2"}, [401, 403, 403, 403, 200, 403, 200]),
    ("POST", "/subscriptions/{s}/providers/Microsoft.ContainerRegistry/register" + GROUP, None,
     [401, 403, 403, 403, 200, 403, 200]),
    ("PUT", "{r}/providers/Microsoft.Authorization/roleAssignments/{n}" + ROLE, "assign", [401, 403, 403, 403, 403, 403, 201]),
    ("PUT", "/subscriptions/{s}/providers/Microsoft.Authorization/roleAssignments/{n}" + ROLE, "assign",
     [401, 403, 403, 403, 403, 403, 201]),
    ("PUT", "//providers/Microsoft.Authorization/roleAssignments/{n}/" + ROLE, "assign", [401, 403, 403, 403, 403, 403, 403]),
    ("DELETE", "{r}/providers/Microsoft.Authorization/roleAssignments/{n}" + ROLE, None,
     [401, 403, 403, 403, 403, 403, 204]),
    ("PUT", "/subscriptions/{s}/providers/Microsoft.Authorization/roleDefinitions/{n}" + ROLE, "define",
     [401, 403, 403, 403, 403, 403, 201]),
]


# arm-core 1.7.4, 1.7.5; decisions 12
@pytest.mark.parametrize("method,path,body,statuses", MATRIX, ids=[f"{m} {p}" for m, p, _, _ in MATRIX])
def test_matrix(site, place, method, path, body, statuses):
    for caller, status in zip(CALLERS, statuses):
        url = path.format(s=site.subscription, g=place.group, r=place.id, n=uuid.uuid4())
        sent = body
        if body == "assign":
            sent = {"properties": {"roleDefinitionId": site.role(READER), "principalId": site.principal()["objectId"]}} \
                if status == 201 else {"properties": {"roleDefinitionId": site.role(OWNER), "principalId": str(uuid.uuid4())}}
        elif body == "define":
            sent = {"properties": {"roleName": site.unique("role"), "type": "CustomRole", "permissions": [{"actions": ["*"]}],
                                   "assignableScopes": [f"/subscriptions/{site.subscription}"]}}
        answer = place.callers[caller].request(method, url, sent)
        assert answer.status == status, (caller, answer)
        if status == 403 and method != "HEAD":
            assert answer.code == "AuthorizationFailed"


def test_lists_hide_what_may_not_be_read(site, place):
    urls = {f"/subscriptions/{site.subscription}/resources{GROUP}": "reg",
            f"/subscriptions/{site.subscription}/providers/Microsoft.ContainerRegistry/registries{REGISTRY}": "reg",
            f"/subscriptions/{site.subscription}/resourceGroups/{place.group}/providers/Microsoft.ContainerRegistry/registries"
            f"{REGISTRY}": "reg", f"/subscriptions/{site.subscription}/resourcegroups{GROUP}": "group"}
    for url, kind in urls.items():
        wanted = place.name if kind == "reg" else place.group
        for caller in CALLERS[1:]:
            names = [row["name"] for row in place.callers[caller].get(url).expect(200).json["value"]]
            assert (wanted in names) == (caller in ("reader", "contributor", "owner")), (caller, url, names)
            if caller in ("nobody", "puller", "elsewhere"):
                assert names == []


# arm-core 1.1.2, 1.1.6
def test_odd_spellings_name_the_same_scope(place):
    plain = place.id
    same = [plain.upper(), plain.lower(), plain + "/", plain + "//", "/" + plain, plain.replace("/providers", "//providers"),
            plain.replace("registries", "%72egistries"), plain + "%2f", "/" + plain[1:].replace("/", "%2F")]
    for url in same:
        assert place.callers["reader"].get(url + REGISTRY).status == 200, url
        assert place.callers["nobody"].get(url + REGISTRY).status == 403, url
    group = f"/{place.group}/"
    for url in (plain.replace(group, f"/x/..{group}"), plain.replace(group, f"/.{group}"),
                plain.replace(group, f"/x%2F..%2F{place.group}/"), plain.replace(group, f"/{place.group}%00/"),
                plain.replace(group, f"%2F.{group}")):
        assert place.callers["reader"].get(url + REGISTRY).status in (400, 404), url


def test_a_group_and_a_registry_may_be_called_providers(site, operator):
    group = f"/subscriptions/{site.subscription}/resourceGroups/providers"
    operator.put(group + GROUP, {"location": site.region}).expect(201)
    principal = site.principal()
    site.assign(operator, principal, OWNER, group)
    owner = site.client_of(principal)
    assert owner.get(group + GROUP).expect(200).json["name"] == "providers"
    registry = f"{group}/providers/Microsoft.ContainerRegistry/registries/providers"
    owner.put(registry + REGISTRY, {"location": site.region, "sku": {"name": "Standard"},
                                    "properties": {"adminUserEnabled": True}}).expect(200)
    site.unassign(operator, site.assign(operator, principal, READER, registry))
    puller = site.principal()
    site.assign(operator, puller, READER, registry)
    site.client_of(puller).get(registry + REGISTRY).expect(200)
    site.client_of(puller).get(f"{registry}/listUsages{REGISTRY}").expect(200)
    site.client_of(puller).get(group + GROUP).expect(403)
    owner.post(f"{registry}/listCredentials{REGISTRY}").expect(200)
    owner.delete(registry + REGISTRY).expect(200)
    owner.delete(group + GROUP).expect(202)


def test_no_header_overrides_the_method_or_the_host(site, place):
    reader = place.callers["reader"]
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        reader.get(place.id + REGISTRY, headers={header: "DELETE"}).expect(200)
    for header in ("X-Azsacr-Host", "X-Forwarded-Host", "X-Original-URL"):
        reader.get(place.id + REGISTRY, headers={header: place.host}).expect(200)


# ---- registry tokens

def exchange(registry, token):
    return registry.client(anonymous=True).post("/oauth2/exchange", form={
        "grant_type": "access_token", "service": registry.server, "access_token": token})


def access(registry, refresh, scope):
    return registry.client(anonymous=True).post("/oauth2/token", form={
        "grant_type": "refresh_token", "service": registry.server, "scope": scope, "refresh_token": refresh})


@pytest.fixture(scope="module")
def tokens(site, place, operator):
    pushed = place.client()
    place.push_image(pushed, "one", "v1", [b"of one"])
    place.push_image(pushed, "two", "v1", [b"of two"])
    arm = site.token(*site.operator_secret())
    refresh = exchange(place, arm).expect(200).json["refresh_token"]
    return {"arm": arm, "refresh": refresh, "access": access(place, refresh, "repository:one:pull").expect(200).json["access_token"]}


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_narrowed_token_is_good_for_its_scope_only(place, tokens):
    client = place.client(token=tokens["access"])
    client.get("/v2/one/manifests/v1").expect(200)
    for method, path in [("GET", "/v2/two/manifests/v1"), ("GET", "/v2/_catalog"), ("POST", "/v2/one/blobs/uploads/"),
                         ("DELETE", "/v2/one/manifests/v1"), ("PATCH", "/acr/v1/one"), ("GET", "/acr/v1/_catalog"),
                         ("GET", f"/v2/two/blobs/{digest_of(b'of two')}"), ("DELETE", "/acr/v1/one/_tags/v1")]:
        answer = client.request(method, path, b"{}" if method == "PATCH" else None).expect(401)
        assert answer.header("WWW-Authenticate").endswith(',error="insufficient_scope"')


@pytest.mark.parametrize("origin", ["&from=one", "&from=", ""])
def test_a_mount_lends_nothing_from_outside_the_token(place, tokens, origin):
    narrow = access(place, tokens["refresh"], "repository:three:pull,push").expect(200).json["access_token"]
    client, digest = place.client(token=narrow), digest_of(b"of one")
    client.post(f"/v2/three/blobs/uploads/?mount={digest}{origin}").expect(202)
    client.get(f"/v2/three/blobs/{digest}").expect(404)
    wide = access(place, tokens["refresh"], "repository:four:pull,push repository:one:pull").expect(200).json["access_token"]
    name = "four" + str(len(origin))
    both = access(place, tokens["refresh"], f"repository:{name}:pull,push repository:one:pull").expect(200).json["access_token"]
    assert wide and place.client(token=both).post(f"/v2/{name}/blobs/uploads/?mount={digest}{origin}").expect(201)


def test_tokens_of_another_kind_or_place(site, operator, place, tokens):
    other = site.create_registry(operator, place.group)
    other.client(token=tokens["access"]).get("/v2/").expect(401)
    access(other, tokens["refresh"], "repository:one:pull").expect(401)
    for wrong in (tokens["arm"], tokens["refresh"]):
        place.client(token=wrong).get("/v2/one/manifests/v1").expect(401)
    for wrong in (tokens["arm"], tokens["access"]):
        access(place, wrong, "repository:two:pull").expect(401)
    for wrong in (tokens["refresh"], tokens["access"]):
        exchange(place, wrong).expect(401)
        site.arm_client(wrong).get("/subscriptions?api-version=2019-11-01").expect(401)
    place.client(NULL_GUID, tokens["arm"]).get("/v2/").expect(401)


def test_an_access_token_buys_no_longer_life_and_no_wider_scope(place, tokens):
    answer = place.client(NULL_GUID, tokens["access"]).get(
        f"/oauth2/token?service={place.server}&scope=repository:one:pull&scope=repository:two:pull,push&offline_token=true")
    bought = answer.expect(200).json
    assert "refresh_token" not in bought
    assert claims(bought["access_token"])["exp"] <= claims(tokens["access"])["exp"]
    assert [grant["Name"] for grant in claims(bought["access_token"])["access"]] == ["one"]
    place.client(token=bought["access_token"]).get("/v2/two/manifests/v1").expect(401)


def test_no_algorithm_but_ours(site, place, tokens):
    head, body, signature = tokens["access"].split(".")
    plain = json.loads(base64.urlsafe_b64decode(head + "=="))
    for algorithm in ("none", "None", "HS384", "HS512", "RS256", ""):
        forged = base64.urlsafe_b64encode(json.dumps({**plain, "alg": algorithm}).encode()).rstrip(b"=").decode()
        for end in ("", signature):
            place.client(token=f"{forged}.{body}.{end}").get("/v2/").expect(401)
    place.client(token=tokens["access"] + "=").get("/v2/").expect(401)
    kid = json.loads(base64.urlsafe_b64decode(tokens["arm"].split(".")[0] + "=="))["kid"]
    import hashlib
    import hmac
    modulus = site.adfs().get("/adfs/discovery/keys").json["keys"][0]["n"]
    forged = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT", "kid": kid}).encode()).rstrip(b"=").decode()
    for secret in (modulus.encode(), base64.urlsafe_b64decode(modulus + "=="), b""):
        mac = hmac.new(secret, f"{forged}.{tokens['arm'].split('.')[1]}".encode(), hashlib.sha256).digest()
        end = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
        site.arm_client(f"{forged}.{tokens['arm'].split('.')[1]}.{end}").get(
            "/subscriptions?api-version=2019-11-01").expect(401)


def test_the_admin_user_after_regenerate_and_disable(operator, place):
    id_ = place.id

    def admin():
        pair = operator.post(f"{id_}/listCredentials{REGISTRY}").expect(200).json
        client = place.client(pair["username"], pair["passwords"][0]["value"])
        got = client.get(f"/oauth2/token?service={place.server}&scope=repository:one:pull&offline_token=true").expect(200).json
        return client, place.client(token=got["access_token"]), got["refresh_token"]
    basic, bearer, refresh = admin()
    operator.post(f"{id_}/regenerateCredential{REGISTRY}", {"name": "password2"}).expect(200)
    bearer.get("/v2/").expect(200)
    operator.post(f"{id_}/regenerateCredential{REGISTRY}", {"name": "password"}).expect(200)
    for client in (basic, bearer):
        client.get("/v2/").expect(401)
    access(place, refresh, "repository:one:pull").expect(401)
    basic, bearer, refresh = admin()
    operator.patch(id_ + REGISTRY, {"properties": {"adminUserEnabled": False}}).expect(200)
    for client in (basic, bearer):
        client.get("/v2/").expect(401)
    access(place, refresh, "repository:one:pull").expect(401)
    operator.patch(id_ + REGISTRY, {"properties": {"adminUserEnabled": True}}).expect(200)
    basic.get("/v2/").expect(200)  # decisions 16: the passwords are kept


# ---- guessing

def password_grant(site, name, password):
    return site.adfs().post("/adfs/oauth2/token", form={
        "grant_type": "password", "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "username": name, "password": password,
        "scope": site.facts["audience"] + "/.default openid"})


def test_a_registry_is_no_place_to_guess_passwords(site, place):
    user = site.user()
    password_grant(site, user["username"], user["password"]).expect(200)
    for _ in range(30):
        place.client(user["username"], "wrong").get("/v2/").expect(401)
    assert "50053" in password_grant(site, user["username"], "wrong again").expect(400).json["error_description"]
    assert site.user()  # and only that name
    other = site.user()
    password_grant(site, other["username"], other["password"]).expect(200)


def test_a_flood_of_wrong_passwords_leaves_workers_for_others(site, operator, place):
    import threading
    stop, statuses = threading.Event(), []

    def guess():
        client = place.client(anonymous=True)
        while not stop.is_set():
            pair = base64.b64encode(f"{uuid.uuid4().hex}@x:wrong".encode()).decode()
            statuses.append(client.get("/v2/", headers={"Authorization": f"Basic {pair}"}).status)
    threads = [threading.Thread(target=guess) for _ in range(16)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            operator.get(f"/subscriptions/{site.subscription}/resourcegroups{GROUP}").expect(200)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(statuses) <= {401, 503} and 401 in statuses


# ---- device codes

def device(site):
    return site.adfs().post("/adfs/oauth2/devicecode", form={
        "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "scope": site.facts["audience"] + "/.default openid"}).expect(200).json


def decide(site, code, user, password=None, action="approve"):
    return site.adfs().post("/adfs/oauth2/deviceauth", form={
        "user_code": code, "username": user["username"], "password": password or user["password"], "action": action})


def poll(site, code, client="04b07795-8ddb-461a-bbee-02f9e1bf7b46"):
    return site.adfs().post("/adfs/oauth2/token", form={
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": client, "device_code": code})


def test_a_device_code_is_good_once_and_for_its_client(site):
    user, other, codes = site.user(), site.user(), device(site)
    assert poll(site, codes["device_code"]).expect(400).json["error"] == "authorization_pending"
    assert poll(site, codes["user_code"]).expect(400).json["error"] == "invalid_grant"
    decide(site, codes["user_code"], user).expect(200)
    decide(site, codes["user_code"], other).expect(400)  # nobody takes it over
    decide(site, codes["user_code"], user, action="deny").expect(400)
    assert poll(site, codes["device_code"], str(uuid.uuid4())).expect(400).json["error"] == "invalid_grant"
    token = poll(site, codes["device_code"]).expect(200).json["access_token"]
    assert claims(token)["oid"] == user["objectId"]
    assert poll(site, codes["device_code"]).expect(400).json["error"] == "invalid_grant"


def test_nobody_locks_others_out_of_the_device_page(site):
    """Wrong tries count for the code and for the name from that address; not for the name alone."""
    user = site.user()
    for _ in range(12):
        decide(site, device(site)["user_code"], user, "wrong").expect(400)
    codes = device(site)
    decide(site, codes["user_code"], user).expect(200)
    poll(site, codes["device_code"]).expect(200)


def sql(site, statement):
    """One statement in the site's private cluster, as its own user."""
    done = subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "psql", "-XAtq", "-U", "azsacr",
                           "-h", str(site.state / "run" / "pg"), "-d", "azsacr", "-c", statement],
                          capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nobody_fills_the_waiting_room_for_device_codes(site):
    """Ten thousand codes that nobody approves keep no other from getting one."""
    sql(site, "insert into rbac.device_code (device_hash, user_code, client_id, scope, expires_at)"
             " select sha256(n::text::bytea), 'waiting ' || n, gen_random_uuid(), 'x', clock_timestamp() + interval '14 minutes'"
             " from generate_series(1, 10100) n")
    user, codes = site.user(), device(site)
    decide(site, codes["user_code"], user).expect(200)
    poll(site, codes["device_code"]).expect(200)
    assert int(sql(site, "select count(*) from rbac.device_code")) <= 10000
    sql(site, "delete from rbac.device_code")


# arm-core 1.2.8
def test_a_custom_roles_name_and_description_are_bounded(site, operator):
    scope = f"/subscriptions/{site.subscription}"
    body = {"properties": {"type": "CustomRole", "permissions": [{"actions": ["*/read"], "notActions": []}], "assignableScopes": [scope]}}

    def put(name, description):
        path = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{uuid.uuid4()}{ROLE}"
        return path, operator.put(path, {"properties": {**body["properties"], "roleName": name, "description": description}})
    path, within = put(site.unique("r") + "n" * 100, "d" * 1024)
    within.expect(201)
    operator.delete(path).expect(200)
    assert put("n" * 129, "")[1].expect(400).code == "RoleDefinitionNameTooLong"
    assert put("fine", "d" * 1025)[1].expect(400).code == "DescriptionTooLong"
