"""What the cells of one row say, read alike in every layout: codes, names, units, status, bound, value."""

from __future__ import annotations

import re

from leuko.frozen import replace
from leuko.intake.raw import RawResult
from leuko.intake.table.numbers import mark_of
from leuko.intake.table.reading import Cells, Reading
from leuko.intake.table.recognise import unit_like
from leuko.intake.table.words import key_of, split_header
from leuko.record import Bound, Code, Moment, ResultStatus

LOINC = "http://loinc.org"
_LOINC_FORM = re.compile(r"\d{1,5}-\d")
_BOUNDS: dict[str, Bound] = {"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">=", "=": "=", "": "="}
_EXCEL_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T.*)?")


def texts(*cells: str) -> tuple[str, ...]:
    """The cells that are not empty."""
    return tuple(text for text in cells if text)


def codes_of(reading: Reading, cells: Cells) -> tuple[Code, ...]:
    """The codes of a row, one for each column of codes."""
    columns = reading.layout.roles.get("code", ())
    written = tuple(reading.at(cells, index) for index in columns)
    if written not in reading.coded:
        pairs = zip((reading.layout.headers[index] for index in columns), written, strict=True)
        reading.coded[written] = tuple(Code(system=_system(header, text), code=text) for header, text in pairs if text)
    return reading.coded[written]


def _system(header: str, text: str) -> str:
    """LOINC by its form or header; the names of SDTM and ADaM variables; else the table's own codes."""
    if _LOINC_FORM.fullmatch(text) or "loinc" in header.casefold():
        return LOINC
    return f"cdisc:{header.upper()}" if header.upper() in {"LBTESTCD", "PARAMCD"} else f"table:{header}"


def unit_in_name(name: str, unit: str) -> tuple[str, str]:
    """A name and the unit in brackets after it ("Leukocytes (10^9/L)"), where no column holds the unit."""
    bare, tail = split_header(name)
    return (bare, tail) if tail and not unit and unit_like(tail) else (name, "")


def named(reading: Reading, name: str, codes: tuple[Code, ...]) -> tuple[str, ...]:
    """The name of a row; a laboratory's own code ("NEUT#") is a name where no other is given."""
    own = [code.code for code in codes if code.system.startswith("table:")]
    return names_of(reading, name or (own[0] if own else ""))


def names_of(reading: Reading, name: str) -> tuple[str, ...]:
    """The name as written; where the column map says what it is, the analyte's own name before it."""
    if not name or not reading.column_map.analytes:
        return (name,) if name else ()
    mapped = next((a for text, a in reading.column_map.analytes.items() if key_of(text) == key_of(name)), None)
    return (name,) if mapped is None else (reading.library.analytes[mapped].label,)


def mapped_unit(reading: Reading, name: str) -> str:
    """The unit that the column map gives for a name, or for the analyte that it says the name is."""
    if not reading.column_map.units:
        return ""
    units = {key_of(text): unit for text, unit in reading.column_map.units.items()}
    ids = [a for text, a in reading.column_map.analytes.items() if key_of(text) == key_of(name)]
    ids = ids or sorted(reading.names_of(name))
    return next((units[key] for key in (key_of(name), *map(key_of, ids)) if key in units), "")


def absent_of(reading: Reading, cells: Cells, value: str) -> str | None:
    """Why a row holds no value, where it says so."""
    if value:
        return None
    return " ".join(texts(reading.cell(cells, "absent"), reading.cell(cells, "absent_reason"))) or None


def bound_of(reading: Reading, cells: Cells, line: int) -> Bound | None:
    """The bound of a row; None, with a notice, where the comparator is not known: the value may be a bound."""
    text = reading.cell(cells, "comparator")
    if text not in _BOUNDS:
        reading.teller.tally(
            "LK534", f"“{text}” is no comparator that leuko knows; the value was not used", line, lost=True
        )
    return _BOUNDS.get(text)


def specimen_of(reading: Reading, cells: Cells) -> tuple[str, ...]:
    """The specimen that a row, the lines above the header or the column map name."""
    return texts(reading.cell(cells, "specimen") or (reading.column_map.specimen or ""))


def status_of(reading: Reading, cells: Cells, line: int) -> ResultStatus | None:
    """The status of a row; None, with a notice, where the row was cancelled or entered in error."""
    text = reading.cell(cells, "status")
    if not text:
        return "final"
    known = reading.words.status.get(key_of(text))
    if known == "void":
        reading.teller.tally("LK518", f"rows with the status “{text}” count for nothing", line)
        return None
    if known is None:
        reading.teller.tally("LK519", f"the status “{text}” is not known", line)
        return "unknown"
    return known  # type: ignore[return-value]  # the words file's keys are the statuses


def taken_of(reading: Reading, cells: Cells, line: int) -> Moment | None:
    """When the sample of a row was taken; None, with a notice, where no date can be read."""
    if not reading.cell(cells, "date"):
        if reading.layout.first("date") is None:
            return None  # told once for the whole table
        reading.teller.tally("LK507", "these rows have no date, so their counts have no place in time", line, lost=True)
        return None
    return reading.moment("date", cells, line)


def usable(reading: Reading, raw: RawResult, line: int, about: str) -> RawResult | None:
    """A raw result with its decimal mark decided; None, with a notice, where there is no value or it could be two."""
    text = raw.value_text or ""
    if not text or text.casefold() in reading.words.absent:
        reading.empties.setdefault(about + (f" ({raw.absent or text})" if raw.absent or text else ""), []).append(line)
        return None
    if reading.grid.excel_epoch and _EXCEL_DATE.fullmatch(text):
        reading.teller.tally(
            "LK520",
            f"{about}: a cell holds the date {text[:10]} in place of a value; a spreadsheet may have made it",
            line,
            lost=True,
        )
        return None
    comma = reading.decimals.reads_comma(text)
    if comma is None:
        why = reading.decimals.why or "nothing in the file decides"
        reading.teller.tally("LK508", f"{about}: “{text}” can be two numbers ({why})", line, lost=True)
        return None
    if comma and mark_of(text) == "dot?":
        reading.teller.tally(
            "LK540", f"{about}: the point of “{text}” parts thousands, for commas are decimal marks here", line
        )
    return replace(raw, decimal_comma=comma) if comma else raw
