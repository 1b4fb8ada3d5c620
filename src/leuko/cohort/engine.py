"""A whole cohort: batches of whole people through one function, on one machine or on many, with nothing done twice.

batches -> answered, in any order -> parts, each committed by one renaming -> files of fixed lengths, with a manifest

What is written depends on the rows, the rules and the day asked for alone: neither the size of batches, nor the order
in which they are answered, nor the engine leave a trace in it. A run that was killed goes on after its last part.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import polars as pl

from leuko.cohort.batch import run_batch
from leuko.cohort.outputs import Wanted, derived
from leuko.cohort.tabled import MANIFEST, PASSED_ON, TABLES
from leuko.cohort.tables import Rules
from leuko.errors import UsageError

if TYPE_CHECKING:
    from leuko.cohort.each.told import Told

FILE_ROWS: Final = 250_000  # one row group: what is put together at a time is no more than a batch
_PARTS, _KEY, _SAID = ".parts", "key", "said.json"


class Given(Protocol):
    """A batch of whole people: frames by name, those of `leuko.cohort.frames`."""

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The frames by name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What there is to say of a run so far."""

    batches: int = 0
    people: int = 0
    results: int = 0
    reused: int = 0
    scalar: Mapping[str, int] = field(default_factory=dict)

    def and_also(self, other: Said) -> Said:
        """Both together."""
        return Said(
            batches=self.batches + other.batches,
            people=self.people + other.people,
            results=self.results + other.results,
            reused=self.reused + other.reused,
            scalar=Counter(self.scalar) + Counter(other.scalar),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The question: rules, the day as of which it is asked (None: all results count), what else is to be derived.

    `each` are the parts that are told of each person (`leuko.cohort.each`).
    """

    rules: Rules
    as_of: date | None = None
    wanted: Wanted | None = None
    each: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of all but the rows that decides an answer."""
        wanted = "" if self.wanted is None else self.wanted.digest
        source = _source() if not self.each else _every_source()
        told = f"{self.rules.digest}|{self.as_of}|{wanted}|{source}|{','.join(self.each)}"
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One batch to be answered; `key` tells whether a part on disk is its answer."""

    number: int
    tables: Mapping[str, pl.DataFrame]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A batch that was answered: its tables in the order of people."""

    tables: Mapping[str, pl.DataFrame]
    said: Said


Engine = Callable[[Iterator[Task], Asked], Iterator[tuple[Task, Answered]]]
"""Answers tasks, in any order."""


def answer(tables: Mapping[str, pl.DataFrame], asked: Asked) -> Answered:
    """One batch answered; what was known of its people is passed on."""
    results = tables["results"]
    results = results.drop_nulls("person") if results["person"].null_count() else results
    batch = run_batch(results, tables["people"], tables["treatments"], asked.rules, as_of=asked.as_of)
    notices = _in_order([tables["notices"], batch.notices] if "notices" in tables else [batch.notices])
    passed = {name: tables[name] for name in PASSED_ON if name in tables}
    found = batch.tables if asked.wanted is None else derived(batch.tables, passed, asked.rules, asked.wanted)
    if asked.each:
        each = _each({**tables, **batch.tables, "results": results}, asked)
        found, notices = {**found, **each.tables}, _in_order([notices, each.notices])
    return Answered(
        tables={**found, "notices": notices, **passed},
        said=Said(batches=1, people=len(batch.persons), results=len(tables["results"]), scalar=dict(batch.scalar)),
    )


def _in_order(notices: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(notices).sort("person", "file", "row", "code", "text", nulls_last=False)


def _each(tables: Mapping[str, pl.DataFrame], asked: Asked) -> Told:
    from leuko.cohort.each.told import each_of  # noqa: PLC0415 (loads the flow of one person)

    return each_of(tables, asked.rules, asked.each, as_of=asked.as_of)


def threads(number: int = 2) -> Engine:
    """The engine of one machine: the compiled pass lets other threads work meanwhile."""

    def answered(tasks: Iterator[Task], asked: Asked) -> Iterator[tuple[Task, Answered]]:
        waiting: list[tuple[Task, Future[Answered]]] = []
        with ThreadPoolExecutor(number) as pool:
            for task in tasks:
                waiting.append((task, pool.submit(answer, task.tables, asked)))
                if len(waiting) > number:
                    first, done = waiting.pop(0)
                    yield first, done.result()
            for task, done in waiting:
                yield task, done.result()

    return answered


def run(
    batches: Iterable[Given],
    out: Path,
    asked: Asked,
    *,
    engine: Engine | None = None,
    resume: bool = False,
    progress: Callable[[Said], None] | None = None,
) -> Said:
    """Answer batches of whole people and write the tables into `out`, a folder of Parquet files each.

    With `resume` the parts of a run that was broken off are used where batch, rules and program are the same; the
    batches must come as they came then. Without it `out` must hold no other run. `progress` is told after each batch.
    Raises UsageError where `out` holds what this run must not overwrite.
    """
    parts = _opened(out, asked, resume=resume)
    said = _Saying(progress)
    tasks = _tasks(batches, parts, said)
    try:
        for task, done in (engine or threads())(tasks, asked):
            _commit(parts / f"{task.number:08d}", task, done)
            said.add(done.said)
    except BaseException:
        _leave_nothing(parts)
        raise
    _finish(parts, out, said.numbers, asked, said.so_far)
    shutil.rmtree(parts)
    return said.so_far


def scan(out: Path, table: str) -> pl.LazyFrame:
    """One table of a finished run, lazily."""
    return pl.scan_parquet(sorted((out / table).glob("*.parquet")))


@dataclass(slots=True)
class _Saying:
    """Counts what was done, and tells it."""

    progress: Callable[[Said], None] | None
    so_far: Said = field(default_factory=Said)
    numbers: list[int] = field(default_factory=list)

    def add(self, more: Said) -> None:
        self.so_far = self.so_far.and_also(more)
        if self.progress is not None:
            self.progress(self.so_far)


# Parts


def _opened(out: Path, asked: Asked, *, resume: bool) -> Path:
    parts = out / _PARTS
    if (out / MANIFEST).exists() and not resume:
        raise UsageError("the folder holds a finished run", where=str(out), do="name another, or remove this one")
    if parts.exists() and not resume:
        raise UsageError(
            "the folder holds a run that was broken off",
            where=str(out),
            do="go on with it (--resume), or remove the folder",
        )
    if parts.exists() and (parts / "asked").read_text("utf-8") != asked.digest:
        raise UsageError(
            "the run that was broken off asked for something else",
            where=str(out),
            why="the rules, the day or the program differ",
            do="ask the same again, or begin anew in another folder",
        )
    parts.mkdir(parents=True, exist_ok=True)
    (parts / "asked").write_text(asked.digest, "utf-8")
    return parts


def _leave_nothing(parts: Path) -> None:
    """Take the folder of a run away that ended before it answered anything: there is nothing to resume."""
    if not any(parts.glob(f"*/{_KEY}")):
        shutil.rmtree(parts)
        with suppress(OSError):  # it holds something else
            parts.parent.rmdir()


def _tasks(batches: Iterable[Given], parts: Path, said: _Saying) -> Iterator[Task]:
    """The batches that no part answers yet."""
    for number, batch in enumerate(batches):
        said.numbers.append(number)
        task = Task(number=number, tables=batch.tables, key=_key(batch.tables))
        part = parts / f"{number:08d}"
        if part.exists() and (part / _KEY).read_text("utf-8") == task.key:
            kept = json.loads((part / _SAID).read_text("utf-8"))
            said.add(Said(**{**kept, "reused": 1}))
        else:
            yield task


def _key(tables: Mapping[str, pl.DataFrame]) -> str:
    """A number for the content of a batch: heights, and the sum of the hashes of all rows."""
    whole = hashlib.sha256()
    for name in sorted(tables):
        table = tables[name]
        rows = table.hash_rows(seed=0) if table.height else pl.Series([0], dtype=pl.UInt64)
        whole.update(f"{name}|{table.height}|{table.columns}|{rows.sum()}".encode())
    return whole.hexdigest()


def _commit(part: Path, task: Task, done: Answered) -> None:
    """Writes a part beside its place and moves it there in one step."""
    fresh = part.with_suffix(".fresh")
    for old in (fresh, part):
        shutil.rmtree(old, ignore_errors=True)
    fresh.mkdir()
    for name, table in done.tables.items():
        table.write_ipc(fresh / f"{name}.arrow", compression="lz4")
    (fresh / _KEY).write_text(task.key, "utf-8")
    said = done.said
    kept = {"batches": 1, "people": said.people, "results": said.results, "scalar": dict(said.scalar)}
    (fresh / _SAID).write_text(json.dumps(kept), "utf-8")
    fresh.rename(part)


# Files of fixed lengths


def _finish(parts: Path, out: Path, numbers: Iterable[int], asked: Asked, said: Said) -> None:
    folders = [parts / f"{number:08d}" for number in sorted(numbers)]
    written: dict[str, Any] = {}
    for name in TABLES:
        files = [folder / f"{name}.arrow" for folder in folders if (folder / f"{name}.arrow").exists()]
        if files:
            written[name] = _whole(name, files, out)
    manifest = {
        "asked": asked.digest,
        "knowledge": asked.rules.library.hash,
        "as_of": None if asked.as_of is None else asked.as_of.isoformat(),
        "people": said.people,
        "results": said.results,
        "by_the_way_of_one_person": dict(sorted(said.scalar.items())),
        "tables": written,
    }
    fresh = out / f"{MANIFEST}.fresh"
    fresh.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")
    fresh.rename(out / MANIFEST)


def _whole(name: str, files: Iterable[Path], out: Path) -> list[dict[str, Any]]:
    """The files of one table, each but the last of `FILE_ROWS` rows."""
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return [_file(folder / f"{number:05d}.parquet", table) for number, table in enumerate(_pieces(files))]


def _pieces(files: Iterable[Path]) -> Iterator[pl.DataFrame]:
    held: list[pl.DataFrame] = []
    rows, given = 0, 0
    for file in files:
        table = pl.read_ipc(file)
        held.append(table)
        rows += table.height
        while rows >= FILE_ROWS:
            whole = pl.concat(held)
            yield whole.head(FILE_ROWS)
            given += 1
            held = [whole.slice(FILE_ROWS)]
            rows -= FILE_ROWS
    if rows or not given:
        yield pl.concat(held)


def _file(path: Path, table: pl.DataFrame) -> dict[str, Any]:
    table.rechunk().write_parquet(path, compression="zstd", compression_level=3, row_group_size=FILE_ROWS)
    return {
        "file": f"{path.parent.name}/{path.name}",
        "rows": table.height,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


@lru_cache(maxsize=1)
def _source() -> str:
    """A digest of the program that answers: parts of another one are not used."""
    home = Path(__file__).parent.parent
    own = [home / "cohort" / f"{name}.py" for name in ("arrays", "batch", "engine", "noticed", "scalar", "tables")]
    rules = [path for folder in ("counts", "course", "status") for path in (home / folder).glob("*.py")]
    kernel, outputs = (home / "cohort" / name for name in ("kernel", "outputs"))
    files = [*own, *kernel.glob("*.py"), *outputs.glob("*.py"), *rules, home / "grading.py", home / "ages.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(files))).hexdigest()


@lru_cache(maxsize=1)
def _every_source() -> str:
    """A digest of all that may speak where the flow of one person is asked."""
    home = Path(__file__).parent.parent
    shown = {home / name for name in ("cli", "report", "service", "web")}
    files = [path for path in sorted(home.rglob("*.py")) if not shown & set(path.parents)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
