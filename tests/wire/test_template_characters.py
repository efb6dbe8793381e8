"""Characters that have a meaning somewhere on the way: none of them ends in 5xx, and what is kept comes back as it was."""
import json

import pytest

from harness.deployments import Deployments, nested, template

TEXTS = ["\u0000", "a\u0000b", "\U0001f433 \u00e9", "\u0085\u2028\u2029", "'\"\\/", "[[x]", "\x7f\x01\x1f", "${x}$1%s%n", "e\u0301", "\u202e"]


@pytest.fixture
def deployments(site, operator, group):
    return Deployments(operator, f"/subscriptions/{site.subscription}/resourceGroups/{group}")


@pytest.mark.parametrize("text", TEXTS, ids=[json.dumps(text) for text in TEXTS])
def test_in_values(deployments, text):  # arm-templates 1.2: values are literal
    made = template(parameters={"p": {"type": "string"}, "o": {"type": "object"}},
                    outputs={"p": {"type": "string", "value": "[parameters('p')]"}, "o": {"type": "object", "value": "[parameters('o')]"}},
                    metadata={text: text})
    given = {"p": text, "o": {text: [text]}}
    record = deployments.succeed("d", made, given)
    assert {k: v["value"] for k, v in record["properties"]["outputs"].items()} == given
    assert {k: v["value"] for k, v in record["properties"]["parameters"].items()} == given
    exported = deployments.client.post(deployments.path("d", "/exportTemplate")).expect(200).json["template"]
    assert exported["metadata"] == {text: text}


@pytest.mark.parametrize("text", TEXTS, ids=[json.dumps(text) for text in TEXTS])
def test_in_names(deployments, text):
    resource = {"type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2019-05-01", "name": "x" + text, "location": "local",
                "sku": {"name": "Standard"}, "properties": {}}
    named = {**resource, "name": "abcdef"}
    quoted = text.replace("'", "''")
    made = (
        template(resource), template({**resource, "type": "N" + text + "/t"}), template({**resource, "name": "[concat('" + text + "')]"}),
        template(variables={text: 1}), template(parameters={text: {"type": "string"}}), template(outputs={text: {"type": "string", "value": text}}),
        template({**named, "dependsOn": [text]}), template({**named, text: text, "tags": {text: text}}), template({**named, "location": text}),
        template({**named, "apiVersion": text}), template({**named, "sku": {"name": text}}), template({**named, "scope": "/" + text}),
        template(nested("n" + text, template())), template(nested("n", template(), resourceGroup="g" + text)),
        template(nested("n", template(), subscriptionId=text)), template(nested("n", template(resource))),
        template(outputs={"o": {"type": "string", "value": f"[reference('/subscriptions/x/{quoted}', '2019-05-01').a]"}}),
        {**template(), "contentVersion": text}, {**template(), text: 1})
    for at, one in enumerate(made):
        answer = deployments.validate("d", one)
        assert answer.status in (200, 400, 404, 409) and (answer.status == 200 or answer.code), (at, answer.body)


@pytest.mark.parametrize("text", TEXTS, ids=[json.dumps(text) for text in TEXTS])
def test_in_what_a_run_asks_for(site, deployments, text):  # arm-templates 5.8 reference, list*
    quoted = text.replace("'", "''")
    ids = (f"{deployments.scope}/providers/Microsoft.ContainerRegistry/registries/{quoted}", f"/subscriptions/{quoted}")
    calls = [f"reference('{id_}', '2019-05-01')" for id_ in ids] + [f"listCredentials('{ids[0]}', '2019-05-01')",
                                                                   f"listCredentials('{ids[0]}', '{quoted}')", f"fail('{quoted}')"]
    for at, call in enumerate(calls):
        answer = deployments.put("d", template(outputs={"o": {"type": "object", "value": f"[{call}]"}}))
        assert answer.status in (200, 201, 400), (at, answer.body)
        if answer.status != 400:
            assert deployments.wait("d")["properties"]["error"]["code"] == "DeploymentOutputEvaluationFailed", at
