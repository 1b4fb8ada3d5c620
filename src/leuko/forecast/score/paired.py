"""Whether one forecaster did better than another on the same counts, or whether that is chance.

Losses of the same count are set against each other. Counts of one person are no independent witnesses, so people are
drawn anew, with all their counts (cluster bootstrap; Field CA, Welsh AH. Bootstrapping clustered data. J R Stat Soc B
2007;69:369-390): the central 95 % of the differences so found is the interval, and a difference whose interval holds
zero is not told from chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from leuko.forecast.model import Floats
from leuko.forecast.score.rules import Told, crps
from leuko.frozen import Frozen

_AGAIN: Final = 4000
_ENDS: Final = (0.025, 0.975)


class Losses(Frozen, frozen=True, kw_only=True):
    """Squared errors and CRPS (K,) of the logarithms of counts that one forecaster told, and whose each is (K,)."""

    forecaster: str
    horizon: str
    people: tuple[str, ...]
    squared: Floats
    crps: Floats


class Paired(Frozen, frozen=True, kw_only=True):
    """How much less one forecaster lost than another (`first` minus `second`, below 0: the first is better), with the
    central 95 % over people drawn anew; `better` is the share of those draws in which the first lost less."""

    first: str
    second: str
    horizon: str
    loss: str
    people: int
    difference: float
    low: float
    high: float
    better: float

    @property
    def told(self) -> bool:
        """Whether the difference is told from zero."""
        return self.low > 0.0 or self.high < 0.0


def losses_of(told: Told, *, forecaster: str, horizon: str, people: Sequence[str]) -> Losses:
    """The losses of each count."""
    logs = np.log(np.maximum(told.seen, told.resolution / 2))
    return Losses(
        forecaster=forecaster,
        horizon=horizon,
        people=tuple(people),
        squared=np.square(told.draws.mean(axis=1) - logs),
        crps=crps(logs, told.draws),
    )


def paired(first: Losses, second: Losses, *, seed: int = 1) -> tuple[Paired, ...]:
    """Both losses of two forecasters of the same counts in the same order; ValueError where they are not."""
    if first.people != second.people or first.horizon != second.horizon:
        raise ValueError(f"{first.forecaster} and {second.forecaster} did not tell the same counts")
    names, whose = np.unique(np.array(first.people), return_inverse=True)
    counts = np.bincount(whose, minlength=names.size).astype(np.float64)
    # how often each person is drawn, in each of the draws
    drawn = np.random.default_rng(seed).multinomial(names.size, np.full(names.size, 1 / names.size), size=_AGAIN)
    many = drawn @ counts

    def summed(loss: Floats) -> Floats:
        return np.bincount(whose, weights=loss, minlength=names.size).astype(np.float64)

    def rmse(loss: Floats) -> Floats:
        return np.asarray(np.sqrt(mean(loss)), dtype=np.float64)

    def mean(loss: Floats) -> Floats:
        return np.append(drawn @ summed(loss) / many, loss.mean())

    found = {
        "log-RMSE": rmse(first.squared) - rmse(second.squared),
        "CRPS of the logarithm": mean(first.crps) - mean(second.crps),
    }
    return tuple(_paired(first, second, name, differences, names.size) for name, differences in found.items())


def _paired(first: Losses, second: Losses, loss: str, differences: Floats, people: int) -> Paired:
    again, here = differences[:-1], float(differences[-1])
    low, high = np.quantile(again, _ENDS)
    return Paired(
        first=first.forecaster,
        second=second.forecaster,
        horizon=first.horizon,
        loss=loss,
        people=people,
        difference=here,
        low=float(low),
        high=float(high),
        better=float(np.mean(again < 0.0)),
    )
