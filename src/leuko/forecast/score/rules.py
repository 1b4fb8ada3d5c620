"""Scores of predictive draws against what was seen.

CRPS: Gneiting and Raftery, J Am Stat Assoc 2007;102:359-378, estimated from draws by probability-weighted moments
(Zamo and Naveau, Math Geosci 2018;50:209-234). PIT: Dawid 1984; coverage of central intervals; Brier 1950 for a
count below a cut.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from leuko.forecast.model import Floats
from leuko.frozen import Frozen

CENTRAL: Final = (0.5, 0.8, 0.95)
BINS: Final = 10


class Told(Frozen, frozen=True, kw_only=True):
    """What was told and what came: `draws` (K, M) equally likely logarithms of the measured count, `seen` (K,) the
    counts that came [10*9/L], `resolution` the step in which counts were printed [10*9/L]."""

    draws: Floats
    seen: Floats
    resolution: float


class Score(Frozen, frozen=True, kw_only=True):
    """How one forecaster did at one horizon.

    `log_rmse` of the mean logarithm, `mae` of the median [10*9/L], `crps_log` on the log scale, `crps` [10*9/L],
    `coverage` of the central 50, 80 and 95 %, `pit` shares of ten bins, `brier` for a count below `cut` [10*9/L] and
    `brier_base` that of always saying the share seen; `below` is that share.
    """

    forecaster: str
    horizon: str
    people: int
    count: int
    log_rmse: float
    mae: float
    crps_log: float
    crps: float
    coverage: tuple[tuple[float, float], ...]
    pit: tuple[float, ...]
    cut: float
    below: float
    brier: float
    brier_base: float


def score(told: Told, *, forecaster: str, horizon: str, people: int, cut: float) -> Score:
    """The scores of one forecaster at one horizon; ValueError without a single forecast."""
    if told.seen.size == 0:
        raise ValueError(f"{forecaster}, {horizon}: no count was forecast")
    logs = np.log(np.maximum(told.seen, told.resolution / 2))
    place = pit_of(told)
    low, share = (told.seen < cut).astype(float), np.mean(told.draws < np.log(cut), axis=1)
    return Score(
        forecaster=forecaster,
        horizon=horizon,
        people=people,
        count=int(told.seen.size),
        log_rmse=float(np.sqrt(np.mean(np.square(told.draws.mean(axis=1) - logs)))),
        mae=float(np.mean(np.abs(np.exp(np.median(told.draws, axis=1)) - told.seen))),
        crps_log=float(crps(logs, told.draws).mean()),
        crps=float(crps(told.seen, np.exp(told.draws)).mean()),
        coverage=tuple((level, float(np.mean(np.abs(place - 0.5) <= level / 2))) for level in CENTRAL),
        pit=tuple((np.histogram(place, BINS, (0.0, 1.0))[0] / place.size).tolist()),
        cut=cut,
        below=float(low.mean()),
        brier=float(np.mean(np.square(share - low))),
        brier_base=float(low.mean() * (1 - low.mean())),
    )


def crps(seen: Floats, draws: Floats) -> Floats:
    """The CRPS (K,) of draws (K, M), any order, against what was seen (K,): unbiased, and linear in memory."""
    ordered = np.sort(draws, axis=1)
    many = ordered.shape[1]
    near = np.abs(ordered - seen[:, None]).mean(axis=1)
    first = ordered.mean(axis=1)
    second = (ordered * np.arange(many)).sum(axis=1) / (many * (many - 1))
    found: Floats = near + first - 2 * second
    return found


def pit_of(told: Told) -> Floats:
    """Where each count that came lies among its draws, from 0 to 1.

    A count is printed in steps, so it stands for all values that round to it: its place is the middle of theirs.
    """
    half = told.resolution / 2
    low, high = (np.log(np.maximum(told.seen + side * half, half * 1e-3)) for side in (-1, 1))
    below, above = (np.mean(told.draws < limit[:, None], axis=1) for limit in (low, high))
    place: Floats = (below + above) / 2
    return place
