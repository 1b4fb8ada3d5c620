"""Medicines: which one a dose is of, when it was taken, and whether it could have lowered the counts.

names, identify   -> which medicine (codes, names; never a guess)
exposure          -> stretches of time on it
timing, response  -> onset against its usual window; stopping, giving again
answers, causality -> Naranjo, WHO-UMC, Bénichou, item by item
findings, say, links -> one link for each medicine and episode, ranked
"""

from __future__ import annotations

from leuko.drugs.identify import identify
from leuko.drugs.links import exposures_of, links_of

__all__ = ["exposures_of", "identify", "links_of"]
