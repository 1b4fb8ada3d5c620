"""The further kinds of knowledge row, found by scan of `leuko.knowledge.schema`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

from leuko.knowledge import schema


@cache
def further_kinds() -> tuple[Any, ...]:
    """Every row type that a schema module lists in `KINDS`; each has FOLDER, KEY, and fields `id` and `basis`."""
    names = sorted(module.name for module in iter_modules(schema.__path__) if module.name != "core")
    return tuple(kind for name in names for kind in import_module(f"{schema.__name__}.{name}").KINDS)


_CORE: Final = frozenset({"source", "grade", "definition", "interval", "course", "analyte", "code", "notice"})


def kind_name(kind: Any) -> str:
    """What a kind is called in lists and keys: its KEY, with its folder where another kind has the same."""
    alike = {(other.FOLDER, other.KEY) for other in further_kinds() if other.KEY == kind.KEY}
    return f"{kind.FOLDER}.{kind.KEY}" if len(alike) > 1 or kind.KEY in _CORE else str(kind.KEY)
