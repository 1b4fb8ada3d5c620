"""FHIR dates and times, read as precisely as they were written and no more."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from leuko.intake.fhir.words import clean
from leuko.record import Moment, Precision

_TIME = re.compile(
    r"(?P<year>\d{4})"
    r"(?:-(?P<month>\d\d)"
    r"(?:-(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?"
    r"\s?(?P<zone>[Zz]|[+-]\d\d:?\d\d)?)?)?)?"
)
_PARTS: tuple[Precision, ...] = ("year", "month", "day", "hour", "minute", "second")


def moment(text: str | None, zone: tzinfo) -> Moment | None:
    """A FHIR date, dateTime or instant; None where the text is none, or names no day that exists.

    A partial date stands at its first instant in `zone`. A leap second is read as the second before it.
    """
    match = _TIME.fullmatch(clean(text))
    if match is None:
        return None
    precision = next(part for part in reversed(_PARTS) if match[part] is not None)
    try:
        offset = _offset(match["zone"])
        return Moment(at=_instant(match, offset or zone), precision=precision, zone_assumed=offset is None)
    except (ValueError, OverflowError):
        return None


def _instant(match: re.Match[str], zone: tzinfo) -> datetime:
    microsecond = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    return datetime(
        int(match["year"]),
        int(match["month"] or 1),
        int(match["day"] or 1),
        int(match["hour"] or 0),
        int(match["minute"] or 0),
        min(int(match["second"] or 0), 59) if match["second"] == "60" else int(match["second"] or 0),
        microsecond,
        tzinfo=zone,
    )


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in "Zz":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def last_day(when: Moment) -> datetime:
    """The last instant that a partial date could mean (a year's last day, a month's last day)."""
    if when.precision == "year":
        return when.at.replace(month=12, day=31)
    if when.precision == "month":
        following = when.at.replace(day=28) + timedelta(days=4)
        return following - timedelta(days=following.day)
    return when.at
