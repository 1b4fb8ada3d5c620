"""Whether the service is alive (/health), and whether it can do its work (/ready)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from leuko.service.http.context import Context, context
from leuko.service.store import StoreDown, up_to_date

_LEAST_FREE: Final = 64 << 20  # bytes on the disk of an SQLite store: below it, results could soon not be kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must hold for the service to do its work; `why` where it does not."""

    name: str
    holds: bool
    why: str = ""


def router() -> APIRouter:
    """/health and /ready."""
    routes = APIRouter(tags=["operation"])

    @routes.get("/health")
    async def health() -> dict[str, str]:
        """The process answers; nothing else is asked."""
        return {"status": "alive"}

    @routes.get("/ready", response_model=None)
    def ready(request: Request) -> JSONResponse:
        """200 where results can be taken and shown, 503 where not; which check failed, monitors are told."""
        given = context(request)
        checks = every(given)
        good = all(check.holds for check in checks)
        body: dict[str, object] = {"status": "ready" if good else "not ready"}
        if is_monitor(request):
            body["checks"] = {check.name: check.why or "good" for check in checks}
        return JSONResponse(body, status_code=200 if good else 503)

    return routes


def is_monitor(request: Request) -> bool:
    """Whether a monitor asks, by its address; one that a proxy passes on which nobody named could be anyone's."""
    settings = context(request).settings
    forwarded = "x-forwarded-for" in request.headers or "forwarded" in request.headers
    if request.client is None or (forwarded and not settings.proxies):
        return False
    return settings.may_monitor(request.client.host)


def every(given: Context) -> list[Check]:
    """All checks."""
    return [_going_on(given), *_store(given), _disk(given), _grading(given)]


def _going_on(given: Context) -> Check:
    stops = given.stopping.is_set()
    return Check(name="running", holds=not stops, why="the service is stopping" if stops else "")


def _store(given: Context) -> list[Check]:
    try:
        current = up_to_date(given.store)
    except StoreDown as down:
        return [Check(name="store", holds=False, why=down.why)]
    why = "" if current else "the tables are not those of this leuko; restart it"
    return [Check(name="store", holds=True), Check(name="migrations", holds=current, why=why)]


def _disk(given: Context) -> Check:
    """Only of a store on this machine's disk: a database elsewhere is watched there."""
    path = given.store.file
    if path is None:
        return Check(name="disk", holds=True)
    try:
        free = shutil.disk_usage(Path(path).parent).free
    except OSError:
        return Check(name="disk", holds=False, why="the folder of the store cannot be found")
    full = free < _LEAST_FREE
    return Check(name="disk", holds=not full, why=f"only {free >> 20} MiB are free" if full else "")


def _grading(given: Context) -> Check:
    dead = given.grading() is False
    return Check(
        name="grading", holds=not dead, why="the grading process has ended; it is started again" if dead else ""
    )
