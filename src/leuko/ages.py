"""The age of a person at a draw, as far as it is known, in the days that knowledge tables count in."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from calendar import isleap, monthrange
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Final, Generic, NamedTuple, TypeVar

from leuko.frozen import Frozen
from leuko.record import Moment, Patient, Precision

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")

YEAR_DAYS: Final = 365.25
"""The length of a year in every age limit of the knowledge tables."""


class AgeSpan(Frozen, frozen=True, kw_only=True):
    """The ages a person may have had [days, both ends possible]; one age where both are the same."""

    least: float = 0.0
    most: float = math.inf

    @property
    def exact(self) -> float | None:
        """The age, where only one is possible."""
        return self.least if self.least == self.most else None


UNKNOWN: Final = AgeSpan()


def age_days(born: date, day: date) -> float:
    """The age on a day [days], true to the calendar; negative before birth.

    Completed years count 365.25 days each, and the days since the last birthday are added, so that an age limit written
    in years (5 years = 1826.25 days) is reached on the birthday itself whatever leap years lie between. Below one year
    these are plain days.
    """
    years = day.year - born.year
    if day < birthday(born, day.year):
        years -= 1
    if years < 0:
        return float((day - born).days)
    return years * YEAR_DAYS + (day - birthday(born, born.year + years)).days


def birthday(born: date, year: int) -> date:
    """The birthday in a year; for 29 February the first of March where the year has none."""
    if (born.month, born.day) == (2, 29) and not isleap(year):
        return date(year, 3, 1)
    return born.replace(year=year)


def age_span(patient: Patient, moment: Moment | None) -> AgeSpan:
    """The ages that a date of birth and a time of draw leave possible; `UNKNOWN` where either is missing.

    A birth or a draw known only to the month or the year widens the span; the part of it before birth is left out.
    """
    if patient.born is None or moment is None:
        return UNKNOWN
    first_born, last_born = _days(patient.born, patient.born_precision)
    first_day, last_day = _days(moment.day, moment.precision)
    most = age_days(first_born, last_day)
    return AgeSpan(least=most if most < 0 else max(age_days(last_born, first_day), 0.0), most=most)


def ages_to_try(limits: Iterable[float], span: AgeSpan) -> Iterator[float]:
    """Ages of a span that between them meet every rule whose age limits are given.

    The ends, every limit between them, and a point inside each stretch between limits: a rule changes nowhere else.
    """
    if span.least == span.most:  # one age, the usual case
        yield from (span.least,) if math.isfinite(span.least) else ()
        return
    inside = sorted({span.least, span.most, *(limit for limit in limits if span.least < limit < span.most)})
    yield from (age for age in inside if math.isfinite(age))
    for start, end in pairwise(inside):
        yield (start + end) / 2 if math.isfinite(end) else start + 1.0


class AgeClass(NamedTuple):
    """Where a span of ages lies among the limits of some rows: all spans of one class meet the rows alike.

    An end is counted in half steps: even between two limits, odd on one.
    """

    known: bool
    least: int
    most: int


_NEVER: Final = AgeClass(known=True, least=-1, most=-1)


def age_class(limits: Sequence[float], span: AgeSpan) -> AgeClass:
    """The class of a span among limits in rising order."""
    least = bisect_left(limits, span.least) + bisect_right(limits, span.least)
    if span.least == span.most:
        return AgeClass(known=True, least=least, most=least) if math.isfinite(span.least) else _NEVER
    most = bisect_left(limits, span.most) + bisect_right(limits, span.most)
    return AgeClass(known=span != UNKNOWN, least=least, most=most)


class PerAge(Generic[Key, Found]):
    """What rows come to for a person, worked out once for each class of ages and kept as long as this object is.

    `limits` are all age limits of the rows; `work` gives the same for the same ages and key (such as the sex), always.
    """

    __slots__ = ("_kept", "_limits", "_work")

    def __init__(self, limits: Iterable[float | None], work: Callable[[AgeSpan, Key], Found]) -> None:
        self._limits = sorted({limit for limit in limits if limit is not None})
        self._work = work
        self._kept: dict[tuple[AgeClass, Key], Found] = {}

    def at(self, ages: AgeSpan, key: Key) -> Found:
        """What the rows come to at these ages."""
        name = age_class(self._limits, ages), key
        if name not in self._kept:
            self._kept[name] = self._work(ages, key)
        return self._kept[name]


def _days(day: date, precision: Precision) -> tuple[date, date]:
    """The first and the last calendar day that a date of this precision may mean."""
    if precision == "year":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    if precision == "month":
        return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    return day, day


def first_day(moment: Moment) -> date:
    """The first calendar day that a moment may mean."""
    return _days(moment.day, moment.precision)[0]


def last_day(moment: Moment) -> date:
    """The last calendar day that a moment may mean."""
    return _days(moment.day, moment.precision)[1]
