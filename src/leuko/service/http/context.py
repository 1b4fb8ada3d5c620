"""What a request may use: settings, store, clock, and threads for work that must not hold up the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from fastapi import Request

from leuko.service.http.settings import HttpSettings
from leuko.service.store import Store

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One for the life of the app, at `app.state.context`.

    `now` gives an aware time. `grading` says whether the grading process is alive; None where none is meant to be.
    `stopping` is set when the service is told to end.
    """

    settings: HttpSettings
    store: Store
    now: Callable[[], datetime]
    pool: ThreadPoolExecutor
    grading: Callable[[], bool | None]
    stopping: threading.Event

    async def off_loop(self, work: Callable[_P, _T], *given: _P.args, **named: _P.kwargs) -> _T:
        """Do work that takes long (an assessment, a forecast) in the pool, while the event loop goes on."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.pool, lambda: work(*given, **named))


def context(request: Request) -> Context:
    """The context of the app that a request came to; a dependency of FastAPI."""
    found: Any = request.app.state.context
    assert isinstance(found, Context)  # noqa: S101 (create_app puts it there)
    return found
