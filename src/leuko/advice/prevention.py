"""What to do oneself: the page's advice and what evidence adds to it, and whether each piece applies to this person."""

from __future__ import annotations

from collections.abc import Mapping

from leuko.knowledge import Library
from leuko.knowledge.schema.advice import AdviceRow, When
from leuko.result import Course, Reason
from leuko.result.advice import Advice, Situation

_CHRONIC = ("chronic", "cyclic")
_WORDS = {
    "low": "the count is low",
    "high": "the neutrophils are moderately low or worse, treatment goes on, or a serious cause is likely",
    "treatment": "treatment for cancer goes on",
    "profound": "the neutrophils are profoundly low",
    "chronic": "the neutrophils have been low for months",
    "anyone": "it holds for everybody",
}


def advice_rows(situation: Situation, courses: Mapping[str, Course], *, library: Library) -> tuple[Advice, ...]:
    """Every piece of advice that is confirmed; those that apply first, those that depend on something unknown next."""
    facts = _facts(situation, courses)
    found = [_advice(row, facts, situation, library) for row in library.rows(AdviceRow) if row.basis.drives]
    order = {True: 0, None: 1, False: 2}
    return tuple(sorted(found, key=lambda one: (order[one.applies], not one.on_page)))


def _facts(situation: Situation, courses: Mapping[str, Course]) -> dict[str, bool | None]:
    fresh = situation.stale_days is None
    level = situation.level if fresh or situation.level != "not_low" else "unknown"
    course = courses.get("neutrophils")
    low = _low(situation, level)
    return {
        "low": False if situation.benign else low,
        "high": situation.tier == "high",
        "treatment": situation.treatment,
        "profound": None if level in {"unknown", "low"} else level == "profound",
        "chronic": course is not None and course.kind in _CHRONIC,
        "anyone": True,
    }


def _low(situation: Situation, level: str) -> bool | None:
    if situation.white_low or level not in {"not_low", "unknown"}:
        return True
    return None if level == "unknown" else False


def _advice(row: AdviceRow, facts: Mapping[str, bool | None], situation: Situation, library: Library) -> Advice:
    held = [facts[one] for one in row.when]
    applies = True if True in held else None if None in held else False
    because = _because(row, facts, applies, situation)
    return Advice(
        id=row.id,
        area=row.area,
        kind=row.kind,
        text=row.text,
        applies=applies,
        because=because,
        evidence=row.evidence,
        on_page=row.on_page,
        reason=Reason(rule=row.id, text=f"{row.text} {because}", citations=(library.cite(row.basis),)),
    )


def _met(when: When, situation: Situation) -> str:
    """What it is in this person that meets a condition: the cautious rules have several grounds."""
    if when != "high":
        return _WORDS[when]
    if situation.level in {"moderate", "severe", "profound"}:
        return "the neutrophils are moderately low or worse"
    if situation.treatment:
        return _WORDS["treatment"]
    if situation.level == "low":
        return "the neutrophils are low, and how low is not known"
    if situation.level == "unknown":
        return "whether the neutrophils are low is not known"
    return "the record supports a cause that asks for the most cautious rules"


def _because(row: AdviceRow, facts: Mapping[str, bool | None], applies: bool | None, situation: Situation) -> str:
    if applies:
        return f"It applies: {next(_met(one, situation) for one in row.when if facts[one])}."
    if applies is None:
        if [one for one in row.when if facts[one] is None] == ["treatment"]:
            return "Only during treatment for cancer."  # that the record does not say so is a gap, told once
        open_ = " or ".join(_WORDS[one] for one in row.when if facts[one] is None)
        return f"It applies if {open_}, which the record does not say."
    return f"It is for people of whom one of these holds: {'; '.join(_WORDS[one] for one in row.when)}."
