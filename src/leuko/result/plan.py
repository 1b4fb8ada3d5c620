"""What to do: options with reasons for and against, the count on the day of treatment, monitored drugs, next counts."""

from __future__ import annotations

from datetime import date
from typing import Literal

from leuko.frozen import Frozen
from leuko.result.core import Gap, Reason

Standing = Literal["recommended", "consider", "not_routine", "cannot_say"]
Topic = Literal["growth_factor", "antimicrobial_prophylaxis", "antimicrobial_therapy", "prevention"]
Advice = Literal[
    "escalate",
    "give",
    "not_barred",
    "caution",
    "reduce",
    "delay",
    "withhold",
    "stop",
    "contraindicated",
    "titrate",
    "cannot_say",
]
Told = Literal["argument", "record", "drugs", "ambiguous", "unknown", "none"]


class RiskClass(Frozen, frozen=True, kw_only=True):
    """How one body classes a regimen's risk of febrile neutropenia; several classes where it gives a range.

    `reviewed` false: the row is not confirmed, is listed only, and drives nothing.
    """

    body: str
    classes: tuple[str, ...]
    text: str
    reviewed: bool
    reason: Reason


class Regimen(Frozen, frozen=True, kw_only=True):
    """The chemotherapy regimen, as far as the record or the caller tells it; never guessed.

    `told`: by the caller's "argument", by the "record"'s own words, by the set of "drugs" in one cycle; "ambiguous"
    where several fit (`candidates`), "unknown" where none does, "none" where there is no chemotherapy. `drugs` are
    those of the present cycle, `day_1` its first day, `next_day_1` when the next cycle would begin by `cycle_days`.
    """

    told: Told
    id: str | None = None
    name: str = ""
    candidates: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
    cycle_days: float | None = None
    day_1: date | None = None
    next_day_1: date | None = None
    risks: tuple[RiskClass, ...] = ()
    text: str
    reason: Reason
    gaps: tuple[Gap, ...] = ()


class TreatDay(Frozen, frozen=True, kw_only=True):
    """What one rule says of giving the drug on the counts there are.

    `verdict` is "cannot_say" where a count is missing, too old for the rule, or only a bound that leaves it open;
    `possible` then lists what remains, the mildest first, and `on_count` what the rule says to the last counts whatever
    their age. "not_barred": the rule sets limits, and the count is beyond all of them; it gives no go-ahead of its own.
    `due` is the day that the rule speaks of, where it is known; `today` whether that is the day of the assessment.
    """

    id: str
    title: str
    setting: str
    region: str
    checkpoint: str
    verdict: Advice
    on_count: Advice
    possible: tuple[Advice, ...] = ()
    due: date | None = None
    today: bool = False
    text: str
    then: str = ""
    rows: tuple[str, ...] = ()
    reason: Reason
    gap: Gap | None = None


class Option(Frozen, frozen=True, kw_only=True):
    """One thing that could be done, as a class and an indication; never a dose.

    `standing` is what the bodies read say; where they differ, `conflicts` shows it and the stronger wording stands.
    `speaks_for`, `speaks_against` and `cautions` are reasons with their sources, `missing` what is not known.
    """

    id: str
    topic: Topic
    title: str
    standing: Standing
    what: str
    when: str = ""
    until: str = ""
    speaks_for: tuple[Reason, ...] = ()
    speaks_against: tuple[Reason, ...] = ()
    cautions: tuple[Reason, ...] = ()
    conflicts: tuple[Reason, ...] = ()
    missing: tuple[Gap, ...] = ()
    reason: Reason


class Monitoring(Frozen, frozen=True, kw_only=True):
    """Where one monitored medicine stands in one scheme.

    `band` None: cannot be said; `possible` then lists the bands that remain. `since` is the start (or restart) of the
    medicine, `on_drug_days` the days since. `due` is the day by which the next count is due, `overdue` whether it has
    passed; None: not known. `running` None: the record does not say whether the medicine is still taken.
    """

    scheme: str
    title: str
    drug: str
    jurisdiction: str
    population: str
    band: str | None
    possible: tuple[str, ...] = ()
    action: Advice
    text: str
    since: date | None = None
    on_drug_days: int | None = None
    running: bool | None = None
    counts: str = ""
    due: date | None = None
    overdue: bool | None = None
    reason: Reason
    notes: tuple[Reason, ...] = ()
    conflicts: tuple[Reason, ...] = ()
    gaps: tuple[Gap, ...] = ()


class NextCount(Frozen, frozen=True, kw_only=True):
    """When a count is due, by one rule. `due` None: only the interval is known."""

    analyte: str
    due: date | None
    within_days: float | None
    overdue: bool
    text: str
    reason: Reason


class Plan(Frozen, frozen=True, kw_only=True):
    """What could be done, of what the sources read say. It informs a professional, and prescribes nothing.

    `next_counts` stand by their day, the earliest first. `conflicts` are disagreements of sources, shown and not
    settled. `unreviewed` names rows of knowledge that would have spoken and are not confirmed.
    """

    regimen: Regimen
    treat_days: tuple[TreatDay, ...] = ()
    options: tuple[Option, ...] = ()
    monitoring: tuple[Monitoring, ...] = ()
    next_counts: tuple[NextCount, ...] = ()
    conflicts: tuple[Reason, ...] = ()
    unreviewed: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
