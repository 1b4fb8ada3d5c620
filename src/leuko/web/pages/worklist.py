"""The worklist: the first page, the rows that renew themselves as results arrive, and the stream that says so."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from leuko.service.http.context import Context
from leuko.service.http.guard.audited import audited
from leuko.service.http.guard.who import BY_ITSELF, who_of
from leuko.service.http.problems import Problem
from leuko.service.store import Store
from leuko.service.store.people import last_assessment
from leuko.web.access import Given, Viewer
from leuko.web.news import News
from leuko.web.render import page
from leuko.web.worklist import CHOICES, Shown, Worklist, due_words

PATH = "/"
ROWS = "/worklist/rows"
STREAM = "/worklist/stream"


def router() -> APIRouter:
    """The page, and its rows alone for htmx; no JavaScript is needed to read and to narrow it."""
    found, worklist = APIRouter(), Worklist()
    told: dict[str, News] = {}  # made when the first page listens, in the event loop that it lives in

    @found.get(PATH)
    def whole(*, request: Request, who: Viewer, given: Given, show: str = "all", kept: int = -1) -> Response:
        words = _words(worklist, given, show, seen=None) | {"kept_new": kept}
        audited(request, who, person="", what="worklist", access="search", detail={"people": len(words["rows"])})
        return page(request, "worklist.html", words, who=who)

    @found.get(ROWS)
    def rows(request: Request, who: Viewer, given: Given, show: str = "all", seen: str = "") -> Response:
        if _mark(given.store, given.now().date()) == seen:
            return Response(status_code=204, headers={"Cache-Control": "no-store"})
        words = _words(worklist, given, show, seen=seen)
        audited(request, who, person="", what="worklist", access="search", detail={"people": len(words["rows"])})
        return page(request, "worklist-rows.html", words, who=who)

    @found.get(STREAM)
    async def stream(request: Request, who: Viewer, given: Given, seen: str = "") -> Response:
        if BY_ITSELF not in request.headers:  # a page that lies open must not keep its login alive
            raise Problem(400, f"a stream says that nobody need sit before it: {BY_ITSELF}")
        news = told.setdefault("news", News(lambda: _mark(given.store, given.now().date())))
        if given.stopping.is_set() or not news.may_listen(who.login or who.name):
            raise Problem(503, "no more streams now", do="ask for the rows", headers={"Retry-After": "30"})

        async def still_in() -> bool:
            return await run_in_threadpool(who_of, request) is not None

        events = news.events(who.login or who.name, seen, ends=given.stopping.is_set, still_in=still_in)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    return found


def _mark(store: Store, day: date) -> str:
    """Names what the worklist shows: the newest conclusion, also one that takes somebody off it, and the day."""
    with store.read() as connection:
        return f"{last_assessment(connection)}-{day.isoformat()}"


def _words(worklist: Worklist, given: Context, show: str, *, seen: str | None) -> dict[str, Any]:
    """What the templates lay out; `seen` is the mark of the rows that the browser has, None where it has none."""
    now = given.now()
    day = now.date()
    mark = _mark(given.store, day)  # before the rows: what comes in between is news
    every = worklist.shown(given.store, day)
    show = show if show in CHOICES else "all"
    chosen = tuple(one for one in every if CHOICES[show][1](one, day))
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
        "mark": mark,
        "rows_path": ROWS,
        "stream_path": STREAM,
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
