"""Cohorts of an event near a low count: fever or infection in hospital, with neutrophils that are low.

What leaves a definition open is said: a count that is only a bound, a visit without an end on record, no visit at all.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from leuko.cohort.outputs.entries import coded, eras, inside, observed
from leuko.cohort.outputs.found import filled
from leuko.cohort.outputs.given import Given
from leuko.cohort.outputs.temperature import lies_in, temperatures
from leuko.knowledge.schema import Band
from leuko.knowledge.schema.cohorts import PublishedTogether, TogetherRow

_CONDITIONS: Final = ("condition", "diagnosis")
BOUND: Final = "only a bound of the count near the event is known"
UNENDED: Final = "the end of a visit is not on record"
UNVISITED: Final = "no visit is on record: whether it was in hospital is not known"


def together(given: Given, row: TogetherRow, *, as_published: bool = False) -> pl.DataFrame:
    """The eras of one definition, and those that are left open."""
    kind = given.counts.schema["person"]
    form = row.published if as_published else None
    events = _near(_events(given, row, form), _low(given, row, form), given, row, form)
    events = _visited(events, given, row, strict=form is not None)
    lasting = row.end_days if form is None else form.end_days
    events = events.with_columns(end=pl.col("end") + pl.lit(timedelta(days=lasting)), low=pl.col("sure"))
    if form is not None and form.observed:
        events = observed(events, given)
    apart = row.era_days if form is None else form.era_days
    why = pl.coalesce("unlow", "unseen")
    sure = eras(events.filter(why.is_null()), apart).with_columns(met=pl.lit(value=True), text=pl.lit(None, pl.String))
    left = events.filter(why.is_not_null()).with_columns(text=why)
    left = left.sort("person", "start", "text").unique(["person", "start"], keep="first", maintain_order=True)
    opened = left.select("person", "start", "end", "text", met=pl.lit(None, pl.Boolean))
    return pl.concat([filled(sure, kind), filled(opened, kind)])


def _events(given: Given, row: TogetherRow, form: PublishedTogether | None) -> pl.DataFrame:
    """Fevers and conditions by day: person, start, end."""
    warm = row.warm if form is None else form.warm
    measured = temperatures(given.signs, given.rules.library)
    fevers = measured.filter(lies_in("celsius", warm)).select("person", start=pl.col("taken").dt.date())
    told = coded((*row.events, *row.proof)) & ~coded(row.events_without)
    facts = _conditions(given, told).select("person", "start", "end")
    rows = pl.concat([fevers.with_columns(end=pl.lit(None, pl.Date)), facts])
    return rows.with_columns(end=pl.coalesce("end", pl.col("start") + pl.lit(timedelta(days=row.lasts)))).unique(
        maintain_order=True
    )


def _conditions(given: Given, wanted: pl.Expr) -> pl.DataFrame:
    facts = given.facts.filter(pl.col("kind").is_in(_CONDITIONS) & pl.col("start").is_not_null())
    return facts.filter(wanted.fill_null(value=False)).select(
        "person", start=pl.col("start").dt.date(), end=pl.col("end").dt.date()
    )


def _low(given: Given, row: TogetherRow, form: PublishedTogether | None) -> pl.DataFrame:
    """Days of low counts and of what says so: person, day, whether it is sure, and how many days before it count."""
    band, bounds = (row.band, True) if form is None else (form.band, form.bounds)
    counts = _counts(given, row, form)
    sure, high = inside(band, proven=bounds), inside(Band(lower=band.upper), proven=bounds)
    told = counts.filter(~high if form is None else sure).with_columns(sure=sure, before=pl.lit(row.near_days))
    lows = row.low if form is None else (*row.low, *form.also_low)
    named = [
        _conditions(given, coded(concepts)).select(
            "person", day="start", sure=pl.lit(value=True), before=pl.lit(before, pl.Float64)
        )
        for concepts, before in ((lows, row.near_days), (row.proof, 0.0))
    ]
    return pl.concat([told.select("person", "day", "sure", "before"), *named])


def _counts(given: Given, row: TogetherRow, form: PublishedTogether | None) -> pl.DataFrame:
    counts = given.analyte(row.analyte)
    return counts.filter(True if form is None or form.derived else ~pl.col("derived"))


def _near(
    events: pl.DataFrame, low: pl.DataFrame, given: Given, row: TogetherRow, form: PublishedTogether | None
) -> pl.DataFrame:
    """Events with a low count near them and no normal one on their day; `unlow` says why the low count is not sure."""
    placed = events.with_row_index("_event")
    away = (pl.col("day") - pl.col("start")).dt.total_days()
    near = placed.join(low, on="person").filter((away >= -pl.col("before")) & (away <= row.near_days))
    told = near.group_by("_event").agg(sure=pl.col("sure").any())
    unlow = pl.when(~pl.col("sure")).then(pl.lit(BOUND))
    found = placed.join(told, on="_event", maintain_order="left").with_columns(unlow=unlow).drop("_event")
    not_with, bounds = (row.not_with, True) if form is None else (form.not_with, form.bounds)
    if not_with is None:
        return found
    normal = _counts(given, row, form).filter(inside(not_with, proven=bounds)).select("person", start="day").unique()
    return found.join(normal, on=["person", "start"], how="anti")


def _visited(events: pl.DataFrame, given: Given, row: TogetherRow, *, strict: bool) -> pl.DataFrame:
    """Events of a day within a visit; `unseen` says why that is not sure. `strict`: what is not sure is no visit."""
    visits = given.facts.filter((pl.col("kind") == "visit") & pl.col("start").is_not_null())
    wanted = coded(row.visits)
    for word in () if strict else row.visit_words:
        wanted |= pl.col("name").str.to_lowercase().str.contains(word.casefold(), literal=True)
    stays = visits.filter(wanted.fill_null(value=False)).select(
        "person", first=pl.col("start").dt.date(), last=pl.col("end").dt.date()
    )
    placed = events.with_row_index("_event")
    begun = placed.join(stays, on="person").filter(pl.col("first") <= pl.col("start"))
    ended = begun.filter((pl.col("last") >= pl.col("start")) | (pl.col("first") == pl.col("start")) & (not strict))
    open_ = begun.filter(pl.col("last").is_null()) if not strict else begun.clear()
    known = visits["person"].unique() if not strict else placed["person"].unique()
    why = (
        pl.when(pl.col("_event").is_in(ended["_event"].unique().implode()))
        .then(None)
        .when(pl.col("_event").is_in(open_["_event"].unique().implode()))
        .then(pl.lit(UNENDED))
        .when(~pl.col("person").is_in(known.implode()))
        .then(pl.lit(UNVISITED))
        .otherwise(pl.lit(_OUTSIDE))
    )
    return placed.with_columns(unseen=why).filter(~pl.col("unseen").eq_missing(_OUTSIDE)).drop("_event")


_OUTSIDE: Final = "outside of every visit"
