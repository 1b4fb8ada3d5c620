"""How values, units and days are said, in one place, so that every view says them alike."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from math import isfinite
from typing import Final

from leuko.record import Bound, Count, Moment

_UNIT_WORDS: Final = {"10*9/L": "×10⁹/L", "10*12/L": "×10¹²/L"}
_YEAR_DAYS: Final = 365.25
_BOUND_SIGNS: Final = {"=": "", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}


def say_number(value: float) -> str:
    """A number as short as it can be said, but never rounded onto a rounder one: 0.92, 128, 3.843, and 0.49996."""
    return _shown(value) if value else _short(value)  # 0.0 and -0.0 are one key of a cache


@lru_cache(maxsize=4096)
def _shown(value: float) -> str:
    return _short(value)


def _short(value: float) -> str:
    if abs(value) >= 10_000:
        return f"{value:.0f}"
    for digits in (4, 6, 8):
        shown = f"{value:.{digits}g}"
        if float(shown) == value or len(shown.strip("-0.").replace(".", "")) == digits:
            return shown
    return f"{value:.12g}"


def say_unit(unit: str) -> str:
    """A UCUM unit as people print it."""
    return _UNIT_WORDS.get(unit, unit)


def say_bounded(value: float, bound: Bound = "=") -> str:
    """A value with its bound: 0.92, <0.1, ≤0.4."""
    return f"{_BOUND_SIGNS[bound]}{say_number(value)}"


def say_count(count: Count) -> str:
    """A count with its unit: "0.92 ×10⁹/L"."""
    return f"{say_bounded(count.value, count.bound)} {say_unit(count.unit)}"


def say_date(day: date | datetime) -> str:
    """A day without an order to mistake: 3 March 2026."""
    return f"{day.day} {_month(day.year, day.month)}"


@lru_cache(maxsize=1024)
def _month(year: int, month: int) -> str:
    return f"{date(year, month, 1):%B %Y}"


def say_moment(moment: Moment | None) -> str:
    """A moment as precisely as it is known."""
    if moment is None:
        return "an unknown day"
    if moment.precision == "year":
        return f"{moment.at:%Y}"
    if moment.precision == "month":
        return f"{moment.at:%B %Y}"
    return say_date(moment.day)


def say_instant(moment: Moment | None) -> str:
    """A moment with its time of day, where it has one: "9 March 2026, 14:00"."""
    day = say_moment(moment)
    return f"{day}, {moment.at:%H:%M}" if moment is not None and moment.has_time else day


def say_days(days: float) -> str:
    """A number of days: "1 day", "12 days", "0.5 days"."""
    shown = f"{days:.1f}".removesuffix(".0")
    return f"{shown} day" if shown == "1" else f"{shown} days"


def whole_years(days: float) -> int | None:
    """The full years in a number of days, where there are two or more: below that, days say it better."""
    return int(days // _YEAR_DAYS) if isfinite(days) and days >= 2 * _YEAR_DAYS else None


def say_age(days: float) -> str:
    """How old something is: "12 days", and from two years on "more than 8 years"."""
    years = whole_years(days)
    return f"more than {years} years" if years is not None else say_days(days)


def say_list(items: list[str] | tuple[str, ...], last: str = "and") -> str:
    """Words joined as in a sentence: "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


UNSAID: Final = 0.01
"""Probabilities nearer than this to 0 or 1 are said as a bound: neither end is certain."""


def say_chance(probability: float) -> str:
    """A probability in percent; neither end is said as certainty: "42 %", "under 1 %", "over 99 %"."""
    if probability < UNSAID:
        return "under 1 %"
    return "over 99 %" if probability > 1.0 - UNSAID else f"{100 * probability:.0f} %"


def say_about(value: float) -> str:
    """A number that is only known roughly, with two digits: 0.53, 1.6, 128."""
    return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
