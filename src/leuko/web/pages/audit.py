"""The audit for admins: whether it is whole, who did what when, narrowed and page by page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from leuko.service.http.context import Context
from leuko.service.http.guard.audited import audited
from leuko.service.http.problems import Problem
from leuko.service.store.audit import Entry, Verified, Wanted, actions, entries, verify
from leuko.web.access import Admin, Given
from leuko.web.paging import page_of
from leuko.web.render import page

PATH: Final = "/audit"
SHOWN: Final = 50  # rows on a page
AT_ONCE: Final = 20_000  # rows of a chain that is checked whenever the page is opened; a longer one when asked


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Problem(400, "the day is none", do="write it as 2026-01-31") from error


def _asked(request: Request) -> dict[str, str]:
    names = ("actor", "action", "subject", "detail", "since", "until")
    return {name: request.query_params.get(name, "").strip() for name in names}


Asked = Annotated[dict[str, str], Depends(_asked)]


def router() -> APIRouter:
    """The page; `check=1` verifies the whole chain, `head` looks for a hash that was kept from an earlier check."""
    found = APIRouter()

    @found.get(PATH)
    def rows(
        *, request: Request, who: Admin, given: Given, asked: Asked, at: int = 1, check: bool = False, head: str = ""
    ) -> Response:
        wanted = Wanted(
            **{name: asked[name] for name in ("actor", "action", "subject", "detail")},
            since=_day(asked["since"]),
            until=_day(asked["until"]),
        )
        audited(request, who, person="", what="audit", access="search")
        at, shown, total = _rows(given, wanted, at)
        with given.store.read() as connection:
            every = entries(connection, Wanted(), most=1)[1]
            kinds = actions(connection)
        state = _state(given, every, head.strip(), check=check)
        words: dict[str, Any] = {
            "asked": asked,
            "narrowed": any(asked.values()),
            "paged": page_of(shown, at=at, most=SHOWN, total=total, path=PATH, asked=asked),
            "actions": kinds,
            "state": state,
            "head": head.strip(),
            "every": every,
            "detail_words": detail_words,
        }
        return page(request, "audit.html", words, who=who)

    return found


def _rows(given: Context, wanted: Wanted, at: int) -> tuple[int, tuple[Entry, ...], int]:
    """The page of that number, or the last one there is."""
    at = max(at, 1)
    with given.store.read() as connection:
        shown, total = entries(connection, wanted, skip=(at - 1) * SHOWN, most=SHOWN)
        if total and not shown:
            at = -(-total // SHOWN)
            shown, total = entries(connection, wanted, skip=(at - 1) * SHOWN, most=SHOWN)
    return at, shown, total


def _state(given: Context, every: int, head: str, *, check: bool) -> Verified | None:
    """What a check of the chain found; None where it is long and nobody asked."""
    return verify(given.store, head=head or None) if check or head or every <= AT_ONCE else None


def detail_words(detail: Mapping[str, object]) -> str:
    """What was kept beside an action, in its own order: "access: read; client: 10.0.0.7"."""
    return "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in detail.items() if value not in ("", None))
