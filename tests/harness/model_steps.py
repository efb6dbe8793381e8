"""The operations of the model test: each asks the registry, compares the answer with what the model foretells, and changes the
model as the registry must have changed. `step(owner)` does one that the owner's lot chooses."""
import json

from .model import (ATTRIBUTES, CONFIG, DISALLOWED, DOCKER_IMAGE, DOCKER_LIST, IMAGE, INDEX, Manifest, Repository)
from .site import digest_of

BYTES = {"Content-Type": "application/octet-stream"}
TAGS = ("latest", "v1", "v2", "a.b-c_d")
CHANGE, DELETE, READ = ("writeEnabled",), ("writeEnabled", "deleteEnabled"), ("readEnabled",)


def some_name(owner):
    return owner.lot.choice(owner.names)


def some_blob(owner, sure_in=None):
    """A digest of the common content; mostly one that this repository has."""
    repository = owner.repositories.get(sure_in)
    if repository and repository.links and owner.lot.random() < 0.8:
        return owner.lot.choice(sorted(repository.links))
    return digest_of(owner.lot.choice(owner.content.all), "sha512" if owner.lot.random() < 0.1 else "sha256")


def is_shut(owner, name):
    repository = owner.repositories.get(name)
    return repository is not None and not repository.attributes["writeEnabled"]


# ---- blobs

def push_blob(owner, name=None, data=None):
    name = name or some_name(owner)
    data = owner.lot.choice(owner.content.all) if data is None else data
    algorithm = "sha512" if owner.lot.random() < 0.1 else "sha256"
    digest, form = digest_of(data, algorithm), owner.lot.choice(("whole", "put", "patch", "patches"))
    owner.say(f"push {digest[:19]} ({len(data)}) to {name} by {form}")
    start = f"/v2/{name}/blobs/uploads/"
    if form == "whole":
        answer = owner.ask("POST", f"{start}?digest={digest}", data, BYTES)
    else:
        answer = owner.ask("POST", start)
    if is_shut(owner, name):
        owner.want(answer, DISALLOWED)
        return
    if form != "whole":
        owner.want(answer, (202, None))
        session = {"name": name, "location": answer.header("Location"), "data": data, "algorithm": algorithm, "offset": 0}
        if form == "put":
            answer = close(owner, session, data)
        else:
            while session["offset"] < len(data):
                append(owner, session, len(data) if form == "patch" else owner.lot.randrange(1, len(data) + 1))
            answer = close(owner, session, None)
    owner.want(answer, (201, None))
    assert answer.header("Docker-Content-Digest") == digest
    owner.pushed(name, digest)


def append(owner, session, length):
    """One PATCH. Where its answer was lost, the session tells how much of it came, and the rest goes on from there."""
    piece = session["data"][session["offset"]:session["offset"] + length]
    before, wanted = session["offset"], session["offset"] + len(piece)
    while session["offset"] < wanted or not piece:
        at = session["offset"]
        piece = session["data"][at:wanted]
        headers = {**BYTES, "Content-Range": f"{at}-{wanted - 1}"} if piece else BYTES
        answer = owner.ask("PATCH", session["location"], piece, headers)
        if owner.fire.burning and answer.status == 416:
            session["offset"] = status(owner, session)
            assert before <= session["offset"] <= wanted, (before, session["offset"], wanted)
            continue
        owner.want(answer, (202, None))
        assert answer.header("Range") == f"0-{max(wanted - 1, 0)}"
        session["location"], session["offset"] = answer.header("Location"), wanted
        return


def status(owner, session):
    answer = owner.want(owner.ask("GET", session["location"]), (204, None))
    end = int(answer.header("Range").split("-")[1])
    # "0-0" is both of one byte and of none.
    return end + 1 if end > 0 or session["offset"] > 0 else 0


def close(owner, session, body):
    digest = digest_of(session["data"], session["algorithm"])
    return owner.ask("PUT", f"{session['location']}&digest={digest}", body, BYTES if body is not None else None)


def begin_session(owner):
    """An upload that stays open over other steps, and over kills: what was answered 202 is there after them."""
    name = some_name(owner)
    answer = owner.ask("POST", f"/v2/{name}/blobs/uploads/")
    owner.say(f"open an upload in {name}")
    if is_shut(owner, name):
        owner.want(answer, DISALLOWED)
        return
    owner.want(answer, (202, None))
    data = owner.lot.choice([d for d in owner.content.all if len(d) > 1])
    owner.sessions.append({"name": name, "location": answer.header("Location"), "data": data, "algorithm": "sha256",
                           "offset": 0})


def continue_session(owner):
    if not owner.sessions or (len(owner.sessions) < 3 and owner.lot.random() < 0.3):
        begin_session(owner)
        return
    session = owner.lot.choice(owner.sessions)
    act = owner.lot.choice(("append", "append", "status", "late", "wrong", "cancel", "finish", "finish"))
    owner.say(f"{act} an upload of {len(session['data'])} in {session['name']} at {session['offset']}")
    left = len(session["data"]) - session["offset"]
    if act == "status":
        assert status(owner, session) in ((0, 1) if session["offset"] <= 1 else (session["offset"],)), session
    elif act == "cancel":
        owner.want(owner.ask("DELETE", session["location"]), (204, None), *maybe_done(owner))
        owner.sessions.remove(session)
        owner.want(owner.ask("GET", session["location"]), (404, "BLOB_UPLOAD_UNKNOWN"))
    elif is_shut(owner, session["name"]):
        owner.want(owner.ask("PATCH", session["location"], b"x", BYTES), DISALLOWED)
    elif act == "late":
        at = session["offset"] + 7
        owner.want(owner.ask("PATCH", session["location"], b"late", {**BYTES, "Content-Range": f"{at}-{at + 3}"}), (416, None))
    elif act == "wrong":
        owner.want(owner.ask("PUT", f"{session['location']}&digest={digest_of(b'something else')}"), (400, "DIGEST_INVALID"))
    elif act == "append" and left > 0:
        append(owner, session, owner.lot.randrange(1, left + 1))
    else:
        if left > 0 and owner.lot.random() < 0.5:
            append(owner, session, left)
            left = 0
        answer = close(owner, session, session["data"][session["offset"]:] if left else None)
        owner.want(answer, (201, None))
        owner.sessions.remove(session)
        owner.pushed(session["name"], digest_of(session["data"]))


def maybe_done(owner):
    """What a deletion answers when it is asked again because its first answer was lost."""
    return ((404, None),) if owner.fire.burning else ()


def mount(owner):
    target = some_name(owner)
    source = owner.lot.choice([*owner.names, None])
    digest = some_blob(owner, source or target)
    owner.say(f"mount {digest[:19]} from {source} to {target}")
    answer = owner.ask("POST", f"/v2/{target}/blobs/uploads/?mount={digest}" + (f"&from={source}" if source else ""))
    if is_shut(owner, target):
        owner.want(answer, DISALLOWED)
        return
    lenders = [n for n in ([source] if source else owner.names)
               if n in owner.repositories and owner.repositories[n].attributes["readEnabled"]]
    linked = [owner.linked(n, digest) for n in lenders]
    if True in linked:
        owner.want(answer, (201, None))
    elif source and None not in linked:
        owner.want(answer, (202, None))
    else:
        owner.want(answer, (201, None), (202, None))  # swept or not; another client's, where no source is named
    if answer.status == 201:
        owner.repositories.setdefault(target, Repository())
        owner.learn(target, digest, True)
        owner.promise(digest, True)
    elif source and len(lenders) == 1:
        owner.learn(source, digest, False)


def look_at_blob(owner):
    name = some_name(owner)
    digest = some_blob(owner, name)
    method = owner.lot.choice(("HEAD", "GET", "RANGE"))
    owner.say(f"{method} {digest[:19]} of {name}")
    there, data = owner.linked(name, digest), owner.content.of[digest]
    ranged = method == "RANGE" and len(data) > 10
    answer = owner.ask("HEAD" if method == "HEAD" else "GET", f"/v2/{name}/blobs/{digest}", None,
                       {"Range": "bytes=2-9"} if ranged else None)
    if there is None:
        owner.want(answer, (200, None), (206, None), (404, None), (405, None))
        if answer.status == 405:
            assert not owner.repositories[name].attributes["readEnabled"]
            return
        owner.learn(name, digest, answer.status != 404)
    elif not there:
        owner.want(answer, (404, None))
    elif not owner.repositories[name].attributes["readEnabled"]:
        owner.want(answer, (405, None))
        return
    else:
        owner.want(answer, (206 if ranged else 200, None))
    if answer.status == 404:
        return
    if method == "HEAD":
        assert answer.header("Content-Length") == str(len(data))
        owner.promise(digest, True)
    else:
        assert answer.body == (data[2:10] if answer.status == 206 else data)


def delete_blob(owner):
    name = some_name(owner)
    digest = some_blob(owner, name)
    owner.say(f"delete the blob {digest[:19]} of {name}")
    answer = owner.ask("DELETE", f"/v2/{name}/blobs/{digest}")
    repository, there = owner.repositories.get(name), owner.linked(name, digest)
    if there is False:
        owner.want(answer, (404, "BLOB_UNKNOWN"))
        return
    refused = not (repository.attributes["writeEnabled"] and repository.attributes["deleteEnabled"]) or any(
        digest in m.blobs for m in repository.manifests.values())
    allowed = [DISALLOWED] if refused else [(202, None), *maybe_done(owner)]
    if there is None:
        allowed.append((404, "BLOB_UNKNOWN"))
    owner.want(answer, *allowed)
    if answer.status != 405:
        owner.learn(name, digest, False)


# ---- manifests

def descriptor(data, media_type):
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def make_image(owner, subject=None):
    docker = subject is None and owner.lot.random() < 0.3
    base = "application/vnd.docker.image.rootfs.diff.tar.gzip" if docker else "application/vnd.oci.image.layer.v1.tar+gzip"
    layers = owner.lot.sample(owner.content.layers, owner.lot.randrange(0, 4))
    config = owner.lot.choice(sorted(owner.content.configs))
    kind = "application/vnd.docker.container.image.v1+json" if docker else CONFIG
    document = {"schemaVersion": 2, "mediaType": DOCKER_IMAGE if docker else IMAGE, "config": descriptor(config, kind),
                "layers": [descriptor(layer, base) for layer in layers]}
    if subject:
        config, kind = owner.content.empty, "application/vnd.oci.empty.v1+json"
        document.update(artifactType=owner.lot.choice(("example/signature", "example/sbom")), subject=subject,
                        config=descriptor(config, kind), annotations={"n": str(owner.lot.randrange(3))})
    made = Manifest(json.dumps(document).encode(), document["mediaType"])
    if not subject:
        made.platform = owner.content.configs[config]
    return made, [config, *layers]


def put_image(owner):
    name = some_name(owner)
    manifest, blobs = make_image(owner)
    if owner.lot.random() < 0.7:
        for data in blobs:
            if owner.linked(name, digest_of(data)) is not True:
                push_blob(owner, name, data)
    put(owner, name, manifest)


def put_artifact(owner):
    name = some_name(owner)
    repository = owner.repositories.get(name)
    if repository and repository.manifests and owner.lot.random() < 0.8:
        digest = owner.lot.choice(sorted(repository.manifests))
        subject = {"mediaType": IMAGE, "digest": digest, "size": len(repository.manifests[digest].body)}
    else:
        subject = {"mediaType": IMAGE, "digest": digest_of(b"never pushed"), "size": 5}
    manifest, blobs = make_image(owner, subject)
    for data in blobs:
        if owner.linked(name, digest_of(data)) is not True:
            push_blob(owner, name, data)
    put(owner, name, manifest, by_digest=owner.lot.random() < 0.8)


def put_index(owner):
    name = some_name(owner)
    repository = owner.repositories.get(name)
    if repository is None or not repository.manifests:
        put_image(owner)
        return
    docker = owner.lot.random() < 0.3
    chosen = owner.lot.sample(sorted(repository.manifests), min(len(repository.manifests), owner.lot.randrange(1, 4)))
    if owner.lot.random() < 0.1:
        chosen.append(digest_of(b"no manifest of anybody"))
    entries = [{"mediaType": repository.manifests[d].media_type if d in repository.manifests else IMAGE, "digest": d,
                "size": len(repository.manifests[d].body) if d in repository.manifests else 7,
                "platform": {"architecture": "amd64", "os": "linux"}} for d in chosen]
    if not docker and owner.lot.random() < 0.2:  # a build cache lists blobs (decisions 31)
        data = owner.lot.choice(owner.content.layers)
        entries.append(descriptor(data, "application/vnd.oci.image.layer.v1.tar+gzip"))
    kind = DOCKER_LIST if docker else INDEX
    put(owner, name, Manifest(json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).encode(), kind))


def put(owner, name, manifest, by_digest=None):
    by_digest = owner.lot.random() < 0.2 if by_digest is None else by_digest
    if by_digest and owner.lot.random() < 0.2:
        again = Manifest(manifest.body, manifest.media_type, "sha512")
        again.platform, manifest = manifest.platform, again
    tag = None if by_digest else owner.lot.choice(TAGS)
    owner.say(f"put the manifest {manifest.digest[:19]} ({manifest.media_type[-20:]}) to {name}:{tag}")
    repository = owner.repositories.get(name, Repository())
    locked = repository.locked(CHANGE, manifest.digest, tag)
    if tag in repository.tags:
        locked += repository.locked(CHANGE, repository.tags[tag]["digest"])
    answer = owner.ask("PUT", f"/v2/{name}/manifests/{tag or manifest.digest}", manifest.body,
                       {"Content-Type": manifest.media_type})
    if locked:
        owner.want(answer, DISALLOWED)
        assert any(f"attribute {attribute} is false" in answer.message and (kind != "tag" or seen in answer.message)
                   for kind, seen, attribute in locked), (answer, locked)
        return
    if manifest.digest not in repository.manifests:
        if not refer(owner, name, repository, manifest, answer):
            return
    owner.want(answer, (201, None))
    assert answer.header("Docker-Content-Digest") == manifest.digest and answer.header("OCI-Subject") == manifest.subject
    repository = owner.repositories.setdefault(name, repository)
    repository.manifests.setdefault(manifest.digest, manifest)
    if tag:
        held = repository.tags.get(tag, {}).get("attributes")
        repository.tags[tag] = {"digest": manifest.digest, "attributes": held or {a: True for a in ATTRIBUTES}}


def put_at_the_limit(owner, used, live, limit):
    """An image whose blobs are there: refused one byte above what the registry may hold, taken just within (decisions 36).
    `used` bytes are there and `live` blobs count among them; `limit` sets what may be, None as much as before."""
    name = some_name(owner)
    manifest, blobs = make_image(owner)
    repository = owner.repositories.get(name, Repository())
    if is_shut(owner, name) or manifest.digest in repository.manifests:
        return
    for data in blobs:
        push_blob(owner, name, data)
    if not all(owner.linked(name, digest) for digest in manifest.wants):
        return  # pushed under their other digest
    new = len(manifest.body) + sum(size for digest, size in manifest.wants.items() if digest not in live)
    limit(used + new - 1)
    owner.say(f"put the manifest {manifest.digest[:19]} to {name}, a byte too much")
    answer = owner.ask("PUT", f"/v2/{name}/manifests/{manifest.digest}", manifest.body, {"Content-Type": manifest.media_type})
    owner.want(answer, DISALLOWED)
    assert f"storage limit of {used + new - 1} bytes" in answer.message, answer
    limit(used + new)
    put(owner, name, manifest, by_digest=True)
    limit(None)


def refer(owner, name, repository, manifest, answer):
    """What it refers to must be there. False: refused, as it had to be."""
    manifest.children = {d: e for d, e in manifest.lists.items() if d in repository.manifests}
    manifest.blobs = {**manifest.wants,
                      **{d: e["size"] for d, e in manifest.lists.items() if d not in manifest.children}}
    known = [owner.linked(name, digest) for digest in manifest.blobs]
    unknown = (404, "MANIFEST_BLOB_UNKNOWN")
    if False in known:
        owner.want(answer, unknown)
        return False
    if None in known:
        owner.want(answer, (201, None), unknown)
        if answer.status == 404:
            return False
    owner.want(answer, (201, None))
    for digest in manifest.blobs:
        owner.learn(name, digest, True)
    return True


def get_manifest(owner):
    name = some_name(owner)
    repository = owner.repositories.get(name)
    tag = owner.lot.choice(TAGS) if owner.lot.random() < 0.7 or not (repository and repository.manifests) else None
    digest = repository.tags.get(tag, {}).get("digest") if repository and tag else None
    if tag is None:
        digest = owner.lot.choice(sorted(repository.manifests))
    known = owner.lot.random() < 0.3
    owner.say(f"get {name}:{tag or digest[:19]}")
    answer = owner.ask("GET", f"/v2/{name}/manifests/{tag or digest}", None,
                       {"If-None-Match": f'"{digest}"'} if known else None)
    if repository is None:
        owner.want(answer, (404, "NAME_UNKNOWN"))
    elif digest is None:
        owner.want(answer, (404, "MANIFEST_UNKNOWN"))
    elif repository.locked(READ, digest, tag):
        owner.want(answer, DISALLOWED)
    elif known:
        owner.want(answer, (304, None))
    else:
        owner.want(answer, (200, None))
        assert answer.body == repository.manifests[digest].body


def forget(owner, repository, digest):
    gone = repository.manifests.pop(digest)
    for tag in repository.tags_of(digest):
        del repository.tags[tag]
    owner.settle(gone.blobs)


def delete_manifest(owner):
    name = some_name(owner)
    repository = owner.repositories.get(name)
    digest = (owner.lot.choice(sorted(repository.manifests)) if repository and repository.manifests
              else digest_of(b"never pushed"))
    path = f"/acr/v1/{name}/_manifests/{digest}" if owner.lot.random() < 0.3 else f"/v2/{name}/manifests/{digest}"
    owner.say(f"delete the manifest {digest[:19]} of {name}")
    answer = owner.ask("DELETE", path)
    if repository is None:
        owner.want(answer, (404, "NAME_UNKNOWN"))
    elif digest not in repository.manifests:
        owner.want(answer, (404, "MANIFEST_UNKNOWN"))
    elif repository.locked(DELETE, digest) or any(repository.locked(DELETE, None, t) for t in repository.tags_of(digest)):
        owner.want(answer, DISALLOWED)
        assert "attribute" in answer.message, answer
    elif parents := repository.parents_of(digest):  # decisions 28
        owner.want(answer, DISALLOWED)
        assert any(parent in answer.message for parent in parents), answer
    else:
        owner.want(answer, (202, None), *maybe_done(owner))
        forget(owner, repository, digest)


def untag(owner):
    name, tag = some_name(owner), owner.lot.choice(TAGS)
    repository, ours = owner.repositories.get(name), owner.lot.random() < 0.5
    owner.say(f"untag {name}:{tag}")
    answer = owner.ask("DELETE", f"/acr/v1/{name}/_tags/{tag}" if ours else f"/v2/{name}/manifests/{tag}")
    if repository is None or tag not in repository.tags:
        owner.want(answer, (404, "TAG_UNKNOWN" if ours else "MANIFEST_UNKNOWN"))
    elif repository.locked(DELETE, repository.tags[tag]["digest"], tag):
        owner.want(answer, DISALLOWED)
        assert "attribute" in answer.message, answer
    else:
        owner.want(answer, (202, None), *maybe_done(owner))
        del repository.tags[tag]


# ---- attributes and repositories

def change_attributes(owner):
    name = some_name(owner)
    repository = owner.repositories.get(name)
    level = owner.lot.choice(("repository", "manifest", "tag"))
    held, path, unknown = None, f"/acr/v1/{name}", (404, "NAME_UNKNOWN")
    if level == "manifest":
        digest = (owner.lot.choice(sorted(repository.manifests)) if repository and repository.manifests
                  else digest_of(b"never pushed"))
        path, unknown = f"{path}/_manifests/{digest}", (404, "MANIFEST_UNKNOWN")
        held = repository.manifests[digest].attributes if repository and digest in repository.manifests else None
    elif level == "tag":
        tag = owner.lot.choice(TAGS)
        path, unknown = f"{path}/_tags/{tag}", (404, "TAG_UNKNOWN")
        held = repository.tags[tag]["attributes"] if repository and tag in repository.tags else None
    elif repository and repository.manifests:
        held = repository.attributes
    shut = [a for a in ATTRIBUTES if held and not held[a]]
    # Mostly what was shut is opened again: else everything is shut soon.
    changes = {a: True for a in shut} if shut and owner.lot.random() < 0.8 else {
        owner.lot.choice(ATTRIBUTES): owner.lot.random() < 0.3}
    owner.say(f"{changes} for {path[7:60]}")
    answer = owner.ask("PATCH", path, changes)
    if held is None:
        owner.want(answer, unknown)
        return
    owner.want(answer, (200, None))
    held.update(changes)
    shown = answer.json.get(level, answer.json)["changeableAttributes"]
    assert {a: shown[a] for a in ATTRIBUTES} == held, answer


def delete_repository(owner):
    name = some_name(owner)
    repository = owner.repositories.get(name)
    owner.say(f"delete the repository {name}")
    answer = owner.ask("DELETE", f"/acr/v1/{name}")
    if repository is None or not repository.manifests:
        owner.want(answer, (404, "NAME_UNKNOWN"))
        return
    if any(repository.locked(DELETE, d) for d in repository.manifests) or any(
            repository.locked(DELETE, None, t) for t in repository.tags):
        owner.want(answer, DISALLOWED)
        return
    owner.want(answer, (202, None), *maybe_done(owner))
    if answer.status == 202:
        assert answer.json == {"manifestsDeleted": sorted(repository.manifests), "tagsDeleted": sorted(repository.tags)}
    del owner.repositories[name]
    owner.settle({d for m in repository.manifests.values() for d in m.blobs})


# ---- lists, and what is refused

def list_by_time(owner):
    """The same rows in another order, whatever the page; times never go the wrong way."""
    name = some_name(owner)
    if not (repository := owner.repositories.get(name)) or not repository.manifests:
        return
    kind = owner.lot.choice(("tags", "manifests"))
    order = owner.lot.choice(("timeasc", "timedesc"))
    owner.say(f"list the {kind} of {name} by {order}")
    rows = owner.want(owner.ask("GET", f"/acr/v1/{name}/_{kind}?orderby={order}"), (200, None)).json[kind]
    found, url = [], f"/acr/v1/{name}/_{kind}?n=2&orderby={order}"
    while url:
        answer = owner.want(owner.ask("GET", url), (200, None))
        found += answer.json[kind]
        link = answer.header("Link")
        url = link[1:link.index(">")] if link else None
    assert found == rows
    key = "name" if kind == "tags" else "digest"
    expected = ({t for t, tag in repository.tags.items() if tag["attributes"]["listEnabled"]} if kind == "tags" else
                {d for d, m in repository.manifests.items() if m.attributes["listEnabled"]})
    assert {row[key] for row in rows} == expected and len(rows) == len(expected)


def list_referrers(owner):
    name = some_name(owner)
    repository = owner.repositories.get(name)
    subject = (owner.lot.choice(sorted(repository.manifests)) if repository and repository.manifests and
               owner.lot.random() < 0.8 else digest_of(b"never pushed"))
    kind = owner.lot.choice((None, "example/signature", "example/sbom"))
    owner.say(f"referrers of {subject[:19]} in {name}, {kind}")
    answer = owner.want(owner.ask("GET", f"/v2/{name}/referrers/{subject}" + (f"?artifactType={kind}" if kind else "")),
                        (200, None))
    expected = {d: m for d, m in (repository.manifests if repository else {}).items()
                if m.subject == subject and m.attributes["listEnabled"] and kind in (None, m.artifact_type)}
    assert {r["digest"]: (r["artifactType"], r["annotations"], r["size"]) for r in answer.json["manifests"]} == {
        d: (m.artifact_type, m.annotations, len(m.body)) for d, m in expected.items()}
    assert answer.header("OCI-Filters-Applied") == ("artifactType" if kind else None)


def ask_nonsense(owner):
    name = some_name(owner)
    owner.say(f"nonsense to {name}")
    manifest, _ = make_image(owner)
    method, path, body, wanted = owner.lot.choice((
        ("PUT", f"/v2/{name}/manifests/latest", manifest.body[:-1], (400, "MANIFEST_INVALID")),
        ("PUT", f"/v2/{name}/manifests/{digest_of(b'other')}", manifest.body, (400, "DIGEST_INVALID")),
        ("PUT", f"/v2/{name}/manifests/.no", manifest.body, (400, "TAG_INVALID")),
        ("GET", f"/v2/{name}/blobs/sha256:12", None, (400, "DIGEST_INVALID")),
        ("GET", f"/v2/{name.upper()}/tags/list", None, (400, "NAME_INVALID")),
        ("GET", f"/v2/{name}/tags/list?n=x", None, (400, "PAGINATION_NUMBER_INVALID")),
        ("POST", f"/v2/{name}/blobs/uploads/?digest={digest_of(b'other')}", b"this", (400, "DIGEST_INVALID")),
    ))
    answer = owner.ask(method, path, body, {"Content-Type": manifest.media_type if method == "PUT" else BYTES["Content-Type"]})
    owner.want(answer, *([wanted, DISALLOWED] if method == "POST" and is_shut(owner, name) else [wanted]))


OPERATIONS = {push_blob: 14, continue_session: 16, mount: 8, look_at_blob: 8, delete_blob: 5, put_image: 22, put_artifact: 6,
              put_index: 8, get_manifest: 6, delete_manifest: 9, untag: 5, change_attributes: 9, delete_repository: 2,
              list_by_time: 3, list_referrers: 4, ask_nonsense: 3}


def step(owner):
    owner.settle()
    act = owner.lot.choices(list(OPERATIONS), list(OPERATIONS.values()))[0]
    act(owner)
    owner.settle()
    return act.__name__
