"""Frames as the arrays that the kernel reads, and room for what it writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
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
    R_ANALYTE,
    R_BOUND,
    R_DIGITS,
    R_DRAW,
    R_FILE,
    R_ROW,
    R_SEQUENCE,
    R_STATUS,
    R_TAKEN,
    R_TIMED,
    UNMET,
    Columns,
    Counts,
    Found,
    Notes,
    People,
    Scratch,
)
from leuko.cohort.tables import BOUNDS, SEX_UNKNOWN, STATUSES, Rules

FAR: Final = 2**62
"""A day that never comes."""
_EPOCH: Final = date(1970, 1, 1).toordinal()
_NOTES_A_ROW: Final = 8  # more can never be said of one row, its draw and its day


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A batch as arrays, with the frames that they were made from: `results` and `persons` are in order of person."""

    results: pl.DataFrame
    persons: pl.DataFrame
    rows: Columns
    people: People


def day_number(day: date | None) -> int:
    """Days since 1970."""
    return FAR if day is None else day.toordinal() - _EPOCH


def given(results: pl.DataFrame, people: pl.DataFrame, cycles: pl.DataFrame, rules: Rules) -> Given:
    """The arrays of a batch of whole people; `people` has one row each, `cycles` the columns person, lo, hi [days]."""
    results = results if results["person"].is_sorted() else results.sort("person")
    persons = _persons(results, people, cycles)
    return Given(results=results, persons=persons, rows=_rows(results, rules), people=_people(persons, cycles))


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


def _rows(results: pl.DataFrame, rules: Rules) -> Columns:
    timed = results["has_time"].fill_null(value=False).to_numpy()
    taken = results["taken"].to_physical().fill_null(MISSING).to_numpy()
    untimed = ~timed & (taken != MISSING)
    if untimed.any():
        taken = np.where(untimed, taken - taken % DAY_US, taken)
    whole = np.empty((10, len(results)), np.int64)
    whole[R_ANALYTE] = coded(results["analyte"], rules.analytes)
    whole[R_TAKEN] = taken
    whole[R_TIMED] = timed
    whole[R_BOUND] = coded(_told(results["bound"], "="), BOUNDS)
    whole[R_DRAW] = _names(results["draw"])
    whole[R_STATUS] = coded(_told(results["status"], "unknown"), STATUSES, otherwise="unknown")
    whole[R_SEQUENCE] = results["sequence"].fill_null(MISSING)
    whole[R_DIGITS] = results["digits"].fill_null(-1) if "digits" in results.columns else -1
    whole[R_FILE] = _files(_told(results["file"], ""))
    whole[R_ROW] = results["row"].fill_null(MISSING)
    return Columns(whole=whole, real=np.stack([_floats(results[name]) for name in ("value", "low", "high")]))


def _told(words: pl.Series, otherwise: str) -> pl.Series:
    return words.fill_null(otherwise) if words.null_count() else words


def _files(files: pl.Series) -> Any:
    """Files as numbers in the order of their names; rows of one file stand together."""
    runs = files.rle().struct.unnest()
    numbers = coded(runs["value"], sorted(set(runs["value"]))).to_numpy()
    return np.repeat(numbers, runs["len"].to_numpy())


def coded(words: pl.Series, known: Any, *, otherwise: str | None = None) -> pl.Series:
    """Words as their places among the known ones; an unknown word is `otherwise`, or -1."""
    known = list(known)
    at = -1 if otherwise is None else known.index(otherwise)
    found = words.cast(pl.Enum(known), strict=False).to_physical()  # of an enumeration: as it is
    return found.cast(pl.Int64).fill_null(at) if found.null_count() else found


def _floats(numbers: pl.Series) -> Any:
    return numbers.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _names(names: pl.Series) -> Any:
    """Names as numbers that are equal where the names are; -1 where there is none."""
    if names.null_count() == len(names):
        return np.full(len(names), -1, np.int64)
    return names.cast(pl.Categorical).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()


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


def counts_room(rows: int, rules: Rules) -> Counts:
    """Room for every count that rows can give: each itself, and one more that is made from it."""
    size, schemes = 2 * rows + 1, len(rules.schemes)
    return Counts(
        whole=np.empty((7, size), np.int64),
        real=np.empty((3, size), np.float64),
        least=np.empty((schemes, size), np.int8),
        most=np.empty((schemes, size), np.int8),
    )


def episodes_room(rows: int) -> Columns:
    """Room for at most as many episodes as counts."""
    size = 2 * rows + 1
    return Columns(whole=np.empty((9, size), np.int64), real=np.empty((4, size), np.float64))


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
    return Notes(code=np.empty(_NOTES_A_ROW * rows + 1, np.int64), source=np.empty(_NOTES_A_ROW * rows + 1, np.int64))


def scratch_room(most: int, rules: Rules) -> Scratch:
    """Room for the person with the most rows."""
    analytes, size = len(rules.analytes), 2 * most + 2
    whole, real = np.int64, np.float64
    width = max(size, analytes + 1)

    def room(columns: int, reals: int, length: int) -> Columns:
        return Columns(whole=np.full((columns, length), -1, whole), real=np.empty((reals, length), real))

    return Scratch(
        *room(15, 1, width),
        entries=room(9, 3, size),
        slots=room(2, 2, analytes + 1),
        points=room(6, 2, size),
        memo=np.full((int(rules.tables.grades.first_case[-1]) + 1, 2 * len(rules.schemes)), UNMET, np.int8),
    )
