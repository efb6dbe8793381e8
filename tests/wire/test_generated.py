"""Requests from a generator at every declared route: no 5xx, no answer without the required headers, no error outside the
catalogue (arm-core 1.4.2, arm-core 1.5.1). The long form is script/prove generated."""
import collections
import os

from harness.generator import Generator, Wire, fault
from harness.site import OWNER

REQUESTS = int(os.environ.get("AZSACR_GENERATED", "4000"))


def test_generated_requests_find_no_fault(site, operator):
    principal = site.principal()
    # A subscription of its own: what the generator deletes and locks is nobody else's.
    subscription = site.command("subscription", "add", site.unique("Generated "))["subscriptionId"]
    site.assign(operator, principal, OWNER, f"/subscriptions/{subscription}")
    mine, others = (client.headers["Authorization"].removeprefix("Bearer ")
                    for client in (site.client_of(principal), site.client_of(site.principal())))
    generator = Generator(os.environ.get("AZSACR_SEED", "1"), {**site.facts, "subscriptionId": subscription},
                          [mine] * 9 + [others])
    wire, faults, seen = Wire(site.host("management"), "127.0.0.1", site.port, site.ca), [], collections.Counter()
    for number in range(REQUESTS):
        request = generator.request(number)
        status, headers, body = wire.ask(*request)
        seen[status] += 1
        wrong = fault(request[0], status, headers, body, generator.codes)
        if wrong:
            faults.append(f"{number}: {wrong}\n    {request[0]} {request[1][:300]} {str(request[3])[:300]} -> {status} {body[:200]!r}")
    assert not faults, f"{len(faults)} faults of {REQUESTS}; {dict(seen)}\n" + "\n".join(faults[:25])
    assert min(seen[200], seen[201], seen[404], seen[400], seen[405]) > REQUESTS / 500, seen
