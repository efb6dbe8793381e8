"""Runs inside an az's own Python: one az command for each line of standard input, as `az` itself would, in one process. A
start of az costs seconds, most of them imports. Line in: a JSON array of arguments; line out: exit code, stdout, stderr."""
import io
import json
import logging
import os
import signal
import sys
import traceback

from azure.cli.core import get_default_cli

LIMIT = 120  # seconds for a command: one that hangs fails


class Hangs(BaseException):
    pass


def hangs(*_):
    raise Hangs


def run(arguments):
    for name in [None, *logging.root.manager.loggerDict]:
        logging.getLogger(name).handlers.clear()  # az makes its own for each start, on the stderr of now
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), io.StringIO()
    real = sys.stdout, sys.stderr, sys.argv
    sys.stdout, sys.stderr, sys.argv = out, err, ["az", *arguments]
    signal.alarm(LIMIT)
    try:
        code = get_default_cli().invoke(arguments, out_file=out) or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except Hangs:
        code = 124
        print(f"it took longer than {LIMIT} s", file=err)
    except BaseException:
        code = 1
        traceback.print_exc(file=err)
    finally:
        signal.alarm(0)
        sys.stdout, sys.stderr, sys.argv = real
    return code, out.buffer.getvalue().decode(), err.getvalue()


signal.signal(signal.SIGALRM, hangs)
answers = os.fdopen(os.dup(1), "w")  # ours alone: what else az writes there goes to the log
os.dup2(2, 1)
for line in sys.stdin:
    code, out, err = run(json.loads(line))
    print(json.dumps({"code": code, "stdout": out, "stderr": err}), file=answers, flush=True)
