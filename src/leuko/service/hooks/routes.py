"""The HTTP side of CDS Hooks: discovery, services, feedback; each answer says what it is, errors too."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import httpx
import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException

from leuko.knowledge import Library, load_library
from leuko.knowledge.schema.cards import PrefetchRow, ServiceRow
from leuko.service.hooks.beside import OwnProcess, settle
from leuko.service.hooks.desk import Desk, Work
from leuko.service.hooks.feedback import check_known, keep_feedback, read_feedback
from leuko.service.hooks.prefetch import gather, templates
from leuko.service.hooks.problems import MEDIA, HookProblem, refused
from leuko.service.hooks.request import read_request
from leuko.service.hooks.settings import HookSettings
from leuko.service.hooks.trust import Caller, Gate, fetching
from leuko.service.http.context import Context, context
from leuko.service.store import Store, StoreDown
from leuko.service.store.cards import Call, Replayed, keep_call, used

SPECIFICATION: Final = "2.0.1"  # of CDS Hooks
PREFIX: Final = "/cds-services"
_LOG: Final = logging.getLogger(__name__)
_JSON: Final = "application/json"
_CORS_SECONDS: Final = "600"
_NO_STORE: Final = {"Cache-Control": "no-store"}
_OUTCOME: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": text, "content": {MEDIA: {"schema": {"type": "object"}}}}
    for status, text in {
        400: "the request breaks the interface, or holds another person's data",
        401: "the token does not let this call in",
        403: "leuko is not for this user",
        404: "there is no such service, or no such card",
        412: "data that are needed cannot be had",
        413: "the request is too large",
        429: "too many requests",
        500: "a fault in leuko",
        503: "the store or the EHR's keys cannot be reached just now",
    }.items()
}


@dataclass
class Hall:
    """What all calls share. `transport` is for tests; `forecaster` gives what forecasts are made in."""

    settings: HookSettings
    transport: httpx.AsyncBaseTransport | None = None
    forecaster: Callable[[], Executor] | None = None
    desks: dict[int, Desk] = field(default_factory=dict)

    @cached_property
    def library(self) -> Library:
        """The knowledge."""
        return load_library()

    @cached_property
    def gate(self) -> Gate:
        """Who lets calls in."""
        return Gate(self.settings, self.fetcher)

    @cached_property
    def fetcher(self) -> Any:
        """What asks other servers."""
        return fetching(self.settings, self.transport)

    @cached_property
    def services(self) -> Mapping[str, ServiceRow]:
        """The services by id."""
        return {row.id: row for row in self.library.rows(ServiceRow)}

    def prefetch(self, service: ServiceRow) -> list[PrefetchRow]:
        """The data that a service asks for."""
        rows = {row.id: row for row in self.library.rows(PrefetchRow)}
        return [rows[name] for name in service.prefetch]

    def desk(self, store: Store) -> Desk:
        """Where calls of a store are answered."""
        if id(store) not in self.desks:
            self.desks[id(store)] = Desk(self.settings, self.library, store, forecaster=self.forecaster)
        return self.desks[id(store)]


def router(
    settings: HookSettings,
    *,
    warm: bool = False,
    forecaster: Callable[[], Executor] | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> APIRouter:
    """The routes of CDS Hooks, for EHRs that the settings list.

    `warm` assesses an invented person when the service starts, so that the first call is no slower than the others.
    Forecasts are made in a process of their own unless `forecaster` says where.
    """
    own = OwnProcess()
    if settings.forecasts and forecaster is None:
        forecaster = own
    hall = Hall(settings=settings, forecaster=forecaster, transport=transport)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        if warm:
            app.state.context.pool.submit(settle, hall.library)
        try:
            yield
        finally:
            await hall.fetcher.close()
            own.close()

    routes = APIRouter(prefix=PREFIX, tags=["CDS Hooks"], lifespan=life)
    _add(routes, hall)
    return routes


def _add(routes: APIRouter, hall: Hall) -> None:
    @routes.get("", summary="The services, and the data each asks for", responses=_OUTCOME)
    async def discovery(request: Request) -> Response:
        return await _guarded(request, hall, lambda caller: _discovery(request, hall, caller))

    @routes.post("/{service}", summary="Ask for cards", responses=_OUTCOME, openapi_extra=_BODY)
    async def call(request: Request, service: str) -> Response:
        return await _guarded(request, hall, lambda caller: _call(request, hall, caller, service))

    @routes.post(
        "/{service}/feedback", summary="Tell what became of cards", responses=_OUTCOME, openapi_extra=_FEEDBACK
    )
    async def feedback(request: Request, service: str) -> Response:
        return await _guarded(request, hall, lambda caller: _feedback(request, hall, caller, service))

    for path in ("", "/{service}", "/{service}/feedback"):
        routes.add_api_route(path, _preflight(hall), methods=["OPTIONS"], include_in_schema=False)


# ---- every call -----------------------------------------------------------------------------------------------------


async def _guarded(request: Request, hall: Hall, work: Callable[[Caller], Awaitable[Response]]) -> Response:
    """Let a call in by its token and answer it; whatever goes wrong is an error, never a list of no cards."""
    given = context(request)
    caller: Caller | None = None
    try:
        caller = await _let_in(request, hall, given)
        answer = await work(caller)
    except HookProblem as problem:
        answer = await _told(problem, caller, given, request)
    except Replayed:
        answer = _as_answer(refused("the token was used before (jti)"))
    except StoreDown:
        answer = _as_answer(HookProblem(503, "transient", "the store cannot be reached just now"))
    except HTTPException as error:
        answer = _as_answer(HookProblem(error.status_code, "invalid", str(error.detail)))
    except Exception as error:  # noqa: BLE001 (a fault of ours is an error of this call, and must say nothing of its data)
        _LOG.error("a hook failed: %s at %s", type(error).__name__, _where(error))
        answer = _as_answer(HookProblem(500, "exception", "a fault in leuko; nothing was answered"))
    answer.headers.update({**_cors(request, hall), **_NO_STORE})
    return answer


async def _let_in(request: Request, hall: Hall, given: Context) -> Caller:
    audience = f"{hall.settings.base_url}{request.url.path}"
    caller = await hall.gate.caller(request.headers.get("authorization", ""), audience, given.now())
    if await given.off_loop(_is_used, given.store, caller):
        raise Replayed
    return caller


def _is_used(store: Store, caller: Caller) -> bool:
    with store.read() as connection:
        return used(connection, caller.ehr.issuer, caller.jti)


async def _told(problem: HookProblem, caller: Caller | None, given: Context, request: Request) -> Response:
    """The problem as an answer; the token of a sound caller is used up by it too."""
    if caller is not None:
        call = Call(
            issuer=caller.ehr.issuer, jti=caller.jti, hook=request.url.path[len(PREFIX) :][:60], status=problem.status
        )
        try:
            await given.off_loop(_keep, given.store, call)
        except Replayed:  # kept already, with the part of it that was in order
            pass
        except StoreDown:
            return _as_answer(HookProblem(503, "transient", "the store cannot be reached just now"))
    return _as_answer(problem)


def _keep(store: Store, call: Call) -> None:
    with store.write() as connection:
        keep_call(connection, store.now(), call)


def _as_answer(problem: HookProblem) -> Response:
    return Response(problem.body(), status_code=problem.status, media_type=MEDIA, headers=dict(problem.headers()))


def _where(error: BaseException) -> str:
    """The place in the code, without any value."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return "?" if last is None else f"{last.tb_frame.f_code.co_name}:{last.tb_lineno}"


# ---- browsers -------------------------------------------------------------------------------------------------------


def _cors(request: Request, hall: Hall) -> dict[str, str]:
    """What lets a page of a listed origin read the answer; nothing for others."""
    origin = request.headers.get("origin", "")
    if origin not in hall.settings.origins:
        return {"Vary": "Origin"}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _preflight(hall: Hall) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        """What a browser asks before it calls; it sends no token yet."""
        allowed = _cors(request, hall)
        if "Access-Control-Allow-Origin" in allowed:
            allowed |= {
                "Access-Control-Allow-Methods": "GET, POST",
                "Access-Control-Allow-Headers": "Authorization, Content-Type",
                "Access-Control-Max-Age": _CORS_SECONDS,
            }
        return Response(status_code=204, headers=allowed)

    return answer


# ---- the three things that can be asked -----------------------------------------------------------------------------


async def _discovery(request: Request, hall: Hall, caller: Caller) -> Response:
    given = context(request)
    await given.off_loop(
        _keep, given.store, Call(issuer=caller.ehr.issuer, jti=caller.jti, hook="discovery", status=200)
    )
    found = [
        {
            "hook": hook,
            "id": row.id,
            "title": row.title,
            "description": row.description,
            "usageRequirements": row.usage,
            "prefetch": templates(hall.prefetch(row), hall.library),
            "version": SPECIFICATION,
        }
        for row in hall.services.values()
        for hook in row.hooks
    ]
    return Response(msgspec.json.encode({"services": found}), media_type=_JSON)


def _service(hall: Hall, name: str) -> ServiceRow:
    row = hall.services.get(name)
    if row is None:
        raise HookProblem(404, "not-found", "there is no such service", "id")
    return row


async def _call(request: Request, hall: Hall, caller: Caller, name: str) -> Response:
    started, given = time.monotonic(), context(request)
    service = _service(hall, name)
    asked = read_request(await request.body(), service, caller.ehr, hall.fetcher, hall.settings)
    data = await gather(asked.prefetch, hall.prefetch(service), asked.asked, hall.library)
    work = Work(request=asked, service=service, caller=caller, given=data, now=given.now(), started=started)
    return Response(await given.off_loop(hall.desk(given.store).answer, work), media_type=_JSON)


async def _feedback(request: Request, hall: Hall, caller: Caller, name: str) -> Response:
    given, service = context(request), _service(hall, name)
    reports = read_feedback(await request.body())
    check_known(await given.off_loop(keep_feedback, given.store, caller, service.id, reports))
    return Response(status_code=200, media_type=_JSON, content=b"{}")


# ---- for the description of the interface ---------------------------------------------------------------------------

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {
                "schema": {
                    "type": "object",
                    "required": ["hook", "hookInstance", "context"],
                    "properties": {
                        "hook": {"type": "string"},
                        "hookInstance": {"type": "string", "format": "uuid"},
                        "fhirServer": {"type": "string"},
                        "fhirAuthorization": {"type": "object"},
                        "context": {
                            "type": "object",
                            "required": ["userId", "patientId"],
                            "properties": {"userId": {"type": "string"}, "patientId": {"type": "string"}},
                        },
                        "prefetch": {"type": "object"},
                    },
                }
            }
        },
    }
}
_FEEDBACK: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {
                "schema": {
                    "type": "object",
                    "required": ["feedback"],
                    "properties": {
                        "feedback": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["card", "outcome", "outcomeTimestamp"],
                                "properties": {
                                    "card": {"type": "string"},
                                    "outcome": {"enum": ["accepted", "overridden"]},
                                    "outcomeTimestamp": {"type": "string", "format": "date-time"},
                                },
                            },
                        }
                    },
                }
            }
        },
    }
}
