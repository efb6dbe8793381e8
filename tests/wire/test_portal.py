"""portal.: one plain page with the endpoints, the CA and the az lines, until a portal exists (docs/portal.md)."""
import base64
import hashlib
import html.parser
import re
import ssl
import subprocess

import pytest

from harness.wire import Client


@pytest.fixture(scope="module")
def portal(site):
    return Client(site.host("portal"), site.port, site.ca)


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.text, self.styles, self.inside = [], [], "", [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.inside = tag
        values = dict(attributes)
        self.links += [values[k] for k in ("href", "src", "action") if k in values]
        assert not any(k.startswith("on") or k == "style" for k in values)

    def handle_data(self, data):
        if self.inside == "style":
            self.styles.append(data)
        else:
            self.text += data

    def handle_endtag(self, tag):
        self.inside = None


def test_the_page(site, portal):
    answer = portal.get("/").expect(200)
    page = Page(answer.body.decode())
    facts = site.facts
    for value in (f"https://{site.host('management')}", f"https://{site.host('adminmanagement')}", f"https://{site.host('adfs')}/adfs",
                  f"https://{site.host('graph')}", facts["audience"], facts["tenantId"],
                  f"<registry>.azsacr.{site.region}.{facts['domain']}", "2020-09-01-hybrid", "az login --use-device-code",
                  "--endpoint-resource-manager", "REQUESTS_CA_BUNDLE", "/etc/docker/certs.d/"):
        assert value in page.text, value
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert not {"script", "img", "iframe", "object", "link", "form"} & set(page.tags)
    assert all(link.startswith("/") for link in page.links)
    assert {f"/docs/{name}.md" for name in ("quickstart", "deploying", "clients", "faq")} <= set(page.links)
    for link in page.links:
        portal.get(link).expect(200)


def test_headers(portal):
    for path, status in (("/", 200), ("/nothing", 404), ("/ca.pem", 200), ("/docs/faq.md", 200)):
        answer = portal.get(path).expect(status)
        policy = answer.header("Content-Security-Policy")
        assert policy.startswith("default-src 'none'; style-src 'sha256-") and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        for name, value in (("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
                            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")):
            assert answer.header(name) == value
    page = portal.get("/").expect(200)
    (style,) = Page(page.body.decode()).styles
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.header("Content-Security-Policy")


def test_the_certificate_authority(site, portal, tmp_path):
    answer = portal.get("/ca.pem").expect(200)
    assert answer.body == open(site.ca, "rb").read() and b"PRIVATE" not in answer.body
    assert answer.header("Content-Type") == "application/x-pem-file"
    assert answer.header("Content-Disposition") == 'attachment; filename="ca.pem"'
    (tmp_path / "ca.pem").write_bytes(answer.body)
    printed = subprocess.run(["openssl", "x509", "-in", tmp_path / "ca.pem", "-noout", "-fingerprint", "-sha256"],
                             capture_output=True, text=True, check=True).stdout
    fingerprint = printed.strip().split("=")[1]
    assert re.fullmatch(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", fingerprint)
    assert fingerprint in portal.get("/").expect(200).body.decode()
    ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))


def test_methods_and_paths(portal):
    head, get = portal.head("/").expect(200), portal.get("/").expect(200)
    assert head.header("Content-Length") == str(len(get.body)) and not head.body
    assert portal.post("/", b"x").expect(405).header("Allow") == "GET, HEAD"
    for path in ("/ca.key", "/tls/ca.pem", "/docs/", "/docs/../ca.pem", "/docs/operations.md", "/ca.pem/", "//", "/%2e%2e/ca.key",
                 "/<script>"):
        answer = portal.get(path)
        assert answer.status in (400, 404) and b"<script>" not in answer.body and b"PRIVATE" not in answer.body, path
    assert portal.get("/?x=<script>").expect(200).body == get.body
