"""The notices of a batch: what the pass over its people said of their rows, in words."""

from __future__ import annotations

from typing import Final

import polars as pl

from leuko.cohort import frames
from leuko.cohort.arrays import Given, coded
from leuko.cohort.tables import Rules

UNKNOWN_ROW: Final = "LK780"
UNSURE_PERSON: Final = "LK524"
_ASIDE: Final = ("LK601", "LK602", "LK603", "LK605", "LK606", "LK607", "LK612", "LK619", "LK620", UNKNOWN_ROW)
_LOST: Final = ("LK601", "LK603", "LK619", UNKNOWN_ROW)


def noticed(
    made: Given, notes: pl.DataFrame, rules: Rules, refused: pl.DataFrame, unsure: pl.DataFrame
) -> pl.DataFrame:
    """The notices in order of person and place, each with its own result in words."""
    told = [_said(made.results[notes["_row"]], notes["code"], rules)]
    if refused.height:
        told.append(_said(refused, pl.Series([UNKNOWN_ROW] * refused.height, dtype=pl.String), rules))
    if unsure.height:
        told.append(_said_of(unsure, made.results["file"].dtype))
    return (
        pl.concat(told)
        .join(rules.notices, on="code", how="left", maintain_order="left")
        .with_columns(
            text=pl.concat_str("text", "title", separator=": ", ignore_nulls=True),
            rows=pl.col("code").is_in(_ASIDE).cast(pl.Int64),
            lost=pl.col("code").is_in(_LOST),
        )
        .sort("person", "file", "row", "code", nulls_last=True)
        .select(*frames.NOTICES)
    )


def _said(rows: pl.DataFrame, codes: pl.Series, rules: Rules) -> pl.DataFrame:
    """What a notice is about: analyte, result, unit, day."""
    labels, units = rules.words
    code = coded(rows["analyte"], rules.analytes)
    sign = pl.col("bound").cast(pl.String).replace("=", "").fill_null("")
    day = pl.col("taken").dt.strftime("%Y-%m-%d").fill_null("no day")
    return rows.select(
        "person",
        "file",
        "row",
        code=codes,
        text=pl.format(
            "{} {}{} {} ({})",
            pl.coalesce(pl.lit(labels.gather(code)), pl.col("analyte").cast(pl.String), pl.lit("?")),
            sign,
            pl.col("value").cast(pl.String).fill_null("?"),
            pl.lit(units.gather(code).fill_null("")),
            day,
        ),
    )


def _said_of(people: pl.DataFrame, file: pl.DataType) -> pl.DataFrame:
    return people.select(
        "person",
        file=pl.lit(None, dtype=file),
        row=pl.lit(None, dtype=pl.Int64),
        code=pl.lit(UNSURE_PERSON),
        text=pl.lit(None, dtype=pl.String),
    )
