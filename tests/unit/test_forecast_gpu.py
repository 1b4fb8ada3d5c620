"""The solver on a graphics processor: its arithmetic in Numba's simulator against the processor's, and what is said
where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from forecast_models import DAY, STRUCTURES, people
from leuko.errors import UsageError
from leuko.forecast.solve import simulate

pytest.importorskip("numba")

TESTS = Path(__file__).resolve().parents[1]
SCRIPT = """
import sys
import numpy as np
from forecast_models import STRUCTURES, people
from leuko.forecast.solve import simulate

model, schedule = STRUCTURES[sys.argv[1]]
hours = np.array([float(hour) for hour in sys.argv[2:]])
theta = people(model, 3, 1)
theta[model.at("circ0"), 2] = np.nan
for precision in ("float64", "float32"):
    given = {"hours": hours, "precision": precision}
    found = simulate(model, theta, schedule, device="gpu", **given)
    processor = simulate(model, theta, schedule, **given)
    assert found.failed.tolist() == processor.failed.tolist() == [False, False, True]
    assert found.counts.dtype == processor.counts.dtype
    print(np.max(np.abs(found.counts[:, :2] / processor.counts[:, :2] - 1)),
          np.max(np.abs(found.error[:2] / processor.error[:2] - 1)))
"""


def apart(structure: str, *hours: float) -> list[list[float]]:
    """How far counts and estimated errors lie apart, in double and in single precision."""
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(TESTS)}
    made = subprocess.run(
        [sys.executable, "-c", SCRIPT, structure, *map(str, hours)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return [[float(one) for one in line.split()] for line in made.stdout.splitlines()]


@pytest.mark.parametrize(
    ("structure", "hours"),
    [
        ("linear effect", (0.0, 30.5, 5 * DAY, 9 * DAY)),
        ("saturable effect", (0.0, 2 * DAY)),
        ("dexamethasone", (1 * DAY, 5.25 * DAY)),
        ("stem-cell pool", (1 * DAY, 5.25 * DAY)),
        ("paclitaxel", (6.0,)),
    ],
)
def test_the_device_computes_what_the_processor_computes(structure: str, hours: tuple[float, ...]) -> None:
    """The same steps in the same order: in double precision the last digits alone differ."""
    (double, double_error), (single, _) = apart(structure, *hours)
    assert double < 1e-12
    assert double_error < 1e-6
    assert single < 1e-4


def test_without_a_graphics_processor_it_says_so() -> None:
    from leuko.forecast.solve.gpu import why_not

    if not why_not():
        pytest.skip("a graphics processor is at hand")
    model, schedule = STRUCTURES["linear effect"]
    with pytest.raises(UsageError, match="cannot be simulated on a graphics processor") as told:
        simulate(model, people(model, 2, 1), schedule, hours=people(model, 2, 1)[:0, 0], device="gpu")
    assert "CUDA" in str(told.value.why) or "driver" in str(told.value.why)
