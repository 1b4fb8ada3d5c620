"""The whole knowledge as a book: chapters of tables of rows, in the order in which it is printed and browsed."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any, Final

from leuko.frozen import Frozen
from leuko.knowledge.further import further_kinds, kind_name
from leuko.knowledge.library import Library

TITLES: Final = {
    "advice": "Advice",
    "antimicrobials": "Antimicrobials",
    "callrules": "When to call",
    "causality": "Causality of a medicine",
    "causes": "Causes",
    "drugs": "Medicines",
    "fever": "Fever with neutropenia",
    "growthfactor": "Growth factor",
    "leaflets": "The leaflet",
    "models": "Marrow models",
    "monitoring": "Monitored medicines and next counts",
    "outlook": "Outlook",
    "outputs": "Names for other programs",
    "person": "What a record tells of the person",
    "prevention": "Prevention and living with it",
    "regimens": "Chemotherapy regimens",
    "scores": "Scores",
    "steps": "Work-up",
    "symptoms": "Symptoms and red flags",
    "treatday": "The count on the day of treatment",
}


class RowTable(Frozen, frozen=True, kw_only=True):
    """The rows of one kind. `name` is empty where a chapter has one table only; `says` is the kind in a sentence."""

    name: str
    says: str
    rows: tuple[Any, ...]


class Chapter(Frozen, frozen=True, kw_only=True):
    """One grading scheme, or one folder of the knowledge. `scheme` is the scheme of a chapter of grades, else None."""

    id: str
    title: str
    tables: tuple[RowTable, ...]
    scheme: Any = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(len(table.rows) for table in self.tables)


def chapters(library: Library) -> tuple[Chapter, ...]:
    """Every chapter: the grading schemes, the core tables, then the further tables by folder."""
    schemes = (
        Chapter(
            id=f"grades-{scheme.id}-{scheme.edition}",
            title=scheme.title,
            tables=_one(scheme.rules),
            scheme=scheme,
        )
        for scheme in library.schemes
    )
    core = (
        ("definitions", "Definitions, severity bands, critical values", library.definitions),
        ("intervals", "Reference intervals", library.intervals),
        ("course", "Course over time", library.course.values()),
        ("analytes", "Analytes", library.analytes.values()),
        ("codes", "Codes of counts", library.codes.values()),
    )
    return (
        *schemes,
        *(Chapter(id=id_, title=title, tables=_one(rows)) for id_, title, rows in core),
        *_further(library),
    )


def _one(rows: Iterable[Any]) -> tuple[RowTable, ...]:
    return (RowTable(name="", says="", rows=tuple(rows)),)


def _further(library: Library) -> Iterator[Chapter]:
    for folder in sorted({kind.FOLDER for kind in further_kinds()}):
        kinds = [kind for kind in further_kinds() if folder == kind.FOLDER]
        tables = tuple(RowTable(name=kind_name(kind), says=_says(kind), rows=library.rows(kind)) for kind in kinds)
        yield Chapter(id=folder, title=TITLES.get(folder, folder.capitalize()), tables=tables)


def _says(kind: Any) -> str:
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())
