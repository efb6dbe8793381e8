"""What changes within the second for which a process remembers a registry is seen by the next POST of an upload (S22)."""
import json

import pytest

from harness.site import ACR_PUSH, digest_of

UPLOADS = "/v2/team/app/blobs/uploads/"
ARM = "api-version=2019-05-01"


def begin(client, times=3):
    """From the second on the registry is known."""
    for _ in range(times):
        client.post(UPLOADS).expect(202)


@pytest.fixture
def pushed(registry):
    registry.push_image(registry.client(), "team/app", "v1", [b"layer"])
    return registry


def test_a_lock_is_seen(pushed):
    client = pushed.client()
    for enabled, status in ((False, 405), (True, 202), (False, 405), (True, 202)):
        begin(client)
        client.patch("/acr/v1/team/app", {"writeEnabled": enabled}).expect(200)
        client.post(UPLOADS).expect(status)
        client.patch("/acr/v1/team/app", {"writeEnabled": True}).expect(200)


def test_a_new_password_is_seen(operator, pushed):
    client = pushed.client()
    begin(client)
    said = operator.post(f"{pushed.id}/regenerateCredential?{ARM}", {"name": "password"}).expect(200).json
    client.post(UPLOADS).expect(401)
    pushed.password = next(each["value"] for each in said["passwords"] if each["name"] == "password")
    begin(pushed.client())


def test_a_disabled_admin_user_is_seen(operator, pushed):
    client = pushed.client()
    for _ in range(3):
        begin(client)
        operator.patch(f"{pushed.id}?{ARM}", {"properties": {"adminUserEnabled": False}}).expect(200)
        client.post(UPLOADS).expect(401)
        operator.patch(f"{pushed.id}?{ARM}", {"properties": {"adminUserEnabled": True}}).expect(200)


def test_a_right_that_goes_is_seen_and_one_that_comes(site, operator, pushed):
    principal = site.principal()
    client, other = pushed.client(principal["appId"], principal["secret"]), pushed.client()
    for _ in range(10):
        begin(other)
        client.post(UPLOADS).expect(401)
        assignment = site.assign(operator, principal, ACR_PUSH, pushed.id)
        begin(client)
        site.unassign(operator, assignment)
        client.post(UPLOADS).expect(401)
        begin(other)  # whom it does not concern


def test_a_smaller_quota_is_seen(site, pushed):
    client = pushed.client()
    for _ in range(3):
        begin(client)
        site.sql(f"update acr.registry set quota_bytes = 1 where login_key = '{pushed.name.lower()}'")
        client.post(UPLOADS).expect(405)
        site.sql(f"update acr.registry set quota_bytes = null where login_key = '{pushed.name.lower()}'")


def test_a_deleted_registry_is_seen(site, operator, group):
    registry = site.create_registry(operator, group)
    client = registry.client()
    begin(client)
    operator.delete(f"{registry.id}?{ARM}").expect(200)
    assert client.post(UPLOADS).expect(404).code == "NAME_UNKNOWN"
    again = site.create_registry(operator, group, name=registry.name)
    client.post(UPLOADS).expect(401)  # the old one's password
    begin(again.client())


def test_a_registry_that_moved_is_seen(site, operator, group, registry):
    """A right at its old group is none at the new one."""
    principal = site.principal()
    site.assign(operator, principal, ACR_PUSH, f"/subscriptions/{site.subscription}/resourceGroups/{group}")
    client = registry.client(principal["appId"], principal["secret"])
    begin(client)
    target = f"/subscriptions/{site.subscription}/resourceGroups/{site.unique('moved')}"
    operator.put(f"{target}?api-version=2019-10-01", {"location": site.region}).expect(201)
    source = f"/subscriptions/{site.subscription}/resourceGroups/{group}"
    operator.post(f"{source}/moveResources?api-version=2019-10-01",
                  {"resources": [registry.id], "targetResourceGroup": target}).expect(202)
    moved = f"{target}/providers/Microsoft.ContainerRegistry/registries/{registry.name}?{ARM}"
    site.wait_until(lambda: client.post(UPLOADS) and operator.get(moved).status == 200)
    client.post(UPLOADS).expect(401)


def test_a_session_is_published_in_its_own_registry_only(site, operator, group, pushed):
    """Both are known, both have the repository, and the caller may push to both."""
    other = site.create_registry(operator, group)
    other.push_image(other.client(), "team/app", "v1", [b"layer"])
    token = site.token(*site.operator_secret())

    def bearer(registry):
        anonymous = registry.client(anonymous=True)
        refresh = anonymous.post("/oauth2/exchange", form={"grant_type": "access_token", "service": registry.server,
                                                           "access_token": token}).expect(200).json["refresh_token"]
        access = anonymous.post("/oauth2/token", form={
            "grant_type": "refresh_token", "service": registry.server, "scope": "repository:team/app:pull,push",
            "refresh_token": refresh}).expect(200).json["access_token"]
        return registry.client(token=access)

    here, there = bearer(pushed), bearer(other)
    for turn in range(20):
        data = b"turn %d" % turn
        location = here.post(UPLOADS).expect(202).header("Location")
        location = here.patch(location, data).expect(202).header("Location")
        there.post(UPLOADS).expect(202)
        assert there.put(f"{location}&digest={digest_of(data)}").expect(404).code == "BLOB_UPLOAD_UNKNOWN"
        there.head(f"/v2/team/app/blobs/{digest_of(data)}").expect(404)
        here.put(f"{location}&digest={digest_of(data)}").expect(201)


def test_uploads_go_on_over_the_seconds(pushed):
    """A registry stays known while somebody pushes, and what it holds is renewed in time."""
    client = pushed.client()
    digests = [pushed.push_blob(client, "team/app", json.dumps(turn).encode()) for turn in range(200)]
    assert digests[7] == digest_of(b"7")
    client.head(f"/v2/team/app/blobs/{digests[199]}").expect(200)
