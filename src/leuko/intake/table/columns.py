"""Tell the columns of one table apart: by the column map, by their headers, by what stands in them and beside them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from leuko.errors import UsageError
from leuko.frozen import replace
from leuko.intake.table.columnmap import ColumnMap, Reference
from leuko.intake.table.dates import looks_like_date
from leuko.intake.table.layout import Kind, Layout, ResultColumn
from leuko.intake.table.numbers import is_number
from leuko.intake.table.recognise import Names, analyte_in, unit_like
from leuko.intake.table.words import Words, key_of, split_header

_BESIDE = ("unit", "flag", "low", "high", "range")


class Columns:
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
                if self.words.marked(header):
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
        """Second readings of a value that stands in the row: "NEUT#&" beside "NEUT#", "WBC-D" beside "WBC"."""
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
