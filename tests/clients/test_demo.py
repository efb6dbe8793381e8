"""script/demo against the running site: what it prints as usage is exact, and it leaves nothing behind."""
import os
import pathlib
import re
import subprocess


def test_the_demo_tells_exact_usage(site, operator):
    root = pathlib.Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [root / "script" / "demo", "--state", str(site.state)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
        timeout=900, env={**os.environ, "AZSACR_PROGRAM": str(pathlib.Path(site.program).resolve()),
                          "ASAN_OPTIONS": "detect_leaks=0"})
    assert done.returncode == 0, done.stdout + done.stderr
    parts = re.search(r"^ +layer (\d+) bytes, config (\d+) bytes, manifest (\d+) bytes: (\d+) bytes$", done.stdout, re.M)
    layer, config, manifest, total = map(int, parts.groups())
    assert layer > 1 << 20 and layer + config + manifest == total
    assert re.findall(r"^ +(usage .*)$", done.stdout, re.M) == [
        "usage before the push: 0 bytes", f"usage with the image: {total} bytes", "usage after the delete: 0 bytes"]
    assert "the layer came back byte for byte" in done.stdout and "denied: requested access" in done.stdout

    secret = pathlib.Path(site.facts["operator"]["secretFile"]).read_text().strip()
    assert secret not in done.stdout + done.stderr
    groups = operator.get(f"/subscriptions/{site.subscription}/resourcegroups?api-version=2019-10-01").expect(200).json["value"]
    assert not [g["name"] for g in groups if g["name"].startswith("demo-")]
    assert "demo-puller-" not in str(site.command("sp", "list"))
