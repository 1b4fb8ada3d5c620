"""The doses of the catalogue of regimens for one person: what a cycle holds, and what a usual dose is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leuko.errors import UsageError
from leuko.forecast.amounts import Amount, milligrams
from leuko.forecast.covariates import Covariates, Rules
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.schema.forecast import GivenHours, ModelRow, RegimenDose
from leuko.knowledge.schema.plan import RegimenRow
from leuko.result import Gap
from leuko.wording import say_list


class Planned(Frozen, frozen=True, kw_only=True):
    """One administration of a cycle: medicine, day of the cycle (1 is the first), hour after that day's first, amount
    [mg] (None: cannot be told), its share of what the medicine does in a usual cycle, hours of infusion."""

    drug: str
    day: int
    offset: float
    amount: float | None
    share: float
    hours: float
    text: str = ""


class CycleDoses(Frozen, frozen=True, kw_only=True):
    """The doses of one phase of a regimen for one person, with what was assumed and what is missing."""

    regimen: RegimenRow
    phase: int
    doses: tuple[Planned, ...]
    cycles: int | None
    texts: tuple[str, ...]
    gaps: tuple[Gap, ...]

    def usual(self, drug: str, day: int | None = None) -> float | None:
        """A usual dose [mg] of a medicine on a day of the cycle, else on any."""
        own = [one for one in self.doses if one.drug == drug and one.amount is not None]
        exact = [one for one in own if one.day == day]
        return (exact or own)[0].amount if own else None

    def share(self, drug: str) -> float | None:
        """The share of one usual administration in the medicine's doing in a cycle."""
        return next((one.share for one in self.doses if one.drug == drug), None)

    def per_mg(self, drug: str) -> float | None:
        """The share of one milligram; None where an amount is not known."""
        own = [one for one in self.doses if one.drug == drug]
        total = sum(one.amount or 0.0 for one in own)
        whole = sum(one.share for one in own)
        return whole / total if total and all(one.amount is not None for one in own) else None

    def span(self, drug: str) -> tuple[float, float] | None:
        """The smallest single dose and the largest of a whole day [mg]."""
        own = [one for one in self.doses if one.drug == drug and one.amount is not None]
        if not own:
            return None
        days = {one.day for one in own}
        totals = [sum(one.amount or 0.0 for one in own if one.day == day) for day in days]
        return min(one.amount or 0.0 for one in own), max(totals)


def regimen_row(name: str, library: Library) -> RegimenRow:
    """A regimen by its id; UsageError where there is none."""
    for row in library.rows(RegimenRow):
        if row.id == name:
            return row
    raise UsageError(f"no regimen {name!r}", do="name one by its id: `leuko knowledge show regimen`")


def cycle_of(
    regimen: RegimenRow,
    *,
    phase: int,
    covariates: Covariates,
    library: Library,
    rules: Rules,
    first_cycle: bool = False,
    adult: bool = True,
) -> CycleDoses:
    """The doses of one cycle of a phase (1 is the first) of a regimen for this person."""
    rows = [row for row in library.rows(RegimenDose) if (row.regimen, row.phase) == (regimen.id, phase)]
    doubted = [row.drug for row in rows if not row.basis.drives]
    rows = [row for row in rows if row.basis.drives]
    infusion = {row.drug: row.hours for row in library.rows(GivenHours)}
    doses: list[Planned] = []
    texts: list[str] = []
    gaps: list[Gap] = [_doubted(regimen, doubted)] if doubted else []
    whole = min((regimen.cycle_days or rules["whole_cycle_days"]) / rules["whole_cycle_days"], 1.0)
    for row in rows:
        amount, said = _amount(row, covariates, rules, first_cycle=first_cycle, adult=adult)
        texts += [text for text in (said.text if isinstance(said, Amount) else "", _middle(row), row.note) if text]
        gaps += [said] if isinstance(said, Gap) else []
        share = whole * row.amount / _in_cycle(row.drug, rows)
        hours = row.hours if row.hours is not None else infusion.get(row.drug, 0.0)
        doses += [
            Planned(drug=row.drug, day=day, offset=24.0 / row.times * time, amount=amount, share=share, hours=hours)
            for day in row.days
            for time in range(row.times)
        ]
    missing = _without(regimen, phase, rows)
    texts += [f"{regimen.name}: the catalogue has no dose of {drug}" for drug in missing]
    return CycleDoses(
        regimen=regimen,
        phase=phase,
        doses=tuple(sorted(doses, key=lambda one: (one.day, one.offset, one.drug))),
        cycles=next((row.cycles for row in rows if row.cycles is not None), None),
        texts=tuple(dict.fromkeys(texts)),
        gaps=tuple(dict.fromkeys(gaps)),
    )


def _doubted(regimen: RegimenRow, drugs: Sequence[str]) -> Gap:
    return Gap(
        what=f"the doses of {regimen.name}",
        why=f"those of {say_list(list(dict.fromkeys(drugs)))} are on file and not confirmed: they are not taken",
        settle="the doses of the record, or a confirmed source",
    )


def _in_cycle(drug: str, rows: Iterable[RegimenDose]) -> float:
    """All of a medicine that a cycle holds, in the unit of its rows."""
    return sum(row.amount * row.times * len(row.days) for row in rows if row.drug == drug)


def _amount(
    row: RegimenDose, covariates: Covariates, rules: Rules, *, first_cycle: bool, adult: bool
) -> tuple[float | None, Amount | Gap]:
    number = row.first if first_cycle and row.first is not None else _number(row)
    found = milligrams(number, row.unit, row.drug, covariates=covariates, rules=rules, adult=adult)
    if isinstance(found, Gap):
        return None, found
    value = min(found.milligrams, row.limit) if row.limit is not None else found.milligrams
    said = f"{row.drug} {value:.4g} mg: {found.text}" if found.text else f"{row.drug} {value:.4g} mg"
    capped = f", at most {row.limit:g} mg" if row.limit is not None and found.milligrams > row.limit else ""
    return value, Amount(milligrams=value, text=f"{said}{capped}")


def _number(row: RegimenDose) -> float:
    return row.amount if row.most is None else (row.amount + row.most) / 2.0


def _middle(row: RegimenDose) -> str:
    if row.most is None:
        return ""
    return f"{row.drug}: the catalogue gives {row.amount:g} to {row.most:g} {row.unit}; the middle is taken"


def _without(regimen: RegimenRow, phase: int, rows: Sequence[RegimenDose]) -> list[str]:
    wanted = regimen.phases[phase - 1].drugs if 0 < phase <= len(regimen.phases) else ()
    return [drug for drug in wanted if drug not in {row.drug for row in rows}] if not rows else []


def phase_of(regimen: RegimenRow, drugs: Iterable[str]) -> int:
    """The last phase of a regimen whose medicines were all given, by number; 1 where none was."""
    given = set(drugs)
    fitting = [n for n, phase in enumerate(regimen.phases, 1) if phase.drugs and set(phase.drugs) & given]
    whole = [n for n in fitting if set(regimen.phases[n - 1].drugs) <= given]
    return (whole or fitting or [1])[-1]


def largest(drug: str, *, covariates: Covariates, library: Library, rules: Rules) -> float | None:
    """The largest dose [mg] of a medicine that a model was fitted on, for this person; None where none says."""
    rows = [row for row in library.rows(ModelRow) if row.drugs == (drug,) and row.domain.dose_high is not None]
    for row in rows:
        found = milligrams(row.domain.dose_high or 0.0, row.domain.dose_unit, drug, covariates=covariates, rules=rules)
        if isinstance(found, Amount):
            return found.milligrams
    return None
