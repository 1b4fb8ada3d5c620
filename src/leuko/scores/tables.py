"""The score tables of a library, looked up once for all scores of a person; only rows that may drive a conclusion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.same import once_for
from leuko.knowledge.schema.core import Basis
from leuko.knowledge.schema.scores import (
    BandRow,
    ConceptRow,
    CriterionRow,
    FindingRow,
    ItemRow,
    ObservableRow,
    ScoreRow,
)


class _Row(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def basis(self) -> Basis: ...


class _Part(_Row, Protocol):
    @property
    def score(self) -> str: ...


RowT = TypeVar("RowT", bound=_Row)
PartT = TypeVar("PartT", bound=_Part)


class Tables(Frozen, frozen=True, kw_only=True):
    """Scores in their order; their parts by score id; observables and concepts by their own."""

    scores: tuple[ScoreRow, ...]
    criteria: Mapping[str, tuple[CriterionRow, ...]]
    items: Mapping[str, tuple[ItemRow, ...]]
    bands: Mapping[str, tuple[BandRow, ...]]
    findings: Mapping[str, tuple[FindingRow, ...]]
    observables: Mapping[str, ObservableRow]
    concepts: Mapping[str, ConceptRow]


@once_for
def tables_of(library: Library) -> Tables:
    """The tables, without the rows that are not confirmed."""
    scores = sorted((row for row in library.rows(ScoreRow) if row.basis.drives), key=lambda row: row.order)
    shown = [row for row in library.rows(FindingRow) if row.shown and row.basis.drives]
    return Tables(
        scores=tuple(scores),
        criteria=_by_score(library.rows(CriterionRow)),
        items=_by_score(library.rows(ItemRow)),
        bands=_by_score(library.rows(BandRow)),
        findings={score.id: tuple(row for row in shown if score.id in row.scores) for score in scores},
        observables=_by_id(library.rows(ObservableRow)),
        concepts=_by_id(library.rows(ConceptRow)),
    )


def _by_score(rows: Iterable[PartT]) -> dict[str, tuple[PartT, ...]]:
    found: dict[str, list[PartT]] = {}
    for row in rows:
        if row.basis.drives:
            found.setdefault(row.score, []).append(row)
    return {score: tuple(parts) for score, parts in found.items()}


def _by_id(rows: Iterable[RowT]) -> dict[str, RowT]:
    return {row.id: row for row in rows if row.basis.drives}
