"""In whom a forecast is withheld, or said with a caution: what the record names, cells that must not be there, counts
that may be another person's."""

from __future__ import annotations

from leuko.causes.ask import ask
from leuko.causes.scene import Scene, rules_of
from leuko.counts.screen import before_birth
from leuko.forecast.case import Case
from leuko.frozen import Frozen
from leuko.knowledge.schema.choices import BarRow
from leuko.person import statements_of
from leuko.record import Count
from leuko.result import Gap
from leuko.result.forecast import Method


class Bars(Frozen, frozen=True, kw_only=True):
    """What withholds a forecast, and what is said beside it."""

    gaps: tuple[Gap, ...] = ()
    cautions: tuple[str, ...] = ()


def bars_of(case: Case, method: Method, *, models: tuple[str, ...] = ()) -> Bars:
    """What stands against a forecast by a method; `models` are those that would speak, by their ids."""
    scene = _scene(case)
    rows = [row for row in case.library.rows(BarRow) if method in row.methods]
    rows = [row for row in rows if not (models and set(models) <= set(row.but_models)) and _met(row, scene, case)]
    withheld = tuple(
        Gap(
            what="the coming counts",
            why=f"the record has {row.title}: {row.why}",
            settle="a specialist's judgement",
        )
        for row in rows
        if row.withholds
    )
    return Bars(
        gaps=(*_whose(case), *withheld),
        cautions=tuple(f"the record has {row.title}: {row.why}" for row in rows if not row.withholds),
    )


def _whose(case: Case) -> tuple[Gap, ...]:
    """A birth date after a count: one of them is wrong, or the counts are another person's."""
    patient = case.record.patient
    early = [count for count in case.record.counts if count.taken is not None and before_birth(patient, count.taken)]
    if not early and not case.record.born_in_doubt:
        return ()
    return (
        Gap(
            what="the coming counts",
            why="the birth date on record lies after a blood count, or after the day of the assessment: one of the"
            " dates is wrong, or counts are another person's",
            settle="the right date, and that every count is this person's",
        ),
    )


def _met(row: BarRow, scene: Scene | None, case: Case) -> bool:
    if row.analyte and any(count.value > 0 and count.bound == "=" for count in case.series.get(row.analyte, ())):
        return True
    return scene is not None and any(ask(name, scene).met is True for name in row.predicates)


def _scene(case: Case) -> Scene | None:
    """The record as the causes look at it, on the day of assessment: what it names matters whether counts are low."""
    dated = [count for counts in case.series.values() for count in counts if count.taken is not None]
    last: Count | None = max(
        dated, key=lambda count: case.instant(count.taken) if count.taken else case.now, default=None
    )
    if last is None:
        return None
    return Scene(
        record=case.record,
        told=statements_of(case.record, library=case.library),
        series=case.series,
        courses=case.courses,
        lines=case.lines,
        drug_links=case.drug_links,
        library=case.library,
        as_of=case.as_of,
        rules=rules_of(case.library),
        low_count=last,
        first_low=case.as_of,
        last_low=case.as_of,
        at=case.latest,
        low={},
        now=True,
    )
