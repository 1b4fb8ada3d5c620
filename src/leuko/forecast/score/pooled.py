"""A population posterior from the same records as another program's: people's courses, and what they have in common.

Kinetics stay at what the other program found: of each person the most probable ones, given their concentrations. Then
many short Markov chains side by side, each a population with all its people, solved together. Moves: people alone;
the shared feedback; typical value and people together; spread and people together (each leaves the target as it is,
Roberts and Sahu 1997 on why both are wanted); typical values given people, in closed form; spreads and error alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leuko.forecast.fit.task import batch_solver
from leuko.forecast.model import DrugPart, Floats, Model, Residual, Schedule
from leuko.forecast.score.published import Checked
from leuko.forecast.score.records import Recorded
from leuko.frozen import Frozen
from leuko.knowledge.schema.truth import PooledRow

CHAINS: Final = 32
ROUNDS: Final = {True: 500, False: 1500}
RESIDUAL: Final = "residual"
_WARM: Final = 0.4
_STEPS: Final = {"people": 0.5, "feedback": 0.12, "shift": 0.06, "stretch": 0.25, "alone": 0.35}

Say = Callable[[str], None]


class Pooled(Frozen, frozen=True, kw_only=True):
    """One quantity of the population: posterior mean, 5 and 95 %, and how far chains agree (potential scale
    reduction: Gelman and Rubin 1992)."""

    name: str
    mean: float
    low: float
    high: float
    agreement: float


def pooled(
    row: PooledRow, people: Sequence[Recorded], *, quick: bool, seed: int, said: Say = lambda _: None
) -> tuple[tuple[Pooled, ...], tuple[Checked, ...]]:
    """The posterior of the population, and its means beside the published ones."""
    said(f"posterior of {row.title}: kinetics")
    kinetics = np.array([kinetics_of(row, one) for one in people])
    rounds = ROUNDS[quick]
    said(f"posterior of {row.title}: {CHAINS} chains of {rounds} rounds")
    kept = _Chains(row, people, kinetics, seed).run(rounds)
    found = tuple(_summary(name, values) for name, values in kept.items())
    means = {one.name: one.mean for one in found}
    return found, tuple(
        Checked(
            id=f"{row.id}-{claim.what}",
            model="friberg",
            what=claim.what,
            dose=f"{row.title}: {claim.title}",
            expected=claim.expected,
            tolerance=claim.tolerance,
            found=means[claim.what],
            kind="published",
            misses=claim.misses,
            why=claim.why,
        )
        for claim in row.claims
    )


def _summary(name: str, values: Floats) -> Pooled:
    """Of values (rounds, chains)."""
    between, within = values.mean(axis=0).var(ddof=1), values.var(axis=0, ddof=1).mean()
    low, high = np.quantile(values, (0.05, 0.95))
    ratio = float(np.sqrt(1.0 + between / within))
    return Pooled(name=name, mean=float(values.mean()), low=float(low), high=float(high), agreement=ratio)


def typical_kinetics(row: PooledRow, person: Recorded) -> dict[str, float]:
    """The published kinetics at this person's weight."""
    scale = person.weight / row.weight
    return {name: value * scale ** row.powers.get(name, 0.0) for name, value in row.kinetics.items()}


def kinetics_of(row: PooledRow, person: Recorded) -> list[float]:
    """The most probable kinetics given the person's concentrations and the population, in the order of the row."""
    from scipy.optimize import least_squares  # noqa: PLC0415 (heavy: loaded where it is used)

    typical = typical_kinetics(row, person)
    names = list(row.kinetics_sd)
    sd = np.array([row.kinetics_sd[name] for name in names])

    def away(eta: Floats) -> Floats:
        own = typical | {name: typical[name] * float(np.exp(step)) for name, step in zip(names, eta, strict=True)}
        told = concentrations(own, person.dose_hours, person.amounts, person.conc_hours)
        return np.concatenate([np.log(person.concs / told) / row.kinetics_error, eta / sd])

    eta = least_squares(away, np.zeros(len(names))).x
    own = typical | {name: typical[name] * float(np.exp(step)) for name, step in zip(names, eta, strict=True)}
    return [own[name] for name in row.kinetics]


def concentrations(own: dict[str, float], doses: Floats, amounts: Floats, hours: Floats) -> Floats:
    """Concentrations (T,) after swallowed doses: two compartments, in closed form by modes."""
    k10, k12, k21 = own["cl"] / own["v1"], own["q2"] / own["v1"], own["q2"] / own["v2"]
    rates = np.array([[-own["ka"], 0.0, 0.0], [own["ka"], -k10 - k12, k21], [0.0, k12, -k21]])
    value, vector = np.linalg.eig(rates)
    parts = np.real(vector[1] * np.linalg.inv(vector)[:, 0])
    since = hours[:, None] - doses[None, :]
    each = np.where(
        since[..., None] >= 0, np.exp(np.real(value) * np.maximum(since, 0.0)[..., None]) @ np.diag(parts), 0
    )
    told: Floats = (each.sum(axis=2) * amounts).sum(axis=1) / own["v1"]
    return np.maximum(told, np.finfo(float).tiny)


def _model(row: PooledRow) -> Model:
    names = ("circ0", "mtt", "gamma", f"{row.drug}.slope", *(f"{row.drug}.{name}" for name in row.kinetics))
    return Model(
        id=row.id,
        line="neutrophils",
        marrow="friberg",
        drugs=(DrugPart(drug=row.drug, dose_unit="ug", per_mg=1000.0, pk="compartments", compartments=2),),
        names=names,
        typical=np.ones(len(names)),
        random=(),
        omega=np.zeros((0, 0)),
        residual=Residual(kind="log", sd=1.0),
    )


class _Chains:
    """All chains at once. Arrays: typical values `hat` (K, C) and spreads `omega` (K, C) of what varies, people `theta`
    (K, N, C), `gamma` (C,) and `sd` (C,), all but spreads and error as logarithms; `error` (N, C) sums of squares."""

    def __init__(self, row: PooledRow, people: Sequence[Recorded], kinetics: Floats, seed: int) -> None:
        self.row, self.people, self.kinetics = row, people, kinetics
        self.rng = np.random.default_rng(seed)
        self.model = _model(row)
        self.hours = np.unique(np.concatenate([one.count_hours for one in people]))
        self.seen = np.full((self.hours.size, len(people)), np.nan)
        for at, one in enumerate(people):
            self.seen[np.searchsorted(self.hours, one.count_hours), at] = np.log(one.counts)
        self.counts = np.isfinite(self.seen).sum(axis=0)
        first = people[0]
        self.schedule = Schedule(
            hour=first.dose_hours,
            drug=(row.drug,) * first.dose_hours.size,
            amount=first.amounts,
            hours=np.zeros(first.dose_hours.size),
        )
        self.centre = np.array([np.log(row.priors[name][0]) for name in row.varies])[:, None]
        self.width = np.array([row.priors[name][1] for name in row.varies])[:, None]
        self.hat = self.centre + self.width * self._normal(len(row.varies))
        self.omega = np.exp(0.3 * self._normal(len(row.varies))) * 0.2
        self.theta = self.hat[:, None] + self.omega[:, None] * self._normal(len(row.varies), len(people))
        self.gamma = np.log(row.priors["gamma"][0]) + row.priors["gamma"][1] * self._normal()
        self.sd = np.full(CHAINS, 0.2)
        self.error = self._errors(self.theta, self.gamma)

    def _normal(self, *shape: int) -> Floats:
        return self.rng.standard_normal((*shape, CHAINS))

    def _errors(self, theta: Floats, gamma: Floats) -> Floats:
        """Sums of squares (N, C) of the logarithms of counts."""
        size = len(self.people)
        own = dict(zip(self.row.varies, np.exp(theta).reshape(len(theta), -1), strict=True))
        parts = [own["circ0"], own["mtt"], np.tile(np.exp(gamma), size), own["slope"]]
        lanes = np.concatenate([np.array(parts), np.repeat(self.kinetics.T, CHAINS, axis=1)])
        with np.errstate(over="ignore"):  # a proposal far off may run away; it is refused below
            run = batch_solver()(self.model, lanes, self.schedule, hours=self.hours)
        told = np.log(np.maximum(run.counts, 1e-9)).astype(np.float64).reshape(self.hours.size, size, CHAINS)
        found: Floats = np.nansum(np.square(told - self.seen[:, :, None]), axis=0)
        found[run.failed.reshape(size, CHAINS)] = np.inf
        return found

    def run(self, rounds: int) -> dict[str, Floats]:
        kept: dict[str, list[Floats]] = {name: [] for name in (*self.row.varies, "gamma", RESIDUAL)}
        for at in range(rounds):
            self._people()
            self._feedback()
            self._shift(at % len(self.hat))
            self._stretch(at % len(self.hat))
            self._alone()
            if at >= _WARM * rounds:
                for name, values in zip(self.row.varies, np.exp(self.hat), strict=True):
                    kept[name].append(values.copy())
                kept["gamma"].append(np.exp(self.gamma))
                kept[RESIDUAL].append(self.sd.copy())
        return {name: np.array(values) for name, values in kept.items()}

    def _likelihood(self, error: Floats) -> Floats:
        found: Floats = -0.5 * error / np.square(self.sd)
        return found

    def _accepted(self, gain: Floats) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = np.log(self.rng.random(gain.shape)) < gain
        return found

    def _people(self) -> None:
        step = _STEPS["people"] * self.omega[:, None] * self._normal(len(self.hat), len(self.people))
        tried = self.theta + step
        error = self._errors(tried, self.gamma)
        away, before = ((one - self.hat[:, None]) / self.omega[:, None] for one in (tried, self.theta))
        gain = self._likelihood(error) - self._likelihood(self.error)
        gain += 0.5 * (np.square(before) - np.square(away)).sum(axis=0)
        taken = self._accepted(gain)
        self.theta = np.where(taken, tried, self.theta)
        self.error = np.where(taken, error, self.error)

    def _feedback(self) -> None:
        middle, width = self.row.priors["gamma"]
        tried = self.gamma + _STEPS["feedback"] * self._normal()
        error = self._errors(self.theta, tried)
        prior = (np.square(self.gamma - np.log(middle)) - np.square(tried - np.log(middle))) / (2 * width**2)
        taken = self._accepted(self._gain(error) + prior)
        self.gamma = np.where(taken, tried, self.gamma)
        self.error = np.where(taken, error, self.error)

    def _gain(self, error: Floats) -> Floats:
        found: Floats = (self._likelihood(error) - self._likelihood(self.error)).sum(axis=0)
        return found

    def _shift(self, k: int) -> None:
        """A typical value and all people with it."""
        move = _STEPS["shift"] * self._normal()
        hat, theta = self.hat.copy(), self.theta.copy()
        hat[k] += move
        theta[k] += move
        error = self._errors(theta, self.gamma)
        prior = (np.square(self.hat[k] - self.centre[k]) - np.square(hat[k] - self.centre[k])) / (
            2 * self.width[k] ** 2
        )
        self._take(self._accepted(self._gain(error) + prior), hat, self.omega, theta, error)

    def _stretch(self, k: int) -> None:
        """A spread and the distances of all people with it."""
        move = _STEPS["stretch"] * self._normal()
        omega, theta = self.omega.copy(), self.theta.copy()
        omega[k] *= np.exp(move)
        theta[k] = self.hat[k] + (self.theta[k] - self.hat[k]) * np.exp(move)
        error = self._errors(theta, self.gamma)
        prior = self._cauchy(omega[k]) - self._cauchy(self.omega[k]) + move
        self._take(self._accepted(self._gain(error) + prior), self.hat, omega, theta, error)

    def _take(self, taken: NDArray[np.bool_], hat: Floats, omega: Floats, theta: Floats, error: Floats) -> None:
        self.hat, self.omega = np.where(taken, hat, self.hat), np.where(taken, omega, self.omega)
        self.theta, self.error = np.where(taken, theta, self.theta), np.where(taken, error, self.error)

    def _cauchy(self, value: Floats) -> Floats:
        found: Floats = -np.log1p(np.square(value / self.row.scale))
        return found

    def _alone(self) -> None:
        """Typical values given people; spreads and the error of a count given the rest. Nothing is solved."""
        many = len(self.people)
        precision = 1 / self.width**2 + many / np.square(self.omega)
        mean = (self.centre / self.width**2 + self.theta.sum(axis=1) / np.square(self.omega)) / precision
        self.hat = mean + self._normal(len(self.hat)) / np.sqrt(precision)
        squares = np.square(self.theta - self.hat[:, None]).sum(axis=1)
        self.omega = self._walked(self.omega, squares, many)
        self.sd = self._walked(self.sd, self.error.sum(axis=0), int(self.counts.sum()))

    def _walked(self, spread: Floats, squares: Floats, many: int) -> Floats:
        """A step of a spread with a half-Cauchy prior, given the sum of squares of so many."""
        tried = spread * np.exp(_STEPS["alone"] * self.rng.standard_normal(spread.shape))

        def height(one: Floats) -> Floats:
            found: Floats = self._cauchy(one) - (many - 1) * np.log(one) - 0.5 * squares / np.square(one)
            return found

        return np.where(self._accepted(height(tried) - height(spread)), tried, spread)
