"""How much a dose is, in milligrams: per surface, per weight or by AUC worked out for this person.

Carboplatin by Calvert: dose = AUC x (GFR + 25), with a cap on an estimated clearance.
"""

from __future__ import annotations

import re
from typing import Final

from leuko.forecast.covariates import Covariates, Rules
from leuko.frozen import Frozen
from leuko.result import Gap

_MASS: Final = {"mg": 1.0, "g": 1000.0, "ug": 0.001, "mcg": 0.001, "µg": 0.001, "μg": 0.001, "mgs": 1.0}
_SURFACE: Final = frozenset({"m2", "m²", "m^2", "sqm", "(m2)", "m**2"})
_UNITS: Final = frozenset({"u", "iu", "[u]", "[iu]", "unit", "units"})
_MILLIONS: Final = frozenset({"mu", "miu", "10*6.[iu]", "10*6[iu]", "m[iu]", "million units"})
_AUC: Final = frozenset({"auc", "mg/ml.min", "mg/ml*min", "mg.min/ml", "mg*min/ml"})
_ROUND: Final = 100.0  # from here on a ratio needs no decimals
_NOISE: Final = re.compile(r"\{.*?\}|\s+")


class Amount(Frozen, frozen=True, kw_only=True):
    """An amount in mg (units for a medicine that is counted in units), and how it was worked out."""

    milligrams: float
    text: str = ""


def milligrams(
    amount: float, unit: str | None, drug: str, *, covariates: Covariates, rules: Rules, adult: bool = True
) -> Amount | Gap:
    """An amount in mg for this person, or why it cannot be told."""
    written = (unit or "").strip()
    spelled = _NOISE.sub("", written).casefold()
    if not amount > 0:
        return _gap(drug, f"{amount:g} {written} is no dose", "the dose that was given")
    if spelled in _AUC:
        return _calvert(amount, drug, covariates, rules)
    mass, _, per = spelled.partition("/")
    if spelled in _MILLIONS and "grastim" in drug:
        return Amount(milligrams=amount * rules["filgrastim_mu"])
    if mass in _UNITS:
        factor = 1.0
    elif mass in _MASS:
        factor = _MASS[mass]
    else:
        named = f"the unit {written!r} is none of a dose" if written else "it has no unit"
        return _gap(drug, f"{amount:g}: {named}", "the dose in mg, mg/m² or AUC")
    return _scaled(amount * factor, per, amount, written, drug, covariates, rules, adult=adult)


def _scaled(  # noqa: PLR0917
    value: float, per: str, amount: float, unit: str, drug: str, covariates: Covariates, rules: Rules, *, adult: bool
) -> Amount | Gap:
    if not per:
        return Amount(milligrams=value)
    if per in _SURFACE:
        area, note = _area(covariates, rules, adult=adult)
        if area is None:
            return _gap(drug, f"{amount:g} {unit}, and {note}", "height and weight, or the body surface area")
        return Amount(milligrams=value * area, text=f"{amount:g} {unit} x {area:.2f} m² ({note})")
    weight = covariates.get("weight")
    if per == "kg" and weight is not None:
        return Amount(milligrams=value * weight, text=f"{amount:g} {unit} x {weight:g} kg")
    if per == "kg":
        return _gap(drug, f"{amount:g} {unit}, and the weight is not known", "the weight")
    return _gap(drug, f"{amount:g}: the unit {unit!r} is none of a dose", "the dose in mg, mg/m² or AUC")


def _area(covariates: Covariates, rules: Rules, *, adult: bool) -> tuple[float | None, str]:
    area = covariates.get("bsa")
    if area is not None:
        return area, covariates.notes.get("bsa") or "of the record"
    if not adult:
        return None, "the body surface area of a child is not known"
    return rules["typical_bsa"], "not known: that of a typical adult"


def _calvert(target: float, drug: str, covariates: Covariates, rules: Rules) -> Amount | Gap:
    clearance = covariates.get("crcl")
    if clearance is None:
        missing = "creatinine with age, weight and sex, or the clearance"
        return _gap(drug, f"AUC {target:g}, and the renal function is not known", missing)
    used = min(clearance, rules["gfr_cap"])
    capped = f", capped at {used:g}" if used < clearance else ""
    note = covariates.notes.get("crcl") or "of the record"
    return Amount(
        milligrams=target * (used + rules["calvert"]),
        text=f"Calvert: AUC {target:g} x ({clearance:.0f} mL/min{capped} + {rules['calvert']:g}) ({note})",
    )


def _gap(drug: str, why: str, settle: str) -> Gap:
    return Gap(what=f"the dose of {drug}", why=why, settle=settle)


def impossible(given: float, usual: tuple[float, float], drug: str, shown: str, rules: Rules) -> Gap | None:
    """Why a dose [mg] cannot have been given, where it is far off what is usual for this person [mg, from and to]."""
    low, high = usual
    if given <= high * rules["dose_impossible_high"] and given >= low * rules["dose_impossible_low"]:
        return None
    above = given > high
    named = high if above else low
    times = given / named if above else named / given
    far = f"{times:,.{0 if times >= _ROUND else 1}f} times{'' if above else ' less than'}"
    return _gap(
        drug,
        f"{shown} is {far} the usual {named:.4g} mg for this person: the unit or the number cannot be right",
        "the dose that was given, with its unit",
    )
