"""When the next count is due: by monitored medicines, the next treatment, and the count itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from leuko.knowledge.schema.plan import NextCountRow
from leuko.plan.person import Known
from leuko.plan.since import febrile
from leuko.result import Gap, Reason
from leuko.result.plan import Monitoring, NextCount, Regimen
from leuko.status import is_low
from leuko.status.knownness import inside
from leuko.wording import say_date, say_list, say_moment


def next_counts(known: Known, regimen: Regimen, monitored: Sequence[Monitoring]) -> tuple[NextCount, ...]:
    """Every rule that asks for another count, the earliest first; those without a day last."""
    found = [*_of_fever(known), *_of_monitoring(monitored), *_of_treatment(known, regimen)]
    if regimen.told == "none" and not any(one.running is not False for one in monitored):
        found += _of_count(known)
    return tuple(sorted(found, key=lambda one: (one.due is None, one.due or known.as_of, one.text)))


def _of_monitoring(monitored: Sequence[Monitoring]) -> list[NextCount]:
    return [
        NextCount(
            analyte="neutrophils",
            due=one.due,
            within_days=None,
            overdue=bool(one.overdue),
            text=f"{one.title}: {one.counts}{_by(one.due, overdue=bool(one.overdue))}",
            reason=one.reason,
        )
        for one in monitored
        if one.counts and one.running is not False
    ]


def _of_treatment(known: Known, regimen: Regimen) -> list[NextCount]:
    due = regimen.next_day_1
    if due is None:
        return []
    overdue = due < known.as_of
    text = f"before the next treatment{_by(due, overdue=overdue)}: a count of that day or shortly before"
    reason = Reason(
        rule="plan:next:treatment",
        text=text,
        evidence=regimen.reason.evidence,
        citations=(*regimen.reason.citations, *known.cite(known.rules.basis)),
    )
    return [NextCount(analyte="neutrophils", due=due, within_days=None, overdue=overdue, text=text, reason=reason)]


def _of_count(known: Known) -> list[NextCount]:
    """What sources say of low counts by themselves; they disagree, and each stands for itself.

    A rule for a low count of one line says nothing where red cells or platelets are low too, and none of them was
    written for a count that is usual for a tested Duffy-null person.
    """
    found = []
    for row in known.rows(NextCountRow):
        count = known.counts.get(row.analyte)
        if count is None or count.taken is None or not inside(count, row.band) or known.of_age(row.ages) is False:
            continue
        if row.febrile or (row.alone and other_lines_low(known)) or _usual(known, row.analyte):
            continue
        due = count.taken.day + timedelta(days=row.within_days)
        after = " (once a repeat was stable)" if row.after_repeat else ""
        overdue = due < known.as_of and not row.after_repeat
        who = f" ({row.population})" if row.population else ""
        text = f"{row.says}{who}{after} Counted from {say_moment(count.taken)}{_by(due, overdue=overdue)}."
        reason = known.reason(f"plan:next:{row.id}", text, row.basis, evidence=[count.id])
        found.append(
            NextCount(
                analyte=row.analyte,
                due=due,
                within_days=row.within_days,
                overdue=overdue,
                text=text,
                reason=reason,
            )
        )
    return found


def _of_fever(known: Known) -> list[NextCount]:
    """What is asked for while there is febrile neutropenia: no day of treatment comes before it."""
    fever, evidence = febrile(known, known.as_of)
    count = known.counts.get("neutrophils")
    if not fever or count is None or count.taken is None:
        return []
    found = []
    for row in known.rows(NextCountRow):
        if not row.febrile:
            continue
        due = count.taken.day + timedelta(days=row.within_days)
        overdue = due < known.as_of
        text = f"{row.says.rstrip('.')}{_by(due, overdue=overdue)}."
        reason = known.reason(f"plan:next:{row.id}", text, row.basis, evidence=[count.id, *evidence])
        found.append(
            NextCount(
                analyte=row.analyte,
                due=due,
                within_days=row.within_days,
                overdue=overdue,
                text=text,
                reason=reason,
            )
        )
    return found


def other_lines_low(known: Known) -> bool:
    """Whether red cells or platelets are low beside the white cells."""
    others = (known.latest.get(name) for name in ("haemoglobin", "platelets"))
    return any(status is not None and is_low(status) for status in others)


def _usual(known: Known, analyte: str) -> bool:
    status = known.latest.get(analyte)
    return status is not None and status.usual is not None


def gaps_of_next(known: Known, found: Sequence[NextCount]) -> tuple[Gap, ...]:
    """Where several lines are low and no rule that was read says when to count again."""
    low = any(status.count.analyte in {"neutrophils", "wbc"} and is_low(status) for status in known.latest.values())
    if found or not low or not other_lines_low(known):
        return ()
    why = "red cells or platelets are low too, and the intervals that were read are for a low white count by itself"
    settle = "the work-up of low counts in several lines, by haematology"
    return (Gap(what="when to count again", why=why, settle=settle),)


def clash_of_next(found: Sequence[NextCount]) -> tuple[Reason, ...]:
    """Sources that give the same count different intervals."""
    clashes = []
    for analyte in dict.fromkeys(one.analyte for one in found):
        own = [one for one in found if one.analyte == analyte and one.within_days is not None]
        if len({one.within_days for one in own}) < 2:
            continue
        days = say_list([f"{one.within_days:g} days" for one in own])
        text = f"Sources differ on when to count {analyte} again: {days}"
        citations = tuple(dict.fromkeys(c for one in own for c in one.reason.citations))
        clashes.append(Reason(rule=f"conflict:next:{analyte}", text=text, citations=citations))
    return tuple(clashes)


def _by(due: date | None, *, overdue: bool) -> str:
    if due is None:
        return ""
    return f", was due by {say_date(due)}" if overdue else f", due by {say_date(due)}"
