"""Risk scores: may it be used, every item, the total as far as it is known, and whom it was validated on.

criteria (eligible) -> items (judge) -> every way the open items may add up (total) -> Score

A missing item is never taken as normal: it widens the total to a least and a most, and the band is given only where
both ends lead to it. The point tables are data (`leuko/data/scores`); this package holds no limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from leuko.knowledge import Library
from leuko.knowledge.schema.scores import ItemRow, ScoreRow
from leuko.record import Count, Record
from leuko.result import Status
from leuko.result.infection import Infection
from leuko.result.scores import Score
from leuko.scores.answers import read_answers
from leuko.scores.area import Area, area_over, latest_area
from leuko.scores.eligible import criterion_of
from leuko.scores.items import judge
from leuko.scores.named import concept
from leuko.scores.setting import Setting
from leuko.scores.tables import tables_of
from leuko.scores.tell import Parts, told_measure, told_points

__all__ = ["Area", "area_over", "latest_area", "scores_of"]


def scores_of(
    record: Record,
    *,
    series: Mapping[str, tuple[Count, ...]],
    latest: Mapping[str, Status],  # noqa: ARG001 (asked by every part alike; the scores look at the counts themselves)
    infection: Infection | None,
    library: Library,
    as_of: date,
    answers: Mapping[str, str] | None = None,
) -> tuple[Score, ...]:
    """Every score that leuko can compute, as far as it can be told for this person on this day.

    A score that may not be used says so and holds no items. `answers` are given by hand: the key that an item or a
    condition names (`asked`), or the item's id, and one of its `choices` or a number with its unit; one answer serves
    all scores that ask the same. Raises UsageError for a key that nothing asks and a value that cannot be read.
    """
    tables = tables_of(library)
    setting = Setting(
        record=record,
        series=series,
        infection=infection,
        answers=read_answers(answers, tables),
        library=library,
        tables=tables,
        as_of=as_of,
    )
    return tuple(_score(row, setting) for row in tables.scores if row.kind != "listed")


def _score(row: ScoreRow, setting: Setting) -> Score:
    tables = setting.tables
    parts = Parts(
        row=row,
        criteria=tuple(criterion_of(criterion, setting) for criterion in tables.criteria.get(row.id, ())),
        bands=tables.bands.get(row.id, ()),
        findings=tables.findings[row.id],
        observables=tables.observables,
        library=setting.library,
    )
    if row.kind == "measure":
        return told_measure(parts, setting)
    items = tables.items.get(row.id, ())
    return told_points(parts, tuple(judge(item, setting) for item in items if _counts(item, setting)))


def _counts(item: ItemRow, setting: Setting) -> bool:
    """Whether an item is the one that counts, of two that stand for one another (the scales of NEWS2)."""
    stated = {name: _stated(name, setting) for name in (item.scale_with, item.scale_without) if name}
    return stated.get(item.scale_with, True) and not stated.get(item.scale_without, False)


def _stated(name: str, setting: Setting) -> bool:
    return concept(name, setting).state == "yes"
