"""Content that the cases of the OCI conformance suite push, made anew for each, and the ways to push a blob."""
import gzip
import json
import os
import re
import urllib.parse

from .site import digest_of

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
EMPTY = "application/vnd.oci.empty.v1+json"
EXAMPLE = "application/vnd.example.oci.conformance"
DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
BYTES = {"Content-Type": "application/octet-stream"}


class Content:
    """Blobs, manifests in the order in which they are pushed, tags, and what refers to what."""

    def __init__(self, algorithm="sha256"):
        self.algorithm = algorithm
        self.blobs, self.manifests, self.tags, self.referrers = {}, {}, {}, {}

    def blob(self, data, media_type=LAYER):
        """The descriptor."""
        digest = digest_of(data, self.algorithm)
        self.blobs[digest] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def layer(self, compressed=True):
        """(descriptor, digest of the layer as it is unpacked)"""
        plain = os.urandom(700)
        packed = gzip.compress(plain, mtime=0) if compressed else plain
        return self.blob(packed, LAYER + "+gzip" if compressed else LAYER), digest_of(plain, self.algorithm)

    def manifest(self, document, tag=None):
        """The descriptor of a document that has its mediaType in it."""
        body = json.dumps(document).encode()
        digest = digest_of(body, self.algorithm)
        self.manifests[digest] = (document["mediaType"], body)
        if tag:
            self.tags[tag] = digest
        descriptor = {"mediaType": document["mediaType"], "digest": digest, "size": len(body)}
        if subject := document.get("subject"):
            kind = document.get("artifactType") or document.get("config", {}).get("mediaType")
            listed = {**descriptor, **({"artifactType": kind} if kind else {})}
            if document.get("annotations"):
                listed["annotations"] = document["annotations"]
            self.referrers.setdefault(subject["digest"], []).append(listed)
        return descriptor

    def image(self, tag=None, layers=2, compressed=True, architecture="amd64", extra=None, **members):
        made = [self.layer(compressed) for _ in range(layers)]
        config = {"architecture": architecture, "os": "linux", "config": {}, "author": os.urandom(8).hex(),
                  "rootfs": {"type": "layers", "diff_ids": [plain for _, plain in made]}, **(extra or {})}
        return self.manifest({
            "schemaVersion": 2, "mediaType": IMAGE, "config": self.blob(json.dumps(config).encode(), CONFIG),
            "layers": [descriptor for descriptor, _ in made], **(extra or {}), **members}, tag)

    def artifact(self, tag=None, kind=EXAMPLE, layer=None, **members):
        """An image manifest that is no image: an artifactType, the empty config, one layer."""
        layer = self.blob(os.urandom(300), kind) if layer is None else layer
        return self.manifest({
            "schemaVersion": 2, "mediaType": IMAGE, "artifactType": kind, "config": self.blob(b"{}", EMPTY),
            "layers": [layer], **members}, tag)

    def index(self, children, tag=None, **members):
        """`children`: descriptors, each perhaps with its platform."""
        return self.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": children,
                              "annotations": {"made": os.urandom(8).hex()}, **members}, tag)

    def platforms(self, tag=None, make=None, extra=None, **members):
        """An index of one child for each of two platforms."""
        make = make or (lambda architecture: self.image(architecture=architecture, extra=extra))
        return self.index([{**make(architecture), "platform": {"os": "linux", "architecture": architecture}}
                           for architecture in ("amd64", "arm64")], tag, **(extra or {}), **members)


def start(client, repository):
    return client.post(f"/v2/{repository}/blobs/uploads/").expect(202).header("Location")


def with_digest(location, digest):
    return f"{location}{'&' if '?' in location else '?'}digest={digest}"


def pieces(data):
    """A body that http.client sends in chunks of HTTP (it counts none of an iterator's bytes)."""
    return iter([piece for piece in (data[:100], data[100:]) if piece])


# The ways to push a blob; each gives the last answer, whatever it is.

def post_only(client, repository, digest, data):
    return client.post(with_digest(f"/v2/{repository}/blobs/uploads/", digest), data, headers=BYTES)


def post_and_put(client, repository, digest, data):
    return client.put(with_digest(start(client, repository), digest), data, headers=BYTES)


def stream(client, repository, digest, data):
    """One PATCH without a range and without a length, then PUT."""
    location = client.patch(start(client, repository), pieces(data), headers=BYTES).expect(202).header("Location")
    return client.put(with_digest(location, digest), headers=BYTES)


def chunked(client, repository, digest, data, chunks=3, put_chunk=False, between=None):
    """One PATCH with its range for each chunk; `put_chunk`: the last goes with the PUT. `between(location, offset, size)` is
    called before each chunk and gives the location to go on with."""
    location, size = start(client, repository), max(-(-len(data) // chunks), 1)
    for offset in range(0, len(data), size):
        if between:
            location = between(location, offset, size)
        piece = data[offset:offset + size]
        headers = {**BYTES, "Content-Range": f"{offset}-{offset + len(piece) - 1}"}
        if put_chunk and offset + size >= len(data):
            return client.put(with_digest(location, digest), piece, headers=headers)
        patched = client.patch(location, piece, headers=headers).expect(202)
        assert patched.header("Range") == f"0-{offset + len(piece) - 1}"
        location = patched.header("Location")
    return client.put(with_digest(location, digest), headers=BYTES)


WAYS = {"post only": post_only, "post+put": post_and_put, "stream": stream, "chunked": chunked}


def push(client, repository, content, way=post_only):
    """Everything, in the order that its references ask for."""
    for digest, data in content.blobs.items():
        way(client, repository, digest, data).expect(201)
    for digest, (media_type, body) in content.manifests.items():
        client.put(f"/v2/{repository}/manifests/{digest}", body, headers={"Content-Type": media_type}).expect(201)
    for tag, digest in content.tags.items():
        media_type, body = content.manifests[digest]
        client.put(f"/v2/{repository}/manifests/{tag}", body, headers={"Content-Type": media_type}).expect(201)


def follow(client, path, key):
    """The pages from `path` on, by their Links; each Link is relative, and the last page has none."""
    pages = []
    while path:
        answer = client.get(path).expect(200)
        pages.append(answer.json[key])
        link = answer.header("Link")
        path = link and re.fullmatch(r'<(/[^>]*)>; rel="next"', link)[1]
        assert not path or all("=" in part for part in urllib.parse.urlsplit(path).query.split("&"))  # az asks for that
        assert len(pages) < 100
    return pages
