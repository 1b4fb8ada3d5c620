"""Upload or paste: what it says, with every notice beside its line; nothing of it is kept."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData, UploadFile

from leuko.errors import UsageError
from leuko.intake.base import Blob
from leuko.intake.sources import printable
from leuko.knowledge import load_library
from leuko.report import names, view
from leuko.report.page import report_words
from leuko.service.http.context import Context
from leuko.service.http.guard.audited import audited
from leuko.service.http.guard.who import Who
from leuko.service.http.problems import Problem
from leuko.service.store.site import site_now
from leuko.site import SiteSettings
from leuko.web.access import Given, Viewer
from leuko.web.in_memory import InMemory
from leuko.web.leaflets import languages, leaflet_page, leaflet_words, pdf_answer
from leuko.web.listing import listings
from leuko.web.render import page
from leuko.web.sent import MOST_PEOPLE, PASTED, Sent, Understood, carried_back, understand

PATH: Final = "/read"
SAVED: Final = {"html": "page", "pdf": "PDF", "json": "JSON", "fhir": "FHIR"}  # views to save, by what they are called


async def _sent(request: Request, who: Viewer, given: Given) -> Sent:  # noqa: ARG001 (asked first: nobody else's form is read)
    """The form, once it is known who sends it."""
    form = await request.form()
    chosen = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
    files = [Blob(name=printable(one.filename or ""), data=await one.read()) for one in chosen]
    back = carried_back(_texts(form, "carried")) if not files else ()
    return Sent(
        text=_one(form, "text").replace("\r\n", "\n").replace("\r", "\n"),  # forms end every line with both
        files=(*files, *back),
        as_of=_day(_one(form, "as_of"), given.now().date()),
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


Form = Annotated[Sent, Depends(_sent)]


def router() -> APIRouter:
    """The form, what was read, and the same to print or to save."""
    found = APIRouter(route_class=InMemory)

    @found.get(PATH)
    def empty(request: Request, who: Viewer, given: Given) -> Response:
        return page(request, "read.html", _words(Sent(as_of=given.now().date())), who=who)

    @found.post(PATH)
    def read(request: Request, who: Viewer, given: Given, sent: Form) -> Response:
        if not sent.blobs:
            words = _words(sent) | {"trouble": "There is nothing to read: paste a text, or choose a file."}
            return page(request, "read.html", words, who=who, status=422)
        try:
            done = understand(sent, library=load_library(), site=_site(given))
        except UsageError as error:
            return page(request, "read.html", _words(sent) | {"trouble": _say(error)}, who=who, status=422)
        _keep_that(request, who, done)
        return page(request, "read.html", _words(sent, done), who=who)

    @found.post(f"{PATH}/leaflet")
    def leaflet(
        *, request: Request, who: Viewer, given: Given, sent: Form, lang: str = "", form: str = "html"
    ) -> Response:
        done = _of_one(request, who, given, sent)
        site = _site(given)
        words = leaflet_words(done.people[0], site, lang)
        if form == "pdf":
            return pdf_answer(words, done.people[0].as_of)
        return leaflet_page(request, who, words, site=site)

    @found.post(f"{PATH}/as/{{name}}")
    def save(request: Request, who: Viewer, given: Given, sent: Form, name: str) -> Response:
        if name not in SAVED or name not in names():
            raise Problem(404)
        done, kind = _of_one(request, who, given, sent), view(name)
        headers = {"Content-Disposition": f'attachment; filename="leuko{kind.suffix}"', "Cache-Control": "no-store"}
        return Response(kind.write(done.people[0]), media_type=kind.media_type, headers=headers)

    return found


def _of_one(request: Request, who: Who, given: Context, sent: Sent) -> Understood:
    done = understand(sent, library=load_library(), site=_site(given))
    if len(done.people) != 1:
        raise Problem(422, f"{len(done.people)} people were read", do="name one of them in the form")
    _keep_that(request, who, done)
    return done


def _keep_that(request: Request, who: Who, done: Understood) -> None:
    """That somebody had something read, in the audit; nothing of what it was."""
    sizes = sum(len(blob.data) for blob in done.gathered.blobs)
    detail = {"people": len(done.people), "bytes": sizes}
    audited(request, who, person="", what="text or files that were sent", access="execute", detail=detail)


def _site(given: Context) -> SiteSettings:
    with given.store.read() as connection:
        return site_now(connection)


def _say(error: UsageError) -> str:
    return " ".join(f"{part[0].upper()}{part[1:].rstrip('.')}." for part in (error.what, error.why, error.do) if part)


def _words(sent: Sent, done: Understood | None = None) -> dict[str, Any]:
    words: dict[str, Any] = {"sent": sent, "done": done, "trouble": "", "saved": SAVED}
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
