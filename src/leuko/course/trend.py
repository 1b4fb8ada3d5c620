"""The latest count against the person's own baseline.

The baseline is the median of the earlier counts that belong to no low episode. A change is told from chance by the
reference change value: 95 % of the ratios of two log-normal results of one person lie within exp(±z·√2·σ), with σ² =
ln(1 + CV²) and CV the within-person variation of the analyte. Where no CV is on file, the house limit `trend_fold_fall`
stands instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from leuko.course.lowness import Lowness
from leuko.course.points import Point
from leuko.knowledge.schema import CourseRules
from leuko.record import Count
from leuko.result import Citation, Direction, Gap, Reason, Trend
from leuko.wording import say_bounded, say_date, say_number, say_unit

_Z: Final = 1.96
"""Two-sided 95 % of the normal distribution."""


def trend_of(points: Sequence[Point], in_episode: Iterable[str], rules: CourseRules, lowness: Lowness) -> Trend:
    """The trend at the last of the points; `in_episode` are the ids of counts that belong to a low episode."""
    if not points:
        return _silent(rules, lowness, 0, None, "there is no count")
    latest, low = points[-1].counts[-1], set(in_episode)
    own = [count for point in points[:-1] for count in point.counts if count.bound == "=" and count.id not in low]
    if len(own) < rules.trend_min_baseline:
        why = f"{_counted(len(own))} before the latest and outside low episodes"
        return _silent(rules, lowness, len(own), latest, why)
    return _against(latest, own, rules, lowness)


def fold_limits(rules: CourseRules) -> tuple[float, float]:
    """Below the first and above the second fold of the baseline, a change is more than chance."""
    cv = rules.within_person_cv
    if cv is None:
        return rules.trend_fold_fall, 1 / rules.trend_fold_fall
    rise = math.exp(_Z * math.sqrt(2 * math.log1p(cv * cv)))
    return 1 / rise, rise


def _against(latest: Count, own: Sequence[Count], rules: CourseRules, lowness: Lowness) -> Trend:
    baseline = median(count.value for count in own)
    if baseline <= 0:
        return _silent(rules, lowness, len(own), latest, "the own baseline is zero")
    fold = latest.value / baseline
    direction = _direction(latest, fold, rules)
    reason = Reason(
        rule=f"course:{rules.analyte}:trend",
        text=_text(latest, own, baseline, direction, rules, lowness),
        evidence=(latest.id, *(count.id for count in own)),
        citations=_citations(rules, lowness),
    )
    return Trend(
        analyte=rules.analyte,
        baseline=baseline,
        baseline_n=len(own),
        latest=latest.value,
        fold=fold,
        direction=direction,
        reason=reason,
        gap=_bound_gap(latest, lowness) if direction == "cannot_say" else None,
    )


def _direction(latest: Count, fold: float, rules: CourseRules) -> Direction:
    """A bound tells a direction only where every value that it allows does."""
    fall, rise = fold_limits(rules)
    if latest.bound in {"<", "<="}:
        return "falling" if fold <= fall else "cannot_say"
    if latest.bound in {">", ">="}:
        return "rising" if fold >= rise else "cannot_say"
    return "falling" if fold <= fall else "rising" if fold >= rise else "stable"


def _text(
    latest: Count, own: Sequence[Count], baseline: float, direction: Direction, rules: CourseRules, lowness: Lowness
) -> str:
    fall, rise = fold_limits(rules)
    day = f" on {say_date(latest.taken.day)}" if latest.taken is not None else ""
    at_most = {"<": "less than ", "<=": "at most ", ">": "more than ", ">=": "at least "}.get(latest.bound, "")
    said = (
        f"{lowness.label} {say_bounded(latest.value, latest.bound)}{day} is {at_most}{say_number(latest.value / baseline)} "
        f"of the person's own baseline, {say_number(baseline)} {say_unit(latest.unit)} (median of {len(own)} earlier counts)"
    )
    what = {
        "falling": f"a fall beyond chance (limit {say_number(round(fall, 2))})",
        "rising": f"a rise beyond chance (limit {say_number(round(rise, 2))})",
        "stable": f"no more than counts vary by chance ({say_number(round(fall, 2))} to {say_number(round(rise, 2))})",
        "cannot_say": "a bound that leaves the direction open",
    }[direction]
    return f"{said}: {what}."


def _citations(rules: CourseRules, lowness: Lowness) -> tuple[Citation, ...]:
    name = "trend_fold_fall" if rules.within_person_cv is None else "within_person_cv"
    return (lowness.library.cite(rules.basis_of(name)),)


def _bound_gap(latest: Count, lowness: Lowness) -> Gap:
    return Gap(
        what=f"trend of {lowness.label}",
        why=f"the latest count is known only as {say_bounded(latest.value, latest.bound)}",
        settle="a measured value instead of a bound",
    )


def _silent(rules: CourseRules, lowness: Lowness, number: int, latest: Count | None, why: str) -> Trend:
    gap = Gap(
        what=f"trend of {lowness.label} against the person's own baseline",
        why=why,
        settle=f"at least {rules.trend_min_baseline} measured counts from before, taken while not low",
    )
    reason = Reason(
        rule=f"course:{rules.analyte}:trend",
        text=f"No own baseline to compare with: {why}.",
        evidence=() if latest is None else (latest.id,),
        citations=(lowness.library.cite(rules.basis_of("trend_min_baseline")),),
    )
    return Trend(
        analyte=rules.analyte,
        baseline=None,
        baseline_n=number,
        latest=None if latest is None else latest.value,
        fold=None,
        direction="cannot_say",
        reason=reason,
        gap=gap,
    )


def _counted(number: int) -> str:
    return {0: "no measured count", 1: "only 1 measured count"}.get(number, f"only {number} measured counts")
