"""Mixtures of multivariate t distributions: to draw from, to know the density of, to fit to weighted draws."""

from __future__ import annotations

from math import lgamma
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leuko.forecast.model import Floats
from leuko.frozen import Frozen

# Degrees of freedom: tails that cover a posterior somewhat wider than the draws it was fitted to.
FREEDOM: Final = 5.0
PARTS: Final = 3
# Draws that a mixture is fitted to, and how often its parts are re-assigned.
_USED: Final = 400
_ROUNDS: Final = 5
# Share of the whole covariance that each part keeps, so that none collapses.
_KEPT: Final = 0.08
_FEW: Final = 1e-3


class Mixture(Frozen, frozen=True, kw_only=True):
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
        square, level = _squares(self, z)
        square *= 1.0 / FREEDOM
        parts = np.log1p(square, out=square)
        parts *= -0.5 * (FREEDOM + size)
        parts += (level + constant)[:, None]
        return log_sum(parts)

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
    size, mean = len(z), cloud.mean(axis=1)
    far = cloud - mean[:, None]
    products = (far[:, None, :] * far).reshape(size * size, _USED)
    whole = products.sum(axis=1).reshape(size, size) / (_USED - 1) + 1e-6 * np.eye(size)
    along = np.linalg.eigh(whole)[1][:, -1] @ far
    place = np.searchsorted(np.sort(along), along) * parts // _USED
    features = np.concatenate([products, far, np.ones((1, _USED))])
    found = _parts((place == np.arange(parts)[:, None]) @ features.T, whole)
    for _ in range(_ROUNDS):
        found = _parts(_belonging(found, features) @ features.T, whole)
    return Mixture(share=found.share, centre=found.centre + mean, root=found.root)


def log_sum(parts: Floats) -> Floats:
    """Logarithm (N,) of the sum of what rows (M, N) are the logarithms of, in their place: several times as fast as
    NumPy's own for two."""
    most: Floats = parts.max(axis=0)
    parts -= most
    most += np.log(np.exp(parts, out=parts).sum(axis=0))
    return most


def _squares(mixture: Mixture, z: Floats) -> tuple[Floats, Floats]:
    """Of each part the squared distance (M, N) of draws z (Z, N) from its centre, in units of its root, and the
    logarithm (M,) of its share over the root's determinant."""
    inverse = np.linalg.inv(mixture.root)
    far = (inverse.reshape(-1, len(z)) @ z).reshape(*inverse.shape[:2], z.shape[1])
    far -= inverse @ mixture.centre[:, :, None]
    level: Floats = np.log(mixture.share) - np.log(np.diagonal(mixture.root, axis1=1, axis2=2)).sum(axis=1)
    return np.einsum("mzn,mzn->mn", far, far), level


def _parts(sums: Floats, whole: Floats) -> Mixture:
    """Parts from the sums (M, Z Z + Z + 1) of the features of what belongs to each."""
    size = len(whole)
    many = sums[:, -1]
    share = np.maximum(many / many.sum(), _FEW)
    some = np.maximum(many, 1.0)[:, None]
    centre = np.where(many[:, None] > 1.0, sums[:, -1 - size : -1] / some, 0.0)
    own = (sums[:, : size * size] / some).reshape(-1, size, size) - centre[:, :, None] * centre[:, None, :]
    root = np.asarray(np.linalg.cholesky(own + _KEPT * whole), dtype=np.float64)
    return Mixture(share=share / share.sum(), centre=centre, root=root)


def _belonging(mixture: Mixture, features: Floats) -> Floats:
    """Probability (M, N) of each part for each draw, parts taken as normal: its logarithm is a polynomial of second
    degree, by the products of a draw's coordinates, the coordinates, and one (Z Z + Z + 1, N)."""
    inverse = np.linalg.inv(mixture.root)
    sharp = inverse.transpose(0, 2, 1) @ inverse
    pull = (sharp @ mixture.centre[:, :, None])[:, :, 0]
    level = np.log(mixture.share) - np.log(np.diagonal(mixture.root, axis1=1, axis2=2)).sum(axis=1)
    level -= 0.5 * (pull * mixture.centre).sum(axis=1)
    found: Floats = np.concatenate([-0.5 * sharp.reshape(len(pull), -1), pull, level[:, None]], axis=1) @ features
    found -= found.max(axis=0)
    np.exp(found, out=found)
    found /= found.sum(axis=0)
    return found
