# /// script
# requires-python = ">=3.11"
# dependencies = ["arviz-stats[xarray]", "numpy>=2", "scipy>=1.13"]
# ///
"""Reference values of Pareto k-hat by arviz-stats: `uv run scripts/forecast_khat.py`.

The log weights are exact quantiles (no random numbers), so that the test makes the same ones from the same words:
`scale` times the standard normal quantiles ("normal"), or those of a Pareto distribution of shape `scale` ("pareto").
"""

from __future__ import annotations

import json
from pathlib import Path

import arviz_stats
import numpy as np
from arviz_stats.base import array_stats
from scipy.stats import norm

OUT = Path(__file__).parents[1] / "tests" / "reference" / "forecast_khat.json"
CASES = [
    {"kind": kind, "scale": scale, "size": size}
    for kind, scales in (("normal", (0.3, 1.0, 2.0, 3.5)), ("pareto", (0.2, 0.5, 0.7, 0.9, 1.3)))
    for scale in scales
    for size in (400, 4500, 20_000)
]


def log_weights(kind: str, scale: float, size: int) -> np.ndarray:
    """Log weights in increasing order."""
    level = (np.arange(size) + 0.5) / size
    return scale * norm.ppf(level) if kind == "normal" else -scale * np.log1p(-level)


def main() -> None:
    """Write the reference."""
    for case in CASES:
        # psislw is made for leave-one-out: it takes log-likelihoods, and weighs by their inverse
        _, k = array_stats.psislw(-log_weights(**case), r_eff=1.0, axis=-1)
        case["khat"] = round(float(k), 8)
    text = {"made_by": "scripts/forecast_khat.py", "arviz-stats": arviz_stats.__version__, "cases": CASES}
    OUT.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
