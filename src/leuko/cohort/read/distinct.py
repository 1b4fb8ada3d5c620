"""Questions that are asked once for each distinct text of a column: dates, decimal marks, words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl

from leuko.intake.table.dates import EARLIEST_YEAR, LATEST_YEAR, DateReader
from leuko.record import Moment

MICROSECONDS = pl.Datetime("us", "UTC")
_VIEWS = 4_096  # different views that are told apart, before texts are compared instead
_SMALL = 5_000_000  # combined numbers up to here are looked up in a table
_ISO = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?$"


def coded(texts: pl.Series) -> tuple[pl.Series, Any]:
    """The distinct texts of a column (null among them, where it occurs), and the place of each row's text in them."""
    if len(texts) == 0 or texts.null_count() == len(texts):
        return pl.Series([None], dtype=pl.String), np.zeros(len(texts), dtype=np.int64)
    words = texts.cast(pl.Categorical)
    rows = words.to_physical()
    top = int(rows.max())  # type: ignore[arg-type]
    numbers = (rows.fill_null(top + 1) if texts.null_count() else rows).to_numpy()
    row = np.full(top + 2, -1, dtype=np.int64)  # one with each word
    row[numbers] = np.arange(len(numbers))
    known = np.flatnonzero(row >= 0)
    places = np.empty(top + 2, dtype=np.int64)
    places[known] = np.arange(len(known))
    return texts.gather(row[known]), places[numbers]


def combined(columns: Mapping[str, pl.Series]) -> tuple[list[dict[str, str]], Any]:
    """The distinct combinations of some columns as trimmed texts, and the place of each row's combination in them.

    Two combinations may be alike.
    """
    return _by_views(columns) or _by_words(columns)


def _by_views(columns: Mapping[str, pl.Series]) -> tuple[list[dict[str, str]], Any] | None:
    """As `combined`, by the views of texts that Arrow keeps: short texts themselves, of long ones where they lie.

    None where too many differ, as long texts do that are not kept once.
    """
    if not _has_views() or not all(column.dtype == pl.String and len(column) for column in columns.values()):
        return None
    from leuko.cohort.kernel.texts import told_apart  # noqa: PLC0415 (compiles when it loads)

    texts = [column.fill_null("").rechunk() if column.null_count() else column.rechunk() for column in columns.values()]
    rows = max((len(column) for column in texts), default=0)
    places, first, many = np.zeros(rows, np.uint32), np.zeros(_VIEWS, np.int64), 1
    for column in texts:
        keys, found = np.zeros((2 * _VIEWS, 4), np.uint64), np.empty(rows, np.uint32)
        with views_of(column) as views:
            many = told_apart(places, views, keys, first, found)
        if many < 0:
            return None
        places = found
    said = [[text.strip() for text in column.gather(first[:many])] for column in texts]
    return [dict(zip(columns, row, strict=True)) for row in zip(*said, strict=True)], places


@lru_cache(maxsize=1)
def _has_views() -> bool:
    return find_spec("numba") is not None and find_spec("nanoarrow") is not None


@contextmanager
def views_of(texts: pl.Series) -> Iterator[Any]:
    """The views of texts in one chunk without nulls, two words (uint64) each: length and start, or the whole."""
    from nanoarrow.c_array_stream import c_array_stream  # noqa: PLC0415 (loaded where it is used)

    with c_array_stream(texts) as stream:
        array = stream.get_next()
        words = np.frombuffer(array.view().buffer(1), np.uint64)
        yield words[2 * array.offset : 2 * (array.offset + array.length)]


def _by_words(columns: Mapping[str, pl.Series]) -> tuple[list[dict[str, str]], Any]:
    code: Any = 0
    radix: list[tuple[str, pl.Series]] = []
    for name, column in columns.items():
        texts, dense = coded(column.cast(pl.String))
        if len(texts) > 1:
            code = code * len(texts) + dense
        radix.append((name, texts))
    if isinstance(code, int):
        rows = max((len(column) for column in columns.values()), default=0)
        code = np.zeros(rows, dtype=np.int64)
    distinct, places = _dense(code)
    return [_decoded(int(number), radix) for number in distinct], places


def _dense(code: Any) -> tuple[Any, Any]:
    """The distinct numbers, and the place of each number among them; small numbers need no sorting."""
    if len(code) and code.max() < _SMALL:
        distinct = np.flatnonzero(np.bincount(code))
        place = np.zeros(int(code.max()) + 1, dtype=np.int64)
        place[distinct] = np.arange(len(distinct))
        return distinct, place[code]
    return np.unique(code, return_inverse=True)


def _decoded(number: int, radix: list[tuple[str, pl.Series]]) -> dict[str, str]:
    """The texts of a combined number, the last column first."""
    row = {}
    for name, texts in reversed(radix):
        number, place = divmod(number, len(texts)) if len(texts) > 1 else (number, 0)
        row[name] = (texts[place] or "").strip()
    return row


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
        zone = "UTC" if reader.zone is UTC or not has_time else str(reader.zone)
        at = at.dt.replace_time_zone(zone, ambiguous="earliest")
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
        pl.Series("taken", [instant(one) for one in found], dtype=MICROSECONDS),
        pl.Series("has_time", [isinstance(one, Moment) and one.has_time for one in found], dtype=pl.Boolean),
        pl.Series("precision", [_partial(one) for one in found], dtype=pl.String),
        pl.Series("trouble", [one if isinstance(one, str) else None for one in found], dtype=pl.String),
    )
    placed = pairs.join(table, on=["day", "time"], how="left", maintain_order="left")
    return placed.select("taken", pl.col("has_time"), "precision", "trouble")


def instant(found: Moment | str | None) -> datetime | None:
    """The instant of a moment [UTC]; none where only month or year is known.

    A day without a time is that day in whatever zone it was written: it stands at its midnight in UTC.
    """
    if found is None or isinstance(found, str) or found.precision in {"year", "month"}:
        return None
    return found.at.astimezone(UTC) if found.has_time else found.at.replace(tzinfo=UTC)


def _partial(found: Moment | str) -> str | None:
    return found.precision if isinstance(found, Moment) and found.precision in {"year", "month"} else None
