"""One frozen object that holds all knowledge, and the questions asked of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec
import rtoml

from leuko.errors import KnowledgeError, UsageError
from leuko.frozen import Frozen
from leuko.knowledge.further import further_kinds, kind_name
from leuko.knowledge.keys import unknown_keys
from leuko.knowledge.schema import (
    Analyte,
    Basis,
    CodeRow,
    CourseRules,
    DefinitionRow,
    GradeScheme,
    IntervalRow,
    NoticeEntry,
    Row,
    Source,
)
from leuko.knowledge.stored import Stored, rows_in, store, stored_for
from leuko.result import Citation

Entry = TypeVar("Entry", bound=Row)
Key = TypeVar("Key", bound=Hashable)
Table = dict[str, Any]

_CORE = ("sources", "grades", "definitions", "intervals", "course", "analytes", "codes", "notices")
FOLDERS = (*_CORE, *sorted({kind.FOLDER for kind in further_kinds()}))


class Further(Frozen, frozen=True, kw_only=True):
    """The files of the further tables by folder; a folder is parsed when one of its tables is asked for, and kept.

    `stored` are the rows that an earlier start read from the same files.
    """

    files: Mapping[str, tuple[tuple[str, bytes], ...]]
    stored: Stored | None = None
    parsed: dict[str, list[tuple[str, Table]]]
    kept: dict[type[Any], tuple[Any, ...]]

    def read(self, kind: type[Entry]) -> tuple[Entry, ...]:
        """The rows of one kind, in the order of the files."""
        if kind not in self.kept:
            self.kept[kind] = self._rows(kind)
        return self.kept[kind]

    def _rows(self, kind: Any) -> tuple[Any, ...]:
        found = rows_in(self.stored, kind)
        if found is not None:
            return found
        if kind.FOLDER not in self.parsed:
            files = self.files.get(kind.FOLDER, ())
            self.parsed[kind.FOLDER] = [(name, _parse(name, content)) for name, content in files]
        tables = self.parsed[kind.FOLDER]
        keys = {other.KEY for other in further_kinds() if other.FOLDER == kind.FOLDER}
        return tuple(_Rows({kind.FOLDER: tables}, frozenset(keys)).keyed(kind.FOLDER, kind.KEY, kind, _id_of).values())


def _id_of(row: Any) -> str:
    return str(row.id)


class Library(Frozen, frozen=True, kw_only=True):
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
    further: Further
    cited: dict[int, tuple[Basis, Source, Citation]] = msgspec.field(default_factory=dict)
    """Citations that were made, by which basis they are of; with the source, as another library may have another."""

    def rows(self, kind: type[Entry]) -> tuple[Entry, ...]:
        """All rows of a further kind (knowledge/schema), read when first asked for.

        Raises KnowledgeError, naming file and row, as `load_library` does.
        """
        first = kind not in self.further.kept
        found = self.further.read(kind)
        for row in found if first else ():
            if row.basis.source not in self.sources:  # type: ignore[attr-defined]
                _require_source(self, *_basis_of(row))
        return found

    def scheme(self, scheme: str, edition: str) -> GradeScheme:
        """The named edition of a grading scheme; UsageError with the known ones if there is none."""
        for candidate in self.schemes:
            if (candidate.id, candidate.edition) == (scheme, edition):
                return candidate
        known = ", ".join(f"{s.id}-{s.edition}" for s in self.schemes)
        raise UsageError(f"no grading scheme '{scheme}-{edition}'", why=f"known: {known}", do="name one of these")

    def editions_in_force(self, on: date) -> tuple[GradeScheme, ...]:
        """The editions in force on a day."""
        return tuple(s for s in self.schemes if s.in_force_from <= on and (s.in_force_to is None or on < s.in_force_to))

    def cite(self, basis: Basis) -> Citation:
        """The printable citation of a row."""
        source = self.sources[basis.source]
        kept = self.cited.get(id(basis))
        if kept is not None and kept[0] is basis and kept[1] is source:
            return kept[2]
        made = self._citation(basis, source)
        self.cited[id(basis)] = basis, source, made
        return made

    def cite_all(self, bases: Iterable[Basis]) -> tuple[Citation, ...]:
        """The printable citations of several rows, each once."""
        found = [self.cite(basis) for basis in bases]
        return tuple(found) if len(found) < 2 else tuple(dict.fromkeys(found))

    @staticmethod
    def _citation(basis: Basis, source: Source) -> Citation:
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

    Raises KnowledgeError, naming file and row, where a file breaks the schema, uses an unknown key, repeats an id or
    names a source that does not exist.
    """
    for folder in extra:
        _require_known_folders(folder)
    return _shipped() if not extra else _build((_home(), *extra))


def read_library(folder: Path) -> Library:
    """Read one folder of knowledge alone, without the shipped files: an older or another edition, for comparison."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", do=f"name a folder with {', '.join(FOLDERS)}")
    return _build((folder,))


@lru_cache(maxsize=1)
def _shipped() -> Library:
    return _build((_home(),), kept=True)


def _home() -> Any:
    return Path(__file__).parents[1] / "data"


def _build(roots: tuple[Any, ...], *, kept: bool = False) -> Library:
    """The library of some folders; with `kept`, from what an earlier start read, or kept for the next one."""
    digest = hashlib.sha256()
    files: dict[str, tuple[tuple[str, bytes], ...]] = {}
    for folder, name, content in sorted(_files(roots)):
        digest.update(f"{folder}/{name}\0".encode() + content + b"\0")
        if folder in FOLDERS:
            files[folder] = (*files.get(folder, ()), (f"{folder}/{name}", content))
    stored = stored_for(digest.hexdigest()) if kept else None
    core = _core_stored(stored) or _core_read(files)
    library = _library(digest.hexdigest(), core, files, stored)
    _require_sources(library)
    if kept and stored is None:
        store(library.hash, lambda: (*zip(_KINDS, core, strict=True), *_every_further(library)))
    return library


_KINDS: Final = (Source, GradeScheme, DefinitionRow, IntervalRow, CourseRules, Analyte, CodeRow, NoticeEntry)
_Core = tuple[tuple[Any, ...], ...]
"""The rows of each of `_KINDS`."""


def _core_stored(stored: Stored | None) -> _Core:
    """The rows as an earlier start read them; nothing where any are not there."""
    found = [rows_in(stored, kind) for kind in _KINDS]
    return tuple(rows for rows in found if rows is not None) if None not in found else ()


def _core_read(files: Mapping[str, tuple[tuple[str, bytes], ...]]) -> _Core:
    rows = _Rows(
        {folder: [(name, _parse(name, content)) for name, content in files.get(folder, ())] for folder in _CORE}
    )
    return (
        tuple(rows.keyed("sources", "source", Source, _id_of).values()),
        rows.whole("grades", GradeScheme),
        tuple(rows.keyed("definitions", "definition", DefinitionRow, _id_of).values()),
        tuple(rows.keyed("intervals", "interval", IntervalRow, _id_of).values()),
        tuple(rows.keyed("course", "course", CourseRules, lambda row: row.analyte).values()),
        tuple(rows.keyed("analytes", "analyte", Analyte, _id_of).values()),
        tuple(rows.keyed("codes", "code", CodeRow, lambda row: (row.system, row.code)).values()),
        tuple(rows.keyed("notices", "notice", NoticeEntry, lambda row: row.code).values()),
    )


def _library(
    digest: str, core: _Core, files: Mapping[str, tuple[tuple[str, bytes], ...]], stored: Stored | None
) -> Library:
    sources, schemes, definitions, intervals, course, analytes, codes, notices = core
    further = {folder: found for folder, found in files.items() if folder not in _CORE}
    return Library(
        hash=digest,
        sources=MappingProxyType({row.id: row for row in sources}),
        schemes=schemes,
        definitions=definitions,
        intervals=intervals,
        course=MappingProxyType({row.analyte: row for row in course}),
        analytes=MappingProxyType({row.id: row for row in analytes}),
        codes=MappingProxyType({(row.system, row.code): row for row in codes}),
        notices=MappingProxyType({row.code: row for row in notices}),
        further=Further(files=MappingProxyType(further), stored=stored, parsed={}, kept={}),
    )


def _every_further(library: Library) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    yield from ((kind, library.rows(kind)) for kind in further_kinds())


def _files(roots: tuple[Any, ...]) -> Iterator[tuple[str, str, bytes]]:
    for root in roots:
        for entry in root.iterdir():
            if entry.is_dir():
                for file in entry.iterdir():
                    if file.name.endswith(".toml"):
                        yield entry.name, file.name, file.read_bytes()


def _require_known_folders(root: Path) -> None:
    """A site's own folder may hold the folders below and nothing else: a mistyped one would go unread."""
    for entry in sorted(root.iterdir()):
        stray = entry.name not in FOLDERS if entry.is_dir() else entry.suffix == ".toml"
        if stray and not entry.name.startswith("."):
            raise KnowledgeError(
                f"{entry.name} would go unread",
                where=str(entry),
                why=f"knowledge stands in these folders: {', '.join(FOLDERS)}",
                do="move or rename it",
            )
    if not any(root.glob("*/*.toml")):
        raise KnowledgeError(
            "this folder holds no knowledge",
            where=str(root),
            why=f"knowledge stands in TOML files in these folders: {', '.join(FOLDERS)}",
            do="name the folder that holds them",
        )


def _parse(name: str, content: bytes) -> Table:
    try:
        return rtoml.loads(content.decode())
    except (rtoml.TomlParsingError, UnicodeDecodeError) as error:
        raise KnowledgeError(
            "a knowledge file is not valid TOML", where=name, why=str(error), do="correct that line"
        ) from error


class _Rows:
    """Turns parsed files into rows; a file's `[basis]` is the default for each of its rows."""

    def __init__(self, tables: dict[str, list[tuple[str, Table]]], beside: frozenset[str] = frozenset()) -> None:
        """`beside` are the keys that other kinds of row may use in the same files."""
        self._tables, self._beside = tables, beside

    def keyed(self, folder: str, key: str, kind: type[Entry], name_of: Callable[[Entry], Key]) -> Mapping[Key, Entry]:
        found: dict[Key, Entry] = {}
        for file, table in self._tables.get(folder, []):
            allowed = (key, "basis", *sorted(self._beside - {key}))
            _refuse_unknown(file, set(table) - set(allowed), allowed=allowed)
            default = table.get("basis", {})
            for raw in table.get(key, []):
                row = _convert(file, key, _with_basis(raw, default), kind)
                _add(found, name_of(row), row, file, key)
        return MappingProxyType(found)

    def whole(self, folder: str, kind: type[GradeScheme]) -> tuple[GradeScheme, ...]:
        found: dict[tuple[str, str], GradeScheme] = {}
        rules: dict[str, None] = {}
        for file, table in self._tables.get(folder, []):
            default = table.get("basis", {})
            rows = [_with_basis(row, default) for row in table.get("rules", [])]
            scheme = _convert(file, "scheme", {**table, "rules": rows}, kind)
            _add(found, (scheme.id, scheme.edition), scheme, file, "scheme")
            for rule in scheme.rules:
                _add(rules, rule.id, None, file, "rule")
        return tuple(found.values())


def _add(found: dict[Key, Any], name: Key, row: Any, file: str, kind: str) -> None:
    if name in found:
        label = " ".join(name) if isinstance(name, tuple) else name
        raise KnowledgeError(
            f"two rows carry the same {kind} id: {label}",
            where=file,
            why="an id names one row; a later file may add rows but never replace one",
            do="give the new row an id of its own",
        )
    found[name] = row


def _with_basis(row: Table, default: Table) -> Table:
    """The row with the file's `[basis]` filled in. A row that names its own source takes nothing from another's."""
    own = row.get("basis", {})
    filled = own if "source" in own else {**default, **own}
    return {**row, "basis": filled} if filled else row


def _convert(file: str, key: str, row: Table, kind: type[Entry]) -> Entry:
    label = row.get("id") or row.get("code") or row.get("analyte") or "?"
    where = f"{file}, {key} {label}"
    try:
        return msgspec.convert(row, kind)
    except msgspec.ValidationError as error:
        _refuse_unknown(where, unknown_keys(row, kind))
        raise KnowledgeError(f"a {key} breaks the schema", where=where, why=str(error)) from error


def _refuse_unknown(where: str, wrong: set[str], *, allowed: tuple[str, ...] = ()) -> None:
    if wrong:
        raise KnowledgeError(
            "a knowledge file uses a key that means nothing",
            where=where,
            why=f"unknown: {', '.join(sorted(wrong))}",
            do=f"use only {' and '.join(allowed)}"
            if allowed
            else "look for a typing error; keys are in knowledge/schema.py",
        )


def _require_sources(library: Library) -> None:
    for label, basis in bases(library):
        _require_source(library, label, basis)


def _require_source(library: Library, label: str, basis: Basis) -> None:
    if basis.source not in library.sources:
        raise KnowledgeError(
            f"{label} names a source that does not exist",
            where=basis.source,
            do="add the source to sources/, or correct its id",
        )


def _basis_of(row: Any) -> tuple[str, Basis]:
    return f"{kind_name(type(row))}:{row.id}", row.basis


def every_basis(library: Library) -> Iterator[tuple[str, Basis]]:
    """Every row of every table, by a printable key, with its basis; reads the further tables too."""
    yield from bases(library)
    for kind in further_kinds():
        yield from map(_basis_of, library.rows(kind))


def bases(library: Library) -> Iterator[tuple[str, Basis]]:
    """Every row of the core tables that rests on a source, by a printable key, with its basis."""
    yield from ((key, basis) for key, basis, _ in core_rows(library))


def core_rows(library: Library) -> Iterator[tuple[str, Basis, Any]]:
    """The same, each with the row that the basis stands in; of a single number of a course, the rules of the course."""
    for scheme in library.schemes:
        yield f"{scheme.id}-{scheme.edition}", scheme.basis, scheme
        yield from ((rule.id, rule.basis, rule) for rule in scheme.rules)
    yield from ((f"definition:{row.id}", row.basis, row) for row in library.definitions)
    yield from ((f"interval:{row.id}", row.basis, row) for row in library.intervals)
    for rules in library.course.values():
        yield f"course:{rules.analyte}", rules.basis, rules
        yield from ((f"course:{rules.analyte}.{name}", basis, rules) for name, basis in rules.bases.items())
    yield from ((f"analyte:{row.id}", row.basis, row) for row in library.analytes.values())
    yield from ((f"code:{row.system}|{row.code}", row.basis, row) for row in library.codes.values())
