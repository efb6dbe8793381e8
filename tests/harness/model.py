"""What a registry must hold: a small model that random operations are compared with (test_model.py).

Several clients work on one registry. Each has repositories of its own, so what these must hold is known exactly whatever the
others do at the same moment; blobs, usage, the catalog and the sweep are common to all. Of a blob that no manifest of the
client's refers to it is known only as long as the registry promised to keep it (docs/store.md, Reclaim): after that it may be
there or not, and the model learns which from the answer.
"""
import http.client
import json
import random
import time

from .site import digest_of

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
ATTRIBUTES = ("deleteEnabled", "writeEnabled", "readEnabled", "listEnabled")
DISALLOWED = (405, "REGISTRY_DISALLOWED_OPERATION")
PROMISE = 240  # seconds; the registry keeps its promises for 300 at least
PATIENCE = 90  # seconds in which a killed server must be back


def free():
    return dict.fromkeys(ATTRIBUTES, True)


class Content:
    """The bytes that all clients of a run push: few, so that they meet."""

    def __init__(self, seed):
        lot = random.Random(f"{seed} content")
        self.layers = [lot.randbytes(size) for size in (0, 1, 9, 100, 1000, 4095, 4096, 20_000, 70_000, 300_000)]
        self.configs = {json.dumps({"architecture": a, "os": o, "n": n}).encode(): (a, o)
                        for n, (a, o) in enumerate((("amd64", "linux"), ("arm64", "linux"), ("amd64", "windows")))}
        self.empty = b"{}"
        self.all = [*self.layers, *self.configs, self.empty]
        self.of = {digest_of(data, algorithm): data for data in self.all for algorithm in ("sha256", "sha512")}


class Manifest:
    def __init__(self, body, media_type, algorithm="sha256"):
        document = json.loads(body)
        self.body, self.media_type, self.digest = body, media_type, digest_of(body, algorithm)
        self.config = document.get("config")
        entries = ([self.config] if self.config else []) + document.get("layers", [])
        self.wants = {e["digest"]: e["size"] for e in entries}  # blobs, or in an index whatever it lists
        self.lists = {e["digest"]: e for e in document.get("manifests", [])}
        self.subject = document.get("subject", {}).get("digest")
        self.artifact_type = document.get("artifactType") or (self.config or {}).get("mediaType")
        self.annotations = document.get("annotations")
        self.blobs, self.children = dict(self.wants), {}
        self.platform = (None, None)
        self.attributes = free()


class Repository:
    """A row of the registry's; it is there from the first blob on, and shown while it has manifests."""

    def __init__(self):
        self.attributes, self.manifests, self.tags, self.links = free(), {}, {}, {}

    def tags_of(self, digest):
        return sorted(name for name, tag in self.tags.items() if tag["digest"] == digest)

    def parents_of(self, digest, seen=()):
        """Tagged indexes that list it, at any depth."""
        found = set()
        for parent in self.manifests.values():
            if digest in parent.children and parent.digest not in seen:
                if self.tags_of(parent.digest):
                    found.add(parent.digest)
                found |= self.parents_of(parent.digest, (*seen, parent.digest))
        return found

    def locked(self, attributes, digest=None, tag=None):
        """(kind, name, attribute) of what refuses."""
        found = []
        objects = [("repository", None, self.attributes)]
        if digest in self.manifests:
            objects.append(("manifest", digest, self.manifests[digest].attributes))
        if tag in self.tags:
            objects.append(("tag", tag, self.tags[tag]["attributes"]))
        for kind, name, held in objects:
            found += [(kind, name, a) for a in attributes if not held[a]]
        return found


class Fire:
    """Whether the server is being killed: then an answer may be lost, and what was asked is asked again."""

    def __init__(self):
        self.burning, self.repeats = False, 0

    def ask(self, client, method, path, body=None, headers=None):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer = client.request(method, path, body=body, headers=headers)
                if answer.status < 500:
                    return answer
                fault = answer
            except (OSError, http.client.HTTPException) as error:
                client.close()
                fault = error
            assert self.burning, f"{method} {path}: {fault!r} although nothing was killed"
            assert time.monotonic() < deadline, f"{method} {path}: {fault!r} for {PATIENCE} s"
            self.repeats += 1
            time.sleep(0.05)


class Owner:
    """One client, its repositories, and what it knows of blobs."""

    def __init__(self, name, clients, content, fire, seed):
        """`clients`: of each replica, asked in turn."""
        self.name, self.clients, self.asked, self.content, self.fire = name, clients, 0, content, fire
        self.lot = random.Random(f"{seed} {name}")
        self.names = [f"{name}/app", f"{name}/team/lib"]
        self.repositories, self.sessions, self.promises, self.log = {}, [], {}, []

    # Asking, and judging the answer.

    def ask(self, method, path, body=None, headers=None):
        self.asked += 1
        return self.fire.ask(self.clients[self.asked % len(self.clients)], method, path, body, headers)

    def want(self, answer, *allowed):
        """The answer is one of (status, code); a code of None is any."""
        code = answer.code if answer.status >= 400 and answer.body else None
        assert any(answer.status == status and (wanted is None or code == wanted) for status, wanted in allowed), (
            f"{answer} where {allowed} was due; the last steps of {self.name}:\n" + "\n".join(self.log[-12:]))
        return answer

    def say(self, text):
        self.log.append(text)

    # What is known of blobs.

    def is_promised(self, digest):
        until, _ = self.promises.get(digest, (0, False))
        return time.monotonic() < until or any(digest in m.blobs for r in self.repositories.values()
                                               for m in r.manifests.values())

    def promise(self, digest, strong):
        """Kept for a while from now; a promise that is not strong ends when the last manifest that refers to it goes."""
        _, had = self.promises.get(digest, (0, False))
        self.promises[digest] = (time.monotonic() + PROMISE, strong or (had and self.is_promised(digest)))

    def settle(self, released=()):
        """After manifests went (`released`: their blobs), or with time: what is not promised any more may be gone."""
        for digest in released:
            if not self.promises.get(digest, (0, True))[1] and not self.held(digest):
                del self.promises[digest]
        for repository in self.repositories.values():
            for digest, sure in list(repository.links.items()):
                if sure and not self.is_promised(digest):
                    repository.links[digest] = False

    def held(self, digest):
        return any(digest in m.blobs for r in self.repositories.values() for m in r.manifests.values())

    def linked(self, name, digest):
        """True, False or None: it may be there."""
        repository = self.repositories.get(name)
        if repository is None or digest not in repository.links:
            return False
        return True if repository.links[digest] else None

    def learn(self, name, digest, there):
        if there:
            self.repositories[name].links[digest] = True
        elif name in self.repositories:
            self.repositories[name].links.pop(digest, None)

    def pushed(self, name, digest):
        known = any(r.links.get(digest) for r in self.repositories.values())
        self.repositories.setdefault(name, Repository()).links[digest] = True
        self.promise(digest, known)

    # Comparing what is listed with what must be.

    def walk(self, path, key, n):
        """All pages of a list, by `Link`."""
        found, url, turns = [], f"{path}?n={n}", 0
        while url:
            answer = self.want(self.ask("GET", url), (200, None))
            page = answer.json[key]
            assert len(page) <= n
            found += page
            link = answer.header("Link")
            assert link is None or len(page) == n, link
            url, turns = link[1:link.index(">")] if link else None, turns + 1
            assert turns < 1000
        return found

    def verify(self, name):
        """The lists of one repository."""
        repository = self.repositories.get(name)
        shown = self.ask("GET", f"/acr/v1/{name}")
        if repository is None or not repository.manifests:
            self.want(shown, (404, "NAME_UNKNOWN"))
        else:
            self.want(shown, (200, None))
            found = shown.json
            attributes = dict(found["changeableAttributes"])
            assert attributes.pop("teleportEnabled") is False
            assert (found["imageName"], found["manifestCount"], found["tagCount"], attributes) == (
                name, len(repository.manifests), len(repository.tags), repository.attributes), found
        if repository is None:
            self.want(self.ask("GET", f"/v2/{name}/tags/list"), (404, "NAME_UNKNOWN"))
            self.want(self.ask("GET", f"/acr/v1/{name}/_manifests"), (404, "NAME_UNKNOWN"))
            return
        tags = {t: tag for t, tag in sorted(repository.tags.items()) if tag["attributes"]["listEnabled"]}
        assert self.walk(f"/v2/{name}/tags/list", "tags", self.lot.choice((1, 2, 100))) == list(tags)
        rows = self.walk(f"/acr/v1/{name.replace('/', '%2F')}/_tags", "tags", self.lot.choice((1, 2, 100)))
        assert [(r["name"], r["digest"], r["changeableAttributes"]) for r in rows] == [
            (t, tag["digest"], tag["attributes"]) for t, tag in tags.items()]
        for row in self.walk(f"/acr/v1/{name}/_manifests", "manifests", self.lot.choice((2, 100))):
            self.verify_row(repository, row)
        listed = [r["digest"] for r in self.walk(f"/acr/v1/{name}/_manifests", "manifests", 3)]
        assert listed == sorted(d for d, m in repository.manifests.items() if m.attributes["listEnabled"])

    def verify_row(self, repository, row):
        manifest = repository.manifests[row["digest"]]
        assert row["mediaType"] == manifest.media_type and row["changeableAttributes"] == manifest.attributes, row
        assert row.get("tags", []) == [t for t in repository.tags_of(row["digest"])
                               if repository.tags[t]["attributes"]["listEnabled"]], row
        assert row.get("configMediaType") == (manifest.config or {}).get("mediaType"), row
        assert (row.get("architecture"), row.get("os")) == manifest.platform, row
        assert sorted(r["digest"] for r in row.get("references", [])) == sorted(manifest.children), row
        if not manifest.lists:
            assert row["imageSize"] == sum(manifest.blobs.values()), row

    def verify_content(self, name):
        """Every manifest and tag, and every blob that a manifest refers to, byte for byte."""
        repository = self.repositories.get(name)
        if repository is None:
            return
        for digest, manifest in repository.manifests.items():
            answer = self.ask("GET", f"/v2/{name}/manifests/{digest}")
            if repository.locked(("readEnabled",), digest):
                self.want(answer, DISALLOWED)
            else:
                self.want(answer, (200, None))
                assert answer.body == manifest.body and answer.header("Content-Type") == manifest.media_type
        for tag, row in repository.tags.items():
            answer = self.ask("HEAD", f"/v2/{name}/manifests/{tag}")
            if repository.locked(("readEnabled",), row["digest"], tag):
                self.want(answer, (405, None))
            else:
                self.want(answer, (200, None))
                assert answer.header("Docker-Content-Digest") == row["digest"]
        for digest in {d for m in repository.manifests.values() for d in m.blobs}:
            answer = self.ask("GET", f"/v2/{name}/blobs/{digest}")
            if not repository.attributes["readEnabled"]:
                self.want(answer, DISALLOWED)
            else:
                self.want(answer, (200, None))
                assert answer.body == self.content.of[digest], digest

    # What is common to all.

    def live_blobs(self):
        return {d: size for r in self.repositories.values() for m in r.manifests.values() for d, size in m.blobs.items()}

    def manifest_bytes(self):
        return sum(len(m.body) for r in self.repositories.values() for m in r.manifests.values())

    def in_catalog(self):
        return [n for n, r in self.repositories.items() if r.manifests and r.attributes["listEnabled"]]


def live_blobs_of(owners):
    return {digest: size for owner in owners for digest, size in owner.live_blobs().items()}


def usage_of(owners):
    """Each blob once in the registry, each manifest once in its repository (decisions 21)."""
    return sum(live_blobs_of(owners).values()) + sum(owner.manifest_bytes() for owner in owners)


def usage_rows(owners):
    """What `/acr/v1/_usage` must say, by name: manifests, their bytes, bytes only this repository needs, bytes others need too."""
    needs = {name: {d: size for m in r.manifests.values() for d, size in m.blobs.items()}
             for owner in owners for name, r in owner.repositories.items()}
    rows = {}
    for owner in owners:
        for name in owner.in_catalog():
            manifests = owner.repositories[name].manifests.values()
            shared = sum(size for d, size in needs[name].items() if any(d in n for other, n in needs.items() if other != name))
            own, bytes_ = sum(needs[name].values()) - shared, sum(len(m.body) for m in manifests)
            rows[name] = (len(manifests), bytes_, own + bytes_, shared)
    return rows
