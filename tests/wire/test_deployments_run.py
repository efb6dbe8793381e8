"""How a deployment runs: rights at each step, cancel, what is active, the Complete mode, onErrorDeployment, the history, what
debugSetting shows (arm-templates 6)."""
import json
import threading
import time

import pytest

from harness.deployments import Deployments, nested, registry, template
from harness.site import CONTRIBUTOR, OWNER, Site

V = "2019-10-01"
REGISTRIES = "Microsoft.ContainerRegistry/registries"


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A site whose every step of a deployment takes a while."""
    site = Site(tmp_path_factory.mktemp("slow") / "state", port=9471, region="slow",
                environment={"AZSACR_FAILPOINTS": "deployment.step=wait:150"}).start()
    yield site
    site.stop()


def in_group(site, client=None):
    operator = site.operator()
    group = site.unique("g")
    scope = f"/subscriptions/{site.subscription}/resourceGroups/{group}"
    operator.put(f"{scope}?api-version={V}", {"location": site.region}).expect(201)
    return Deployments(client or operator, scope)


@pytest.fixture
def deployments(slow):
    return in_group(slow)


@pytest.fixture
def quick(site, operator, group):
    return Deployments(operator, f"/subscriptions/{site.subscription}/resourceGroups/{group}")


def chain(site, count):
    """Registries of which each waits for the one before: a step each."""
    names = [site.unique("reg") for _ in range(count)]
    return names, template(*[registry(name, *names[max(i - 1, 0):i]) for i, name in enumerate(names)])


def present(deployments):
    found = deployments.client.get(f"{deployments.scope}/resources?api-version={V}").expect(200).json["value"]
    return {r["name"] for r in found}


def test_rights_are_decided_at_each_step(slow):
    """A caller whose rights are revoked midway: the next step fails with AuthorizationFailed and so the deployment."""
    operator, principal = slow.operator(), slow.principal()
    mine = in_group(slow)
    assignment = slow.assign(operator, principal, CONTRIBUTOR, mine.scope)
    theirs = Deployments(slow.client_of(principal), mine.scope)
    names, document = chain(slow, 12)
    theirs.put("revoked", document).expect(201)
    slow.wait_until(lambda: len(present(mine)) >= 2)
    slow.unassign(operator, assignment)
    made = present(mine)
    record = mine.wait("revoked")
    assert record["properties"]["provisioningState"] == "Failed"
    details = record["properties"]["error"]["details"]
    assert [d["code"] for d in details] == ["AuthorizationFailed"] and principal["objectId"] in details[0]["message"]
    assert present(mine) == made and 2 <= len(made) < 12


def test_an_account_that_goes(slow):
    """Whoever is disabled deploys nothing more."""
    operator, principal = slow.operator(), slow.principal()
    mine = in_group(slow)
    slow.assign(operator, principal, CONTRIBUTOR, mine.scope)
    names, document = chain(slow, 12)
    Deployments(slow.client_of(principal), mine.scope).put("gone", document).expect(201)
    slow.wait_until(lambda: len(present(mine)) >= 1)
    slow.command("sp", "remove", principal["appId"])
    record = mine.wait("gone")
    assert record["properties"]["provisioningState"] == "Failed"
    assert [d["code"] for d in record["properties"]["error"]["details"]] == ["InvalidAuthenticationToken"]


def test_a_lock_put_midway(slow, deployments):
    """Each resource goes through the same locks as a request of the caller."""
    names, document = chain(slow, 8)
    deployments.put("locked", document).expect(201)
    slow.wait_until(lambda: len(present(deployments)) >= 1)
    lock = f"{deployments.scope}/providers/Microsoft.Authorization/locks/l?api-version=2016-09-01"
    deployments.client.put(lock, {"properties": {"level": "ReadOnly"}}).expect(201)
    error = deployments.wait("locked")["properties"]["error"]
    deployments.client.delete(lock).expect(200)
    assert [d["code"] for d in error["details"]] == ["ScopeLocked"]


def test_cancel(slow, deployments):
    """arm-templates 6 Cancel, 7 cancel: 204; what runs is not rolled back, nothing more begins."""
    names, document = chain(slow, 12)
    deployments.put("canceled", document).expect(201)
    slow.wait_until(lambda: len(present(deployments)) >= 2)
    assert deployments.client.post(deployments.path("canceled", "/cancel")).expect(204).body == b""
    record = deployments.get("canceled").expect(200).json
    assert record["properties"]["provisioningState"] == "Canceled"
    assert "outputs" not in record["properties"] and "outputResources" not in record["properties"]
    time.sleep(1)
    made = present(deployments)
    time.sleep(1)
    assert present(deployments) == made and len(made) < 12
    assert slow.sql("select count(*) from arm.deployment where input is not null and state = 'Canceled'") == ["0"]
    answer = deployments.client.post(deployments.path("canceled", "/cancel")).expect(409)
    assert answer.code == "DeploymentCannotBeCancelled"
    deployments.client.post(deployments.path("absent", "/cancel")).expect(404)


def test_cancel_with_nested(slow, deployments):
    """Those that are nested in it are canceled with it."""
    names, inner = chain(slow, 10)
    deployments.put("around", template(nested("within", inner))).expect(201)
    slow.wait_until(lambda: present(deployments))
    deployments.client.post(deployments.path("around", "/cancel")).expect(204)
    for name in ("around", "within"):
        assert deployments.get(name).expect(200).json["properties"]["provisioningState"] == "Canceled"


def test_active(slow, deployments):
    """arm-templates 9.2 DeploymentActive; other names run beside it; an active one cannot be deleted."""
    names, document = chain(slow, 6)
    accepted = deployments.put("busy", document).expect(201).json
    answer = deployments.put("busy", document).expect(409)
    assert answer.code == "DeploymentActive"
    correlation = accepted["properties"]["correlationId"]
    assert answer.message.startswith(f"The deployment with resource id '{deployments.scope}/providers/Microsoft.Resources/deployments/busy' cannot be saved")
    assert f"with correlationId '{correlation}', and will expire at '" in answer.message
    answer = deployments.client.delete(deployments.path("busy")).expect(409)
    assert "cannot be deleted" in answer.message
    beside, other = chain(slow, 2)
    deployments.succeed("beside", other)
    assert deployments.wait("busy")["properties"]["provisioningState"] == "Succeeded"


def test_two_groups_side_by_side(slow):
    """Two deployments to different groups run side by side."""
    one, two = in_group(slow), in_group(slow)
    names, first = chain(slow, 10)
    others, second = chain(slow, 10)
    one.put("one", first).expect(201)
    two.put("two", second).expect(201)
    slow.wait_until(lambda: present(one) and present(two))
    assert one.get("one").json["properties"]["provisioningState"] == two.get("two").json["properties"]["provisioningState"] == "Running"
    assert one.wait("one")["properties"]["provisioningState"] == two.wait("two")["properties"]["provisioningState"] == "Succeeded"


def test_a_group_that_is_deleted_meanwhile(slow, deployments):
    """Its records go with it, and its jobs end."""
    names, document = chain(slow, 10)
    deployments.put("doomed", document).expect(201)
    slow.wait_until(lambda: present(deployments))
    location = deployments.client.delete(f"{deployments.scope}?api-version={V}").expect(202).header("Location")
    slow.wait_until(lambda: deployments.client.get(location).status == 200)
    slow.wait_until(lambda: slow.sql("select count(*) from azsacr.job where kind like 'deployment%' and state in ('Pending', 'Running') "
                                     f"and scope like '{deployments.scope}/%'") == ["0"])
    deployments.get("doomed").expect(404)


def test_complete_mode(site, quick):
    """arm-templates 6.6: what the template lacks is deleted after its resources are made, with an operation each."""
    keep, drop, late = site.unique("reg"), site.unique("reg"), site.unique("reg")
    quick.succeed("first", template(registry(keep), registry(drop), registry(late)))
    record = quick.succeed("second", template(registry(keep), registry(late, condition="[equals(1, 2)]")), mode="complete")
    assert record["properties"]["mode"] == "Complete" and present(quick) == {keep}
    deleted = {o["properties"]["targetResource"]["resourceName"] for o in quick.operations("second")
               if o["properties"]["provisioningOperation"] == "Delete"}
    assert deleted == {drop, late}
    quick.get("first").expect(200)


def test_complete_mode_and_nested(site, quick):
    """What a nested deployment makes in the group is in the template."""
    one, two = site.unique("reg"), site.unique("reg")
    quick.succeed("n", template(registry(one), nested("inner", template(registry(two)))), mode="Complete")
    assert present(quick) == {one, two}


def test_complete_mode_and_locks(site, quick, operator):
    """arm-templates 6.6: locks block deletion, and the deployment fails."""
    one = site.unique("reg")
    quick.succeed("first", template(registry(one)))
    lock = f"{quick.scope}/providers/{REGISTRIES}/{one}/providers/Microsoft.Authorization/locks/l?api-version=2016-09-01"
    operator.put(lock, {"properties": {"level": "CanNotDelete"}}).expect(201)
    error = quick.fail("second", template(), mode="Complete")
    operator.delete(lock).expect(200)
    assert [d["code"] for d in error["details"]] == ["ScopeLocked"] and present(quick) == {one}


def test_on_error_deployment(site, quick):
    """arm-templates 6.8: the last successful one again, with its own values; shown in the record from the PUT on."""
    one, two = site.unique("reg"), site.unique("reg")
    document = template(registry("[parameters('n')]", tags={"at": "[parameters('t')]"}),
                        parameters={"n": {"type": "string"}, "t": {"type": "string", "defaultValue": "[newGuid()]"}})
    good = quick.succeed("good", document, {"n": one})
    path = f"{quick.scope}/providers/{REGISTRIES}/{one}?api-version=2019-05-01"
    guid = quick.client.get(path).expect(200).json["tags"]["at"]
    quick.client.patch(path, {"tags": {"at": "changed"}}).expect(200)
    bad = template(registry(two, properties={"adminUserEnabled": f"[reference(resourceId('{REGISTRIES}', '{one}'), '2019-05-01').loginServer]"}))
    accepted = quick.put("bad", bad, onErrorDeployment={"type": "LastSuccessful"}).expect(201).json
    assert accepted["properties"]["onErrorDeployment"] == {"type": "LastSuccessful", "deploymentName": "good"}
    record = quick.wait("bad")
    assert record["properties"]["provisioningState"] == "Failed"
    again = site.wait_until(lambda: quick.get("bad").json["properties"]["onErrorDeployment"].get("provisioningState") == "Succeeded")
    assert again and quick.client.get(path).json["tags"]["at"] == guid
    assert quick.get("good").json["properties"]["templateHash"] == good["properties"]["templateHash"]
    quick.put("bad", bad, onErrorDeployment={"type": "SpecificDeployment", "deploymentName": "good"}).expect(200)
    quick.wait("bad")
    assert quick.put("x", bad, onErrorDeployment={"type": "SpecificDeployment", "deploymentName": "nothing"}).expect(400).code == "DeploymentFailed"


def test_on_error_deployment_with_secrets(site, quick):
    """arm-templates 6.8: with the stored values, those of secure parameters too; they are kept sealed."""
    one, secret = site.unique("reg"), site.unique("hush hush ")
    quick.succeed("secret", template(registry(one, tags={"s": "[parameters('s')]"}), parameters={"s": {"type": "securestring"}}),
                  {"s": secret})
    path = f"{quick.scope}/providers/{REGISTRIES}/{one}?api-version=2019-05-01"
    quick.client.patch(path, {"tags": {"s": "changed"}}).expect(200)
    bad = template(outputs={"o": {"type": "int", "value": f"[reference(resourceId('{REGISTRIES}', '{one}'), '2019-05-01').loginServer]"}})
    quick.put("bad", bad, onErrorDeployment={"type": "LastSuccessful"}).expect(201)
    assert quick.wait("bad")["properties"]["provisioningState"] == "Failed"
    site.wait_until(lambda: quick.get("bad").json["properties"]["onErrorDeployment"].get("provisioningState") == "Succeeded")
    assert quick.client.get(path).json["tags"]["s"] == secret
    assert quick.get("secret").json["properties"]["parameters"] == {"s": {"type": "SecureString"}}
    assert secret not in "".join(site.sql("select d::text from arm.deployment d"))
    # A record of before they were kept.
    site.sql("update arm.deployment set kept_sealed = null")
    answer = quick.put("x", template(), onErrorDeployment={"type": "SpecificDeployment", "deploymentName": "secret"}).expect(400)
    assert answer.code == "InvalidDeployment" and "secure parameters are not kept" in answer.message


def test_debug_setting(site, quick):
    """arm-templates 6 debugSetting: request and response contents in operations, without secrets."""
    one, secret = site.unique("reg"), "correct horse battery"
    document = template(registry(one, tags={"a": "[parameters('s')]", "b": "plain", "c": "[base64(parameters('s'))]"}),
                        {"type": "Microsoft.Resources/tags", "apiVersion": "2021-04-01", "name": "default", "dependsOn": [one], "properties": {
                            "tags": {"d": f"[base64(concat('x', reference('{one}').provisioningState, parameters('s')))]"}}},
                        parameters={"s": {"type": "securestring"}})
    record = quick.succeed("debug", document, {"s": secret}, debugSetting={"detailLevel": "requestContent, responseContent"})
    assert record["properties"]["debugSetting"] == {"detailLevel": "requestContent, responseContent"}
    shown = {o["properties"]["targetResource"]["resourceName"]: o["properties"] for o in quick.operations("debug") if "targetResource" in o["properties"]}
    assert shown[one]["request"]["content"]["tags"] == {"a": "***", "b": "plain", "c": "***"}
    assert shown["default"]["request"]["content"]["properties"]["tags"] == {"d": "***"}
    assert shown[one]["response"]["content"]["tags"]["c"] == "***" and shown[one]["response"]["content"]["name"] == one
    assert secret not in json.dumps(quick.operations("debug"))
    quick.succeed("plain", template(registry(one)))
    assert not {"request", "response"} & set(quick.operations("plain")[0]["properties"])


def test_an_error_does_not_quote_a_secret(site, quick):
    """Nothing secret in a record, an operation, the activity log or the log."""
    one, secret = site.unique("reg"), "correct horse staple"
    document = template(registry(one), registry(site.unique("reg"), one, properties={
        "adminUserEnabled": f"[if(equals(reference('{one}').provisioningState, 'x'), true(), parameters('s'))]"}), parameters={"s": {"type": "securestring"}})
    error = quick.fail("quoted", document, {"s": secret})
    assert error["details"][0]["code"] == "InvalidRequestContent" and "***" in error["details"][0]["message"]
    everything = "".join(line for table in ("arm.deployment", "arm.deployment_operation", "azsacr.job", "arm.activity")
                         for line in site.sql(f"select t::text from {table} t"))
    assert secret not in everything and secret not in site.log()


def test_activity_log(site, quick, operator):
    """The deployment and each of its writes, under one correlation."""
    one = site.unique("reg")
    correlation = "11111111-2222-4333-8444-" + f"{abs(hash(one)) % 16**12:012x}"
    record = quick.succeed("logged", template(registry(one)), headers={"x-ms-correlation-request-id": correlation})
    assert record["properties"]["correlationId"] == correlation
    rows = site.wait_until(lambda: (found := site.sql(f"select action || ' ' || ended || ' ' || status from arm.activity where correlation_id = '{correlation}' order by at, id"))
                           and len(found) == 3 and found)
    assert rows == ["Microsoft.Resources/deployments/write false 201", f"{REGISTRIES}/write true 200", "Microsoft.Resources/deployments/write true 200"]


def test_history(site, quick):
    """arm-templates 6 History: above 775 down to 750, the oldest first; 800 where nothing may go."""
    quick.succeed("seed", template())
    copies = ("insert into arm.deployment (subscription_id, group_id, name, name_key, state, mode, sequence, correlation_id, template_hash, providers, "
              "dependencies, template, job_id, created_at, changed_at) select d.subscription_id, d.group_id, 'old' || n, 'old' || n, 'Succeeded', d.mode, "
              "d.sequence, d.correlation_id, d.template_hash, d.providers, d.dependencies, d.template, d.job_id, d.created_at - n * interval '1 minute', "
              "d.changed_at - n * interval '1 minute' from arm.deployment d, generate_series({}, {}) n where d.group_id = (select g.id from arm.resource_group g "
              "where g.name_key = '{}') and d.name = 'seed'")
    group = quick.scope.rsplit("/", 1)[1]
    count = lambda: int(site.sql(f"select count(*) from arm.deployment d join arm.resource_group g on g.id = d.group_id where g.name_key = '{group}'")[0])
    site.sql(copies.format(1, 774, group))
    assert count() == 775
    quick.succeed("one", template())
    assert count() == 776
    quick.succeed("two", template())
    assert count() == 751
    quick.get("old1").expect(200)
    quick.get("old774").expect(404)
    site.sql(copies.format(1001, 1049, group))
    lock = f"{quick.scope}/providers/Microsoft.Authorization/locks/l?api-version=2016-09-01"
    quick.client.put(lock, {"properties": {"level": "CanNotDelete"}}).expect(201)
    answer = quick.put("three", template()).expect(409)
    # arm-templates 9.2 DeploymentQuotaExceeded
    assert (answer.code, answer.message) == ("DeploymentQuotaExceeded", "Creating the deployment 'three' would exceed the quota of '800'. The current deployment "
                                             "count is '800', please delete some deployments before creating a new one. Please see https://aka.ms/arm-deploy for "
                                             "usage details.")
    quick.succeed("two", template())  # one that replaces another needs no room
    quick.client.delete(lock).expect(200)
    quick.validate("any", template()).expect(200)
    assert count() == 750


def test_subscription_scope(site, operator):
    """arm-templates 3.4: a group and, nested in it, a registry."""
    mine = Deployments(operator, f"/subscriptions/{site.subscription}")
    group, one = site.unique("g"), site.unique("reg")
    document = template({"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2019-10-01", "name": group, "location": site.region},
                        nested("into" + group, template(registry("[parameters('n')]"), parameters={"n": {"type": "string"}}), group,
                               parameters={"n": {"value": one}}, resourceGroup=group))
    record = mine.succeed("at" + group, document, location=site.region)
    assert record["id"] == f"/subscriptions/{site.subscription}/providers/Microsoft.Resources/deployments/at{group}"
    assert list(record)[:4] == ["id", "name", "type", "location"] and record["location"] == site.region
    assert [r["id"] for r in record["properties"]["outputResources"]] == sorted(
        [f"/subscriptions/{site.subscription}/resourceGroups/{group}", site.registry_id(group, one)], key=str.lower)
    assert mine.operations("at" + group)
    operator.get(site.registry_id(group, one) + "?api-version=2019-05-01").expect(200)
    operator.delete(f"/subscriptions/{site.subscription}/resourceGroups/{group}?api-version={V}").expect(202)


def test_role_assignments_and_locks_as_resources(site, quick):
    """arm-templates 3.4 extension resources, in a graph with registries: each kind has an order of locks of its own."""
    one, principal = site.unique("reg"), site.principal()
    document = template(
        registry(one),
        {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "scope": f"[resourceId('{REGISTRIES}', '{one}')]",
         "name": f"[guid(resourceId('{REGISTRIES}', '{one}'), 'x')]", "dependsOn": [one],
         "properties": {"roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d')]",
                        "principalId": principal["objectId"], "principalType": "ServicePrincipal"}},
        *[registry(site.unique("reg")) for _ in range(5)],
        {"type": f"{REGISTRIES}/providers/locks", "apiVersion": "2016-09-01", "name": f"{one}/Microsoft.Authorization/held", "dependsOn": [one],
         "properties": {"level": "CanNotDelete"}})
    record = quick.succeed("kinds", document)
    assert len(record["properties"]["outputResources"]) == 8
    quick.client.delete(f"{quick.scope}/providers/{REGISTRIES}/{one}/providers/Microsoft.Authorization/locks/held?api-version=2016-09-01").expect(200)


def test_many_at_once(site, quick):
    """More than a step takes, and branches beside the leader: each is written once."""
    count, prefix = 150, site.unique("reg")
    document = template(registry(f"[concat('{prefix}', copyIndex())]", copy={"name": "many", "count": count}), registry(site.unique("reg"), "many"))
    correlation = "11111111-2222-4333-8444-" + f"{abs(hash(prefix)) % 16**12:012x}"
    record = quick.succeed("many", document, headers={"x-ms-correlation-request-id": correlation})
    assert len(record["properties"]["outputResources"]) == count + 1
    assert len(quick.operations("many")) == count + 2
    written = site.sql(f"select count(*), count(distinct scope) from arm.activity where correlation_id = '{correlation}' and action = '{REGISTRIES}/write'")
    assert written == [f"{count + 1}|{count + 1}"]


def test_many_deployments_at_once(site, quick):
    """Forty at a time: none is lost."""
    def one(number):
        mine = Deployments(site.arm_client(), quick.scope)
        mine.client.headers = quick.client.headers
        mine.put(f"d{number}", template(registry(names[number]))).expect(201)
    names = [site.unique("reg") for _ in range(40)]
    threads = [threading.Thread(target=one, args=(n,)) for n in range(40)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert {quick.wait(f"d{n}")["properties"]["provisioningState"] for n in range(40)} == {"Succeeded"}
    assert present(quick) == set(names)
