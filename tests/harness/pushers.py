"""Clients of a registry as container tools are: they look before they push, try again after a fault, and check what they pull."""
import http.client
import json
import os
import random
import time

from .site import digest_of, image_manifest

IMAGE = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
BYTES = {"Content-Type": "application/octet-stream"}
CONFIG = json.dumps({"architecture": "amd64", "os": "linux"}).encode()


class Lost(AssertionError):
    """What the registry had said to have was not there."""


class Pusher:
    """One client with a repository of its own; `live` is what it pushed and did not delete."""

    def __init__(self, registry, repository, seed, shared=(), patience=60):
        self.client, self.repository, self.lot = registry.client(), repository, random.Random(seed)
        self.shared, self.patience = list(shared), patience
        self.live, self.pushes, self.pulls, self.deletes, self.repeats = {}, 0, 0, 0, 0
        self.mounts_from = [repository]

    def ask(self, method, path, body=None, headers=None):
        """What a client does: again until it is answered."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                answer = self.client.request(method, path, body=body, headers=headers)
                if answer.status < 500:
                    return answer
                fault = answer
            except (OSError, http.client.HTTPException) as error:
                self.client.close()
                fault = error
            if time.monotonic() > deadline:
                raise AssertionError(f"{method} {path}: {fault!r} for {self.patience} s")
            self.repeats += 1
            time.sleep(0.05)

    def push_blob(self, data):
        digest = digest_of(data)
        if self.ask("HEAD", f"/v2/{self.repository}/blobs/{digest}").expect(200, 404).status == 200:
            return
        for _ in range(50):
            start = f"/v2/{self.repository}/blobs/uploads/"
            if self.lot.random() < 0.3:
                start += f"?mount={digest}&from={self.lot.choice(self.mounts_from)}"
            answer = self.ask("POST", start).expect(201, 202)
            if answer.status == 201:
                return
            half = self.lot.randrange(len(data) + 1)
            answer = self.ask("PATCH", answer.header("Location"), data[:half], BYTES)
            if answer.status == 202:
                answer = self.ask("PUT", f"{answer.header('Location')}&digest={digest}", data[half:], BYTES)
            if answer.status == 201:
                return
            # A part that came in before the answer was lost: a client begins again.
            assert answer.status in (400, 404, 409, 416), answer
        raise AssertionError(f"{digest} could not be pushed 50 times")

    def push(self, tag, layers):
        manifest = image_manifest(CONFIG, layers)
        for _ in range(20):
            began = time.monotonic()
            for data in [CONFIG, *layers]:
                self.push_blob(data)
            answer = self.ask("PUT", f"/v2/{self.repository}/manifests/{tag}", manifest, IMAGE)
            if answer.status == 201:
                break
            # It said of each blob that it has it, and keeps that for minutes.
            if time.monotonic() - began < 200:
                raise Lost(f"{answer} {time.monotonic() - began:.1f} s after the blobs")
        digest = digest_of(manifest)
        self.live[digest] = (tag, manifest, layers)
        for other in [d for d, (t, *_) in self.live.items() if t == tag and d != digest]:
            self.live[other] = (None, *self.live[other][1:])
        self.pushes += 1
        return digest

    def pull(self, digest):
        """All of a live image, whole: a fault that does not go away by trying again is a lost layer."""
        tag, manifest, layers = self.live[digest]
        answer = self.ask("GET", f"/v2/{self.repository}/manifests/{tag or digest}")
        if answer.status != 200 or answer.body != manifest:
            raise Lost(f"{self.repository}:{tag or digest}: {answer}")
        for data in [CONFIG, *layers]:
            answer = self.ask("GET", f"/v2/{self.repository}/blobs/{digest_of(data)}")
            if answer.status != 200 or answer.body != data:
                raise Lost(f"{self.repository}@{digest_of(data)}: {answer}")
        self.pulls += 1

    def delete(self, digest):
        self.ask("DELETE", f"/v2/{self.repository}/manifests/{digest}").expect(202, 404)
        del self.live[digest]
        self.deletes += 1

    def turn(self):
        what = self.lot.random()
        if what < 0.45 or not self.live:
            layers = self.lot.sample(self.shared, min(2, len(self.shared)))
            if self.lot.random() < 0.7:
                layers.append(os.urandom(self.lot.randrange(1, 30_000)))
            self.push(f"t{self.lot.randrange(3)}", layers)
        elif what < 0.75:
            self.pull(self.lot.choice(list(self.live)))
        else:
            self.delete(self.lot.choice(list(self.live)))


def recount(pushers):
    """What usage must be: every live manifest in its repository, every blob that one refers to once."""
    blobs, manifests = {}, 0
    for pusher in pushers:
        for _, manifest, layers in pusher.live.values():
            manifests += len(manifest)
            blobs.update({digest_of(data): len(data) for data in [CONFIG, *layers]})
    return manifests + sum(blobs.values())
