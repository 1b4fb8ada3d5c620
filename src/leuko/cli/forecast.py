"""`leuko forecast`: the coming counts alone, with questions of the caller's own."""

from __future__ import annotations

import sys
from datetime import date, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli._inputs import (
    Day,
    as_of_option,
    columns_option,
    paths_argument,
    patient_option,
    today,
    units_option,
    width_option,
    zone_option,
)
from leuko.cli._knowledge import knowledge_option
from leuko.cli._notices import say
from leuko.cli._outputs import STDOUT, Outputs, check_files, json_option, save
from leuko.cli._people import assess_paths, unit_options
from leuko.cli._what_if import asked_changes, asked_limits

if TYPE_CHECKING:
    from leuko.result import Assessment

_EPILOG = """\b
Examples:
  leuko forecast patient.json --as-of 2026-03-10
  leuko forecast patient.json --what-if delay=7 --what-if dose=80%,gcsf=2
  leuko forecast patient.json --search severe=20%,delay=7
  leuko forecast patient.json --model docetaxel-kloft --json -

What is asked of the next cycle: delay=DAYS, dose=PERCENT of what is planned, dose:MEDICINE=PERCENT, gcsf=DAY (a growth
factor daily from that day of the cycle on), drop=DAY (that day of treatment left out). Limits of a search: severe=,
ready=, intensity= (percent), delay= (days).

Exit codes: 0 done, 2 the call cannot be understood, 3 an input cannot be read, 4 no forecast under --strict."""


@click.command("forecast", short_help="When will it recover, and what if?", epilog=_EPILOG)
@paths_argument
@as_of_option("forecast")
@patient_option
@click.option("--model", metavar="ID", help="The model by its id: `leuko knowledge show model` lists them.")
@click.option("--regimen", metavar="NAME", help="The chemotherapy regimen, where the files do not name it.")
@click.option("--next", "next_day", type=Day(), metavar="DATE", help="Day 1 of the next cycle, where it is known.")
@click.option("--what-if", "what_if", multiple=True, metavar="CHANGE[,CHANGE]", help="A way to go on. Repeatable.")
@click.option("--search", metavar="LIMIT[,LIMIT]", help="Look for ways that keep to limits and that nothing beats.")
@knowledge_option
@columns_option
@units_option
@zone_option
@json_option("the forecasts")
@width_option
@click.option("--strict", is_flag=True, help="Exit with 4 where no forecast could be made.")
def command(
    *,
    paths: tuple[Path, ...],
    as_of: date | None,
    patient: str | None,
    model: str | None,
    regimen: str | None,
    next_day: date | None,
    what_if: tuple[str, ...],
    search: str | None,
    extra: tuple[Path, ...],
    columns: Path | None,
    units: tuple[str, ...],
    zone: tzinfo,
    json_: Path | None,
    width: int | None,
    strict: bool,
) -> None:
    """Say when the count will recover, how low it will go, and what each way to go on would cost.

    The whole posterior of this person is run on: the doses and counts of the record, under the models in whose domain
    the person lies. Where nothing can be said it is withheld, with the reason. It recommends nothing.
    """
    check_files(Outputs(json=json_), paths)
    from leuko.cli._asked import Told  # noqa: PLC0415 (help needs none of it)
    from leuko.errors import ExitCode  # noqa: PLC0415
    from leuko.forecast.wish import Wish  # noqa: PLC0415
    from leuko.intake.base import ReadOptions  # noqa: PLC0415
    from leuko.knowledge import load_library  # noqa: PLC0415

    if model is not None:
        _known_model(model, extra)
    wish = Wish(model=model, next_day_1=next_day, changes=asked_changes(what_if), limits=asked_limits(search))
    day = as_of or today(zone)
    named = unit_options(units, load_library(*extra)) if units else {}
    options = ReadOptions(zone=zone, as_of=day, columns=columns, units=named, patient=patient)
    found = assess_paths(paths, options=options, as_of=day, told=Told(regimen=regimen, wish=wish), extra=extra)
    _give(found, json_, width)
    made = all(any(one.outcome is not None for one in each.forecasts) for each in found)
    click.get_current_context().exit(ExitCode.GAPS if strict and not made else ExitCode.DONE)


def _known_model(name: str, extra: tuple[Path, ...]) -> None:
    from leuko.forecast.library import model_row  # noqa: PLC0415
    from leuko.knowledge import load_library  # noqa: PLC0415

    model_row(name, load_library(*extra))


def _give(found: list[Assessment], json_: Path | None, width: int | None) -> None:
    if json_ is not None:
        from leuko.report.document import encode_forecasts  # noqa: PLC0415

        content = encode_forecasts(found)
        if json_ == STDOUT:
            sys.stdout.buffer.write(content)
            return
        save(json_, content)
    from leuko.report import terminal_forecast  # noqa: PLC0415 (loads rich)

    for number, each in enumerate(found):
        if number:
            click.echo()
        if not each.forecasts:
            say(f"{each.patient.id}: {_nothing(each)}; no treatment that a model speaks of: nothing to forecast")
        terminal_forecast.show(each, width=width)


def _nothing(assessment: Assessment) -> str:
    """What the record says of the neutrophils of somebody who has no forecast; a missing count is never a good one."""
    last = next((status for status in assessment.latest if status.count.analyte == "neutrophils"), None)
    if last is None:
        return "no neutrophil count that could be used is on record"
    if last.count.bound != "=" or last.position == "cannot_say":
        return "whether the neutrophils are low cannot be said"
    return "neutrophils were not low at the last count" if last.usual is None else "neutrophils are as usual for them"
