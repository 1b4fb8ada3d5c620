"""The doses of one person in time: those of the present cycle, and those of the next one as it is planned."""

from __future__ import annotations

from datetime import date, datetime, time

from leuko.forecast.case import DAY, Case
from leuko.forecast.dosing import Dosing, dosing_of
from leuko.forecast.given import Given
from leuko.forecast.wish import Change
from leuko.frozen import Frozen, replace
from leuko.knowledge.schema.forecast import GivenHours
from leuko.result import Gap
from leuko.wording import say_date, say_list


class Treatment(Frozen, frozen=True, kw_only=True):
    """The doses up to now with those that are left of the present cycle (`present`), the next cycle's (`coming`), the
    first instants of both, the length of a cycle [days], and what was assumed."""

    present: Dosing
    start: datetime
    coming: tuple[Given, ...] = ()
    factors: tuple[Given, ...] = ()
    next_start: datetime | None = None
    cycle_days: float
    length_known: bool
    texts: tuple[str, ...] = ()

    @property
    def first(self) -> datetime:
        """The first dose that still matters."""
        return min(one.at for one in (*self.present.given, *self.present.factors))

    @property
    def days(self) -> tuple[int, ...]:
        """The days of treatment of the next cycle, 1 is the first."""
        return tuple(sorted({one.day for one in self.coming}))

    def with_next(self, change: Change | None = None) -> Dosing:
        """All doses with those of the next cycle, changed or as planned."""
        change = change or Change()
        moved = [self._changed(one, change) for one in self.coming if one.day != change.drop]
        factors = [replace(one, at=one.at + change.delay * DAY) for one in self.factors]
        return replace(
            self.present,
            given=tuple(sorted([*self.present.given, *moved], key=lambda one: (one.at, one.drug))),
            factors=tuple(sorted([*self.present.factors, *factors], key=lambda one: one.at)),
        )

    def _changed(self, one: Given, change: Change) -> Given:
        share = change.share(one.drug)
        amount = one.amount * share if one.amount is not None else None
        return replace(one, at=one.at + change.delay * DAY, amount=amount, share=one.share * share, told="option")

    def with_factor(self, dosing: Dosing, change: Change, case: Case) -> Dosing:
        """The same with daily doses of a growth factor in the next cycle."""
        if change.factor is None or self.next_start is None:
            return dosing
        first = self.next_start + (change.delay + change.factor - 1) * DAY
        days = int(case.rules["factor_days"])
        new = [
            Given(drug=daily_factor(case), at=first + day * DAY, amount=None, share=1.0, told="option")
            for day in range(days)
        ]
        return replace(dosing, factors=tuple(sorted([*dosing.factors, *new], key=lambda one: one.at)))


def daily_factor(case: Case) -> str:
    """The growth factor that is given daily, as the library has it."""
    rows = case.library.rows(GivenHours)
    return next(row.drug for row in rows if row.usual_ug is not None and row.acts_days == 1)


def dosing_for(case: Case) -> Dosing:
    """The doses of a person as the plan reads the regimen."""
    regimen = case.plan.regimen if case.plan is not None else None
    return dosing_of(
        case.record,
        library=case.library,
        covariates=case.covariates,
        as_of=case.now,
        regimen=regimen.id if regimen is not None else None,
        next_day_1=case.wish.next_day_1,
    )


def named_in_vain(case: Case) -> Gap | None:
    """What is missing where a regimen was named that is none on file, or several; None where it is one, or none was."""
    regimen = case.plan.regimen if case.plan is not None else None
    if regimen is None:
        return None
    unknown = regimen.told == "unknown" and not regimen.drugs
    several = regimen.told == "ambiguous" and regimen.day_1 is None
    if not (unknown or several):
        return None
    return Gap(
        what="the regimen",
        why=f"{regimen.text}: it tells of no doses",
        settle="the name of the regimen as `leuko knowledge show regimen` has it, or the doses with their days",
    )


def left_open(treatment: Treatment, case: Case) -> list[str]:
    """Doses that may have been given, or may follow, and are not on record: either would take the count lower."""
    present, said = treatment.present, []
    if present.missed:
        missed = say_list(list(present.missed))
        said.append(f"{missed}: not on record, taken as not given; if given, counts fall lower than is said")
    if present.regimen is None:  # a regimen has its own days off
        daily = {row.drug for row in case.library.rows(GivenHours) if row.daily}
        last = {one.drug: one.at for one in present.given if one.drug in daily and one.at <= case.now + 2 * DAY}
        said += [
            f"{drug}: no dose after {say_date(at.date())} is on record for the days that follow: as if it were stopped;"
            " if it goes on, counts fall lower than is said"
            for drug, at in last.items()
            if abs(case.now - at) <= 2 * DAY and at <= case.now
        ]
    return said


def treatment_of(dosing: Dosing, case: Case) -> Treatment | None:
    """The treatment that makes the coming counts; None where the last dose lies too far back, or none acts.

    One that has not begun counts where it begins within the days that a forecast looks ahead.
    """
    acting = [one for one in dosing.given if one.at <= case.now]
    later = [one for one in dosing.given if one.at > case.now]
    recent = bool(acting) and case.now - acting[-1].at <= case.rules["treated_days"] * DAY
    begins = not acting and any(one.at <= case.now + case.ask.horizon * DAY for one in later)
    if not recent and not begins:
        return None
    next_day, said = _next_day(dosing, case)
    coming = _coming(dosing, next_day, case)
    if coming and not acting:
        return _to_begin(dosing, coming, case)
    own = [one for one in dosing.given if next_day is None or one.at.date() < next_day or one.told == "record"]
    start = _start(own or list(dosing.given), case)
    factors = [one for one in dosing.factors if next_day is not None and one.at.date() >= next_day]
    known = _length(dosing, case)
    return Treatment(
        present=replace(
            dosing,
            given=tuple(one for one in own if one not in coming),
            factors=tuple(one for one in dosing.factors if one not in factors),
        ),
        start=start,
        coming=coming,
        factors=tuple(factors) if coming else (),
        next_start=min((one.at for one in coming), default=None),
        cycle_days=known or case.rules["cycle_assumed"],
        length_known=known is not None,
        texts=tuple(said) if coming else (),
    )


def _to_begin(dosing: Dosing, coming: tuple[Given, ...], case: Case) -> Treatment:
    """A treatment that has not begun: its first cycle is the present one, as it is planned."""
    start, known = min(one.at for one in coming), _length(dosing, case)
    length = known or case.rules["cycle_assumed"]
    return Treatment(
        present=replace(
            dosing,
            given=coming,
            factors=tuple(one for one in dosing.factors if one.at < start + length * DAY),
        ),
        start=start,
        cycle_days=length,
        length_known=known is not None,
        texts=(f"no dose was given yet: the first cycle is taken as planned, from {say_date(start.date())}",),
    )


def _length(dosing: Dosing, case: Case) -> float | None:
    """The length of a cycle [days], by the catalogue or by what was given."""
    if dosing.cycle_days is not None:
        return dosing.cycle_days
    return case.plan.regimen.cycle_days if case.plan is not None else None


def _next_day(dosing: Dosing, case: Case) -> tuple[date | None, list[str]]:
    """The next day 1: as asked, as the doses are planned, or as the plan reads the cycles so far."""
    if case.wish.next_day_1 is not None:
        return case.wish.next_day_1, [f"the next cycle is taken on {say_date(case.wish.next_day_1)}, as asked"]
    if dosing.regimen is not None or dosing.next_day_1 is not None:
        return dosing.next_day_1, []
    regimen = case.plan.regimen if case.plan is not None else None
    due = regimen.next_day_1 if regimen is not None else None
    if due is None or regimen is None or regimen.cycle_days is None:
        return None, []
    overdue = (case.as_of - due).days
    if overdue > regimen.cycle_days * case.rules["overdue_cycles"]:
        return None, []
    if overdue > 0:
        return case.as_of, [
            f"the next cycle was due on {say_date(due)} and is not on record: taken as planned for today"
        ]
    return due, [f"the next cycle is taken as a repeat of the last, on {say_date(due)}"]


def _coming(dosing: Dosing, next_day: date | None, case: Case) -> tuple[Given, ...]:
    """The doses of the next cycle: as planned, else those of the present cycle once more."""
    if next_day is None:
        return ()
    planned = tuple(one for one in dosing.given if one.at.date() >= next_day and one.told != "record")
    if planned and dosing.regimen is not None:
        last = max(one.cycle for one in planned if one.at.date() == min(each.at.date() for each in planned))
        return tuple(one for one in planned if one.cycle == last)
    day_1 = _day_1(dosing, case)
    if day_1 is None:
        return ()
    own = [one for one in dosing.given if day_1 <= one.at.date() < next_day and one.at <= case.now]
    shift = (next_day - day_1).days
    return tuple(
        replace(one, at=one.at + shift * DAY, told="ordered", day=(one.at.date() - day_1).days + 1, dose_id="")
        for one in own
    )


def _day_1(dosing: Dosing, case: Case) -> date | None:
    """The first day of the present cycle."""
    regimen = case.plan.regimen if case.plan is not None else None
    if regimen is not None and regimen.day_1 is not None and regimen.day_1 <= case.as_of:
        return regimen.day_1
    return max((day for day in dosing.starts if day <= case.as_of), default=None)


def _start(own: list[Given], case: Case) -> datetime:
    """The first dose of the present cycle, else of the present stretch of doses."""
    regimen = case.plan.regimen if case.plan is not None else None
    if regimen is not None and regimen.day_1 is not None:
        inside = [one.at for one in own if one.at.date() >= regimen.day_1]
        if inside:
            return min(inside)
    past = [one.at for one in own if one.at <= case.now] or [own[0].at]
    start = past[-1]
    for at in reversed(past):
        if start - at > 2 * DAY:
            break
        start = at
    return max(start, datetime.combine(case.as_of, time(), tzinfo=case.zone) - case.ask.horizon * DAY)
