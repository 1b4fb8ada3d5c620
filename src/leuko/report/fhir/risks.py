"""Scores: an Observation with every item, and a RiskAssessment that says what its band meant, where that is known."""

from __future__ import annotations

from typing import Any

from leuko.report.fhir.observations import absent
from leuko.report.fhir.wire import MADE, Json, Naming, coding, concept, filled, narrative, notes, text
from leuko.result import Assessment
from leuko.result.scores import Score, ScoreItem


def sendable(assessment: Assessment) -> tuple[Score, ...]:
    """The scores that may be used for this person, or whose eligibility is open; others are not computed at all."""
    return tuple(score for score in assessment.scores if score.eligible is not False)


def _title(score: Score) -> str:
    return f"{score.name} ({score.edition})" if score.edition else score.name


def score_observation(score: Score, assessment: Assessment, naming: Naming) -> Json:
    """The total as far as it is known, and every item; an item without an answer says that it is absent."""
    return filled(
        {
            "resourceType": "Observation",
            "id": naming.id(f"score/{score.id}"),
            "meta": {"tag": [coding(MADE, "concluded")]},
            "text": narrative(score.says),
            "status": "preliminary",
            "code": concept(_title(score)),
            "subject": naming.to("patient", "Patient"),
            "effectiveDateTime": assessment.as_of.isoformat(),
            "device": naming.to("leuko", "Device"),
            **_total(score),
            "note": notes(*score.warnings),
            "derivedFrom": naming.evidence(each for item in score.items for each in item.evidence),
            "component": [_item(item) for item in score.items],
        }
    )


def _total(score: Score) -> Json:
    unit = {"unit": text(score.unit)} if text(score.unit) else {}
    if score.total is not None:
        return {"valueQuantity": {"value": score.total, **unit}}
    if score.least is not None and score.most is not None:
        return {"valueRange": {"low": {"value": score.least, **unit}, "high": {"value": score.most, **unit}}}
    return {"dataAbsentReason": absent(score.gap.why if score.gap is not None else score.says)}


def _item(item: ScoreItem) -> Json:
    code = concept(f"{item.question}: {item.value}" if item.value else item.question)
    if item.points is not None:
        return {"code": code, "valueInteger": item.points}
    why = f"not known; {item.least} to {item.most} points remain possible"
    return {"code": code, "dataAbsentReason": absent(why)}


def risk_assessment(score: Score, assessment: Assessment, naming: Naming) -> Json:
    """What the score says: its band, or the bands that are left. leuko gives no probability of its own."""
    return filled(
        {
            "resourceType": "RiskAssessment",
            "id": naming.id(f"risk/{score.id}"),
            "meta": {"tag": [coding(MADE, "concluded")]},
            "text": narrative(score.says),
            "status": "preliminary",
            "method": concept(_title(score)),
            "code": concept(score.name),
            "subject": naming.to("patient", "Patient"),
            "occurrenceDateTime": assessment.as_of.isoformat(),
            "performer": naming.to("leuko", "Device"),
            "basis": [
                naming.to(f"score/{score.id}", "Observation"),
                *naming.evidence(each for item in score.items for each in item.evidence),
            ],
            "prediction": _prediction(score),
            "note": notes(*_notes(score)),
        }
    )


def _prediction(score: Score) -> list[Json]:
    """Only a band that everything still possible leads to is a prediction."""
    if score.band is None:
        return []
    rationale = {"rationale": text(score.meaning)} if text(score.meaning) else {}
    return [{"qualitativeRisk": concept(score.band), **rationale}]


def _notes(score: Score) -> list[Any]:
    open_ = [f"still possible: {', '.join(score.possible)}"] if score.band is None and score.possible else []
    gap = [f"{score.gap.what}: {score.gap.why}. What would settle it: {score.gap.settle}"] if score.gap else []
    people = [f"validated in: {'; '.join(score.validated)}"] if score.validated else []
    return [score.says, score.reason.text, *open_, *gap, *people, *score.warnings]
