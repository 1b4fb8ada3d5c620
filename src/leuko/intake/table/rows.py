"""Rows of an understood table as raw results, each with its place, its person and its time."""

from __future__ import annotations

from collections.abc import Iterator

from leuko.errors import Place
from leuko.frozen import replace
from leuko.intake.raw import RawResult
from leuko.intake.table.cells import (
    absent_of,
    bound_of,
    codes_of,
    mapped_unit,
    named,
    names_of,
    specimen_of,
    status_of,
    taken_of,
    texts,
    unit_in_name,
    usable,
)
from leuko.intake.table.layout import ResultColumn
from leuko.intake.table.reading import Cells, Found, Reading
from leuko.intake.table.recognise import unit_like
from leuko.intake.table.words import split_header
from leuko.record import Moment, ResultStatus


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
        raw = None if raw is None else usable(reading, raw, line, _about(raw))
        if raw is not None:
            written = reading.cell(cells, "analyte") or _about(raw)
            yield Found(person=reading.person(line, cells), raw=raw, about=_about(raw), written=written)


def _about(raw: RawResult) -> str:
    return raw.names[0] if raw.names else raw.codes[0].code if raw.codes else "nameless results"


def _long_raw(reading: Reading, line: int, cells: Cells, header_unit: str) -> RawResult | None:
    cell = reading.cell
    codes = codes_of(reading, cells)
    name = cell(cells, "analyte")
    if not name and not codes:
        if any(cells):
            reading.teller.tally(
                "LK514", "rows that do not say what was measured", line, lost=bool(cell(cells, "value"))
            )
        return None
    status, bound = status_of(reading, cells, line), bound_of(reading, cells, line)
    if status is None or bound is None:
        return None
    value, unit, low, high = _value_and_unit(reading, cells, line)
    name, name_unit = unit_in_name(name, unit or header_unit)
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
        names=named(reading, name, codes),
        value_text=value or None,
        absent=absent_of(reading, cells, value),
        bound=bound,
        unit_text=unit or name_unit or mapped_unit(reading, name) or header_unit,
        low_text=low or None,
        high_text=high or None,
        interval_text=cell(cells, "range"),
        specimen=specimen_of(reading, cells),
        method_text=cell(cells, "method"),
        status=status,
        flags=texts(cell(cells, "flag")),
        taken=taken_of(reading, cells, line),
        issued=reading.moment("issued", cells, line),
        draw=sample or None,
    )


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


# ---- wide: a draw a row ---------------------------------------------------------------------------------------------


def _wide(reading: Reading) -> Iterator[Found]:
    for line, cells in reading.rows():
        columns = [column for column in reading.layout.results if reading.at(cells, column.index)]
        for column in reading.layout.results:
            if not reading.at(cells, column.index):
                reading.empties.setdefault(column.header or f"column {column.index + 1}", []).append(line)
        status = status_of(reading, cells, line) if columns else None
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
        specimen=specimen_of(reading, cells),
        method_text=reading.cell(cells, "method"),
        taken=taken_of(reading, cells, line),
        issued=reading.moment("issued", cells, line),
        draw=reading.cell(cells, "sample") or f"{reading.grid.source}:{line}",
    )
    for column in columns:
        raw = usable(
            reading,
            _wide_raw(reading, line, cells, column, shared=shared, marks=marks),
            line,
            column.header or column.name,
        )
        if raw is not None:
            about = column.header or column.name
            yield Found(person=person, raw=raw, about=about, written=column.name)


def _wide_raw(
    reading: Reading, line: int, cells: Cells, column: ResultColumn, *, shared: RawResult, marks: tuple[str, ...]
) -> RawResult:
    beside = {role: reading.at(cells, index) for role, index in column.beside.items()}
    unit = beside.get("unit") or column.unit or reading.layout.units.get(column.index, "")
    return replace(
        shared,
        id=f"{reading.grid.source}:{line}:{column.index + 1}",
        place=Place(source=reading.grid.source, line=line, pointer=f"column {reading.layout.title(column.index)}"),
        names=names_of(reading, column.name),
        value_text=reading.at(cells, column.index),
        unit_text=unit or mapped_unit(reading, column.name),
        low_text=beside.get("low") or None,
        high_text=beside.get("high") or None,
        interval_text=beside.get("range", ""),
        flags=(*texts(beside.get("flag", "")), *marks),
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
            raw = usable(
                reading,
                _transposed_raw(reading, line, cells, name, index, sample=samples.get(index)),
                line,
                name or "nameless row",
            )
            if raw is not None:
                yield Found(
                    person=person, raw=replace(raw, taken=taken[index]), about=name or "nameless row", written=name
                )


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


def _transposed_raw(
    reading: Reading, line: int, cells: Cells, name: str, index: int, *, sample: str | None
) -> RawResult:
    cell = reading.cell
    bare, unit = unit_in_name(name, cell(cells, "unit"))
    source = reading.grid.source
    return RawResult(
        id=f"{source}:{line}:{index + 1}",
        place=Place(source=source, line=line, pointer=f"column {reading.layout.title(index)}"),
        codes=codes_of(reading, cells),
        names=names_of(reading, bare),
        value_text=reading.at(cells, index) or None,
        unit_text=cell(cells, "unit") or unit or mapped_unit(reading, bare),
        low_text=cell(cells, "low") or None,
        high_text=cell(cells, "high") or None,
        interval_text=cell(cells, "range"),
        specimen=specimen_of(reading, cells),
        draw=sample or f"{source}#{index + 1}",
    )
