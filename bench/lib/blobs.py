"""Small blobs, and images of them, pushed by the client of bench/client/blobs.c."""
import subprocess

SIZE, CONNECTIONS = 4096, 16


def client(bench):
    """The compiled client."""
    def make():
        made = bench.directory / "blobs"
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", str(made), str(bench.root / "bench/client/blobs.c"), "-lssl",
                        "-lcrypto", "-lpthread"], check=True)
        return made
    return bench.once("blobs", make)


def push_rate(bench, host, port, repository, seconds, bearer=None, connections=CONNECTIONS, images=False, targets=None,
              rate=None):
    """Blobs, or whole images, a second. `targets`: a file of registries to push to in turn; `rate`: at most so many."""
    options = [*(["-i"] if images else []), *(["-t", str(targets)] if targets else []), *(["-r", str(rate)] if rate else [])]
    done = subprocess.run([str(client(bench)), *options, host, str(port), repository, str(connections), str(seconds),
                           str(SIZE), *([bearer] if bearer else [])], capture_output=True, text=True, timeout=seconds + 120)
    if done.returncode != 0:
        raise SystemExit(f"pushing to {host}:{port} failed: {done.stderr[:2000]}")
    return float(done.stdout)
