"""uvicorn inside the event loop of the service, beside the MLLP endpoint."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from leuko.errors import UsageError
from leuko.service.http.settings import HttpSettings

_LAST_SECONDS: Final = 20  # how long a stop waits for answers that are being made
_SILENT_SECONDS: Final = 20.0  # a connection without a request being answered is looked at so often, and closed
_MOST: Final = 1000  # connections at once; more are answered with 503


class _Protocol(H11Protocol):
    """Closes a connection that has asked nothing for a while, or whose request dribbles in: they would add up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._seen: object = None  # what was being answered at the last look
        self._watch = self.loop.call_later(_SILENT_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._watch.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        busy = self.cycle is not None and not self.cycle.response_complete
        if busy or self.cycle is not self._seen or self.transport.is_closing():
            self._seen = self.cycle
            self._watch = self.loop.call_later(_SILENT_SECONDS, self._look)
        else:
            self.transport.close()


class _Server(uvicorn.Server):
    """The signals are those of the whole service, not of this part."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpEndpoint:
    """A listening app: `await endpoint.listen()`, later `await endpoint.close()`."""

    def __init__(self, app: FastAPI, settings: HttpSettings, *, tls: ssl.SSLContext | None) -> None:
        self.settings = settings
        self._stopping: threading.Event = app.state.context.stopping
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            http=_Protocol,
            lifespan="on",
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=list(settings.proxies),
            timeout_graceful_shutdown=_LAST_SECONDS,
            limit_concurrency=_MOST,
            ssl_context_factory=None if tls is None else (lambda *_: tls),
        )
        self._server = _Server(config)
        self._running: asyncio.Task[None] | None = None

    async def listen(self) -> tuple[str, int]:
        """Begin to listen; gives the address (port 0 chooses one). Raises UsageError where it cannot be had."""
        try:
            listening = socket.create_server(
                (self.settings.host, self.settings.port),
                family=socket.AF_INET6 if ":" in self.settings.host else socket.AF_INET,
                backlog=1024,
            )
        except OSError as error:
            why = error.strerror or "the address cannot be used"
            raise UsageError(f"cannot listen on {self.settings.host}:{self.settings.port}", why=why) from error
        listening.setblocking(False)
        name = listening.getsockname()
        self._running = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started:
            if self._running.done():
                self._running.result()
                raise UsageError("the HTTP service did not start", do="look at the log")
            await asyncio.sleep(0.01)
        return str(name[0]), int(name[1])

    def when_it_ends(self, tell: Callable[[], None]) -> None:
        """Call this when it listens no more, also where nobody told it to end."""
        if self._running is not None:
            self._running.add_done_callback(lambda _: tell())

    async def close(self) -> None:
        """Take nothing new, end what is being answered (streams of events at once), then stop."""
        self._stopping.set()
        self._server.should_exit = True
        if self._running is not None:
            await self._running
