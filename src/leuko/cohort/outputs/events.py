"""Records of events like ADaM's ADAE: those that investigators report, and episodes of low counts as laboratory events.

The two never become one: AESRC says which is which, and nothing is counted twice by adding them up unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from leuko.cohort.outputs.given import Given

REPORTED: Final = "AE"
MADE: Final = "LB"


def adae(given: Given, scheme: str, edition: str) -> pl.DataFrame:
    """One row a reported adverse event and one an episode that has a grade of 1 or more in this edition."""
    made = _made(given, scheme, edition)
    reported = _reported(given)
    rows = _dayed(pl.concat([reported, made.select(reported.columns)]), given)
    return rows.sort("USUBJID", "ASTDT", "AESRC", "AEDECOD", "AENDT", nulls_last=True).select(*_COLUMNS)


def _dayed(rows: pl.DataFrame, given: Given) -> pl.DataFrame:
    arms = given.people.select(USUBJID="person", TRTA="arm")
    first = given.first.rename({"person": "USUBJID"})
    apart = (pl.col("ASTDT") - pl.col("first")).dt.total_days()
    return (
        rows.join(first, on="USUBJID", how="left")
        .join(arms, on="USUBJID", how="left")
        .with_columns(
            ASTDY=apart + (apart >= 0).cast(pl.Int64),
            TRTEMFL=pl.when(pl.col("ASTDT") >= pl.col("first")).then(pl.lit("Y")),
        )
    )


def _made(given: Given, scheme: str, edition: str) -> pl.DataFrame:
    terms = {rule.analyte: rule.term for rule in given.rules.library.scheme(scheme, edition).rules}
    worst = f"worst_{scheme}_{edition}"
    low = given.episodes.filter(pl.col("analyte").is_in(list(terms)) & (pl.col(f"{worst}_least") > 0))
    return low.select(
        USUBJID="person",
        AESRC=pl.lit(MADE),
        AETERM=pl.col("analyte").replace_strict(terms, return_dtype=pl.String),
        AEDECOD=pl.col("analyte").replace_strict(terms, return_dtype=pl.String),
        AETOXGR=pl.col(worst).cast(pl.String),
        AETOXGRL=pl.col(f"{worst}_least"),
        AETOXGRM=pl.col(f"{worst}_most"),
        ATOXEDN=pl.lit(f"{scheme.upper()} {edition}"),
        ASTDTE=pl.col("onset_earliest").dt.date(),
        ASTDT=pl.col("onset_latest").dt.date(),
        AENDT=pl.col("recovery_latest").dt.date(),
        AENDTE=pl.col("recovery_earliest").dt.date(),
        ADURL=pl.col("days_least"),
        ADURM=pl.col("days_most"),
        ACENS=pl.col("censoring"),
    )


def _reported(given: Given) -> pl.DataFrame:
    events = given.facts.filter(pl.col("kind") == "adverse_event")
    none = {"AETOXGRL": pl.Int8, "AETOXGRM": pl.Int8, "ADURL": pl.Float64, "ADURM": pl.Float64}
    return events.select(
        USUBJID="person",
        AESRC=pl.lit(REPORTED),
        AETERM="name",
        AEDECOD="name",
        AETOXGR="grade",
        AETOXGRL=pl.lit(None, none["AETOXGRL"]),
        AETOXGRM=pl.lit(None, none["AETOXGRM"]),
        ATOXEDN=pl.lit(None, pl.String),
        ASTDTE=pl.lit(None, pl.Date),
        ASTDT=pl.col("start").dt.date(),
        AENDT=pl.col("end").dt.date(),
        AENDTE=pl.lit(None, pl.Date),
        ADURL=pl.lit(None, none["ADURL"]),
        ADURM=pl.lit(None, none["ADURM"]),
        ACENS=pl.lit(None, pl.String),
    )


COLUMNS: Final[Mapping[str, str]] = {
    "USUBJID": "the person",
    "TRTA": "arm or stratum",
    "AESRC": "AE: reported by an investigator; LB: an episode that leuko found in the counts",
    "AETERM": "as reported; of an episode the edition's term",
    "AEDECOD": "the coded name of the source, or the edition's term",
    "AETOXGR": "as reported; of an episode the worst grade, null where it is open",
    "AETOXGRL": "the worst grade that was surely reached",
    "AETOXGRM": "the worst grade that remains possible",
    "ATOXEDN": "scheme and edition of the grade of an episode",
    "ASTDTE": "the last day on which the count was seen at or above the limit",
    "ASTDT": "the first day of the event; of an episode the first low count",
    "ASTDY": "its study day",
    "AENDTE": "the day of the last low count before recovery",
    "AENDT": "the last day of the event; of an episode the first count back at or above the limit",
    "ADURL": "days: the least that the samples prove",
    "ADURM": "days: the most that they allow",
    "ACENS": "whether begin (left) or end (right) was not seen",
    "TRTEMFL": "Y: on or after the first treatment",
}
_COLUMNS: Final = tuple(COLUMNS)
