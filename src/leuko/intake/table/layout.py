"""What the columns of a table are, and how the table lies: long, wide, transposed, medicines or people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from leuko.errors import UsageError
from leuko.intake.names import index_of
from leuko.intake.table.columnmap import ColumnMap, Reference
from leuko.intake.table.dates import looks_like_date
from leuko.intake.table.grid import Grid
from leuko.intake.table.numbers import is_number
from leuko.intake.table.words import Words, key_of, split_header
from leuko.knowledge import Library
from leuko.units import UnitRefused, readings

Kind = Literal["long", "wide", "transposed", "doses", "people"]
HEADER_ROWS = 80  # rows in which a header is looked for; what stands before it is a preamble
SAMPLE = 200  # rows looked at to tell what a column holds
_BESIDE = ("unit", "flag", "low", "high", "range")
_PREAMBLE_ROLES = frozenset({"patient", "patient_name", "born", "sex", "date", "time", "specimen", "sample", "issued"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultColumn:
    """A column of one analyte's values; `unit` stands in its header, the other fields are columns beside it."""

    index: int
    header: str
    name: str
    unit: str = ""
    beside: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A table understood. Columns are numbered from 0; `roles` gives each role its columns, the best first, and `columns` the best.

    `results` are the columns of a wide table, `dates` the columns of a transposed one. `body` is the index of the first row
    of data. `units` is the unit row below a header, by column. `said` is what the lines before the header say of the whole
    table. `known_width` is the number of columns that have a meaning or at least a header. `marks` are an analyser's marks on the sample, `second` its second readings, `unread` what has no meaning here.
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


class Names:
    """Which texts name an analyte, by the library's own names and the column map's."""

    def __init__(self, library: Library, mapped: Iterable[str] = ()) -> None:
        self._index = index_of(library)
        self._ids = frozenset(map(key_of, library.analytes))
        self._mapped = frozenset(map(key_of, mapped)) - {""}

    def holds(self, text: str) -> bool:
        """Whether a text names an analyte."""
        key = key_of(text)
        return bool(key) and (key in self._mapped or key in self._ids or bool(self._index.read(text).ids))


@lru_cache(maxsize=4096)
def is_unit(text: str) -> bool:
    """Whether a text is a unit that leuko knows."""
    try:
        readings(text)
    except UnitRefused:
        return False
    return not is_number(text)


@lru_cache(maxsize=4096)
def unit_like(text: str) -> bool:
    """Whether a text looks like a unit, known or not: short, no number, no sentence."""
    if not text or len(text) > 25 or is_number(text):
        return False
    return (
        is_unit(text)
        or bool(re.search(r"[/%µμ^]", text))
        or key_of(text) in {"fl", "pg", "ul", "um3", "sec", "ratio", "s"}
    )


# ---- the whole ------------------------------------------------------------------------------------------------------


def understand(grid: Grid, *, words: Words, names: Names, column_map: ColumnMap) -> Layout | str:
    """The layout of a table, or in words why it cannot be understood. Raises UsageError for a map that does not fit."""
    at = _header_row(grid, words, names, column_map)
    if at is None:
        return "no line of it holds headers that leuko knows"
    line, headers, body = _headers_at(grid, at)
    sample = [cells for _, cells in grid.rows[body : body + SAMPLE]]
    columns = _Columns(headers, sample, words=words, names=names)
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


def _headers_at(grid: Grid, at: int) -> tuple[int | None, tuple[str, ...], int]:
    if at < 0:
        return None, tuple("" for _ in range(grid.width)), 0
    line, headers = grid.rows[at]
    return line, headers, at + 1


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
    best = max(range(len(scores)), key=lambda index: (scores[index], -index), default=None)
    return None if best is None or scores[best] <= 0 else best


def _header_score(cells: Sequence[str], words: Words, names: Names, wanted: set[str]) -> float:
    """How much a row looks like a header; 0 where it does not."""
    filled = [cell for cell in cells if cell]
    roles = sum(1 for cell in filled if words.meaning(cell) or key_of(cell) in wanted or _marked(cell, words))
    analytes = sum(1 for cell in filled if not words.meaning(cell) and analyte_in(cell, names))
    dates = sum(1 for cell in filled if looks_like_date(cell))
    numbers = sum(1 for cell in filled if is_number(cell) and not looks_like_date(cell))
    if not (roles or analytes > 1 or (dates > 1 and not numbers) or (analytes and not dates and not numbers)):
        return 0.0
    if len(filled) == 1 and not analytes:  # a title such as "Patient" above the table
        return 0.1 if roles else 0.0
    return 2.0 * roles + 2.0 * analytes + 1.5 * dates - 2.0 * numbers


def _marked(header: str, words: Words) -> bool:
    return header.startswith((*words.marks, *words.scales))


def _said(preamble: Iterable[tuple[int, Sequence[str]]], words: Words) -> dict[str, str]:
    """What lines such as "Patient;4711" or "Collected: 2024-05-03" before the header say of the whole table."""
    found: dict[str, str] = {}
    for _, cells in preamble:
        filled = [cell for cell in cells if cell]
        pairs = list(zip(filled, filled[1:], strict=False))
        pairs += [(left, right) for cell in filled for left, mark, right in [cell.partition(":")] if mark]
        for left, right in pairs:
            meaning = words.meaning(left)
            if meaning and meaning.role in _PREAMBLE_ROLES and right.strip() and not words.meaning(right):
                found.setdefault(meaning.role, right.strip())
    return found


def analyte_in(header: str, names: Names) -> tuple[str, str] | None:
    """The analyte's name and unit in a header: "WBC(10/uL)", "NEUT [G/L]", "ANC_G_per_L", "WBC 10^9/L"; None if none."""
    name, tail = split_header(header)
    if tail and unit_like(tail) and names.holds(name):
        return name, tail
    if names.holds(header) or (tail and names.holds(name)):
        return header, ""
    for match in re.finditer(r"[\s_,;:/]+(?:in\s)?", header):
        name, tail = header[: match.start()].strip(), header[match.end() :].strip().strip("()[]")
        unit = re.sub(r"[_\s]per[_\s]", "/", tail, flags=re.IGNORECASE)
        if names.holds(name) and tail and is_unit(unit):
            return name, unit
    return None


# ---- columns --------------------------------------------------------------------------------------------------------


class _Columns:
    """The columns of one table while they are being told apart."""

    def __init__(self, headers: tuple[str, ...], sample: list[tuple[str, ...]], *, words: Words, names: Names) -> None:
        width = max([len(headers), *(len(cells) for cells in sample)], default=0)
        # cells to the right of the last header are no column, unless they hold the units of the column before
        self.named = max((i + 1 for i, header in enumerate(headers) if header), default=width)
        self.headers = headers + ("",) * (width - len(headers))
        self.sample, self.words, self.names = sample, words, names
        self.roles: dict[str, list[int]] = {}
        self.results: dict[int, ResultColumn] = {}
        self.taken: set[int] = set()
        self.marks: list[int] = []
        self.second: list[int] = []
        self.dates: list[int] = []
        self.name_column: int | None = None

    # -- the column map's own words

    def apply(self, column_map: ColumnMap) -> None:
        """Give the columns that the column map names their roles. Raises UsageError for a column that is not there."""
        for role, reference in column_map.columns.items():
            index = self._find(reference, role, column_map)
            self.roles[role] = [index]
            self.taken.add(index)
        for name in column_map.analytes:
            index_ = self._numbered(name)
            if index_ is not None:
                self._take_result(index_, name, "")

    def _find(self, reference: Reference, role: str, column_map: ColumnMap) -> int:
        if isinstance(reference, int):
            if reference <= len(self.headers):
                return reference - 1
            why = f"the table has {len(self.headers)} columns"
        else:
            exact = [i for i, header in enumerate(self.headers) if header == reference]
            loose = [i for i, header in enumerate(self.headers) if key_of(header) == key_of(reference) and header]
            if exact or loose:
                return (exact or loose)[0]
            why = f"its headers are: {', '.join(header for header in self.headers if header)}"
        raise UsageError(
            f"the table has no column {reference!r}",
            where=f"{column_map.where}, columns.{role}",
            why=why,
            do="correct it",
        )

    def _numbered(self, name: str) -> int | None:
        """A result column that the map names by header or, where there is no header, by number."""
        for index, header in enumerate(self.headers):
            if index not in self.taken and header and key_of(header) == key_of(name):
                return index
        if name.isdigit() and not any(self.headers) and 1 <= int(name) <= len(self.headers):
            return int(name) - 1
        return None

    # -- sniffing

    def sniff(self) -> None:
        """Tell what every column is that the map does not name."""
        self._roles()
        self._dates()
        if "value" not in self.roles and "value_standard" not in self.roles:
            self._results()

    def _roles(self) -> None:
        mapped = set(self.roles)
        found: dict[str, list[tuple[int, int, int]]] = {}
        for index, header in enumerate(self.headers):
            if index in self.taken or not header:
                continue
            meaning = self.words.meaning(header) or self.words.meaning(split_header(header)[0])
            if meaning is None or (analyte_in(header, self.names) and not self.words.meaning(header)):
                if _marked(header, self.words):
                    self.marks.append(index)
                    self.taken.add(index)
                continue
            if meaning.role not in mapped:
                found.setdefault(meaning.role, []).append(
                    (meaning.rank, meaning.order if not meaning.languages else 0, index)
                )
            self.taken.add(index)
        for role, ranked in found.items():
            self.roles[role] = [index for *_, index in sorted(ranked)]

    def _dates(self) -> None:
        """The columns of a transposed table: their headers are dates, and some column names analytes."""
        dated = [i for i, header in enumerate(self.headers) if i not in self.taken and looks_like_date(header)]
        names = self._best_names(dated) if dated else None
        if names is not None:
            self.dates, self.name_column = dated, names
            self.taken.update([*dated, names])

    def _best_names(self, dated: list[int]) -> int | None:
        counts = Counter(
            i
            for cells in self.sample
            for i, cell in enumerate(cells)
            if i not in dated and cell and analyte_in(cell, self.names)
        )
        return counts.most_common(1)[0][0] if counts else None

    def _results(self) -> None:
        for index, header in enumerate(self.headers):
            if index not in self.taken and header and (found := analyte_in(header, self.names)):
                self._take_result(index, *found)
        self._second_readings()
        self._further_results()
        self._beside()

    def _take_result(self, index: int, name: str, unit: str) -> None:
        self.results[index] = ResultColumn(index=index, header=self.headers[index], name=name, unit=unit)
        self.taken.add(index)

    def _second_readings(self) -> None:
        """An analyser's second reading of a value that stands in the row: "NEUT#&" beside "NEUT#", "WBC-D" beside "WBC"."""
        present = {column.name.casefold() for column in self.results.values()}
        for index, column in list(self.results.items()):
            if self.words.second.get(column.name.casefold(), "") in present:
                del self.results[index]
                self.second.append(index)

    def _further_results(self) -> None:
        """Columns of other measurements: a unit in the header or in a nameless column beside."""
        for index, header in enumerate(self.headers):
            if index in self.taken or not header:
                continue
            name, tail = split_header(header)
            if (tail and unit_like(tail) and self._numeric(index)) or (
                self._nameless_units(index + 1) and self._numeric(index)
            ):
                self._take_result(index, name if tail and unit_like(tail) else header, tail if unit_like(tail) else "")

    def _beside(self) -> None:
        """Join to each result column what stands beside it: its unit, flag and limits."""
        by_name = {_owner_key(column.name): index for index, column in reversed(self.results.items())}
        besides = {index: role for role in _BESIDE for index in self.roles.get(role, ())}
        owner: int | None = None  # the result column whose own columns are being passed
        for index, header in enumerate(self.headers):
            if index in self.results:
                owner = index
            elif owner is not None and index in besides:
                self._join(owner, besides[index], index)
            elif owner is not None and self._nameless_units(index):
                self._join(owner, "unit", index)
            else:
                owner = None
                if index not in self.taken and header:
                    self._join_named(index, header, by_name)

    def _join_named(self, index: int, header: str, by_name: Mapping[str, int]) -> None:
        for match in re.finditer(r"[\s_.,:-]+|(?=/)|[(\[]", header):
            name, tail = header[: match.start()], header[match.end() :].strip(" )]")
            role = self.words.beside.get(key_of(tail))
            owner = by_name.get(_owner_key(split_header(name)[0]))
            if role is not None and owner is not None and role not in self.results[owner].beside:
                self._join(owner, role, index)
                return

    def _join(self, owner: int, role: str, index: int) -> None:
        column = self.results[owner]
        self.results[owner] = replace(column, beside=MappingProxyType({**column.beside, role: index}))
        self.taken.add(index)

    def _cells(self, index: int) -> list[str]:
        return [cells[index] for cells in self.sample if index < len(cells) and cells[index]]

    def _numeric(self, index: int) -> bool:
        cells = self._cells(index)
        return bool(cells) and sum(map(is_number, cells)) * 2 >= len(cells)

    def _nameless_units(self, index: int) -> bool:
        if index >= len(self.headers) or self.headers[index]:
            return False
        cells = self._cells(index)
        return bool(cells) and all(map(unit_like, cells))

    # -- the layout

    def can_be(self, kind: str) -> bool:
        """Whether the columns are enough for a layout."""
        has = self.roles.__contains__
        value = has("value") or has("value_standard")
        return {
            "long": value and (has("analyte") or has("code")),
            "transposed": bool(self.dates),
            "wide": bool(self.results),
            "doses": has("drug"),
            "people": (has("patient") or has("patient_name")) and (has("born") or has("sex") or has("age")),
        }[kind]

    def layout(self, line: int | None, body: int) -> Layout | None:
        """The layout that the columns make, None where they make none."""
        kinds: tuple[Kind, ...] = ("long", "transposed", "wide", "doses", "people")
        kind = next((kind for kind in kinds if self.can_be(kind)), None)
        if kind is None:
            return None
        if self.name_column is not None and kind == "transposed":
            self.roles = {role: columns for role, columns in self.roles.items() if columns != [self.name_column]}
            self.roles["analyte"] = [self.name_column]
        used = {index for columns in self.roles.values() for index in columns}
        used |= {*self.results, *self.dates, *self.marks, *self.second}
        used |= {index for column in self.results.values() for index in column.beside.values()}
        return Layout(
            kind=kind,
            header_line=line,
            headers=self.headers,
            body=body,
            roles=MappingProxyType({role: tuple(columns) for role, columns in self.roles.items() if role != "ignore"}),
            results=tuple(self.results[index] for index in sorted(self.results)),
            columns=MappingProxyType({role: columns[0] for role, columns in self.roles.items() if role != "ignore"}),
            dates=tuple(self.dates),
            marks=tuple(self.marks),
            second=tuple(self.second),
            unread=tuple(i for i in range(self.named) if i not in used and self._cells(i)),
            known_width=max([self.named, *(index + 1 for index in used)]),
            ignored=tuple(self.roles.get("ignore", ())),
            doubled=self._doubled(),
        )

    def _doubled(self) -> tuple[str, ...]:
        counts = Counter(header.casefold() for header in self.headers if header)
        return tuple(dict.fromkeys(header for header in self.headers if counts[header.casefold()] > 1))

    def missing(self) -> str:
        """In words, what keeps the columns from making a table of counts."""
        known = [f"{self.headers[columns[0]]} = {role}" for role, columns in self.roles.items() if role != "ignore"]
        heard = f"known columns: {', '.join(known)}" if known else "no column is known"
        if "value" in self.roles and not {"analyte", "code"} & self.roles.keys():
            return f"it has values but no column says what was measured; {heard}"
        if {"analyte", "code"} & self.roles.keys():
            return f"it names what was measured but no column holds the values; {heard}"
        return f"no column holds a blood count, a medicine or a person; {heard}"


def _owner_key(name: str) -> str:
    """The key by which a column beside finds its result; an analyser's "NEUT#&" is another column than "NEUT#"."""
    return key_of(name) + ("&" if name.endswith("&") else "")


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
