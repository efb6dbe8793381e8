"""A published registry template with nothing but its api-version changed (faq S1, decisions 39), az's way of sending it."""
import json
import os
import pathlib

import pytest

from harness.deployments import Deployments

CORPUS = os.environ.get("CORPUS")
PUBLISHED = "azure-quickstart-templates__101-container-registry_azuredeploy.json"
OLD, NEW = "2019-12-01-preview", "2019-05-01"

# What published ones have in common: a tier beside the name, Basic by default, tags, and the server as an output.
SHAPE = """{
  // for a site that is not connected
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {
    "registry": { "type": "string", "minLength": 5, "maxLength": 50 },
    "tier": { "type": "string", "defaultValue": "Basic", "allowedValues": [ "Basic", "Standard", "Premium" ] },
    "admin": { "type": "bool", "defaultValue": false }
  },
  "resources": [
    {
      "type": "Microsoft.ContainerRegistry/registries",
      "apiVersion": "2019-12-01-preview",
      "name": "[parameters('registry')]",
      "comments": "where the images are",
      "location": "[resourceGroup().location]",
      "tags": { "displayName": "Images" },
      "sku": { "tier": "[parameters('tier')]", "name": "[parameters('tier')]" },
      "properties": { "adminUserEnabled": "[parameters('admin')]" }
    }
  ],
  "outputs": {
    "server": {
      "type": "string",
      "value": "[reference(resourceId('Microsoft.ContainerRegistry/registries', parameters('registry')), '2019-12-01-preview').loginServer]"
    }
  }
}
"""


def texts():
    """What it is, its text, its parameter for the name, its output."""
    yield "shape", SHAPE, "registry", "server"
    if CORPUS:
        yield "published", (pathlib.Path(CORPUS) / PUBLISHED).read_text(encoding="utf-8-sig"), "acrName", "acrLoginServer"
    else:
        print("test_published_templates: no CORPUS, the published template itself is left out")


@pytest.fixture
def deployments(site, operator, group):
    return Deployments(operator, f"/subscriptions/{site.subscription}/resourceGroups/{group}")


TEXTS = list(texts())


@pytest.mark.parametrize("text, parameter, output", [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_only_its_version_changes(site, operator, deployments, text, parameter, output):
    given = {parameter: site.unique("reg")}
    for act in (deployments.validate, deployments.put):
        refused = act("acr", None, given, raw=text).expect(400)
        assert refused.code in ("NoRegisteredProviderFound", "InvalidTemplateDeployment", "InvalidTemplate"), refused.body
        assert f"API version '{OLD}'" in refused.body.decode() and NEW in refused.body.decode()
    assert deployments.get("acr").status == 404  # nothing was begun
    record = deployments.succeed("acr", None, given, raw=text.replace(OLD, NEW))
    server = record["properties"]["outputs"][output]["value"]
    made = operator.get(f"{record['properties']['outputResources'][0]['id']}?api-version={NEW}").expect(200).json
    assert made["properties"]["loginServer"] == server and made["sku"]["name"] == "Basic" and made["tags"]["displayName"]


def test_a_tier_that_is_not_offered_is_named(site, deployments):  # decisions 2
    refused = deployments.put("acr", None, {"registry": site.unique("reg"), "tier": "Premium"}, raw=SHAPE.replace(OLD, NEW)).expect(400)
    assert "SkuNotSupported" in json.dumps(refused.json) and "Premium" in json.dumps(refused.json)


def test_the_keys_of_a_registry_as_outputs(site, deployments):  # faq S6: also with the older version
    template = json.loads(SHAPE.replace(OLD, NEW).replace("// for a site that is not connected", ""))
    call = "listCredentials(resourceId('Microsoft.ContainerRegistry/registries', parameters('registry')), '2017-10-01')"
    template["outputs"] = {"user": {"type": "string", "value": f"[{call}.username]"},
                           "password": {"type": "string", "value": f"[{call}.passwords[0].value]"}}
    name = site.unique("reg")
    outputs = deployments.succeed("keys", template, {"registry": name, "admin": True})["properties"]["outputs"]
    assert outputs["user"]["value"] == name and len(outputs["password"]["value"]) >= 32
