"""`leuko assess`: the main job."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from leuko.cli._asked import Told, asked_options
from leuko.cli._knowledge import knowledge_option
from leuko.cli._notices import say
from leuko.cli._outputs import Outputs, check_files, output_options, write
from leuko.cli._people import assess_paths, unit_options

_EPILOG = """\b
Examples:
  leuko assess patient.json --as-of 2026-01-31
  leuko assess export.zip labs.csv --json - | jq .headline
  leuko assess labs.csv --unit neutrophils=/uL --zone Europe/Berlin --html report.html

Exit codes: 0 done, 2 the call cannot be understood, 3 an input cannot be read, 4 finished with gaps under --strict."""


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
        try:
            return ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            self.fail(f"{value!r} is no time zone known here; write it as Europe/Berlin", param, ctx)


@click.command("assess", short_help="Read blood counts: is it low, how bad, since when?", epilog=_EPILOG)
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True, path_type=Path), metavar="PATH..."
)
@click.option(
    "--as-of", type=Day(), metavar="DATE", help="The day of the assessment; later counts are set aside. [today]"
)
@click.option(
    "--patient", metavar="ID", help="Only this person; also the name of the person of a file that names nobody."
)
@click.option(
    "--columns",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="MAP.toml",
    help="A column map, for a table whose headers leuko does not know.",
)
@click.option(
    "--unit",
    "units",
    multiple=True,
    metavar="ANALYTE=UNIT",
    help="The unit of an analyte where the file gives none. Repeatable.",
)
@click.option("--zone", type=Zone(), default="UTC", metavar="ZONE", help="Time zone of times that name none. [UTC]")
@knowledge_option
@asked_options
@output_options
def command(
    *,
    paths: tuple[Path, ...],
    as_of: date | None,
    patient: str | None,
    columns: Path | None,
    units: tuple[str, ...],
    zone: tzinfo,
    extra: tuple[Path, ...],
    told: Told,
    outputs: Outputs,
) -> None:
    """Read blood counts and say: is it low, which line, how bad, since when.

    PATH is a file, a folder or an archive, or - for standard input: FHIR R4 as JSON or NDJSON, HL7 v2 messages, or a
    table (CSV, TSV, XLSX, Parquet). Several paths are read together. Several people are shown one after the other:
    their JSON is an array, and each page or PDF gets the person's id in its name.
    """
    check_files(outputs, paths)
    from leuko.intake.base import ReadOptions  # noqa: PLC0415 (help needs no reader)
    from leuko.knowledge import load_library  # noqa: PLC0415

    day = as_of or today(zone)
    named = unit_options(units, load_library(*extra)) if units else {}
    options = ReadOptions(zone=zone, as_of=day, columns=columns, units=named, patient=patient)
    code = write(assess_paths(paths, options=options, as_of=day, told=told, extra=extra), outputs)
    click.get_current_context().exit(code)


def today(zone: tzinfo) -> date:
    """Today, said aloud: the same call on another day gives another answer."""
    day = datetime.now(zone).date()
    say(f"as of {day.isoformat()}, today; --as-of {day.isoformat()} gives the same answer on any other day")
    return day
