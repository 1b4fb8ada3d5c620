"""`leuko serve`: take results, and answer the EHR and people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from leuko.cli._inputs import zone_option
from leuko.cli._notices import say
from leuko.cli._store import need_service, store_option
from leuko.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI

    from leuko.service.http.settings import HttpSettings
    from leuko.service.logs import Form
    from leuko.service.serve import Running, Settings

_EPILOG = """\b
Examples:
  leuko serve --mllp 127.0.0.1:2575 --store hospital.sqlite
  leuko serve --http 127.0.0.1:8080 --store hospital.sqlite
  leuko serve --mllp 10.0.0.5:2575 --tls-certificate l.pem --tls-key l.key
  leuko serve --settings /etc/leuko/leuko.toml --check"""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COLOURS = {"good": "green", "warning": "yellow", "problem": "red"}


@click.command("serve", short_help="Take results by HL7 v2, grade them, answer over HTTP.", epilog=_EPILOG)
@click.option("--settings", "file", type=_FILE, envvar="LEUKO_SETTINGS", help="A file of settings. [LEUKO_SETTINGS]")
@click.option("--check", "check_only", is_flag=True, help="Tell what is wrong with the settings, and do not start.")
@click.option("--mllp", metavar="HOST:PORT", help="Where to listen for HL7 v2; loopback, or with TLS.")
@click.option("--http", metavar="HOST:PORT", help="Where to listen for HTTP; loopback, or with TLS.")
@store_option
@zone_option
@click.option("--accept-test", is_flag=True, help="Take messages that MSH-11 marks as training or debugging.")
@click.option("--no-grading", is_flag=True, help="Store and acknowledge only.")
@click.option("--forecasts", is_flag=True, help="Forecast with each assessment; takes longer.")
@click.option("--tls-certificate", "certificate", type=_FILE, metavar="PEM", help="The certificate of this service.")
@click.option("--tls-key", "key", type=_FILE, metavar="PEM", help="Its private key.")
@click.option("--tls-clients", "clients", type=_FILE, metavar="PEM", help="Only senders certified by this authority.")
@click.option("--network-without-tls", is_flag=True, help="Listen on the network in the clear all the same.")
@click.option("--log", type=click.Choice(["text", "json"]), help="The form of the log. [text]")
def command(*, file: Path | None, check_only: bool, log: Form | None, **options: Any) -> None:
    """Listen for HL7 v2 messages over MLLP, and for HTTP, until the process is told to end (SIGTERM, Ctrl-C).

    Each message is acknowledged after it was committed: AA stored, AE not stored, send again, AR can never be taken.
    Over HTTP come the pages for people, CDS Hooks and FHIR. Options go before the file of settings; --check tells what
    is wrong with both, with exit code 2 where the service could not start or do its work.
    """
    need_service()
    import asyncio  # noqa: PLC0415 (help needs none of this)

    from leuko.service.logs import set_up  # noqa: PLC0415
    from leuko.service.serve import serve  # noqa: PLC0415

    settings = _settings(file, log=log, **options)
    if settings.mllp is None and settings.http is None:
        raise UsageError("say where to listen", do="give --mllp HOST:PORT, --http HOST:PORT or both")
    if check_only:
        click.get_current_context().exit(_check(settings))
    set_up(settings.log)
    http = settings.http
    asyncio.run(
        serve(
            settings, make_app=None if http is None else lambda running: app_of(http, running, settings.zone), say=say
        )
    )


def _settings(
    file: Path | None,
    *,
    log: Form | None,
    mllp: str | None,
    http: str | None,
    where: str,
    zone: tzinfo,
    accept_test: bool,
    no_grading: bool,
    forecasts: bool,
    certificate: Path | None,
    key: Path | None,
    clients: Path | None,
    network_without_tls: bool,
) -> Settings:
    """The file's settings, with what the options say in their place."""
    from leuko.service.http.settings import HttpSettings  # noqa: PLC0415 (loads the service)
    from leuko.service.serve import MllpSettings, Settings  # noqa: PLC0415
    from leuko.service.settings import read_settings  # noqa: PLC0415

    settings = Settings(store=where) if file is None else read_settings(file)
    if log is not None:
        settings = replace(settings, log=log)
    source = click.get_current_context().get_parameter_source
    if source("where") is not ParameterSource.DEFAULT:
        settings = replace(settings, store=where)
    if source("zone") is not ParameterSource.DEFAULT:
        settings = replace(settings, zone=zone)
    feed, web = settings.mllp, settings.http
    if mllp is not None:
        host, port = _address("--mllp", mllp)
        feed = replace(feed or MllpSettings(host=host, port=port), host=host, port=port)
    if feed is not None:
        feed = replace(
            feed,
            certificate=certificate or feed.certificate,
            key=key or feed.key,
            client_authority=clients or feed.client_authority,
            network_without_tls=network_without_tls or feed.network_without_tls,
            accept_test=accept_test or feed.accept_test,
        )
    if http is not None:
        host, port = _address("--http", http)
        web = replace(web or HttpSettings(), host=host, port=port)
    if web is not None:
        web = replace(
            web,
            certificate=certificate or web.certificate,
            key=key or web.key,
            network_without_tls=network_without_tls or web.network_without_tls,
        )
    grading, forecasts = settings.grading and not no_grading, settings.forecasts or forecasts
    return replace(settings, mllp=feed, http=web, grading=grading, forecasts=forecasts)


def _address(option: str, text: str) -> tuple[str, int]:
    from leuko.service.settings import address_of  # noqa: PLC0415 (loads the service)

    return address_of(text, where=option)


# ---- what answers over HTTP -----------------------------------------------------------------------------------------


def app_of(settings: HttpSettings, running: Running, zone: tzinfo = UTC) -> FastAPI:
    """The app of HTTP with every router of the house."""
    from leuko.service.http.app import create_app  # noqa: PLC0415 (loads FastAPI)

    return create_app(
        settings,
        store=running.store,
        routers=routers(settings, zone),
        grading=running.grading,
        stopping=running.stopping,
    )


def routers(settings: HttpSettings, zone: tzinfo = UTC) -> list[APIRouter]:
    """What answers beside the guard and the probes. Raises UsageError where a part's settings cannot be understood.

    CDS Hooks are there where the settings name an EHR that may ask; `zone` is that of times that name none.
    """
    from leuko import web  # noqa: PLC0415 (these load the whole flow)
    from leuko.service import fhir, hooks  # noqa: PLC0415

    found = [fhir.router(settings, zone), web.router(zone)]
    asked = hooks.read_settings(settings.part("hooks"), public_url=settings.public_url, zone=zone)
    if asked is not None:
        found.append(hooks.router(asked, warm=True))
    return found


# ---- --check --------------------------------------------------------------------------------------------------------


def _check(settings: Settings) -> ExitCode:
    """Print what was found; the exit code."""
    from leuko.service.check import check  # noqa: PLC0415 (loads the service)

    http = settings.http
    found = check(settings, assemble=lambda: [] if http is None else routers(http, settings.zone))
    for one in found:
        click.echo(f"{click.style(one.level, fg=_COLOURS[one.level], bold=True)}: {one.what}")
        if one.do:
            click.echo(f"  help: {one.do}")
    return ExitCode.USAGE if any(one.level == "problem" for one in found) else ExitCode.DONE
