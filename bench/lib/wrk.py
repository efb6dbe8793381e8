"""wrk with a script: rates of a request that is the same each time, or of one that a Lua function writes."""
import re
import subprocess


def lua_string(text):
    return '"' + "".join(c if 32 <= ord(c) < 127 and c not in '"\\' else f"\\{ord(c):03d}" for c in text) + '"'


def constant(request):
    """A script that sends these bytes each time."""
    return f"local r = {lua_string(request)}\nfunction request() return r end\n"


def random_key(before, after, count):
    """`before`, a uniformly random number below `count` in six digits, `after`."""
    return (f"local random, format = math.random, string.format\nmath.randomseed(os.time())\n"
            f"local before, after = {lua_string(before)}, {lua_string(after)}\n"
            f"function request() return before .. format('%06d', random(0, {count - 1})) .. after end\n")


def head(method, path, host, headers=None, body=""):
    """A request's bytes."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"] + [f"{k}: {v}" for k, v in (headers or {}).items()]
    if body or method in ("POST", "PUT"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines) + "\r\n\r\n" + body


def rate(bench, url, script, connections, seconds, accept_errors=False):
    """Requests a second. Any answer but 2xx spoils the measurement."""
    path = bench.directory / "wrk.lua"
    path.write_text(script)
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(path), url],
                          capture_output=True, text=True, timeout=seconds + 60)
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    total = int(re.search(r"(\d+) requests in", done.stdout).group(1)) if found else 0
    if not found or total == 0 or (bad and int(bad.group(1)) > total // 1000 and not accept_errors):
        raise SystemExit(f"wrk {url} failed:\n{done.stdout}{done.stderr}")
    return float(found.group(1))


def side(bench, url, script, connections):
    """One side of a comparison, as bench.lib.measure.rates wants it."""
    return lambda warm_up: rate(bench, url, script, connections, 1 if warm_up else bench.seconds)
