"""Many people at once: what each gets is what they would get alone."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import numpy as np
import pytest

from fixtures.forecast_fit import docetaxel, doses, observed
from leuko.forecast.fit import Person, fit, fit_people

pytest.importorskip("numba")

DRAWN = attrgetter("z", "weights", "log_true", "checks", "findings", "log_evidence")
SEED = 7


def people(many: int) -> list[Person]:
    """Two sets of doses, visits on other days for everybody, one count in three a bound."""
    return [
        Person(
            schedule=doses(0.0) if at % 2 else doses(0.0, 504.0),
            observed=observed(
                (0, 4.0 + 0.1 * at),
                (6 + at % 4, 1.0),
                (9 + at % 3, 0.5),
                bound=("=", "=", "<" if at % 3 == 0 else "="),
            ),
        )
        for at in range(many)
    ]


def same(first: tuple[Any, ...], second: tuple[Any, ...]) -> bool:
    """To the last bit; a course that is no number is the same as itself."""
    return all(
        one.tobytes() == other.tobytes() if isinstance(one, np.ndarray) else one == other
        for one, other in zip(first, second, strict=True)
    )


def test_among_many_each_gets_what_they_get_alone() -> None:
    some = people(20)
    found = fit_people(docetaxel(), some, DRAWN, seed=SEED)
    for at, person in enumerate(some):
        alone = fit(docetaxel(), person.schedule, person.observed, seed=SEED + at)
        assert same(found[at], DRAWN(alone))


def test_however_many_work_the_bytes_are_the_same() -> None:
    some = people(40)
    alone = fit_people(docetaxel(), some, DRAWN, seed=SEED, workers=1)
    shared = fit_people(docetaxel(), some, DRAWN, seed=SEED, workers=2)
    assert len(alone) == len(shared) == 40
    assert all(same(one, other) for one, other in zip(alone, shared, strict=True))


def test_nobody_is_nobody() -> None:
    assert fit_people(docetaxel(), [], DRAWN, seed=SEED, workers=2) == []
