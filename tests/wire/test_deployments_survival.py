"""Deployments survive what `serve` does not (100 runs with one kill -9, one run with 20, 20 runs with one of two frozen past its
lease; script/prove deployments runs them all)."""
import os

import pytest

from harness.deployment_fire import Fire
from harness.replica import Replica
from harness.site import Site

STEP_MS = int(os.environ.get("AZSACR_STEP_MS", 60))


def started(tmp_path, step_ms, port, region):
    environment = {"AZSACR_LISTEN": "127.0.0.1", "AZSACR_LEASE_SECONDS": "2", "AZSACR_LOG_LEVEL": "debug",
                   "AZSACR_FAILPOINTS": f"deployment.step=wait:{step_ms}"}
    return Site(tmp_path / "state", port=port, region=region, environment=environment).start(), environment


def test_one_kill(tmp_path):
    """A deployment of 40 resources, `serve` killed once at a random moment."""
    site, _ = started(tmp_path, STEP_MS, 9481, "fire")
    try:
        fire = Fire(site)
        for number in range(int(os.environ.get("AZSACR_ROUNDS", 3))):
            fire.one_kill(number, STEP_MS * 12 / 1000)
    finally:
        site.stop()


def test_many_kills(tmp_path):
    """The same, killed again and again."""
    kills = int(os.environ.get("AZSACR_KILLS", 3))
    # Long enough that it is not over before the last kill, also where a start after a kill takes long.
    site, _ = started(tmp_path, 700 if kills < 10 else 2500, 9482, "fires")
    try:
        Fire(site).many_kills(kills)
    finally:
        site.stop()


def test_frozen_past_its_lease(tmp_path):
    """One of two `serve` is frozen past its lease while it runs the deployment."""
    site, environment = started(tmp_path, 200, 9483, "frozen")
    try:
        replica = Replica(site, environment={k: v for k, v in environment.items() if k != "AZSACR_LISTEN"}).start()
        try:
            fire = Fire(site, replica)
            for number in range(int(os.environ.get("AZSACR_FREEZES", 1))):
                fire.frozen(number, 0.5)
        finally:
            replica.stop()
    finally:
        site.stop()
