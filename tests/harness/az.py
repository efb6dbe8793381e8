"""The real az with a configuration directory of its own (contract/az-cli.md 14). A start of az costs a second or more: what
one directory has registered, others copy."""
import json
import os
import pathlib
import shutil
import subprocess


BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"


def installed(name):
    """The az that script/clients installed into build/NAME, or None."""
    complete = BUILD / name / "complete"
    if complete.exists() and complete.read_text().splitlines()[0] == str(BUILD / name):
        return str(BUILD / name / "bin" / "az")
    return None


class AzFailed(AssertionError):
    def __init__(self, arguments, done):
        super().__init__(f"az {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
        self.status, self.stderr = done.returncode, done.stderr


class Az:
    _versions = {}  # what each program says of itself

    def __init__(self, site, directory, program="az", profile="2020-09-01-hybrid", repaired=False, like=None):
        """`like`: another Az, whose registered clouds this one has too; never its sign-in."""
        self.site, self.directory, self.program, self.profile = site, pathlib.Path(directory), program, profile
        self.repaired = repaired
        config = self.directory / "config"
        if like is not None:
            shutil.copytree(like.directory / "config", config, ignore=shutil.ignore_patterns(
                "msal_*", "service_principal_entries*", "azureProfile.json", "logs", "telemetry*"))
        config.mkdir(parents=True, exist_ok=True)
        self._seed()

    def _seed(self):
        """No probe of the public site on the first command."""
        known = self.version()
        versions = {"azure-cli": {"local": known["azure-cli"]}, "core": {"local": known["azure-cli-core"]},
                    "telemetry": {"local": known["azure-cli-telemetry"]}}
        (self.directory / "config" / "versionCheck.json").write_text(json.dumps({
            "versions": versions, "update_time": "2099-01-01 00:00:00.000000"}))

    def version(self):
        if self.program not in Az._versions:
            done = subprocess.run([self.program, "version", "-o", "json"], capture_output=True, text=True,
                                  env=self.environment(), stdin=subprocess.DEVNULL)
            assert done.returncode == 0, done.stderr
            Az._versions[self.program] = json.loads(done.stdout)
        return Az._versions[self.program]

    def environment(self, **more):
        made = {k: v for k, v in os.environ.items() if not k.startswith(("AZURE_", "AZSACR_"))}
        made.update({"AZURE_CONFIG_DIR": str(self.directory / "config"), "AZURE_CORE_COLLECT_TELEMETRY": "no",
                     "AZURE_CORE_NO_COLOR": "1", "AZURE_CORE_DISABLE_PROGRESS_BAR": "1", "AZURE_CORE_SURVEY_MESSAGE": "no",
                     "REQUESTS_CA_BUNDLE": self.site.ca, "SSL_CERT_FILE": self.site.ca, "HOME": str(self.directory),
                     "DOCKER_CONFIG": str(self.directory / "docker")})
        if self.repaired:
            made["PYTHONPATH"] = str(pathlib.Path(__file__).parent / "az_repair")
        made.update(more)
        return made

    def run(self, *arguments, **more):
        return subprocess.run([self.program, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env=self.environment(**more), timeout=180)

    def __call__(self, *arguments, **more):
        """The command's JSON (or text); AzFailed when it does not end well."""
        done = self.run(*arguments, **more)
        if done.returncode != 0:
            raise AzFailed(arguments, done)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    def fails(self, *arguments, **more):
        done = self.run(*arguments, **more)
        assert done.returncode != 0, f"az {' '.join(arguments)} did not fail: {done.stdout}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def register(self):
        """The very lines that `azsacrd up` prints: one for az up to 2.72, one for newer ones, which have no profile but one."""
        facts = self.site.facts
        if [int(part) for part in self.version()["azure-cli"].split(".")[:2]] >= [2, 73]:
            self("cloud", "register", "-n", "azsacr", "--endpoint-resource-manager", facts["resourceManager"],
                 "--suffix-acr-login-server-endpoint", facts["acrSuffix"])
            self("cloud", "set", "-n", "azsacr")
            return
        self("cloud", "register", "-n", "azsacr", "--cloud-config", "@" + facts["cloudConfig"])
        self("cloud", "set", "-n", "azsacr")
        if self.profile != "2020-09-01-hybrid":
            self.use_profile()

    def use_profile(self):
        self("cloud", "update", "-n", "azsacr", "--profile", self.profile)

    def login(self, principal=None, *flags):
        app_id, secret = (principal["appId"], principal["secret"]) if principal else self.site.operator_secret()
        signed_in = self("login", "--service-principal", "-u", app_id, "-p", secret, "--tenant", self.site.tenant, *flags)
        # Other tests add subscriptions: which one is meant is said, as a person with several would.
        if any(s["id"] == self.site.subscription for s in signed_in if isinstance(s, dict)):
            self("account", "set", "-s", self.site.subscription)
        return signed_in

    def docker_shim(self):
        """A `docker` that needs no daemon: `ps` is quiet, the rest is the real client (az-cli.md 6.4)."""
        real = shutil.which("docker")
        bin_ = self.directory / "bin"
        bin_.mkdir(exist_ok=True)
        script = bin_ / "docker"
        script.write_text(f'#!/bin/sh\n[ "$1" = ps ] && exit 0\nexec {real} "$@"\n')
        script.chmod(0o755)
        return f"{bin_}:{os.environ['PATH']}"

    def serving(self, **more):
        """`with az.serving() as quick:` commands of one process: for tests that run many of them."""
        return AzServing(self, more)


class AzServing:
    """An az whose commands run one after the other in one process of its own Python (az_serve.py)."""

    def __init__(self, az, more):
        self.az, self.more = az, more
        program = pathlib.Path(az.program)
        self.python = str(program.parent / "python") if program.is_absolute() else "/usr/bin/python3"

    def __enter__(self):
        self.log = open(self.az.directory / "serving.log", "w+")
        self.process = subprocess.Popen([self.python, str(pathlib.Path(__file__).parent / "az_serve.py")], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        env=self.az.environment(**self.more))
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)
        self.log.close()

    def run(self, *arguments):
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"az ended at {' '.join(arguments)}: {pathlib.Path(self.log.name).read_text()[-2000:]}"
        done = json.loads(line)
        return subprocess.CompletedProcess(["az", *arguments], done["code"], done["stdout"], done["stderr"])

    def __call__(self, *arguments):
        done = self.run(*arguments)
        if done.returncode != 0:
            raise AzFailed(arguments, done)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    def fails(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode != 0, f"az {' '.join(arguments)} did not fail: {done.stdout}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def __getattr__(self, name):
        return getattr(self.az, name)
