"""`leuko audit`: is the record of what was done whole?"""

from __future__ import annotations

import click

from leuko.cli._store import opened, store_option
from leuko.errors import ExitCode


@click.group("audit", short_help="Check or export the audit of the service.")
def command() -> None:
    """The audit of the service: what was stored, graded, shown and settled, each row bound to those before it."""


_VERIFY = """\b
Examples:
  leuko audit verify --store hospital.sqlite
  leuko audit verify --store hospital.sqlite --head 3f1c… --messages"""
_EXPORT = """\b
Example:
  leuko audit export --store hospital.sqlite --after 1200 > events.ndjson"""


@command.command("verify", short_help="Check every row against the one before it.", epilog=_VERIFY)
@store_option
@click.option("--head", metavar="HASH", help="A last hash kept from an earlier check, which must be in the chain.")
@click.option("--messages", is_flag=True, help="Check messages and what was kept by hand too; takes longer.")
def verify(*, where: str, head: str | None, messages: bool) -> None:
    """Check every row against the one before it, and print the last hash.

    A row that was changed, removed or put in between is found. Rows cut off at the end are found only with --head: keep
    the printed hash somewhere else. Exit code 4 where the chain is broken.
    """
    store = opened(where)
    try:
        from leuko.service.store.audit import first_changed_message  # noqa: PLC0415 (loads the database)
        from leuko.service.store.audit import verify as check  # noqa: PLC0415
        from leuko.service.store.kept import first_changed_entry  # noqa: PLC0415

        found = check(store, head=head)
        changed = first_changed_message(store) if messages else None
        entry = first_changed_entry(store) if messages else None
    finally:
        store.close()
    click.echo(f"{found.rows} rows, last hash {found.head}")
    if found.broken_at is not None:
        click.echo(f"broken: row {found.broken_at} is not the one that was written", err=True)
    if found.has_head is False:
        click.echo("broken: the hash that was kept is not in the chain; rows are missing at the end", err=True)
    if changed is not None:
        click.echo(f"broken: message {changed} is not the one that was received", err=True)
    if entry is not None:
        click.echo(f"broken: what was kept by hand as {entry} is not what was kept", err=True)
    whole = found.sound and changed is None and entry is None
    click.get_current_context().exit(ExitCode.DONE if whole else ExitCode.GAPS)


@command.command("export", short_help="Print the audit as FHIR R4 AuditEvents, one a line.", epilog=_EXPORT)
@store_option
@click.option("--after", type=int, default=0, metavar="ROW", help="Only rows with a higher number. [0]")
def export(*, where: str, after: int) -> None:
    """Print the audit as FHIR R4 AuditEvents, one JSON object a line, for an audit record repository."""
    store = opened(where)
    try:
        import json  # noqa: PLC0415 (only here)

        from leuko.service.audit_events import events  # noqa: PLC0415 (loads the database)

        for event in events(store, after=after):
            click.echo(json.dumps(event, ensure_ascii=False))
    finally:
        store.close()
