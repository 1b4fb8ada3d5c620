"""Cohorts of entries: every low count or condition lets a person in for a while, and close entries become one.

As OHDSI's cohorts are built; a row that has a published form can be run with its holes.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from leuko.cohort.outputs.found import filled
from leuko.cohort.outputs.given import Given
from leuko.knowledge.schema import Band
from leuko.knowledge.schema.cohorts import EntryRow, Published
from leuko.units import OMOP


def entries(given: Given, row: EntryRow, *, as_published: bool = False) -> pl.DataFrame:
    """The eras of one definition."""
    kind = given.counts.schema["person"]
    form = row.published if as_published else None
    counts = given.analyte(row.analyte)
    if form is not None:
        counts = counts.filter(True if form.derived else ~pl.col("derived"))
    band, not_with, censor = _bands(row, form)
    proven = form is None or form.bounds
    low = counts.filter(inside(band, proven=proven))
    events = pl.concat(
        [low.select("person", start="day", low=pl.lit(value=True)), _conditions(given, row).with_columns(low=False)]
    )
    events = _without(events, given, row)
    events = events.join(_beside(given, row), on=["person", "start"], how="anti")
    if not_with is not None:
        normal = counts.filter(inside(not_with, proven=proven)).select("person", start="day").unique()
        events = events.join(normal, on=["person", "start"], how="anti")
    days = pl.lit(timedelta(days=form.end_days if form is not None else row.end_days))
    events = events.with_columns(end=pl.col("start") + days)
    if form is not None and form.observed:
        events = observed(events, given)
    events = _censored(events, counts, censor, proven=proven)
    return filled(eras(events, row.era_days).with_columns(met=pl.lit(value=True)), kind)


def _bands(row: EntryRow, form: Published | None) -> tuple[Band, Band | None, Band | None]:
    return (row.band, row.not_with, row.censor) if form is None else (form.band, form.not_with, form.censor)


def inside(band: Band, *, proven: bool) -> pl.Expr:
    """Whether a count lies in a band; `proven`: whatever its bound allows lies there, else the bare number does."""
    value, bound = pl.col("value"), pl.col("bound")
    lower = band.lower if isinstance(band.lower, (int, float)) else None
    upper = band.upper if isinstance(band.upper, (int, float)) else None
    held = pl.lit(value=True)
    if upper is not None:
        on_it = value == upper if band.upper_inclusive else (value == upper) & (bound == "<") & proven
        held &= (value < upper) | on_it
        held &= bound.is_in(["=", "<", "<="]) | (not proven)
    if lower is not None:
        on_it = value == lower if band.lower_inclusive else (value == lower) & (bound == ">") & proven
        held &= (value > lower) | on_it
        held &= bound.is_in(["=", ">", ">="]) | (not proven)
    return held


def _conditions(given: Given, row: EntryRow) -> pl.DataFrame:
    facts = given.facts.filter(pl.col("kind").is_in(["condition", "diagnosis"]) & pl.col("start").is_not_null())
    named = coded(row.concepts, alone=row.alone)
    for word in row.words:
        named |= pl.col("name").str.to_lowercase().str.contains(word.casefold(), literal=True)
    return facts.filter(named.fill_null(value=False)).select("person", start=pl.col("start").dt.date())


def coded(concepts: tuple[int, ...], *, alone: tuple[int, ...] = ()) -> pl.Expr:
    """Whether a fact has one of these concepts, or one that descends from them, save from those that stand `alone`."""
    own = (pl.col("system") == OMOP) & pl.col("code").is_in([str(concept) for concept in concepts])
    parents = [f";{concept};" for concept in concepts if concept not in alone]
    own = own.fill_null(value=False)
    return own | pl.col("within").str.contains_any(parents).fill_null(value=False) if parents else own


def _beside(given: Given, row: EntryRow) -> pl.DataFrame:
    """The days on which a condition keeps entries out."""
    facts = given.facts.filter(coded(row.beside) & pl.col("start").is_not_null())
    return facts.select("person", start=pl.col("start").dt.date()).unique()


def _without(events: pl.DataFrame, given: Given, row: EntryRow) -> pl.DataFrame:
    facts = given.facts.filter(coded(row.without).fill_null(value=False) & pl.col("start").is_not_null())
    if not facts.height:
        return events
    first = facts.group_by("person").agg(excluded=pl.col("start").min().dt.date())
    kept = pl.col("excluded").is_null() | (
        pl.col("excluded") > pl.col("start") + pl.lit(timedelta(days=row.without_after))
    )
    return events.join(first, on="person", how="left").filter(kept).drop("excluded")


def observed(events: pl.DataFrame, given: Given) -> pl.DataFrame:
    """Events in the time of observation, as far as that is known; an era ends with it."""
    spans = given.people.select("person", _from="start", _to="end")
    within = (pl.col("_from").is_null() | (pl.col("start") >= pl.col("_from"))) & (
        pl.col("_to").is_null() | (pl.col("start") <= pl.col("_to"))
    )
    joined = events.join(spans, on="person", how="left").filter(within)
    return joined.with_columns(end=pl.min_horizontal("end", "_to")).drop("_from", "_to")


def _censored(events: pl.DataFrame, counts: pl.DataFrame, censor: Band | None, *, proven: bool) -> pl.DataFrame:
    """Each event ends with the first later count that lies in `censor`."""
    if censor is None or not events.height:
        return events
    stops = counts.filter(inside(censor, proven=proven)).select("person", stop="day").sort("stop")
    found = events.sort("start").join_asof(
        stops, left_on="start", right_on="stop", by="person", strategy="forward", check_sortedness=False
    )
    return found.with_columns(end=pl.min_horizontal("end", "stop")).drop("stop")


def eras(events: pl.DataFrame, apart: float) -> pl.DataFrame:
    """Events no further apart than the padding, as one from the first start to the last end; `low` says which of them
    are counts."""
    ordered = events.sort("person", "start", "end")
    reach = pl.col("end").cum_max().shift(1).over("person") + pl.lit(timedelta(days=apart))
    begins = (reach.is_null() | (pl.col("start") > reach)).cast(pl.Int32).cum_sum().over("person")
    grouped = ordered.with_columns(_era=begins).group_by("person", "_era", maintain_order=True)
    return grouped.agg(pl.col("start").min(), pl.col("end").max(), counts=pl.col("low").sum())
