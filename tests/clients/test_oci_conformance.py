"""The OCI conformance suite of the distribution specification, 1.1, through our login over HTTPS: no failure, no error. Its
cases one by one, and what goes beyond them, are in tests/wire/test_oci_*.py."""
import os
import pathlib
import re
import subprocess

import pytest

from harness.site import ACR_DELETE, ACR_PUSH

HOME = pathlib.Path(__file__).resolve().parents[2] / "build" / "conformance"


@pytest.fixture(scope="module")
def program():
    complete = HOME / "complete"
    if not complete.exists() or complete.read_text().splitlines()[0] != str(HOME):
        pytest.skip("the OCI conformance suite is not installed: script/clients conformance builds it with Go")
    return HOME / "bin" / "conformance"


@pytest.fixture(scope="module")
def run(site, operator, shared_registry, program, tmp_path_factory):
    """Runs it as a service principal that has AcrPush and AcrDelete; its cases and how each ended."""
    principal = site.principal()
    for role in (ACR_PUSH, ACR_DELETE):
        site.assign(operator, principal, role, shared_registry.id)

    def run_it(**settings):
        results, place = tmp_path_factory.mktemp("conformance"), site.unique("conformance")
        # Besides what 1.1 asks for: cancelling an upload, Docker-Content-Digest wherever there is a digest, and tags as
        # parameters of a push by digest.
        settings = {**dict.fromkeys(("API_BLOBS_UPLOAD_CANCEL", "API_BLOBS_DIGEST_HEADER", "API_MANIFESTS_DIGEST_HEADER",
                                     "API_MANIFESTS_TAG_PARAM"), "true"), **settings}
        done = subprocess.run([program], capture_output=True, text=True, timeout=600, cwd=results, env={
            "PATH": os.environ["PATH"], "HOME": str(results), "SSL_CERT_FILE": str(site.ca), "OCI_VERSION": "1.1",
            "OCI_REGISTRY": shared_registry.server, "OCI_REPO1": f"{place}/one", "OCI_REPO2": f"{place}/two",
            "OCI_USERNAME": principal["appId"], "OCI_PASSWORD": principal["secret"], "OCI_RESULTS_DIR": str(results),
            **{f"OCI_{name}": value for name, value in settings.items()}})
        said = done.stdout[-6000:] + done.stderr[-3000:]
        counts = {name: int(count) for name, count in re.findall(r"^  (\w+)\.{3,}: +(\d+)$", done.stdout, re.M)}
        assert (counts["FAIL"], counts["Error"]) == (0, 0), said
        cases = dict(re.findall(r"^ *OCI Conformance Test/(.+): (\w+)$", done.stdout, re.M))
        assert cases and counts["Pass"] > len(cases) / 2, said
        return cases, counts
    return run_it


def test_all_of_it(run):
    """OCI distribution 1.1, sha256 and sha512. Bare distribution fails 23 of sha256's 711 (data-plane.md 4)."""
    cases, counts = run()
    assert counts["Pass"] > 800 and counts["Disabled"] == 0, counts
    # The suite keeps a token for each repository, and with that one a mount from another is an upload (decisions 32).
    assert {name for name, status in cases.items() if status != "Pass" and "/blob-mount" in name} == {
        f"{algorithm} blobs/{mount}" for algorithm in ("sha256", "sha512")
        for mount in ("mount/blob-mount", "mount anonymous/blob-mount-anonymous")}
    assert counts["Skip"] == 4, cases


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_mounts_with_a_token_for_both_repositories(run, algorithm):
    """Where each request follows its own challenge, a mount's names both."""
    name = f"{algorithm} blobs/mount"
    cases, _ = run(CACHE_AUTH="false", FILTER_TEST=f"OCI Conformance Test/{name}")
    assert cases[f"{name}/blob-mount"] == "Pass", cases
