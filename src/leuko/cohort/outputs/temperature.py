"""Temperatures among the signs of a cohort, in degrees Celsius: those that one person is asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import polars as pl

from leuko.cohort.frames import codes_of
from leuko.errors import Place
from leuko.intake.symptom_words import Vocabulary, vocabulary
from leuko.knowledge import Library
from leuko.knowledge.schema import Band
from leuko.record import Origin, Sign
from leuko.units import UnitRefused, convert, read_unit

_NAMES: Final = ("temp", "fever", "fieber")
_NOWHERE: Final = Origin(place=Place(source=""))
_SCALES: Final = ("Cel", "[degF]")
_KEYS: Final = ("name", "codes", "unit")


def temperatures(signs: pl.DataFrame | pl.LazyFrame, library: Library) -> pl.DataFrame:
    """The temperatures that have a time and can be one: person, taken, celsius.

    A sign is one by its code or its name. Where no unit is written, it is the one in which a living person has it.
    """
    words = vocabulary(library)
    told = signs.lazy().filter(pl.col("value").is_not_null() & pl.col("taken").is_not_null())
    kinds = told.select(_KEYS).unique().collect()
    rows = [
        (name, codes, unit, slope, shift)
        for name, codes, unit in kinds.iter_rows()
        if _is_one(name or "", codes, words)
        for slope, shift in map(_scale, _SCALES if unit is None else (unit,))
    ]
    schema = {**kinds.schema, "slope": pl.Float64(), "shift": pl.Float64()}
    scales = pl.DataFrame(rows, schema=schema, orient="row").lazy()
    celsius = (pl.col("value") * pl.col("slope") + pl.col("shift")).round(2)
    found = told.join(scales, on=_KEYS, nulls_equal=True, maintain_order="left").with_columns(celsius=celsius)
    return found.filter(lies_in("celsius", words.rules.plausible)).select("person", "taken", "celsius").collect()


def _is_one(name: str, codes: str | None, words: Vocabulary) -> bool:
    sign = Sign(id="", name=name, codes=codes_of(codes), origin=_NOWHERE)
    return words.thermometer(sign) is not None or any(word in name.casefold() for word in _NAMES)


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
