"""Tells open worklists that something has changed: a stream of events that hold nothing of anybody.

The browser then asks for the rows as it always does, so that each look at them is checked and in the audit. The store
is asked once a second, however many listen, and not at all while nobody does.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Final

from starlette.concurrency import run_in_threadpool

from leuko.service.store import StoreDown

LOOK: Final = 1.0  # seconds between looks at the store
SIGN: Final = 15.0  # seconds after which a quiet stream says that it is there: proxies cut what is silent
CHECK: Final = 30.0  # seconds between looks at whether the login still holds
MOST: Final = 300  # streams at once; who comes later asks now and then
MOST_EACH: Final = 6  # of one login: pages that lie open in tabs


class News:
    """What listens to the store. `mark` names what stands in it now: another one says that something has changed."""

    def __init__(self, mark: Callable[[], str], *, look: float = LOOK) -> None:
        self._ask, self._look = mark, look
        self._open: Counter[Hashable] = Counter()
        self._mark, self._changed = "", asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    @property
    def open(self) -> int:
        """How many listen."""
        return self._open.total()

    def may_listen(self, login: Hashable) -> bool:
        """Whether there is room for one more of a login."""
        return self.open < MOST and self._open[login] < MOST_EACH

    async def events(
        self,
        login: Hashable,
        seen: str,
        *,
        ends: Callable[[], bool],
        still_in: Callable[[], Awaitable[bool]],
        now: Callable[[], float] = time.monotonic,
    ) -> AsyncIterator[bytes]:
        """The stream of one page that has seen a mark: `news` for each other one, a comment where nothing happens.

        Ends where the service does, and where the login holds no more.
        """
        with self._listening(login):
            said = checked = now()
            yield b": listening\n\n"
            while not ends():
                if self._mark not in {"", seen}:
                    seen, said = self._mark, now()
                    yield f"event: news\ndata: {seen}\n\n".encode()
                elif now() - said >= SIGN:
                    said = now()
                    yield b": nothing new\n\n"
                if now() - checked >= CHECK:
                    checked = now()
                    if not await still_in():
                        return
                await self._until_changed()

    @contextmanager
    def _listening(self, login: Hashable) -> Iterator[None]:
        self._open[login] += 1
        if self._watching is None or self._watching.done():
            self._watching = asyncio.get_running_loop().create_task(self._watch())
        try:
            yield
        finally:
            self._open[login] -= 1
            self._open = +self._open

    async def _until_changed(self) -> None:
        """Until the mark is another one, or a look's time has gone by."""
        try:
            async with asyncio.timeout(self._look):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _watch(self) -> None:
        """Look while somebody listens; a store that is down has no news."""
        while self.open:
            try:
                mark = await run_in_threadpool(self._ask)
            except StoreDown:
                mark = self._mark
            if mark != self._mark:
                self._mark, changed = mark, self._changed
                self._changed = asyncio.Event()
                changed.set()
            await asyncio.sleep(self._look)
