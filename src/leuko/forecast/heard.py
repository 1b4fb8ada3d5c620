"""The models that speak of one person: fitted to the same counts, weighed by how well they told them, run on together.

Every course is drawn anew from the same draws, so that two options differ by what is changed and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import numpy as np

from leuko.forecast.case import Case
from leuko.forecast.fit import Course, Draws, Posterior, fit, weigh
from leuko.forecast.fit.likelihood import reports, reports_by
from leuko.forecast.fit.prior import prior_of
from leuko.forecast.fit.task import Solver, batch_solver
from leuko.forecast.library import Candidate, build
from leuko.forecast.model import Floats, Model, Observed, Schedule
from leuko.forecast.outcome import FEWEST
from leuko.frozen import Frozen, replace

ScheduleOf = Callable[[Model], Schedule]
_ROOM: Final = 31 << 20  # bytes: as much as glibc learns from, and more than any array here


class Drawn:
    """Draws of one posterior, by how many: kept, as option after option is run on from them. `like` are those of the
    same posterior without parameters that the counts tell nothing of."""

    def __init__(self, posterior: Posterior, seed: int, like: Drawn | None = None) -> None:
        self._posterior, self._seed, self._like = posterior, seed, like
        self._kept: dict[int, Draws] = {}

    def of(self, size: int) -> Draws:
        """So many equally likely draws."""
        if size not in self._kept:
            like = self._like.of(size) if self._like is not None else None
            self._kept[size] = Draws(self._posterior, seed=self._seed, size=size, like=like)
        return self._kept[size]


class Voice(Frozen, frozen=True, kw_only=True):
    """One model with its posterior, draws of it, and its weight among those asked."""

    candidate: Candidate
    posterior: Posterior
    drawn: Drawn
    weight: float


class Ahead(Frozen, frozen=True, kw_only=True):
    """Equally likely courses (T, N) [10*9/L] at `hours`, each draw's baseline (N,), and those of each model apart."""

    hours: Floats
    counts: Floats
    baseline: Floats
    parts: tuple[Course, ...]
    seed: int

    def measured(self, every: int) -> Floats:
        """All of it (T, N), at every so many hours, as a laboratory would report it."""
        rng = np.random.default_rng(self.seed)
        tiny, hours = np.finfo(float).tiny, self.hours[::every]
        return np.concatenate(
            [
                reports_by(
                    rng.standard_normal(part.counts.shape)[::every],
                    np.log(np.maximum(part.counts[::every], tiny)),
                    hours,
                    part.residual,
                )
                for part in self.parts
            ],
            axis=1,
        )

    def reported(self, hour: float) -> Floats:
        """The count (N,) that a laboratory would report at an hour: with the error that each model has of one count."""
        at = int(np.argmin(np.abs(self.hours - hour)))
        rng = np.random.default_rng(self.seed)
        true = [np.log(np.maximum(part.counts[at : at + 1], np.finfo(float).tiny)) for part in self.parts]
        hours = self.hours[at : at + 1]
        return np.concatenate(
            [reports(log, hours, part.residual, rng)[0] for log, part in zip(true, self.parts, strict=True)]
        )


class Heard(Frozen, frozen=True, kw_only=True):
    """The models that are heard, the medicines they were asked about, the seed of all draws, and the instant from which
    the hours of the counts fitted run."""

    voices: tuple[Voice, ...]
    drugs: tuple[str, ...]
    seed: int
    solver: Solver
    origin: datetime

    def sound(self) -> tuple[Voice, ...]:
        """Those whose diagnostics carry a conclusion."""
        return tuple(voice for voice in self.voices if voice.posterior.sound and voice.weight > 0.0)

    def only(self, voice: Voice) -> Heard:
        """One of them alone."""
        return replace(self, voices=(replace(voice, weight=1.0),))

    def with_growth(self, case: Case, factor: str) -> Heard:
        """The same with a growth factor that nobody was given yet: what it does is as in the library's model of it."""
        voices = tuple(_with_growth(voice, case, self.drugs, factor, self.seed) for voice in self.voices)
        return replace(self, voices=voices)

    def run(self, schedule_of: ScheduleOf, hours: Floats, *, draws: int) -> Ahead:
        """Courses under the doses that `schedule_of` gives each model, so many of each as its weight."""
        told = self.sound()
        many = _shares([voice.weight for voice in told], draws)
        parts = tuple(
            voice.drawn.of(number).course(
                schedule_of(voice.posterior.model),
                hours=hours,
                threads=1,  # small batches: a second thread costs more than it gives
                solver=self.solver,
            )
            for voice, number in zip(told, many, strict=True)
            if number
        )
        return Ahead(
            hours=hours,
            counts=np.concatenate([part.counts for part in parts], axis=1),
            baseline=np.concatenate([part.baseline for part in parts]),
            parts=parts,
            seed=self.seed,
        )


def _shares(weights: Sequence[float], draws: int) -> list[int]:
    """How many draws each model gives; one with too little weight for a spread of its own gives none."""
    whole = np.array(weights) / sum(weights)
    whole = np.where(whole * draws < FEWEST, 0.0, whole)
    found = np.round(whole / whole.sum() * draws).astype(int)
    return [int(number) for number in found]


def listen(
    candidates: Sequence[Candidate],
    schedule_of: ScheduleOf,
    observed: Observed,
    *,
    drugs: tuple[str, ...],
    case: Case,
    origin: datetime,
) -> Heard:
    """Fit each model to the counts and weigh them."""
    _keep_room()
    solver: Solver = partial(batch_solver(), tell=case.tell) if case.tell is not None else batch_solver()
    fitted = [fit(one.model, schedule_of(one.model), observed, seed=case.seed, solver=solver) for one in candidates]
    weights = weigh(fitted).weights
    voices = tuple(
        Voice(candidate=one, posterior=posterior, drawn=Drawn(posterior, case.seed), weight=float(weight))
        for one, posterior, weight in zip(candidates, fitted, weights, strict=True)
    )
    return Heard(voices=voices, drugs=drugs, seed=case.seed, solver=solver, origin=origin)


def _keep_room() -> None:
    """Let arrays come and go in memory that stays: glibc hands back at once what is larger than all that was freed
    before (mallopt(3), M_MMAP_THRESHOLD), and every page of it is cleared anew when it is asked for again."""
    np.empty(_ROOM, dtype=np.uint8)


def _with_growth(voice: Voice, case: Case, drugs: tuple[str, ...], factor: str, seed: int) -> Voice:
    """The posterior with the parameters of a growth factor, drawn from its population; nothing else moves."""
    posterior, one = voice.posterior, voice.candidate
    if posterior.model.growth is not None:
        return voice
    grown = build(one.row, covariates=case.covariates, drugs=drugs, factors=(factor,), library=case.library)
    model = replace(grown, residual=posterior.model.residual)
    if model.growth is None or model.random[: len(posterior.model.random)] != posterior.model.random:
        return voice
    prior = prior_of(model, max(len(posterior.courses), 1))
    own, further = len(posterior.model.random), prior.size - posterior.prior.size
    new = np.random.default_rng(seed).standard_normal((further, posterior.z.shape[1]))
    z = np.concatenate([posterior.z[:own], new, posterior.z[own:]])
    made = replace(posterior, model=model, prior=prior, z=z)
    return replace(voice, posterior=made, drawn=Drawn(made, seed, voice.drawn))
