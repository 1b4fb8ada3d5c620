"""A measurement as the set of values that it may stand for, in the unit of its observable."""

from __future__ import annotations

from decimal import Decimal

from leuko.frozen import Frozen
from leuko.grading import Edge, above, below
from leuko.knowledge.schema import Band
from leuko.knowledge.schema.scores import ObservableRow
from leuko.record import Moment

_HALF = Decimal("0.5")


class Reading(Frozen, frozen=True, kw_only=True):
    """A value: all from `low` to `high`; `middle` the number itself, None for a bound. `text` says it with its day."""

    low: Edge
    high: Edge
    middle: float | None
    text: str
    evidence: tuple[str, ...] = ()
    taken: Moment | None = None


class Turned(Frozen, frozen=True, kw_only=True):
    """A number in the unit of its observable, with the span that its rounding leaves."""

    middle: float
    low: Edge
    high: Edge


def in_unit(value: Decimal, unit: str, row: ObservableRow) -> Turned | None:
    """A number turned into the observable's unit; None where the unit is unknown.

    A number that has to be converted was rounded in its own unit first: what the rounding leaves open stays open.
    """
    name = unit.strip().lower()
    own = name == row.unit.lower() or (row.unitless and not name)
    found = next((known for known in row.units if name in known.names), None)
    if not own and found is None:
        return None
    if own or found is None or (found.factor == 1.0 and found.offset == 0.0):
        return Turned(middle=float(value), low=Edge(value=float(value)), high=Edge(value=float(value)))
    exponent = value.as_tuple().exponent
    slack = _HALF * (Decimal(10) ** (exponent if isinstance(exponent, int) else 0))
    middle, low, high = (
        round(float(one) * found.factor + found.offset, 6) for one in (value, value - slack, value + slack)
    )
    return Turned(middle=middle, low=Edge(value=low), high=Edge(value=high))


def believable(value: float, row: ObservableRow) -> bool:
    """Whether a person can have such a value."""
    return (row.least is None or value >= row.least) and (row.most is None or value <= row.most)


def inside(reading: Reading, band: Band) -> bool:
    """Whether every value of the reading lies in the band."""
    low, high = _limits(band)
    return above(reading.low, low, inclusive=band.lower_inclusive) and below(
        reading.high, high, inclusive=band.upper_inclusive
    )


def touches(reading: Reading, band: Band) -> bool:
    """Whether some value of the reading may lie in the band."""
    low, high = _limits(band)
    return above(reading.high, low, inclusive=band.lower_inclusive) and below(
        reading.low, high, inclusive=band.upper_inclusive
    )


def stepped(reading: Reading, step: float | None) -> tuple[Reading, ...]:
    """The reading rounded to the step of a chart; two readings where it lies exactly half-way."""
    if step is None or reading.middle is None:
        return (reading,)
    size = Decimal(str(step))
    whole, rest = divmod(Decimal(str(round(reading.middle, 6))), size)
    twice = rest * 2
    steps = (whole, whole + 1) if twice == size else (whole + (1 if twice > size else 0),)
    return tuple(_at(reading, float(count * size)) for count in steps)


def _at(reading: Reading, value: float) -> Reading:
    edge = Edge(value=value)
    return Reading(low=edge, high=edge, middle=value, text=reading.text, evidence=reading.evidence, taken=reading.taken)


def _limits(band: Band) -> tuple[float | None, float | None]:
    low, high = band.lower, band.upper
    return (low if isinstance(low, (int, float)) else None), (high if isinstance(high, (int, float)) else None)
