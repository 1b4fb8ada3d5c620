"""Pieces of files become batches of whole people.

The rows of a person may stand anywhere. Pieces are kept in memory while they are few; then they are written to
temporary Parquet files, sorted into shares by the person's id, and one share is read back at a time. Shares and batches
depend on the ids and the options alone, never on the order of files or the size of pieces.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from leuko.cohort.read.base import NAMES, Frames, Reading, joined
from leuko.cohort.read.distinct import mapped

BATCH_ROWS: Final = 250_000  # rows of results after which people that stand in order are a batch
IN_MEMORY: Final = 400 << 20  # bytes of frames that are kept before they go to disk
SHARE: Final = 200 << 20  # bytes of frames that one share should hold
_ORDER: Final = {
    "results": ("person", "taken", "analyte", "file", "row", "value"),
    "people": ("person",),
    "treatments": ("person", "start", "name", "end", "file", "row"),
    "signs": ("person", "taken", "name", "file", "row"),
    "facts": ("person", "start", "kind", "name", "file", "row"),
    "notices": ("person", "file", "row", "code", "text"),
}


def batches(pieces: Iterable[Frames], reading: Reading, *, batch_people: int, size: int) -> Iterator[Frames]:
    """Batches of at most `batch_people` whole people, in the order of their ids within a share.

    `size` [bytes] is what the sources hold together: it settles the number of shares, should they be needed.
    """
    kept: list[Frames] = []
    held = 0.0
    stream = iter(pieces)
    for piece in stream:
        kept.append(piece)
        held += sum(table.estimated_size() for table in piece.tables.values())
        if held > IN_MEMORY:
            yield from _through_disk(
                kept, stream, reading, batch_people=batch_people, shares=max(8, -(-3 * size // SHARE))
            )
            return
    yield from cut(joined(kept, reading), reading, batch_people=batch_people)


def _through_disk(
    kept: list[Frames], stream: Iterator[Frames], reading: Reading, *, batch_people: int, shares: int
) -> Iterator[Frames]:
    with tempfile.TemporaryDirectory(prefix="leuko-") as folder:
        store = _Store(folder=Path(folder), shares=shares, reading=reading)
        while kept:
            store.add(kept.pop())
        for piece in stream:
            store.add(piece)
        for share in range(shares):
            yield from cut(store.share(share), reading, batch_people=batch_people, rows=store.rows if share == 0 else 0)


@dataclass(slots=True, kw_only=True)
class _Store:
    """Pieces on disk, a folder a share."""

    folder: Path
    shares: int
    reading: Reading
    rows: int = 0
    written: int = 0
    _waiting: list[Frames] = field(default_factory=list)

    def add(self, piece: Frames) -> None:
        self.rows += piece.rows
        for name, table in piece.tables.items():
            if table.height == 0:
                continue
            placed = table.with_columns(share_of(table["person"], self.shares))
            for (share,), part in placed.partition_by("share", as_dict=True, include_key=False).items():
                part.write_parquet(self._path(int(share), name), compression="lz4", statistics=False)
                self.written += 1

    def _path(self, share: int, name: str) -> Path:
        folder = self.folder / str(share)
        folder.mkdir(exist_ok=True)
        return folder / f"{name}-{self.written}.parquet"

    def share(self, share: int) -> Frames:
        tables: dict[str, Any] = {}
        for name in NAMES:
            files = sorted((self.folder / str(share)).glob(f"{name}-*.parquet"))
            tables[name] = pl.concat([pl.read_parquet(file) for file in files]) if files else None
        return self.reading.frames(**tables)


def share_of(person: pl.Series, shares: int) -> pl.Series:
    """The share of each id, the same on every machine; rows of nobody belong to the first."""
    if person.dtype == pl.Int64:
        return (person % shares).abs().fill_null(0).cast(pl.Int64).alias("share")
    found = mapped(person, lambda text: zlib.crc32(text.encode()) % shares, pl.Int64())
    return found.fill_null(0).alias("share")


def cut(
    whole: Frames, reading: Reading, *, batch_people: int, rows: int | None = None, as_read: bool = False
) -> Iterator[Frames]:
    """Cut frames into batches of whole people; what belongs to nobody goes with the first.

    `as_read`: the results of a person stay in the order of their source.
    """
    tables = {
        name: _in_order(name, table) for name, table in whole.tables.items() if not (as_read and name == "results")
    }
    if as_read:
        results = whole.results
        tables["results"] = results if results["person"].is_sorted() else results.sort("person", maintain_order=True)
    tables["people"], contradicted = one_row_each(tables["people"], reading)
    tables["notices"] = pl.concat([tables["notices"], contradicted]).sort(_ORDER["notices"], maintain_order=True)
    everybody = pl.concat([_people(table["person"]) for table in tables.values()]).unique().sort()
    total = whole.rows if rows is None else rows
    if len(everybody) == 0:
        if total or any(table.height for table in tables.values()):
            yield _as_frames(tables, total)
        return
    starts = dict.fromkeys(tables, 0)
    for first in range(0, len(everybody), batch_people):
        last = everybody[min(first + batch_people, len(everybody)) - 1]
        parts = {}
        for name, table in tables.items():
            end = int(table["person"].search_sorted(last, side="right")) if table.height else 0
            parts[name] = table.slice(starts[name], end - starts[name])
            starts[name] = end
        yield _as_frames(parts, total if first == 0 else 0)


def _people(person: pl.Series) -> pl.Series:
    """The people of a column in order, few of them twice."""
    return person.rle().struct.field("value").drop_nulls().alias("person")


def _in_order(name: str, table: pl.DataFrame) -> pl.DataFrame:
    # nulls first: what belongs to nobody stands before all people
    return table.sort(_ORDER[name], nulls_last=False, maintain_order=True)


def one_row_each(people: pl.DataFrame, reading: Reading) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row a person from all that was said; where two sources contradict each other, neither is believed."""
    if people.height == 0 or not people["person"].is_duplicated().any():
        return people, reading.frame("notices")
    said = ("born", "sex", "arm", "weight")
    single = [
        pl.when(pl.col(name).drop_nulls().n_unique() == 1).then(pl.col(name).drop_nulls().first()).alias(name)
        for name in said
    ]
    split = [(pl.col(name).drop_nulls().n_unique() > 1).alias(f"{name}_split") for name in said]
    joined_ = people.group_by("person", maintain_order=True).agg(
        *single,
        pl.col("born_precision").filter(pl.col("born").is_not_null()).first(),
        pl.col("start").min(),
        pl.col("end").max(),
        *split,
    )
    words = {"born": "birth date", "sex": "sex", "arm": "arm", "weight": "weight"}
    rows = [
        {
            **reading.row(
                "LK524", f"the rows of one person give different entries for the {words[name]}; none is used", file=""
            ),
            "person": person,
        }
        for name in said
        for person in joined_.filter(pl.col(f"{name}_split"))["person"]
    ]
    return reading.frame("people", joined_).sort("person"), reading.notices(rows)


# ---- people that already stand together ------------------------------------------------------------------------------


def ordered(pieces: Iterator[Frames], beside: Frames, reading: Reading, *, batch_people: int) -> Iterator[Frames]:
    """Batches from pieces whose people stand in ascending order, without bringing them together first.

    `beside` is all else that is known of the people (who they are, what they were given); it is cut along.
    """
    rest = {name: _in_order(name, table) for name, table in beside.tables.items()}
    rest["people"], told = one_row_each(rest["people"], reading)
    rest["notices"] = pl.concat([rest["notices"], told]).sort(_ORDER["notices"])
    carried: list[Frames] = []
    people, held, rows = 0, 0, beside.rows
    for piece in pieces:
        rows += piece.rows
        people += len(_people(piece.results["person"]))
        held += piece.results.height
        carried.append(piece)
        if people <= batch_people and held < BATCH_ROWS:
            continue
        ready, over = _split(joined(carried, reading), piece.results["person"].max())
        if ready.results.height == 0:  # one person so far
            carried = [over]
            continue
        taken, rest = _split_tables(rest, piece.results["person"].max())
        whole = _merge(ready, taken, reading)
        yield from _with_rows(cut(whole, reading, batch_people=batch_people, as_read=True), rows)
        carried, people, held, rows = [over], 1, over.results.height, 0
    whole = _merge(joined(carried, reading), rest, reading)
    yield from _with_rows(cut(whole, reading, batch_people=batch_people, as_read=True), rows)


def _with_rows(parts: Iterator[Frames], rows: int) -> Iterator[Frames]:
    for part in parts:
        yield _as_frames(part.tables, rows)
        rows = 0


def _split(whole: Frames, last: Any) -> tuple[Frames, Frames]:
    before, after = _split_tables(whole.tables, last)
    return _as_frames(before), _as_frames(after)


def _split_tables(
    tables: dict[str, pl.DataFrame], last: Any
) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """Everything of the people before `last` (and of nobody), and the rest."""
    parts = {name: _parted(table, last) for name, table in tables.items()}
    return {name: part[0] for name, part in parts.items()}, {name: part[1] for name, part in parts.items()}


def _parted(table: pl.DataFrame, last: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    person = table["person"]
    none = person.null_count()
    if table.height and person.head(none).null_count() == none and person.slice(none).is_sorted():
        end = none + int(person.slice(none).search_sorted(last, side="left"))
        return table.head(end), table.slice(end)
    own = person.is_null() | (person < last)
    return table.filter(own), table.filter(~own)


def _merge(one: Frames, tables: dict[str, pl.DataFrame], reading: Reading) -> Frames:
    return joined([one, _as_frames(tables)], reading)


def _as_frames(tables: dict[str, pl.DataFrame], rows: int = 0) -> Frames:
    return Frames(**{name: tables[name] for name in NAMES}, rows=rows)
