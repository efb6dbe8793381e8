"""The templates of templates/examples, each deployed as it is (arm-templates 11)."""
import json
import pathlib

import pytest

from harness.deployments import Deployments
from harness.site import ACR_PULL, Registry

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent.parent / "templates" / "examples"
V = "?api-version=2019-05-01"


def text_of(name):
    return (EXAMPLES / f"{name}.json").read_text()


def outputs_of(record):
    return {name: output["value"] for name, output in record["properties"]["outputs"].items()}


@pytest.fixture
def scope(site, group):
    return f"/subscriptions/{site.subscription}/resourceGroups/{group}"


@pytest.fixture
def deployments(operator, scope):
    return Deployments(operator, scope)


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.json")))
def test_every_example_says_whom_the_admin_user_is_for(name):
    comments = json.loads(text_of(name))["metadata"]["comments"]
    assert "single user who tries a registry out" in comments and "service principal" in comments


def test_registry(site, operator, deployments, scope):
    name = site.unique("reg")
    record = deployments.succeed("registry", None, {"registryName": name, "sku": "Basic"}, raw=text_of("registry"))
    outputs = outputs_of(record)
    assert outputs["registryId"] == f"{scope}/providers/Microsoft.ContainerRegistry/registries/{name}"
    made = operator.get(outputs["registryId"] + V).expect(200).json
    assert made["sku"]["name"] == "Basic" and made["properties"]["adminUserEnabled"] is False
    assert outputs["loginServer"] == made["properties"]["loginServer"]


def test_registry_needs_no_parameters(deployments, operator):
    """arm-templates 2.2 uniqueString: the same name every time, so that the second deployment changes nothing."""
    first = deployments.succeed("registry", None, raw=text_of("registry"))
    again = deployments.succeed("registry", None, raw=text_of("registry"))
    assert outputs_of(first) == outputs_of(again)
    assert first["properties"]["parameters"]["registryName"]["value"].startswith("acr")


def test_registry_refuses_other_tiers(deployments):
    """arm-templates 9.2: the value is not part of the allowed value(s)."""
    refused = deployments.put("registry", None, {"sku": "Premium"}, raw=text_of("registry")).expect(400)
    assert refused.code == "InvalidTemplate" and "The value 'Premium' is not part of the allowed value(s): 'Basic,Standard'." in refused.message


def test_a_service_principal_that_pulls(site, operator, deployments):
    principal, name = site.principal(), site.unique("reg")
    given = {"registryName": name, "principalId": principal["objectId"]}
    record = deployments.succeed("pull", None, given, raw=text_of("registry-acrpull"))
    assert len(record["properties"]["outputResources"]) == 2
    registry = Registry(site, site.registry_id(deployments.scope.rsplit("/", 1)[1], name), name)
    registry.await_host()
    client = registry.client(principal["appId"], principal["secret"])
    assert client.get("/v2/none/tags/list").status == 404  # may pull; there is nothing yet
    assert client.post("/v2/none/blobs/uploads/").status in (401, 403)
    assignments = operator.get(f"{registry.id}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"
                               "&$filter=atScope()").expect(200).json["value"]
    assert any(ACR_PULL in a["properties"]["roleDefinitionId"] and a["properties"]["principalId"] == principal["objectId"]
               for a in assignments)
    deployments.succeed("pull", None, given, raw=text_of("registry-acrpull"))  # the same assignment, found again


def test_a_user_that_pulls(site, deployments):
    """A principal's kind is what the directory says: the template asks for none."""
    user, name = site.user(), site.unique("reg")
    deployments.succeed("user", None, {"registryName": name, "principalId": user["objectId"]}, raw=text_of("registry-acrpull"))
    registry = Registry(site, site.registry_id(deployments.scope.rsplit("/", 1)[1], name), name)
    registry.await_host()
    client = registry.client(user["username"], user["password"])
    assert client.get("/v2/none/tags/list").status == 404


def test_group_and_registry(site, operator):
    """arm-templates 3.4, 3.6: a subscription-scope deployment of a group and an inner one in it."""
    group, name = site.unique("g"), site.unique("reg")
    at_subscription = Deployments(operator, f"/subscriptions/{site.subscription}")
    try:
        record = at_subscription.succeed(site.unique("d"), None, {"groupName": group, "registryName": name},
                                         raw=text_of("group-and-registry"), location=site.region)
        made = operator.get(site.registry_id(group, name) + V).expect(200).json
        assert outputs_of(record) == {"loginServer": made["properties"]["loginServer"]}
    finally:
        operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version=2019-10-01")


def test_a_loop_of_registries(site, operator, deployments, scope):
    """arm-templates 3.2, 3.4, 3.5: copies of variables, resources and outputs."""
    teams = ["One", "two"]
    record = deployments.succeed("loop", None, {"teams": teams}, raw=text_of("registries-loop"))
    servers = outputs_of(record)["loginServers"]
    assert [row["team"] for row in servers] == teams
    listed = operator.get(f"{scope}/providers/Microsoft.ContainerRegistry/registries{V}").expect(200).json["value"]
    assert {r["properties"]["loginServer"] for r in listed} == {row["loginServer"] for row in servers}
    assert {r["tags"]["team"] for r in listed} == set(teams)


def test_credentials(site, deployments):
    """arm-templates 5.8 list*: the admin user's password as an output signs in."""
    name = site.unique("reg")
    outputs = outputs_of(deployments.succeed("credentials", None, {"registryName": name}, raw=text_of("registry-credentials")))
    registry = Registry(site, site.registry_id(deployments.scope.rsplit("/", 1)[1], name), name)
    registry.await_host()
    assert outputs["userName"] == name
    registry.client(outputs["userName"], outputs["password"]).get("/v2/").expect(200)
