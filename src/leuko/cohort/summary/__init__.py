"""What a paper prints of a cohort: one set of sections for the terminal, the page and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from leuko.cohort.outputs.definitions import report_row
from leuko.cohort.summary import causes, coming, course, grades, met, people
from leuko.cohort.summary.base import Section, Tables
from leuko.cohort.tabled import MANIFEST, account_of, open_table
from leuko.knowledge import Library, load_library

__all__ = ["Summary", "summarise"]

_SECTIONS: tuple[Callable[[Tables], Section | None], ...] = (
    people.read,
    people.table_one,
    grades.worst,
    course.cycles,
    course.episodes,
    course.times,
    met.febrile,
    met.definitions,
    grades.shifts,
    grades.prevalence,
    causes.causes,
    coming.coming,
    people.ungraded,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A cohort in sections; `asked` says what was run."""

    title: str
    asked: dict[str, Any]
    sections: tuple[Section, ...]

    def section(self, name: str) -> Section:
        """One section by its id."""
        return next(section for section in self.sections if section.id == name)

    def json(self) -> str:
        """Everything but the figures, as JSON."""
        content = msgspec.to_builtins(self)
        for section in content["sections"]:
            section["figures"] = [{"title": one["title"], "text": one["text"]} for one in section["figures"]]
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def summarise(folder: Path, *, library: Library | None = None) -> Summary:
    """The summary of a finished run, from its tables."""
    library = library or load_library()
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    whole = open_table(folder, "people").collect() if "people" in manifest["tables"] else None
    persons = open_table(folder, "persons").select("person").collect()
    known = _people(persons, whole)
    account = account_of(folder)
    tables = Tables(
        open=lambda name: open_table(folder, name),
        library=library,
        report=report_row(library),
        account=account,
        manifest=manifest,
        folder=folder,
        arms=tuple(known["arm"].unique().drop_nulls().sort().to_list()),
        people=known,
    )
    asked = {**account, "knowledge": manifest["knowledge"], "as_of": manifest["as_of"], "people": manifest["people"]}
    return Summary(title="Cohort", asked=asked, sections=_sections(tables))


def _sections(tables: Tables) -> tuple[Section, ...]:
    """Every section that the run has anything for: parts that were not asked for have none."""
    made = (make(tables) for make in _SECTIONS)
    return tuple(section for section in made if section is not None)


def _people(persons: pl.DataFrame, told: pl.DataFrame | None) -> pl.DataFrame:
    """Everybody who has a row in persons, with what was read of them."""
    if told is None:
        none = {"born": pl.Date(), "sex": pl.String(), "arm": pl.String(), "weight": pl.Float64()}
        return persons.with_columns(pl.lit(None, kind).alias(name) for name, kind in none.items())
    first = told.unique("person", keep="first", maintain_order=True)
    return persons.join(first, on="person", how="left", maintain_order="left")
