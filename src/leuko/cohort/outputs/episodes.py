"""Episodes, measured further: days of severe neutropenia, the worst grade of each edition, the bound of the nadir."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from leuko.cohort.kernel.layout import DAY_US, MISSING
from leuko.cohort.tables import BOUNDS, Rules
from leuko.knowledge.schema.cohorts import CycleRow

_SECOND: Final = 1_000_000
_INSTANTS: Final = ("onset_earliest", "onset_latest", "recovery_earliest", "recovery_latest")


def deepened(episodes: pl.DataFrame, counts: pl.DataFrame, rules: Rules, severe: CycleRow) -> pl.DataFrame:
    """Episodes with `nadir_bound`, `dsn_least`, `dsn_most` [days] and `worst_<edition>`, `…_least`, `…_most`.

    The days below `severe` are those of `Episode.days_below`, for its analyte alone. The worst grade is over the counts
    that are proven low; its `most` is null where one of them cannot be graded.
    """
    names = [rules.edition(number) for number in range(len(rules.schemes))]
    numbered = episodes.with_row_index("_episode")
    parts = [
        _of(name, numbered.filter(pl.col("analyte") == name), counts, rules, severe)
        for name in numbered["analyte"].unique().sort()
    ]
    empty = pl.DataFrame(schema={"_episode": pl.UInt32(), **_schema(names)})
    measured = pl.concat([empty, *parts])
    nadir = ["person", "analyte", "nadir_taken", "nadir"]
    lows = counts.select("person", "analyte", nadir_taken="taken", nadir="value", nadir_bound="bound").join(
        numbered.select(nadir), on=nadir, how="semi"
    )
    # of equal numbers the one with the lower bound is the nadir, as in `leuko.course`
    rank = pl.col("nadir_bound").replace_strict({"<": 0, "<=": 1}, default=2, return_dtype=pl.Int8)
    lows = lows.sort(rank).unique(nadir, keep="first")
    return (
        numbered.join(lows, on=nadir, how="left", maintain_order="left")
        .join(measured, on="_episode", how="left", maintain_order="left")
        .drop("_episode")
    )


def _schema(names: list[str]) -> dict[str, pl.DataType]:
    grades = {f"worst_{name}{end}": pl.Int8() for name in names for end in ("", "_least", "_most")}
    return {"dsn_least": pl.Float64(), "dsn_most": pl.Float64(), **grades}


def _of(analyte: str, episodes: pl.DataFrame, counts: pl.DataFrame, rules: Rules, severe: CycleRow) -> pl.DataFrame:
    from leuko.cohort.kernel.below import Stretches, depth  # noqa: PLC0415 (compiles when it loads)

    names = [rules.edition(number) for number in range(len(rules.schemes))]
    own = series_of(counts, analyte).join(episodes.select("person").unique(), on="person", how="semi")
    episodes = episodes.sort("person", "onset_latest")
    series, people = arrays_of(own, names)
    first = np.searchsorted(people.search_sorted(episodes["person"]).to_numpy(), np.arange(len(people) + 1))
    course = rules.library.course[analyte]
    counted = analyte == severe.analyte
    cuts = sorted({*course.cuts, severe.severe}, reverse=True) if counted else []
    days = np.full((2, len(episodes)), np.nan)
    least, most = (np.full((len(names), len(episodes)), -1, np.int64) for _ in range(2))
    when = {name: instants(episodes[name]) for name in _INSTANTS}
    stretches = Stretches(first=first.astype(np.int64), cut=episodes["cut"].to_numpy(), **when)
    limit = severe.severe if counted else -1.0
    depth(series, stretches, np.array(cuts, np.float64), limit, course.hole_days, room_for(series), days, least, most)
    columns: dict[str, Any] = {"_episode": episodes["_episode"]}
    columns["dsn_least"] = pl.Series(days[0] if counted else np.full(len(episodes), np.nan)).fill_nan(None)
    columns["dsn_most"] = pl.Series(days[1]).fill_nan(None)
    for number, name in enumerate(names):
        both = np.where((least[number] == most[number]), least[number], -1)
        columns |= {f"worst_{name}": both, f"worst_{name}_least": least[number], f"worst_{name}_most": most[number]}
    frame = pl.DataFrame(columns)
    grades = pl.col("^worst_.*$").cast(pl.Int8)
    return frame.with_columns(pl.when(grades >= 0).then(grades).name.keep())


# Counts of one analyte as arrays


def series_of(counts: pl.DataFrame, analyte: str) -> pl.DataFrame:
    """The counts of one analyte that have a day, with the window that each was taken in [microseconds since 1970].

    They stand in the order in which the episodes were found: by whole seconds, then by what they say.
    """
    rows = counts.filter((pl.col("analyte") == analyte) & pl.col("taken").is_not_null())
    begin = pl.col("taken").to_physical()
    start = pl.when("has_time").then(begin).otherwise(begin - begin % DAY_US)
    end = pl.when("has_time").then(begin).otherwise(start + DAY_US - 1)
    return rows.with_columns(_start=start, _end=end).sort(
        "person", _seconds("_start"), _seconds("_end"), "bound", "value", "derived", maintain_order=True
    )


def _seconds(instant: str) -> pl.Expr:
    """The nearest whole second, half a second to the even one."""
    second, rest = pl.col(instant) // _SECOND, pl.col(instant) % _SECOND
    up = (rest > _SECOND // 2) | ((rest == _SECOND // 2) & (second % 2 != 0))
    return second + up.cast(pl.Int64)


def arrays_of(rows: pl.DataFrame, names: list[str]) -> tuple[Any, pl.Series]:
    """The rows of `series_of` as arrays, a series a person, and the people in their order."""
    from leuko.cohort.kernel.below import Series  # noqa: PLC0415

    people = rows["person"].unique(maintain_order=True)
    first = np.append(rows["person"].search_sorted(people, side="left").to_numpy(), len(rows)).astype(np.int64)
    grades = [
        np.array([rows[f"{name}_{end}"].fill_null(-1).to_numpy() for name in names], np.int64).reshape(
            len(names), len(rows)
        )
        for end in ("least", "most")
    ]
    codes = rows["bound"].replace_strict(list(BOUNDS), range(len(BOUNDS)), return_dtype=pl.Int64)
    numbers = (rows["_start"].to_numpy(), rows["_end"].to_numpy(), rows["value"].to_numpy(), codes.to_numpy())
    return Series(first, *numbers, *grades), people


def room_for(series: Any) -> Any:
    """Room for the longest of the series."""
    from leuko.cohort.kernel.below import Room  # noqa: PLC0415

    most = int(np.max(np.diff(series.first), initial=0))
    whole = [np.empty(most, np.int64) for _ in range(5)]
    real = [np.empty(most, np.float64) for _ in range(3)]
    return Room(whole[0], whole[1], real[0], real[1], whole[2], real[2], whole[3], whole[4])


def instants(times: pl.Series) -> Any:
    """Instants as microseconds since 1970, MISSING where there is none."""
    return times.to_physical().fill_null(MISSING).to_numpy()
