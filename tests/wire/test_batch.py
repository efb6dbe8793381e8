"""Several requests in one (decisions 48)."""
import json
import time
import uuid

import pytest

from harness.site import READER, Site

URL = "/batch?api-version=2020-06-01"
GROUP = "2019-10-01"


def item(method, url, name=None, **more):
    made = {"httpMethod": method, "url": url, **more}
    if name is not None:
        made["name"] = name
    return made


def post(client, *requests, expect=200, url=URL):
    return client.post(url, {"requests": list(requests)}).expect(expect)


def responses(client, *requests):
    return post(client, *requests).json["responses"]


@pytest.fixture
def group_url(site, group):
    return f"/subscriptions/{site.subscription}/resourceGroups/{group}"


@pytest.mark.parametrize("version", ["2015-11-01", "2020-06-01", "2021-04-01"])
def test_answers_in_order(site, operator, group_url, version):
    """decisions 48: the answer's shape, and its order."""
    answers = post(operator, item("GET", f"{group_url}?api-version={GROUP}", "one", requestHeaderDetails={"commandName": "fx.One"}),
                   item("GET", f"/subscriptions/{site.subscription}/resourceGroups/{site.unique('none')}?api-version={GROUP}", "two"),
                   item("GET", f"/subscriptions?api-version={GROUP[:-5]}06-01", "three"),
                   url=f"/batch?api-version={version}").json["responses"]
    assert [a["name"] for a in answers] == ["one", "two", "three"]
    assert [a["httpStatusCode"] for a in answers] == [200, 404, 200]
    direct = operator.get(f"{group_url}?api-version={GROUP}").expect(200)
    assert list(answers[0]) == ["name", "httpStatusCode", "headers", "content", "contentLength"]
    assert answers[0]["content"] == direct.json and answers[0]["contentLength"] == len(direct.body)
    assert answers[1]["content"]["error"]["code"] == "ResourceGroupNotFound"
    assert answers[1]["headers"]["x-ms-failure-cause"] == "gateway"


def test_headers_of_each(operator, group_url):
    """decisions 48, arm-core 1.4: each answer has the headers of its own request, in the batch's correlation."""
    answer = operator.post(URL, {"requests": [item("GET", f"{group_url}?api-version={GROUP}") for _ in range(2)]},
                           headers={"x-ms-correlation-request-id": "portal-7"}).expect(200)
    one, two = (r["headers"] for r in answer.json["responses"])
    assert one["x-ms-correlation-request-id"] == two["x-ms-correlation-request-id"] == "portal-7"
    assert len({one["x-ms-request-id"], two["x-ms-request-id"], answer.header("x-ms-request-id")}) == 3
    assert one["Content-Type"] == "application/json; charset=utf-8" and one["Cache-Control"] == "no-cache"


def test_names(operator, group_url):
    """A name that is left out is made, one that is given twice is given back twice."""
    answers = responses(operator, *[item("GET", f"{group_url}?api-version={GROUP}", name) for name in (None, "x", "x", "")])
    assert uuid.UUID(answers[0]["name"]) and [a["name"] for a in answers[1:]] == ["x", "x", ""]


def test_writes_and_reads_see_each_other(site, operator, group_url):
    """Each is a run through the door of its own, one after the other."""
    id_ = f"{group_url}/providers/Microsoft.ContainerRegistry/registries/{site.unique('reg')}?api-version=2019-05-01"
    content = {"location": site.region, "sku": {"name": "Standard"}, "properties": {"adminUserEnabled": True}}
    answers = responses(operator, item("PUT", id_, content=content), item("get", id_), item("HEAD", id_),
                        item("POST", id_.replace("?", "/listCredentials?")), item("PATCH", id_, content={"tags": {"a": "ü"}}),
                        item("PUT", id_, content={"location": "elsewhere"}), item("DELETE", id_), item("DELETE", id_),
                        item("GET", id_))
    assert [a["httpStatusCode"] for a in answers] == [200, 200, 204, 200, 200, 409, 200, 204, 404]
    assert answers[4]["content"]["tags"] == {"a": "ü"}
    assert answers[3]["content"]["passwords"][0]["value"]
    for i in (2, 7):
        assert answers[i]["contentLength"] == 0 and "content" not in answers[i]


def test_under_the_callers_rights(site, operator, group_url):
    """decisions 48: each under the caller's rights."""
    reader = site.principal()
    site.assign(operator, reader, READER, group_url)
    answers = responses(site.client_of(reader), item("GET", f"{group_url}?api-version={GROUP}"),
                        item("PATCH", f"{group_url}?api-version={GROUP}", content={"tags": {}}),
                        item("GET", f"/subscriptions/{site.subscription}/resourceGroups?api-version={GROUP}"))
    assert [a["httpStatusCode"] for a in answers] == [200, 403, 200]
    assert answers[1]["content"]["error"]["code"] == "AuthorizationFailed"
    assert [g["name"] for g in answers[2]["content"]["value"]] == [group_url.rsplit("/", 1)[1]]


def test_urls(site, operator, group_url):
    """decisions 48: url relative or absolute on our own host, any other host: 400 in that answer."""
    path = f"{group_url}?api-version={GROUP}"
    own = f"https://{site.host('management')}"
    good = [path, path[1:], own + path, own.upper() + path, f"{own}:443{path}", "/" + path, path.replace("/", "//"),
            path + "&$filter=a b ü", path.upper().replace("API-VERSION", "api-version"), f"/metadata/endpoints?api-version=2019-10-01"]
    answers = responses(operator, *[item("GET", url) for url in good])
    assert [(url, a["httpStatusCode"]) for url, a in zip(good, answers)] == [(url, 200) for url in good]
    bad = [f"https://{site.host('adminmanagement')}{path}", f"https://evil.example{path}", f"http://{site.host('management')}{path}",
           f"https://{site.host('management')}:444{path}", f"https://user@{site.host('management')}{path}", f"ftp://x{path}",
           f"https://{site.host('management')}.evil.example{path}", path + "\n", f"{group_url}/%zz?api-version={GROUP}",
           "/" + "x" * 20000, f"{path}&x=%ff"]
    answers = responses(operator, *[item("GET", url) for url in bad])
    assert [a["httpStatusCode"] for a in answers] == [400] * len(bad)
    assert "not of this host" in answers[1]["content"]["error"]["message"]


def test_no_batch_in_a_batch(operator):
    answers = responses(operator, *[item("POST", url, content={"requests": [item("GET", "/")]})
                                    for url in (URL, "//BATCH?api-version=2015-11-01", "batch", "/batch/", f"/batch/{uuid.uuid4()}")])
    assert [(a["httpStatusCode"], a["content"]["error"]["code"]) for a in answers] == [(400, "InvalidBatchRequest")] * 5


def test_no_escaped_batch_in_a_batch(operator):
    """The door reads escapes before it looks for the path: a batch written with them was run inside a batch."""
    answers = responses(operator, *[item("POST", url, content={"requests": [item("GET", "/")]})
                                    for url in (URL.replace("b", "%62", 1), "%2f" + URL[1:], "/%2F/%42atch%2F?api-version=2015-11-01")])
    assert [(a["httpStatusCode"], a["content"]["error"]["code"]) for a in answers] == [(400, "InvalidBatchRequest")] * 3


def test_the_twentieth_and_the_one_too_many(operator, group_url):
    """decisions 48: at most 20 requests, 4 MiB."""
    one = item("GET", f"{group_url}?api-version={GROUP}")
    assert len(responses(operator, *[one] * 20)) == 20
    assert post(operator, *[one] * 21, expect=400).code == "InvalidBatchRequest"
    large = item("PUT", f"{group_url}?api-version={GROUP}", content={"x": "y" * (4 * 1024 * 1024)})
    assert post(operator, large, expect=413).code == "RequestEntityTooLarge"


@pytest.mark.parametrize("body", [
    {}, {"requests": []}, {"requests": None}, {"requests": {}}, {"requests": [1]}, {"requests": [{}]},
    {"requests": [{"httpMethod": "GET"}]}, {"requests": [{"url": "/x"}]}, {"requests": [{"httpMethod": 1, "url": "/x"}]},
    {"requests": [{"httpMethod": "GET", "url": "/x", "headers": {}}]}, {"requests": [{"httpMethod": "GET", "url": "/x"}], "more": 1},
    {"requests": [{"httpMethod": "GET", "url": "/x", "requestHeaderDetails": 1}]},
    {"requests": [{"httpMethod": "GET", "url": "/x", "requestHeaderDetails": {"other": "x"}}]},
    {"requests": [{"httpMethod": "GET", "url": "/x", "name": 1}]},
])
def test_bodies_that_are_none(operator, body):
    answer = operator.post(URL, body).expect(400)
    assert answer.code == "InvalidRequestContent", answer


def test_methods(operator, group_url):
    answers = responses(operator, *[item(m, f"{group_url}?api-version={GROUP}") for m in ("OPTIONS", "TRACE", "x\ny", "POST")])
    assert [a["httpStatusCode"] for a in answers] == [400, 400, 400, 405]
    assert "DELETE" in answers[3]["headers"]["Allow"]


def test_the_door_before_it(site, operator, group_url):
    """decisions 12: who, version, method."""
    body = {"requests": [item("GET", f"{group_url}?api-version={GROUP}")]}
    refused = site.arm_client().post(URL, body).expect(401)
    assert refused.code == "AuthenticationFailed" and refused.header("WWW-Authenticate")
    assert operator.post("/batch", body).expect(400).code == "MissingApiVersionParameter"
    assert operator.post("/batch?api-version=2019-01-01", body).expect(400).code == "InvalidApiVersionParameter"
    assert operator.get(URL).expect(405).header("Allow") == "POST"
    assert operator.post("//Batch/?api-version=2020-06-01", body).expect(200)


def test_commands_reach_the_shim(site, operator, group):
    """az-cli 6.2: requestHeaderDetails.commandName is the request's CommandName."""
    site.create_registry(operator, group, admin=False)
    url = (f"/subscriptions/{site.subscription}/resources?api-version=2019-10-01"
           "&$filter=resourceType eq 'Microsoft.ContainerRegistry/registries'")
    shown, hidden = responses(operator, item("GET", url, requestHeaderDetails={"commandName": "Browse"}),
                              item("GET", url, requestHeaderDetails={"commandName": "acr repository list"}))
    assert shown["content"]["value"] and hidden["content"]["value"] == []


def test_a_batch_that_takes_long(tmp_path):
    """decisions 48: 202 with Location when long; the rest goes on as a job under the caller's rights."""
    points = tmp_path / "points"
    points.mkdir()
    site = Site(tmp_path / "state", port=9461, region="long", environment={"AZSACR_FAILPOINT_DIRECTORY": str(points)}).start()
    try:
        operator = site.operator()
        group = f"/subscriptions/{site.subscription}/resourceGroups/long"
        (points / "batch.request").write_text("wait:5500\n")
        names = [site.unique("reg") for _ in range(4)]
        content = {"location": site.region, "sku": {"name": "Standard"}}
        requests = [item("PUT", f"{group}?api-version={GROUP}", "group", content={"location": site.region})]
        requests += [item("PUT", f"{group}/providers/Microsoft.ContainerRegistry/registries/{n}?api-version=2019-05-01", n,
                          content=content) for n in names]
        requests += [item("GET", f"{group}/providers/Microsoft.ContainerRegistry/registries/none12345?api-version=2019-05-01", "none"),
                     item("POST", f"{group}/providers/Microsoft.ContainerRegistry/registries/{names[0]}/listCredentials"
                          "?api-version=2019-05-01", "secret")]
        begun = time.monotonic()
        answer = post(operator, *requests, expect=202)
        assert time.monotonic() - begun < 20
        (points / "batch.request").unlink()
        location = answer.header("Location")
        assert location.startswith(f"https://{site.host('management')}:9461/batch/")
        assert not answer.body and answer.header("Retry-After") is None
        for _ in range(100):
            polled = operator.get(location)
            if polled.status == 200:
                break
            assert polled.status == 202 and polled.header("Retry-After") == "1" and polled.header("Location") == location, polled
            time.sleep(0.1)
        got = polled.json["responses"]
        assert [(a["name"], a["httpStatusCode"]) for a in got] == [
            ("group", 201), *[(n, 200) for n in names], ("none", 404), ("secret", 400)]
        for name in names:
            operator.get(f"{group}/providers/Microsoft.ContainerRegistry/registries/{name}?api-version=2019-05-01").expect(200)
        # Nobody else may look, and what was kept is sealed.
        stranger = site.client_of(site.principal())
        assert stranger.get(location).expect(404).code == "OperationNotFound"
        assert operator.get(location.replace("/batch/", "/batch/x")).expect(404).code == "OperationNotFound"
        assert site.arm_client().get(location).status == 401
    finally:
        site.stop()


def test_each_takes_from_the_callers_buckets(tmp_path):
    """decisions 48 and 5: the caller's throttle counts each request of a batch."""
    site = Site(tmp_path / "state", port=9462, region="slow", environment={"AZSACR_THROTTLE": "true"}).start()
    try:
        operator = site.operator()
        person = site.principal()
        scope = f"/subscriptions/{site.subscription}"
        site.assign(operator, person, READER, scope)
        client = site.client_of(person)
        url = f"{scope}/resourceGroups?api-version={GROUP}"
        left = [int(a["headers"]["x-ms-ratelimit-remaining-subscription-reads"])
                for a in responses(client, *[item("GET", url)] * 5)]
        assert left[0] in (248, 249) and left == sorted(left, reverse=True)
        statuses = []
        for _ in range(40):
            statuses += [a["httpStatusCode"] for a in responses(client, *[item("GET", url)] * 20)]
        assert 429 in statuses and statuses[0] == 200
    finally:
        site.stop()
