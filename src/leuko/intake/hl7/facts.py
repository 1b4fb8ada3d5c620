"""Diagnoses (DG1), allergies (AL1, IAM) and procedures (PR1) of a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leuko.frozen import Frozen
from leuko.intake.hl7.results import Reading
from leuko.intake.hl7.wire import Segment
from leuko.intake.hl7.words import Concept, concept
from leuko.record import Fact, FactKind, Origin


class _Fields(Frozen, frozen=True, kw_only=True):
    """Where a segment keeps what: numbers of its fields; 0 where it has none."""

    kind: FactKind
    code: int
    words: int
    start: int
    action: int


_KINDS: Final = {
    "DG1": _Fields(kind="condition", code=3, words=4, start=5, action=21),
    "AL1": _Fields(kind="allergy", code=3, words=0, start=6, action=0),
    "IAM": _Fields(kind="allergy", code=3, words=0, start=11, action=6),
    "PR1": _Fields(kind="procedure", code=3, words=4, start=5, action=20),
}
# HL7 table 0052: a working or admitting diagnosis is not a confirmed one.
_DOUBT: Final = {"W": "unknown, provisional", "A": "unknown, provisional"}


class Told(Frozen, frozen=True, kw_only=True):
    """A fact as one message says, with the time of the message."""

    fact: Fact
    stamp: float
    deleted: bool


def facts_of(reading: Reading) -> Iterator[Told]:
    """Every fact that a message tells of."""
    for segment in reading.part.segments:
        fields = _KINDS.get(segment.name)
        if fields is not None:
            what = concept(segment, fields.code)
            words = segment.text_of(fields.words) if fields.words else ""
            if what.label or words:
                yield _told(segment, fields, what, words, reading)


def _told(segment: Segment, fields: _Fields, what: Concept, words: str, reading: Reading) -> Told:
    start = reading.moment(segment, fields.start) if segment.raw(fields.start) else None
    name = what.names[0] if what.names else words or what.label
    day = "" if start is None else start.day.isoformat()
    fact = Fact(
        id="/".join(text for text in (segment.name, what.codes[0].code if what.codes else name, day) if text),
        kind=fields.kind,
        name=name,
        codes=what.codes,
        start=start,
        status=_DOUBT.get(segment.text_of(6).upper(), "unknown") if segment.name == "DG1" else "unknown",
        origin=Origin(
            place=reading.place(segment, fields.code),
            value_text=words,
            name_text=name,
            codes=what.codes,
            resource_id=reading.part.message.control_id or None,
        ),
    )
    deleted = bool(fields.action) and segment.text_of(fields.action).upper() == "D"
    return Told(fact=fact, stamp=reading.sent_at, deleted=deleted)


def newest(told: list[Told]) -> Iterator[Fact]:
    """Of each fact over all messages, what the last one says; deleted ones are left out."""
    last: dict[tuple[str, str], Told] = {}
    for one in sorted(told, key=lambda one: (one.stamp, one.deleted, str(one.fact.origin.place))):
        last[(one.fact.kind, one.fact.id)] = one
    yield from (one.fact for one in last.values() if not one.deleted)
