"""The course of one analyte over time: episodes of low counts, their kind, the trend, and whether they recur.

points -> low or not (lowness) -> which counts make an episode (stretch) -> measured (episodes, days, worst)
       -> kind of course (kind, periodic) -> trend against the own baseline (trend)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date

from leuko.course.episodes import episode_of
from leuko.course.kind import kind_of, latest_of
from leuko.course.lowness import Lowness, lowness_of
from leuko.course.periodic import rhythm_of
from leuko.course.points import placeable, points_of, spans_of
from leuko.course.stretch import Told, stretches_of, told_of
from leuko.course.trend import trend_of
from leuko.errors import UsageError
from leuko.knowledge import Library
from leuko.record import Count, Dose, Moment, Patient
from leuko.result import Course, CourseClass, Gap, Reason
from leuko.wording import say_date, say_days, say_number, say_unit

__all__ = ["course_of"]


def course_of(
    analyte: str,
    counts: Sequence[Count],
    *,
    patient: Patient,
    library: Library,
    as_of: date,
    doses: Sequence[Dose] = (),
    cycles: Sequence[Moment] = (),
    at: Callable[[Moment | None], Patient] | None = None,
) -> Course:
    """The course of one analyte as of a day, from its counts in any order.

    Counts of other analytes take no part, nor do those without a day, from after `as_of`, in another unit or without a
    possible number; a gap tells of these. `doses` keep the rhythm of a treatment from being read as the person's own;
    `cycles` are the times at which treatment was given that makes counts fall: a new cycle begins a new episode.
    `at` tells who the patient was at a draw (pregnant or not); without it `patient` holds for every count.
    Raises UsageError for an analyte without course rules.
    """
    if analyte not in library.course:
        known = ", ".join(sorted(library.course))
        raise UsageError(f"no course rules for {analyte!r}", why=f"known: {known}", do="name one of these")
    rules = library.course[analyte]
    lowness = lowness_of(analyte, patient=patient, library=library, at=at)
    own = [count for count in counts if count.analyte == analyte]
    usable = [count for count in own if _usable(count, lowness, as_of)]
    told = told_of(points_of(usable), lowness, rules, spans_of(cycles))
    stretches = stretches_of(told)
    episodes = tuple(map(episode_of, stretches))
    rhythm = rhythm_of(told.every, rules, lowness, any_low=bool(episodes), doses=doses)
    kind, reason = _unlow(told) if not episodes else kind_of(latest_of(stretches, episodes, as_of), rhythm)
    low_ids = [count_id for episode in episodes for count_id in episode.counts]
    return Course(
        analyte=analyte,
        episodes=episodes,
        kind=kind,
        kind_reason=reason,
        trend=trend_of(told.every, low_ids, rules, lowness),
        cycle=rhythm.cycle,
        gaps=_gaps(
            episodes[-1].recovery_gap if episodes else None,
            _unused(own, usable, lowness),
            _undecided(told),
            _silence(told, as_of),
            rhythm.cycle.gap if any(stretch.before is not None for stretch in stretches[1:]) else None,
        ),
    )


def _usable(count: Count, lowness: Lowness, as_of: date) -> bool:
    """Whether a count can stand in the series: a number that can be, in the analyte's unit, on a day that has come."""
    is_number = math.isfinite(count.value) and count.value >= 0 and count.unit == (lowness.unit or count.unit)
    return is_number and placeable(count) and count.taken is not None and count.taken.day <= as_of


def _unlow(told: Told) -> tuple[CourseClass, Reason]:
    """Why there is no episode: no count, no definition of low, bounds only, or nothing low."""
    number = sum(len(point.counts) for point in told.every)
    counts = [count for point in told.points for count in point.counts]
    if counts:
        return "not_low", _nothing_low(told, counts)
    lowness = told.lowness
    why = (
        f"no count of {lowness.label} with a day"
        if number == 0
        else f"no definition of low {lowness.label} is on file for this person's age and sex"
        if not any(lowness.limits(count) for point in told.every for count in point.counts)
        else "every count is only a bound that lies across the limit"
    )
    return "not_assessable", Reason(rule=f"course:{told.rules.analyte}:none", text=f"nothing can be told: {why}.")


def _nothing_low(told: Told, counts: Sequence[Count]) -> Reason:
    lowness, cuts = told.lowness, sorted({told.lowness.cut(count) for count in counts})
    limits = " or ".join(map(say_number, cuts))
    first, last = told.points[0], told.points[-1]
    when = f"on {say_date(first.day)}" if len(counts) == 1 else f"from {say_date(first.day)} to {say_date(last.day)}"
    many = "the one count" if len(counts) == 1 else f"none of the {len(counts)} counts"
    verb = "is not" if len(counts) == 1 else "is"
    return Reason(
        rule=f"course:{told.rules.analyte}:none",
        text=f"{many} {when} {verb} below {limits} {say_unit(lowness.unit)}.",
        evidence=tuple(count.id for count in counts),
        citations=lowness.reason(counts).citations,
    )


def _gaps(*found: Gap | None) -> tuple[Gap, ...]:
    return tuple(gap for gap in dict.fromkeys(found) if gap is not None)


def _unused(own: Sequence[Count], usable: Sequence[Count], lowness: Lowness) -> Gap | None:
    missing = len(own) - len(usable)
    if not missing:
        return None
    return Gap(
        what=f"course of {lowness.label}",
        why=f"{missing} of {len(own)} counts take no part: no number, another unit, no day, or one yet to come",
        settle="the number, unit and day of each",
    )


def _undecided(told: Told) -> Gap | None:
    missing = len(told.every) - len(told.points)
    if not missing or not told.points:
        return None
    return Gap(
        what=f"course of {told.lowness.label}",
        why=f"{missing} of {len(told.every)} counts can be told neither low nor not low",
        settle="measured values instead of bounds, and a limit that is known to hold at the person's age and sex",
    )


def _silence(told: Told, as_of: date) -> Gap | None:
    """A last count too old to tell how things stand."""
    points = told.every
    if not points:
        return None
    idle = (as_of - points[-1].end.date()).days
    if idle <= told.rules.hole_days:
        return None
    return Gap(
        what=f"{told.lowness.label} now",
        why=f"the last count, on {say_date(points[-1].day)}, lies {say_days(float(idle))} back",
        settle="a new count",
    )
