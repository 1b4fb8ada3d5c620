"""Views of an assessment: JSON, terminal, one HTML page, PDF. All take the same frozen `Assessment`.

    from leuko.report import view
    Path("jenny.html").write_bytes(view("html").write(assessment))

A module called `view_<name>` that holds a `VIEW` is a view; adding one is adding a file. Heavy libraries (rich, Jinja2,
Altair, typst) load inside the function that needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final

from leuko.errors import UsageError
from leuko.report.view import View

_PREFIX: Final = "view_"


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The names of all views, found by scan; none of them is loaded."""
    return tuple(sorted(m.name.removeprefix(_PREFIX) for m in iter_modules(__path__) if m.name.startswith(_PREFIX)))


def views() -> Mapping[str, View]:
    """Every view by name."""
    return MappingProxyType({name: view(name) for name in names()})


def view(name: str) -> View:
    """The view of that name, loading no other; UsageError, naming the known ones, if there is none."""
    if name not in names():
        raise UsageError(f"there is no view called {name}", why=f"known: {', '.join(names())}", do="name one of these")
    found: View = import_module(f"{__name__}.{_PREFIX}{name}").VIEW
    return found


__all__ = ["View", "names", "view", "views"]
