"""Upload or paste: what it says, with every notice beside its line; kept only where a clinician says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData, UploadFile

from leuko.errors import LeukoError, UsageError
from leuko.intake.base import Blob
from leuko.intake.sources import printable
from leuko.knowledge import load_library
from leuko.report import names, view
from leuko.report.page import report_words
from leuko.service.http.context import Context
from leuko.service.http.guard.audited import audited
from leuko.service.http.guard.who import Who
from leuko.service.http.problems import Problem
from leuko.service.inbox import Verdict
from leuko.service.keep import Kept
from leuko.service.roles import Role
from leuko.service.store import StoreDown
from leuko.service.store.site import site_now
from leuko.site import SiteSettings
from leuko.web.access import Clinician, Given, Viewer, Zone, by_hand
from leuko.web.in_memory import InMemory
from leuko.web.keeping import Chosen, Keepable, chosen_of, feed, keep_chosen, keepable
from leuko.web.leaflets import languages, leaflet_page, leaflet_words, pdf_answer
from leuko.web.listing import listings
from leuko.web.people import known
from leuko.web.render import page
from leuko.web.sent import MOST_PEOPLE, PASTED, Sent, Understood, carried_back, understand

PATH: Final = "/read"
SAVED: Final = {"html": "page", "pdf": "PDF", "json": "JSON", "fhir": "FHIR"}  # views to save, by what they are called


async def _sent(request: Request, who: Viewer, given: Given, zone: Zone) -> Sent:  # noqa: ARG001 (asked first: nobody else's form is read)
    """The form, once it is known who sends it."""
    form = await request.form()
    chosen = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
    files = [Blob(name=printable(one.filename or ""), data=await one.read()) for one in chosen]
    back = carried_back(_texts(form, "carried")) if not files else ()
    return Sent(
        text=_one(form, "text").replace("\r\n", "\n").replace("\r", "\n"),  # forms end every line with both
        files=(*files, *back),
        as_of=_day(_one(form, "as_of"), given.now().astimezone(zone).date()),
        person=_one(form, "person").strip(),
        symptoms=_one(form, "symptoms"),
        regimen=_one(form, "regimen"),
    )


def _texts(form: FormData, name: str) -> list[str]:
    return [one for one in form.getlist(name) if isinstance(one, str)]


def _one(form: FormData, name: str) -> str:
    return next(iter(_texts(form, name)), "")


def _day(text: str, today: date) -> date:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else today
    except ValueError as error:
        raise Problem(400, "the day is none", do="write it as 2026-01-31") from error


async def _fields(request: Request, who: Clinician) -> Mapping[str, str]:  # noqa: ARG001 (as above)
    """The fields of the form that say what is to be kept, and of whom."""
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


Form = Annotated[Sent, Depends(_sent)]
Fields = Annotated[Mapping[str, str], Depends(_fields)]


def router() -> APIRouter:
    """The form, what was read, and the same to print or to save."""
    found = APIRouter(route_class=InMemory)

    @found.get(PATH)
    def empty(request: Request, who: Viewer, given: Given, zone: Zone) -> Response:
        return page(request, "read.html", _words(Sent(as_of=given.now().astimezone(zone).date())), who=who)

    @found.post(PATH)
    def read(*, request: Request, who: Viewer, given: Given, zone: Zone, sent: Form) -> Response:
        return _answered(_Call(request=request, who=who, given=given, zone=zone), sent)

    @found.post(f"{PATH}/keep")
    def keep(*, request: Request, who: Clinician, given: Given, zone: Zone, sent: Form, form: Fields) -> Response:
        return _keep(_Call(request=request, who=who, given=given, zone=zone), sent, form)

    @found.post(f"{PATH}/leaflet")
    def leaflet(
        *, request: Request, who: Viewer, given: Given, zone: Zone, sent: Form, lang: str = "", form: str = "html"
    ) -> Response:
        done = _of_one(request, who, given, zone, sent)
        site = _site(given)
        words = leaflet_words(done.people[0], site, lang)
        if form == "pdf":
            return pdf_answer(words, done.people[0].as_of)
        return leaflet_page(request, who, words, site=site)

    @found.post(f"{PATH}/as/{{name}}")
    def save(*, request: Request, who: Viewer, given: Given, zone: Zone, sent: Form, name: str) -> Response:
        if name not in SAVED or name not in names():
            raise Problem(404)
        done, kind = _of_one(request, who, given, zone, sent), view(name)
        headers = {"Content-Disposition": f'attachment; filename="leuko{kind.suffix}"', "Cache-Control": "no-store"}
        return Response(kind.write(done.people[0]), media_type=kind.media_type, headers=headers)

    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """A request, who makes it, and what it may use."""

    request: Request
    who: Who
    given: Context
    zone: tzinfo

    def page(self, words: Mapping[str, Any], status: int = 200) -> Response:
        return page(self.request, "read.html", words, who=self.who, status=status)


def _answered(call: _Call, sent: Sent, trouble: str = "") -> Response:
    """The page of what was read; `trouble` is what else is to be said of it."""
    if not sent.blobs:
        words = _words(sent) | {"trouble": "There is nothing to read: paste a text, or choose a file."}
        return call.page(words, 422)
    try:
        done = understand(sent, library=load_library(), site=_site(call.given), zone=call.zone)
    except UsageError as error:
        return call.page(_words(sent) | {"trouble": _say(error)}, 422)
    _keep_that(call.request, call.who, done)
    words = _words(sent, done) | {"trouble": trouble}
    if call.who.role >= Role.CLINICIAN:
        words["keep"] = found = _keepable(call.given, sent, done)
        for one in {each.known.person for offer in found.offers for each in offer.candidates}:
            audited(call.request, call.who, person=one, what="who it is, and which counts are there")
    return call.page(words, 422 if trouble else 200)


def _of_one(request: Request, who: Who, given: Context, zone: tzinfo, sent: Sent) -> Understood:
    done = understand(sent, library=load_library(), site=_site(given), zone=zone)
    if len(done.people) != 1:
        raise Problem(422, f"{len(done.people)} people were read", do="name one of them in the form")
    _keep_that(request, who, done)
    return done


def _keep_that(request: Request, who: Who, done: Understood) -> None:
    """That somebody had something read, in the audit; nothing of what it was."""
    sizes = sum(len(blob.data) for blob in done.gathered.blobs)
    detail = {"people": len(done.people), "bytes": sizes}
    audited(request, who, person="", what="text or files that were sent", access="execute", detail=detail)


# ---- keeping --------------------------------------------------------------------------------------------------------


def _keep(call: _Call, sent: Sent, form: Mapping[str, str]) -> Response:
    """Keep what was shown, and lead to whom it is about; the page again, with why, where it cannot be."""
    store = call.given.store
    try:
        done = understand(sent, library=load_library(), site=_site(call.given), zone=call.zone)
        found = _keepable(call.given, sent, done)
        if found.why_not:
            raise UsageError("nothing of this can be kept", why=found.why_not)
        if form.get("shown") != found.mark:
            raise UsageError("the text or the files were changed after they were read", do="look at it, then keep it")
        with store.read() as connection:
            chosen = chosen_of(found, form, known(connection))
        verdicts = feed(store, found, actor=call.who.name, zone=call.zone, grades=call.given.grading() is None)
        kept = keep_chosen(store, found, chosen, zone=call.zone, by=by_hand(call.request, call.who))
    except StoreDown:
        raise
    except LeukoError as error:
        return _answered(call, sent, _say(error))
    refused = [one for one in verdicts if one.code != "AA"]
    if refused:
        words = f"{len(refused)} of {len(verdicts)} messages were not taken: {refused[0].text}"
        return _answered(call, sent, f"{words}. Everything else is kept.")
    return RedirectResponse(_after(call.given, chosen, kept, verdicts), status_code=303)


def _after(given: Context, chosen: tuple[Chosen, ...], kept: tuple[Kept, ...], verdicts: list[Verdict]) -> str:
    """Where to go then: to the person, or to the worklist; how much was new stands in the address."""
    new = sum(one.added for one in kept) + sum(one.new for one in verdicts)
    if len(chosen) == 1 and not verdicts:
        with given.store.read() as connection:
            number = next((one.number for one in known(connection) if one.person == chosen[0].person), None)
        if number is not None:
            return f"/people/{number}?kept={new}"
    return f"/?kept={new}"


def _keepable(given: Context, sent: Sent, done: Understood) -> Keepable:
    with given.store.read() as connection:
        return keepable(connection, sent, done, signs=done.signs)


def _site(given: Context) -> SiteSettings:
    with given.store.read() as connection:
        return site_now(connection)


def _say(error: LeukoError) -> str:
    return " ".join(f"{part[0].upper()}{part[1:].rstrip('.')}." for part in (error.what, error.why, error.do) if part)


def _words(sent: Sent, done: Understood | None = None) -> dict[str, Any]:
    words: dict[str, Any] = {"sent": sent, "done": done, "trouble": "", "saved": SAVED, "keep": None}
    words |= {"most": MOST_PEOPLE, "pasted": PASTED, "languages": languages()}
    if done is None:
        return words
    words["listings"] = listings(done.gathered.blobs, done.notices)
    if len(done.people) == 1:
        # what intake says stands beside the lines below, so it is not said twice
        told = report_words(done.people[0])
        who_words = told.pop("who")  # in the frame of a page, `who` is who is logged in
        words |= {**told, "who_words": who_words, "notices": ()}
    return words
