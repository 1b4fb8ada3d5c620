"""One dose that acts on the marrow, wherever it comes from."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from leuko.frozen import Frozen

# record: given, as on record. ordered: an order, or as the regimen goes on. catalogue: no dose is on record.
# option: asked for.
Told = Literal["record", "ordered", "catalogue", "option"]


class Given(Frozen, frozen=True, kw_only=True):
    """One dose that acts: medicine, instant (aware), amount [mg] (None: not known, only the share), its share of what
    the medicine does in a usual cycle, hours of infusion, where it comes from, and the id of the record's dose."""

    drug: str
    at: datetime
    amount: float | None
    share: float
    hours: float = 0.0
    told: Told = "record"
    dose_id: str = ""
    cycle: int = 0
    day: int = 0
