"""@azure/arm-locks and the tags of the resources SDKs, as JavaScript programs call them (arm-core 2.4, 2.5)."""
import pytest


@pytest.fixture(autouse=True)
def no_lock_stays(site, operator):
    """Not even of a test that failed: the subscription is everybody's."""
    yield
    version = "?api-version=2016-09-01"
    url = f"/subscriptions/{site.subscription}/providers/Microsoft.Authorization/locks{version}"
    for lock in operator.get(url).expect(200).json["value"]:
        operator.delete(f"{lock['id']}{version}").expect(200)


def test_locks(site, node_sdk, operator, group):
    """arm-core 2.5.1: at a subscription, a group and a resource"""
    got = node_sdk("""
import { ManagementLockClient } from "@azure/arm-locks";
const { managementLocks: locks } = new ManagementLockClient(credential, facts.subscription, options);
const { group, registry } = values, provider = "Microsoft.ContainerRegistry";
const seen = {};
const lock = { level: "CanNotDelete", notes: "by the SDK" };
seen.group = await locks.createOrUpdateAtResourceGroupLevel(group, "g", lock);
seen.resource = await locks.createOrUpdateAtResourceLevel(group, provider, "", "registries", registry, "r",
                                                          { ...lock, owners: [{ applicationId: "app" }] });
seen.subscription = await locks.createOrUpdateAtSubscriptionLevel("s", lock);
seen.got = await locks.getAtResourceLevel(group, provider, "", "registries", registry, "r");
seen.atGroup = (await all(locks.listAtResourceGroupLevel(group))).map(l => l.name).sort();
seen.atScope = (await all(locks.listAtResourceGroupLevel(group, { filter: "atScope()" }))).map(l => l.name).sort();
seen.atSubscription = (await all(locks.listAtSubscriptionLevel())).map(l => l.name).filter(n => "grs".includes(n)).sort();
seen.absent = await fails(locks.getAtResourceGroupLevel(group, "absent"));
await locks.deleteAtResourceLevel(group, provider, "", "registries", registry, "r");
await locks.deleteAtResourceGroupLevel(group, "g");
await locks.deleteAtSubscriptionLevel("s");
await locks.deleteAtSubscriptionLevel("s");
seen.left = await all(locks.listAtResourceGroupLevel(group));
answer(seen);
""", group=group, registry=site.create_registry(operator, group).name)
    assert got["group"]["level"] == "CanNotDelete" and got["group"]["notes"] == "by the SDK"
    assert got["resource"]["owners"] == [{"applicationId": "app"}] == got["got"]["owners"]
    assert got["subscription"]["name"] == "s" and got["subscription"]["type"] == "Microsoft.Authorization/locks"
    assert got["atGroup"] == ["g", "r", "s"] == got["atSubscription"] and got["atScope"] == ["g", "s"]
    assert got["absent"]["status"] == 404 and got["absent"]["code"] == "LockNotFound"
    assert got["left"] == []


def test_tags(site, node_sdk, operator, group):
    """arm-core 2.4.1, 2.4.2"""
    got = node_sdk("""
import { ResourceManagementClient } from "@azure/arm-resources-profile-2020-09-01-hybrid";
const { tagsOperations: tags } = new ResourceManagementClient(credential, facts.subscription, options);
const { scope, name } = values, seen = {};
seen.made = await tags.createOrUpdateAtScope(scope, { properties: { tags: { a: "1", b: "2" } } });
seen.merged = await tags.updateAtScope(scope, { operation: "Merge", properties: { tags: { A: "3" } } });
seen.less = await tags.updateAtScope(scope, { operation: "Delete", properties: { tags: { b: "2" } } });
seen.got = await tags.getAtScope(scope);
await tags.deleteAtScope(scope);
seen.none = (await tags.getAtScope(scope)).properties.tags;
seen.name = await tags.createOrUpdate(name);
seen.value = await tags.createOrUpdateValue(name, "v");
seen.listed = (await all(tags.list())).find(t => t.tagName === name);
await tags.deleteValue(name, "v");
await tags.delete(name);
answer(seen);
""", scope=f"/subscriptions/{site.subscription}/resourceGroups/{group}", name=site.unique("sdktag"))
    assert got["made"]["properties"]["tags"] == {"a": "1", "b": "2"}
    assert got["merged"]["properties"]["tags"] == {"a": "3", "b": "2"}
    assert got["less"]["properties"]["tags"] == {"a": "3"} == got["got"]["properties"]["tags"]
    assert got["none"] == {}
    assert got["name"]["count"] == {"type": "Total", "value": 0}
    assert [v["tagValue"] for v in got["listed"]["values"]] == ["v"]
