"""Throttling (arm-core 1.4.4, 1.9.1; decisions 5 and 6): a site with the limits on and small buckets."""
import os
import pathlib
import re
import signal
import statistics
import threading
import time
import uuid

import pytest

from harness.site import CONTRIBUTOR, READER, Site

GROUP, REGISTRY = "?api-version=2019-10-01", "?api-version=2019-05-01"
PREFIX = "x-ms-ratelimit-remaining-"


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    started = Site(tmp_path_factory.mktemp("limited") / "state", port=9444, region="limited", environment={
        "AZSACR_THROTTLE": "true", "AZSACR_THROTTLE_READS": "40", "AZSACR_THROTTLE_READS_PER_SECOND": "2",
        "AZSACR_THROTTLE_WRITES": "6", "AZSACR_THROTTLE_WRITES_PER_SECOND": "1",
        "AZSACR_THROTTLE_DELETES": "5", "AZSACR_THROTTLE_DELETES_PER_SECOND": "1"})
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def groups(limited):
    return f"/subscriptions/{limited.subscription}/resourcegroups{GROUP}"


def someone(site, role=CONTRIBUTOR):
    made = site.principal()
    site.assign(site.operator(), made, role, f"/subscriptions/{site.subscription}")
    made["arm"] = site.client_of(made)
    return made


def headers(answer):
    return {k.lower()[len(PREFIX):]: int(v) for k, v in answer.headers if k.lower().startswith(PREFIX)}


def test_the_default_buckets(tmp_path):
    """decisions 5: 249, 199, 199 after the first call of each kind; arm-core 1.4.4: everybody's beside them."""
    started = Site(tmp_path / "state", port=9445, region="plain", environment={"AZSACR_THROTTLE": "true"})
    started.start()
    try:
        arm = someone(started)["arm"]
        where = f"/subscriptions/{started.subscription}/resourcegroups/x{GROUP}"
        # The operator's calls before took from everybody's bucket of writes; nobody read yet.
        made = headers(arm.put(where, {"location": "plain"}).expect(201))
        assert made["subscription-writes"] == 199 and 2900 < made["subscription-global-writes"] <= 2999
        assert headers(arm.get(where).expect(200)) == {"subscription-reads": 249, "subscription-global-reads": 3749}
        assert headers(arm.delete(where).expect(202)) == {"subscription-deletes": 199, "subscription-global-deletes": 2999}
        assert headers(arm.get("/tenants?api-version=2016-06-01").expect(200)) == {"tenant-reads": 249}
        assert headers(arm.get(f"/subscriptions/{started.subscription}/resourcegroups/none{GROUP}").expect(404)) == {}
    finally:
        started.stop()


def test_429(limited, groups):
    """arm-core 1.9.1: the sentence, the code, whole seconds; decisions 6: Retry-After."""
    principal = someone(limited)
    arm = principal["arm"]
    left = [headers(arm.get(groups).expect(200))["subscription-reads"] for _ in range(30)]
    assert left[0] == 39 and left == sorted(left, reverse=True)
    answers = [arm.get(groups) for _ in range(30)]
    refused = [a for a in answers if a.status == 429]
    assert refused and answers[-1].status == 429
    seconds = refused[0].header("Retry-After")
    assert re.fullmatch(r"[1-9]\d*", seconds)
    assert refused[0].json == {"error": {"code": "SubscriptionRequestsThrottled", "message": (
        f"Number of 'read' requests for subscription '{limited.subscription}' actor '{principal['objectId']}' exceeded. "
        f"Please try again after '{seconds}' seconds.")}}
    assert refused[0].header("x-ms-failure-cause") == "gateway" and refused[0].header("x-ms-request-id")
    assert refused[0].header("x-ms-correlation-request-id") and refused[0].header("Cache-Control") == "no-cache"
    assert headers(refused[0]) == {}
    head = arm.head(groups)
    assert head.status == 429 and head.body == b"" and head.header("Retry-After")
    # Writes and deletes have buckets of their own, and so has another principal.
    assert arm.delete(f"/subscriptions/{limited.subscription}/resourcegroups/none{GROUP}").status == 404
    someone(limited)["arm"].get(groups).expect(200)
    time.sleep(int(seconds) + 0.2)
    arm.get(groups).expect(200)


def test_each_kind_has_its_word(limited):
    """PUT, PATCH and POST are writes, a name check is a read, DELETE a delete."""
    principal = someone(limited)
    arm = principal["arm"]
    where = f"/subscriptions/{limited.subscription}/resourcegroups/none{GROUP}"
    check = f"/subscriptions/{limited.subscription}/providers/Microsoft.ContainerRegistry/checkNameAvailability{REGISTRY}"
    for _ in range(10):
        answer = arm.patch(where, {"tags": {}})
    assert answer.status == 429 and "'write' requests" in answer.message
    body = {"name": "something1", "type": "Microsoft.ContainerRegistry/registries"}
    assert "subscription-reads" in headers(arm.post(check, body).expect(200))
    for _ in range(10):
        answer = arm.delete(where)
    assert answer.status == 429 and "'delete' requests" in answer.message


def test_401_comes_first(limited, groups):
    """decisions 12: who, then how often: nobody's bad token is told 429."""
    for _ in range(60):
        assert limited.arm_client("nonsense").get(groups).status == 401
    assert limited.arm_client().get(groups).status == 401


def test_429_comes_before_everything_else(limited):
    """decisions 12: before api-version, subscription, route and rights."""
    arm = someone(limited, READER)["arm"]
    for _ in range(60):
        arm.get(f"/subscriptions/{limited.subscription}/resourcegroups{GROUP}")
    for path in (f"/subscriptions/{limited.subscription}/resourcegroups", f"/subscriptions/{limited.subscription}/nothing{GROUP}"):
        assert arm.get(path).status == 429


def test_made_up_subscriptions_earn_no_fresh_bucket(limited):
    arm = someone(limited)["arm"]
    statuses = [arm.get(f"/subscriptions/{uuid.uuid4()}/resourcegroups{GROUP}").status for _ in range(60)]
    assert statuses[0] == 404 and 429 in statuses[35:]


def test_the_operator_is_counted_but_not_refused(limited, groups):
    arm = limited.operator()
    left = [headers(arm.get(groups).expect(200))["subscription-reads"] for _ in range(90)]
    assert min(left) == 0
    host = arm.host
    arm.host = limited.host("adminmanagement")
    arm.close()
    for _ in range(5):
        arm.get(groups).expect(200)
    arm.host = host


def test_the_admin_host_is_no_way_round(limited, groups):
    arm = someone(limited)["arm"]
    arm.host = limited.host("adminmanagement")
    assert 429 in [arm.get(groups).status for _ in range(60)]


def test_a_throttled_principal_costs_no_worker(limited, groups):
    """While one is refused by the hundred, another is served as before, and nothing of the flood is recorded."""
    loud, quiet = someone(limited), someone(limited)
    over, refused = threading.Event(), []

    def flood():
        client = limited.client_of(loud)
        while not over.is_set():
            refused.append(client.put(f"/subscriptions/{limited.subscription}/resourcegroups/loud{GROUP}",
                                      {"location": "limited"}).status)
    threads = [threading.Thread(target=flood) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    times = []
    for _ in range(12):
        start = time.monotonic()
        quiet["arm"].get(groups).expect(200)
        times.append(time.monotonic() - start)
        time.sleep(0.05)
    over.set()
    for thread in threads:
        thread.join()
    assert refused.count(429) > 50 and statistics.median(times) < 1
    assert refused.count(429) > 5 * (len(refused) - refused.count(429))


def test_429_needs_no_database(limited, groups):
    """A refused request takes no worker and asks no database: it is answered while the database stands still."""
    arm = someone(limited)["arm"]
    where = f"/subscriptions/{limited.subscription}/resourcegroups/none{GROUP}"

    def write():
        return arm.patch(where, {"tags": {}}).status
    while write() != 429:
        pass
    postmaster, = limited.pids("database")
    backends = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    assert len(backends) > 10
    while write() == 429:  # the one that comes back each second: now there is none for a second
        time.sleep(0.02)
    for pid in (postmaster, *backends):
        os.kill(int(pid), signal.SIGSTOP)
    try:
        assert [write() for _ in range(8)] == [429] * 8
    finally:
        for pid in (*backends, postmaster):
            os.kill(int(pid), signal.SIGCONT)
    for _ in range(100):
        if someone_reads(limited, groups):
            return
        time.sleep(0.1)
    raise AssertionError("the site does not come back")


def someone_reads(site, groups):
    try:
        return site.operator().get(groups).status == 200
    except AssertionError:
        return False


def test_off(site, operator, group):
    """throttle = false: no limits and no headers."""
    answer = operator.get(f"/subscriptions/{site.subscription}/resourcegroups/{group}{GROUP}").expect(200)
    assert headers(answer) == {}
