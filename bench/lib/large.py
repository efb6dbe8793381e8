"""One file of 1 GiB, pushed and pulled by curl."""
import hashlib
import itertools
import re
import subprocess
import time

SIZE = 1 << 30
_numbers = itertools.count()


def file(bench):
    """Its path and digest. Bytes that do not compress, read from memory when they are sent."""
    def make():
        path, digest = bench.directory / "large", hashlib.sha256()
        with open(path, "wb") as out, open("/dev/urandom", "rb") as source:
            for _ in range(SIZE >> 20):
                piece = source.read(1 << 20)
                digest.update(piece)
                out.write(piece)
        return path, "sha256:" + digest.hexdigest()
    return bench.once("large", make)


def curl(bench, *arguments):
    """curl's head of the answer. Any status but 2xx ends the run."""
    done = subprocess.run(["curl", "--silent", "--show-error", "--fail", "--http1.1", "--cacert", str(bench.ca),
                           *arguments], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise SystemExit(f"curl {arguments[-1]} failed: {done.stderr}{done.stdout[-500:]}")
    return done.stdout


def location(head, base):
    found = re.search(r"^location: *(\S+)", head, re.I | re.M).group(1)
    return found if "://" in found else base + found


def push(bench, base, repository, headers=()):
    """POST, PATCH of the file, PUT. Megabytes a second from the first to the last answer."""
    path, digest = file(bench)
    bearer = [part for header in headers for part in ("-H", header)]
    start = time.monotonic()
    where = location(curl(bench, *bearer, "-D-", "-o/dev/null", "-X", "POST", "-d", "",
                          f"{base}/v2/{repository}/blobs/uploads/"), base)
    where = location(curl(bench, *bearer, "-D-", "-o/dev/null", "-X", "PATCH", "-H",
                          "Content-Type: application/octet-stream", "-H", "Expect:", "-T", str(path), where), base)
    joint = "&" if "?" in where else "?"
    curl(bench, *bearer, "-o/dev/null", "-X", "PUT", "-d", "", f"{where}{joint}digest={digest}")
    return SIZE / 1e6 / (time.monotonic() - start)


def pull(bench, url, headers=()):
    """Megabytes a second of one GET, nothing kept."""
    bearer = [part for header in headers for part in ("-H", header)]
    start = time.monotonic()
    size = curl(bench, *bearer, "-o/dev/null", "-L", "-w", "%{size_download}", url)
    if int(size) != SIZE:
        raise SystemExit(f"{url}: {size} bytes")
    return SIZE / 1e6 / (time.monotonic() - start)


def repository(prefix):
    return f"bench/{prefix}{next(_numbers)}"
