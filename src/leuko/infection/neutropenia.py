"""The neutrophil half of a definition: which count belongs to a fever, and whether it is low enough."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from leuko.frozen import Frozen
from leuko.infection.readings import inside as number_inside
from leuko.infection.readings import instants, on_a_day
from leuko.knowledge.schema.infection import Falling, FeverRow, FeverRules
from leuko.record import Count, Moment
from leuko.status.knownness import inside, say_band
from leuko.wording import say_count, say_instant, say_number

HOUR = timedelta(hours=1)


class ExpectedFall(Frozen, frozen=True, kw_only=True):
    """What somebody or a forecast expects: the lowest neutrophil count [10*9/L] within so many hours. `says`: who."""

    lowest: float
    within_hours: float
    says: str = "the clinician"


class Half(Frozen, frozen=True, kw_only=True):
    """Whether the count is low enough; `count` is the one that was judged, `settle` what would decide."""

    met: bool | None
    text: str
    count: Count | None = None
    settle: tuple[str, ...] = ()
    no_count: bool = False


def neutropenia(
    row: FeverRow, at: Moment | None, counts: Sequence[Count], rules: FeverRules, expected: ExpectedFall | None
) -> Half:
    """The half of the definition that the count decides, for a fever at a time; `counts` are neutrophils."""
    near = joined(at, counts, rules)
    if not near:
        return Half(met=None, text=_none_near(at, counts, rules), settle=("a neutrophil count now",), no_count=True)
    # The nearest count applies; where it is a bound that decides nothing, the next one that does is used.
    halves = [_judged(row, count, expected) for count in near]
    return next((half for half in halves if half.met is not None), halves[0])


def joined(at: Moment | None, counts: Sequence[Count], rules: FeverRules) -> tuple[Count, ...]:
    """The counts that belong to a time, the nearest first; of equally near ones the lower first."""
    if at is None or not on_a_day(at):
        return ()
    reach = timedelta(hours=rules.count_hours, days=2)  # a moment is a day long at the most: farther is too far
    dated = [
        (count, _hours_apart(at, count.taken))
        for count in counts
        if count.taken is not None and abs(count.taken.at - at.at) <= reach
    ]
    near = [(hours, count) for count, hours in dated if hours is not None and hours <= rules.count_hours]
    return tuple(count for _, count in sorted(near, key=lambda pair: (pair[0], pair[1].value, pair[1].id)))


def _hours_apart(one: Moment, other: Moment) -> float | None:
    """The least hours that may lie between two moments; None where one of them is not known to the day."""
    if not on_a_day(other):
        return None
    (first, last), (next_first, next_last) = instants(one), instants(other)
    return max((next_first - last) / HOUR, (first - next_last) / HOUR, 0.0)


def _none_near(at: Moment | None, counts: Sequence[Count], rules: FeverRules) -> str:
    if not counts:
        return "no neutrophil count is on record"
    if at is None or not on_a_day(at):
        return "the fever has no day, so no neutrophil count can be joined to it"
    dated = [count for count in counts if count.taken is not None and on_a_day(count.taken)]
    if not dated:
        return "no neutrophil count has a day"
    nearest = min(dated, key=lambda count: _hours_apart(at, count.taken) or 0.0)  # type: ignore[arg-type]
    shown = f"{say_count(nearest)} on {say_instant(nearest.taken)}"
    return f"no neutrophil count lies within {say_number(rules.count_hours)} hours; the nearest is {shown}"


def _judged(row: FeverRow, count: Count, expected: ExpectedFall | None) -> Half:
    low = inside(count, row.neutrophils)
    limit = say_band(row.neutrophils, count.unit)
    shown = f"neutrophils {say_count(count)} on {say_instant(count.taken)}"
    if low is True:
        return Half(met=True, text=f"{shown} are {limit}", count=count)
    text = f"{shown} are not {limit}" if low is False else f"{shown}: the bound leaves open whether they are {limit}"
    settle = (f"a neutrophil count {limit}",) if low is False else ("a measured neutrophil count",)
    if row.falling is None or inside(count, row.falling.now) is False:
        return Half(met=low, text=text, count=count, settle=settle)
    return _falling(Half(met=low, text=text, count=count, settle=settle), row.falling, expected)


def _falling(half: Half, clause: Falling, expected: ExpectedFall | None) -> Half:
    """A count that is not low may still be expected to fall; without a forecast that cannot be said."""
    answer = _expected(clause, expected)
    if half.met is None and answer is not True:
        return half
    if answer is None or expected is None:
        text = f'{half.text}; the clause "{clause.text}" cannot be judged without a forecast'
        settle = (f"a forecast, or the clinician's judgement, of a fall ({clause.text})", *half.settle)
        return Half(met=None, text=text, count=half.count, settle=settle)
    within = f"{say_number(expected.lowest)} ×10⁹/L within {say_number(expected.within_hours)} hours"
    meets = "meets" if answer else "does not meet"
    text = f'{half.text}; {expected.says} expects {within}, which {meets} "{clause.text}"'
    return Half(met=answer, text=text, count=half.count, settle=half.settle)


def _expected(clause: Falling, expected: ExpectedFall | None) -> bool | None:
    """Whether an expectation meets the clause; one that looks further ahead than the clause cannot say."""
    if expected is None:
        return None
    low = number_inside(expected.lowest, clause.to)
    if not low or clause.hours is None:
        return low
    return True if expected.within_hours <= clause.hours else None
