"""az 2.66.1, the long-term release that Azure Stack Hub's users are told to stay on, in the hub's profile.
script/clients installs it; where it could not be, these tests are skipped."""
import os

import pytest

from harness.az import Az, installed
from harness.site import Registry

PROGRAM = installed("az-2.66")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="az 2.66.1 is not installed: script/clients takes it from PyPI")


@pytest.fixture(scope="module")
def registered_lts(site, tmp_path_factory):
    made = Az(site, tmp_path_factory.mktemp("lts-registered"), program=PROGRAM)
    assert made.version()["azure-cli"] == "2.66.1"
    made.register()
    return made


@pytest.fixture(scope="module")
def lts(site, registered_lts, tmp_path_factory):
    made = Az(site, tmp_path_factory.mktemp("lts"), program=PROGRAM, like=registered_lts)
    made.login()
    return made


@pytest.fixture(scope="module")
def lts_registry(site, operator, lts):
    group = site.unique("ltsg")
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version=2019-10-01",
                 {"location": site.region}).expect(201)
    name = site.unique("lts")
    made = lts("acr", "create", "-n", name, "-g", group, "--sku", "Standard", "--admin-enabled", "true")
    assert made["loginServer"] == f"{name}{site.facts['acrSuffix']}" and made["provisioningState"] == "Succeeded"
    registry = Registry(site, made["id"], name)
    registry.await_host()
    credentials = lts("acr", "credential", "show", "-n", name)
    registry.username, registry.password = credentials["username"], credentials["passwords"][0]["value"]
    registry.push_image(registry.client(), "hello", "1", [os.urandom(1000)])
    yield registry
    lts("group", "delete", "-n", group, "-y")


# decisions 22
def test_lts_shows_and_reads_a_registry(lts, lts_registry):
    assert lts("cloud", "show", "--query", "profile") == "2020-09-01-hybrid"
    assert lts("acr", "show", "-n", lts_registry.name)["id"] == lts_registry.id
    exposed = lts("acr", "login", "-n", lts_registry.name, "--expose-token")
    assert exposed["loginServer"] == lts_registry.server and exposed["accessToken"].count(".") == 2
    assert lts("acr", "repository", "list", "-n", lts_registry.name) == ["hello"]
    assert lts("acr", "repository", "show-tags", "-n", lts_registry.name, "--repository", "hello") == ["1"]


def grant_pull_and_revoke(site, lts, registry, assignee, grantee, secret, login):
    """S15: the grant counts for the next request, so does its end; listing the registries shows none to the grantee."""
    lts("role", "assignment", "create", "--scope", registry.id, "--role", "AcrPull", "--assignee", assignee)
    registry.client(assignee, secret).get("/v2/hello/manifests/1").expect(200)
    listed = lts("role", "assignment", "list", "--scope", registry.id, "--assignee", assignee)
    assert len(listed) == 1

    login(grantee)
    done = grantee.run("acr", "login", "-n", registry.name, PATH=grantee.docker_shim())
    assert done.returncode == 0, done.stderr
    assert grantee("acr", "repository", "list", "-n", registry.name) == ["hello"]
    assert grantee("acr", "list") == []

    lts("role", "assignment", "delete", "--scope", registry.id, "--role", "AcrPull", "--assignee", assignee)
    registry.client(assignee, secret).get("/v2/hello/manifests/1").expect(401)


def test_lts_grants_by_user_name(site, lts, registered_lts, lts_registry, tmp_path):
    user = site.user()
    grant_pull_and_revoke(site, lts, lts_registry, user["username"], Az(site, tmp_path, program=PROGRAM, like=registered_lts),
                          user["password"],
                          lambda az: az("login", "-u", user["username"], "-p", user["password"], "--allow-no-subscriptions"))


def test_lts_grants_by_application_id(site, lts, registered_lts, lts_registry, tmp_path):
    principal = site.principal()
    grant_pull_and_revoke(site, lts, lts_registry, principal["appId"],
                          Az(site, tmp_path, program=PROGRAM, like=registered_lts), principal["secret"],
                          lambda az: az.login(principal, "--allow-no-subscriptions"))
