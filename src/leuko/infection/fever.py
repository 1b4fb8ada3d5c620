"""The fever half of a definition: one reading at or above a limit, or a lower limit that held for a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Literal

from leuko.frozen import Frozen
from leuko.infection.readings import inside, instants, say_celsius, say_reading
from leuko.knowledge.schema import Band
from leuko.knowledge.schema.infection import FeverRow, FeverRules, Sustained
from leuko.record import Moment
from leuko.result.infection import Temperature

HOUR = timedelta(hours=1)


class Event(Frozen, frozen=True, kw_only=True):
    """Something that meets the fever half (True), or may meet it (None), at a time; None: on no day."""

    met: Literal[True] | None
    at: Moment | None
    text: str
    evidence: tuple[str, ...]
    settle: str = ""


def events(row: FeverRow, readings: Sequence[Temperature], rules: FeverRules) -> Iterator[Event]:
    """Every reading or run of readings that is, or may be, a fever by this definition."""
    for reading in readings:
        if row.single is not None and (hit := hits(reading, row.single, row, rules)) is not False:
            yield _single(reading, row.single, hit, row)
    dated = [reading for reading in readings if reading.taken is not None]
    if row.sustained is not None:
        run = _run if row.sustained.consecutive else _occasions
        yield from run(row, row.sustained, dated, rules)


def hits(reading: Temperature, band: Band, row: FeverRow, rules: FeverRules) -> bool | None:
    """Whether a reading lies in a band; None where the way of measuring leaves it open."""
    is_inside = inside(reading.celsius, band)
    if row.route == "axillary":
        return None if is_inside and reading.route not in {None, "axillary"} else is_inside
    if is_inside or reading.route != "axillary":
        return is_inside
    return None if inside(reading.celsius + rules.axillary_below, band) else False


def _single(reading: Temperature, band: Band, hit: bool | None, row: FeverRow) -> Event:
    shown = say_reading(reading)
    if hit:
        return Event(met=True, at=reading.taken, text=f"{shown} is {say_limit(band)}", evidence=(reading.id,))
    wanted = row.route or "oral"
    text = f"{shown} was not measured as the definition asks: whether it would be {say_limit(band)} is open"
    return Event(met=None, at=reading.taken, text=text, evidence=(reading.id,), settle=f"an {wanted} reading")


def _run(row: FeverRow, rule: Sustained, readings: Sequence[Temperature], rules: FeverRules) -> Iterator[Event]:
    """Readings in a row, none of them below the limit, over the length that the rule asks for."""
    found = [hits(reading, rule.band, row, rules) for reading in readings]
    for start, first in enumerate(readings):
        sure, told = True, False
        for end in range(start, len(readings)):
            if found[end] is False:
                break
            sure = sure and found[end] is True and (end == start or _bridged(readings[end - 1], readings[end], rules))
            if end - start + 1 < rule.readings:
                continue
            least, most = _apart(first, readings[end])
            is_sure = sure and _long_enough(least, rule)
            if is_sure or (_long_enough(most, rule) and not told):
                told = True
                yield _sustained(rule, readings[start : end + 1], sure=is_sure)
            if is_sure:
                break  # a longer run says no more: the runs that begin later tell of later times


def _occasions(row: FeverRow, rule: Sustained, readings: Sequence[Temperature], rules: FeverRules) -> Iterator[Event]:
    """So many readings within so many hours, whatever lies between them."""
    high = [(reading, hit) for reading in readings if (hit := hits(reading, rule.band, row, rules)) is not False]
    within = rule.within_hours if rule.within_hours is not None else 0.0
    for start in range(len(high) - rule.readings + 1):
        chosen = high[start : start + rule.readings]
        least, most = _apart(chosen[0][0], chosen[-1][0])
        if least <= within:
            sure = most <= within and all(hit is True for _, hit in chosen)
            yield _sustained(rule, [reading for reading, _ in chosen], sure=sure)
    # A doubtful reading between sure ones must not hide them.
    sure_ones = [reading for reading, hit in high if hit is True]
    for start in range(len(sure_ones) - rule.readings + 1):
        run = sure_ones[start : start + rule.readings]
        if _apart(run[0], run[-1])[1] <= within:
            yield _sustained(rule, run, sure=True)


def _sustained(rule: Sustained, run: Sequence[Temperature], *, sure: bool) -> Event:
    shown = f"{say_reading(run[0])} and {say_reading(run[-1])}"
    limit = say_limit(rule.band)
    evidence = tuple(reading.id for reading in run)
    if sure:
        return Event(met=True, at=run[-1].taken, text=f"{limit} {rule.text}: {shown}", evidence=evidence)
    text = f"{shown} are {limit}; whether it held {rule.text} cannot be told from their times"
    return Event(
        met=None, at=run[-1].taken, text=text, evidence=evidence, settle="readings an hour apart, with their times"
    )


def _bridged(one: Temperature, other: Temperature, rules: FeverRules) -> bool:
    return _apart(one, other)[1] <= rules.bridge_hours


def _apart(one: Temperature, other: Temperature) -> tuple[float, float]:
    """The least and the most hours between two readings."""
    if one.taken is None or other.taken is None:
        raise ValueError("readings in a row have times")
    (first, last), (next_first, next_last) = instants(one.taken), instants(other.taken)
    return max((next_first - last) / HOUR, 0.0), max((next_last - first) / HOUR, 0.0)


def _long_enough(hours: float, rule: Sustained) -> bool:
    return hours > rule.hours or (rule.hours_inclusive and hours == rule.hours)


def say_limit(band: Band) -> str:
    """A temperature band in words: "38.3 °C or more", "above 38.3 °C"."""
    parts = []
    if isinstance(band.lower, (int, float)):
        number = say_celsius(band.lower)
        parts.append(f"{number} or more" if band.lower_inclusive else f"above {number}")
    if isinstance(band.upper, (int, float)):
        number = say_celsius(band.upper)
        parts.append(f"{number} or less" if band.upper_inclusive else f"below {number}")
    return " and ".join(parts)


def say_reading_in(band: Band) -> str:
    """A reading in a band: "reading of 38.3 °C or more", "reading above 38.3 °C"."""
    limit = say_limit(band)
    return f"reading {limit}" if limit.startswith(("above", "below")) else f"reading of {limit}"
