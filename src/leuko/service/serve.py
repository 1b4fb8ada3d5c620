"""The service as one process: the MLLP endpoint, HTTP, grading beside them, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leuko.errors import UsageError
from leuko.service.inbox import Inbox
from leuko.service.logs import Form
from leuko.service.mllp import Endpoint, Limits, reach_of
from leuko.service.store import Store, open_store

if TYPE_CHECKING:
    from fastapi import FastAPI

    from leuko.service.http.settings import HttpSettings

_LOOK: Final = 5.0  # seconds between looks at the processes and tasks of the service
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MllpSettings:
    """Where to listen for HL7 v2. `network_without_tls` lets an address of the network go without TLS."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    client_authority: Path | None = None
    network_without_tls: bool = False
    accept_test: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the service is told: its store, where it listens (None: nowhere), and the form of its log."""

    store: str
    mllp: MllpSettings | None = None
    http: HttpSettings | None = None
    zone: tzinfo = UTC
    grading: bool = True
    forecasts: bool = False
    log: Form = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What the app is made of when the service starts: the store, whether grading is alive, and when to stop."""

    store: Store
    grading: Callable[[], bool | None]
    stopping: threading.Event


def tls_of(settings: MllpSettings | HttpSettings) -> ssl.SSLContext | None:
    """The TLS context, where there is one. Raises UsageError for settings that are not safe or cannot be used."""
    authority = settings.client_authority if isinstance(settings, MllpSettings) else None
    if settings.certificate is None:
        if settings.key is not None or authority is not None:
            raise UsageError(
                "a key or an authority for senders was given, and no certificate",
                why="without a certificate there is no TLS: everything would go in the clear, from anyone",
                do="give --tls-certificate too, or leave both away",
            )
        if reach_of(settings.host) == "network" and not settings.network_without_tls:
            raise UsageError(
                f"{settings.host} can be reached from the network, and no certificate was given",
                why="results of people would cross the network in the clear, from anyone who connects",
                do="give --tls-certificate and --tls-key, or listen on 127.0.0.1 beside your interface engine",
            )
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.certificate, settings.key)
        if authority is not None:
            context.load_verify_locations(authority)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise UsageError("the certificate or key cannot be used", why=str(error), do="check both files") from error
    return context


class _Grading:
    """The grading process, started again where it ended."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: BaseProcess | None = self._start() if settings.grading else None

    def _start(self) -> BaseProcess:
        from leuko.service.background import Job, start  # noqa: PLC0415 (loads the whole flow, in both processes)

        own = self._settings
        job = Job(where=own.store, zone=own.zone, forecasts=own.forecasts, log=own.log)
        return start(job)

    def alive(self) -> bool | None:
        return None if self._process is None else self._process.is_alive()

    def look(self) -> None:
        if self._process is not None and not self._process.is_alive():
            _LOG.error("the grading process ended (%s); it is started again", self._process.exitcode)
            self._process = self._start()

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.join(timeout=10)


async def serve(
    settings: Settings, *, make_app: Callable[[Running], FastAPI] | None = None, say: Callable[[str], None]
) -> None:
    """Run until the process is told to end (SIGTERM, SIGINT); what is being committed then is still acknowledged.

    `make_app` makes the app of HTTP, where there is one.
    """
    tls = [None if one is None else tls_of(one) for one in (settings.mllp, settings.http)]
    store = await asyncio.to_thread(open_store, settings.store)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    grading = _Grading(settings)
    running = Running(store=store, grading=grading.alive, stopping=threading.Event())
    try:
        async with AsyncExitStack() as open_ends:
            if settings.mllp is not None:
                await _listen_mllp(open_ends, settings.mllp, store, tls[0], say)
            if settings.http is not None and make_app is not None:
                await _listen_http(open_ends, settings.http, make_app(running), tls[1], say=say, stop=stop)
            while not stop.is_set():
                grading.look()
                try:
                    await asyncio.wait_for(stop.wait(), timeout=_LOOK)
                except TimeoutError:
                    continue
            running.stopping.set()
            if settings.http is not None:
                await asyncio.sleep(settings.http.drain_seconds)
    finally:
        grading.end()
        store.close()


async def _listen_mllp(
    open_ends: AsyncExitStack,
    settings: MllpSettings,
    store: Store,
    tls: ssl.SSLContext | None,
    say: Callable[[str], None],
) -> None:
    inbox = Inbox(store, accept_test=settings.accept_test)
    endpoint = await open_ends.enter_async_context(Endpoint(inbox.take, limits=settings.limits))
    try:
        host, port = await endpoint.listen(settings.host, settings.port, tls=tls)
    except OSError as error:
        why = error.strerror or "the address cannot be used"
        raise UsageError(f"cannot listen on {settings.host}:{settings.port}", why=why) from error
    say(f"listening for HL7 v2 on {host}:{port}" + (" with TLS" if tls else ""))


async def _listen_http(
    open_ends: AsyncExitStack,
    settings: HttpSettings,
    app: FastAPI,
    tls: ssl.SSLContext | None,
    *,
    say: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    from leuko.service.http.server import HttpEndpoint  # noqa: PLC0415 (loads uvicorn)

    endpoint = HttpEndpoint(app, settings, tls=tls)
    open_ends.push_async_callback(endpoint.close)
    host, port = await endpoint.listen()
    endpoint.when_it_ends(stop.set)  # half a service is none: whoever started it starts it anew
    say(f"listening for HTTP on {host}:{port}" + (" with TLS" if tls else ""))
