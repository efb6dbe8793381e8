"""Rows of the contract's decisions that no other file has: one test each, named by its row."""
import base64
import json
import os
import time
import uuid

import pytest

from harness.site import ACR_PUSH, READER, digest_of, image_manifest

V = "?api-version=2019-05-01"
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
BYTES = {"Content-Type": "application/octet-stream"}
STANDARD = {"location": "local", "sku": {"name": "Standard"}}


# decisions 3
def test_a_rule_set_that_allows_all_is_accepted_and_not_shown(site, operator, group):
    id_ = site.registry_id(group, site.unique("reg"))
    body = {**STANDARD, "properties": {"networkRuleSet": {"defaultAction": "Allow", "virtualNetworkRules": [], "ipRules": []}}}
    assert "networkRuleSet" not in operator.put(id_ + V, body).expect(200).json["properties"]
    body["properties"]["networkRuleSet"]["ipRules"] = [{"action": "Allow", "value": "10.0.0.0/8"}]
    assert operator.put(id_ + V, body).expect(400).code == "NetworkRuleNotSupported"


# decisions 10
def test_an_assignment_put_again_is_201_with_what_is_stored(site, operator, registry):
    principal, name = site.principal(), str(uuid.uuid4())
    path = f"{registry.id}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2015-07-01"
    body = {"properties": {"roleDefinitionId": site.role(READER), "principalId": principal["objectId"]}}
    first = operator.put(path, body).expect(201).json
    assert operator.put(path, body).expect(201).json == first
    other = operator.put(path.replace(name, str(uuid.uuid4())), body).expect(409)
    assert other.code == "RoleAssignmentExists"


# decisions 14
def test_a_read_locked_image_is_not_pulled(registry):
    client = registry.client()
    registry.push_image(client, "locked/app", "v1", [b"locked"])
    client.patch("/acr/v1/locked/app/_tags/v1", {"readEnabled": False}).expect(200)
    assert client.get("/v2/locked/app/manifests/v1").expect(405).code == "REGISTRY_DISALLOWED_OPERATION"
    client.patch("/acr/v1/locked/app/_tags/v1", {"readEnabled": True}).expect(200)
    client.get("/v2/locked/app/manifests/v1").expect(200)


def push_index(client, repository, tag, digests, media=OCI):
    entries = [{"mediaType": media, "digest": digest, "size": size} for digest, size in digests]
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
    client.put(f"/v2/{repository}/manifests/{tag}", body, headers={"Content-Type": INDEX}).expect(201)
    return digest_of(body)


# decisions 15
def test_an_indexs_size_counts_each_blob_of_its_children_once(registry):
    client, shared = registry.client(), os.urandom(5000)
    config = b'{"architecture":"amd64","os":"linux"}'
    children = []
    for i in range(2):
        digest, _ = registry.push_image(client, "sized/app", f"arch{i}", [shared, os.urandom(1000 + i)], config)
        children.append((digest, len(client.get(f"/v2/sized/app/manifests/{digest}").body)))
    index = push_index(client, "sized/app", "all", children)
    shown = client.get(f"/acr/v1/sized/app/_manifests/{index}").expect(200).json["manifest"]
    assert shown["imageSize"] == len(config) + 5000 + 1000 + 1001


# decisions 31
def test_an_index_may_list_blobs(operator, registry):
    client, cache = registry.client(), os.urandom(3000)
    digest = registry.push_blob(client, "cache/app", cache)
    index = push_index(client, "cache/app", "buildcache", [(digest, len(cache))], "application/vnd.oci.image.layer.v1.tar+gzip")
    body = client.get("/v2/cache/app/manifests/buildcache").expect(200).body
    assert registry.usage(operator) == len(cache) + len(body)  # counted …
    assert client.get(f"/v2/cache/app/blobs/{digest}").expect(200).body == cache  # … and kept
    client.delete(f"/v2/cache/app/manifests/{index}").expect(202)
    assert registry.usage(operator) == 0


# decisions 24
def test_the_registrys_audience_is_good_at_its_exchange_only(site, operator, registry):
    for audience in ("https://containerregistry.azure.net", "https://containerregistry.azure.net/"):
        token = site.token(*site.operator_secret(), audience=audience)
        refresh = registry.client(anonymous=True).post("/oauth2/exchange", form={
            "grant_type": "access_token", "service": registry.server, "tenant": site.tenant, "access_token": token}).expect(200)
        assert refresh.json["refresh_token"]
        assert site.arm_client(token).get("/subscriptions?api-version=2019-11-01").expect(401).code == \
            "InvalidAuthenticationTokenAudience"
    arm = operator.headers["Authorization"].removeprefix("Bearer ")
    registry.client(anonymous=True).post("/oauth2/exchange", form={
        "grant_type": "access_token", "service": registry.server, "access_token": arm}).expect(200)


# decisions 25
def test_metadata_of_newer_clients_is_complete(site):
    shown = site.arm_client().get("/metadata/endpoints?api-version=2022-09-01").expect(200).json
    assert set(shown) >= {"name", "portal", "gallery", "graph", "graphAudience", "microsoftGraphResourceId", "batch", "media",
                          "sqlManagement", "vmImageAliasDoc", "resourceManager", "authentication", "suffixes"}
    assert set(shown["authentication"]) >= {"loginEndpoint", "audiences", "tenant", "identityProvider"}
    assert shown["authentication"]["tenant"] == "common" and shown["authentication"]["identityProvider"] == "AAD"
    assert set(shown["suffixes"]) >= {"acrLoginServer", "storage", "keyVaultDns", "sqlServerHostname"}
    # decisions 47: a version that nobody knows is served as the newest known one below it
    assert site.arm_client().get("/metadata/endpoints?api-version=2030-01-01").expect(200).json == shown


RESOURCES = ("2025-04-01 2024-11-01 2024-07-01 2024-03-01 2023-07-01 2022-09-01 2021-04-01 2021-01-01 2020-10-01 2020-08-01 2020-06-01 "
             "2019-10-01 2019-08-01 2019-07-01 2019-05-10 2019-05-01 2018-05-01 2018-02-01 2017-05-10 2016-09-01 2016-07-01 2016-06-01 "
             "2016-02-01 2015-11-01 2015-01-01 2014-04-01").split()
SUBSCRIPTIONS = "2022-12-01 2021-01-01 2020-01-01 2019-11-01 2019-06-01 2018-06-01 2016-06-01 2015-11-01 2014-04-01".split()
AUTHORIZATION = ("2022-05-01-preview 2022-04-01 2020-10-01-preview 2020-08-01-preview 2020-04-01-preview 2018-09-01-preview "
                 "2018-07-01 2018-01-01-preview 2015-07-01").split()
LOCKS = "2020-05-01 2017-04-01 2016-09-01 2015-01-01".split()


# decisions 27, 55; arm-core 1.3.1, 1.3.3
@pytest.mark.parametrize("path,versions", [
    ("/subscriptions/{s}/resourcegroups", RESOURCES), ("/subscriptions/{s}/resources", RESOURCES), ("/subscriptions/{s}/providers", RESOURCES),
    ("/subscriptions", SUBSCRIPTIONS), ("/subscriptions/{s}", SUBSCRIPTIONS), ("/subscriptions/{s}/locations", SUBSCRIPTIONS),
    ("/tenants", SUBSCRIPTIONS), ("/subscriptions/{s}/providers/Microsoft.Authorization/roleAssignments", AUTHORIZATION),
    ("/subscriptions/{s}/providers/Microsoft.Authorization/roleDefinitions", AUTHORIZATION),
    ("/subscriptions/{s}/providers/Microsoft.Authorization/locks", LOCKS)])
def test_every_published_version_of_arms_own_types_is_served(site, operator, path, versions):
    path = path.format(s=site.subscription)
    for version in versions:
        operator.get(f"{path}?api-version={version}").expect(200)
        operator.get(f"{path}?api-version={version.upper()}").expect(200)
    for version in ("2001-01-01", versions[0] + "-beta", "next"):
        refused = operator.get(f"{path}?api-version={version}").expect(400)
        assert refused.code == "InvalidApiVersionParameter"
        listed = refused.message.split("The supported versions are '")[1].split("'")[0].split(",")
        assert set(versions) <= set(listed) and listed == sorted(listed, key=lambda v: v[:10], reverse=True), listed


def claims(token, part):
    piece = token.split(".")[part]
    return json.loads(base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)))


# decisions 35
def test_a_registrys_token_is_made_by_its_own_keys_and_backdated(site, operator, registry):
    token = registry.client(anonymous=True).post("/oauth2/token", form={
        "grant_type": "password", "username": registry.username, "password": registry.password, "service": registry.server,
        "scope": "repository:x:pull"}).expect(200).json["access_token"]
    assert claims(token, 0)["alg"] == "HS256"
    assert claims(token, 0)["kid"] not in [k["kid"] for k in site.adfs().get("/adfs/discovery/keys").expect(200).json["keys"]]
    body = claims(token, 1)
    assert body["iat"] == body["nbf"] and abs(time.time() - 900 - body["iat"]) < 60
    site.arm_client(token).get("/subscriptions?api-version=2019-11-01").expect(401)


# decisions 44
def test_deleting_a_blob(registry):
    client = registry.client()
    used, free = os.urandom(100), os.urandom(200)
    registry.push_image(client, "blobs/app", "v1", [used])
    registry.push_blob(client, "blobs/app", free)
    client.delete(f"/v2/blobs/app/blobs/{digest_of(free)}").expect(202)
    assert client.delete(f"/v2/blobs/app/blobs/{digest_of(free)}").expect(404).code == "BLOB_UNKNOWN"
    client.delete(f"/v2/blobs/app/blobs/{digest_of(used)}").expect(405)
    assert client.get(f"/v2/blobs/app/blobs/{digest_of(used)}").expect(200).body == used


# decisions 45
def test_the_null_guid_with_one_of_our_tokens_by_basic(site, operator, registry):
    registry.push_image(registry.client(), "null/app", "v1", [b"null"])
    arm = operator.headers["Authorization"].removeprefix("Bearer ")
    refresh = registry.client(anonymous=True).post("/oauth2/exchange", form={
        "grant_type": "access_token", "service": registry.server, "access_token": arm}).expect(200).json["refresh_token"]
    access = registry.client(anonymous=True).post("/oauth2/token", form={
        "grant_type": "refresh_token", "service": registry.server, "scope": "repository:null/app:pull,metadata_read",
        "refresh_token": refresh}).expect(200).json["access_token"]
    for path in ("/v2/null/app/manifests/v1", "/acr/v1/null%2Fapp/_tags"):
        for token in (refresh, access):
            registry.client("00000000-0000-0000-0000-000000000000", token).get(path).expect(200)
        registry.client("00000000-0000-0000-0000-000000000000", "nonsense").get(path).expect(401)


# decisions 29
def test_a_put_that_never_completed_is_no_part_of_the_session(registry):
    client, data = registry.client(), os.urandom(90000)
    location = client.post("/v2/cut/put/blobs/uploads/").expect(202).header("Location")
    head = (f"PUT {location}&digest={digest_of(data)} HTTP/1.1\r\nHost: {client.host}\r\nAuthorization: {client.headers['Authorization']}\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {len(data)}\r\n\r\n")
    client.raw(head.encode() + data[:50000], timeout=0.5)
    client.put(f"{location}&digest={digest_of(data)}", data, headers=BYTES).expect(201)
    assert client.get(f"/v2/cut/put/blobs/{digest_of(data)}").expect(200).body == data


# decisions 32
def test_a_mount_with_a_token_for_the_target_only_becomes_an_upload(site, operator, registry):
    digest = registry.push_blob(registry.client(), "mount/source", b"not lent")
    token = registry.client(anonymous=True).post("/oauth2/token", form={
        "grant_type": "password", "username": registry.username, "password": registry.password, "service": registry.server,
        "scope": "repository:mount/target:pull,push"}).expect(200).json["access_token"]
    answer = registry.client(token=token).post(f"/v2/mount/target/blobs/uploads/?mount={digest}&from=mount/source").expect(202)
    assert answer.header("Docker-Upload-UUID")
    for scheme in ("bearer", "BEARER"):
        client = registry.client(anonymous=True)
        client.headers["Authorization"] = f"{scheme} {token}"
        client.get("/v2/").expect(200)


# decisions 47
def test_small_limits(site, operator, group, registry):
    deep = {"location": "local", "tags": {}}
    for _ in range(70):
        deep = {"x": deep}
    assert operator.put(registry.id + V, deep).expect(400).code == "InvalidRequestContent"
    twice = b'{"location":"local","sku":{"name":"Standard"},"location":"local"}'
    assert operator.put(registry.id + V, twice, headers={"Content-Type": "application/json"}).expect(400).code == "InvalidRequestContent"
    state = {**STANDARD, "properties": {"provisioningState": "Failed", "adminUserEnabled": True}}
    assert operator.put(registry.id + V, state).expect(200).json["properties"]["provisioningState"] == "Succeeded"
    tags = {f"t{i}": "" for i in range(51)}
    assert operator.put(registry.id + V, {**STANDARD, "tags": tags}).expect(400).code == "TooManyTags"


# decisions 52
def test_what_premium_has_is_refused_in_the_same_words(operator, registry):
    answer = operator.put(f"{registry.id}/replications/westus{V}", {"location": "westus"}).expect(400)
    assert answer.code == "ReplicationNotSupported"
    assert answer.message.startswith("The requested feature ") and " is not supported for the SKU Standard." in answer.message


# decisions 53
def test_the_operators_own_subscription(site, operator):
    own = site.facts["operatorSubscriptionId"]
    assert own != site.subscription
    tenant = operator.get("/subscriptions?api-version=2019-11-01").expect(200).json["value"]
    assert own not in [s["subscriptionId"] for s in tenant]
    admin = operator.at("127.0.0.1")
    admin.host = site.host("adminmanagement")
    listed = admin.get("/subscriptions?api-version=2019-11-01").expect(200).json["value"]
    assert "Default Provider Subscription" in [s["displayName"] for s in listed if s["subscriptionId"] == own]


# decisions 6
def test_retry_after_is_on_pending_polls_only(site, operator):
    name = site.unique("retry")
    path = f"/subscriptions/{site.subscription}/resourcegroups/{name}?api-version=2019-10-01"
    assert operator.put(path, {"location": "local"}).expect(201).header("Retry-After") is None
    for _ in range(3):
        operator.put(f"{site.registry_id(name, site.unique('reg'))}{V}", STANDARD).expect(200)
    started = operator.delete(path).expect(202)
    assert started.header("Retry-After") is None and started.body == b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.05)
        poll = operator.get(started.header("Location"))
        if poll.status != 202:
            break
        assert poll.header("Retry-After") == "1" and poll.header("Location")  # arm-core 1.4.5, 1.8.1
    assert poll.status == 200 and poll.header("Retry-After") is None and poll.header("Location") is None
    refused = site.adfs().post("/adfs/oauth2/token", form={"grant_type": "password"})
    assert refused.status == 400 and refused.header("Retry-After") is None


# decisions 9
def test_acrpush_reads_no_metadata_that_it_may_not(site, operator, registry):
    registry.push_image(registry.client(), "meta/app", "v1", [b"meta"])
    principal = site.principal()
    site.assign(operator, principal, ACR_PUSH, registry.id)
    pusher = registry.client(principal["appId"], principal["secret"])
    pusher.get("/acr/v1/meta%2Fapp/_tags").expect(200)
    pusher.get("/v2/_catalog").expect(200)
    assert pusher.patch("/acr/v1/meta%2Fapp/_tags/v1", {"writeEnabled": False}).status in (401, 403)
    assert pusher.delete("/acr/v1/meta%2Fapp").status in (401, 403)


# decisions 34
def test_digests_of_either_kind_name_manifests(registry):
    client = registry.client()
    registry.push_blob(client, "sha/app", b"{}")
    body = image_manifest(b"{}", [])
    client.put(f"/v2/sha/app/manifests/{digest_of(body, 'sha512')}", body, headers={"Content-Type": OCI}).expect(201)
    assert client.get(f"/v2/sha/app/manifests/{digest_of(body, 'sha512')}").expect(200).body == body
    assert client.put(f"/v2/sha/app/manifests/md5:{'0' * 32}", body, headers={"Content-Type": OCI}).expect(400).code == "DIGEST_INVALID"
