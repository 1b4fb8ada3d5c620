"""One batch of persons on one grid: the kernel's arguments, threads, and what came out."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from threading import Timer
from typing import Any, Literal

import numpy as np

from leuko.forecast.model import Floats, Model
from leuko.forecast.solve.grid import Grid, build
from leuko.forecast.solve.persons import Persons, persons_of
from leuko.forecast.solve.reading import Arrival
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
Tell = Callable[[str], None]

SUBSTEP = 0.3  # a saturable step in units of its shortest time constant
# How much of the embedded differences counts as error: of the classical scheme, of turnover, of the effect within a
# step; and for the scheme that solves the chain exactly, of its feedback and its proliferating cells.
CLASSICAL, TURNOVER, WITHIN, FEEDBACK, PROLIFERATION = 0.05, 0.03, 1.0, 0.06, 0.24
SMOOTH = 0.03  # an embedded difference of this share of the effect lies between rough and smooth
LEAST = 1e-30  # a concentration that counts as none
FEW = 4  # blocks for each thread, fewer are not worth one
SLOW = 0.7  # seconds after which the wait for the compiler is told
COMPILING = "Compiling the solver for this kind of model (once; it is kept) …"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fineness:
    """How fine a grid is: its longest step [h], and by how much the first steps after a dose are shortened."""

    step: float
    shorter: float


def chain_solves(model: Model, scheme: str) -> bool:
    """Whether medicines alone act on a plain marrow, so that its chain can be solved exactly."""
    return scheme != "classical" and model.marrow == "friberg" and not model.growth and not model.dexamethasone


@lru_cache(maxsize=256)
def _grid(
    doses: tuple[Arrival, ...], hours: bytes, start: float, finest: tuple[float, ...], fine: Fineness, precision: str
) -> tuple[Grid, Any, Any]:
    """A grid, and the lengths of step in it with the one that each step has."""
    grid = build(list(doses), np.frombuffer(hours), start, np.array(finest) / fine.shorter, fine.step, fine.shorter)
    lengths, length = np.unique(grid.steps.astype(precision), return_inverse=True)
    return grid, lengths, length.astype(np.int64)


@lru_cache(maxsize=256)
def _plan(steps: bytes) -> Any:
    from leuko.forecast.solve.chain import plan  # noqa: PLC0415 (loads Numba)

    return plan(np.frombuffer(steps))


@dataclass(frozen=True, slots=True)
class Solved:
    """The counts (T, N), and of each person the estimated relative error, the lowest and the highest count (N,)."""

    counts: Any
    error: Floats
    lowest: Any
    highest: Any


class Job:
    """Persons `theta` (P, N) of one model, their doses, and a grid."""

    def __init__(
        self, model: Model, theta: Floats, doses: tuple[Arrival, ...], hours: Floats, start: float, fine: Fineness,
        precision: str, scheme: str,
    ) -> None:  # fmt: skip
        self.people = theta.shape[1]
        short = -self.people % LANES
        wide = np.concatenate([theta, np.repeat(theta[:, -1:], short, axis=1)], axis=1) if short else theta
        self.persons = persons_of(model, wide, precision)
        finest = tuple(_rounded(one) for one in self.persons.finest)
        self.grid, self.lengths, self.length = _grid(doses, hours.tobytes(), start, finest, fine, precision)
        self.dtype, self.hours = np.dtype(precision), hours
        self.plain = self.persons.kind == MARROWS["friberg"] and bool(np.all(self.persons.channel[:, ROLE] == KILLS))
        self.chain = chain_solves(model, scheme)

    def run(self, threads: int, tell: Tell | None) -> Solved:
        """Solves everybody; the estimated error is infinite where a count is not one."""
        from leuko.forecast.solve.kernel import march_block  # noqa: PLC0415 (loads Numba)

        full = self.persons.people
        out = np.empty((len(self.hours), full), dtype=self.dtype)
        error = np.empty(full, dtype=self.dtype)
        arguments, parts = (*self._arguments(self.persons, self.grid), out, error), self._parts()
        blocks = full // LANES
        threads = max(1, min(threads, blocks // FEW))
        edges = [blocks * k // threads * LANES for k in range(threads + 1)]
        waiting = Timer(SLOW, tell, [COMPILING]) if tell and not march_block.signatures else None
        if waiting:
            waiting.start()
        try:
            if threads == 1:
                march_block(*arguments, 0, full, *parts)
            else:
                with ThreadPoolExecutor(threads) as crew:
                    list(crew.map(lambda k: march_block(*arguments, edges[k], edges[k + 1], *parts), range(threads)))
        finally:
            if waiting:
                waiting.cancel()
        estimate = error[: self.people].astype(np.float64)
        found = out[:, : self.people]
        lowest, highest = found.min(axis=0, initial=np.inf), found.max(axis=0, initial=0.0)
        sound = (lowest >= 0) & (highest < np.inf) & np.isfinite(estimate)  # a count that is not a number fails both
        estimate[~sound] = np.inf
        return Solved(found, estimate, lowest, highest)

    def _parts(self) -> tuple[Any, ...]:
        """The structure, as the kernel is compiled for it: 1 for a part that is there, else None; and the chain's."""
        channel = self.persons.channel
        curved = (channel[:, FORM] != MODES) | (channel[:, EFFECT] != LINEAR)
        there = [*(self.persons.kind == kind for kind in range(3)), bool(np.any(curved))]
        there += [bool(np.any(channel[:, FORM] == form)) for form in range(PACLITAXEL, SATURABLE_THIOPURINE + 1)]
        there[0] = there[0] and not self.chain
        parts = tuple(1 if one else None for one in there)
        if not self.chain:
            return *parts, None, None, None, None
        from leuko.forecast.solve.chain import rule  # noqa: PLC0415 (loads Numba)

        past, cubic = _plan(self.grid.steps.tobytes())
        return *parts, 1, rule().astype(self.dtype), past, cubic.astype(self.dtype)

    def _arguments(self, persons: Persons, grid: Grid) -> tuple[Any, ...]:
        constants = [0.0, 1.0, 1 / 2, 1 / 6, 1 / 3, CLASSICAL, LEAST, TURNOVER, WITHIN]
        constants += [5 / 24, 1 / 24, 2 / 3, 1 / 8, FEEDBACK, PROLIFERATION, SMOOTH]
        stiff = np.array(persons.stiff)
        many = np.maximum(1, np.ceil(grid.steps[:, None] / 4 * stiff[None, :] / SUBSTEP)).astype(np.int64)
        return (
            self.plain,
            self.lengths,
            self.length,
            grid.first,
            np.stack([grid.channel, grid.kind], axis=1),
            grid.amount.astype(self.dtype),
            grid.out_step,
            grid.out_at.astype(self.dtype),
            many,
            persons.channel,
            *(self._table(one) for one in (persons.rate, persons.amplitude, persons.rows, persons.marrow)),
            _shares(self.persons.kind == MARROWS["turnover"]).astype(self.dtype),
            np.array(constants, dtype=self.dtype),
        )

    def _table(self, found: list[Floats]) -> Any:
        table = np.zeros((len(found), self.persons.people), self.dtype)
        for row, one in enumerate(found):
            table[row] = one
        return table


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _rounded(hours: float) -> float:
    """To a power of the square root of two, so that batches that differ a little share a grid."""
    return float(2.0 ** (np.round(2 * np.log2(hours)) / 2))


def _shares(through: bool) -> Floats:
    """What each of five even nodes of a step gives to the parabola nearest to all: its value at the start, the middle
    and the end (Boole's rule for the moments against Legendre's polynomials); and the fourth difference. `through`:
    the parabola through start, middle and end instead (where the count follows the effect at once)."""
    u = np.linspace(0, 1, 5)
    weight = np.array([7, 32, 12, 32, 7]) / 90
    tilt, bend = 3 * weight * (2 * u - 1), 5 * weight * (6 * u * u - 6 * u + 1)
    fourth = np.array([1, -4, 6, -4, 1]) * 8 / 90
    if through:
        return np.stack([u == 0, u == 1 / 2, u == 1, fourth], axis=1).astype(np.float64)
    return np.stack([weight - tilt + bend, weight - bend / 2, weight + tilt + bend, fourth], axis=1)
