"""A deviation that lasts: the true count swings about the model's course, and a count tells where the swing stands.

What a population model calls its residual error is partly the measurement's, new with every count, and partly a swing
of the true count that the equations do not hold. The swing is an Ornstein-Uhlenbeck process on the log scale: normal,
with the share `lasting` of the residual's variance, and a correlation of exp(-t / fades) between two hours t apart
(Uhlenbeck GE, Ornstein LS. On the theory of the Brownian motion. Phys Rev 1930;36:823-841). Counts close in time then
share their swing, and do not count twice; the swing of the last counts goes on from them, and fades.

The likelihood has the swing integrated out, so that the sampler sees parameters alone; courses draw it anew, given the
counts, beside each draw of the parameters (Matheron's rule; Doucet A. A note on efficient conditional simulation of
Gaussian distributions. 2010). A bound enters by its probability given the other counts; of several bounds each is
taken given those before it, by the moments of the truncated normal.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Final

import numpy as np

from leuko.forecast.fit.likelihood import Counts, log_likelihood
from leuko.forecast.model import Floats, Residual
from leuko.forecast.normal import log_normal_below, normal_at
from leuko.frozen import Frozen, replace

_LOG_TWO_PI: Final = float(np.log(2.0 * np.pi))
_STEP: Final = 1e-3
_LEAST_BEND: Final = 1e-3  # curvature of a report's density that counts as some
_SWEEPS: Final = 12  # through what several bounds hide


def swings(counts: Counts) -> bool:
    """Whether the counts share a swing, so that their densities do not simply multiply."""
    return counts.residual.lasting > 0.0 and counts.size > 1


def measured(residual: Residual) -> Residual:
    """The part of a residual that belongs to the measurement."""
    return replace(residual, sd=residual.sd * (1.0 - residual.lasting) ** 0.5, lasting=0.0, fades=float("inf"))


def _shared(first: Floats, second: Floats, residual: Residual) -> Floats:
    """The covariance (A, B) of the swing at two sets of hours."""
    found: Floats = (
        residual.lasting * residual.sd**2 * np.exp(-np.abs(first[:, None] - second[None, :]) / residual.fades)
    )
    return found


def covariance(counts: Counts) -> Floats:
    """The covariance (K, K) of the logarithms of reports about the model's course: swing, error, and counting."""
    residual = counts.residual
    own = (1.0 - residual.lasting) * residual.sd**2 + np.square(counts.noise)
    return _shared(counts.hour, counts.hour, residual) + np.diag(own)


def log_joint(log_true: Floats, counts: Counts) -> Floats:
    """Logarithm (N,) of the density of all reports together, bounds by their probability, given the model's courses
    (K, N). Not a number anywhere: likelihood zero."""
    if not swings(counts):
        alone: Floats = log_likelihood(log_true, counts).sum(axis=0)
        return alone
    exact, bounded = counts.side == 0, np.flatnonzero(counts.side)
    away = np.log(counts.value)[:, None] - log_true
    whole = covariance(counts)
    root: Floats = np.linalg.cholesky(whole[np.ix_(exact, exact)]).astype(np.float64)
    white: Floats = np.linalg.solve(root, away[exact]).astype(np.float64)
    found: Floats = -0.5 * np.einsum("kn,kn->n", white, white)
    found -= np.log(np.diag(root)).sum() + np.log(counts.value[exact]).sum() + 0.5 * exact.sum() * _LOG_TWO_PI
    if bounded.size:
        found += _of_bounds(away, whole, root, white, counts)
    found[~np.isfinite(log_true).all(axis=0)] = -np.inf
    return found


def _of_bounds(away: Floats, whole: Floats, root: Floats, white: Floats, counts: Counts) -> Floats:
    """Logarithm (N,) of the probability of all bounds given the exact counts."""
    mean, cov, bounded = _given(whole, root, white, counts)
    spread = np.repeat(cov[:, :, None], away.shape[1], axis=2)
    found = np.zeros(away.shape[1])
    for k, at in enumerate(bounded):
        side = -counts.side[at]  # +1 where the report lies below
        sd = np.sqrt(spread[k, k])
        z = side * (away[at] - mean[k]) / sd
        share = log_normal_below(z)
        found += share
        ratio = np.exp(-0.5 * z * z - 0.5 * _LOG_TWO_PI - share)
        gain = spread[:, k] / sd
        mean = mean - side * gain * ratio
        spread = spread - gain[:, None] * gain[None, :] * np.clip(ratio * (ratio + z), 0.0, 1.0)
    return found


def _given(
    whole: Floats, root: Floats, white: Floats, counts: Counts
) -> tuple[Floats, Floats, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Mean (B, N) and covariance (B, B) of what bounds hide, given the exact counts; and which counts are bounds."""
    exact, bounded = counts.side == 0, np.flatnonzero(counts.side)
    tied: Floats = np.linalg.solve(root, whole[np.ix_(exact, bounded)]).astype(np.float64)
    return tied.T @ white, whole[np.ix_(bounded, bounded)] - tied.T @ tied, bounded


class Plain(Frozen, frozen=True, kw_only=True):
    """Counts that are normal on the log scale, made ready to be asked about a few courses again and again: logarithms
    of the reports (K,), the inverse of the covariance of the exact ones (K, K; zeros where a bound stands), and the
    logarithm of their density where they lie on the course. A bound is alone: which they are, their sides, their SD."""

    reported: Floats
    sharp: Floats
    level: float
    bounded: np.ndarray[tuple[int], np.dtype[np.intp]]
    side: Floats
    sd: Floats

    def judge(self, log_true: Floats) -> tuple[Floats, Callable[[int], tuple[Floats, Floats]]]:
        """The density (N,) as `log_joint` has it, and what gives slope (K,) and curvature (K, K) of one course as
        `slopes` has them."""
        away = self.reported[:, None] - log_true
        slope: Floats = self.sharp @ away
        found: Floats = self.level - 0.5 * (away * slope).sum(axis=0)
        bend = None
        if self.bounded.size:
            far = self.side * away[self.bounded] / self.sd
            share = log_normal_below(far)
            found += share.sum(axis=0)
            with np.errstate(invalid="ignore"):  # a course that is no number has no slope either
                ratio = np.exp(-0.5 * far * far - 0.5 * _LOG_TWO_PI - share)
                slope[self.bounded] = -self.side * ratio / self.sd
                bend = np.maximum(ratio * (far + ratio) / self.sd**2, _LEAST_BEND)
        found[~np.isfinite(found)] = -np.inf

        def at(one: int) -> tuple[Floats, Floats]:
            if bend is None:
                return slope[:, one], self.sharp
            weight = self.sharp.copy()
            weight[self.bounded, self.bounded] = bend[:, one]
            return slope[:, one], weight

        return found, at


def plain(counts: Counts) -> Plain | None:
    """None where reports are not normal on the log scale, or a bound shares its swing with other counts."""
    if counts.residual.kind != "log" or (counts.side.any() and swings(counts)):
        return None
    reported, exact = np.log(counts.value), counts.side == 0
    if swings(counts):
        whole = covariance(counts)
        sharp, level = np.linalg.inv(whole), -0.5 * float(np.linalg.slogdet(whole)[1])
    else:
        each = (counts.residual.sd**2 + np.square(counts.noise)) ** -1.0
        sharp, level = np.diag(np.where(exact, each, 0.0)), 0.5 * float(np.log(each[exact]).sum())
    bounded = np.flatnonzero(counts.side)
    return Plain(
        reported=reported,
        sharp=np.asarray(sharp, dtype=np.float64),
        level=level - float(reported[exact].sum()) - 0.5 * float(exact.sum()) * _LOG_TWO_PI,
        bounded=bounded,
        side=-counts.side[bounded, None].astype(np.float64),
        sd=np.hypot(counts.residual.sd, counts.noise[bounded, None]),
    )


def slopes(log_true: Floats, counts: Counts) -> tuple[Floats, Floats]:
    """Of the joint density: first derivatives (K, N) by the logarithm of each true count, and its curvature (N, K, K)
    with the sign turned, for bounds that of each alone."""
    about = np.concatenate([log_true - _STEP, log_true, log_true + _STEP], axis=1)
    low, middle, high = np.split(log_likelihood(about, counts), 3, axis=1)
    with np.errstate(invalid="ignore"):  # a course that is no number has no slope either
        curve = np.maximum(-(high - 2.0 * middle + low) / _STEP**2, _LEAST_BEND)
        alone = (high - low) / (2.0 * _STEP)
    if not swings(counts):
        return alone, curve.T[:, :, None] * np.eye(counts.size)
    shared = _shared(counts.hour, counts.hour, counts.residual)
    own = np.maximum(1.0 / curve - np.diag(shared)[:, None], 1e-6)
    sharp: Floats = np.linalg.inv(shared + own.T[:, :, None] * np.eye(counts.size)).astype(np.float64)
    if not np.any(counts.side):
        return np.einsum("nkl,ln->kn", sharp, np.log(counts.value)[:, None] - log_true), sharp
    moved = log_true[:, :, None, None] + _STEP * np.eye(counts.size)[:, None, :, None] * np.array([-1.0, 1.0])
    joint = log_joint(moved.reshape(counts.size, -1), counts).reshape(log_true.shape[1], counts.size, 2)
    return (joint[:, :, 1] - joint[:, :, 0]).T / (2.0 * _STEP), sharp


def free(hours: Floats, many: int, residual: Residual, rng: np.random.Generator) -> Floats:
    """The swing (T, N) of so many people at hours in time order, where no count tells of it."""
    if residual.lasting <= 0.0:
        return np.zeros((hours.size, many))
    return _walk(_level(residual) * rng.standard_normal(many), np.diff(hours), residual, rng)


def _level(residual: Residual) -> float:
    """The SD of the swing."""
    return float(residual.lasting**0.5 * residual.sd)


class Told:
    """What counts tell of the swing of many people: `reports` (K, N) how far each report, or what a bound hides, lies
    from the model's course. What a swing gains after the last count is drawn once, however often it is asked for."""

    def __init__(self, counts: Counts, reports: Floats, seed: int) -> None:
        self._counts, self._reports, self._seed = counts, reports, seed
        self._gains: dict[tuple[float, float], _Gains] = {}

    def at(self, hours: Floats) -> Floats:
        """The swing (T, N) on the log scale at hours in time order.

        Beyond the last count the same `seed` gives the same swing at the same hours, whatever else is asked for, as
        long as the steps between hours are the same.
        """
        counts, reports, residual = self._counts, self._reports, self._counts.residual
        found = np.empty((hours.size, reports.shape[1]))
        if not counts.size:
            normal: Floats = np.random.default_rng((self._seed, 1)).standard_normal(reports.shape[1:])
            self._onward(min(0.0, float(hours[0])), _level(residual) * normal, hours, found)
            return found
        last = float(counts.hour[-1])
        known = int(np.searchsorted(hours, last, side="right"))
        if known:
            past = _back(np.append(hours[:known], last), reports, counts, np.random.default_rng((self._seed, 3)))
            found[:known] = past[:-1]
            begin = past[-1]
        else:
            begin = _at_last(reports, counts, np.random.default_rng((self._seed, 1)))
        if known < hours.size:
            self._onward(last, begin, hours[known:], found[known:])
        return found

    def _onward(self, start: float, begin: Floats, hours: Floats, found: Floats) -> None:
        """The swing at hours after `start`, where it is `begin` (N,), into `found` (T, N).

        Even steps are walked from the start on, so that two plans whose hours begin at other times meet the same swing.
        """
        steps = np.diff(hours)
        even = bool(steps.size and np.allclose(steps, steps[0]))
        before = np.zeros(0)
        if even:
            many = int(np.ceil((hours[0] - start) / steps[0] - 1e-6)) - 1
            before = hours[0] - steps[0] * np.arange(many, 0, -1)
        gaps = np.maximum(np.diff(np.concatenate([[start], before, hours])), 0.0)
        key = (round(float(gaps[0]), 6), round(float(gaps[-1]), 6))
        gains = self._gains.get(key) if even else None
        if gains is None:
            gains = _Gains(self._counts.residual, begin.size, self._seed)
        if even:
            self._gains[key] = gains
        kept = np.exp(-np.cumsum(gaps)[before.size :] / self._counts.residual.fades)
        np.multiply(kept[:, None], begin, out=found)
        found += gains.after(gaps)[before.size :]


class _Gains:
    """What the swing of many people gains from nothing on, gap by gap: drawn as far as it has been asked for."""

    def __init__(self, residual: Residual, many: int, seed: int) -> None:
        self._residual, self._rng = residual, np.random.default_rng((seed, 1))
        self._rng.standard_normal(many)  # those of the swing at the start
        self._found, self._lock = np.zeros((0, many)), Lock()  # one plan may be asked about by several at once

    def after(self, gaps: Floats) -> Floats:
        """The gain (G, N) after each gap [h]."""
        with self._lock:
            have, many = self._found.shape
            if gaps.size > have:
                begin = self._found[-1] if have else np.zeros(many)
                more = _walk(begin, gaps[have:], self._residual, self._rng)[1:]
                self._found = np.concatenate([self._found, more]) if have else more
            return self._found[: gaps.size]


def told_by(counts: Counts, log_true: Floats, *, seed: int) -> Told:
    """What counts tell of the swing of people whose model courses at them are `log_true` (K, N)."""
    return Told(counts, _latent(log_true, counts, np.random.default_rng((seed, 2))), seed)


def drawn(hours: Floats, log_true: Floats, counts: Counts, *, seed: int) -> Floats:
    """The swing (T, N) on the log scale at hours in time order, given the counts, for model courses (K, N) at them."""
    return told_by(counts, log_true, seed=seed).at(hours)


def _latent(log_true: Floats, counts: Counts, rng: np.random.Generator) -> Floats:
    """How far each report lies from the model's course (K, N), what bounds hide drawn given the other counts."""
    away = np.log(counts.value)[:, None] - log_true
    if not np.any(counts.side):
        return away
    exact, whole = counts.side == 0, covariance(counts)
    root: Floats = np.linalg.cholesky(whole[np.ix_(exact, exact)]).astype(np.float64)
    white: Floats = np.linalg.solve(root, away[exact]).astype(np.float64)
    mean, cov, bounded = _given(whole, root, white, counts)
    found = away.copy()
    for k, at in enumerate(bounded):
        side, sd = -counts.side[at], float(np.sqrt(cov[k, k]))
        z = side * (away[at] - mean[k]) / sd
        drawn_z = normal_at(np.log(rng.uniform(size=z.size)) + log_normal_below(z))
        found[at] = mean[k] + side * sd * drawn_z
        gain = cov[:, k] / cov[k, k]
        mean, cov = mean + gain[:, None] * (found[at] - mean[k]), cov - np.outer(gain, cov[k])
    if bounded.size > 1:
        _settle(found, away, whole, counts, rng)
    return found


def _settle(found: Floats, away: Floats, whole: Floats, counts: Counts, rng: np.random.Generator) -> None:
    """What several bounds hide, drawn in their place given all the others (Gibbs): one after the other alone, each
    would know of the bounds before it and not of those behind."""
    sharp = np.linalg.inv(whole)
    for _ in range(_SWEEPS):
        for at in np.flatnonzero(counts.side):
            side, sd = -counts.side[at], float(sharp[at, at] ** -0.5)
            mean = found[at] - sharp[at] @ found / sharp[at, at]
            z = side * (away[at] - mean) / sd
            found[at] = mean + side * sd * normal_at(np.log(rng.uniform(size=z.size)) + log_normal_below(z))


def _at_last(reports: Floats, counts: Counts, rng: np.random.Generator) -> Floats:
    """The swing (N,) at the last count."""
    tie = _shared(counts.hour[-1:], counts.hour, counts.residual)[0]
    gain = np.linalg.solve(covariance(counts), tie)
    left = max(counts.residual.lasting * counts.residual.sd**2 - float(gain @ tie), 0.0)
    found: Floats = gain @ reports + np.sqrt(left) * rng.standard_normal(reports.shape[1])
    return found


def _back(hours: Floats, reports: Floats, counts: Counts, rng: np.random.Generator) -> Floats:
    """The swing (T, N) at hours up to the last count: a course from nothing, moved by what the counts say of it."""
    residual, many = counts.residual, reports.shape[1]
    every, where = np.unique(np.concatenate([hours, counts.hour]), return_inverse=True)
    loose = free(every, many, residual, rng)[where]
    own = np.sqrt((1.0 - residual.lasting) * residual.sd**2 + np.square(counts.noise))
    made = loose[hours.size :] + own[:, None] * rng.standard_normal(reports.shape)
    gain = np.linalg.solve(covariance(counts), _shared(counts.hour, hours, residual)).T
    moved: Floats = loose[: hours.size] + gain @ (reports - made)
    return moved


def _walk(begin: Floats, gaps: Floats, residual: Residual, rng: np.random.Generator) -> Floats:
    """The swing (G + 1, N) from `begin` on, after each gap [h]."""
    kept = np.exp(-gaps / residual.fades)
    new = _level(residual) * np.sqrt(-np.expm1(-2.0 * gaps / residual.fades))
    found = np.empty((gaps.size + 1, begin.size))
    found[0] = begin
    rng.standard_normal(out=found[1:])
    found[1:] *= new[:, None]
    for at in range(gaps.size):
        found[at + 1] += kept[at] * found[at]
    return found
