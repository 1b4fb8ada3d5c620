"""How much of a model's error lasts from one count to the next, by the knowledge (rows `swing`).

Published models print one residual error for each count, as if errors were new with every count. Counts of real people
stay above or below the course of their model for days. The whole variance of one count stays that of the source; the
row says how much of it is new with every count. The rest lasts, and the row says for how long.
"""

from __future__ import annotations

from math import log1p, sqrt

from leuko.forecast.model import Model, Residual
from leuko.frozen import replace
from leuko.knowledge import Library
from leuko.knowledge.schema.levels import SwingRow

_HOURS = 24.0


def swing_row(library: Library) -> SwingRow:
    """The row that speaks."""
    return library.rows(SwingRow)[0]


def with_swing(model: Model, library: Library) -> Model:
    """The model with a part of its error that lasts. An error relative to the count is taken as one of its logarithm
    with the same coefficient of variation; one that is neither stays as it is, new with every count."""
    residual, row = model.residual, swing_row(library)
    if residual.kind not in {"log", "proportional"} or residual.sd <= 0.0:
        return model
    sd = residual.sd if residual.kind == "log" else sqrt(log1p(residual.sd**2))
    lasting = max(1.0 - (row.noise / sd) ** 2, 0.0)
    return replace(model, residual=Residual(kind="log", sd=sd, lasting=lasting, fades=row.tau * _HOURS))


def swing_text(model: Model, library: Library) -> str:
    """What is assumed of the error, in words; "" where nothing of it lasts."""
    residual = model.residual
    if residual.lasting <= 0.0:
        return ""
    swing, own = (residual.sd * sqrt(share) for share in (residual.lasting, 1.0 - residual.lasting))
    return (
        f"of the model's error of {100 * residual.sd:.0f} % a swing of {100 * swing:.0f} % lasts and fades with"
        f" {residual.fades / _HOURS:.2g} days, {100 * own:.0f} % are new with every count"
        f" ({swing_row(library).title})"
    )
