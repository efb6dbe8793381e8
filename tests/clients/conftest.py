"""Fixtures of the client tests, for the whole run: each start of az costs seconds."""
import os

import pytest

from harness.az import Az, installed
from harness.sdk import Sdk
from harness.site import Registry


@pytest.fixture(scope="session")
def registered(site, tmp_path_factory):
    """An az whose cloud is this site, and nobody signed in: what others start from."""
    made = Az(site, tmp_path_factory.mktemp("az-registered"))
    made.register()
    return made


@pytest.fixture(scope="session")
def az(site, registered, tmp_path_factory):
    made = Az(site, tmp_path_factory.mktemp("az"), like=registered)
    made.login()
    return made


@pytest.fixture(scope="session")
def latest(site, registered, tmp_path_factory):
    made = Az(site, tmp_path_factory.mktemp("az-latest"), profile="latest", like=registered)
    made.use_profile()
    made.login()
    return made


@pytest.fixture(scope="session")
def current(site, tmp_path_factory):
    """The current az with default settings; it has one profile."""
    program = installed("az-current")
    if not program:
        pytest.skip("the current az is not installed: script/clients az-current takes it from PyPI")
    made = Az(site, tmp_path_factory.mktemp("az-current"), program=program, profile="latest")
    made.register()
    made.login()
    return made


@pytest.fixture(scope="session")
def long_term(site, tmp_path_factory):
    """az 2.66, the long-term release for Stack Hub, in its hybrid profile."""
    program = installed("az-2.66")
    if not program:
        pytest.skip("az 2.66 is not installed: script/clients az-2.66 takes it from PyPI")
    made = Az(site, tmp_path_factory.mktemp("az-2.66"), program=program)
    made.register()
    made.login()
    return made


@pytest.fixture(scope="session")
def az_group(site, az):
    name = site.unique("azg")
    made = az("group", "create", "-n", name, "-l", site.region, "--tags", "team=blue")
    assert made["properties"]["provisioningState"] == "Succeeded" and made["tags"] == {"team": "blue"}
    yield name
    az("group", "delete", "-n", name, "-y")


@pytest.fixture(scope="session")
def az_registry(site, az, az_group):
    name = site.unique("azreg")
    made = az("acr", "create", "-n", name, "-g", az_group, "--sku", "Standard", "--admin-enabled", "true")
    assert made["loginServer"] == f"{name}{site.facts['acrSuffix']}" and made["adminUserEnabled"] is True
    registry = Registry(site, made["id"], name)
    registry.await_host()
    credentials = az("acr", "credential", "show", "-n", name)
    registry.username, registry.password = credentials["username"], credentials["passwords"][0]["value"]
    registry.push_image(registry.client(), "hello", "1", [os.urandom(100000)])
    return registry


@pytest.fixture(scope="session")
def node_sdk(site):
    """`node_sdk(SCRIPT, name=…)`: the JavaScript management SDKs, signed in as the operator (harness/sdk.py)."""
    return Sdk(site, "node")


@pytest.fixture(scope="session")
def python_sdk(site):
    return Sdk(site, "python")
