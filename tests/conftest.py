"""Fixtures: one running site for the whole run, and fresh sites for tests that kill things."""
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness.site import Site  # noqa: E402


PRIVATE_HOSTS = pathlib.Path("/tmp") / f"azsacr-hosts-{os.getpid()}"


def pytest_configure(config):
    """Not below pytest's own directory: every session that starts shuts that to all other users, and with it the blobs of
    every site that runs there to its edge's workers."""
    if config.option.basetemp is None:
        config.option.basetemp = tempfile.mkdtemp(prefix="azsacr-tests-", dir="/tmp")
        config.azsacr_own_basetemp = True


def pytest_sessionfinish(session, exitstatus):
    PRIVATE_HOSTS.unlink(missing_ok=True)
    if exitstatus == 0 and getattr(session.config, "azsacr_own_basetemp", False):
        shutil.rmtree(session.config.option.basetemp, ignore_errors=True)


def pytest_sessionstart(session):
    """The hosts file is ours: script/test gives this process a mount namespace of its own."""
    if os.environ.get("AZSACR_PRIVATE_NETWORK") != "1":
        raise pytest.UsageError("run the tests by script/test: they want a private network namespace")
    private = PRIVATE_HOSTS
    private.write_text("127.0.0.1 localhost\n::1 localhost\n")
    if os.system(f"mount --bind {private} /etc/hosts") != 0:
        raise pytest.UsageError("the private hosts file cannot be mounted")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site that most tests share: port 443, hosts file kept by the program."""
    started = Site(tmp_path_factory.mktemp("site") / "state")
    started.start()
    yield started
    started.stop()


@pytest.fixture
def fresh_site(tmp_path):
    """A site of the test's own, on another port, to be killed and damaged."""
    started = Site(tmp_path / "state", port=9443, region="other")
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def operator(site):
    """An ARM client that signed in as the operator's service principal."""
    return site.operator()


@pytest.fixture
def group(site, operator, request):
    """A fresh resource group, deleted afterwards."""
    name = site.unique("g")
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{name}?api-version=2019-10-01",
                 {"location": site.region}).expect(201)
    yield name
    operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{name}?api-version=2019-10-01")


@pytest.fixture
def registry(site, operator, group):
    """A fresh registry with the admin user on."""
    return site.create_registry(operator, group)


@pytest.fixture(scope="session")
def shared_registry(site, operator):
    """One registry for the tests that need none of their own: each works in repositories of its own in it."""
    name = site.unique("shared")
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{name}?api-version=2019-10-01",
                 {"location": site.region}).expect(201)
    return site.create_registry(operator, name)
