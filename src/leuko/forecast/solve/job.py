"""One batch of persons on one grid: the kernel's arguments, threads, and what came out."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from leuko.forecast.model import Floats, Model
from leuko.forecast.solve.grid import Grid, build
from leuko.forecast.solve.nodes import plan, rule
from leuko.forecast.solve.persons import FORMS as SATURABLE_FORMS
from leuko.forecast.solve.persons import persons_of
from leuko.forecast.solve.reading import Arrival
from leuko.forecast.solve.rows import ENTRY, FORM, FREE, KILLS, LANES, MAP, MARROWS, MODE, PAST, ROLE

Precision = Literal["float32", "float64"]
Tell = Callable[[str], None]

SUBSTEP = 0.3  # a saturable step in units of its shortest time constant
# How much of the embedded differences counts as error: of the classical scheme, of turnover, of the effect within a
# step; and for the scheme that solves the chain exactly, of its feedback and its proliferating cells.
CLASSICAL, TURNOVER, WITHIN, FEEDBACK, PROLIFERATION = 0.05, 0.03, 1.0, 0.06, 0.24
SMOOTH = 0.03  # an embedded difference of this share of the effect lies between rough and smooth
LEAST = 1e-30  # a concentration that counts as none
FEW = 4  # blocks for each thread, fewer are not worth one
_NO_NODES = np.zeros(0)  # where nothing is extrapolated


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
        from leuko.forecast.solve.native import loaded  # noqa: PLC0415 (loads LLVM)

        full = self.persons.people
        out = np.empty((len(self.hours), full), dtype=self.dtype)
        error = np.empty(full, dtype=self.dtype)
        kernel = loaded(self._structure(), self.dtype.name, tell)
        call = self._call(out, error)
        blocks = full // LANES
        threads = max(1, min(threads, blocks // FEW))
        edges = [blocks * k // threads * LANES for k in range(threads + 1)]
        if threads == 1:
            call.run(kernel, 0, full)
        else:
            with ThreadPoolExecutor(threads) as crew:
                list(crew.map(lambda k: call.run(kernel, edges[k], edges[k + 1]), range(threads)))
        estimate = error[: self.people].astype(np.float64)
        found = out[:, : self.people]
        lowest, highest = found.min(axis=0, initial=np.inf), found.max(axis=0, initial=0.0)
        sound = (lowest >= 0) & (highest < np.inf) & np.isfinite(estimate)  # a count that is not a number fails both
        estimate[~sound] = np.inf
        return Solved(found, estimate, lowest, highest)

    def _structure(self) -> str:
        """What the kernel is compiled for: the marrow, and each saturable form in it."""
        kind = next(name for name, number in MARROWS.items() if number == self.persons.kind)
        there = {int(form) for form in self.persons.channel[:, FORM]}
        return "+".join([kind, *(name for name, form in SATURABLE_FORMS.items() if form in there)])

    def _call(self, out: Any, error: Any) -> _Call:
        """Everything that the kernel takes, in the order that `emit` reads it."""
        persons, grid = self.persons, self.grid
        constants = [0.0, 1.0, 1 / 2, 1 / 6, 1 / 3, CLASSICAL, LEAST, TURNOVER, WITHIN]
        constants += [5 / 24, 1 / 24, 2 / 3, 1 / 8, FEEDBACK, PROLIFERATION, SMOOTH]
        stiff = np.array(persons.stiff)
        many = np.maximum(1, np.ceil(grid.steps[:, None] / 4 * stiff[None, :] / SUBSTEP)).astype(np.int64)
        past, cubic = _plan(grid.steps.tobytes()) if self.chain else (_NO_NODES, _NO_NODES)
        real, whole, steps, modes = self.dtype, np.dtype(np.int64), len(grid.steps), len(persons.rate)
        arrays = [
            _as(self.lengths, real),
            _as(self.length, whole),
            _as(grid.first, whole),
            _as(np.stack([grid.channel, grid.kind], axis=1), whole),
            _as(grid.amount, real),
            _as(grid.out_step, whole),
            _as(grid.out_at, real),
            many,
            _as(persons.channel, whole),
            *(self._table(one) for one in (persons.rate, persons.amplitude, persons.rows, persons.marrow)),
            _as(_shares(persons.kind == MARROWS["turnover"]), real),
            np.array(constants, dtype=real),
            out,
            error,
            _as(rule(), real),
            _as(past, whole),
            _as(cubic, real),
        ]
        sizes = [int(self.plain), int(self.chain), 0, 0, persons.people, len(self.hours), len(self.lengths), steps]
        sizes += [len(grid.amount), len(persons.channel), modes, len(persons.rows)]
        room = FREE + MODE * modes + ENTRY * modes * len(self.lengths) + (steps + PAST + 1) * LANES
        return _Call(sizes, arrays, (room, MAP * len(self.lengths) if self.chain else 0))

    def _table(self, found: list[Floats]) -> Any:
        table = np.zeros((len(found), self.persons.people), self.dtype)
        for row, one in enumerate(found):
            table[row] = one
        return table


class _Call:
    """The sizes and the arrays of one call of the kernel; each run of it gets room of its own to work in."""

    def __init__(self, sizes: list[int], arrays: list[Any], room: tuple[int, int]) -> None:
        self.sizes, self.arrays, self.room = sizes, arrays, room
        self.at = [_address(one) for one in arrays]

    def run(self, kernel: Callable[[int, int], None], low: int, high: int) -> None:
        """Carries the persons low..high through all steps."""
        channels, modes, real = self.sizes[9], self.sizes[10], self.arrays[0].dtype
        work = [np.empty(size, real) for size in (*self.room, channels)] + [np.empty(n) for n in (channels, modes)]
        sizes = np.array([*self.sizes[:2], low, high, *self.sizes[4:], *self.room], dtype=np.int64)
        addresses = np.array([*self.at, *map(_address, work)], dtype=np.uint64)
        kernel(_address(sizes), _address(addresses))


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def _as(array: Any, kind: Any) -> Any:
    return np.ascontiguousarray(array, dtype=kind)


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
