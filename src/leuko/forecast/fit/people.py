"""Many people at once: those under the same doses share the runs of the prior's draws; processes share the people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar

import numpy as np

from leuko.forecast.fit.cloud import Bank
from leuko.forecast.fit.posterior import LEAST_EFFECTIVE, Posterior, fit
from leuko.forecast.fit.task import Task, task_of
from leuko.forecast.model import Floats, Model, Observed, Schedule
from leuko.frozen import Frozen

Found = TypeVar("Found")
# More draws than a single fit takes: they are run once, and each spares a person a round of their own.
BANK_DRAWS: Final = 6000
_FEWEST: Final = 4


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
    """`then` of the posterior of each person, in their order. Person i has the seed `seed` + i.

    Posteriors are large, so what is wanted of them is taken where they are made: with `workers` above one that is
    another process, and `then` has to be a function of a module.
    """
    run = partial(_chunk, model, then, seed=seed, least_effective=least_effective)
    numbered = list(enumerate(people))
    if workers <= 1 or len(people) < 2 * workers:
        return run(numbered)
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 (loaded for a clinic, never for one person)
    from multiprocessing import get_context  # noqa: PLC0415

    # neighbours stay together, so that each process runs few banks; threads would wait for each other's Python
    edges = [len(numbered) * at // workers for at in range(workers + 1)]
    chunks = [numbered[edges[at] : edges[at + 1]] for at in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as crew:
        return [found for part in crew.map(run, chunks) for found in part]


def _chunk(
    model: Model,
    then: Callable[[Posterior], Found],
    people: Sequence[tuple[int, Person]],
    *,
    seed: int,
    least_effective: float,
) -> list[Found]:
    banks = _banks(model, people, seed)
    return [
        then(
            fit(
                model,
                person.schedule,
                person.observed,
                seed=seed + at,
                least_effective=least_effective,
                bank=banks.get(_key(person)),
            )
        )
        for at, person in people
    ]


def _key(person: Person) -> tuple[bytes, ...]:
    """What has to be alike for people to share runs: doses, and the first thing that happens."""
    first = min([*person.schedule.hour[:1], *np.sort(person.observed.hour)[:1]], default=0.0)
    doses = person.schedule
    return (*(np.asarray(each).tobytes() for each in (doses.hour, doses.amount, doses.hours, first)), *_names(doses))


def _names(doses: Schedule) -> tuple[bytes, ...]:
    return tuple(name.encode() for name in doses.drug)


def _banks(model: Model, people: Sequence[tuple[int, Person]], seed: int) -> dict[tuple[bytes, ...], Bank]:
    """A bank for every set of doses that enough people share, at all hours at which any of them has a count."""
    groups: dict[tuple[bytes, ...], list[Person]] = {}
    for _, person in people:
        groups.setdefault(_key(person), []).append(person)
    return {key: _bank(model, group, seed) for key, group in groups.items() if len(group) >= _FEWEST}


def _bank(model: Model, group: Sequence[Person], seed: int) -> Bank:
    """The draws are the same in every process: what a person gets does not depend on who works beside whom."""
    hours = np.unique(np.concatenate([person.observed.hour for person in group]))
    task: Task = task_of(model, group[0].schedule, Observed(hour=hours, value=np.ones(hours.size)))
    z: Floats = np.random.default_rng((seed, 0)).standard_normal((task.prior.size, BANK_DRAWS))
    return Bank(z=z, hours=task.hours, log_true=task.log_true(z))
