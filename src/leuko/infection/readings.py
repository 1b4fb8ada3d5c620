"""Body temperatures out of the signs: in degrees Celsius, with the way of measuring, those that speak of now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from leuko.frozen import Frozen
from leuko.grading import Edge, above, below
from leuko.intake.symptom_words import Vocabulary
from leuko.knowledge.schema import Band
from leuko.record import Moment, Sign
from leuko.result import Gap
from leuko.result.infection import Temperature
from leuko.units import UnitRefused, convert, read_unit
from leuko.wording import say_date, say_instant


class Readings(Frozen, frozen=True, kw_only=True):
    """`placed` have a day and speak of now, the earliest first; `undated` have none. `gaps` tell what is not used."""

    placed: tuple[Temperature, ...] = ()
    undated: tuple[Temperature, ...] = ()
    gaps: tuple[Gap, ...] = ()


def readings_of(signs: Iterable[Sign], *, words: Vocabulary, as_of: date) -> Readings:
    """Every body temperature of the record, told apart by whether it speaks of now."""
    placed: dict[tuple[datetime, float, str | None], Temperature] = {}
    undated, gaps, past = [], [], []
    for sign in signs:
        if words.thermometer(sign) is None:
            continue
        found = _temperature(sign, words)
        if isinstance(found, Gap):
            gaps.append(found)
        elif not on_a_day(found.taken):
            undated.append(found)
        elif found.taken is not None and speaks_of_now(found.taken, words, as_of):
            placed.setdefault((found.taken.at, found.celsius, found.route), found)
        elif found.taken is not None and found.taken.day <= as_of:
            past.append(found)
    ordered = tuple(sorted(placed.values(), key=_order))
    if past and not ordered:
        gaps.append(_too_old(max(past, key=_order), as_of))
    if undated:
        gaps.append(_no_day(undated))
    return Readings(placed=ordered, undated=tuple(undated), gaps=tuple(gaps))


def _order(reading: Temperature) -> tuple[float, float]:
    return (reading.taken.at.timestamp() if reading.taken is not None else 0.0, reading.celsius)


def on_a_day(moment: Moment | None) -> bool:
    """Whether a time is known at least to the day."""
    return moment is not None and moment.precision not in {"year", "month"}


def speaks_of_now(moment: Moment, words: Vocabulary, as_of: date) -> bool:
    """Whether a day lies so shortly before the assessment that it still speaks of now."""
    return on_a_day(moment) and 0 <= (as_of - moment.day).days <= words.rules.recent_hours / 24


def instants(moment: Moment) -> tuple[datetime, datetime]:
    """The first and the last instant that a moment may mean; a day without a time may be any time of that day."""
    width = {"day": timedelta(days=1), "hour": timedelta(hours=1)}.get(moment.precision, timedelta())
    return moment.at, moment.at + width


def inside(value: float, band: Band) -> bool:
    """Whether a value lies in a band of numbers."""
    edge = Edge(value=value)
    lower = band.lower if isinstance(band.lower, (int, float)) else None
    upper = band.upper if isinstance(band.upper, (int, float)) else None
    return above(edge, lower, inclusive=band.lower_inclusive) and below(edge, upper, inclusive=band.upper_inclusive)


def _temperature(sign: Sign, words: Vocabulary) -> Temperature | Gap:
    """A reading in degrees Celsius, or why it cannot be used."""
    row = words.thermometer(sign)
    said = f"{sign.origin.value_text or sign.value} {sign.unit or ''}".strip()
    if sign.value is None:
        return _unusable(sign, said, "it is no number", "a measured temperature")
    possible = [unit for unit in ([sign.unit] if sign.unit else ["Cel", "[degF]"]) if unit]
    converted = [celsius for unit in possible if (celsius := _celsius(sign, unit)) is not None]
    fitting = [celsius for celsius in converted if inside(celsius, words.rules.plausible)]
    if len(fitting) != 1:
        why = "its unit is none of a temperature" if not converted else "no living person has it"
        return _unusable(sign, said, why, "the temperature with its unit")
    note = "" if sign.unit else "no unit was written; it can only be this one"
    route = row.route if row is not None else None
    return Temperature(id=sign.id, celsius=fitting[0], taken=sign.taken, route=route, said=said, note=note)


def _celsius(sign: Sign, unit: str) -> float | None:
    try:
        found = read_unit(unit)
        return convert(Decimal(repr(sign.value)), found, to="Cel") if found.canonical == "Cel" else None
    except UnitRefused:
        return None


def _unusable(sign: Sign, said: str, why: str, settle: str) -> Gap:
    return Gap(what=f"the temperature {said} of {say_instant(sign.taken)}", why=why, settle=settle)


def _too_old(last: Temperature, as_of: date) -> Gap:
    why = f"the last temperature on record, {say_reading(last)}, lies too far before {say_date(as_of)}"
    return Gap(what="whether there is a fever now", why=why, settle="a temperature today")


def _no_day(undated: list[Temperature]) -> Gap:
    shown = ", ".join(say_celsius(reading.celsius) for reading in undated)
    why = f"it was reported without a day ({shown}), so no neutrophil count can be joined to it"
    return Gap(what="when the temperature was measured", why=why, settle="the day and time of the reading")


def say_reading(reading: Temperature) -> str:
    """A reading with its way of measuring and its time: "38.4 °C (axillary) on 9 March 2026, 14:00"."""
    route = f" ({reading.route})" if reading.route not in {None, "oral"} else ""
    when = f" on {say_instant(reading.taken)}" if on_a_day(reading.taken) else " (no day given)"
    return f"{say_celsius(reading.celsius)}{route}{when}"


def say_celsius(celsius: float) -> str:
    """A temperature to the tenth at least: "38.0 °C", "38.06 °C"."""
    shown = f"{celsius:.2f}"
    return f"{shown.removesuffix('0')} °C"
