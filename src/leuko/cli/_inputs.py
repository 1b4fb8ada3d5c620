"""What commands are given to read, and how: paths, day, person, column map, units, time zone; one wording for all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any

import click

from leuko.cli._notices import say

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Day(click.ParamType[date]):
    """A day written as 2026-01-31."""

    name = "date"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day that a word means."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; write it as 2026-01-31", param, ctx)


class Zone(click.ParamType[tzinfo]):
    """A time zone by its name."""

    name = "zone"

    def convert(self, value: str | tzinfo, param: click.Parameter | None, ctx: click.Context | None) -> tzinfo:
        """The zone that a name means."""
        if isinstance(value, tzinfo):
            return value
        if value == "UTC":
            return UTC
        from zoneinfo import ZoneInfo  # noqa: PLC0415 (most name no zone)

        try:
            return ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            self.fail(f"{value!r} is no time zone known here; write it as Europe/Berlin", param, ctx)


def today(zone: tzinfo) -> date:
    """Today, said aloud: the same call on another day gives another answer."""
    day = datetime.now(zone).date()
    say(f"as of {day.isoformat()}, today; --as-of {day.isoformat()} gives the same answer on any other day")
    return day


def as_of_option(what: str) -> Decorator:
    """The day that an answer is of; `what` names the answer."""
    text = f"The day of the {what}; later counts are set aside. [today]"
    return click.option("--as-of", type=Day(), metavar="DATE", help=text)


paths_argument = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True, path_type=Path), metavar="PATH..."
)
patient_option = click.option(
    "--patient", metavar="ID", help="Only this person; also the name of the person of a file that names nobody."
)
columns_option = click.option(
    "--columns",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="MAP.toml",
    help="A column map, for a table whose headers leuko does not know.",
)
units_option = click.option(
    "--unit",
    "units",
    multiple=True,
    metavar="ANALYTE=UNIT",
    help="The unit of an analyte, where the file has none or a wrong one. Repeatable.",
)
zone_option = click.option(
    "--zone", type=Zone(), default="UTC", metavar="ZONE", help="Time zone of times that name none. [UTC]"
)
width_option = click.option(
    "--width", type=click.IntRange(min=40), metavar="COLUMNS", help="Width of the view, 40 or more. [the terminal's]"
)
