"""The models against numbers that their sources, or others, print: computed anew with the reference solver."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from leuko.forecast.library import build, model_row
from leuko.forecast.model import Floats, Model, Schedule
from leuko.forecast.outcome import HOURS, Courses, days_below, nadir
from leuko.forecast.receptor import Injected, course
from leuko.forecast.solve import reference
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.schema.levels import AskRow, PublishedRow


class Checked(Frozen, frozen=True, kw_only=True):
    """One number: what was expected, what was found. `misses`: it is known not to be met, and `why`. `at_least`: it is
    met from what was expected upwards."""

    id: str
    model: str
    what: str
    dose: str
    expected: float
    tolerance: float
    found: float
    kind: str
    misses: bool
    why: str
    at_least: bool = False

    @property
    def passes(self) -> bool:
        """Whether what was found is what was expected."""
        if self.at_least and self.found >= self.expected:
            return True
        return abs(self.found - self.expected) <= self.tolerance

    @property
    def holds(self) -> bool:
        """Whether it passes, or misses as is known."""
        return self.passes or self.misses


def checked(library: Library, *, said: Callable[[str], None] = lambda _: None) -> tuple[Checked, ...]:
    """Every row `published` of the knowledge, computed anew. Rows that share a course are computed together."""
    said("published numbers")
    drawn: dict[object, tuple[Floats, Floats]] = {}
    found = []
    for row in library.rows(PublishedRow):
        key = (row.model, row.doses, row.injections, row.chemotherapy, row.healthy, row.factor, row.until)
        if key not in drawn:
            drawn[key] = _course(row, library)
        found.append(_checked(row, *drawn[key], severe=library.rows(AskRow)[0].severe))
    return tuple(found)


def _checked(row: PublishedRow, hours: Floats, counts: Floats, *, severe: float) -> Checked:
    one = Courses(days=hours / HOURS, counts=counts[:, None], baseline=counts[:1])
    found = _value(row, one, severe)
    return Checked(
        id=row.id,
        model=row.model,
        what=row.what if row.what != "at_hour" else f"count at {row.hour} h",
        dose=row.title,
        expected=row.expected,
        tolerance=row.tolerance,
        found=found,
        kind=row.kind,
        misses=row.misses,
        why=row.why,
    )


def _value(row: PublishedRow, one: Courses, severe: float) -> float:
    """What the row asks for."""
    if row.what == "nadir":
        return float(nadir(one)[0][0])
    if row.what == "nadir_day":
        return float(nadir(one)[1][0])
    if row.what == "severe":
        return float(days_below(one, severe)[0])
    if row.what == "back":
        return _back(one)
    if row.what == "peak":
        return float(one.counts.max())
    return float(np.interp(row.hour / HOURS, one.days, one.counts[:, 0]))


def _back(one: Courses) -> float:
    """The first day after the nadir on which the baseline is met; NaN where it is not."""
    lowest = int(np.argmin(one.counts[:, 0]))
    met = np.flatnonzero(one.counts[lowest:, 0] >= one.baseline[0])
    return float(one.days[lowest + met[0]]) if met.size else float("nan")


def _course(row: PublishedRow, library: Library) -> tuple[Floats, Floats]:
    """Hours and counts of the typical person."""
    hours = np.arange(0.0, row.until * HOURS + 1.0)
    source = model_row(row.model, library)
    if row.factor is not None:
        doses = [Injected(hour=day * HOURS, amount=mg) for day, mg in row.injections]
        if row.chemotherapy is not None:
            doses.insert(0, Injected(hour=0.0, amount=row.chemotherapy, what="chemotherapy"))
        return hours, course(source, doses, hours=hours, factor=row.factor, healthy=row.healthy)
    model = build(source, drugs=row.drugs, library=library)
    return hours, reference(model, model.typical, _schedule(row, model), hours=hours)


def _schedule(row: PublishedRow, model: Model) -> Schedule:
    part = model.drugs[0]
    doses = sorted(
        ((day + more) * HOURS, mg * part.per_mg, length)
        for day, mg, length, times in row.doses
        for more in range(times)
    )
    hour, amount, length = (np.array(column) for column in zip(*doses, strict=True))
    return Schedule(hour=hour, drug=(part.drug,) * len(doses), amount=amount, hours=length)
