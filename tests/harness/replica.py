"""A second `azsacrd serve` on a site's store and database, behind a second edge at 127.0.0.2."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ADDRESS = "127.0.0.2"


class Replica:
    """The site must listen at 127.0.0.1 only (AZSACR_LISTEN), so that the same port is free here."""

    def __init__(self, site, environment=None):
        self.site, self.environment = site, dict(environment or {})
        # Sockets want a short path; the edge's workers, another user, must get through.
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix="azsacr-replica-", dir="/tmp"))
        self.runtime.chmod(0o711)
        self.log_path = self.runtime / "log"
        self.processes = []

    def start(self):
        state = self.site.state
        log = open(self.log_path, "ab")
        environment = {**os.environ, "AZSACR_THROTTLE": "false", "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0",
                       **self.environment, "AZSACR_RUNTIME": str(self.runtime), "AZSACR_STORE": str(state / "store"),
                       "AZSACR_DATABASE": f"host={state}/run/pg port=5432 user=azsacr dbname=azsacr"}
        environment.pop("AZSACR_HOSTS_FILE", None)
        self.command = [self.site.program, "serve", "--state", str(state), "--port", str(self.site.port),
                        "--region", self.site.region]
        self.variables = environment
        self.serve = self.spawn(self.command, log, environment)
        own = (state / "run" / "edge.conf").read_text()
        edited = own.replace(f"{state}/run/", f"{self.runtime}/").replace("127.0.0.1:", f"{ADDRESS}:").replace(
            f"{state}/log/edge.log", f"{self.runtime}/edge.log")
        assert edited.count(f"listen {ADDRESS}:") >= 1, "the site must listen at 127.0.0.1 only"
        (self.runtime / "edge.conf").write_text(edited)
        self.spawn(["/usr/sbin/nginx", "-e", "stderr", "-p", str(self.runtime), "-c", str(self.runtime / "edge.conf")],
                   log, environment)
        log.close()
        self.wait_ready()
        return self

    def spawn(self, command, log, environment):
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment))
        return self.processes[-1]

    def kill_serve(self):
        """SIGKILL, and a fresh one in its place."""
        self.serve.kill()
        self.serve.wait()
        self.processes.remove(self.serve)
        with open(self.log_path, "ab") as log:
            self.serve = self.spawn(self.command, log, self.variables)

    def wait_ready(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert all(p.poll() is None for p in self.processes), self.log()[-4000:]
            try:
                if self.of(self.site.arm_client()).get("/metadata/endpoints?api-version=2015-01-01").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"the replica is not ready:\n{self.log()[-4000:]}")

    def of(self, client):
        """That client, speaking to this replica."""
        return client.at(ADDRESS)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGQUIT if process is not self.serve else signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise AssertionError(f"the replica did not stop:\n{self.log()[-4000:]}")
        text = self.log()
        assert "ERROR: AddressSanitizer" not in text and "runtime error:" not in text, text[-6000:]
        assert self.serve.returncode == 0, text[-4000:]
        shutil.rmtree(self.runtime, ignore_errors=True)
