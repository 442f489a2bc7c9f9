"""Stand-ins for costly modules: what imports one gets the module itself only when it uses something in it."""

import importlib
import sys
from types import ModuleType
from typing import Any


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> Any:
        # Whoever looks through all modules, as tracebacks do, asks for such names and means no use.
        if name.startswith("__") and name != "__path__":
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def import_when_used(name: str) -> None:
    """Put off the import of a module, unless it was imported already.

    Args:
        name: dotted; the packages around it are imported as ever.
    """
    sys.modules.setdefault(name, _StandIn(name))
