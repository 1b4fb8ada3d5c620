"""What the exact chain needs to know of a grid: which past nodes each step looks at, and the weights of its quadrature.

Plain arrays, so that no compiler is loaded for them; `chain` holds what is compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from leuko.forecast.model import Floats
from leuko.forecast.solve.rows import PAST

GAUSS = 6  # nodes of the quadrature
REACH = 12.0  # hours between the nodes before the start
CLOSE = 0.6  # past nodes nearer together than this share of the step are passed over


def plan(steps: Floats) -> tuple[Any, Floats]:
    """Which past nodes (S, 3) each step extrapolates the feedback from besides its start, and the coefficients
    (S, 12): of a cubic at the middle and the end of the step, then, corrected, at its middle.

    The nodes are numbered as rows of the history: three before the start, then one for the start of each step.
    """
    nodes = np.concatenate([-REACH * np.arange(PAST, 0, -1), [0.0], np.cumsum(steps)])
    now = np.arange(len(steps)) + PAST
    rows = _past(nodes, now, steps)
    at = (nodes[np.column_stack([now, rows])] - nodes[now][:, None]) / steps[:, None]
    corrected = np.column_stack([np.zeros(len(steps)), np.ones(len(steps)), at[:, 1:3]])
    return rows, np.concatenate(list(_lagrange(np.stack([at, at, corrected]), np.array([0.5, 1.0, 0.5]))), axis=1)


def _past(nodes: Floats, now: Any, steps: Floats) -> Any:
    """Three past nodes (S, 3) of each step, the nearest first, not too close to one another while there is a choice."""
    chosen, last = [], now
    for left in (2, 1, 0):
        far = np.searchsorted(nodes, nodes[last] - CLOSE * steps, side="right") - 1
        last = np.maximum(np.minimum(far, last - 1), left)
        chosen.append(last)
    return np.stack(chosen, axis=1)


def _lagrange(at: Floats, where: Floats) -> Floats:
    """What each of four values gives to the cubic through them, (C, S, 4), at a place of its own for each (C,)."""
    found = np.ones_like(at)
    for one in range(4):
        for other in range(4):
            if other != one:
                found[..., one] *= (where[:, None] - at[..., other]) / (at[..., one] - at[..., other])
    return found


def _legendre(many: int) -> tuple[Floats, Floats]:
    """Nodes and weights of Gauss and Legendre's rule on 0..1 (Golub GH, Welsch JH. Math Comp 1969;23:221-230)."""
    k = np.arange(1.0, many)
    beside = np.diag(k / np.sqrt(4.0 * k * k - 1.0), 1)
    nodes, vectors = np.linalg.eigh(beside + beside.T)
    return 0.5 * (nodes + 1.0), np.square(vectors[0])


def rule() -> Floats:
    """(6, 4): for each node the share of the step that is left behind it, and its weight in each value of P."""
    u, weights = _legendre(GAUSS)
    basis = (2 * (u - 0.5) * (u - 1), 4 * u * (1 - u), 2 * u * (u - 0.5))
    return np.stack([1 - u, *(weights * one for one in basis)], axis=1)
