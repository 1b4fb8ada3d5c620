"""Everything that is needed to read the rows of one table, and the questions that a row is asked in every layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import field

from leuko.frozen import Frozen
from leuko.intake.base import ReadOptions
from leuko.intake.names import index_of
from leuko.intake.raw import RawResult
from leuko.intake.table.columnmap import ColumnMap
from leuko.intake.table.dates import UNDECIDED, DateReader
from leuko.intake.table.grid import Grid
from leuko.intake.table.layout import Layout
from leuko.intake.table.numbers import Decimals
from leuko.intake.table.tell import Teller
from leuko.intake.table.words import Words
from leuko.knowledge import Library
from leuko.record import Code, Moment

Cells = Sequence[str]


class Found(Frozen, frozen=True, kw_only=True):
    """One result of one person; `about` names its column or test, for notices that are summed up; `written` is
    the name as the table writes it, which a column map may have replaced."""

    person: str
    raw: RawResult
    about: str
    written: str


class Reading(Frozen, frozen=True, kw_only=True):
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
            return self.grid.source
        # A worklist mixes people: rows that name nobody are one person only where they are one sample.
        sample = self.cell(cells, "sample")
        stub = f"{self.grid.source}#{sample or line}"
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


def date_cells(layout: Layout, grid: Grid, role: str) -> Iterator[str]:
    """The texts that a role's dates are read from, to decide the order of day and month."""
    if role == "date" and layout.kind == "transposed":
        yield from (layout.headers[index] for index in layout.dates)
        return
    index = layout.first(role)
    if index is None:
        yield from (text for text in [layout.said.get(role, "")] if text)
        return
    for _, cells in grid.rows[layout.body :]:
        if index < len(cells) and cells[index]:
            yield cells[index]
