"""What-if as a client asks it, and what its templates are made of (arm-templates 7.4)."""
import json
import uuid

from harness.deployments import Deployments

SUBSCRIPTION_SCHEMA = "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#"


def assignment(principal, role, *depends, scope=None, **more):
    made = {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "properties": {
        "roleDefinitionId": f"[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{role}')]",
        "principalId": principal["objectId"], "principalType": "ServicePrincipal"},
        "name": str(uuid.uuid5(uuid.NAMESPACE_URL, principal["objectId"] + role + str(scope))), **more}
    if scope:
        made["scope"] = scope
    if depends:
        made["dependsOn"] = list(depends)
    return made


def group_of(name, region, **more):
    return {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2019-10-01", "name": name, "location": region, "properties": {}, **more}


class WhatIf(Deployments):
    def ask(self, document, parameters=None, name="w", ids_only=False, **more):
        """The result of the operation that a 202 points at."""
        settings = {"whatIfSettings": {"resultFormat": "ResourceIdOnly"}} if ids_only else {}
        accepted = self.send("POST", name, "/whatIf", document, parameters, **settings, **more).expect(202)
        assert accepted.body == b"" and accepted.header("Azure-AsyncOperation") is None
        assert accepted.header("Retry-After") is None
        for _ in range(100):
            answer = self.client.get(accepted.header("Location")).expect(200, 202)
            if answer.status == 200:
                return answer.json
        raise AssertionError("the result did not come")

    def changes(self, *arguments, **more):
        result = self.ask(*arguments, **more)
        assert result["status"] == "Succeeded", result
        changes = result["properties"]["changes"]
        assert [c["resourceId"].lower() for c in changes] == sorted(c["resourceId"].lower() for c in changes)
        for change in changes:
            for shown in (change.get("before"), change.get("after")):
                if shown:
                    assert list(shown) == sorted(shown, key=str.lower) and shown["apiVersion"] and shown["id"]
                    assert "provisioningState" not in shown.get("properties", {})
        return changes

    def kinds(self, *arguments, **more):
        return {c["resourceId"].rsplit("/", 1)[1]: c["changeType"] for c in self.changes(*arguments, **more)}

    def only(self, *arguments, **more):
        changes = [c for c in self.changes(*arguments, **more) if c["changeType"] != "Ignore"]
        assert len(changes) == 1, changes
        return changes[0]

    def quiet(self, *arguments, **more):
        """Nothing would change."""
        for change in self.changes(*arguments, **more):
            assert change["changeType"] in ("NoChange", "Ignore"), json.dumps(change, indent=1)
            assert "delta" not in change and change["before"] == change["after"]
