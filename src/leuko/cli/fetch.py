"""`leuko fetch`: a person's data, or everybody's, from a FHIR server into files that leuko reads."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leuko.cli._notices import say
from leuko.cli._store import need_service
from leuko.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from leuko.service.fhir.client.folder import Fetched
    from leuko.service.fhir.client.talk import Talk

_EPILOG = """\b
Examples:
  leuko fetch --key leuko.pem --jwks      the public half, for the operator
  export LEUKO_FHIR_CLIENT=leuko LEUKO_FHIR_KEY=leuko.pem
  leuko fetch https://ehr.example/fhir --patient 4711 --out ada
  leuko assess ada
  leuko fetch https://ehr.example/fhir --export all --out everybody
  leuko cohort everybody --out found"""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("fetch", short_help="Fetch a person's data, or everybody's, from a FHIR server.", epilog=_EPILOG)
@click.argument("url", required=False, metavar="[URL]")
@click.option("--patient", "patients", multiple=True, metavar="ID", help="The id of a Patient. Repeatable.")
@click.option("--export", "what", metavar="all|system|GROUP", help="Bulk export of all people, all there is, a group.")
@click.option("--since", default="", metavar="INSTANT", help="Of an export only what changed since.")
@click.option("--type", "types", multiple=True, metavar="KIND", help="Of an export only these kinds. Repeatable.")
@click.option("--anew", is_flag=True, help="Give up an export that broke off, and begin again.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="The new folder.")
@click.option("--client-id", envvar="LEUKO_FHIR_CLIENT", metavar="ID", help="Our name there. [LEUKO_FHIR_CLIENT]")
@click.option("--key", type=_FILE, envvar="LEUKO_FHIR_KEY", metavar="FILE", help="PEM or JWK. [LEUKO_FHIR_KEY]")
@click.option(
    "--kid", default="", metavar="NAME", help="The key's name there. [of the JWK, else its RFC 7638 thumbprint]"
)
@click.option("--jwks", is_flag=True, help="Print the public half of the key, for the server's operator, and end.")
@click.option("--scope", default="", metavar="TEXT", help="The scope. [system/*.rs, or system/*.read of SMART 1]")
@click.option("--token-url", default="", metavar="URL", help="The login. [what the server publishes]")
@click.option("--search", is_flag=True, help="Search kind by kind, without asking for $everything first.")
@click.option("--patience", type=click.IntRange(min=1), default=240, metavar="MINUTES", help="For an export. [240]")
@click.option("--ca", type=_FILE, metavar="PEM", help="The authority that vouches for the server. [this machine's]")
@click.option("--network-without-tls", is_flag=True, help="Take http:// over a network all the same.")
@click.option("--strict", is_flag=True, help="Exit with 4 where it may be less than the server has.")
def command(
    *,
    url: str | None,
    patients: tuple[str, ...],
    what: str | None,
    since: str,
    types: tuple[str, ...],
    anew: bool,
    out: Path | None,
    patience: int,
    search: bool,
    key: Path | None,
    kid: str,
    jwks: bool,
    strict: bool,
    **access: Any,
) -> None:
    """Fetch from the FHIR server at URL (R4) into a new folder, which leuko assess and leuko cohort read.

    A server that wants a login is shown a key (SMART backend services); one that is open needs none. Where something
    fails, no folder is left; an export that broke off lies in FOLDER.part, and the same command goes on with it. The
    folder holds people's data: only you may read it.
    """
    need_service()
    if jwks:
        _show_public(key, kid)
        return
    if url is None or out is None or bool(patients) == bool(what):
        raise UsageError("name the server, --out, and --patient or --export", do="leuko fetch --help")
    if what is None and (since or types or anew):
        raise UsageError("--since, --type and --anew are for an export", do="say --export, or leave them out")
    from leuko.service.fhir.client.bulk import question  # noqa: PLC0415 (loads the client)
    from leuko.service.fhir.client.folder import fetch_export, fetch_people  # noqa: PLC0415
    from leuko.service.fhir.client.person import patient_id  # noqa: PLC0415

    with ExitStack() as closing:
        if what is not None:
            asked = question(what, types, since)
            talk = _talk(closing, url, key=key, kid=kid, **access)
            done = fetch_export(talk, asked, out, patience=timedelta(minutes=patience), anew=anew)
        else:
            ids = [patient_id(one) for one in patients]
            talk = _talk(closing, url, key=key, kid=kid, **access)
            done = fetch_people(talk, ids, out, search=search)
    _tell(done)
    click.get_current_context().exit(ExitCode.GAPS if strict and done.troubles else ExitCode.DONE)


def _show_public(key: Path | None, kid: str) -> None:
    from leuko.service.fhir.client.key import read_key  # noqa: PLC0415 (loads cryptography)

    if key is None:
        raise UsageError("--jwks shows the public half of a key, and none is named", do="give --key FILE too")
    click.echo(json.dumps({"keys": [read_key(key, kid=kid).public()]}, indent=2))


def _talk(
    closing: ExitStack,
    url: str,
    *,
    key: Path | None,
    kid: str,
    client_id: str | None,
    scope: str,
    token_url: str,
    ca: Path | None,
    network_without_tls: bool,
) -> Talk:
    """The server, with a login where there is a key."""
    import ssl  # noqa: PLC0415 (help needs none of this)
    import time  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    import httpx  # noqa: PLC0415

    from leuko import __version__  # noqa: PLC0415
    from leuko.service.fhir.client.key import read_key  # noqa: PLC0415
    from leuko.service.fhir.client.login import Login, Registration  # noqa: PLC0415
    from leuko.service.fhir.client.talk import Talk, checked_base  # noqa: PLC0415

    base = checked_base(url, network_without_tls=network_without_tls)
    if (key is None) != (client_id is None):
        raise UsageError("a login needs --client-id and --key", do="give both, or none for a server that is open")
    try:
        tls = ssl.create_default_context(cafile=str(ca) if ca is not None else None)
    except (OSError, ssl.SSLError) as error:
        raise UsageError("the authority's certificate cannot be used", where=str(ca), why=str(error)) from error
    headers = {"User-Agent": f"leuko/{__version__}"}
    client = closing.enter_context(httpx.Client(verify=tls, headers=headers, timeout=httpx.Timeout(60, connect=10)))
    more: dict[str, Any] = {"client": client, "now": lambda: datetime.now(UTC), "sleep": time.sleep, "say": say}
    if key is None or client_id is None:
        return Talk(base, **more)
    known = Registration(client_id=client_id, key=read_key(key, kid=kid), scope=scope, token_url=token_url)
    return Talk(base, tokens=Login(Talk(base, **more), known, network_without_tls), **more)


def _tell(done: Fetched) -> None:
    from leuko.intake.sources import printable  # noqa: PLC0415 (help needs no reader)

    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(done.resources.items()))
    say(f"wrote {done.folder}: {kinds or 'no resource'}")
    if done.time:
        say(f"as of {printable(done.time)} by the server's clock; what changes later: --since {printable(done.time)}")
    for trouble in done.troubles:
        say(f"may be incomplete: {trouble}")
