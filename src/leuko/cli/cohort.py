"""`leuko cohort`: a study or a database, graded and summed up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, tzinfo
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, Final

import click

from leuko.cli._inputs import Day, columns_option, units_option, zone_option
from leuko.cli._knowledge import knowledge_option
from leuko.cli._notices import say
from leuko.cli._outputs import STDOUT, json_option, save
from leuko.cli._people import unit_options
from leuko.errors import ExitCode

if TYPE_CHECKING:
    from leuko.cohort.engine import Said
    from leuko.cohort.flow import Cohort

COMPILING: Final = "compiling the rules for this machine (once; they are kept) …"
_NAMED: Final = 3  # broken sources that are named at the terminal
SLOW: Final = 3.0  # seconds after which the wait for the compiler is told

_EPILOG = """\b
Examples:
  leuko cohort omop/ --out found
  leuko cohort lb.xpt dm.xpt ex.xpt ae.xpt --out found --edition ctcae-6
  leuko cohort bulk/ --out found --definition icaht-early
  leuko cohort bulk/ --out found --with causes,forecast --workers 16
  leuko cohort postgresql://host/cdm?schema=omop --out found --engine spark

The folder gets a table each of counts with grades, episodes, persons, adlb, adae, findings, cohort and notices, and
summary.html and summary.json. A run that was broken off goes on with --resume.

Exit codes: 0 done, 2 the call cannot be understood, 3 nothing can be read, 4 under --strict: something could not be
read, believed or graded."""


@click.command("cohort", short_help="Grade and sum up a study or a database.", epilog=_EPILOG)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="The new folder for the tables."
)
@click.option("--engine", type=click.Choice(["kernel", "spark"]), default="kernel", help="Where it runs. [kernel]")
@click.option("--master", metavar="URL", help="The master of Spark. [Spark's own setting]")
@click.option(
    "--definition",
    "definitions",
    multiple=True,
    metavar="NAME|FILE.toml",
    help="Ask only this definition, or those of a file. Repeatable. [all on file]",
)
@click.option("--as-published", is_flag=True, help="Run definitions as their source does, with their holes.")
@click.option(
    "--with",
    "with_",
    multiple=True,
    metavar="PARTS",
    help="Tell of each person too: causes, forecast, or causes,forecast. Takes up to a second a person.",
)
@click.option(
    "--edition",
    default="ctcae-5",
    metavar="EDITION",
    help="Edition of ADLB and ADAE. [ctcae-5]",
)
@click.option("--as-of", type=Day(), metavar="DATE", help="Set later results aside. [all results count]")
@click.option(
    "--strata",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A table with the columns person and arm, weight (of a survey) or both.",
)
@click.option("--resume", is_flag=True, help="Go on with a run that was broken off.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    help="Of the tables. [parquet]",
)
@columns_option
@units_option
@zone_option
@knowledge_option
@click.option(
    "--batch-people",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="People at a time. [20000; 100 with --with]",
)
@click.option(
    "--workers", type=click.IntRange(min=1), default=2, metavar="NUMBER", help="Threads, or processes with --with. [2]"
)
@json_option("the summary")
@click.option("--width", type=click.IntRange(min=40), default=100, metavar="COLUMNS", help="Width of the view. [100]")
@click.option("--full", is_flag=True, help="Show the whole summary in the terminal.")
@click.option("-q", "--quiet", is_flag=True, help="Print no view; messages still go to stderr.")
@click.option("--strict", is_flag=True, help="Exit with 4 where anything could not be read, believed or graded.")
def command(
    *,
    sources: tuple[str, ...],
    out: Path,
    engine: Any,
    master: str | None,
    definitions: tuple[str, ...],
    as_published: bool,
    with_: tuple[str, ...],
    edition: str,
    as_of: date | None,
    strata: Path | None,
    resume: bool,
    form: Any,
    columns: Path | None,
    units: tuple[str, ...],
    zone: tzinfo,
    extra: tuple[Path, ...],
    batch_people: int | None,
    workers: int,
    json_: Path | None,
    width: int,
    full: bool,
    quiet: bool,
    strict: bool,
) -> None:
    """Read a cohort, grade every count on every edition, find every episode, ask every definition, sum it up.

    SOURCE is a file, a folder, a manifest, an archive or a database: OMOP CDM 5.3 and 5.4 (CSV, Parquet, DuckDB,
    PostgreSQL), CDISC SDTM (XPT, CSV, Dataset-JSON), FHIR bulk NDJSON, long and wide tables. The rows of a person may
    stand in any of them. What cannot be read or believed is in the table notices, and nothing is lost without a row
    there.
    """
    from leuko.cohort.flow import cohort  # noqa: PLC0415 (help needs none of it)
    from leuko.intake.base import ReadOptions  # noqa: PLC0415
    from leuko.knowledge import load_library  # noqa: PLC0415

    named = unit_options(units, load_library(*extra)) if units else {}
    options = ReadOptions(zone=zone, as_of=as_of, columns=columns, units=named)
    with _progress() as progress:
        found = cohort(
            *sources, out=out, engine=engine, master=master, definitions=definitions, as_published=as_published,
            with_=with_, edition=edition, as_of=as_of, options=options, strata=strata, knowledge=extra,
            batch_people=batch_people, resume=resume, format=form, workers=workers, progress=progress,
        )  # fmt: skip
    _give(found, json_, width=width, full=full, quiet=quiet)
    click.get_current_context().exit(_code(found, strict=strict))


def _code(found: Cohort, *, strict: bool) -> ExitCode:
    """3 where rows were read and none of them could be used: the tables are whole, and say nothing of anybody."""
    if found.account.aside and not found.account.used:
        say("error: nothing that was read could be used; the table notices says why, row by row")
        return ExitCode.UNREADABLE
    return ExitCode.GAPS if strict and _gaps(found) else ExitCode.DONE


def _give(found: Cohort, json_: Path | None, *, width: int, full: bool, quiet: bool) -> None:
    _tell(found)
    content = found.summary.json()
    if json_ == STDOUT:
        sys.stdout.buffer.write(content.encode())
        return
    if json_ is not None:
        save(json_, content.encode())
    if not quiet:
        from leuko.cohort.summary.terminal import render  # noqa: PLC0415 (loads rich)

        click.echo(render(found.summary, width=width, full=full), nl=False)


def _tell(found: Cohort) -> None:
    """What the person at the terminal must know, whatever else is shown."""
    account = found.account
    say(
        f"{_many(found.said.people, 'person', 'people')}, {_many(account.read, 'row')} of results read:"
        f" {account.used:,} used, {account.aside:,} set aside with a notice (table notices)"
    )
    for code, title, number in _unused(found):
        say(f"{_many(number, 'count')} of those used could not be used after all: {title} ({code})")
    if found.said.reused:
        say(f"{found.said.reused} of {found.said.batches} batches were there already")
    if account.damaged:
        told = f"{_many(account.damaged, 'source')} could not be read to the end: what was beyond is not known"
        say(f"{told} ({_damaged(found)})")
    if not account.balanced:
        lost = account.read - account.used - account.aside
        say(f"error: {lost:,} rows were read and are neither used nor told: this is a bug, please report it")
    say(f"tables and summary.html in {found.folder}")


def _many(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def _unused(found: Cohort) -> list[tuple[str, str, int]]:
    """Code, title and number of the counts that were read and could not be used after all."""
    from leuko.cohort.summary.people import unused  # noqa: PLC0415
    from leuko.knowledge import load_library  # noqa: PLC0415

    titles = load_library().notices
    return [(code, titles[code].title, rows) for code, rows in unused(found.table("notices")).iter_rows()]


def _damaged(found: Cohort) -> str:
    """The first sources that could not be read to their end."""
    import polars as pl  # noqa: PLC0415

    notices = found.table("notices").filter(pl.col("rows").is_null() & pl.col("lost"))
    files = notices.select(pl.col("file").fill_null("a source")).unique(maintain_order=True).collect()["file"].to_list()
    return ", ".join(files[:_NAMED]) + (f" and {len(files) - _NAMED:,} more" if len(files) > _NAMED else "")


def _gaps(found: Cohort) -> bool:
    """Whether anything was lost or not believed, or any count has no one grade."""
    import polars as pl  # noqa: PLC0415

    if found.account.damaged or not found.account.balanced:
        return True
    bad = (pl.col("severity") == "error") | pl.col("lost")
    if found.table("notices").select(bad.any()).collect().item():
        return True
    return bool(found.summary.section("ungraded").tables[0].rows)


@contextmanager
def _progress() -> Iterator[Callable[[Said], None] | None]:
    """A line that moves while batches are answered, where stderr is a terminal; and why the first one takes long."""
    if not sys.stderr.isatty():
        with _waiting(lambda: say(COMPILING)):
            yield None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(pulse_style="cyan"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def moved(said: Said) -> None:
            bar.update(task, description=f"{said.people:,} people, {said.results:,} results")

        with _waiting(lambda: bar.update(task, description=COMPILING)):
            yield moved


@contextmanager
def _waiting(tell: Callable[[], None]) -> Iterator[None]:
    """Tells that the kernel is being compiled, where it still is after a while."""
    from leuko.cohort.kernel import is_compiling  # noqa: PLC0415 (help needs none of it)

    timer = Timer(SLOW, lambda: tell() if is_compiling() else None)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
