"""The leaflet of a person of the store: previewed, printed, as PDF."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from leuko.service.http.guard.audited import audited
from leuko.service.http.problems import Problem
from leuko.web.access import Given, Viewer
from leuko.web.leaflets import leaflet_page, leaflet_words, pdf_answer
from leuko.web.people import People

PATH: Final = "/people/{number}/leaflet"


def router() -> APIRouter:
    """One page; `lang` chooses the language, `form=pdf` the PDF."""
    found, people = APIRouter(), People()

    @found.get(PATH)
    def leaflet(
        *, request: Request, who: Viewer, given: Given, number: int, lang: str = "", form: str = "html"
    ) -> Response:
        seen = people.seen(given.store, number, given.now().date())
        if seen is None:
            raise Problem(404, "there is no person of this number", do="go back to the worklist")
        audited(request, who, person=seen.known.person, what="leaflet")
        words = leaflet_words(seen.assessment, seen.site, lang)
        if form == "pdf":
            return pdf_answer(words, seen.assessment.as_of)
        return leaflet_page(request, who, words, site=seen.site, person=f"/people/{number}")

    return found
