"""Predicates on the counts themselves: values, patterns of lines, course, marks of the analyser, repeats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

from leuko.ages import age_span
from leuko.causes.finding import Finding, all_met, some_met, unknown
from leuko.causes.phrases import sense_of
from leuko.causes.scene import ANALYTE, Scene, days_apart, nearest
from leuko.causes.spans import age_in
from leuko.grading import edges
from leuko.knowledge.schema.causes import (
    CountPredicate,
    CoursePredicate,
    FlagPredicate,
    Line,
    PatternPredicate,
    RepeatPredicate,
)
from leuko.record import Count
from leuko.result import Course
from leuko.status import is_low
from leuko.status.knownness import inside
from leuko.wording import say_bounded, say_count, say_date, say_days, say_list, say_moment

NAMES: Final[Mapping[Line, str]] = {"red": "red cells"}
_CLASSED: Final = frozenset({"transient", "persistent", "chronic", "cyclic", "not_low"})
_MOST_SHOWN: Final = 3
_MARKED: Final = frozenset({"said", "doubted"})  # an analyser only suspects: "Blasts?"


def count_met(row: CountPredicate, scene: Scene) -> Finding:
    """Whether a count lies in the band, or where its interval says."""
    counts = _asked(row, scene)
    if not counts:
        return unknown(f"{scene.label(row.analyte)} not measured near the low count")
    verdicts = [_one(row, count, scene) for count in counts]
    met = all_met(verdicts) if row.which == "every" else some_met(verdicts) if row.which == "any" else verdicts[0]
    telling = [count for count, verdict in zip(counts, verdicts, strict=True) if verdict is met] or list(counts)
    text = _values(row.analyte, telling, scene)
    text += ", but no interval says whether that is low or high" if met is None and row.position is not None else ""
    return Finding(met=met, text=text, evidence=tuple(count.id for count in telling))


def _asked(row: CountPredicate, scene: Scene) -> Sequence[Count]:
    series = scene.series.get(row.analyte, ())
    if row.near_days is not None:
        series = tuple(
            one for one in series if (away := days_apart(one, scene.low_count)) is not None and away <= row.near_days
        )
    if row.which == "latest":
        near = nearest(series, scene.low_count, scene.rules.near_days)
        return (near,) if near is not None else ()
    if row.which == "lowest":
        inner = [one for one in series if one.taken is not None and scene.first_low <= one.taken.day <= scene.last_low]
        return (min(inner, key=lambda one: (one.value, one.id)),) if inner else ()
    return series


def _within(away: float | None, days: float) -> bool:
    return away is not None and away <= days


def _one(row: CountPredicate, count: Count, scene: Scene) -> bool | None:
    verdicts: list[bool | None] = []
    if row.band is not None and row.share_of is None:
        verdicts.append(inside(count, row.band))
    if row.band is not None and row.share_of is not None:
        verdicts.append(_share(row, count, scene))
    if row.position is not None:
        position = scene.status(count).position
        verdicts.append(None if position == "cannot_say" else position == row.position)
    return all_met(verdicts)


def _share(row: CountPredicate, count: Count, scene: Scene) -> bool | None:
    whole = nearest(scene.series.get(row.share_of or "", ()), count, 0.0)
    if row.band is None or whole is None or whole.bound != "=" or count.bound != "=" or whole.value <= 0:
        return None
    # as written, in tenths: 0.16 of 0.8 is a fifth, which 0.16 / 0.8 in binary is not
    share = Fraction(str(count.value)) / Fraction(str(whole.value))
    low, high = (Fraction(str(end)) if isinstance(end, float) else None for end in (row.band.lower, row.band.upper))
    over = low is None or share > low or (row.band.lower_inclusive and share == low)
    under = high is None or share < high or (row.band.upper_inclusive and share == high)
    return over and under


def _values(analyte: str, counts: Sequence[Count], scene: Scene) -> str:
    shown = [f"{say_count(one)} ({say_moment(one.taken)})" for one in counts[-_MOST_SHOWN:]]
    more = f"{len(counts)} counts, the last: " if len(counts) > _MOST_SHOWN else ""
    return f"{scene.label(analyte)} {more}{say_list(shown)}"


# ---- which lines are low together -----------------------------------------------------------------------------------


def pattern_met(row: PatternPredicate, scene: Scene) -> Finding:
    """Whether the lines named are low, the others not, and the number of low lines is the one asked for."""
    verdicts = [scene.low[line] for line in row.low]
    verdicts += [None if scene.low[line] is None else not scene.low[line] for line in row.not_low]
    if row.named:
        verdicts.append(_named(row, scene))
    met = all_met(verdicts)
    asked: tuple[Line, ...] = (*row.low, *row.not_low, *(("red", "platelets") if row.named else ()))
    return Finding(met=met, text=say_lines(asked, scene), evidence=_evidence(asked, scene))


def _named(row: PatternPredicate, scene: Scene) -> bool | None:
    """How many of the three lines are low, the white line being one of them: each number that is still possible."""
    names = ("isolated", "bicytopenia", "pancytopenia")
    others = (scene.low["red"], scene.low["platelets"])
    least, most = sum(one is True for one in others), sum(one is not False for one in others)
    answers = {names[number] in row.named for number in range(least, most + 1)}
    return answers.pop() if len(answers) == 1 else None


def say_lines(lines: Sequence[Line], scene: Scene) -> str:
    """Which of the lines are low, not low, or not known, at the low count."""
    by: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    for line in dict.fromkeys(lines):
        by[scene.low[line]].append(NAMES.get(line, line))
    words = {True: "low", False: "not low", None: "not counted near the low count"}
    return ", ".join(f"{say_list(found)} {words[key]}" for key, found in by.items() if found)


def _evidence(lines: Sequence[Line], scene: Scene) -> tuple[str, ...]:
    return tuple(dict.fromkeys(scene.at[ANALYTE[line]].count.id for line in lines if ANALYTE[line] in scene.at))


# ---- the course -----------------------------------------------------------------------------------------------------


def course_met(row: CoursePredicate, scene: Scene) -> Finding:
    """Whether the course of an analyte is of the kind, began at the age, and lasted, as asked."""
    course = scene.courses.get(row.analyte)
    if course is None:
        return unknown(f"there is no series of {scene.label(row.analyte)}")
    parts = list(_course_parts(row, course, scene))
    met = all_met(part.met for part in parts)
    telling = [part for part in parts if part.met is met] or parts
    return Finding(
        met=met,
        text="; ".join(dict.fromkeys(part.text for part in telling)),
        evidence=tuple(dict.fromkeys(name for part in telling for name in part.evidence)),
    )


def _course_parts(row: CoursePredicate, course: Course, scene: Scene) -> Iterator[Finding]:
    if row.kinds:
        yield _kind(row, course, scene)
    if row.begun is not None:
        yield _begun(row, scene)
    if row.earlier_normal is not None:
        yield _earlier_normal(row, scene)
    if row.over_days is not None:
        yield _lasted(row, course, scene)
    if row.recovered:
        yield _recovered(row, course, scene)
    if row.never_below is not None:
        yield _never_below(row, row.never_below, scene)


def _kind(row: CoursePredicate, course: Course, scene: Scene) -> Finding:
    text = f"course of {scene.label(row.analyte)}: {course.kind_reason.text.rstrip('.')}"
    if course.kind in row.kinds:
        return Finding(met=True, text=text, evidence=course.kind_reason.evidence)
    asks_cyclic_only = set(row.kinds) == {"cyclic"}
    sure = course.cycle.assessable if asks_cyclic_only else course.kind in _CLASSED
    return Finding(met=False if sure else None, text=text, evidence=course.kind_reason.evidence)


def _begun(row: CoursePredicate, scene: Scene) -> Finding:
    """At which age the count is known to have been low first; the true onset may lie before the first look."""
    label = scene.label(row.analyte)
    first = next((one for one in scene.series.get(row.analyte, ()) if is_low(scene.status(one))), None)
    if first is None or first.taken is None or row.begun is None:
        return unknown(f"no low {label} with a day is in the record")
    found = age_in(row.begun, age_span(scene.record.patient, first.taken))
    text = f"{label} first known to be low on {say_moment(first.taken)}"
    if found is None:
        return unknown(f"{text}; the age then is not known", first.id)
    if found:
        return Finding(met=True, text=f"{text} ({row.begun.text})", evidence=(first.id,))
    normal = _normal_before(row.analyte, first, scene)
    if normal is not None:
        return Finding(met=False, text=f"{text}, after a count that was not low", evidence=(first.id, normal.id))
    return unknown(f"{text}; no earlier count tells whether it was low before", first.id)


def _normal_before(analyte: str, low: Count, scene: Scene) -> Count | None:
    """The last count before another that was not low."""
    earlier = [one for one in scene.series.get(analyte, ()) if one.taken and low.taken and one.taken.at < low.taken.at]
    return next((one for one in reversed(earlier) if is_low(scene.status(one)) is False), None)


def _earlier_normal(row: CoursePredicate, scene: Scene) -> Finding:
    label = scene.label(row.analyte)
    series = scene.series.get(row.analyte, ())
    before = [one for one in series if one.taken is not None and one.taken.day < scene.first_low]
    last = next((one for one in reversed(before) if is_low(scene.status(one)) is False), None)
    if last is not None:
        text = f"{label} not low before ({say_count(last)} on {say_moment(last.taken)})"
        return Finding(met=row.earlier_normal is True, text=text, evidence=(last.id,))
    return unknown(f"no earlier count tells whether {label} had been normal before")


def _lasted(row: CoursePredicate, course: Course, scene: Scene) -> Finding:
    """Whether low counts are known over so many days without a normal one between."""
    label = scene.label(row.analyte)
    lows = [one for one in scene.series.get(row.analyte, ()) if one.taken is not None and is_low(scene.status(one))]
    if not lows or row.over_days is None:
        return unknown(f"no low {label} with a day is in the record")
    last = lows[-1]
    since = _normal_before(row.analyte, last, scene)
    run = [one for one in lows if since is None or _later(one, since)]
    known = days_apart(run[0], last) or 0.0
    text = f"{label} known to be low over {say_days(known)}"
    if known >= row.over_days:
        return Finding(met=True, text=text, evidence=(run[0].id, last.id))
    if since is not None and (days_apart(since, last) or 0.0) < row.over_days and course.episodes:
        return Finding(met=False, text=f"{text}, and not low on {say_moment(since.taken)}", evidence=(since.id,))
    return unknown(text, last.id)


def _later(one: Count, other: Count) -> bool:
    return one.taken is not None and other.taken is not None and one.taken.at > other.taken.at


def _recovered(row: CoursePredicate, course: Course, scene: Scene) -> Finding:
    label = scene.label(row.analyte)
    last = course.episodes[-1] if course.episodes else None
    if last is None:
        return unknown(f"there is no low stretch of {label}")
    if not last.recovery_confirmed or last.recovery is None or last.recovery.latest is None:
        return unknown(f"{label} not seen to recover for good", last.nadir_count.id)
    text = f"{label} recovered by {say_date(last.recovery.latest)}"
    return Finding(met=True, text=text, evidence=(last.nadir_count.id,))


def _never_below(row: CoursePredicate, limit: float, scene: Scene) -> Finding:
    series = scene.series.get(row.analyte, ())
    if not series:
        return unknown(f"there is no {scene.label(row.analyte)}")
    lowest = min(series, key=lambda one: (edges(one.value, one.bound)[0].value, one.id))
    low, high = edges(lowest.value, lowest.bound)
    met = True if low.value >= limit else False if high.value < limit else None
    text = f"lowest {scene.label(row.analyte)} {say_bounded(lowest.value, lowest.bound)} ({say_moment(lowest.taken)})"
    return Finding(met=met, text=text, evidence=(lowest.id,))


# ---- marks and repeats ----------------------------------------------------------------------------------------------


def flag_met(row: FlagPredicate, scene: Scene) -> Finding:
    """Whether a mark of the laboratory on a draw near the low count holds one of the phrases; yes or unknown."""
    within = row.near_days if row.near_days is not None else 0.0
    for count in (one for counts in scene.series.values() for one in counts if one.flags):
        if not _within(days_apart(count, scene.low_count), within):
            continue
        for flag in count.flags:
            if sense_of(flag, row.words, scene.rules) in _MARKED and sense_of(flag, row.unless, scene.rules) is None:
                return Finding(met=True, text=f"marked “{flag}” on {say_moment(count.taken)}", evidence=(count.id,))
    return unknown(f"no mark of the laboratory tells of {row.label}")


def repeat_met(row: RepeatPredicate, scene: Scene) -> Finding:
    """Whether the low count and one taken shortly before or after it disagree by the factor asked for."""
    label = scene.label(row.analyte)
    series = scene.series.get(row.analyte, ())
    close = [pair for pair in pairwise(series) if _close(pair, row.within_days, scene)]
    if not close:
        return unknown(f"no second {label} within {say_days(row.within_days)} of the low one is in the record")
    for one, other in close:
        if _fold(one, other) >= row.fold:
            days = f"{_day(one)} and {_day(other)}"
            text = f"{label} {say_bounded(one.value, one.bound)} and {say_count(other)} on {days} disagree"
            return Finding(met=True, text=text, evidence=(one.id, other.id))
    one, other = close[-1]
    text = f"{label} {say_bounded(one.value, one.bound)} and {say_count(other)} agree ({_day(one)}, {_day(other)})"
    return Finding(met=False, text=text, evidence=(one.id, other.id))


def _close(pair: tuple[Count, Count], within_days: float, scene: Scene) -> bool:
    apart = days_apart(*pair)
    near = [days_apart(one, scene.low_count) for one in pair]
    if apart is None or apart > within_days or any(one.bound != "=" for one in pair):
        return False
    return any(away is not None and away <= within_days for away in near)


def _fold(one: Count, other: Count) -> float:
    low, high = sorted((one.value, other.value))
    return high / low if low > 0 else 1.0 if high == 0 else float("inf")


def _day(count: Count) -> str:
    return say_date(count.taken.day) if count.taken is not None else "an unknown day"
