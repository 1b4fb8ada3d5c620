"""From a record and a regimen to the doses that act: what was given, what is planned, and what was assumed on the way.

Doses in the record win over the catalogue. Where the record has no amount, the catalogue's is taken; where it has no
hour, midday. A cycle's doses that are not on record by now were not given; those to come are planned as the last ones.
Each assumption is a text, each thing that cannot be told a gap; a dose that cannot have been given withholds all.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import numpy as np

from leuko.drugs.shelf import Shelf, in_group, shelf_of
from leuko.forecast.catalogue import CycleDoses, cycle_of, phase_of, regimen_row
from leuko.forecast.covariates import Covariates, rules_of
from leuko.forecast.cycles import Course
from leuko.forecast.given import Given
from leuko.forecast.library import Doses
from leuko.forecast.model import Model, Schedule
from leuko.forecast.recorded import Reader, taken_of
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.knowledge.schema.forecast import GivenHours
from leuko.knowledge.schema.plan import RegimenRow
from leuko.record import Record
from leuko.result import Gap
from leuko.wording import say_list

_HOUR = timedelta(hours=1)


class Dosing(Frozen, frozen=True, kw_only=True):
    """All doses in time order, growth factors apart (their `share` is in usual daily doses), and how they came about.

    `starts` are the first days of the cycles, planned ones too; `next_day_1` is the first that is planned. `withheld`
    says why no forecast may rest on these doses ("" where one may). `area` [m²] is the body surface that doses were
    worked out with, known or that of a typical adult. `missed` are doses that the regimen plans and the record has not.
    """

    given: tuple[Given, ...] = ()
    factors: tuple[Given, ...] = ()
    regimen: RegimenRow | None = None
    phase: int = 1
    cycle_days: float | None = None
    starts: tuple[date, ...] = ()
    next_day_1: date | None = None
    texts: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    withheld: str = ""
    area: float | None = None
    missed: tuple[str, ...] = ()

    @property
    def drugs(self) -> tuple[str, ...]:
        """The medicines that act, growth factors apart, in the order of their first dose."""
        return tuple(dict.fromkeys(one.drug for one in self.given))

    def doses(self) -> Doses:
        """What the choice of a model asks for: medicines, growth factors, the highest dose of each [mg/m²]."""
        most: dict[str, float] = {}
        for one in self.given:
            if one.amount is not None and self.area:
                most[one.drug] = max(most.get(one.drug, 0.0), one.amount / self.area)
        factors = tuple(dict.fromkeys(one.drug for one in self.factors))
        return Doses(drugs=self.drugs, factors=factors, per_m2=most or None)


def dosing_of(
    record: Record,
    *,
    library: Library,
    covariates: Covariates,
    as_of: datetime,
    regimen: str | None = None,
    start: date | None = None,
    next_day_1: date | None = None,
    cycles_ahead: int = 1,
) -> Dosing:
    """The doses of a person as of an instant (aware).

    `regimen` is the id of a regimen of the catalogue, as the plan found it or the caller asks; with `start` and no dose
    on record the whole course is the catalogue's. `next_day_1` is the next day 1 where an order or the plan names one;
    `cycles_ahead` how many cycles beyond the present one are planned.
    """
    rules = rules_of(library)
    age = covariates.get("age")
    adult = age is None or age >= rules["adult_years"]
    row = regimen_row(regimen, library) if regimen is not None else None
    reader = Reader(
        library=library, shelf=shelf_of(library), covariates=covariates, rules=rules, as_of=as_of, adult=adult
    )
    first = taken_of(record.doses, reader, cycle=None)
    phase = phase_of(row, first.drugs) if row is not None else 1
    cycle = _cycle(row, phase, reader, first_cycle=False)
    taken = taken_of(record.doses, reader, cycle=cycle) if cycle is not None else first
    course = Course(given=taken.doses, cycle=cycle, rules=rules, as_of=as_of, zone=as_of.tzinfo)
    planned = course.planned(start=start, next_day_1=next_day_1, ahead=cycles_ahead)
    everything = sorted([*course.marked(), *planned.doses], key=lambda one: (one.at, one.drug))
    own = tuple(one for one in everything if not _is_factor(one.drug, reader.shelf))
    factors = [one for one in everything if _is_factor(one.drug, reader.shelf)]
    return Dosing(
        given=own,
        factors=_daily_factors(factors, library),
        regimen=row,
        phase=phase,
        cycle_days=row.cycle_days if row is not None else None,
        starts=planned.starts,
        next_day_1=planned.next_day_1,
        texts=tuple(dict.fromkeys([*taken.texts, *planned.texts, *_factor_texts(factors, library)])),
        gaps=tuple(dict.fromkeys([*taken.gaps, *planned.gaps])),
        area=covariates.get("bsa") or (rules["typical_bsa"] if adult else None),
        missed=planned.missed,
        withheld=taken.withheld or ("" if own or factors else "no dose of a medicine that acts on the marrow is known"),
    )


def _cycle(row: RegimenRow | None, phase: int, reader: Reader, *, first_cycle: bool) -> CycleDoses | None:
    if row is None:
        return None
    return cycle_of(
        row,
        phase=phase,
        covariates=reader.covariates,
        library=reader.library,
        rules=reader.rules,
        first_cycle=first_cycle,
        adult=reader.adult,
    )


def _is_factor(drug: str, shelf: Shelf) -> bool:
    return bool(in_group((drug,), "growth factor", shelf))


# --- growth factors ---------------------------------------------------------------------------------------------------


def _daily_factors(factors: Iterable[Given], library: Library) -> tuple[Given, ...]:
    """Injections as usual daily doses: a long-acting one stands for several days of them."""
    rows = {row.drug: row for row in library.rows(GivenHours) if row.usual_ug is not None}
    found = []
    for one in factors:
        row = rows.get(one.drug)
        if row is None or row.usual_ug is None:
            continue
        share = one.amount * 1000.0 / row.usual_ug if one.amount is not None else 1.0
        found += [replace(one, at=one.at + timedelta(days=day), share=share, hours=0.0) for day in range(row.acts_days)]
    return tuple(sorted(found, key=lambda one: one.at))


def _factor_texts(factors: Iterable[Given], library: Library) -> list[str]:
    rows = {row.drug: row for row in library.rows(GivenHours) if row.usual_ug is not None}
    named = dict.fromkeys(one.drug for one in factors)
    long = [drug for drug in named if drug in rows and rows[drug].acts_days > 1]
    unknown = [drug for drug in named if drug not in rows]
    texts = [
        f"{drug}: one injection stands for {rows[drug].acts_days} usual daily doses of filgrastim" for drug in long
    ]
    return texts + ([f"{say_list(unknown)}: how it acts is not on file; it is left out"] if unknown else [])


# --- the schedule -----------------------------------------------------------------------------------------------------


def schedule_of(dosing: Dosing, model: Model, *, origin: datetime) -> Schedule:
    """The doses in the units of a model, in hours from an origin (aware). Doses of medicines that the model does not
    know are left out, as are those of unknown amount where the model needs one (`missing_amounts` tells)."""
    parts = {part.drug: part for part in model.drugs}
    weights = {drug: (part.drug, weight) for part in model.drugs for drug, weight in part.shares}
    rows: list[tuple[float, str, float, float]] = []
    for one in dosing.given:
        part = parts.get(one.drug)
        if one.drug in weights:
            name, weight = weights[one.drug]
            rows.append((_hours(one, origin), name, one.share * weight, 0.0))
        elif part is not None and one.amount is not None:
            rows.append((_hours(one, origin), one.drug, one.amount * part.per_mg, one.hours))
    if model.growth is not None:
        rows += [(_hours(one, origin), model.growth.drug, one.share, 0.0) for one in dosing.factors]
    rows.sort(key=lambda row: (row[0], row[1]))
    return Schedule(
        hour=np.array([row[0] for row in rows], dtype=np.float64),
        drug=tuple(row[1] for row in rows),
        amount=np.array([row[2] for row in rows], dtype=np.float64),
        hours=np.array([row[3] for row in rows], dtype=np.float64),
    )


def _hours(one: Given, origin: datetime) -> float:
    return (one.at - origin) / _HOUR


def missing_amounts(dosing: Dosing, model: Model) -> tuple[str, ...]:
    """The medicines of a model of which a dose has no amount: no course can be drawn with them."""
    parts = {part.drug: part for part in model.drugs if part.pk != "kpd"}
    return tuple(dict.fromkeys(one.drug for one in dosing.given if one.amount is None and one.drug in parts))
