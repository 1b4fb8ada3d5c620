"""Temperatures among the signs of a cohort, in degrees Celsius."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import polars as pl

from leuko.knowledge.schema import Band
from leuko.units import UnitRefused, convert, read_unit

_NAMES: Final = ("temp", "fever", "fieber")
_PLAUSIBLE: Final = (25, 45)  # guard rails against another unit; no conclusion rests on them
IS_TEMPERATURE: Final = (
    pl.col("name").str.to_lowercase().str.contains_any(list(_NAMES))
    & pl.col("value").is_not_null()
    & pl.col("taken").is_not_null()
)


def temperatures(signs: pl.DataFrame) -> pl.DataFrame:
    """The temperatures that have a time and a unit that is one: person, taken, celsius."""
    rows = signs.filter(IS_TEMPERATURE)
    scales = {unit: _scale(unit) for unit in rows["unit"].unique().to_list()}
    slope, shift = (
        pl.col("unit").replace_strict(
            {unit: scale[place] for unit, scale in scales.items()}, default=None, return_dtype=pl.Float64
        )
        for place in (0, 1)
    )
    told = rows.with_columns(celsius=(pl.col("value") * slope + shift).round(2))
    return told.filter(pl.col("celsius").is_between(*_PLAUSIBLE)).select("person", "taken", "celsius")


def lies_in(name: str, band: Band) -> pl.Expr:
    """Whether a plain number lies in a band."""
    held: pl.Expr = pl.lit(value=True)
    if isinstance(band.lower, (int, float)):
        held &= pl.col(name) >= band.lower if band.lower_inclusive else pl.col(name) > band.lower
    if isinstance(band.upper, (int, float)):
        held &= pl.col(name) <= band.upper if band.upper_inclusive else pl.col(name) < band.upper
    return held


def _scale(unit: str | None) -> tuple[float | None, float | None]:
    """How a temperature unit becomes degrees Celsius: value x slope + shift; nothing for a unit that is none."""
    try:
        found = read_unit(unit or "")
        if found.canonical != "Cel":
            return None, None
        zero, hundred = (float(convert(Decimal(at), found, to="Cel")) for at in (0, 100))
    except UnitRefused:
        return None, None
    return (hundred - zero) / 100, zero
