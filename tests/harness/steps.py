"""A site of its own whose `serve` can be held at named steps (base/failpoint.h)."""
import threading
import time

from .site import Site


class Steps:
    def __init__(self, tmp_path):
        self.directory = tmp_path / "steps"
        self.directory.mkdir()
        self.site = Site(tmp_path / "state", port=9443, region="steps",
                         environment={"AZSACR_FAILPOINT_DIRECTORY": str(self.directory)}).start()

    def hold(self, step):
        file = self.directory / f"{step}.held"
        file.touch()
        (self.directory / "armed").write_text(f"hold:{file}\n")
        (self.directory / "armed").rename(self.directory / step)

    def reached(self, step):
        mark, deadline = self.directory / f"{step}.held.reached", time.monotonic() + 20
        while not mark.exists():
            assert time.monotonic() < deadline, f"{step} was not reached"
            time.sleep(0.005)

    def release(self, step):
        for name in (step, f"{step}.held", f"{step}.held.reached"):
            (self.directory / name).unlink(missing_ok=True)

    def for_nobody_else(self, step):
        """Who is held there stays; who comes after passes."""
        self.reached(step)
        (self.directory / step).unlink()


def in_background(call):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    return thread, answers
