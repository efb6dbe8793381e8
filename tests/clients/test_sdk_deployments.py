"""Deployments by the JavaScript SDKs: @azure/arm-resourcesdeployments, and the hub profile's package (contract/az-cli.md 12)."""
import pytest

from harness.deployments import registry, template

CLIENTS = {
    "current": ('import { DeploymentsClient } from "@azure/arm-resourcesdeployments";\n'
                "const client = new DeploymentsClient(credential, facts.subscription, options);\n"),
    "hybrid": ('import { ResourceManagementClient } from "@azure/arm-resources-profile-2020-09-01-hybrid";\n'
               "const client = new ResourceManagementClient(credential, facts.subscription, options);\n"),
}
LIFE = """
const deployments = client.deployments, operations = client.deploymentOperations, got = {};
const properties = { mode: "Incremental", template: values.template, parameters: { name: { value: values.name } } };
got.before = await fails(deployments.get(values.group, "sdk"));
got.validated = await deployments.beginValidateAndWait(values.group, "sdk", { properties });
got.made = await deployments.beginCreateOrUpdateAndWait(values.group, "sdk", { properties });
got.shown = await deployments.get(values.group, "sdk");
got.listed = (await all(deployments.listByResourceGroup(values.group))).map((d) => d.name);
got.filtered = (await all(deployments.listByResourceGroup(values.group, { filter: "provisioningState eq 'Failed'" }))).length;
got.operations = await all(operations.list(values.group, "sdk"));
got.operation = await operations.get(values.group, "sdk", got.operations[0].operationId);
got.exported = (await deployments.exportTemplate(values.group, "sdk")).template;
got.whatIf = await deployments.beginWhatIfAndWait(values.group, "sdk", { properties });
got.cancel = await fails(deployments.cancel(values.group, "sdk"));
got.refused = await fails(deployments.beginCreateOrUpdateAndWait(values.group, "bad", { properties: { ...properties, template: values.other } }));
got.failed = await fails(deployments.beginCreateOrUpdateAndWait(values.group, "bad", { properties: { ...properties, template: values.failing } }));
await deployments.beginDeleteAndWait(values.group, "sdk");
got.after = await fails(deployments.get(values.group, "sdk"));
answer(got);
"""
AT_SUBSCRIPTION = """
const deployments = client.deployments, got = {};
const body = { location: facts.region, properties: { mode: "Incremental", template: values.template, parameters: { name: { value: values.name } } } };
got.validated = await deployments.beginValidateAtSubscriptionScopeAndWait(values.name, body);
got.made = await deployments.beginCreateOrUpdateAtSubscriptionScopeAndWait(values.name, body);
got.listed = (await all(deployments.listAtSubscriptionScope())).map((d) => d.name);
got.operations = (await all(client.deploymentOperations.listAtSubscriptionScope(values.name))).length;
await deployments.beginDeleteAtSubscriptionScopeAndWait(values.name);
got.after = await fails(deployments.getAtSubscriptionScope(values.name));
answer(got);
"""
PARAMETERS = {"name": {"type": "string"}}


@pytest.mark.parametrize("package", CLIENTS)
def test_life(site, node_sdk, group, package):
    """arm-templates 7: every operation of a group's deployments."""
    name = site.unique("sdk")
    document = template(registry("[parameters('name')]"), parameters=PARAMETERS,
                        outputs={"server": {"type": "string", "value": "[reference(parameters('name')).loginServer]"}})
    failing = template(registry("[parameters('name')]"), registry("[concat(parameters('name'), 'b')]", properties={
        "adminUserEnabled": "[reference(parameters('name')).loginServer]"}), parameters=PARAMETERS)
    got = node_sdk(CLIENTS[package] + LIFE, group=group, name=name, template=document, failing=failing,
                   other=template(registry("[parameters('name')]", apiVersion="2023-07-01"), parameters=PARAMETERS))
    assert got["before"]["status"] == 404 and got["before"]["code"] == "DeploymentNotFound"
    assert got["validated"]["properties"]["provisioningState"] == "Succeeded"
    for record in (got["made"], got["shown"]):
        assert record["properties"]["provisioningState"] == "Succeeded"
        assert record["properties"]["outputs"]["server"]["value"] == f"{name}{site.facts['acrSuffix']}"
    assert got["listed"] == ["sdk"] and got["filtered"] == 0
    assert [o["properties"]["provisioningOperation"] for o in got["operations"]] == ["Create", "EvaluateDeploymentOutput"]
    assert got["operation"]["properties"]["targetResource"]["resourceName"] == name
    assert got["exported"]["parameters"]["name"]["type"] == "String"
    changes = got["whatIf"].get("changes") or got["whatIf"]["properties"]["changes"]
    assert [c["changeType"] for c in changes if c["resourceId"].endswith(name)] == ["NoChange"]
    assert got["cancel"]["code"] == "DeploymentCannotBeCancelled"
    assert got["refused"]["status"] == 400 and "2017-10-01, 2019-05-01" in got["refused"]["message"]
    assert "At least one resource deployment operation failed" in got["failed"]["message"]
    assert got["after"]["status"] == 404


@pytest.mark.parametrize("package", CLIENTS)
def test_at_subscription_scope(site, operator, node_sdk, package):
    """arm-templates 7: the same of a subscription's."""
    name = site.unique("sdkgroup")
    document = template({"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2019-10-01", "name": "[parameters('name')]",
                         "location": "[deployment().location]"}, parameters=PARAMETERS)
    got = node_sdk(CLIENTS[package] + AT_SUBSCRIPTION, name=name, template=document)
    assert got["made"]["properties"]["provisioningState"] == "Succeeded" and got["made"]["location"] == site.region
    assert name in got["listed"] and got["operations"] == 2 and got["after"]["status"] == 404
    operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{name}?api-version=2019-10-01").expect(202)
