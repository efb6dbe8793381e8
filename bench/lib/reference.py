"""What we are measured against: Debian's docker-registry, and a plain nginx with the edge's own TLS settings."""
import pathlib
import re
import shutil
import socket
import subprocess
import time

REGISTRY_PORT, PROXY_PORT, FILE_PORT = 5000, 5443, 6443


def wait_for(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on {port}")


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


class DockerRegistry:
    """docker-registry, bare, on the loopback interface, its files beside our store."""

    def __init__(self, bench):
        self.files = bench.directory / "docker-registry"
        self.url = f"http://127.0.0.1:{REGISTRY_PORT}"
        config = bench.directory / "docker-registry.yml"
        config.write_text(f"version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\n"
                          f"storage:\n  filesystem:\n    rootdirectory: {self.files}\n  delete:\n    enabled: true\n"
                          f"http:\n  addr: 127.0.0.1:{REGISTRY_PORT}\n")
        with open(bench.directory / "docker-registry.log", "ab") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        bench.cleanup.callback(stop, self.process)
        wait_for(REGISTRY_PORT)

    def forget(self):
        shutil.rmtree(self.files / "docker", ignore_errors=True)


NGINX = """
{user} daemon off; worker_processes 2; pid {run}/nginx.pid; error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
    default_type application/octet-stream; server_tokens off; sendfile on; tcp_nopush on; keepalive_timeout 75s;
    access_log {run}/access.log combined buffer=64k flush=1s;
    client_body_temp_path {run}/body; proxy_temp_path {run}/proxy; fastcgi_temp_path {run}/f; uwsgi_temp_path {run}/u;
    scgi_temp_path {run}/s;
    ssl_certificate {tls}/edge.pem; ssl_certificate_key {tls}/edge.key;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers {ciphers};
    ssl_session_cache shared:edge:8m; ssl_session_timeout 1h;
    upstream registry {{ server 127.0.0.1:{registry} max_fails=0; keepalive 64; }}
    server {{
        listen {proxy} ssl http2; server_name _;
        client_max_body_size 0; proxy_request_buffering off; proxy_http_version 1.1; proxy_set_header Connection "";
        proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https;
        proxy_buffer_size 32k; proxy_buffers 16 32k; proxy_busy_buffers_size 128k;
        location / {{ proxy_pass http://registry; }}
    }}
    server {{ listen {file} ssl http2; server_name _; root {root}; }}
}}
"""


class Nginx:
    """nginx alone, with the edge's certificate, ciphers and workers: before docker-registry, and serving files."""

    def __init__(self, bench):
        run = bench.directory / "nginx"
        self.root = bench.directory / "files"
        run.mkdir()
        self.root.mkdir()
        self.root.chmod(0o755)
        edge = (pathlib.Path(bench.root) / "deploy/edge.conf.in").read_text()
        config = run / "nginx.conf"
        config.write_text(NGINX.format(
            user="user www-data;", run=run, tls=bench.state / "tls", root=self.root, registry=REGISTRY_PORT,
            ciphers=re.search(r"ssl_ciphers (\S+);", edge).group(1), proxy=PROXY_PORT, file=FILE_PORT))
        with open(run / "log", "ab") as log:
            process = subprocess.Popen(["/usr/sbin/nginx", "-e", "stderr", "-p", str(run), "-c", str(config)],
                                       stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        bench.cleanup.callback(stop, process)
        wait_for(PROXY_PORT)
        self.registry_url = f"https://{bench.registry().host}:{PROXY_PORT}"
        self.files_url = f"https://{bench.registry().host}:{FILE_PORT}"


def docker_registry(bench):
    return bench.once("docker-registry", lambda: DockerRegistry(bench))


def nginx(bench):
    docker_registry(bench)
    return bench.once("nginx", lambda: Nginx(bench))
