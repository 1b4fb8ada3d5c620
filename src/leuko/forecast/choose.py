"""Ways to go on with the next cycle, each run on from the same draws of this person's posterior, with what it costs.

Nothing is recommended: the table shows the risk of severe neutropenia against the intensity of the doses, the days of
delay and the days of a growth factor. Dose intensity is dose in a stretch of time relative to the plan, averaged over
the medicines (relative dose intensity; Hryniuk W, Bush H. J Clin Oncol 1984;2:1281-1288).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np

from leuko.forecast.asked import check_changes, factor_gap
from leuko.forecast.case import DAY, HOUR, Case
from leuko.forecast.dosing import Dosing, schedule_of
from leuko.forecast.fan import fan_of
from leuko.forecast.given import Given
from leuko.forecast.heard import Heard
from leuko.forecast.outcome import HOURS, Courses, outcome_of
from leuko.forecast.ready import Rule
from leuko.forecast.treatment import Treatment, daily_factor
from leuko.forecast.wish import Change, Limits
from leuko.frozen import Frozen, replace
from leuko.knowledge.schema.choices import OptionRow
from leuko.result import Citation, Gap, Reason
from leuko.result.forecast import Option
from leuko.wording import say_date, say_days, say_number

# Stands beside every number that a growth factor makes, in every view.
OWN_STRENGTH: Final = "its strength is leuko's own setting"


class Weighing(Frozen, frozen=True, kw_only=True):
    """What options are weighed with: the treatment, the models heard, the rules for the day of treatment."""

    treatment: Treatment
    heard: Heard
    rules: tuple[Rule, ...]
    case: Case
    draws: int

    def growth(self) -> Weighing:
        """The same with a growth factor in every model."""
        heard = self.heard.with_growth(self.case, daily_factor(self.case))
        return replace(self, heard=heard)

    @property
    def knows_growth(self) -> bool:
        """Whether every model can say what a growth factor does."""
        return all(voice.posterior.model.growth is not None for voice in self.heard.sound())


def keeps(option: Option, limits: Limits) -> bool:
    """Whether an option keeps to all limits."""
    return (
        (limits.severe is None or option.severe <= limits.severe)
        and (limits.ready is None or (option.ready is not None and option.ready >= limits.ready))
        and (limits.delay is None or option.delay_days <= limits.delay)
        and (limits.intensity is None or option.dose_intensity >= limits.intensity)
    )


def limits_words(limits: Limits) -> str:
    """The limits in words."""
    told = [
        f"severe neutropenia in at most {100 * limits.severe:g} %" if limits.severe is not None else "",
        f"ready in at least {100 * limits.ready:g} %" if limits.ready is not None else "",
        f"delayed by at most {say_days(limits.delay)}" if limits.delay is not None else "",
        f"dose intensity at least {100 * limits.intensity:g} %" if limits.intensity is not None else "",
    ]
    return ", ".join(part for part in told if part) or "no limit"


def usual_changes(weighing: Weighing) -> tuple[tuple[OptionRow, Change], ...]:
    """The options that every forecast shows, as far as they differ from the plan."""
    treatment = weighing.treatment
    found = []
    for row in weighing.case.library.rows(OptionRow):
        if row.several and len(treatment.days) < 2:
            continue
        if row.factor is not None and treatment.factors:
            continue
        change = Change(
            delay=row.delay,
            dose={"": row.dose / 100} if row.dose != 100 else {},
            factor=row.factor,
            drop=treatment.days[-1] if row.drop else None,
        )
        found.append((row, change))
    return tuple(found)


def options_of(weighing: Weighing) -> tuple[Option, ...]:
    """The usual options with their outcomes, those that nothing beats marked."""
    grown = weighing.growth()
    found = []
    for row, change in usual_changes(weighing):
        if change.factor is not None and not grown.knows_growth:
            continue
        used = grown if change.factor is not None else weighing
        found.append(option_of(change, used, name=row.id))
    return pareto(found)


def asked_options(changes: Sequence[Change], weighing: Weighing) -> tuple[tuple[Option, ...], tuple[Gap, ...]]:
    """The options that the caller asks for, with the plan itself beside them, with a fan each; and what is left open.

    Raises UsageError where a change is one of what is not planned.
    """
    check_changes(changes, weighing.treatment)
    grows = any(change.factor is not None for change in changes)
    grown = weighing.growth() if grows else weighing
    gap = factor_gap(weighing.treatment, knows_growth=grown.knows_growth) if grows else None
    found = [option_of(Change(), weighing, name="as-planned", fan=True)]
    for number, change in enumerate(changes, 1):
        if change.factor is not None and gap is not None:
            continue
        used = grown if change.factor is not None else weighing
        found.append(option_of(change, used, name=f"asked-{number}", fan=True))
    return pareto(found), () if gap is None else (gap,)


def option_of(change: Change, weighing: Weighing, *, name: str, fan: bool = False) -> Option:
    """One option: the cycle that it leads to."""
    treatment, case = weighing.treatment, weighing.case
    assert treatment.next_start is not None  # noqa: S101 (options are asked for where a next cycle is planned)
    start = treatment.next_start + change.delay * DAY
    origin = weighing.heard.origin
    days = np.arange(0.0, treatment.cycle_days + case.ask.step / 2, case.ask.step)
    hours = (start - origin) / HOUR + days * HOURS
    dosing = treatment.with_factor(treatment.with_next(change), change, case)
    ahead = weighing.heard.run(lambda model: schedule_of(dosing, model, origin=origin), hours, draws=weighing.draws)
    courses = Courses(days=days, counts=ahead.counts, baseline=ahead.baseline)
    reported = ahead.reported(float(hours[0]))
    ready = float(np.min([rule.met(reported) for rule in weighing.rules], axis=0).mean()) if weighing.rules else None
    return Option(
        id=name,
        text=words_of(change, treatment),
        changes=_changes(change, treatment),
        dose_intensity=intensity_of(dosing, change, treatment),
        delay_days=change.delay,
        outcome=outcome_of(courses, cuts=case.ask.cuts, hold=case.rules["recovered_days"]),
        fan=fan_of(ahead.counts, days, start=start, cuts=case.ask.cuts, paths=0) if fan else None,
        severe=float((ahead.counts.min(axis=0) < case.ask.severe).mean()),
        ready=ready,
        pareto=False,
        reason=_reason(name, change, weighing),
        start=start,
        factor_days=int(case.rules["factor_days"]) if change.factor is not None else 0,
    )


def intensity_of(dosing: Dosing, change: Change, treatment: Treatment) -> float:
    """Dose in a stretch of time relative to the plan, averaged over the medicines of the next cycle."""
    drugs = dict.fromkeys(one.drug for one in treatment.coming)
    new = [one for one in dosing.given if one.told == "option"]
    shares = [_sum(new, drug) / _sum(treatment.coming, drug) for drug in drugs]
    return float(np.mean(shares)) * treatment.cycle_days / (treatment.cycle_days + change.delay)


def _sum(doses: Sequence[Given], drug: str) -> float:
    return sum(one.amount if one.amount is not None else one.share for one in doses if one.drug == drug)


def words_of(change: Change, treatment: Treatment) -> str:
    """An option in a few words."""
    parts = _changes(change, treatment)
    text = "; ".join(parts) if parts else "as planned"
    return f"{text[0].upper()}{text[1:]}"


def _changes(change: Change, treatment: Treatment) -> tuple[str, ...]:
    start = treatment.next_start
    later = f"{say_days(change.delay)} later" if change.delay else ""
    if later and start is not None:
        later += f", on {say_date((start + change.delay * DAY).date())}"
    doses = [f"{drug or 'doses'} at {100 * share:g} %" for drug, share in change.dose.items() if share != 1.0]
    factor = f"growth factor daily from day {change.factor} ({OWN_STRENGTH})" if change.factor is not None else ""
    drop = f"without day {change.drop}" if change.drop is not None else ""
    return tuple(part for part in (later, *doses, factor, drop) if part)


def _reason(name: str, change: Change, weighing: Weighing) -> Reason:
    """Which rules of the plan speak of this way to go on."""
    plan, told, cited = weighing.case.plan, [], list[Citation]()
    for rule in weighing.rules:
        told.append(f"{rule.title}: {rule.text} on the day of treatment")
        cited += rule.citations
    if plan is not None and (change.dose or change.drop is not None):
        for day in plan.treat_days:
            if day.checkpoint in {"previous_cycle", "nadir"} and day.then:
                told.append(f"{day.title}, after the last cycle: {day.then.rstrip('.')}")
                cited += day.reason.citations
    if plan is not None and change.factor is not None:
        for option in plan.options:
            if option.topic == "growth_factor":
                told.append(f"{option.title}: {option.standing.replace('_', ' ')}")
                cited += option.reason.citations
    text = "; ".join(told) if told else "no rule of the plan speaks of it"
    return Reason(rule=f"option:{name}", text=text, citations=tuple(dict.fromkeys(cited)))


# --- what nothing beats -----------------------------------------------------------------------------------------------


def pareto(options: Sequence[Option]) -> tuple[Option, ...]:
    """The same, those marked that no other beats: as good in all that it costs, and better in something."""
    costs = [_costs(option) for option in options]
    return tuple(
        replace(option, pareto=not any(_beats(other, own) for other in costs))
        for option, own in zip(options, costs, strict=True)
    )


def _costs(option: Option) -> tuple[float, float, float, float]:
    """Severe neutropenia, dose lost, days of delay, days of growth factor: less is better."""
    return option.severe, -option.dose_intensity, option.delay_days, float(option.factor_days)


def _beats(other: tuple[float, ...], own: tuple[float, ...]) -> bool:
    return other != own and all(a <= b for a, b in zip(other, own, strict=True))


def front_of(weighing: Weighing, limits: Limits) -> tuple[Option, ...]:
    """The options of a search over dose, delay and growth factor that keep to the limits and that nothing beats.

    With a limit on severe neutropenia the largest dose that keeps to it stands among them, to the step of the search.
    """
    rules = weighing.case.rules
    doses = np.arange(100.0, rules["search_dose_least"] - 1e-9, -rules["search_dose_step"])
    usual = weighing.case.library.rows(OptionRow)
    most = _longest(weighing, limits)
    steps = np.arange(0.0, most + 1e-9, rules["search_delay_step"]).tolist()
    delays = sorted({*steps, most, *(row.delay for row in usual if row.delay <= most)})
    grown = weighing.growth()
    first = min((row.factor for row in usual if row.factor), default=1)
    factors: list[int | None] = [None, *range(first, int(rules["search_factor_last"]) + 1)]
    if weighing.treatment.factors or not grown.knows_growth:
        factors = [None]
    found = []
    for number, (factor, delay, dose) in enumerate(product(factors, delays, doses)):
        change = Change(delay=float(delay), dose={"": float(dose) / 100} if dose != 100 else {}, factor=factor)
        found.append(option_of(change, grown if factor else weighing, name=f"search-{number}"))
    kept = [option for option in pareto([one for one in found if keeps(one, limits)]) if option.pareto]
    return tuple(sorted(kept, key=lambda one: (-one.dose_intensity, one.delay_days, one.factor_days)))


def _longest(weighing: Weighing, limits: Limits) -> float:
    """The longest delay that a search looks at [days]."""
    most = weighing.case.rules["search_delay_most"]
    return most if limits.delay is None else min(limits.delay, most)


def front_text(weighing: Weighing, limits: Limits) -> str:
    """What a search looked at."""
    rules = weighing.case.rules
    return (
        f"doses from {say_number(rules['search_dose_least'])} to 100 % of those planned, delays up to"
        f" {say_days(_longest(weighing, limits))}, without a growth factor and with one from up to day"
        f" {say_number(rules['search_factor_last'])}; kept:"
        f" {limits_words(limits)}, and what no other way beats in all of severe neutropenia, dose intensity, delay and"
        " growth factor"
    )
