"""Will the count be enough on the day of treatment? The neutrophil part of each rule that the plan found.

A rule is held against a count by the plan's own judgement: between two of its limits it says one thing, so that it is
asked once in each such stretch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import pairwise

import numpy as np

from leuko.forecast.case import Case
from leuko.forecast.model import Floats
from leuko.frozen import Frozen, replace
from leuko.knowledge.schema.plan import Action, TreatDayRow
from leuko.plan.limits import FREE, speak
from leuko.record import Count
from leuko.result import Citation, Reason
from leuko.result.plan import TreatDay
from leuko.wording import say_list, say_number, say_unit

_CHECKPOINTS = ("day_1", "treatment_day")


class Rule(Frozen, frozen=True, kw_only=True):
    """The neutrophil part of one rule: `free` holds the stretches [10*9/L] in which it lets the dose be given."""

    id: str
    title: str
    due: date | None
    text: str
    free: tuple[tuple[float, float], ...]
    citations: tuple[Citation, ...]

    def met(self, counts: Floats) -> Floats:
        """Whether each count (N,) meets it, as 0 or 1."""
        inside = [(counts >= low) & (counts < high) for low, high in self.free]
        found: Floats = np.any(inside, axis=0).astype(np.float64) if inside else np.zeros(counts.shape)
        return found


def rules_for(case: Case, analyte: str) -> tuple[Rule, ...]:
    """The rules of the plan for the next day of treatment that have a limit on the analyte."""
    days = case.plan.treat_days if case.plan is not None else ()
    wanted = [day for day in days if day.checkpoint in _CHECKPOINTS and day.due is not None]
    found = [rule for day in wanted if (rule := _rule(day, case, analyte)) is not None]
    return tuple(found)


def _rule(day: TreatDay, case: Case, analyte: str) -> Rule | None:
    every = [row for row in case.library.rows(TreatDayRow) if row.basis.drives]
    lines = [row for row in every if row.table == day.id and row.checkpoint == day.checkpoint and not row.febrile]
    lines = [_part(row, analyte) for row in lines if analyte in row.limits and (row.join == "any" or _alone(row))]
    sample = next((count for count in reversed(case.series.get(analyte, ()))), None)
    if not lines or sample is None:
        return None
    free = _free(lines, _judge(lines, sample, analyte), analyte)
    return Rule(
        id=day.id,
        title=day.title,
        due=day.due,
        text=_said(free, sample.unit),
        free=free,
        citations=tuple(dict.fromkeys(case.library.cite(row.basis) for row in lines)),
    )


def _alone(row: TreatDayRow) -> bool:
    return len(row.limits) == 1


def _part(row: TreatDayRow, analyte: str) -> TreatDayRow:
    """The row with its limit on one analyte alone."""
    import msgspec  # noqa: PLC0415

    return msgspec.structs.replace(row, limits={analyte: row.limits[analyte]})


def _judge(lines: Sequence[TreatDayRow], sample: Count, analyte: str) -> Callable[[float], bool]:
    otherwise: dict[str, Action] = {line.id: line.otherwise for line in lines if line.otherwise is not None}

    def judge(value: float) -> bool:
        count = replace(sample, value=value, bound="=")
        return speak(lines, {analyte: count}, otherwise).verdict in FREE

    return judge


def _free(
    lines: Sequence[TreatDayRow], judge: Callable[[float], bool], analyte: str
) -> tuple[tuple[float, float], ...]:
    """The stretches between limits in which the rule lets the dose be given."""
    bands = [line.limits[analyte] for line in lines]
    limits = [limit for band in bands for limit in (band.lower, band.upper) if isinstance(limit, float | int)]
    edges = [0.0, *sorted({float(limit) for limit in limits if limit > 0}), float("inf")]
    found: list[tuple[float, float]] = []
    for low, high in pairwise(edges):
        middle = (low + high) / 2 if high != float("inf") else low * 2 + 1
        if not judge(middle):
            continue
        found = [*found[:-1], (found[-1][0], high)] if found and found[-1][1] == low else [*found, (low, high)]
    return tuple(found)


def _said(free: tuple[tuple[float, float], ...], unit: str) -> str:
    parts = [
        f"at least {say_number(low)}" if high == float("inf") else f"from {say_number(low)} to {say_number(high)}"
        for low, high in free
    ]
    return f"{say_list(parts, 'or')} {say_unit(unit)}" if parts else "no count meets it"


def reason_of(rule: Rule) -> Reason:
    """The rule as the reason of a chance."""
    return Reason(rule=f"treat_day:{rule.id}", text=f"{rule.title}: {rule.text}", citations=rule.citations)
