"""The summary in a terminal: what a person reads first, or everything."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from leuko.cohort.summary import Summary
from leuko.cohort.summary.base import Cell, Section, Table

# Sections that are shown at once, with how many of their tables.
_FIRST: Final = {"read": 3, "worst": 1, "cycles": 1, "times": 1, "definitions": 1, "causes": 1, "forecast": 2}
_MOST_ROWS: Final = 24


def render(summary: Summary, *, width: int = 100, full: bool = False) -> str:
    """The summary as text of at most `width` columns; `full` shows every section and row."""
    from rich.console import Console  # noqa: PLC0415 (only for a terminal)

    console = Console(file=io.StringIO(), width=width, color_system=None)
    for section in summary.sections:
        if full or section.id in _FIRST:
            for part in _section(section, summary, full=full):
                console.print(part)
    left = [section.title for section in summary.sections if not full and section.id not in _FIRST]
    if left:
        console.print(f"Left out here: {', '.join(left)}. All of it: --full, or summary.html.")
    assert isinstance(console.file, io.StringIO)  # noqa: S101 (made above)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def _section(section: Section, summary: Summary, *, full: bool) -> Iterator[object]:
    from rich.text import Text  # noqa: PLC0415

    yield Text(f"\n{section.title}", style="bold")
    if section.note and (full or not section.tables):
        yield Text(section.note)
    tables = section.tables if full else section.tables[: _FIRST[section.id]]
    for table in tables:
        yield from _table(table, summary, full=full or section.id != "worst")


def _table(table: Table, summary: Summary, *, full: bool) -> Iterator[object]:
    from rich import box  # noqa: PLC0415
    from rich.table import Table as Drawn  # noqa: PLC0415

    edition = str(summary.asked["edition"]).replace("-", " ").upper()
    rows = table.rows if full else tuple(row for row in table.rows if row[0] == edition)
    drawn = Drawn(box=box.SIMPLE_HEAD, title=table.title, title_justify="left", pad_edge=False)
    for column in table.columns:
        drawn.add_column(_cell(column), overflow="fold")  # a word is broken rather than cut short
    for row in rows[:_MOST_ROWS] if not full else rows:
        drawn.add_row(*map(_cell, row))
    yield drawn


def _cell(cell: Cell) -> str:
    from rich.markup import escape  # noqa: PLC0415

    return "" if cell is None else f"{cell:,}" if isinstance(cell, int) else escape(str(cell))
