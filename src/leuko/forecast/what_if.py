"""What would become of the next cycle, asked again and again: the posterior of one person is found once and kept.

Each question then runs the same draws on under other doses, days or a growth factor, as `choose` weighs options.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from leuko.forecast.case import DAY, Case
from leuko.forecast.choose import Weighing, option_of
from leuko.forecast.flow import LINES
from leuko.forecast.treated import weighings
from leuko.forecast.wish import Change
from leuko.knowledge import Library
from leuko.record import Record
from leuko.result import Assessment
from leuko.result.forecast import Option
from leuko.standing import standing_of


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """One person's posterior by models that agree, ready to be asked. `models` names them."""

    analyte: str
    models: str
    weighing: Weighing

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
        """The cycle that a change leads to; its fan begins before the day of the assessment, as that of a forecast."""
        used, case = self._grown if change.factor is not None else self.weighing, self.weighing.case
        since = (self.planned - case.now) / DAY + change.delay + case.rules["shown_back"]
        return option_of(change, used, name=name, fan=True, lead=max(since, 0.0))


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
            return tuple(WhatIf(analyte=analyte, models=names, weighing=one) for names, one in found)
    return ()
