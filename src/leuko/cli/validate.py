"""`leuko validate`: how good leuko's forecasts are, on counts really seen."""

from __future__ import annotations

from pathlib import Path

import click

from leuko.cli._knowledge import knowledge_option
from leuko.cli._notices import say
from leuko.cli._outputs import Outputs, check_files, give, json_option
from leuko.errors import ExitCode

_EPILOG = """\b
Examples:
  leuko validate forecast --quick
  leuko validate forecast --data counts/ --plots figures --json -"""


@click.group("validate", short_help="Judge leuko's forecasts.")
def command() -> None:
    """Judge leuko's forecasts: against published numbers, against themselves, against people's real counts."""


@command.command(
    "forecast", short_help="Judge the forecasts: numbers of papers, calibration, real counts.", epilog=_EPILOG
)
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="A folder or table of real counts: a person, a day and a neutrophil count [10*9/L] in every row; or records"
    " of kinetics and counts (NONMEM columns) to get a published posterior from.",
)
@knowledge_option
@click.option("--quick", is_flag=True, help="A fair sample of everything, in less than a minute.")
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Draw predictive checks, ranks and coverages into this folder: SVG, and a page that shows them all.",
)
@json_option("everything")
@click.option("--markdown", is_flag=True, help="Print the tables for a page of documentation.")
def forecast(
    *, data: Path | None, extra: tuple[Path, ...], quick: bool, plots: Path | None, json_: Path | None, markdown: bool
) -> None:
    """Judge the forecasts.

    \b
    1. Every model against the numbers that its source, or another, prints (pass
       or miss, and why); published studies of daily forecasts and of a refit,
       repeated on people made by the models.
    2. Simulation-based calibration: do the true values of people made by a model
       fall where the posterior says?
    3. With --data: every count of every person told from those before it, one
       visit and four weeks ahead, beside the last value, the running mean and the
       exponentially weighted mean. What learns, learns on the other half.

    Exits with 4 where a published number is missed or the calibration does not hold.
    """
    from leuko.forecast.score.validation import validate  # noqa: PLC0415 (help needs no solver)
    from leuko.knowledge import load_library  # noqa: PLC0415
    from leuko.report import validation as report  # noqa: PLC0415

    check_files(Outputs(json=json_), () if data is None else (data,))
    if plots is not None:
        from leuko.report import validation_plots  # noqa: PLC0415

        validation_plots.ready()
    found = validate(
        load_library(*extra), data=data, quick=quick, pictures=plots is not None, said=lambda text: say(f"… {text}")
    )
    if plots is not None:
        for path in validation_plots.write(found, plots):
            say(f"wrote {path}")
    give(report.as_markdown(found) if markdown else report.as_text(found), report.as_json(found), json_)
    click.get_current_context().exit(ExitCode.DONE if found.holds else ExitCode.GAPS)
