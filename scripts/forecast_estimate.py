# /// script
# requires-python = ">=3.11"
# dependencies = ["leuko[forecast]"]
# ///
"""How the classical scheme's embedded differences tell its true error: what `job.STEEP` and its power rest on.

    uv run --no-sync python scripts/forecast_estimate.py [--people 250] [--only NAME …]

People of the structures that the classical scheme solves (tests/forecast_models.py), at one and at four times their
spread, under their own doses and harder ones, are solved in seven classes of grids in double precision. For each decade
of the true error (against our own solver at 1e-6, which `scripts/forecast_accuracy.py` holds against SciPy) it prints
the largest ratio of the true error to the differences' power, and the least ratio of the differences to the true error.
A structure may be given that power where the former stays the same over the decades: there the latter falls, so that
one factor for all of them would be far too cautious where the error is small.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from forecast_models import DAY, STRUCTURES, harder, within  # noqa: E402
from leuko.forecast.solve import batch, simulate  # noqa: E402
from leuko.forecast.solve.job import STEEPNESS, Crowd, Fineness  # noqa: E402
from leuko.forecast.solve.reading import arrivals, beginning  # noqa: E402

HOURS = np.unique(np.concatenate([np.arange(0.0, 42.0) * DAY, np.arange(0.37, 1000.0, 29.3)]))
CLASSICAL = ("growth factor", "dexamethasone", "stem-cell pool")
SD, FINER, TIGHT, LEAST = 4.0, range(-2, 5), 1e-6, 1e-6
DECADES = 10.0 ** np.arange(-6, 1)


def solved(model: Any, theta: Any, schedule: Any) -> Iterator[tuple[Any, Any]]:
    """The differences and the true error of everybody in each class near the one that they begin in."""
    kept, batch.TOLERANCE = batch.TOLERANCE, TIGHT
    try:
        truth = simulate(model, theta, schedule, hours=HOURS, precision="float64")
    finally:
        batch.TOLERANCE = kept
    doses = tuple(arrivals(model, schedule, lambda _drug: 0.0))
    crowd = Crowd(model, theta, "float64", batch.SCHEME)
    crowd.steep = False  # the differences as the kernel gives them
    grades = batch.grades_of(model, theta)
    for grade in np.unique(grades):
        some = np.flatnonzero((grades == grade) & ~truth.failed)
        for finer in FINER if len(some) else ():
            fine = Fineness(step=batch.LONGEST * 2 ** (-(grade + finer) / 2), shorter=2 ** (max(finer, 0) / 2))
            course = crowd.course(doses, HOURS.tobytes(), beginning(schedule, None), fine)
            found = crowd.solve(some, course, 1, None)
            true = truth.counts[:, some]
            yield found.error, np.max(np.abs(found.counts - true) / np.maximum(true, LEAST), axis=0)


def told(model: Any, theta: Any, schedule: Any) -> Iterator[str]:
    """A line for each decade of the true error."""
    parts = [np.concatenate(part) for part in zip(*solved(model, theta, schedule), strict=True)]
    sound = np.isfinite(parts[0]) & np.isfinite(parts[1])
    differences, true = (part[sound] for part in parts)
    for low, high in pairwise(DECADES):
        here = (true >= low) & (true < high)
        if np.any(here):
            power, ratio = true[here] / differences[here] ** STEEPNESS, differences[here] / true[here]
            yield (
                f"  {low:.0e} to {high:.0e}: {here.sum():5d} courses, true over the power at most {power.max():6.2f}, "
                f"differences over true at least {ratio.min():6.1f}"
            )


def main() -> int:
    """Print the ratios, structure by structure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=250)
    parser.add_argument("--only", choices=CLASSICAL, nargs="+", default=CLASSICAL)
    asked = parser.parse_args()
    for name in asked.only:
        model, own = STRUCTURES[name]
        for wide in (1.0, SD):
            drawn = np.random.default_rng(7).standard_normal((len(model.random), asked.people))
            theta = within(model, np.clip(drawn * wide, -SD, SD))
            for label, schedule in (("own", own), ("harder", harder(name))):
                sys.stdout.write(f"{name}, {wide:.0f} times the spread, {label} doses\n")
                sys.stdout.writelines(f"{line}\n" for line in told(model, theta, schedule))
    return 0


if __name__ == "__main__":
    sys.exit(main())
