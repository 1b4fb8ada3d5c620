"""What would become of the next cycle, asked again and again: the posterior of one person is found once and kept.

Each question then runs the same draws on under other doses, days or a growth factor, as `choose` weighs options.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

import numpy as np

from leuko.forecast.case import DAY, Case
from leuko.forecast.choose import Weighing, option_of
from leuko.forecast.dosing import schedule_of
from leuko.forecast.fan import fan_of
from leuko.forecast.flow import LINES
from leuko.forecast.model import Floats
from leuko.forecast.outcome import HOURS
from leuko.forecast.treated import weighings
from leuko.forecast.wish import Change
from leuko.frozen import replace
from leuko.knowledge import Library
from leuko.record import Record
from leuko.result import Assessment
from leuko.result.forecast import Fan, Option
from leuko.standing import standing_of

_STRIDE: Final = 3  # of the steps of an outcome: what the eye sees of a fan needs fewer


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """One person's posterior by models that agree, ready to be asked. `models` names them, `cautions` hold for all."""

    analyte: str
    models: str
    weighing: Weighing
    cautions: tuple[str, ...] = ()

    @cached_property
    def _grown(self) -> Weighing:
        return self.weighing.growth()

    @property
    def knows_growth(self) -> bool:
        """Whether a growth factor can be asked for: every model says what it does, and none is on record."""
        return not self.weighing.treatment.factors and self._grown.knows_growth

    @property
    def planned(self) -> datetime:
        """Day 1 of the next cycle as planned."""
        start = self.weighing.treatment.next_start
        assert start is not None  # noqa: S101 (without a planned cycle there is no WhatIf)
        return start

    @property
    def drugs(self) -> tuple[str, ...]:
        """The medicines of the next cycle."""
        return tuple(dict.fromkeys(one.drug for one in self.weighing.treatment.coming))

    @property
    def severe(self) -> float:
        """The cut below which a count is severe [10*9/L]."""
        return self.weighing.case.ask.severe

    @property
    def most_delay(self) -> float:
        """The longest delay that a search looks at [days]."""
        return self.weighing.case.rules["search_delay_most"]

    @property
    def least_dose(self) -> float:
        """The least share of the planned dose that a search looks at [percent]."""
        return self.weighing.case.rules["search_dose_least"]

    @property
    def cycle_days(self) -> float:
        """The length of the cycle [days]."""
        return self.weighing.treatment.cycle_days

    def option(self, change: Change, *, name: str) -> Option:
        """The cycle that a change leads to, with the very numbers of the forecast; its fan begins before today."""
        used = self._grown if change.factor is not None else self.weighing
        return replace(option_of(change, used, name=name), fan=self._fan(change, used))

    def _fan(self, change: Change, used: Weighing) -> Fan:
        """From as far back as the figure of a forecast shows to the end of the cycle that the change leads to."""
        treatment, case, origin = used.treatment, used.case, used.heard.origin
        step = _STRIDE * case.ask.step * DAY
        end = self.planned + (change.delay + treatment.cycle_days) * DAY
        first = max(origin, case.now - case.rules["shown_back"] * DAY)
        ticks = np.arange((first - origin) // step, (end - origin) // step + 1, dtype=np.float64)
        days: Floats = ticks * (step / DAY)
        dosing = treatment.with_factor(treatment.with_next(change), change, case)
        ahead = used.heard.run(
            lambda model: schedule_of(dosing, model, origin=origin), days * HOURS, draws=self.weighing.draws
        )
        return fan_of(ahead.counts, days, start=origin, cuts=case.ask.cuts, paths=0, every=1)


def case_of(record: Record, made: Assessment, library: Library) -> Case:
    """What the forecast of an assessment was made from, again."""
    standing = standing_of(record, library=library, as_of=made.as_of)
    return Case(
        record=record,
        series=standing.cleaned.series,
        latest=standing.latest,
        courses=standing.courses,
        lines=standing.lines,
        drug_links=made.drug_links,
        causes=made.causes,
        infection=made.infection,
        plan=made.plan,
        library=library,
        as_of=made.as_of,
    )


def what_ifs(case: Case) -> tuple[WhatIf, ...]:
    """The posteriors to ask; several where models contradict each other. Empty where no next cycle can be forecast."""
    for analyte in LINES:
        found = weighings(case, analyte)
        if found:
            return tuple(
                WhatIf(analyte=analyte, models=one.models, weighing=one.weighing, cautions=one.cautions)
                for one in found
            )
    return ()
