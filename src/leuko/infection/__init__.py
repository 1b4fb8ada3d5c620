"""Is there an infection, and how dangerous is it now: symptoms, fever joined to the neutrophils, urgency.

Every body's definition of febrile neutropenia is held against the readings by name; none is averaged with another.
Symptoms come from the record, from the form that leuko ships (`signs_from_response`), or from a line of text
(`parse_symptom`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from leuko.infection.grades import fever_grades
from leuko.infection.neutropenia import ExpectedFall
from leuko.infection.present import page_signs_of, suspicion, symptoms_of
from leuko.infection.readings import Readings, readings_of
from leuko.infection.urgency import cautions_of, disagreements, risk_of, urgency_of
from leuko.infection.verdicts import ANY, Case, alert_body_of, check_alert_body, rows_that_drive, verdict
from leuko.intake.questionnaire import questionnaire, signs_from_response
from leuko.intake.symptom_words import Vocabulary, vocabulary
from leuko.intake.symptoms import parse_symptom
from leuko.knowledge import Library
from leuko.record import Count, Record, Sign
from leuko.result import Gap, Reason, Status
from leuko.result.advice import Situation
from leuko.result.infection import FeverVerdict, Infection

__all__ = [
    "ANY",
    "ExpectedFall",
    "alert_body_of",
    "infection_of",
    "parse_symptom",
    "questionnaire",
    "signs_from_response",
]


def infection_of(
    record: Record,
    *,
    series: Mapping[str, tuple[Count, ...]],
    latest: Mapping[str, Status],
    library: Library,
    as_of: date,
    symptoms: Iterable[Sign] = (),
    alert_body: str = ANY,
    expected: ExpectedFall | None = None,
    situation: Situation | None = None,
    limit: float | None = None,
) -> Infection:
    """What is known of an infection on a day.

    `symptoms` are signs beside the record's own (command line, form). `alert_body` names the body whose definition
    alerts, by id or name; "any" lets every guideline in force alert. `expected` is what a forecast or the clinician
    expects of the neutrophils; without it, clauses on an expected fall cannot be said. `situation` and the
    fever `limit` [Cel] that holds for the person decide how fast and whom to call; without them the count alone does.
    Raises UsageError for a body that is not known.
    """
    check_alert_body(alert_body, library)
    words = vocabulary(library)
    signs = (*record.signs, *symptoms)
    readings = readings_of(signs, words=words, as_of=as_of)
    told, undated = symptoms_of(record, signs, readings, words=words, library=library, as_of=as_of)
    case = Case(
        readings=readings,
        counts=tuple(series.get("neutrophils", ())),
        symptoms=told,
        expected=expected,
        rules=words.rules,
        patient=record.patient,
        as_of=as_of,
        library=library,
        alert_body=alert_body,
        fever=words.symptoms["fever"].temperature if "fever" in words.symptoms else None,
    )
    every = (verdict(row, case) for row in rows_that_drive(library))
    verdicts = tuple(one for one in every if one.kind != "study" or one.applies is not False or one.alerts)
    page_signs = page_signs_of(told, library)
    risk = risk_of(latest, words.rules, as_of)
    return Infection(
        symptoms=told,
        page_signs=page_signs,
        temperatures=readings.placed,
        verdicts=verdicts,
        fever_grades=fever_grades(readings, library),
        alert_body=alert_body,
        alert=_alert(verdicts),
        suspects_urinary=suspicion("urinary", told, words, library),
        suspects_pneumonia=suspicion("pneumonia", told, words, library),
        urgency=urgency_of(
            verdicts=verdicts,
            symptoms=told,
            page_signs=page_signs,
            readings=readings,
            risk=risk,
            library=library,
            situation=situation,
            limit=limit,
        ),
        cautions=cautions_of(
            doses=record.doses,
            readings=readings,
            routes=_route_cautions(words, library),
            rules=words.rules,
            library=library,
            as_of=as_of,
        ),
        gaps=_gaps(verdicts, readings, undated, library),
    )


def _alert(verdicts: Sequence[FeverVerdict]) -> bool | None:
    met = {one.met for one in verdicts if one.alerts}
    return True if True in met else None if None in met or not met else False


def _route_cautions(words: Vocabulary, library: Library) -> dict[str, Reason]:
    return {
        row.route: Reason(rule=row.id, text=row.caution, citations=(library.cite(row.basis),))
        for row in words.routes
        if row.route is not None and row.caution
    }


def _gaps(
    verdicts: Sequence[FeverVerdict], readings: Readings, undated: tuple[Gap, ...], library: Library
) -> tuple[Gap, ...]:
    """Gaps of the readings and symptoms, and one for all the alerting definitions that are open for one reason."""
    if not readings.placed and not readings.undated and not any(one.fever for one in verdicts):
        why = "no temperature of these days is on record"
        nothing = Gap(what="whether there is a fever", why=why, settle="a temperature now")
        return tuple(dict.fromkeys((*(readings.gaps or (nothing,)), *undated)))
    open_ = [one for one in verdicts if one.alerts and one.gap is not None]
    grouped: dict[str, list[FeverVerdict]] = {}
    for one in open_:
        grouped.setdefault(one.gap.why if one.gap is not None else "", []).append(one)
    joined = [
        Gap(
            what=f"febrile neutropenia by {', '.join(one.body for one in alike)}",
            why=why,
            settle=alike[0].gap.settle if alike[0].gap is not None else "",
        )
        for why, alike in grouped.items()
    ]
    return tuple(dict.fromkeys((*readings.gaps, *undated, *joined, *disagreements(readings, library))))
