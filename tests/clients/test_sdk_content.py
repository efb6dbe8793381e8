"""azure-containerregistry and @azure/container-registry, the SDKs of what is in a registry: every call of theirs, signed in
with the registries' audience and with Resource Manager's, and with nothing (data-plane.md 1.4, 2.2; decisions 24)."""
import json

import pytest

from harness.site import digest_of, image_manifest

REGISTRY_AUDIENCE = "https://containerregistry.azure.net"

JAVASCRIPT = """
import { createHash, randomBytes } from "node:crypto";
import { ContainerRegistryClient, ContainerRegistryContentClient } from "@azure/container-registry";
const { server, repository, audience } = values, endpoint = "https://" + server, seen = {};
const client = new ContainerRegistryClient(endpoint, credential, { audience });
const content = new ContainerRegistryContentClient(endpoint, repository, credential, { audience });
const sha = (bytes) => "sha256:" + createHash("sha256").update(bytes).digest("hex");
const read = async (stream) => { const parts = []; for await (const part of stream) parts.push(part); return Buffer.concat(parts); };
const pages = async (list, maxPageSize, of) => {
    const found = []; for await (const page of list.byPage({ maxPageSize })) found.push(page.map(of)); return found; };

const layer = randomBytes(4 * 1024 * 1024 + 1000); // one chunk of the SDK's, and a little
const config = Buffer.from(JSON.stringify({ architecture: "arm64", os: "linux" }));
const uploaded = [await content.uploadBlob(config), await content.uploadBlob(layer)];
seen.uploaded = uploaded.every((one, i) => one.digest === sha([config, layer][i]) && one.sizeInBytes === [config, layer][i].length);
const image = (salt) => ({ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: sha(config), size: config.length },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: sha(layer), size: layer.length }],
    annotations: { salt } });
const first = await content.setManifest(image("1"), { tag: "v1" }), second = await content.setManifest(image("2"), { tag: "v2" });
const third = await content.setManifest(image("3"));
const got = await content.getManifest("v1");
seen.manifest = [got.digest === first.digest, got.mediaType, got.manifest.annotations.salt];
seen.byDigest = (await content.getManifest(third.digest)).manifest.annotations.salt;
seen.blob = sha(await read((await content.downloadBlob(sha(layer))).content)) === sha(layer);

seen.repositories = (await pages(client.listRepositoryNames(), 1, (name) => name)).flat().includes(repository);
const about = client.getRepository(repository), artifact = about.getArtifact("v1");
const properties = await about.getProperties();
seen.properties = [properties.name, properties.manifestCount, properties.tagCount, properties.canWrite, properties.registryLoginServer];
const names = { [first.digest]: 1, [second.digest]: 2, [third.digest]: 3 };
seen.manifests = await pages(about.listManifestProperties(), 2, (one) => names[one.digest]);
seen.newest = await pages(about.listManifestProperties({ order: "LastUpdatedOnDescending" }), 1, (one) => names[one.digest]);
seen.oldest = await pages(about.listManifestProperties({ order: "LastUpdatedOnAscending" }), 2, (one) => names[one.digest]);
const manifest = await artifact.getManifestProperties();
seen.one = [manifest.digest === first.digest, manifest.sizeInBytes === config.length + layer.length, manifest.architecture,
    manifest.operatingSystem, manifest.tags, manifest.canDelete, manifest.createdOn instanceof Date, manifest.repositoryName];
seen.untagged = (await about.getArtifact(third.digest).getManifestProperties()).tags;
await content.setManifest(image("1"), { tag: "also" });
seen.tags = await pages(artifact.listTagProperties(), 1, (tag) => tag.name);
seen.tagsByTime = await pages(artifact.listTagProperties({ order: "LastUpdatedOnDescending" }), 1, (tag) => tag.name);
const tag = await artifact.getTagProperties("also");
seen.tag = [tag.name, tag.digest === first.digest, tag.canWrite];

const changed = (one) => [one.canDelete, one.canWrite, one.canList, one.canRead];
seen.lockedTag = changed(await artifact.updateTagProperties("also", { canWrite: false }));
seen.tagRefuses = await fails(artifact.deleteTag("also"));
await artifact.updateTagProperties("also", { canWrite: true });
seen.lockedManifest = changed(await artifact.updateManifestProperties({ canDelete: false, canList: false }));
seen.manifestRefuses = await fails(artifact.delete());
seen.hidden = (await pages(about.listManifestProperties(), 9, (one) => names[one.digest])).flat();
await artifact.updateManifestProperties({ canDelete: true, canList: true });
seen.lockedRepository = changed(await about.updateProperties({ canWrite: false }));
seen.repositoryRefuses = await fails(content.setManifest(image("4"), { tag: "v4" }));
await about.updateProperties({ canWrite: true });

await artifact.deleteTag("also");
seen.tagGone = await fails(artifact.getTagProperties("also"));
await content.deleteManifest(third.digest);
await about.getArtifact("v2").delete();
seen.left = (await pages(about.listManifestProperties(), 9, (one) => names[one.digest])).flat();
seen.blobInUse = await fails(content.deleteBlob(sha(config)));
await content.deleteManifest(first.digest);
await content.uploadBlob(Buffer.from("alone"));
await content.deleteBlob(sha(Buffer.from("alone")));
seen.blobGone = await fails(content.downloadBlob(sha(Buffer.from("alone"))));
await content.uploadBlob(config); await content.uploadBlob(layer); await content.setManifest(image("5"), { tag: "v5" });
await client.deleteRepository(repository);
seen.gone = await fails(about.getProperties());
seen.anonymous = await fails(all(new ContainerRegistryClient(endpoint).listRepositoryNames()));
answer(seen);
"""

PYTHON = """
import hashlib, io, os
from azure.containerregistry import ArtifactManifestOrder, ArtifactTagOrder, ContainerRegistryClient
server, repository, audience, seen = values["server"], values["repository"], values["audience"], {}
client = ContainerRegistryClient("https://" + server, credential, audience=audience)
def refused(call, *arguments, **named): # its own message says nothing of what the answer told
    try:
        call(*arguments, **named)
    except HttpResponseError as e:
        return {"status": e.status_code, "message": json.loads(e.response.text())["errors"][0]["message"]}
    raise AssertionError("it did not fail")
sha = lambda data: "sha256:" + hashlib.sha256(data).hexdigest()
pages = lambda list_, of: [[of(one) for one in page] for page in list_.by_page()]

layer, config = os.urandom(4 * 1024 * 1024 + 1000), json.dumps({"architecture": "arm64", "os": "linux"}).encode()
seen["uploaded"] = all(client.upload_blob(repository, io.BytesIO(data)) == (sha(data), len(data)) for data in (config, layer))
def image(salt):
    return {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha(config), "size": len(config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": sha(layer), "size": len(layer)}],
            "annotations": {"salt": salt}}
first, second = (client.set_manifest(repository, image(salt), tag="v" + salt) for salt in "12")
third = client.set_manifest(repository, image("3"))
got = client.get_manifest(repository, "v1")
seen["manifest"] = [got.digest == first, got.media_type, got.manifest["annotations"]["salt"]]
seen["byDigest"] = client.get_manifest(repository, third).manifest["annotations"]["salt"]
seen["blob"] = b"".join(client.download_blob(repository, sha(layer))) == layer

seen["repositories"] = repository in sum(pages(client.list_repository_names(results_per_page=1), str), [])
properties = client.get_repository_properties(repository)
seen["properties"] = [properties.name, properties.manifest_count, properties.tag_count, properties.can_write, server]
names = {first: 1, second: 2, third: 3}
manifests = lambda **more: pages(client.list_manifest_properties(repository, **more), lambda one: names[one.digest])
seen["manifests"] = manifests(results_per_page=2)
seen["newest"] = manifests(results_per_page=1, order_by=ArtifactManifestOrder.LAST_UPDATED_ON_DESCENDING)
seen["oldest"] = manifests(results_per_page=2, order_by=ArtifactManifestOrder.LAST_UPDATED_ON_ASCENDING)
one = client.get_manifest_properties(repository, "v1")
seen["one"] = [one.digest == first, one.size_in_bytes == len(config) + len(layer), one.architecture, one.operating_system, one.tags,
               one.can_delete, hasattr(one.created_on, "isoformat"), one.repository_name]
seen["untagged"] = client.get_manifest_properties(repository, third).tags or []
client.set_manifest(repository, image("1"), tag="also")
tags = lambda **more: pages(client.list_tag_properties(repository, results_per_page=1, **more), lambda tag: tag.name)
seen["tags"] = tags()
seen["tagsByTime"] = tags(order_by=ArtifactTagOrder.LAST_UPDATED_ON_DESCENDING)
tag = client.get_tag_properties(repository, "also")
seen["tag"] = [tag.name, tag.digest == first, tag.can_write]

changed = lambda one: [one.can_delete, one.can_write, one.can_list, one.can_read]
seen["lockedTag"] = changed(client.update_tag_properties(repository, "also", can_write=False))
seen["tagRefuses"] = refused(client.delete_tag, repository, "also")
client.update_tag_properties(repository, "also", can_write=True)
seen["lockedManifest"] = changed(client.update_manifest_properties(repository, "v1", can_delete=False, can_list=False))
seen["manifestRefuses"] = refused(client.delete_manifest, repository, "v1")
seen["hidden"] = sum(manifests(), [])
client.update_manifest_properties(repository, "v1", can_delete=True, can_list=True)
seen["lockedRepository"] = changed(client.update_repository_properties(repository, can_write=False))
seen["repositoryRefuses"] = refused(client.set_manifest, repository, image("4"), tag="v4")
client.update_repository_properties(repository, can_write=True)

client.delete_tag(repository, "also")
seen["tagGone"] = fails(client.get_tag_properties, repository, "also")
client.delete_manifest(repository, third)
client.delete_manifest(repository, "v2")
seen["left"] = sum(manifests(), [])
seen["blobInUse"] = refused(client.delete_blob, repository, sha(config))
client.delete_manifest(repository, first)
client.upload_blob(repository, io.BytesIO(b"alone"))
client.delete_blob(repository, sha(b"alone"))
seen["blobGone"] = fails(client.download_blob, repository, sha(b"alone"))
client.upload_blob(repository, io.BytesIO(config)); client.upload_blob(repository, io.BytesIO(layer))
client.set_manifest(repository, image("5"), tag="v5")
client.delete_repository(repository)
seen["gone"] = fails(client.get_repository_properties, repository)
seen["anonymous"] = fails(ContainerRegistryClient("https://" + server).list_repository_names)
answer(seen)
"""


@pytest.fixture(scope="module")
def target(site, operator):
    group = site.unique("sdkc")
    operator.put(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version=2019-10-01",
                 {"location": site.region}).expect(201)
    yield site.create_registry(operator, group, admin=False)
    operator.delete(f"/subscriptions/{site.subscription}/resourcegroups/{group}?api-version=2019-10-01").expect(202)


def check(target, repository, seen):
    assert seen["uploaded"] and seen["blob"] and seen["repositories"]
    assert seen["manifest"] == [True, "application/vnd.oci.image.manifest.v1+json", "1"] and seen["byDigest"] == "3"
    assert seen["properties"] == [repository, 3, 2, True, target.server]
    assert sorted(sum(seen["manifests"], [])) == [1, 2, 3] and [len(page) for page in seen["manifests"]] == [2, 1]
    assert seen["newest"] == [[3], [2], [1]] and seen["oldest"] == [[1, 2], [3]]
    assert seen["one"] == [True, True, "arm64", "linux", ["v1"], True, True, repository] and seen["untagged"] == []
    assert seen["tags"] == [["also"], ["v1"], ["v2"]] and seen["tagsByTime"] == [["also"], ["v2"], ["v1"]]
    assert seen["tag"] == ["also", True, True]
    assert seen["lockedTag"] == [True, False, True, True]
    assert seen["lockedManifest"] == [False, True, False, True] and sorted(seen["hidden"]) == [2, 3]
    assert seen["lockedRepository"] == [True, False, True, True]
    # S26: what is locked, and by which attribute.
    for key, said in (("tagRefuses", "The tag 'also' is locked: its attribute writeEnabled is false"),
                      ("manifestRefuses", "is locked: its attribute deleteEnabled is false"),
                      ("repositoryRefuses", f"The repository '{repository}' is locked: its attribute writeEnabled is false"),
                      ("blobInUse", "The blob is referred to by the manifest sha256:")):
        assert seen[key]["status"] == 405 and said in seen[key]["message"], seen[key]
    assert seen["left"] == [1]
    assert seen["tagGone"]["status"] == seen["blobGone"]["status"] == seen["gone"]["status"] == 404
    assert seen["anonymous"]["status"] == 401


@pytest.mark.parametrize("audience", ["registry", "arm"])
@pytest.mark.parametrize("language", ["javascript", "python"])
def test_every_call(request, site, target, language, audience):
    sdk = request.getfixturevalue({"javascript": "node_sdk", "python": "python_sdk"}[language])
    repository = site.unique(f"sdk/{language}/{audience}")
    seen = sdk(JAVASCRIPT if language == "javascript" else PYTHON, server=target.server, repository=repository,
               audience=REGISTRY_AUDIENCE if audience == "registry" else site.facts["audience"])
    check(target, repository, seen)


# Repositories and tags beyond one page (S24), and an index with its references, as the SDKs see them.
WALK = """
from azure.containerregistry import ContainerRegistryClient
client = ContainerRegistryClient("https://" + values["server"], credential)
one = client._client.container_registry.get_manifest_properties(values["repository"], values["index"])
answer({"tags": [tag.name for tag in client.list_tag_properties(values["repository"], results_per_page=50)],
        "related": [[r.digest, r.architecture, r.operating_system] for r in one.manifest.related_artifacts],
        "size": one.manifest.size})
"""


# decisions 15
def test_many_tags_and_an_index(site, operator, target, python_sdk):
    repository = site.unique("sdk/many")
    principal = site.principal()
    site.assign(operator, principal, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", target.id)
    client = target.client(principal["appId"], principal["secret"])
    shared, mine = b"shared" * 100, [b"a" * 10, b"b" * 20]
    config = b'{"architecture":"amd64","os":"linux"}'
    digests = [target.push_image(client, repository, f"arch{i}", [shared, mine[i]], config)[0] for i in range(2)]
    sizes = [len(image_manifest(config, [shared, layer])) for layer in mine]
    index = json.dumps({"schemaVersion": 2, "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": d, "size": s, "platform": {"architecture": a, "os": "linux"}}
        for d, s, a in zip(digests, sizes, ("amd64", "arm64"))]}).encode()
    tags = [f"t{i:03}" for i in range(120)]
    for tag in tags:
        client.put(f"/v2/{repository}/manifests/{tag}", index,
                   headers={"Content-Type": "application/vnd.oci.image.index.v1+json"}).expect(201)
    seen = python_sdk(WALK, server=target.server, repository=repository, index=digest_of(index))
    assert seen["tags"] == ["arch0", "arch1", *tags]
    assert sorted(seen["related"]) == sorted([[digests[0], "amd64", "linux"], [digests[1], "arm64", "linux"]])
    assert seen["size"] == len(config) + len(shared) + sum(len(layer) for layer in mine)
