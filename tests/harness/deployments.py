"""Deployments as a client makes them: bodies with the template spliced in as raw text, as az sends it, and the polling of
their status."""
import json
import time

V = "2019-10-01"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
TERMINAL = ("Succeeded", "Failed", "Canceled")


def template(*resources, **more):
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", **more, "resources": list(resources)}


def registry(name, *depends, location="[resourceGroup().location]", sku="Standard", **more):
    made = {"type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2019-05-01", "name": name, "location": location,
            "sku": {"name": sku}, "properties": {}, **more}
    if depends:
        made["dependsOn"] = list(depends)
    return made


def nested(name, inner, *depends, parameters=None, scope="inner", **more):
    properties = {"mode": "Incremental", "template": inner, "expressionEvaluationOptions": {"scope": scope}}
    if parameters is not None:
        properties["parameters"] = parameters
    made = {"type": "Microsoft.Resources/deployments", "apiVersion": "2019-10-01", "name": name, "properties": properties, **more}
    if depends:
        made["dependsOn"] = list(depends)
    return made


class Deployments:
    """The deployments of one scope, spoken to by one client."""

    def __init__(self, client, scope, version=V):
        self.client, self.scope, self.version = client, scope, version

    def path(self, name="", action="", version=None, **query):
        url = f"{self.scope}/providers/Microsoft.Resources/deployments" + (f"/{name}" if name else "") + action
        url += f"?api-version={version or self.version}"
        return url + "".join(f"&%24{k}={v}" for k, v in query.items())

    def body(self, template, parameters=None, mode="Incremental", location=None, raw=None, **properties):
        """As az writes it: everything but the template, then `template:` and the text of the file."""
        made = {} if location is None else {"location": location}
        made["properties"] = {"parameters": {k: {"value": v} for k, v in (parameters or {}).items()}, "mode": mode, **properties}
        text = json.dumps(made)
        return (text[:-2] + ", template:" + (raw if raw is not None else json.dumps(template, indent=2)) + "\n}}").encode()

    def send(self, method, name, action, *arguments, **more):
        version = more.pop("version", None)
        headers = {"Content-Type": "application/json", **more.pop("headers", {})}
        return self.client.request(method, self.path(name, action, version), self.body(*arguments, **more), headers=headers)

    def put(self, name, *arguments, **more):
        return self.send("PUT", name, "", *arguments, **more)

    def validate(self, name, *arguments, **more):
        return self.send("POST", name, "/validate", *arguments, **more)

    def get(self, name, **more):
        return self.client.get(self.path(name, **more))

    def operations(self, name):
        return self.client.get(self.path(name, "/operations")).expect(200).json["value"]

    def wait(self, name, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            record = self.get(name).expect(200).json
            if record["properties"]["provisioningState"] in TERMINAL:
                return record
            assert time.monotonic() < deadline, record
            time.sleep(0.05)

    def deploy(self, name, *arguments, seconds=60, **more):
        """The record at the end, whatever it is."""
        self.put(name, *arguments, **more).expect(200, 201)
        return self.wait(name, seconds)

    def succeed(self, name, *arguments, **more):
        record = self.deploy(name, *arguments, **more)
        assert record["properties"]["provisioningState"] == "Succeeded", record["properties"].get("error")
        return record

    def fail(self, name, *arguments, **more):
        record = self.deploy(name, *arguments, **more)
        assert record["properties"]["provisioningState"] == "Failed", record
        return record["properties"]["error"]
