"""How well the knowledge is confirmed, and how much of it a case in tests/cases shows at work.

A case is a table in a TOML file that a clinician can read. A row has a case where one of them names just it: by its key
(`treat_day:T01`), by an id or a name that no other row has, or, of a grade rule, by its analyte together with its
edition. A name that several rows share names none of them, unless the file says in `kinds` which kinds of row the cases
of one of its tables are about, and only one row of that kind has the name. The name must be a whole value or a key: a
word inside a sentence names nothing. The cases are no part of an installed leuko.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from leuko.errors import UsageError
from leuko.frozen import Frozen, replace
from leuko.knowledge.further import further_kinds, kind_name
from leuko.knowledge.library import Library, core_rows
from leuko.knowledge.schema import DRIVING, Basis

_NAMED = ("name", "concept", "title", "drug", "item")


class Coverage(Frozen, frozen=True, kw_only=True):
    """How many rows of one kind there are, and how well they are confirmed; `unreviewed` rows drive no conclusion.

    `without_case` is None where there are no cases to hold them against.
    """

    kind: str
    total: int
    confirmed: int
    secondary: int
    house: int
    unreviewed: int
    without_case: int | None = None


class Held(Frozen, frozen=True, kw_only=True):
    """One row: its kind, its printable key, what it rests on, the row itself, and the names a case may know it by.

    `names` no other row has; `own` no other row of its kind has.
    """

    kind: str
    key: str
    basis: Basis
    row: Any
    names: frozenset[str]
    own: frozenset[str] = frozenset()
    pair: tuple[str, str] | None = None


class Cases(Frozen, frozen=True, kw_only=True):
    """All that cases name: values and keys, those of tables about one kind of row with the kind, and of grades the
    pairs of analyte and edition; in lower case."""

    values: frozenset[str]
    of_kind: frozenset[tuple[str, str]]
    pairs: frozenset[tuple[str, str]]

    def name(self, row: Held) -> bool:
        """Whether one of them names the row, and no other with it."""
        if row.pair is not None:
            return row.pair in self.pairs
        return bool(row.names & self.values) or any((row.kind, name) in self.of_kind for name in row.own)


def read_cases(folder: Path) -> Cases:
    """The cases of a folder; UsageError where there are none."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise UsageError(f"no cases in {folder}", do="name the folder tests/cases of a checkout of leuko")
    return cases_of(tomllib.loads(file.read_text(encoding="utf-8")) for file in files)


def cases_of(contents: Iterable[Mapping[str, Any]]) -> Cases:
    """What the cases of some files, or some of their tables, name."""
    values: set[str] = set()
    of_kind: set[tuple[str, str]] = set()
    pairs: set[tuple[str, str]] = set()
    for content in contents:
        for _, kinds, case in tables(content):
            named = frozenset(_values(case))
            values |= named
            of_kind |= {(kind, name) for kind in kinds for name in named}
            pairs |= {(str(case.get("analyte", "")), edition) for edition in case.get("grades", {})}
    return Cases(values=frozenset(values), of_kind=frozenset(of_kind), pairs=frozenset(pairs))


def tables(content: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, Any]]]:
    """Each case of a file, with its table and the kinds of row that the table is about."""
    about = content.get("kinds", {})
    for table, found in content.items():
        kinds = about.get(table, ())
        for case in found if isinstance(found, list) else ():
            if isinstance(case, dict):
                yield table, ((kinds,) if isinstance(kinds, str) else tuple(kinds)), case


def _values(value: Any) -> Iterator[str]:
    """Every string and key as a whole; the name of a case is a title, and names nothing."""
    if isinstance(value, str):
        yield value.lower()
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key.lower()
            yield from _values(inner) if key != "name" else ()
    elif isinstance(value, list):
        for item in value:
            yield from _values(item)


def rows(library: Library) -> Iterator[Held]:
    """Every row of every table."""
    found = tuple(_every_row(library))
    everywhere = Counter(name for row in found for name in row.names)
    of_kind = Counter((row.kind, name) for row in found for name in row.names)
    for row in found:
        names = frozenset(name for name in row.names if everywhere[name] == 1)
        own = frozenset(name for name in row.names if of_kind[row.kind, name] == 1)
        yield replace(row, names=names, own=own)


def _every_row(library: Library) -> Iterator[Held]:
    """Every row of every table, with every name that a case may know it by."""
    rules = {rule.id: (rule.analyte, f"{s.id}-{s.edition}") for s in library.schemes for rule in s.rules}
    schemes = {f"{scheme.id}-{scheme.edition}" for scheme in library.schemes}
    concepts = {f"definition:{row.id}": row.concept.lower() for row in library.definitions}
    for key, basis, row in core_rows(library):
        head, _, rest = key.partition(":")
        names = frozenset({key.lower(), rest.lower(), concepts.get(key, "")} - {""})
        kind = "grade" if head in schemes else head
        yield Held(kind=kind, key=key, basis=basis, row=row, names=names, pair=rules.get(key))
    for further in further_kinds():
        kind = kind_name(further)
        for row in library.rows(further):
            key = f"{kind}:{row.id}"
            names = _names(row, key, f"{further.KEY}:{row.id}")
            yield Held(kind=kind, key=key, basis=row.basis, row=row, names=names)


def _names(row: Any, *keys: str) -> frozenset[str]:
    told = [row.id, *keys, *(getattr(row, field, "") for field in _NAMED)]
    return frozenset(name.lower() for name in told if isinstance(name, str) and name)


def coverage(library: Library, cases: Cases | None = None) -> tuple[Coverage, ...]:
    """Counts of rows by kind and confidence; with cases, also of those that none of them names."""
    by_kind: dict[str, list[Held]] = {}
    for row in rows(library):
        by_kind.setdefault(row.kind, []).append(row)
    return tuple(_count(kind, by_kind[kind], cases) for kind in sorted(by_kind))


def _count(kind: str, found: list[Held], cases: Cases | None) -> Coverage:
    by_confidence = Counter(str(row.basis.confidence) for row in found)
    return Coverage(
        kind=kind,
        total=len(found),
        confirmed=by_confidence["confirmed"],
        secondary=by_confidence["secondary"],
        house=by_confidence["house"],
        unreviewed=len(found) - sum(by_confidence[name] for name in DRIVING),
        without_case=None if cases is None else sum(not cases.name(row) for row in found),
    )


def unreviewed(library: Library) -> tuple[Held, ...]:
    """The rows that are listed and drive nothing."""
    return tuple(row for row in rows(library) if not row.basis.drives)


def without_case(library: Library, cases: Cases) -> tuple[Held, ...]:
    """The rows that drive conclusions and that no case names."""
    return tuple(row for row in rows(library) if row.basis.drives and not cases.name(row))
