// Resource Graph by @azure/arm-resourcegraph: queries, pages, tables, errors. Argument: JSON of {endpoint, token,
// subscription, mark, names}. The packages lie where SDK_NODE says.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.env.SDK_NODE, "package.json"));
const { ResourceGraphClient } = require("@azure/arm-resourcegraph");
const at = JSON.parse(process.argv[2]);
const credential = { getToken: async () => ({ token: at.token, expiresOnTimestamp: Date.now() + 3600000 }) };
const client = new ResourceGraphClient(credential, {
  endpoint: at.endpoint, credentials: { scopes: [`${at.endpoint}/.default`] }, retryOptions: { maxRetries: 0 },
});
const mine = `resources | where type =~ 'Microsoft.ContainerRegistry/registries' and name startswith '${at.mark}'`;

const all = await client.resources({ query: `${mine} | order by name asc`, subscriptions: [at.subscription] });
assert.equal(all.totalRecords, at.names.length);
assert.equal(all.count, at.names.length);
assert.equal(all.resultTruncated, "false");
assert.equal(all.skipToken, undefined);
assert.deepEqual(all.data.map((row) => row.name), at.names);
assert.equal(all.data[0].properties.provisioningState, "Succeeded");

const seen = [];
let skipToken;
do {
  const page = await client.resources({ query: `${mine} | project name`, options: { top: 2, skipToken, resultFormat: "objectArray" } });
  assert.ok(page.count <= 2 && page.totalRecords === at.names.length);
  assert.equal(page.resultTruncated, page.skipToken ? "true" : "false");
  seen.push(...page.data.map((row) => row.name));
  skipToken = page.skipToken;
} while (skipToken);
assert.deepEqual(seen.sort(), [...at.names].sort());

const table = await client.resources({ query: `${mine} | summarize n=count() by type`, options: { resultFormat: "table" } });
assert.deepEqual(table.data.columns, [{ name: "type", type: "string" }, { name: "n", type: "integer" }]);
assert.deepEqual(table.data.rows, [["microsoft.containerregistry/registries", at.names.length]]);

await assert.rejects(client.resources({ query: "resources | join (resources) on id" }), (error) => {
  assert.equal(error.statusCode, 400);
  assert.equal(error.code, "BadRequest");
  assert.equal(error.details.error.details[0].code, "InvalidQuery");
  assert.match(error.details.error.details[0].message, /'join'/);
  return true;
});
console.log("done");
