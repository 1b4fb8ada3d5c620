"""Exact arithmetic on counts, and what the printed digits of a result leave open."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from leuko.frozen import Frozen
from leuko.record import Bound, Count
from leuko.units import UnitRefused, readings
from leuko.wording import say_bounded, say_number

_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_UPPER: Final[frozenset[Bound]] = frozenset({"<", "<="})
_LOWER: Final[frozenset[Bound]] = frozenset({">", ">="})
PERCENT: Final = Fraction(1, 100)


class Bounded(Frozen, frozen=True, kw_only=True):
    """An exact number, or a bound of one."""

    value: Fraction
    bound: Bound = "="

    def __str__(self) -> str:
        return say_bounded(float(self.value), self.bound)


class Span(Frozen, frozen=True, kw_only=True):
    """The values that a printed result may stand for; `most` None: no upper end."""

    least: Fraction
    most: Fraction | None

    def apart(self, other: Span) -> bool:
        """Whether no value lies in both."""
        return self._above(other) or other._above(self)

    def _above(self, other: Span) -> bool:
        return other.most is not None and self.least > other.most

    def __str__(self) -> str:
        least = say_number(float(self.least))
        return f"{least} or more" if self.most is None else f"{least} to {say_number(float(self.most))}"


def exactly(count: Count) -> Bounded:
    """The value as the decimal number that it was read from, not as the nearest binary one."""
    return Bounded(value=Fraction(repr(count.value)), bound=count.bound)


def product(left: Bounded, right: Bounded) -> Bounded | None:
    """The product of two values of zero or more, None where their bounds point in opposite directions."""
    bound = _joined((left, right))
    value = left.value * right.value
    if bound is None:
        return None
    # nothing times at most something is nothing, and no value is below zero
    return Bounded(value=value, bound="=" if value == 0 and bound in _UPPER else bound)


def total(parts: Iterable[Bounded]) -> Bounded | None:
    """The sum of values, None where their bounds point in opposite directions."""
    parts = tuple(parts)
    bound = _joined(parts)
    return None if bound is None else Bounded(value=sum((part.value for part in parts), Fraction(0)), bound=bound)


def _joined(parts: Iterable[Bounded]) -> Bound | None:
    bounds = {part.bound for part in parts} - {"="}
    if not bounds:
        return "="
    if bounds <= _UPPER:
        return "<" if "<" in bounds else "<="
    if bounds <= _LOWER:
        return ">" if ">" in bounds else ">="
    return None


def span_of(count: Count) -> Span:
    """Every value that would have been printed as this one: half a unit of the last digit to either side.

    The last digit is that of the source's own text, so that 20 % stands for 19.5 to 20.5 and 20.0 % for 19.95 to 20.05.
    """
    value, half = Fraction(repr(count.value)), _half_digit(count)
    least = Fraction(0) if count.bound in _UPPER else max(value - half, Fraction(0))
    return Span(least=least, most=None if count.bound in _LOWER else value + half)


def times(left: Span, right: Span) -> Span:
    """The span of a product."""
    most = None if left.most is None or right.most is None else left.most * right.most
    return Span(least=left.least * right.least, most=most)


def plus(spans: Iterable[Span]) -> Span:
    """The span of a sum."""
    spans = tuple(spans)
    tops = [span.most for span in spans if span.most is not None]
    most = sum(tops, Fraction(0)) if len(tops) == len(spans) else None
    return Span(least=sum((span.least for span in spans), Fraction(0)), most=most)


def _half_digit(count: Count) -> Fraction:
    """Half a unit of the last printed digit, in the unit of the count."""
    if count.kind == "derived" and not count.origin.value_text:
        return Fraction(0)  # nothing was printed
    found = _NUMBER.search(count.origin.value_text)
    text = found.group() if found else repr(count.value)
    digits = len(re.split("[.,]", text)[-1]) if re.search("[.,]", text) else 0
    if not found and text.endswith(".0"):
        digits = 0
    return _scale(count, text) * Fraction(1, 10**digits) / 2


def _scale(count: Count, text: str) -> Fraction:
    """How many canonical units one printed unit is; a comma as thousands mark gives the same half digit."""
    *whole, last = re.split("[.,]", text)
    printed = Fraction("".join(whole) + "." + last) if whole else Fraction(last)
    if printed:
        return Fraction(repr(count.value)) / printed
    try:
        return readings(count.origin.unit_text)[0].factor
    except UnitRefused:
        return Fraction(1)
