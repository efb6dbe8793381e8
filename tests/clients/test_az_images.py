"""az's one-liners that users know; its single commands for what is in a registry are in test_az_content.py."""
import os
import subprocess

import pytest


@pytest.fixture
def repository(site, az_registry):
    """A fresh repository with the tag `1`: its name and the digest."""
    name = site.unique("images/r")
    digest, _ = az_registry.push_image(az_registry.client(), name, "1", [os.urandom(1000)])
    return name, digest


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


def test_what_premium_alone_has_is_refused_clearly(az, az_registry):
    """S14: az itself refuses, since the registry says that it is no Premium one."""
    assert "Premium" in az.fails("acr", "config", "content-trust", "update", "-r", az_registry.name, "--status", "enabled").stderr
