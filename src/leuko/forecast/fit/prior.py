"""Where a person can lie before any of their counts is known, as a plain normal distribution.

A model's random effects are correlated and lognormal. Here they are written as theta = typical * exp(A z) with z
standard normal, so that every model, with or without variation between cycles, is the same problem for the sampler.

Variation between the cycles of one person is variation of a medicine's parameters from course to course: the medicine
is entered once per course, each with its own copy of its parameters, and z gains the deviations of that course. The
equations then need to know nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leuko.errors import UsageError
from leuko.forecast.model import DrugPart, Floats, Model, Schedule
from leuko.forecast.normal import normal_below
from leuko.frozen import Frozen, replace

# between the name of a medicine and the number of the course that its copy stands for
MARK = "@"
# Doses further apart than this [h] belong to two courses, where the caller does not say where courses begin.
APART = 48.0


class Prior(Frozen, frozen=True, kw_only=True):
    """theta = typical * exp(loading z), z ~ N(0, 1) in `size` dimensions, cut off where a ceiling is passed.

    `model` is the model that theta belongs to (one copy of each medicine per course). `loading` (P, Z). `inside` is the
    share of the uncut distribution below all ceilings.
    """

    model: Model
    loading: Floats
    ceilings: tuple[tuple[int, float], ...]
    inside: float
    rows: tuple[int, ...]

    @property
    def size(self) -> int:
        """Dimensions of z."""
        return int(self.loading.shape[1])

    def theta(self, z: Floats) -> Floats:
        """Parameters (P, N) of people at z (Z, N)."""
        theta = np.empty((self.model.typical.size, z.shape[1]))
        theta[:] = self.model.typical[:, None]
        scale = self.loading.take(self.rows, axis=0) @ z
        np.exp(scale, out=scale)
        for row, one in zip(self.rows, scale, strict=True):
            theta[row] *= one
        return theta

    def log_density(self, z: Floats) -> Floats:
        """Logarithm of the prior density at z (Z, N); minus infinity above a ceiling."""
        density: Floats = (
            -0.5 * np.einsum("zn,zn->n", z, z) - 0.5 * self.size * np.log(2.0 * np.pi) - np.log(self.inside)
        )
        for row, limit in self.ceilings:
            density[self.loading[row] @ z > limit] = -np.inf
        return density


def prior_of(model: Model, courses: int = 1) -> Prior:
    """The prior of a model, for a person who has had so many courses of treatment.

    Raises UsageError where a parameter that is no medicine's varies between cycles.
    """
    loading = _loading(model)
    if model.occasion is not None and np.any(model.occasion):
        model, loading = _with_courses(model, model.occasion, loading, courses)
    limits = [(model.at(name), float(np.log(limit / model.typical[model.at(name)]))) for name, limit in model.ceilings]
    varied = tuple((row, limit) for row, limit in limits if np.any(loading[row]))
    rows = tuple(int(row) for row in np.flatnonzero(np.any(loading != 0.0, axis=1)))
    return Prior(model=model, loading=loading, ceilings=varied, inside=_inside(loading, varied), rows=rows)


def _loading(model: Model) -> Floats:
    """A (P, R) with A A' the covariance of the logarithms of all parameters."""
    found = np.zeros((len(model.names), len(model.random)))
    if not model.random:
        return found
    root = _root(model.omega, f"omega of {model.id}")
    for row, name in enumerate(model.random):
        found[model.at(name)] = root[row]
    return found


def _root(covariance: Floats, what: str) -> Floats:
    """A lower triangular root; a covariance of less than full rank gets its symmetric one."""
    try:
        return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    except np.linalg.LinAlgError:
        value, vector = np.linalg.eigh(covariance)
        if value.min() < -1e-9 * max(value.max(), 1e-300):
            raise UsageError(
                f"{what} is no covariance: an eigenvalue is {value.min():.3g}", do="check the correlations of the model"
            ) from None
        root: Floats = vector * np.sqrt(np.clip(value, 0.0, None))
        return root


def _with_courses(model: Model, occasion: Floats, loading: Floats, courses: int) -> tuple[Model, Floats]:
    """The model with one copy of each varying medicine per course, and its loading."""
    root = _root(occasion, f"variation between the cycles of {model.id}")
    varying = {name: root[row] for row, name in enumerate(model.random) if occasion[row, row] > 0.0}
    split = {name.rsplit(".", 1)[0] for name in varying}
    known = {part.drug for part in model.drugs}
    if not split <= known:
        stray = ", ".join(sorted(split - known))
        raise UsageError(f"{model.id}: {stray} varies between cycles and belongs to no medicine of the model")
    names, typical, rows = [], [], []
    for at, name in enumerate(model.names):
        drug = name.rsplit(".", 1)[0] if "." in name else ""
        for course in range(courses) if drug in split else (None,):
            names.append(name if course is None else copy_of(drug, course) + name[len(drug) :])
            typical.append(model.typical[at])
            own = np.zeros((courses, len(model.random)))
            if course is not None and name in varying:
                own[course] = varying[name]
            rows.append(np.concatenate([loading[at], own.ravel()]))
    expanded = np.array(rows)
    kept = np.any(expanded != 0.0, axis=0)
    kept[: len(model.random)] = True
    parts = [part for drug in model.drugs for part in _copies(drug, courses if drug.drug in split else 0)]
    changed = replace(
        model, names=tuple(names), typical=np.array(typical), drugs=tuple(parts), random=(), occasion=None
    )
    return changed, expanded[:, kept]


def copy_of(drug: str, course: int) -> str:
    """The name of a medicine's copy for one course."""
    return f"{drug}{MARK}{course + 1}"


def _copies(part: DrugPart, courses: int) -> tuple[DrugPart, ...]:
    return tuple(replace(part, drug=copy_of(part.drug, course)) for course in range(courses)) if courses else (part,)


def _inside(loading: Floats, ceilings: tuple[tuple[int, float], ...]) -> float:
    """The share of the uncut prior below its ceilings: in closed form for one, else by a multivariate normal."""
    if not ceilings:
        return 1.0
    rows = [row for row, _ in ceilings]
    limits = np.array([limit for _, limit in ceilings])
    part = loading[rows]
    if len(rows) == 1:
        return max(float(normal_below(limits / np.linalg.norm(part[0]))[0]), np.finfo(float).tiny)
    from scipy.stats import multivariate_normal  # noqa: PLC0415

    found = multivariate_normal(cov=part @ part.T, allow_singular=True).cdf(limits)
    return max(float(found), np.finfo(float).tiny)


def courses_of(schedule: Schedule, starts: Sequence[float] = ()) -> tuple[float, ...]:
    """Hours at which courses begin: as given, else at every dose more than two days after the one before."""
    if starts:
        return tuple(sorted(float(start) for start in starts))
    hours = np.array(sorted(set(schedule.hour.tolist())))  # `np.unique` alone loads masked arrays: 10 ms
    if not hours.size:
        return (0.0,)
    return tuple(float(hour) for hour in hours[np.concatenate([[True], np.diff(hours) > APART])])


def by_course(schedule: Schedule, prior: Prior, starts: Sequence[float]) -> Schedule:
    """The schedule with each dose under the name that its medicine has in that course."""
    known = {part.drug for part in prior.model.drugs}
    course = np.clip(np.searchsorted(np.asarray(starts), schedule.hour, side="right") - 1, 0, None)
    names = [copy_of(drug, int(at)) for drug, at in zip(schedule.drug, course, strict=True)]
    return replace(
        schedule,
        drug=tuple(name if name in known else drug for name, drug in zip(names, schedule.drug, strict=True)),
    )
