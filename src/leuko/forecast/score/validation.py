"""Everything that `leuko validate forecast` judges, in one result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from leuko.forecast.fit import sbc
from leuko.forecast.fit.calibration import Calibration, Design
from leuko.forecast.library import build, model_row
from leuko.forecast.model import Schedule
from leuko.forecast.score.alarm import FALSE_ALARM, least_of_each, p_values
from leuko.forecast.score.monitored import Monitored, monitored
from leuko.forecast.score.published import Checked, checked
from leuko.forecast.score.real import Judged, judged
from leuko.forecast.score.refit import Refitted, refitted
from leuko.forecast.score.rules import CENTRAL
from leuko.knowledge import Library
from leuko.knowledge.schema.levels import DesignRow
from leuko.knowledge.schema.truth import MonitoredRow, RefitRow

HOURS: Final = 24.0
_PEOPLE: Final = {True: 150, False: 1000}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """One quantity of people made by a model: how often its true value lay in the central 50, 80 and 95 %.

    `p` are the probabilities of coverages as far off and of ranks as uneven (`alarm.p_values`), `least_p` the least of
    them as it stands when the whole run is looked at together.
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

    @property
    def holds(self) -> bool:
        """Whether nothing is further off than chance makes it in one run of two hundred."""
        return self.least_p >= FALSE_ALARM


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Published numbers (`checks`, and behind some of them what was `monitored`, `refitted` and `pooled`), calibration,
    and real counts (None without data)."""

    checks: tuple[Checked, ...]
    calibration: tuple[Calibrated, ...]
    real: Judged | None
    quick: bool
    seed: int
    monitored: tuple[Monitored, ...] = ()
    refitted: tuple[Refitted, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every published number that is expected to pass passes, and every calibration holds."""
        return all(one.holds for one in self.checks) and all(one.holds for one in self.calibration)


def validate(
    library: Library, *, data: Path | None = None, quick: bool = False, seed: int = 1, said: Say = lambda _: None
) -> Validation:
    """Judge the models on published numbers, the posterior on people of its own making, and all on real counts."""
    studies = tuple(
        monitored(row, library, quick=quick, seed=seed, said=said)
        for row in library.rows(MonitoredRow)
        if row.quick_people or not quick
    )
    refits = [refitted(row, library, quick=quick, seed=seed, said=said) for row in library.rows(RefitRow)]
    return Validation(
        checks=(
            *checked(library, said=said),
            *(one for study in studies for one in study.checks),
            *(one for _, checks in refits for one in checks),
        ),
        calibration=together(
            [one for row in library.rows(DesignRow) for one in _calibrated(row, library, _PEOPLE[quick], seed, said)]
        ),
        real=None if data is None else judged(data, library=library, quick=quick, said=said),
        quick=quick,
        seed=seed,
        monitored=studies,
        refitted=tuple(one for found, _ in refits for one in found),
    )


def together(found: Sequence[Calibrated]) -> tuple[Calibrated, ...]:
    """The same quantities, each with its least probability as it stands when all are looked at together."""
    least = least_of_each([one.p for one in found])
    return tuple(replace(one, least_p=p) for one, p in zip(found, least, strict=True))


def _calibrated(row: DesignRow, library: Library, people: int, seed: int, said: Say) -> list[Calibrated]:
    """Simulation-based calibration of one model under one design."""
    said(f"calibration of {row.model}: {row.title}, {people} people")
    model = build(model_row(row.model, library), library=library)
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
