// Generic resources by @azure/arm-resources and its hybrid profile: lists, by id, move. Arguments: the package's name, then
// JSON of {endpoint, token, subscription, groups, region, name, version}. The packages lie where SDK_NODE says.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.env.SDK_NODE, "package.json"));
const { ResourceManagementClient } = require(process.argv[2]);
const at = JSON.parse(process.argv[3]);
const credential = { getToken: async () => ({ token: at.token, expiresOnTimestamp: Date.now() + 3600000 }) };
const client = new ResourceManagementClient(credential, at.subscription, {
  endpoint: at.endpoint, credentialScopes: [`${at.endpoint}/.default`], retryOptions: { maxRetries: 0 },
});
const [source, target] = at.groups;
const type = "Microsoft.ContainerRegistry/registries";
const id = `/subscriptions/${at.subscription}/resourceGroups/${source}/providers/${type}/${at.name}`;

async function all(pages) {
  const items = [];
  for await (const item of pages) items.push(item);
  return items;
}

async function refusal(work) {
  try {
    await work;
  } catch (error) {
    return error.code ?? error.details?.error?.code ?? error.statusCode;
  }
  assert.fail("it was not refused");
}

const made = await client.resources.beginCreateOrUpdateByIdAndWait(id, at.version, {
  location: at.region, sku: { name: "Standard" }, tags: { env: "prod" }, properties: { adminUserEnabled: true },
});
assert.equal(made.id, id);
assert.equal(made.properties.provisioningState, "Succeeded");
assert.equal((await client.resources.getById(id, at.version)).name, at.name);
assert.equal((await client.resources.checkExistenceById(id, at.version)).body, true);
assert.equal((await client.resources.checkExistenceById(`${id}x`, at.version)).body, false);
const patched = await client.resources.beginUpdateByIdAndWait(id, at.version, { tags: { colour: "red" } });
assert.deepEqual(patched.tags, { colour: "red" });
assert.equal(patched.properties.adminUserEnabled, true);
// What came back goes in again.
assert.equal((await client.resources.beginCreateOrUpdateByIdAndWait(id, at.version, made)).tags.env, "prod");

const expand = "createdTime,changedTime,provisioningState";
const listed = await all(client.resources.listByResourceGroup(source, { filter: `resourceType eq '${type}'`, expand, top: 1 }));
assert.deepEqual(listed.map((r) => r.name), [at.name]);
assert.ok(listed[0].createdTime instanceof Date && listed[0].provisioningState === "Succeeded");
assert.deepEqual((await all(client.resources.list({ filter: `name eq '${at.name}' or name eq 'nothing'` }))).map((r) => r.id), [id]);
assert.deepEqual((await all(client.resources.list({ filter: "tagName eq 'env' and tagValue eq 'no'" }))), []);
assert.equal(await refusal(all(client.resources.list({ filter: "colour eq 'x'" }))), "InvalidFilterInQueryString");

const group = (name) => `/subscriptions/${at.subscription}/resourceGroups/${name}`;
const quick = { updateIntervalInMs: 200 };
await client.resources.beginValidateMoveResourcesAndWait(source, { resources: [id], targetResourceGroup: group(target) }, quick);
assert.equal((await client.resources.getById(id, at.version)).id, id);
await client.resources.beginMoveResourcesAndWait(source, { resources: [id], targetResourceGroup: group(target) }, quick);
const moved = id.replace(source, target);
assert.equal((await client.resources.getById(moved, at.version)).id, moved);
assert.equal(await refusal(client.resources.getById(id, at.version)), "ResourceNotFound");
assert.equal(await refusal(client.resources.beginMoveResourcesAndWait(
  target, { resources: [moved], targetResourceGroup: group(target) }, quick)), "ResourceMoveToSameResourceGroup");
await client.resources.beginDeleteByIdAndWait(moved, at.version);
assert.equal(await refusal(client.resources.getById(moved, at.version)), "ResourceNotFound");
console.log("done");
