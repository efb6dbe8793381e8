"""PUT of new registries by sixteen sessions; against pgbench inserting one row by sixteen clients, same cluster."""
import itertools
import re
import subprocess

from bench.lib import wrk
from bench.lib.measure import rates

BODY = '{"location":"@","sku":{"name":"Standard"},"properties":{"adminUserEnabled":true}}'


def put_script(bench, run):
    path = bench.registry_id(bench.group(), f"made{run:04d}x")
    body = BODY.replace("@", bench.region)
    before, after = wrk.head("PUT", path + "@?api-version=2019-05-01", bench.host("management"), {
        "Authorization": f"Bearer {bench.bearer()}", "Content-Type": "application/json"}, body).split("@", 1)
    return (f"local n, format = 0, string.format\nlocal before, after = {wrk.lua_string(before)}, {wrk.lua_string(after)}\n"
            "function request() n = n + 1 return before .. format('%07d', n) .. after end\n")


def insert(bench, seconds):
    script = bench.directory / "insert.sql"
    script.write_text("insert into public.bench_row (name, body) values ('row', 'a body of some forty bytes or so');\n")
    done = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", "16", "-j", "1", "-T", str(max(1, round(seconds))),
                           "-f", str(script), *bench.psql_target()[:4], "azsacr"],
                          capture_output=True, text=True, timeout=seconds + 60)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if not found:
        raise SystemExit(f"pgbench failed:\n{done.stdout}{done.stderr}")
    return float(found.group(1))


def measure(bench):
    bench.sql("create table if not exists public.bench_row "
              "(id bigint generated always as identity primary key, name text not null, body text not null)")
    runs = itertools.count()
    url = f"http://{bench.loopback}/"

    def create(warm_up):
        return wrk.rate(bench, url, put_script(bench, next(runs)), 16, 1 if warm_up else bench.seconds)

    return rates("registry-create", bench, create, lambda warm_up: insert(bench, 1 if warm_up else bench.seconds),
                 "transactions/s")
