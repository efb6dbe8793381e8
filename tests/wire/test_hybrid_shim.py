"""az in Azure Stack Hub's profile crashes in data-plane commands when it finds the registry (az-cli 6.2): the look-up that they
begin with is answered by an empty list, at 2019-10-01 only (decisions 23), while the setting is on."""
import pytest

from harness.site import Site

FILTER = "resourceType eq 'Microsoft.ContainerRegistry/registries'"
DATA = ["acr login", "acr repository list", "acr repository show-tags", "acr manifest list-metadata", "acr helm list"]
OTHERS = ["acr show", "acr update", "acr credential show", "acr check-health", "resource list", "acr loginx", "acr repositoryx", ""]


def found(site, client, command, version="2019-10-01", expression=FILTER):
    expression = expression.replace(" ", "%20")
    answer = client.get(f"/subscriptions/{site.subscription}/resources?$filter={expression}&api-version={version}",
                        headers={"CommandName": command} if command else {}).expect(200)
    return [row["id"] for row in answer.json["value"]]


# az-cli 0.2, 6.2
@pytest.mark.parametrize("command", DATA)
def test_data_plane_commands_find_none(site, operator, registry, command):
    assert found(site, operator, command) == []
    assert found(site, operator, command, expression=FILTER.replace("Registry", "REGISTRY")) == []


@pytest.mark.parametrize("command", OTHERS)
def test_other_commands_find_it(site, operator, registry, command):
    assert registry.id in found(site, operator, command)


# decisions 23
@pytest.mark.parametrize("version", ["2021-04-01", "2024-11-01", "2019-08-01", "2025-04-01"])
def test_other_versions_find_it(site, operator, registry, version):
    assert registry.id in found(site, operator, "acr login", version)


@pytest.mark.parametrize("expression", ["", FILTER + " and name eq '{name}'", "resourceType eq 'Microsoft.ContainerRegistry/other'"])
def test_other_filters_are_not_touched(site, operator, registry, expression):
    ids = found(site, operator, "acr login", expression=expression.format(name=registry.name))
    assert (registry.id in ids) == ("other" not in expression)


# A list of a group is nothing that az asks for here.
def test_the_list_of_a_group_is_not_touched(site, operator, registry, group):
    path = f"/subscriptions/{site.subscription}/resourceGroups/{group}/resources?api-version=2019-10-01"
    answer = operator.get(f"{path}&$filter={FILTER.replace(' ', '%20')}", headers={"CommandName": "acr login"}).expect(200)
    assert [row["id"] for row in answer.json["value"]] == [registry.id]


def test_without_the_setting_everybody_finds_it(tmp_path):
    made = Site(tmp_path / "state", port=9444, region="plain", environment={"AZSACR_HYBRID_SHIM": "false"})
    made.start()
    try:
        arm = made.operator()
        arm.put(f"/subscriptions/{made.subscription}/resourcegroups/g?api-version=2019-10-01",
                {"location": made.region}).expect(201)
        registry = made.create_registry(arm, "g")
        for command in DATA:
            assert found(made, arm, command) == [registry.id]
    finally:
        made.stop()
