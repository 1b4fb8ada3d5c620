"""The day by which the service assesses: no result waits until the service's own day has come.

A count drawn after the day of an assessment is set aside. At the place of the draw it may be past midnight when it is
not yet here, and the clock of a sender may be ahead: such a count would be kept out, and nothing would ask again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from leuko.ages import first_day
from leuko.record import Count

# By so much a sender's zone and clock may be ahead of ours; what is later still is a slip, set aside with a notice.
AHEAD: Final = timedelta(days=1)


def day_of(counts: Iterable[Count], *, now: datetime, zone: tzinfo) -> date:
    """Today in the zone of the service, or the day of a later count that can be no more than a clock ahead."""
    moments = (count.taken for count in counts if count.taken is not None and count.taken.at <= now + AHEAD)
    return max((now.astimezone(zone).date(), *map(first_day, moments)))
