"""azure-mgmt-resource and azure-mgmt-authorization, current, as their users call them."""
from harness.site import ACR_PULL


# arm-core 1.8.1
def test_groups_and_generic_resources(site, python_sdk):
    group, name = site.unique("pyg"), site.unique("pyr")
    seen = python_sdk("""
from azure.mgmt.resource.resources import ResourceManagementClient
client = ResourceManagementClient(credential, facts["subscription"], **options)
group, name, seen = values["group"], values["name"], {}
seen["group"] = client.resource_groups.create_or_update(group, {"location": facts["region"], "tags": {"team": "blue"}})
seen["exists"] = [client.resource_groups.check_existence(group), client.resource_groups.check_existence("no-such-group")]
seen["groups"] = [g.name for g in client.resource_groups.list(filter="tagName eq 'team' and tagValue eq 'blue'")]
id_ = values["id"]
seen["made"] = client.resources.begin_create_or_update_by_id(id_, {"location": facts["region"],
    "sku": {"name": "Standard"}, "properties": {"adminUserEnabled": False}}, api_version="2019-05-01").result()
seen["read"] = client.resources.get_by_id(id_, api_version="2019-05-01")
seen["present"] = client.resources.check_existence_by_id(id_, api_version="2019-05-01")
seen["updated"] = client.resources.begin_update_by_id(id_, {"tags": {"x": "y"}}, api_version="2019-05-01").result()
seen["all"] = [r.id for r in client.resources.list(filter="resourceType eq 'Microsoft.ContainerRegistry/registries'")]
seen["inside"] = [[r.name, r.provisioning_state] for r in client.resources.list_by_resource_group(group, expand="provisioningState")]
seen["provider"] = client.providers.get("Microsoft.ContainerRegistry").registration_state
seen["providers"] = [p.namespace for p in client.providers.list()]
client.resources.begin_delete_by_id(id_, api_version="2019-05-01").result()
seen["gone"] = fails(client.resources.get_by_id, id_, api_version="2019-05-01")
client.resource_groups.begin_delete(group).result()
seen["groupGone"] = fails(client.resource_groups.get, group)
answer(seen)
""", group=group, name=name, id=site.registry_id(group, name))
    assert seen["group"]["properties"]["provisioningState"] == "Succeeded" and seen["group"]["tags"] == {"team": "blue"}
    assert seen["exists"] == [True, False] and group in seen["groups"]
    assert seen["made"]["properties"]["loginServer"] == name + site.facts["acrSuffix"]
    assert seen["read"]["id"] == site.registry_id(group, name) and seen["present"] is True
    assert seen["updated"]["tags"] == {"x": "y"} and seen["read"]["id"] in seen["all"]
    assert seen["inside"] == [[name, "Succeeded"]] and seen["provider"] == "Registered"
    assert "Microsoft.ContainerRegistry" in seen["providers"]
    assert seen["gone"]["code"] == "ResourceNotFound" and seen["groupGone"]["code"] == "ResourceGroupNotFound"


# decisions 55, 10
def test_role_assignments(site, operator, registry, python_sdk):
    principal = site.principal()
    seen = python_sdk("""
import uuid
from azure.mgmt.authorization import AuthorizationManagementClient
client = AuthorizationManagementClient(credential, facts["subscription"], **options)
scope, seen = values["scope"], {}
role = next(iter(client.role_definitions.list(scope, filter="roleName eq 'AcrPull'")))
seen["role"] = role.id
made = client.role_assignments.create(scope, str(uuid.uuid4()), {"properties": {"roleDefinitionId": role.id,
    "principalId": values["principal"], "principalType": "ServicePrincipal"}})
seen["made"] = [made.principal_id, made.scope]
seen["listed"] = [a.id for a in client.role_assignments.list_for_scope(scope, filter=f"principalId eq '{values['principal']}'")]
seen["id"] = made.id
answer(seen)
""", scope=registry.id, principal=principal["objectId"])
    assert seen["role"] == site.role(ACR_PULL)
    assert seen["made"] == [principal["objectId"], registry.id] and seen["listed"] == [seen["id"]]
    registry.client(principal["appId"], principal["secret"]).get("/v2/").expect(200)
    site.unassign(operator, seen["id"])
