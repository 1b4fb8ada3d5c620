"""`leuko serve`: listen for results, and answer the EHR and people."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli._notices import say
from leuko.cli._store import need_service, store_option
from leuko.cli.assess import Zone
from leuko.errors import UsageError

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI

    from leuko.service.http.settings import HttpSettings
    from leuko.service.serve import Running

_EPILOG = """\b
Examples:
  leuko serve --mllp 127.0.0.1:2575 --store hospital.sqlite
  leuko serve --mllp 127.0.0.1:2575 --http 127.0.0.1:8080 --store hospital.sqlite
  leuko serve --mllp 10.0.0.5:2575 --tls-certificate leuko.pem --tls-key leuko.key --tls-clients engine-ca.pem"""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("serve", short_help="Take results by HL7 v2, answer over HTTP, grade.", epilog=_EPILOG)
@click.option("--mllp", metavar="HOST:PORT", help="Where to listen for HL7 v2; loopback, or with TLS.")
@click.option("--http", metavar="HOST:PORT", help="Where to listen for HTTP; loopback, or with TLS.")
@store_option
@click.option("--zone", type=Zone(), default="UTC", metavar="ZONE", help="Time zone of times that name none. [UTC]")
@click.option("--accept-test", is_flag=True, help="Take messages that MSH-11 marks as training or debugging.")
@click.option("--no-grading", is_flag=True, help="Store and acknowledge only.")
@click.option("--forecasts", is_flag=True, help="Forecast with each assessment; takes longer.")
@click.option("--tls-certificate", type=_FILE, metavar="PEM", help="The certificate of this service.")
@click.option("--tls-key", type=_FILE, metavar="PEM", help="Its private key.")
@click.option("--tls-clients", type=_FILE, metavar="PEM", help="Only senders with a certificate of this authority.")
@click.option("--network-without-tls", is_flag=True, help="Listen on the network in the clear all the same.")
def command(
    *,
    mllp: str | None,
    http: str | None,
    where: str,
    zone: tzinfo,
    accept_test: bool,
    no_grading: bool,
    forecasts: bool,
    tls_certificate: Path | None,
    tls_key: Path | None,
    tls_clients: Path | None,
    network_without_tls: bool,
) -> None:
    """Listen for HL7 v2 messages over MLLP, and for HTTP, until the process is told to end (SIGTERM, Ctrl-C).

    Each message is acknowledged after it was committed: AA stored, AE not stored, send again, AR can never be taken.
    """
    if mllp is None and http is None:
        raise UsageError("say where to listen", do="give --mllp HOST:PORT, --http HOST:PORT or both")
    need_service()
    import asyncio  # noqa: PLC0415 (help needs none of this)
    import logging  # noqa: PLC0415

    from leuko.service.http.settings import HttpSettings  # noqa: PLC0415
    from leuko.service.serve import MllpSettings, Settings, serve  # noqa: PLC0415

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    feed = web = None
    if mllp is not None:
        host, port = _address("--mllp", mllp)
        feed = MllpSettings(
            host=host,
            port=port,
            certificate=tls_certificate,
            key=tls_key,
            client_authority=tls_clients,
            network_without_tls=network_without_tls,
            accept_test=accept_test,
        )
    if http is not None:
        host, port = _address("--http", http)
        web = HttpSettings(
            host=host, port=port, certificate=tls_certificate, key=tls_key, network_without_tls=network_without_tls
        )
    settings = Settings(store=where, mllp=feed, http=web, zone=zone, grading=not no_grading, forecasts=forecasts)
    asyncio.run(serve(settings, make_app=None if web is None else lambda running: app_of(web, running), say=say))


def app_of(settings: HttpSettings, running: Running) -> FastAPI:
    """The app of HTTP with every router of the house."""
    from leuko.service.http.app import create_app  # noqa: PLC0415 (loads FastAPI)

    return create_app(
        settings, store=running.store, routers=routers(), grading=running.grading, stopping=running.stopping
    )


def routers() -> list[APIRouter]:
    """What answers over HTTP beside the guard and the probes."""
    from leuko.service import fhir  # noqa: PLC0415 (loads FastAPI)
    from leuko.web import router as pages  # noqa: PLC0415

    return [fhir.router(), pages()]


def _address(option: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{option} {text!r} is not HOST:PORT", do=f"write for example {option} 127.0.0.1:2575")
    return host.strip("[]"), int(port)
