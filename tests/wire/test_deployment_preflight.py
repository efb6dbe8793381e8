"""What is refused before anything is made (arm-templates 6.3, 9.2): PUT and validate alike."""
import re

import pytest

from harness.deployments import Deployments, nested, registry, template
from harness.site import CONTRIBUTOR, READER

V = "2019-10-01"
REGISTRIES = "Microsoft.ContainerRegistry/registries"


@pytest.fixture
def scope(site, group):
    return f"/subscriptions/{site.subscription}/resourceGroups/{group}"


@pytest.fixture
def deployments(operator, scope):
    return Deployments(operator, scope)


def refuse(deployments, *arguments, expect=400, **more):
    """Both say the same, and no record is left."""
    one = deployments.validate("d", *arguments, **more).expect(expect)
    two = deployments.put("d", *arguments, **more).expect(expect)
    hide = lambda text: re.sub(r"'[0-9a-f-]{36}'", "'id'", text)
    assert (one.code, hide(one.message)) == (two.code, hide(two.message))
    deployments.get("d").expect(404)
    return two


def test_another_version(site, deployments):
    """decisions 39, S1: a template of another api-version is told those that work (arm-templates 9.2 NoRegisteredProviderFound)."""
    for version in ("2023-07-01", "2019-12-01-preview", "2021-09-01"):
        answer = refuse(deployments, template(registry(site.unique("reg"), apiVersion=version)))
        assert answer.code == "NoRegisteredProviderFound"
        assert answer.message == (f"No registered resource provider found for location '{site.region}' and API version '{version}' for type "
                                  f"'registries'. The supported api-versions are '2017-10-01, 2019-05-01'. The supported locations are '{site.region}'.")
    deployments.succeed("old", template(registry(site.unique("reg"), apiVersion="2017-10-01")))


def test_another_version_in_reference_and_list(site, deployments):
    """decisions 39: reference and list* of our types too, at run time; arm-templates 9.3 DeploymentOutputEvaluationFailed."""
    name = site.unique("reg")
    for call in (f"reference(resourceId('{REGISTRIES}', '{name}'), '2023-07-01').loginServer",
                 f"listCredentials(resourceId('{REGISTRIES}', '{name}'), '2023-07-01').username"):
        error = deployments.fail("versions", template(registry(name, properties={"adminUserEnabled": True}),
                                                      outputs={"o": {"type": "string", "value": f"[{call}]"}}))
        assert error["code"] == "DeploymentOutputEvaluationFailed"
        assert "The supported api-versions are '2017-10-01, 2019-05-01'" in error["details"][0]["message"]


def test_types(site, deployments):
    """arm-templates 9.2 InvalidResourceType, InvalidResourceNamespace."""
    answer = refuse(deployments, template(registry("x", type="Microsoft.ContainerRegistry/nothing")), expect=404)
    assert answer.code == "InvalidResourceType"
    assert answer.message.startswith("The resource type 'nothing' could not be found in the namespace 'Microsoft.ContainerRegistry' for api version '2019-05-01'.")
    answer = refuse(deployments, template(registry("x", type="Microsoft.Storage/storageAccounts")), expect=404)
    assert (answer.code, answer.message) == ("InvalidResourceNamespace", "The resource namespace 'Microsoft.Storage' is invalid.")


def test_bodies(site, operator, deployments, scope):
    """arm-templates 9.2 InvalidTemplateDeployment: the provider's own validation, all of what it has to say, nothing made."""
    good, bad, worse = site.unique("reg"), site.unique("reg"), "x"
    answer = refuse(deployments, template(registry(good), registry(bad, sku="Premium"), registry(worse)))
    assert answer.code == "InvalidTemplateDeployment"
    assert re.fullmatch(r"The template deployment 'd' is not valid according to the validation procedure\. The tracking id is "
                        r"'[0-9a-f-]{36}'\. See inner errors for details\.", answer.message)
    details = answer.json["error"]["details"]
    assert [d["code"] for d in details] == ["SkuNotSupported", "InvalidResourceName"]
    assert details[0]["target"] == f"{scope}/providers/{REGISTRIES}/{bad}"
    operator.get(f"{scope}/providers/{REGISTRIES}/{good}?api-version=2019-05-01").expect(404)


def test_locations(site, deployments):
    """arm-templates 9.2 LocationNotAvailableForResourceType, arm-templates 9.2 LocationRequired."""
    answer = refuse(deployments, template(registry(site.unique("reg"), location="westeurope")))
    assert answer.json["error"]["details"][0]["code"] == "LocationNotAvailableForResourceType"
    answer = refuse(deployments, template(registry(site.unique("reg"), location=None)))
    assert answer.json["error"]["details"][0]["code"] == "LocationRequired"


def test_a_taken_name(site, operator, deployments, registry_elsewhere):
    """The login server's name is another group's."""
    answer = refuse(deployments, template(registry(registry_elsewhere)))
    assert answer.json["error"]["details"][0]["code"] == "AlreadyInUse"


@pytest.fixture
def registry_elsewhere(site, operator):
    group = site.unique("g")
    path = f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version={V}"
    operator.put(path, {"location": site.region}).expect(201)
    name = site.unique("reg")
    operator.put(site.registry_id(group, name) + "?api-version=2019-05-01", {"location": site.region, "sku": {"name": "Standard"}}).expect(200)
    yield name
    operator.delete(path)


def test_rights(site, operator, deployments, scope):
    """arm-templates 9.2: one that lacks and several, in their words; deployments/write itself is the door's:
    arm-templates 9.2 AuthorizationFailed."""
    principal = site.principal()
    client = site.client_of(principal)
    mine = Deployments(client, scope)
    assert mine.put("d", template()).expect(403).code == "AuthorizationFailed"
    role = {"properties": {"roleName": site.unique("deployer"), "type": "CustomRole", "assignableScopes": [f"/subscriptions/{site.subscription}"],
                           "permissions": [{"actions": ["Microsoft.Resources/deployments/*", "*/read"], "notActions": []}]}}
    guid = "5d0b5d0b-0000-4000-8000-" + f"{abs(hash(scope)) % 16**12:012x}"
    operator.put(f"/subscriptions/{site.subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}?api-version=2015-07-01", role).expect(201)
    site.assign(operator, principal, guid, scope)
    one, two = site.unique("reg"), site.unique("reg")
    sentence = lambda name: (f"Authorization failed for template resource '{name}' of type '{REGISTRIES}'. The client '{principal['appId']}' with object id "
                             f"'{principal['objectId']}' does not have permission to perform action '{REGISTRIES}/write' at scope "
                             f"'{scope}/providers/{REGISTRIES}/{name}'.")
    answer = refuse(mine, template(registry(one)))
    assert (answer.code, answer.message) == ("InvalidTemplateDeployment", f"The template deployment failed with error: '{sentence(one)}'.")
    answer = refuse(mine, template(registry(one), nested("inner", template(registry(two)))))
    assert answer.message == f"Deployment failed with multiple errors: '{sentence(one)}:{sentence(two)}'."
    mine.succeed("empty", template())


def test_a_reader_may_look_only(site, operator, deployments, scope):
    principal = site.principal()
    site.assign(operator, principal, READER, scope)
    mine = Deployments(site.client_of(principal), scope)
    deployments.succeed("looked-at", template())
    mine.get("looked-at").expect(200)
    assert mine.operations("looked-at")
    for method, action in (("DELETE", ""), ("POST", "/cancel"), ("POST", "/exportTemplate")):
        assert mine.client.request(method, mine.path("looked-at", action)).expect(403).code == "AuthorizationFailed"
    assert mine.validate("d", template()).expect(403).code == "AuthorizationFailed"


def test_reference_of_what_is_not_there(site, deployments):
    """arm-templates 9.3 ResourceNotFound."""
    missing = site.unique("missing")
    error = deployments.fail("absent", template(registry(site.unique("reg"), properties={
        "adminUserEnabled": f"[reference(resourceId('{REGISTRIES}', '{missing}'), '2019-05-01').adminUserEnabled]"})))
    detail = error["details"][0]
    assert detail["code"] == "ResourceNotFound" and f"{REGISTRIES}/{missing}" in detail["message"], error


def test_a_group_that_is_not_there(site, operator, deployments):
    """arm-templates 9.2 ResourceGroupNotFound: also a nested deployment to a group that neither is there nor is made."""
    answer = refuse(deployments, template(nested("inner", template(), resourceGroup="nowhere-at-all")))
    assert answer.json["error"]["details"][0]["code"] == "ResourceGroupNotFound"
    missing = Deployments(operator, f"/subscriptions/{site.subscription}/resourceGroups/nowhere-at-all")
    answer = missing.put("d", template()).expect(404)
    assert (answer.code, answer.message) == ("ResourceGroupNotFound", "Resource group 'nowhere-at-all' could not be found.")


def test_names(deployments):
    """arm-templates 1.2: 1 to 64 characters of [-\\w._()]."""
    deployments.succeed("a-b_c.(d)" + "e" * 55, template())
    for name in ("x" * 65, "a%20b", "a%2Ab", "%E2%82%AC"):
        assert deployments.put(name, template()).expect(400).code == "InvalidDeploymentName"


def test_location_of_the_deployment(site, operator, deployments):
    """arm-templates 1.2: required at subscription scope, forbidden in a group."""
    assert deployments.put("d", template(), location=site.region).expect(400).code == "InvalidDeployment"
    mine = Deployments(operator, f"/subscriptions/{site.subscription}")
    answer = mine.put("d", template()).expect(400)
    assert (answer.code, answer.message) == ("InvalidDeployment", "The 'location' property must be specified for 'd'. Please see "
                                             "https://aka.ms/deploy-to-subscription for usage details.")
    assert mine.put("d", template(), location="nowhere").expect(400).code == "LocationNotAvailableForDeployment"


def test_links(deployments):
    """arm-templates 1.2, 9.2 InvalidContentLink: nothing is fetched."""
    body = {"properties": {"mode": "Incremental", "templateLink": {"uri": "https://elsewhere.example/t.json"}}}
    answer = deployments.client.put(deployments.path("d"), body).expect(400)
    assert answer.code == "InvalidContentLink"
    assert answer.message.startswith("Unable to download deployment content from 'https://elsewhere.example/t.json'. The tracking Id is '")


def test_template_violations(deployments):
    """arm-templates 9.1: InvalidTemplate with additionalInfo."""
    answer = refuse(deployments, template(registry("[parameters('x')]"), parameters={"x": {"type": "string"}}))
    assert answer.code == "InvalidTemplate"
    info = answer.json["error"]["additionalInfo"]
    assert info[0]["type"] == "TemplateViolation" and info[0]["info"]["path"] == "properties.template.parameters.x"
    assert info[0]["info"]["lineNumber"] > 0


def test_content(deployments):
    """arm-templates 9.2 InvalidRequestContent."""
    for raw in (b"{", b"[]", b"{\"properties\":{}}", b"{\"properties\":{\"mode\":\"Incremental\",\"nothing\":1}}", b"\xff\xfe"):
        answer = deployments.client.put(deployments.path("d"), raw.decode("latin-1").encode("latin-1"), headers={"Content-Type": "application/json"})
        assert answer.expect(400).code in ("InvalidRequestContent", "InvalidTemplate"), raw
    assert deployments.client.put(deployments.path("d"), b"", headers={"Content-Type": "application/json"}).expect(400).code == "InvalidRequestContent"


def test_not_registered(site):
    """arm-templates 9.2 MissingSubscriptionRegistration."""
    made = site.command("subscription", "add", site.unique("sub"))
    scope = f"/subscriptions/{made['subscriptionId']}"
    operator = site.operator()
    group = f"{scope}/resourcegroups/g?api-version={V}"
    operator.put(group, {"location": site.region}).expect(201)
    operator.post(f"{scope}/providers/Microsoft.ContainerRegistry/unregister?api-version={V}").expect(200)
    answer = Deployments(operator, f"{scope}/resourceGroups/g").put("d", template(registry(site.unique("reg")))).expect(409)
    assert answer.code == "MissingSubscriptionRegistration"
    # A subscription goes with its records.
    Deployments(operator, scope).succeed("there", template(), location=site.region)
    operator.delete(group)
    site.wait_until(lambda: operator.get(group).status == 404)
    site.command("subscription", "remove", made["subscriptionId"])
    assert site.sql(f"select count(*) from arm.deployment where subscription_id = '{made['subscriptionId']}'") == ["0"]
