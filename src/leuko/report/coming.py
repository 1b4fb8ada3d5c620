"""A forecast in words and rows, as every view shows it: nothing more exact than it is, nothing without its spread."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from leuko.frozen import Frozen
from leuko.result.forecast import AtCut, Fan, Forecast, Option, Spread
from leuko.wording import say_about, say_chance, say_date, say_number

UNIT: Final = "×10⁹/L"
METHODS: Final = {"marrow": "marrow model", "state_space": "the person's own counts"}


def spread_words(spread: Spread, *, days: bool = False) -> str:
    """Median and the central 80 %: "0.53 (0.39 to 0.69)"."""
    if spread.median is None or spread.middle is None:
        return "does not happen" if spread.not_needed > 0.5 else "cannot say"
    say = _days if days else say_about
    low, high = map(say, spread.middle)
    return f"{say(spread.median)} ({low} to {high})" if low != high else say(spread.median)


def _days(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def day_words(start: datetime, spread: Spread) -> str:
    """A day with the central 80 %: "4 March (3 to 5 March)"."""
    if spread.median is None or spread.middle is None:
        return "not reached" if spread.never > spread.not_needed else "does not fall so low"
    return f"{_day_of(start, spread.median)} ({between_words(start, *spread.middle)})"


def _day_of(start: datetime, days: float) -> str:
    day = start + timedelta(days=days)
    return f"{day.day} {day:%B}"


def between_words(start: datetime, low: float, high: float) -> str:
    """Two days: "3 to 5 March"."""
    first, last = start + timedelta(days=low), start + timedelta(days=high)
    if first.date() == last.date():
        return f"{last.day} {last:%B}"
    if first.month == last.month:
        return f"{first.day} to {last.day} {last:%B}"
    return f"{first.day} {first:%B} to {last.day} {last:%B}"


def never_words(at: AtCut) -> str:
    """For whom it does not come back within the time looked at."""
    return f"not within the time looked at: {say_chance(at.recovery.never)}" if at.recovery.never >= 0.01 else ""


class OptionWords(Frozen, frozen=True, kw_only=True):
    """One option as a row: each cell in words; `open` is true where nothing beats it."""

    text: str
    severe: str
    lowest: str
    days: str
    back: str
    ready: str
    intensity: str
    delay: str
    open: bool
    option: Option


def option_words(option: Option, severe: float | None) -> OptionWords:
    """The cells of one option; `severe` is the cut [10*9/L] that its days are counted below."""
    cuts = option.outcome.cuts
    low = next((at for at in cuts if at.cut == severe), cuts[0])
    last = cuts[-1]
    return OptionWords(
        text=option.text,
        severe=say_chance(option.severe),
        lowest=spread_words(option.outcome.nadir),
        days=spread_words(low.days_below, days=True),
        back=day_words(option.start, last.recovery) if option.start is not None else "",
        ready="no rule known" if option.ready is None else say_chance(option.ready),
        intensity=f"{100 * option.dose_intensity:.0f} %",
        delay="none" if not option.delay_days else f"{option.delay_days:g} d",
        open=option.pareto,
        option=option,
    )


def option_columns(forecast: Forecast) -> tuple[str, ...]:
    """The columns, with the cuts of this forecast."""
    severe = say_number(forecast.severe_cut) if forecast.severe_cut is not None else "severe"
    last = say_number(forecast.outcome.cuts[-1].cut) if forecast.outcome is not None else ""
    return (
        "Next cycle",
        f"Below {severe}",
        "Lowest",
        f"Days below {severe}",
        f"Back at {last}",
        "Rule met on the day",
        "Dose intensity",
        "Delay",
        "Beaten by another",
    )


def option_cells(words: OptionWords) -> tuple[str, ...]:
    """The cells in the order of the columns."""
    return (
        words.text,
        words.severe,
        words.lowest,
        words.days,
        words.back,
        words.ready,
        words.intensity,
        words.delay,
        "no" if words.open else "yes",
    )


class FanRow(Frozen, frozen=True, kw_only=True):
    """One day of the fan: median, the central 50, 80 and 95 % [10*9/L], and the chance to lie below each cut."""

    at: datetime
    median: float
    inner: tuple[float, float]
    middle: tuple[float, float]
    outer: tuple[float, float]
    below: tuple[tuple[float, float], ...]


def fan_rows(fan: Fan) -> Iterator[FanRow]:
    """Every time of the fan."""
    q = fan.quantiles
    for n, at in enumerate(fan.times):
        yield FanRow(
            at=at,
            median=q[3][n],
            inner=(q[2][n], q[4][n]),
            middle=(q[1][n], q[5][n]),
            outer=(q[0][n], q[6][n]),
            below=tuple((cut, shares[n]) for cut, shares in fan.below),
        )


def daily(fan: Fan, *, since: datetime) -> list[FanRow]:
    """One row a day from a day on."""
    found: dict[str, FanRow] = {}
    for row in fan_rows(fan):
        if row.at >= since:
            found.setdefault(row.at.date().isoformat(), row)
    return list(found.values())


def described(forecast: Forecast) -> str:
    """The figure of a forecast in words."""
    fan = forecast.fan
    if fan is None or forecast.outcome is None:
        return forecast.headline
    first, last = fan.times[0], fan.times[-1]
    return (
        f"Forecast from {say_date(first)} to {say_date(last)}, {forecast.fan_text}: the line is the median of the true"
        " count, the bands hold the central 50, 80 and 95 % of the courses, thin lines are single courses that are"
        f" possible; circles are the counts measured. {forecast.headline}."
    )
