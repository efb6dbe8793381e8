"""Fixtures of the client tests."""
import pytest

from harness.az import Az


@pytest.fixture(scope="session")
def registered(site, tmp_path_factory):
    """An az whose cloud is this site, and nobody signed in: what others start from."""
    made = Az(site, tmp_path_factory.mktemp("az-registered"))
    made.register()
    return made
