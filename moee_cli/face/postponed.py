"""Modules that another library imports and seldom uses, imported when they are used."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _Postponed(ModuleType):
    """Stands for a module; asked for anything, it imports the module and passes the question on."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        _make_way()
        return getattr(import_module(self.__name__), name)


def _make_way() -> None:
    for name, module in list(sys.modules.items()):
        if isinstance(module, _Postponed):
            del sys.modules[name]


@contextmanager
def postponed(*names: str) -> Iterator[None]:
    """Postpone modules, parents before children, for what is imported in this block; elsewhere nothing changes.

    Modules that are imported already stay what they are.
    """
    for name in names:
        parent, _, child = name.rpartition(".")
        if name in sys.modules or (parent and not isinstance(sys.modules.get(parent), _Postponed)):
            continue
        sys.modules[name] = _Postponed(name)
        if parent:
            setattr(sys.modules[parent], child, sys.modules[name])
    try:
        yield
    finally:
        _make_way()
