"""Generic resources by the JavaScript SDKs (contract/az-cli.md 12): lists, by id, move, in both packages."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

SDK = pathlib.Path(__file__).parents[2] / "build" / "sdk-node"


@pytest.mark.parametrize("package", ["@azure/arm-resources", "@azure/arm-resources-profile-2020-09-01-hybrid"])
def test_generic_resources(site, operator, package):
    """arm-core 1.6, 1.7, 2.6.1: each api-version is the package's own."""
    if not shutil.which("node"):
        pytest.skip("node is not there")
    if not (SDK / "node_modules" / package).is_dir():
        pytest.skip(f"{package} is not installed: script/clients sdk-node")
    groups = [site.unique("node"), site.unique("node")]
    for group in groups:
        operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version=2019-10-01",
                     {"location": site.region}).expect(201)
    settings = {"endpoint": site.facts["resourceManager"].rstrip("/"), "token": site.token(*site.operator_secret()),
                "subscription": site.subscription, "groups": groups, "region": site.region, "name": site.unique("nodereg"),
                "version": "2019-05-01"}
    done = subprocess.run(["node", str(pathlib.Path(__file__).parent / "node" / "resources.mjs"), package, json.dumps(settings)],
                          capture_output=True, text=True, timeout=120,
                          env={**os.environ, "SDK_NODE": str(SDK), "NODE_EXTRA_CA_CERTS": str(site.ca)})
    assert done.returncode == 0 and done.stdout.strip() == "done", done.stdout + done.stderr
    for group in groups:
        operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version=2019-10-01").expect(202)
