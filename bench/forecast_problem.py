"""The problem of bench/forecast_simulation.py, with nothing loaded but what leuko itself needs.

Docetaxel over one hour every 21 days, six cycles, three compartments, a lognormal population held within 3 SD, daily
counts. Run as a program it simulates 64 people and prints the seconds since it began, on the wall and of the processor.
"""

from __future__ import annotations

from time import perf_counter, process_time

BEGAN, BUSY = perf_counter(), process_time()

from typing import Any  # noqa: E402 (what is loaded counts)

import numpy as np  # noqa: E402

from leuko.forecast.model import DrugPart, Model, Residual, Schedule  # noqa: E402
from leuko.forecast.solve import simulate  # noqa: E402

NAMES = ("circ0", "mtt", "gamma", *(f"d.{one}" for one in ("slope", "v1", "k10", "k12", "k21", "k13", "k31")))
TYPICAL = np.array([5.22, 84.18, 0.1445, 15.57, 7.4, 5.2, 1.06, 1.51, 1.26, 0.084])
VARY = ("circ0", "mtt", "d.slope", "d.k10")
CYCLES, DOSE, CYCLE = 6, 222.8, 504.0
DAYS = np.arange(0.0, CYCLES * 21 + 1) * 24

MODEL = Model(
    id="bench", line="neutrophils", marrow="friberg", names=NAMES, typical=TYPICAL, random=VARY,
    omega=np.eye(4) * 0.35**2, residual=Residual(kind="log", sd=0.4),
    drugs=(DrugPart(drug="d", dose_unit="umol", per_mg=1.0, pk="micro", compartments=3),),
)  # fmt: skip
SCHEDULE = Schedule(
    hour=np.arange(CYCLES) * CYCLE, drug=("d",) * CYCLES, amount=np.full(CYCLES, DOSE), hours=np.ones(CYCLES)
)


def people(count: int, sd: float = 0.35) -> Any:
    z = np.clip(np.random.default_rng(1).standard_normal((4, count)), -3, 3)
    theta = np.repeat(TYPICAL[:, None], count, axis=1)
    for row, name in enumerate(VARY):
        theta[NAMES.index(name)] *= np.exp(sd * z[row])
    return theta


if __name__ == "__main__":
    simulate(MODEL, people(64), SCHEDULE, hours=DAYS, threads=1)
    print(perf_counter() - BEGAN, process_time() - BUSY)
