"""The pages that people open in a browser: the worklist, a person, what-if, and what a site needs around them.

    app = create_app(settings, store=store, routers=[router()])

Every module of `leuko.web.pages` that has a `router()` is part of it; adding a page is adding a file. Pages are made on
the server and can be read without JavaScript; nothing is loaded from anywhere else.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter


def router(zone: tzinfo = UTC) -> APIRouter:
    """All pages, and the files that they load; `zone` is that of today and of times that name none."""
    from fastapi import APIRouter, Depends  # noqa: PLC0415 (only a service needs it)

    from leuko.web import pages, static  # noqa: PLC0415
    from leuko.web.access import in_zone  # noqa: PLC0415

    found = APIRouter(include_in_schema=False, dependencies=[Depends(in_zone(zone))])
    found.include_router(static.router())
    for module in sorted(each.name for each in iter_modules(pages.__path__)):
        page = import_module(f"{pages.__name__}.{module}")
        found.include_router(page.router())
    return found
