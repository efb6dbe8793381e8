"""What an operator runs and a person reads beside the service itself."""
import os

from harness.wire import Client


def test_check_compares_rows_with_files(site, registry):
    registry.push_image(registry.client(), "checked", "1", [os.urandom(5000)])
    assert "nothing is wrong" in site.command("check")
    printed = site.command("check", "--store", "--deep")
    assert "nothing is wrong" in printed and "blobs" in printed, printed


def test_portal_page_registers_az_of_either_age(site):
    page = Client(site.host("portal"), site.port, site.ca).get("/").expect(200)
    text = page.body.decode()
    assert f"--endpoint-resource-manager {site.facts['resourceManager']}" in text
    assert f"--suffix-acr-login-server-endpoint {site.facts['acrSuffix']}" in text
    assert "2020-09-01-hybrid" in text and "microsoftGraphResourceId" in text


def test_up_says_how_to_go_on(site):
    log = site.log()
    assert f"trust docker|containerd|podman|az|node|curl --state {site.state}" in log
    assert f"az cloud register -n azsacr --cloud-config @{site.state}/cloud.json" in log
    password = (site.state / "secrets" / "operator-password").read_text().strip()
    assert password not in log


def test_a_lost_master_key_is_said_and_not_replaced(fresh_site):
    """A start without the key's file must not make another one over a database that was sealed with it."""
    key = fresh_site.state / "keys" / "master.key"
    kept = key.read_bytes()
    fresh_site.stop()
    key.unlink()
    fresh_site.process = None
    try:
        fresh_site.start(wait=15)
        raise AssertionError("it started without its master key")
    except AssertionError as error:
        assert "master.key cannot be read" in fresh_site.log(), error
    fresh_site.process.terminate()
    fresh_site.process.wait(60)
    assert not key.exists()
    key.write_bytes(kept)
    key.chmod(0o600)
    fresh_site.start()


def test_help_is_an_answer(site):
    import subprocess
    for command in ("up", "serve", "user", "sp", "trust", "check"):
        done = subprocess.run([site.program, command, "--help"], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 and "--state" in done.stdout, (command, done)
        wrong = subprocess.run([site.program, command, "--nonsense"], capture_output=True, text=True, timeout=30)
        assert wrong.returncode == 2 and "unknown flag --nonsense" in wrong.stderr, (command, wrong)


def asked(site, *words):
    import subprocess
    return subprocess.run([site.program, *words, "--state", str(site.state)], capture_output=True, text=True, timeout=30)


def test_help_tells_the_words_and_not_the_flags_alone(site):
    for command, lines in (
            ("user", ("user add NAME", "user set-password NAME", "user disable NAME", "user remove NAME", "user list")),
            ("sp", ("sp add NAME", "sp set-password APPID", "sp list")),
            ("subscription", ("subscription rename SUBSCRIPTION NAME", "subscription remove SUBSCRIPTION")),
            ("keys", ("keys rotate",)), ("trust", ("trust docker|containerd|podman|az|node|curl",)),
            ("template", ("template check FILE [NAME=VALUE ...]",)), ("check", ("check [FLAGS]",))):
        for flag in ("--help", "-h"):
            done = asked(site, command, flag)
            assert done.returncode == 0 and done.stderr == "", (command, done)
            for line in lines:
                assert f"azsacrd {line}" in done.stdout, (command, line, done.stdout)


def test_a_word_or_flag_too_many_is_named(site):
    for command in ("up", "serve", "migrate", "check", "cloud-config", "edge-config", "health"):
        done = asked(site, command, "surplus")
        assert done.returncode == 2 and "'surplus' is not expected here" in done.stderr, (command, done)
    for words in (("user", "-x"), ("user", "list", "-x"), ("sp", "add", "-x"), ("check", "-x")):
        done = asked(site, *words)
        assert done.returncode == 2 and "unknown flag -x" in done.stderr, (words, done)


def test_a_service_principal_has_no_password_of_somebodys_choice(site, tmp_path):
    """It was taken no notice of, and a secret was made nevertheless."""
    chosen = tmp_path / "chosen"
    chosen.write_text("chosen-by-somebody\n")
    done = asked(site, "sp", "add", site.unique("sp"), "--password-file", str(chosen))
    assert done.returncode == 2 and done.stdout == "" and "unknown flag --password-file" in done.stderr, done


def test_the_script_tells_its_flags_without_a_build(site):
    """It built for minutes, and then printed the program's own."""
    import pathlib
    import re
    import subprocess
    script = pathlib.Path(__file__).parents[2] / "script" / "server"
    done = subprocess.run([script, "--help"], capture_output=True, text=True, timeout=5)
    assert done.returncode == 0 and done.stderr == "", done
    for flag in re.findall(r"--[a-z]+", asked(site, "up", "--help").stdout):
        assert flag in done.stdout, flag


def test_a_command_says_that_no_site_runs_where_it_looks(site, tmp_path):
    """It printed four warnings of the database's library, and that a master key was not checked."""
    import subprocess
    state = tmp_path / "elsewhere"
    for words in (("user", "list"), ("sp", "add", "x"), ("subscription", "list"), ("keys", "rotate")):
        done = subprocess.run([site.program, *words, "--state", str(state)], capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and f"no site runs on {state} " in done.stderr and "--state" in done.stderr, (words, done)
        assert "database.unreachable" not in done.stderr and not state.exists(), (words, done)


def test_a_region_or_domain_that_is_no_host_name_is_refused_at_once(site, tmp_path):
    """The start made a database, and then served nothing: an operator's name or nginx's configuration was refused again and again."""
    import subprocess
    state = tmp_path / "odd"
    for flag, value in (("--region", "A B"), ("--region", "x_y"), ("--region", "a.b"), ("--region", ""), ("--region", "r" * 64),
                        ("--domain", "foo..bar"), ("--domain", "x/y"), ("--domain", "-a.example"), ("--domain", "a; b"),
                        ("--domain", "ends."), ("--domain", ".".join(["d" * 60] * 4))):
        done = subprocess.run([site.program, "up", flag, value, "--state", str(state)], capture_output=True, text=True, timeout=30)
        assert done.returncode == 2 and not state.exists(), (flag, value, done)
        assert "host name" in done.stderr and value.lower() in done.stderr, (flag, value, done)
