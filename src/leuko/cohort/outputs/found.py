"""What is found of a definition: the columns of the table `findings`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import polars as pl

# `met` null: left open. `least`, `most`: days, of an engraftment days since its start. `grade_least`, `grade_most`: of
# definitions that grade. `cycle`: the number of a cycle. `counts`: results that were looked at. `index`: the day from
# which days are counted.
FINDINGS: Final = {
    "person": "person",
    "definition": "String",
    "number": "Int64",
    "index": "Date",
    "cycle": "Int32",
    "start": "Date",
    "end": "Date",
    "met": "Boolean",
    "least": "Float64",
    "most": "Float64",
    "grade_least": "Int8",
    "grade_most": "Int8",
    "counts": "Int32",
    "text": "String",
}
DESCRIBED: Final[Mapping[str, str]] = {
    "person": "the person",
    "definition": "the id of the definition",
    "number": "its number, the cohort_definition_id of OMOP",
    "index": "the day from which days are counted",
    "cycle": "the number of a cycle of treatment",
    "start": "first day as a member",
    "end": "last day as a member",
    "met": "whether the definition is met; null: samples leave it open",
    "least": "days, the least that samples prove; of an engraftment the first day after the index that it may lie on",
    "most": "days, the most that they allow; of an engraftment its day by the definition",
    "grade_least": "the least grade that remains possible",
    "grade_most": "the most severe grade that remains possible",
    "counts": "results that were looked at",
    "text": "why something is left open",
}
_TYPES: Final = {
    "String": pl.String(),
    "Int64": pl.Int64(),
    "Int32": pl.Int32(),
    "Int8": pl.Int8(),
    "Float64": pl.Float64(),
    "Boolean": pl.Boolean(),
    "Date": pl.Date(),
}


def schema_of(person: pl.DataType) -> dict[str, pl.DataType]:
    """The Polars schema of findings."""
    return {name: person if kind == "person" else _TYPES[kind] for name, kind in FINDINGS.items()}


def frame_of(rows: Iterable[Mapping[str, Any]], person: pl.DataType) -> pl.DataFrame:
    """Findings from plain rows; what a row lacks is null."""
    return pl.DataFrame(list(rows), schema=schema_of(person), orient="row")


def filled(frame: pl.DataFrame, person: pl.DataType) -> pl.DataFrame:
    """Findings from a frame; columns that it lacks are null."""
    kinds = schema_of(person)
    return frame.select(
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in kinds.items()
    )


def days_between(start: date, end: date) -> int:
    """Days from one day to another."""
    return (end - start).days
