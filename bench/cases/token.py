"""POST /oauth2/token with a refresh token, for one repository; against the hello."""
import urllib.parse

from bench.lib import wrk
from bench.lib.measure import rates


def measure(bench):
    body = urllib.parse.urlencode({"grant_type": "refresh_token", "service": bench.registry().server,
                                   "scope": "repository:bench/token:pull", "refresh_token": bench.refresh_token()})
    post = wrk.constant(wrk.head("POST", "/oauth2/token", bench.registry().host,
                                 {"Content-Type": "application/x-www-form-urlencoded"}, body))
    hello = wrk.constant(wrk.head("GET", "/", bench.host("hello")))
    url = f"http://{bench.loopback}/"
    return rates("token", bench, wrk.side(bench, url, post, 64), wrk.side(bench, url, hello, 64))
