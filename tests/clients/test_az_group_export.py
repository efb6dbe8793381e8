"""az group export of 2.45 in both profiles and of the current az, and what it wrote deployed again (contract/az-cli.md 4, 8)."""
import json

import pytest


@pytest.fixture(params=["az", "latest", "current"])
def client(request):
    return request.getfixturevalue(request.param)


def test_export_and_deploy_again(site, client, az_group, az_registry, tmp_path):
    name = az_registry.name
    parameter = f"registries_{name}_name"
    template = client("group", "export", "-n", az_group, "--include-comments", "--include-parameter-default-value")
    assert template["parameters"] == {parameter: {"defaultValue": name, "type": "String"}}
    [resource] = template["resources"]
    assert resource["name"] == f"[parameters('{parameter}')]" and resource["comments"] == f"Generalized from resource: '{az_registry.id}'."
    assert "loginServer" not in resource["properties"]
    file = tmp_path / "exported.json"
    file.write_text(json.dumps(template))
    done = client("deployment", "group", "create", "-g", az_group, "-n", "exported", "-f", str(file))
    assert done["properties"]["provisioningState"] == "Succeeded"
    assert [r["id"] for r in done["properties"]["outputResources"]] == [az_registry.id]


def test_export_of_some_resources(client, az_group, az_registry):
    template = client("group", "export", "-n", az_group, "--resource-ids", az_registry.id, "--skip-all-params")
    assert template["parameters"] == {} and template["resources"][0]["name"] == az_registry.name
