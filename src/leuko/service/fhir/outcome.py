"""What is wrong with a request, as FHIR says it: an OperationOutcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi import Response
from fastapi.responses import JSONResponse

from leuko.errors import LeukoError, Notice
from leuko.report.fhir.wire import Json, filled, text
from leuko.service.http.problems import Problem

MEDIA: Final = "application/fhir+json"
_SHOWN: Final = 50  # issues; more would hide the first ones
# HTTP status -> code of http://hl7.org/fhir/issue-type
_CODES: Final[Mapping[int, str]] = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    408: "timeout",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    429: "throttled",
    500: "exception",
    503: "transient",
}


class FhirResponse(JSONResponse):
    """JSON under FHIR's own media type."""

    media_type = MEDIA


class Refused(Exception):  # noqa: N818 (named for what it says)
    """A request that cannot be answered. `diagnostics` is for people; it repeats nothing of a person but the ids sent.

    `notices` are what the reader found, one issue each.
    """

    def __init__(self, status: int, diagnostics: str, *, code: str = "", notices: Sequence[Notice] = ()) -> None:
        self.status, self.diagnostics, self.code, self.notices = status, diagnostics, code, tuple(notices)
        super().__init__(diagnostics)


def issue(severity: str, code: str, diagnostics: str) -> Json:
    """One issue of an OperationOutcome."""
    return filled({"severity": severity, "code": code, "diagnostics": text(diagnostics)})


def of_notices(notices: Iterable[Notice]) -> list[Json]:
    """What the reader found, as issues; the gravest first, and how many more there are."""
    ranked = sorted(notices, key=lambda one: ("error", "warning", "info").index(one.severity))
    words = {"info": "information"}
    found = [
        issue(words.get(one.severity, one.severity), "processing", f"{one.code}: {one.text} [{one.place}]")
        for one in ranked[:_SHOWN]
    ]
    if len(ranked) > _SHOWN:
        found.append(issue("information", "informational", f"and {len(ranked) - _SHOWN} more"))
    return found


def answer(
    status: int,
    diagnostics: str,
    *,
    code: str = "",
    more: Sequence[Json] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The OperationOutcome for a status."""
    first = issue("error", code or _CODES.get(status, "processing"), diagnostics or "the request cannot be answered")
    body: dict[str, Any] = {"resourceType": "OperationOutcome", "issue": [first, *more]}
    return FhirResponse(body, status_code=status, headers=dict(headers or {}))


def refusal(refused: Refused) -> Response:
    """The answer to a request that was refused."""
    return answer(refused.status, refused.diagnostics, code=refused.code, more=of_notices(refused.notices))


def of_problem(problem: Problem) -> Response:
    """The answer to a problem that the guards of the service name."""
    said = "; ".join(part for part in (problem.detail, problem.do) if part)
    return answer(problem.status_code, said or problem.title, headers=problem.headers)


def of_error(error: LeukoError, status: int, *, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to an error of leuko's own words; where it lies in our files is not told."""
    said = "; ".join(part for part in (error.what, error.why, error.do) if part)
    return answer(status, said, headers=headers)
