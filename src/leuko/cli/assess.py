"""`leuko assess`: the main job."""

from __future__ import annotations

from datetime import date, tzinfo
from pathlib import Path

import click

from leuko.cli._asked import Told, asked_options
from leuko.cli._inputs import (
    as_of_option,
    columns_option,
    paths_argument,
    patient_option,
    today,
    units_option,
    zone_option,
)
from leuko.cli._knowledge import knowledge_option
from leuko.cli._outputs import Outputs, check_files, output_options, write
from leuko.cli._people import assess_paths, unit_options

_EPILOG = """\b
Examples:
  leuko assess patient.json --as-of 2026-01-31
  leuko assess export.zip labs.csv --json - | jq .headline
  leuko assess labs.csv --unit neutrophils=/uL --html report.html

Exit codes: 0 done, 2 the call cannot be understood, 3 an input cannot be read, 4 finished with gaps under --strict."""


@click.command("assess", short_help="Read blood counts: is it low, how bad, since when?", epilog=_EPILOG)
@paths_argument
@as_of_option("assessment")
@patient_option
@columns_option
@units_option
@zone_option
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
