"""Fills the templates: the environment of the reports, with the pages' own templates before theirs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from leuko.report.outline import PURPOSE
from leuko.report.page import environment as of_reports
from leuko.web.navigation import here, links_for
from leuko.web.static import address

if TYPE_CHECKING:
    from fastapi import Request
    from fastapi.responses import HTMLResponse
    from jinja2 import Environment

    from leuko.service.http.guard.who import Who

# Swap nothing where the service refused: what it says then is a page of its own, and app.js tells of it.
# A figure that was drawn, what stands open, and a form with its answer stay as they are when the page around them is
# renewed: somebody may be filling it in. A forecast on a machine that does much else may take longer than the minute
# that htmx waits by itself [ms].
HTMX: Final = """{
"includeIndicatorCSS": false, "defaultTimeout": 300000, "noSwap": [204, 304, "4xx", "5xx"],
"morphIgnore": ["data-htmx-powered", "open"], "morphSkip": "#plot, #readout, .asking, [data-drawn]"
}"""


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates of the pages; those of the reports stand behind them. Everything in them is escaped."""
    from jinja2 import BaseLoader, ChoiceLoader, FunctionLoader  # noqa: PLC0415 (only a service needs it)

    folder = resources.files("leuko.web") / "templates"

    def read(name: str) -> str | None:
        file = folder / name
        return file.read_text(encoding="utf-8") if file.is_file() else None

    reports = of_reports()
    assert isinstance(reports.loader, BaseLoader)  # noqa: S101 (made two modules away)
    found = reports.overlay(loader=ChoiceLoader([FunctionLoader(read), reports.loader]))
    found.globals |= {"static": address, "here": here, "purpose": PURPOSE, "htmx_config": HTMX}
    found.filters |= {"whole_units": whole_units}
    return found


def whole_units(text: str) -> str:
    """Text in which no line ends between a number and its unit of cells."""
    return text.replace(" ×10", "\u00a0×10")


def page(
    request: Request, template: str, words: Mapping[str, Any], *, who: Who | None, status: int = 200
) -> HTMLResponse:
    """A page, or a part of one, for a browser. It is kept nowhere: it may be about a person."""
    from fastapi.responses import HTMLResponse  # noqa: PLC0415

    text = fill(request.url.path, template, words, who=who)
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})


def fill(path: str, template: str, words: Mapping[str, Any], *, who: Who | None) -> str:
    """The text of a page at a path, for whom it is made: the bar shows where they may go."""
    from leuko import __version__  # noqa: PLC0415 (the package's own front door)

    frame = {
        "path": path,
        "who": who,
        "links": links_for(who.role) if who is not None else (),
        "csrf": who.csrf if who is not None else "",
        "version": __version__,
    }
    return environment().get_template(template).render({**frame, **words})
