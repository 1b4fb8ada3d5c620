"""A few persons asked for again and again with other parameters, as an optimiser asks: one grid serves many calls.

What `simulate` makes anew for every call (doses, classes, grid, room to work in) is kept. Its promise holds all the
same: where the estimated error of a call is too large, or a count so low that rounding tells, `simulate` gives the
answer, and the next call gets a finer grid, as long as that is of use.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from leuko.forecast.model import Floats, Model, Schedule
from leuko.forecast.solve import batch
from leuko.forecast.solve.batch import LONGEST, LOW, grades_of, simulate, strictness
from leuko.forecast.solve.job import Again, Crowd, Fineness, Precision, Solved
from leuko.forecast.solve.reading import arrivals, beginning
from leuko.forecast.solve.rows import LANES

_FINER = 2  # classes, after a grid that was too coarse
_FINEST = 8  # classes: a grid that is too coarse even so is no help, and one without an end would take all memory


class Repeated:
    """The counts at `hours` (T,), in time order, of few persons of a model under the same doses.

    Raises ValueError for what cannot be read, as `simulate` does.
    """

    def __init__(self, model: Model, schedule: Schedule, hours: Floats, precision: Precision = "float32") -> None:
        self._model, self._schedule, self._hours, self._precision = model, schedule, hours, precision
        self._lags = any(f"{part.drug}.lag" in model.names for part in model.drugs)
        self._doses = tuple(arrivals(model, schedule, lambda _drug: 0.0)) if not self._lags else ()
        self._again: Again | None = None
        self._finer = 0

    def counts(self, theta: Floats) -> Any:
        """The counts (T, N) of `theta` (P, N); not numbers where nobody can say. The next call may overwrite them."""
        if self._helps and 0 < theta.shape[1] <= LANES and bool(np.isfinite(theta).all()):
            if self._again is None:
                self._again = self._made(theta)
                solved = self._again.first()
            else:
                solved = self._again.solve(self._model, theta)
            if self._good(theta, solved):
                return solved.counts
            self._again, self._finer = None, self._finer + _FINER
        run = simulate(
            self._model, theta, self._schedule, hours=self._hours, precision=self._precision, threads=1
        )  # fmt: skip
        run.counts[:, run.failed] = np.nan
        return run.counts

    @property
    def _helps(self) -> bool:
        return not self._lags and self._finer <= _FINEST

    def _made(self, theta: Floats) -> Again:
        crowd = Crowd(self._model, theta, self._precision, batch.SCHEME)
        grade = int(grades_of(self._model, theta).max()) + self._finer
        fine = Fineness(step=LONGEST * 2 ** (-grade / 2), shorter=2 ** (self._finer / 2))
        start = beginning(self._schedule, None)
        return Again(crowd, crowd.course(self._doses, self._hours.tobytes(), start, fine), None)

    def _good(self, theta: Floats, solved: Solved) -> bool:
        """Whether everybody's estimate is below what `simulate` asks of any of them; of no number nothing is true."""
        circ0 = theta[self._model.at("circ0")]
        low, high = float((solved.lowest / circ0).min()), float((solved.highest / circ0).max())
        asked = float(batch.asked_of(self._model, np.array([low]))[0])
        return float(solved.error.max()) <= asked and low >= strictness(self._model)[1] and high <= 1.0 / LOW
