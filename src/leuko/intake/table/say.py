"""Say how a table was read: what each column was taken for, and what was left aside."""

from __future__ import annotations

from leuko.intake.table.dates import has_two_digit_year, is_serial
from leuko.intake.table.grid import Grid
from leuko.intake.table.layout import Layout, ResultColumn
from leuko.intake.table.numbers import is_number
from leuko.intake.table.reading import Reading, date_cells
from leuko.intake.table.tell import Teller, lines_text
from leuko.intake.table.text import SEPARATORS
from leuko.intake.table.words import key_of

_KINDS = {
    "long": "long table (a result a row)",
    "wide": "wide table (a draw a row)",
    "transposed": "transposed table (an analyte a row, a draw a column)",
    "doses": "table of medicines",
    "people": "table of people",
}
_SHOWN = 40  # names in one notice


def tell_read_as(reading: Reading) -> None:
    """The one notice that shows how the table was understood."""
    layout = reading.layout
    parts = [_KINDS[layout.kind], *reading.grid.form]
    if reading.decimals.comma:
        parts.append("decimal comma")
    head = _head_words(reading)
    columns = [f"{layout.title(column)} = {role}" for role, found in layout.roles.items() for column in found[:1]]
    columns += [f"{column.header or column.index + 1} = {_result(reading, column)}" for column in layout.results]
    if layout.dates:
        columns.append(
            f"{len(layout.dates)} dates from {layout.title(layout.dates[0])} to {layout.title(layout.dates[-1])}"
        )
    if said := [role for role in layout.said if role not in layout.roles]:
        columns.append(f"lines above the header = {' and '.join(said)}")
    orders = [
        f"{role} {_order(found.order)}, for {found.why}"
        for role, found in reading.dates.items()
        if found.order and found.why
    ]
    text = f"read as: {', '.join(parts)}; {head}"
    read = "; ".join([", ".join(columns[:_SHOWN]) + (" …" if len(columns) > _SHOWN else ""), *orders])
    reading.teller.say("LK504", text, line=layout.header_line, read=read)


def _head_words(reading: Reading) -> str:
    if reading.grid.headless:
        return f"no header, from line {reading.layout.header_line} on by the form of the lines"
    line = reading.layout.header_line
    return "headers by the column map" if line is None else f"header on line {line}"


def _order(order: str | None) -> str:
    return "day before month" if order == "dmy" else "month before day"


def _result(reading: Reading, column: ResultColumn) -> str:
    unit = column.unit or reading.layout.units.get(column.index, "")
    unit = unit or (f"unit in {reading.layout.title(column.beside['unit'])}" if "unit" in column.beside else "")
    ids = sorted(reading.names_of(column.name))
    return (" or ".join(ids) if ids else f"measurement {column.name}") + (f" [{unit}]" if unit else "")


def tell_layout(reading: Reading) -> None:
    """What is known before the rows are read: doubled headers, columns without meaning, lines above the header."""
    layout, teller = reading.layout, reading.teller
    if layout.preamble:
        used = ", ".join(sorted(layout.said)) or "nothing"
        _tell_lost_above(reading)
        teller.say(
            "LK513",
            f"{lines_text(layout.preamble)} above the header; {used} was taken from there",
            line=layout.preamble[0],
        )
    if layout.doubled:
        teller.say("LK510", f"headers that stand more than once: {some(layout.doubled)}", line=layout.header_line)
    if layout.body >= len(reading.grid.rows):
        teller.say("LK511", "the table has a header but no rows", line=layout.header_line)
    _tell_columns(reading)
    _tell_orders(reading)
    if _one_row_each(reading):
        teller.say(
            "LK538",
            f"column {layout.title(layout.first('patient') or 0)} differs on every row, and was taken for the person",
        )
    if _names_nobody(reading):
        teller.say(
            "LK515",
            f"no column says whose counts these are; they stand under “{reading.grid.source}”",
            line=layout.header_line,
        )
    if reading.decimals.mark is None and reading.decimals.why:
        teller.say("LK509", f"the decimal mark of the file is not certain: {reading.decimals.why}")
    if layout.kind in {"long", "wide"} and layout.first("date") is None and "date" not in layout.said:
        teller.say("LK512", "no column of the table is a date", line=layout.header_line, lost=True)


def _tell_lost_above(reading: Reading) -> None:
    above = set(reading.layout.preamble)
    for line, cells in reading.grid.rows[: reading.layout.body]:
        if line in above and any(map(is_number, cells)) and any(reading.names_of(cell) for cell in cells if cell):
            reading.teller.tally("LK544", "results above the header were not read", line, lost=True)


def _one_row_each(reading: Reading) -> bool:
    """Whether a column with as general a header as "ID" numbers rows rather than people."""
    index = reading.layout.first("patient")
    if reading.layout.kind != "long" or index is None or key_of(reading.layout.title(index)) != "id":
        return False
    ids = [reading.at(cells, index) for _, cells in reading.rows()]
    return len(ids) > 2 and len(set(ids)) == len(ids)


def _names_nobody(reading: Reading) -> bool:
    layout = reading.layout
    given = reading.options.patient or reading.column_map.patient
    named = {"patient", "patient_name"} & (layout.roles.keys() | layout.said.keys())
    return not given and not named and layout.body < len(reading.grid.rows)


def too_wide(layout: Layout, grid: Grid, teller: Teller) -> frozenset[int]:
    """The lines with cells beyond the last header: a separator inside a text moved them, and nothing says where."""
    found = []
    for line, cells in grid.rows[layout.body :]:
        if len(cells) > layout.known_width and any(cells[layout.known_width :]):
            teller.tally(
                "LK528",
                f"rows with more than the {layout.known_width} cells of the header were not read",
                line,
                lost=True,
            )
            found.append(line)
        elif layout.known_width > 1 and _uncut(cells, grid.separator):
            teller.tally("LK543", "rows that the separator of the header does not cut were not read", line, lost=True)
            found.append(line)
    return frozenset(found)


def _uncut(cells: tuple[str, ...], separator: str) -> bool:
    """Whether a row is one cell in which another separator stands."""
    return bool(separator) and len(cells) == 1 and any(m in cells[0] for m in SEPARATORS if m != separator)


def _tell_columns(reading: Reading) -> None:
    layout, teller = reading.layout, reading.teller
    numeric = [i for i in layout.unread if _numeric(reading, i)]
    if numeric:
        teller.say(
            "LK529",
            f"columns with numbers that were not read: {_titles(reading, numeric)}",
            line=layout.header_line,
            lost=True,
        )
    rest = [i for i in layout.unread if i not in numeric]
    aside = [*rest, *(i for i in layout.ignored)]
    scales = [i for i in layout.marks if layout.headers[i].startswith(reading.words.scales)]
    if aside or scales:
        teller.say(
            "LK530",
            f"columns that hold no results: {_titles(reading, sorted([*aside, *scales]))}",
            line=layout.header_line,
        )
    if layout.second:
        teller.say(
            "LK531",
            f"second readings of an analyser, not read: {_titles(reading, layout.second)}",
            line=layout.header_line,
        )


def _numeric(reading: Reading, index: int) -> bool:
    """Whether a column holds numbers; a nameless one that counts the rows does not tell anything."""
    texts = [reading.at(cells, index) for _, cells in reading.rows()]
    counted = not reading.layout.headers[index] and any(
        texts == [str(n + first) for n in range(len(texts))] for first in (0, 1)
    )
    return not counted and any(map(is_number, texts))


def _titles(reading: Reading, columns: list[int] | tuple[int, ...]) -> str:
    return some([reading.layout.title(index) for index in columns])


def some(names: list[str] | tuple[str, ...]) -> str:
    """The first of many names, and how many more there are."""
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _tell_orders(reading: Reading) -> None:
    for role, reader in reading.dates.items():
        texts = set() if reader.formats or role == "born" else set(date_cells(reading.layout, reading.grid, role))
        if any(map(has_two_digit_year, texts)):
            reading.teller.say("LK537", f"{role}: years of two digits were read as 1969 to 2068")
        if reading.grid.excel_epoch and any(map(is_serial, texts)):
            reading.teller.say(
                "LK539",
                f"{role}: bare day numbers were read as the days since {reading.grid.excel_epoch} that they stand for",
            )
    for role, reader in reading.dates.items():
        if reader.order and reader.why == "the language of the headers":
            reading.teller.say(
                "LK532", f"{role}: read as day before month, for the headers are not English and nothing else decides"
            )


def tell_empties(reading: Reading) -> None:
    """Cells without a value, one notice for the table."""
    if reading.empties:
        parts = [f"{name}: {lines_text(lines, most=8)}" for name, lines in list(reading.empties.items())[:_SHOWN]]
        more = f" and {len(reading.empties) - _SHOWN} more" if len(reading.empties) > _SHOWN else ""
        reading.teller.say("LK533", f"no value in {'; '.join(parts)}{more}")
