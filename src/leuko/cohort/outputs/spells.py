"""Cohorts by spells: low counts that last within an episode, and days below a limit in each cycle of treatment."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from leuko.cohort.outputs.entries import inside
from leuko.cohort.outputs.episodes import arrays_of, room_for, series_of
from leuko.cohort.outputs.found import filled, frame_of
from leuko.cohort.outputs.given import Given
from leuko.knowledge.schema.cohorts import CycleRow, LastingRow

_EPOCH: Final = date(1970, 1, 1)
_UNSEEN: Final = "no count in this cycle"
_HIDDEN: Final = "no count of the cycle lies below the limit, but one between two counts may have"


def lasting(given: Given, row: LastingRow) -> pl.DataFrame:
    """Episodes with enough low results over enough days; open where the samples bound it from above only."""
    kind = given.counts.schema["person"]
    episodes = given.episodes.filter(pl.col("analyte") == row.analyte)
    low = given.analyte(row.analyte).filter(inside(row.band, proven=True)).select("person", "taken", "day")
    spans = episodes.with_row_index("_episode").select(
        "_episode", "person", "days_most", _from="onset_latest", _to=pl.col("recovery_earliest")
    )
    # from the end of the first low draw's window to the begin of the last one's
    nexts = pl.col("_from").shift(-1).over("person")
    spans = spans.sort("person", "_from").with_columns(_end=pl.coalesce("_to", nexts - timedelta(microseconds=1)))
    held = low.join(spans, on="person").filter(
        (pl.col("day") >= pl.col("_from").dt.date())
        & (pl.col("_end").is_null() | (pl.col("day") <= pl.col("_end").dt.date()))
    )
    found = held.group_by("_episode", "person").agg(
        start=pl.col("day").min(),
        end=pl.col("day").max(),
        counts=pl.col("day").n_unique(),
        most=pl.col("days_most").first(),
    )
    least = (pl.col("end") - pl.col("start")).dt.total_days().cast(pl.Float64)
    sure = (least >= row.days) & (pl.col("counts") >= row.occasions)
    possible = pl.col("most").is_null() | (pl.col("most") >= row.days)
    told = (
        found.with_columns(least=least, met=pl.when(sure).then(pl.lit(value=True)))
        .filter(sure | possible)
        .with_columns(text=pl.when(~sure).then(pl.lit("low counts were not seen for long enough, or too rarely")))
    )
    # an open end alone says nothing where a single low result is all there is
    return filled(told.filter(sure | (pl.col("counts") > 1)).drop("_episode"), kind)


def cycles(given: Given, row: CycleRow) -> pl.DataFrame:
    """The days below the limit in each cycle, the least and the most."""
    kind = given.counts.schema["person"]
    begun = _begun(given.treatments, row)
    if not begun:
        return frame_of([], kind)
    from leuko.cohort.kernel.below import within  # noqa: PLC0415 (compiles when it loads)

    people = pl.Series("person", [person for person, *_ in begun], dtype=kind)
    rows = series_of(given.counts, row.analyte).join(people.unique().to_frame(), on="person", how="semi")
    names: list[str] = []
    series, known = arrays_of(rows, names)
    place = dict(zip(known.to_list(), range(len(known)), strict=True))
    of = np.array([place.get(person, -1) for person, *_ in begun], np.int64)
    start = np.array([(day - _EPOCH).days for _, _, day, _ in begun], np.float64)
    stop = np.array([(end - _EPOCH).days for *_, end in begun], np.float64)
    seen = np.flatnonzero(of >= 0)
    days, counts = np.full((2, len(begun)), np.nan), np.zeros((2, len(begun)), np.int64)
    part, number = np.full((2, len(seen)), np.nan), np.zeros((2, len(seen)), np.int64)
    hole = given.rules.library.course[row.analyte].hole_days
    within(series, of[seen], start[seen], stop[seen], row.low, row.severe, hole, room_for(series), part, number)
    days[:, seen], counts[:, seen] = part, number
    return frame_of(
        (
            {"person": person, "index": first, "cycle": cycle, **_cycle(first, end, days[:, at], counts[:, at])}
            for at, (person, cycle, first, end) in enumerate(begun)
        ),
        kind,
    )


def _cycle(first: date, end: date, days: Any, counts: Any) -> dict[str, Any]:
    least, most = (None if np.isnan(value) else float(value) for value in days)
    inside, low = map(int, counts)
    if least is None:
        return {"counts": inside, "text": _UNSEEN}
    met = True if low else False if most == 0 else None
    span = {"start": first, "end": end - timedelta(days=1)}
    text = None if met is not None else _HIDDEN
    return {"counts": inside, **span, "least": least, "most": most, "met": met, "text": text}


def _begun(treatments: pl.DataFrame, row: CycleRow) -> list[tuple[Any, int, date, date]]:
    """Every cycle: person, its number, its first day, the day on which it is over."""
    given = treatments.filter(pl.col("given") & pl.col("cytotoxic") & pl.col("start").is_not_null())
    doses = given.select("person", day=pl.col("start").dt.date()).unique().sort("person", "day")
    found: list[tuple[Any, int, date, date]] = []
    for (person,), own in doses.group_by("person", maintain_order=True):
        firsts: list[date] = []
        last = _EPOCH
        for day in own["day"]:
            if not firsts or (day - last).days >= row.apart:
                firsts.append(day)
            last = day
        ends = [*firsts[1:], last + timedelta(days=row.longest)]
        found += [(person, number, *span) for number, span in enumerate(zip(firsts, ends, strict=True), start=1)]
    return found
