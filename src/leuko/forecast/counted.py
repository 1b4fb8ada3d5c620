"""The counts of one person as a fit takes them: hours, values, bounds, and what the counting itself adds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np

from leuko.forecast.case import DAY, HOUR, Case
from leuko.forecast.fit.noise import from_differential
from leuko.forecast.model import Observed
from leuko.frozen import Frozen
from leuko.record import Count
from leuko.wording import say_date


class Seen(Frozen, frozen=True, kw_only=True):
    """The counts used, in time order, what was assumed of them, and their ids."""

    at: tuple[datetime, ...]
    values: tuple[float, ...]
    bounds: tuple[str, ...]
    noise: tuple[float, ...]
    ids: tuple[str, ...]
    texts: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.at)

    def observed(self, origin: datetime) -> Observed:
        """The same in hours from an origin."""
        return Observed(
            hour=np.array([(at - origin) / HOUR for at in self.at], dtype=np.float64),
            value=np.array(self.values, dtype=np.float64),
            bound=self.bounds,
            noise=np.array(self.noise, dtype=np.float64),
        )


def seen_of(case: Case, analyte: str, *, since: datetime | None = None) -> Seen:
    """The dated counts of an analyte up to the day of assessment, from `since` on."""
    counts = [(case.instant(count.taken), count) for count in case.series.get(analyte, ()) if count.taken is not None]
    counts = [(at, count) for at, count in counts if at <= case.now and (since is None or at >= since)]
    counts.sort(key=lambda pair: pair[0])
    by_id = {count.id: count for count in case.record.counts}
    rows = [_row(count, by_id, case) for _, count in counts]
    texts = [*_hours_said([count for _, count in counts], case), *_bounds_said([row[1] for row in rows])]
    return Seen(
        at=tuple(at for at, _ in counts),
        values=tuple(row[0] for row in rows),
        bounds=tuple(row[1] for row in rows),
        noise=tuple(row[2] for row in rows),
        ids=tuple(count.id for _, count in counts),
        texts=(*texts, *dict.fromkeys(row[3] for row in rows if row[3])),
    )


def _hours_said(counts: Sequence[Count], case: Case) -> list[str]:
    some = any(count.taken is not None and not count.taken.has_time for count in counts)
    return [f"counts without an hour: {case.rules['count_hour']:g}:00 is taken"] if some else []


def _bounds_said(bounds: Sequence[str]) -> list[str]:
    some = sum(bound != "=" for bound in bounds)
    be = "is" if some == 1 else "are"
    return [f"{some} of {len(bounds)} counts {be} only a bound: at most, or at least, so much"] if some else []


def _row(count: Count, by_id: dict[str, Count], case: Case) -> tuple[float, str, float, str]:
    """Value, bound, noise and text of one count."""
    if count.value <= 0.0:
        limit = case.rules["zero_count"]
        when = say_date(count.taken.day) if count.taken is not None else ""
        return limit, "<", 0.0, f"the count of {when} is printed as 0: taken as below {limit:g}"
    if count.kind != "derived" or count.bound != "=":
        return count.value, count.bound, 0.0, ""
    white, by_hand = _of_differential(count.derived_from, by_id)
    if white is None or not by_hand or count.value > white:
        return count.value, count.bound, 0.0, ""
    cells = int(case.rules["manual_cells"])
    found = from_differential(white, count.value / white, cells)
    text = f"counts from a differential by hand: {cells} cells are taken to have been looked at"
    return found.value, found.bound, found.noise, text


def _of_differential(ids: Iterable[str], by_id: dict[str, Count]) -> tuple[float | None, bool]:
    """The white count that a derived count rests on, and whether its shares were counted by hand."""
    parts = [by_id[name] for name in ids if name in by_id]
    white = next((one.value for one in parts if one.analyte == "wbc" and one.bound == "="), None)
    shares = [one for one in parts if one.analyte != "wbc"]
    return white, bool(shares) and any(one.method == "manual" for one in shares)


def first_kept(first_dose: datetime, case: Case) -> datetime:
    """From when on counts tell of the marrow before treatment."""
    return first_dose - case.rules["before_first_dose"] * DAY
