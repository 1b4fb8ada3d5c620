"""Which rows of some columns of text say the same, told by where and what their texts are, without reading them."""

from __future__ import annotations

from typing import Any

import numpy as np

from leuko.cohort.kernel.compiled import cached

_FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)  # odd, their bits without a pattern


def _told_apart(before, views, keys, first, out):
    """Numbers the pairs of a number `before` and a view [2 words each], in order of appearance; how many there are.

    `keys` (M, 4), M a power of two, must hold zeros; `first` (M // 2) takes the row of each pair, `out` its number.
    -1 where more pairs were met than `first` holds.
    """
    many, mask = 0, np.uint64(len(keys) - 1)
    one, two, three = np.uint64(_FACTORS[0]), np.uint64(_FACTORS[1]), np.uint64(_FACTORS[2])
    for row in range(len(out)):
        number, low, high = np.uint64(before[row]), views[2 * row], views[2 * row + 1]
        mixed = (number * one) ^ (low * two) ^ (high * three)
        at = (mixed ^ (mixed >> np.uint64(32))) & mask
        while keys[at, 3] != 0 and (keys[at, 0] != number or keys[at, 1] != low or keys[at, 2] != high):
            at = (at + np.uint64(1)) & mask
        if keys[at, 3] == 0:
            if many == len(first):
                return -1
            first[many] = row
            many += 1
            keys[at, 0], keys[at, 1], keys[at, 2], keys[at, 3] = number, low, high, np.uint64(many)
        out[row] = keys[at, 3] - np.uint64(1)
    return many


told_apart: Any = cached(_told_apart, error_model="numpy")
