"""azsacrd template check: plans, errors with their place, exit codes; and the templates of others (CORPUS)."""
import json
import os
import pathlib
import re
import subprocess

import pytest

from harness.site import PROGRAM

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
CORPUS = os.environ.get("CORPUS")
# Of the templates that are not evaluated to a plan: what may be wrong with them.
CODES = {
    "InvalidTemplate", "InvalidRequestContent", "InvalidContentLink", "InvalidDeployment",
    "KeyVaultParameterReferenceNotFound", "InvalidResourceType", "InvalidResourceNamespace",
    "NoRegisteredProviderFound",
}
SECONDS = 30  # of sanitizers on a loaded machine; a plan takes milliseconds


def check(*arguments, stdin=None):
    done = subprocess.run([PROGRAM, "template", "check", *map(str, arguments)], input=stdin, capture_output=True, text=True,
                          timeout=SECONDS, env={**os.environ, "AZSACR_CONFIG": "/dev/null"})
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
    return done


def template(tmp_path, **members):
    path = tmp_path / "main.json"
    path.write_text(json.dumps({"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [], **members}, indent=2))
    return path


def registry(name, version="2019-05-01", **members):
    return {"type": "Microsoft.ContainerRegistry/registries", "apiVersion": version, "name": name, "location": "local",
            "sku": {"name": "Basic"}, "properties": {}, **members}


def test_a_plan_is_printed_in_the_order_of_its_steps(tmp_path):
    path = template(
        tmp_path, parameters={"p": {"type": "string"}},
        resources=[
            {"type": "Microsoft.Authorization/locks", "apiVersion": "2016-09-01", "name": "l",
             "scope": "[concat('Microsoft.ContainerRegistry/registries/', parameters('p'))]",
             "dependsOn": ["[parameters('p')]"], "properties": {"level": "CanNotDelete"}},
            registry("[parameters('p')]"),
        ],
        outputs={"password": {"type": "securestring", "value":
                              "[listCredentials(parameters('p'), '2017-10-01').passwords[0].value]"}})
    values = tmp_path / "values.json"
    values.write_text('{"$schema": "…/deploymentParameters.json#", "contentVersion": "1.0.0.0", "parameters": {"p": {"value": "reg1234"}}}')
    done = check(path, "--parameters", values, "--group", "g", "--subscription", "11111111-1111-1111-1111-111111111111")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    group = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/reg1234"
    assert lines[0].startswith("2 resources, template hash ")
    assert lines[1].split() == ["1", group]
    assert lines[2].split() == ["Microsoft.ContainerRegistry/registries", "2019-05-01", "in", "local"]
    assert lines[3].split() == ["2", f"{group}/providers/Microsoft.Authorization/locks/l"]
    assert lines[5].split() == ["waits", "for", "1"]
    assert lines[-1] == "outputs: password"


def test_an_error_has_its_place_its_line_and_a_caret(tmp_path):
    path = template(tmp_path, resources=[registry("x", dependsOn=["nothing"])])
    done = check(path)
    assert done.returncode == 1 and done.stdout == ""
    first, place, line, caret = done.stderr.splitlines()
    number = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "nothing" in text)
    column = path.read_text().splitlines()[number - 1].index('nothing"') + len('nothing"')
    assert first == (f"{path}:{number}:{column}: InvalidTemplate: Deployment template validation failed: 'The resource 'nothing' is not "
                     "defined in the template. Please see https://aka.ms/arm-template for usage details.'.")
    assert place.strip() == "at properties.template.resources[0].dependsOn[0]"
    assert line.split("|")[1].strip() == '"nothing"'
    assert caret.index("^") - caret.index("|") == column + 1


def test_another_version_is_told_those_that_work(tmp_path):  # decisions 8, 39
    path = template(tmp_path, resources=[registry("x123456", version="2023-07-01")])
    done = check(path)
    assert done.returncode == 1
    assert "NoRegisteredProviderFound: No registered resource provider found" in done.stderr
    assert "The supported api-versions are '2017-10-01, 2019-05-01'" in done.stderr
    assert '"apiVersion": "2023-07-01"' in done.stderr


def test_text_that_is_no_json_is_refused(tmp_path):
    done = check("-", stdin='{"$schema": x}')
    assert done.returncode == 1 and done.stderr.startswith("-:1:"), done.stderr
    assert "InvalidRequestContent" in done.stderr


def test_what_cannot_be_checked_ends_with_2(tmp_path):
    assert check(tmp_path / "none.json").returncode == 2
    assert check().returncode == 2
    assert check(template(tmp_path), "--scope", "nowhere").returncode == 2
    big = tmp_path / "big.json"
    big.write_text(" " * (5 << 20))
    assert check(big).returncode == 2


def test_help_names_the_flags():
    done = check("--help")
    assert done.returncode == 0 and "--parameters" in done.stdout


def test_parameters_are_given_as_words_too(tmp_path):
    path = template(
        tmp_path, parameters={"team": {"type": "string"}, "count": {"type": "int", "defaultValue": 2},
                              "tags": {"type": "object", "defaultValue": {}}, "admin": {"type": "bool", "defaultValue": False}},
        resources=[registry("[concat(parameters('team'), copyIndex())]", tags="[parameters('tags')]",
                            copy={"name": "each", "count": "[parameters('count')]"})])
    assert check(path).returncode == 1
    done = check(path, "team=12345", "count=3", 'tags={"a": "b"}', "admin=True")
    assert done.returncode == 0 and done.stdout.startswith("3 resources"), done
    assert "/registries/123452" in done.stdout  # a string stays one, though it is written like a number
    values = tmp_path / "values.json"
    values.write_text('{"team": {"value": "filed"}, "count": {"value": 4}}')
    done = check(path, "COUNT=1", "--parameters", values)
    assert done.returncode == 0 and done.stdout.startswith("1 resource,") and "/registries/filed0" in done.stdout, done
    done = check(path, "team=a", "nosuch=1")
    assert done.returncode == 1 and "'nosuch'" in done.stderr and "'team, count, tags, admin'" in done.stderr, done
    done = check(path, "team=a", "count=many")
    assert done.returncode == 2 and "count: a parameter of type int is written as JSON" in done.stderr, done
    for word in ("team", "=a"):
        done = check(path, word)
        assert done.returncode == 2 and f"'{word}' is no NAME=VALUE" in done.stderr, done
    done = check(path, "-p", "values.json")
    assert done.returncode == 2 and "unknown flag -p" in done.stderr, done


def test_the_template_that_the_documentation_shows(tmp_path):
    page = (pathlib.Path(__file__).parents[2] / "docs" / "deploying.md").read_text()
    (main, values) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (tmp_path / "main.json").write_text(main)
    (tmp_path / "main.parameters.json").write_text(values)
    done = check(tmp_path / "main.json", "--parameters", tmp_path / "main.parameters.json")
    assert done.returncode == 0 and "registries/blueregistry3\n" in done.stdout and "outputs: servers" in done.stdout, done
    done = check(tmp_path / "main.json", "team=red")
    assert done.returncode == 0 and done.stdout.startswith("2 resources"), done


def test_errors_that_are_alike_are_counted(tmp_path):
    done = check(template(tmp_path, resources=[registry(f"x{i}", version="2023-07-01") for i in range(100)]))
    assert done.returncode == 1
    assert done.stderr.count("NoRegisteredProviderFound") == 20 and done.stderr.endswith("and 80 more\n")


def test_a_control_in_a_template_does_not_reach_the_terminal(tmp_path):
    done = check(template(tmp_path, resources=[registry("x", dependsOn=["\x1b[31m"])]))
    assert done.returncode == 1 and "\x1b" not in done.stderr


# As Bicep writes them (language version 2.0, symbolic names).
BICEP = {
    "$schema": SCHEMA, "languageVersion": "2.0", "contentVersion": "1.0.0.0",
    "metadata": {"_generator": {"name": "bicep", "version": "0.30.23.60470", "templateHash": "1"}},
    "definitions": {"registryType": {"type": "object", "properties": {
        "name": {"type": "string", "minLength": 5}, "admin": {"type": "bool", "nullable": True}}}},
    "functions": [{"namespace": "__bicep", "members": {
        "scoped": {"parameters": [{"type": "string", "name": "name"}],
                   "output": {"type": "string", "value": "[format('{0}-{1}', variables('prefix'), parameters('name'))]"}}}}],
    "parameters": {"registries": {"type": "array", "items": {"$ref": "#/definitions/registryType"}}, "principalId": {"type": "string"}},
    "variables": {"prefix": "site", "copy": [
        {"name": "names", "count": "[length(range(0, 2))]", "input": "[format('n{0}', range(0, 2)[copyIndex('names')])]"}]},
    "resources": {
        "acr": {"copy": {"name": "acr", "count": "[length(parameters('registries'))]", "mode": "serial", "batchSize": 1},
                "type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2019-05-01",
                "name": "[parameters('registries')[copyIndex()].name]", "location": "[resourceGroup().location]",
                "sku": {"name": "Basic"},
                "properties": {"adminUserEnabled": "[coalesce(tryGet(parameters('registries')[copyIndex()], 'admin'), false())]"}},
        "pull": {"copy": {"name": "pull", "count": "[length(range(0, length(parameters('registries'))))]"},
                 "type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01",
                 "scope": "[resourceId('Microsoft.ContainerRegistry/registries', parameters('registries')[range(0, length(parameters('registries')))[copyIndex()]].name)]",
                 "name": "[guid(resourceGroup().id, parameters('principalId'), string(copyIndex()))]",
                 "properties": {"roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d')]",
                                "principalId": "[parameters('principalId')]"},
                 "dependsOn": ["[format('acr[{0}]', range(0, length(parameters('registries')))[copyIndex()])]"]},
        "old": {"existing": True, "type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2019-05-01", "name": "oldone"},
        "module": {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "[__bicep.scoped('module')]",
                   "properties": {
                       "expressionEvaluationOptions": {"scope": "inner"}, "mode": "Incremental",
                       "parameters": {
                           "ids": {"copy": [{"name": "value", "count": "[length(parameters('registries'))]",
                                             "input": "[resourceId('Microsoft.ContainerRegistry/registries', parameters('registries')[copyIndex('value')].name)]"}]},
                           "names": {"value": "[variables('names')]"}},
                       "template": {
                           "$schema": SCHEMA, "languageVersion": "2.0", "contentVersion": "1.0.0.0",
                           "parameters": {"ids": {"type": "array"}, "names": {"type": "array", "items": {"type": "string"}}},
                           "resources": {"lock": {
                               "copy": {"name": "lock", "count": "[length(parameters('ids'))]"},
                               "type": "Microsoft.Authorization/locks", "apiVersion": "2020-05-01", "scope": "[parameters('ids')[copyIndex()]]",
                               "name": "[parameters('names')[copyIndex()]]", "properties": {"level": "CanNotDelete"}}},
                           "outputs": {"count": {"type": "int", "value": "[length(parameters('ids'))]"}}}},
                   "dependsOn": ["acr"]},
        "last": {"type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2019-05-01", "name": "lastone", "location": "[resourceGroup().location]",
                 "sku": {"name": "Basic"},
                 "tags": {"old": "[resourceInfo('old').name]"},
                 "properties": {"adminUserEnabled": "[and(reference('old').adminUserEnabled, equals(reference('module').outputs.count.value, 2))]"}},
    },
    "outputs": {"servers": {"type": "array", "items": {"type": "string"}, "copy": {
        "count": "[length(range(0, length(parameters('registries'))))]",
        "input": "[reference(format('acr[{0}]', range(0, length(parameters('registries')))[copyIndex()])).loginServer]"}}},
}


def test_what_bicep_writes_is_planned(tmp_path):  # arm-templates 3
    path, values = tmp_path / "main.json", tmp_path / "values.json"
    path.write_text(json.dumps(BICEP, indent=2))
    values.write_text(json.dumps({"$schema": SCHEMA.replace("deploymentTemplate", "deploymentParameters"), "contentVersion": "1.0.0.0",
                                  "parameters": {"registries": {"value": [{"name": "first"}, {"name": "second", "admin": True}]},
                                                 "principalId": {"value": "p"}}}))
    done = check(path, "--parameters", values)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("8 resources, ")
    steps = {}
    for line in done.stdout.splitlines():
        if found := re.match(r" {0,3}(\d+)  /\S+/providers/(\S+)$", line):
            steps[found[2]] = (found[1], [])
        elif found := re.match(r" {6}waits for (.*)$", line):
            steps[list(steps)[-1]][1].extend(found[1].split(", "))
    number = {name: own for name, (own, _) in steps.items()}
    first, second = "Microsoft.ContainerRegistry/registries/first", "Microsoft.ContainerRegistry/registries/second"
    assert steps[first][1] == [] and steps[second][1] == [number[first]]  # serial
    pulls = [waits for name, (_, waits) in steps.items() if "roleAssignments" in name]
    assert sorted(pulls) == sorted([[number[first]], [number[second]]])
    module = "Microsoft.Resources/deployments/site-module"
    assert sorted(steps[module][1]) == sorted([number[first], number[second]])
    assert steps["Microsoft.ContainerRegistry/registries/lastone"][1] == [number[module]]
    assert "/registries/second/providers/Microsoft.Authorization/locks/n1" in done.stdout
    assert "existing  /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/example/providers/Microsoft.ContainerRegistry/registries/oldone" in done.stdout


def test_what_bicep_declares_is_checked(tmp_path):  # arm-templates 3.1
    path, values = tmp_path / "main.json", tmp_path / "values.json"
    path.write_text(json.dumps(BICEP, indent=2))
    values.write_text(json.dumps({"$schema": "x/deploymentParameters.json#", "contentVersion": "1.0.0.0",
                                  "parameters": {"registries": {"value": [{"name": "reg1"}]}, "principalId": {"value": "p"}}}))
    done = check(path, "--parameters", values)
    assert done.returncode == 1
    assert ("The provided value for the template parameter 'registries[0].name' is not valid. Length of the value should be greater "
            "than or equal to '5'.") in done.stderr


def nested(name, inner, scope="inner", **members):
    return {"type": "Microsoft.Resources/deployments", "apiVersion": "2020-10-01", "name": name, **members, "properties": {
        "mode": "Incremental", "expressionEvaluationOptions": {"scope": scope},
        "template": {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": inner}}}


def loops_of_properties(depth, count, innermost):
    value = innermost
    for level in range(depth):
        value = {"copy": [{"name": f"l{level}", "count": count if level else 0, "input": value}]}
    return value


HOSTILE = {
    "deep": '{"a":' * 5000 + "1" + "}" * 5000,
    "many values": json.dumps({"$schema": SCHEMA, "contentVersion": "1.0.0.0", "variables": {"v": [0] * 300000}, "resources": []}),
    "doubling variables": json.dumps({
        "$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [],
        "variables": {"v0": "x" * 1000, **{f"v{i}": f"[concat(variables('v{i - 1}'), variables('v{i - 1}'))]" for i in range(1, 60)}}}),
    "doubling arrays": json.dumps({
        "$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [],
        "variables": {"v0": [1], **{f"v{i}": f"[createArray(variables('v{i - 1}'), variables('v{i - 1}'))]" for i in range(1, 60)}}}),
    "loops in loops": json.dumps({
        "$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [],
        "variables": {"copy": [{"name": "a", "count": 800, "input": {"copy": [{"name": "b", "count": 800, "input": {"copy": [
            {"name": "c", "count": 800, "input": "x"}]}}]}}]}}),
    "a long body in a loop": json.dumps({
        "$schema": SCHEMA, "contentVersion": "1.0.0.0",
        "resources": [registry("[concat('r', copyIndex())]", copy={"name": "l", "count": 800},
                               properties={"a": ["[concat('x', copyIndex())]"] * 100000})]}),
    "many reads": json.dumps({
        "$schema": SCHEMA, "contentVersion": "1.0.0.0",
        "resources": [registry("[concat('r', copyIndex())]", copy={"name": "l", "count": 799},
                               properties={"a": [f"[reference('x', '{i}')]" for i in range(50000)]}), registry("x")]}),
    "loops of properties that read": json.dumps({
        "$schema": SCHEMA, "contentVersion": "1.0.0.0",
        "resources": [registry("x"), registry("y", properties=loops_of_properties(4, 800, "[reference('x').a]"))]}),
    "deployments in loops": json.dumps({
        "$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [nested(
            "[concat('n', copyIndex())]", [registry("[concat('r', copyIndex())]", copy={"name": "l", "count": 800})],
            copy={"name": "l", "count": 800})]}),
    "what becomes literal is long": json.dumps({
        "$schema": SCHEMA, "contentVersion": "1.0.0.0", "parameters": {"p": {"type": "string", "defaultValue": "x" * 20000}},
        "resources": [registry("x"), nested("n", [registry(f"y{i}", properties={"a": ["[concat(reference('x').b, parameters('p'))]"] * 10})
                                                  for i in range(700)], scope="outer")]}),
    "copies that are long together": json.dumps({
        "$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [
            registry("[concat('r', copyIndex())]", copy={"name": "l", "count": 10}, properties={"a": "x" * 500000})]}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_templates_are_refused_within_bounds(tmp_path, name):
    path = tmp_path / "hostile.json"
    path.write_text(HOSTILE[name])
    done = check(path)
    assert done.returncode == 1, done.stdout[:500]
    assert re.search(r": (InvalidTemplate|InvalidRequestContent): ", done.stderr), done.stderr[:500]


# ---- the templates of others ----
def corpus():
    if CORPUS is None:
        return []
    return [entry for entry in json.loads((pathlib.Path(CORPUS) / "index.json").read_text())]


if CORPUS is None:
    print("test_template_check: no CORPUS, its templates are left out")
needs_corpus = pytest.mark.skipif(CORPUS is None, reason="CORPUS names no folder of templates")


def lenient(text):
    """The templates that are plain JSON; the others are tried without generated parameters."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def value_of(declared):
    if declared.get("allowedValues"):
        first = declared["allowedValues"][0]
        return [first] if declared.get("type", "").lower() == "array" and not isinstance(first, list) else first
    kind = declared.get("type", "string").lower()
    if kind == "int":
        return declared.get("minValue", 1)
    return {"bool": True, "array": [], "object": {}, "secureobject": {}}.get(kind, "x" * max(declared.get("minLength", 8), 1))


def generated(parsed, tmp_path):
    values = {name: {"value": value_of(declared)} for name, declared in (parsed.get("parameters") or {}).items()
              if isinstance(declared, dict) and "defaultValue" not in declared and not declared.get("nullable") and "$ref" not in declared}
    path = tmp_path / "generated.json"
    path.write_text(json.dumps({"$schema": SCHEMA.replace("deploymentTemplate", "deploymentParameters"), "contentVersion": "1.0.0.0", "parameters": values}))
    return path


def expect_plan_or_code(done):
    if done.returncode == 0:
        assert re.match(r"\d+ resources?, template hash \d+\n", done.stdout), done.stdout[:300]
        return None
    assert done.returncode == 1, (done.returncode, done.stderr[:500])
    code = re.search(r"^\S+: (\w+): ", done.stderr)
    assert code and code[1] in CODES, done.stderr[:500]
    return code[1]


@needs_corpus
@pytest.mark.parametrize("entry", corpus(), ids=[entry["file"][:80] for entry in corpus()])
def test_templates_of_others_are_planned_or_refused(entry, tmp_path):
    path = pathlib.Path(CORPUS) / entry["file"]
    own = entry.get("parameters_file")
    expect_plan_or_code(check(path, *(["--parameters", pathlib.Path(CORPUS) / own] if own else [])))
    parsed = lenient(path.read_text(encoding="utf-8-sig"))
    if not isinstance(parsed, dict) or "resources" not in parsed:
        return
    done = check(path, "--parameters", generated(parsed, tmp_path))
    code = expect_plan_or_code(done)
    # Nothing of ours is called unknown.
    if code in ("InvalidResourceNamespace", "InvalidResourceType"):
        assert not re.search(r"namespace 'Microsoft\.(Authorization|ContainerRegistry|Resources)' is invalid", done.stderr)
        assert not re.search(r"type '(registries|resourceGroups|deployments|roleAssignments|locks)' could not", done.stderr)


def ours(entry):
    kinds = entry["resource_types"]
    return bool(kinds) and all(kind.lower() in ("microsoft.containerregistry/registries", "microsoft.authorization/roleassignments",
                                                "microsoft.authorization/locks", "microsoft.resources/resourcegroups") for kind in kinds)


@needs_corpus
def test_templates_of_our_types_need_their_version_changed_and_nothing_else(tmp_path):  # faq S1, decisions 39
    seen = 0
    for entry in corpus():
        path = pathlib.Path(CORPUS) / entry["file"]
        if not ours(entry) or "Microsoft.ContainerRegistry/registries" not in entry["resource_types"]:
            continue
        text = path.read_text(encoding="utf-8-sig")
        parsed = lenient(text)
        if parsed is None or "resources" not in parsed:
            continue
        arguments = ["--parameters", generated(parsed, tmp_path)]
        done = check(path, *arguments)
        assert done.returncode == 1 and "The supported api-versions are '2017-10-01, 2019-05-01'" in done.stderr, (path, done.stderr)
        changed = tmp_path / "changed.json"
        changed.write_text(re.sub(r'("apiVersion"\s*:\s*")20[0-9a-z-]+"', r'\g<1>2019-05-01"', text))
        done = check(changed, *arguments)
        assert done.returncode == 0, (path, done.stderr)
        seen += 1
    assert seen > 0
