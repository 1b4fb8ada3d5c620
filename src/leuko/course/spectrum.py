"""The generalised Lomb-Scargle periodogram, with false-alarm bounds under white and under wandering noise.

* Periodogram with floating mean: Zechmeister and Kürster, Astron Astrophys 2009;496:577-584. It equals
  `scipy.signal.lombscargle(floating_mean=True, normalize=True)` on centred values (a test holds the two together);
  importing that takes seconds, this only NumPy.
* False-alarm bound of the highest peak: Baluev, Mon Not R Astron Soc 2008;385:1279, with the variance estimated from
  the data. It is an upper bound for Gaussian white noise.
* Counts also wander: neighbouring counts resemble each other without any period. The same bound is therefore taken once
  more after the series is whitened as a first-order autoregression in continuous time (Ornstein-Uhlenbeck process),
  whose memory is the most likely one without a period. The larger of the two bounds counts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from leuko.frozen import Frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_OVERSAMPLING: Final = 10
_MEMORIES: Final = 16
# The foot of a peak is as wide as one over the span; twice that is looked over, in steps of a fiftieth.
_REACH: Final = 2
_FINE: Final = 50


class Peak(Frozen, frozen=True, kw_only=True):
    """The strongest period between two [days]: its share of the variance, and its false-alarm bounds.

    `summit` is the period [days] on top of the peak that it belongs to. It lies outside where the strongest period is
    the edge of the range and only the foot of a peak beyond it.
    """

    period: float
    summit: float
    power: float
    false_alarm_white: float
    false_alarm_wandering: float

    @property
    def false_alarm(self) -> float:
        """The larger of the two bounds."""
        return max(self.false_alarm_white, self.false_alarm_wandering)


def strongest_period(days: list[float], values: list[float], *, shortest: float, longest: float) -> Peak | None:
    """The strongest period of the values between two periods [days]; None where the values do not vary.

    `days` are strictly increasing. Four values at least: mean and sinusoid take three degrees of freedom.
    """
    import numpy as np  # noqa: PLC0415 (loaded only where the sampling allows the test)

    t, y = np.asarray(days, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if len(t) < 4 or float(np.ptp(y)) == 0.0:
        return None
    frequencies = _grid(float(t[-1] - t[0]), shortest, longest)
    width = (1 / shortest - 1 / longest) * math.sqrt(4 * math.pi * float(np.var(t)))
    white = periodogram(t, y, frequencies, memory=0.0)
    best = int(np.argmax(white))
    edge = {0: -1.0, len(frequencies) - 1: 1.0}.get(best, 0.0)
    wandering = periodogram(t, y, frequencies[best : best + 1], memory=_memory(t, y))
    return Peak(
        period=1 / float(frequencies[best]),
        summit=1 / _summit(t, y, float(frequencies[best]), edge),
        power=float(white[best]),
        false_alarm_white=false_alarm_bound(float(white[best]), len(t), width),
        false_alarm_wandering=false_alarm_bound(float(wandering[0]), len(t), width),
    )


def periodogram(t: Array, y: Array, frequencies: Array, *, memory: float) -> Array:
    """Share of the variance about the mean that a sinusoid of each frequency [1/day] explains; shape of frequencies.

    `memory` is the time constant [days] of wandering noise that is whitened away first; 0 is white noise.
    """
    import numpy as np  # noqa: PLC0415

    angle = 2 * np.pi * np.outer(t - t[0], frequencies)
    one = _whiten(t, np.ones((len(t), 1)), memory)
    left = _without(one, _whiten(t, y[:, None], memory))[:, 0]
    cosine, sine = _whiten(t, np.cos(angle), memory), _whiten(t, np.sin(angle), memory)
    # Sums about the (whitened) mean, without a second copy of the waves: `left` has none, theirs is taken away.
    mean = one[:, 0] / math.sqrt(float(one[:, 0] @ one[:, 0]))
    mc, ms = mean @ cosine, mean @ sine
    cc = np.einsum("ij,ij->j", cosine, cosine) - mc**2
    ss = np.einsum("ij,ij->j", sine, sine) - ms**2
    cs = np.einsum("ij,ij->j", cosine, sine) - mc * ms
    yc, ys = left @ cosine, left @ sine
    explained = (ss * yc**2 + cc * ys**2 - 2 * cs * yc * ys) / (cc * ss - cs**2)
    return np.asarray(np.clip(explained / (left @ left), 0.0, 1.0))


def false_alarm_bound(power: float, number: int, width: float) -> float:
    """The most that the probability of such a peak by chance can be (Baluev 2008, table 1 and equation 5).

    `number` counts the values; `width` is the band of frequencies times the effective length of the series.
    """
    free_mean, free_wave = number - 1, number - 3
    single = math.pow(1 - power, free_wave / 2)
    ratio = math.exp(math.lgamma(free_mean / 2) - math.lgamma((free_mean - 1) / 2))
    gamma = math.sqrt(2 / free_mean) * ratio
    crossings = gamma * width * math.pow(1 - power, (free_wave - 1) / 2) * math.sqrt(free_mean * power / 2)
    return min(1.0, single + crossings)


def _grid(span: float, shortest: float, longest: float) -> Array:
    import numpy as np  # noqa: PLC0415

    number = max(2, math.ceil((1 / shortest - 1 / longest) * span * _OVERSAMPLING) + 1)
    return np.linspace(1 / longest, 1 / shortest, number)


def _summit(t: Array, y: Array, frequency: float, direction: float) -> float:
    """From a frequency [1/day] uphill, lower (-1) or higher (+1), to the top of the peak; 0: it is the top."""
    import numpy as np  # noqa: PLC0415

    if direction == 0.0:
        return frequency
    steps = np.arange(_REACH * _FINE + 1) / (_FINE * float(t[-1] - t[0]))
    way = frequency + direction * steps
    way = way[way > 0]
    power = periodogram(t, y, way, memory=0.0)
    falls = np.flatnonzero(np.diff(power) <= 0)
    return float(way[falls[0] if len(falls) else -1])


def _without(one: Array, columns: Array) -> Array:
    """The columns less their (whitened) mean."""
    return columns - one * ((one[:, 0] @ columns) / float(one[:, 0] @ one[:, 0]))


def _whiten(t: Array, columns: Array, memory: float) -> Array:
    """Each value less what the one before it foretells, in units of what remains; the first as it is."""
    import numpy as np  # noqa: PLC0415

    if memory == 0.0:
        return columns
    kept = np.exp(-np.diff(t) / memory)[:, None]
    new = (columns[1:] - kept * columns[:-1]) / np.sqrt(1 - kept**2)
    return np.concatenate([columns[:1], new])


def _memory(t: Array, y: Array) -> float:
    """The most likely memory [days] of wandering noise without a period; 0 where white noise is likelier."""
    import numpy as np  # noqa: PLC0415

    gaps = np.diff(t)
    tried = [0.0, *np.geomspace(float(np.median(gaps)) / 4, float(t[-1] - t[0]), _MEMORIES)]
    return max(map(float, tried), key=lambda memory: _likelihood(t, y, memory))


def _likelihood(t: Array, y: Array, memory: float) -> float:
    """Log-likelihood of wandering noise about a mean, less a constant; mean and variance at their best."""
    import numpy as np  # noqa: PLC0415

    left = _without(_whiten(t, np.ones((len(t), 1)), memory), _whiten(t, y[:, None], memory))[:, 0]
    spread = 0.0 if memory == 0.0 else float(np.log1p(-np.exp(-2 * np.diff(t) / memory)).sum()) / 2
    return -len(t) / 2 * math.log(float(left @ left)) - spread
