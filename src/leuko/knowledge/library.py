"""One frozen object that holds all knowledge, and the questions asked of it."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from leuko.errors import KnowledgeError, UsageError
from leuko.knowledge.schema import (
    Analyte,
    Basis,
    CodeRow,
    CourseRules,
    DefinitionRow,
    GradeScheme,
    IntervalRow,
    NoticeEntry,
    Source,
)
from leuko.result import Citation

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """All knowledge in force: look-ups by id, edition or date. `hash` is a SHA-256 over the files' names and bytes."""

    hash: str
    sources: Mapping[str, Source]
    schemes: tuple[GradeScheme, ...]
    definitions: tuple[DefinitionRow, ...]
    intervals: tuple[IntervalRow, ...]
    course: Mapping[str, CourseRules]
    analytes: Mapping[str, Analyte]
    codes: Mapping[tuple[str, str], CodeRow]
    notices: Mapping[str, NoticeEntry]

    def scheme(self, scheme: str, edition: str) -> GradeScheme:
        """The named edition of a grading scheme; UsageError with the known ones if there is none."""
        for candidate in self.schemes:
            if (candidate.id, candidate.edition) == (scheme, edition):
                return candidate
        known = ", ".join(f"{s.id} {s.edition}" for s in self.schemes)
        raise UsageError(f"no grading scheme {scheme} {edition}", why=f"known: {known}", do="name one of these")

    def editions_in_force(self, on: date) -> tuple[GradeScheme, ...]:
        """The editions in force on a day."""
        return tuple(s for s in self.schemes if s.in_force_from <= on and (s.in_force_to is None or on < s.in_force_to))

    def cite(self, basis: Basis) -> Citation:
        """The printable citation of a row."""
        source = self.sources[basis.source]
        url = f"https://doi.org/{source.doi}" if source.doi else source.url
        return Citation(
            source=source.id,
            title=source.title,
            locator=basis.locator,
            url=url,
            says=basis.says,
            confidence=basis.confidence,
        )


def load_library(*extra: Path) -> Library:
    """Read the shipped knowledge and any further folders; later folders may add rows but not replace shipped ids.

    Raises KnowledgeError, naming file and row, where a file breaks the schema.
    """
    return _shipped() if not extra else _build(extra)


@lru_cache(maxsize=1)
def _shipped() -> Library:
    return _build(())


def _build(extra: tuple[Path, ...]) -> Library:
    files = sorted(_files(extra))
    digest = hashlib.sha256()
    tables: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for folder, name, content in files:
        digest.update(f"{folder}/{name}\0".encode() + content + b"\0")
        tables.setdefault(folder, []).append((f"{folder}/{name}", _parse(f"{folder}/{name}", content)))
    rows = _Rows(tables)
    return Library(
        hash=digest.hexdigest(),
        sources=rows.by_id("sources", "source", Source),
        schemes=rows.whole("grades", GradeScheme),
        definitions=rows.all("definitions", "definition", DefinitionRow),
        intervals=rows.all("intervals", "interval", IntervalRow),
        course=MappingProxyType({r.analyte: r for r in rows.all("course", "course", CourseRules)}),
        analytes=rows.by_id("analytes", "analyte", Analyte),
        codes=MappingProxyType({(r.system, r.code): r for r in rows.all("codes", "code", CodeRow)}),
        notices=MappingProxyType({r.code: r for r in rows.all("notices", "notice", NoticeEntry)}),
    )


def _files(extra: tuple[Path, ...]) -> Iterator[tuple[str, str, bytes]]:
    shipped = resources.files("leuko") / "data"
    roots: list[Any] = [shipped, *extra]
    for root in roots:
        for folder in root.iterdir():
            if folder.is_dir():
                for file in folder.iterdir():
                    if file.name.endswith(".toml"):
                        yield folder.name, file.name, file.read_bytes()


def _parse(name: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KnowledgeError("a knowledge file is not valid TOML", where=name, why=str(error)) from error


class _Rows:
    """Turns parsed files into rows; a file's `[basis]` is the default for each of its rows."""

    def __init__(self, tables: dict[str, list[tuple[str, dict[str, Any]]]]) -> None:
        self._tables = tables

    def all(self, folder: str, key: str, kind: type[Row]) -> tuple[Row, ...]:
        found: list[Row] = []
        for name, table in self._tables.get(folder, []):
            default = table.get("basis", {})
            found += [_convert(name, key, _with_basis(row, default), kind) for row in table.get(key, [])]
        return tuple(found)

    def by_id(self, folder: str, key: str, kind: type[Row]) -> Mapping[str, Row]:
        return MappingProxyType({row.id: row for row in self.all(folder, key, kind)})  # type: ignore[attr-defined]

    def whole(self, folder: str, kind: type[Row]) -> tuple[Row, ...]:
        found: list[Row] = []
        for name, table in self._tables.get(folder, []):
            default = table.get("basis", {})
            rules = [_with_basis(row, default) for row in table.get("rules", [])]
            found.append(_convert(name, "scheme", {**table, "rules": rules}, kind))
        return tuple(found)


def _with_basis(row: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    return {**row, "basis": {**default, **row.get("basis", {})}} if default or "basis" in row else row


def _convert(name: str, key: str, row: dict[str, Any], kind: type[Row]) -> Row:
    try:
        return msgspec.convert(row, kind)
    except msgspec.ValidationError as error:
        label = row.get("id") or row.get("code") or "?"
        raise KnowledgeError(f"a {key} breaks the schema", where=f"{name}, {key} {label}", why=str(error)) from error
