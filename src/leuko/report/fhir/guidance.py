"""What was concluded and what could be done: GuidanceResponse, OperationOutcome, ClinicalImpression, CarePlan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from leuko.report.fhir.issues import low_issues
from leuko.report.fhir.wire import MADE, Json, Naming, coding, concept, filled, narrative, notes, text
from leuko.report.outline import joined_gaps
from leuko.result import Assessment, Gap
from leuko.result.plan import Option
from leuko.result.steps import Step

_PROPOSED: Final = ("recommended", "consider")
_STANDINGS: Final = {"recommended": "recommended", "consider": "to be considered"}


def guidance(assessment: Assessment, naming: Naming) -> Json:
    """The assessment as a whole. `data-requested`: finished, and more data would settle what is left open."""
    known, gaps = [answer for answer in assessment.answers if answer.known], joined_gaps(assessment)
    status = "data-required" if not known else "data-requested" if gaps else "success"
    told = gaps or assessment.notices
    return filled(
        {
            "resourceType": "GuidanceResponse",
            "id": naming.id("guidance"),
            "meta": {"tag": [coding(MADE, "concluded")]},
            "text": narrative(assessment.headline),
            "moduleUri": f"urn:leuko:assessment:{assessment.schema_version}",
            "status": status,
            "subject": naming.to("patient", "Patient"),
            "occurrenceDateTime": assessment.as_of.isoformat(),
            "performer": naming.to("leuko", "Device"),
            "reasonReference": naming.evidence(each.count.id for each in low_issues(assessment)),
            "note": notes(assessment.headline, *(answer.text for answer in assessment.answers)),
            "evaluationMessage": [naming.to("outcome", "OperationOutcome")] if told else None,
            "result": naming.to("plan", "CarePlan") if _activities(assessment) else None,
        }
    )


def outcome(assessment: Assessment, naming: Naming) -> Json | None:
    """What cannot be said, and what was found about the input; None where there is nothing to tell."""
    issues = [*map(_gap_issue, joined_gaps(assessment)), *_notice_issues(assessment)]
    if not issues:
        return None
    return {"resourceType": "OperationOutcome", "id": naming.id("outcome"), "issue": issues}


def _gap_issue(gap: Gap) -> Json:
    words = f"Cannot say {gap.what}: {gap.why}. What would settle it: {gap.settle}"
    return {"severity": "information", "code": "incomplete", "diagnostics": text(words)}


def _notice_issues(assessment: Assessment) -> Iterator[Json]:
    for notice in assessment.notices:
        severity = "information" if notice.severity == "info" else notice.severity
        kind = "informational" if notice.severity == "info" else "processing"
        lost = " (content set aside)" if notice.data_lost else ""
        words = f"{notice.code}: {notice.text}{lost} [{notice.place}]"
        yield {"severity": severity, "code": kind, "diagnostics": text(words)}


def impression(assessment: Assessment, naming: Naming) -> Json | None:
    """Causes that something in the record points to. They are possible causes in words: no diagnosis is coded."""
    found = [cause for cause in assessment.causes if cause.standing == "supported"]
    if not found:
        return None
    findings = [
        filled({"itemCodeableConcept": concept(f"possible cause: {cause.name}"), "basis": text(cause.reason.text)})
        for cause in found
    ]
    rests = [each for cause in found for clue in cause.clues_for for each in clue.evidence]
    return filled(
        {
            "resourceType": "ClinicalImpression",
            "id": naming.id("impression"),
            "meta": {"tag": [coding(MADE, "concluded")]},
            "text": narrative("Possible causes: " + ", ".join(cause.name for cause in found)),
            "status": "in-progress",
            "description": "Possible causes of the low counts, ranked by leuko from the record; no diagnosis",
            "subject": naming.to("patient", "Patient"),
            "effectiveDateTime": assessment.as_of.isoformat(),
            "finding": findings,
            "supportingInfo": naming.evidence(rests),
        }
    )


def care_plan(assessment: Assessment, naming: Naming) -> Json | None:
    """Next steps and options as proposals: nothing is ordered, and no dose is given. None where nothing is proposed."""
    activities = _activities(assessment)
    if not activities:
        return None
    return filled(
        {
            "resourceType": "CarePlan",
            "id": naming.id("plan"),
            "meta": {"tag": [coding(MADE, "concluded")]},
            "text": narrative("Proposals for a professional to decide on; nothing is ordered"),
            "status": "draft",
            "intent": "proposal",
            "title": "Proposed next steps",
            "subject": naming.to("patient", "Patient"),
            "created": assessment.as_of.isoformat(),
            "author": naming.to("leuko", "Device"),
            "activity": activities,
            "note": notes(*_left(assessment)),
        }
    )


def _activities(assessment: Assessment) -> list[Json]:
    steps = [_step(step) for step in assessment.steps if not step.done]
    plan = assessment.plan
    if plan is None:
        return steps
    options = [_option(option) for option in plan.options if option.standing in _PROPOSED]
    counts = [
        _activity("Blood count", words=each.text, why=each.reason.text, due=each.due) for each in plan.next_counts
    ]
    return [*steps, *options, *counts]


def _step(step: Step) -> Json:
    tests = f": {', '.join(step.tests)}" if step.tests else ""
    words = f"{step.what}{tests} ({step.urgency.replace('_', ' ')}; {step.who})"
    return _activity(step.what, words=words, why=step.why.text, timing=step.by_when)


def _option(option: Option) -> Json:
    words = "; ".join(part for part in (f"{_STANDINGS[option.standing]}: {option.what}", option.until) if part)
    return _activity(option.title, words=words, why=option.reason.text, timing=option.when)


def _activity(name: str, *, words: str, why: str, timing: str = "", due: date | None = None) -> Json:
    scheduled = {"scheduledPeriod": {"end": due.isoformat()}} if due is not None else {}
    if not scheduled and text(timing):
        scheduled = {"scheduledString": text(timing)}  # type: ignore[dict-item]
    detail = {"code": concept(name), "status": "not-started", "description": text(words), **scheduled}
    return {"detail": filled({**detail, "reasonCode": [concept(why)] if text(why) else None})}


def _left(assessment: Assessment) -> Iterator[str]:
    """What stands in the plan and is no activity: what speaks against giving a drug, what is not done as a routine."""
    plan = assessment.plan
    if plan is None:
        return
    yield from (f"{day.title}: {day.text}" for day in plan.treat_days)
    yield from (f"{each.title}: {each.text}" for each in plan.monitoring)
    for option in plan.options:
        if option.standing not in _PROPOSED:
            words = "not a routine" if option.standing == "not_routine" else "cannot be said"
            yield f"{option.title}: {words}. {option.reason.text}"
    yield from (f"sources disagree: {reason.text}" for reason in plan.conflicts)
