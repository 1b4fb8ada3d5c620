"""What a result claims to be, decided once for each distinct way that a source names one.

A key is code, name, unit, specimen and method as written. `plan_of` asks the readers' own checks about it and finds the
band of values in which every value of that key passes them alike; values outside the band are asked for one by one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from leuko.errors import Notice, Place
from leuko.intake.base import ReadOptions
from leuko.intake.checks import interpret
from leuko.intake.findings import Finding
from leuko.intake.identity import claim_of
from leuko.intake.names import index_of
from leuko.intake.raw import RawResult
from leuko.intake.table.cells import LOINC
from leuko.intake.unit_choice import Choice, choose
from leuko.knowledge import Library
from leuko.record import Code

KEYS = (
    "code",
    "system",
    "code2",
    "system2",
    "name",
    "unit_text",
    "unit_code",
    "unit_system",
    "interval_unit",
    "specimen",
    "method",
)
"""The columns of a raw frame that say what a result is; a column that is missing is empty throughout."""

Mode = Literal["other", "refused", "plain", "ask", "nameless"]
NOWHERE = Place(source="")
_WIDEST_FACTOR = 10**6
_LOINC_SHAPE = re.compile(r"\d{1,5}-\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the values of one key are read.

    "plain": a value v with `least` < v < `most` [unit of the analyte], or v = 0, is the analyte's count
    v * `over` / `under`, and `notices` go with each. "refused": a plain number is refused with `notices`. "other": no
    blood count. "ask": each value must be asked for. "nameless": nothing says what was measured.
    """

    mode: Mode
    analyte: str = ""
    over: int = 1
    under: int = 1
    least: float = 0.0
    most: float = 0.0
    notices: tuple[Notice, ...] = ()
    choice: Choice | None = None


def raw_of(key: dict[str, str], *, value: str | None) -> RawResult:
    """The raw result of a key with a value."""
    pairs = ((key["code"], key["system"]), (key["code2"], key["system2"]))
    return RawResult(
        id="",
        place=NOWHERE,
        codes=tuple(Code(system=system, code=code) for code, system in pairs if code),
        names=(key["name"],) if key["name"] else (),
        value_text=value,
        unit_text=key["unit_text"],
        unit_code=key["unit_code"],
        unit_system=key["unit_system"],
        interval_unit_text=key["interval_unit"] or None,
        specimen=(key["specimen"],) if key["specimen"] else (),
        method_text=key["method"],
    )


def plan_of(key: dict[str, str], *, library: Library, options: ReadOptions) -> Plan:
    """What is to be done with the values of a key."""
    raw, index = raw_of(key, value="1"), index_of(library)
    claims = [claim_of(raw, index=index, codes=library.codes, counts_cells=cells) for cells in (True, False)]
    if all(claim.kind in {"none", "panel"} and not claim.mentions for claim in claims):
        return Plan(mode="other")
    if claims[0].kind != claims[1].kind or claims[0].kind in {"none", "panel"}:
        return Plan(mode="ask")
    if claims[0].kind == "refused":
        return _probed(raw, library, options)
    choice = choose(raw, claims[0], index=index, units=options.units)
    if isinstance(choice, Finding):
        return _probed(raw, library, options)
    return _plain(raw, choice, library, options)


def _probed(raw: RawResult, library: Library, options: ReadOptions) -> Plan:
    """A key that is refused whatever its number is: the notices of one number are those of all."""
    outcome = interpret(raw, library=library, options=options)
    if outcome.kind != "refused":
        return Plan(mode="ask")
    return Plan(mode="refused", notices=outcome.notices)


def _plain(raw: RawResult, choice: Choice, library: Library, options: ReadOptions) -> Plan:
    factor = choice.unit.factor
    ask = Plan(mode="ask", analyte=choice.analyte.id, choice=choice)
    least, most = _band(choice)
    if choice.unit.offset or choice.unit.canonical != choice.analyte.unit or least >= most:
        return ask
    if factor.numerator > _WIDEST_FACTOR or factor.denominator > _WIDEST_FACTOR:
        return ask
    probe = _number_inside(Fraction(least), Fraction(most), factor)
    outcome = interpret(replace(raw, value_text=probe), library=library, options=options)
    if outcome.kind == "refused":
        return Plan(mode="refused", notices=outcome.notices, analyte=choice.analyte.id, choice=choice)
    if outcome.count is None or outcome.count.analyte != choice.analyte.id:
        return ask
    return Plan(
        mode="plain",
        analyte=choice.analyte.id,
        over=factor.numerator,
        under=factor.denominator,
        least=least,
        most=most,
        notices=outcome.notices,
        choice=choice,
    )


def _band(choice: Choice) -> tuple[float, float]:
    """The open interval of values [unit of the analyte] that need no look of their own: inside every guard rail."""
    analyte = choice.analyte
    lows = [analyte.plausible_low, analyte.whole_cells_below, analyte.confirm_below]
    highs = [analyte.plausible_high, analyte.unusual_high, analyte.confirm_above]
    least = max((low for low in lows if low is not None), default=0.0)
    if any(finding.code == "LK210" for finding in choice.findings):
        least = max(least, 1.0)  # a percentage by its name alone: up to one it may be a fraction
    return least, min((high for high in highs if high is not None), default=0.0)


def _number_inside(least: Fraction, most: Fraction, factor: Fraction) -> str:
    """A short number, in the source's unit, whose value lies inside a band."""
    middle = (least + most) / 2 / factor
    return format(Decimal(f"{float(middle):.4g}"), "f")


def system_of(header: str, text: str) -> str:
    """The system of a code: LOINC by its form or header; the names of SDTM and ADaM variables; else the table's own."""
    if _LOINC_SHAPE.fullmatch(text) or "loinc" in header.casefold():
        return LOINC
    return f"cdisc:{header.upper()}" if header.upper() in {"LBTESTCD", "PARAMCD"} else f"table:{header}"
