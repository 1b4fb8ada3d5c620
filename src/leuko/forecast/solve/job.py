"""One batch of persons on one grid: the kernel's arguments, threads, and what came out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
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
from leuko.forecast.solve.rows import (
    COUNT,
    EFFECT,
    ENTRY,
    FIRST,
    FORM,
    FREE,
    KILLS,
    KTR,
    LANES,
    LINEAR,
    LN_CIRC0,
    MAP,
    MARROWS,
    MODE,
    MODES,
    PAST,
    ROLE,
)

Precision = Literal["float32", "float64"]
Device = Literal["cpu", "gpu"]
Tell = Callable[[str], None]

# The classical scheme begins after a dose with a step shorter by this: its estimate does not see what a kill many times
# the renewal does to the transits within a long one.
CAREFUL = 0.5
SUBSTEP = 0.3  # a saturable step in units of its shortest time constant
# How much of the embedded differences counts as error: of the classical scheme, of turnover, of the effect within a
# step; and for the scheme that solves the chain exactly, of its feedback and its proliferating cells.
CLASSICAL, TURNOVER, WITHIN, FEEDBACK, PROLIFERATION = 0.05, 0.03, 3.0, 0.06, 0.24
SMOOTH = 0.03  # an embedded difference of this share of the effect lies between rough and smooth
# Under a growth factor with linear medicines the classical scheme's differences fall with the third power of the step,
# its true error with the fourth: over five decades it stays below 1.6 times their power 4/3, for people up to four SD
# (`scripts/forecast_estimate.py`). What is estimated may be wrong by an eighth; the tolerance leaves more.
STEEP, STEEPNESS = 1.4, 4 / 3
LEAST = 1e-30  # a concentration that counts as none
# Of the baseline: two or three cells are left in a body, and double precision tells what is left from nothing no longer
# (in the sweep of `scripts/forecast_accuracy.py` it is 1 % off at a hundredth of this). An error that no grid mends.
GONE, HOPELESS = 1e-10, 1e30
FEW = 4  # blocks for each thread, fewer are not worth one
TOGETHER = 120.0  # hours: doses this near to one another meet the same cells
ALIGN = 64  # bytes: a line of the processor's cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Fineness:
    """How fine a grid is: its longest step [h], and by how much the first steps after a dose are shortened."""

    step: float
    shorter: float


def chain_solves(model: Model, scheme: str) -> bool:
    """Whether medicines alone act on a plain marrow, so that its chain can be solved exactly."""
    return scheme != "classical" and model.marrow == "friberg" and not model.growth and not model.dexamethasone


@dataclass(frozen=True, slots=True)
class Solved:
    """The counts (T, N), and of each person the estimated relative error, the lowest and the highest count (N,)."""

    counts: Any
    error: Floats
    lowest: Any
    highest: Any


class Crowd:
    """Persons `theta` (P, N) of one model under the same doses, as the kernel takes them; any of them can be solved."""

    def __init__(self, model: Model, theta: Floats, precision: str, scheme: str) -> None:
        persons = persons_of(model, theta, precision)
        self.people, self.precision, self.dtype = theta.shape[1], precision, np.dtype(precision)
        self.channel = np.ascontiguousarray(persons.channel, dtype=np.int64)
        self.modes, self.rows = len(persons.rate), len(persons.rows)
        self.table = np.empty((2 * self.modes + self.rows + len(persons.marrow), self.people), self.dtype)
        for row, one in enumerate(persons.table):
            self.table[row] = one
        self.stiff = tuple(persons.stiff)
        self.turnover = persons.kind == MARROWS["turnover"]
        self.plain = persons.kind == MARROWS["friberg"] and bool(np.all(self.channel[:, ROLE] == KILLS))
        self.chain = chain_solves(model, scheme)
        self.finest = tuple(_rounded(one * (1.0 if self.chain else CAREFUL)) for one in persons.finest)
        kills = self.channel[self.channel[:, ROLE] == KILLS]
        self.linear = bool(np.all((kills[:, FORM] == MODES) & (kills[:, EFFECT] == LINEAR)))
        grown = model.marrow == "friberg" and bool(model.growth) and not model.dexamethasone
        self.steep = grown and self.linear
        self.structure = structure_of(persons.kind, self.chain, self.channel)

    def fall(self, doses: tuple[Arrival, ...]) -> Floats | None:
        """By how many natural logarithms the doses of a few days would thin out the proliferating cells (N,) if nothing
        else did: the transit rate times the integral of the kill. None where an effect is not linear or more acts."""
        if not (self.chain and self.linear):
            return None
        rate, amplitude = self.table[: self.modes], self.table[self.modes : 2 * self.modes]
        total = np.zeros(self.people)
        for k, row in enumerate(self.channel):
            given = _most([(dose.hour, dose.amount) for dose in doses if dose.channel == k], TOGETHER)
            modes = slice(int(row[FIRST]), int(row[FIRST] + row[COUNT]))
            total += given * np.sum(amplitude[modes] / rate[modes] * -np.expm1(-TOGETHER * rate[modes]), axis=0)
        return np.asarray(total * self.table[2 * self.modes + self.rows + (KTR - LN_CIRC0) // LANES], dtype=np.float64)

    def course(self, doses: tuple[Arrival, ...], hours: bytes, start: float, fine: Fineness) -> Course:
        """The grid for these doses and hours; few are made anew."""
        return _course(doses, hours, start, self.finest, self.stiff, fine, self.precision, self.chain)

    def solve(self, who: Any, course: Course, threads: int, tell: Tell | None, device: Device = "cpu") -> Solved:
        """Solves the persons `who` (their columns); the estimated error is infinite where a count is not one."""
        people = len(who)
        full = people + -people % LANES
        table = self.table
        if full != self.people or people != self.people:
            table = self.table.take(np.concatenate([who, who[-1:].repeat(full - people)]), axis=1)
        out = np.empty((course.hours, full), dtype=self.dtype)
        error = np.empty(full, dtype=self.dtype)
        if device == "gpu":
            launch = self.launch(course, table)
            launch.run()
            launch.fetch(out, error)
        else:
            self._shared(course, table, out, error, threads, tell)
        estimate = self.estimated(error[:people])
        found = out[:, :people]
        lowest, highest = found.min(axis=0, initial=np.inf), found.max(axis=0, initial=0.0)
        sound = (lowest >= 0) & (highest < np.inf) & np.isfinite(estimate)  # a count that is not a number fails both
        estimate[~sound] = np.inf
        return Solved(found, estimate, lowest, highest)

    def estimated(self, differences: Any) -> Floats:
        """What is estimated to be wrong (N,), of the embedded differences that the kernel gives."""
        found = np.asarray(differences, dtype=np.float64)
        return STEEP * found**STEEPNESS if self.steep else found

    def launch(self, course: Course, table: Any) -> Any:
        """The march of all columns of a table (a multiple of LANES) on the graphics processor, made ready."""
        from leuko.forecast.solve.gpu import Launch  # noqa: PLC0415 (loads the compiler)

        return Launch(
            self.structure, table, course.arrays, _settings(self.precision, self.turnover).arrays, self.channel,
            {"modes": self.modes, "rows": self.rows, "room": self._room(course), "maps": self._maps(course)},
            self.plain,
        )  # fmt: skip

    def _room(self, course: Course) -> int:
        """Numbers of the workspace of a block."""
        return FREE + MODE * self.modes + ENTRY * self.modes * course.lengths + (course.steps + PAST + 1) * LANES

    def _maps(self, course: Course) -> int:
        return MAP * course.lengths if self.chain else 0

    def _shared(self, course: Course, table: Any, out: Any, error: Any, threads: int, tell: Tell | None) -> None:
        """The march of all columns of a table, blocks shared out among threads of the processor."""
        from leuko.forecast.solve.native import loaded  # noqa: PLC0415 (loads LLVM)

        kernel = loaded(self.structure, self.precision, tell)
        blocks = table.shape[1] // LANES
        threads = max(1, min(threads, blocks // FEW))
        edges = [blocks * k // threads * LANES for k in range(threads + 1)]

        def part(k: int) -> None:
            self._march(kernel, course, table, out, error, edges[k], edges[k + 1])

        if threads == 1:
            part(0)
        else:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 (loaded where it pays)

            with ThreadPoolExecutor(threads) as crew:
                list(crew.map(part, range(threads)))

    def _march(
        self, kernel: Callable[[int, int], None], course: Course, table: Any, out: Any, error: Any, low: int, high: int
    ) -> None:
        """One call of the kernel, with room of its own to work in."""
        sizes, addresses, _room = self.asked(course, table, out, error, low, high)
        kernel(_address(sizes), _address(addresses))

    def asked(self, course: Course, table: Any, out: Any, error: Any, low: int, high: int) -> tuple[Any, Any, Any]:
        """What a call of the kernel is given: sizes and addresses in the order that `emit` reads them, and the room
        that it works in, which has to be there as long as it does."""
        modes, rows, channels, steps, lengths = self.modes, self.rows, len(self.channel), course.steps, course.lengths
        room, maps = self._room(course), self._maps(course)
        real = self.dtype.itemsize
        work = np.empty((room + maps + channels) * real + (channels + 2 * modes) * 8 + ALIGN, dtype=np.uint8)
        begin = -(-_address(work) // ALIGN) * ALIGN
        # the workspace first: vectors that begin on a line of the cache are read at once
        ends = np.cumsum([0, room * real, maps * real, channels * 8, modes * 8, modes * 8]) + begin
        wide, at = table.shape[1] * real, _address(table)
        settings = _settings(self.precision, self.turnover)
        sizes = np.array(
            [self.plain, low, high, table.shape[1], course.hours, lengths, steps, course.events, channels,
             modes, rows, room, maps], dtype=np.int64,
        )  # fmt: skip
        addresses = np.array(
            [*course.addresses[:8], _address(self.channel), at, at + modes * wide, at + 2 * modes * wide,
             at + (2 * modes + rows) * wide, *settings.addresses[:2], _address(out), _address(error),
             settings.addresses[2], *course.addresses[8:], begin, ends[1], ends[5], ends[2], ends[3], ends[4]],
            dtype=np.uint64,
        )  # fmt: skip
        return sizes, addresses, work


class Again:
    """Up to LANES persons of a crowd on one grid, solved again and again with other parameters: nothing is made anew
    but their table."""

    def __init__(self, crowd: Crowd, course: Course, tell: Tell | None) -> None:
        from leuko.forecast.solve.native import loaded  # noqa: PLC0415 (loads LLVM)

        self.table = np.ones((len(crowd.table), LANES), crowd.dtype)
        self.counts, self.error = np.empty((course.hours, LANES), crowd.dtype), np.empty(LANES, crowd.dtype)
        self._held = crowd, course, crowd.asked(course, self.table, self.counts, self.error, 0, LANES)
        self._addresses = tuple(_address(one) for one in self._held[2][:2])
        self._kernel = loaded(crowd.structure, crowd.precision, tell)

    def solve(self, model: Model, theta: Floats) -> Solved:
        """Of `theta` (P, N), N at most LANES; what it gives is overwritten by the next call."""
        return self._solved(persons_of(model, theta, self._held[0].precision, grids=False).table, theta.shape[1])

    def first(self) -> Solved:
        """Of the crowd itself."""
        return self._solved(self._held[0].table, self._held[0].people)

    def _solved(self, table: Iterable[Any], people: int) -> Solved:
        for row, one in enumerate(table):
            self.table[row, :people] = one
        self.table[:, people:] = self.table[:, :1]
        self._kernel(*self._addresses)
        counts, error = self.counts[:, :people], self._held[0].estimated(self.error[:people].astype(np.float64))
        return Solved(counts, error, counts.min(axis=0, initial=np.inf), counts.max(axis=0, initial=0.0))


def _most(given: list[tuple[float, float]], hours: float) -> float:
    """The largest amount that is given within so many hours."""
    most = total = 0.0
    first = 0
    given = sorted(given)
    for hour, amount in given:
        total += amount
        while given[first][0] <= hour - hours:
            total -= given[first][1]
            first += 1
        most = max(most, total)
    return most


def structure_of(kind: int, chain: bool, channel: Any) -> str:
    """What the kernel is compiled for: the marrow and its scheme, whether an effect is followed within steps, and each
    saturable form."""
    marrow = next(name for name, number in MARROWS.items() if number == kind)
    scheme = f"-{'exact' if chain else 'classical'}" if marrow == "friberg" else ""
    closed = (channel[:, FORM] == MODES) & (channel[:, EFFECT] == LINEAR)
    forms = {int(form) for form in channel[:, FORM]}
    curved = [] if np.all(closed) else ["curved"]
    return "+".join([f"{marrow}{scheme}", *curved, *(name for name, form in SATURABLE_FORMS.items() if form in forms)])


class _Held:
    """Arrays that stay where they are, and their addresses."""

    def __init__(self, *arrays: Any) -> None:
        self.arrays = arrays
        self.addresses = tuple(_address(one) for one in arrays)


class Course(_Held):
    """A grid as the kernel takes it."""

    def __init__(self, grid: Grid, stiff: tuple[float, ...], precision: str, chain: bool) -> None:
        lengths, length = np.unique(grid.steps.astype(precision), return_inverse=True)
        many = np.maximum(1, np.ceil(grid.steps[:, None] / 4 * np.array(stiff)[None, :] / SUBSTEP))
        past, cubic = plan(grid.steps) if chain else (np.zeros(0), np.zeros(0))
        self.hours, self.lengths, self.steps, self.events = (
            len(one) for one in (grid.out_step, lengths, grid.steps, grid.amount)
        )
        super().__init__(
            lengths,
            _as(length, np.int64),
            _as(grid.first, np.int64),
            _as(np.stack([grid.channel, grid.kind], axis=1), np.int64),
            _as(grid.amount, precision),
            _as(grid.out_step, np.int64),
            _as(grid.out_at, precision),
            _as(many, np.int64),
            _as(past, np.int64),
            _as(cubic, precision),
        )


@lru_cache(maxsize=256)
def _course(
    doses: tuple[Arrival, ...], hours: bytes, start: float, finest: tuple[float, ...], stiff: tuple[float, ...],
    fine: Fineness, precision: str, chain: bool,
) -> Course:  # fmt: skip
    grid = build(list(doses), np.frombuffer(hours), start, np.array(finest) / fine.shorter, fine.step, fine.shorter)
    return Course(grid, stiff, precision, chain)


@lru_cache(maxsize=4)
def _settings(precision: str, turnover: bool) -> _Held:
    """What does not depend on persons or doses."""
    constants = [0.0, 1.0, 1 / 2, 1 / 6, 1 / 3, CLASSICAL, LEAST, TURNOVER, WITHIN]
    constants += [5 / 24, 1 / 24, 2 / 3, 1 / 8, FEEDBACK, PROLIFERATION, SMOOTH, GONE, HOPELESS]
    return _Held(_as(_shares(turnover), precision), np.array(constants, dtype=precision), _as(rule(), precision))


def _address(array: Any) -> int:
    return int(array.ctypes.data)


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
    and the end (Boole's rule for the moments against Legendre's polynomials); to the fourth difference; and to how far
    the value at a quarter lies beside the parabola. `through`: the parabola through start, middle and end instead
    (where the count follows the effect at once)."""
    u = np.linspace(0, 1, 5)
    weight = np.array([7, 32, 12, 32, 7]) / 90
    tilt, bend = 3 * weight * (2 * u - 1), 5 * weight * (6 * u * u - 6 * u + 1)
    fourth = np.array([1, -4, 6, -4, 1]) * 8 / 90
    if through:
        beside = np.array([-0.375, 1.0, -0.75, 0.0, 0.125])
        return np.stack([u == 0, u == 1 / 2, u == 1, fourth, beside], axis=1).astype(np.float64)
    return np.stack([weight - tilt + bend, weight - bend / 2, weight + tilt + bend, fourth, np.zeros(5)], axis=1)
