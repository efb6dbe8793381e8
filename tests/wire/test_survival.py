"""What a kill leaves: nothing half there, and everything back (issue's "Must show"; design.md 1, 8)."""
import os
import signal
import threading
import time

import pytest

from harness.site import digest_of

V = "?api-version=2019-05-01"


def retry(act, seconds=60):
    """What a client does: again until it works."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = act()
            if answer.status < 500:
                return answer
        except OSError as error:
            answer = error
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)


@pytest.fixture
def prepared(fresh_site):
    arm = fresh_site.operator()
    arm.put(f"/subscriptions/{fresh_site.subscription}/resourcegroups/g?api-version=2019-10-01",
            {"location": fresh_site.region}).expect(201)
    return fresh_site, arm, fresh_site.create_registry(arm, "g")


@pytest.mark.parametrize("victim", ["serve", "database", "edge"])
def test_kill_9_of_a_child_during_pushes_and_creates(prepared, victim):
    site, arm, registry = prepared
    layer, stop = os.urandom(2_000_000), threading.Event()

    def push(number):
        client = registry.client()
        while not stop.is_set():
            try:
                registry.push_image(client, f"k/app{number}", "1", [layer + bytes([number])])
            except (OSError, AssertionError):
                client.close()
                time.sleep(0.05)

    threads = [threading.Thread(target=push, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.7)
    creating = site.unique("mid")
    pid = site.pids(victim)[0]
    os.kill(pid, signal.SIGKILL)
    made = retry(lambda: arm.put(f"{site.registry_id('g', creating)}{V}",
                                 {"location": site.region, "sku": {"name": "Standard"}}))
    assert made.status == 200
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join(60)
    registry.client().get("/v2/").expect(200)
    total = 0
    for number in range(3):
        client = registry.client()
        _, size = registry.push_image(client, f"k/app{number}", "1", [layer + bytes([number])])
        total += size
        body = client.get(f"/v2/k/app{number}/blobs/{digest_of(layer + bytes([number]))}").expect(200).body
        assert digest_of(body) == digest_of(layer + bytes([number]))
    assert registry.usage(arm) == total  # every layer, config and manifest once, nothing half there
    assert victim in site.log()


def test_kill_9_of_up_itself(prepared):
    site, arm, registry = prepared
    registry.push_image(registry.client(), "before/app", "1", [b"kept"])
    site.process.kill()
    site.process.wait()
    assert site.pids("serve")  # orphans run on
    site.start()
    registry.client().get("/v2/before/app/manifests/1").expect(200)
    assert len(site.pids("serve")) == 1


def test_second_start_is_refused_with_the_pid(fresh_site):
    import subprocess
    done = subprocess.run([fresh_site.program, "up", "--state", str(fresh_site.state), "--port", "9444"],
                          capture_output=True, text=True, timeout=30, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    assert done.returncode == 1 and str(fresh_site.process.pid) in done.stderr, done
    fresh_site.operator().get("/subscriptions?api-version=2019-11-01").expect(200)


def test_stop_leaves_nothing_and_starts_again(tmp_path):
    from harness.site import Site
    site = Site(tmp_path / "state", port=9445, region="third").start()
    hosts = open("/etc/hosts").read()
    assert site.host("management") in hosts
    subscription = site.subscription
    site.stop()
    assert site.host("management") not in open("/etc/hosts").read()
    for child in ("serve", "edge", "database"):
        assert site.pids(child) == []
    site.start()
    assert site.subscription == subscription
    site.operator().get("/subscriptions?api-version=2019-11-01").expect(200)
    site.stop()


def test_no_secret_in_log_or_process_list(prepared):
    site, arm, registry = prepared
    registry.client().get("/v2/").expect(200)
    secrets = [site.operator_secret()[1], registry.password]
    import subprocess
    listing = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True).stdout
    edge_log = (site.state / "log" / "edge.log").read_text() if (site.state / "log" / "edge.log").exists() else ""
    for secret in secrets:
        assert secret not in site.log() and secret not in listing and secret not in edge_log
    for path in (site.state / "secrets").iterdir():
        assert path.stat().st_mode & 0o077 == 0
