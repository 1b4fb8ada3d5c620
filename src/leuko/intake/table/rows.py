"""Rows of an understood table as raw results, each with its place, its person and its time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from leuko.errors import Place
from leuko.intake.base import ReadOptions
from leuko.intake.names import index_of
from leuko.intake.raw import RawResult
from leuko.intake.table.columnmap import ColumnMap
from leuko.intake.table.dates import UNDECIDED, DateReader
from leuko.intake.table.grid import Grid
from leuko.intake.table.layout import Layout, ResultColumn, unit_like
from leuko.intake.table.numbers import Decimals, mark_of
from leuko.intake.table.tell import Teller
from leuko.intake.table.words import Words, key_of, split_header
from leuko.knowledge import Library
from leuko.record import Bound, Code, Moment, ResultStatus

LOINC = "http://loinc.org"
_LOINC_FORM = re.compile(r"\d{1,5}-\d")
_BOUNDS: dict[str, Bound] = {"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">=", "=": "=", "": "="}
_EXCEL_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T.*)?")
Cells = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One result of one person; `about` names its column or test, for notices that are summed up."""

    person: str
    raw: RawResult
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything that is needed to read the rows of one table."""

    grid: Grid
    layout: Layout
    words: Words
    decimals: Decimals
    dates: dict[str, DateReader]
    options: ReadOptions
    column_map: ColumnMap
    library: Library
    teller: Teller
    stub: str
    aside: frozenset[int] = frozenset()
    coded: dict[tuple[str, ...], tuple[Code, ...]] = field(default_factory=dict)
    empties: dict[str, list[int]] = field(default_factory=dict)

    def cell(self, cells: Cells, role: str) -> str:
        """What a row says in a role, else what the lines before the header say of the whole table."""
        index = self.layout.columns.get(role)
        if index is None:
            return self.layout.said.get(role, "")
        return cells[index] if index < len(cells) else ""

    def names_of(self, name: str) -> frozenset[str]:
        """The analytes that a name can mean."""
        return index_of(self.library).read(name).ids

    def at(self, cells: Cells, index: int | None) -> str:
        """A cell by its column."""
        return cells[index] if index is not None and index < len(cells) else ""

    def rows(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """The rows of data, without those that are set aside as a whole."""
        return (row for row in self.grid.rows[self.layout.body :] if row[0] not in self.aside)

    def person(self, line: int, cells: Cells) -> str:
        """Who a row is about: its id, else its name, else the caller's word, else a stand-in named after the file."""
        named = self.cell(cells, "patient") or self.cell(cells, "patient_name")
        if named:
            return named
        given = self.options.patient or self.column_map.patient
        if given:
            return given
        if self.layout.first("patient") is None and self.layout.first("patient_name") is None:
            return self.stub
        # A worklist mixes people: rows that name nobody are one person only where they are one sample.
        sample = self.cell(cells, "sample")
        stub = f"{self.stub}#{sample or line}"
        self.teller.tally("LK516", "rows that name no person stand by themselves, one person a sample", line)
        return stub

    def moment(self, role: str, cells: Cells, line: int) -> Moment | None:
        """The time of a role in a row; None, with a notice, where it cannot be read."""
        text = self.cell(cells, role)
        if not text:
            return None
        time = self.cell(cells, "time") if role == "date" else ""
        return self.moment_of(role, text, time, line)

    def moment_of(self, role: str, text: str, time: str, line: int) -> Moment | None:
        """A written time as a moment; None, with a notice, where it cannot be read."""
        found = self.dates[role].read(text, time)
        if isinstance(found, Moment):
            return found
        if found == UNDECIDED:
            why = self.dates[role].why
            self.teller.tally(
                "LK505", f"{self._title(role)}: day and month could be swapped, and {why}", line, lost=True
            )
        else:
            self.teller.tally("LK506", f"{self._title(role)}: {found}", line, lost=role == "date")
        return None

    def _title(self, role: str) -> str:
        index = self.layout.first(role)
        return f"column {self.layout.title(index)}" if index is not None else role


def found_in(reading: Reading) -> Iterator[Found]:
    """Every result of a long, wide or transposed table."""
    yield from {"long": _long, "wide": _wide, "transposed": _transposed}[reading.layout.kind](reading)


# ---- long: a result a row -------------------------------------------------------------------------------------------


def _long(reading: Reading) -> Iterator[Found]:
    value_column = reading.layout.first("value")
    header_unit = ""
    if value_column is not None:
        tail = split_header(reading.layout.headers[value_column])[1]
        header_unit = tail if unit_like(tail) else ""
    for line, cells in reading.rows():
        if reading.cell(cells, "derived"):
            reading.teller.tally(
                "LK527", f"rows marked as derived ({reading.cell(cells, 'derived')}) are not read twice", line
            )
            continue
        raw = _long_raw(reading, line, cells, header_unit)
        raw = None if raw is None else _usable(reading, raw, line, _about(raw))
        if raw is not None:
            yield Found(person=reading.person(line, cells), raw=raw, about=_about(raw))


def _about(raw: RawResult) -> str:
    return raw.names[0] if raw.names else raw.codes[0].code if raw.codes else "nameless results"


def _long_raw(reading: Reading, line: int, cells: Cells, header_unit: str) -> RawResult | None:
    cell = reading.cell
    codes = _codes(reading, cells)
    name = cell(cells, "analyte")
    if not name and not codes:
        if any(cells):
            reading.teller.tally(
                "LK514", "rows that do not say what was measured", line, lost=bool(cell(cells, "value"))
            )
        return None
    status, bound = _status(reading, cells, line), _bound(reading, cells, line)
    if status is None or bound is None:
        return None
    value, unit, low, high = _value_and_unit(reading, cells, line)
    name, name_unit = _unit_in_name(name, unit or header_unit)
    sample = cell(cells, "sample")
    pointer = reading.layout.first("value")
    return RawResult(
        id=f"{reading.grid.source}:{line}",
        place=Place(
            source=reading.grid.source,
            line=line,
            pointer=None if pointer is None else f"column {reading.layout.title(pointer)}",
        ),
        codes=codes,
        names=_names(reading, name),
        value_text=value or None,
        absent=_absent(reading, cells, value),
        bound=bound,
        unit_text=unit or name_unit or _mapped_unit(reading, name) or header_unit,
        low_text=low or None,
        high_text=high or None,
        interval_text=cell(cells, "range"),
        specimen=_specimen(reading, cells),
        method_text=cell(cells, "method"),
        status=status,
        flags=_texts(cell(cells, "flag")),
        taken=_taken(reading, cells, line),
        issued=reading.moment("issued", cells, line),
        draw=sample or None,
    )


def _texts(*texts: str) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


def _codes(reading: Reading, cells: Cells) -> tuple[Code, ...]:
    texts = tuple(reading.at(cells, index) for index in reading.layout.roles.get("code", ()))
    if texts not in reading.coded:
        headers = [reading.layout.headers[index] for index in reading.layout.roles.get("code", ())]
        pairs = zip(headers, texts, strict=True)
        reading.coded[texts] = tuple(Code(system=_system(header, text), code=text) for header, text in pairs if text)
    return reading.coded[texts]


def _system(header: str, text: str) -> str:
    """LOINC by its form or header; the names of SDTM and ADaM variables; else the table's own codes."""
    if _LOINC_FORM.fullmatch(text) or "loinc" in header.casefold():
        return LOINC
    return f"cdisc:{header.upper()}" if header.upper() in {"LBTESTCD", "PARAMCD"} else f"table:{header}"


def _value_and_unit(reading: Reading, cells: Cells, line: int) -> tuple[str, str, str, str]:
    """The value as collected with its unit and limits; where there is none, the standardised ones of SDTM."""
    value, unit = reading.cell(cells, "value"), reading.cell(cells, "unit")
    if value or "value_standard" not in reading.layout.roles:
        return value, unit, reading.cell(cells, "low"), reading.cell(cells, "high")
    standard = next((t for i in reading.layout.roles["value_standard"] if (t := reading.at(cells, i))), "")
    if standard:
        reading.teller.tally("LK536", "the standardised value was read, for the collected one is missing", line)
        low, high = reading.cell(cells, "low_standard"), reading.cell(cells, "high_standard")
        return standard, reading.cell(cells, "unit_standard"), low, high
    return "", unit, reading.cell(cells, "low"), reading.cell(cells, "high")


def _unit_in_name(name: str, unit: str) -> tuple[str, str]:
    """A name and the unit in brackets after it ("Leukocytes (10^9/L)"), where no column holds the unit."""
    bare, tail = split_header(name)
    return (bare, tail) if tail and not unit and unit_like(tail) else (name, "")


def _names(reading: Reading, name: str) -> tuple[str, ...]:
    """The name as written; where the column map says what it is, the analyte's own name before it."""
    if not name or not reading.column_map.analytes:
        return (name,) if name else ()
    mapped = next((a for text, a in reading.column_map.analytes.items() if key_of(text) == key_of(name)), None)
    return (name,) if mapped is None else (reading.library.analytes[mapped].label,)


def _mapped_unit(reading: Reading, name: str) -> str:
    """The unit that the column map gives for a name, or for the analyte that it says the name is."""
    if not reading.column_map.units:
        return ""
    units = {key_of(text): unit for text, unit in reading.column_map.units.items()}
    ids = [a for text, a in reading.column_map.analytes.items() if key_of(text) == key_of(name)]
    ids = ids or sorted(reading.names_of(name))
    return next((units[key] for key in (key_of(name), *map(key_of, ids)) if key in units), "")


def _absent(reading: Reading, cells: Cells, value: str) -> str | None:
    if value:
        return None
    return " ".join(_texts(reading.cell(cells, "absent"), reading.cell(cells, "absent_reason"))) or None


def _bound(reading: Reading, cells: Cells, line: int) -> Bound | None:
    """The bound of a row; None, with a notice, where the comparator is not known: the value may be a bound."""
    text = reading.cell(cells, "comparator")
    if text not in _BOUNDS:
        reading.teller.tally(
            "LK534", f"“{text}” is no comparator that leuko knows; the value was not used", line, lost=True
        )
    return _BOUNDS.get(text)


def _specimen(reading: Reading, cells: Cells) -> tuple[str, ...]:
    return _texts(reading.cell(cells, "specimen") or (reading.column_map.specimen or ""))


def _status(reading: Reading, cells: Cells, line: int) -> ResultStatus | None:
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


def _taken(reading: Reading, cells: Cells, line: int) -> Moment | None:
    if not reading.cell(cells, "date"):
        if reading.layout.first("date") is None:
            return None  # told once for the whole table
        reading.teller.tally("LK507", "these rows have no date, so their counts have no place in time", line, lost=True)
        return None
    return reading.moment("date", cells, line)


def _usable(reading: Reading, raw: RawResult, line: int, about: str) -> RawResult | None:
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


# ---- wide: a draw a row ---------------------------------------------------------------------------------------------


def _wide(reading: Reading) -> Iterator[Found]:
    for line, cells in reading.rows():
        columns = [column for column in reading.layout.results if reading.at(cells, column.index)]
        for column in reading.layout.results:
            if not reading.at(cells, column.index):
                reading.empties.setdefault(column.header or f"column {column.index + 1}", []).append(line)
        status = _status(reading, cells, line) if columns else None
        if status is None:
            continue
        yield from _wide_row(reading, line, cells, columns, status)


def _wide_row(
    reading: Reading, line: int, cells: Cells, columns: list[ResultColumn], status: ResultStatus
) -> Iterator[Found]:
    person = reading.person(line, cells)
    marks = _marks(reading, cells)
    shared = RawResult(
        id="",
        place=Place(source=reading.grid.source, line=line),
        status=status,
        specimen=_specimen(reading, cells),
        method_text=reading.cell(cells, "method"),
        taken=_taken(reading, cells, line),
        issued=reading.moment("issued", cells, line),
        draw=reading.cell(cells, "sample") or f"{reading.grid.source}:{line}",
    )
    for column in columns:
        raw = _usable(
            reading, _wide_raw(reading, line, cells, column, shared, marks), line, column.header or column.name
        )
        if raw is not None:
            yield Found(person=person, raw=raw, about=column.header or column.name)


def _wide_raw(
    reading: Reading, line: int, cells: Cells, column: ResultColumn, shared: RawResult, marks: tuple[str, ...]
) -> RawResult:
    beside = {role: reading.at(cells, index) for role, index in column.beside.items()}
    unit = beside.get("unit") or column.unit or reading.layout.units.get(column.index, "")
    return replace(
        shared,
        id=f"{reading.grid.source}:{line}:{column.index + 1}",
        place=Place(source=reading.grid.source, line=line, pointer=f"column {reading.layout.title(column.index)}"),
        names=_names(reading, column.name),
        value_text=reading.at(cells, column.index),
        unit_text=unit or _mapped_unit(reading, column.name),
        low_text=beside.get("low") or None,
        high_text=beside.get("high") or None,
        interval_text=beside.get("range", ""),
        flags=(*_texts(beside.get("flag", "")), *marks),
    )


def _marks(reading: Reading, cells: Cells) -> tuple[str, ...]:
    """An analyser's marks on the sample that are set, as flags: "IP SUS(WBC)Blasts?"."""
    found = []
    for index in reading.layout.marks:
        text = reading.at(cells, index)
        header = reading.layout.headers[index]
        if text.casefold() in reading.words.unset or header.startswith(reading.words.scales):
            continue
        found.append(header if text == "1" else f"{header}: {text}")
    return tuple(found)


# ---- transposed: an analyte a row, a draw a column ------------------------------------------------------------------


def _transposed(reading: Reading) -> Iterator[Found]:
    times, samples = _rows_of_columns(reading)
    taken: dict[int, Moment | None] = {}
    line_of_header = reading.layout.header_line or 1
    for index in reading.layout.dates:
        taken[index] = reading.moment_of("date", reading.layout.headers[index], times.get(index, ""), line_of_header)
    name_column = reading.layout.first("analyte")
    for line, cells in reading.rows():
        name = reading.at(cells, name_column)
        meaning = reading.words.meaning(name) if name else None
        if meaning is not None and meaning.role in {"time", "sample", "date"}:
            continue
        person = reading.person(line, cells)
        for index in reading.layout.dates:
            raw = _usable(
                reading,
                _transposed_raw(reading, line, cells, name, index, samples.get(index)),
                line,
                name or "nameless row",
            )
            if raw is not None:
                yield Found(person=person, raw=replace(raw, taken=taken[index]), about=name or "nameless row")


def _rows_of_columns(reading: Reading) -> tuple[dict[int, str], dict[int, str]]:
    """Times of day and sample numbers that stand in rows of their own below the dates."""
    times: dict[int, str] = {}
    samples: dict[int, str] = {}
    for _, cells in reading.rows():
        meaning = reading.words.meaning(reading.at(cells, reading.layout.first("analyte")))
        target = {"time": times, "sample": samples}.get(meaning.role) if meaning else None
        if target is not None:
            target.update({i: text for i in reading.layout.dates if (text := reading.at(cells, i))})
    return times, samples


def _transposed_raw(reading: Reading, line: int, cells: Cells, name: str, index: int, sample: str | None) -> RawResult:
    cell = reading.cell
    bare, unit = _unit_in_name(name, cell(cells, "unit"))
    source = reading.grid.source
    return RawResult(
        id=f"{source}:{line}:{index + 1}",
        place=Place(source=source, line=line, pointer=f"column {reading.layout.title(index)}"),
        codes=_codes(reading, cells),
        names=_names(reading, bare),
        value_text=reading.at(cells, index) or None,
        unit_text=cell(cells, "unit") or unit or _mapped_unit(reading, bare),
        low_text=cell(cells, "low") or None,
        high_text=cell(cells, "high") or None,
        interval_text=cell(cells, "range"),
        specimen=_specimen(reading, cells),
        draw=sample or f"{source}#{index + 1}",
    )


def date_cells(reading_layout: Layout, grid: Grid, role: str) -> Iterator[str]:
    """The texts that a role's dates are read from, to decide the order of day and month."""
    if role == "date" and reading_layout.kind == "transposed":
        yield from (reading_layout.headers[index] for index in reading_layout.dates)
        return
    index = reading_layout.first(role)
    if index is None:
        yield from _texts(reading_layout.said.get(role, ""))
        return
    for _, cells in grid.rows[reading_layout.body :]:
        if index < len(cells) and cells[index]:
            yield cells[index]
