"""`leuko serve`: listen for results."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path

import click

from leuko.cli._notices import say
from leuko.cli._store import need_service, store_option
from leuko.cli.assess import Zone
from leuko.errors import UsageError

_EPILOG = """\b
Examples:
  leuko serve --mllp 127.0.0.1:2575 --store hospital.sqlite
  leuko serve --mllp 10.0.0.5:2575 --tls-certificate leuko.pem --tls-key leuko.key --tls-clients engine-ca.pem"""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("serve", short_help="Listen for HL7 v2 over MLLP, store, acknowledge, grade.", epilog=_EPILOG)
@click.option("--mllp", required=True, metavar="HOST:PORT", help="Where to listen; loopback, or with TLS.")
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
    mllp: str,
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
    """Listen for HL7 v2 messages over MLLP until the process is told to end (SIGTERM, Ctrl-C).

    Each message is acknowledged after it was committed: AA stored, AE not stored, send again, AR can never be taken.
    """
    need_service()
    import asyncio  # noqa: PLC0415 (help needs none of this)
    import logging  # noqa: PLC0415

    from leuko.service.serve import Settings, serve  # noqa: PLC0415

    host, port = _address(mllp)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings = Settings(
        store=where,
        host=host,
        port=port,
        zone=zone,
        accept_test=accept_test,
        grading=not no_grading,
        forecasts=forecasts,
        certificate=tls_certificate,
        key=tls_key,
        client_authority=tls_clients,
        network_without_tls=network_without_tls,
    )
    asyncio.run(serve(settings, say=say))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"--mllp {text!r} is not HOST:PORT", do="write for example --mllp 127.0.0.1:2575")
    return host.strip("[]"), int(port)
