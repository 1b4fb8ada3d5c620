"""A whole cohort from sources to a folder: read, run, derive, write, sum up.

sources -> leuko.cohort.read -> batches -> leuko.cohort.engine -> tables -> leuko.cohort.summary
"""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from leuko.cohort.each import parts_of
from leuko.cohort.engine import Asked, Engine, Said, run, threads
from leuko.cohort.outputs import Wanted
from leuko.cohort.outputs.definitions import chosen, severe_row
from leuko.cohort.read import Frames, read_source
from leuko.cohort.strata import read_strata, with_strata
from leuko.cohort.summary import Summary, summarise
from leuko.cohort.tabled import ACCOUNT, EACH, MANIFEST, TABLES, as_csv, open_table
from leuko.cohort.tables import rules_of
from leuko.errors import UsageError
from leuko.intake.base import ReadOptions
from leuko.knowledge import Library, load_library

Format = Literal["parquet", "csv"]
BATCH: Final = 20_000
BATCH_EACH: Final = 100  # people that are told of one by one, before the bar moves and a part is kept
EDITION: Final = "ctcae-5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where the rows of results went: those read were used, or set aside by a notice (`aside`), or leuko lost some.

    `damaged` counts sources that could not be read to their end: how many rows they held is not known.
    """

    read: int = 0
    used: int = 0
    aside: int = 0
    damaged: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every row that was read was used or told."""
        return self.read == self.used + self.aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """A finished run: its folder, and its tables as lazy Polars frames, each by its name as an attribute.

    Tables: counts, episodes, persons, adlb, adae, findings, cohort, people, treatments, signs, facts, notices, and
    causes and forecast where they were asked for. `account` says where the rows went, `summary` what a paper prints.
    """

    folder: Path
    account: Account
    said: Said
    wanted: Wanted
    summary: Summary
    _held: Any = field(default=None, repr=False, compare=False)

    def table(self, name: str) -> pl.LazyFrame:
        """One table, lazily; UsageError for a name that is none."""
        return open_table(self.folder, name)

    def __getattr__(self, name: str) -> pl.LazyFrame:
        if name in EACH and not (self.folder / name).exists() and not (self.folder / f"{name}.csv").exists():
            raise AttributeError(f'{name} was not asked for: leuko.cohort(..., with_=["{name}"])')
        if name in TABLES:
            return self.table(name)
        raise AttributeError(f"a cohort has no {name!r}; its tables: {', '.join(TABLES)}")

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *(name for name in TABLES if name not in EACH or hasattr(self, name))})

    def __repr__(self) -> str:
        account = self.account
        return (
            f"<Cohort of {self.said.people:,} people: {account.read:,} rows of results read, {account.used:,} used,"
            f" {account.aside:,} set aside; tables in {self.folder}>"
        )


def cohort(
    *sources: str | Path,
    out: str | Path | None = None,
    engine: Literal["kernel", "spark"] = "kernel",
    master: str | None = None,
    definitions: Sequence[str] | str = (),
    as_published: bool = False,
    with_: Sequence[str] | str = (),
    edition: str = EDITION,
    as_of: date | None = None,
    options: ReadOptions | None = None,
    strata: str | Path | None = None,
    knowledge: Sequence[Path] = (),
    batch_people: int | None = None,
    resume: bool = False,
    format: Format = "parquet",  # noqa: A002 (the word of the command)
    workers: int = 2,
    progress: Callable[[Said], None] | None = None,
) -> Cohort:
    """Read a cohort, grade every count, find every episode, ask every definition; gives its tables lazily.

    `sources` are files, folders, manifests, archives or a database (`leuko.cohort.read`). Without `out` the tables live
    as long as the result does. `definitions` are ids or TOML files (default: all on file); `as_published` runs them
    with their holes. `with_` names what is told of each person besides ("causes", "forecast"), in `workers` processes:
    about a tenth of a second a person, with a forecast up to a second. `edition` is that of the analysis records.
    `strata` names a file with arms and survey weights.
    Raises UsageError and UnreadableInput.

    >>> import polars as pl
    >>> rows = pl.DataFrame({
    ...     "patient": ["A", "A", "A", "B"],
    ...     "date": ["2024-05-03", "2024-05-08", "2024-05-13", "2024-05-03"],
    ...     "neutrophils (10*9/L)": [3.1, 0.4, 1.9, 2.8],
    ... })
    >>> with tempfile.NamedTemporaryFile(suffix=".csv") as file:
    ...     rows.write_csv(file.name)
    ...     found = cohort(file.name, definitions=["severe-chronic-neutropenia"])
    >>> found.counts.filter(pl.col("ctcae_5") == 4).select("person", "value").collect().rows()
    [('A', 0.4)]
    >>> found.episodes.select("person", "nadir", "dsn_least", "dsn_most").collect().rows()
    [('A', 0.4, 0.0, 11.0)]
    >>> found.account.read, found.account.used, found.account.aside
    (4, 4, 0)
    """
    library = load_library(*knowledge)
    definitions, with_ = ([one] if isinstance(one, str) else one for one in (definitions, with_))
    _is_day(as_of)
    _are_paths(sources)
    wanted = wish_of(library, definitions, edition, as_published=as_published)
    each = parts_of(with_)
    batch_people = batch_people or (BATCH if not each else BATCH_EACH)
    held = None if out is not None else _Held(path=Path(tempfile.mkdtemp(prefix="leuko-cohort-")))
    folder = held.path / "out" if held is not None else Path(str(out))
    _may_write(folder, sources)
    asked = Asked(rules=rules_of(library if knowledge else None), as_of=as_of, wanted=wanted, each=each)
    options = options or ReadOptions(as_of=as_of)
    told = None if strata is None else read_strata(Path(strata))
    batches = read_source(
        sources, library=library, options=options, batch_people=batch_people, concepts=wanted.concepts
    )
    counting = _Counting(with_strata(batches, told))
    how = _engine(engine, folder, asked, workers=workers, master=master, knowledge=knowledge)
    said = run(counting, folder, asked, engine=how, resume=resume, progress=progress)
    _write_account(folder, counting.account, wanted, edition)
    summary = summarise(folder, library=library)
    _write_summary(folder, summary)
    if format == "csv":
        as_csv(folder)
    return Cohort(folder=folder, account=counting.account, said=said, wanted=wanted, summary=summary, _held=held)


def _is_day(as_of: Any) -> None:
    if as_of is not None and (not isinstance(as_of, date) or isinstance(as_of, datetime)):
        raise UsageError(f"as_of is no date: {as_of!r}", do="give a datetime.date, such as date(2024, 5, 3)")


def _are_paths(sources: Sequence[Any]) -> None:
    for source in sources:
        if not isinstance(source, str | Path):
            do = "name each by itself: leuko.cohort(*paths)"
            raise UsageError(f"a source is a path or an address, and was given as a {type(source).__name__}", do=do)


class _Held:
    """A folder that is removed with the last that uses it."""

    def __init__(self, *, path: Path) -> None:
        self.path = path
        weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)


def wish_of(library: Library, definitions: Sequence[str], edition: str, *, as_published: bool = False) -> Wanted:
    """What is to be derived; UsageError for an edition or a definition that is none."""
    scheme, _, number = edition.partition("-")
    library.scheme(scheme, number)
    return Wanted(
        scheme=scheme,
        edition=number,
        definitions=chosen(definitions, library),
        severe=severe_row(library),
        as_published=as_published,
    )


def _may_write(folder: Path, sources: Sequence[str | Path]) -> None:
    where = folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise UsageError("the output is a file", where=str(folder), do="name a folder")
    for source in sources:
        path = Path(source)
        if path.exists() and (path.resolve() == where or path.resolve() in where.parents):
            raise UsageError(
                "the output would lie inside a source", where=str(folder), do="name a folder outside of what is read"
            )
    kept = {".parts", MANIFEST, ACCOUNT, *TABLES, "summary.html", "summary.json"}
    if folder.is_dir() and (strange := {path.name.removesuffix(".csv") for path in folder.iterdir()} - kept):
        raise UsageError(
            "the folder holds files of something else",
            where=str(folder),
            why=", ".join(sorted(strange)[:3]),
            do="name an empty folder",
        )


def _engine(
    name: str, folder: Path, asked: Asked, *, workers: int, master: str | None, knowledge: Sequence[Path]
) -> Engine:
    if name == "spark":
        from leuko.cohort.spark import spark  # noqa: PLC0415 (only who asks for it)

        return spark(folder / ".parts" / "stage", master=master, knowledge=knowledge)
    if asked.each:
        from leuko.cohort.workers import processes  # noqa: PLC0415 (only who asks for it)

        return processes(workers, knowledge=knowledge)
    return threads(workers)


class _Counting:
    """Batches as they pass, and the account of their rows."""

    def __init__(self, batches: Iterator[Frames]) -> None:
        self._batches = batches
        self.account = Account()

    def __iter__(self) -> Iterator[Frames]:
        for batch in self._batches:
            so_far, told = self.account, batch.notices
            self.account = Account(
                read=so_far.read + batch.rows,
                used=so_far.used + batch.results.height,
                aside=so_far.aside + int(told["rows"].fill_null(0).sum()),
                damaged=so_far.damaged + told.filter(pl.col("rows").is_null() & pl.col("lost")).height,
            )
            yield batch


def _write_summary(folder: Path, summary: Summary) -> None:
    from leuko.cohort.summary.page import html  # noqa: PLC0415 (loads the templates)

    (folder / "summary.json").write_text(summary.json(), "utf-8")
    (folder / "summary.html").write_text(html(summary), "utf-8")


def _write_account(folder: Path, account: Account, wanted: Wanted, edition: str) -> None:
    content = {
        "rows_read": account.read,
        "rows_used": account.used,
        "rows_set_aside": account.aside,
        "sources_damaged": account.damaged,
        "edition": edition,
        "definitions": [row.id for row in wanted.definitions],
        "as_published": wanted.as_published,
    }
    (folder / ACCOUNT).write_text(json.dumps(content, indent=1) + "\n", "utf-8")
