"""This person's posterior: what their counts say of the parameters of a marrow model, and of the counts to come."""

from __future__ import annotations

from leuko.forecast.fit.mode import Mode as Mode
from leuko.forecast.fit.posterior import Posterior as Posterior
from leuko.forecast.fit.posterior import fit as fit
from leuko.forecast.fit.posterior import mode_of as mode_of

__all__ = ["Mode", "Posterior", "fit", "mode_of"]
