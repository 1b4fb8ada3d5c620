# /// script
# requires-python = ">=3.11"
# dependencies = ["leuko[forecast]"]
# ///
"""How wrong the solver is, for people up to four SD from the typical one, under every structure that it knows.

    uv run --no-sync python scripts/forecast_accuracy.py [--people 3000] [--only NAME …] [--write]

Each structure of tests/forecast_models.py is solved under its own doses and under harder ones (twice as much, off the
grid, infusions that overlap, a second dose minutes after the first), at hours on and off the grid. People are drawn at
four times the spread of the model and held within four SD, so that many stand at the edge in several parameters at
once; every corner of four SD is among them. They are solved all at once, in double precision, thirty at a time, and
alone: a grid is made for its company. Truth is SciPy's LSODA at 1e-12 (`leuko.forecast.solve.reference`) for whoever
our own solver at a thousandth of the tolerance calls worst, for a sample of the others, and for all whom that cannot
solve; for the rest it is our own solver at that tolerance, of which the table says how far it is from SciPy.

`--write` makes tests/reference/forecast_accuracy.json: the table, and the people who were hardest, with their truth.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import scipy

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from forecast_models import DAY, STRUCTURES, harder, within  # noqa: E402
from leuko.forecast.solve import batch, reference, simulate  # noqa: E402

OUT = ROOT / "tests" / "reference" / "forecast_accuracy.json"
PROMISE, TIGHTER, TIGHTEST = 1e-3, 1e-6, 1e-12
LEAST = 1e-6  # 10*9/L, one cell in a millilitre: what is less is measured against this
HOURS = np.unique(np.concatenate([np.arange(0.0, 42.0) * DAY, np.arange(0.37, 1000.0, 29.3)]))
SD, TOGETHER, ALONE, HARDEST, SAMPLE = 4.0, 30, 25, 6, 10


def drawn(many: int, random: int, seed: int) -> np.ndarray:
    """Deviations (R, N) in SD: drawn, and every corner."""
    z = np.clip(np.random.default_rng(seed).standard_normal((random, many)) * SD, -SD, SD)
    corners = np.array(list(itertools.product((-SD, SD), repeat=random))).T
    return np.round(np.concatenate([corners, z], axis=1), 4)


def companies(many: int) -> Iterator[tuple[str, list[slice], str]]:
    """Who is solved beside whom, and in which precision."""
    yield "all at once", [slice(0, many)], "float32"
    yield "in double precision", [slice(0, many)], "float64"
    some = min(many, 20 * TOGETHER)
    yield "thirty at a time", [slice(at, min(at + TOGETHER, many)) for at in range(0, some, TOGETHER)], "float32"
    yield "alone", [slice(at, at + 1) for at in range(min(many, ALONE))], "float32"


def exact(model: Any, theta: Any, schedule: Any) -> Any:
    """The counts of one person by SciPy."""
    return reference(model, theta, schedule, hours=HOURS, rtol=TIGHTEST)


def wrong(counts: Any, truth: Any) -> Any:
    """The largest relative error of each person."""
    return np.max(np.abs(counts - truth) / np.maximum(truth, LEAST), axis=0)


class Truth:
    """The counts of some people under a schedule, by our own solver at a tight tolerance, and by SciPy where asked."""

    def __init__(self, model: Any, theta: Any, schedule: Any) -> None:
        self.model, self.theta, self.schedule = model, theta, schedule
        kept, batch.TOLERANCE = batch.TOLERANCE, TIGHTER
        try:
            run = simulate(model, theta, schedule, hours=HOURS, precision="float64")
        finally:
            batch.TOLERANCE = kept
        self.counts = run.counts
        self.by_scipy = np.zeros(theta.shape[1], dtype=bool)
        self.apart = 0.0
        for at in np.flatnonzero(run.failed):
            self.counts[:, at], self.by_scipy[at] = exact(model, theta[:, at], schedule), True

    def settle(self, who: Any) -> None:
        """SciPy's counts for these."""
        for at in who:
            if not self.by_scipy[at]:
                true = exact(self.model, self.theta[:, at], self.schedule)
                self.apart = max(self.apart, float(wrong(self.counts[:, at], true)))
                self.counts[:, at], self.by_scipy[at] = true, True


def swept(name: str, many: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of a structure, and its hardest people."""
    model, own = STRUCTURES[name]
    row: dict[str, Any] = {"structure": name, "people": 0, "solved": 0, "failed": 0, "worst": 0.0, "truth_apart": 0.0}
    row |= {"by_scipy": 0, "beyond": 0}
    hard: list[dict[str, Any]] = []
    for number, (label, schedule) in enumerate((("own", own), ("harder", harder(name)))):
        z = drawn(many, len(model.random), 100 + number)
        theta = within(model, z)
        truth = Truth(model, theta, schedule)
        truth.settle(np.random.default_rng(number).choice(z.shape[1], SAMPLE, replace=False))
        row["people"] += z.shape[1]
        errors = np.zeros(z.shape[1])
        for company, parts, precision in companies(z.shape[1]):
            for part in parts:
                run = simulate(model, theta[:, part], schedule, hours=HOURS, precision=precision)
                row["solved"] += run.counts.shape[1]
                row["failed"] += int(run.failed.sum())
                found = np.where(run.failed, 0.0, wrong(run.counts, truth.counts[:, part]))
                over = np.arange(z.shape[1])[part][np.argsort(-found)[:HARDEST]]
                truth.settle(over if len(parts) == 1 else over[:1])
                found = np.where(run.failed, 0.0, wrong(run.counts, truth.counts[:, part]))
                errors[part] = np.maximum(errors[part], found)
                worst = int(np.argmax(found))
                row["beyond"] += int(np.sum(found > PROMISE))
                if found[worst] > row["worst"]:
                    row |= {"worst": float(found[worst]), "where": f"{label} doses, {company}"}
        hard += kept(label, z, errors, truth)
        row["by_scipy"] += int(truth.by_scipy.sum())
        row["truth_apart"] = max(row["truth_apart"], truth.apart)
    return row, hard


def kept(label: str, z: Any, errors: Any, truth: Truth) -> list[dict[str, Any]]:
    """The hardest people under a schedule, at each seventh hour."""
    found = []
    for at in np.argsort(-errors)[:HARDEST]:
        truth.settle([at])
        counts = [float(f"{count:.7g}") for count in truth.counts[::7, at]]
        found.append({"doses": label, "z": z[:, at].tolist(), "error": float(f"{errors[at]:.2g}"), "counts": counts})
    return found


def written(row: dict[str, Any], hard: list[dict[str, Any]], many: int) -> None:
    """A structure's row and people in the place of what was known of them."""
    old = json.loads(OUT.read_text("utf-8")) if OUT.exists() else {"table": [], "hard": {}}
    rows = {one["structure"]: one for one in old["table"]} | {row["structure"]: row}
    people = old["hard"] | {row["structure"]: hard}
    made = {
        "made_by": f"scripts/forecast_accuracy.py --people {many} --write", "scipy": scipy.__version__,
        "numpy": np.__version__, "sd": SD, "hours": HOURS[::7].round(6).tolist(),
        "table": [rows[name] for name in STRUCTURES if name in rows],
        "hard": {name: people[name] for name in STRUCTURES if name in people},
    }  # fmt: skip
    OUT.write_text(json.dumps(made, separators=(",", ":")).replace('{"doses"', '\n{"doses"') + "\n", "utf-8")


def main() -> int:
    """Sweep structure by structure; 1 where somebody is wrong by more than is promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=3000, help="under each of two schedules of each structure")
    parser.add_argument("--only", choices=list(STRUCTURES), nargs="+", default=list(STRUCTURES))
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    beyond = 0
    for name in asked.only:
        began = process_time()
        row, hard = swept(name, asked.people)
        beyond += row["beyond"]
        sys.stdout.write(f"{json.dumps(row)} {process_time() - began:.0f} s\n")
        sys.stdout.flush()
        if asked.write:
            written(row, hard, asked.people)
    return int(beyond > 0)


if __name__ == "__main__":
    sys.exit(main())
