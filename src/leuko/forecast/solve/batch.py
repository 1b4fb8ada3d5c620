"""Many persons at once: grid, lanes, threads, and a finer grid for those whose estimated error is too large."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np

from leuko.forecast.model import Floats, Model, Run, Schedule
from leuko.forecast.solve.chain import plan, rule
from leuko.forecast.solve.grid import Grid, build
from leuko.forecast.solve.persons import Persons, persons_of
from leuko.forecast.solve.reading import Arrival, arrivals, beginning, values
from leuko.forecast.solve.rows import (
    EFFECT,
    FORM,
    KILLS,
    LANES,
    LINEAR,
    MARROWS,
    MODES,
    PACLITAXEL,
    ROLE,
    SATURABLE_THIOPURINE,
)

Precision = Literal["float32", "float64"]

TOLERANCE = {"float32": 7e-4, "float64": 7e-4}  # of the estimated relative error of a count
SCHEME = "exact chain"  # where it can be; "classical": Runge-Kutta everywhere
LEVELS = 7  # halvings of the grid before a person is given up
SUBSTEP = 0.5  # a saturable step in units of its shortest time constant
EMBEDDED, EMBEDDED_TURNOVER, EMBEDDED_EFFECT = 0.02, 0.05, 0.5  # how much of the embedded differences counts as error
CHAIN_FEEDBACK, CHAIN_PROLIFERATION = 0.1, 0.2  # the same for the scheme that solves the chain exactly
LEAST = 1e-30  # a concentration that counts as none


def simulate(
    model: Model,
    theta: Floats,
    schedule: Schedule,
    *,
    hours: Floats,
    precision: Precision = "float32",
    threads: int | None = None,
    start: float | None = None,
    tell: Callable[[str], None] | None = None,
) -> Run:
    """The counts [10*9/L] of many persons at `hours` (T,) from the origin.

    `theta` (P, N) has a row for each of `model.names` and a column for each person. Everybody begins at the drug-free
    steady state at `start`, by default the earlier of the origin and the first dose. Doses before the origin count.
    Whoever's estimated relative error is over 5e-4 is solved again on finer grids; `failed` marks those for whom none
    sufficed (not finite parameters, too). `threads` defaults to all cores; `tell` is given a line before a compilation.
    Raises ValueError for what cannot be read: a medicine that the model does not know, a dose without a time.
    """
    theta = np.asarray(theta, dtype=np.float64)
    hours = np.asarray(hours, dtype=np.float64)
    if theta.ndim != 2 or theta.shape[0] != len(model.names):
        raise ValueError(
            f"theta has the shape {theta.shape}; the model {model.id!r} has {len(model.names)} parameters."
        )
    if not np.all(np.isfinite(hours)):
        raise ValueError("An hour at which a count is asked for is not a number.")
    order = np.argsort(hours, kind="stable")
    begun = beginning(schedule, start)
    sound = np.flatnonzero(np.all(np.isfinite(theta), axis=0) & (theta[model.at("circ0")] > 0))
    counts = np.full((len(hours), theta.shape[1]), np.nan, dtype=precision)
    error = np.full(theta.shape[1], np.inf)
    rerun = 0
    for group, doses in _by_lag(model, theta, schedule, sound):
        for level in range(LEVELS):
            job = _Job(model, theta[:, group], doses, hours[order], begun, level, precision)
            found, estimate = job.run(threads or os.cpu_count() or 1, tell)
            back = np.empty_like(found)
            back[order] = found
            counts[:, group], error[group] = back, estimate
            group = group[~(estimate <= TOLERANCE[precision])]
            if not len(group):
                break
            rerun += len(group) if level == 0 else 0
    failed = ~(error <= TOLERANCE[precision])
    return Run(hour=hours, counts=counts, error=error, rerun=rerun, failed=failed)


def _by_lag(model: Model, theta: Floats, schedule: Schedule, who: Any) -> list[tuple[Any, list[Arrival]]]:
    """Persons whose doses arrive at the same hours, and those doses: a lag may differ from person to person."""
    at = values(model, theta[:, who])
    names = [part.drug for part in model.drugs if f"{part.drug}.lag" in model.names]
    if not len(who):
        return []
    if not names:
        return [(who, arrivals(model, schedule, lambda _drug: 0.0))]
    lags, of = np.unique(np.stack([at(f"{name}.lag") for name in names]), axis=1, return_inverse=True)
    return [
        (
            who[np.ravel(of) == k],
            arrivals(model, schedule, lambda d, k=k: float(lags[names.index(d), k]) if d in names else 0.0),
        )
        for k in range(lags.shape[1])
    ]


class _Job:
    """One batch on one grid."""

    def __init__(
        self, model: Model, theta: Floats, doses: list[Arrival], hours: Floats, start: float, level: int, precision: str
    ) -> None:
        self.people = theta.shape[1]
        short = -self.people % LANES
        wide = np.concatenate([theta, np.repeat(theta[:, -1:], short, axis=1)], axis=1) if short else theta
        self.persons = persons_of(model, wide, precision)
        self.grid = build(doses, hours, start, np.array(self.persons.finest), level)
        self.dtype, self.hours = np.dtype(precision), hours
        self.plain = self.persons.kind == MARROWS["friberg"] and bool(np.all(self.persons.channel[:, ROLE] == KILLS))
        self.chain = self.plain and SCHEME != "classical"

    def run(self, threads: int, tell: Callable[[str], None] | None) -> tuple[Any, Floats]:
        """The counts (T, N) and the estimated error (N,)."""
        from leuko.forecast.solve.kernel import march_block  # noqa: PLC0415

        full = self.persons.people
        out = np.empty((len(self.hours), full), dtype=self.dtype)
        error = np.empty(full, dtype=self.dtype)
        arguments = (*self._arguments(self.persons, self.grid), out, error)
        blocks = full // LANES
        threads = max(1, min(threads, blocks))
        edges = [blocks * k // threads * LANES for k in range(threads + 1)]
        parts = self._parts()
        if threads == 1:
            march_block(*arguments, 0, full, *parts)
        else:
            with ThreadPoolExecutor(threads) as crew:
                list(crew.map(lambda k: march_block(*arguments, edges[k], edges[k + 1], *parts), range(threads)))
        estimate = error[: self.people].astype(np.float64)
        bad = ~np.all(np.isfinite(out[:, : self.people]) & (out[:, : self.people] >= 0), axis=0)
        estimate[bad] = np.inf
        return out[:, : self.people], estimate

    def _parts(self) -> tuple[Any, ...]:
        """The structure, as the kernel is compiled for it: 1 for a part that is there, else None."""
        channel = self.persons.channel
        curved = (channel[:, FORM] != MODES) | (channel[:, EFFECT] != LINEAR)
        there = [*(self.persons.kind == kind for kind in range(3)), bool(np.any(curved))]
        there += [bool(np.any(channel[:, FORM] == form)) for form in range(PACLITAXEL, SATURABLE_THIOPURINE + 1)]
        there[0] = there[0] and not self.chain
        parts = tuple(1 if one else None for one in there)
        if not self.chain:
            return *parts, None, None, None, None
        past, cubic = plan(self.grid.steps)
        return *parts, 1, rule().astype(self.dtype), past, cubic.astype(self.dtype)

    def _arguments(self, persons: Persons, grid: Grid) -> tuple[Any, ...]:
        def table(found: list[Floats]) -> Any:
            return np.ascontiguousarray(np.stack(found), dtype=self.dtype) if found else np.zeros((0, 1), self.dtype)

        constants = [0.0, 1.0, 0.5, 1 / 6, 1 / 3, EMBEDDED, LEAST, EMBEDDED_TURNOVER, EMBEDDED_EFFECT]
        constants += [5 / 24, 1 / 24, 2 / 3, 1 / 8, CHAIN_FEEDBACK, CHAIN_PROLIFERATION]
        stiff = np.array(persons.stiff)
        lengths, length = np.unique(grid.steps.astype(self.dtype), return_inverse=True)
        many = np.maximum(1, np.ceil(grid.steps[:, None] / 4 * stiff[None, :] / SUBSTEP)).astype(np.int64)
        return (
            self.plain,
            lengths,
            length.astype(np.int64),
            grid.first,
            np.stack([grid.channel, grid.kind], axis=1),
            grid.amount.astype(self.dtype),
            grid.out_step,
            grid.out_at.astype(self.dtype),
            many,
            persons.channel,
            table(persons.rate),
            table(persons.amplitude),
            table(persons.rows),
            table(persons.marrow),
            _shares().astype(self.dtype),
            np.array(constants, dtype=self.dtype),
        )


def _shares() -> Floats:
    """What each of five even nodes of a step gives to the parabola nearest to all: its value at the start, the middle
    and the end (Boole's rule for the moments against Legendre's polynomials); and the fourth difference."""
    u = np.linspace(0, 1, 5)
    weight = np.array([7, 32, 12, 32, 7]) / 90
    tilt, bend = 3 * weight * (2 * u - 1), 5 * weight * (6 * u * u - 6 * u + 1)
    fourth = np.array([1, -4, 6, -4, 1]) * 8 / 90
    return np.stack([weight - tilt + bend, weight - bend / 2, weight + tilt + bend, fourth], axis=1)
