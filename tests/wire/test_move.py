"""Moving resources (contract/arm-core.md 2.6, decisions 4): between groups and subscriptions, and everything that refuses it."""
import os
import signal
import time
import uuid

import pytest

from harness.site import ACR_PULL, Site
from harness.steps import Steps

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
GROUP, REGISTRY = "2019-10-01", "2019-05-01"
TYPE = "Microsoft.ContainerRegistry/registries"


def scope(site, group, subscription=None):
    return f"/subscriptions/{subscription or site.subscription}/resourceGroups/{group}"


def make_group(site, operator, prefix="mv", subscription=None):
    name = site.unique(prefix)
    operator.put(f"{scope(site, name, subscription)}?api-version={GROUP}", {"location": site.region}).expect(201)
    return name


@pytest.fixture(scope="module")
def second(site):
    """Another subscription of the tenant, which the operator owns."""
    made = site.command("subscription", "add", site.unique("Move target "))
    return made["subscriptionId"]


@pytest.fixture
def groups(site, operator):
    made = [make_group(site, operator), make_group(site, operator)]
    yield made
    for name in made:
        operator.delete(f"{scope(site, name)}?api-version={GROUP}")


def bare_registry(site, operator, group, subscription=None):
    id_ = site.registry_id(group, site.unique("mvreg"), subscription)
    operator.put(f"{id_}?api-version={REGISTRY}", {"location": site.region, "sku": {"name": "Basic"},
                                                   "tags": {"a": "b"}}).expect(200)
    return id_


def post(client, source, ids, target, verb="moveResources"):
    return client.post(f"{source}/{verb}?api-version={GROUP}", {"resources": ids, "targetResourceGroup": target})


def poll(client, accepted, seconds=30):
    """The final answer of a 202."""
    assert accepted.expect(202).body == b"" and accepted.header("Retry-After") is None
    location, deadline = accepted.header("Location"), time.monotonic() + seconds
    while (answer := client.get(location)).status == 202:
        assert answer.header("Retry-After") == "1" and answer.body == b"" and time.monotonic() < deadline
        location = answer.header("Location") or location
        time.sleep(0.1)
    assert answer.header("Location") is None and answer.header("Retry-After") is None
    return answer


def test_a_registry_moves_to_another_group(site, operator, groups):
    """arm-core 2.6.1, decisions 4: content, credentials, usage and login server stay; grants at the old id go."""
    source, target = (scope(site, g) for g in groups)
    registry = site.create_registry(operator, groups[0])
    digest, _ = registry.push_image(registry.client(), "hello", "1", [b"layer" * 1000])
    reader, puller = site.principal(), site.principal()
    site.assign(operator, reader, READER, registry.id)
    site.assign(operator, puller, ACR_PULL, target)
    before = operator.get(f"{registry.id}?api-version={REGISTRY}").expect(200).json
    usage, credentials = registry.usage(operator), operator.post(
        f"{registry.id}/listCredentials?api-version={REGISTRY}").expect(200).json

    assert poll(operator, post(operator, source, [registry.id], target, "validateMoveResources")).expect(204).body == b""
    operator.get(f"{registry.id}?api-version={REGISTRY}").expect(200)
    answer = poll(operator, post(operator, source.upper(), [registry.id.upper() + "/"], target.lower() + "/"))
    assert answer.expect(204).body == b"" and answer.header("Content-Length") is None

    new = site.registry_id(groups[1], registry.name)
    refused = operator.get(f"{registry.id}?api-version={REGISTRY}").expect(404)
    assert refused.code == "ResourceNotFound"
    assert operator.get(f"{new}?api-version={REGISTRY}").expect(200).json == {**before, "id": new}
    assert operator.post(f"{new}/listCredentials?api-version={REGISTRY}").expect(200).json == credentials
    old_id, registry.id = registry.id, new
    assert registry.usage(operator) == usage
    registry.client().get("/v2/hello/manifests/1").expect(200)
    registry.push_blob(registry.client(), "hello", b"more")
    registry.client(puller["appId"], puller["secret"]).get(f"/v2/hello/manifests/{digest}").expect(200)
    listed = operator.get(f"{target}/resources?api-version={GROUP}").json["value"]
    assert [r["id"] for r in listed] == [new]
    assert operator.get(f"{source}/resources?api-version={GROUP}").json["value"] == []

    client = site.client_of(reader)
    assert client.get(f"{new}?api-version={REGISTRY}").status == 403
    # Whoever makes the old id again does not find the old grants.
    assert client.get(f"{old_id}?api-version={REGISTRY}").status == 403
    assignments = operator.get(f"{source}/providers/Microsoft.Authorization/roleAssignments?api-version=2015-07-01"
                               f"&$filter=principalId eq '{reader['objectId']}'".replace(" ", "%20")).expect(200).json["value"]
    assert assignments == []


def test_to_another_subscription_and_back(site, operator, groups, second):
    """arm-core 2.6.1: both ways; 404 where it was, in every list where it is."""
    far = make_group(site, operator, subscription=second)
    ids = [bare_registry(site, operator, groups[0]) for _ in range(3)]
    names = sorted(i.rsplit("/", 1)[1] for i in ids)
    target = scope(site, far, second)
    poll(operator, post(operator, scope(site, groups[0]), ids, target)).expect(204)
    moved = [i.replace(scope(site, groups[0]), target) for i in ids]
    for old, new in zip(ids, moved):
        operator.get(f"{old}?api-version={REGISTRY}").expect(404)
        assert operator.get(f"{new}?api-version={REGISTRY}").expect(200).json["id"] == new
    for path, version in ((f"/subscriptions/{second}/resources", GROUP), (f"{target}/resources", GROUP),
                          (f"/subscriptions/{second}/providers/{TYPE}", REGISTRY), (f"{target}/providers/{TYPE}", REGISTRY)):
        assert sorted(r["name"] for r in operator.get(f"{path}?api-version={version}").expect(200).json["value"]) == names
    here = operator.get(f"/subscriptions/{site.subscription}/providers/{TYPE}?api-version={REGISTRY}&$top=1000").json["value"]
    assert not set(names) & {r["name"] for r in here}
    poll(operator, post(operator, target, moved[:2], scope(site, groups[0]))).expect(204)
    operator.get(f"{ids[0]}?api-version={REGISTRY}").expect(200)
    operator.get(f"{ids[2]}?api-version={REGISTRY}").expect(404)
    operator.delete(f"{target}?api-version={GROUP}").expect(202)


def test_bad_requests(site, operator, groups):
    """arm-core 2.6.1, 1.2.7: what is 400."""
    source, target = (scope(site, g) for g in groups)
    id_ = bare_registry(site, operator, groups[0])
    elsewhere = bare_registry(site, operator, groups[1])
    absent_group = scope(site, "no-such-group")
    for verb in ("moveResources", "validateMoveResources"):
        for ids, to, status, code in [
                ([id_], source, 400, "ResourceMoveToSameResourceGroup"), ([id_], source.upper() + "/", 400, None),
                ([id_], absent_group, 400, "ResourceGroupNotFound"), ([id_], None, 400, "InvalidRequestContent"),
                ([id_], "", 400, "InvalidRequestContent"), ([id_], "nonsense", 400, "LinkedInvalidPropertyId"),
                ([id_], id_, 400, "LinkedInvalidPropertyId"), ([id_], f"/subscriptions/{site.subscription}", 400, None),
                ([id_], "/subscriptions/x/resourceGroups/y", 400, None), ([id_], 5, 400, "InvalidRequestContent"),
                ([], target, 400, "InvalidRequestContent"), (None, target, 400, "InvalidRequestContent"),
                ("x", target, 400, "InvalidRequestContent"), ([5], target, 400, "InvalidRequestContent"),
                (["x"], target, 400, "LinkedInvalidPropertyId"), ([source], target, 400, "LinkedInvalidPropertyId"),
                ([elsewhere], target, 400, "ResourceNotInSourceResourceGroup"), ([id_, id_.upper()], target, 400,
                                                                                  "DuplicateResourceInMove"),
                ([f"{id_}/webhooks/hook1"], target, 400, "ResourceMoveNotSupported"),
                ([f"{id_}/providers/Microsoft.Authorization/locks/l"], target, 400, "ResourceMoveNotSupported"),
                ([f"{source}/providers/Microsoft.Other/things/x"], target, 400, "ResourceMoveNotSupported"),
                ([id_] * 801, target, 400, "ResourceMoveLimitExceeded"),
                ([site.registry_id(groups[0], "absent123")], target, 404, "ResourceNotFound")]:
            refused = post(operator, source, ids, to, verb).expect(status)
            assert code in (None, refused.code), refused
    assert post(operator, absent_group, [id_], target).expect(404).code == "ResourceGroupNotFound"
    other = f"/subscriptions/{uuid.uuid4()}/resourceGroups/x"
    assert post(operator, source, [id_], other).status in (403, 404)
    assert operator.post(f"{source}/moveResources?api-version={GROUP}", []).status == 400
    assert operator.post(f"{source}/moveResources?api-version={GROUP}").status == 400
    assert operator.get(f"{source}/moveResources?api-version={GROUP}").expect(405).header("Allow") == "POST"
    operator.get(f"{id_}?api-version={REGISTRY}").expect(200)


def test_rights_on_both_sides(site, operator, groups):
    """arm-core 2.6.1: 403 without the action, without write and delete of the resource, without write at the target."""
    source, target = (scope(site, g) for g in groups)
    id_ = bare_registry(site, operator, groups[0])
    contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c"
    nobody, at_source, at_both, at_resource = (site.principal() for _ in range(4))
    given = [site.assign(operator, at_source, contributor, source), site.assign(operator, at_both, contributor, source),
             site.assign(operator, at_both, contributor, target), site.assign(operator, at_resource, OWNER, id_),
             site.assign(operator, at_source, READER, target)]
    for who, code in ((nobody, "AuthorizationFailed"), (at_resource, "AuthorizationFailed"),
                      (at_source, "LinkedAuthorizationFailed")):
        for verb in ("moveResources", "validateMoveResources"):
            refused = post(site.client_of(who), source, [id_], target, verb).expect(403)
            assert refused.code == code and who["objectId"] in refused.message
    # Rights come before existence.
    assert post(site.client_of(at_source), source, [id_], scope(site, "no-such-group")).expect(403)
    client = site.client_of(at_both)
    poll(client, post(client, source, [id_], target)).expect(204)
    for assignment in given[:3]:
        site.unassign(operator, assignment)


def test_locks_hold_it(site, operator, groups):
    """arm-core 2.6.1, 2.5.3: a lock on the resource, a read-only one on either group; not a delete lock on the target."""
    source, target = (scope(site, g) for g in groups)
    id_ = bare_registry(site, operator, groups[0])

    def lock(at, level):
        path = f"{at}/providers/Microsoft.Authorization/locks/l1?api-version=2016-09-01"
        operator.put(path, {"properties": {"level": level}}).expect(200, 201)
        return path

    for at, level in ((id_, "CanNotDelete"), (source, "ReadOnly"), (source, "CanNotDelete"), (target, "ReadOnly")):
        path = lock(at, level)
        assert post(operator, source, [id_], target).expect(409).code == "ScopeLocked"
        if at in (id_, target):  # a validation of a move to a target that takes nothing ended well
            ended = poll(operator, post(operator, source, [id_], target, "validateMoveResources")).expect(409)
            assert ended.code == "ScopeLocked"
        operator.delete(path).expect(200)
    path = lock(target, "CanNotDelete")
    poll(operator, post(operator, source, [id_], target, "validateMoveResources")).expect(204)
    poll(operator, post(operator, source, [id_], target)).expect(204)
    operator.delete(path).expect(200)


def test_a_lock_that_comes_before_the_job_holds_it(tmp_path):
    """decisions 12: a lock that is there is seen by what commits after it."""
    steps = Steps(tmp_path)
    try:
        site, operator = steps.site, steps.site.operator()
        groups = [make_group(site, operator), make_group(site, operator)]
        source, target = (scope(site, g) for g in groups)
        id_ = bare_registry(site, operator, groups[0])
        lock = "providers/Microsoft.Authorization/locks/late?api-version=2016-09-01"
        read_only = {"properties": {"level": "ReadOnly"}}
        steps.hold("job.taken")
        accepted = post(operator, source, [id_], target)
        steps.reached("job.taken")
        assert operator.put(f"{target}/{lock}", read_only).expect(409).code == "ResourceMoveInProgress"
        operator.put(f"/subscriptions/{site.subscription}/{lock}", read_only).expect(201)
        steps.release("job.taken")
        assert poll(operator, accepted).expect(409).code == "ScopeLocked"
        operator.get(f"{id_}?api-version={REGISTRY}").expect(200)
        operator.delete(f"/subscriptions/{site.subscription}/{lock}").expect(200)
        poll(operator, post(operator, source, [id_], target)).expect(204)
    finally:
        for held in steps.directory.glob("*"):
            held.unlink()
        steps.site.stop()


def test_a_deleting_group_takes_nothing(site, operator, groups):
    """arm-core 2.6.1: 409 at both ends."""
    source, target = (scope(site, g) for g in groups)
    id_ = bare_registry(site, operator, groups[0])
    site.sql(f"update arm.resource_group set state = 'Deleting' where name_key = '{groups[1].lower()}'")
    assert post(operator, source, [id_], target).expect(409).code == "ResourceGroupBeingDeleted"
    ended = poll(operator, post(operator, source, [id_], target, "validateMoveResources")).expect(409)
    assert ended.code == "ResourceGroupBeingDeleted"
    site.sql(f"update arm.resource_group set state = 'Succeeded' where name_key = '{groups[1].lower()}'")
    site.sql(f"update arm.resource_group set state = 'Deleting' where name_key = '{groups[0].lower()}'")
    assert post(operator, source, [id_], target).expect(409).code == "ResourceGroupBeingDeleted"
    site.sql(f"update arm.resource_group set state = 'Succeeded' where name_key = '{groups[0].lower()}'")


def test_registration_and_names_of_the_target(site, operator, groups, second):
    """arm-core 2.6.1: 409 with details when the target is not registered, or has that name already."""
    far = make_group(site, operator, subscription=second)
    id_, target = bare_registry(site, operator, groups[0]), scope(site, far, second)
    operator.post(f"/subscriptions/{second}/providers/Microsoft.ContainerRegistry/unregister?api-version={GROUP}").expect(200)
    refused = post(operator, scope(site, groups[0]), [id_], target).expect(409)
    assert refused.code == "MissingSubscriptionRegistration"
    assert refused.json["error"]["details"][0]["target"] == "Microsoft.ContainerRegistry"
    ended = poll(operator, post(operator, scope(site, groups[0]), [id_], target, "validateMoveResources")).expect(409)
    assert ended.code == "MissingSubscriptionRegistration"
    operator.post(f"/subscriptions/{second}/providers/Microsoft.ContainerRegistry/register?api-version={GROUP}").expect(200)
    name = id_.rsplit("/", 1)[1]
    site.sql("insert into arm.resource (group_id, subscription_id, type, type_key, name, name_key, location) "
             f"select g.id, g.subscription_id, '{TYPE}', lower('{TYPE}'), '{name}', '{name}', 'local' "
             f"from arm.resource_group g where g.name_key = '{far.lower()}'")
    refused = post(operator, scope(site, groups[0]), [id_], target).expect(409)
    assert refused.code == "ResourceMoveProviderValidationFailed"
    detail = refused.json["error"]["details"][0]
    assert detail["code"] == "ResourceAlreadyExists" and detail["target"] == f"{target}/providers/{TYPE}/{name}"
    site.sql(f"delete from arm.resource r using arm.resource_group g where g.id = r.group_id and g.name_key = '{far.lower()}'")
    operator.delete(f"{target}?api-version={GROUP}").expect(202)


def test_children_go_with_their_parent(site, operator, groups):
    """arm-core 2.6.1: only top-level resources are named, their children move too."""
    id_ = bare_registry(site, operator, groups[0])
    name = id_.rsplit("/", 1)[1]
    for kind, child in (("webhooks", f"{name}/hook1"), ("webhooks", f"{name}x/hook1")):
        site.sql("insert into arm.resource (group_id, subscription_id, type, type_key, name, name_key, location) "
                 f"select g.id, g.subscription_id, '{TYPE}/{kind}', lower('{TYPE}/{kind}'), '{child}', '{child}', 'local' "
                 f"from arm.resource_group g where g.name_key = '{groups[0].lower()}'")
    poll(operator, post(operator, scope(site, groups[0]), [id_], scope(site, groups[1]))).expect(204)
    where = site.sql("select g.name || ' ' || r.name from arm.resource r join arm.resource_group g on g.id = r.group_id "
                     f"where r.name like '{name}%' order by 1")
    assert where == sorted([f"{groups[1]} {name}", f"{groups[1]} {name}/hook1", f"{groups[0]} {name}x/hook1"])
    site.sql(f"delete from arm.resource where name like '{name}%/hook1'")


def job_of(site, group):
    return site.sql(f"select moved_by from arm.resource_group where name_key = '{group.lower()}' and moved_by is not null")


def test_both_groups_are_locked_until_it_is_done(site, operator, groups):
    """arm-core 2.6.1: a move that goes on: writes and another move are 409, reads and actions go on."""
    source, target = (scope(site, g) for g in groups)
    id_, other = bare_registry(site, operator, groups[0]), bare_registry(site, operator, groups[1])
    job = site.sql("insert into azsacr.job (kind, payload, run_at) values ('resources-move', '{}', now() + interval '1 day') "
                   "returning id")[0]
    for group in groups:
        site.sql(f"update arm.resource_group set moved_by = '{job}' where name_key = '{group.lower()}'")
    for at in (id_, other):
        for method, body in (("PUT", {"location": site.region, "sku": {"name": "Basic"}}), ("PATCH", {}), ("DELETE", None)):
            assert operator.request(method, f"{at}?api-version={REGISTRY}", body).expect(409).code == "ResourceMoveInProgress"
        operator.get(f"{at}?api-version={REGISTRY}").expect(200)
        operator.post(f"{at}/listUsages?api-version={REGISTRY}").expect(405)
    for group in groups:
        assert operator.delete(f"{scope(site, group)}?api-version={GROUP}").expect(409).code == "ResourceMoveInProgress"
    assert post(operator, source, [id_], target).expect(409).code == "ResourceMoveInProgress"
    # However that job ends, its lock ends with it.
    site.sql(f"update azsacr.job set state = 'Failed', finished_at = now() where id = '{job}'")
    operator.patch(f"{id_}?api-version={REGISTRY}", {}).expect(200)
    poll(operator, post(operator, source, [id_], target)).expect(204)
    assert job_of(site, groups[0]) == job_of(site, groups[1]) == []


def test_the_target_goes_meanwhile(site, operator, groups):
    """arm-core 2.6.1: the job asks everything again; nothing moves, and the answer says why."""
    ids = [bare_registry(site, operator, groups[0]) for _ in range(2)]
    rows = site.sql(f"select id from arm.resource_group where name_key in ('{groups[0].lower()}', '{groups[1].lower()}') order by id")
    resources = site.sql(f"select '\"' || id || '\"' from arm.resource where group_id = {rows[0]}")
    me = site.sql("select principal_id from rbac.role_assignment limit 1")[0]

    def job(source, target, named=resources):
        return site.sql(
            "insert into azsacr.job (kind, subscription_id, payload, started_by, scope) values ('resources-move', "
            f"'{site.subscription}', '{{\"source\":{source},\"target\":{target},\"validate\":false,"
            f"\"resources\":[{','.join(named)}]}}', '{me}', '/') returning id")[0]

    def ended(id_):
        site.wait_until(lambda: site.sql(f"select state from azsacr.job where id = '{id_}'")[0] in ("Succeeded", "Failed"))
        return site.sql(f"select state || ' ' || result::text from azsacr.job where id = '{id_}'")[0]

    assert "ResourceGroupNotFound" in ended(job(rows[0], 1 << 40)) and "target" in ended(job(rows[0], 1 << 40))
    assert "ResourceNotFound" in ended(job(rows[0], rows[1], [*resources, '"1099511627776"']))
    site.sql(f"update arm.resource_group set state = 'Deleting' where id = {rows[1]}")
    assert "ResourceGroupBeingDeleted" in ended(job(rows[0], rows[1]))
    site.sql(f"update arm.resource_group set state = 'Succeeded' where id = {rows[1]}")
    for id_ in ids:
        operator.get(f"{id_}?api-version={REGISTRY}").expect(200)
    assert ended(job(rows[0], rows[1])).startswith("Succeeded")
    for id_ in ids:
        operator.get(f"{id_}?api-version={REGISTRY}").expect(404)


def test_somebody_elses_operation_is_not_shown(site, operator, groups):
    """arm-core 1.8: the Location is 404 for others."""
    accepted = post(operator, scope(site, groups[0]), [bare_registry(site, operator, groups[0])], scope(site, groups[1]))
    stranger = site.client_of(site.principal())
    assert stranger.get(accepted.expect(202).header("Location")).status in (403, 404)
    poll(operator, accepted).expect(204)


def test_a_move_is_whole_although_serve_is_killed_in_it(tmp_path):
    """arm-core 2.6.1, decisions 4: held before its commit nothing has moved, and both groups are locked; after kill -9 of
    `serve` all of it moves, and the Location that was given before ends in 204."""
    points = tmp_path / "points"
    points.mkdir()
    site = Site(tmp_path / "state", port=9462, region="mover", environment={
        "AZSACR_FAILPOINT_DIRECTORY": str(points), "AZSACR_LEASE_SECONDS": "2"}).start()
    try:
        operator = site.operator()
        groups = [make_group(site, operator), make_group(site, operator)]
        source, target = (scope(site, g) for g in groups)
        ids = [bare_registry(site, operator, groups[0]) for _ in range(3)]
        held = points / "move.held"
        held.touch()
        (points / "armed").write_text(f"hold:{held}\n")
        (points / "armed").rename(points / "move.step")
        accepted = post(operator, source, ids, target).expect(202)
        site.wait_until(lambda: (points / "move.held.reached").exists(), 20)
        assert operator.get(accepted.header("Location")).status == 202
        for id_ in ids:
            operator.get(f"{id_}?api-version={REGISTRY}").expect(200)
            assert operator.patch(f"{id_}?api-version={REGISTRY}", {}).expect(409).code == "ResourceMoveInProgress"
        serve = site.pids("serve")
        assert serve
        for file in (points / "move.step", held):
            file.unlink()
        for pid in serve:
            os.kill(pid, signal.SIGKILL)
        site.wait_until(lambda: site.pids("serve") and not set(site.pids("serve")) & set(serve), 60)
        site.wait_ready()
        assert poll(operator, accepted, 60).status == 204
        for id_ in ids:
            operator.get(f"{id_}?api-version={REGISTRY}").expect(404)
            operator.get(f"{id_.replace(groups[0], groups[1])}?api-version={REGISTRY}").expect(200)
        assert site.sql("select count(*) from arm.resource_group where moved_by is not null") == ["0"]
    finally:
        site.stop()
