"""`leuko schema`: the published shape of the JSON output."""

from __future__ import annotations

import json

import click


@click.command("schema", short_help="Print the JSON Schema of an assessment.")
def command() -> None:
    """Print the JSON Schema of an assessment, as `leuko assess --json` writes it."""
    from leuko.report import document  # noqa: PLC0415 (loads msgspec's schema writer)

    click.echo(json.dumps(document.schema(), indent=2, ensure_ascii=False))
