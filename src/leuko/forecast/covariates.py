"""What a record tells of the person that models and doses ask for, each with where it was read.

Body surface area by Mosteller, creatinine clearance by Cockcroft and Gault, where the record does not hold them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt

import msgspec

from leuko.ages import YEAR_DAYS, age_days
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.schema.forecast import CovariateRow, ForecastRule
from leuko.record import Record, Sign
from leuko.result import Gap
from leuko.wording import say_date

_SECONDS_A_DAY = 86_400


class Rules(Frozen, frozen=True, kw_only=True):
    """The numbers of the formulas and of the house, by id."""

    values: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        return self.values[name]


def rules_of(library: Library) -> Rules:
    """The numbers of `data/models/rules.toml`."""
    return Rules(values={row.id: row.value for row in library.rows(ForecastRule)})


class Covariates(Frozen, frozen=True, kw_only=True):
    """Values by covariate id, in the unit of its row; `evidence` the ids they rest on, `notes` how they came about."""

    values: Mapping[str, float] = msgspec.field(default_factory=dict)
    evidence: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    notes: Mapping[str, str] = msgspec.field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()

    def get(self, name: str) -> float | None:
        """The value of a covariate; None where it is not known."""
        return self.values.get(name)

    def with_values(self, **values: float) -> Covariates:
        """The same with some values set, as an argument of the caller's."""
        notes = {**self.notes, **dict.fromkeys(values, "as asked")}
        return Covariates(values={**self.values, **values}, evidence=self.evidence, notes=notes, gaps=self.gaps)


@dataclass(slots=True)
class _Found:
    values: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)

    def put(self, name: str, value: float, note: str = "", *evidence: str) -> None:
        self.values[name], self.notes[name], self.evidence[name] = value, note, evidence


def covariates_of(record: Record, *, library: Library, at: datetime) -> Covariates:
    """The covariates as of an instant (aware): of each, the latest value that is not later."""
    found = _Found()
    _from_patient(record, at, found)
    for row in library.rows(CovariateRow):
        _from_signs(row, record.signs, at, rules_of(library), found)
    _worked_out(found, rules_of(library))
    return Covariates(values=found.values, evidence=found.evidence, notes=found.notes, gaps=tuple(found.gaps))


def _from_patient(record: Record, at: datetime, found: _Found) -> None:
    patient = record.patient
    days = age_days(patient.born, at.date()) if patient.born is not None else None
    if days is not None:
        found.put("age", days / YEAR_DAYS)
    if patient.sex is not None:
        found.put("female", float(patient.sex == "female"))
    for name, value in (("height", patient.height_cm), ("weight", patient.weight_kg)):
        if value is not None:
            found.put(name, value, "of the patient entry")


def _from_signs(row: CovariateRow, signs: Iterable[Sign], at: datetime, rules: Rules, found: _Found) -> None:
    own = [sign for sign in signs if sign.value is not None and _is(sign, row)]
    dated = [sign for sign in own if sign.taken is not None and sign.taken.at <= at]
    for sign in sorted(dated, key=lambda one: one.taken.at if one.taken else at, reverse=True):
        value = _in_unit(sign, row)
        if value is None:
            found.gaps.append(_unreadable(sign, row))
            continue
        assert sign.taken is not None  # noqa: S101 (dated above)
        old = (at - sign.taken.at).total_seconds() / _SECONDS_A_DAY
        age = f", {int(old)} days old" if old > rules["covariate_days"] else ""
        found.put(row.id, value, f"of {say_date(sign.taken.day)}{age}", sign.id)
        return


def _is(sign: Sign, row: CovariateRow) -> bool:
    coded = any("loinc" in code.system.casefold() and code.code in row.loinc for code in sign.codes)
    return coded or sign.name.strip().casefold() in row.names


def _in_unit(sign: Sign, row: CovariateRow) -> float | None:
    factor = row.units.get((sign.unit or "").strip())
    if factor is None or sign.value is None:
        return None
    value = sign.value * factor
    low, high = row.low, row.high
    return value if (low is None or value >= low) and (high is None or value <= high) else None


def _unreadable(sign: Sign, row: CovariateRow) -> Gap:
    shown = f"{sign.value:g} {sign.unit or 'without a unit'}"
    known = ", ".join(name for name in row.units if name)
    return Gap(
        what=row.title,
        why=f"“{sign.name} {shown}” cannot be a value of it" + (f" in {known}" if known else ""),
        settle=f"{row.title} in {row.unit}",
    )


def _worked_out(found: _Found, rules: Rules) -> None:
    height, weight = found.values.get("height"), found.values.get("weight")
    if "bsa" not in found.values and height is not None and weight is not None:
        area = sqrt(height * weight / rules["mosteller"])
        note = f"Mosteller, from {height:g} cm and {weight:g} kg"
        found.put("bsa", area, note, *found.evidence["height"], *found.evidence["weight"])
    _clearance(found, rules)
    lines = found.values.get("prior_lines")
    if lines is not None and "prior_therapy" not in found.values:
        found.put("prior_therapy", float(lines > 0), "from the number of lines", *found.evidence["prior_lines"])


def _clearance(found: _Found, rules: Rules) -> None:
    needed = [found.values.get(name) for name in ("age", "weight", "creatinine", "female")]
    age, weight, creatinine, female = needed
    if "crcl" in found.values or age is None or weight is None or creatinine is None or female is None:
        return
    milligrams = creatinine / rules["creatinine_umol"]
    value = max(rules["cockcroft_age"] - age, 0.0) * weight / (rules["cockcroft_divisor"] * milligrams)
    value *= rules["cockcroft_female"] if female else 1.0
    note = f"Cockcroft-Gault, from creatinine {creatinine:.0f} µmol/L"
    found.put("crcl", value, note, *found.evidence["creatinine"], *found.evidence["weight"])
