"""Medicines in HL7 v2: given (RXA), ordered (RXO, RXE), prepared (RXG), dispensed (RXD), mixed (RXC)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from leuko.frozen import Frozen, replace
from leuko.intake.fhir.words import clean
from leuko.intake.hl7.results import Reading
from leuko.intake.hl7.wire import Segment
from leuko.intake.hl7.words import concept, plain
from leuko.record import Dose, Moment, Origin


class _Fields(Frozen, frozen=True, kw_only=True):
    """Where a segment keeps what: numbers of its fields."""

    code: int
    amount: int
    unit: int
    start: int = 0
    end: int = 0


_KINDS: Final = {
    "RXA": _Fields(code=5, amount=6, unit=7, start=3, end=4),
    "RXO": _Fields(code=1, amount=2, unit=4),
    "RXE": _Fields(code=2, amount=3, unit=5),
    "RXG": _Fields(code=4, amount=5, unit=7),
    "RXD": _Fields(code=2, amount=4, unit=5, start=3),
}
# HL7 table 0322 (RXA-20) and 0119 (ORC-1), in the words of FHIR that the record speaks.
_COMPLETION: Final = {"": "completed", "CP": "completed", "PA": "completed", "RE": "not-done", "NA": "not-done"}
_CONTROL: Final = {
    "CA": "cancelled",
    "CR": "cancelled",
    "OC": "cancelled",
    "UA": "cancelled",
    "DC": "stopped",
    "DR": "stopped",
    "OD": "stopped",
    "HD": "on-hold",
    "HR": "on-hold",
    "OH": "on-hold",
}
_ORDER_STATUS: Final = {
    "CA": "cancelled",
    "DC": "stopped",
    "HD": "on-hold",
    "CM": "completed",
    "ER": "entered-in-error",
}
_UNKNOWN_AMOUNT: Final = 999  # RXA-6: "if this field is not known, then 999"
_ADDITIVE: Final = "A"


class Medicine(Frozen, frozen=True, kw_only=True):
    """A dose as one message says, with what names it over messages, and the time of the message."""

    dose: Dose
    key: tuple[str, ...]
    stamp: float
    deleted: bool = False


def medicines_of(reading: Reading) -> Iterator[Medicine]:
    """Every medicine that a message tells of."""
    order: Segment | None = None
    timing: Segment | None = None
    last: Medicine | None = None
    number = 0
    for segment in reading.part.segments:
        if segment.name in {"ORC", "RXA", "RXO", "RXE", "RXG", "RXD"} and last is not None:
            yield last
            last = None
        if segment.name == "ORC":
            order, timing = segment, None
        elif segment.name == "TQ1":
            timing = segment
            last = None if last is None else _timed(last, segment, reading)
        elif segment.name in _KINDS:
            number += 1
            last = _medicine(segment, order, timing, number, reading)
        elif segment.name == "RXR" and last is not None:
            last = replace(last, dose=replace(last.dose, route=concept(segment, 1).label or None))
        elif segment.name == "RXC" and last is not None and segment.text_of(1).upper() == _ADDITIVE:
            yield from _additive(segment, last, reading)
    if last is not None:
        yield last


def _medicine(
    segment: Segment, order: Segment | None, timing: Segment | None, number: int, reading: Reading
) -> Medicine | None:
    fields, what = _KINDS[segment.name], concept(segment, _KINDS[segment.name].code)
    if not what.label:
        text = "a segment of a medicine does not say which medicine"
        reading.tell.say("LK851", text, reading.place(segment, fields.code), lost=True)
        return None
    start, end = _times(segment, order, timing, fields, reading)
    amount, unit = _amount(segment, fields, reading)
    status, given = _status(segment, order)
    placer = next((text for at in (3, 2) if order is not None and (text := order.text_of(at))), "")
    message = reading.part.message
    facility = message.header.text_of(4) or message.header.text_of(3)
    name = placer or f"{message.control_id}#{number}"
    dose = Dose(
        id="/".join(text for text in (segment.name, name, what.codes[0].code if what.codes else what.label) if text),
        drug=what.label,
        codes=what.codes,
        start=start,
        end=end,
        hours=_hours(start, end) if given else None,
        amount=amount,
        unit=unit,
        status=status,
        given=given,
        origin=Origin(
            place=reading.place(segment, fields.code),
            value_text=segment.text_of(fields.amount),
            unit_text=plain(segment, fields.unit),
            name_text=what.label,
            codes=what.codes,
            resource_id=message.control_id or None,
        ),
    )
    at = "" if start is None or segment.name not in {"RXA", "RXG", "RXD"} else start.at.isoformat()
    key = (facility, segment.name, name, what.codes[0].code if what.codes else what.label, at)
    deleted = segment.name == "RXA" and segment.text_of(21).upper() == "D"
    return Medicine(dose=dose, key=key, stamp=reading.sent_at, deleted=deleted)


def _times(
    segment: Segment, order: Segment | None, timing: Segment | None, fields: _Fields, reading: Reading
) -> tuple[Moment | None, Moment | None]:
    """Start and end: the segment's own, else TQ1, else the old timing field (TQ), else the order's."""
    if fields.start:
        start = reading.moment(segment, fields.start)
        return start, reading.moment(segment, fields.end) if fields.end and segment.raw(fields.end) else None
    if timing is not None and (timing.raw(7) or timing.raw(8)):
        return reading.moment(timing, 7), reading.moment(timing, 8)
    old = {"RXE": (segment, 1), "RXG": (segment, 3)}.get(segment.name) or (order, 7)
    if old[0] is not None and (old[0].text_of(old[1], 4) or old[0].text_of(old[1], 5)):
        return reading.moment(old[0], old[1], 4), reading.moment(old[0], old[1], 5)
    if order is None:
        return None, None
    return reading.moment(order, 15) or reading.moment(order, 9), None


def _timed(last: Medicine, timing: Segment, reading: Reading) -> Medicine:
    """The times of a TQ1 that stands behind its medicine, as in RDE."""
    if last.dose.given or not (timing.raw(7) or timing.raw(8)):
        return last
    start, end = reading.moment(timing, 7), reading.moment(timing, 8)
    return replace(last, dose=replace(last.dose, start=start or last.dose.start, end=end or last.dose.end))


def _amount(segment: Segment, fields: _Fields, reading: Reading) -> tuple[float | None, str | None]:
    text, unit = segment.text_of(fields.amount), segment.components(fields.unit)
    said = next((part for part in map(clean, unit) if part and part != '""'), None)
    if not text:
        return None, said
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        told = "the amount of a dose is not one number; it is kept as text"
        reading.tell.say("LK853", told, reading.place(segment, fields.amount))
        return None, said
    return (None, said) if number == _UNKNOWN_AMOUNT and said is None else (number, said)


def _status(segment: Segment, order: Segment | None) -> tuple[str, bool]:
    """The status in FHIR's words, and whether the medicine was given."""
    control = order.text_of(1).upper() if order is not None else ""
    state = order.text_of(5).upper() if order is not None else ""
    if segment.name == "RXA":
        status = _COMPLETION.get(segment.text_of(20).upper(), "unknown")
        return status, status == "completed"
    if control in _CONTROL:
        return _CONTROL[control], False
    if state in _ORDER_STATUS:
        return _ORDER_STATUS[state], False
    return ("completed" if segment.name == "RXD" else "active"), False


def _hours(start: Moment | None, end: Moment | None) -> float | None:
    if start is None or end is None or not (start.has_time and end.has_time) or end.at < start.at:
        return None
    return (end.at - start.at).total_seconds() / 3600


def _additive(segment: Segment, base: Medicine, reading: Reading) -> Iterator[Medicine]:
    """A medicine in a mixture, with the times and status of the mixture."""
    what = concept(segment, 2)
    if not what.label or what.label == base.dose.drug:
        return
    amount, unit = _amount(segment, _Fields(code=2, amount=3, unit=4), reading)
    code = what.codes[0].code if what.codes else what.label
    origin = replace(
        base.dose.origin,
        place=reading.place(segment, 2),
        value_text=segment.text_of(3),
        unit_text=plain(segment, 4),
        name_text=what.label,
        codes=what.codes,
    )
    dose = replace(
        base.dose,
        id=f"{base.dose.id}/{code}",
        drug=what.label,
        codes=what.codes,
        amount=amount,
        unit=unit,
        origin=origin,
    )
    yield replace(base, dose=dose, key=(*base.key, code))


def newest(medicines: list[Medicine]) -> Iterator[Medicine]:
    """Of each medicine over all messages, what the last one says; a stop keeps the start of what it stops."""
    last: dict[tuple[str, ...], Medicine] = {}
    for one in sorted(medicines, key=lambda one: (one.stamp, one.deleted, str(one.dose.origin.place))):
        before = last.get(one.key)
        last[one.key] = one if before is None or one.dose.status != "stopped" else _stopped(before, one)
    yield from last.values()


def _stopped(before: Medicine, stop: Medicine) -> Medicine:
    end = stop.dose.end or stop.dose.start
    return replace(stop, dose=replace(stop.dose, start=before.dose.start or stop.dose.start, end=end))
