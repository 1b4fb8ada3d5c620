"""Views of an assessment: JSON, terminal, one HTML page, PDF. All take the same frozen `Assessment`.

    from leuko.report import view
    Path("jenny.html").write_bytes(view("html").write(assessment))

A module of this package that holds a `VIEW` is a view; adding one is adding a file. Heavy libraries (rich, Jinja2,
Altair, typst) load inside the function that needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from leuko.errors import UsageError
from leuko.report.view import View


@lru_cache(maxsize=1)
def views() -> Mapping[str, View]:
    """Every view by name, found by scan."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    found = {module.VIEW.name: module.VIEW for module in modules if hasattr(module, "VIEW")}
    return MappingProxyType(dict(sorted(found.items())))


def view(name: str) -> View:
    """The view of that name; UsageError, naming the known ones, if there is none."""
    if name in views():
        return views()[name]
    raise UsageError(f"there is no view called {name}", why=f"known: {', '.join(views())}", do="name one of these")


__all__ = ["View", "view", "views"]
