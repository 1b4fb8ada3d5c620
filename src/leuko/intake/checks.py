"""From a result as written to a count that can be believed, or to the reason why not.

Code, name, specimen, unit, printed interval and size are held against one another. Nothing is corrected: a result is a
`count` (with notices where something is odd), `refused` (always with a notice), or `other`: no blood count at all,
which the reader keeps as a sign.
"""

from __future__ import annotations

from typing import Literal

from leuko.errors import Notice
from leuko.frozen import Frozen, replace
from leuko.intake.base import ReadOptions
from leuko.intake.findings import Finding, fault, note
from leuko.intake.identity import Claim, claim_of
from leuko.intake.names import Index, index_of
from leuko.intake.numbers import Number, NumberRefused, read_leading_number
from leuko.intake.raw import RawResult
from leuko.intake.size import Interval, check_size, interval_of
from leuko.intake.unit_choice import Choice, choose, molar_mass, read_quietly
from leuko.knowledge import Library
from leuko.record import Bound, Count, Origin
from leuko.units import UnitRefused, convert, fits

Kind = Literal["count", "refused", "other"]


class Interpreted(Frozen, frozen=True, kw_only=True):
    """What became of one raw result. `count` is set exactly where `kind` is "count"."""

    kind: Kind
    count: Count | None = None
    notices: tuple[Notice, ...] = ()


_OTHER = Interpreted(kind="other")
# What an unknown name is reported for: a lost count of these could hide a low one.
_COUNTED = frozenset({"wbc", "neutrophils", "neutrophils_percent", "lymphocytes", "lymphocytes_percent", "platelets"})


def interpret(raw: RawResult, *, library: Library, options: ReadOptions) -> Interpreted:
    """Turn one raw result into a count in the analyte's canonical unit, or say why it cannot be one."""
    index = index_of(library)
    number = _number(raw)
    raw = _unit_beside_value(raw, number)
    claim = claim_of(raw, index=index, codes=library.codes, counts_cells=_counts_cells(raw, number))
    if claim.kind in {"none", "panel"}:
        odd = _looks_like_ours(raw, claim, number, index)
        return _refused(raw, (odd,), library) if odd else _OTHER
    if claim.kind == "refused":
        return _refused(raw, claim.findings, library)
    if isinstance(number, Finding):
        return _refused(raw, (*claim.findings, number), library)
    choice = choose(raw, claim, index=index, units=options.units)
    if isinstance(choice, Finding):
        return _refused(raw, (*claim.findings, choice), library)
    strange = _stranger(claim, choice)
    if strange is not None and strange.fatal:
        return _refused(raw, (*claim.findings, strange), library)
    claim = claim if strange is None else replace(claim, findings=(*claim.findings, strange))
    return _measured(raw, number, claim, choice, library)


def _measured(raw: RawResult, number: Number, claim: Claim, choice: Choice, library: Library) -> Interpreted:
    bound = _bound(raw, number)
    if isinstance(bound, Finding):
        return _refused(raw, (bound,), library)
    analyte = choice.analyte
    value = convert(number.value, choice.unit, to=analyte.unit, molar_mass=molar_mass(analyte))
    interval = interval_of(raw, choice)
    found = (*check_size(value, bound, number.value, choice, interval), *_whole_fraction(number, choice))
    findings = (*claim.findings, *choice.findings, *interval.findings, *found)
    if any(f.fatal for f in found):
        return _refused(raw, findings, library)
    measured = _Measured(number=number, value=value, bound=bound, interval=interval)
    count = _count(raw, measured, claim, choice)
    return Interpreted(kind="count", count=count, notices=_notices(raw, findings, library))


class _Measured(Frozen, frozen=True, kw_only=True):
    """A value [unit of the analyte] with its bound and interval."""

    number: Number
    value: float
    bound: Bound
    interval: Interval


def _count(raw: RawResult, measured: _Measured, claim: Claim, choice: Choice) -> Count:
    interval = measured.interval
    return Count(
        id=raw.id,
        analyte=choice.analyte.id,
        value=measured.value,
        bound=measured.bound,
        unit=choice.analyte.unit,
        taken=raw.taken,
        lab_low=interval.low if interval.believed else None,
        lab_high=interval.high if interval.believed else None,
        method=claim.method,
        status=raw.status,
        flags=tuple(dict.fromkeys((*raw.flags, *measured.number.marks))),
        draw=raw.draw,
        issued=raw.issued,
        origin=origin_of(raw),
    )


def origin_of(raw: RawResult) -> Origin:
    """What the source wrote, kept beside what was made of it."""
    ends = (raw.low_text, raw.high_text)
    printed = raw.interval_text or ("-".join(e or "" for e in ends) if any(ends) else "")
    return Origin(
        place=raw.place,
        value_text=raw.value_text or "",
        unit_text=raw.unit_text or raw.unit_code,
        name_text=raw.names[0] if raw.names else next((c.display for c in raw.codes if c.display), ""),
        codes=raw.codes,
        interval_text=printed,
        resource_id=raw.resource_id,
    )


def _looks_like_ours(raw: RawResult, claim: Claim, number: Number | Finding, index: Index) -> Finding | None:
    """A name that speaks of white cells or platelets, in a unit of theirs, with a word that is not known."""
    if not claim.mentions or isinstance(number, Finding):
        return None
    found = read_quietly(raw.unit_code or raw.unit_text, raw.unit_system)
    if isinstance(found, UnitRefused) or not any(
        fits(found[0], index.analytes[i].unit) for i in claim.mentions & _COUNTED
    ):
        return None
    text = f"{claim.odd_name!r} looks like a blood count, but its name is not understood"
    return note("LK311", text, lost=True)


def _stranger(claim: Claim, choice: Choice) -> Finding | None:
    """A LOINC code that is not known here under a known label: it may be of another specimen.

    A count of another fluid is told by its size and interval; a percentage is not, so it is refused.
    """
    if claim.stranger is None:
        return None
    text = f"LOINC {claim.stranger} is not known here, and nothing says that the specimen is blood"
    if choice.analyte.quantity in {"percent", "ratio"} and choice.analyte.absolute is not None:
        return fault("LK310", text)
    return note("LK310", f"{text}; read by its label", read=f"as {choice.analyte.label}")


# ---- the number ------------------------------------------------------------------------------------------------------


def _number(raw: RawResult) -> Number | Finding:
    if raw.value_text is None or not raw.value_text.strip():
        why = f" ({raw.absent})" if raw.absent else ""
        return Finding(code="LK215", text=f"no value is given{why}", severity="warning", fatal=True, lost=False)
    try:
        return read_leading_number(raw.value_text, decimal_comma=raw.decimal_comma)
    except NumberRefused as refusal:
        code = "LK213" if refusal.kind == "ambiguous" else "LK212"
        return fault(code, f"the value cannot be used: {refusal.what}: {refusal.why}")


def _unit_beside_value(raw: RawResult, number: Number | Finding) -> RawResult:
    """A unit written in the value's own cell ("0.8 10*9/L") is the unit where no other is given."""
    if isinstance(number, Finding) or not number.rest or raw.unit_text or raw.unit_code:
        return raw
    return replace(raw, unit_text=number.rest)


def _counts_cells(raw: RawResult, number: Number | Finding) -> bool:
    """Whether value and unit look like a number of cells per volume of something, or a place was kept for one."""
    if isinstance(number, Finding):
        return number.code == "LK215"
    text = raw.unit_code or raw.unit_text
    found = read_quietly(text, raw.unit_system) if text else ()
    return not text or (not isinstance(found, UnitRefused) and found[0].canonical == "10*9/L")


def _bound(raw: RawResult, number: Number) -> Bound | Finding:
    if number.rest and number.rest not in {raw.unit_text, raw.unit_code}:
        beside, own = read_quietly(number.rest), read_quietly(raw.unit_text or raw.unit_code, raw.unit_system)
        if isinstance(beside, UnitRefused) or isinstance(own, UnitRefused) or beside[0].factor != own[0].factor:
            return fault("LK212", f"the value {raw.value_text!r} carries {number.rest!r} behind the number")
    if raw.bound == "=":
        return number.bound
    if number.bound in {"=", raw.bound}:
        return raw.bound
    return fault("LK212", f"the value {raw.value_text!r} and its comparator {raw.bound!r} contradict each other")


def _whole_fraction(number: Number, choice: Choice) -> tuple[Finding, ...]:
    """A percentage whose unit only its name gives may be a fraction: 0.45 can be 45 % or 0.45 %."""
    assumed = any(f.code == "LK210" for f in choice.findings)
    if not assumed or number.value > 1 or number.value == 0:
        return ()
    text = f"{number.value} without a unit may be a fraction or a percentage"
    return (
        fault("LK201", text, do=f"say the unit: --unit {choice.analyte.id}=% or --unit {choice.analyte.id}=FRACTION"),
    )


# ---- notices ---------------------------------------------------------------------------------------------------------


def _refused(raw: RawResult, findings: tuple[Finding, ...], library: Library) -> Interpreted:
    return Interpreted(kind="refused", notices=_notices(raw, findings, library))


def _notices(raw: RawResult, findings: tuple[Finding, ...], library: Library) -> tuple[Notice, ...]:
    return tuple(f.notice(raw.place, _help(f.code, library)) for f in findings)


def _help(code: str, library: Library) -> str | None:
    entry = library.notices.get(code)
    return entry.help if entry else None
