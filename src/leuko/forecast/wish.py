"""What a caller asks of a forecast beyond the usual: a model, a day, changes of the next cycle, limits of a search."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec import field

from leuko.frozen import Frozen


class Change(Frozen, frozen=True, kw_only=True):
    """What is changed of the next cycle: moved by `delay` days, doses at a share of those planned (by medicine, "" is
    all), a growth factor daily from day `factor` on, one day of treatment left out (`drop`)."""

    delay: float = 0.0
    dose: Mapping[str, float] = field(default_factory=dict)
    factor: int | None = None
    drop: int | None = None

    def share(self, drug: str) -> float:
        """The share of the planned dose of a medicine."""
        return self.dose.get(drug, self.dose.get("", 1.0))


class Limits(Frozen, frozen=True, kw_only=True):
    """What an option must keep to, None: no limit. `severe` and `ready` are probabilities, `intensity` a share."""

    severe: float | None = None
    ready: float | None = None
    delay: float | None = None
    intensity: float | None = None


class Wish(Frozen, frozen=True, kw_only=True):
    """`model` is a model by its id, `next_day_1` the first day of the next cycle where the caller names it. `changes`
    are weighed in place of the usual options; with `limits` a search is made."""

    model: str | None = None
    next_day_1: date | None = None
    changes: tuple[Change, ...] = ()
    limits: Limits | None = None
