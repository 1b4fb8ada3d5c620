"""HL7 v2 times (TS, DTM, DT), read as precisely as they were written and no more."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from leuko.record import Moment, Precision

_TIME = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?:(?P<hour>\d\d)(?:(?P<minute>\d\d)"
    r"(?:(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?)?)?)?)?)?\s?(?P<zone>[+-]\d{4})?"
)
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?")
_PARTS: tuple[Precision, ...] = ("year", "month", "day", "hour", "minute", "second")


@lru_cache(maxsize=4096)  # the results of one order mostly share one time
def moment(text: str, zone: tzinfo, sender_zone: tzinfo | None = None) -> Moment | None:
    """A time stamp; None where the text is none, or names no day that exists.

    A time without an offset is in the zone of the message's own MSH-7 (`sender_zone`; HL7 v2.5.1, 2.A.77), else in
    `zone`, and then says that this was assumed. A midnight written as 000000 is a time; one of zeros after a day that
    some systems write for "no time" cannot be told from it.
    """
    match = _TIME.fullmatch(_basic(text.strip()))
    if match is None:
        return None
    precision = next(part for part in reversed(_PARTS) if match[part] is not None)
    try:
        own = _offset(match["zone"]) or sender_zone
        at = _instant(match, own or zone)
    except (ValueError, OverflowError):
        return None
    return Moment(at=at, precision=precision, zone_assumed=own is None)


def offset_of(text: str) -> tzinfo | None:
    """The offset that a time stamp carries, if any."""
    match = _TIME.fullmatch(_basic(text.strip()))
    try:
        return _offset(match["zone"]) if match is not None else None
    except ValueError:
        return None


def _basic(text: str) -> str:
    """ISO's extended form, which some senders write, in HL7's own."""
    match = _ISO.fullmatch(text)
    if match is None:
        return text
    *parts, zone = match.groups()
    return "".join(part or "" for part in parts) + ("+0000" if zone == "Z" else (zone or "").replace(":", ""))


def _instant(match: re.Match[str], zone: tzinfo) -> datetime:
    second = int(match["second"] or 0)
    return datetime(
        int(match["year"]),
        int(match["month"] or 1),
        int(match["day"] or 1),
        int(match["hour"] or 0),
        int(match["minute"] or 0),
        59 if second == 60 else second,
        int((match["fraction"] or "0").ljust(6, "0")),
        tzinfo=zone,
    )


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
