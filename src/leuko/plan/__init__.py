"""The plan: what the sources read say could be done about the counts of one person; it prescribes nothing.

person, medicines -> what the record holds for a plan
regimen           -> the chemotherapy, as far as it can be told
treatday, since   -> is the count enough for the next dose
growth, antimicrobials -> options with reasons for and against
monitoring, nextcount  -> monitored medicines, and when the next count is due
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from leuko.knowledge import Library
from leuko.knowledge.schema.plan import MonitorBand, MonitorScheme, RegimenRow, TreatDayRow
from leuko.plan.antimicrobials import antimicrobial_options
from leuko.plan.growth import growth_options
from leuko.plan.limits import FREE
from leuko.plan.monitoring import duffy_gap, monitoring_of
from leuko.plan.nextcount import clash_of_next, gaps_of_next, next_counts
from leuko.plan.person import Known, known_of
from leuko.plan.regimen import regimen_of
from leuko.plan.treatday import treat_days
from leuko.record import Count, Record
from leuko.result import Course, Gap, Reason, Status
from leuko.result.causes import Cause
from leuko.result.drugs import DrugLink
from leuko.result.infection import Infection
from leuko.result.plan import Monitoring, Plan, Regimen, TreatDay
from leuko.result.scores import Score
from leuko.wording import say_list

_TOPICS: Final = ("antimicrobial_therapy", "growth_factor", "antimicrobial_prophylaxis", "prevention")


def plan_of(
    record: Record,
    *,
    series: Mapping[str, tuple[Count, ...]],
    latest: Mapping[str, Status],
    courses: Mapping[str, Course] | None = None,  # noqa: ARG001 (kept for what a plan may come to need)
    causes: Sequence[Cause] = (),  # noqa: ARG001
    drug_links: Sequence[DrugLink] = (),  # noqa: ARG001
    infection: Infection | None = None,
    scores: Sequence[Score] = (),
    library: Library,
    as_of: date,
    regimen: str | None = None,
    site: Any = None,
) -> Plan:
    """The plan for one person as of a day.

    `series` are clean counts by analyte, oldest first, `latest` the status of each last one. `regimen` names the
    chemotherapy where the record does not. `site` may carry a `jurisdiction` ("US", "UK", "EU"), whose schemes then
    stand first. What an unconfirmed row of knowledge would have said is named in `unreviewed`, and not used.
    """
    known = known_of(
        record,
        series=series,
        latest=latest,
        infection=infection,
        scores=scores,
        library=library,
        as_of=as_of,
    )
    found = regimen_of(known, asked=regimen)
    days = treat_days(known, found.regimen, found.rows)
    # one medicine by itself that makes no known regimen (methotrexate for joints) is watched as what it is
    part = found.regimen.drugs if found.rows or len(found.regimen.drugs) > 1 else ()
    monitored = monitoring_of(known, but=part, site=site)
    raised = (
        *growth_options(known, found.regimen, found.rows),
        *antimicrobial_options(known, found.regimen, found.rows),
    )
    options = tuple(sorted(raised, key=lambda option: _TOPICS.index(option.topic)))
    counts = next_counts(known, found.regimen, monitored)
    own = (clash for option in options for clash in option.conflicts)
    watched = (clash for one in monitored for clash in one.conflicts)
    return Plan(
        regimen=found.regimen,
        treat_days=days,
        options=options,
        monitoring=monitored,
        next_counts=counts,
        conflicts=tuple(dict.fromkeys((*_clashes(days), *own, *watched, *clash_of_next(counts)))),
        unreviewed=_unreviewed(known, found.regimen, found.rows),
        gaps=_gaps(found.regimen, days, monitored, (*duffy_gap(known, monitored), *gaps_of_next(known, counts))),
    )


def _clashes(days: Sequence[TreatDay]) -> tuple[Reason, ...]:
    """Rules for one treatment day that ask for different things at the same counts."""
    said = [day for day in days if day.on_count != "cannot_say" and day.checkpoint not in {"nadir", "previous_cycle"}]
    clashes = []
    for checkpoint in dict.fromkeys(day.checkpoint for day in said):
        own = [day for day in said if day.checkpoint == checkpoint]
        free = [day for day in own if day.on_count in FREE]
        bound = [day for day in own if day.on_count not in FREE and day.on_count not in {"caution", "titrate"}]
        if not (free and bound):
            continue
        words = [f"{day.title} ({day.setting or day.region or 'any'}): {day.on_count}" for day in (*bound, *free)]
        text = f"Rules differ at these counts: {say_list(words)}"
        sources = tuple(dict.fromkeys(c for day in (*bound, *free) for c in day.reason.citations))
        evidence = tuple(dict.fromkeys(e for day in own for e in day.reason.evidence))
        rule = f"conflict:treat_day:{checkpoint}"
        clashes.append(Reason(rule=rule, text=text, evidence=evidence, citations=sources))
    return tuple(clashes)


def _unreviewed(known: Known, regimen: Regimen, rows: Sequence[RegimenRow]) -> tuple[str, ...]:
    """Rows that would have spoken of this person's medicines, and are not confirmed."""
    drugs = set(regimen.drugs) | {one.drug for one in known.taken}
    every = known.library
    treat = [r.id for r in every.rows(TreatDayRow) if not r.basis.drives and r.drugs and set(r.drugs) <= drugs]
    risk = [row.id for row in rows if any(not one.basis.drives for one in row.risks)]
    schemes = [s for s in every.rows(MonitorScheme) if drugs & set(s.drugs)]
    watch = [s.id for s in schemes if not s.basis.drives]
    names = {scheme.id for scheme in schemes}
    bands = [band.id for band in every.rows(MonitorBand) if band.scheme in names and not band.basis.drives]
    return tuple(dict.fromkeys((*treat, *risk, *watch, *bands)))


def _gaps(
    regimen: Regimen, days: Sequence[TreatDay], monitored: Sequence[Monitoring], others: Sequence[Gap]
) -> tuple[Gap, ...]:
    today = [day.gap for day in days if day.gap is not None and day.today]
    watched = [gap for one in monitored for gap in one.gaps]
    return tuple(dict.fromkeys((*regimen.gaps, *today, *watched, *others)))


__all__ = ["plan_of"]
