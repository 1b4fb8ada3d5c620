"""Definitions of cohorts: those on file, those of the user's own TOML, and who meets them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl
import rtoml

from leuko.cohort.outputs.entries import entries
from leuko.cohort.outputs.found import FINDINGS, schema_of
from leuko.cohort.outputs.given import Given
from leuko.cohort.outputs.since import engrafted, late, stays
from leuko.cohort.outputs.spells import cycles, lasting
from leuko.cohort.outputs.together import together
from leuko.errors import KnowledgeError, UsageError
from leuko.knowledge import Library
from leuko.knowledge.keys import unknown_keys
from leuko.knowledge.schema.cohorts import (
    CycleRow,
    EngraftmentRow,
    EntryRow,
    LastingRow,
    LateRow,
    ReportRow,
    StayRow,
    TogetherRow,
)

Definition = EntryRow | TogetherRow | LastingRow | CycleRow | EngraftmentRow | StayRow | LateRow
KINDS: Final = (EntryRow, TogetherRow, LastingRow, CycleRow, EngraftmentRow, StayRow, LateRow)
OWN: Final = {"source": "own", "confidence": "house"}
"""The basis of a row of a user's own file that names none."""


def on_file(library: Library) -> dict[str, Definition]:
    """The definitions of the library that may drive a conclusion, by id."""
    rows: list[Any] = [row for kind in KINDS for row in library.rows(kind)]
    return {row.id: row for row in sorted(rows, key=lambda row: row.number) if row.basis.drives}


def report_row(library: Library) -> ReportRow:
    """What the summary looks at."""
    return library.rows(ReportRow)[0]


def severe_row(library: Library) -> CycleRow:
    """The definition whose limit counts days of severe neutropenia."""
    wanted = report_row(library).severe
    return next(row for row in library.rows(CycleRow) if row.id == wanted)


def chosen(wanted: Sequence[str], library: Library) -> tuple[Definition, ...]:
    """Definitions by id, or from TOML files; all on file where none is named.

    Raises UsageError for an unknown name, KnowledgeError for a file that breaks the schema.
    """
    known = on_file(library)
    if not wanted:
        return tuple(known.values())
    found: list[Definition] = []
    for name in wanted:
        if name in known:
            found.append(known[name])
        elif name.endswith(".toml") or Path(name).is_file():
            found += read_file(Path(name))
        else:
            near = get_close_matches(name, known, n=1)
            raise UsageError(
                f"no definition {name!r}",
                why=f"known: {', '.join(known)}",
                do=f"did you mean {near[0]}?" if near else "name one of these, or a TOML file",
            )
    return _distinct(found)


def _distinct(found: Sequence[Definition]) -> tuple[Definition, ...]:
    for told in ("id", "number"):
        values = [getattr(row, told) for row in found]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise UsageError(f"two definitions have the {told} {twice}", do=f"give each a {told} of its own")
    return tuple(found)


def read_file(path: Path) -> tuple[Definition, ...]:
    """The definitions of a user's own file, in the form of `data/cohorts`; a basis may be left out."""
    try:
        content = rtoml.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError("the file of definitions cannot be read", where=str(path), why=str(error)) from error
    except (rtoml.TomlParsingError, UnicodeDecodeError) as error:
        raise KnowledgeError(
            "a file of definitions is not valid TOML", where=str(path), why=str(error), do="correct that line"
        ) from error
    kinds = {kind.KEY: kind for kind in KINDS}
    if unknown := set(content) - set(kinds):
        raise KnowledgeError(
            "a file of definitions uses a table that means nothing",
            where=str(path),
            why=f"unknown: {', '.join(sorted(unknown))}",
            do=f"use only {', '.join(kinds)}",
        )
    return tuple(_row(raw, kinds[key], path) for key in content for raw in content[key])


def _row(raw: dict[str, Any], kind: Any, path: Path) -> Definition:
    where = f"{path}, {kind.KEY} {raw.get('id', '?')}"
    try:
        row: Definition = msgspec.convert({**raw, "basis": raw.get("basis", OWN)}, kind)
    except msgspec.ValidationError as error:
        wrong = unknown_keys(raw, kind)
        why = f"unknown: {', '.join(sorted(wrong))}" if wrong else str(error)
        raise KnowledgeError("a definition breaks the schema", where=where, why=why) from error
    return row


# Who meets them


def findings(given: Given, wanted: Sequence[Definition], *, as_published: bool = False) -> pl.DataFrame:
    """One row a person and time for which a definition could be asked, in order of person, definition and time.

    `met` is null where samples leave it open, and `text` says why.
    """
    kind = given.counts.schema["person"]
    parts = [pl.DataFrame(schema=schema_of(kind))]
    for row in wanted:
        found = _ask(given, row, as_published=as_published)
        numbered = found.with_columns(definition=pl.lit(row.id), number=pl.lit(row.number, pl.Int64))
        parts.append(numbered.select(pl.col(name).cast(of) for name, of in schema_of(kind).items()))
    return pl.concat(parts).sort("person", "number", "start", "index", nulls_last=True, maintain_order=True)


def _ask(given: Given, row: Any, *, as_published: bool) -> pl.DataFrame:
    if isinstance(row, EntryRow):
        return entries(given, row, as_published=as_published)
    if isinstance(row, TogetherRow):
        return together(given, row, as_published=as_published)
    ask: dict[type[Any], Callable[[Given, Any], pl.DataFrame]] = {
        LastingRow: lasting,
        CycleRow: cycles,
        EngraftmentRow: engrafted,
        StayRow: stays,
        LateRow: late,
    }
    return ask[type(row)](given, row)


def members(found: pl.DataFrame) -> pl.DataFrame:
    """The OMOP table COHORT: those who surely meet a definition, from when to when."""
    return found.filter(pl.col("met") & pl.col("start").is_not_null()).select(
        cohort_definition_id="number",
        subject_id="person",
        cohort_start_date="start",
        cohort_end_date=pl.coalesce("end", "start"),
    )


__all__ = ["FINDINGS", "Definition", "chosen", "findings", "members", "on_file", "read_file", "report_row"]
