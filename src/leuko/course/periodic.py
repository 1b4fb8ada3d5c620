"""Do the counts rise and fall with a period? Tested only where the sampling can carry it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import Final

from leuko.course.lowness import Lowness
from leuko.course.points import Point
from leuko.course.spectrum import Peak, strongest_period
from leuko.frozen import Frozen
from leuko.knowledge.schema import CourseRules
from leuko.record import Count, Dose
from leuko.result import Cycle, Gap, Reason
from leuko.wording import say_date, say_days, say_list, say_number

_NOT_TAKEN: Final = frozenset({"entered-in-error", "cancelled", "not-done"})
_HALF_DAY: Final = 0.5
_RULES: Final = ("cyclic_min_counts", "cyclic_min_days", "cyclic_period_low", "cyclic_max_false_alarm")


class Rhythm(Frozen, frozen=True, kw_only=True):
    """The test and what it means: `own` is a period of the person's own, that no treatment on record explains."""

    cycle: Cycle
    own: bool


class Daily(Frozen, frozen=True, kw_only=True):
    """One value a day: days, logarithms of the counts, and the ids they come from."""

    days: list[float]
    logs: list[float]
    ids: tuple[str, ...]
    first: Point
    last: Point

    @property
    def span(self) -> float:
        """From the first to the last day [days]."""
        return self.days[-1] - self.days[0]


def rhythm_of(
    points: Sequence[Point], rules: CourseRules, lowness: Lowness, *, any_low: bool, doses: Sequence[Dose]
) -> Rhythm:
    """Test the counts for a period between the limits of the rules [days]."""
    if not any_low:
        return _untested(rules, lowness, "no count is low, so there is no low count to recur", "a low count")
    dense = _densest(points, rules)
    lack = _lack(dense, rules)
    if dense is None or lack:
        return _untested(rules, lowness, lack, _wanted(rules))
    longest = min(rules.cyclic_period_high, dense.span / rules.cyclic_min_cycles)
    peak = strongest_period(dense.days, dense.logs, shortest=rules.cyclic_period_low, longest=longest)
    if peak is None:
        return _untested(rules, lowness, "the counts do not vary", "counts that differ from each other")
    taken = _dose_days(dense, doses, peak.period)
    drugs = _drugs_at(peak.period, dense.span, taken)
    others = tuple(drug for drug in taken if drug not in drugs)
    return _told(Tested(dense=dense, peak=peak, longest=longest, drugs=drugs, others=others, rules=rules), lowness)


class Tested(Frozen, frozen=True, kw_only=True):
    """A finished test of the counts for periods up to the `longest` [days].

    `drugs` were given at the interval of the strongest period, `others` meanwhile.
    """

    dense: Daily
    peak: Peak
    longest: float
    drugs: tuple[str, ...]
    others: tuple[str, ...]
    rules: CourseRules

    @property
    def found(self) -> bool:
        """Whether the period is more than chance, and its peak lies between the limits."""
        return self.stands_out and not self.beyond

    @property
    def stands_out(self) -> bool:
        """Whether the counts swing more than by chance."""
        return self.peak.false_alarm <= self.rules.cyclic_max_false_alarm

    @property
    def beyond(self) -> bool:
        """Whether the strongest period is the foot of a peak beyond the limits; counts of days tell whole days."""
        return not self.rules.cyclic_period_low - _HALF_DAY <= self.peak.summit < self.longest + _HALF_DAY


def _told(tested: Tested, lowness: Lowness) -> Rhythm:
    rules, peak = tested.rules, tested.peak
    cycle = Cycle(
        assessable=True,
        period=peak.period if tested.found else None,
        false_alarm=peak.false_alarm,
        reason=Reason(
            rule=f"course:{rules.analyte}:cycle",
            text=_text(tested),
            evidence=tested.dense.ids,
            citations=tuple(dict.fromkeys(lowness.library.cite(rules.basis_of(name)) for name in _RULES)),
        ),
    )
    return Rhythm(cycle=cycle, own=tested.found and not tested.drugs)


def _text(tested: Tested) -> str:
    peak, rules, dense = tested.peak, tested.rules, tested.dense
    chance = f"false-alarm probability at most {_chance(peak.false_alarm)}, limit {rules.cyclic_max_false_alarm:g}"
    where = f"{len(dense.days)} daily counts from {say_date(dense.first.day)} to {say_date(dense.last.day)}"
    if tested.stands_out and tested.beyond:
        return (
            f"The counts rise and fall with a period of {say_days(round(peak.summit))} in {where}: outside the "
            f"{say_number(rules.cyclic_period_low)} to {say_days(tested.longest)} that could be told here, so this is "
            "not called cyclic."
        )
    if not tested.found:
        return (
            f"No period between {say_number(rules.cyclic_period_low)} and {say_days(tested.longest)} stands out in "
            f"{where} (the strongest, {say_days(peak.period)}: {chance}). Short, sharp dips can escape this test."
        )
    text = f"The counts rise and fall with a period of {say_days(peak.summit)} in {where} ({chance})"
    if tested.drugs:
        return (
            f"{text}, but {say_list(tested.drugs)} {'was' if len(tested.drugs) == 1 else 'were'} given at the same "
            "interval: the rhythm is that of the treatment and is not called cyclic."
        )
    return f"{text}. {_others_words(tested.others)}"


def _others_words(others: tuple[str, ...]) -> str:
    if not others:
        return "No treatment is on record that could explain it."
    return f"Treatment on record meanwhile, not known to recur at that interval: {say_list(others)}."


def _chance(probability: float) -> str:
    return "0.001" if probability < 0.001 else f"{probability:.2g}"


# Which counts can be tested


def _densest(points: Sequence[Point], rules: CourseRules) -> Daily | None:
    """The stretch with the most days, of those without a gap as long as the shortest period."""
    stretches: list[list[Point]] = []
    for point in points:
        if not any(_usable(count) for count in point.counts):
            continue
        if stretches and stretches[-1][-1].days_to(point) <= rules.cyclic_period_low:
            stretches[-1].append(point)
        else:
            stretches.append([point])
    daily = [_daily(stretch) for stretch in stretches]
    return max(daily, key=lambda one: len(one.days), default=None)


def _usable(count: Count) -> bool:
    """A measured count, or one below the least that could be measured; a white count is no neutrophil count."""
    return count.bound in {"=", "<"} and count.value >= 0


def _daily(stretch: Sequence[Point]) -> Daily:
    """The mean logarithm of each day; a count of zero stands at half the lowest one that is not."""
    usable = [(point, count) for point in stretch for count in point.counts if _usable(count)]
    floor = min((count.value for _, count in usable if count.value > 0), default=1.0) / 2
    by_day: dict[int, list[tuple[float, float]]] = {}
    for point, count in usable:
        middle = (point.lo + point.hi) / 2
        by_day.setdefault(math.floor(middle), []).append((middle, math.log(max(count.value, floor))))
    return Daily(
        days=[fmean(time for time, _ in day) for day in by_day.values()],
        logs=[fmean(value for _, value in day) for day in by_day.values()],
        ids=tuple(count.id for _, count in usable),
        first=stretch[0],
        last=stretch[-1],
    )


def _lack(dense: Daily | None, rules: CourseRules) -> str:
    """What the densest sampling lacks for the test; empty where it suffices."""
    if dense is None:
        return "there is no count that could be used"
    number, span = len(dense.days), dense.span
    spacing = median([b - a for a, b in pairwise(dense.days)]) if number > 1 else math.inf
    here = f"the densest stretch of counts holds {number} over {say_days(round(span))}"
    # A period shows only where two counts or more fall into it.
    if spacing * 2 > rules.cyclic_period_low and number >= rules.cyclic_min_counts:
        return f"{here}, too far apart for a period of {say_days(rules.cyclic_period_low)}"
    enough = number >= rules.cyclic_min_counts and span >= rules.cyclic_min_days
    return "" if enough and span / rules.cyclic_min_cycles > rules.cyclic_period_low else here


def _wanted(rules: CourseRules) -> str:
    return (
        f"at least {rules.cyclic_min_counts} counts over at least {say_days(rules.cyclic_min_days)}, "
        f"never {say_days(rules.cyclic_period_low)} or more apart and mostly closer than half of that"
    )


def _untested(rules: CourseRules, lowness: Lowness, why: str, settle: str) -> Rhythm:
    text = f"Whether the counts rise and fall with a period cannot be assessed: {why}."
    names = ("cyclic_min_counts", "cyclic_min_days")
    citations = tuple(dict.fromkeys(lowness.library.cite(rules.basis_of(name)) for name in names))
    gap = Gap(what=f"cyclic course of {lowness.label}", why=why, settle=settle)
    reason = Reason(rule=f"course:{rules.analyte}:cycle", text=text, citations=citations)
    return Rhythm(cycle=Cycle(assessable=False, period=None, false_alarm=None, reason=reason, gap=gap), own=False)


# Which treatment recurs at the same interval


def _drugs_at(period: float, span: float, taken: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    """The drugs that recur at the period, one by one or taken together (alternating blocks).

    Two intervals are the same where a series of that span is too short to tell their frequencies apart.
    """
    starts = {drug: _starts(days, period) for drug, days in taken.items()}
    found = tuple(drug for drug, own in starts.items() if _recurs(own, period, span))
    if found:
        return found
    together = _starts([day for own in starts.values() for day in own], period)
    return tuple(starts) if _recurs(together, period, span) else ()


def _dose_days(dense: Daily, doses: Iterable[Dose], period: float) -> dict[str, list[float]]:
    """The days of each drug from one period before the counts to their end."""
    found: dict[str, list[float]] = {}
    for dose in doses:
        if dose.start is None or dose.status in _NOT_TAKEN:
            continue
        day = dose.start.at.timestamp() / 86_400
        if dense.days[0] - period <= day <= dense.days[-1]:
            found.setdefault(dose.drug, []).append(day)
    return found


def _starts(days: Iterable[float], period: float) -> list[float]:
    """The first day of each course: doses closer than half a period belong together."""
    found: list[float] = []
    latest = -math.inf
    for day in sorted(days):
        if day - latest > period / 2:
            found.append(day)
        latest = day
    return found


def _recurs(starts: Sequence[float], period: float, span: float) -> bool:
    if len(starts) < 2:
        return False
    interval = median([b - a for a, b in pairwise(starts)])
    return abs(1 / interval - 1 / period) <= 1 / (2 * span)
