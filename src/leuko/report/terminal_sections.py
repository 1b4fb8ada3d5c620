"""The sections beyond the four answers in the terminal: short by default, everything with `full`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from leuko.report.blocks import Entry, Group, Line, Section, Table
from leuko.report.references import References
from leuko.report.terminal_parts import indented, table, text, title

if TYPE_CHECKING:
    from rich.console import RenderableType

TONES: Final = {
    "plain": "",
    "alert": "bold red",
    "for": "green",
    "against": "yellow",
    "unsure": "magenta",
    "quiet": "dim",
}


def drawn(section: Section, refs: References, *, full: bool) -> Iterator[RenderableType]:
    """A section with its groups; a short view counts what it leaves away."""
    yield from title(section.title)
    yield from (indented(_line(line, refs)) for line in section.lead)
    for group in section.groups:
        if not group.empty:
            yield from _group(group, refs, full=full)


def _group(group: Group, refs: References, *, full: bool) -> Iterator[RenderableType]:
    shown = group.entries if full else group.entries[: group.shown]
    more = len(group.entries) - len(shown)
    if group.title and (shown or group.table is not None or more):
        yield ""
        yield indented(text((group.title, "bold")))
    if group.table is not None:
        yield from _rows(group.table, refs, left=2, full=full)
    for entry in shown:
        yield from _entry(entry, refs, full=full)
    if more and group.table is None:
        also = "and " if shown else ""
        yield indented(text((f"{also}{group.left(more)} (--full)", "dim")))


def _entry(entry: Entry, refs: References, *, full: bool) -> Iterator[RenderableType]:
    if entry.title:
        tag = (f"  {entry.tag}", TONES[entry.tone] or "dim") if entry.tag else ""
        yield indented(text((entry.title, "bold"), tag, (refs.marks(entry.citations), "cyan")))
    lines = [*entry.lines, *(entry.more if full else ())]
    yield from (indented(_line(line, refs), 4) for line in lines)
    for each in entry.tables if full else ():
        yield indented(text((each.caption, "dim")), 4)
        yield from _rows(each, refs, left=4, full=True)


def _line(line: Line, refs: References) -> RenderableType:
    label = (f"{line.label}: ", "dim") if line.label else ""
    return text(label, (line.text, TONES[line.tone]), (refs.marks(line.citations), "cyan"))


def _rows(found: Table, refs: References, *, left: int, full: bool) -> Iterator[RenderableType]:
    """A table with the columns that fit: what is left away stands in the entries of the group."""
    kept = found.narrow or tuple(range(len(found.columns)))
    shown = found.rows if full else found.rows[: found.shown]
    made = table(*(found.columns[number] for number in kept))
    for row in shown:
        cells = [row[number] for number in kept]
        made.add_row(*(text((each.text, TONES[each.tone]), refs.marks(each.citations)) for each in cells))
    yield indented(made, left)
    if len(shown) < len(found.rows):
        yield indented(text((f"and {len(found.rows) - len(shown)} more: --full shows them", "dim")), left)
