"""The cases by name: each module of bench/cases has `measure(bench)`, which gives one result or several by name."""
import importlib

# In the order in which they run: what fills the store comes last.
NAMES = ["memory", "registry-get", "registry-get-edge", "token", "registry-create", "manifest-get", "blob-4k-get",
         "blob-4k-put", "push-1g", "pull-1g"]


def measure(name, bench):
    return importlib.import_module("bench.cases." + name.replace("-", "_")).measure(bench)
