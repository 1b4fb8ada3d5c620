"""Forecasts as FHIR: a RiskAssessment with the probability of each thing that may come; options stay out of it.

What was asked is a measurement to come, so each prediction names the count, the cut and the stretch of time. A forecast
that is withheld says so in a note, and predicts nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from leuko.report.fhir.wire import MADE, Json, Naming, coding, concept, filled, narrative, notes, quantity
from leuko.result import Assessment
from leuko.result.forecast import Chance, Forecast
from leuko.wording import UNSAID, say_chance, say_date


def forecast_assessments(assessment: Assessment, naming: Naming) -> list[Json]:
    """One RiskAssessment for each forecast."""
    return [_one(one, number, assessment, naming) for number, one in enumerate(assessment.forecasts, 1)]


def _one(one: Forecast, number: int, assessment: Assessment, naming: Naming) -> Json:
    chances = one.outcome.chances if one.outcome is not None else ()
    return filled(
        {
            "resourceType": "RiskAssessment",
            "id": naming.id(f"forecast/{number}"),
            "meta": {"tag": [coding(MADE, "concluded")]},
            "text": narrative(one.headline),
            "status": "preliminary",
            "method": concept(_method(one)),
            "code": concept(f"Forecast of {one.analyte}"),
            "subject": naming.to("patient", "Patient"),
            "occurrenceDateTime": assessment.as_of.isoformat(),
            "performer": naming.to("leuko", "Device"),
            "basis": naming.evidence(one.reason.evidence),
            "prediction": [_prediction(chance, one, assessment) for chance in chances],
            "note": notes(*_notes(one)),
        }
    )


def _method(one: Forecast) -> str:
    titles = "; ".join(model.title for model in one.models)
    kind = "Posterior of a marrow model" if one.method == "marrow" else "Course of the person's own counts"
    return f"{kind}: {titles}" if titles else kind


def _prediction(chance: Chance, one: Forecast, assessment: Assessment) -> Json:
    day = chance.on
    last = one.next_dose.date() if one.next_dose is not None else assessment.as_of + timedelta(days=one.horizon_days)
    start, end = (day, day) if day is not None else (assessment.as_of, last)
    period = {"start": start.isoformat(), "end": end.isoformat()}
    return filled(
        {
            "outcome": concept(chance.text),
            **_probability(chance.probability),
            "whenPeriod": period,
            "rationale": chance.reason.text,
        }
    )


def _probability(share: float) -> Json:
    """In percent, as R4 has it ("decimal values are expressed as percentages as well"); beyond what is said of a
    probability, near 0 or near 1, a range."""
    most, least = 100.0 * UNSAID, 100.0 * (1.0 - UNSAID)
    if share < UNSAID:
        return {"probabilityRange": {"low": quantity(0.0, "%"), "high": quantity(most, "%")}}
    if share > 1.0 - UNSAID:
        return {"probabilityRange": {"low": quantity(least, "%"), "high": quantity(100.0, "%")}}
    return {"probabilityDecimal": round(100.0 * share, 1)}


def _notes(one: Forecast) -> list[Any]:
    gaps = [f"{gap.what}: {gap.why}. What would settle it: {gap.settle}" for gap in one.gaps]
    options = [
        f"{option.text}{f' ({say_date(option.start)})' if option.start is not None and not option.changes else ''}:"
        f" severe neutropenia {say_chance(option.severe)}, dose intensity {100 * option.dose_intensity:.0f} %, delay"
        f" {option.delay_days:g} days"
        for option in one.options
    ]
    told = [f"Ways to go on, weighed and not recommended: {'; '.join(options)}"] if options else []
    fitting = [one.fitting.text] if one.fitting is not None else []
    assumed = [f"Assumed: {'; '.join(one.dosing)}"] if one.dosing else []
    models = [f"{model.title}: {model.domain_text}" for model in one.models] if one.outcome is not None else []
    return [one.reason.text, *one.cautions, *gaps, *told, *assumed, *models, *fitting]
