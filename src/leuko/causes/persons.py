"""Predicates on the person and on the medicines that the time line links to the low counts."""

from __future__ import annotations

import math
from typing import Final

from leuko.ages import UNKNOWN, YEAR_DAYS, AgeSpan, age_span
from leuko.causes.finding import Finding, all_met, unknown
from leuko.causes.phrases import words_of
from leuko.causes.scene import Scene
from leuko.causes.spans import age_in
from leuko.knowledge.schema.causes import DrugPredicate, PersonPredicate
from leuko.knowledge.schema.drugs import DrugRow
from leuko.result.drugs import DrugLink, LinkStrength
from leuko.wording import say_days, say_list

RISING: Final[tuple[LinkStrength, ...]] = ("weak", "moderate", "strong")


def person_met(row: PersonPredicate, scene: Scene) -> Finding:
    """Whether age, sex, pregnancy and a tested Duffy phenotype are as asked, at the low count."""
    patient = scene.person(scene.low_count)
    verdicts: list[bool | None] = []
    said: list[str] = []
    if row.ages is not None:
        span = age_span(patient, scene.low_count.taken)
        verdicts.append(age_in(row.ages, span))
        said.append("the age is not known" if span == UNKNOWN else f"aged {say_age(span)}")
    if row.sex is not None:
        verdicts.append(None if patient.sex is None else patient.sex == row.sex)
        said.append(patient.sex or "the sex is not known")
    if row.pregnant is not None:
        verdicts.append(None if patient.pregnant is None else patient.pregnant == row.pregnant)
        said.append({True: "pregnant", False: "not pregnant", None: "pregnancy is not known"}[patient.pregnant])
    if row.duffy_null is not None:
        verdicts.append(None if patient.duffy_null is None else patient.duffy_null == row.duffy_null)
        said.append(_DUFFY[patient.duffy_null])
    return Finding(met=all_met(verdicts), text=", ".join(said))


_DUFFY: Final = {
    True: "tested: Duffy-null phenotype",
    False: "tested: not Duffy-null",
    None: "the Duffy phenotype was not tested, and is never inferred",
}


def say_age(span: AgeSpan) -> str:
    """An age in completed years, or in days before the second birthday; both ends where it is a span."""
    ends = [_said_age(age) for age in (span.least, span.most)]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _said_age(days: float) -> str:
    return f"{math.floor(days / YEAR_DAYS)} years" if days >= 2 * YEAR_DAYS else say_days(math.floor(days))


# ---- medicines ------------------------------------------------------------------------------------------------------


def drug_met(row: DrugPredicate, scene: Scene) -> Finding:
    """Whether a medicine of the kind asked for is linked to the low stretch, and at least so firmly; never no."""
    links = [link for link in links_meant(row, scene) if link.strength in RISING]
    firm = [link for link in links if RISING.index(link.strength) >= RISING.index(row.least)]
    if firm:
        best = max(firm, key=lambda link: (RISING.index(link.strength), -link.rank))
        doses = tuple(dose for exposure in best.exposures for dose in exposure.doses)
        return Finding(met=True, text=_said_link(best), evidence=doses)
    return unknown(_why_not(row, links, scene))


def _said_link(link: DrugLink) -> str:
    text = link.reason.text.rstrip(".")
    return text if text.casefold().startswith(link.drug.casefold()) else f"{link.drug}: {text}"


def links_meant(row: DrugPredicate, scene: Scene) -> tuple[DrugLink, ...]:
    """The reviewed links of the kind asked for that belong to the low stretch."""
    rows = {drug.id: drug for drug in scene.library.rows(DrugRow)}
    return tuple(
        link
        for link in scene.drug_links
        if link.reviewed
        and link.role in {"cycle", "candidate"}
        and _of_kind(row, link, rows.get(link.drug_id))
        and _of_stretch(link, scene)
    )


def _of_kind(row: DrugPredicate, link: DrugLink, drug: DrugRow | None) -> bool:
    name = words_of(drug.inn if drug is not None else link.drug)
    if name in set(map(words_of, row.without_names)):
        return False
    if row.names and name not in set(map(words_of, row.names)):
        return False
    if drug is None:
        return not row.patterns and not row.groups
    return (not row.patterns or drug.pattern in row.patterns) and (not row.groups or drug.group in row.groups)


def _of_stretch(link: DrugLink, scene: Scene) -> bool:
    course = scene.courses.get(link.analyte)
    if course is None or link.episode >= len(course.episodes):
        return False
    nadir = course.episodes[link.episode].nadir_count.taken
    return nadir is not None and scene.first_low <= nadir.day <= scene.last_low


def _why_not(row: DrugPredicate, links: list[DrugLink], scene: Scene) -> str:
    if links:
        return f"{say_list(sorted({link.drug for link in links}))}: linked, but not more firmly than that"
    if not scene.record.doses:
        return "no medicine is in the record"
    names = sorted({dose.drug for dose in scene.record.doses})
    shown = say_list(names[:4]) + (" and others" if len(names) > 4 else "")
    return f"none of the medicines in the record ({shown}) is {row.label}"
