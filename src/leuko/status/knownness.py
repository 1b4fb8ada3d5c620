"""Yes, no or open: how a count that may be a bound, of a person whose age may be a span, meets a limit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from leuko.ages import UNKNOWN, AgeSpan, ages_to_try
from leuko.frozen import Frozen
from leuko.grading import above, below, edges, say_exact
from leuko.knowledge.schema import Ages, Band, Limit
from leuko.record import Count, Sex
from leuko.wording import say_unit


class ForSome(Protocol):
    """A row of knowledge that holds for some ages and perhaps one sex."""

    @property
    def ages(self) -> Ages:
        """The ages the row holds for."""
        ...

    @property
    def sex(self) -> Sex | None:
        """The sex the row holds for; None: both."""
        ...


Row = TypeVar("Row", bound=ForSome)


class Person(Frozen, frozen=True, kw_only=True):
    """What choosing a row needs to know of a person at a draw."""

    ages: AgeSpan
    sex: Sex | None

    @property
    def age_known(self) -> bool:
        """Whether anything is known of the age."""
        return self.ages != UNKNOWN


def rows_for(rows: Iterable[Row], person: Person) -> tuple[Row, ...]:
    """Every row that may be the person's own. Of a person without any age, those of adults: without an upper limit."""
    fitting = (row for row in rows if person.sex is None or row.sex in {None, person.sex})
    return tuple(row for row in fitting if holds(row.ages, person) is not False)


def age_limits(rows: Iterable[ForSome]) -> list[float | None]:
    """The age limits of rows: between them nothing changes with age."""
    return [limit for row in rows for limit in (row.ages.low_days, row.ages.high_days)]


def holds(band: Ages, person: Person) -> bool | None:
    """Whether an age band holds for all, none (False) or some (None) of the ages that are possible."""
    if not person.age_known:
        return band.high_days is None
    limits = (limit for limit in (band.low_days, band.high_days) if limit is not None)
    found = {band.holds(age) for age in ages_to_try(limits, person.ages)}
    return found.pop() if len(found) == 1 else None


def inside(count: Count, band: Band) -> bool | None:
    """Whether all, none (False) or some (None) of the values that a count may have lie in a band."""
    if count.lab_low is None and "lab_low" in {band.lower, band.upper}:
        return None
    lower, upper = _limit(band.lower, count), _limit(band.upper, count)
    if count.bound == "=":  # one value, the usual case
        value = count.value
        over = lower is None or value > lower or (value == lower and band.lower_inclusive)
        return over and (upper is None or value < upper or (value == upper and band.upper_inclusive))
    low, high = edges(count.value, count.bound)
    if not above(high, lower, inclusive=band.lower_inclusive) or not below(low, upper, inclusive=band.upper_inclusive):
        return False
    whole = above(low, lower, inclusive=band.lower_inclusive) and below(high, upper, inclusive=band.upper_inclusive)
    return True if whole else None


def _limit(limit: Limit | None, count: Count) -> float | None:
    return count.lab_low if limit == "lab_low" else limit


def say_band(band: Band, unit: str) -> str:
    """A band in words: "below 1.5 ×10⁹/L", "1 or more and below 1.5 ×10⁹/L"."""
    parts = []
    if band.lower is not None:
        parts.append(f"{_number(band.lower)} or more" if band.lower_inclusive else f"above {_number(band.lower)}")
    if band.upper is not None:
        parts.append(f"{'at or below' if band.upper_inclusive else 'below'} {_number(band.upper)}")
    return f"{' and '.join(parts)} {say_unit(unit)}"


def _number(limit: Limit) -> str:
    return "the laboratory's lower limit" if limit == "lab_low" else say_exact(float(limit))
