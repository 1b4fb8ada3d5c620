"""The latest count against the person's own baseline.

The baseline is the median of the earlier counts that belong to no low episode. A change is told from chance by the
reference change value: 95 % of the ratios of two log-normal results of one person lie within exp(±z √2 s), with s² =
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
from leuko.frozen import Frozen
from leuko.knowledge.schema import CourseRules
from leuko.record import Bound, Count
from leuko.result import Citation, Direction, Gap, Reason, Trend
from leuko.wording import say_bounded, say_date, say_number, say_unit

_Z: Final = 1.96
"""Two-sided 95 % of the normal distribution."""
_BOUND_WORDS: Final[dict[Bound, str]] = {
    "=": "",
    "<": "less than ",
    "<=": "at most ",
    ">": "more than ",
    ">=": "at least ",
}


class Compared(Frozen, frozen=True, kw_only=True):
    """The latest count, the earlier ones it is held against, and their median [unit of the analyte]."""

    latest: Count
    own: tuple[Count, ...]
    baseline: float
    rules: CourseRules
    lowness: Lowness

    @property
    def fold(self) -> float:
        """Latest over baseline."""
        return self.latest.value / self.baseline

    @property
    def direction(self) -> Direction:
        """The direction of a change beyond chance; of a bound only where every value that it allows has it."""
        fall, rise = fold_limits(self.rules)
        if self.latest.bound in {"<", "<="}:
            return "falling" if self.fold <= fall else "cannot_say"
        if self.latest.bound in {">", ">="}:
            return "rising" if self.fold >= rise else "cannot_say"
        return "falling" if self.fold <= fall else "rising" if self.fold >= rise else "stable"


def trend_of(points: Sequence[Point], in_episode: Iterable[str], rules: CourseRules, lowness: Lowness) -> Trend:
    """The trend at the last of the points; `in_episode` are the ids of counts that belong to a low episode.

    Of several counts in one last window, whose order is not known, the lowest is taken.
    """
    if not points:
        return _silent(rules, lowness, 0, None, "there is no count")
    latest, low = min(points[-1].counts, key=lambda count: count.value), set(in_episode)
    own = tuple(c for point in points[:-1] for c in point.counts if c.bound == "=" and c.id not in low)
    if len(own) < rules.trend_min_baseline:
        why = f"{_counted(len(own))} before the latest and outside low episodes"
        return _silent(rules, lowness, len(own), latest, why)
    baseline = median(count.value for count in own)
    if baseline <= 0:
        return _silent(rules, lowness, len(own), latest, "the own baseline is zero")
    return _trend(Compared(latest=latest, own=own, baseline=baseline, rules=rules, lowness=lowness))


def fold_limits(rules: CourseRules) -> tuple[float, float]:
    """At or below the first and at or above the second fold of the baseline, a change is more than chance."""
    cv = rules.within_person_cv
    if cv is None:
        return rules.trend_fold_fall, 1 / rules.trend_fold_fall
    rise = math.exp(_Z * math.sqrt(2 * math.log1p(cv * cv)))
    return 1 / rise, rise


def _trend(compared: Compared) -> Trend:
    latest, rules = compared.latest, compared.rules
    return Trend(
        analyte=rules.analyte,
        baseline=compared.baseline,
        baseline_n=len(compared.own),
        latest=latest.value,
        fold=compared.fold,
        direction=compared.direction,
        reason=Reason(
            rule=f"course:{rules.analyte}:trend",
            text=f"{_said(compared)}: {_meant(compared)}.",
            evidence=(latest.id, *(count.id for count in compared.own)),
            citations=_citations(rules, compared.lowness),
        ),
        gap=_bound_gap(latest, compared.lowness) if compared.direction == "cannot_say" else None,
    )


def _said(compared: Compared) -> str:
    latest = compared.latest
    day = f" on {say_date(latest.taken.day)}" if latest.taken is not None else ""
    own = f"{say_number(compared.baseline)} {say_unit(latest.unit)} (median of {len(compared.own)} earlier counts)"
    return (
        f"{compared.lowness.label} {say_bounded(latest.value, latest.bound)}{day} is {_BOUND_WORDS[latest.bound]}"
        f"{compared.fold:.2f} times the person's own baseline of {own}"
    )


def _meant(compared: Compared) -> str:
    fall, rise = fold_limits(compared.rules)
    return {
        "falling": f"a fall beyond chance, which begins at {fall:.2f}",
        "rising": f"a rise beyond chance, which begins at {rise:.2f}",
        "stable": f"within what counts vary by chance, {fall:.2f} to {rise:.2f}",
        "cannot_say": "a bound that leaves the direction open",
    }[compared.direction]


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
