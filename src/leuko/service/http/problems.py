"""Answers that say what is wrong and what to do, and hold nothing of what was sent: it may be about a person.

RFC 9457 (application/problem+json) for programs, a page for people, as the Accept header asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from leuko.errors import LeukoError
from leuko.service.http.pages import page
from leuko.service.store import StoreDown

_RETRY: Final = {"Retry-After": "30"}
_SHOWN_ERRORS: Final = 10  # of a body that breaks its schema in many places


class Problem(HTTPException):
    """An answer that is no success. `detail` and `do` are for people and hold nothing of a person."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        do: str = "",
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.do, self.more = do, dict(more or {})

    @property
    def title(self) -> str:
        """The phrase of the status."""
        return HTTPStatus(self.status_code).phrase


def wants_page(request: Request) -> bool:
    """Whether a browser asks: it names text/html, and JSON not before it."""
    accept = request.headers.get("accept", "").casefold()
    html, json = accept.find("text/html"), accept.find("json")
    return html >= 0 and not 0 <= json < html


def answer(request: Request, problem: Problem) -> Response:
    """The problem as JSON or as a page; under /fhir as an OperationOutcome."""
    if request.url.path.startswith("/fhir/"):
        from leuko.service.fhir.outcome import of_problem  # noqa: PLC0415 (FHIR stands on this)

        return of_problem(problem)
    if wants_page(request):
        content = page("problem", title=problem.title, detail=problem.detail, do=problem.do)
        return Response(content, status_code=problem.status_code, media_type="text/html", headers=problem.headers)
    body: dict[str, Any] = {"type": "about:blank", "title": problem.title, "status": problem.status_code}
    body |= {name: text for name, text in (("detail", problem.detail), ("do", problem.do)) if text}
    return JSONResponse(
        {**body, **problem.more},
        status_code=problem.status_code,
        media_type="application/problem+json",
        headers=problem.headers,
    )


def install(app: FastAPI) -> None:
    """Make every fault that has a name an answer; what has none is caught by `guard.faults`."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(LeukoError, _leuko)
    app.add_exception_handler(PoolTimeout, _busy)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 (what the handler is for)
    return answer(request, error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (the same)
    detail = error.detail if error.status_code not in {404, 405} else ""
    return answer(request, Problem(error.status_code, detail, headers=error.headers))


async def _invalid(request: Request, error: Exception) -> Response:
    """Which field breaks which rule; never its value."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 (the same)
    found = [{"where": _where(one), "rule": str(one["type"])} for one in error.errors()[:_SHOWN_ERRORS]]
    return answer(request, Problem(422, "the request is not as the interface says", more={"errors": found}))


def _where(one: Mapping[str, Any]) -> str:
    """The place of an error; a key that nobody expected came from the sender, and is not repeated."""
    place = list(one["loc"])
    if one["type"] == "extra_forbidden":
        place = place[:-1]
    return ".".join(str(part) for part in place)


async def _leuko(request: Request, error: Exception) -> Response:
    assert isinstance(error, LeukoError)  # noqa: S101 (the same)
    if isinstance(error, StoreDown):
        return answer(request, Problem(503, f"{error.what}: {error.why}", do="try again later", headers=_RETRY))
    return answer(request, Problem(400, error.what, do=error.do))


async def _busy(request: Request, error: Exception) -> Response:  # noqa: ARG001 (Starlette's own signature)
    return answer(request, Problem(503, "every connection to the store is in use", headers=_RETRY))
