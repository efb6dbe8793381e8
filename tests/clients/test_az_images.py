"""az's commands for what is in a registry, in both profiles, and the one-liners that users know."""
import json
import os
import subprocess

import pytest

from harness.site import digest_of


@pytest.fixture
def repository(site, az_registry):
    """A fresh repository with the tag `1`: its name and the digest."""
    name = site.unique("images/r")
    digest, _ = az_registry.push_image(az_registry.client(), name, "1", [os.urandom(1000)])
    return name, digest


@pytest.mark.parametrize("profile", ["az", "latest"])
def test_manifests_are_shown_and_deleted(profile, request, az_registry, repository):
    az, (name, digest) = request.getfixturevalue(profile), repository
    shown = az.run("acr", "manifest", "show", "-r", az_registry.name, "-n", f"{name}:1", "--raw")
    assert shown.returncode == 0 and digest_of(shown.stdout.rstrip("\n").encode()) == digest, shown.stderr
    listed = az("acr", "manifest", "list", "-r", az_registry.name, "-n", name)
    assert [m["config"]["digest"] for m in listed] == [json.loads(shown.stdout)["config"]["digest"]]
    metadata = az("acr", "manifest", "show-metadata", "-r", az_registry.name, "-n", f"{name}:1")
    assert metadata["digest"] == digest
    assert az("acr", "manifest", "list-referrers", "-r", az_registry.name, "-n", f"{name}:1")["manifests"] in ([], None)
    az("acr", "manifest", "delete", "-r", az_registry.name, "-n", f"{name}:1", "--yes")
    az_registry.client().get(f"/v2/{name}/manifests/{digest}").expect(404)


def test_a_locked_image_refuses_until_it_is_unlocked(az, az_registry, repository):
    name, _ = repository
    locked = az("acr", "repository", "update", "-n", az_registry.name, "--image", f"{name}:1", "--write-enabled", "false")
    assert locked["changeableAttributes"]["writeEnabled"] is False
    refused = az.fails("acr", "repository", "untag", "-n", az_registry.name, "--image", f"{name}:1")
    assert "1" in refused.stderr
    az("acr", "repository", "update", "-n", az_registry.name, "--image", f"{name}:1", "--write-enabled", "true")
    az("acr", "repository", "untag", "-n", az_registry.name, "--image", f"{name}:1")


def test_the_line_that_deletes_untagged_manifests(az, az_registry, repository):
    """S9."""
    name, first = repository
    second, _ = az_registry.push_image(az_registry.client(), name, "1", [os.urandom(1000)])
    line = (f"az acr manifest list-metadata -r {az_registry.name} -n {name} --query '[?tags[0]==null].digest' -o tsv | "
            f"xargs -I% az acr repository delete --name {az_registry.name} --image {name}@% --yes")
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env=az.environment(), timeout=180)
    assert done.returncode == 0, done.stderr
    az_registry.client().get(f"/v2/{name}/manifests/{first}").expect(404)
    az_registry.client().get(f"/v2/{name}/manifests/{second}").expect(200)


def test_login_by_name_and_password(az, az_registry):
    done = az.run("acr", "login", "-n", az_registry.name, "-u", az_registry.username, "-p", az_registry.password,
                  PATH=az.docker_shim())
    assert done.returncode == 0 and "Login Succeeded" in done.stdout + done.stderr
    assert "hello" in az("acr", "repository", "list", "-n", az_registry.name, "-u", az_registry.username, "-p",
                         az_registry.password)
    wrong = az.fails("acr", "repository", "list", "-n", az_registry.name, "-u", az_registry.username, "-p", "wrong")
    assert "401" in wrong.stderr or "unauthorized" in wrong.stderr.lower()


def test_what_premium_alone_has_is_refused_clearly(az, az_registry):
    """S14: az itself refuses, since the registry says that it is no Premium one."""
    assert "Premium" in az.fails("acr", "config", "content-trust", "update", "-r", az_registry.name, "--status", "enabled").stderr
