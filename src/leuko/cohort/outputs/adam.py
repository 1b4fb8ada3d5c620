"""Records of counts like ADaM's ADLB: one row a count, with baseline, change, grade and shift.

Names are those of the ADaM implementation guide; where leuko must deviate, docs/reference/cohort-outputs.md says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from leuko.cohort.outputs.given import Given
from leuko.knowledge import Library

LBTESTCD: Final = "cdisc:LBTESTCD"
_LONGEST_CODE: Final = 8  # characters of PARAMCD


def adlb(given: Given, scheme: str, edition: str) -> pl.DataFrame:
    """One row a count, in the order of `counts`; ATOXGR and its kin are of one edition."""
    grade = f"{scheme}_{edition}"
    rows = given.counts.with_row_index("_n").join(given.first, on="person", how="left", maintain_order="left")
    arms = given.people.select("person", TRTA="arm")
    rows = rows.join(arms, on="person", how="left", maintain_order="left").with_columns(
        ADT=pl.col("taken").dt.date(),
        ADTM=pl.when("has_time").then("taken"),
        _indicator=_indicator(),
        _grade=pl.col(grade),
    )
    rows = _with_baseline(rows)
    after = pl.col("_after")
    tox = pl.col("_grade").cast(pl.String)
    base_tox = pl.col("_base_grade").cast(pl.String)
    low, high = pl.col("low"), pl.col("high")
    library = given.rules.library
    terms = _terms(library, scheme, edition)
    return rows.select(  # every join above kept the order
        USUBJID="person",
        TRTA="TRTA",
        PARAMCD=_named(parameter_codes(library)),
        PARAM=_named({name: f"{row.label} ({_unit(row.unit)})" for name, row in library.analytes.items()}),
        PARAMTYP=pl.when("derived").then(pl.lit("DERIVED")),
        ADT="ADT",
        ADTM="ADTM",
        ADY=pl.when(pl.col("first").is_not_null()).then(_study_day("ADT", "first")),
        AVAL="value",
        AVALC=pl.concat_str(pl.col("bound").replace("=", ""), pl.col("value").cast(pl.String)),
        ANRLO=low,
        ANRHI=high,
        ANRIND="_indicator",
        ABLFL=pl.when("_is_base").then(pl.lit("Y")),
        BASE="_base",
        BASEC="_base_text",
        CHG=pl.when(after & (pl.col("bound") == "=")).then(pl.col("value") - pl.col("_base")),
        BNRIND="_base_indicator",
        SHIFT1=pl.when(after).then(pl.concat_str("_base_indicator", pl.lit(" to "), "_indicator")),
        ATOXDSCL=_named(terms),
        ATOXGRL=tox,
        ATOXGRH=pl.lit(None, pl.String),
        ATOXGR=pl.when(pl.col("_grade") > 0)
        .then(pl.concat_str(pl.lit("-"), tox))
        .when((pl.col("_grade") == 0) & _not_above())
        .then(pl.lit("0")),
        ATOXEDN=pl.when(pl.col("analyte").is_in(list(terms))).then(pl.lit(f"{scheme.upper()} {edition}")),
        ATOXGRLL=pl.col(f"{grade}_least"),
        ATOXGRLM=pl.col(f"{grade}_most"),
        BTOXGRL=base_tox,
        SHIFT2=pl.when(after).then(pl.concat_str(base_tox, pl.lit(" to "), tox)),
        SRCFILE="file",
        SRCROW="row",
    )


def parameter_codes(library: Library) -> dict[str, str]:
    """PARAMCD of each analyte: the confirmed test code of SDTM, else a name of leuko's own in eight characters."""
    codes: dict[str, str] = {}
    for (system, code), row in library.codes.items():
        if system == LBTESTCD and row.analyte is not None and row.basis.drives:
            codes.setdefault(row.analyte, code)
    taken = set(codes.values())
    for number, name in enumerate(sorted(set(library.analytes) - set(codes))):
        short = "".join(part[:3] for part in name.upper().split("_"))[:_LONGEST_CODE]
        codes[name] = short if short not in taken else f"{short[:5]}{number:03d}"
        taken.add(codes[name])
    return codes


def _terms(library: Library, scheme: str, edition: str) -> dict[str, str]:
    return {rule.analyte: rule.term for rule in library.scheme(scheme, edition).rules}


def _unit(unit: str) -> str:
    return unit.replace("10*", "10^")


def _named(names: Mapping[str, str]) -> pl.Expr:
    return pl.col("analyte").replace_strict(dict(names), default=None, return_dtype=pl.String)


def _study_day(day: str, first: str) -> pl.Expr:
    """Days from the first one, which is day 1; there is no day 0."""
    apart = (pl.col(day) - pl.col(first)).dt.total_days()
    return apart + (apart >= 0).cast(pl.Int64)


def _below(limit: str) -> pl.Expr:
    value, bound = pl.col("value"), pl.col("bound")
    proven = (value < pl.col(limit)) | ((value == pl.col(limit)) & (bound == "<"))
    return bound.is_in(["=", "<", "<="]) & proven


def _not_above() -> pl.Expr:
    """Whether a count is proven to lie at or below the upper end of the laboratory's interval."""
    return (pl.col("bound").is_in(["=", "<", "<="]) & (pl.col("value") <= pl.col("high"))).fill_null(value=False)


def _indicator() -> pl.Expr:
    """LOW, NORMAL or HIGH by the laboratory's own interval; null where interval or bound leave it open."""
    value, bound, low, high = (pl.col(name) for name in ("value", "bound", "low", "high"))
    at_least = bound.is_in(["=", ">", ">="]) & (value >= low)
    above = bound.is_in(["=", ">", ">="]) & ((value > high) | ((value == high) & (bound == ">")))
    return (
        pl.when(_below("low"))
        .then(pl.lit("LOW"))
        .when(above)
        .then(pl.lit("HIGH"))
        .when(at_least & _not_above())
        .then(pl.lit("NORMAL"))
    )


def _with_baseline(rows: pl.DataFrame) -> pl.DataFrame:
    """The last count of each person and analyte on or before the first day is the baseline of all of them."""
    before = rows.filter(pl.col("ADT") <= pl.col("first"))
    last = before.sort("taken", "_n").group_by("person", "analyte", maintain_order=True).last()
    base = last.select(
        "person",
        "analyte",
        _base_n="_n",
        _base_day="ADT",
        _base=pl.when(pl.col("bound") == "=").then("value"),
        _base_text=pl.concat_str(pl.col("bound").replace("=", ""), pl.col("value").cast(pl.String)),
        _base_indicator="_indicator",
        _base_grade="_grade",
    )
    joined = rows.join(base, on=["person", "analyte"], how="left", maintain_order="left")
    return joined.with_columns(
        _is_base=(pl.col("_n") == pl.col("_base_n")).fill_null(value=False),
        _after=(pl.col("ADT") > pl.col("first")).fill_null(value=False) & pl.col("_base_n").is_not_null(),
    )


COLUMNS: Final[Mapping[str, str]] = {
    "USUBJID": "the person, as the source names it",
    "TRTA": "arm or stratum",
    "PARAMCD": "test code: that of SDTM where it is confirmed",
    "PARAM": "name and unit",
    "PARAMTYP": "DERIVED where leuko made the count from others of the draw",
    "ADT": "day of the draw",
    "ADTM": "its time; null where only the day is told",
    "ADY": "days from the first treatment given, else from the start that the source names; no day 0",
    "AVAL": "the count",
    "AVALC": "the count with its bound: <0.1",
    "ANRLO": "lower end of the laboratory's interval",
    "ANRHI": "upper end of it",
    "ANRIND": "LOW, NORMAL, HIGH by that interval; null where it cannot be said",
    "ABLFL": "Y: the baseline, the last count on or before the first day",
    "BASE": "the baseline's value; null where it is only a bound",
    "BASEC": "the baseline with its bound",
    "CHG": "AVAL - BASE after the first day; null where either is only a bound",
    "BNRIND": "ANRIND of the baseline",
    "SHIFT1": "BNRIND to ANRIND",
    "ATOXDSCL": "the edition's term for a low count",
    "ATOXGRL": "its grade; null: cannot be graded, never 0",
    "ATOXGRH": "always null: leuko grades low counts only",
    "ATOXGR": "-1 to -4 for a low count; 0 only where the count is also proven not to be high",
    "ATOXEDN": "scheme and edition of the grades",
    "ATOXGRLL": "the least grade that remains possible",
    "ATOXGRLM": "the most severe grade that remains possible",
    "BTOXGRL": "ATOXGRL of the baseline",
    "SHIFT2": "BTOXGRL to ATOXGRL",
    "SRCFILE": "the file that the count stands in, or the first that it was made from",
    "SRCROW": "its row",
}
