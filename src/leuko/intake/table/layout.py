"""The shapes of a table that is understood: what its columns are, and how it lies."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import field

from leuko.frozen import Frozen

Kind = Literal["long", "wide", "transposed", "doses", "people"]


class ResultColumn(Frozen, frozen=True, kw_only=True):
    """A column of one analyte's values; `unit` stands in its header, the other fields are columns beside it."""

    index: int
    header: str
    name: str
    unit: str = ""
    beside: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


class Layout(Frozen, frozen=True, kw_only=True):
    """A table understood. Columns are numbered from 0.

    `roles` gives each role its columns, the best first, and `columns` the best alone. `results` are the columns of a
    wide table, `dates` those of a transposed one. `body` is the index of the first row of data. `units` is the unit row
    below a header, by column. `said` is what the lines before the header say of the whole table, `preamble` their
    numbers. `marks` are an analyser's marks on the sample, `second` its second readings, `ignored` what is known to be
    no result, `unread` what has no meaning here, `doubled` the headers that stand more than once. `known_width` is the
    number of columns that have a meaning or at least a header.
    """

    kind: Kind
    header_line: int | None
    headers: tuple[str, ...]
    body: int
    roles: Mapping[str, tuple[int, ...]]
    results: tuple[ResultColumn, ...] = ()
    dates: tuple[int, ...] = ()
    units: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    said: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    preamble: tuple[int, ...] = ()
    marks: tuple[int, ...] = ()
    second: tuple[int, ...] = ()
    unread: tuple[int, ...] = ()
    ignored: tuple[int, ...] = ()
    doubled: tuple[str, ...] = ()
    known_width: int = 0
    columns: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def first(self, role: str) -> int | None:
        """The column of a role, the best where several have it."""
        return self.columns.get(role)

    def title(self, index: int) -> str:
        """How a column is called in notices."""
        header = self.headers[index] if index < len(self.headers) else ""
        return header or f"column {index + 1}"
