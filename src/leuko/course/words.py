"""An episode in words, as one would tell it on a ward round."""

from __future__ import annotations

from leuko.course.points import Point, hole_between
from leuko.course.stretch import Stretch
from leuko.record import Count
from leuko.result import Gap, Reason
from leuko.wording import say_bounded, say_date, say_days, say_list, say_number, say_unit


def say_point(point: Point) -> str:
    """A point with its values: "1.8 on 3 March 2026"."""
    values = say_list([say_bounded(count.value, count.bound) for count in point.counts])
    return f"{values} on {say_date(point.day)}"


def say_cut(stretch: Stretch) -> str:
    """The cut of an episode with its unit."""
    lowness = stretch.told.lowness
    return f"{say_number(lowness.cut(stretch.lows[0]))} {say_unit(lowness.unit)}"


def say_episode(stretch: Stretch, nadir: Count) -> Reason:
    """The whole episode in a few sentences: onset, lowest count, end, and what did not hold."""
    rules = stretch.told.rules
    told = [f"{_onset(stretch)}; {_lowest(stretch, nadir)}; {_end(stretch)}.", *_unheld(stretch), *_hole_words(stretch)]
    bases = [rules.basis_of(name) for name in ("recovery_values", "recovery_days", "hole_days")]
    library = stretch.told.lowness.library
    return Reason(
        rule=f"course:{rules.analyte}:episode",
        text=" ".join(told),
        evidence=tuple(count.id for count in stretch.lows),
        citations=tuple(dict.fromkeys(map(library.cite, bases))),
    )


def recovery_gap(stretch: Stretch) -> Gap:
    """Why the recovery cannot be told, or not yet, and which counts would settle it."""
    rules = stretch.told.rules
    what = f"recovery of {stretch.told.lowness.label} to {say_cut(stretch)} or more"
    wanted = (
        f"{rules.recovery_values} counts in a row on different days, "
        f"or two at least {say_days(rules.recovery_days)} apart, all at or above {say_cut(stretch)}"
    )
    after, last = stretch.at(stretch.after), stretch.at(stretch.last)
    assert last is not None  # noqa: S101 (an episode has a last low count)
    if after is not None:
        return Gap(what=what, why=f"{_unconfirmed(stretch, after)}", settle=wanted)
    following = _next(stretch)
    if following is None:
        return Gap(what=what, why=f"the last count, {say_point(last)}, is still low", settle=wanted)
    why = f"after {say_point(last)} no count was taken for {_apart(last, following)}, and the next is low again"
    return Gap(what=what, why=why, settle=f"counts between {say_date(last.day)} and {say_date(following.day)}")


def _unconfirmed(stretch: Stretch, after: Point) -> str:
    told, end = stretch.told, len(stretch.told.points)
    later = next((i for i in range(stretch.last + 1, end) if told.low(i)), None)
    if stretch.retreated:
        return f"{say_point(after)} was back at or above the limit, and the next treatment came before it could hold"
    if later is None:
        return f"{say_point(after)} is back at or above the limit, too little to tell that it holds"
    return (
        f"{say_point(after)} was back at or above the limit but did not hold, and a hole without counts lies beside it"
    )


def _onset(stretch: Stretch) -> str:
    first, before = stretch.inner[0], stretch.at(stretch.before)
    label, cut = stretch.told.lowness.label, say_cut(stretch)
    if before is not None:
        return f"{label} fell below {cut} between {say_date(before.day)} ({_values(before)}) and {_shown(first)}"
    if stretch.first == 0:
        record = "on record" if first.lo == stretch.told.every[0].lo else "that can tell"
        return f"{label} already below {cut} at the first count {record}, {_shown(first)}"
    gap = _apart(stretch.told.points[stretch.first - 1], first)
    return f"{label} below {cut} on {_shown(first)}, the first count after {gap} without one"


def _shown(point: Point) -> str:
    return f"{say_date(point.day)} ({_values(point)})"


def _values(point: Point) -> str:
    return say_list([say_bounded(count.value, count.bound) for count in point.counts])


def _lowest(stretch: Stretch, nadir: Count) -> str:
    if len(stretch.lows) == 1:
        return "the only low count of this stretch"
    day = say_date(nadir.taken.day) if nadir.taken is not None else ""
    deeper = ", a bound: the true count may have been lower" if nadir.bound != "=" else ""
    return f"lowest {say_bounded(nadir.value, nadir.bound)} on {day}{deeper}"


def _end(stretch: Stretch) -> str:
    last, after = stretch.inner[-1], stretch.at(stretch.after)
    if after is None:
        following = _next(stretch)
        if following is None:
            return f"still low at the last count, {say_date(last.day)}"
        return f"still low on {say_date(last.day)}, the last count before {_apart(last, following)} without one"
    when = f"between {say_date(last.day)} and {_shown(after)}"
    if stretch.held:
        return f"recovered {when}, and the counts that followed held"
    if stretch.retreated:
        return f"back at or above the limit {when}, until the next treatment"
    return f"back at or above the limit {when}, which is not yet a recovery"


def _unheld(stretch: Stretch) -> list[str]:
    if not stretch.unheld:
        return []
    rises = say_list([say_point(point) for point in stretch.unheld])
    return [f"A rise to {rises} did not hold and does not end the episode."]


def _hole_words(stretch: Stretch) -> list[str]:
    points, hole_days = stretch.told.points, stretch.told.rules.hole_days
    found = []
    if stretch.before is not None and hole_between(points[stretch.before], points[stretch.first], hole_days):
        found.append(f"The onset lies in {_apart(points[stretch.before], points[stretch.first])} without a count.")
    if stretch.after is not None and hole_between(points[stretch.last], points[stretch.after], hole_days):
        found.append(f"The recovery lies in {_apart(points[stretch.last], points[stretch.after])} without a count.")
    return found


def _next(stretch: Stretch) -> Point | None:
    index = stretch.last + 1
    return stretch.told.points[index] if index < len(stretch.told.points) else None


def _apart(earlier: Point, later: Point) -> str:
    return say_days(round(earlier.days_to(later)))
