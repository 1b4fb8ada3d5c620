"""Many persons at once: each on a grid as fine as its marrow asks for, finer where the estimated error is too large.

Grids come in classes, half an octave apart. A person begins in the class that its transit rate suggests; whoever's
estimate is over the tolerance goes to the class that the estimate suggests. Counts that fall very low or swing far are
solved in double precision, whatever was asked for: rounding would tell there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leuko.errors import UsageError
from leuko.forecast.model import Floats, Model, Run, Schedule
from leuko.forecast.solve.job import HOPELESS, Crowd, Device, Fineness, Precision, Solved, Tell, chain_solves, cores
from leuko.forecast.solve.reading import Arrival, arrivals, beginning, values
from leuko.forecast.solve.rows import LANES
from leuko.frozen import Frozen

TOLERANCE = 7e-4  # of the estimated relative error of a count; the promise is 1e-3
SCHEME = "exact chain"  # where it can be; "classical": Runge-Kutta everywhere
LONGEST = 24.0  # hours, the step of class 0
FINEST = 18  # the last class: steps of 24 h / 2^9
# A first step in units of the transit time: of the exact chain, of the classical scheme, of it under a growth factor.
CHAIN_REACH, CLASSICAL_REACH, GROWTH_REACH = 0.5, 0.25, 0.125
TURNOVER_CLASS = 8  # steps of 1.5 h
# The error of a class grows with how far the doses thin out the proliferating cells (in natural logarithms, see
# `Crowd.fall`): one class finer beyond each of these, begun so many classes coarser. Found by solving 6,000 draws of
# the docetaxel of bench/forecast_simulation.py in every class: nine of ten are then below the tolerance at once.
FALLS, COARSER = np.array([3.0, 5.0, 8.0, 11.0, 14.0, 18.0, 26.0]), 2
ORDER = 4.0  # the estimate falls with this power of the step
LOW = 2e-3  # of the baseline: below this share a smaller estimate is asked for, in proportion
STRICT, STRICT_CURVED = 0.3, 0.05  # down to so much of the tolerance; the latter where an effect is not linear
STRICT_TURNOVER = 0.2  # of the tolerance, for a count that follows the effect at once
STRICT_INFLUX = 0.3  # of it, where an influx carries counts far above what the marrow feels later
DELICATE, DELICATE_CURVED = 1e-5, 2e-3  # below this share rounding tells: double precision
DOUBLE = 11  # so does it over the many steps of this class
PRECISIONS: tuple[Precision, ...] = ("float32", "float64")
ROUNDS = 8  # of solving again
LOST = 2  # classes finer, for whom a grid made for heavy doses leaves without a cell
PART = 5_120  # persons at most that go through their rounds together
WIDE_PART = 250_000_000  # counts at most that a graphics processor holds together
RUN = 2_000.0  # steps of a block of persons: what a grid of its own costs besides

Indices = NDArray[np.int64]


def simulate(
    model: Model,
    theta: Floats,
    schedule: Schedule,
    *,
    hours: Floats,
    precision: Precision = "float32",
    threads: int | None = None,
    start: float | None = None,
    tell: Tell | None = None,
    device: Device = "cpu",
) -> Run:
    """The counts [10*9/L] of many persons at `hours` (T,) from the origin.

    `theta` (P, N) has a row for each of `model.names` and a column for each person. Everybody begins at the drug-free
    steady state at `start`, by default the earlier of the origin and the first dose. Doses before the origin count.
    Relative errors stay below 1e-3: whoever's estimate is over 7e-4 is solved again on finer grids; `failed` marks
    those for whom none sufficed, whose marrow loses its last cells (a count below 1e-10 of its baseline), or whose
    parameters are not finite. `threads` defaults to all processors; `tell` is given a line where a compilation makes
    one wait. `device` "gpu" carries the persons through their grids on a graphics processor; the numbers differ from
    those of the processor in their last digits. Raises ValueError for what cannot be read: a medicine that the model
    does not know, a dose without a time; UsageError where there is no such device.
    """
    theta = np.asarray(theta, dtype=np.float64)
    hours = np.asarray(hours, dtype=np.float64)
    _check(model, theta, hours)
    if device == "gpu":
        _ask_device()
    order = np.argsort(hours, kind="stable")
    crew = _Crew(1 if device == "gpu" else threads or cores(), device, tell)
    batch = _Batch(model, theta, hours[order], beginning(schedule, start), precision, crew)
    sound = np.flatnonzero(np.all(np.isfinite(theta), axis=0) & (theta[model.at("circ0")] > 0))
    # a person whose numbers leave the range of the type is one whose error is infinite: solved again, else failed
    with np.errstate(over="ignore"):
        for who, doses in _by_arrival(model, theta, schedule, sound):
            batch.solve(who, doses)
    if len(sound) < theta.shape[1]:
        batch.counts[:, ~_among(sound, theta.shape[1])] = np.nan
    counts = batch.counts
    if np.any(np.diff(order) < 0):
        counts = np.empty_like(batch.counts)
        counts[order] = batch.counts
    failed = ~(batch.error <= TOLERANCE)
    return Run(hour=hours, counts=counts, error=batch.error, rerun=batch.rerun, failed=failed)


def _check(model: Model, theta: Floats, hours: Floats) -> None:
    if theta.ndim != 2 or theta.shape[0] != len(model.names):
        raise ValueError(
            f"theta has the shape {theta.shape}; the model {model.id!r} has {len(model.names)} parameters."
        )
    if hours.ndim != 1 or not np.all(np.isfinite(hours)):
        raise ValueError("The hours at which counts are asked for must be numbers in one row.")


def _among(who: Indices, people: int) -> NDArray[np.bool_]:
    found = np.zeros(people, dtype=np.bool_)
    found[who] = True
    return found


def _ask_device() -> None:
    from leuko.forecast.solve.gpu import why_not  # noqa: PLC0415 (loads the compiler)

    if why := why_not():
        raise UsageError("the persons cannot be simulated on a graphics processor", why=why, do="use the processor")


def _by_arrival(
    model: Model, theta: Floats, schedule: Schedule, who: Indices
) -> list[tuple[Indices, tuple[Arrival, ...]]]:
    """Persons whose doses arrive at the same hours, and those doses: a lag may differ from person to person."""
    late = [part.drug for part in model.drugs if f"{part.drug}.lag" in model.names]
    if not late or not len(who):
        return [(who, tuple(arrivals(model, schedule, lambda _drug: 0.0)))] if len(who) else []
    at = values(model, theta[:, who])
    lags, of = np.unique(np.stack([at(f"{drug}.lag") for drug in late]), axis=1, return_inverse=True)
    found = []
    for group in range(lags.shape[1]):
        lag = dict(zip(late, lags[:, group].tolist(), strict=True))
        doses = arrivals(model, schedule, lambda drug, lag=lag: lag.get(drug, 0.0))  # type: ignore[misc]
        found.append((who[np.ravel(of) == group], tuple(doses)))
    return found


class _Crew(Frozen, frozen=True):
    """Who does the work."""

    threads: int
    device: Device
    tell: Tell | None


@dataclass(slots=True)
class _Todo:
    """Persons (by their column) to be solved in one class of grid, `again` classes beyond the one that they began in,
    with first steps after a dose that are shorter by `finer` classes."""

    who: Indices
    grade: int
    finer: int
    precision: Precision
    again: int = 0


class _Batch:
    """The persons of one call, and what is known of them so far."""

    def __init__(
        self,
        model: Model,
        theta: Floats,
        hours: Floats,
        start: float,
        precision: Precision,
        crew: _Crew,
    ) -> None:
        self.model, self.theta, self.hours, self.start = model, theta, hours, start
        self.precision, self.crew = precision, crew
        self.asked = hours.tobytes()
        self.span = max(float(hours.max(initial=start)) - start, LONGEST)
        self.counts = np.empty((len(hours), theta.shape[1]), dtype=precision)
        self.error = np.full(theta.shape[1], np.inf)
        self.rerun = 0
        self.delicate = strictness(model)[1]

    def solve(self, who: Indices, doses: tuple[Arrival, ...]) -> None:
        """Solves persons whose doses arrive together; many in parts, so that each thread has some of its own, then
        round by round whoever is not good, of all parts together, until each is or no finer grid is left.

        Neither parts nor rounds depend on the threads, so nor does what comes out.
        """
        size = PART if self.crew.device == "cpu" else max(PART, WIDE_PART // max(len(self.hours), 1))
        poor = self._each(partial(self._first, doses), np.array_split(who, -(-len(who) // size)))
        self.rerun += sum(len(one.who) for one in poor)
        for _ in range(ROUNDS - 1):
            if not poor:
                return
            todo = sorted(_together(poor, self._price), key=lambda one: -self._price(len(one.who), one.grade))
            poor = self._each(partial(self._once_more, doses), todo)

    def _each(self, work: Callable[[Any, int], list[_Todo]], pieces: list[Any]) -> list[_Todo]:
        """Pieces of work shared out among the threads, the largest first; who has to be solved again, in order."""
        crew = min(self.crew.threads, len(pieces))
        share = self.crew.threads // crew
        if crew == 1:
            return [one for piece in pieces for one in work(piece, share)]
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 (loaded where it pays)

        with ThreadPoolExecutor(crew) as pool:
            return [one for found in pool.map(work, pieces, [share] * len(pieces)) for one in found]

    def _first(self, doses: tuple[Arrival, ...], who: Indices, threads: int) -> list[_Todo]:
        """Each in the class that its transit rate suggests."""
        theta = self._of(who)
        crowd = Crowd(self.model, theta, self.precision, SCHEME)
        poor: list[_Todo] = []
        begun = grades_of(self.model, theta)
        grades = shifted(begun, crowd.fall(doses))
        for picked, grade in _grouped(grades, self._price):
            finer = max(0, -(-int(np.max(grades[picked] - begun[picked])) // 2))
            one = _Todo(who[picked], grade, finer, self.precision)
            poor += self._run(one, crowd, picked, doses, threads)
        return poor

    def _once_more(self, doses: tuple[Arrival, ...], one: _Todo, threads: int) -> list[_Todo]:
        """Who is solved again may need other first steps, and another precision."""
        crowd = Crowd(self.model, self._of(one.who), one.precision, SCHEME)
        return self._run(one, crowd, np.arange(len(one.who)), doses, threads)

    def _of(self, who: Indices) -> Floats:
        """The parameters of some; of all without a copy."""
        return self.theta if len(who) == self.theta.shape[1] else self.theta.take(who, axis=1)

    def _run(self, one: _Todo, crowd: Crowd, picked: Indices, doses: tuple[Arrival, ...], threads: int) -> list[_Todo]:
        """Solves the columns `picked` of a crowd, who are those of `one`, on their grid; who of them is not good."""
        fine = Fineness(step=LONGEST * 2 ** (-one.grade / 2), shorter=2 ** (one.finer / 2))
        course = crowd.course(doses, self.asked, self.start, fine)
        solved = crowd.solve(picked, course, threads, self.crew.tell, self.crew.device)
        self.counts[:, one.who], self.error[one.who] = solved.counts, solved.error
        return self._again(one, solved)

    def _price(self, people: int, grade: int) -> float:
        """What it costs to solve so many on a grid of their own: steps of a block, the last one full or not."""
        return RUN + -(-people // LANES) * self.span / LONGEST * 2 ** (grade / 2)

    def _again(self, one: _Todo, solved: Solved) -> list[_Todo]:
        """Who has to be solved again, and in which class."""
        circ0, error = self.theta[self.model.at("circ0"), one.who], solved.error
        lowest, highest = solved.lowest / circ0, solved.highest / circ0
        asked = asked_of(self.model, lowest)
        poor = ~(error <= asked)
        if one.again > 0:  # a coarse grid may have made it so; a finer one says it again
            poor &= ~((error >= HOPELESS) & (error < np.inf))
        todo: list[_Todo] = []
        rough = (lowest < self.delicate) | (highest > 1 / LOW) if one.precision == "float32" else poor
        if np.any(rough & ~poor):
            todo.append(_Todo(one.who[rough & ~poor], one.grade, one.finer, "float64", one.again))
        if not np.any(poor) or min(one.grade, one.finer) >= FINEST:
            return todo
        over = np.where(np.isfinite(error[poor]), error[poor] / asked[poor], 2.0**ORDER)
        steps = np.clip(np.ceil(2 * np.log2(1.2 * over) / ORDER), 1, 6).astype(np.int64)
        if one.finer:  # begun on a fine grid: one that is not much finer tells whether cells are left
            steps = np.where(error[poor] >= HOPELESS, np.minimum(steps, LOST), steps)
        double = rough[poor]  # a precision that no finer grid gives
        for more in np.flatnonzero(np.bincount(steps)).tolist():
            for precision, which in zip(PRECISIONS, (~double, double), strict=True):
                some = one.who[poor][(steps == more) & which]
                if len(some):
                    todo.append(
                        _Todo(some, min(one.grade + more, FINEST), one.finer + more, precision, one.again + more)
                    )
        return todo


def grades_of(model: Model, theta: Floats, who: Indices | slice = slice(None)) -> NDArray[np.int64]:
    """The class that each person begins in."""
    if model.marrow == "turnover":
        return np.full(theta[0, who].size, TURNOVER_CLASS)
    ktr = (model.transits + 1) / theta[model.at("mtt"), who]
    beside = GROWTH_REACH if model.growth else CLASSICAL_REACH
    reach = CHAIN_REACH if chain_solves(model, SCHEME) else beside
    grade = np.ceil(2 * np.log2(np.maximum(LONGEST * ktr / reach, 1.0)))
    return np.asarray(np.minimum(grade, FINEST - 4), dtype=np.int64)


def shifted(grades: Indices, fall: Floats | None) -> Indices:
    """Classes coarser where the doses do little to the marrow, finer where they nearly empty it."""
    if fall is None:
        return grades
    return np.asarray(np.clip(grades + np.searchsorted(FALLS, fall) - COARSER, 0, FINEST - 4), dtype=np.int64)


def asked_of(model: Model, lowest: Floats) -> Floats:
    """The estimated error (N,) that is asked of persons whose counts fall to such a share (N,) of the baseline."""
    if model.marrow == "turnover":
        return np.full(lowest.size, TOLERANCE * STRICT_TURNOVER)
    asked: Floats = TOLERANCE * np.clip(lowest / LOW, strictness(model)[0], 1.0)
    return asked * STRICT_INFLUX if model.dexamethasone else asked


def strictness(model: Model) -> tuple[float, float]:
    """How much less of an error is asked of very low counts, and below which share of the baseline rounding tells."""
    linear = all(one.effect == "linear" and one.pk != "saturable" for one in model.drugs)
    plain = linear and chain_solves(model, SCHEME)
    return (STRICT, DELICATE) if plain else (STRICT_CURVED, DELICATE_CURVED)


def _grouped(grades: Indices, price: Callable[[int, int], float]) -> list[tuple[Indices, int]]:
    """Places by class; classes next to one another share the finest grid among them where that costs less."""
    many = np.bincount(grades)
    kinds = np.flatnonzero(many).tolist()
    best: list[tuple[float, list[tuple[int, int]]]] = [(0.0, [])]  # of the first so many classes: what it costs, how
    for end, last in enumerate(kinds, 1):
        choices = [
            (best[begin][0] + price(int(many[first : last + 1].sum()), last), [*best[begin][1], (first, last)])
            for begin, first in enumerate(kinds[:end])
        ]
        best.append(min(choices, key=lambda choice: choice[0]))
    return [(np.flatnonzero((grades >= first) & (grades <= last)), last) for first, last in best[-1][1]]


def _together(poor: list[_Todo], price: Callable[[int, int], float]) -> list[_Todo]:
    """Persons of neighbouring classes and one precision, from wherever they began, on one grid."""
    found: list[_Todo] = []
    fine = [replace(one, precision="float64") if one.grade >= DOUBLE else one for one in poor]
    for precision in PRECISIONS:
        some = [one for one in fine if one.precision == precision]
        if not some:
            continue
        who = np.concatenate([one.who for one in some])
        many = [len(one.who) for one in some]
        grades, finer, again = (
            np.repeat([getattr(one, each) for one in some], many) for each in ("grade", "finer", "again")
        )
        for part, grade in _grouped(grades, price):
            found.append(_Todo(np.sort(who[part]), grade, int(finer[part].max()), precision, int(again[part].min())))
    return found
