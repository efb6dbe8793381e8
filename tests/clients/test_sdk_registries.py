"""The SDKs' clients for registries, as their users call them: the oldest that speaks 2019-05-01 by itself, the current
ones at their own version and told to speak Stack Hub's."""
import pytest

LIVES = ["created", "read", "listed", "updated", "usage", "credentials", "renewed", "name", "taken", "replications"]

# A registry's whole life by one client. The names of the calls are what differs between the packages.
LIFE = """
const { group, name } = values, seen = {};
const registries = client.registries;
const find = (items) => items.find((r) => r.name === name)?.loginServer;
seen.created = await create({ location: facts.region, sku: { name: "Standard" }, adminUserEnabled: true, tags: { a: "b" } });
seen.read = await registries.get(group, name);
seen.listed = [find(await list()), find(await listIn())];
seen.updated = await update({ tags: { c: "d" } });
seen.usage = await registries.listUsages(group, name);
seen.credentials = await registries.listCredentials(group, name);
seen.renewed = await renew("password2");
seen.name = await check("surelyfree4711");
seen.taken = await check(name);
seen.replications = await replications();
seen.refused = await fails(create({ location: facts.region, sku: { name: "Premium" } }));
seen.refusedPolicy = await fails(update({ policies: { trustPolicy: { type: "Notary", status: "enabled" } } }));
await remove();
seen.gone = await fails(registries.get(group, name));
answer(seen);
"""

OLD = """
import { ContainerRegistryManagementClient } from "@azure/arm-containerregistry-7";
const signing = { signRequest: async (request) => { // what its generation of packages takes for credentials
    request.headers.set("Authorization", "Bearer " + (await credential.getToken(facts.audience + "/.default")).token);
    return request; } };
const client = new ContainerRegistryManagementClient(signing, facts.subscription, { baseUri: facts.endpoint });
const create = (r) => registries.create(group, name, r), update = (r) => registries.update(group, name, r);
const remove = () => registries.deleteMethod(group, name), list = () => registries.list();
const listIn = () => registries.listByResourceGroup(group), renew = (which) => registries.regenerateCredential(group, name, { name: which });
const check = (n) => registries.checkNameAvailability({ name: n, type: "Microsoft.ContainerRegistry/registries" });
const replications = () => client.replications.list(group, name);
"""

CURRENT = """
import { ContainerRegistryManagementClient } from "@azure/arm-containerregistry";
const client = new ContainerRegistryManagementClient(credential, facts.subscription,
    values.version ? { ...options, apiVersion: values.version } : options);
const create = (r) => registries.create(group, name, r), update = (r) => registries.update(group, name, r);
const remove = () => registries.delete(group, name), list = () => all(registries.list());
const listIn = () => all(registries.listByResourceGroup(group));
const renew = (which) => registries.regenerateCredential(group, name, { name: which });
const check = (n) => registries.checkNameAvailability({ name: n, type: "Microsoft.ContainerRegistry/registries" });
const replications = () => all(client.replications.list(group, name));
"""


def check_life(site, name, seen):
    assert seen["created"]["provisioningState"] == "Succeeded" and seen["created"]["adminUserEnabled"] is True
    assert seen["created"]["loginServer"] == name + site.facts["acrSuffix"]
    assert seen["read"]["name"] == name and seen["read"]["tags"] == {"a": "b"}
    assert seen["listed"] == [seen["created"]["loginServer"]] * 2
    assert seen["updated"]["tags"] == {"c": "d"} and seen["updated"]["adminUserEnabled"] is True
    assert [u["name"] for u in seen["usage"]["value"]] == ["Size", "Webhooks"]
    assert seen["credentials"]["username"] == name
    old, new = ([p["value"] for p in seen[k]["passwords"]] for k in ("credentials", "renewed"))
    assert old[0] == new[0] and old[1] != new[1]
    assert seen["name"]["nameAvailable"] is True
    assert seen["taken"]["nameAvailable"] is False and seen["taken"]["reason"] == "AlreadyExists"
    assert seen["replications"] == []
    assert seen["refused"]["status"] == 400 and "SKU Premium" in seen["refused"]["message"]
    assert seen["refusedPolicy"]["status"] == 400 and "content trust policy" in seen["refusedPolicy"]["message"]
    assert seen["gone"]["status"] == 404


def test_javascript_7(site, group, node_sdk):
    name = site.unique("jsold")
    check_life(site, name, node_sdk(OLD + LIFE, group=group, name=name))


# decisions 41, arm-core 1.3.2
@pytest.mark.parametrize("version", [None, "2019-05-01"])
def test_javascript_current(site, group, node_sdk, version):
    name = site.unique("jsnew")
    seen = node_sdk(CURRENT + LIFE, group=group, name=name, version=version)
    check_life(site, name, seen)
    if version:
        assert "publicNetworkAccess" not in seen["read"]
    else:
        assert seen["read"]["publicNetworkAccess"] == "Enabled" and seen["read"]["zoneRedundancy"] == "Disabled"
        assert seen["read"]["networkRuleBypassOptions"] == "AzureServices"
        assert seen["read"]["systemData"]["createdBy"] == site.facts["operator"]["appId"]
        assert seen["read"]["systemData"]["createdByType"] == "Application"


# decisions 41: what is not offered is refused by its name.
def test_javascript_wishes_are_refused_by_name(site, group, node_sdk):
    wishes = [({"zoneRedundancy": "Enabled"}, "zone redundancy"), ({"anonymousPullEnabled": True}, "anonymous pull"),
              ({"publicNetworkAccess": "Disabled"}, "public network access"),
              ({"networkRuleBypassOptions": "None"}, "network rule bypass options"),
              ({"dataEndpointEnabled": True}, "data endpoints"),
              ({"roleAssignmentMode": "AbacRepositoryPermissions"}, "repository permissions"),
              ({"encryption": {"status": "enabled"}}, "customer-managed keys"),
              ({"identity": {"type": "SystemAssigned"}}, "managed identity"),
              ({"policies": {"exportPolicy": {"status": "disabled"}}}, "export policy"),
              ({"policies": {"softDeletePolicy": {"status": "enabled"}}}, None)]  # no member of this version's model
    name = site.unique("jswish")
    seen = node_sdk(CURRENT + """
        const { group, name } = values, registries = client.registries, told = [];
        for (const [wish] of values.wishes)
            told.push(await fails(create({ location: facts.region, sku: { name: "Standard" }, ...wish })).catch((e) => null));
        answer(told);
        """, group=group, name=name, wishes=wishes)
    for (wish, says), told in zip(wishes, seen):
        assert (told is None) if says is None else (told["status"] == 400 and says in told["message"]), (wish, told)


PYTHON_CLIENT = """
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
more = {"api_version": values["version"]} if values.get("version") else {}
client = ContainerRegistryManagementClient(credential, facts["subscription"], **options, **more)
registries, group, name = client.registries, values["group"], values["name"]
def flat(registry):
    made = registry.as_dict()
    return {**made.pop("properties"), **made}
"""


@pytest.mark.parametrize("version", [None, "2019-05-01"])
def test_python_current(site, group, python_sdk, version):
    name = site.unique("pynew")
    seen = python_sdk(PYTHON_CLIENT + """
seen = {}
def create(**properties):
    outer = {k: properties.pop(k) for k in ("tags", "sku") if k in properties}
    body = {"location": facts["region"], "sku": {"name": "Standard"}, **outer, "properties": properties}
    return flat(registries.begin_create(group, name, body).result())
def update(**body):
    return flat(registries.begin_update(group, name, body).result())
def find(items):
    return next(flat(r)["loginServer"] for r in items if r.name == name)
seen["created"] = create(adminUserEnabled=True, tags={"a": "b"})
seen["read"] = flat(registries.get(group, name))
seen["listed"] = [find(registries.list()), find(registries.list_by_resource_group(group))]
seen["updated"] = update(tags={"c": "d"})
seen["usage"] = registries.list_usages(group, name)
seen["credentials"] = registries.list_credentials(group, name)
seen["renewed"] = registries.regenerate_credential(group, name, {"name": "password2"})
check = lambda n: registries.check_name_availability({"name": n, "type": "Microsoft.ContainerRegistry/registries"})
seen["name"], seen["taken"] = check("surelyfree4711"), check(name)
seen["replications"] = list(client.replications.list(group, name))
seen["refused"] = fails(create, sku={"name": "Premium"})
seen["refusedPolicy"] = fails(update, properties={"policies": {"trustPolicy": {"type": "Notary", "status": "enabled"}}})
registries.begin_delete(group, name).result()
seen["gone"] = fails(registries.get, group, name)
answer(seen)
""", group=group, name=name, version=version)
    check_life(site, name, seen)
    assert ("publicNetworkAccess" in seen["read"]) == (version is None)
