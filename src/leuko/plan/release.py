"""May an order be given on these counts? The rules for the day of treatment, held against orders about to be signed.

    release_of(assessment, orders, library=...)

The orders are no part of the assessment: they are planned for their day, never taken for doses that were given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from leuko.drugs.shelf import cytotoxic
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.knowledge.schema.plan import RegimenRow, TreatDayRow
from leuko.plan.person import Known, known_of
from leuko.plan.regimen import regimen_of
from leuko.plan.treatday import LATER_DAYS, treat_days
from leuko.record import Count, Dose, Record
from leuko.result import Assessment
from leuko.result.plan import Regimen, TreatDay

# An order of these states is about to be given, whatever the tables of medicines make of a draft.
_ORDERED = "active"


class Release(Frozen, frozen=True, kw_only=True):
    """What the rules say of the medicines that are ordered for one day, those of `unruled` have no rule for it.

    `orders` are the ids of the orders, `drugs` the medicines in them that the tables of treatment know.
    """

    due: date
    orders: tuple[str, ...]
    drugs: tuple[str, ...]
    rules: tuple[TreatDay, ...]
    unruled: tuple[str, ...]


def release_of(assessment: Assessment, orders: Iterable[Dose], *, library: Library) -> tuple[Release, ...]:
    """What the rules say of orders beside the record of an assessment, a `Release` for each day, the earliest first.

    Orders of medicines that the tables of treatment do not know are left out. `regimen_of` the record goes before.
    """
    known = _known(assessment, orders, library)
    days = sorted({one.day for one in known.planned if one.dose.id in {order.id for order in orders}})
    return tuple(_on(day, known) for day in days)


def _known(assessment: Assessment, orders: Iterable[Dose], library: Library) -> Known:
    series: dict[str, tuple[Count, ...]] = {}
    for status in assessment.history:
        series[status.count.analyte] = (*series.get(status.count.analyte, ()), status.count)
    record = Record(
        patient=assessment.patient,
        counts=tuple(status.count for status in assessment.history),
        doses=assessment.doses,
        signs=assessment.signs,
        facts=assessment.facts,
    )
    return known_of(
        record,
        series=series,
        latest={status.count.analyte: status for status in assessment.latest},
        infection=assessment.infection,
        scores=assessment.scores,
        library=library,
        as_of=assessment.as_of,
        ordered=[replace(order, status=_ORDERED) for order in orders],
    )


def _on(day: date, known: Known) -> Release:
    own = [one for one in known.planned if one.day == day]
    drugs = tuple(dict.fromkeys(one.drug for one in own))
    asked = replace(known, planned=tuple(own))
    found = regimen_of(asked, asked=None)
    regimen = _with_day(found.regimen, found.rows, day)
    tables = _tables(known.rows(TreatDayRow), drugs)
    rules = tuple(
        rule
        for rule in treat_days(asked, regimen, found.rows, ordered=drugs)
        if rule.id in tables and _speaks(rule, regimen, day)
    )
    ruled = {drug for rule in rules for drug in tables[rule.id]}
    return Release(
        due=day,
        orders=tuple(dict.fromkeys(one.dose.id for one in own)),
        drugs=drugs,
        rules=rules,
        unruled=tuple(drug for drug in cytotoxic(drugs, known.shelf) if drug not in ruled),
    )


def _speaks(rule: TreatDay, regimen: Regimen, day: date) -> bool:
    """Whether a rule is of the day: one for a later day of a cycle has none where no cycle has begun."""
    later = rule.checkpoint in LATER_DAYS and regimen.day_1 is None
    return rule.due == day or (rule.due is None and not later)


def _tables(rows: Sequence[TreatDayRow], drugs: Sequence[str]) -> dict[str, set[str]]:
    """The tables that speak of any of the medicines, with those that each speaks of."""
    found: dict[str, set[str]] = {}
    for row in rows:
        own = {*row.drugs, *row.any_of} & set(drugs)
        if own:
            found.setdefault(row.table, set()).update(own)
    return found


def _with_day(regimen: Regimen, rows: Sequence[RegimenRow], day: date) -> Regimen:
    """The regimen with the day of the order: a further day of the present cycle, or the first day of the next one."""
    if regimen.day_1 is None or not _within_cycle(regimen.day_1, rows, day):
        return replace(regimen, next_day_1=day)
    length = regimen.cycle_days
    return replace(regimen, next_day_1=None if length is None else regimen.day_1 + timedelta(days=length))


def _within_cycle(day_1: date, rows: Sequence[RegimenRow], day: date) -> bool:
    number = (day - day_1).days + 1
    return number > 1 and any(number in row.treatment_days for row in rows)
