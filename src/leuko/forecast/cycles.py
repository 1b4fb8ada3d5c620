"""The cycles of a course: which doses on record are of which, which were left out, and what is still to come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Final

from leuko.forecast.catalogue import CycleDoses, Planned
from leuko.forecast.covariates import Rules
from leuko.forecast.given import Given, Told
from leuko.frozen import Frozen, replace
from leuko.knowledge.schema.plan import RegimenRow
from leuko.result import Gap
from leuko.wording import say_date

_HOUR: Final = timedelta(hours=1)


class Plan(Frozen, frozen=True, kw_only=True):
    """Doses to come, the first days of all cycles, the next of them that is planned, and what was assumed; `missed`
    are the doses of the present cycle that should have been and are not on record."""

    doses: tuple[Given, ...] = ()
    starts: tuple[date, ...] = ()
    next_day_1: date | None = None
    texts: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    missed: tuple[str, ...] = ()


class Course(Frozen, frozen=True, kw_only=True):
    """The doses given so far and the cycle that they are of."""

    given: tuple[Given, ...]
    cycle: CycleDoses | None
    rules: Rules
    as_of: datetime
    zone: tzinfo | None

    @property
    def length(self) -> float | None:
        """The length of a cycle [days]."""
        return self.cycle.regimen.cycle_days if self.cycle is not None else None

    def own(self) -> list[Given]:
        """Doses of the regimen's medicines; all, where there is no regimen."""
        if self.cycle is None:
            return list(self.given)
        drugs = {one.drug for one in self.cycle.doses}
        return [one for one in self.given if one.drug in drugs]

    def first_days(self) -> tuple[date, ...]:
        """The first days of the cycles on record: a dose is of the next cycle once most of a cycle has passed."""
        days = sorted({one.at.date() for one in self.own()})
        if not days or self.length is None:
            return tuple(days[:1])
        slack = min(self.rules["cycle_slack"], self.length / 4.0)
        starts = [days[0]]
        for day in days:
            if (day - starts[-1]).days >= self.length - slack:
                starts.append(day)
        return tuple(starts)

    def marked(self) -> list[Given]:
        """The doses given, each with the number of its cycle and its day in it."""
        starts = self.first_days()
        found = []
        for one in self.given:
            number = sum(start <= one.at.date() for start in starts)
            day = (one.at.date() - starts[number - 1]).days + 1 if number else 0
            found.append(replace(one, cycle=number, day=day))
        return found

    def planned(self, *, start: date | None, next_day_1: date | None, ahead: int) -> Plan:
        """What is still to come: the rest of the present cycle, and the cycles after it."""
        if self.cycle is None:
            return Plan(starts=self.first_days(), texts=("no regimen is known that would tell of further doses",))
        starts = list(self.first_days())
        if not starts:
            if start is None:
                return Plan(gaps=(_no_dose(self.cycle.regimen),))
            return self._from_catalogue(start, ahead)
        present = max((n for n, day in enumerate(starts, 1) if day <= self.as_of.date()), default=1)
        parts = [self._rest(starts[n - 1], n) for n in range(present, len(starts) + 1)]
        coming, text = self._next(starts, next_day_1)
        done = self._done(len(starts))
        days = self._series(coming, ahead) if coming is not None and not done else []
        more = [dose for number, day in enumerate(days, len(starts) + 1) for dose in self._whole(day, number)]
        every = (*starts, *days)
        return Plan(
            doses=(*(dose for rest, _ in parts for dose in rest), *more),
            starts=every,
            next_day_1=next((day for day in every if day > self.as_of.date()), days[0] if days else None),
            texts=(
                *self.cycle.texts,
                *(f"{one} is not on record: taken as not given" for _, missed in parts for one in missed),
                done or text,
            ),
            gaps=self.cycle.gaps,
            missed=tuple(one for _, missed in parts for one in missed),
        )

    def _from_catalogue(self, start: date, ahead: int) -> Plan:
        assert self.cycle is not None  # noqa: S101 (asked before)
        days = self._series(start, ahead + 1)
        doses = [dose for number, day in enumerate(days, 1) for dose in self._whole(day, number, told="catalogue")]
        name = self.cycle.regimen.name
        text = f"no dose is on record: {name} as in the catalogue, from {say_date(start)}"
        coming = next((day for day in days if day > self.as_of.date()), None)
        gaps = self.cycle.gaps
        return Plan(
            doses=tuple(doses), starts=tuple(days), next_day_1=coming, texts=(text, *self.cycle.texts), gaps=gaps
        )

    def _series(self, first: date, number: int) -> list[date]:
        if self.length is None:
            return [first][:number]
        return [first + timedelta(days=self.length * step) for step in range(number)]

    def _whole(self, day_1: date, number: int, *, told: Told = "ordered") -> list[Given]:
        """The doses of a cycle to come: of each medicine and day as in the last cycle, else as in the catalogue."""
        assert self.cycle is not None  # noqa: S101 (asked before)
        found: list[Given] = []
        for drug, day in dict.fromkeys((one.drug, one.day) for one in self.cycle.doses):
            rows = [one for one in self.cycle.doses if (one.drug, one.day) == (drug, day)]
            found += [replace(one, told=told, cycle=number) for one in self._as_last(rows, day_1)]
        return sorted(found, key=lambda one: (one.at, one.drug))

    def _as_last(self, rows: Sequence[Planned], day_1: date) -> list[Given]:
        """The doses of one medicine on one day of a cycle, as large as the last ones."""
        day = day_1 + timedelta(days=rows[0].day - 1)
        own = [one for one in self.marked() if one.drug == rows[0].drug]
        same = [one for one in own if one.day == rows[0].day]
        if same:
            last = [one for one in same if one.cycle == same[-1].cycle]
            return [
                replace(one, at=datetime.combine(day, one.at.timetz()), day=rows[0].day, dose_id="") for one in last
            ]
        other = own[-1] if own and len(rows) == 1 else None
        return [self._dose(row, day, other) for row in rows]

    def _dose(self, row: Planned, day: date, other: Given | None) -> Given:
        """One dose by the catalogue; as large as the last one of the medicine on another day where there is one."""
        known = other is not None and other.amount is not None
        return Given(
            drug=row.drug,
            at=self._instant(day, row, other),
            amount=other.amount if other is not None and known else row.amount,
            share=other.share if other is not None and known else row.share,
            hours=row.hours,
            day=row.day,
        )

    def _instant(self, day: date, one: Planned, last: Given | None) -> datetime:
        """The hour of the last dose of the medicine; midday where none is known."""
        midday = time(hour=int(self.rules["dose_hour"]))
        if one.offset or last is None:
            return datetime.combine(day, time() if one.offset else midday, tzinfo=self.zone) + one.offset * _HOUR
        return datetime.combine(day, last.at.timetz())

    def _rest(self, day_1: date, number: int) -> tuple[list[Given], list[str]]:
        """The doses of the present cycle that are to come, and those that should have been and are not, in words."""
        planned = self._whole(day_1, number)
        had = {(one.drug, one.at.date()) for one in self.given}
        today = self.as_of.date()
        rest = [one for one in planned if one.at.date() > today and not self._moved(one)]
        missed = [one for one in planned if one.at.date() <= today and (one.drug, one.at.date()) not in had]
        missed = [one for one in missed if not self._moved(one)]
        return rest, [f"{one.drug} of day {one.day} ({say_date(one.at.date())})" for one in missed]

    def _moved(self, one: Given) -> bool:
        """Whether the dose was given (or is ordered) a few days earlier or later than its day of the cycle."""
        assert self.cycle is not None  # noqa: S101 (asked before)
        days = sorted({planned.day for planned in self.cycle.doses if planned.drug == one.drug})
        gap = min((b - a for a, b in pairwise(days)), default=self.length or 1.0)
        slack = min(self.rules["cycle_slack"], (gap - 1) / 2.0)
        same = [given for given in self.given if given.drug == one.drug]
        return any(abs((given.at.date() - one.at.date()).days) <= slack for given in same)

    def _next(self, starts: Sequence[date], asked: date | None) -> tuple[date | None, str]:
        """The next day 1: as asked, else by the length of the cycle; none where it is long overdue."""
        today = self.as_of.date()
        if asked is not None and asked > starts[-1]:
            return asked, f"the next cycle is planned for {say_date(asked)}"
        if self.length is None:
            return None, "the catalogue has no length of the cycle: no further cycle is planned"
        due = starts[-1] + timedelta(days=self.length)
        overdue = (today - due).days
        if overdue > self.length * self.rules["overdue_cycles"]:
            return None, f"the next cycle was due on {say_date(due)} and is not on record: none is planned"
        if overdue > 0:
            return today, f"the next cycle was due on {say_date(due)} and is not on record: taken as planned for today"
        return due, f"the next cycle is planned for {say_date(due)}, {self.length:g} days after the last"

    def _done(self, number: int) -> str:
        """Why no further cycle of this phase comes, where the catalogue says how many there are."""
        assert self.cycle is not None  # noqa: S101 (asked before)
        cycles = self.cycle.cycles
        if cycles is None or number < cycles:
            return ""
        later = self.cycle.phase < len(self.cycle.regimen.phases)
        follows = "; what follows is another phase, which is not planned here" if later else ""
        return f"{number} cycles of {self.cycle.regimen.name} are on record, all that the catalogue has{follows}"


def _no_dose(row: RegimenRow) -> Gap:
    return Gap(
        what="the doses",
        why=f"{row.name} is known, and no dose of it has a day on record",
        settle="the day of the doses, or of the first cycle",
    )
