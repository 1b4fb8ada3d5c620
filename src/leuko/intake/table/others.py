"""Tables of medicines and of people, and what a row of results says of its person."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from leuko.errors import Place
from leuko.intake.table.dates import UNDECIDED, has_two_digit_year
from leuko.intake.table.numbers import Decimals
from leuko.intake.table.people import People, Person
from leuko.intake.table.reading import Reading
from leuko.intake.table.words import key_of
from leuko.record import Dose, Moment, Origin, Sex

_AMOUNT = re.compile(r"([\d.,]+)\s*((?:[^\W\d_]|µ|%).*)?")


def read_doses(reading: Reading, people: People) -> None:
    """A table of medicines: one given, taken or stated a row."""
    for line, cells in reading.rows():
        person = people.person(reading.person(line, cells), reading.grid.source)
        describe(reading, person, line, cells)
        dose = _dose(reading, line, cells)
        if dose is not None:
            person.doses.append(dose)


def _dose(reading: Reading, line: int, cells: Sequence[str]) -> Dose | None:
    drug = reading.cell(cells, "drug")
    if not drug:
        reading.teller.tally("LK525", "rows of a table of medicines that name no medicine", line, lost=True)
        return None
    start, end = (reading.moment(role, cells, line) for role in ("start", "stop"))
    if start is None and reading.layout.first("start") is None:
        start = reading.moment("date", cells, line)
    amount, unit = _amount(reading, line, cells)
    index = reading.layout.first("drug")
    header = reading.layout.headers[index] if index is not None else ""
    # SDTM's EX holds what was given; other tables only say so of a medicine
    given = header.upper() == "EXTRT"
    source = reading.grid.source
    return Dose(
        id=f"{source}:{line}",
        drug=drug,
        start=start,
        end=end,
        amount=amount,
        unit=unit,
        route=reading.cell(cells, "route") or None,
        regimen=reading.cell(cells, "regimen") or None,
        cycle=_whole(reading.cell(cells, "cycle")),
        status="completed" if given else "stated",
        given=given,
        origin=Origin(
            place=Place(source=source, line=line),
            value_text=reading.cell(cells, "dose"),
            unit_text=reading.cell(cells, "dose_unit"),
            name_text=drug,
        ),
    )


def _amount(reading: Reading, line: int, cells: Sequence[str]) -> tuple[float | None, str | None]:
    text, unit = reading.cell(cells, "dose"), reading.cell(cells, "dose_unit") or reading.cell(cells, "unit")
    if not text:
        return None, unit or None
    found = amount_in(text, reading.decimals)
    if found is None:
        reading.teller.tally("LK526", f"the dose “{text}” is not one amount; it is kept as text", line)
        return None, unit or None
    return found[0], unit or found[1]


def amount_in(text: str, decimals: Decimals) -> tuple[float, str | None] | None:
    """“75 mg” as number and unit, None where it is not one amount."""
    match = _AMOUNT.fullmatch(text)
    number = number_in(match[1], decimals) if match else None
    return None if match is None or number is None else (number, match[2] or None)


def _whole(text: str) -> int | None:
    number = text.removesuffix(".0")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 6 else None


def to_number(reading: Reading, text: str) -> float | None:
    """A plain number of this file, None where the text is none or could be two."""
    return number_in(text, reading.decimals)


def number_in(text: str, decimals: Decimals) -> float | None:
    """A plain number, None where the text is none or could be two."""
    comma = decimals.reads_comma(text)
    if comma is None:
        return None
    try:
        number = float(text.replace(".", "").replace(",", ".") if comma else text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


# ---- people ---------------------------------------------------------------------------------------------------------


def read_people(reading: Reading, people: People) -> None:
    """A table of people: one a row."""
    for line, cells in reading.rows():
        describe(reading, people.person(reading.person(line, cells), reading.grid.source), line, cells)


def describe(reading: Reading, person: Person, line: int, cells: Sequence[str]) -> None:
    """Add what a row says of its person: birth date and sex."""
    born = _born(reading, line, cells)
    if born is not None:
        person.born.setdefault((born.day, born.precision), reading.grid.source)
    elif not reading.cell(cells, "born") and reading.cell(cells, "age"):
        reading.teller.tally("LK522", "an age without a birth date; the age is not used", line)
    text = reading.cell(cells, "sex")
    sex = reading.words.sex.get(key_of(text)) if text else None
    if sex in {"female", "male"}:
        person.sex.setdefault(_as_sex(sex), reading.grid.source)
    elif text:
        reading.teller.tally(
            "LK523", f"the sex “{text}” is not used: it is neither female nor male in words that leuko knows", line
        )


def _as_sex(text: str) -> Sex:
    return "female" if text == "female" else "male"


def _born(reading: Reading, line: int, cells: Sequence[str]) -> Moment | None:
    text = reading.cell(cells, "born")
    if not text:
        return None
    found = reading.dates["born"].read(text)
    if isinstance(found, Moment) and has_two_digit_year(text) and not reading.dates["born"].formats:
        found = "its year has two digits"
    if isinstance(found, str):
        # birth dates are not printed: notices end up in logs
        why = "its day and month could be swapped" if found == UNDECIDED else "it is no whole date that leuko can read"
        reading.teller.tally("LK523", f"the birth date is not used: {why}", line)
        return None
    return found
