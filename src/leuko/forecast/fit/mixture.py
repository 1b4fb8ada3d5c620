"""Mixtures of multivariate t distributions: to draw from, to know the density of, to fit to weighted draws."""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leuko.forecast.model import Floats

# Degrees of freedom: tails that cover a posterior somewhat wider than the draws it was fitted to.
FREEDOM: Final = 5.0
PARTS: Final = 3
# Draws that a mixture is fitted to, and how often its parts are re-assigned.
_USED: Final = 400
_ROUNDS: Final = 5
# Share of the whole covariance that each part keeps, so that none collapses.
_KEPT: Final = 0.08
_FEW: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Shares (M,), centres (M, Z) and lower triangular roots (M, Z, Z) of the parts."""

    share: Floats
    centre: Floats
    root: Floats

    def draw(self, size: int, rng: np.random.Generator) -> Floats:
        """Draws (Z, size); each part gets its share of them."""
        edges = np.round(np.cumsum(self.share) * size).astype(int)
        many = np.diff(np.concatenate([[0], edges]))
        normal = rng.standard_normal((self.centre.shape[1], size))
        normal /= np.sqrt(rng.chisquare(FREEDOM, size) / FREEDOM)
        found = np.empty_like(normal)
        stop = 0
        for part, count in enumerate(many):
            start, stop = stop, stop + int(count)
            found[:, start:stop] = self.centre[part][:, None] + self.root[part] @ normal[:, start:stop]
        return found

    def log_density(self, z: Floats) -> Floats:
        """Logarithm of the density at z (Z, N)."""
        size = self.centre.shape[1]
        constant = lgamma((FREEDOM + size) / 2) - lgamma(FREEDOM / 2) - 0.5 * size * np.log(FREEDOM * np.pi)
        found = np.full(z.shape[1], -np.inf)
        for share, centre, root in zip(self.share, self.centre, self.root, strict=True):
            inverse = np.linalg.inv(root)
            far = inverse @ z - (inverse @ centre)[:, None]
            square = np.einsum("zn,zn->n", far, far)
            level = np.log(share) + constant - np.log(np.diag(root)).sum()
            part = level - 0.5 * (FREEDOM + size) * np.log1p(square / FREEDOM)
            found = part if np.isneginf(found[0]) else np.logaddexp(found, part)
        return found

    def wider(self, size: int) -> Mixture:
        """The same with further dimensions, each standard normal in scale and independent (new courses)."""
        old = self.centre.shape[1]
        centre = np.zeros((len(self.share), size))
        centre[:, :old] = self.centre
        root = np.tile(np.eye(size), (len(self.share), 1, 1))
        root[:, :old, :old] = self.root
        return Mixture(share=self.share, centre=centre, root=root)


def joined(first: Mixture, second: Mixture, share: float) -> Mixture:
    """Two mixtures in one; `share` is that of the second."""
    return Mixture(
        share=np.concatenate([first.share * (1.0 - share), second.share * share]),
        centre=np.concatenate([first.centre, second.centre]),
        root=np.concatenate([first.root, second.root]),
    )


def at(centre: Floats, covariance: Floats) -> Mixture:
    """One part."""
    return Mixture(
        share=np.ones(1), centre=centre[None], root=np.asarray(np.linalg.cholesky(covariance)[None], dtype=np.float64)
    )


def systematic(weights: Floats, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of `size` draws in proportion to weights that sum to 1 (systematic resampling: least variance)."""
    places = (np.arange(size) + rng.random()) / size
    edge = np.cumsum(weights)
    found: NDArray[np.int64] = np.minimum(np.searchsorted(edge, places * edge[-1]), weights.size - 1)
    return found


def fitted(z: Floats, weights: Floats, rng: np.random.Generator, *, parts: int = PARTS) -> Mixture:
    """A mixture fitted to draws z (Z, N) with weights that sum to 1, by a few rounds of expectation-maximisation.

    The parts start as slices along the longest axis of the cloud: posteriors of a marrow are bent, rarely scattered.
    """
    cloud = z[:, systematic(weights, _USED, rng)]
    whole, mean = np.atleast_2d(np.cov(cloud)) + 1e-6 * np.eye(len(z)), cloud.mean(axis=1)
    along = np.linalg.eigh(whole)[1][:, -1] @ cloud
    place = np.searchsorted(np.sort(along), along) * parts // _USED
    belongs = (place == np.arange(parts)[:, None]).astype(float)
    found = _parts(cloud, belongs, whole, mean)
    for _ in range(_ROUNDS):
        found = _parts(cloud, _belonging(found, cloud), whole, mean)
    return found


def _parts(cloud: Floats, belongs: Floats, whole: Floats, mean: Floats) -> Mixture:
    many = belongs.sum(axis=1)
    share = np.maximum(many / many.sum(), _FEW)
    centre = np.where(many[:, None] > 1.0, belongs @ cloud.T / np.maximum(many[:, None], 1.0), mean)
    root = np.empty((len(many), len(cloud), len(cloud)))
    for part in range(len(many)):
        far = cloud - centre[part][:, None]
        own = (belongs[part] * far) @ far.T / max(many[part], 1.0)
        root[part] = np.linalg.cholesky(own + _KEPT * whole)
    return Mixture(share=share / share.sum(), centre=centre, root=root)


def _belonging(mixture: Mixture, cloud: Floats) -> Floats:
    """Probability (M, N) of each part for each draw, parts taken as normal."""
    level = np.empty((len(mixture.share), cloud.shape[1]))
    for part, (share, centre, root) in enumerate(zip(mixture.share, mixture.centre, mixture.root, strict=True)):
        inverse = np.linalg.inv(root)
        far = inverse @ cloud - (inverse @ centre)[:, None]
        level[part] = np.log(share) - np.log(np.diag(root)).sum() - 0.5 * np.einsum("zn,zn->n", far, far)
    level -= level.max(axis=0)
    np.exp(level, out=level)
    found: Floats = level / level.sum(axis=0)
    return found
