"""The app: layers that guard every request, the routers that answer it."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import APIRouter, FastAPI

from leuko import __version__
from leuko.service.http import problems
from leuko.service.http.context import Context
from leuko.service.http.guard import entrance, login, own_account
from leuko.service.http.guard.attempts import Attempts
from leuko.service.http.guard.faults import Faults
from leuko.service.http.guard.headers import SecurityHeaders
from leuko.service.http.guard.limits import Limits
from leuko.service.http.metrics import Numbers, Observed
from leuko.service.http.metrics import router as metrics
from leuko.service.http.probes import router as probes
from leuko.service.http.settings import HttpSettings, checked
from leuko.service.store import Store


def _now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: HttpSettings,
    *,
    store: Store,
    routers: Sequence[APIRouter] = (),
    clock: Callable[[], datetime] = _now,
    grading: Callable[[], bool | None] = lambda: None,
    stopping: threading.Event | None = None,
) -> FastAPI:
    """The app with these routers. Raises UsageError for settings that are not safe.

    `grading` says whether the grading process is alive (None: none is meant to be); `stopping` is set by whoever runs
    the app when it is told to end. There are no interactive documents: they would load scripts from elsewhere.
    """
    checked(settings)
    given = Context(
        settings=settings,
        store=store,
        now=clock,
        pool=ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2), thread_name_prefix="leuko-work"),
        grading=grading,
        stopping=stopping or threading.Event(),
    )

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            given.pool.shutdown(wait=True, cancel_futures=True)

    app = FastAPI(title="leuko", version=__version__, docs_url=None, redoc_url=None, lifespan=life)
    app.state.context = given
    problems.install(app)
    entrance.install(app)
    numbers = Numbers()
    numbers.watch(given)
    for router in (probes(), metrics(numbers), *_entrance(settings), *routers):
        app.include_router(router)
    # the last one added is the outermost
    app.add_middleware(Limits, limits=settings.limits)
    app.add_middleware(Observed, numbers=numbers)
    app.add_middleware(Faults)
    app.add_middleware(SecurityHeaders, settings=settings)
    return app


def _entrance(settings: HttpSettings) -> Iterator[APIRouter]:
    """The ways in: by an account of this site, and by a provider where there is one."""
    attempts = Attempts(settings.limits)
    yield login.router(attempts)
    yield own_account.router(attempts)
    if settings.oidc is not None:
        from leuko.service.http.guard import provider_login  # noqa: PLC0415 (loads httpx and PyJWT)

        yield provider_login.router(settings, settings.oidc)
