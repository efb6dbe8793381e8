"""Repairs the distribution's az for the tests that say so: its azure-mgmt-authorization lost the attribute `config` of the
operation classes, which az 2.45 reads (contract/az-cli.md 13, D1). az itself is untouched."""
import importlib.abc
import importlib.util
import sys

PREFIX = "azure.mgmt.authorization."


class Repair(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if not name.startswith(PREFIX) or not name.endswith("_operations"):
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            for thing in vars(module).values():
                if isinstance(thing, type) and thing.__name__.endswith("Operations") and not hasattr(thing, "config"):
                    thing.config = property(lambda self: self._config)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Repair())
