"""Notices and messages on stderr, in the form of a compiler's diagnostics."""

from __future__ import annotations

from collections.abc import Iterable

import click

from leuko.errors import Notice

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}


def say(text: str) -> None:
    """One message for the person at the terminal; never part of the data on stdout."""
    click.echo(text, err=True)


def tell(notices: Iterable[Notice]) -> None:
    """Print notices one after the other."""
    for notice in notices:
        say(_lines(notice))


def _lines(notice: Notice) -> str:
    head = f"{notice.code} {click.style(notice.severity, fg=_COLOURS[notice.severity], bold=True)}: {notice.text}"
    lines = [head, f"  --> {notice.place}"]
    lines += [f"   = {notice.read}"] if notice.read else []
    lines += [f"help: {notice.help}"] if notice.help else []
    return "\n".join(lines)
