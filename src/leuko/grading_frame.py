"""Grades for arrays: the tables of `grading` as Polars expressions, one row in, one grade out, the same as `grade`.

A row has the columns value, bound, lab_low, age_days, sex [canonical units, days, "female"/"male"]; those named None
are taken as unknown (bound: "="). The result is a struct of three nullable integers: grade, least, most. The words and
citations behind a row come from `leuko.grade` on the same values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from leuko.ages import UNKNOWN
from leuko.grading import SEXES, possible_rules, rules_of
from leuko.knowledge import Library, load_library
from leuko.knowledge.schema import GradeRule, Limit
from leuko.record import Sex

if TYPE_CHECKING:
    import polars as pl

FIELDS: Final = ("grade", "least", "most")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the columns are called; None = not there."""

    value: str = "value"
    bound: str | None = "bound"
    lab_low: str | None = "lab_low"
    age_days: str | None = "age_days"
    sex: str | None = "sex"


def grade_expr(
    *, analyte: str, scheme: str, edition: str, columns: Columns | None = None, library: Library | None = None
) -> pl.Expr:
    """A Polars expression for the struct (grade, least, most) of one analyte on one edition of one scheme.

    Raises UsageError as `leuko.grade` does. Unknown words in the columns bound and sex count as unknown: such a bound
    cannot be graded, such a sex may be either.
    """
    import polars as pl  # noqa: PLC0415 (heavy: loaded where it is used)

    library = library or load_library()
    columns = columns or Columns()
    rules = rules_of(library.scheme(scheme, edition), analyte, library)
    row = _row(columns)
    able = _able(row) & ~_uncovered(rules, row)
    least = pl.min_horizontal(_where_possible(rules, row, [_least(rule, row) for rule in rules]))
    most = pl.max_horizontal(_where_possible(rules, row, [_most(rule, row) for rule in rules]))
    least, most = (pl.when(able).then(grade).cast(pl.Int8) for grade in (least, most))
    return pl.struct(pl.when(least == most).then(least).alias("grade"), least.alias("least"), most.alias("most")).alias(
        "grade"
    )


def grade_frame(
    frame: pl.DataFrame,
    *,
    analyte: str,
    scheme: str,
    edition: str,
    columns: Columns | None = None,
    library: Library | None = None,
) -> pl.DataFrame:
    """The frame with three columns more: grade (null where it cannot be graded), least and most.

    Columns of `Columns` that the frame does not have are taken as unknown; `value` must be there.
    """
    columns = _present(columns or Columns(), frame.columns)
    found = grade_expr(analyte=analyte, scheme=scheme, edition=edition, columns=columns, library=library)
    return frame.with_columns(found.struct.rename_fields(list(FIELDS)).alias("grade")).unnest("grade")


def _present(columns: Columns, names: Iterable[str]) -> Columns:
    there = set(names)
    optional = {name: getattr(columns, name) for name in ("bound", "lab_low", "age_days", "sex")}
    return Columns(value=columns.value, **{name: col if col in there else None for name, col in optional.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    value: pl.Expr
    bound: pl.Expr
    lab_low: pl.Expr
    age: pl.Expr
    sex: pl.Expr


def _row(columns: Columns) -> _Row:
    import polars as pl  # noqa: PLC0415

    def number(name: str | None) -> pl.Expr:
        return pl.lit(None, dtype=pl.Float64) if name is None else pl.col(name).cast(pl.Float64)

    def word(name: str | None, otherwise: str | None) -> pl.Expr:
        given = pl.lit(None, dtype=pl.String) if name is None else pl.col(name).cast(pl.String)
        return given if otherwise is None else given.fill_null(otherwise)

    low, sex = number(columns.lab_low), word(columns.sex, None)
    return _Row(
        value=number(columns.value),
        bound=word(columns.bound, "="),
        lab_low=pl.when(low.is_finite() & (low > 0)).then(low),
        age=number(columns.age_days),
        sex=pl.when(sex.is_in(SEXES)).then(sex),
    )


def _able(row: _Row) -> pl.Expr:
    """Whether a row holds a count at all: as `grading` refuses what no laboratory could report."""
    value = row.value.is_not_null() & row.value.is_finite() & (row.value >= 0)
    bound = row.bound.is_in(["=", "<", "<=", ">", ">="]) & ~((row.value == 0) & (row.bound == "<"))
    age = row.age.is_null() | (row.age.is_finite() & (row.age >= 0))
    return value & bound & age


def _uncovered(rules: tuple[GradeRule, ...], row: _Row) -> pl.Expr:
    """Whether an age and sex that the row allows has no rule with numbers that may drive a conclusion."""
    import polars as pl  # noqa: PLC0415

    return pl.any_horizontal([_may_be(row, sex) & ~_covered(rules, row, sex) for sex in SEXES])


def _covered(rules: tuple[GradeRule, ...], row: _Row, sex: Sex) -> pl.Expr:
    import polars as pl  # noqa: PLC0415

    own = tuple(rule for rule in rules if rule.sex in {None, sex})
    whole = all(rule is not None and _numeric(rule) for rule in possible_rules(own, UNKNOWN, sex))
    known = [_age_holds(rule, row) for rule in own if _numeric(rule)] or [pl.lit(False)]
    return pl.when(row.age.is_null()).then(pl.lit(whole)).otherwise(pl.any_horizontal(known))


def _numeric(rule: GradeRule) -> bool:
    return bool(rule.bands) and rule.basis.drives


def _may_be(row: _Row, sex: Sex) -> pl.Expr:
    return row.sex.is_null() | (row.sex == sex)


def _age_holds(rule: GradeRule, row: _Row) -> pl.Expr:
    """Whether the age lies in the rule's band; true where the age is unknown."""
    import polars as pl  # noqa: PLC0415

    ages = rule.ages
    holds = pl.lit(True)
    if ages.low_days is not None:
        holds &= row.age >= ages.low_days if ages.low_inclusive else row.age > ages.low_days
    if ages.high_days is not None:
        holds &= row.age <= ages.high_days if ages.high_inclusive else row.age < ages.high_days
    return row.age.is_null() | holds


def _where_possible(rules: tuple[GradeRule, ...], row: _Row, grades: list[pl.Expr]) -> list[pl.Expr]:
    import polars as pl  # noqa: PLC0415

    found = [pl.lit(None, dtype=pl.Int32)]
    for rule, grade in zip(rules, grades, strict=True):
        own = _age_holds(rule, row) if rule.sex is None else _age_holds(rule, row) & _may_be(row, rule.sex)
        found.append(pl.when(own).then(grade))
    return found


def _least(rule: GradeRule, row: _Row) -> pl.Expr:
    """The grade at the highest value that the row allows; an unknown lower limit of normal may be zero."""
    import polars as pl  # noqa: PLC0415

    high = pl.when(row.bound.is_in([">", ">="])).then(pl.lit(math.inf)).otherwise(row.value)
    return _grade_at(rule, high, row.lab_low.fill_null(0.0), below=row.bound == "<", above=pl.lit(False))


def _most(rule: GradeRule, row: _Row) -> pl.Expr:
    """The grade at the lowest value that the row allows; an unknown lower limit of normal may be any height."""
    import polars as pl  # noqa: PLC0415

    low = pl.when(row.bound.is_in(["<", "<="])).then(pl.lit(0.0)).otherwise(row.value)
    return _grade_at(rule, low, row.lab_low.fill_null(math.inf), below=pl.lit(False), above=row.bound == ">")


def _grade_at(rule: GradeRule, value: pl.Expr, low: pl.Expr, *, below: pl.Expr, above: pl.Expr) -> pl.Expr:
    """The grade of one rule at a value, or just `below` or `above` it."""
    import polars as pl  # noqa: PLC0415

    def limit(given: Limit) -> pl.Expr:
        return low if given == "lab_low" else pl.lit(float(given))

    grades: list[pl.Expr] = [pl.lit(0, dtype=pl.Int32)]
    for band in rule.bands:
        holds = pl.lit(True)
        if band.band.lower is not None:
            lower = limit(band.band.lower)
            at_lower = above | (pl.lit(band.band.lower_inclusive) & ~below)
            holds &= (value > lower) | ((value == lower) & at_lower)
        if band.band.upper is not None:
            upper = limit(band.band.upper)
            at_upper = below | (pl.lit(band.band.upper_inclusive) & ~above)
            holds &= (value < upper) | ((value == upper) & at_upper)
        grades.append(pl.when(holds).then(pl.lit(band.grade, dtype=pl.Int32)))
    return pl.max_horizontal(grades)
