"""How much one client may send, and how often."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leuko.service.http.problems import Problem, answer
from leuko.service.http.settings import LimitSettings

_MOST: Final = 20_000  # clients that are remembered; the one not seen for longest is forgotten first
_BODY_SECONDS: Final = 30.0  # to wait for the next piece of a body
_FREE: Final = frozenset({"/health", "/ready", "/metrics"})  # monitors ask often, and must be told under load


@dataclass(slots=True, kw_only=True)
class Buckets:
    """Token buckets by key: each holds `burst` and fills by `per_second`. `clock` gives seconds that only grow."""

    burst: float
    per_second: float
    clock: Callable[[], float] = time.monotonic
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def wait(self, key: str, cost: float = 1.0) -> float:
        """Take from a key's bucket; 0 where that is allowed, else the seconds until it would be."""
        left = self._now(key)
        if left < cost:
            return (cost - left) / self.per_second
        self._keep(key, left - cost)
        return 0.0

    def _now(self, key: str) -> float:
        left, at = self._left.get(key, (self.burst, self.clock()))
        return min(self.burst, left + (self.clock() - at) * self.per_second)

    def _keep(self, key: str, left: float) -> None:
        self._left[key] = (left, self.clock())
        self._left.move_to_end(key)
        while len(self._left) > _MOST:
            self._left.popitem(last=False)


class _TooLarge(Problem):
    def __init__(self, limit: int) -> None:
        super().__init__(
            413, f"a request may have {limit} bytes", do="send less at once", headers={"Connection": "close"}
        )


class _TooSlow(Problem):
    def __init__(self) -> None:
        super().__init__(
            408, "the request did not come to its end", do="send it again", headers={"Connection": "close"}
        )


class Limits:
    """Refuses bodies that are too long, whether they say so or not, and clients that ask too often."""

    def __init__(self, app: ASGIApp, *, limits: LimitSettings) -> None:
        self.app, self.limits = app, limits
        self._buckets = Buckets(burst=limits.burst, per_second=limits.requests_per_minute / 60)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        problem = self._refusal(scope)
        if problem is not None:
            await answer(Request(scope), problem)(scope, receive, send)
            return
        read, begun, whole = 0, False, False

        async def counted() -> Message:
            nonlocal read, whole
            try:
                async with asyncio.timeout(None if whole else _BODY_SECONDS):
                    message = await receive()
            except TimeoutError:
                raise _TooSlow from None
            whole = whole or not message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > self.limits.body_bytes:
                raise _TooLarge(self.limits.body_bytes)
            return message

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except (_TooLarge, _TooSlow) as refused:
            if begun:
                raise
            await answer(Request(scope), refused)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Problem | None:
        length = Headers(scope=scope).get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > self.limits.body_bytes:
            return _TooLarge(self.limits.body_bytes)
        if self.limits.requests_per_minute and scope["path"] not in _FREE:
            client = scope.get("client")
            seconds = self._buckets.wait(client[0] if client else "")
            if seconds:
                wait = {"Retry-After": str(int(seconds) + 1)}
                return Problem(429, "too many requests from this address", do="wait", headers=wait)
        return None
