"""Many persons at once: each on a grid as fine as its marrow asks for, finer where the estimated error is too large.

Grids come in classes, half an octave apart. A person begins in the class that its transit rate suggests; whoever's
estimate is over the tolerance goes to the class that the estimate suggests. Counts that fall very low or swing far are
solved in double precision, whatever was asked for: rounding would tell there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
CHAIN_REACH, CLASSICAL_REACH = 0.5, 0.25  # a first step in units of the transit time
TURNOVER_CLASS = 8  # steps of 1.5 h
ORDER = 4.0  # the estimate falls with this power of the step
LOW = 2e-3  # of the baseline: below this share a smaller estimate is asked for, in proportion
STRICT, STRICT_CURVED = 0.3, 0.05  # down to so much of the tolerance; the latter where an effect is not linear
STRICT_TURNOVER = 0.2  # of the tolerance, for a count that follows the effect at once
STRICT_INFLUX = 0.3  # of it, where an influx carries counts far above what the marrow feels later
DELICATE, DELICATE_CURVED = 1e-5, 2e-3  # below this share rounding tells: double precision
DOUBLE = 11  # so does it over the many steps of this class
ROUNDS = 8  # of solving again
PART = 10_240  # persons at most that go through their rounds together
WIDE_PART = 250_000_000  # counts at most that a graphics processor holds together
# A class of fewer persons joins the next finer one, as a run of its own costs as much as so many steps of a person.
SMALL, RUN = 2 * LANES, 150_000

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
    at = values(model, theta[:, who])
    late = [part.drug for part in model.drugs if f"{part.drug}.lag" in model.names]
    if not late or not len(who):
        return [(who, tuple(arrivals(model, schedule, lambda _drug: 0.0)))] if len(who) else []
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
    """Persons (by their place in a crowd) to be solved in one class of grid, `finer` classes beyond their first."""

    who: Indices
    grade: int
    finer: int
    precision: Precision


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
        """Solves persons whose doses arrive together; many in parts, so that each thread has some of its own.

        The parts do not depend on the threads, so nor does what comes out.
        """
        crowd = Crowd(self.model, self._of(who), self.precision, SCHEME)
        size = PART if self.crew.device == "cpu" else max(PART, WIDE_PART // max(len(self.hours), 1))
        parts = np.array_split(np.arange(len(who)), -(-len(who) // size))
        crew = min(self.crew.threads, len(parts))
        share = self.crew.threads // crew

        def solve_part(part: Indices) -> int:
            return self._part(part, who, crowd, doses, share)

        if crew == 1:
            self.rerun += sum(map(solve_part, parts))
            return
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 (loaded where it pays)

        with ThreadPoolExecutor(crew) as pool:
            self.rerun += sum(pool.map(solve_part, parts))

    def _part(self, part: Indices, who: Indices, crowd: Crowd, doses: tuple[Arrival, ...], threads: int) -> int:
        """Round by round, until each is good or no finer grid is left; how many were solved again."""
        classes = _merged(grades_of(self.model, self.theta, who[part]), part, self._few)
        todo = [_Todo(some, grade, 0, self.precision) for some, grade in classes]
        again = 0
        for number in range(ROUNDS):
            poor: list[_Todo] = []
            for one in todo:
                solved = self._run(one, who, crowd, doses, threads)
                everybody = who[one.who]
                self.counts[:, everybody], self.error[everybody] = solved.counts, solved.error
                poor += self._again(one, everybody, solved)
            again += sum(len(one.who) for one in poor) if number == 0 else 0
            todo = _together(poor, self._few)
            if not todo:
                break
        return again

    def _of(self, who: Indices) -> Floats:
        """The parameters of some; of all without a copy."""
        return self.theta if len(who) == self.theta.shape[1] else self.theta[:, who]

    def _run(self, one: _Todo, who: Indices, crowd: Crowd, doses: tuple[Arrival, ...], threads: int) -> Solved:
        picked = one.who
        if one.precision != self.precision or one.finer > 0:  # who is solved again may need other first steps
            crowd, picked = Crowd(self.model, self._of(who[picked]), one.precision, SCHEME), np.arange(len(picked))
        fine = Fineness(step=LONGEST * 2 ** (-one.grade / 2), shorter=2 ** (one.finer / 2))
        return crowd.solve(
            picked, crowd.course(doses, self.asked, self.start, fine), threads, self.crew.tell, self.crew.device
        )

    def _few(self, grade: int) -> float:
        """How many persons are too few for a run of their own in a class."""
        return max(SMALL, RUN * LONGEST * 2 ** (-grade / 2) / self.span)

    def _again(self, one: _Todo, everybody: Indices, solved: Solved) -> list[_Todo]:
        """Who has to be solved again, and in which class."""
        circ0, error = self.theta[self.model.at("circ0"), everybody], solved.error
        lowest, highest = solved.lowest / circ0, solved.highest / circ0
        asked = asked_of(self.model, lowest)
        poor = ~(error <= asked)
        if one.finer > 0:  # a coarse grid may have made it so; a finer one says it again
            poor &= ~((error >= HOPELESS) & (error < np.inf))
        todo: list[_Todo] = []
        if one.precision == "float32":
            delicate = ~poor & ((lowest < self.delicate) | (highest > 1 / LOW))
            if np.any(delicate):
                todo.append(_Todo(one.who[delicate], one.grade, one.finer, "float64"))
        if not np.any(poor) or min(one.grade, one.finer) >= FINEST:
            return todo
        over = np.where(np.isfinite(error[poor]), error[poor] / asked[poor], 2.0**ORDER)
        steps = np.clip(np.ceil(2 * np.log2(1.2 * over) / ORDER), 1, 6).astype(np.int64)
        for part, more in _merged(steps, one.who[poor], lambda more: self._few(one.grade + more)):
            grade = min(one.grade + more, FINEST)
            precision: Precision = "float64" if grade >= DOUBLE else one.precision
            todo.append(_Todo(part, grade, one.finer + more, precision))
        return todo


def grades_of(model: Model, theta: Floats, who: Indices | slice = slice(None)) -> NDArray[np.int64]:
    """The class that each person begins in."""
    if model.marrow == "turnover":
        return np.full(theta[0, who].size, TURNOVER_CLASS)
    ktr = (model.transits + 1) / theta[model.at("mtt"), who]
    reach = CHAIN_REACH if chain_solves(model, SCHEME) else CLASSICAL_REACH
    grade = np.ceil(2 * np.log2(np.maximum(LONGEST * ktr / reach, 1.0)))
    return np.asarray(np.minimum(grade, FINEST - 4), dtype=np.int64)


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


def _merged(grades: Indices, who: Indices, few: Callable[[int], float]) -> list[tuple[Indices, int]]:
    """Persons by class; a class of few joins the next finer one."""
    found: list[tuple[Indices, int]] = []
    waiting = who[:0]
    for grade in sorted(set(grades.tolist())):  # `np.unique` alone loads masked arrays
        waiting = np.concatenate([waiting, who[grades == grade]])
        if len(waiting) >= few(int(grade)) or grade == grades.max():
            found.append((np.sort(waiting), int(grade)))
            waiting = who[:0]
    return found


def _together(poor: list[_Todo], few: Callable[[int], float]) -> list[_Todo]:
    """Persons of one class and precision, from wherever they began, on one grid."""
    found: list[_Todo] = []
    for precision in ("float32", "float64"):
        some = [one for one in poor if one.precision == precision]
        if not some:
            continue
        who = np.concatenate([one.who for one in some])
        grades = np.concatenate([np.full(len(one.who), one.grade) for one in some])
        finer = np.concatenate([np.full(len(one.who), one.finer) for one in some])
        for part, grade in _merged(grades, np.arange(len(who)), few):
            found.append(_Todo(np.sort(who[part]), grade, int(finer[part].max()), precision))
    return found
