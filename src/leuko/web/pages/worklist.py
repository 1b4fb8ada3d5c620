"""The worklist: the first page, and the rows that renew themselves as results arrive."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from leuko.service.http.context import Context
from leuko.service.http.guard.audited import audited
from leuko.web.access import Given, Viewer
from leuko.web.render import page
from leuko.web.worklist import CHOICES, Shown, Worklist, due_words, newest

PATH = "/"
ROWS = "/worklist/rows"


def router() -> APIRouter:
    """The page, and its rows alone for htmx; no JavaScript is needed to read and to narrow it."""
    found, worklist = APIRouter(), Worklist()

    @found.get(PATH)
    def whole(request: Request, who: Viewer, given: Given, show: str = "all") -> Response:
        words = _words(worklist, given, show, seen=None)
        audited(request, who, person="", what="worklist", access="search", detail={"people": len(words["rows"])})
        return page(request, "worklist.html", words, who=who)

    @found.get(ROWS)
    def rows(request: Request, who: Viewer, given: Given, show: str = "all", seen: str = "") -> Response:
        words = _words(worklist, given, show, seen=seen)
        if words["mark"] == seen:
            return Response(status_code=204, headers={"Cache-Control": "no-store"})
        audited(request, who, person="", what="worklist", access="search", detail={"people": len(words["rows"])})
        return page(request, "worklist-rows.html", words, who=who)

    return found


def _words(worklist: Worklist, given: Context, show: str, *, seen: str | None) -> dict[str, Any]:
    """What the templates lay out; `seen` is the mark of the rows that the browser has, None where it has none."""
    now = given.now()
    day = now.date()
    every = worklist.shown(given.store, day)
    show = show if show in CHOICES else "all"
    chosen = tuple(one for one in every if CHOICES[show][1](one, day))
    last = newest(every)
    before = int(seen.partition("-")[0]) if seen and seen.partition("-")[0].isdigit() else None
    fresh = {one.row.known.number for one in chosen if before is not None and one.row.known.last > before}
    return {
        "rows": chosen,
        "every": every,
        "show": show,
        "choices": [
            {"id": name, "title": title, "number": sum(belongs(one, day) for one in every)}
            for name, (title, belongs) in CHOICES.items()
        ],
        "fresh": fresh,
        "news": _news(chosen, fresh, now),
        "mark": f"{last}-{day.isoformat()}",
        "rows_path": ROWS,
        "due_words": lambda one: due_words(one, day),
        "now": now,
        "day": day,
    }


def _news(rows: tuple[Shown, ...], fresh: set[int], now: Any) -> str:
    """What has changed since the rows that the browser had, in words for everyone, also those who hear the page."""
    if not fresh:
        return ""
    urgent = sum(one.row.emergency or one.row.urgent for one in rows if one.row.known.number in fresh)
    people = "1 person has" if len(fresh) == 1 else f"{len(fresh)} people have"
    first = f", {urgent} of them cannot wait" if urgent else ""
    return f"{now:%H:%M}: {people} new results{first}."
