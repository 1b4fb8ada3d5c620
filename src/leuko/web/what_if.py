"""Two plans of the next cycle side by side, with the plan as it is beside them; the numbers are those of a forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from leuko.errors import UsageError
from leuko.forecast.what_if import WhatIf, case_of, what_ifs
from leuko.forecast.wish import Change
from leuko.knowledge.schema.choices import OptionRow
from leuko.report.chart_options import options_spec
from leuko.report.coming import UNIT, OptionWords, option_words
from leuko.report.outline import patient_words
from leuko.report.page import data_block
from leuko.report.sections.forecast import ASSUMED
from leuko.result.forecast import Option
from leuko.web.people import People, Seen
from leuko.wording import say_date, say_number

SIDES: Final = ("a", "b")
ROWS: Final = (
    ("severe", "Chance to fall below {severe}"),
    ("lowest", "Lowest count"),
    ("days", "Days below {severe}"),
    ("back", "Back at {last}"),
    ("ready", "Rule for the day met on day 1"),
    ("intensity", "Dose intensity"),
    ("delay", "Delay"),
)
"""What is compared, in this order: the cell of an option's words, and what it is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One side of the form as it was filled in: dose [percent of the plan], delay [days], day of the growth factor."""

    dose: float
    delay: float
    factor: int | None

    @property
    def change(self) -> Change:
        """The same as a forecast is asked."""
        dose = {"": self.dose / 100} if self.dose != 100 else {}
        return Change(delay=self.delay, dose=dose, factor=self.factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Between which values the sliders run: those that a search for options looks at."""

    least_dose: float
    most_delay: float
    most_day: int
    growth: bool


def kept(people: People, seen: Seen) -> tuple[WhatIf, ...]:
    """The posteriors of a person, found once: later questions take a fraction of a second."""
    found: tuple[WhatIf, ...] = people.made(
        seen, "what-if", lambda: what_ifs(case_of(seen.record, seen.assessment, seen.library))
    )
    return found


def bounds_of(one: WhatIf) -> Bounds:
    """What can be asked of a person."""
    return Bounds(
        least_dose=one.least_dose, most_delay=one.most_delay, most_day=int(one.cycle_days), growth=one.knows_growth
    )


def usual(seen: Seen) -> dict[str, Plan]:
    """What stands in the form at first: the longest usual delay, and the usual reduction of the dose."""
    rows = seen.library.rows(OptionRow)
    delay = max((row.delay for row in rows), default=0.0)
    dose = min((row.dose for row in rows), default=100.0)
    return {"a": Plan(dose=100.0, delay=delay, factor=None), "b": Plan(dose=dose, delay=0.0, factor=None)}


def plans_of(sent: Mapping[str, str], first: Mapping[str, Plan], bounds: Bounds) -> dict[str, Plan]:
    """The plans of a form. Raises UsageError, in words for the form, for a number that it does not take."""
    return {side: _plan(side, sent, first[side], bounds) for side in SIDES}


def _plan(side: str, sent: Mapping[str, str], first: Plan, bounds: Bounds) -> Plan:
    if not any(name.startswith(f"{side}_") for name in sent):
        return first
    named = f"plan {side.upper()}"
    day = _number(sent, f"{side}_factor", 0.0, (0.0, float(bounds.most_day)), f"the day of the growth factor, {named}")
    return Plan(
        dose=_number(sent, f"{side}_dose", 100.0, (bounds.least_dose, 100.0), f"the dose, {named}"),
        delay=_number(sent, f"{side}_delay", 0.0, (0.0, bounds.most_delay), f"the delay, {named}"),
        factor=int(day) if day and bounds.growth else None,
    )


def _number(sent: Mapping[str, str], name: str, default: float, ends: tuple[float, float], what: str) -> float:
    text = sent.get(name, "").strip().replace(",", ".")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    low, high = ends
    if not low <= value <= high:
        raise UsageError(f"{what} is no number from {low:g} to {high:g}", do="correct it, or use the slider")
    return value


# ---- what comes of it -----------------------------------------------------------------------------------------------


def compared(people: People, seen: Seen, plans: Mapping[str, Plan]) -> list[dict[str, Any]]:
    """The two plans and the plan as it is, by each model that contradicts the others, else by all together."""
    return [_by(people, seen, one, number, plans) for number, one in enumerate(kept(people, seen))]


def _by(people: People, seen: Seen, one: WhatIf, number: int, plans: Mapping[str, Plan]) -> dict[str, Any]:
    def option(change: Change) -> Option:
        words = f"option {number} {change}"
        made: Option = people.made(seen, words, lambda: one.option(change, name="asked"))
        return made

    planned = option(Change())
    asked = {side: option(plans[side].change) for side in SIDES}
    words = [option_words(each, one.severe) for each in (planned, *asked.values())]
    cuts = {"severe": say_number(one.severe), "last": say_number(planned.outcome.cuts[-1].cut)}
    named = [(f"Plan {side.upper()}", asked[side]) for side in SIDES]
    made = options_spec(seen.assessment, named, planned, analyte=one.analyte)
    rows = [(title.format(**cuts), [getattr(each, cell) for each in words]) for cell, title in ROWS]
    return {
        "models": one.models,
        "cautions": one.cautions,
        "id": f"what-if-{number}",
        "spec": data_block(made),
        "description": made["description"],
        "columns": [("As planned", planned), *named],
        "words": words,
        "rows": rows,
        "note": _note(seen, one, words, rows),
        "unit": UNIT,
    }


def _note(seen: Seen, one: WhatIf, words: list[OptionWords], rows: list[tuple[str, list[str]]]) -> str:
    """The comparison as plain text, for the note of the day."""
    names = ("As planned", "Plan A", "Plan B")
    lines = [
        f"What if, next cycle: {patient_words(seen.assessment.patient)}",
        f"as of {say_date(seen.day)}; next cycle planned for {say_date(one.planned)}; counts in {UNIT}",
        "",
    ]
    for number, (name, each) in enumerate(zip(names, words, strict=True)):
        told = "; ".join(f"{title[:1].lower()}{title[1:]} {cells[number]}" for title, cells in rows)
        lines.append(f"{name} ({each.text}): {told}.")
    lines += [f"Caution: {each}." for each in one.cautions]
    lines += ["", ASSUMED, f"Models: {one.models}. leuko {seen.assessment.leuko_version}."]
    return "\n".join(lines)
