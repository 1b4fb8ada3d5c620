"""The further kinds of knowledge row, found by scan of `leuko.knowledge.schema`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from leuko.knowledge import schema


@cache
def further_kinds() -> tuple[Any, ...]:
    """Every row type that a schema module lists in `KINDS`; each has FOLDER, KEY, and fields `id` and `basis`."""
    names = sorted(module.name for module in iter_modules(schema.__path__) if module.name != "core")
    return tuple(kind for name in names for kind in import_module(f"{schema.__name__}.{name}").KINDS)
