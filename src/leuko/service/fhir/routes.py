"""The routes under /fhir: $leuko-assess, the CapabilityStatement, the OperationDefinition."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from datetime import tzinfo
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from leuko.errors import LeukoError, UsageError, place_of
from leuko.knowledge import load_library
from leuko.service.fhir import asked, assessing, outcome, statement
from leuko.service.fhir.outcome import MEDIA, FhirResponse, Refused
from leuko.service.http.context import context
from leuko.service.http.guard import Role, Who, audited, needs
from leuko.service.http.problems import Problem
from leuko.service.http.settings import HttpSettings
from leuko.service.store import StoreDown
from leuko.service.store.site import site_now

_LOG: Final = logging.getLogger(__name__)
_BODIES: Final = frozenset({MEDIA, "application/json"})
_ACCEPTED: Final = frozenset({MEDIA, "application/json", "application/*", "*/*"})
_FORMATS: Final = frozenset({"json", MEDIA, "application/json"})
_RETRY: Final = {"Retry-After": "30"}


class FhirRoute(APIRoute):
    """A route whose every fault is answered with an OperationOutcome."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, with the faults of FHIR around it."""
        handler = super().get_route_handler()

        async def run(request: Request) -> Response:
            try:
                return await handler(request)
            except Exception as error:  # noqa: BLE001 (every fault has an answer; what nobody foresaw is logged)
                return _answer(request, error)

        return run


def _answer(request: Request, error: Exception) -> Response:
    match error:
        case Refused():
            made = outcome.refusal(error)
        case Problem():
            made = outcome.of_problem(error)
        case StoreDown():
            made = outcome.of_error(error, 503, headers=_RETRY)
        case PoolTimeout():
            made = outcome.answer(503, "every connection to the store is in use", headers=_RETRY)
        case LeukoError():
            made = outcome.of_error(error, 422)
        case HTTPException():
            made = outcome.answer(error.status_code, str(error.detail), headers=error.headers)
        case RequestValidationError():
            made = outcome.answer(422, "the request is not as the interface says")
        case _:
            number = getattr(request.state, "number", "")
            _LOG.error("request %s failed: %s%s", number, type(error).__name__, place_of(error))
            made = outcome.answer(500, "leuko itself failed; nothing was concluded")
    return made


def _media(request: Request) -> None:
    """Refuse a body that is no JSON, an answer that JSON does not suit, and words in the URL that would be ignored."""
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    charset = rest.replace(" ", "").replace('"', "").casefold()
    if request.method == "POST" and kind.strip().casefold() not in _BODIES:
        raise Refused(415, f"send the body as {MEDIA}")
    if charset and charset != "charset=utf-8":
        raise Refused(415, f"send the body as {MEDIA} in UTF-8")
    for name in request.query_params:
        if name not in {"_format", "_pretty"}:
            raise Refused(400, "words in the URL are not read: send them in Parameters", code="not-supported")
    asked_for = request.query_params.get("_format")
    if asked_for is not None:
        if asked_for not in _FORMATS:
            raise Refused(406, f"leuko answers in {MEDIA} only")
    elif not _accepts(request.headers.get("accept", "")):
        raise Refused(406, f"leuko answers in {MEDIA} only")


def _accepts(header: str) -> bool:
    ranges = [part.split(";") for part in header.casefold().split(",") if part.strip()]
    allowed = (
        kind.strip() in _ACCEPTED and not any(more.replace(" ", "") in {"q=0", "q=0.0"} for more in rest)
        for kind, *rest in ranges
    )
    return not ranges or any(allowed)


def _base(request: Request) -> str:
    public = context(request).settings.public_url.rstrip("/")
    return f"{public or str(request.base_url).rstrip('/')}/fhir"


def _zone_in(settings: HttpSettings, zone: tzinfo) -> tzinfo:
    """The zone of today, and of times that name none: of the table `fhir`, else that of the service."""
    table = settings.part("fhir")
    for key in table:
        if key != "zone":
            raise UsageError(f"{key!r} is no setting of FHIR", where=f"fhir.{key}", do="the table fhir knows zone")
    name = table.get("zone")
    found = zone if name is None else asked.zone_of(name) if isinstance(name, str) else None
    if found is None:
        raise UsageError(f"{name!r} is no time zone", where="fhir.zone", do='write zone = "Europe/Berlin"')
    return found


def metadata(request: Request) -> Response:
    """What this server can do."""
    _media(request)
    return FhirResponse(statement.capability(_base(request), context(request).now().date()))


def definition(request: Request) -> Response:
    """What $leuko-assess takes and gives."""
    _media(request)
    return FhirResponse(statement.operation(_base(request)))


def _operation(zone: tzinfo) -> Callable[..., Coroutine[Any, Any, Response]]:
    """$leuko-assess at a site in a zone."""

    async def leuko_assess(request: Request, who: Annotated[Who, Depends(needs(Role.CLINICIAN))]) -> Response:
        """Assess the blood counts of one person; what is sent is not kept."""
        _media(request)
        body = await request.body()
        content = await context(request).off_loop(_assessed, request, who, body, zone)
        return Response(content, media_type=MEDIA)

    return leuko_assess


def _assessed(request: Request, who: Who, body: bytes, at_site: tzinfo) -> bytes:
    given, library = context(request), load_library()
    wish = asked.understood(body)
    with given.store.read() as connection:
        site = site_now(connection)
    read = assessing.read(wish, now=given.now(), zone=wish.zone or at_site, library=library)
    audited(request, who, person=read.record.patient.id, what="assessment of what was sent", access="execute")
    return assessing.concluded(read, wish, site=site, library=library)


# ---- the interface, described ---------------------------------------------------------------------------------------

_ANY: Final = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string"}}}
_OUTCOME: Final = {"description": "What is wrong, as an OperationOutcome", "content": {MEDIA: {"schema": _ANY}}}


def _answers(good: str, *statuses: int) -> dict[int | str, dict[str, Any]]:
    good_one: dict[str, Any] = {"description": good, "content": {MEDIA: {"schema": _ANY}}}
    return {200: good_one, **dict.fromkeys(statuses, _OUTCOME)}


def _sent() -> dict[str, Any]:
    value = {"type": "string"}
    parameter = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"enum": ["record", "patient", "asOf", "zone", "regimen", "forecast"]},
            "resource": _ANY,
            "valueReference": {"type": "object", "properties": {"reference": value}},
            "valueString": value,
            "valueDate": {"type": "string", "format": "date"},
            "valueBoolean": {"type": "boolean"},
        },
    }
    kinds = [
        ("Bundle", "entry", {"type": "object", "properties": {"resource": _ANY}}),
        ("Parameters", "parameter", parameter),
    ]
    schema = {
        "oneOf": [
            {
                "type": "object",
                "required": ["resourceType"],
                "properties": {"resourceType": {"const": kind}, name: {"type": "array", "items": item}},
            }
            for kind, name, item in kinds
        ]
    }
    return {"requestBody": {"required": True, "content": {one: {"schema": schema} for one in sorted(_BODIES)}}}


def router(settings: HttpSettings | None, zone: tzinfo) -> APIRouter:
    """The routes under /fhir. Raises UsageError where the table `fhir` of the settings cannot be understood."""
    at_site = _zone_in(settings or HttpSettings(), zone)
    routes = APIRouter(prefix="/fhir", tags=["FHIR"], route_class=FhirRoute)
    same: dict[str, Any] = {"response_class": FhirResponse, "response_model": None}
    routes.add_api_route("/metadata", metadata, responses=_answers("A CapabilityStatement", 400, 406, 415), **same)
    path = f"/OperationDefinition/{statement.OPERATION}"
    routes.add_api_route(path, definition, responses=_answers("An OperationDefinition", 400, 406, 415), **same)
    faults = (400, 401, 403, 406, 413, 415, 422, 429, 503)
    routes.add_api_route(
        f"/${statement.OPERATION}",
        _operation(at_site),
        methods=["POST"],
        responses=_answers("A Bundle of conclusions", *faults),
        openapi_extra=_sent(),
        **same,
    )
    return routes
