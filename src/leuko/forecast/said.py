"""How chances, days and counts to come are said: never more exact than they are."""

from __future__ import annotations

from datetime import datetime

from leuko.forecast.case import DAY
from leuko.result.forecast import AtCut, Outcome, Spread
from leuko.wording import say_about, say_chance, say_date, say_number


def say_day(start: datetime, days: float) -> str:
    """The day that lies so many days after the start."""
    return say_date((start + days * DAY).date())


def say_days_between(start: datetime, low: float, high: float) -> str:
    """Two days: "12 to 15 March 2026"."""
    first, last = (start + low * DAY).date(), (start + high * DAY).date()
    if first == last:
        return say_date(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {say_date(last)}"
    return f"{first.day} {first:%B} to {say_date(last)}"


def nadir_words(outcome: Outcome, start: datetime, now: datetime) -> str:
    """The lowest count and its day."""
    depth, when = outcome.nadir, outcome.nadir_day
    if depth.median is None or depth.middle is None or when.median is None:
        return ""
    behind = start + when.median * DAY <= now
    word = "lowest" if behind else "lowest expected"
    return f"{word} about {spread_words(depth)} ×10⁹/L around {say_day(start, when.median)}"


def recovery_words(at: AtCut, start: datetime) -> str:
    """When the count is back at a cut."""
    told = at.recovery
    cut = f"{say_number(at.cut)} ×10⁹/L"
    if told.median is None or told.middle is None:
        if told.not_needed > 0.5:
            return f"the count is not expected below {cut}"
        return f"whether it comes back to {cut} within the time looked at cannot be said" if told.never > 0.5 else ""
    when = f"{say_day(start, told.median)} (80 %: {say_days_between(start, *told.middle)})"
    late = f"; not within the time looked at in {say_chance(told.never)}" if told.never >= 0.01 else ""
    idle = f"; not below it in {say_chance(told.not_needed)}" if told.not_needed >= 0.01 else ""
    return f"at {cut} again around {when}{late}{idle}"


def spread_words(spread: Spread) -> str:
    """Median with the central 80 %."""
    if spread.median is None or spread.middle is None:
        return ""
    return f"{say_about(spread.median)} (80 %: {say_about(spread.middle[0])} to {say_about(spread.middle[1])})"
