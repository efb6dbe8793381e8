"""The same content in our registry and in docker-registry: blobs and a manifest."""
import hashlib
import json

from harness.site import digest_of, image_manifest
from harness.wire import Client

from . import reference

REPOSITORY = "bench/content"
TYPE = "application/vnd.oci.image.manifest.v1+json"


def ours(bench):
    return bench.registry().client(token=bench.once("content-token", lambda: bench.registry_token(REPOSITORY)))


def theirs(bench):
    reference.nginx(bench)
    return Client(bench.registry().host, reference.PROXY_PORT, bench.ca)


def push(bench, *clients):
    """Pushes one image of a 4 KiB layer to each; the digests of its layer and its manifest."""
    layer = hashlib.sha256(b"layer").digest() * 128
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {
        "type": "layers", "diff_ids": [digest_of(layer)]}}).encode()
    manifest = image_manifest(config, [layer])
    for client in clients:
        for blob in (layer, config):
            location = client.post(f"/v2/{REPOSITORY}/blobs/uploads/").expect(202).header("Location")
            location = client.patch(location, blob, headers={"Content-Type": "application/octet-stream"}
                                    ).expect(202).header("Location")
            joint = "&" if "?" in location else "?"
            client.put(f"{location}{joint}digest={digest_of(blob)}").expect(201)
        client.put(f"/v2/{REPOSITORY}/manifests/1", manifest, headers={"Content-Type": TYPE}).expect(201)
    return digest_of(layer), digest_of(manifest)


def image(bench):
    """The same image in both registries; the digests of its layer and its manifest."""
    return bench.once("image", lambda: push(bench, ours(bench), theirs(bench)))
