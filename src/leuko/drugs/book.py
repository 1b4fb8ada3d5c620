"""What the knowledge says of time: the windows of a medicine, its class where it has none, and the house rules."""

from __future__ import annotations

from collections.abc import Mapping

from leuko.drugs.names import Index, index_of
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.same import once_for
from leuko.knowledge.schema.drugs import (
    CausalityCategory,
    CausalityExclusion,
    CausalityItemRow,
    DrugRow,
    DrugRule,
    DrugWindow,
)
from leuko.result import Citation


class Book(Frozen, frozen=True, kw_only=True):
    """The part of the library that medicines are judged by."""

    library: Library
    index: Index
    windows: Mapping[tuple[str, str], DrugWindow]
    rules: Mapping[str, DrugRule]
    items: tuple[CausalityItemRow, ...]
    categories: tuple[CausalityCategory, ...]
    exclusions: tuple[CausalityExclusion, ...]

    def days(self, rule: str) -> float:
        """A house rule [days]."""
        return self.rules[rule].days

    def own(self, row: DrugRow, what: str) -> DrugWindow | None:
        """The confirmed window of the medicine itself."""
        window = self.windows.get((row.id, what))
        return window if window is not None and window.basis.drives else None

    def shared(self, row: DrugRow, what: str) -> DrugWindow | None:
        """The confirmed window of its class, where it has none of its own."""
        window = self.windows.get((row.windows_of, what)) if self.own(row, what) is None else None
        return window if window is not None and window.basis.drives else None

    def window(self, row: DrugRow, what: str) -> DrugWindow | None:
        """Its own window, else that of its class."""
        return self.own(row, what) or self.shared(row, what)

    def item(self, scheme: str, asks: str) -> CausalityItemRow:
        """The item of a causality scheme that asks for one finding."""
        return next(row for row in self.items if row.scheme == scheme and row.asks == asks)

    def cite_rule(self, rule: str) -> Citation:
        """The printable source of a house rule."""
        return self.library.cite(self.rules[rule].basis)

    def cite(self, *rows: DrugRow | DrugWindow | CausalityItemRow | CausalityExclusion | None) -> tuple[Citation, ...]:
        """The printable sources of rows that drive."""
        found = (self.library.cite(row.basis) for row in rows if row is not None and row.basis.drives)
        return tuple(dict.fromkeys(found))


@once_for
def book_of(library: Library) -> Book:
    """The book of a library."""
    return Book(
        library=library,
        index=index_of(library),
        windows={(row.drug, row.what): row for row in library.rows(DrugWindow)},
        rules={row.id: row for row in library.rows(DrugRule)},
        items=tuple(sorted(library.rows(CausalityItemRow), key=lambda row: (row.scheme, row.number))),
        categories=tuple(sorted(library.rows(CausalityCategory), key=lambda row: (row.scheme, row.order))),
        exclusions=library.rows(CausalityExclusion),
    )
