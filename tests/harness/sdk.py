"""The management SDKs of Python and JavaScript, as a program of their users would call them. script/clients installs them
into build/; where one could not be installed its tests are skipped."""
import json
import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"

# What every script of a test begins with: `facts` (endpoint, audience, subscription, region), `values` (what the test
# gives), `credential`, and `answer(object)`, which is what the test gets.
NODE = """
import { ClientSecretCredential } from "@azure/identity";
const { facts, values } = JSON.parse(process.env.AZSACR_TEST);
const credential = new ClientSecretCredential("adfs", facts.appId, facts.secret, { authorityHost: facts.authority });
// The older packages take the scopes by one name, the newer ones by the other.
const options = { endpoint: facts.endpoint, credentialScopes: [facts.audience + "/.default"],
                  credentials: { scopes: [facts.audience + "/.default"] } };
const answer = (object) => process.stdout.write(JSON.stringify(object ?? null));
const all = async (pages) => { const found = []; for await (const one of pages) found.push(one); return found; };
const fails = async (promise) => { try { await promise; } catch (e) { return { code: e.code ?? e.body?.code, status: e.statusCode, message: e.message }; }
                                   throw new Error("it did not fail"); };
"""
PYTHON = """
import json, os, sys
from azure.identity import ClientSecretCredential
from azure.core.exceptions import HttpResponseError
given = json.loads(os.environ["AZSACR_TEST"])
facts, values = given["facts"], given["values"]
credential = ClientSecretCredential("adfs", facts["appId"], facts["secret"], authority=facts["authority"])
# A client's own: those of azure-mgmt-… take the endpoint as base_url and the audience as credential_scopes.
options = {"base_url": facts["endpoint"], "credential_scopes": [facts["audience"] + "/.default"]}
def answer(thing):
    json.dump(thing, sys.stdout, default=lambda o: o.as_dict() if hasattr(o, "as_dict") else str(o))
def fails(call, *arguments, **named):
    try:
        done = call(*arguments, **named)
        if hasattr(done, "result"):
            done.result()
        elif hasattr(done, "by_page"):
            list(done)
    except HttpResponseError as e:
        return {"code": e.error.code if e.error else None, "status": e.status_code, "message": e.message}
    raise AssertionError("it did not fail")
"""


class Sdk:
    """One language's SDKs against a site, signed in as the operator or as `principal`."""

    def __init__(self, site, language, principal=None, environment=None):
        self.site, self.language, self.environment = site, language, environment or {}
        home = BUILD / f"sdk-{language}"
        complete = home / "complete"
        if not complete.exists() or complete.read_text().splitlines()[0] != str(home):
            pytest.skip(f"the SDKs are not installed: script/clients sdk-{language} takes them from their registry")
        self.home = home
        self.app_id, self.secret = (principal["appId"], principal["secret"]) if principal else site.operator_secret()

    def __call__(self, source, **values):
        """Runs a script; what it gave `answer`."""
        authority = self.site.facts["activeDirectory"].removesuffix("/adfs")
        facts = {"endpoint": self.site.facts["resourceManager"].rstrip("/"), "audience": self.site.facts["audience"],
                 "subscription": self.site.subscription, "tenant": self.site.tenant, "region": self.site.region,
                 "authority": authority, "appId": self.app_id, "secret": self.secret}
        line, text = {"node": (["node", "--input-type=module", "-"], NODE + source),
                      "python": ([str(self.home / "bin" / "python"), "-"], PYTHON + source)}[self.language]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("AZURE_", "AZSACR_", "PYTHON", "NODE_"))}
        environment.update({"NODE_EXTRA_CA_CERTS": self.site.ca, "REQUESTS_CA_BUNDLE": self.site.ca,
                            "AZSACR_TEST": json.dumps({"facts": facts, "values": values}), **self.environment})
        done = subprocess.run(line, input=text, capture_output=True, text=True, cwd=self.home, env=environment, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None
