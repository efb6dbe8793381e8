"""az's commands about who is signed in and who there is."""
import re
import subprocess

from harness.az import Az


def test_signs_in_by_device_code(site, operator, registered, tmp_path):
    user = site.user()
    az = Az(site, tmp_path, like=registered)
    process = subprocess.Popen(
        ["az", "login", "--use-device-code", "--allow-no-subscriptions"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL, text=True, env=az.environment(PYTHONUNBUFFERED="1"))
    try:
        said = ""
        for line in process.stdout:
            said += line
            if code := re.search(r"enter the code ([A-Z0-9-]+)", line):
                break
        assert code, said
        page = re.search(r"https://\S+/deviceauth", said).group(0)
        site.adfs().post(page, form={"user_code": code.group(1), "username": user["username"], "password": user["password"],
                                     "action": "approve"}).expect(200)
        rest, _ = process.communicate(timeout=180)
        assert process.returncode == 0, said + rest
    finally:
        process.kill()
    assert az("ad", "signed-in-user", "show")["userPrincipalName"] == user["username"]


def test_directory_objects(site, az):
    user, principal = site.user(), site.principal()
    assert az("ad", "user", "show", "--id", user["username"])["id"] == user["objectId"]
    assert az("ad", "sp", "show", "--id", principal["appId"])["id"] == principal["objectId"]
    assert az.fails("ad", "user", "show", "--id", "nobody@nowhere.test").returncode == 3
