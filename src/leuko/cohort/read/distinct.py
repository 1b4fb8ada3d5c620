"""Questions that are asked once for each distinct text of a column: dates, decimal marks, words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import numpy as np
import polars as pl

from leuko.intake.table.dates import EARLIEST_YEAR, LATEST_YEAR, DateReader
from leuko.record import Moment

MICROSECONDS = pl.Datetime("us", "UTC")
_ISO = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?$"


def coded(texts: pl.Series) -> tuple[pl.Series, Any]:
    """The distinct texts of a column (null among them, where it occurs), and the place of each row's text in them."""
    if len(texts) == 0 or texts.null_count() == len(texts):
        return pl.Series([None], dtype=pl.String), np.zeros(len(texts), dtype=np.int64)
    words = texts.cast(pl.Categorical)
    distinct = words.drop_nulls().unique()
    numbers = distinct.to_physical().to_numpy()
    none = len(distinct)
    places = np.full(int(numbers.max()) + 2, none, dtype=np.int64)
    places[numbers] = np.arange(none)
    rows = words.to_physical().cast(pl.Int64).fill_null(int(numbers.max()) + 1).to_numpy()
    found = distinct.cast(pl.String)
    if texts.null_count():
        found = pl.concat([found, pl.Series(found.name, [None], dtype=pl.String)])
    return found, places[rows]


def mapped(texts: pl.Series, ask: Callable[[str], Any], kind: pl.DataType) -> pl.Series:
    """Each text's answer, asked once for each distinct one; a null text has none."""
    if texts.null_count() == len(texts):
        return pl.Series(texts.name, [None], dtype=kind).new_from_index(0, len(texts))
    distinct, places = coded(texts)
    answers = pl.Series([None if text is None else ask(text) for text in distinct], dtype=kind, strict=False)
    return answers.gather(places).alias(texts.name)


def cleaned(column: pl.Expr) -> pl.Expr:
    """A column as trimmed text, null where nothing is written."""
    text = column.cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


def moments(days: pl.Series, times: pl.Series | None, reader: DateReader) -> pl.DataFrame:
    """The times of rows: `taken` (UTC), `has_time`, `precision`, and `trouble`, why a written date is none.

    A date of which only month or year is known is no time (`taken` is null, `precision` says so).
    """
    if days.dtype == pl.Date or isinstance(days.dtype, pl.Datetime):
        return _typed(days, reader)
    texts = days.cast(pl.String).str.strip_chars().replace("", None)
    fast = _iso(texts) if times is None and reader.zone is UTC and not reader.formats else None
    if fast is not None and fast["taken"].null_count() == texts.null_count():
        return fast
    slow = _asked(texts, times, reader)
    if fast is None:
        return slow
    known = fast["taken"].is_not_null()
    return pl.DataFrame({name: fast[name].zip_with(known, slow[name]) for name in slow.columns})


def _typed(days: pl.Series, reader: DateReader) -> pl.DataFrame:
    has_time = isinstance(days.dtype, pl.Datetime)
    at = days.cast(pl.Datetime("us")) if not (has_time and getattr(days.dtype, "time_zone", None)) else days
    if getattr(at.dtype, "time_zone", None) is None:
        at = at.dt.replace_time_zone(str(reader.zone) if reader.zone is not UTC else "UTC", ambiguous="earliest")
    at = at.dt.convert_time_zone("UTC").cast(MICROSECONDS)
    timed = pl.Series([has_time]).new_from_index(0, len(days))
    blank = pl.Series([None], dtype=pl.String).new_from_index(0, len(days))
    return pl.DataFrame({"taken": at, "has_time": timed, "precision": blank, "trouble": blank})


def _iso(texts: pl.Series) -> pl.DataFrame:
    frame = texts.to_frame("text")
    text = pl.col("text").str.replace("T", " ", literal=True)
    fits = pl.col("text").str.contains(_ISO)
    long = pl.col("text").str.len_bytes() > 10
    exact = pl.when(long).then(pl.when(pl.col("text").str.len_bytes() == 16).then(text + ":00").otherwise(text))
    at = pl.coalesce(
        exact.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us"),
        pl.when(~long).then(pl.col("text")).str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")),
    )
    sound = fits & at.dt.year().is_between(EARLIEST_YEAR, LATEST_YEAR)
    blank = pl.lit(None, pl.String)
    return frame.select(
        pl.when(sound).then(at).dt.replace_time_zone("UTC").alias("taken"),
        pl.when(sound).then(long).alias("has_time"),
        blank.alias("precision"),
        blank.alias("trouble"),
    )


def _asked(texts: pl.Series, times: pl.Series | None, reader: DateReader) -> pl.DataFrame:
    """Each distinct pair of day and time of day, read by the table reader."""
    pairs = pl.DataFrame(
        {"day": texts, "time": times if times is not None else pl.Series([""]).new_from_index(0, len(texts))}
    )
    pairs = pairs.with_columns(pl.col("time").cast(pl.String).fill_null("").str.strip_chars())
    distinct = pairs.filter(pl.col("day").is_not_null()).unique(maintain_order=True)
    found = [reader.read(day, time) for day, time in distinct.iter_rows()]
    table = distinct.with_columns(
        pl.Series("taken", [_instant(one) for one in found], dtype=MICROSECONDS),
        pl.Series("has_time", [isinstance(one, Moment) and one.has_time for one in found], dtype=pl.Boolean),
        pl.Series("precision", [_partial(one) for one in found], dtype=pl.String),
        pl.Series("trouble", [one if isinstance(one, str) else None for one in found], dtype=pl.String),
    )
    placed = pairs.join(table, on=["day", "time"], how="left", maintain_order="left")
    return placed.select("taken", pl.col("has_time"), "precision", "trouble")


def _instant(found: Moment | str) -> Any:
    if isinstance(found, str) or found.precision in {"year", "month"}:
        return None
    return found.at.astimezone(UTC)


def _partial(found: Moment | str) -> str | None:
    return found.precision if isinstance(found, Moment) and found.precision in {"year", "month"} else None
