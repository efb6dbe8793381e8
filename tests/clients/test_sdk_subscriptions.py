"""Subscriptions, tenants, groups and providers by the management SDKs of JavaScript and Python."""
import pytest

ACR = "Microsoft.ContainerRegistry"

SUBSCRIPTIONS = """
import { SubscriptionClient } from "@azure/arm-resources-subscriptions";
const client = new SubscriptionClient(credential, options);
const id = facts.subscription;
answer({
  list: (await all(client.subscriptions.list())).map(s => s.subscriptionId),
  one: await client.subscriptions.get(id),
  locations: await all(client.subscriptions.listLocations(id)),
  tenants: await all(client.tenants.list()),
  name: await client.checkResourceName({ resourceNameDefinition: { name: "mine", type: "a/b" } }),
  malformed: await fails(client.subscriptions.get("nonsense")),
  unknown: await fails(client.subscriptions.get("00000000-0000-0000-0000-000000000005")),
});
"""

# Either package: groups, their deletion by polling, providers.
GROUPS = """
import { ResourceManagementClient } from "@azure/%s";
const client = new ResourceManagementClient(credential, facts.subscription, options);
const name = values.name, location = facts.region;
const made = await client.resourceGroups.createOrUpdate(name, { location, tags: { a: "b" } });
const exists = await client.resourceGroups.checkExistence(name);
const patched = await client.resourceGroups.update(name, { tags: { c: "d" } });
const listed = (await all(client.resourceGroups.list({ filter: "tagName eq 'c' and tagValue eq 'd'", top: 1 }))).map(g => g.name);
const shown = await client.resourceGroups.get(name);
if (client.resourceGroups.beginDeleteAndWait) await client.resourceGroups.beginDeleteAndWait(name, { updateIntervalInMs: 100 });
else await client.resourceGroups.delete(name);
const gone = await fails(client.resourceGroups.get(name));
const provider = await client.providers.get("Microsoft.ContainerRegistry");
const registered = await client.providers.register("Microsoft.ContainerRegistry");
answer({ made, exists, patched, listed, shown, gone, provider, registered: registered.registrationState,
         providers: (await all(client.providers.list())).map(p => p.namespace) });
"""


def test_subscriptions_by_javascript(site, node_sdk):
    """arm-core 2.2.1 to 2.2.4, at the version that the package pins."""
    told = node_sdk(SUBSCRIPTIONS)
    assert site.subscription in told["list"]
    one = told["one"]
    assert one["state"] == "Enabled" and one["displayName"] == "Default Subscription"
    assert one["subscriptionPolicies"]["locationPlacementId"] == "AzureStack"
    assert [l["name"] for l in told["locations"]] == [site.region]
    assert [t["tenantId"] for t in told["tenants"]] == [site.tenant]
    assert told["name"]["status"] == "Allowed"
    assert (told["malformed"]["status"], told["malformed"]["code"]) == (400, "InvalidSubscriptionId")
    assert (told["unknown"]["status"], told["unknown"]["code"]) == (404, "SubscriptionNotFound")


def test_what_billing_does_is_the_operators(site, node_sdk):
    """@azure/arm-subscriptions makes, renames and cancels by Microsoft.Subscription, which is not offered: `azsacrd
    subscription` does that. Each of its calls is told so."""
    told = node_sdk("""
import { SubscriptionClient } from "@azure/arm-subscriptions";
const client = new SubscriptionClient(credential, options);
answer([await fails(client.alias.list()), await fails(client.alias.get("x")), await fails(client.subscription.cancel(facts.subscription)),
        await fails(client.subscription.enable(facts.subscription)), await fails(client.subscription.rename(facts.subscription, {}))]);
""")
    assert {(one["status"], one["code"]) for one in told} == {(404, "InvalidResourceNamespace")}


@pytest.mark.parametrize("package", ["arm-resources", "arm-resources-profile-2020-09-01-hybrid"])
def test_groups_and_providers_by_javascript(site, node_sdk, package):
    """arm-core 2.1.1 to 2.1.4, 2.3.1, 1.8.1, at the versions that the packages pin."""
    name = site.unique("sdkg")
    told = node_sdk(GROUPS % package, name=name)
    assert told["made"]["properties"]["provisioningState"] == "Succeeded" and told["made"]["tags"] == {"a": "b"}
    assert told["exists"] in (True, {"body": True}) or told["exists"].get("body") is True
    assert told["patched"]["tags"] == {"c": "d"} and name in told["listed"] and told["shown"]["name"] == name
    assert told["gone"]["code"] == "ResourceGroupNotFound"
    assert told["provider"]["registrationState"] == "Registered" and told["registered"] == "Registered"
    assert ACR in told["providers"]


def test_groups_and_providers_by_python(site, python_sdk):
    """The same by azure-mgmt-resource."""
    name = site.unique("pyg")
    told = python_sdk("""
from azure.mgmt.resource.resources import ResourceManagementClient
client = ResourceManagementClient(credential, facts["subscription"], **options)
name = values["name"]
made = client.resource_groups.create_or_update(name, {"location": facts["region"], "tags": {"a": "b"}})
exists = [client.resource_groups.check_existence(n) for n in (name, name + "x")]
patched = client.resource_groups.update(name, {"tags": {"c": "d"}})
listed = [g.name for g in client.resource_groups.list(filter="tagName eq 'c' and tagValue eq 'd'")]
client.resource_groups.begin_delete(name, polling_interval=0.1).result()
gone = fails(client.resource_groups.get, name)
provider = client.providers.get("Microsoft.ContainerRegistry")
answer({"made": made.properties.provisioning_state, "exists": exists, "tags": patched.tags, "listed": listed, "gone": gone["code"],
        "state": str(provider.registration_state), "types": [t.resource_type for t in provider.resource_types],
        "providers": [p.namespace for p in client.providers.list()]})
""", name=name)
    assert told["made"] == "Succeeded" and told["exists"] == [True, False] and told["tags"] == {"c": "d"}
    assert name in told["listed"] and told["gone"] == "ResourceGroupNotFound"
    assert told["state"] == "Registered" and "registries" in told["types"] and ACR in told["providers"]
