"""What the parts of reading pass to one another: frames of one batch, and the notices that go with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import polars as pl

from leuko.cohort.frames import FACTS, NOTICES, PEOPLE, RESULTS, SIGNS, TREATMENTS, schema
from leuko.cohort.tables import BOUNDS, STATUSES
from leuko.errors import Notice
from leuko.intake.base import ReadOptions
from leuko.knowledge import Library

COLUMNS: Final[Mapping[str, dict[str, str]]] = {
    "results": RESULTS,
    "people": PEOPLE,
    "treatments": TREATMENTS,
    "signs": SIGNS,
    "facts": FACTS,
    "notices": NOTICES,
}
NAMES: Final = tuple(COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """One batch of a cohort: the tables of `leuko.cohort.frames`, and how many rows of results were read for it.

    `rows` counts the rows of the sources that could hold a result: each is in `results`, or set aside by `notices`.
    """

    results: pl.DataFrame
    people: pl.DataFrame
    treatments: pl.DataFrame
    signs: pl.DataFrame
    facts: pl.DataFrame
    notices: pl.DataFrame
    rows: int = 0

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The frames by name."""
        return {name: getattr(self, name) for name in NAMES}


def words_of(library: Library) -> Mapping[str, pl.DataType]:
    """The types of the columns of results whose words are known beforehand, as the engine numbers them."""
    return _words(tuple(sorted(library.analytes)))


# Enumerations and frames without rows are asked for with every piece, and take long to make.


@lru_cache(maxsize=4)
def _words(analytes: tuple[str, ...]) -> Mapping[str, pl.DataType]:
    return {"analyte": pl.Enum(analytes), "bound": pl.Enum(BOUNDS), "status": pl.Enum(STATUSES)}


@lru_cache(maxsize=64)
def _schema(name: str, person: pl.DataType, analytes: tuple[str, ...]) -> Mapping[str, pl.DataType]:
    kinds = schema(COLUMNS[name], person=person)
    return kinds if name != "results" else {**kinds, **_words(analytes)}


@lru_cache(maxsize=64)
def _empty(name: str, person: pl.DataType, analytes: tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame(schema=_schema(name, person, analytes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What every part of one reading needs: knowledge, the caller's words, and the type of a person's id."""

    library: Library
    options: ReadOptions
    person: pl.DataType = field(default_factory=pl.String)

    def schema(self, name: str) -> Mapping[str, pl.DataType]:
        """The Polars schema of one of the frames; words of results that are few are enumerations."""
        return _schema(name, self.person, tuple(sorted(self.library.analytes)))

    def frame(self, name: str, data: pl.DataFrame | Mapping[str, Any] | None = None) -> pl.DataFrame:
        """A frame in its columns, order and types; columns that `data` lacks are null."""
        if data is None:
            return _empty(name, self.person, tuple(sorted(self.library.analytes))).clone()
        table = data if isinstance(data, pl.DataFrame) else pl.DataFrame(dict(data))
        return table.select(
            pl.col(column).cast(kind) if column in table.columns else pl.lit(None, dtype=kind).alias(column)
            for column, kind in self.schema(name).items()
        )

    def frames(self, *, rows: int = 0, **tables: pl.DataFrame | Mapping[str, Any] | None) -> Frames:
        """A batch; tables that are not given are empty."""
        return Frames(rows=rows, **{name: self.frame(name, tables.get(name)) for name in NAMES})

    def notices(self, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
        """Notices from plain rows."""
        return pl.DataFrame(rows, schema=self.schema("notices")) if (rows := list(rows)) else self.frame("notices")

    def say(
        self, code: str, text: str, *, file: str, row: int | None = None, rows: int | None = 0, lost: bool = False
    ) -> pl.DataFrame:
        """One notice about a file or a number of its rows; `rows` were set aside with it."""
        return self.notices([self.row(code, text, file=file, row=row, rows=rows, lost=lost)])

    def row(
        self, code: str, text: str, *, file: str, row: int | None = None, rows: int | None = 0, lost: bool = False
    ) -> dict[str, Any]:
        """One notice as a row, its severity from the catalogue."""
        severity = self.library.notices[code].severity
        return {
            "code": code, "severity": severity, "person": None, "text": text,
            "file": file, "row": row, "rows": rows, "lost": lost,
        }  # fmt: skip


def told(notice: Notice, *, row: int | None = None, rows: int | None = 0) -> dict[str, Any]:
    """A notice of the readers for one person as a row of `NOTICES`."""
    return {
        "code": notice.code,
        "severity": notice.severity,
        "person": None,
        "text": notice.text if notice.read is None else f"{notice.text} (read {notice.read})",
        "file": notice.place.source,
        "row": notice.place.line if row is None else row,
        "rows": rows,
        "lost": notice.data_lost,
    }


def joined(parts: Iterable[Frames], reading: Reading) -> Frames:
    """Several batches as one, row after row."""
    listed = list(parts)
    if len(listed) == 1:
        return listed[0]
    tables = {name: pl.concat([getattr(part, name) for part in listed] or [reading.frame(name)]) for name in NAMES}
    return Frames(**tables, rows=sum(part.rows for part in listed))
