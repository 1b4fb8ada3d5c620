"""How long counts stay above or below a marrow model: `python scripts/swing.py FOLDER` (some minutes).

FOLDER holds counts and doses of real people, as `leuko validate forecast --data` takes them. Prints what the row
`swing` of data/models/levels.toml holds: the correlation time and the SD of the swing that make the counts most likely,
with the noise of a count held at the row's, and free beside it. The population of the marrow model is learned first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from leuko.cli._notices import say
from leuko.forecast.lasting import swing_row
from leuko.forecast.learn.people import cohort_of
from leuko.forecast.library import build, model_row
from leuko.forecast.score.clouds import Cloud, Clouds, Residual, evidence
from leuko.forecast.score.table import read_counts
from leuko.forecast.score.treated import NORMAL, begin_of
from leuko.knowledge import load_library
from leuko.knowledge.schema.learned import TreatedRow

NEXT_TO_NONE = 1e-3


def main() -> None:
    """Learn and print."""
    library, folder = load_library(), Path(sys.argv[1])
    row, held = library.rows(TreatedRow)[0], swing_row(library)
    source = model_row(row.model, library)
    people = read_counts(folder).people
    doses = {one.name: one.schedule for one in cohort_of(folder, row=source, library=library).people}
    begin = begin_of(row, library)
    clouds = Clouds(model=build(source), wide=begin, series=people, said=lambda text: say(f"… {text}"))
    every = [clouds.of(name, doses[name]) for name in sorted(people)]
    alone = replace(begin, shift=NEXT_TO_NONE, drift=NEXT_TO_NONE**2, tails=NORMAL)
    size = alone.mean.size
    free = learned(every, alone, range(2 * size), ("tau", "swing", "noise"))
    say(f"free: {shown(free, every)}")
    fixed = learned(every, replace(free, tau=7.0, noise=held.noise), (), ("tau", "swing"))
    say(f"noise held at {held.noise:g}: {shown(fixed, every)}")


def learned(clouds: Sequence[Cloud], begin: Residual, packed: Sequence[int], names: tuple[str, ...]) -> Residual:
    """The numbers that make the counts most likely: places of the packed population, and others by name."""
    size, places = begin.mean.size, list(packed)
    start = np.concatenate([begin.packed()[places], np.log([getattr(begin, name) for name in names])])

    def at(point: np.ndarray) -> Residual:
        whole = begin.packed()[: 2 * size]
        whole[places] = np.clip(point[: len(places)], start[: len(places)] - 4.0, start[: len(places)] + 4.0)
        others = dict(zip(names, np.exp(point[len(places) :]).tolist(), strict=True))
        return replace(begin, mean=whole[:size], spread=np.exp(whole[size:]), **others)

    def cost(point: np.ndarray) -> float:
        ridge = 0.08 * float(np.square(point - start).sum()) if places else 0.0
        return ridge - sum(evidence(one, at(point)) for one in clouds)

    found = minimize(cost, start, method="L-BFGS-B", options={"maxiter": 20, "ftol": 1e-6, "eps": 1e-3})
    return at(found.x)


def shown(by: Residual, clouds: Sequence[Cloud]) -> str:
    """The numbers in words."""
    fit = sum(evidence(one, by) for one in clouds)
    return f"swing {by.swing:.3f}, {by.tau:.2f} days, noise {by.noise:.3f}; log evidence {fit:.1f}"


if __name__ == "__main__":
    main()
