"""Which of the printed reference ranges is this person's: one for someone else is not used, a doubt is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from leuko.frozen import Frozen
from leuko.intake.fhir.pool import Item
from leuko.intake.fhir.tell import Teller
from leuko.intake.fhir.wire import CodeableConcept, Quantity, Range, ReferenceRange
from leuko.intake.fhir.words import clean, codes, names, number, number_text, unit
from leuko.record import Moment, Patient

# Who a range applies to, as FHIR's examples and SNOMED CT code it; other groups cannot be told from a record.
_SEXES = {"248153007": "male", "248152002": "female", "male": "male", "female": "female", "m": "male", "f": "female"}
_AGE_UNITS = {"a": "years", "year": "years", "years": "years", "yr": "years", "y": "years"} | {
    "mo": "months",
    "month": "months",
    "months": "months",
    "wk": "weeks",
    "week": "weeks",
    "weeks": "weeks",
    "d": "days",
    "day": "days",
    "days": "days",
}


class Printed(Frozen, frozen=True, kw_only=True):
    """The ends of a printed range as written, and their unit."""

    low: str | None = None
    high: str | None = None
    unit: str | None = None
    text: str = ""


def printed(
    ranges: Sequence[ReferenceRange] | None, patient: Patient, taken: Moment | None, item: Item, tell: Teller
) -> Printed:
    """The normal range that applies to this person at this draw; nothing where none or several do."""
    normal = [one for one in ranges or [] if _is_normal(one.type)]
    fitting = [(one, fit) for one in normal if (fit := _fit(one, patient, taken)) is not None]
    best = max((fit for _, fit in fitting), default=0)
    chosen = [read for read in dict.fromkeys(_read(one) for one, fit in fitting if fit == best) if read != Printed()]
    if len(chosen) == 1:
        return chosen[0]
    if len(chosen) > 1:
        _tell(f"{len(chosen)} reference ranges apply alike; none is used", item, tell)
    elif normal and not fitting:
        _tell("the printed reference ranges are for others, or for an age or sex that is not known", item, tell)
    return Printed()


def _tell(text: str, item: Item, tell: Teller) -> None:
    tell.say("LK440", text, item.found.place("/referenceRange"))


def _is_normal(concept: CodeableConcept | None) -> bool:
    """No type means normal; a critical, therapeutic or recommended range is another thing."""
    said = {code.code.lower() for code in codes(concept)} or {name.lower() for name in names(concept)}
    return not said or "normal" in said or any(text.startswith("normal") for text in said)


def _fit(one: ReferenceRange, patient: Patient, taken: Moment | None) -> int | None:
    """How closely a range fits the person: 0 for everyone's, more for one that names the person's group, None: not."""
    fit = 0
    for concept in one.applies_to or []:
        sex = next((_SEXES[word] for word in _words(concept) if word in _SEXES), None)
        if sex is None or sex != patient.sex:
            return None
        fit += 1
    if one.age is None:
        return fit
    return fit + 1 if _holds(one.age, patient.born, taken) else None


def _words(concept: CodeableConcept) -> list[str]:
    return [*(code.code.lower() for code in codes(concept)), *(name.lower() for name in names(concept))]


def _holds(ages: Range, born: date | None, taken: Moment | None) -> bool:
    if born is None or taken is None or not (taken.has_time or taken.precision == "day"):
        return False
    ends = [(ages.low, 1), (ages.high, -1)]
    return all(_beyond(end, sign, born, taken.day) for end, sign in ends if end is not None)


def _beyond(end: Quantity, sign: int, born: date, day: date) -> bool:
    """Whether the age in completed units of this end is on the right side of it, the end included."""
    limit, kind = number(end), _AGE_UNITS.get(clean(end.code).lower()) or _AGE_UNITS.get(clean(end.unit).lower())
    if limit is None or kind is None or day < born:
        return False
    return sign * (_age(born, day, kind) - limit) >= 0


def _age(born: date, day: date, kind: str) -> int:
    months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
    days = (day - born).days
    return {"years": months // 12, "months": months, "weeks": days // 7, "days": days}[kind]


def _read(one: ReferenceRange) -> Printed:
    low, high = (_end(end) for end in (one.low, one.high))
    units = {unit(end) for end in (one.low, one.high) if end is not None} - {None}
    if len(units) > 1:
        return Printed(text=f"{low or ''} {unit(one.low)} - {high or ''} {unit(one.high)}")
    return Printed(low=low, high=high, unit=next(iter(units), None), text=clean(one.text))


def _end(end: Quantity | None) -> str | None:
    return None if end is None else number_text(end.value) or None
