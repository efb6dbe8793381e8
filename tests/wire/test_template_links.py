"""Templates and parameters by a link (arm-templates 1.2, 3.6): fetched from listed hosts only, once, and kept; what is behind a
question mark is a secret."""
import json
import os
import signal

import pytest

from harness.deployments import Deployments, registry, template
from harness.site import Site
from harness.template_host import TemplateHost

V = "2019-10-01"
SECRET = "sig=Vr3ySecretSignature"
PARAMETERS = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    made = TemplateHost(tmp_path_factory.mktemp("templates"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    return tmp_path_factory.mktemp("points")


@pytest.fixture(scope="module")
def linked(tmp_path_factory, host, points):
    """A site that fetches from that host and from a name of this machine, whose address it does not list."""
    site = Site(tmp_path_factory.mktemp("links") / "state", port=9491, region="links", environment={
        "AZSACR_TEMPLATE_LINK_HOSTS": f"{host.address}:{host.port}, localhost:{host.port}",
        "AZSACR_TEMPLATE_LINK_CA": str(host.ca), "AZSACR_LEASE_SECONDS": "2", "AZSACR_FAILPOINT_DIRECTORY": str(points)})
    site.start()
    yield site
    site.stop()


@pytest.fixture
def deployments(linked):
    operator, group = linked.operator(), linked.unique("g")
    scope = f"/subscriptions/{linked.subscription}/resourceGroups/{group}"
    operator.put(f"{scope}?api-version={V}", {"location": linked.region}).expect(201)
    return Deployments(operator, scope)


def send(deployments, name, action="", method="PUT", **properties):
    return deployments.client.request(method, deployments.path(name, action), {"properties": {"mode": "Incremental", **properties}})


def succeed(deployments, name, **properties):
    send(deployments, name, **properties).expect(200, 201)
    record = deployments.wait(name)
    assert record["properties"]["provisioningState"] == "Succeeded", record["properties"].get("error")
    return record["properties"]


def refused(deployments, **properties):
    answer = send(deployments, "refused", **properties).expect(400)
    return answer.json["error"]


def one(name="[parameters('name')]", version="1.0.0.0", **more):
    return {**template(registry(name), parameters={"name": {"type": "string"}}, **more), "contentVersion": version}


def nested(name, link, parameters=None, depends=(), **more):
    return {"type": "Microsoft.Resources/deployments", "apiVersion": "2019-10-01", "name": name, "dependsOn": list(depends),
            "properties": {"mode": "Incremental", "templateLink": link, "parameters": parameters or {}, **more}}


def test_template_link(linked, host, deployments):
    """arm-templates 1.2 templateLink: answered with the version that was found, without its query; nothing of ours goes to the host."""
    name = linked.unique("reg")
    url = host.put("/one.json", json.dumps(one(version="1.2.3.4")).encode() + b" // a comment\n")
    answer = send(deployments, "linked", templateLink={"uri": f"{url}?{SECRET}", "queryString": "more=1"},
                  parameters={"name": {"value": name}}).expect(201)
    shown = {"uri": url, "contentVersion": "1.2.3.4"}
    assert answer.json["properties"]["templateLink"] == shown
    record = deployments.wait("linked")["properties"]
    assert record["provisioningState"] == "Succeeded" and record["templateLink"] == shown
    assert [r["id"].split("/")[-1] for r in record["outputResources"]] == [name]
    path, headers = host.asked[-1]
    assert path == f"/one.json?{SECRET}&more=1" and host.paths().count(path) == 1
    assert "Authorization" not in headers and "Cookie" not in headers and not [v for v in headers.values() if "eyJ" in v]


def test_query_is_a_secret(linked, host, deployments):
    """What is behind the question mark is in no answer, no operation, no activity and no log, be it refused or not."""
    host.put("/inner.json", one())
    main = host.put("/main.json", template(
        nested("inner", {"relativePath": "inner.json"}, {"name": {"value": linked.unique("reg")}}),
        outputs={"deployment": {"type": "object", "value": "[deployment().properties.templateLink]"}}))
    send(deployments, "quiet", templateLink={"uri": main, "queryString": f"?{SECRET}"},
         debugSetting={"detailLevel": "requestContent, responseContent"}).expect(201)
    record = deployments.wait("quiet")["properties"]
    assert record["provisioningState"] == "Succeeded", record
    assert record["outputs"]["deployment"]["value"] == {"uri": main, "contentVersion": "1.0.0.0"}
    assert f"/inner.json?{SECRET}" in host.paths()
    error = refused(deployments, templateLink={"uri": host.url(f"/none.json?{SECRET}")})
    said = [json.dumps(error), json.dumps(record), json.dumps(deployments.operations("quiet")), linked.log(),
            json.dumps(deployments.get("inner").json), json.dumps(deployments.operations("inner")),
            deployments.client.post(deployments.path("inner", "/exportTemplate")).body.decode()]
    events = deployments.client.get(f"/subscriptions/{linked.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
                                    "?api-version=2015-04-01&%24filter=eventTimestamp%20ge%20%272020-01-01T00:00:00Z%27").expect(200)
    for text in [*said, events.body.decode(), *linked.sql("select coalesce(string_agg(d::text, ' '), '') from arm.deployment d")]:
        assert "SecretSignature" not in text


def test_content_version(host, deployments):
    """arm-templates 1.2 contentVersion."""
    url = host.put("/version.json", one("x12345", "1.2.3.4"))
    error = refused(deployments, templateLink={"uri": url, "contentVersion": "1.2.3.5"}, parameters={"name": {"value": "x"}})
    assert error["code"] == "InvalidTemplate" and (
        "The content version contained in the template '1.2.3.4' does not match the content version found in the deployment "
        "object's TemplateLink property '1.2.3.5'." in error["message"])


def test_parameters_link(linked, host, deployments):
    """arm-templates 1.2 parametersLink."""
    name = linked.unique("reg")
    values = host.put("/values.json", {"$schema": PARAMETERS, "contentVersion": "2.0.0.0", "parameters": {"name": {"value": name}}})
    send(deployments, "values", template=one(), parametersLink={"uri": f"{values}?{SECRET}"}).expect(201)
    record = deployments.wait("values")["properties"]
    assert record["provisioningState"] == "Succeeded" and record["parameters"]["name"]["value"] == name
    assert record["parametersLink"] == {"uri": values, "contentVersion": "2.0.0.0"}
    error = refused(deployments, template=one(), parametersLink={"uri": host.url("/none.json")})
    assert error["code"] == "InvalidContentLink" and error["message"].startswith("Unable to download deployment parameters from '")


def test_nested_links(linked, host, deployments):
    """arm-templates 3.6 linked: by a path that is relative to the template around it, by an expression, below each other."""
    names = [linked.unique("reg") for _ in range(3)]
    host.put("/deep/leaf.json", one())
    host.put("/deep/middle.json", template(
        nested("leaf", {"relativePath": "leaf.json"}, {"name": {"value": names[0]}}),
        nested("up", {"relativePath": "../top.json"}, {"name": {"value": names[1]}})))
    host.put("/top.json", one())
    main = host.put("/main.json", template(
        nested("middle", {"relativePath": "deep/middle.json"}),
        nested("other", {"uri": "[uri(deployment().properties.templateLink.uri, 'top.json')]"}, {"name": {"value": names[2]}})))
    record = succeed(deployments, "tree", templateLink={"uri": main})
    assert sorted(r["id"].split("/")[-1] for r in record["outputResources"]) == sorted(names)
    for child in ("leaf", "up", "middle", "other"):
        shown = deployments.get(child).expect(200).json["properties"]["templateLink"]
        assert shown["contentVersion"] == "1.0.0.0" and shown["uri"].startswith(host.url("/"))


def test_links_of_the_run(linked, host, deployments):
    """A link that only a run knows is followed then, and fetched once; one that leads nowhere fails its node."""
    first, second = linked.unique("reg"), linked.unique("reg")
    host.put("/late.json", template(nested("leaf", {"relativePath": "late-leaf.json"}, {"name": {"value": "[parameters('name')]"}}),
                                    parameters={"name": {"type": "string"}}))
    host.put("/late-leaf.json", one())
    link = {"uri": f"[uri(parameters('base'), concat('late.json?', toLower(reference('{first}').provisioningState)))]"}
    document = template(registry(first), nested("late", link, {"name": {"value": second}}),
                        parameters={"base": {"type": "string"}})
    record = succeed(deployments, "root", template=document, parameters={"base": {"value": host.url("/")}})
    assert second in [r["id"].split("/")[-1] for r in record["outputResources"]]
    assert host.paths().count("/late.json?succeeded") == 1 and host.paths().count("/late-leaf.json") == 1
    link["uri"] = link["uri"].replace("late.json", "nowhere.json")
    document = template(registry(first), nested("late", link), parameters={"base": {"type": "string"}})
    send(deployments, "nowhere", template=document, parameters={"base": {"value": host.url("/")}}).expect(201)
    failed = deployments.wait("nowhere")["properties"]
    assert failed["provisioningState"] == "Failed" and failed["error"]["details"][0]["code"] == "InvalidContentLink"


def test_kept_with_the_deployment(linked, host, points, deployments):
    """Fetched once, at the PUT: who goes on after a crash asks nobody."""
    names = [linked.unique("reg") for _ in range(2)]
    host.put("/kept-leaf.json", one())
    main = host.put("/kept.json", template(registry(names[0]), nested("kept-leaf", {"relativePath": "kept-leaf.json"},
                                                                      {"name": {"value": names[1]}}, [names[0]])))
    gate = points / "gate"
    gate.touch()
    (points / "deployment.step").write_text(f"hold:{gate}")
    send(deployments, "kept", templateLink={"uri": main}).expect(201)
    linked.wait_until(lambda: (points / "gate.reached").exists())
    host.files.clear()
    asked = len(host.asked)
    (points / "deployment.step").unlink()
    for pid in linked.pids("serve"):
        os.kill(pid, signal.SIGKILL)
    gate.unlink()
    linked.wait_ready()
    record = Deployments(linked.operator(), deployments.scope).wait("kept", 90)["properties"]
    assert record["provisioningState"] == "Succeeded", record.get("error")
    assert sorted(r["id"].split("/")[-1] for r in record["outputResources"]) == sorted(names) and len(host.asked) == asked


def test_rollback(linked, host, deployments):
    """onErrorDeployment deploys what links led to then, whatever they lead to now."""
    name = linked.unique("reg")
    host.put("/again-leaf.json", one())
    main = host.put("/again.json", template(nested("again-leaf", {"relativePath": "again-leaf.json"}, {"name": {"value": name}})))
    succeed(deployments, "good", templateLink={"uri": main})
    host.files.clear()
    bad = template(registry("[deployment().name]", location="[resourceGroup().location]", sku="Standard"),
                   outputs={"o": {"type": "int", "value": "[reference(deployment().name).loginServer]"}})
    bad["resources"][0]["name"] = linked.unique("reg")
    bad["outputs"]["o"]["value"] = f"[reference('{bad['resources'][0]['name']}').loginServer]"
    send(deployments, "bad", template=bad, onErrorDeployment={"type": "LastSuccessful"}).expect(201)
    assert deployments.wait("bad")["properties"]["provisioningState"] == "Failed"
    linked.wait_until(lambda: "provisioningState" in deployments.get("bad").json["properties"]["onErrorDeployment"])
    assert deployments.wait("good")["properties"]["provisioningState"] == "Succeeded"


def test_validate_and_what_if(linked, host, deployments):
    """Both follow links, also those that only the trial leads to."""
    name, first = linked.unique("reg"), linked.unique("reg")
    host.put("/what-leaf.json", one())
    host.put("/what-middle.json", template(nested("leaf", {"relativePath": "what-leaf.json"}, {"name": {"value": "[parameters('name')]"}}),
                                           parameters={"name": {"type": "string"}, "server": {"type": "string"}}))
    main = host.put("/what.json", template(registry(first), nested("middle", {"relativePath": "what-middle.json"}, {
        "name": {"value": name}, "server": {"value": f"[reference('{first}').loginServer]"}})))
    valid = send(deployments, "v", "/validate", "POST", templateLink={"uri": main}).expect(200).json["properties"]
    assert valid["templateLink"]["uri"] == main
    answer = send(deployments, "w", "/whatIf", "POST", templateLink={"uri": main}).expect(202)
    result = deployments.client.get(answer.header("Location")).expect(200).json
    assert sorted(c["resourceId"].split("/")[-1] for c in result["properties"]["changes"]) == sorted([name, first]), result
    broken = send(deployments, "w", "/whatIf", "POST", templateLink={"uri": host.url("/none.json")}).expect(202)
    assert deployments.client.get(broken.header("Location")).expect(200).json["error"]["code"] == "InvalidContentLink"


def test_refusals(host, deployments):
    """arm-templates 9.2 InvalidContentLink: with the reason as a detail."""
    host.put("/large.json", b'{"a":"' + b"x" * (4 << 20) + b'"}')
    host.put("/text.json", b"no template")
    host.put("/list.json", b"[]")
    host.put("/away.json", (302, {"Location": "https://elsewhere.example/one.json"}, b""))
    host.put("/round.json", (302, {"Location": "/round.json"}, b""))
    host.put("/plain.json", (302, {"Location": "http://127.0.0.2/one.json"}, b""))
    for uri, why in [
            ("https://elsewhere.example/one.json", "the host 'elsewhere.example' is not among those that this site fetches from"),
            (f"https://{host.address}/one.json", f"the host '{host.address}' is not among"),
            (host.url("/one.json").replace("https", "http"), "only https is fetched"),
            (host.url("/one.json").replace("://", "://me:word@"), "an address with a user's name is not fetched"),
            ("https://169.254.169.254/metadata/instance", "the host '169.254.169.254' is not among"),
            ("file:///etc/passwd", "the address is none"),
            (host.url("/one.json", "localhost"), "the host 'localhost' leads to an address of this machine or of its link"),
            (host.url("/none.json"), f"the host '{host.address}' answered with status 404"),
            (host.url("/large.json"), f"the answer of the host '{host.address}' is longer than 4194304 bytes"),
            (host.url("/away.json"), "the host 'elsewhere.example' is not among"),
            (host.url("/round.json"), "the host sends from one address to the next"),
            (host.url("/plain.json"), "only https is fetched")]:
        error = refused(deployments, templateLink={"uri": uri})
        assert error["code"] == "InvalidContentLink", (uri, error)
        assert error["message"].startswith("Unable to download deployment content from '") and "me:word" not in json.dumps(error)
        assert f"The content was not downloaded: {why}" in error["details"][0]["message"], (uri, error)
        tracking = error["message"].split("The tracking Id is '")[1].split("'")[0]
        assert len(tracking) == 36
    for path in ("/text.json", "/list.json"):
        error = refused(deployments, templateLink={"uri": host.url(path)})
        assert error["code"] == "InvalidTemplate" and error["message"].startswith("Deployment template parse failed: '"), error
    error = refused(deployments, templateLink={"id": "/subscriptions/x/providers/Microsoft.Resources/templateSpecs/t/versions/1"})
    assert error["code"] == "InvalidContentLink" and "template specs" in error["details"][0]["message"]
    error = refused(deployments, templateLink={"relativePath": "one.json"})
    assert error["code"] == "InvalidContentLink" and "relativePath" in error["details"][0]["message"]


def test_redirections(linked, host, deployments):
    """Followed among listed hosts."""
    host.put("/moved.json", (302, {"Location": host.url("/here.json")}, b""))
    host.put("/here.json", one())
    record = succeed(deployments, "moved", templateLink={"uri": host.url("/moved.json")}, parameters={"name": {"value": linked.unique("reg")}})
    assert record["templateLink"]["uri"] == host.url("/moved.json")


def test_too_many(host, deployments):
    """64 links a deployment."""
    for i in range(65):
        host.put(f"/many/{i}.json", template())
    document = template(*[nested(f"n{i}", {"uri": host.url(f"/many/{i}.json")}) for i in range(65)])
    error = refused(deployments, template=document)
    assert error["code"] == "InvalidContentLink" and "at most 64 links" in error["details"][0]["message"]


def test_nobody_unless_listed(site, operator, group):
    """A site without the setting fetches nothing."""
    deployments = Deployments(operator, f"/subscriptions/{site.subscription}/resourceGroups/{group}")
    error = refused(deployments, templateLink={"uri": "https://localhost/one.json"})
    assert error["code"] == "InvalidContentLink" and "is not among those" in error["details"][0]["message"]
