"""Interleaved measurements: A B A B …, so that what else the machine does meets both sides; the medians count."""
import statistics
import sys


def say(text):
    print(text, file=sys.stderr, flush=True)


def rates(name, bench, ours, theirs, unit="requests/s"):
    """Both sides give a rate (more is better). The ratio is the median of the pairs' own ratios' sides."""
    a, b = [], []
    ours(True), theirs(True)
    for _ in range(bench.pairs):
        a.append(ours(False))
        b.append(theirs(False))
    say(f"  ours   {' '.join(f'{x:,.1f}' for x in a)}")
    say(f"  theirs {' '.join(f'{x:,.1f}' for x in b)}")
    first, second = statistics.median(a), statistics.median(b)
    return {name: {"ratio": round(first / second, 3), "ours": round(first, 2), "theirs": round(second, 2), "unit": unit}}
