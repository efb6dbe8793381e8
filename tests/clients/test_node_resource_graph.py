"""Resource Graph by the JavaScript SDK (decisions 50): request and answer as @azure/arm-resourcegraph has them."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

SDK = pathlib.Path(__file__).parents[2] / "build" / "sdk-node"


def test_resource_graph(site, operator, group):
    """decisions 50: @azure/arm-resourcegraph, which asks at 2024-04-01."""
    if not shutil.which("node"):
        pytest.skip("node is not there")
    if not (SDK / "node_modules" / "@azure" / "arm-resourcegraph").is_dir():
        pytest.skip("@azure/arm-resourcegraph is not installed: script/clients sdk-node")
    mark = site.unique("node")
    names = [f"{mark}{letter}" for letter in "abc"]
    for name in names:
        site.create_registry(operator, group, name, admin=False)
    settings = {"endpoint": site.facts["resourceManager"].rstrip("/"), "token": site.token(*site.operator_secret()),
                "subscription": site.subscription, "mark": mark, "names": names}
    done = subprocess.run(["node", str(pathlib.Path(__file__).parent / "node" / "resource_graph.mjs"), json.dumps(settings)],
                          capture_output=True, text=True, timeout=120,
                          env={**os.environ, "SDK_NODE": str(SDK), "NODE_EXTRA_CA_CERTS": str(site.ca)})
    assert done.returncode == 0 and done.stdout.strip() == "done", done.stdout + done.stderr
