"""Numbers as they are written, in the unit of their analyte, where nothing about them asks for a look."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from leuko.cohort.kernel.compiled import cached

_EXACT = float(1 << 53)  # every whole number up to here is a float


class Ways(NamedTuple):
    """How the numbers of each kind are read, as `leuko.cohort.read.keys.Plan` says; `able`: whether they may be at all.

    A value v with `least` < v < `most`, or v = 0, is v * `over` / `under` [unit of the analyte].
    """

    able: Any
    over: Any
    under: Any
    least: Any
    most: Any


def _converted(ways, kind, number, value, odd):
    """Writes the `value` of each number of a kind, and whether it is `odd`: to be looked at; how many of these."""
    many = 0
    for at in range(len(number)):
        own, of = number[at], kind[at]
        found, plain = np.nan, ways.able[of] and np.isfinite(own)
        if plain:
            over, under = ways.over[of], ways.under[of]
            if over == 1.0 and under == 1.0:
                found = own
            elif own == np.floor(own) and abs(own) * over < _EXACT:
                found = own * over / under
            plain = found == 0.0 or (found > ways.least[of] and found < ways.most[of])
        value[at], odd[at] = found, not plain
        many += not plain
    return many


converted: Any = cached(_converted, error_model="numpy")
