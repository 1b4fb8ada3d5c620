"""The marrow models on file: which speak of a person's medicines, whether the person lies in their domain, and their
numeric form with the person's covariates worked in.

A combination is the model of one medicine plus a kinetic-pharmacodynamic part for each other medicine that suppresses
the marrow; a regimen of which no model speaks is such parts alone. What was assumed on the way is said as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np

from leuko.errors import UsageError
from leuko.forecast.covariates import Covariates, Rules, rules_of
from leuko.forecast.lasting import swing_text, with_swing
from leuko.forecast.model import DrugPart, Floats, GrowthPart, MarrowKind, Model, Residual
from leuko.forecast.stability import gamma_ceiling
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.knowledge.schema.forecast import CovariateRow, Effect, GivenHours, ModelRow, Parameter, Part
from leuko.knowledge.schema.levels import LevelRow
from leuko.result import Citation, Reason
from leuko.result.forecast import Domain
from leuko.wording import say_list

STAND_IN: Final = "regimen"
"""The name of the part that stands for medicines without a model of their own."""

CHECKED: Final = {
    "nadir": "lowest count [×10⁹/L]",
    "nadir_day": "day of the lowest count",
    "baseline_day": "day back at the baseline",
    "days_below_half": "days of severe neutropenia",
    "steady": "steady count [×10⁹/L]",
    "peak": "highest count [×10⁹/L]",
}
"""What a check of a model asks for, in words."""

_ORDER: Final[dict[Domain, int]] = {"inside": 0, "soft": 1, "outside": 2}


class Candidate(Frozen, frozen=True, kw_only=True):
    """A model that could speak of this person: numeric form, domain, and what was assumed.

    `personal` is false where the variation between people is not known: it may draw a typical course, and no more.
    """

    row: ModelRow
    model: Model
    domain: Domain
    domain_text: str
    notes: tuple[str, ...]
    checks: tuple[str, ...]
    personal: bool
    reason: Reason


class Doses(Frozen, frozen=True, kw_only=True):
    """What the choice of a model needs to know of the doses: medicines, and the most at one time [unit of the row]."""

    drugs: tuple[str, ...]
    factors: tuple[str, ...] = ()
    per_m2: dict[str, float] | None = None


def models_for(
    drugs: Sequence[str],
    *,
    covariates: Covariates,
    library: Library,
    line: str | None = "neutrophils",
    factors: Sequence[str] = (),
    per_m2: dict[str, float] | None = None,
    outside: bool = False,
) -> tuple[Candidate, ...]:
    """The models that speak of these medicines (ids of `PlanDrug`), best first; those for any regimen come last.

    `factors` are the growth factors given, `per_m2` the highest dose of each medicine [mg/m2], where known. `line` None
    is any line. Models outside whose domain the person lies are left out unless `outside` is true; `outside_of` says
    why.
    """
    doses = Doses(drugs=tuple(dict.fromkeys(drugs)), factors=tuple(factors), per_m2=per_m2)
    rows = [row for row in _rows(library) if _speaks(row, doses) and line in {None, row.line}]
    found = [candidate(row, doses, covariates=covariates, library=library) for row in rows]
    kept = [one for one in found if outside or one.domain != "outside"]
    return tuple(sorted(kept, key=_rank))


def _rank(one: Candidate) -> tuple[bool, bool, int, int]:
    return one.row.role == "regimen", not one.personal, _ORDER[one.domain], one.row.prefer


def _rows(library: Library) -> list[ModelRow]:
    """The rows that are models of a course, and may drive."""
    return [row for row in library.rows(ModelRow) if row.role in {"medicine", "regimen"} and row.basis.drives]


def _speaks(row: ModelRow, doses: Doses) -> bool:
    if row.role == "regimen":
        return bool(doses.drugs)
    return set(row.drugs) <= set(doses.drugs) and bool(row.drugs)


def model_row(name: str, library: Library) -> ModelRow:
    """The row of a model by its id; UsageError with the known ones if there is none."""
    rows = {row.id: row for row in library.rows(ModelRow)}
    if name not in rows:
        raise UsageError(f"no model {name!r}", why=f"known: {', '.join(sorted(rows))}", do="name one of these")
    return rows[name]


def level_row(use: str, library: Library, analyte: str = "neutrophils") -> LevelRow:
    """How counts move, for one use: what the site learned from its own counts (the last such row), else the shipped."""
    rows = [row for row in library.rows(LevelRow) if (row.analyte, row.use) == (analyte, use)]
    return next((row for row in reversed(rows) if row.learned is not None), rows[0])


def candidate(row: ModelRow, doses: Doses, *, covariates: Covariates, library: Library) -> Candidate:
    """One model for one person, with what was assumed."""
    domain, text = domain_of(row, doses, covariates=covariates, library=library)
    model = with_swing(
        build(row, covariates=covariates, drugs=doses.drugs, factors=doses.factors, library=library), library
    )
    notes = (*assumptions(row, doses, covariates=covariates, library=library), swing_text(model, library), row.note)
    return Candidate(
        row=row,
        model=model,
        domain=domain,
        domain_text=text,
        notes=tuple(note for note in notes if note),
        checks=tuple(_said(check) for check in row.checks),
        personal=row.variability != "none" and row.residual is not None,
        reason=_reason(row, text, covariates, library),
    )


def _said(check: object) -> str:
    what, dose, expected = (getattr(check, name) for name in ("what", "dose", "expected"))
    kind = "published" if getattr(check, "kind", "") == "published" else "of the same table, by another program"
    verdict = "met" if getattr(check, "passed", True) else f"missed: {getattr(check, 'why', '')}"
    return f"{CHECKED[what]} at {dose}: {expected:g} ({kind}), {verdict}"


def _reason(row: ModelRow, text: str, covariates: Covariates, library: Library) -> Reason:
    used = {effect.covariate for effect in row.effects}
    ids = [one for name in sorted(used) for one in covariates.evidence.get(name, ())]
    bases = [row.basis, *([row.kinetics_basis] if row.kinetics_basis is not None else [])]
    citations: list[Citation] = [library.cite(basis) for basis in bases]
    return Reason(
        rule=f"model:{row.id}", text=text, evidence=tuple(dict.fromkeys(ids)), citations=tuple(dict.fromkeys(citations))
    )


# --- the numeric form ------------------------------------------------------------------------------------------------


def build(
    row: ModelRow,
    *,
    covariates: Covariates | None = None,
    drugs: Sequence[str] = (),
    factors: Sequence[str] = (),
    library: Library | None = None,
) -> Model:
    """The numeric form of a row: typical values for these covariates (missing ones at the source's typical person),
    covariance of what varies, kinetic-pharmacodynamic parts for the further `drugs`, growth factors.

    `library` is needed where `drugs` holds more than the row's own medicines, or for a growth factor or a regimen row.
    Raises UsageError where the row is no model of a course of `forecast.model` (the receptor model: see `receptor`).
    """
    if row.marrow == "receptor":
        raise UsageError(f"{row.id} has equations of its own", do="use leuko.forecast.receptor")
    covariates = covariates or Covariates()
    parts = [_drug_part(part) for part in row.parts]
    parameters = [_worked(one, row.effects, covariates) for one in row.parameters]
    if row.role == "regimen":
        parts = [*_stand_in(list(_weights(drugs, _needed(library))), drugs, _needed(library))]
    elif library is not None and (others := _others(row, drugs, library)):
        parts = [*parts, *_stand_in(others, drugs, library)]
        parameters = [*parameters, *(one for one in _additional(library).parameters if one.name.startswith(STAND_IN))]
    growth = None
    if factors and library is not None and row.marrow != "turnover":
        addition = _growth(library)
        growth, parameters = GrowthPart(drug="growth factor"), [*parameters, *addition.parameters]
    return _numeric(row, parts, parameters, growth)


def _worked(parameter: Parameter, effects: Iterable[Effect], covariates: Covariates) -> Parameter:
    factor = 1.0
    for effect in effects:
        if effect.parameter == parameter.name:
            factor *= effect.at(_value(effect, covariates))
    return msgspec.structs.replace(parameter, value=parameter.value * factor)


def _value(effect: Effect, covariates: Covariates) -> float:
    known = covariates.get(effect.covariate)
    if known is None:
        return _typical(effect)
    low = effect.low if effect.low is not None else known
    high = effect.high if effect.high is not None else known
    return min(max(known, low), high)


def _typical(effect: Effect) -> float:
    return effect.reference if effect.typical is None else effect.typical


def _numeric(
    row: ModelRow, parts: Sequence[DrugPart], parameters: Sequence[Parameter], growth: GrowthPart | None
) -> Model:
    names = tuple(one.name for one in parameters)
    vary = [one for one in parameters if one.variance > 0.0]
    occasion = np.diag([one.occasion for one in vary])
    residual = row.residual
    marrow: MarrowKind = "friberg" if row.marrow == "receptor" else row.marrow
    model = Model(
        id=row.id,
        line=row.line,
        marrow=marrow,
        transits=row.transits,
        own_kcirc=row.own_kcirc,
        drugs=tuple(parts),
        growth=growth,
        dexamethasone=row.dexamethasone,
        names=names,
        typical=np.array([one.value for one in parameters], dtype=np.float64),
        random=tuple(one.name for one in vary),
        omega=_covariance(vary, row),
        occasion=occasion if occasion.any() else None,
        residual=Residual(kind=residual.kind, sd=residual.sd, power=residual.power)
        if residual is not None
        else Residual(kind="log", sd=0.0),
    )
    return replace(model, ceilings=_ceilings(model))


def _drug_part(part: Part) -> DrugPart:
    return DrugPart(
        drug=part.drug,
        dose_unit=part.dose_unit,
        per_mg=part.per_mg,
        pk=part.pk,
        compartments=part.compartments,
        effect=part.effect,
    )


def _covariance(vary: Sequence[Parameter], row: ModelRow) -> Floats:
    sd = np.sqrt(np.array([one.variance for one in vary], dtype=np.float64))
    correlation = np.eye(len(vary))
    at = {one.name: place for place, one in enumerate(vary)}
    for pair in row.correlations:
        first, second = at[pair.first], at[pair.second]
        correlation[first, second] = correlation[second, first] = pair.value
    covariance: Floats = correlation * np.outer(sd, sd)
    return covariance


def _ceilings(model: Model) -> tuple[tuple[str, float], ...]:
    return () if model.marrow == "turnover" else (("gamma", gamma_ceiling(model)),)


# --- medicines without kinetics --------------------------------------------------------------------------------------


def _additional(library: Library) -> ModelRow:
    return next(row for row in library.rows(ModelRow) if row.role == "regimen")


def _growth(library: Library) -> ModelRow:
    return next(row for row in library.rows(ModelRow) if row.role == "addition")


def _weights(drugs: Sequence[str], library: Library) -> dict[str, float]:
    """The medicines of a regimen that suppress the marrow, with their part in it."""
    given = {row.drug: row.weight for row in library.rows(GivenHours)}
    weights = {drug: given.get(drug, 1.0) for drug in dict.fromkeys(drugs)}
    return {drug: weight for drug, weight in weights.items() if weight > 0.0}


def _others(row: ModelRow, drugs: Sequence[str], library: Library) -> list[str]:
    own = {*row.drugs, *row.domain.with_drugs}
    return [drug for drug in _weights(drugs, library) if drug not in own]


def _stand_in(own: Sequence[str], drugs: Sequence[str], library: Library) -> list[DrugPart]:
    """One part for medicines of which no model speaks. A usual cycle of the whole regimen is one unit; each of its
    medicines that suppress the marrow has an even share of it, by weight."""
    weights = _weights(drugs, library)
    shares = tuple((drug, weights[drug] / len(weights)) for drug in own if drug in weights)
    if not shares:
        return []
    return [DrugPart(drug=STAND_IN, dose_unit="usual cycle", per_mg=1.0, pk="kpd", shares=shares)]


def _needed(library: Library | None) -> Library:
    if library is None:
        raise UsageError("a model for any regimen needs the library", do="pass library=")
    return library


# --- whom it speaks of -----------------------------------------------------------------------------------------------


def domain_of(row: ModelRow, doses: Doses, *, covariates: Covariates, library: Library) -> tuple[Domain, str]:
    """Whether the person and the doses lie inside a model's domain, softly so, or outside it, and why."""
    rules = rules_of(library)
    stand_in: list[tuple[Domain, str]] = [("soft", "no published model is asked")] if row.role == "regimen" else []
    found = [
        *stand_in,
        *(_by_age(row, covariates, rules) if row.role != "regimen" else ()),
        *_by_sex(row, covariates),
        *_by_drugs(row, doses, library),
        *_by_dose(row, doses, rules),
        *_by_values(row, covariates, library),
    ]
    if not found:
        return "inside", f"fitted on {row.domain.population}"
    worst: Domain = max((domain for domain, _ in found), key=_ORDER.__getitem__)
    return worst, f"fitted on {row.domain.population}; here {say_list([text for _, text in found])}"


def _by_age(row: ModelRow, covariates: Covariates, rules: Rules) -> list[tuple[Domain, str]]:
    age, domain = covariates.get("age"), row.domain
    if age is None:
        return [("soft", "the age is not known")]
    shown = f"the age is {age:.0f}"
    if (age < rules["adult_years"]) != domain.children:
        return [("outside", f"{shown}, and it was fitted on {'children' if domain.children else 'adults'}")]
    low, high = domain.age_low, domain.age_high
    if (low is not None and age < low) or (high is not None and age > high):
        return [("soft", f"{shown}, beyond {low or 0:g} to {high or 0:g} years")]
    return []


def _by_sex(row: ModelRow, covariates: Covariates) -> list[tuple[Domain, str]]:
    female = covariates.get("female")
    return [("soft", "it was fitted on women alone")] if row.domain.female_only and female == 0.0 else []


def _by_drugs(row: ModelRow, doses: Doses, library: Library) -> list[tuple[Domain, str]]:
    found: list[tuple[Domain, str]] = []
    others = _others(row, doses.drugs, library) if row.role == "medicine" else []
    if others:
        found.append(("soft", f"{say_list(others)} are given too, of which it does not speak"))
    if doses.factors and not row.domain.growth_factor:
        found.append(("soft", f"{say_list(list(doses.factors))} is given, and it was fitted without growth factors"))
    return found


def _by_dose(row: ModelRow, doses: Doses, rules: Rules) -> list[tuple[Domain, str]]:
    given = (doses.per_m2 or {}).get(row.drugs[0]) if row.drugs else None
    low, high = row.domain.dose_low, row.domain.dose_high
    if given is None or row.domain.dose_unit != "mg/m2" or low is None or high is None:
        return []
    text = f"the dose is {given:.3g} mg/m², beyond {low:g} to {high:g}"
    if given > high * rules["dose_fold"] or given < low / rules["dose_fold"]:
        return [("outside", text)]
    return [("soft", text)] if not _about(low) <= given <= high * 1.05 else []


def _about(low: float) -> float:
    """A rounded dose is no other dose."""
    return low * 0.95


def _by_values(row: ModelRow, covariates: Covariates, library: Library) -> list[tuple[Domain, str]]:
    titles = {one.id: one for one in library.rows(CovariateRow)}
    found: list[tuple[Domain, str]] = []
    for effect in row.effects:
        value = covariates.get(effect.covariate)
        if value is None:
            continue
        low, high = effect.low, effect.high
        if (low is not None and value < low) or (high is not None and value > high):
            named = titles[effect.covariate]
            shown = (
                f"{named.title} is {value:.3g} {named.unit}, beyond {low or 0:g} to {high or 0:g} (taken at the edge)"
            )
            found.append(("soft", shown))
    return list(dict.fromkeys(found))


def assumptions(row: ModelRow, doses: Doses, *, covariates: Covariates, library: Library) -> tuple[str, ...]:
    """What is assumed where this model speaks of this person: covariates, further medicines, borrowed variation."""
    return (
        *_missing(row, covariates, library),
        *_combined(row, doses, library),
        *(f"{one.name}: {one.note}" for one in row.parameters if one.house and one.note),
        *([f"residual error: {row.residual.note}"] if row.residual is not None and row.residual.note else []),
    )


def _missing(row: ModelRow, covariates: Covariates, library: Library) -> list[str]:
    titles = {one.id: one for one in library.rows(CovariateRow)}
    wanted = {effect.covariate: effect for effect in row.effects if covariates.get(effect.covariate) is None}
    return [
        f"not known: {titles[name].title}; taken as {_shown(effect, titles[name])}" for name, effect in wanted.items()
    ]


def _shown(effect: Effect, named: CovariateRow) -> str:
    """The typical person's value; of a sign that is there or not, in words."""
    value = _typical(effect)
    sign = named.unit.removeprefix("1 = ")
    if sign != named.unit:
        return sign if value else f"not {sign}"
    return f"{value:g} {named.unit}"


def _combined(row: ModelRow, doses: Doses, library: Library) -> list[str]:
    others = _others(row, doses.drugs, library)
    light = [drug for drug in doses.drugs if drug not in _weights(doses.drugs, library)]
    found = []
    if row.role == "regimen":
        found.append(
            "no published kinetics are used: each usual dose of the regimen acts as one unit that fades, with a wide"
            " spread between people, shared evenly between its medicines"
        )
    elif others:
        found.append(
            f"{say_list(others)}: no model on file beside {say_list(list(row.drugs))}; each acts as its share of the"
            " suppression by a usual regimen, with a wide spread, and effects add up"
        )
    if light:
        found.append(f"{say_list(light)}: hardly suppresses the marrow and is left out")
    if doses.factors:
        found.append(
            "the growth factor speeds maturation and proliferation as in the added model, fitted on docetaxel; its"
            " strength is leuko's own setting"
        )
    return found
