"""Resident memory of `serve` alone: idle, and after the load of the read lane; beside an idle docker-registry."""
import time

from bench.lib import reference, rows, wrk
from bench.lib.memory import pss_mib

from . import registry_get


def result(ours, theirs):
    return {"ratio": round(ours / theirs, 3), "ours": round(ours, 1), "theirs": round(theirs, 1), "unit": "MiB PSS"}


def measure(bench):
    bench.registry()  # signed in once, one request of each kind
    time.sleep(2)
    idle = pss_mib(bench.pids("serve"))
    registry = reference.docker_registry(bench)
    theirs = pss_mib([registry.process.pid])
    rows.registries(bench)
    wrk.rate(bench, f"http://{bench.loopback}/", registry_get.scripts(bench)[0], 64, bench.seconds)
    time.sleep(1)
    return {"memory-idle": result(idle, theirs), "memory-loaded": result(pss_mib(bench.pids("serve")), theirs)}
