"""The age of a person at a draw, as far as it is known, in the days that knowledge tables count in."""

from __future__ import annotations

import math
from calendar import isleap, monthrange
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise
from typing import Final

from leuko.frozen import Frozen
from leuko.record import Moment, Patient, Precision

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
    inside = sorted({span.least, span.most, *(limit for limit in limits if span.least < limit < span.most)})
    yield from (age for age in inside if math.isfinite(age))
    for start, end in pairwise(inside):
        yield (start + end) / 2 if math.isfinite(end) else start + 1.0


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
