"""The coming counts at each time, as quantiles, probabilities and sample courses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from leuko.forecast.model import Floats
from leuko.forecast.outcome import LEVELS
from leuko.forecast.quantiles import quantiles
from leuko.result.forecast import Fan

DIGITS = 4  # more would be noise of the draws, and makes documents long
_TENS = np.array([10**power for power in range(23)], dtype=np.float64)  # the powers that a double holds exactly


EVERY = 2  # of the steps of a forecast: what the eye sees of a fan needs fewer


def fan_of(
    counts: Floats,
    days: Floats,
    *,
    start: datetime,
    cuts: Sequence[float],
    paths: int,
    every: int = EVERY,
    reported: Floats | None = None,
) -> Fan:
    """The fan of courses (T, N) [10*9/L] at `days` (T,) from `start`; every so many times are kept. `reported` are
    those kept as a laboratory would measure them."""
    kept = counts[::every]
    ends = quantiles(reported, (LEVELS[1], LEVELS[-2])).T if reported is not None else ()
    return Fan(
        times=tuple(start + timedelta(seconds=round(float(day) * 86_400)) for day in days[::every]),
        levels=LEVELS,
        quantiles=tuple(_short(row) for row in quantiles(kept, LEVELS).T),
        below=tuple((cut, tuple(round(float(share), DIGITS) for share in (kept < cut).mean(axis=1))) for cut in cuts),
        paths=tuple(_short(kept[:, n]) for n in _apart(kept.shape[1], paths)),
        measured=tuple(_short(row) for row in ends),
    )


def _apart(size: int, wanted: int) -> list[int]:
    """Some of the draws, evenly apart: of several models each has its share of them."""
    return [round(number) for number in np.linspace(0, size - 1, min(wanted, size))]


def _short(values: Floats) -> tuple[float, ...]:
    """The same with four digits that count: the numbers that their decimals stand for, as a division by a power of ten
    that is exact is rounded right."""
    with np.errstate(divide="ignore"):  # of nothing
        power = np.clip(DIGITS - 1 - np.floor(np.log10(np.abs(values))), 1 - len(_TENS), len(_TENS) - 1).astype(np.intp)
    up, down = _TENS[np.maximum(power, 0)], _TENS[np.maximum(-power, 0)]
    found: list[float] = (np.rint(values / down * up) * down / up).tolist()
    return tuple(found)
