"""What rows of every source have in common: a person, a time, a medicine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from leuko.cohort.read.base import Reading
from leuko.cohort.read.distinct import cleaned, moments
from leuko.drugs import identify
from leuko.drugs.shelf import cytotoxic, medicines_of, shelf_of
from leuko.errors import Place
from leuko.intake.table.dates import UNDECIDED, DateReader
from leuko.record import Code, Dose, Origin

_NOWHERE = Origin(place=Place(source=""))


def with_person(frame: pl.DataFrame, file: str, reading: Reading) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows whose `person` is one, in the type of this reading; a notice for each of the others."""
    text = frame["person"].dtype == pl.String
    if reading.person == pl.String:
        column = pl.col("person").cast(pl.String).str.strip_chars()
        frame = frame.with_columns(pl.when(column != "").then(column).alias("person"), pl.lit(None).alias("written"))
    else:
        column = pl.col("person").str.strip_chars() if text else pl.col("person")
        frame = frame.with_columns(
            column.cast(pl.Int64, strict=False).alias("person"),
            (pl.when(column != "").then(column) if text else pl.lit(None)).cast(pl.String).alias("written"),
        )
    lost = frame.filter(pl.col("person").is_null())
    if lost.height == 0:
        return frame.drop("written"), reading.frame("notices")
    rows = [
        reading.row("LK701", "the row names no person", file=file, row=row, rows=1, lost=True)
        if written is None
        else reading.row("LK707", f"{written!r} is no whole number", file=file, row=row, rows=1, lost=True)
        for row, written in lost.select("row", "written").iter_rows()
    ]
    return frame.filter(pl.col("person").is_not_null()).drop("written"), reading.notices(rows)


def with_times(
    frame: pl.DataFrame, day: str, reader: DateReader, *, file: str, reading: Reading, time: str | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add `taken` and `has_time`. Rows without a readable day stay, with no place in time, and notices say so."""
    found = moments(frame[day], frame[time] if time else None, reader)
    frame = frame.with_columns(found["taken"], found["has_time"].fill_null(value=False))
    undated = found.with_columns(frame["row"]).filter(pl.col("taken").is_null())
    return frame, _tell_undated(undated, file, reading)


def with_span(
    frame: pl.DataFrame, columns: Mapping[str, str], reader: DateReader, *, file: str, reading: Reading
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add times of other names (`start`, `end`) from columns; a missing one is usual, an unreadable one is told.

    `has_time` is that of the start.
    """
    notices = [reading.frame("notices")]
    timed = frame["has_time"] if "has_time" in frame.columns else pl.Series([False]).new_from_index(0, frame.height)
    for name, column in columns.items():
        frame, told = with_times(frame, column, reader, file=file, reading=reading)
        timed = frame["has_time"] if name == "start" else timed
        frame = frame.with_columns(pl.col("taken").alias(name))
        notices.append(told.filter(pl.col("code") != "LK507"))
    return frame.with_columns(timed.alias("has_time")), pl.concat(notices)


def one_day(frame: pl.DataFrame, amount: pl.Expr) -> pl.Expr:
    """An amount where the row is one administration: of a row that spans days nobody says what the amount is of."""
    if "end" not in frame.columns:
        return amount
    start, end = (pl.col(name).dt.date() for name in ("start", "end"))
    return pl.when(end.is_null() | (start == end)).then(amount)


def _tell_undated(undated: pl.DataFrame, file: str, reading: Reading) -> pl.DataFrame:
    if undated.height == 0:
        return reading.frame("notices")
    rows = []
    found = undated.group_by("trouble", "precision").agg(pl.len(), pl.col("row").min()).sort("row")
    for trouble, precision, count, first in found.iter_rows():
        many = "1 row" if count == 1 else f"{count} rows"
        if trouble == UNDECIDED:
            text = f"day and month could be swapped, and nothing in the column decides it ({many})"
            rows.append(reading.row("LK505", text, file=file, row=first, lost=True))
        elif trouble:
            rows.append(reading.row("LK506", f"{trouble} ({many})", file=file, row=first, lost=True))
        elif precision:
            text = f"only the {precision} of the date is known, so these rows have no place in time ({many})"
            rows.append(reading.row("LK703", text, file=file, row=first, lost=True))
        else:
            text = f"these rows have no date, so their counts have no place in time ({many})"
            rows.append(reading.row("LK507", text, file=file, row=first, lost=True))
    return reading.notices(rows)


def day_of(column: pl.Series, reader: DateReader) -> pl.Series:
    """The calendar day of each text, null where none is known."""
    return moments(column, None, reader)["taken"].dt.date()


def births(column: pl.Series, reader: DateReader) -> tuple[pl.Series, pl.Series]:
    """Each text's birth date and its precision ("day", "month" or "year"; a part stands at its first day)."""
    found = moments(column, None, reader)
    partial = found["precision"]
    texts = column.cast(pl.String).str.strip_chars()
    parts = texts.str.slice(0, 7) if partial.is_not_null().any() else texts
    first = parts.str.extract(r"^(\d{4})").cast(pl.Int32, strict=False)
    month = parts.str.extract(r"^\d{4}-(\d{2})$").cast(pl.Int8, strict=False).fill_null(1)
    frame = pl.DataFrame({"y": first, "m": month, "exact": found["taken"].dt.date(), "part": partial})
    born = frame.select(
        pl.coalesce("exact", pl.when(pl.col("part").is_not_null()).then(pl.date(pl.col("y"), pl.col("m"), 1)))
    ).to_series()
    return born.alias("born"), partial.fill_null("day").alias("born_precision")


def with_medicines(
    frame: pl.DataFrame, *, file: str, reading: Reading, codes: Mapping[str, Sequence[Code]] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add `drug` (the INN) and `cytotoxic` by `name`, asked once for each name; the unknown names are told."""
    library, shelf = reading.library, shelf_of(reading.library)
    names = frame["name"].drop_nulls().unique().sort()
    found: list[tuple[str, str | None, bool | None]] = []
    for name in names:
        dose = Dose(id="", drug=name, codes=tuple((codes or {}).get(name, ())), origin=_NOWHERE)
        row, medicines = identify(dose, library=library), medicines_of(dose, shelf, library)
        inn = row.inn if row is not None else medicines[0] if len(medicines) == 1 else None
        known = row is not None or bool(medicines)
        toxic = bool(cytotoxic(medicines, shelf)) or (row is not None and row.pattern == "cytotoxic")
        found.append((name, inn, toxic if known else None))
    table = pl.DataFrame(
        found, schema={"name": pl.String(), "drug": pl.String(), "cytotoxic": pl.Boolean()}, orient="row"
    )
    placed = frame.join(table, on="name", how="left", maintain_order="left")
    strange = placed.filter(pl.col("name").is_not_null() & pl.col("cytotoxic").is_null())
    if strange.height == 0:
        return placed, reading.frame("notices")
    counts = strange.group_by("name").agg(pl.len()).sort("len", "name", descending=[True, False])
    shown = ", ".join(f"{name} ({count})" for name, count in counts.head(5).iter_rows())
    more = f" and {counts.height - 5} more" if counts.height > 5 else ""
    text = f"medicines that leuko does not know: {shown}{more}"
    return placed, reading.say("LK708", text, file=file, row=strange["row"].min())  # type: ignore[arg-type]


def texts(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Columns as trimmed text, null where empty."""
    return frame.with_columns(cleaned(pl.col(name)).alias(name) for name in names)
