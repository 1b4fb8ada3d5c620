"""Units of blood counts: read from one exact table, converted by exact division.

A unit is read to its *base* (cells 10*9/L, fraction %, mass g/L, amount mmol/L, size fL, temperature Cel) with an exact
factor. What a unit can be is decided here; which of it an analyte accepts is decided by the analyte: "G/L" is giga per
litre for cells and, on a report in capitals, gram per litre for haemoglobin. "K/uL" is never kelvin, "G/L" never gauss.

The table is `leuko/data/units/units.toml`; this module holds no spelling but the power of ten and the cleaning rules.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import rtoml

from leuko.errors import LeukoError
from leuko.frozen import Frozen, replace

UCUM = "http://unitsofmeasure.org"
OMOP = "omop:concept"
_UCUM_NAMES = frozenset({UCUM, f"{UCUM}/", "ucum", "urn:oid:2.16.840.1.113883.6.8", "2.16.840.1.113883.6.8"})
_ONE = Fraction(1)
_CELL_BASE = "10*9/L"
_LONGEST = 80  # characters; no unit is longer, and a page of text in a unit field need not be searched
# HL7 v2 escape sequences that stand for delimiters
_ESCAPES = {
    r"\S\ ".strip(): "^",
    r"\T\ ".strip(): "&",
    r"\F\ ".strip(): "|",
    r"\R\ ".strip(): "~",
    r"\E\ ".strip(): "\\",
}
_LOOKALIKES = {0x2212: "-", 0x2010: "-", 0x2044: "/", 0x2215: "/"}  # minus, hyphen, fraction and division slash
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_POWER = re.compile(r"(?:10(?:\*\*|[\^*exEX])?|1?[eE])\+?\(?(\d{1,2})\)?")
_INVERSE = re.compile(r"(?P<number>.*?)[.\u00b7*]?(?P<volume>[A-Za-z]+3?)\^?\(?-1\)?")
_TIMES = "x×✕*·"


class UnitRefused(LeukoError):  # noqa: N818 (named for people: the unit was refused, nothing broke)
    """A unit that cannot be read, or that is no unit of a blood count; `why` says which."""


class Unit(Frozen, frozen=True, kw_only=True):
    """One reading of a unit: `value_in_base = value * factor + offset`, exactly.

    `text` is what the source wrote, `canonical` the base unit. `note` says where the spelling needed understanding.
    """

    text: str
    canonical: str
    factor: Fraction
    offset: Fraction = Fraction(0)
    note: str = ""


@lru_cache(maxsize=4096)
def readings(text: str, *, system: str = "") -> tuple[Unit, ...]:
    """Everything that a unit can be, the likeliest first; at least one.

    `system` is the code system of a coded unit (UCUM's URI or name, "omop:concept"), "" for printed text. Raises
    UnitRefused.
    """
    if system == OMOP:
        concept = _table().omop.get(text.strip())
        return tuple(replace(unit, text=text) for unit in readings(concept)) if concept else _unknown_concept(text)
    parts = _components(text)
    if not parts:
        raise UnitRefused("the unit is empty", why="no unit was written", do="say which unit the values are in")
    found = _first_readable(text, parts, ucum=_is_ucum(system) or any(_is_ucum(p) for p in parts[2:]))
    _check_alternatives(text, parts, found)
    return found


def _unknown_concept(text: str) -> tuple[Unit, ...]:
    raise UnitRefused(f"the OMOP unit concept {text!r} is none of a blood count", why="it is not in the table of units")


def read_unit(text: str, *, system: str = "") -> Unit:
    """The likeliest reading of a unit as printed or coded. Raises UnitRefused, saying why."""
    return readings(text, system=system)[0]


def fits(unit: Unit, to: str, *, molar_mass: Fraction | None = None) -> bool:
    """Whether a unit can be converted to a canonical unit (`molar_mass` [g/mol] lets mmol/L become g/L)."""
    base = _table().canonical[to][0]
    return unit.canonical == base or (molar_mass is not None and (unit.canonical, base) == ("mmol/L", "g/L"))


def convert(number: Decimal | str | int, unit: Unit, *, to: str = "", molar_mass: Fraction | None = None) -> float:
    """A number in `unit` as a float in the canonical unit `to` (default: the unit's own base), rounded once.

    The arithmetic is exact (Fraction); the float is the nearest one to the true quotient, so n cells/uL is n/1000.
    Raises UnitRefused where the unit is of another kind, ValueError where the number is not finite.
    """
    base, size = _table().canonical[to] if to else (unit.canonical, _ONE)
    over, under = _ratio(number)
    factor, offset = unit.factor, unit.offset
    # Integers all the way (Fraction would reduce at every step), and one division that Python rounds to nearest.
    over, under = over * factor.numerator, under * factor.denominator
    if offset:
        over, under = over * offset.denominator + offset.numerator * under, under * offset.denominator
    if unit.canonical != base:
        if molar_mass is None or (unit.canonical, base) != ("mmol/L", "g/L"):
            raise UnitRefused(f"{unit.text!r} cannot become {to}", why=f"it is a unit of {unit.canonical}")
        over, under = over * molar_mass.numerator, under * molar_mass.denominator * 1000
    return (over * size.denominator) / (under * size.numerator)


def _ratio(number: Decimal | str | int) -> tuple[int, int]:
    try:
        return (Fraction(number) if isinstance(number, str) else number).as_integer_ratio()
    except OverflowError as error:
        raise ValueError(f"{number} is not finite") from error


def known_spellings() -> tuple[str, ...]:
    """Every whole spelling in the table, for documentation and tests."""
    table = _table()
    return tuple(sorted({*table.exact, *table.folded}))


# ---- cleaning --------------------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """One spelling of each sign: superscripts, micro signs, escapes, zero-width characters and spaces."""
    for escape, sign in _ESCAPES.items():
        text = text.replace(escape, sign)
    text = _RAISED.sub(_lower_superscript, text)
    text = unicodedata.normalize("NFKC", text).replace("μ", "u")
    text = "".join(c for c in text if not c.isspace() and unicodedata.category(c) not in {"Cf", "Cc"})
    return text.translate(_LOOKALIKES).strip("'\"")


def _lower_superscript(match: re.Match[str]) -> str:
    raised = match.group().translate(_SUPERSCRIPT)
    return f"^{raised}" if match.string[: match.start()].rstrip().endswith("10") else raised


def _is_ucum(system: str) -> bool:
    return system.strip().casefold() in _UCUM_NAMES


def _components(text: str) -> list[str]:
    """The caret components of a unit (HL7 v2 sends code^text^system, and splits 10^3/uL)."""
    cleaned = _clean(text[: _LONGEST * 3])
    return [] if not cleaned.strip("^") else cleaned.split("^")


def _first_readable(text: str, parts: list[str], *, ucum: bool) -> tuple[Unit, ...]:
    why = "it is not in the table of units"
    for last in range(1, len(parts) + 1):
        candidate = "^".join(parts[:last]).lstrip("^")
        outcome = _look_up(candidate, ucum=ucum)
        if isinstance(outcome, str):
            why = outcome or why
        else:
            return tuple(replace(unit, text=text) for unit in outcome)
    raise UnitRefused(
        f"the unit {text[:_LONGEST]!r} is not one of a blood count", why=why, do="say which unit the values are in"
    )


def _check_alternatives(text: str, parts: list[str], found: tuple[Unit, ...]) -> None:
    """code^text^system^alternative…: what else is written must not contradict what was read."""
    for part in parts[1:]:
        outcome = _look_up(part, ucum=False) if len(part) > 1 or part == "%" else ""
        # A part such as "3/uL" is the rest of a split 10^3/uL, not an alternative.
        if isinstance(outcome, str) or (part[:1].isdigit() and not part.startswith("10")):
            continue
        if not {(u.canonical, u.factor) for u in outcome} & {(u.canonical, u.factor) for u in found}:
            raise UnitRefused(f"the unit {text!r} says two things", why=f"{found[0].canonical} and {part!r} differ")


# ---- the table -------------------------------------------------------------------------------------------------------


class _Table(Frozen, frozen=True, kw_only=True):
    exact: Mapping[str, tuple[Unit, ...]]
    folded: Mapping[str, tuple[Unit, ...]]
    refused: Mapping[str, str]
    numbers: Mapping[str, tuple[Fraction, frozenset[str]]]
    folded_numbers: Mapping[str, tuple[Fraction, frozenset[str]]]
    volumes: Mapping[str, tuple[str, Fraction]]
    cells: tuple[str, ...]
    exponents: frozenset[int]
    canonical: Mapping[str, tuple[str, Fraction]]
    omop: Mapping[str, str]


@lru_cache(maxsize=1)
def _table() -> _Table:
    raw = rtoml.loads((Path(__file__).parent / "data" / "units" / "units.toml").read_text(encoding="utf-8"))
    return _Table(
        exact=_units(raw, "exact"),
        folded=_units(raw, "any_case"),
        refused={_key(s).casefold(): row["why"] for row in raw["refused"] for s in row["any_case"]},
        numbers=_numbers(raw, "exact"),
        folded_numbers=_numbers(raw, "any_case"),
        volumes={_key(s): (row["id"], Fraction(row["litres"])) for row in raw["volume"] for s in row["any_case"]},
        cells=tuple(sorted(raw["cells"], key=len, reverse=True)),
        exponents=frozenset(raw["exponents"]),
        canonical={name: (row["base"], Fraction(row["size"])) for name, row in raw["canonical"].items()},
        omop=raw["omop"],
    )


def _key(spelling: str) -> str:
    return _clean(spelling)


def _units(raw: dict[str, Any], how: str) -> dict[str, tuple[Unit, ...]]:
    found: dict[str, tuple[Unit, ...]] = {}
    for row in raw["unit"]:
        for spelling in row.get(how, ()):
            unit = Unit(
                text=spelling,
                canonical=row["base"],
                factor=Fraction(row["factor"]),
                offset=Fraction(row.get("offset", 0)),
                note=row.get("note", ""),
            )
            key = _key(spelling) if how == "exact" else _key(spelling).casefold()
            found[key] = (*found.get(key, ()), unit)
    return found


def _numbers(raw: dict[str, Any], how: str) -> dict[str, tuple[Fraction, frozenset[str]]]:
    return {
        _key(spelling): (Fraction(row["value"]), frozenset(row.get("volumes", ())))
        for row in raw["number"]
        for spelling in row.get(how, ())
    }


# ---- looking up ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _look_up(cleaned: str, *, ucum: bool) -> tuple[Unit, ...] | str:
    """The readings of one cleaned spelling, or why there is none ("" where it is simply unknown)."""
    if len(cleaned) > _LONGEST:
        return ""
    table, folded = _table(), cleaned.casefold()
    if ucum and cleaned == "K":
        return (Unit(text=cleaned, canonical="Cel", factor=Fraction(1), offset=Fraction(-5463, 20)),)
    if folded in table.refused:
        return table.refused[folded]
    cells = tuple(_cells_per_volume(cleaned))[:1]
    whole = (*table.exact.get(cleaned, ()), *table.folded.get(folded, ()))
    return (*cells, *whole) or ""


def _cells_per_volume(cleaned: str) -> Iterator[Unit]:
    for number_text, volume_text in _split(cleaned):
        volume = _table().volumes.get(volume_text.casefold())
        number = _number(number_text, volume[0]) if volume else None
        if volume and number is not None:
            # number per `litres` litres, in units of 10^9 per litre
            yield Unit(text=cleaned, canonical=_CELL_BASE, factor=number / volume[1] / 10**9)


def _split(cleaned: str) -> Iterator[tuple[str, str]]:
    """Every way to part "<number>/<volume>": by the stroke, the word per, or the inverse volume (L-1)."""
    if "/" in cleaned:
        number, _, volume = cleaned.rpartition("/")
        yield number, _without_annotation(volume)
    elif "per" in cleaned.casefold():
        at = cleaned.casefold().rindex("per")
        yield cleaned[:at], cleaned[at + 3 :]
    elif inverse := _INVERSE.fullmatch(cleaned):
        yield inverse["number"].rstrip("."), inverse["volume"]


def _without_annotation(text: str) -> str:
    """A UCUM annotation that names cells changes nothing: uL{cells}."""
    head, brace, tail = text.partition("{")
    return head if brace and tail.removesuffix("}").casefold() in _table().cells else text


def _number(text: str, volume: str) -> Fraction | None:
    """The multiplier before "/volume": a number word, a letter in the right case, or a power of ten; "" is one."""
    text = _without_annotation(text.lstrip(_TIMES + "X") if text[:1] in _TIMES + "X" else text)
    for candidate in (text, *_without_cells(text)):
        value = _bare_number(candidate, volume)
        if value is not None:
            return value
    return None


def _without_cells(text: str) -> Iterator[str]:
    bare = text.casefold()
    for word in _table().cells:
        if bare.endswith(word):
            yield text[: len(text) - len(word)].rstrip(".*" + _TIMES)


def _bare_number(text: str, volume: str) -> Fraction | None:
    if not text:
        return Fraction(1)
    table = _table()
    found = table.numbers.get(text) or table.folded_numbers.get(text.casefold())
    if found is not None:
        return found[0] if not found[1] or volume in found[1] else None
    power = _POWER.fullmatch(text)
    if power is None or int(power[1]) not in table.exponents:
        return None
    return Fraction(10) ** int(power[1])
