"""Dates and times as tables write them. Nothing is guessed: an order of day and month that nothing decides is refused.

Read without asking: ISO 8601 in whole or part, 2024/05/03, 20240503, 3.5.2024 (dots mean day.month.year wherever dots
are used), and names of months in seven languages. 03/04/2024 and 03-04-2024 take the order that some value of the same
column forces, else the one that the language of the headers writes, else none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Literal

from leuko.frozen import Frozen
from leuko.intake.table.words import key_of, load_words
from leuko.record import Moment, Precision

Order = Literal["dmy", "mdy"]
_ORDERS: tuple[Order, ...] = ("dmy", "mdy")
UNDECIDED = "day and month of the date could be swapped"
EARLIEST_YEAR = 1900  # a year before it is a slip of the pen, or a time without a date in a spreadsheet
LATEST_YEAR = 2199

_ISO = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?!\d)")
_YEAR_FIRST = re.compile(r"(\d{4})([/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?(?![\d.,])")
_NUMERIC = re.compile(r"(\d{1,2})([./-])\s?(\d{1,2})\2\s?(\d{4}|\d{2})(?!\d)")
_DAY_MONTH = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|er|º|ª)?[.\s-]*(?:de\s)?([^\W\d_]{3,12})\.?(?:\sde\s|[\s,.-]*)(\d{4})(?!\d)"
)
_MONTH_DAY = re.compile(r"([^\W\d_]{3,12})\.?\s*(\d{1,2})(?:st|nd|rd|th)?[\s,]+(\d{4})(?!\d)")
_YEAR = re.compile(r"(\d{4})")
_TIME = re.compile(
    r"(\d{1,2})(?:\s?[:h.]\s?(\d{2})(?:\s?[:m.]\s?(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(?:Uhr|s|h|hs|hrs|u)?\s*"
    r"([AaPp])?\.?\s?(?(5)[Mm]\.?)\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)


class Clock(Frozen, frozen=True, kw_only=True):
    """A time of day; `zone` None where none was written."""

    hour: int = 0
    minute: int = 0
    second: int = 0
    microsecond: int = 0
    zone: tzinfo | None = None
    precision: Precision = "minute"


@dataclass(frozen=True, slots=True, kw_only=True)
class DateReader:
    """How the dates of one column are read; `order` None: a numeric date whose order matters is refused.

    `formats` are the column map's own (strptime); then nothing else is tried.
    """

    order: Order | None = None
    why: str = ""
    formats: tuple[str, ...] = ()
    zone: tzinfo = UTC
    excel_epoch: int = 0
    _seen: dict[tuple[str, str], Moment | str] = field(default_factory=dict, repr=False, compare=False)

    def read(self, text: str, time: str = "") -> Moment | str:
        """A moment, or in words why there is none."""
        key = (text, time)
        if key not in self._seen:
            self._seen[key] = self._read(text.strip(), time.strip())
        return self._seen[key]

    def _read(self, text: str, time: str) -> Moment | str:
        if self.formats:
            found: tuple[datetime, Precision] | str = _by_format(text, self.formats)
            rest = ""
        else:
            split = _date_part(text, self.order, self.excel_epoch)
            if isinstance(split, str):
                return split
            found, rest = (split[0], split[1]), split[2]
        if isinstance(found, str):
            return found
        return _with_time(found[0], found[1], rest or time, self.zone, text)


def choose_order(values: Iterable[str], *, day_first_language: bool) -> tuple[Order | None, str]:
    """The order of day and month in a column and what decided it; None where nothing does or values contradict."""
    firsts, seconds = [], []
    for text in set(values):
        match = _NUMERIC.match(text.strip())
        if match is not None and match[2] != ".":
            firsts.append(int(match[1]))
            seconds.append(int(match[3]))
    if not firsts:
        return None, ""
    day_first, month_first = max(firsts) > 12, max(seconds) > 12
    if day_first and month_first:
        return None, "some of its dates have the day first and others the month"
    if day_first or month_first:
        return ("dmy" if day_first else "mdy"), "a number above 12 decides it"
    if firsts == seconds:
        return None, ""
    return ("dmy", "the language of the headers") if day_first_language else (None, "nothing in the column decides it")


def order_in(header: str) -> Order | None:
    """The order that a header itself names: "Date (dd/mm/yyyy)", "Datum (TT/MM/JJJJ)"."""
    match = re.search(r"\b([dtjg]{1,2}|m{1,2})[/-]([dtjg]{1,2}|m{1,2})[/-](?:yy|aa|jj)", header.casefold())
    if match is None or (match[1][0] == "m") == (match[2][0] == "m"):
        return None
    return "mdy" if match[1][0] == "m" else "dmy"


def has_two_digit_year(text: str) -> bool:
    """Whether a numeric date writes its year with two digits."""
    match = _NUMERIC.match(text.strip())
    return match is not None and len(match[4]) == 2


def is_serial(text: str) -> bool:
    """Whether a cell of a workbook's date column holds the bare number of a day."""
    return _serial(text, 1900) is not None


def looks_like_date(text: str) -> bool:
    """Whether a text is a whole date, of whatever order, for telling headers and columns apart."""
    text = text.strip()
    if not any(letter.isdigit() for letter in text) or _YEAR.fullmatch(text):
        return False
    parts = [_date_part(text, order, 0) for order in _ORDERS]
    return any(not isinstance(part, str) and (not part[2] or read_clock(part[2]) is not None) for part in parts)


# ---- the date -------------------------------------------------------------------------------------------------------

_Found = tuple[datetime, Precision, str]


def _date_part(text: str, order: Order | None, epoch: int) -> _Found | str:
    """The date at the beginning of a text, its precision and the rest of the text; or why it cannot be read."""
    if not text:
        return "there is no date"
    if (serial := _serial(text, epoch)) is not None:
        return serial
    for pattern, reader in (
        (_ISO, _iso),
        (_YEAR_FIRST, _year_first),
        (_COMPACT, _compact),
        (_DAY_MONTH, _named),
        (_MONTH_DAY, _named),
    ):
        if match := pattern.match(text):
            return _checked(reader(match), text, match.end())
    if match := _NUMERIC.match(text):
        return _numeric(match, text, order)
    if _YEAR.fullmatch(text):
        return _checked((int(text), 1, 1, "year"), text, 4)
    return f"“{text}” is no date that leuko can read"


_Parts = tuple[int, int, int, Precision] | str


def _iso(match: re.Match[str]) -> _Parts:
    return (int(match[1]), int(match[2]), int(match[3] or 1), "day" if match[3] else "month")


def _year_first(match: re.Match[str]) -> _Parts:
    return (int(match[1]), int(match[3]), int(match[4]), "day")


def _compact(match: re.Match[str]) -> _Parts:
    return (int(match[1]), int(match[2]), int(match[3]), "day")


def _named(match: re.Match[str]) -> _Parts:
    day, month = (match[1], match[2]) if match[1].isdigit() else (match[2], match[1])
    number = load_words().months.get(key_of(month))
    return f"“{month}” is no month" if number is None else (int(match[3]), number, int(day), "day")


def _numeric(match: re.Match[str], text: str, order: Order | None) -> _Found | str:
    first, mark, second = int(match[1]), match[2], int(match[3])
    if len(match[4]) == 2:
        if mark != ".":
            return f"“{text}” writes the year with two digits; which number is the year is not certain"
        year = _century(int(match[4]))
    else:
        year = int(match[4])
    if mark == ".":
        order = "dmy"  # no country that dates with dots puts the month first
    elif first == second:
        order = order or "dmy"
    if order is None:
        return UNDECIDED if max(first, second) <= 12 else _either(match, text, first, second)
    day, month = (first, second) if order == "dmy" else (second, first)
    return _checked((year, month, day, "day"), text, match.end())


def _either(match: re.Match[str], text: str, first: int, second: int) -> _Found | str:
    """A number above 12 is a day, whatever the rest of a contradictory column does."""
    day, month = (first, second) if first > 12 else (second, first)
    return _checked((int(match[4]), month, day, "day"), text, match.end())


def _century(year: int) -> int:
    """Two-digit years by the rule of POSIX: 69-99 are of the 20th century."""
    return year + (1900 if year >= 69 else 2000)


def _checked(parts: _Parts, text: str, end: int) -> _Found | str:
    if isinstance(parts, str):
        return parts
    year, month, day, precision = parts
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return f"“{text}” lies in the year {year}"
    # compact dates carry their time without a mark between
    compact = _COMPACT.match(text)
    rest = text[end:]
    if compact and compact[4] and end == compact.end():
        rest = f"{compact[4]}:{compact[5]}" + (f":{compact[6]}" if compact[6] else "") + rest
    try:
        return datetime(year, month, day, tzinfo=UTC), precision, rest.strip().removeprefix("T").lstrip(", ")
    except ValueError:
        return f"there is no day {day} in month {month} of {year}"


def _serial(text: str, epoch: int) -> _Found | None:
    """A spreadsheet's serial day, where the file is a workbook: day 1 is 1 January 1900 (or day 0 that of 1904)."""
    if not epoch or not re.fullmatch(r"\d{4,5}(\.\d+)?", text):
        return None
    days = float(text)
    if days < 10_000:  # before 1927: rather a year or a small number
        return None
    # Day 60 is Excel's 29 February 1900, which never was: later days count from 30 December 1899.
    start = datetime(1904, 1, 1, tzinfo=UTC) if epoch == 1904 else datetime(1899, 12, 30, tzinfo=UTC)
    at = start + timedelta(seconds=round(days * 86400))
    rest = "" if days == int(days) else f"{at:%H:%M:%S}"
    return at.replace(hour=0, minute=0, second=0), "day", rest


# ---- the time -------------------------------------------------------------------------------------------------------


def _with_time(day: datetime, precision: Precision, time: str, zone: tzinfo, text: str) -> Moment | str:
    if not time:
        return _moment(day, precision, None, zone, text)
    clock = read_clock(time)
    if clock is None:
        return f"“{time}” is no time of day"
    at = day.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=clock.microsecond)
    return _moment(at, clock.precision if precision == "day" else precision, clock.zone, zone, text)


def _moment(at: datetime, precision: Precision, own: tzinfo | None, zone: tzinfo, text: str) -> Moment | str:
    try:
        placed = at.replace(tzinfo=own or zone)
        placed.timestamp()
    except (ValueError, OverflowError):
        return f"“{text}” lies outside the calendar"
    return Moment(at=placed, precision=precision, zone_assumed=own is None)


def read_clock(text: str) -> Clock | None:
    """A time of day ("8:05", "11:51 a.m.", "10h15", "08:05:00+01:00", "0805"), None where it is none."""
    text = text.strip()
    if re.fullmatch(r"([01]\d|2[0-3])[0-5]\d([0-5]\d)?", text):
        text = ":".join(text[i : i + 2] for i in range(0, len(text), 2))
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    if match[5]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[5] in "Pp" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    precision: Precision = "second" if match[3] else "minute" if match[2] else "hour"
    micro = int((match[4] or "0").ljust(9, "0")[:6])
    return Clock(hour=hour, minute=minute, second=second, microsecond=micro, zone=_zone(match[6]), precision=precision)


def _zone(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in {"Z", "UTC", "GMT"}:
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 14 or minutes > 59:
        return None
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if text[0] == "-" else delta)


def _by_format(text: str, formats: tuple[str, ...]) -> tuple[datetime, Precision] | str:
    for form in formats:
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 (the zone is set by the caller's options)
        except ValueError:
            continue
        return found, _precision(form)
    return f"“{text}” does not fit the column map's date_format {' or '.join(formats)}"


def _precision(form: str) -> Precision:
    if re.search(r"%[STXcfs]", form):
        return "second"
    if re.search(r"%[MR]", form):
        return "minute"
    if re.search(r"%[HI]", form):
        return "hour"
    if re.search(r"%[djxDF]", form):
        return "day"
    return "month" if re.search(r"%[mbB]", form) else "year"
