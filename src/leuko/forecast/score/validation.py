"""Everything that `leuko validate forecast` judges, in one result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from leuko.errors import UnreadableInput
from leuko.forecast.fit import sbc
from leuko.forecast.fit.calibration import Calibration, Design
from leuko.forecast.lasting import with_swing
from leuko.forecast.library import build, model_row
from leuko.forecast.model import Schedule
from leuko.forecast.score.alarm import FALSE_ALARM, least_of_each, p_values
from leuko.forecast.score.monitored import Monitored, monitored
from leuko.forecast.score.pooled import Pooled, pooled
from leuko.forecast.score.predictive import Against, Simulated, against, simulated
from leuko.forecast.score.published import Checked, checked
from leuko.forecast.score.real import Judged, judged
from leuko.forecast.score.records import find_records
from leuko.forecast.score.refit import Refitted, refitted
from leuko.forecast.score.rules import CENTRAL
from leuko.forecast.score.table import read_counts
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.knowledge.schema.levels import DesignRow
from leuko.knowledge.schema.truth import MonitoredRow, PooledRow, RefitRow

HOURS: Final = 24.0
# An alarm stands where fresh people are as far off as chance makes them in one of twenty looks.
AGAIN: Final = 0.05
_FRESH: Final = 1_000_000
_PEOPLE: Final = {True: 150, False: 1000}

Say = Callable[[str], None]


class Calibrated(Frozen, frozen=True, kw_only=True):
    """One quantity of people made by a model: how often its true value lay in the central 50, 80 and 95 %.

    `p` are the probabilities of coverages as far off and of ranks as uneven (`alarm.p_values`), `least_p` the least of
    them as it stands when the whole run is looked at together. Where that alarms, twice as many fresh people are looked
    at: `again` is the least probability of theirs (None: no alarm).
    """

    model: str
    design: str
    quantity: str
    people: int
    coverage: tuple[tuple[float, float], ...]
    uniform_p: float
    effective_median: float
    unsound: int
    p: tuple[float, ...]
    least_p: float = 1.0
    again: float | None = None

    @property
    def alarms(self) -> bool:
        """Whether something is further off than chance makes it in one run of two hundred."""
        return self.least_p < FALSE_ALARM

    @property
    def holds(self) -> bool:
        """Whether nothing alarms, or what does is not seen again in fresh people."""
        return not self.alarms or (self.again is not None and self.again >= AGAIN)


class Validation(Frozen, frozen=True, kw_only=True):
    """Published numbers (`checks`, and behind some of them what was `monitored`, `refitted` and `pooled`), calibration,
    and real counts (None without data)."""

    checks: tuple[Checked, ...]
    calibration: tuple[Calibrated, ...]
    real: Judged | None
    quick: bool
    seed: int
    monitored: tuple[Monitored, ...] = ()
    refitted: tuple[Refitted, ...] = ()
    pooled: tuple[Pooled, ...] = ()
    simulated: tuple[Simulated, ...] = ()
    against: tuple[Against, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every published number that is expected to pass passes, and every calibration holds."""
        return all(one.holds for one in self.checks) and all(one.holds for one in self.calibration)


def validate(
    library: Library,
    *,
    data: Path | None = None,
    quick: bool = False,
    seed: int = 1,
    pictures: bool = False,
    said: Say = lambda _: None,
) -> Validation:
    """Judge the models on published numbers, the posterior on people of its own making, and all on real counts.

    `pictures`: with what predictive checks draw.
    """
    records = () if data is None else find_records(data)
    real = data if data is not None and _holds_counts(data, besides=bool(records)) else None
    studies = tuple(
        monitored(row, library, quick=quick, seed=seed, said=said)
        for row in library.rows(MonitoredRow)
        if row.quick_people or not quick
    )
    refits = [refitted(row, library, quick=quick, seed=seed, said=said) for row in library.rows(RefitRow)]
    posteriors = [pooled(row, records, quick=quick, seed=seed, said=said) for row in library.rows(PooledRow) if records]
    return Validation(
        checks=(
            *checked(library, said=said),
            *(one for study in studies for one in study.checks),
            *(one for _, checks in (*refits, *posteriors) for one in checks),
        ),
        calibration=calibrated(library.rows(DesignRow), library, people=_PEOPLE[quick], seed=seed, said=said),
        real=None if real is None else judged(real, library=library, quick=quick, said=said),
        quick=quick,
        seed=seed,
        monitored=studies,
        refitted=tuple(one for found, _ in refits for one in found),
        pooled=tuple(one for found, _ in posteriors for one in found),
        simulated=simulated(library, quick=quick, seed=seed, said=said) if pictures else (),
        against=against(real, library, quick=quick, seed=seed, said=said) if pictures and real is not None else (),
    )


def _holds_counts(data: Path, *, besides: bool) -> bool:
    """Whether real counts are there; UnreadableInput, before anything long is begun, where there is nothing at all."""
    try:
        read_counts(data)
    except UnreadableInput:
        if not besides:
            raise
        return False
    return True


def calibrated(
    rows: Sequence[DesignRow], library: Library, *, people: int, seed: int, said: Say = lambda _: None
) -> tuple[Calibrated, ...]:
    """Every design; one with an alarm is repeated with twice as many people of another seed."""
    found = together([one for row in rows for one in _calibrated(row, library, people, seed, said)])
    for row in rows:
        own = [one for one in found if (one.model, one.design) == (row.model, row.title) and one.alarms]
        if own:
            said("something is further off than chance should make it: again, with fresh people")
            fresh = _calibrated(row, library, 2 * people, seed + _FRESH, said)
            found = confirmed(found, own, fresh)
    return found


def confirmed(
    found: Sequence[Calibrated], alarmed: Sequence[Calibrated], fresh: Sequence[Calibrated]
) -> tuple[Calibrated, ...]:
    """The same, the alarmed ones with what fresh people say of them, all alarms looked at together."""
    names = {(one.model, one.design, one.quantity) for one in alarmed}
    looked = together([one for one in fresh if (one.model, one.design, one.quantity) in names])
    again = {(one.model, one.design, one.quantity): one.least_p for one in looked}
    return tuple(
        replace(one, again=again[key]) if (key := (one.model, one.design, one.quantity)) in again else one
        for one in found
    )


def together(found: Sequence[Calibrated]) -> tuple[Calibrated, ...]:
    """The same quantities, each with its least probability as it stands when all are looked at together."""
    least = least_of_each([one.p for one in found])
    return tuple(replace(one, least_p=p) for one, p in zip(found, least, strict=True))


def _calibrated(row: DesignRow, library: Library, people: int, seed: int, said: Say) -> list[Calibrated]:
    """Simulation-based calibration of one model under one design."""
    said(f"calibration of {row.model}: {row.title}, {people} people")
    model = with_swing(build(model_row(row.model, library), library=library), library)
    design = Design(
        schedule=Schedule(
            hour=np.array(row.dose_days) * HOURS,
            drug=(row.drug,) * len(row.dose_days),
            amount=np.full(len(row.dose_days), row.amount),
            hours=np.full(len(row.dose_days), row.hours),
        ),
        hours=np.array(row.count_days) * HOURS,
        ahead=np.array(row.ahead_days) * HOURS,
        limit=row.limit,
    )
    return _by_quantity(row, sbc(model, design, n=people, seed=seed))


def _by_quantity(row: DesignRow, found: Calibration) -> list[Calibrated]:
    shares = [found.coverage(level) for level in CENTRAL]
    uniform = found.uniform_p()
    return [
        Calibrated(
            model=row.model,
            design=row.title,
            quantity=name,
            people=int(found.effective.size),
            coverage=tuple((level, float(share[k])) for level, share in zip(CENTRAL, shares, strict=True)),
            uniform_p=float(uniform[k]),
            effective_median=float(np.median(found.effective)),
            unsound=int((~found.sound).sum()),
            p=p_values(found.below[k], CENTRAL, float(uniform[k])),
        )
        for k, name in enumerate(found.names)
    ]
