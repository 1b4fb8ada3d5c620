"""Which unit a result is in, and which of its candidate analytes that unit fits."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from leuko.frozen import Frozen
from leuko.intake.findings import Finding, fault, note
from leuko.intake.identity import Claim
from leuko.intake.names import Index
from leuko.intake.raw import RawResult
from leuko.knowledge.schema import Analyte
from leuko.units import UCUM, Unit, UnitRefused, fits, readings

_PER_MICROLITRE = Fraction(1, 1000)


class Choice(Frozen, frozen=True, kw_only=True):
    """An analyte and the unit that it was read in. `confirmed`: the caller named the unit."""

    analyte: Analyte
    unit: Unit
    confirmed: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def per_microlitre(self) -> bool:
        """Whether the number counts single cells per microlitre."""
        return self.unit.canonical == "10*9/L" and self.unit.factor == _PER_MICROLITRE


def molar_mass(analyte: Analyte) -> Fraction | None:
    """The exact molar mass [g/mol] that turns mmol/L into g/L, where the analyte has one."""
    return None if analyte.molar_mass is None else _exactly(analyte.molar_mass)


@lru_cache(maxsize=64)
def _exactly(text: str) -> Fraction:
    return Fraction(text)


@lru_cache(maxsize=4096)
def read_quietly(text: str, system: str = "") -> tuple[Unit, ...] | UnitRefused:
    """The readings of a unit, or the refusal as a value."""
    try:
        return readings(text, system=system)
    except UnitRefused as refusal:
        return refusal


def choose(raw: RawResult, claim: Claim, *, index: Index, units: Mapping[str, str]) -> Choice | Finding:
    """The analyte and unit of a claim, or why there is none. `units`: the caller's words (`ReadOptions.units`)."""
    said = _said_by_caller(claim, index, units)
    if said is not None:
        return _choice_of_caller(raw, claim, index, said)
    written = _written(raw)
    if isinstance(written, Finding):
        return written
    found, findings = written
    if not found:
        return _without_unit(claim, index)
    return _fitting(raw, claim, index, found, findings)


# ---- the caller's unit -----------------------------------------------------------------------------------------------


def _said_by_caller(claim: Claim, index: Index, units: Mapping[str, str]) -> tuple[str, str] | None:
    """The candidate that the caller gave a unit for, and that unit; keys are ids or names ("NEUT")."""
    for key, unit in units.items():
        named = {key} & set(index.analytes) or index.read(key).ids
        for candidate in sorted(claim.ids & named):
            return candidate, unit
    return None


def _choice_of_caller(raw: RawResult, claim: Claim, index: Index, said: tuple[str, str]) -> Choice | Finding:
    written = _written(raw)
    candidates = [index.analytes[i] for i in sorted(claim.ids)]
    given = read_quietly(said[1])
    if isinstance(given, UnitRefused):
        return fault("LK202", f"the unit that you gave for {said[0]} cannot be read: {given.why}")
    if not isinstance(written, Finding) and written[0]:
        # A percentage stays one, whatever the caller says of the count of the same name.
        other = _first_fit([a for a in candidates if not _fit(a, given)], written[0])
        if other is not None and not any(_fit(a, written[0]) for a in candidates if _fit(a, given)):
            return Choice(analyte=other[0], unit=other[1], findings=written[1])
    chosen = _first_fit(candidates, given)
    if chosen is None:
        return fault("LK202", f"the unit {said[1]!r} that you gave is no unit of {index.analytes[said[0]].label}")
    text = raw.unit_text or raw.unit_code
    found = (
        (note("LK209", f"read in {said[1]!r} as you said; the file says {text!r}", severity="info"),) if text else ()
    )
    return Choice(analyte=chosen[0], unit=chosen[1], confirmed=True, findings=found)


# ---- the unit as written ---------------------------------------------------------------------------------------------


def _written(raw: RawResult) -> tuple[tuple[Unit, ...], tuple[Finding, ...]] | Finding:
    """The readings of the printed and the coded unit together; () where neither was written."""
    text, code = raw.unit_text.strip(), raw.unit_code.strip()
    if not text and not code:
        return (), ()
    if not code or code == text:
        return _one(text or code, raw.unit_system if code else "", raw)
    coded, printed = read_quietly(code, raw.unit_system), read_quietly(text) if text else ()
    if isinstance(printed, UnitRefused):
        printed = ()
    if isinstance(coded, UnitRefused):
        return (printed, ()) if printed else _unreadable(code, coded)
    if printed and not _agree(coded, printed):
        return fault("LK203", f"the unit is coded {code!r} but printed {text!r}, and these differ")
    return _with_letter_note(coded, raw)


def _one(text: str, system: str, raw: RawResult) -> tuple[tuple[Unit, ...], tuple[Finding, ...]] | Finding:
    found = read_quietly(text, system)
    return _unreadable(text, found) if isinstance(found, UnitRefused) else _with_letter_note(found, raw)


def _unreadable(text: str, refusal: UnitRefused) -> Finding:
    return fault("LK202", f"the unit {text[:60]!r} cannot be used: {refusal.why}")


def _agree(one: tuple[Unit, ...], other: tuple[Unit, ...]) -> bool:
    return bool({(u.canonical, u.factor, u.offset) for u in one} & {(u.canonical, u.factor, u.offset) for u in other})


def _with_letter_note(found: tuple[Unit, ...], raw: RawResult) -> tuple[tuple[Unit, ...], tuple[Finding, ...]]:
    """UCUM's letter K is kelvin and G gauss; a laboratory means thousand and giga."""
    code = raw.unit_code.strip()
    if raw.unit_system.startswith(UCUM) and code[:2] in {"K/", "G/"} and found[0].canonical == "10*9/L":
        meant = "thousand" if code[0] == "K" else "giga"
        letter = "kelvin" if code[0] == "K" else "gauss"
        text = f"the code {code!r} is {letter} in UCUM; read as {meant}, which the analyte makes certain"
        return found, (note("LK211", text, severity="info"),)
    return found, ()


def _fitting(
    raw: RawResult, claim: Claim, index: Index, found: tuple[Unit, ...], findings: tuple[Finding, ...]
) -> Choice | Finding:
    chosen = _first_fit([index.analytes[i] for i in sorted(claim.ids)], found)
    if chosen is not None:
        return Choice(analyte=chosen[0], unit=chosen[1], findings=findings)
    twins = [index.analytes[t] for i in sorted(claim.ids) if (t := index.twins.get(i))]
    twin = _first_fit(twins, found)
    text = raw.unit_text or raw.unit_code
    if twin is None:
        wanted = " or ".join(index.analytes[i].label for i in sorted(claim.ids))
        return fault("LK202", f"{text!r} is no unit of {wanted}: it measures {found[0].canonical}")
    said = index.analytes[next(iter(sorted(claim.ids)))].label
    source = "code" if claim.coded else "name"
    words = f"the {source} says {said}, the unit {text!r} says {twin[0].label}"
    remark = note("LK307", words, read=f"as {twin[0].label}")
    return Choice(analyte=twin[0], unit=twin[1], findings=(*findings, remark))


def _fit(analyte: Analyte, found: tuple[Unit, ...]) -> Unit | None:
    return next((u for u in found if fits(u, analyte.unit, molar_mass=molar_mass(analyte))), None)


def _first_fit(candidates: list[Analyte], found: tuple[Unit, ...]) -> tuple[Analyte, Unit] | None:
    return next(((a, u) for a in candidates if (u := _fit(a, found)) is not None), None)


# ---- no unit at all --------------------------------------------------------------------------------------------------


def _without_unit(claim: Claim, index: Index) -> Choice | Finding:
    """A percentage carries its unit in its name or code; a count does not."""
    candidates = [index.analytes[i] for i in sorted(claim.ids)]
    if claim.sure and candidates[0].unit in {"%", "/100{WBCs}"} and candidates[0].absolute is not None:
        unit = read_quietly(candidates[0].unit)
        if not isinstance(unit, UnitRefused):
            text = f"no unit is written; {candidates[0].label} is a percentage by its name"
            return Choice(analyte=candidates[0], unit=unit[0], findings=(note("LK210", text, severity="info"),))
    named = " or ".join(a.label for a in candidates)
    key = next((a.id for a in candidates if a.quantity == "count"), candidates[0].id)
    return fault(
        "LK201",
        f"no unit is written for {named}",
        do=f"say the unit: --unit {key}=10*9/L or --unit {key}=/uL (nothing was changed)",
    )
