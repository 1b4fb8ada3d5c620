"""Understand a table: find its header and what stands above and below it, and settle its layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from types import MappingProxyType

from leuko.errors import UsageError
from leuko.frozen import replace
from leuko.intake.table.columnmap import ColumnMap
from leuko.intake.table.columns import Columns
from leuko.intake.table.dates import looks_like_date
from leuko.intake.table.grid import Grid
from leuko.intake.table.layout import Layout
from leuko.intake.table.numbers import is_number
from leuko.intake.table.recognise import Names, analyte_in, unit_like
from leuko.intake.table.words import Words, key_of

HEADER_ROWS = 80  # rows in which a header is looked for; what stands before it is a preamble
SAMPLE = 200  # rows looked at to tell what a column holds
_PREAMBLE_ROLES = frozenset({"patient", "patient_name", "born", "sex", "date", "time", "specimen", "sample", "issued"})


def understand(grid: Grid, *, words: Words, names: Names, column_map: ColumnMap) -> Layout | str:
    """The layout of a table, or in words why it cannot be understood. Raises UsageError for a map that does not fit."""
    at = _header_row(grid, words, names, column_map)
    if at is None:
        return "no line of it holds headers that leuko knows"
    line, headers, body = _headers_at(grid, at, words)
    sample = [cells for _, cells in grid.rows[body : body + SAMPLE]]
    columns = Columns(headers, sample, words=words, names=names)
    columns.apply(column_map)
    columns.sniff()
    layout = columns.layout(line, body)
    if layout is None or (
        column_map.layout and layout.kind != column_map.layout and not columns.can_be(column_map.layout)
    ):
        return columns.missing()
    kind = column_map.layout or layout.kind
    preamble = grid.rows[:at] if at >= 0 else ()
    return _with_unit_row(
        grid,
        replace(
            layout,
            kind=kind,  # type: ignore[arg-type]
            preamble=tuple(number for number, _ in preamble),
            said=MappingProxyType(_said(preamble, words)),
        ),
    )


def _headers_at(grid: Grid, at: int, words: Words) -> tuple[int | None, tuple[str, ...], int]:
    if at < 0:
        return None, tuple("" for _ in range(grid.width)), 0
    line, headers = grid.rows[at]
    return line, _two_rows(headers, grid.rows[at + 1][1], words) if at + 1 < len(grid.rows) else headers, at + 1


def _two_rows(headers: tuple[str, ...], below: tuple[str, ...], words: Words) -> tuple[str, ...]:
    """A header of two rows: where the first is empty and the second, else of units, holds a header word, it counts."""
    if len(below) < len(headers) or not all(unit_like(cell) or words.meaning(cell) for cell in below if cell):
        return headers
    return tuple(
        cell if not header and words.meaning(cell) else header for header, cell in zip(headers, below, strict=False)
    )


def _header_row(grid: Grid, words: Words, names: Names, column_map: ColumnMap) -> int | None:
    """The index of the header row; -1 where the column map says that there is none."""
    if column_map.header_line == 0:
        return -1
    if column_map.header_line is not None:
        for index, (line, _) in enumerate(grid.rows):
            if line == column_map.header_line:
                return index
        raise UsageError(
            f"there is nothing on line {column_map.header_line}",
            where=f"{column_map.where}, header_line",
            do="correct it",
        )
    wanted = {key_of(ref) for ref in column_map.columns.values() if isinstance(ref, str)}
    rows = grid.rows[: 1 if grid.one_row_header else HEADER_ROWS]
    scores = [_header_score(cells, words, names, wanted) for _, cells in rows]
    # the first row that is about as good as the best: a second table further down must not make this one a preamble
    enough = max(scores, default=0.0) * 0.6
    return next((index for index, score in enumerate(scores) if score > 0 and score >= enough), None)


def _header_score(cells: Sequence[str], words: Words, names: Names, wanted: set[str]) -> float:
    """How much a row looks like a header; 0 where it does not."""
    filled = [cell for cell in cells if cell]
    roles = sum(1 for cell in filled if words.meaning(cell) or key_of(cell) in wanted or words.marked(cell))
    analytes = sum(1 for cell in filled if not words.meaning(cell) and analyte_in(cell, names))
    dates = sum(1 for cell in filled if looks_like_date(cell))
    numbers = sum(1 for cell in filled if is_number(cell) and not looks_like_date(cell))
    if not (roles or analytes > 1 or (dates > 1 and not numbers) or (analytes and not dates and not numbers)):
        return 0.0
    if len(filled) == 1 and not analytes:  # a title such as "Patient" above the table
        return 0.1 if roles else 0.0
    return 2.0 * roles + 2.0 * analytes + 1.5 * dates - 2.0 * numbers


def _said(preamble: Iterable[tuple[int, Sequence[str]]], words: Words) -> dict[str, str]:
    """What lines such as "Patient;4711" or "Collected: 2024-05-03" before the header say of the whole table."""
    found: dict[str, str] = {}
    for _, cells in preamble:
        filled = [cell for cell in cells if cell]
        pairs = list(pairwise(filled))
        pairs += [(left, right) for cell in filled for left, mark, right in [cell.partition(":")] if mark]
        for left, right in pairs:
            meaning = words.meaning(left)
            if meaning is None or meaning.role not in _PREAMBLE_ROLES or not right.strip() or words.meaning(right):
                continue
            # "Date" above a report may be the day that it was printed; only a word for the collection counts
            if meaning.role != "date" or meaning.rank == 1:
                found.setdefault(meaning.role, right.strip())
    return found


# ---- a row of units below the header --------------------------------------------------------------------------------


def _with_unit_row(grid: Grid, layout: Layout) -> Layout:
    """A first row that holds the units of the columns ("10^9/L; %; g/dL") is no row of data."""
    if layout.kind != "wide" or layout.body >= len(grid.rows):
        return layout
    _, cells = grid.rows[layout.body]
    under = [cells[column.index] if column.index < len(cells) else "" for column in layout.results]
    filled = [cell for cell in under if cell]
    if not filled or not all(map(unit_like, filled)):
        return layout
    units = {column.index: cell for column, cell in zip(layout.results, under, strict=True) if cell}
    return replace(layout, units=MappingProxyType(units), body=layout.body + 1)


# ---- several tables in one file -------------------------------------------------------------------------------------


def split_tables(grid: Grid, layout: Layout, *, words: Words, names: Names) -> tuple[Grid, Grid | None, frozenset[int]]:
    """The table that a layout is of, what follows from the next header on, and the lines that repeat its own header.

    A second header in another order would give every value below it to the wrong analyte.
    """
    own = tuple(header.casefold() for header in layout.headers if header)
    repeated: list[int] = []
    for index in range(layout.body, len(grid.rows)):
        line, cells = grid.rows[index]
        if not _is_header(cells, layout, words, names):
            continue
        if tuple(cell.casefold() for cell in cells if cell) != own:
            first, rest = grid.rows[:index], grid.rows[index:]
            return replace(grid, rows=first), replace(grid, rows=rest), frozenset(repeated)
        repeated.append(line)
    return grid, None, frozenset(repeated)


def _is_header(cells: Sequence[str], layout: Layout, words: Words, names: Names) -> bool:
    """Whether a row below the header is a header itself; in a transposed table one that holds dates."""
    filled = [cell for cell in cells if cell]
    if layout.kind == "transposed":
        return sum(map(looks_like_date, filled)) > 1
    if any(cell[0].isdigit() for cell in filled):
        return False
    roles = sum(1 for cell in filled if words.meaning(cell))
    known = roles + sum(1 for cell in filled if not words.meaning(cell) and analyte_in(cell, names))
    return roles > 0 and known > 1 and known * 2 >= len(filled)
