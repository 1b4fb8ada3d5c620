"""A person's page: what stands, what it means, what is to come; signs of infection told on it are scored at once."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from leuko.errors import UsageError
from leuko.service.http.context import Context
from leuko.service.http.guard.audited import audited
from leuko.service.http.guard.who import Who
from leuko.service.http.problems import Problem
from leuko.web.access import Given, Viewer
from leuko.web.people import People, Seen
from leuko.web.person import chosen_edition, past, scored, whole
from leuko.web.render import page
from leuko.web.told import ROUTES, Told, questions, signs_of, told_of

PATH: Final = "/people/{number}"
MOST_FIELDS: Final = 100


def router() -> APIRouter:
    """The page, its signs of infection, and what earlier forecasts came to."""
    found, people = APIRouter(), People()

    @found.get(PATH)
    def person(
        request: Request, who: Viewer, given: Given, *, number: int, edition: str = "", forecast: bool = False
    ) -> Response:
        seen = one_of(people, given, number)
        audited(request, who, person=seen.known.person, what="assessment")
        made = people.forecast(seen) if forecast or people.has_forecast(seen) else seen.assessment
        words = _words(seen, made, edition, given)
        return page(request, "person.html", words, who=who)

    @found.get(f"{PATH}/past")
    def earlier(request: Request, who: Viewer, given: Given, number: int) -> Response:
        seen = one_of(people, given, number)
        audited(request, who, person=seen.known.person, what="earlier forecasts")
        words = {"past": people.made(seen, "past", lambda: past(seen)), "number": number, "seen": seen}
        part = "HX-Request" in request.headers
        return page(request, "past.html" if part else "past-page.html", words, who=who)

    @found.post(f"{PATH}/infection")
    async def infection(request: Request, who: Viewer, given: Given, number: int) -> Response:
        sent = await request.form(max_fields=MOST_FIELDS, max_files=0)
        form = {key: [each for each in sent.getlist(key) if isinstance(each, str)] for key in sent}
        seen = await run_in_threadpool(one_of, people, given, number)
        return await run_in_threadpool(_infection, request, who, given, seen, told_of(form))

    return found


def one_of(people: People, given: Context, number: int) -> Seen:
    """The person of a number as of today; Problem 404 where there is none."""
    seen = people.seen(given.store, number, given.now().date())
    if seen is None:
        raise Problem(
            404, "there is nobody of this number", do="go back to the worklist: the person may be known there"
        )
    return seen


def _words(seen: Seen, made: Any, edition: str, given: Context, told: Told | None = None) -> dict[str, Any]:
    scheme, named = chosen_edition(edition)
    try:
        words = whole(seen, made, scheme=scheme, edition=named)
    except UsageError as error:
        raise Problem(404, error.what, do="choose an edition that the page names") from error
    return words | {
        "questions": questions(made, seen.library),
        "routes": ROUTES,
        "told": told or Told(),
        "edition": edition,
        "now": given.now(),
        "trouble": "",
        "result": None,
    }


def _infection(request: Request, who: Who, given: Context, seen: Seen, told: Told) -> Response:
    """The signs scored: the part of the page for htmx, the whole page for a browser without JavaScript."""
    audited(request, who, person=seen.known.person, what="infection", access="execute")
    result, trouble = None, ""
    if told.empty:
        trouble = "Nothing was told: write a temperature, or tick what is there."
    else:
        try:
            asked = questions(seen.assessment, seen.library)
            signs = signs_of(told, asked, library=seen.library, now=given.now())
            result = scored(seen.again(symptoms=signs))
        except UsageError as error:
            trouble = f"{error.what[:1].upper()}{error.what[1:]}. {error.do}"
    if "HX-Request" in request.headers:
        words = {"result": result, "trouble": trouble}
        return page(request, "told.html", words, who=who)
    words = _words(seen, seen.assessment, "", given, told) | {"result": result, "trouble": trouble}
    return page(request, "person.html", words, who=who, status=200 if result is not None else 422)
