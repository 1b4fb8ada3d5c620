"""`leuko learn`: a model's population, or how counts move, from a site's own counts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli._inputs import Day
from leuko.cli._knowledge import knowledge_option
from leuko.cli._notices import say
from leuko.cli._outputs import Outputs, check_files, give, json_option, spare_inputs
from leuko.errors import UsageError

if TYPE_CHECKING:
    from leuko.forecast.learn import Naming
    from leuko.knowledge import Library

_EPILOG = """\b
Examples:
  leuko learn counts/ --model docetaxel-kloft --out site/models/ours.toml
  leuko learn counts.csv --level --out site/models/our-level.toml
  leuko forecast patient.json --knowledge site"""


@click.command("learn", short_help="Learn a model from your own people's counts.", epilog=_EPILOG)
@click.argument("path", type=click.Path(exists=True, path_type=Path), metavar="PATH")
@click.option("--model", metavar="ID", help="The marrow model to begin from; needs doses beside the counts.")
@click.option("--level", is_flag=True, help="Learn how counts move where no marrow model speaks; needs counts alone.")
@click.option("--begin", metavar="ID", help="With --level: the row to begin from. [neutrophils-untreated]")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
    help="The file to write, in the folder 'models' of your own knowledge; its name is the id of what was learned.",
)
@click.option("--rounds", type=click.IntRange(1, 200), metavar="N", help="At most so many rounds. [8]")
@click.option(
    "--prior",
    type=click.FloatRange(min=0.0, min_open=True),
    metavar="PEOPLE",
    help="How many people the published values stand for: the more, the less your own can move them. [10]",
)
@click.option("--seed", type=int, default=1, metavar="N", help="The same seed and data give the same file. [1]")
@click.option("--as-of", type=Day(), metavar="DATE", help="The day to write into the file. [none]")
@click.option("--people", default="", metavar="WORDS", help="Who the people are, as in 'our day unit, 2024'.")
@click.option("--no-validation", is_flag=True, help="Do not judge it on halves of the people (three times as fast).")
@knowledge_option
@json_option("what was learned")
def command(
    *,
    path: Path,
    model: str | None,
    level: bool,
    begin: str | None,
    out: Path,
    rounds: int | None,
    prior: float | None,
    seed: int,
    as_of: date | None,
    people: str,
    no_validation: bool,
    extra: tuple[Path, ...],
    json_: Path | None,
) -> None:
    """Learn from counts of your own people, and write a file of knowledge that forecasts read.

    PATH is a table, or a folder with tables (CSV, TSV, Parquet): person, day, anc [10*9/L] in every row; for a marrow
    model also person, day, amount [mg] of every dose, and if need be drug and hours of infusion. Days are numbers from
    any origin of the person.

    What was learned is judged on people it was not learned from: learned on one half, judged on the other, and back.
    """
    check_files(Outputs(json=json_), (path,))
    spare_inputs(out, (path,))
    if bool(model) == level:
        raise UsageError("say what to learn", do="give --model ID for a marrow model, or --level for counts alone")
    from leuko.forecast.learn.save import Naming, check_id  # noqa: PLC0415 (help needs no solver)
    from leuko.knowledge import load_library  # noqa: PLC0415

    library = load_library(*extra)
    naming = Naming(id=check_id(out.stem, library), people=people, on=as_of.isoformat() if as_of else "")
    if level:
        name = begin or "neutrophils-untreated"
        view, document = _level(path, name, library=library, naming=naming, out=out, prior=prior)
    else:
        asked = _Asked(rounds, prior, seed, judged=not no_validation)
        view, document = _model(path, model or "", library=library, naming=naming, out=out, asked=asked)
    give(view, document, json_)
    say(f"wrote {out}")
    if out.parent.name != "models":
        say("leuko reads it from a folder named 'models' inside the folder that --knowledge names: move it there")


class _Asked:
    """How to learn, as far as the caller said it."""

    def __init__(self, rounds: int | None, prior: float | None, seed: int, *, judged: bool) -> None:
        self.options: dict[str, float | int] = {"seed": seed}
        if rounds is not None:
            self.options["rounds"] = rounds
        if prior is not None:
            self.options["prior_weight"] = prior
        self.judged = judged


def _model(path: Path, name: str, *, library: Library, naming: Naming, out: Path, asked: _Asked) -> tuple[str, str]:
    """What was learned, as text and as JSON."""
    from leuko.forecast import learn  # noqa: PLC0415
    from leuko.forecast.library import model_row  # noqa: PLC0415
    from leuko.knowledge.schema.levels import JudgeRow  # noqa: PLC0415
    from leuko.report import learned as report  # noqa: PLC0415

    row = model_row(name, library)
    cohort = learn.cohort_of(path, row=row, library=library)
    for text in cohort.said:
        say(text)
    say(f"… {len(cohort.people)} people, {cohort.counts} counts")
    options = {**asked.options, "said": lambda text: say(f"… {text}")}
    found = learn.learn(row, cohort.people, **options)  # type: ignore[arg-type]
    cut = library.rows(JudgeRow)[0].severe
    judged = (
        learn.judge(row, cohort.people, resolution=cohort.resolution, cut=cut, **options)  # type: ignore[arg-type]
        if asked.judged
        else ()
    )
    made = learn.model_row_of(found, judged, naming)
    learn.write(made, out)
    return report.model_text(made, found), report.as_json(made, cohort.said)


def _level(
    path: Path, name: str, *, library: Library, naming: Naming, out: Path, prior: float | None
) -> tuple[str, str]:
    from leuko.forecast import learn  # noqa: PLC0415
    from leuko.forecast.score.table import read_counts  # noqa: PLC0415
    from leuko.knowledge.schema.levels import JudgeRow, LevelRow  # noqa: PLC0415
    from leuko.report import learned as report  # noqa: PLC0415

    rows = {row.id: row for row in library.rows(LevelRow)}
    if name not in rows:
        raise UsageError(f"no level {name!r}", why=f"known: {', '.join(sorted(rows))}", do="name one of these")
    table = read_counts(path)
    for text in table.said:
        say(text)
    weight = {} if prior is None else {"prior_weight": prior}
    by = library.rows(JudgeRow)[0]
    found = learn.learn_level(rows[name], table, judged_by=by, said=lambda text: say(f"… {text}"), **weight)
    made = learn.level_row_of(found, naming)
    learn.write(made, out)
    return report.level_text(made, rows[name]), report.as_json(made, table.said)
