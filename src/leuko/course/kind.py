"""What kind of course the episodes make: transient, persistent, chronic, cyclic, ongoing, or not assessable.

The kind is that of the latest episode. A class that the sampling cannot carry is not given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Final

from leuko.course.periodic import Rhythm
from leuko.course.points import Point
from leuko.course.stretch import Stretch, Told
from leuko.course.words import say_cut, say_point
from leuko.frozen import Frozen
from leuko.result import CourseClass, Episode, Reason
from leuko.status.intervals import duffy_rows
from leuko.wording import say_date, say_days, say_number

NOT_YET: Final = "Counts often rise and fall: one low value is not yet a low count that persists."


class Latest(Frozen, frozen=True, kw_only=True):
    """The latest episode, found and measured. `idle` is the time from the last count to the assessment [days]."""

    stretch: Stretch
    episode: Episode
    number: int
    idle: float

    @property
    def told(self) -> Told:
        """The series it belongs to."""
        return self.stretch.told

    @property
    def stale(self) -> bool:
        """Whether it was still low, or not surely recovered, at its last count, and none was taken for a hole."""
        return not self.episode.recovery_confirmed and self.ends and self.idle > self.told.rules.hole_days

    @property
    def ends(self) -> bool:
        """Whether the series ends with it: no later count tells that it went on or was over."""
        last = self.stretch.last
        return not any(self.told.low(i) for i in range(last + 1, len(self.told.points)))


class Verdict(Frozen, frozen=True, kw_only=True):
    """A class, the rule whose number decided it, and why."""

    kind: CourseClass
    by: str
    text: str


def latest_of(stretches: Sequence[Stretch], episodes: Sequence[Episode], as_of: date) -> Latest:
    """The latest episode as of a day."""
    stretch = stretches[-1]
    last = stretch.told.points[-1]
    idle = float((as_of - last.end.date()).days)
    return Latest(stretch=stretch, episode=episodes[-1], number=len(episodes), idle=max(0.0, idle))


def kind_of(latest: Latest, rhythm: Rhythm) -> tuple[CourseClass, Reason]:
    """The class of the course, with its reason."""
    verdict = _verdict(latest, rhythm)
    rules, library = latest.told.rules, latest.told.lowness.library
    return verdict.kind, Reason(
        rule=f"course:{rules.analyte}:{verdict.kind}",
        text=" ".join([verdict.text, *_earlier(latest, verdict.kind), *_duffy_null(latest)]),
        evidence=latest.episode.counts,
        citations=(library.cite(rules.basis_of(verdict.by)),),
    )


def _earlier(latest: Latest, kind: CourseClass) -> list[str]:
    if latest.number < 2 or kind == "cyclic" or latest.stretch.before is None:
        return []
    return [f"It is the latest of {latest.number} low episodes on record."]


def _duffy_null(latest: Latest) -> list[str]:
    """For a tested Duffy-null person: whether the whole episode lies inside the interval of Duffy-null people."""
    lowness, deepest = latest.told.lowness, latest.episode.nadir_count
    rows = duffy_rows(lowness.analyte, lowness.person(deepest), lowness.library)
    lows = [row.low for row in rows if row.low is not None]
    if not lowness.patient.duffy_null or not lows or deepest.bound != "=" or deepest.value < max(lows):
        return []
    every = [count for point in latest.told.every for count in point.counts if count.bound == "="]
    inside = f"inside the reference interval of Duffy-null people (from {say_number(max(lows))})"
    if min(count.value for count in every) >= max(lows):
        return [f"All its counts lie {inside}: low by the general definition, usual for this person."]
    return [f"The latest low counts lie {inside}, some earlier ones a little or more below it."]


def _verdict(latest: Latest, rhythm: Rhythm) -> Verdict:
    if rhythm.own and not set(latest.episode.counts).isdisjoint(rhythm.cycle.reason.evidence):
        return Verdict(kind="cyclic", by="cyclic_max_false_alarm", text=f"Cyclic. {rhythm.cycle.reason.text}")
    lows = _lows_in_a_row(latest.stretch)
    if _chronic(lows, latest.told):
        return _say_chronic(latest, lows)
    if latest.episode.recovery_confirmed:
        return _recovered(latest)
    if latest.stale:
        return _say_stale(latest)
    return _unfinished(latest, lows)


def _lows_in_a_row(stretch: Stretch) -> tuple[Point, ...]:
    """The low points of the episode and, across holes, those just before it with no count above the cut between."""
    told, first = stretch.told, stretch.first
    while first > 0 and told.low(first - 1):
        first -= 1
    return tuple(told.points[i] for i in range(first, stretch.last + 1) if told.low(i))


def occasions(told: Told) -> int:
    """How many low counts the chronic span must hold: as many as it takes to cross it without a hole."""
    return math.ceil(told.rules.chronic_days / told.rules.hole_days) + 1


def _chronic(lows: Sequence[Point], told: Told) -> bool:
    days = {point.day for point in lows}
    return lows[-1].lo - lows[0].hi >= told.rules.chronic_days and len(days) >= occasions(told)


def _say_chronic(latest: Latest, lows: Sequence[Point]) -> Verdict:
    rules, stretch = latest.told.rules, latest.stretch
    span = say_days(round(lows[0].days_to(lows[-1])))
    text = (
        f"Chronic: below {say_cut(stretch)} on {len(lows)} occasions over {span}, from {say_date(lows[0].day)} "
        f"to {say_date(lows[-1].day)} (chronic from {say_days(rules.chronic_days)} on)."
    )
    if lows[0] is not stretch.inner[0]:
        text += " Between them lie stretches without a count, in which it may have been higher."
    if latest.episode.recovery_confirmed:
        text += f" It has since recovered{_recovered_when(latest)}."
    elif latest.stale:
        text += f" Whether it still is cannot be said: {_idle_words(latest)}."
    elif (after := stretch.at(stretch.after)) is not None:
        text += f" It was back at or above the limit on {say_date(after.day)}, which is not yet a recovery."
    return Verdict(kind="chronic", by="chronic_days", text=text)


def _recovered(latest: Latest) -> Verdict:
    rules = latest.told.rules
    least, most = latest.episode.duration
    limit = say_days(rules.chronic_days)
    if most is None:
        text = (
            f"Cannot be classed: it recovered{_recovered_when(latest)}, but when it began was not seen; it lasted at "
            f"least {say_days(least)}, and {limit} or more would make it chronic."
        )
        return Verdict(kind="not_assessable", by="chronic_days", text=text)
    if most >= rules.chronic_days:
        lasted = (
            f"at least {say_days(least)} and may have lasted up to {say_days(most)}"
            if least > 0
            else f"up to {say_days(most)}"
        )
        begun = f"it recovered{_recovered_when(latest)}" + (
            f", lasted {lasted}" if least > 0 else f" and may have lasted {lasted}"
        )
        text = f"Cannot be classed: {begun}; {limit} or more would make it chronic."
        return Verdict(kind="not_assessable", by="chronic_days", text=text)
    lasted = f"at least {say_days(least)} and at most {say_days(most)}" if least > 0 else f"at most {say_days(most)}"
    text = f"Transient: it recovered{_recovered_when(latest)} and lasted {lasted}."
    return Verdict(kind="transient", by="recovery_values", text=text)


def _recovered_when(latest: Latest) -> str:
    after = latest.stretch.at(latest.stretch.after)
    return f" by {say_date(after.day)}" if after is not None else ""


def _say_stale(latest: Latest) -> Verdict:
    text = f"Cannot be classed: {_idle_words(latest)}, so whether it lasts cannot be said."
    return Verdict(kind="not_assessable", by="hole_days", text=text)


def _idle_words(latest: Latest) -> str:
    last = latest.told.points[-1]
    return f"no count was taken in the {say_days(latest.idle)} since {say_point(last)}"


def _unfinished(latest: Latest, lows: Sequence[Point]) -> Verdict:
    rules, after = latest.told.rules, latest.stretch.at(latest.stretch.after)
    if after is not None:
        back = f"back at or above {say_cut(latest.stretch)} on {say_date(after.day)}"
        text = f"Recovering: {back}; too little to tell that it holds."
        return Verdict(kind="ongoing", by="recovery_values", text=text)
    days = {point.day for point in lows}
    if len(days) < 2:
        text = f"Cannot be classed on a single low value, {say_point(lows[-1])}. {NOT_YET}"
        return Verdict(kind="not_assessable", by="recovery_values", text=text)
    seen = _seen(latest, lows)
    if len({point.day for point in latest.stretch.inner}) < 2:
        text = f"Cannot be classed: {seen}, with no count for long between, so whether it lasted cannot be said"
        return Verdict(kind="not_assessable", by="hole_days", text=f"{text}; {_until_chronic(latest, lows)}.")
    if lows[0].days_to(lows[-1]) < rules.persistent_days:
        text = f"Under way: {seen}; it would persist from {say_days(rules.persistent_days)} on."
        return Verdict(kind="ongoing", by="persistent_days", text=text)
    if lows[0] is not latest.stretch.inner[0]:
        seen += ", with no count for long between"
    text = f"Persistent: {seen}; {_until_chronic(latest, lows)}."
    return Verdict(kind="persistent", by="chronic_days", text=text)


def _seen(latest: Latest, lows: Sequence[Point]) -> str:
    """The low counts of the stretch and how far they lie apart: of two, nothing more is known."""
    days = {point.day for point in lows}
    first, last = say_date(lows[0].day), say_date(lows[-1].day)
    if len(days) == 2 and len(latest.stretch.inner) == 2:
        return f"low in both counts, {say_days((lows[-1].day - lows[0].day).days)} apart ({first} and {last})"
    return f"low on {len(days)} days from {first} to {last}"


def _until_chronic(latest: Latest, lows: Sequence[Point]) -> str:
    rules, told = latest.told.rules, latest.told
    if lows[-1].lo - lows[0].hi < rules.chronic_days:
        return f"it would be chronic from {say_days(rules.chronic_days)} on"
    return f"so sparsely counted, chronic asks for {occasions(told)} low counts"
