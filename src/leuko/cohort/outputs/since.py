"""Cohorts counted from an event: engraftment after a transplantation, haematotoxicity after immune effector cells.

Few people have such an event, so these go person by person. A day is the calendar day of the draw.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

import polars as pl

from leuko.cohort.outputs.found import days_between, frame_of
from leuko.cohort.outputs.given import Given
from leuko.grading import below, edges
from leuko.knowledge.schema.cohorts import EngraftmentRow, LateRow, StayGrade, StayRow
from leuko.record import Bound

UNSEEN: Final = "no count in the window"
_LOW, _OPEN, _HIGH = -1, 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """One person's event, and the counts by day: (value, bound) of every result of that day, in order."""

    person: Any
    index: date
    days: dict[int, list[tuple[float, Bound]]]
    died: int | None = None

    def side(self, day: int, limit: float, *, inclusive: bool) -> int:
        """Whether the lowest result of a day is proven below a limit (on it, where `inclusive`), above it, or open."""
        sides = [_side(value, bound, limit, inclusive=inclusive) for value, bound in self.days[day]]
        return _LOW if _LOW in sides else _OPEN if _OPEN in sides else _HIGH


def _side(value: float, bound: Bound, limit: float, *, inclusive: bool) -> int:
    lowest, highest = edges(value, bound)
    if below(highest, limit, inclusive=inclusive):
        return _LOW
    return _OPEN if below(lowest, limit, inclusive=inclusive) else _HIGH


def _since(given: Given, row: EngraftmentRow | StayRow | LateRow) -> Iterator[Since]:
    """Everybody with an event whose name the row asks for, from the first such event on."""
    index = _index(given, row)
    if not index.height:
        return
    counts = given.analyte(row.analyte).join(index, on="person").sort("person", "taken", "value")
    held = {person[0]: rows for person, rows in counts.group_by("person", maintain_order=True)}
    deaths = given.facts.filter((pl.col("kind") == "death") & pl.col("start").is_not_null())
    died = dict(deaths.group_by("person").agg(pl.col("start").min().dt.date()).iter_rows())
    for person, start in index.iter_rows():
        days: dict[int, list[tuple[float, Bound]]] = {}
        for day, value, bound in held[person].select("day", "value", "bound").iter_rows() if person in held else ():
            days.setdefault(days_between(start, day), []).append((value, bound))
        end = days_between(start, died[person]) if person in died else None
        yield Since(person=person, index=start, days=days, died=end)


def _index(given: Given, row: EngraftmentRow | StayRow | LateRow) -> pl.DataFrame:
    """The first event of each person: person, index."""
    name = pl.col("name").str.to_lowercase()
    wanted = _any_of(name.str.contains(word.casefold(), literal=True) for word in row.starts)
    wanted &= ~_any_of(name.str.contains(rf"\b{re.escape(word.casefold())}") for word in row.starts_without)
    drugs = given.treatments.filter(pl.col("given").fill_null(value=True)).select("person", "name", "start")
    facts = given.facts.filter(pl.col("kind") != "death").select("person", "name", "start")
    events = pl.concat([drugs, facts]).filter(wanted.fill_null(value=False) & pl.col("start").is_not_null())
    return events.group_by("person").agg(index=pl.col("start").min().dt.date()).sort("person")


def _any_of(told: Iterable[pl.Expr]) -> pl.Expr:
    return pl.any_horizontal(pl.lit(value=False), *told)


# Engraftment


def engrafted(given: Given, row: EngraftmentRow) -> pl.DataFrame:
    """The day of engraftment of everybody who was transplanted, and why there is none."""
    found = (_engrafted(one, row) for one in _since(given, row))
    return frame_of(found, given.counts.schema["person"])


def _engrafted(one: Since, row: EngraftmentRow) -> dict[str, Any]:
    after = sorted(day for day in one.days if day >= 0)
    sides = [(day, one.side(day, row.limit, inclusive=False)) for day in after]
    told: dict[str, Any] = {"person": one.person, "index": one.index, "counts": len(after)}
    if not after:
        return {**told, "text": UNSEEN}
    fallen = next((at for at, (_, side) in enumerate(sides) if side == _LOW), None)
    if fallen is None:
        return {**told, "text": f"no result below {row.limit:g} was seen after the event"}
    run: list[int] = []
    before = sides[fallen][0]
    for day, side in sides[fallen:]:
        if side == _HIGH:
            run.append(day)
        else:
            run, before = [], day
        if len(run) == row.values:
            start = one.index + timedelta(days=run[0])
            return {**told, "met": True, "start": start, "least": float(before + 1), "most": float(run[0])}
    last = after[-1]
    if run:
        return {**told, "least": float(before + 1), "text": f"only {len(run)} results in a row stand at the limit"}
    return {**told, "met": False, "least": float(last), "text": "not recovered by the last count"}


# Grades by the longest stay


def stays(given: Given, row: StayRow) -> pl.DataFrame:
    """The grade of everybody with the event, by the least and the most days that the samples allow."""
    found = (_stayed(one, row) for one in _since(given, row))
    return frame_of(found, given.counts.schema["person"])


def _stayed(one: Since, row: StayRow) -> dict[str, Any]:
    last = row.last if one.died is None else min(row.last, one.died)
    seen = sorted(day for day in one.days if row.first <= day <= last)
    told: dict[str, Any] = {"person": one.person, "index": one.index, "counts": len(seen)}
    if not seen:
        return {**told, "text": UNSEEN}
    least_grade = most_grade = 0
    mildest = max(grade.limit for grade in row.grades)
    shown = (0, 0)
    for limit in sorted({grade.limit for grade in row.grades}, reverse=True):
        sure, possible = _states(one, row, limit, last)
        spans = (_longest(sure, row), _longest(possible, row))
        shown = spans if limit == mildest else shown
        for grade in (grade for grade in row.grades if grade.limit == limit):
            least_grade = max(least_grade, grade.grade) if _reached(grade, spans[0], sure, row) else least_grade
            most_grade = max(most_grade, grade.grade) if _reached(grade, spans[1], possible, row) else most_grade
    text = None if least_grade == most_grade else "the samples leave more than one grade possible"
    return {
        **told,
        "met": least_grade > 0 if least_grade > 0 or most_grade == 0 else None,
        "start": one.index + timedelta(days=row.first),
        "end": one.index + timedelta(days=last),
        "least": float(shown[0]),
        "most": float(shown[1]),
        "grade_least": least_grade,
        "grade_most": most_grade,
        "text": text,
    }


def _states(one: Since, row: StayRow, limit: float, last: int) -> tuple[list[bool], list[bool]]:
    """Day by day: proven at or below the limit, and not proven above it."""
    known = {
        day: one.side(day, limit, inclusive=True) for day in sorted(one.days) if row.first - row.bridge <= day <= last
    }
    days = sorted(known)
    sure = {day for day in days if known[day] == _LOW}
    high = {day for day in days if known[day] == _HIGH}
    told = [day for day in days if known[day] != _OPEN]
    for before, after in pairwise(told):
        if known[before] == known[after] and after - before <= row.bridge:
            (sure if known[before] == _LOW else high).update(range(before, after))
    window = range(row.first, last + 1)
    return [day in sure for day in window], [day not in high for day in window]


def _longest(states: Sequence[bool], row: StayRow) -> int:
    """The longest stay [days]; fewer than `recovered` days above end none."""
    longest = begun = 0
    ended: int | None = None
    for day, low in enumerate(states):
        if not low:
            continue
        if ended is None or day - ended > row.recovered:
            begun = day
        ended = day
        longest = max(longest, day - begun + 1)
    return longest


def _reached(grade: StayGrade, days: int, states: Sequence[bool], row: StayRow) -> bool:
    if not grade.always:
        return days >= grade.days
    ends = range(max(0, len(states) - row.recovered), len(states))
    begins = next((day for day, low in enumerate(states) if low), None)
    never_ends = any(states[day] for day in ends)
    return begins is not None and begins <= row.early and never_ends and days >= len(states) - begins - row.recovered


# Grades by the lowest result


def late(given: Given, row: LateRow) -> pl.DataFrame:
    """The grade of everybody with the event, by the lowest result of the window."""
    found = (_late(one, row) for one in _since(given, row))
    return frame_of(found, given.counts.schema["person"])


def _late(one: Since, row: LateRow) -> dict[str, Any]:
    seen = sorted(day for day in one.days if row.first <= day <= row.last)
    told: dict[str, Any] = {"person": one.person, "index": one.index, "counts": len(seen)}
    if not seen:
        return {**told, "text": UNSEEN}
    mildest = max(grade.limit for grade in row.grades)
    lows = sum(one.side(day, mildest, inclusive=True) == _LOW for day in seen)
    deepest = max((g.grade for g in row.grades if _any(one, seen, g.limit, (_LOW,))), default=0)
    possible = max((g.grade for g in row.grades if _any(one, seen, g.limit, (_LOW, _OPEN))), default=0)
    least = deepest if lows >= row.values else 0
    text = None
    if least != possible:
        text = f"{lows} of the {row.values} results that are asked for lie at or below {mildest:g}"
    return {
        **told,
        "met": least > 0 if least > 0 or possible == 0 else None,
        "start": one.index + timedelta(days=row.first),
        "end": one.index + timedelta(days=row.last),
        "grade_least": least,
        "grade_most": possible,
        "text": text,
    }


def _any(one: Since, days: Sequence[int], limit: float, sides: tuple[int, ...]) -> bool:
    return any(one.side(day, limit, inclusive=True) in sides for day in days)
