"""A person's page: what stands, what it means, what is to come; signs of infection told on it are scored at once.

They are kept where a clinician says so; what was kept by hand is listed, and can be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from leuko.errors import UsageError
from leuko.knowledge import load_library
from leuko.record import Sign
from leuko.service.grade import Grading
from leuko.service.http.context import Context
from leuko.service.http.guard.audited import audited
from leuko.service.http.guard.who import Who
from leuko.service.http.problems import Problem
from leuko.service.keep import keep, withdraw
from leuko.service.roles import Role
from leuko.service.store.kept import entries_of
from leuko.web.access import Clinician, Given, Viewer, Zone, by_hand
from leuko.web.keeping import told_entry
from leuko.web.kept_list import kept_lines
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
        *,
        request: Request,
        who: Viewer,
        given: Given,
        zone: Zone,
        number: int,
        edition: str = "",
        forecast: bool = False,
        kept: int = -1,
    ) -> Response:
        seen = one_of(people, given, number)
        audited(request, who, person=seen.known.person, what="assessment")
        made = people.forecast(seen) if forecast or people.has_forecast(seen) else seen.assessment
        call = Call(request=request, who=who, given=given, zone=zone, seen=seen)
        return call.page("person.html", _words(call, made, edition) | {"kept_new": kept})

    @found.get(f"{PATH}/past")
    def earlier(request: Request, who: Viewer, given: Given, number: int) -> Response:
        seen = one_of(people, given, number)
        audited(request, who, person=seen.known.person, what="earlier forecasts")
        words = {"past": people.made(seen, "past", lambda: past(seen)), "number": number, "seen": seen}
        part = "HX-Request" in request.headers
        return page(request, "past.html" if part else "past-page.html", words, who=who)

    @found.post(f"{PATH}/infection")
    async def infection(*, request: Request, who: Viewer, given: Given, zone: Zone, number: int) -> Response:
        told = await _told(request)
        seen = await run_in_threadpool(one_of, people, given, number)
        call = Call(request=request, who=who, given=given, zone=zone, seen=seen)
        return await run_in_threadpool(_infection, call, told)

    @found.post(f"{PATH}/signs")
    async def keep_signs(*, request: Request, who: Clinician, given: Given, zone: Zone, number: int) -> Response:
        told = await _told(request)
        seen = await run_in_threadpool(one_of, people, given, number)
        call = Call(request=request, who=who, given=given, zone=zone, seen=seen)
        return await run_in_threadpool(_keep_signs, call, told)

    @found.post(f"{PATH}/kept/{{entry}}/withdraw")
    def take_back(*, request: Request, who: Clinician, given: Given, zone: Zone, number: int, entry: int) -> Response:
        person = one_of(people, given, number).known.person
        grading = Grading(library=load_library(), zone=zone)
        if not withdraw(given.store, grading, person, entry, by_hand(request, who)):
            raise Problem(404, "nothing of this number is kept of this person", do="load the page again")
        left = people.seen(given.store, number, given.now().date()) is not None
        return RedirectResponse(f"/people/{number}#kept" if left else "/", status_code=303)

    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request about a person, who makes it, and what it may use; `zone` is that of the service."""

    request: Request
    who: Who
    given: Context
    zone: tzinfo
    seen: Seen

    @property
    def now(self) -> datetime:
        """The time, in the zone of the service: that of times which name none."""
        return self.given.now().astimezone(self.zone)

    def page(self, template: str, words: dict[str, Any], status: int = 200) -> Response:
        """An answer to whom makes it."""
        return page(self.request, template, words, who=self.who, status=status)


async def _told(request: Request) -> Told:
    sent = await request.form(max_fields=MOST_FIELDS, max_files=0)
    return told_of({key: [each for each in sent.getlist(key) if isinstance(each, str)] for key in sent})


def one_of(people: People, given: Context, number: int) -> Seen:
    """The person of a number as of today; Problem 404 where there is none."""
    seen = people.seen(given.store, number, given.now().date())
    if seen is None:
        raise Problem(
            404, "there is nobody of this number", do="go back to the worklist: the person may be known there"
        )
    return seen


def _words(call: Call, made: Any, edition: str, told: Told | None = None) -> dict[str, Any]:
    seen = call.seen
    scheme, named = chosen_edition(edition)
    try:
        words = whole(seen, made, scheme=scheme, edition=named)
    except UsageError as error:
        raise Problem(404, error.what, do="choose an edition that the page names") from error
    with call.given.store.read() as connection:
        entries = entries_of(connection, [seen.known.person])
    return words | {
        "questions": questions(made, seen.library),
        "routes": ROUTES,
        "told": told or Told(),
        "edition": edition,
        "now": call.now,
        "trouble": "",
        "result": None,
        "kept": tuple(kept_lines(entries, call.zone)),
        "kept_new": -1,
        "may_keep": call.who.role >= Role.CLINICIAN,
    }


def _signs(call: Call, told: Told) -> tuple[Sign, ...]:
    """The signs that were told. Raises UsageError, in words for the form."""
    if told.empty:
        raise UsageError("nothing was told", do="Write a temperature, or tick what is there.")
    asked = questions(call.seen.assessment, call.seen.library)
    return signs_of(told, asked, library=call.seen.library, now=call.now)


def _infection(call: Call, told: Told) -> Response:
    """The signs scored: the part of the page for htmx, the whole page for a browser without JavaScript."""
    audited(call.request, call.who, person=call.seen.known.person, what="infection", access="execute")
    result, trouble, at = None, "", ""
    try:
        signs = _signs(call, told)
        result = scored(call.seen.again(symptoms=signs))
        at = next(sign.taken.at.isoformat(timespec="minutes") for sign in signs if sign.taken is not None)
    except UsageError as error:
        trouble = f"{error.what[:1].upper()}{error.what[1:]}. {error.do}"
    asked = {"result": result, "trouble": trouble, "told_at": at, "told": told}
    if "HX-Request" in call.request.headers:
        own = {"number": call.seen.known.number, "may_keep": call.who.role >= Role.CLINICIAN}
        return call.page("told.html", asked | own)
    words = _words(call, call.seen.assessment, "", told) | asked
    return call.page("person.html", words, 200 if result is not None else 422)


def _keep_signs(call: Call, told: Told) -> Response:
    """The signs kept with the person's record, which is graded with them at once."""
    person = call.seen.known.person
    try:
        entry = told_entry(person, _signs(call, told))
    except UsageError as error:
        raise Problem(422, error.what, do=error.do) from error
    grading = Grading(library=load_library(), zone=call.zone)
    done = keep(call.given.store, grading, [entry], by_hand(call.request, call.who))
    return RedirectResponse(f"/people/{call.seen.known.number}?kept={done.added}", status_code=303)
