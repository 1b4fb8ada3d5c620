"""What if the next cycle came later, with less, or with a growth factor: two plans beside the one that stands."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from leuko.errors import UsageError
from leuko.service.http.context import Context
from leuko.service.http.guard.audited import audited
from leuko.web.access import Given, Viewer
from leuko.web.pages.person import one_of
from leuko.web.people import People, Seen
from leuko.web.render import page
from leuko.web.what_if import SIDES, Plan, bounds_of, compared, kept, plans_of, usual
from leuko.wording import say_date, say_list

PATH: Final = "/people/{number}/what-if"


def router() -> APIRouter:
    """The page, and its result alone for htmx: what is asked stands in the address, and says nothing of the person."""
    found, people = APIRouter(), People()

    @found.get(PATH)
    def what_if(request: Request, who: Viewer, given: Given, number: int) -> Response:
        seen = one_of(people, given, number)
        part = "HX-Request" in request.headers
        audited(request, who, person=seen.known.person, what="what-if", access="execute")
        words = _words(people, seen, dict(request.query_params), given)
        return page(request, "what-if-result.html" if part else "what-if.html", words, who=who)

    return found


def _words(people: People, seen: Seen, sent: dict[str, str], given: Context) -> dict[str, Any]:
    models = kept(people, seen)
    words: dict[str, Any] = {
        "seen": seen,
        "number": seen.known.number,
        "models": models,
        "now": given.now(),
        "trouble": "",
        "results": (),
    }
    if not models:
        forecasts = people.forecast(seen).forecasts
        return words | {"why_not": [one.headline for one in forecasts], "gaps": [g for f in forecasts for g in f.gaps]}
    first, bounds = usual(seen), bounds_of(models[0])
    words |= {
        "bounds": bounds,
        "planned": say_date(models[0].planned),
        "drugs": say_list(list(models[0].drugs)),
        "sides": SIDES,
    }
    try:
        plans: dict[str, Plan] = plans_of(sent, first, bounds)
    except UsageError as error:
        return words | {"plans": first, "trouble": f"{error.what[:1].upper()}{error.what[1:]}: {error.do}."}
    return words | {"plans": plans, "results": compared(people, seen, plans)}
