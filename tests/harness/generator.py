"""Requests that nobody sane would send, made from the routes that the sources declare, and what every answer must be like.

A request is made from a seed and its number alone, so that a fault can be sent again: Generator(seed).request(number)."""
import gzip
import json
import pathlib
import random
import re
import socket
import ssl
import urllib.parse
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"]
ODD_METHODS = METHODS + ["OPTIONS", "TRACE", "PROPFIND", "get", "X"]
HEADERS = {"cache-control": r"no-cache", "pragma": "no-cache", "expires": "-1", "x-content-type-options": "nosniff",
           "strict-transport-security": "max-age=31536000; includeSubDomains", "date": r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT",
           "x-ms-request-id": r"[0-9a-f-]{36}", "x-ms-correlation-request-id": r".+",
           "x-ms-routing-request-id": r"[A-Z0-9]+:\d{8}T\d{6}Z:[0-9a-f-]{36}"}


def sources():
    for folder in ("arm", "rp", "templates"):
        yield from sorted((ROOT / folder).glob("*.[ch]"))


def joined(text, macros):
    """The value of a row of string literals and macro names, or None where it is something else."""
    value = ""
    for part in re.findall(r'"(?:[^"\\]|\\.)*"|\w+|\S', text):
        if part.startswith('"'):
            value += part[1:-1]
        elif part in macros:
            value += macros[part]
        elif part != "\\":
            return None
    return value


def read_routes():
    """(method, path template) of every operation that a table declares."""
    routes, macros = set(), {}
    texts = [path.read_text() for path in sources()]
    for _ in range(3):  # macros made of macros
        for text in texts:
            for name, value in re.findall(r'#define (\w+)((?:[^\n\\]|\\\n)*)', text):
                made = joined(value, macros) if '"' in value or value.strip() in macros else None
                if made is not None and made.startswith("/"):
                    macros[name] = made
    for path, text in zip(sources(), texts):
        own = dict(macros)
        for name, value in re.findall(r'#define (\w+)((?:[^\n\\]|\\\n)*)', text):  # same name in two files
            made = joined(value, own)
            if made:
                own[name] = made
        for methods, route in re.findall(r'\{(HTTP_[A-Z_ |]+),\s*([^{},]*(?:"[^"]*"[^{},]*)*),\s*(?:"\w+"|\w+)\}', text):
            made = joined(route, own)
            if made:
                routes.update((method, made) for method in re.findall(r"HTTP_([A-Z]+)", methods))
    return sorted(routes | set(deployment_routes()))


def deployment_routes():
    """templates/deployments.c makes its rows by macros with arguments."""
    for scope in ("", "/subscriptions/{subscription}", "/subscriptions/{subscription}/resourceGroups/{group}"):
        base = f"{scope}/providers/Microsoft.Resources/deployments"
        yield "GET", base
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            yield method, base + "/{deployment}"
        for action in ("validate", "whatIf", "cancel", "exportTemplate"):
            yield "POST", base + "/{deployment}/" + action
        for path in ("/operations", "/operations/{operation}", "/operationStatuses/{operation}"):
            yield "GET", base + "/{deployment}" + path


def read_codes():
    """Every code of the catalogue."""
    codes = set()
    for path in sources():
        codes.update(re.findall(r'"([A-Z][A-Za-z]+)",\s*(?:FROM_\w+|NULL)', path.read_text()))
    edge = (ROOT / "cli" / "edge.c").read_text()
    table = edge[edge.index("arm_refusals[]"):edge.index("registry_refusals[]")]
    return codes | set(re.findall(r'\{\d{3}, "(\w+)"', table))


def right_version(template):
    """A version that the route's type has."""
    low = template.lower()
    for part, version in (("/batch", "2020-06-01"), ("resourcegraph", "2021-03-01"), ("checkaccess", "2018-09-01-preview"), ("/locks", "2016-09-01"),
                          ("microsoft.insights", "2015-04-01"), ("classicadmin", "2015-06-01"), ("microsoft.authorization", "2015-07-01"),
                          ("microsoft.containerregistry", "2019-05-01"), ("/metadata", "2015-01-01")):
        if part in low:
            return version
    if low in ("/subscriptions", "/subscriptions/{subscription}", "/tenants") or low.endswith("/locations"):
        return "2016-06-01"
    return "2019-10-01"


VERSIONS = ["2019-10-01", "2019-05-01", "2015-07-01", "2016-09-01", "2016-06-01", "2022-09-01", "2015-04-01", "2018-09-01-preview",
            "2021-03-01", "2020-06-01", "2022-04-01", "2019-11-01", "2015-01-01", "2017-10-01", "2023-07-01", "2025-04-01"]
ODD = ["", "a", ".", "..", "%20", "%00", "%2F", "%2e%2e", "%", "%zz", "\u00e9", "\u6f22\u5b57", "x" * 91, "x" * 300, "'", "\"", "<b>",
       "a b", "a+b", "$", "*", "providers", "resourceGroups", "null", "-1", "0", "A" * 40, "%F0%9F%98%80", "%ff", "default", ";", "a;b=c",
       "{x}", "\\", "~", "@", "Microsoft.ContainerRegistry", "atScope()", "x%0d%0ay", "%c3%a9"]
FILTERS = ["", "resourceType eq 'Microsoft.ContainerRegistry/registries'", "name eq 'x' or name ne 'y'", "tagname eq 'a' and tagvalue eq 'b'",
           "startswith(tagname, 'x')", "substringof('v', name)", "atScope()", "principalId eq '{u}'", "assignedTo('{u}')",
           "eventTimestamp ge 2020-01-01T00:00:00Z and eventTimestamp le 2030-01-01T00:00:00Z",
           "eventTimestamp ge '2020-01-01T00:00:00Z' and resourceGroupName eq 'g1'", "((((((name eq 'x'))))))", "name eq 'it''s'",
           "name eq", "eq eq eq", "(" * 200, "name eq '" + "x" * 5000 + "'", "not name eq 'x'", "identity/principalId eq '1'",
           "location eq 'local' and (name eq 'a' or name eq 'b')", "'", "a\x01b", "roleName eq 'Owner'", "type eq 'BuiltInRole'"]
QUERIES = ["resources", "resources | where type =~ 'a' | project name, id | order by name asc | take 3", "resources | summarize count() by type",
           "resourcecontainers | where tags['a'] == 'b'", "resources | join", "resources | where", "|", "resources | where name in ('a','b') and not(id contains 'x')",
           "resources | extend a = tolower(name) | distinct a", "resources | where ((((((", "\u00e9", "resources | take 99999999999999999999"]


class Generator:
    def __init__(self, seed, facts, tokens):
        self.seed, self.facts, self.tokens = seed, facts, tokens
        self.routes, self.codes = read_routes(), read_codes()
        assert len(self.routes) > 40 and len(self.codes) > 40, (len(self.routes), len(self.codes))

    def request(self, number):
        r = random.Random(f"{self.seed} {number}")
        if r.random() < 0.1:  # without groups and registries most routes lead nowhere
            return self.wholesome(r)
        method, template = r.choice(self.routes)
        if r.random() < 0.25:
            method = r.choice(METHODS)
        elif r.random() < 0.02:
            method = r.choice(ODD_METHODS)
        target = self.mutated(r, self.filled(r, template)) + self.query(r, template)
        body = self.body(r, template) if method in ("PUT", "PATCH", "POST") or r.random() < 0.02 else None
        return method, target, self.headers(r, body is not None), body

    def wholesome(self, r):
        """A PUT of a group or a registry as a client sends it."""
        path = f"/subscriptions/{self.facts['subscriptionId']}/resourceGroups/g{r.randrange(6)}"
        if r.random() < 0.6:
            path += f"/providers/Microsoft.ContainerRegistry/registries/registry{r.randrange(8)}"
        headers = {"Authorization": "Bearer " + self.tokens[0], "Content-Type": "application/json"}
        body = json.dumps(self.sensible(r, path)).encode()
        return "PUT", f"{path}?api-version={right_version(path)}", headers, body

    def scope(self, r):
        subscription = self.subscription(r)
        group = f"/subscriptions/{subscription}/resourceGroups/{self.name(r, 'g', 6)}"
        registry = f"{group}/providers/Microsoft.ContainerRegistry/registries/{self.name(r, 'registry', 8)}"
        return r.choice(["", f"/subscriptions/{subscription}", group, registry, registry, f"{registry}/{r.choice(ODD)}",
                         f"{registry}/providers/Microsoft.Authorization/locks/l1", "/providers/Microsoft.Management/managementGroups/m"])

    def subscription(self, r):
        own = self.facts["subscriptionId"]
        return r.choice([own] * 8 + [own.upper(), str(uuid.UUID(int=r.getrandbits(128))), "nonsense", own[:-1]])

    def name(self, r, stem, count):
        return f"{stem}{r.randrange(count)}" if r.random() < 0.93 else r.choice(ODD)

    def filled(self, r, template):
        def value(match):
            name = match.group(1).rstrip("*")
            if match.group(1).endswith("**"):
                return self.scope(r).lstrip("/")
            low = name.lower()
            if low.startswith("subscription"):
                return self.subscription(r)
            if "group" in low:
                return self.name(r, "g", 6)
            if low == "namespace" or "provider" in low:
                return r.choice(["Microsoft.ContainerRegistry", "Microsoft.Resources", "microsoft.authorization", "Microsoft.Insights",
                                 "Microsoft.Nothing", r.choice(ODD)])
            if "registry" in low:
                return self.name(r, "registry", 8)
            if r.random() < 0.3:  # a few GUIDs, so that what was made is found again
                return str(uuid.UUID(int=r.randrange(5) + 1))
            return self.name(r, low[:6] or "n", 4)
        return re.sub(r"\{([\w*]+)\}", value, template)

    def mutated(self, r, path):
        dice = r.random()
        parts = path.split("/")
        at = r.randrange(len(parts))
        if dice < 0.08:
            parts[at] = parts[at].swapcase()
        elif dice < 0.11:
            parts.insert(at, "")
        elif dice < 0.13:
            parts.append("")
        elif dice < 0.17:
            parts[at] = r.choice(ODD)
        elif dice < 0.19:
            parts.append(r.choice(ODD))
        elif dice < 0.21:
            parts = parts[:at]
        elif dice < 0.23:
            parts[at] = "".join(f"%{b:02x}" for b in parts[at].encode())
        elif dice < 0.24:
            parts += parts[1:]
        elif dice < 0.25:
            parts += [r.choice(ODD)] * r.randrange(60)
        path = "/".join(parts)
        path = path if path.startswith("/") else "/" + path
        return "".join(c if 33 <= ord(c) < 127 and c not in "?#" else urllib.parse.quote(c) for c in path)

    def query(self, r, template):
        pairs = []
        dice = r.random()
        if dice < 0.97:
            pairs.append(("api-version", right_version(template) if dice < 0.85 else r.choice(VERSIONS if dice < 0.94 else ODD + ["2019-05-01-PREVIEW", "1.0"])))
        for name, values, chance in (
                ("$filter", FILTERS, 0.2), ("$top", ["1", "5", "1000", "0", "-1", "x", "9" * 30, ""], 0.1),
                ("$skiptoken", ["", "MQ", "e30", "x" * 5000, "\u00e9", "L3N1YnNjcmlwdGlvbnM"], 0.06), ("$skipToken", ["a", "MQ=="], 0.02),
                ("$expand", ["createdTime,changedTime,provisioningState", "metadata", "resourceTypes/aliases", "x"], 0.06),
                ("$select", ["eventName,id", "nothing", ","], 0.04), ("api-version", VERSIONS, 0.02), (r.choice(ODD), ODD, 0.04)):
            if r.random() < chance:
                pairs.append((name, r.choice(values).replace("{u}", str(uuid.UUID(int=r.randrange(5) + 1)))))
        if not pairs:
            return r.choice(["", "?", "?&", "?api-version", "?=", "?%"])
        r.shuffle(pairs)
        return "?" + "&".join(f"{urllib.parse.quote(k, safe='$')}={urllib.parse.quote(v, safe='')}" for k, v in pairs)

    def headers(self, r, has_body):
        headers = {"Authorization": "Bearer " + r.choice(self.tokens)} if r.random() < 0.95 else {}
        if r.random() < 0.04:
            headers["Authorization"] = r.choice(["Bearer", "Bearer x.y.z", "Basic eDp5", "bearer  " + self.tokens[0], "\u00e9".encode().decode("latin-1"),
                                                 "Bearer " + self.tokens[0][:-3], "Negotiate"])
        if has_body:
            headers["Content-Type"] = r.choice(["application/json"] * 8 + ["application/json; charset=utf-8", "text/plain", "", "x", "application/xml"])
        for name, values in (("x-ms-correlation-request-id", ["00000000-0000-0000-0000-000000000001", "x" * 3000, "a b", "<>"]),
                             ("x-ms-client-request-id", ["mine", "\xe9"]), ("x-ms-return-client-request-id", ["true", "maybe"]),
                             ("If-Match", ["*", "\"x\"", "x"]), ("If-None-Match", ["*", "\"x\""]), ("Accept", ["text/html", "*/*", ";"]),
                             ("CommandName", ["acr login", "group list"]), ("Origin", ["https://portal.example", "null"]),
                             ("Accept-Language", ["de-DE", "%"]), ("Accept-Encoding", ["gzip", "br;q=x"])):
            if r.random() < 0.05:
                headers[name] = r.choice(values)
        return headers

    def body(self, r, template):
        dice = r.random()
        if dice < 0.06:
            return r.choice([b"", b"{", b"[]", b"null", b"\xff\xfe{}", b"[" * 3000, b'{"a":1,"a":2}', b'"x"', b"{}" * 2, b'{"a":"\\u0000"}',
                             b'{"properties":{"x":' * 70, b"9" * 400])
        made = self.sensible(r, template)
        if dice < 0.5:
            made = self.spoiled(r, made, 0.15)
        return json.dumps(made, ensure_ascii=r.random() < 0.5).encode("utf-8", "surrogatepass")

    def sensible(self, r, template):
        low = template.lower()
        tags = {f"t{r.randrange(4)}": f"v{r.randrange(3)}" for _ in range(r.randrange(3))}
        guid = str(uuid.UUID(int=r.randrange(5) + 1))
        group = f"/subscriptions/{self.facts['subscriptionId']}/resourceGroups/g{r.randrange(6)}"
        registry = f"{group}/providers/Microsoft.ContainerRegistry/registries/registry{r.randrange(8)}"
        if low.endswith("/batch"):
            return {"requests": [{"httpMethod": r.choice(METHODS), "name": str(i), "url": self.mutated(r, self.filled(r, r.choice(self.routes)[1])) + self.query(r, ""),
                                  "content": self.sensible(r, "")} for i in range(r.randrange(4))]}
        if "resourcegraph" in low:
            return {"subscriptions": [self.facts["subscriptionId"]], "query": r.choice(QUERIES), "options": r.choice([{}, {"$top": 2}, {"resultFormat": "table"}, {"$skipToken": "x"}])}
        if "checkaccess" in low:
            return {"Subject": {"Attributes": {"ObjectId": guid}}, "Actions": [{"Id": "Microsoft.ContainerRegistry/registries/read", "IsDataAction": False}],
                    "Resource": {"Id": registry}}
        if "/deployments" in low or low.endswith("exporttemplate"):
            return self.deployment(r, low, registry)
        if "moveresources" in low:
            return {"resources": [registry], "targetResourceGroup": group}
        if "/locks" in low:
            return {"properties": {"level": r.choice(["CanNotDelete", "ReadOnly", "x"]), "notes": "n"}}
        if "/tags/" in low:
            return {"operation": r.choice(["Merge", "Replace", "Delete", "x"]), "properties": {"tags": tags}}
        if "roleassignments" in low:
            return {"properties": {"roleDefinitionId": f"/subscriptions/{self.facts['subscriptionId']}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
                                   "principalId": guid}}
        if "roledefinitions" in low:
            return {"properties": {"roleName": f"role{r.randrange(4)}", "type": "CustomRole", "permissions": [{"actions": ["*/read"], "notActions": []}],
                                   "assignableScopes": [group]}}
        if "name" in low and "check" in low:
            return {"name": f"registry{r.randrange(8)}", "type": "Microsoft.ContainerRegistry/registries"}
        if "regenerate" in low:
            return {"name": r.choice(["password", "password2", "password3"])}
        if "registries" in low:
            return {"location": "local", "sku": {"name": r.choice(["Standard", "Basic", "Premium"])}, "tags": tags,
                    "properties": {"adminUserEnabled": r.random() < 0.5}}
        return {"location": "local", "tags": tags}

    def deployment(self, r, low, registry):
        """A request of a deployment, its template now and then spoiled alone."""
        value = r.choice(["[resourceGroup().location]", "local", "[parameters('p')]", "[concat('a', copyIndex())]", "[reference('x')]", "[", "[[x]",
                          "[variables('v')]", "[uniqueString(subscription().id)]", 1, None])
        template = {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
                    "parameters": {"p": {"type": r.choice(["string", "int", "object", "securestring", "x"]), "defaultValue": "local"}},
                    "variables": {"v": value},
                    "resources": [{"type": r.choice(["Microsoft.ContainerRegistry/registries", "Microsoft.Resources/deployments", "Microsoft.Authorization/locks", "X/y"]),
                                   "apiVersion": r.choice(["2019-05-01", "2019-10-01", "2016-09-01", "2023-07-01"]), "name": f"registry{r.randrange(8)}",
                                   "location": value, "sku": {"name": "Standard"}, "properties": {"x": value},
                                   **({"copy": {"name": "c", "count": r.choice([0, 2, 3, 801])}} if r.random() < 0.2 else {}),
                                   **({"dependsOn": [f"registry{r.randrange(8)}"]} if r.random() < 0.2 else {})} for _ in range(r.randrange(4))],
                    "outputs": {"o": {"type": "string", "value": value}} if r.random() < 0.5 else {}}
        template = self.spoiled(r, template, 0.1) if r.random() < 0.3 else template
        made = {"properties": {"mode": r.choice(["Incremental"] * 9 + ["Complete", "x"]), "template": template, "parameters": {"p": {"value": value}} if r.random() < 0.3 else {}}}
        if "resourcegroups" not in low:
            made["location"] = "local"
        return made

    def spoiled(self, r, value, chance):
        odd = [None, True, 0, -1, 1e308, 10 ** 30, "", "x" * 300, [], {}, "\u0000", "\u00e9", [[]], {"": ""}, {"x": {"x": {"x": []}}}, "\U0001f600"]
        if r.random() < chance:
            return r.choice(odd)
        if isinstance(value, dict):
            made = {(k if r.random() > 0.05 else r.choice(ODD)): self.spoiled(r, v, chance) for k, v in value.items()}
            if r.random() < chance:
                made[r.choice(ODD + ["properties", "location", "tags", "sku", "id"])] = r.choice(odd)
            return made
        if isinstance(value, list):
            return [self.spoiled(r, v, chance) for v in value] * (1 if r.random() > 0.05 else 30)
        return value


def fault(method, status, headers, body, codes):
    """What is wrong with an answer, or None."""
    if status >= 500:
        return f"status {status}"
    for name, pattern in HEADERS.items():
        values = headers.get(name, [])
        if len(values) != 1 or not re.fullmatch(pattern, values[0]):
            return f"header {name}: {values}"
    if method == "HEAD" or status == 204:
        return f"a body of {len(body)} bytes" if body else None
    kind = headers.get("content-type", [""])[0]
    if status == 204 and kind:
        return "204 with a content type"
    if body and kind != "application/json; charset=utf-8":
        return f"content type {kind!r}"
    if status >= 400:
        try:
            error = json.loads(body)["error"]
            if not isinstance(error["message"], str) or not error["message"] or error["code"] not in codes:
                return f"error {error}"
        except (ValueError, KeyError, TypeError):
            return f"body {body[:200]!r}"
    if status == 401 and "www-authenticate" not in headers:
        return "401 without a challenge"
    if status == 405 and "allow" not in headers:
        return "405 without Allow"
    return None


class Wire:
    """One kept connection, TLS or plain, that sends bytes as they are and reads one answer."""

    def __init__(self, host, address, port, ca=None):
        self.host, self.address, self.port, self.ca = host, address, port, ca
        self.stream = None

    def open(self):
        plain = socket.create_connection((self.address, self.port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.ca:
            plain = ssl.create_default_context(cafile=self.ca).wrap_socket(plain, server_hostname=self.host)
        self.socket, self.stream = plain, plain.makefile("rb")

    def close(self):
        if self.stream:
            self.stream.close()
            self.socket.close()
            self.stream = None

    def ask(self, method, target, headers, body):
        head = f"{method} {target} HTTP/1.1\r\nHost: {self.host}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        if body is not None:
            head += f"Content-Length: {len(body)}\r\n"
        sent = head.encode("latin-1", "replace") + b"\r\n" + (body or b"")
        for fresh in (self.stream is None, True):
            if self.stream is None:
                self.open()
            try:
                self.socket.sendall(sent)
                return self.read(method)
            except (ConnectionError, ssl.SSLError, EOFError):
                self.close()
                if fresh:
                    raise
        raise AssertionError("unreachable")

    def read(self, method):
        line = self.stream.readline()
        if not line:
            raise EOFError("closed without an answer")
        status, headers = int(line.split()[1]), {}
        while (line := self.stream.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        body = b""
        if method != "HEAD" and status not in (204, 304):
            if "content-length" in headers:
                body = self.stream.read(int(headers["content-length"][0]))
            elif "chunked" in headers.get("transfer-encoding", [""])[0]:
                while size := int(self.stream.readline(), 16):
                    body += self.stream.read(size)
                    self.stream.readline()
                self.stream.readline()
            elif headers.get("connection", [""])[0] == "close":
                body = self.stream.read()
        if headers.get("connection", [""])[0].lower() == "close":
            self.close()
        if "gzip" in headers.get("content-encoding", [""])[0]:
            body = gzip.decompress(body)
        return status, headers, body
