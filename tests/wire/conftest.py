"""Fixtures of the wire tests that several files share."""
import pytest

from harness.site import Site


@pytest.fixture(scope="session")
def sweeping_site(tmp_path_factory):
    """A site whose sweep runs flat out and whose `serve` may be killed: who does so waits until it is ready again."""
    site = Site(tmp_path_factory.mktemp("sweeping") / "state", port=9499, region="sweeping",
                environment={"AZSACR_STORE_GRACE": "1", "AZSACR_SWEEP_TICK_MS": "20", "AZSACR_SWEEP_REST": "0",
                                  "AZSACR_LISTEN": "127.0.0.1"}).start()
    yield site
    site.stop()
