"""The leaflet in the service: previewed as it will be printed, in every language there is, with the site's numbers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from fastapi import Request, Response

from leuko.advice import advice_for
from leuko.knowledge import load_library
from leuko.knowledge.schema.advice import LanguageRow
from leuko.report.leaflet import Leaflet, leaflet
from leuko.report.leaflet_write import is_long, pdf
from leuko.result import Assessment
from leuko.site import ROLES, SiteSettings
from leuko.web.render import page

if TYPE_CHECKING:
    from leuko.service.http.guard.who import Who


def languages() -> tuple[LanguageRow, ...]:
    """The languages that a leaflet can be in."""
    return tuple(load_library().rows(LanguageRow))


def leaflet_words(assessment: Assessment, site: SiteSettings, language: str = "") -> Leaflet:
    """The leaflet of an assessment; in the site's language where none is named. UsageError for an unknown one."""
    library = load_library()
    advice = advice_for(assessment, library=library, site=site)
    wanted = language or site.language
    return leaflet(assessment, advice, language=wanted, site_name=site.name, library=library)


def leaflet_page(request: Request, who: Who, words: Leaflet, *, site: SiteSettings, person: str = "") -> Response:
    """The leaflet as a page that prints on one sheet; a bar above it, which is not printed, leads back and on.

    `person` is the address of the person's page; empty for what was sent and is kept nowhere.
    """
    missing = [role.replace("_", " ") for role in ROLES if not site.phones.get(role)]
    given = {"leaflet": words, "long": is_long(words), "person": person, "languages": languages(), "missing": missing}
    return page(request, "leaflet.html", given, who=who)


def pdf_answer(words: Leaflet, as_of: date) -> Response:
    """The leaflet as PDF, to be shown by the browser."""
    headers = {"Content-Disposition": 'inline; filename="leaflet.pdf"', "Cache-Control": "no-store"}
    return Response(pdf(words, as_of=as_of), media_type="application/pdf", headers=headers)
