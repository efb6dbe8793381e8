"""Grants and revocations hold for the very next request (S22; docs/architecture.md)."""
import json
import os

import pytest

from harness.site import ACR_PULL, ACR_PUSH, READER, digest_of

ROUNDS = int(os.environ.get("AZSACR_ROUNDS", 40))  # script/prove grants runs 200


@pytest.fixture
def image(site, registry):
    client = registry.client()
    registry.push_image(client, "team/app", "v1", [b"layer"])
    return registry


def registry_token(site, registry, principal, scope):
    token = site.token(principal["appId"], principal["secret"])
    client = registry.client(anonymous=True)
    refresh = client.post("/oauth2/exchange", form={"grant_type": "access_token", "service": registry.server,
                                                    "access_token": token}).expect(200).json["refresh_token"]
    return client.post("/oauth2/token", form={"grant_type": "refresh_token", "service": registry.server, "scope": scope,
                                              "refresh_token": refresh}).expect(200).json["access_token"]


def test_grant_then_pull_and_revoke_then_pull(site, operator, image):
    principal = site.principal()
    basic = image.client(principal["appId"], principal["secret"])
    basic.get("/v2/team/app/manifests/v1").expect(401)
    bearer = None
    for _ in range(ROUNDS):
        assignment = site.assign(operator, principal, ACR_PULL, image.id)
        basic.get("/v2/team/app/manifests/v1").expect(200)
        bearer = bearer or image.client(token=registry_token(site, image, principal, "repository:team/app:pull"))
        bearer.get("/v2/team/app/manifests/v1").expect(200)
        site.unassign(operator, assignment)
        basic.get("/v2/team/app/manifests/v1").expect(401)
        bearer.get("/v2/team/app/manifests/v1").expect(401)  # the token itself has not expired


def test_grant_then_arm_read(site, operator, image):
    principal = site.principal()
    arm = site.client_of(principal)
    url = f"{image.id}?api-version=2019-05-01"
    for _ in range(ROUNDS):
        refused = arm.get(url).expect(403)
        assert refused.code == "AuthorizationFailed" and principal["objectId"] in refused.message
        assignment = site.assign(operator, principal, READER, image.id)
        arm.get(url).expect(200)
        site.unassign(operator, assignment)


# decisions 9, 11
def test_acrpull_sees_nothing_in_arm_but_pulls(site, operator, image):
    principal = site.principal()
    site.assign(operator, principal, ACR_PULL, image.id)
    arm = site.client_of(principal)
    arm.get(f"{image.id}?api-version=2019-05-01").expect(403)
    listed = arm.get(f"/subscriptions/{site.subscription}/providers/Microsoft.ContainerRegistry/registries"
                     "?api-version=2019-05-01").expect(200)
    assert listed.json == {"value": []}
    client = image.client(principal["appId"], principal["secret"])
    client.get("/v2/team/app/manifests/v1").expect(200)
    assert client.get("/v2/_catalog").expect(200).json == {"repositories": ["team/app"]}
    client.post("/v2/team/app/blobs/uploads/").expect(401)


# decisions 9
def test_acrpush_pushes_and_cannot_delete(site, operator, image):
    principal = site.principal()
    site.assign(operator, principal, ACR_PUSH, image.id)
    client = image.client(principal["appId"], principal["secret"])
    digest, _ = image.push_image(client, "team/app", "v2", [b"other layer"])
    client.delete(f"/v2/team/app/manifests/{digest}").expect(401)


def test_a_group_assignment_does_not_cover_a_longer_name(site, operator):
    short = site.unique("rg")
    for name in (short, short + "0"):
        operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{name}?api-version=2019-10-01",
                     {"location": site.region}).expect(201)
    registry = site.create_registry(operator, short + "0")
    principal = site.principal()
    site.assign(operator, principal, READER, f"/subscriptions/{site.subscription}/resourceGroups/{short}")
    site.client_of(principal).get(f"{registry.id}?api-version=2019-05-01").expect(403)
    for name in (short, short + "0"):
        operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{name}?api-version=2019-10-01").expect(202)


def test_an_upload_whose_right_goes_midway_is_not_published(site, operator, image):
    principal = site.principal()
    assignment = site.assign(operator, principal, ACR_PUSH, image.id)
    client = image.client(principal["appId"], principal["secret"])
    location = client.post("/v2/team/app/blobs/uploads/").expect(202).header("Location")
    location = client.patch(location, b"midway", headers={"Content-Type": "application/octet-stream"}).expect(202).header(
        "Location")
    site.unassign(operator, assignment)
    client.put(f"{location}&digest={digest_of(b'midway')}").expect(401)
    image.client().head(f"/v2/team/app/blobs/{digest_of(b'midway')}").expect(404)


def test_a_recreated_registry_accepts_nothing_old(site, operator, group):
    first = site.create_registry(operator, group)
    token = site.token(*site.operator_secret())
    client = first.client(anonymous=True)
    refresh = client.post("/oauth2/exchange", form={"grant_type": "access_token", "service": first.server,
                                                    "access_token": token}).expect(200).json["refresh_token"]
    access = client.post("/oauth2/token", form={"grant_type": "refresh_token", "service": first.server,
                                                "scope": "registry:catalog:*", "refresh_token": refresh}).json["access_token"]
    first.client(token=access).get("/v2/_catalog").expect(200)
    operator.delete(f"{first.id}?api-version=2019-05-01").expect(200)
    other = site.command("subscription", "add", "Other")["subscriptionId"]
    operator.put(f"/subscriptions/{other}/resourcegroups/g?api-version=2019-10-01", {"location": site.region}).expect(201)
    second = site.create_registry(operator, "g", name=first.name, subscription=other)
    second.client(token=access).get("/v2/_catalog").expect(401)
    second.client(first.username, first.password).get("/v2/").expect(401)
    client.post("/oauth2/token", form={"grant_type": "refresh_token", "service": first.server,
                                       "scope": "registry:catalog:*", "refresh_token": refresh}).expect(401)
    second.client().get("/v2/").expect(200)
    operator.delete(f"{second.id}?api-version=2019-05-01").expect(200)


def test_assignments_die_with_their_registry(site, operator, group):
    registry = site.create_registry(operator, group)
    principal = site.principal()
    site.assign(operator, principal, ACR_PULL, registry.id)
    operator.delete(f"{registry.id}?api-version=2019-05-01").expect(200)
    again = site.create_registry(operator, group, name=registry.name)
    again.client(principal["appId"], principal["secret"]).get("/v2/").expect(401)


# decisions 10
def test_duplicate_assignment_says_so(site, operator, image):
    principal = site.principal()
    site.assign(operator, principal, ACR_PULL, image.id)
    import uuid
    answer = operator.put(f"{image.id}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}?api-version=2015-07-01",
                          {"roleDefinitionId": site.role(ACR_PULL), "principalId": principal["objectId"]}).expect(409)
    assert answer.code == "RoleAssignmentExists" and "role assignment already exists" in answer.message
    assert json.dumps(answer.json)
