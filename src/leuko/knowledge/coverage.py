"""How well the knowledge is confirmed, and how much of it a case in tests/cases shows at work.

A case is a table in a TOML file that a clinician can read. A row has a case where one of them names it: by its id, by
its name, or, of a grade rule, by its analyte together with its edition. The name must be a whole value or a key: a word
inside a sentence names nothing. The cases are no part of an installed leuko.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leuko.errors import UsageError
from leuko.knowledge.further import further_kinds, kind_name
from leuko.knowledge.library import Library, bases
from leuko.knowledge.schema import DRIVING, Basis

_NAMED = ("name", "concept", "title", "drug", "item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One row: its kind, its printable key, what it rests on, and the names under which a case may know it."""

    kind: str
    key: str
    basis: Basis
    names: frozenset[str]
    pair: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """All that the cases name: values and keys, and of grades the pairs of analyte and edition; in lower case."""

    values: frozenset[str]
    pairs: frozenset[tuple[str, str]]

    def name(self, row: Held) -> bool:
        """Whether one of them names the row."""
        return row.pair in self.pairs if row.pair is not None else bool(row.names & self.values)


def read_cases(folder: Path) -> Cases:
    """The cases of a folder; UsageError where there are none."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise UsageError(f"no cases in {folder}", do="name the folder tests/cases of a checkout of leuko")
    found = [case for file in files for case in _tables(tomllib.loads(file.read_text(encoding="utf-8")))]
    pairs = [(str(case.get("analyte", "")), edition) for case in found for edition in case.get("grades", {})]
    return Cases(values=frozenset(_values(found)), pairs=frozenset(pairs))


def _tables(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for rows in content.values():
        yield from (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()


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
    rules = {rule.id: (rule.analyte, f"{s.id}-{s.edition}") for s in library.schemes for rule in s.rules}
    schemes = {f"{scheme.id}-{scheme.edition}" for scheme in library.schemes}
    concepts = {f"definition:{row.id}": row.concept.lower() for row in library.definitions}
    for key, basis in bases(library):
        head, _, rest = key.partition(":")
        names = frozenset({key.lower(), rest.lower(), concepts.get(key, "")} - {""})
        yield Held(kind="grade" if head in schemes else head, key=key, basis=basis, names=names, pair=rules.get(key))
    for kind in further_kinds():
        for row in library.rows(kind):
            key = f"{kind_name(kind)}:{row.id}"
            yield Held(kind=kind_name(kind), key=key, basis=row.basis, names=_names(row, key, f"{kind.KEY}:{row.id}"))


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
