"""Asynchronous operations: where a 202 points, what the two forms of polling say in every state, and to whom."""
import base64
import json
import uuid

import pytest

from harness.site import READER, Site
from harness.wire import Client

V = "?api-version=2019-10-01"


def token_of(job):
    return base64.urlsafe_b64encode(json.dumps({"jobId": job, "jobLocation": "local"}, separators=(",", ":")).encode()).decode().rstrip("=")


def job_of(location):
    token = location.split("/operationresults/")[1].split("?")[0]
    return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))["jobId"]


class Operation:
    """A row as a job leaves it, started by the operator's principal."""

    def __init__(self, site, state, result=None, subscription=None, starter=None, scope=None, begun=True, **more):
        self.site, self.subscription = site, subscription or site.subscription
        starter = starter if starter is not None else site.sql(
            "select value from azsacr.setting where name = 'operator_principal_id'")[0]
        scope = scope or f"/subscriptions/{self.subscription}/resourceGroups/some"
        finished = more.get("finished", "clock_timestamp()" if state in ("Succeeded", "Failed") else "null")
        payload = json.dumps(more.get("payload", {}))
        # Of a kind that no worker takes.
        self.id = site.sql(
            "insert into azsacr.job (kind, subscription_id, state, epoch, payload, result, started_by, scope, finished_at) values ("
            f"'test', '{self.subscription}', '{state}', {int(begun)}, '{payload}', "
            f"{repr(json.dumps(result)) if result is not None else 'null'}, {repr(starter) if starter else 'null'}, '{scope}', "
            f"{finished}) returning id")[0]

    @property
    def location(self):
        return f"/subscriptions/{self.subscription}/operationresults/{token_of(self.id)}{V}"

    def status(self, namespace="Microsoft.Resources", location=None, subscription=None, version="2019-10-01"):
        return (f"/subscriptions/{subscription or self.subscription}/providers/{namespace}/locations/{location or self.site.region}"
                f"/operationStatuses/{self.id}?api-version={version}")


ERROR = {"code": "Blocked", "message": "It was blocked.", "target": "/x", "details": [
    {"code": "Inner", "target": "/y", "message": "By this."}]}


@pytest.mark.parametrize("begun, word", [(False, "Accepted"), (True, "Running")])
def test_pending(site, operator, begun, word):  # arm-core 1.8.1, 1.8.2, decisions 6
    operation = Operation(site, "Pending", {"percentComplete": 40, "notes": {"inner": 1}}, begun=begun)
    polled = operator.get(operation.location).expect(202)
    assert polled.body == b"" and polled.header("Retry-After") == "1" and polled.header("Content-Type") is None
    assert polled.header("Location") == f"https://{operator.host}{operation.location}"
    status = operator.get(operation.status()).expect(200)
    assert status.header("Retry-After") == "1" and status.header("Location") is None
    shown = status.json
    assert list(shown) == ["id", "name", "status", "startTime", "percentComplete"]
    assert shown["id"] == operation.status().split("?")[0] and shown["name"] == operation.id
    assert shown["status"] == word and shown["percentComplete"] == 40


def test_succeeded(site, operator):  # arm-core 1.8.1, 1.8.2
    empty = Operation(site, "Succeeded", {"httpStatus": 200})
    polled = operator.get(empty.location).expect(200)
    assert polled.body == b"" and polled.header("Location") is None and polled.header("Retry-After") is None
    nothing = Operation(site, "Succeeded", {"httpStatus": 204})
    polled = operator.get(nothing.location).expect(204)
    assert polled.body == b"" and polled.header("Content-Type") is None and polled.header("Content-Length") is None
    body = {"id": "/x", "properties": {"a": [1, "zwei", None, True]}}
    full = Operation(site, "Succeeded", {"httpStatus": 201, "body": body})
    polled = operator.get(full.location).expect(201)
    assert polled.json == body and polled.header("Content-Type") == "application/json; charset=utf-8"
    status = operator.get(full.status()).expect(200)
    assert status.json["status"] == "Succeeded" and status.json["percentComplete"] == 100 and status.json["properties"] == body
    assert status.json["endTime"] >= status.json["startTime"] and "error" not in status.json
    assert status.header("Retry-After") is None
    assert "properties" not in operator.get(empty.status()).expect(200).json


def test_failed(site, operator):  # arm-core 1.8.1, 1.8.2
    operation = Operation(site, "Failed", {"httpStatus": 409, "provider": False, "error": ERROR})
    polled = operator.get(operation.location).expect(409)
    assert polled.json == {"error": {"code": "Blocked", "message": "It was blocked.", "target": "/x", "details": [
        {"code": "Inner", "target": "/y", "message": "By this."}]}}
    assert polled.header("x-ms-failure-cause") == "gateway" and polled.header("Retry-After") is None
    status = operator.get(operation.status()).expect(200)  # 4xx would be a failure to read the status
    assert status.json["status"] == "Failed" and status.json["error"] == polled.json["error"]
    assert status.header("x-ms-failure-cause") is None and "endTime" in status.json
    theirs = Operation(site, "Failed", {"httpStatus": 400, "provider": True, "error": {"code": "Bad", "message": "m"}})
    polled = operator.get(theirs.location).expect(400)
    assert polled.json == {"error": {"code": "Bad", "message": "m"}, "status": "Failed"}
    assert polled.header("x-ms-failure-cause") is None
    given_up = Operation(site, "Failed", {"error": {"code": "InternalServerError", "message": "given up"}})
    assert operator.get(given_up.location).expect(409).code == "InternalServerError"


def test_rows_of_the_release_before(site, operator):
    """Who started it stood in the payload, and a failure was its code and message alone."""
    starter = site.sql("select value from azsacr.setting where name = 'operator_principal_id'")[0]
    operation = Operation(site, "Failed", {"code": "Old", "message": "as it was"}, starter="", payload={"objectId": starter})
    polled = operator.get(operation.location).expect(409)
    assert (polled.code, polled.message) == ("Old", "as it was")
    site.client_of(site.principal()).get(operation.location).expect(404)


def test_spellings(site, operator):  # arm-core 1.1
    operation = Operation(site, "Succeeded", {"httpStatus": 200, "body": {"a": 1}})
    assert operator.get(operation.location.replace("/operationresults/", "//operationResults//")).expect(200).json == {"a": 1}
    assert operator.head(operation.location).expect(200).body == b""
    upper = operation.status(namespace="microsoft.containerregistry", location=site.region.upper()).replace(
        "operationStatuses", "operationstatuses")
    assert operator.get(upper).expect(200).json["id"].startswith(
        f"/subscriptions/{site.subscription}/providers/Microsoft.ContainerRegistry/locations/{site.region}/operationStatuses/")
    # The provider's own spelling of a Location, by id or by token.
    for name in (operation.id, token_of(operation.id)):
        path = f"/subscriptions/{site.subscription}/providers/Microsoft.ContainerRegistry/locations/{site.region}/operationResults/{name}"
        assert operator.get(f"{path}?api-version=2019-05-01").expect(200).json == {"a": 1}
    assert operator.put(operation.location, {}).expect(405).header("Allow") == "GET,HEAD"


def test_versions(site, operator):  # decisions 27: polls carry the version of the call that was accepted
    operation = Operation(site, "Succeeded", {"httpStatus": 200})
    for version in ("2014-04-01", "2025-04-01", "2017-10-01", "2019-05-01"):
        operator.get(operation.location.replace("2019-10-01", version)).expect(200)
        operator.get(operation.status(version=version)).expect(200)
    assert operator.get(operation.location.replace("2019-10-01", "2001-01-01")).expect(400).code == "InvalidApiVersionParameter"
    assert operator.get(operation.location.split("?")[0]).expect(400).code == "MissingApiVersionParameter"


def test_404_for_everybody_else(site, operator):
    other = site.command("subscription", "add", site.unique("Poll "))["subscriptionId"]
    operation = Operation(site, "Succeeded", {"httpStatus": 200, "body": {"secret": 1}})
    here = f"/subscriptions/{site.subscription}"
    for path in (operation.location.replace(site.subscription, other),                     # across subscriptions
                 operation.status(subscription=other),
                 f"{here}/operationresults/{token_of(str(uuid.uuid4()))}{V}",              # nobody's
                 f"{here}/operationresults/nonsense{V}", f"{here}/operationresults/{'A' * 2000}{V}",
                 f"{here}/operationresults/{base64.urlsafe_b64encode(b'[]').decode().rstrip('=')}{V}",
                 f"{here}/operationresults/{base64.urlsafe_b64encode(b'{').decode().rstrip('=')}{V}",
                 operation.status(location="mars"), operation.status().replace(operation.id, str(uuid.uuid4())),
                 operation.status().replace(operation.id, "x")):
        answer = operator.get(path).expect(404)
        assert answer.code == "OperationNotFound", path
    assert operator.get(operation.status(namespace="No.Such")).expect(404).code == "InvalidResourceNamespace"
    principal = site.principal()
    stranger = site.client_of(principal)
    for path in (operation.location, operation.status()):
        assert stranger.get(path).expect(404).code == "OperationNotFound"  # as if it were not there
    assignment = site.assign(operator, principal, READER, here)
    for path in (operation.location, operation.status()):
        stranger.get(path).expect(200)
    site.unassign(operator, assignment)
    site.command("subscription", "remove", other)


def test_internal_jobs_are_nobodys_operations(site, operator):
    job, = site.sql("insert into azsacr.job (kind, state, payload, finished_at) values ('inner', 'Succeeded', '{}', now()) returning id")
    operator.get(f"/subscriptions/{site.subscription}/operationresults/{token_of(job)}{V}").expect(404)


def test_who_started_it_polls_to_its_end(site, operator):  # arm-core 2.1.4
    """The right to delete the group goes with the group."""
    name = site.unique("own")
    path = f"/subscriptions/{site.subscription}/resourcegroups/{name}{V}"
    operator.put(path, {"location": site.region}).expect(201)
    principal, reader = site.principal(), site.principal()
    scope = f"/subscriptions/{site.subscription}/resourceGroups/{name}"
    site.assign(operator, principal, "b24988ac-6180-42a0-ab88-20f7382dd24c", scope)
    site.assign(operator, reader, READER, scope)
    client = site.client_of(principal)
    location = client.delete(path).expect(202).header("Location")
    site.wait_until(lambda: client.get(location).status != 202)
    client.get(location).expect(200)
    client.get(path).expect(403)
    operator.get(location).expect(200)
    site.client_of(reader).get(location).expect(404)
    status = f"/subscriptions/{site.subscription}/providers/Microsoft.Resources/locations/{site.region}/operationStatuses/{job_of(location)}{V}"
    assert client.get(status).expect(200).json["status"] == "Succeeded"


def test_urls_are_on_the_host_that_was_used(tmp_path):  # arm-core 1.8.2
    """At a region whose name is so long that the edge's tables need larger buckets than its default."""
    site = Site(tmp_path / "state", port=9450, region="averylongregionindeed").start()
    try:
        for label in ("management", "adminmanagement"):
            client = Client(site.host(label), site.port, site.ca, site.operator().headers)
            path = f"/subscriptions/{site.subscription}/resourcegroups/g{V}"
            client.put(path, {"location": site.region}).expect(201)
            location = client.delete(path).expect(202).header("Location")
            assert location.startswith(f"https://{site.host(label)}:{site.port}/subscriptions/")
            site.wait_until(lambda c=client, l=location: c.get(l).status == 200)
        keeps_them_for_seven_days(site)
    finally:
        site.stop()


def keeps_them_for_seven_days(site):
    """What is older goes when a worker starts, and every ten minutes."""
    old = Operation(site, "Succeeded", {"httpStatus": 200}, finished="now() - interval '7 days 1 minute'")
    kept = Operation(site, "Failed", {"httpStatus": 409, "error": ERROR}, finished="now() - interval '6 days 23 hours'")
    pending = Operation(site, "Pending", {})
    arm = site.operator()
    arm.get(old.location).expect(200)
    import os
    import signal
    os.kill(site.pids("serve")[0], signal.SIGKILL)  # and started again

    def status(operation):
        try:
            return arm.get(operation.location).status
        except OSError:
            arm.close()
    site.wait_until(lambda: status(old) == 404)
    arm.get(kept.location).expect(409)
    arm.get(pending.location).expect(202)
