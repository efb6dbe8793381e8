"""A deployment outlives the token that it was asked for with."""
import pytest

from harness.deployments import Deployments, registry, template
from harness.site import CONTRIBUTOR, Site

LIFETIME = 5


@pytest.fixture
def brief(tmp_path):
    """A site whose access tokens are good for seconds, and whose deployments can be held between two steps."""
    points = tmp_path / "points"
    points.mkdir()
    site = Site(tmp_path / "state", port=9492, region="brief", environment={
        "AZSACR_ACCESS_SECONDS": str(LIFETIME), "AZSACR_FAILPOINT_DIRECTORY": str(points)}).start()
    site.points = points
    yield site
    site.stop()


def fresh(site, make):
    """What `make` answers to a client of the operator's: with another token where one did not last that long."""
    while (answer := make(site.operator())).status == 401:
        pass
    return answer


def test_expired_token(brief):
    """Issue 4: an expired token alone stops nothing: the next step is decided for who deploys, as the rights are then."""
    group, principal = brief.unique("g"), brief.principal()
    scope = f"/subscriptions/{brief.subscription}/resourceGroups/{group}"
    fresh(brief, lambda c: c.put(f"{scope}?api-version=2019-10-01", {"location": brief.region})).expect(200, 201)
    assignment = f"{scope}/providers/Microsoft.Authorization/roleAssignments/11111111-2222-3333-4444-555555555555"
    fresh(brief, lambda c: c.put(f"{assignment}?api-version=2015-07-01", {"properties": {
        "roleDefinitionId": brief.role(CONTRIBUTOR), "principalId": principal["objectId"]}})).expect(201)
    first, second = brief.unique("reg"), brief.unique("reg")
    gate = brief.points / "gate"
    gate.touch()
    (brief.points / "deployment.step").write_text(f"hold:{gate}")
    while True:
        theirs = Deployments(brief.client_of(principal), scope)
        answer = theirs.put("brief", template(registry(first), registry(second, first)))
        if answer.status != 401:
            break
    answer.expect(201)
    brief.wait_until(lambda: (brief.points / "gate.reached").exists())
    brief.wait_until(lambda: theirs.get("brief").status == 401)
    (brief.points / "deployment.step").unlink()
    gate.unlink()

    def ended():
        record = fresh(brief, lambda c: Deployments(c, scope).get("brief")).expect(200).json["properties"]
        return record["provisioningState"] in ("Succeeded", "Failed") and record
    record = brief.wait_until(ended)
    assert record["provisioningState"] == "Succeeded", record
    assert [r["id"].split("/")[-1] for r in record["outputResources"]] == sorted([first, second])
