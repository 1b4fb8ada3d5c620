"""What a forecast of one person is made from, and the numbers of method that go with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cached_property
from typing import Final

from leuko.forecast.covariates import Covariates, Rules, covariates_of, rules_of
from leuko.forecast.wish import Wish
from leuko.knowledge import Library
from leuko.knowledge.schema.levels import AskRow
from leuko.record import Count, Moment, Record, digest_of
from leuko.result import Course, Lines, Status
from leuko.result.causes import Cause
from leuko.result.drugs import DrugLink
from leuko.result.infection import Infection
from leuko.result.plan import Plan

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One person on one day, with what the parts below have found. `tell` is given a line before a long step."""

    record: Record
    series: Mapping[str, tuple[Count, ...]]
    latest: Mapping[str, Status]
    courses: Mapping[str, Course]
    lines: Lines
    drug_links: Sequence[DrugLink]
    causes: Sequence[Cause] = ()
    infection: Infection | None
    plan: Plan | None
    library: Library
    as_of: date
    wish: Wish = field(default_factory=Wish)
    tell: Tell | None = field(default=None, compare=False)

    @cached_property
    def rules(self) -> Rules:
        """The numbers of method, by id."""
        return rules_of(self.library)

    @cached_property
    def ask(self) -> AskRow:
        """What is asked of every forecast."""
        return self.library.rows(AskRow)[0]

    @cached_property
    def zone(self) -> tzinfo:
        """The clock of the record: that of its last count or dose."""
        moments = [count.taken for counts in self.series.values() for count in counts if count.taken is not None]
        moments += [dose.start for dose in self.record.doses if dose.start is not None]
        last = max(moments, key=lambda moment: moment.at, default=None)
        zone = last.at.tzinfo if last is not None else None
        from datetime import UTC  # noqa: PLC0415

        return zone or UTC

    @cached_property
    def now(self) -> datetime:
        """The end of the day of assessment: what was done on it is known."""
        return datetime.combine(self.as_of, time(23, 59, 59), tzinfo=self.zone)

    @cached_property
    def covariates(self) -> Covariates:
        """What the record tells of the person that models ask for."""
        return covariates_of(self.record, library=self.library, at=self.now)

    @property
    def seed(self) -> int:
        """The same record gives the same draws on every machine."""
        digest = self.record.digest or digest_of(self.record)
        return int(digest[:8], 16)

    def instant(self, moment: Moment) -> datetime:
        """When a count was drawn; without a time of day at the usual hour."""
        if moment.has_time:
            return moment.at
        return moment.at + self.rules["count_hour"] * HOUR
