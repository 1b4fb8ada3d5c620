"""Frames as the arrays that the kernel reads, and room for what it writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

import numpy as np
import polars as pl

from leuko.cohort.kernel.layout import (
    DAY_US,
    H_BORN_FIRST,
    H_BORN_LAST,
    H_CYCLE_FIRST,
    H_FIRST,
    H_SEX,
    MISSING,
    UNMET,
    Columns,
    Counts,
    Episodes,
    Found,
    Notes,
    People,
    Results,
    Scratch,
)
from leuko.cohort.tables import BOUNDS, SEX_UNKNOWN, STATUSES, Rules

FAR: Final = 2**62
"""A day that never comes."""
_EPOCH: Final = date(1970, 1, 1).toordinal()
_NOTES_A_ROW: Final = 8  # more can never be said of one row, its draw and its day
_UNKNOWN: Final = STATUSES.index("unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A batch as arrays, with the frames that they were made from: `results` and `persons` are in order of person.

    `unknown` tells the rows whose analyte or bound is none, where there are any.
    """

    results: pl.DataFrame
    persons: pl.DataFrame
    rows: Results
    people: People
    unknown: pl.Series | None


def day_number(day: date | None) -> int:
    """Days since 1970."""
    return FAR if day is None else day.toordinal() - _EPOCH


def given(results: pl.DataFrame, people: pl.DataFrame, cycles: pl.DataFrame, rules: Rules) -> Given:
    """The arrays of a batch of whole people; `people` has one row each, `cycles` the columns person, lo, hi [days]."""
    results = results if results["person"].is_sorted() else results.sort("person")
    persons = _persons(results, people, cycles)
    rows, unknown = _rows(results, rules)
    return Given(results=results, persons=persons, rows=rows, people=_people(persons, cycles), unknown=unknown)


def _persons(results: pl.DataFrame, people: pl.DataFrame, cycles: pl.DataFrame) -> pl.DataFrame:
    runs = results["person"].rle().struct.unnest().select(person="value", results="len")
    known = people.select("person", "born", "born_precision", "sex")
    every = pl.concat([runs["person"], known["person"], cycles["person"]]).unique().sort()
    # every join below keeps the order of its left side
    return (
        every.to_frame()
        .join(runs, on="person", how="left", maintain_order="left")
        .join(known, on="person", how="left", maintain_order="left")
        .with_columns(pl.col("results").fill_null(0).cast(pl.Int64))
    )


def _rows(results: pl.DataFrame, rules: Rules) -> tuple[Results, pl.Series | None]:
    """The rows as columns, and which of them are of an analyte or a bound that is none."""
    analyte, bound = coded(results["analyte"], rules.analytes), coded(_told(results["bound"], "="), BOUNDS)
    unknown = analyte.is_null() | bound.is_null() if analyte.null_count() or bound.null_count() else None
    timed = results["has_time"].fill_null(value=False)
    taken = results["taken"].to_physical().fill_null(MISSING)
    untimed = None if timed.all() else (~timed & (taken != MISSING)).to_numpy()
    if untimed is not None and untimed.any():
        at = taken.to_numpy()
        taken = pl.Series(np.where(untimed, at - at % DAY_US, at))
    return Results(
        analyte=_column(analyte, np.int16, otherwise=-1),
        taken=_column(taken, np.int64),
        timed=_column(timed, np.bool_, few=True),
        bound=_column(bound, np.int16, otherwise=-1, few=True),
        draw=_names(results["draw"]),
        status=_column(coded(_told(results["status"], "unknown"), STATUSES), np.int16, otherwise=_UNKNOWN, few=True),
        sequence=_column(results["sequence"], np.int64, otherwise=MISSING),
        digits=_digits(results),
        file=_files(_told(results["file"], "")),
        row=_column(results["row"], np.int64, otherwise=MISSING),
        value=_column(results["value"], np.float64, otherwise=np.nan),
        low=_column(results["low"], np.float64, otherwise=np.nan),
        high=_column(results["high"], np.float64, otherwise=np.nan),
    ), unknown


def _column(numbers: pl.Series, kind: Any, *, otherwise: Any = None, few: bool = False) -> Any:
    """A column for the kernel; one place where all rows say the same (`few`: they may well).

    All columns are of one type: none can be written to.
    """
    if (absent := numbers.null_count()) == len(numbers) > 0:
        return _kept(np.array([otherwise], dtype=kind))
    if absent:
        wide = numbers if numbers.dtype.is_float() else numbers.cast(pl.Int64)
        numbers = wide.fill_null(otherwise)
    elif few and len(numbers) and numbers.min() == numbers.max():
        return _kept(np.array([numbers[0]], dtype=kind))
    return _kept(numbers.to_numpy().astype(kind, copy=False))


def _kept(column: Any) -> Any:
    column = column.view()
    column.flags.writeable = False
    return column


def _digits(results: pl.DataFrame) -> Any:
    if "digits" not in results.columns:
        return _kept(np.array([-1], dtype=np.int64))
    return _column(results["digits"], np.int64, otherwise=-1, few=True)


def _told(words: pl.Series, otherwise: str) -> pl.Series:
    return words.fill_null(otherwise) if words.null_count() else words


def _files(files: pl.Series) -> Any:
    """Files as numbers in the order of their names; rows of one file stand together."""
    runs = files.rle().struct.unnest()
    numbers = coded(runs["value"], tuple(sorted(set(runs["value"])))).to_numpy().astype(np.int64)
    return _kept(numbers if len(numbers) == 1 else np.repeat(numbers, runs["len"].to_numpy()))


def coded(words: pl.Series, known: tuple[str, ...]) -> pl.Series:
    """Words as their places among the known ones, null where a word is none of them."""
    return words.cast(_enum(known), strict=False).to_physical()  # of an enumeration: as it is


@lru_cache(maxsize=16)
def _enum(known: tuple[str, ...]) -> pl.Enum:
    return pl.Enum(known)


def _names(names: pl.Series) -> Any:
    """Names as numbers that are equal where the names are; -1 where there is none."""
    told = names.null_count() < len(names)
    return _column(names.cast(pl.Categorical).to_physical() if told else names, np.int64, otherwise=-1)


def _people(persons: pl.DataFrame, cycles: pl.DataFrame) -> People:
    first, last = _born(persons)
    sex = persons["sex"].cast(pl.Enum(["female", "male"]), strict=False).to_physical().cast(pl.Int64)
    numbers = cycles.group_by("person").len()
    each = persons.select("person").join(numbers, on="person", how="left", maintain_order="left")["len"]
    ordered = cycles.sort("person", "lo", "hi")
    offsets = _offsets(persons["results"])
    whole = np.empty((5, len(offsets)), np.int64)
    whole[H_FIRST], whole[H_CYCLE_FIRST] = offsets, _offsets(each.fill_null(0))
    whole[H_BORN_FIRST, :-1], whole[H_BORN_LAST, :-1] = first, last
    whole[H_SEX, :-1] = sex.fill_null(SEX_UNKNOWN)
    return People(
        whole=whole,
        cycle_lo=np.array(ordered["lo"], dtype=np.float64),
        cycle_hi=np.array(ordered["hi"], dtype=np.float64),
    )


def _offsets(numbers: pl.Series) -> Any:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(numbers.to_numpy(), dtype=np.int64)])


def _born(persons: pl.DataFrame) -> tuple[Any, Any]:
    """The first and the last day of birth that are possible [days since 1970]."""
    precision, born = pl.col("born_precision"), pl.col("born")
    first = (
        pl.when(precision == "year").then(born.dt.truncate("1y")).when(precision == "month").then(born.dt.month_start())
    ).otherwise(born)
    last = (
        pl.when(precision == "year")
        .then(pl.date(born.dt.year(), 12, 31))
        .when(precision == "month")
        .then(born.dt.month_end())
    ).otherwise(born)
    found = persons.select(
        *(day.to_physical().cast(pl.Int64).fill_null(MISSING).alias(name) for name, day in (("a", first), ("b", last)))
    )
    return found["a"].to_numpy(), found["b"].to_numpy()


# Room for what is found


def counts_room(rows: int, rules: Rules, *, limits: bool) -> Counts:
    """Room for every count that rows can give: each itself, and one more that is made from it.

    `limits`: whether any row tells the interval of its laboratory.
    """
    size, schemes = 2 * rows + 1, len(rules.schemes)
    told = size if limits else 1
    return Counts(
        person=np.empty(size, np.uint32),
        analyte=np.empty(size, np.uint16),
        taken=np.empty(size, np.int64),
        timed=np.empty(size, np.bool_),
        bound=np.empty(size, np.uint8),
        derived=np.empty(size, np.bool_),
        source=np.empty(size, np.uint32),
        value=np.empty(size, np.float64),
        low=np.empty(told, np.float64),
        high=np.empty(told, np.float64),
        least=np.empty((schemes, size), np.int8),
        most=np.empty((schemes, size), np.int8),
    )


def episodes_room(rows: int) -> Episodes:
    """Room for at most as many episodes as counts."""
    size = 2 * rows + 1
    return Episodes(whole=np.empty((size, 9), np.int64), real=np.empty((size, 4), np.float64))


def found_room(people: int, rules: Rules) -> Found:
    """Room for what is found of each person."""
    pairs = len(rules.pairs)
    return Found(
        flag=np.zeros(people, np.int64),
        counts=np.zeros(people, np.int64),
        episodes=np.zeros(people, np.int64),
        least=np.full((pairs, people), -1, np.int64),
        most=np.full((pairs, people), -1, np.int64),
    )


def notes_room(rows: int) -> Notes:
    """Room for every notice; the system gives memory only where it is written to."""
    size = _NOTES_A_ROW * rows + 1
    return Notes(code=np.empty(size, np.uint8), source=np.empty(size, np.uint32))


def scratch_room(most: int, rules: Rules) -> Scratch:
    """Room for the person with the most rows."""
    analytes, size = len(rules.analytes), 2 * most + 2
    whole, real = np.int64, np.float64
    width = max(size, analytes + 1)

    def room(columns: int, reals: int, length: int) -> Columns:
        return Columns(whole=np.full((columns, length), -1, whole), real=np.empty((reals, length), real))

    return Scratch(
        *room(15, 1, width),
        rows=room(10, 3, size),
        entries=room(9, 3, size),
        slots=room(2, 2, analytes + 1),
        points=room(6, 2, size),
        memo=np.full((int(rules.tables.grades.first_case[-1]) + 1, 2 * len(rules.schemes)), UNMET, np.int8),
    )
