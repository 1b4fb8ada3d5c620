"""Times that are known only between two instants, and the days between them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from leuko.record import Moment
from leuko.result import Between
from leuko.wording import say_date, say_days

Days = tuple[float | None, float | None]
_WIDTH: Final = {"day": timedelta(days=1), "hour": timedelta(hours=1)}
_LAST_INSTANT: Final = timedelta(microseconds=1)
_DIGITS: Final = 3


def span_of(moment: Moment) -> Between:
    """The first and the last instant that a moment may mean."""
    return Between(earliest=moment.at, latest=_end(moment))


def _end(moment: Moment) -> datetime:
    at = moment.at
    if moment.precision == "year":
        return at.replace(year=at.year + 1) - _LAST_INSTANT
    if moment.precision == "month":
        return (at.replace(day=1) + timedelta(days=32)).replace(day=1) - _LAST_INSTANT
    width = _WIDTH.get(moment.precision)
    return at if width is None else at + width - _LAST_INSTANT


def days_between(earlier: Between, later: Between) -> Days:
    """The least and the most time from one to the other [days]; negative where the order is the other way round."""
    return _days(earlier.latest, later.earliest), _days(earlier.earliest, later.latest)


def _days(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds() / 86400.0, _DIGITS)


def surely_before(one: Between, other: Between) -> bool:
    """Whether one time certainly lies before the other, or ends as it begins."""
    return one.latest is not None and other.earliest is not None and one.latest <= other.earliest


def may_precede(one: Between, other: Between) -> bool:
    """Whether one time can lie before the other."""
    return one.earliest is None or other.latest is None or one.earliest < other.latest


def say_span(span: Between | None) -> str:
    """A time as it is known: a day, a stretch, or unknown."""
    days = [] if span is None else [moment.date() for moment in (span.earliest, span.latest) if moment is not None]
    if not days:
        return "an unknown day"
    if span is not None and span.latest is None:
        return f"some day after {say_date(days[0])}"
    if span is not None and span.earliest is None:
        return f"{say_date(days[0])} or before"
    return say_date(days[0]) if days[0] == days[-1] else f"between {say_date(days[0])} and {say_date(days[-1])}"


def say_range(days: Days) -> str:
    """A stretch of days in words: "12 days", "5 to 9 days", "at most 9 days", "an unknown time"."""
    least, most = days
    low = None if least is None else round(max(0.0, least))
    high = None if most is None else round(most)
    if low is None and high is None:
        return "an unknown time"
    if high is None:
        return f"at least {say_days(low or 0)}"
    if low is None or low == 0 < high:
        return f"at most {say_days(high)}"
    return say_days(high) if low == high else f"{low} to {say_days(high)}"
