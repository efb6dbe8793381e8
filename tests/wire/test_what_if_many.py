"""What-if of every example, and of 800 resources at once (arm-templates 7.4, 10)."""
import json
import pathlib
import threading
import time
import uuid

import pytest

from harness.deployments import nested, registry, template
from harness.site import ACR_PULL, ARM_GROUP, ARM_REGISTRY, READER
from harness.what_if import SUBSCRIPTION_SCHEMA, WhatIf, assignment, group_of

EXAMPLES = pathlib.Path(__file__).parents[2] / "templates" / "examples"


@pytest.fixture
def here(site, operator, group):
    return WhatIf(operator, f"/subscriptions/{site.subscription}/resourceGroups/{group}")


@pytest.fixture
def subscription(site, operator):
    """A subscription of its own, to deploy to."""
    made = site.command("subscription", "add", site.unique("WhatIf"))["subscriptionId"]
    return WhatIf(operator, f"/subscriptions/{made}")


@pytest.mark.parametrize("example", sorted(p.name for p in EXAMPLES.glob("*.json")))
def test_examples(site, here, subscription, example):
    """arm-templates 7.4: for all examples: Create, then NoChange of everything."""
    document = json.loads((EXAMPLES / example).read_text())
    parameters, at, asked = {}, {}, here
    if "principalId" in document["parameters"]:
        parameters["principalId"] = site.principal()["objectId"]
    if "subscription" in document["$schema"]:
        asked, at = subscription, {"location": site.region}
    if "registryName" in document["parameters"]:
        parameters["registryName"] = site.unique("reg")
    first = asked.changes(document, parameters, **at)
    assert first and {c["changeType"] for c in first} == {"Create"}
    asked.succeed("d", document, parameters, **at)
    asked.quiet(document, parameters, **at)


@pytest.mark.parametrize("form", ["loop", "assignments", "new group"])
def test_many(site, here, subscription, form):
    """800 resources in one (arm-templates 10); nothing of others waits for it long, though the last two cannot be parted."""
    prefix, principal = site.unique("m"), site.principal()
    loop = {"copy": {"name": "loop", "count": 799}}
    asked, at, document = here, {}, template({**registry(f"[concat('{prefix}x', copyIndex())]"), **loop}, registry(prefix))
    if form == "assignments":
        made = assignment(principal, ACR_PULL, prefix, scope=f"Microsoft.ContainerRegistry/registries/{prefix}", **loop)
        made["name"] = f"[guid('{prefix}', string(copyIndex()))]"
        made["properties"]["principalId"] = "[guid('a principal', string(copyIndex()))]"
        document = template(registry(prefix), made)
    elif form == "new group":
        inner = template({**registry(f"[concat('{prefix}x', copyIndex())]", location=site.region), **loop})
        asked, at = subscription, {"location": site.region}
        document = template(group_of(prefix, site.region), nested("n", inner, prefix, resourceGroup=prefix))
        document["$schema"] = SUBSCRIPTION_SCHEMA
    waits, over = [], threading.Event()
    other = site.operator()

    def meanwhile():
        """Creates, a grant and a lock, in the same subscription and group."""
        scope = f"{asked.scope}/resourceGroups/{site.unique('o')}" if form == "new group" else here.scope
        guid = str(uuid.uuid4())
        while not over.is_set():
            for url, body in [
                    (f"{scope}?api-version={ARM_GROUP}", {"location": site.region}),
                    (f"{scope}/providers/Microsoft.ContainerRegistry/registries/{prefix}other?api-version={ARM_REGISTRY}",
                     {"location": site.region, "sku": {"name": "Basic"}}),
                    (f"{scope}/providers/Microsoft.Authorization/locks/l?api-version=2016-09-01",
                     {"properties": {"level": "CanNotDelete"}}),
                    (f"{scope}/providers/Microsoft.Authorization/roleAssignments/{guid}?api-version=2022-04-01", {"properties": {
                        "roleDefinitionId": f"{asked.scope}/providers/Microsoft.Authorization/roleDefinitions/{READER}",
                        "principalId": principal["objectId"]}})]:
                started = time.monotonic()
                other.put(url, body).expect(200, 201)
                waits.append(time.monotonic() - started)
            over.wait(0.05)
        other.delete(f"{scope}/providers/Microsoft.Authorization/locks/l?api-version=2016-09-01").expect(200)
    thread = threading.Thread(target=meanwhile)
    thread.start()
    started = time.monotonic()
    try:
        changes = asked.changes(document, **at)
        took = time.monotonic() - started
    finally:
        over.set()
        thread.join()
    print(f"800 ({form}) in {took:.1f} s; of {len(waits)} PUTs meanwhile the longest took {max(waits):.2f} s")
    assert len([c for c in changes if c["changeType"] == "Create"]) == 800
    assert len(waits) > 4  # each answered within the two seconds that a lock is waited for
