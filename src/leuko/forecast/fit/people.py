"""Many people at once: each is fitted as they would be alone, and processes share them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar

from leuko.forecast.fit.posterior import LEAST_EFFECTIVE, Posterior, fit
from leuko.forecast.model import Model, Observed, Schedule
from leuko.frozen import Frozen

Found = TypeVar("Found")
# People handed to a process at a time: some have to be refined and take longer, and no process is to wait at the end.
_TOGETHER: Final = 16


class Person(Frozen, frozen=True, kw_only=True):
    """What is known of one person."""

    schedule: Schedule
    observed: Observed


def fit_people(
    model: Model,
    people: Sequence[Person],
    then: Callable[[Posterior], Found],
    *,
    seed: int,
    least_effective: float = LEAST_EFFECTIVE,
    workers: int = 1,
) -> list[Found]:
    """`then` of the posterior of each person, in their order. Person i has the seed `seed` + i, and what they get is
    what `fit` gives with it: it does not depend on who stands beside them, nor on how many work.

    Posteriors are large, so what is wanted of them is taken where they are made: with `workers` above one that is
    another process, and `then` has to be a function of a module.
    """
    run = partial(_some, model, then, seed=seed, least_effective=least_effective)
    numbered = list(enumerate(people))
    parts = [numbered[at : at + _TOGETHER] for at in range(0, len(numbered), _TOGETHER)]
    if min(workers, len(parts)) <= 1:
        return run(numbered)
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 (loaded for a clinic, never for one person)
    from multiprocessing import get_context  # noqa: PLC0415

    # threads would wait for each other's Python
    with ProcessPoolExecutor(min(workers, len(parts)), get_context("spawn"), initializer=_one_thread) as crew:
        return [found for part in crew.map(run, parts) for found in part]


def _one_thread() -> None:
    """A process is a thread's worth of work: those of linear algebra would stand in each other's way."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 (of the extra `forecast`)

    threadpool_limits(limits=1)


def _some(
    model: Model,
    then: Callable[[Posterior], Found],
    people: Sequence[tuple[int, Person]],
    *,
    seed: int,
    least_effective: float,
) -> list[Found]:
    return [
        then(fit(model, person.schedule, person.observed, seed=seed + at, least_effective=least_effective))
        for at, person in people
    ]
