"""From one file to persons: open it, understand each table in it, read its rows, and say how it was read."""

from __future__ import annotations

from collections.abc import Iterator

from leuko.errors import Notice
from leuko.frozen import replace
from leuko.intake.base import Blob, ReadOptions
from leuko.intake.checks import interpret
from leuko.intake.table.binary import is_parquet, is_workbook, read_parquet, read_workbook
from leuko.intake.table.columnmap import ColumnMap
from leuko.intake.table.dates import DateReader, choose_order, order_in
from leuko.intake.table.grid import Grid
from leuko.intake.table.layout import Layout
from leuko.intake.table.numbers import Decimals, decide
from leuko.intake.table.others import describe, read_doses, read_people, to_number
from leuko.intake.table.people import People
from leuko.intake.table.reading import Found, Reading, date_cells
from leuko.intake.table.recognise import Names
from leuko.intake.table.rows import found_in
from leuko.intake.table.say import some, tell_empties, tell_layout, tell_read_as, too_wide
from leuko.intake.table.sniff import HEADER_ROWS, split_tables, understand
from leuko.intake.table.tell import Teller
from leuko.intake.table.text import read_text
from leuko.intake.table.words import key_of, load_words
from leuko.knowledge import Library
from leuko.record import Count, Origin, Sign

_DATE_ROLES = ("date", "issued", "born", "start", "stop")
_VALUE_ROLES = ("value", "value_standard", "low", "high", "dose")


def read_table(
    blob: Blob,
    *,
    people: People,
    options: ReadOptions,
    library: Library,
    column_map: ColumnMap,
    teller: Teller,
    alone: bool,
) -> tuple[Notice, ...]:
    """Read one file into `people` and give its notices. Raises UnreadableInput where it cannot be read at all.

    `alone`: no other file is read with it, so a column map must fit it.
    """
    grids = _open(blob, column_map, teller)
    notices: list[Notice] = list(teller.finish())
    for grid in grids:
        told = Teller(source=grid.source, library=library)
        fitting = column_map
        if not (alone and len(grids) == 1) and not _concerns(column_map, grid):
            told.say(
                "LK535", f"no column of {column_map.where} stands in this table; it was read without the column map"
            )
            fitting = ColumnMap()
        _read_grid(grid, people=people, options=options, library=library, column_map=fitting, teller=told)
        notices += told.finish()
    return tuple(notices)


def _concerns(column_map: ColumnMap, grid: Grid) -> bool:
    """Whether any of the columns that a map names stands in a table."""
    named = [reference for reference in column_map.columns.values() if isinstance(reference, str)]
    if not named or len(named) < len(column_map.columns):
        return True
    heads = {key_of(cell) for _, cells in grid.rows[:HEADER_ROWS] for cell in cells}
    return any(key_of(name) in heads for name in named)


def _open(blob: Blob, column_map: ColumnMap, teller: Teller) -> list[Grid]:
    if is_parquet(blob.data):
        return [read_parquet(blob.name, blob.data)]
    if is_workbook(blob.data):
        return read_workbook(blob.name, blob.data, teller=teller, sheet=column_map.sheet)
    mapped = {"encoding": column_map.encoding, "separator": column_map.separator}
    return [read_text(blob.name, blob.data, teller=teller, **mapped)]


def _read_grid(
    grid: Grid,
    *,
    people: People,
    options: ReadOptions,
    library: Library,
    column_map: ColumnMap,
    teller: Teller,
) -> None:
    words = load_words()
    names = Names(library, column_map.analytes)
    layout = understand(grid, words=words, names=names, column_map=column_map)
    if isinstance(layout, str):
        rows = len(grid.rows)
        teller.say(
            "LK501",
            f"the table ({rows} {'row' if rows == 1 else 'rows'}) was not read: {layout}",
            line=grid.rows[0][0],
            lost=True,
        )
        return
    day_first = words.day_first(layout.headers)
    grid, rest, repeated = split_tables(grid, layout, words=words, names=names)
    for line in sorted(repeated):
        teller.tally("LK541", "the header is repeated", line)
    reading = Reading(
        grid=grid,
        layout=layout,
        words=words,
        decimals=_decimals(grid, layout, column_map, comma_language=day_first or grid.separator == ";"),
        dates=_date_readers(grid, layout, options, column_map, day_first=day_first),
        options=options,
        column_map=column_map,
        library=library,
        teller=teller,
        aside=too_wide(layout, grid, teller) | repeated,
    )
    tell_layout(reading)
    _read_rows(reading, people)
    tell_empties(reading)
    if rest is not None:
        teller.say("LK542", "another table begins here; it was read by its own header", line=rest.rows[0][0])
        _read_grid(rest, people=people, options=options, library=library, column_map=column_map, teller=teller)


def _decimals(grid: Grid, layout: Layout, column_map: ColumnMap, *, comma_language: bool) -> Decimals:
    values = _values(grid, layout)
    return decide(values, forced=column_map.decimal, typed=grid.typed, comma_language=comma_language)


def _values(grid: Grid, layout: Layout) -> Iterator[str]:
    columns = [index for role in _VALUE_ROLES for index in layout.roles.get(role, ())[:2]]
    columns += [column.index for column in layout.results] + list(layout.dates)
    columns += [i for column in layout.results for role, i in column.beside.items() if role in {"low", "high"}]
    for _, cells in grid.rows[layout.body :]:
        for index in columns:
            if index < len(cells) and cells[index]:
                yield cells[index]


def _date_readers(
    grid: Grid, layout: Layout, options: ReadOptions, column_map: ColumnMap, *, day_first: bool
) -> dict[str, DateReader]:
    readers = {}
    for role in _DATE_ROLES:
        order, why = choose_order(date_cells(layout, grid, role), day_first_language=day_first)
        index = layout.first(role)
        named = order_in(layout.headers[index]) if index is not None else None
        if named is not None and why != "some of its dates have the day first and others the month":
            order, why = (order or named), "the header names it"
        formats = column_map.date_formats
        readers[role] = DateReader(
            order=order, why=why, formats=formats, zone=options.zone, excel_epoch=grid.excel_epoch
        )
    return readers


# ---- rows -----------------------------------------------------------------------------------------------------------


def _read_rows(reading: Reading, people: People) -> None:
    if reading.layout.kind == "doses":
        read_doses(reading, people)
    elif reading.layout.kind == "people":
        read_people(reading, people)
    else:
        _read_results(reading, people)
    tell_read_as(reading)


def _read_results(reading: Reading, people: People) -> None:
    _describe_everybody(reading, people)
    others: dict[str, list[int]] = {}
    for found in found_in(reading):
        person = people.person(found.person, reading.grid.source)
        outcome = interpret(found.raw, library=reading.library, options=reading.options)
        reading.teller.pass_on(outcome.notices, about=found.about, person=person.id)
        if outcome.count is not None:
            person.counts.append(_as_written(outcome.count, found, reading))
        elif outcome.kind == "other":
            person.signs.append(_sign(reading, found))
            others.setdefault(found.about, []).append(found.raw.place.line or 0)
    if others:
        names = [f"{name} ({len(lines)})" for name, lines in others.items()]
        first = min(line for lines in others.values() for line in lines)
        reading.teller.say("LK517", f"no blood counts, kept as measurements: {some(names)}", line=first)


def _as_written(count: Count, found: Found, reading: Reading) -> Count:
    """The count with the name that stands in the table, where the column map gave it another."""
    if not reading.column_map.analytes or count.origin.name_text == found.written:
        return count
    return replace(count, origin=replace(count.origin, name_text=found.written))


def _describe_everybody(reading: Reading, people: People) -> None:
    if not {"born", "sex", "age"} & (reading.layout.roles.keys() | reading.layout.said.keys()):
        return
    for line, cells in reading.rows():
        describe(reading, people.person(reading.person(line, cells), reading.grid.source), line, cells)


def _sign(reading: Reading, found: Found) -> Sign:
    raw = found.raw
    return Sign(
        id=raw.id,
        name=raw.names[0] if raw.names else found.about,
        codes=raw.codes,
        value=to_number(reading, raw.value_text or "") if raw.bound == "=" else None,
        unit=raw.unit_text or None,
        text=raw.value_text,
        taken=raw.taken,
        origin=Origin(
            place=raw.place,
            value_text=raw.value_text or "",
            unit_text=raw.unit_text,
            name_text=raw.names[0] if raw.names else "",
            codes=raw.codes,
            interval_text=raw.interval_text,
        ),
    )
