"""Small blobs pushed by the client of bench/client/blobs.c."""
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


def push_rate(bench, host, port, repository, seconds, bearer=None):
    done = subprocess.run([str(client(bench)), host, str(port), repository, str(CONNECTIONS), str(seconds), str(SIZE),
                           *([bearer] if bearer else [])], capture_output=True, text=True, timeout=seconds + 60)
    if done.returncode != 0:
        raise SystemExit(f"pushing blobs to {host}:{port} failed: {done.stderr[:2000]}")
    return float(done.stdout)
