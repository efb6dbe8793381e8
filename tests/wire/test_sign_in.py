"""The sign-in service as az and the SDKs use it (contract/az-cli.md 3)."""
import base64
import json
import pathlib

import pytest

AZ_CLIENT = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_discovery_names_every_endpoint(site):
    document = site.adfs().get("/adfs/.well-known/openid-configuration").expect(200).json
    base = site.facts["activeDirectory"]
    assert document["issuer"] == base
    assert document["token_endpoint"] == f"{base}/oauth2/token"
    assert document["device_authorization_endpoint"] == f"{base}/oauth2/devicecode"
    keys = site.adfs().get(document["jwks_uri"]).expect(200).json["keys"]
    assert keys and all(key["kty"] == "RSA" and key["kid"] for key in keys)


# decisions 26
def test_discovery_below_a_tenant_says_the_tenants_issuer(site):
    host = site.facts["activeDirectory"].removesuffix("/adfs")
    for path in (site.tenant, f"{site.tenant}/v2.0", "anything"):
        document = site.adfs().get(f"/adfs/{path}/.well-known/openid-configuration").expect(200).json
        assert document["issuer"] == f"{host}/{site.tenant}/"


def test_client_secret(site):
    token = claims(site.token(*site.operator_secret()))
    assert token["aud"] == site.facts["audience"]
    assert token["tid"] == site.tenant and token["ver"] == "1.0" and token["idtyp"] == "app"


# decisions 6
def test_wrong_secret_and_unknown_client(site):
    form = {"grant_type": "client_credentials", "client_id": site.facts["operator"]["appId"], "client_secret": "wrong",
            "scope": site.facts["audience"] + "/.default"}
    answer = site.adfs().post("/adfs/oauth2/token", form=form).expect(401)
    assert answer.json["error"] == "invalid_client" and "AADSTS7000215" in answer.json["error_description"]
    form["client_id"] = "11111111-1111-1111-1111-111111111111"
    answer = site.adfs().post("/adfs/oauth2/token", form=form).expect(400)
    assert answer.json["error"] == "unauthorized_client" and "AADSTS700016" in answer.json["error_description"]
    assert answer.header("Retry-After") is None


def user_form(site, **more):
    return {"grant_type": "password", "client_id": AZ_CLIENT, "username": site.facts["operator"]["username"],
            "password": pathlib.Path(site.facts["operator"]["passwordFile"]).read_text().strip(),
            "scope": f"{site.facts['audience']}/.default offline_access openid profile", **more}


def test_password_and_refresh_as_az_does(site):
    answer = site.adfs().post("/adfs/oauth2/token", form=user_form(site, client_info="1")).expect(200)
    body = answer.json
    identity = claims(body["id_token"])
    assert identity["aud"] == AZ_CLIENT and identity["tid"] == site.tenant
    assert identity["upn"] == site.facts["operator"]["username"] and identity["oid"] and identity["sub"]
    assert int(body["expires_in"]) >= 600
    assert "scope" not in body or f"{site.facts['audience']}/.default" in body["scope"].split()
    for audience in (site.facts["audience"], site.facts["graph"]):
        for _ in range(2):  # redeemable repeatedly
            again = site.adfs().post("/adfs/oauth2/token", form={
                "grant_type": "refresh_token", "client_id": AZ_CLIENT, "refresh_token": body["refresh_token"],
                "scope": f"{audience}/.default offline_access openid profile"}).expect(200)
            assert claims(again.json["access_token"])["aud"] == audience


def test_bad_password(site):
    answer = site.adfs().post("/adfs/oauth2/token", form=user_form(site, password="no")).expect(400)
    assert answer.json["error"] == "invalid_grant" and "AADSTS50126" in answer.json["error_description"]


@pytest.mark.parametrize("form", [
    {}, {"grant_type": "nonsense"}, {"grant_type": "password"}, {"grant_type": "refresh_token", "refresh_token": "x.y"},
    {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y", "scope": "https://elsewhere/.default"},
    {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "zz", "client_id": AZ_CLIENT},
])
def test_bad_requests_are_oauth_errors(site, form):
    answer = site.adfs().post("/adfs/oauth2/token", form=form).expect(400, 401)
    assert answer.json["error"] and answer.json["error_description"]


def test_device_code_is_approved_on_a_page(site):
    started = site.adfs().post("/adfs/oauth2/devicecode", form={
        "client_id": AZ_CLIENT, "scope": f"{site.facts['audience']}/.default offline_access openid profile"}).expect(200).json
    assert started["expires_in"] == 900 and started["user_code"] in started["message"]
    poll = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": AZ_CLIENT,
            "device_code": started["device_code"], "code": started["device_code"]}
    assert site.adfs().post("/adfs/oauth2/token", form=poll).expect(400).json["error"] == "authorization_pending"
    page = site.adfs().get(started["verification_uri"]).expect(200)
    assert "form" in page.body.decode() and page.header("Content-Security-Policy")


def test_disabled_principal_loses_its_token_at_once(site, operator):
    principal = site.principal()
    scope = f"/subscriptions/{site.subscription}"
    site.assign(operator, principal, "acdd72a7-3385-48ef-bd42-f606fba81ae7", scope)
    arm = site.client_of(principal)
    arm.get(f"{scope}?api-version=2019-11-01").expect(200)
    site.command("sp", "disable", principal["appId"])
    arm.get(f"{scope}?api-version=2019-11-01").expect(401)
    site.command("sp", "enable", principal["appId"])
    arm.get(f"{scope}?api-version=2019-11-01").expect(401)  # the old token stays dead
    site.client_of(principal).get(f"{scope}?api-version=2019-11-01").expect(200)


def test_keys_rotate_without_breaking_old_tokens(site, operator):
    before = site.adfs().get("/adfs/discovery/keys").expect(200).json["keys"]
    site.command("keys", "rotate")
    operator.get("/subscriptions?api-version=2019-11-01").expect(200)
    site.operator().get("/subscriptions?api-version=2019-11-01").expect(200)
    after = site.adfs().get("/adfs/discovery/keys").expect(200).json["keys"]
    assert len(after) == len(before) + 1


def test_graph_finds_people_as_az_asks(site):
    secret = site.operator_secret()
    token = site.token(*secret, audience=site.facts["graph"])
    graph = site.graph(token)
    user = site.user()
    found = graph.get(f"/v1.0/users?$filter=userPrincipalName%20eq%20'{user['username']}'").expect(200).json["value"]
    assert [u["id"] for u in found] == [user["objectId"]]
    principal = site.principal()
    found = graph.get("/v1.0/servicePrincipals?$filter=servicePrincipalNames/any(c:c%20eq%20'" + principal["appId"] + "')")
    assert [p["id"] for p in found.expect(200).json["value"]] == [principal["objectId"]]
    both = graph.post("/v1.0/directoryObjects/getByIds", {"ids": [user["objectId"], principal["objectId"]],
                                                         "types": ["user", "servicePrincipal"]}).expect(200).json["value"]
    assert {o["@odata.type"] for o in both} == {"#microsoft.graph.user", "#microsoft.graph.servicePrincipal"}
    missing = graph.get("/v1.0/users/nobody@nowhere").expect(404)
    assert missing.json["error"]["code"] == "Request_ResourceNotFound"
    site.graph("junk").get("/v1.0/users").expect(401)
