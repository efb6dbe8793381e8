"""Images made on the spot as OCI layouts, and the container tools that push them: run by name, or skipped where they are not."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import subprocess
import tarfile

import pytest

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
# Old and new names of the same thing, as the types' specification has them.
NOT_FOR_DISTRIBUTION = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"


def run(*arguments, env=None, check=True, timeout=180, cwd=None):
    done = subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout, cwd=cwd,
                          env={**os.environ, **(env or {})})
    assert not check or done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done


def tool(name):
    """The program that script/clients built, or one of the machine's; else the test is skipped and says so."""
    complete = BUILD / name / "complete"
    if complete.exists() and complete.read_text().splitlines()[0] == str(BUILD / name):
        return str(BUILD / name / "bin" / name)
    pytest.skip(f"{name} is not installed: script/clients {name} builds it from its Go module")
    return None


class Layout:
    """An OCI layout directory that images are added to. Layers are compressed: a client that finds plain ones compresses them."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.blobs = self.directory / "blobs" / "sha256"
        self.blobs.mkdir(parents=True)
        self.entries = []
        (self.directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def put(self, data):
        digest = hashlib.sha256(data).hexdigest()
        (self.blobs / digest).write_bytes(data)
        return "sha256:" + digest

    def layer(self, content, name="file"):
        """(descriptor, the digest of the plain archive) of a layer with one file."""
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as tar:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
        data = gzip.compress(plain.getvalue(), mtime=0)
        return ({"mediaType": LAYER, "digest": self.put(data), "size": len(data)},
                "sha256:" + hashlib.sha256(plain.getvalue()).hexdigest())

    def image(self, contents, architecture="amd64", tag=None, foreign=None, extra=None):
        """A manifest's descriptor. `foreign`: a descriptor to stand in the last layer's place."""
        made = [self.layer(content, f"file{i}") for i, content in enumerate(contents)]
        layers = [descriptor for descriptor, _ in made]
        if foreign:
            layers.append(foreign[0])
        config = json.dumps({"architecture": architecture, "os": "linux", "config": {}, "rootfs": {
            "type": "layers", "diff_ids": [d for _, d in made] + ([foreign[1]] if foreign else [])}}).encode()
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {
            "mediaType": CONFIG, "digest": self.put(config), "size": len(config)}, "layers": layers, **(extra or {})}
        body = json.dumps(document).encode()
        made = {"mediaType": MANIFEST, "digest": self.put(body), "size": len(body),
                "platform": {"architecture": architecture, "os": "linux"}}
        self.size = len(body) + len(config) + sum(layer["size"] for layer in layers)
        return self.tagged(made, tag)

    def index(self, entries, tag=None):
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
        return self.tagged({"mediaType": INDEX, "digest": self.put(body), "size": len(body)}, tag)

    def tagged(self, descriptor, tag):
        if tag:
            self.entries.append({**descriptor, "annotations": {"org.opencontainers.image.ref.name": tag}})
            (self.directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": self.entries}))
        return descriptor

    def archive(self, path):
        with tarfile.open(path, "w") as tar:
            for file in sorted(self.directory.rglob("*")):
                tar.add(file, str(file.relative_to(self.directory)), recursive=False)
        return str(path)


def multi_platform(directory, tag="latest", size=50_000):
    """A layout of an index with two images that share a layer."""
    made = Layout(directory)
    shared = os.urandom(size)
    images = [made.image([shared, os.urandom(1000)], architecture) for architecture in ("amd64", "arm64")]
    made.top = made.index(images, tag)
    made.images = images
    return made
