"""An assessment as tables and arrays, for whoever goes on in Python: Polars frames, NumPy arrays of a forecast."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from leuko.errors import UsageError
from leuko.record import Moment
from leuko.result import Assessment
from leuko.result.forecast import Fan
from leuko.wording import say_list

if TYPE_CHECKING:
    import polars as pl

Row = dict[str, Any]


def frame(assessment: Assessment, table: str = "counts") -> pl.DataFrame:
    """One table of an assessment. Raises UsageError, naming the tables, for any other.

    * `counts`: a row a count that was used, in its analyte's unit, with the interval that it is held against [the same
      unit] and its position; `bound` "<" says that the value is an upper bound.
    * `grades`: a row a grade of a count on one scheme and edition. `grade` is null where it cannot be graded: `least`
      and `most` are the grades that remain possible, and `why` says why. Null is not grade 0.
    * `forecast`: a row a time of a forecast: quantiles `q0.025` to `q0.975` [10*9/L] of the true count, and the
      probability `below_0.5` and so on to lie below each cut [10*9/L] at that time.

    Times are UTC.

    >>> import leuko
    >>> from datetime import date
    >>> record = leuko.read("adult-on-docetaxel.json").records[0]
    >>> assessment = leuko.assess(record, as_of=date(2026, 3, 10))
    >>> grades = assessment.to_polars("grades")
    >>> worst = grades.filter(analyte="neutrophils", scheme="ctcae", edition="5")["grade"].max()
    >>> worst
    4
    """
    import polars as pl  # noqa: PLC0415 (heavy, and asked for in Python alone)

    if table not in _TABLES:
        known = say_list(list(_TABLES), "or")
        raise UsageError(f"an assessment has no table {table}", why=f"its tables are {known}", do=f"name {known}")
    rows, columns = _TABLES[table]
    found = list(rows(assessment))
    further = {name: "Float64" for row in found for name in row if name not in columns}
    kinds = {"Datetime": pl.Datetime("us", "UTC"), "String": pl.String(), "Float64": pl.Float64(), "Int8": pl.Int8()}
    return pl.DataFrame(found, schema={name: kinds[kind] for name, kind in {**columns, **further}.items()})


def arrays(fan: Fan) -> dict[str, Any]:
    """The fan of a forecast as NumPy arrays: T times, L levels, P sample courses, C cuts.

    `times` (T,) datetime64[s] in UTC; `levels` (L,); `quantiles` (L, T) [10*9/L] of the true count; `measured` (2, T)
    [10*9/L], the ends of the central 80 % of a measured count (0 rows where none is given); `paths` (P, T) [10*9/L];
    `cuts` (C,) [10*9/L] and `below` (C, T), the probability to lie below each.

    >>> import leuko
    >>> from datetime import date
    >>> record = leuko.read("adult-on-docetaxel.json").records[0]
    >>> fan = leuko.assess(record, as_of=date(2026, 3, 10)).forecasts[0].fan
    >>> found = fan.to_numpy()
    >>> found["quantiles"].shape == (found["levels"].size, found["times"].size)
    True
    """
    import numpy as np  # noqa: PLC0415

    many = len(fan.times)

    def rows(values: tuple[tuple[float, ...], ...]) -> Any:
        return np.array(values, dtype=np.float64).reshape(len(values), many)

    return {
        "times": np.array([_utc(time).replace(tzinfo=None) for time in fan.times], dtype="datetime64[s]"),
        "levels": np.array(fan.levels),
        "quantiles": rows(fan.quantiles),
        "measured": rows(fan.measured),
        "paths": rows(fan.paths),
        "cuts": np.array([cut for cut, _ in fan.below]),
        "below": rows(tuple(shares for _, shares in fan.below)),
    }


def _counts(assessment: Assessment) -> Iterator[Row]:
    for status in assessment.history:
        count, interval = status.count, status.interval
        yield {
            "id": count.id,
            "analyte": count.analyte,
            **_when(count.taken),
            "value": count.value,
            "bound": count.bound,
            "unit": count.unit,
            "kind": count.kind,
            "low": interval.low,
            "high": interval.high,
            "position": status.position,
        }


def _grades(assessment: Assessment) -> Iterator[Row]:
    for status in assessment.history:
        for grade in status.grades:
            yield {
                "id": status.count.id,
                "analyte": status.count.analyte,
                **_when(status.count.taken),
                "value": status.count.value,
                "bound": status.count.bound,
                "scheme": grade.scheme,
                "edition": grade.edition,
                "term": grade.term,
                "grade": grade.value,
                "least": grade.least,
                "most": grade.most,
                "why": grade.gap.why if grade.gap is not None else None,
            }


def _forecast(assessment: Assessment) -> Iterator[Row]:
    for one in assessment.forecasts:
        if one.fan is None:
            continue
        for at, time in enumerate(one.fan.times):
            quantiles = zip(one.fan.levels, one.fan.quantiles, strict=True)
            yield {
                "analyte": one.analyte,
                "method": one.method,
                "time": _utc(time),
                **{f"q{level:g}": values[at] for level, values in quantiles},
                **{f"below_{cut:g}": shares[at] for cut, shares in one.fan.below},
            }


def _when(taken: Moment | None) -> Row:
    return {
        "taken": None if taken is None else _utc(taken.at),
        "precision": None if taken is None else taken.precision,
    }


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


_COUNT: Final = {
    "id": "String",
    "analyte": "String",
    "taken": "Datetime",
    "precision": "String",
    "value": "Float64",
    "bound": "String",
}
# Each table: its rows, and the columns that it has however empty it is.
_TABLES: Final[Mapping[str, tuple[Callable[[Assessment], Iterator[Row]], Mapping[str, str]]]] = {
    "counts": (
        _counts,
        {**_COUNT, "unit": "String", "kind": "String", "low": "Float64", "high": "Float64", "position": "String"},
    ),
    "grades": (
        _grades,
        {
            **_COUNT,
            "scheme": "String",
            "edition": "String",
            "term": "String",
            "grade": "Int8",
            "least": "Int8",
            "most": "Int8",
            "why": "String",
        },
    ),
    "forecast": (_forecast, {"analyte": "String", "method": "String", "time": "Datetime"}),
}
