"""People simulated a second on a graphics processor: `uv run --with "numba-cuda[cu12]" python bench/forecast_gpu.py`.

The problem of bench/forecast_simulation.py (docetaxel, six cycles, daily counts). Told are: the largest difference from
the processor's counts, people a second by the kernel alone and by the whole call (parameters and counts carried over,
people solved again), and what share of the device's ceiling the kernel reaches: the time that its operations would take
at the measured rate of multiply-adds, or its parameters and counts at the measured bandwidth, whichever is longer.
Where no graphics processor is at hand, it says so and ends; with NUMBA_ENABLE_CUDASIM=1 Numba's simulator stands in for
one, which checks the arithmetic and measures nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from forecast_simulation import DAYS, FLOPS_MODE, FLOPS_STEP, MODEL, SCHEDULE, people
from numba import cuda, float32

from leuko.forecast.solve import gpu, simulate
from leuko.forecast.solve.batch import LONGEST, SCHEME
from leuko.forecast.solve.job import Crowd, Fineness
from leuko.forecast.solve.reading import arrivals
from leuko.forecast.solve.rows import LANES

SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"
GRADE = 4  # the class of grid (steps of 6 h) in which most people of the problem are solved
RUNS = 5
CHAIN, TIMES = 8, 4096  # independent multiply-adds of a thread, and how often


@cuda.jit
def _multiply_add(found: Any) -> None:
    at = cuda.grid(1)
    a, b, c, d = float32(at), float32(1.0), float32(2.0), float32(3.0)
    e, f, g, h = float32(4.0), float32(5.0), float32(6.0), float32(7.0)
    half = float32(0.5)
    for _ in range(TIMES):
        a, b, c, d = a * half + half, b * half + half, c * half + half, d * half + half
        e, f, g, h = e * half + half, f * half + half, g * half + half, h * half + half
    found[at] = a + b + c + d + e + f + g + h


def best(run: Any) -> float:
    """Seconds, the least of several."""
    run()
    cuda.synchronize()
    found = np.inf
    for _ in range(RUNS):
        began = perf_counter()
        run()
        cuda.synchronize()
        found = min(found, perf_counter() - began)
    return float(found)


def peak() -> float:
    """Single-precision operations a second, a fused multiply-add as two."""
    blocks, wide = 64 * cuda.get_current_device().MULTIPROCESSOR_COUNT, 256
    found = cuda.device_array(blocks * wide, np.float32)
    return 2.0 * CHAIN * TIMES * blocks * wide / best(lambda: _multiply_add[blocks, wide](found))


def bandwidth() -> float:
    """Bytes a second, read and written, of a copy within the device."""
    one, other = (cuda.device_array(1 << 27, np.float32) for _ in range(2))
    return 2.0 * one.nbytes / best(lambda: other.copy_to_device(one))


def kernel(theta: Any, precision: str) -> tuple[Any, float, float]:
    """The march of all people on one grid, made ready; operations and bytes that it cannot do without, of a person."""
    crowd = Crowd(MODEL, theta, precision, SCHEME)
    doses = tuple(arrivals(MODEL, SCHEDULE, lambda _drug: 0.0))
    course = crowd.course(doses, DAYS.tobytes(), 0.0, Fineness(step=LONGEST * 2 ** (-GRADE / 2), shorter=1.0))
    operations = course.steps * (FLOPS_STEP + FLOPS_MODE) + course.lengths * 700
    moved = (len(crowd.table) + course.hours + 1) * crowd.dtype.itemsize
    return crowd.launch(course, crowd.table), float(operations), float(moved)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=LANES if SIMULATED else 1_000_000)
    asked = parser.parse_args()
    if why := gpu.why_not():
        print(f"Nothing was measured: {why}. The same people are simulated on the processor as ever.")
        return 0
    count = -(-asked.people // LANES) * LANES
    few, hours = (people(4), DAYS[:8]) if SIMULATED else (people(20_000), DAYS)
    for precision in ("float32", "float64"):
        ours = simulate(MODEL, few, SCHEDULE, hours=hours, precision=precision, device="gpu")
        theirs = simulate(MODEL, few, SCHEDULE, hours=hours, precision=precision)
        far = float(np.max(np.abs(ours.counts / theirs.counts - 1)))
        print(f"{precision}: largest relative difference from the processor {far:.1e}, {few.shape[1]:,} people")
    if SIMULATED:
        print("Nothing was measured: this is Numba's simulator.")
        return 0
    device = cuda.get_current_device()
    top, wide = peak(), bandwidth()
    print(f"{device.name.decode()}: {top / 1e12:.1f} TFlop/s and {wide / 1e9:,.0f} GB/s measured")
    theta = people(count)
    for precision in ("float32", "float64"):
        launch, operations, moved = kernel(theta, precision)
        alone = count / best(launch.run)
        began = perf_counter()
        simulate(MODEL, theta, SCHEDULE, hours=DAYS, precision=precision, device="gpu")
        whole = count / (perf_counter() - began)
        line = f"{precision}: {alone:,.0f} people a second by the kernel, {whole:,.0f} by the whole call"
        if precision == "float32":  # the measured rate is that of single precision
            ceiling = 1.0 / max(operations / top, moved / wide)
            held = "arithmetic" if operations / top > moved / wide else "bandwidth"
            line += f"; the ceiling ({held}) is {ceiling:,.0f}, reached: {alone / ceiling:.1%}"
        print(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
