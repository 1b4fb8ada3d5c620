"""`leuko store`: copies of everything, and everything from a copy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli._notices import say
from leuko.cli._store import need_service, store_option

if TYPE_CHECKING:
    from leuko.service.backup import Copied

_BACKUP = """\b
Example:
  leuko store backup /backup/leuko-2026-01-31.sqlite --store hospital.sqlite"""
_RESTORE = """\b
Example:
  leuko store restore /backup/leuko-2026-01-31.sqlite --store hospital.sqlite"""
_COPY = click.Path(dir_okay=False, path_type=Path)


@click.group("store", short_help="Back up and restore the store of the service.")
def command() -> None:
    """The store of the service: every message, count, assessment, account and row of the audit."""


@command.command("backup", short_help="Copy the store into a new FILE, and check the copy.", epilog=_BACKUP)
@click.argument("copy", type=_COPY, metavar="FILE")
@store_option
def backup(*, copy: Path, where: str) -> None:
    """Copy the store into a new FILE, while the service runs, and check the copy.

    Everything that was acknowledged before the copy began is in it. It holds people's data in the clear: keep it as
    well guarded as the store. PostgreSQL is copied by its own pg_dump, which must be installed.
    """
    need_service()
    from leuko.service.backup import backup as make  # noqa: PLC0415 (loads the database)

    _tell(make(where, copy), copy)


@command.command("restore", epilog=_RESTORE)
@click.argument("copy", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@store_option
def restore(*, copy: Path, where: str) -> None:
    """Make a new store from a copy, and check it. Where there is a store already, nothing is done.

    Stop the service first, move what is left of the old store away, restore, then start again; senders send anew what
    was not acknowledged. Hold the printed hash against the one that was printed when the copy was made.
    """
    need_service()
    from leuko.service.backup import restore as make  # noqa: PLC0415 (loads the database)

    _tell(make(copy, where), copy)


def _tell(copied: Copied, copy: Path) -> None:
    say(f"{copy}: {copied.bytes} bytes")
    if copied.audit is not None:
        click.echo(f"{copied.audit.rows} rows of audit, last hash {copied.audit.head}")
