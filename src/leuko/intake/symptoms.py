"""Symptoms from the command line: `fever=38.4@2026-03-09T14:00`, `no cough`, `systolic blood pressure=85`."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from leuko.errors import Place, UsageError
from leuko.intake.fhir.times import moment
from leuko.intake.symptom_words import LOINC, Vocabulary, fold, vocabulary, yes_or_no
from leuko.knowledge import Library
from leuko.knowledge.schema.infection import VitalRow
from leuko.record import Code, Moment, Origin, Sign
from leuko.units import convert, read_unit

SOURCE: Final = "--symptom"
BODY_TEMPERATURE: Final = "8310-5"
_NEGATED = re.compile(r"(?:no|not|without|kein|keine|keinen)\s+(?P<rest>\S.*)", re.IGNORECASE)
_READING = re.compile(
    r"(?P<number>[+-]?\d+(?:[.,]\d+)?)\s*(?P<unit>°?\s*[CcFf]\b|Cel|\[degF\]|celsius|fahrenheit)?\s*[/,(]?\s*(?P<route>[^)]*)\)?",
    re.IGNORECASE,
)
_HOW = "write name, name=value or no name, and @date or @date-and-time where it is known: fever=38.4@2026-03-09T14:00"


def parse_symptom(text: str, *, library: Library, zone: tzinfo = UTC) -> Sign:
    """One symptom, temperature or vital sign as given on the command line.

    Temperatures may be in degrees Celsius or Fahrenheit, with how they were taken: `fever=101.2F/axillary`. Without a
    unit the one that a living person can have is taken. A symptom without a time is kept without one. `zone` is
    assumed where the time names none. Raises UsageError, naming the symptoms that are known.
    """
    said, _, when = text.partition("@")
    taken = _taken(when.strip(), text, zone) if "@" in text else None
    name, equals, value = (part.strip() for part in said.partition("="))
    if equals and not value:
        raise UsageError(f"the symptom {text!r} has no value", do=_HOW)
    words = vocabulary(library)
    if (negated := _NEGATED.fullmatch(name)) is not None and words.named(name) is None:
        if equals:
            raise UsageError(f"the symptom {text!r} is denied and has a value", why="it cannot be both", do=_HOW)
        return _answered(negated["rest"], "no", text, taken, words)
    vital = words.vital(_plain(name, text, taken))
    if vital is not None:
        return _measured(vital, value, text, taken)
    if _is_temperature(name, value, words):
        return _temperature(value, text, taken, words)
    return _answered(name, value or "yes", text, taken, words)


def _plain(name: str, text: str, taken: Moment | None, value_text: str = "") -> Sign:
    origin = Origin(place=Place(source=SOURCE), value_text=value_text, name_text=name)
    return Sign(id=f"{SOURCE} {text}", name=name, taken=taken, origin=origin)


def _taken(when: str, text: str, zone: tzinfo) -> Moment:
    found = moment(when, zone)
    if found is None:
        raise UsageError(
            f"the time of the symptom {text!r} cannot be read",
            why=f"{when!r} is no date",
            do="write it as 2026-03-09 or 2026-03-09T14:00, with +01:00 where the zone matters",
        )
    return found


def _is_temperature(name: str, value: str, words: Vocabulary) -> bool:
    known = words.named(name)
    is_reading = bool(re.match(r"[+-]?\d", value)) and known is not None and known.temperature is not None
    return is_reading or words.thermometer(_plain(name, "", None)) is not None


def _temperature(value: str, text: str, taken: Moment | None, words: Vocabulary) -> Sign:
    match = _READING.fullmatch(value)
    if match is None:
        raise UsageError(f"the temperature in {text!r} cannot be read", do="write a number: fever=38.4 or fever=101.2F")
    number = Decimal(match["number"].replace(",", "."))
    unit = _unit(number, (match["unit"] or "").replace(" ", ""), text, words)
    route = words.route(match["route"]) if match["route"].strip() else None
    if match["route"].strip() and route is None:
        known = ", ".join(row.route for row in words.routes if row.route is not None)
        raise UsageError(f"{match['route'].strip()!r} in {text!r} is no way of measuring", do=f"known: {known}")
    code = route.loinc[0] if route is not None else BODY_TEMPERATURE
    return Sign(
        id=f"{SOURCE} {text}",
        name="Body temperature",
        codes=(Code(system=LOINC, code=code),),
        value=float(number),
        unit=unit,
        taken=taken,
        origin=Origin(place=Place(source=SOURCE), value_text=str(number), unit_text=unit, name_text=text),
    )


def _unit(number: Decimal, said: str, text: str, words: Vocabulary) -> str:
    """The unit of a temperature; one that was not written is the only one that a living person can have."""
    known = {"f": "[degF]", "[degf]": "[degF]", "fahrenheit": "[degF]"}
    possible = [known.get(said.casefold().lstrip("°"), "Cel")] if said else ["Cel", "[degF]"]
    band = words.rules.plausible
    low, high = float(band.lower or 0), float(band.upper or 0)
    fitting = [unit for unit in possible if low <= convert(number, read_unit(unit), to="Cel") <= high]
    if len(fitting) != 1:
        raise UsageError(
            f"the temperature in {text!r} cannot be a person's",
            why=f"body temperatures from {low:g} to {high:g} °C are read",
            do="correct the number, or write its unit: 38.4C, 101.2F",
        )
    return fitting[0]


def _measured(row: VitalRow, value: str, text: str, taken: Moment | None) -> Sign:
    if not re.fullmatch(r"\d+(?:[.,]\d+)?", value):
        raise UsageError(f"{row.name} in {text!r} needs a number", do=f"write it in {row.unit}: {row.name}=120")
    return Sign(
        id=f"{SOURCE} {text}",
        name=row.name,
        codes=(Code(system=LOINC, code=row.loinc[0]),),
        value=float(value.replace(",", ".")),
        unit=row.unit,
        taken=taken,
        origin=Origin(place=Place(source=SOURCE), value_text=value, unit_text=row.unit, name_text=text),
    )


def _answered(name: str, value: str, text: str, taken: Moment | None, words: Vocabulary) -> Sign:
    row = words.named(name)
    if row is None:
        raise _unknown(name, text, words)
    answer = yes_or_no(value)
    return Sign(
        id=f"{SOURCE} {text}",
        name=row.id,
        # what is neither yes nor no describes a symptom that is there: "cough=dry"
        present=None if fold(value) in {"unknown", "unbekannt", "?", ""} else answer is not False,
        text=value if answer is None else None,
        taken=taken,
        origin=Origin(place=Place(source=SOURCE), value_text=value, name_text=name),
    )


def _unknown(name: str, text: str, words: Vocabulary) -> UsageError:
    near = get_close_matches(fold(name), list(words.words), n=3)
    known = ", ".join(sorted(words.symptoms))
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return UsageError(
        f"the symptom {name!r} is not known" if name else f"the symptom {text!r} has no name",
        why=f"known: {known}; temperature; {', '.join(row.name for row in words.vitals)}",
        do=meant + _HOW,
    )
