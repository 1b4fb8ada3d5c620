"""Whether an age that may be a span lies in a band of ages."""

from __future__ import annotations

from leuko.ages import UNKNOWN, AgeSpan, ages_to_try
from leuko.knowledge.schema import Ages


def age_in(band: Ages, span: AgeSpan) -> bool | None:
    """Yes or no where every age that is possible agrees, else None."""
    if span == UNKNOWN:
        return None
    limits = (limit for limit in (band.low_days, band.high_days) if limit is not None)
    found = {band.holds(age) for age in ages_to_try(limits, span)}
    return found.pop() if len(found) == 1 else None
