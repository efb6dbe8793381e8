"""az deployment, of 2.45 in both profiles, of 2.66 and of the current az (contract/az-cli.md 8): every command, with the files that
people have: remarks, several lines in a string, parameters beside it."""
import json

import pytest


REGISTRIES = "Microsoft.ContainerRegistry/registries"
# What no JSON parser takes, and az passes through.
TEMPLATE = """{
  // a registry
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {
    "acrName": { "type": "string", "minLength": 5 }, /* of the login server */
    "secret": { "type": "securestring", "defaultValue": "none" }
  },
  "resources": [
    {
      "type": "Microsoft.ContainerRegistry/registries",
      "apiVersion": "VERSION",
      "name": "[parameters('acrName')]",
      "location": "[resourceGroup().location]",
      "sku": { "name": "Standard" },
      "tags": { "what": "two
lines" },
      "properties": { "adminUserEnabled": true }
    }
  ],
  "outputs": {
    "loginServer": { "type": "string", "value": "[reference(resourceId('Microsoft.ContainerRegistry/registries', parameters('acrName'))).loginServer]" },
    "password": { "type": "string", "value": "[listCredentials(resourceId('Microsoft.ContainerRegistry/registries', parameters('acrName')), '2017-10-01').passwords[0].value]" }
  }
}
"""
GROUP_TEMPLATE = {
    "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#", "contentVersion": "1.0.0.0",
    "parameters": {"name": {"type": "string"}, "location": {"type": "string", "defaultValue": "[deployment().location]"}},
    "resources": [{"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2019-10-01", "name": "[parameters('name')]",
                   "location": "[parameters('location')]", "properties": {}}],
    "outputs": {"name": {"type": "string", "value": "[parameters('name')]"}}}


@pytest.fixture(scope="module", params=["az", "latest", "long_term", "current"])
def place(site, request, tmp_path_factory):
    """(commands of one az, a group, the template's file)"""
    az = request.getfixturevalue(request.param)
    directory = tmp_path_factory.mktemp("templates")
    file = directory / "azuredeploy.json"
    file.write_text(TEMPLATE.replace("VERSION", "2019-05-01"))
    (directory / "other.json").write_text(TEMPLATE.replace("VERSION", "2023-07-01"))
    (directory / "empty.json").write_text(TEMPLATE[:TEMPLATE.index('  "parameters"')] + '  "resources": []\n}\n')
    (directory / "group.json").write_text(json.dumps(GROUP_TEMPLATE))
    with az.serving() as quick:
        group = site.unique("azdep")
        quick("group", "create", "-n", group, "-l", site.region)
        yield quick, group, str(file)
        quick("group", "delete", "-n", group, "-y", "--no-wait")


def fails(quick, *arguments):
    done = quick.run(*arguments)
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr


def test_group_create_show_and_outputs(site, place):
    """az-cli 8 `deployment group create`, show, list: validate, PUT, poll, GET; S6 in outputs."""
    az, group, file = place
    name = site.unique("azreg")
    made = az("deployment", "group", "create", "-g", group, "-f", file, "-p", f"acrName={name}", "-p", "secret=quite-secret-indeed")
    properties = made["properties"]
    assert made["name"] == "azuredeploy" and properties["provisioningState"] == "Succeeded" and properties["mode"] == "Incremental"
    assert properties["parameters"]["acrName"] == {"type": "String", "value": name} and properties["parameters"]["secret"] == {"type": "SecureString"}
    assert properties["outputs"]["loginServer"]["value"] == f"{name}{site.facts['acrSuffix']}"
    credentials = az("acr", "credential", "show", "-n", name, "-g", group)
    assert properties["outputs"]["password"]["value"] == credentials["passwords"][0]["value"]
    assert [r["id"].rsplit("/", 1)[1] for r in properties["outputResources"]] == [name]
    assert az("acr", "show", "-n", name, "-g", group)["tags"] == {"what": "two\nlines"}
    shown = az("deployment", "group", "show", "-g", group, "-n", "azuredeploy")
    assert shown["properties"]["correlationId"] == properties["correlationId"]
    assert [d["name"] for d in az("deployment", "group", "list", "-g", group)] == ["azuredeploy"]
    assert az("deployment", "group", "list", "-g", group, "--filter", "provisioningState eq 'Failed'") == []
    again = az("deployment", "group", "create", "-g", group, "-f", file, "-p", f"acrName={name}", "--query", "properties.provisioningState")
    assert again == "Succeeded"


def test_parameters_from_a_file(site, place, tmp_path):
    az, group, file = place
    parameters = tmp_path / "parameters.json"
    name = site.unique("azreg")
    parameters.write_text(json.dumps({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
                                      "contentVersion": "1.0.0.0", "parameters": {"acrName": {"value": name}}}))
    made = az("deployment", "group", "create", "-g", group, "-n", "fromfile", "-f", file, "-p", f"@{parameters}")
    assert made["properties"]["parameters"]["acrName"]["value"] == name


def test_group_validate(site, place):
    """az-cli 8 `deployment group validate`: the record, or the error's object as JSON."""
    az, group, file = place
    made = az("deployment", "group", "validate", "-g", group, "-f", file, "-p", f"acrName={site.unique('azreg')}")
    assert made["properties"]["provisioningState"] == "Succeeded" and len(made["properties"]["validatedResources"]) == 1
    error = fails(az, "deployment", "group", "validate", "-g", group, "-f", file, "-p", "acrName=ab")
    assert "InvalidTemplate" in error and "acrName" in error


def test_another_version_is_told_the_remedy(site, place):
    """S1: a template of another api-version: one line that lists those that work."""
    az, group, file = place
    error = fails(az, "deployment", "group", "create", "-g", group, "-f", file.replace("azuredeploy", "other"), "-p", f"acrName={site.unique('azreg')}")
    assert "No registered resource provider found" in error and "The supported api-versions are '2017-10-01, 2019-05-01'" in error


def test_what_if(site, place):
    """az-cli 8 `deployment group what-if`: what would be created, and nothing of it is."""
    az, group, file = place
    name = site.unique("azreg")
    seen = az("deployment", "group", "what-if", "-g", group, "-f", file, "-p", f"acrName={name}", "--no-pretty-print")
    changes = {c["resourceId"].rsplit("/", 1)[1]: c["changeType"] for c in seen["changes"]}
    assert changes[name] == "Create"
    fails(az, "acr", "show", "-n", name, "-g", group)
    az("deployment", "group", "what-if", "-g", group, "-f", file, "-p", f"acrName={name}", "--result-format", "ResourceIdOnly", "--no-pretty-print")


def test_operations_export_and_delete(site, place):
    """az-cli 8 `deployment operation group list/show`, export, delete, --no-wait, wait."""
    az, group, file = place
    name = site.unique("azreg")
    az("deployment", "group", "create", "-g", group, "-n", "ops", "-f", file, "-p", f"acrName={name}", "--no-wait")
    az("deployment", "group", "wait", "-g", group, "-n", "ops", "--created", "--interval", "1", "--timeout", "60")
    found = az("deployment", "operation", "group", "list", "-g", group, "-n", "ops")
    assert [o["properties"]["provisioningOperation"] for o in found] == ["Create", "EvaluateDeploymentOutput"]
    one = az("deployment", "operation", "group", "show", "-g", group, "-n", "ops", "--operation-ids", found[0]["operationId"])
    one = one[0] if isinstance(one, list) else one
    assert one["properties"]["targetResource"]["resourceName"] == name and one["properties"]["statusCode"] == "OK"
    exported = az("deployment", "group", "export", "-g", group, "-n", "ops")
    assert exported["resources"][0]["name"] == "[parameters('acrName')]" and exported["parameters"]["secret"]["type"] == "SecureString"
    az("deployment", "group", "delete", "-g", group, "-n", "ops")
    assert "DeploymentNotFound" in fails(az, "deployment", "group", "show", "-g", group, "-n", "ops")
    assert "DeploymentNotFound" in fails(az, "deployment", "group", "cancel", "-g", group, "-n", "ops")


def test_cancel_of_one_that_is_over(site, place):
    az, group, file = place
    az("deployment", "group", "create", "-g", group, "-n", "over", "-f", file.replace("azuredeploy", "empty"))
    assert "DeploymentCannotBeCancelled" in fails(az, "deployment", "group", "cancel", "-g", group, "-n", "over")


def test_a_failure_says_what_is_wrong(site, place, tmp_path):
    """az-cli 8: the inner errors are printed."""
    az, group, _ = place
    bad = tmp_path / "bad.json"
    one = site.unique("azreg")
    bad.write_text(json.dumps({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "resources": [{"type": REGISTRIES, "apiVersion": "2019-05-01", "name": one, "location": site.region, "sku": {"name": "Standard"}, "properties": {}},
                      {"type": REGISTRIES, "apiVersion": "2019-05-01", "name": site.unique("azreg"), "location": site.region, "sku": {"name": "Standard"},
                       "properties": {"adminUserEnabled": f"[reference('{one}').loginServer]"}}]}))
    error = fails(az, "deployment", "group", "create", "-g", group, "-n", "bad", "-f", str(bad))
    assert "DeploymentFailed" in error and "InvalidRequestContent" in error and f"{one}{site.facts['acrSuffix']}" in error


def test_complete_mode_and_rollback(site, place):
    """az-cli 8 --mode Complete, --rollback-on-error."""
    az, group, file = place
    mine = site.unique("azdep")
    az("group", "create", "-n", mine, "-l", site.region)
    name = site.unique("azreg")
    az("deployment", "group", "create", "-g", mine, "-n", "first", "-f", file, "-p", f"acrName={name}1")
    made = az("deployment", "group", "create", "-g", mine, "-n", "second", "-f", file.replace("azuredeploy", "empty"), "--mode", "Complete")
    assert made["properties"]["mode"] == "Complete" and az("resource", "list", "-g", mine) == []
    made = az("deployment", "group", "create", "-g", mine, "-n", "third", "-f", file.replace("azuredeploy", "empty"), "--rollback-on-error")
    assert made["properties"]["onErrorDeployment"]["deploymentName"] == "second"
    az("group", "delete", "-n", mine, "-y", "--no-wait")


def test_subscription(site, place):
    """az-cli 8 `deployment sub create/validate/what-if/show/list/export/delete`, `deployment operation sub list`."""
    az, _, file = place
    file, mine, name = file.replace("azuredeploy", "group"), site.unique("azdep"), site.unique("sub")
    assert az("deployment", "sub", "validate", "-l", site.region, "-f", file, "-p", f"name={mine}")["properties"]["provisioningState"] == "Succeeded"
    seen = az("deployment", "sub", "what-if", "-l", site.region, "-f", file, "-p", f"name={mine}", "--no-pretty-print")
    assert {c["changeType"] for c in seen["changes"] if c["resourceId"].endswith("/" + mine)} == {"Create"}
    made = az("deployment", "sub", "create", "-n", name, "-l", site.region, "-f", file, "-p", f"name={mine}")
    assert made["location"] == site.region and made["properties"]["outputs"]["name"]["value"] == mine
    assert az("group", "show", "-n", mine)["location"] == site.region
    assert az("deployment", "sub", "show", "-n", name)["id"] == made["id"]
    assert name in [d["name"] for d in az("deployment", "sub", "list")]
    assert len(az("deployment", "operation", "sub", "list", "-n", name)) == 2
    assert az("deployment", "sub", "export", "-n", name)["resources"][0]["type"] == "Microsoft.Resources/resourceGroups"
    az("deployment", "sub", "delete", "-n", name)
    assert "DeploymentNotFound" in fails(az, "deployment", "sub", "show", "-n", name)
    az("group", "delete", "-n", mine, "-y", "--no-wait")


def test_tenant_and_management_group(site, place):
    """Not served: said clearly."""
    az, _, file = place
    file = file.replace("azuredeploy", "empty")
    for error in (fails(az, "deployment", "tenant", "create", "-l", site.region, "-f", file), fails(az, "deployment", "mg", "create", "-m", "m", "-l", site.region, "-f", file)):
        assert "InvalidDeploymentScope" in error and "not supported here" in error


def test_older_commands(site, place):
    """az-cli 8 `group deployment create/validate`, where az still has them."""
    az, group, file = place
    if az.run("group", "deployment", "create", "--help").returncode != 0:
        pytest.skip("this az has them no more")
    name = site.unique("azreg")
    az("group", "deployment", "validate", "-g", group, "--template-file", file, "--parameters", f"acrName={name}")
    made = az("group", "deployment", "create", "-g", group, "-n", "older", "--template-file", file, "--parameters", f"acrName={name}")
    assert made["properties"]["provisioningState"] == "Succeeded"
