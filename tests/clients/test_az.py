"""The unmodified az of the distribution, in Azure Stack Hub's profile and in its latest one."""
import json
import os
import pathlib
import uuid

import pytest

from harness.az import Az
from harness.site import ACR_PULL


def test_registers_by_discovery_as_well(site, tmp_path):
    az = Az(site, tmp_path)
    az("cloud", "register", "-n", "x", "--endpoint-resource-manager", site.facts["resourceManager"],
       "--suffix-acr-login-server-endpoint", site.facts["acrSuffix"])
    cloud = az("cloud", "show", "-n", "x")
    assert cloud["endpoints"]["activeDirectory"] == site.facts["activeDirectory"]
    assert cloud["endpoints"]["activeDirectoryResourceId"] == site.facts["audience"]


def test_signs_in_as_a_user(site, registered, tmp_path):
    az = Az(site, tmp_path, like=registered)
    password = pathlib.Path(site.facts["operator"]["passwordFile"]).read_text().strip()
    accounts = az("login", "-u", site.facts["operator"]["username"], "-p", password)
    assert site.subscription in [a["id"] for a in accounts]
    assert az("account", "show")["tenantId"] == site.tenant
    assert az("group", "list") is not None
    failed = Az(site, tmp_path / "wrong", like=registered)
    assert "AADSTS50126" in failed.fails("login", "-u", site.facts["operator"]["username"], "-p", "wrong").stderr


def test_account_and_locations(site, az):
    assert site.subscription in [a["id"] for a in az("account", "list", "--refresh")]
    assert [l["name"] for l in az("account", "list-locations")] == [site.region]
    assert az("account", "get-access-token")["tokenType"] == "Bearer"


def test_groups(site, az, az_group):
    assert az("group", "exists", "-n", az_group) is True
    assert az("group", "exists", "-n", "no-such-group") is False
    assert az_group in [g["name"] for g in az("group", "list", "--tag", "team=blue")]
    assert az("group", "update", "-n", az_group, "--set", "tags.more=yes")["tags"] == {"team": "blue", "more": "yes"}
    assert az.fails("group", "show", "-n", "no-such-group").returncode == 3


def test_group_delete_waits(site, az):
    name = site.unique("gone")
    az("group", "create", "-n", name, "-l", site.region)
    az("acr", "create", "-n", site.unique("inside"), "-g", name, "--sku", "Basic")
    az("group", "delete", "-n", name, "-y")
    assert az("group", "exists", "-n", name) is False


def test_providers(az):
    shown = az("provider", "show", "-n", "Microsoft.ContainerRegistry")
    assert shown["registrationState"] == "Registered"
    registries = next(t for t in shown["resourceTypes"] if t["resourceType"] == "registries")
    assert registries["apiVersions"][:2] == ["2019-05-01", "2017-10-01"]
    assert az("provider", "list")
    assert az("provider", "register", "-n", "Microsoft.ContainerRegistry") is not None


def test_resources(site, az, az_group, az_registry):
    listed = az("resource", "list", "-g", az_group, "--resource-type", "Microsoft.ContainerRegistry/registries")
    assert [r["name"] for r in listed] == [az_registry.name]
    shown = az("resource", "show", "-g", az_group, "-n", az_registry.name, "--resource-type",
               "Microsoft.ContainerRegistry/registries")
    assert shown["properties"]["loginServer"] == az_registry.server
    tagged = az("resource", "tag", "--ids", az_registry.id, "--tags", "colour=red")
    assert tagged["tags"] == {"colour": "red"}
    invoked = az("resource", "invoke-action", "--ids", az_registry.id, "--action", "listCredentials")
    assert (json.loads(invoked) if isinstance(invoked, str) else invoked)["username"] == az_registry.name


def test_check_name(site, az, az_registry):
    assert az("acr", "check-name", "-n", "surelyfree123")["nameAvailable"] is True
    taken = az("acr", "check-name", "-n", az_registry.name)
    assert taken["nameAvailable"] is False and taken["reason"] == "AlreadyExists"


@pytest.mark.parametrize("profile", ["az", "latest"])
def test_show_list_update(profile, request, site, az_group, az_registry):
    az = request.getfixturevalue(profile)
    assert az("acr", "show", "-n", az_registry.name)["name"] == az_registry.name
    assert az("acr", "show", "-n", az_registry.name.upper(), "-g", az_group)["id"] == az_registry.id
    assert az_registry.name in [r["name"] for r in az("acr", "list")]
    assert [r["name"] for r in az("acr", "list", "-g", az_group)] == [az_registry.name]
    updated = az("acr", "update", "-n", az_registry.name, "--tags", f"p={profile}", "--admin-enabled", "true")
    assert updated["tags"] == {"p": profile} and updated["adminUserEnabled"] is True
    usage = az("acr", "show-usage", "-n", az_registry.name)["value"]
    assert [u["name"] for u in usage] == ["Size", "Webhooks"] and usage[0]["currentValue"] > 100000
    assert az.fails("acr", "show", "-n", "nosuchregistry", "-g", az_group).returncode == 3


def test_credentials(site, az, az_group):
    name = site.unique("cred")
    az("acr", "create", "-n", name, "-g", az_group, "--sku", "Basic")
    refused = az.fails("acr", "credential", "show", "-n", name)
    assert "admin" in refused.stderr.lower()
    az("acr", "update", "-n", name, "--admin-enabled", "true")
    first = az("acr", "credential", "show", "-n", name)
    renewed = az("acr", "credential", "renew", "-n", name, "--password-name", "password2")
    assert renewed["passwords"][0] == first["passwords"][0]
    assert renewed["passwords"][1]["value"] != first["passwords"][1]["value"]
    az("acr", "delete", "-n", name, "-y")


def test_refusals_are_clear(site, az, az_group):
    premium = az.fails("acr", "create", "-n", site.unique("prem"), "-g", az_group, "--sku", "Premium")
    assert "SkuNotSupported" in premium.stderr
    trust = az.fails("acr", "config", "content-trust", "update", "-r", "nosuch", "--status", "enabled")
    assert "could not be found" in trust.stderr


# decisions 22, 23
@pytest.mark.parametrize("profile", ["az", "latest"])
def test_login_and_data_commands(profile, request, site, az_registry):
    az = request.getfixturevalue(profile)
    name = az_registry.name
    exposed = az("acr", "login", "-n", name, "--expose-token")
    assert exposed["loginServer"] == az_registry.server and exposed["accessToken"].count(".") == 2
    assert "hello" in az("acr", "repository", "list", "-n", name)
    assert az("acr", "repository", "show", "-n", name, "--repository", "hello")["tagCount"] == 1
    assert az("acr", "repository", "show", "-n", name, "--image", "hello:1")["name"] == "1"
    assert az("acr", "repository", "show-tags", "-n", name, "--repository", "hello") == ["1"]
    assert len(az("acr", "manifest", "list-metadata", "-r", name, "-n", "hello")) == 1
    done = az.run("acr", "login", "-n", name, PATH=az.docker_shim())
    assert done.returncode == 0 and "Login Succeeded" in done.stdout + done.stderr


def test_login_of_a_user_who_may_only_pull(site, operator, registered, az_registry, tmp_path):
    principal = site.principal()
    site.assign(operator, principal, ACR_PULL, az_registry.id)
    az = Az(site, tmp_path, like=registered)
    az.login(principal, "--allow-no-subscriptions")
    done = az.run("acr", "login", "-n", az_registry.name, PATH=az.docker_shim())
    assert done.returncode == 0, done.stderr
    assert "hello" in az("acr", "repository", "list", "-n", az_registry.name)
    assert az("acr", "list") == []
    assert az.fails("acr", "show", "-n", az_registry.name)


# S17, S25, S29: the first thing to run.
def test_check_health(site, az, az_registry):
    done = az.run("acr", "check-health", "-n", az_registry.name, "--yes", "--ignore-errors")
    for line in ("DNS lookup to", "Challenge endpoint", "Fetch refresh token", "Fetch access token"):
        assert any(line in l and "OK" in l for l in done.stderr.splitlines()), done.stderr


def test_untag_and_delete(site, az, az_registry):
    client = az_registry.client()
    for tag in ("a", "b"):
        az_registry.push_image(client, "away", tag, [os.urandom(1000)])
    az("acr", "repository", "untag", "-n", az_registry.name, "--image", "away:a")
    assert az("acr", "repository", "show-tags", "-n", az_registry.name, "--repository", "away") == ["b"]
    az("acr", "repository", "delete", "-n", az_registry.name, "--image", "away:b", "--yes")
    assert az("acr", "repository", "show-tags", "-n", az_registry.name, "--repository", "away") == []
    az("acr", "repository", "delete", "-n", az_registry.name, "--repository", "away", "--yes")
    assert "away" not in az("acr", "repository", "list", "-n", az_registry.name)


def test_role_assignment_by_rest(site, az, az_registry):
    principal = site.principal()
    url = (f"{az_registry.id}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}?api-version=2015-07-01")
    body = json.dumps({"properties": {"roleDefinitionId": site.role(ACR_PULL), "principalId": principal["objectId"]}})
    made = az("rest", "--method", "put", "--url", url, "--body", body)
    assert made["properties"]["scope"] == az_registry.id
    az_registry.client(principal["appId"], principal["secret"]).get("/v2/hello/manifests/1").expect(200)
    listed = az("rest", "--method", "get", "--url", f"{az_registry.id}/providers/Microsoft.Authorization/roleAssignments"
                f"?api-version=2015-07-01&$filter=principalId eq '{principal['objectId']}'")["value"]
    assert [a["id"] for a in listed] == [made["id"]]
    az("role", "assignment", "delete", "--ids", made["id"])
    az_registry.client(principal["appId"], principal["secret"]).get("/v2/hello/manifests/1").expect(401)


def grantee(assignment):
    """az prints an assignment flat or with `properties`, as the package of its authorization client has the model."""
    return assignment.get("properties", assignment)["principalId"]


def test_role_assignment_create_as_the_faq_has_it(site, registered, az_registry, tmp_path):
    """S15, with the package's own defect repaired."""
    az = Az(site, tmp_path, repaired=True, like=registered)
    az.login()
    principal, user = site.principal(), site.user()
    made = az("role", "assignment", "create", "--scope", az_registry.id, "--role", "AcrPull", "--assignee", principal["appId"])
    assert grantee(made) == principal["objectId"]
    az_registry.client(principal["appId"], principal["secret"]).get("/v2/hello/manifests/1").expect(200)
    az("role", "assignment", "create", "--scope", az_registry.id, "--role", "AcrPush", "--assignee", user["username"])
    az_registry.client(user["username"], user["password"]).get("/v2/hello/manifests/1").expect(200)
    az("role", "assignment", "create", "--scope", az_registry.id, "--role", "AcrPush", "--assignee", user["username"])
    listed = az("role", "assignment", "list", "--scope", az_registry.id)
    assert {grantee(a) for a in listed} >= {principal["objectId"], user["objectId"]}
    az("role", "assignment", "delete", "--scope", az_registry.id, "--role", "AcrPull", "--assignee", principal["appId"])
    az_registry.client(principal["appId"], principal["secret"]).get("/v2/hello/manifests/1").expect(401)
