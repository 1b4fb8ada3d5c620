"""The tables that pass between the parts of a cohort run: their columns and types, once.

reading -> `RESULTS`, `PEOPLE`, `TREATMENTS`, `SIGNS`, `FACTS`, in batches of whole people
-> kernel -> `COUNTS`, `EPISODES`, `PERSONS`
Whatever cannot be used goes into `NOTICES`, with the place it came from; nothing is dropped without a row there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from leuko.record import Code

if TYPE_CHECKING:
    import polars as pl

# What was read, one row a result. `person` is text or a 64-bit integer, as the source has it, the same in all tables of
# a run. `value`, `low`, `high` are in the canonical unit of the analyte; `bound` is "=", "<", "<=", ">" or ">=".
# `taken` is UTC with microseconds; `has_time` false: only the day was told. `draw` joins results of one sample (may be
# null). `status` is that of `leuko.record.ResultStatus`; `sequence` orders versions of one result (later wins), null
# where the source has none. `digits` are the decimals that were printed, in the canonical unit (1500/uL: 3); null where
# the value itself shows them. `file` and `row` say where it stood (row 1 is the first row of data).
RESULTS: Final = {
    "person": "String|Int64",
    "analyte": "String",
    "value": "Float64",
    "bound": "String",
    "taken": "Datetime",
    "has_time": "Boolean",
    "low": "Float64",
    "high": "Float64",
    "draw": "String",
    "status": "String",
    "sequence": "Int64",
    "digits": "Int64",
    "file": "String",
    "row": "Int64",
}
# One row a person: day of birth (null: unknown; `born_precision` "year", "month" or "day"), sex, arm or stratum, weight
# of a survey, start of observation.
PEOPLE: Final = {
    "person": "String|Int64",
    "born": "Date",
    "born_precision": "String",
    "sex": "String",
    "arm": "String",
    "weight": "Float64",
    "start": "Date",
    "end": "Date",
}
# Medicines given: name as leuko knows it (INN) where it could be told, as written, start and end, whether given.
# `has_time`: whether the start tells a time of day. `amount` is in `unit`, as written; null where one row stands for
# several days. `codes` is as `codes_text` writes it.
TREATMENTS: Final = {
    "person": "String|Int64",
    "drug": "String",
    "name": "String",
    "start": "Datetime",
    "end": "Datetime",
    "given": "Boolean",
    "cytotoxic": "Boolean",
    "has_time": "Boolean",
    "amount": "Float64",
    "unit": "String",
    "route": "String",
    "hours": "Float64",
    "regimen": "String",
    "cycle": "Int64",
    "day": "Int64",
    "status": "String",
    "codes": "String",
    "file": "String",
    "row": "Int64",
}
# One row a count that is used (measured or derived), as `leuko.counts.clean` would keep it; the grades of every edition
# in force follow as `<scheme>_<edition>`, `…_least`, `…_most` (Int8).
COUNTS: Final = {
    "person": "String|Int64",
    "analyte": "String",
    "taken": "Datetime",
    "has_time": "Boolean",
    "value": "Float64",
    "bound": "String",
    "low": "Float64",
    "high": "Float64",
    "derived": "Boolean",
    "file": "String",
    "row": "Int64",
}
# One row an episode of low counts, interval-censored as `leuko.course` says [days, 10*9/L].
EPISODES: Final = {
    "person": "String|Int64",
    "analyte": "String",
    "cut": "Float64",
    "onset_earliest": "Datetime",
    "onset_latest": "Datetime",
    "nadir": "Float64",
    "nadir_taken": "Datetime",
    "recovery_earliest": "Datetime",
    "recovery_latest": "Datetime",
    "recovery_confirmed": "Boolean",
    "censoring": "String",
    "days_least": "Float64",
    "days_most": "Float64",
    "counts": "Int32",
}
# One row a person: how many counts, the worst grade of each edition (`worst_<analyte>_<scheme>_<edition>`), episodes.
PERSONS: Final = {"person": "String|Int64", "results": "Int64", "counts": "Int64", "episodes": "Int64"}
# What was measured or felt besides counts (temperature above all): as written, in the source's unit. `text` is an
# answer in words, `present` whether a symptom is there.
SIGNS: Final = {
    "person": "String|Int64",
    "name": "String",
    "value": "Float64",
    "unit": "String",
    "taken": "Datetime",
    "has_time": "Boolean",
    "text": "String",
    "present": "Boolean",
    "codes": "String",
    "file": "String",
    "row": "Int64",
}
# Conditions, adverse events, visits, deaths: `kind` is "condition", "adverse_event", "visit", "death" or a kind of
# `leuko.record.FactKind`; `grade` is the grade that the source itself gives. `has_time`: whether the start tells a time
# of day; `recorded` when it was written down; `code` is the first of `codes`. `within` are the concepts of definitions
# that an OMOP concept descends from, ";320073;440689;", where the source has CONCEPT_ANCESTOR.
FACTS: Final = {
    "person": "String|Int64",
    "kind": "String",
    "name": "String",
    "code": "String",
    "system": "String",
    "start": "Datetime",
    "end": "Datetime",
    "grade": "String",
    "has_time": "Boolean",
    "status": "String",
    "detail": "String",
    "recorded": "Datetime",
    "codes": "String",
    "within": "String",
    "file": "String",
    "row": "Int64",
}
# One row a thing that could not be read or used: the notice's code (leuko explain), text, place. `rows` says how many
# rows of the source were set aside with it (0: they were used all the same; null: not known), `row` the first of them;
# `lost` whether what was set aside could be a count.
NOTICES: Final = {
    "code": "String",
    "severity": "String",
    "person": "String|Int64",
    "text": "String",
    "file": "String",
    "row": "Int64",
    "rows": "Int64",
    "lost": "Boolean",
}


def codes_text(codes: Iterable[Code]) -> str | None:
    """Codes as one text, "system|code;system|code", both quoted as in URLs; null where there are none."""
    return ";".join(f"{_quoted(code.system)}|{_quoted(code.code)}" for code in codes) or None


def codes_of(text: str | None) -> tuple[Code, ...]:
    """The codes that `codes_text` wrote."""
    parts = [one.partition("|") for one in (text or "").split(";") if one]
    return tuple(Code(system=unquote(system), code=unquote(code)) for system, _, code in parts)


def _quoted(text: str) -> str:
    return quote(text, safe=":/.#-_ ")


def schema(columns: dict[str, str], *, person: pl.DataType | None = None) -> dict[str, pl.DataType]:
    """The Polars schema of one of the tables above; `person` Int64 or String (the default)."""
    import polars as pl  # noqa: PLC0415 (heavy: loaded where it is used)

    types = {
        "String": pl.String(),
        "String|Int64": person or pl.String(),
        "Int64": pl.Int64(),
        "Int32": pl.Int32(),
        "Float64": pl.Float64(),
        "Boolean": pl.Boolean(),
        "Date": pl.Date(),
        "Datetime": pl.Datetime("us", "UTC"),
    }
    return {name: types[kind] for name, kind in columns.items()}
