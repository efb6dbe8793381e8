"""The short forms of proofs that have programs of their own (docs/proofs.md): for correctness, not for their figures."""
import pathlib
import subprocess
import sys

import pytest

PROOFS = pathlib.Path(__file__).resolve().parents[1] / "prove"


def prove(site, name, *words):
    done = subprocess.run([sys.executable, str(PROOFS / name), site.program, *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_full_disk(site):
    """A loop device that fills up, with the store alone on it; at the end it is read-only for a while."""
    if subprocess.run(["losetup", "--find"], capture_output=True).returncode != 0:
        pytest.skip("no loop device can be had here")
    assert "check --deep is clean" in prove(site, "full-disk", "200", "store")


def test_many_blobs_are_swept_beside_pulls(site):
    assert ", 0 of their files left" in prove(site, "million-blobs", "4000", "1000", "1", "1000000")
