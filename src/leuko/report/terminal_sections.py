"""The sections beyond the four answers in the full view in the terminal: everything, nothing folded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from leuko.report.blocks import Entry, Group, Line, Section, Table
from leuko.report.references import References
from leuko.report.terminal_parts import TONES, fitting, indented, table, text, title

if TYPE_CHECKING:
    from rich.console import RenderableType

_NAMES: Final = 30  # columns in which the names of rows may be wrapped, and
_CELL: Final = 14  # those of any other cell
_BETWEEN: Final = 2  # columns from one column of a table to the next


def drawn(section: Section, refs: References) -> Iterator[RenderableType]:
    """A section with its groups."""
    yield from title(section.title)
    yield from (indented(_line(line, refs)) for line in section.lead)
    for group in section.groups:
        if not group.empty:
            yield from _group(group, refs)


def _group(group: Group, refs: References) -> Iterator[RenderableType]:
    if group.title:
        yield ""
        yield indented(text((group.title, "bold")))
    if group.table is not None:
        if group.table.caption:
            yield indented(text((group.table.caption, "dim")))
        yield _rows(group.table, refs, left=2)
    for entry in group.entries:
        yield from _entry(entry, refs)


def _entry(entry: Entry, refs: References) -> Iterator[RenderableType]:
    if entry.title:
        tag = (f"  {entry.tag}", TONES[entry.tone] or "dim") if entry.tag else ""
        yield indented(text((entry.title, "bold"), tag, (refs.marks(entry.citations), "cyan")))
    yield from (indented(_line(line, refs), 4) for line in (*entry.lines, *entry.more))
    for each in entry.tables:
        yield indented(text((each.caption, "dim")), 4)
        yield _rows(each, refs, left=4)


def _line(line: Line, refs: References) -> RenderableType:
    label = (f"{line.label}: ", "dim") if line.label else ""
    return text(label, (line.text, TONES[line.tone]), (refs.marks(line.citations), "cyan"))


def _rows(found: Table, refs: References, *, left: int) -> RenderableType:
    """A table with the columns that fit: what is left away stands in the entries of the group."""
    every = tuple(range(len(found.columns)))
    whole = _columns(found, refs, every)
    if not found.narrow:
        return indented(whole, left)
    widest = [max(map(len, (found.columns[n], *(row[n].text for row in found.rows)))) for n in every]
    room = min(widest[0], _NAMES) + sum(min(width, _CELL) for width in widest[1:]) + _BETWEEN * len(widest)
    return indented(fitting(whole, _columns(found, refs, found.narrow), room=room), left)


def _columns(found: Table, refs: References, kept: tuple[int, ...]) -> Any:
    made = table(*(found.columns[number] for number in kept))
    for row in found.rows:
        cells = [row[number] for number in kept]
        made.add_row(*(text((each.text, TONES[each.tone]), refs.marks(each.citations)) for each in cells))
    return made
