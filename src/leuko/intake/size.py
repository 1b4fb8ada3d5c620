"""Whether a number can be what it claims: its printed interval and its size.

The commonest grave error in real counts is a unit that is wrong by 1000. It is reported, never corrected: a value is
refused where it only makes sense in another unit, and used with a warning where it is merely unusual.
"""

from __future__ import annotations

from decimal import Decimal

from leuko.frozen import Frozen
from leuko.intake.findings import Finding, fault, note
from leuko.intake.numbers import NumberRefused, read_number
from leuko.intake.raw import RawResult
from leuko.intake.unit_choice import Choice, molar_mass, read_quietly
from leuko.knowledge.schema import Analyte
from leuko.record import Bound
from leuko.units import Unit, UnitRefused, convert, fits

# How far real sources put a unit off: thousand (K/uL for /uL), hundred (10/uL columns), million.
_SCALES = (1000.0, 0.001, 100.0, 0.01, 1_000_000.0, 0.000_001)
_SCALES_OF_MASS = (10.0, 0.1)  # g/dL labelled g/L
_DASH = ("–", "—", " to ", " bis ", " à ", "..", "~")


class Interval(Frozen, frozen=True, kw_only=True):
    """A printed interval in the analyte's unit; `believed` false where it is none of this analyte."""

    low: float | None = None
    high: float | None = None
    believed: bool = False
    findings: tuple[Finding, ...] = ()


def interval_of(raw: RawResult, choice: Choice) -> Interval:
    """The printed interval in the analyte's unit, and what is wrong with it."""
    ends = _ends(raw)
    if ends is None:
        return Interval()
    if isinstance(ends, Finding):
        return Interval(findings=(ends,))
    low, high = ends
    if not low and not high:
        return Interval(findings=(note("LK320", "the printed interval is 0-0: no interval", severity="info"),))
    unit = _interval_unit(raw, choice)
    if isinstance(unit, Finding):
        return Interval(findings=(unit,))
    analyte = choice.analyte
    values = [
        None if end is None else convert(end, unit, to=analyte.unit, molar_mass=molar_mass(analyte)) for end in ends
    ]
    if low is not None and high is not None and low > high:
        return Interval(findings=(note("LK321", f"the printed interval {low}-{high} is upside down: not used"),))
    return Interval(low=values[0], high=values[1], believed=is_interval_of(analyte, values[0], values[1]))


def is_interval_of(analyte: Analyte, low: float | None, high: float | None) -> bool:
    """Whether an interval [unit of the analyte] can be one of this analyte (see `Analyte`)."""
    if low is not None and analyte.lab_low_least is not None and low < analyte.lab_low_least:
        return False
    if low is not None and analyte.lab_low_most is not None and low > analyte.lab_low_most:
        return False
    return not (high is not None and analyte.lab_high_least is not None and high < analyte.lab_high_least)


def check_size(value: float, bound: Bound, written: Decimal, choice: Choice, interval: Interval) -> tuple[Finding, ...]:
    """Whether a value [unit of the analyte] can be believed; a fatal finding refuses it."""
    fatal = (
        _negative(value, choice)
        or _scale_of_interval(value, choice, interval)
        or _not_blood_by_interval(choice, interval)
        or _impossible(value, bound, choice)
        or _fraction_of_a_cell(value, bound, choice)
        or _unconfirmed(value, written, choice, interval)
        or _unconfirmed_low(value, bound, choice, interval)
    )
    return (fatal,) if fatal else (*_doubts(value, bound, choice), *_strange_interval(choice, interval))


# ---- the interval ----------------------------------------------------------------------------------------------------


def _ends(raw: RawResult) -> tuple[Decimal | None, Decimal | None] | Finding | None:
    if raw.low_text is None and raw.high_text is None:
        return _ends_of_text(raw) if raw.interval_text.strip() else None
    try:
        return _end(raw.low_text, raw), _end(raw.high_text, raw)
    except NumberRefused as refusal:
        return _unread(f"{raw.low_text or ''}-{raw.high_text or ''}", refusal)


def _end(text: str | None, raw: RawResult) -> Decimal | None:
    return None if text is None or not text.strip() else read_number(text, decimal_comma=raw.decimal_comma).value


def _ends_of_text(raw: RawResult) -> tuple[Decimal | None, Decimal | None] | Finding:
    """An interval in one text: "4.0-10.0", "[ 4.0 - 11.0 ]", "4.3 to 6.2", "<5", "70_105"."""
    text = raw.interval_text.strip().strip("[]()").strip()
    for dash in _DASH:
        text = text.replace(dash, "-")
    try:
        if text[:1] in "<>≤≥":
            one = read_number(text, decimal_comma=raw.decimal_comma)
            return (None, one.value) if one.bound in {"<", "<="} else (one.value, None)
        parts = [p for p in text.replace("_", "-").split("-") if p.strip()]
        if len(parts) != 2:
            return note(
                "LK323", f"the printed interval {raw.interval_text[:60]!r} cannot be read: not used", severity="info"
            )
        return _end(parts[0], raw), _end(parts[1], raw)
    except NumberRefused as refusal:
        return _unread(raw.interval_text, refusal)


def _unread(text: str, refusal: NumberRefused) -> Finding:
    return note("LK323", f"the printed interval {text[:60]!r} cannot be read: {refusal.why}", severity="info")


def _interval_unit(raw: RawResult, choice: Choice) -> Unit | Finding:
    text = (raw.interval_unit_text or "").strip()
    if not text or text in {raw.unit_text.strip(), raw.unit_code.strip()}:
        return choice.unit
    found = read_quietly(text)
    if not isinstance(found, UnitRefused):
        mass = molar_mass(choice.analyte)
        for unit in found:
            if fits(unit, choice.analyte.unit, molar_mass=mass):
                return unit
    return note(
        "LK324", f"the unit {text[:60]!r} of the printed interval is none of {choice.analyte.label}: interval not used"
    )


def _strange_interval(choice: Choice, interval: Interval) -> tuple[Finding, ...]:
    if interval.believed or (interval.low is None and interval.high is None):
        return ()
    return (note("LK322", f"the printed interval {_span(interval)} is none of {choice.analyte.label}: it is not used"),)


def _span(interval: Interval) -> str:
    low, high = interval.low, interval.high
    if low is None:
        return f"up to {high:g}"
    return f"from {low:g}" if high is None else f"{low:g}-{high:g}"


def _scale_of_interval(value: float, choice: Choice, interval: Interval) -> Finding | None:
    """An interval that fits the analyte only after a shift by a thousand (hundred, million): the unit is wrong."""
    analyte = choice.analyte
    if interval.believed or not interval.high or not interval.low or analyte.lab_low_most is None:
        return None
    for scale in _SCALES_OF_MASS if analyte.quantity == "mass" else _SCALES:
        if is_interval_of(analyte, interval.low * scale, interval.high * scale):
            off = 1 / scale if scale < 1 else scale
            way = "large" if scale < 1 else "small"
            both = f"{value:g} {analyte.unit} with the printed interval {_span(interval)}"
            text = f"{both}: these are {off:,.0f} times too {way} for {analyte.label}"
            return fault("LK204", text, read=_as_read(value, analyte), do=_name_the_unit(analyte))
    return None


def _not_blood_by_interval(choice: Choice, interval: Interval) -> Finding | None:
    """White cells of blood have a lower limit above zero; an interval from 0 is how fluids and urine are printed."""
    analyte = choice.analyte
    if analyte.id not in {"wbc", "wbc_corrected"} or interval.believed or interval.high is None or interval.low:
        return None
    return fault(
        "LK306",
        f"the printed interval {_span(interval)} begins at 0, as for cerebrospinal fluid, another fluid or urine",
    )


# ---- the value -------------------------------------------------------------------------------------------------------


def _as_read(value: float, analyte: Analyte) -> str:
    return f"{value:g} {analyte.unit}"


def _name_the_unit(analyte: Analyte) -> str:
    return f"if the source counts in another unit, say so: --unit {analyte.id}=/uL (nothing was changed)"


def _negative(value: float, choice: Choice) -> Finding | None:
    return (
        fault("LK214", f"{choice.analyte.label} cannot be negative", read=_as_read(value, choice.analyte))
        if value < 0
        else None
    )


def _impossible(value: float, bound: Bound, choice: Choice) -> Finding | None:
    analyte = choice.analyte
    high, low = analyte.plausible_high, analyte.plausible_low
    if high is not None and value > high and bound not in {"<", "<="}:
        text = f"{value:g} {analyte.unit} is more than {analyte.label} can be (guard rail {high:g})"
        return fault("LK205", text, read=_as_read(value, analyte), do=_name_the_unit(analyte))
    if low and 0 < value < low and bound == "=":
        text = f"{value:g} {analyte.unit} is less than {analyte.label} is ever counted (guard rail {low:g})"
        return fault("LK205", text, read=_as_read(value, analyte), do=_name_the_unit(analyte))
    return None


def _fraction_of_a_cell(value: float, bound: Bound, choice: Choice) -> Finding | None:
    limit = choice.analyte.whole_cells_below
    if limit is None or not 0 < value <= limit or bound != "=" or choice.confirmed:
        return None
    cells = value * 1000
    if abs(cells - round(cells)) < 1e-9:
        return None
    exact = f"{value:g} {choice.analyte.unit} is {cells:g} cells per microlitre"
    text = f"{exact}, no whole number: the unit is likely 1000 times too small"
    return fault("LK204", text, read=_as_read(value, choice.analyte), do=_name_the_unit(choice.analyte))


def _unconfirmed(value: float, written: Decimal, choice: Choice, interval: Interval) -> Finding | None:
    """So high that a wrong unit is as likely as the count: something must confirm the unit.

    A thousandth of it would be a low count, so a wrong unit here would hide one.
    """
    limit = choice.analyte.confirm_above
    if limit is None or value <= limit or choice.confirmed or choice.per_microlitre:
        return None
    if (
        interval.believed
        and (interval.low is not None or interval.high is not None)
        and written != written.to_integral_value()
    ):
        return None
    high = f"{value:g} {choice.analyte.unit}"
    text = f"{high} is so high that a wrong unit is as likely: in /uL it would be {value / 1000:g}"
    return fault("LK208", text, read=_as_read(value, choice.analyte), do=_confirm(choice.analyte))


def _unconfirmed_low(value: float, bound: Bound, choice: Choice, interval: Interval) -> Finding | None:
    """So low that a fraction, or gram per decilitre, is as likely: a wrong unit here would be a false alarm."""
    analyte, limit = choice.analyte, choice.analyte.confirm_below
    if limit is None or not 0 < value < limit or bound != "=" or choice.confirmed or choice.unit.factor != 1:
        return None
    if interval.believed and (interval.low is not None or interval.high is not None):
        return None
    other = "g/dL" if analyte.unit == "g/L" else "FRACTION"
    text = f"{value:g} {analyte.unit} is so low that a wrong unit is as likely ({other})"
    return fault("LK208", text, read=_as_read(value, analyte), do=_confirm(analyte, other))


def _confirm(analyte: Analyte, other: str = "/uL") -> str:
    right, wrong = f"--unit {analyte.id}={analyte.unit}", f"--unit {analyte.id}={other}"
    return f"confirm the unit: {right} if it is right, {wrong} if not (nothing was changed)"


def _doubts(value: float, bound: Bound, choice: Choice) -> tuple[Finding, ...]:
    analyte = choice.analyte
    if analyte.unusual_high is not None and value >= analyte.unusual_high:
        return (
            note(
                "LK206",
                f"{analyte.label} {value:g} {analyte.unit} is unusually high; look at the unit",
                read=_as_read(value, analyte),
            ),
        )
    if (
        analyte.whole_cells_below is not None
        and 0 < value <= analyte.whole_cells_below
        and bound == "="
        and not choice.confirmed
    ):
        text = f"{analyte.label} {value:g} {analyte.unit} is close to nothing; look at the unit"
        return (note("LK207", text, read=_as_read(value, analyte)),)
    return ()
