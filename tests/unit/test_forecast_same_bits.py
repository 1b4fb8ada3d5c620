"""The solver's numbers do not depend on whether its code was compiled just now or read from the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SCRIPT = """
import gc
import hashlib
import numpy as np
from numba import njit
from forecast_models import DOCETAXEL, TWO_CYCLES, people
from leuko.forecast.solve import simulate

theta = people(DOCETAXEL, 100, seed=1)
run = simulate(DOCETAXEL, theta, TWO_CYCLES, hours=np.arange(0.0, 1008.0, 24.0), threads=1)
print(hashlib.sha256(np.ascontiguousarray(run.counts).tobytes()).hexdigest(), np.isfinite(run.counts).all())
print(gc.isenabled(), njit(lambda x: x + 1)(1))  # Numba and the collector are left as they were
"""


def test_code_just_compiled_and_code_from_the_cache_give_the_same_bits(tmp_path: Path) -> None:
    environment = {**os.environ, "LEUKO_CACHE": str(tmp_path), "PYTHONPATH": str(TESTS)}

    def told() -> str:
        made = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        return made.stdout

    first = told()
    assert list(tmp_path.glob("kernel-*.o")), "nothing was kept: the second run would compile as the first did"
    assert told() == first
    assert first.split()[1:] == ["True", "True", "2"]
