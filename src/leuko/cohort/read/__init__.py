"""Reading a cohort: sources of any make become batches of whole people, in the tables of `leuko.cohort.frames`.

    inventory, opened, database  -> tables that can be read piece by piece, FHIR files
    omop, sdtm, long, fhir       -> their rows
    keys, judge                  -> counts in canonical units, or notices; asked once for each distinct writing
    gather                       -> batches of whole people

Every row of results is used or set aside by a notice: `Frames.rows` is the sum of both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import polars as pl

from leuko.cohort.read import fhir, omop, sdtm
from leuko.cohort.read.base import Frames, Reading, joined
from leuko.cohort.read.gather import batches, ordered
from leuko.cohort.read.inventory import Inventory, take
from leuko.cohort.read.judge import Judge
from leuko.cohort.read.long import LongTable, Understood, must_be_small, understand_table
from leuko.cohort.read.opened import BROKEN, Table, bytes_of, first_line
from leuko.cohort.read.records import frames_of
from leuko.errors import LeukoError, UnreadableInput, UsageError
from leuko.intake import table as small_tables
from leuko.intake.base import Blob, ReadOptions
from leuko.intake.table.columnmap import ColumnMap, load_map
from leuko.intake.table.dates import DateReader
from leuko.knowledge import Library, load_library

__all__ = ["Frames", "read_source"]

_MOST_BY_HAND: Final = 32 << 20  # bytes that the reader for one person is given


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One source of rows; `person` is the column of the person in `table`, where its people may stand in order."""

    read: Callable[[], Iterator[Frames]]
    table: Table | None = None
    person: int | None = None
    results: bool = False


def read_source(
    paths: Sequence[str | Path],
    *,
    library: Library | None = None,
    options: ReadOptions | None = None,
    batch_people: int = 20_000,
    concepts: Collection[int] = (),
) -> Iterator[Frames]:
    """Read files, folders, manifests, archives and databases as batches of at most `batch_people` whole people.

    Understood are OMOP CDM 5.3 and 5.4 (CSV, Parquet, a DuckDB file, `postgresql://…?schema=…`), CDISC SDTM (XPT, CSV,
    Dataset-JSON), FHIR (bulk NDJSON, Bundles), and tables of counts (CSV, TSV, Parquet, workbooks). The rows of a
    person may stand in any of them. The batches do not depend on the order of `paths`. Damage stops no run: what could
    not be read is in `notices`. `concepts` are OMOP concepts of definitions, whose descendants are told in the facts.
    Raises UsageError where nothing was named, UnreadableInput where nothing could be read.
    """
    if not paths:
        raise UsageError("no source was named", do="name the files, folders or the database that hold the cohort")
    if batch_people < 1:
        raise UsageError("a batch holds at least one person", where=f"batch_people={batch_people}")
    library = library or load_library()
    options = options or ReadOptions()
    with tempfile.TemporaryDirectory(prefix="leuko-") as folder:
        first = Reading(library=library, options=options)
        inventory = Inventory(reading=first, folder=Path(folder))
        take(paths, inventory)
        yield from _read(inventory, first, batch_people, concepts)


def _read(inventory: Inventory, first: Reading, batch_people: int, concepts: Collection[int]) -> Iterator[Frames]:
    library, options = first.library, first.options
    sorted_in = _sorted_in(inventory, load_map(options.columns, library=library))
    reading = Reading(library=library, options=options, person=_person_type(sorted_in, inventory))
    parts = _parts(sorted_in, inventory, reading, concepts)
    if not parts:
        raise _nothing(inventory)
    before = joined([reading.frames(notices=notice) for notice in inventory.notices], reading)
    streams = [part for part in parts if part.results]
    line_up = _line_up(streams, reading)
    if line_up is None:
        yield from batches(_all(parts, reading, before), reading, batch_people=batch_people, size=inventory.size)
        return
    others = [part for part in parts if not part.results]
    beside = joined(_all(others, reading, before), reading)
    pieces = (piece for part in line_up for piece in _guarded(part, reading))
    yield from ordered(pieces, beside, reading, batch_people=batch_people)


def _nothing(inventory: Inventory) -> UnreadableInput:
    told_ = [frame.row(0, named=True) for frame in inventory.notices if frame.height]
    worst = next((row for row in told_ if row["severity"] == "error"), None)
    if worst is None:
        return UnreadableInput("the sources hold nothing about any person", do="name sources that hold blood counts")
    return UnreadableInput(worst["text"], where=worst["file"], why=worst["code"], do=f"leuko explain {worst['code']}")


def _all(parts: Sequence[Part], reading: Reading, before: Frames) -> Iterator[Frames]:
    yield before
    for part in parts:
        yield from _guarded(part, reading)


def _guarded(part: Part, reading: Reading) -> Iterator[Frames]:
    """The pieces of a part; damage further on ends the part, not the run."""
    file = part.table.file if part.table is not None else ""
    read = 0
    try:
        for piece in part.read():
            read += piece.rows
            yield piece
    except UsageError:
        raise
    except (LeukoError, *BROKEN) as error:
        why = f"{error.what}: {error.why}" if isinstance(error, LeukoError) else first_line(error)
        text = f"reading stopped after {read} rows: {why}"
        yield reading.frames(notices=reading.say("LK702", text, file=file, row=read or None, rows=None, lost=True))


# ---- what each table is ----------------------------------------------------------------------------------------------

Entry = tuple[str, Table, Understood | str]  # the kind: "omop:person", "sdtm:LB", "long", "small", "misunderstood"
Sorted = list[Entry]


def _sorted_in(inventory: Inventory, column_map: ColumnMap) -> Sorted:
    found: Sorted = []
    for table in inventory.tables:
        omop_kind, sdtm_kind = omop.kind_of(table), sdtm.kind_of(table)
        kind = f"omop:{omop_kind}" if omop_kind else f"sdtm:{sdtm_kind}" if sdtm_kind else ""
        if kind and "unused" not in kind:
            found.append((kind, table, ""))
        elif kind:
            inventory.tell("LK705", "the table holds nothing for a cohort of counts", table.file)
        else:
            found.append(_of_any_make(table, inventory, column_map))
    if any(kind == "sdtm:LB" for kind, *_ in found):
        found = [entry for entry in found if not _is_analysis(entry[1], inventory)]
    return found


def _is_analysis(table: Table, inventory: Inventory) -> bool:
    if not (table.has("PARAMCD") and table.has("USUBJID")):
        return False
    inventory.tell(
        "LK705", "an analysis data set (ADaM): its results stand in SDTM, and are not read twice", table.file
    )
    return True


def _of_any_make(table: Table, inventory: Inventory, column_map: ColumnMap) -> Entry:
    understood = understand_table(table, inventory.reading, column_map)
    if isinstance(understood, str):
        return "misunderstood", table, understood
    if must_be_small(understood, inventory.reading):
        return "small", table, understood
    return "long", table, understood


def _person_type(found: Sorted, inventory: Inventory) -> pl.DataType:
    """Whole numbers where every source has them, else text."""
    if inventory.lines or inventory.bundles or inventory.small:
        return pl.String()
    for kind, table, understood in found:
        if kind.startswith("omop:"):
            column = table.at("person_id")
            if column is not None and not _whole(table, column):
                return pl.String()
        elif kind == "long" and isinstance(understood, Understood):
            column = understood.person
            if column is None or not table.types or not table.types[column].is_integer():
                return pl.String()
        elif kind != "misunderstood":
            return pl.String()
    return pl.Int64()


def _whole(table: Table, column: int) -> bool:
    if table.types and table.types[column] != pl.String:
        return table.types[column].is_integer()
    cells = [cells[column] for _, cells in table.lines[1:] if column < len(cells) and cells[column]]
    return sum(cell.isdigit() and not (cell.startswith("0") and len(cell) > 1) for cell in cells) * 2 >= len(cells)


def _parts(found: Sorted, inventory: Inventory, reading: Reading, concepts: Collection[int]) -> list[Part]:
    judge = Judge(reading=reading)
    dates = DateReader(zone=reading.options.zone)
    models = [(kind.removeprefix("omop:"), table) for kind, table, _ in found if kind.startswith("omop:")]
    vocabulary = omop.vocabulary_of(models, concepts)
    _tell_descent(models, inventory, concepts)
    model = omop.Omop(reading=reading, judge=judge, vocabulary=vocabulary, dates=dates)
    study = sdtm.Sdtm(reading=reading, judge=judge, dates=dates)
    parts = []
    for entry in sorted(found, key=lambda entry: entry[1].file):
        part = _part(entry, model, study, inventory)
        if part is not None:
            parts.append(part)
    if inventory.lines:
        parts.append(Part(read=fhir.Bulk(files=sorted(inventory.lines, key=lambda f: f[1]), reading=reading).read))
    if inventory.bundles:
        parts.append(Part(read=fhir.Single(files=sorted(inventory.bundles, key=lambda f: f[1]), reading=reading).read))
    parts += [_small(path, name, reading) for path, name in sorted(inventory.small, key=lambda f: f[1])]
    return parts


def _tell_descent(models: Sequence[tuple[str, Table]], inventory: Inventory, concepts: Collection[int]) -> None:
    """Says where descendants of the concepts of definitions cannot be known."""
    conditions = [table for kind, table in models if kind == "condition_occurrence"]
    if concepts and conditions and not any(kind == "concept_ancestor" for kind, _ in models):
        text = "the source has no table CONCEPT_ANCESTOR: definitions find the very concepts that they name"
        inventory.tell("LK710", text, conditions[0].file)


def _part(entry: Entry, model: omop.Omop, study: sdtm.Sdtm, inventory: Inventory) -> Part | None:
    kind, table, understood = entry
    reading, judge = model.reading, model.judge
    if kind in {"omop:concept", "omop:concept_ancestor"}:
        return None
    if kind.startswith("omop:"):
        name = kind.removeprefix("omop:")
        own = name == "measurement"
        return Part(read=lambda: model.read(name, table), table=table, person=table.at("person_id"), results=own)
    if kind.startswith("sdtm:"):
        domain = kind.removeprefix("sdtm:")
        return Part(read=lambda: study.read(domain, table), table=table, results=domain == "LB")
    if kind == "long" and isinstance(understood, Understood):
        whole = LongTable(understood=understood, reading=reading, judge=judge)
        own = understood.layout.kind in {"long", "wide"}
        return Part(read=whole.read, table=table, person=understood.person, results=own)
    if kind == "small" and table.path is not None and table.bytes <= _MOST_BY_HAND:
        return _small(table.path, table.file, reading)
    why = understood if isinstance(understood, str) else "it lies in a way that only small tables are read in"
    inventory.tell("LK501", f"the table was not read: {why}", table.file, rows=None, lost=True)
    return None


def _small(path: Path, name: str, reading: Reading) -> Part:
    """A table that is read as for one person: a workbook, a transposed table, one with words above it."""

    def read() -> Iterator[Frames]:
        blob = Blob(name=name, data=bytes_of(path))
        intake = small_tables.read([blob], options=reading.options, library=reading.library)
        yield frames_of(intake.records, intake.notices, reading, file=name)

    return Part(read=read, results=True)


# ---- people that stand in order already ------------------------------------------------------------------------------


def _line_up(streams: Sequence[Part], reading: Reading) -> list[Part] | None:
    """The parts that hold results, in the order of their people, where each and all of them are in that order."""
    spans = []
    for part in streams:
        span = None if part.table is None or part.person is None else _span(part.table, part.person, reading)
        if span is None:
            return None
        spans.append((span, part))
    spans.sort(key=lambda entry: entry[0])
    apart = all(left[0][1] <= right[0][0] for left, right in pairwise(spans))
    return [part for _, part in spans] if spans and apart else None


def _span(table: Table, column: int, reading: Reading) -> tuple[Any, Any] | None:
    """The first and the last person of a table of typed ids in ascending order, None where they are not."""
    # whole numbers that are read as text have another order
    if not table.types or table.types[column].is_integer() != reading.person.is_integer():
        return None
    first: Any = None
    last: Any = None
    try:
        for chunk in table.chunks([column]):
            persons = chunk[str(column)]
            if not _in_order(persons) or (last is not None and persons[0] < last):
                return None
            first = persons[0] if first is None else first
            last = persons[-1]
    except pl.exceptions.PolarsError:
        return None
    return None if first is None or last is None else (first, last)


def _in_order(persons: pl.Series) -> bool:
    """Whether ids stand in ascending order, as they are used: text without spaces around it."""
    if persons.null_count() or not persons.is_sorted():
        return False
    if persons.dtype.is_integer():
        return True
    if persons.dtype != pl.String or not persons[0]:
        return False
    distinct = persons.rle().struct.field("value")
    return bool((distinct.str.strip_chars() == distinct).all())
