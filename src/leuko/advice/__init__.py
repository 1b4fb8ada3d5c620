"""Outlook, prevention and call rules for one person: what to expect, what to do oneself, whom to call and how fast.

    situation = situation_of(record, latest=..., causes=..., library=..., as_of=...)
    advice_of(situation, courses=..., causes=..., infection=..., library=..., site=...)

Knowledge: data/outlook, data/prevention, data/callrules. What a site decides for itself is in `leuko.site`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leuko.advice.calls import calls_of, phones_of
from leuko.advice.limits import limits_of
from leuko.advice.outlook import outlook_of
from leuko.advice.prevention import advice_rows
from leuko.advice.situation import at_least, situation_of
from leuko.knowledge import Library
from leuko.record import Record
from leuko.result import Assessment, Course, Gap
from leuko.result.advice import AdviceSet, Situation
from leuko.result.causes import Cause
from leuko.result.infection import Infection
from leuko.site import SiteSettings

__all__ = ["advice_for", "advice_of", "limits_of", "situation_of"]


def advice_of(
    situation: Situation,
    *,
    courses: Mapping[str, Course],
    causes: Sequence[Cause],
    infection: Infection | None,
    library: Library,
    site: SiteSettings,
) -> AdviceSet:
    """Outlook, advice and call rules of a person in a situation, under a site's settings.

    An infection makes the rules more cautious where it says so (`Urgency.tier`), never less. `infection` None: signs of
    infection were not looked for, so that no rule is known to be met now. Raises UsageError where a limit of the site
    cannot be meant.
    """
    if infection is not None and infection.urgency.tier is not None:
        situation = at_least(situation, infection.urgency.tier)
    limits = limits_of(site, child=situation.child, library=library)
    outlook = outlook_of(causes, infection, situation, library=library)
    return AdviceSet(
        situation=situation,
        outlook=outlook,
        advice=advice_rows(situation, courses, library=library),
        calls=calls_of(situation, infection, limits, library=library),
        fever_limit=limits.fever,
        fever_reason=limits.fever_reason,
        low_limit=limits.low,
        low_reason=limits.low_reason,
        limits=limits.bodies,
        phones=phones_of(site),
        cautions=limits.cautions,
        gaps=(*(one.gap for one in outlook if one.gap is not None), *_gaps(situation, site)),
    )


def advice_for(assessment: Assessment, *, library: Library, site: SiteSettings) -> AdviceSet:
    """The advice that belongs to an assessment, under a site's settings."""
    record = Record(
        patient=assessment.patient,
        counts=tuple(status.count for status in assessment.history),
        doses=assessment.doses,
        signs=assessment.signs,
        facts=assessment.facts,
    )
    latest = {status.count.analyte: status for status in assessment.latest}
    causes = assessment.causes
    return advice_of(
        situation_of(record, latest=latest, causes=causes, library=library, as_of=assessment.as_of),
        courses={course.analyte: course for course in assessment.courses},
        causes=causes,
        infection=assessment.infection,
        library=library,
        site=site,
    )


def _gaps(situation: Situation, site: SiteSettings) -> tuple[Gap, ...]:
    found = []
    if situation.treatment is None:
        found.append(
            Gap(
                what="whether treatment for cancer is given",
                why="the record lists no medicine, or one that was not understood",
                settle="the list of medicines",
            )
        )
    missing = [role for role in ("helpline", "emergency") if role not in site.phones]
    if missing:
        names = {"helpline": "the treating team for day and night", "emergency": "emergencies"}
        found.append(
            Gap(
                what=f"the telephone number of {' and of '.join(names[role] for role in missing)}",
                why="the site's settings hold none",
                settle="a file of site settings (--site)",
            )
        )
    return tuple(found)
