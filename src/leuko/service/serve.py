"""The service as one process: the MLLP endpoint, grading beside it, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from multiprocessing.process import BaseProcess
from pathlib import Path

from leuko.errors import UsageError
from leuko.service.inbox import Inbox
from leuko.service.mllp import Endpoint, Limits, reach_of
from leuko.service.store import open_store

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the service is told. `network_without_tls` lets an address of the network go without TLS."""

    store: str
    host: str
    port: int
    zone: tzinfo = UTC
    accept_test: bool = False
    grading: bool = True
    forecasts: bool = False
    certificate: Path | None = None
    key: Path | None = None
    client_authority: Path | None = None
    network_without_tls: bool = False
    limits: Limits = field(default_factory=Limits)


def check(settings: Settings) -> ssl.SSLContext | None:
    """The TLS context, where there is one. Raises UsageError for settings that are not safe or cannot be used."""
    if settings.certificate is None:
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
        if settings.client_authority is not None:
            context.load_verify_locations(settings.client_authority)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise UsageError("the certificate or key cannot be used", why=str(error), do="check both files") from error
    return context


def _grading(settings: Settings) -> BaseProcess:
    from leuko.service.background import Job, start  # noqa: PLC0415 (loads the whole flow, in both processes)

    return start(Job(where=settings.store, zone=settings.zone, forecasts=settings.forecasts))


async def serve(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Run until the process is told to end (SIGTERM, SIGINT); what is being committed then is still acknowledged."""
    tls = check(settings)
    store = await asyncio.to_thread(open_store, settings.store)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    grading = _grading(settings) if settings.grading else None
    inbox = Inbox(store, accept_test=settings.accept_test)
    try:
        async with Endpoint(inbox.take, limits=settings.limits) as endpoint:
            try:
                host, port = await endpoint.listen(settings.host, settings.port, tls=tls)
            except OSError as error:
                why = error.strerror or "the address cannot be used"
                raise UsageError(f"cannot listen on {settings.host}:{settings.port}", why=why) from error
            say(f"listening for HL7 v2 on {host}:{port}" + (" with TLS" if tls else ""))
            while not stop.is_set():
                if grading is not None and not grading.is_alive():
                    _LOG.error("the grading process ended (%s); it is started again", grading.exitcode)
                    grading = _grading(settings)
                try:
                    await asyncio.wait_for(stop.wait(), timeout=5)
                except TimeoutError:
                    continue
    finally:
        if grading is not None:
            grading.terminate()
            grading.join(timeout=10)
        store.close()
