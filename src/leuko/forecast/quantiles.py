"""Quantiles of many rows of draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leuko.forecast.model import Floats


def quantiles(values: Floats, levels: Sequence[float]) -> Floats:
    """Quantiles (..., L) of values (..., N) along their last axis, as `numpy.quantile` gives them and several times as
    fast: whole rows are sorted, where NumPy looks for each place."""
    rows = np.sort(values, axis=-1)
    place = (rows.shape[-1] - 1) * np.asarray(levels)
    low = np.floor(place).astype(np.intp)
    part, before, after = place - low, rows[..., low], rows[..., np.minimum(low + 1, rows.shape[-1] - 1)]
    rise = after - before
    found: Floats = np.where(part < 0.5, before + rise * part, after - rise * (1.0 - part))
    return found
