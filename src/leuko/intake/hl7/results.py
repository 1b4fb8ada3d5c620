"""The results of a message: every OBX with what its order, report and specimen add, as sent and not yet believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from leuko.errors import Place
from leuko.frozen import Frozen, replace
from leuko.intake.fhir.tell import Teller
from leuko.intake.fhir.words import clean
from leuko.intake.hl7.times import moment, offset_of
from leuko.intake.hl7.wire import Part, Segment
from leuko.intake.hl7.words import EMBEDDED, Concept, concept, flags, plain, value_of
from leuko.intake.raw import RawResult
from leuko.record import Moment, ResultStatus

# HL7 table 0085. B and V say that a final result was looked at again without change, U that a preliminary one has
# become final; R and S are results before verification.
STATUSES: Final[dict[str, ResultStatus]] = {
    "F": "final",
    "B": "final",
    "V": "final",
    "U": "final",
    "C": "corrected",
    "A": "amended",
    "P": "preliminary",
    "R": "preliminary",
    "S": "preliminary",
    "I": "registered",
    "O": "registered",
    "N": "registered",
}
WITHDRAWN: Final = frozenset({"D", "W", "X"})
_SPECIMEN_FIRST: Final = frozenset({"R22", "R23"})  # OUL: the specimen stands before its orders


class Sent(Frozen, frozen=True, kw_only=True):
    """One OBX as sent. `key` names the result over all its versions, its time aside; None where nothing does.

    `letter` is OBX-11 as written, `stamp` the time of this version (OBR-22, else MSH-7) in seconds, -inf where none is
    known; `deleted` where OBX-5 is `""`.
    """

    raw: RawResult
    key: tuple[str, ...] | None
    letter: str
    stamp: float
    deleted: bool = False

    @property
    def withdrawn(self) -> bool:
        """Whether this version says that the result counts for nothing."""
        return self.letter in WITHDRAWN or self.deleted


@dataclass(slots=True, kw_only=True)
class Reading:
    """What is needed to read one message: its file, the zones, whom to tell."""

    source: str
    part: Part
    zone: tzinfo
    tell: Teller
    sender_zone: tzinfo | None = None
    sent_at: float = float("-inf")
    comments: bool = False

    def __post_init__(self) -> None:
        """The zone and time of the message."""
        header = self.part.message.header
        self.sender_zone = offset_of(header.text_of(7))
        when = moment(header.text_of(7), self.zone)
        self.sent_at = float("-inf") if when is None else when.at.timestamp()

    def place(self, segment: Segment, number: int | None = None) -> Place:
        """Where a segment, or one field of it, stands."""
        pointer = segment.name if number is None else f"{segment.name}-{number}"
        return Place(source=self.source, line=segment.line, pointer=pointer)

    def moment(self, segment: Segment, number: int, component: int = 1) -> Moment | None:
        """A time of a field; told where it cannot be read or names no zone."""
        text = segment.text_of(number, component)
        if not text:
            return None
        found = moment(text, self.zone, self.sender_zone)
        if found is None:
            self.tell.say("LK830", "the date or time cannot be read", self.place(segment, number), lost=True)
        elif found.has_time and found.zone_assumed:
            text, one = f"{{n}} times name no time zone; read as {self.zone}", "1 time names no time zone"
            self.tell.add("LK831", text, self.place(segment, number), one=f"{one}; read as {self.zone}")
        return found


@dataclass(slots=True)
class _Group:
    """An order with its results and specimen."""

    order: Segment | None = None
    report: Segment | None = None
    specimen: Segment | None = None
    results: list[Segment] = field(default_factory=list)


def results_of(reading: Reading) -> Iterator[Sent]:
    """Every result of one person in a message."""
    for index, group in enumerate(_groups(reading)):
        shared = _Shared.of(group, index, reading)
        for segment in group.results:
            if segment.text_of(2).upper() in EMBEDDED:
                text = "{n} results hold embedded data (a document, a picture), which is not read"
                one = "1 result holds embedded data (a document, a picture), which is not read"
                reading.tell.add("LK840", text, reading.place(segment, 5), one=one)
            else:
                yield _sent(segment, shared, reading)
    if reading.comments:
        text = "comments (NTE) stand in {n} messages; leuko does not read them"
        reading.tell.add("LK841", text, Place(source=reading.source), one=text.replace("{n} messages", "1 message"))


def _groups(reading: Reading) -> list[_Group]:
    groups = [_Group()]
    order: Segment | None = None
    specimen: Segment | None = None
    leading = reading.part.message.kind == "OUL" and reading.part.message.event in _SPECIMEN_FIRST
    for segment in reading.part.segments:
        if segment.name == "ORC":
            order = segment
        elif segment.name == "OBR":
            groups.append(_Group(order=order, report=segment, specimen=specimen if leading else None))
            order = None
        elif segment.name == "SPM":
            specimen = segment
            if not leading and groups[-1].specimen is None:
                groups[-1].specimen = segment
        elif segment.name == "OBX":
            groups[-1].results.append(segment)
        elif segment.name == "NTE" and segment.text_of(3):
            reading.comments = True
    return [group for group in groups if group.results]


class _Shared(Frozen, frozen=True, kw_only=True):
    """What the results of one order share."""

    number: str
    facility: str
    draw: str
    specimen: tuple[str, ...]
    taken: Moment | None
    issued: Moment | None
    stamp: float
    letter: str

    @staticmethod
    def of(group: _Group, index: int, reading: Reading) -> _Shared:
        """What OBR, ORC and SPM say."""
        report, order, specimen = group.report, group.order, group.specimen
        message = reading.part.message
        number = _order_number(report, order)
        issued = reading.moment(report, 22) if report is not None else None
        sent = moment(message.header.text_of(7), reading.zone)
        sample = specimen.text_of(2) if specimen is not None else ""
        return _Shared(
            number=number,
            facility=message.header.text_of(4) or message.header.text_of(3),
            draw=sample or number or f"{message.control_id}#{index}",
            specimen=_specimen_words(report, specimen),
            taken=_collected(report, specimen, reading),
            issued=issued or sent,
            stamp=issued.at.timestamp() if issued is not None else reading.sent_at,
            letter=report.text_of(25).upper() if report is not None else "",
        )


def _order_number(report: Segment | None, order: Segment | None) -> str:
    """The filler's number of the order, else the placer's."""
    said = [segment.text_of(number) for number in (3, 2) for segment in (report, order) if segment is not None]
    return next((text for text in said if text), "")


def _specimen_words(report: Segment | None, specimen: Segment | None) -> tuple[str, ...]:
    """The kind of specimen in words and codes: SPM-4, and OBR-15 of older messages."""
    words: list[str] = []
    if specimen is not None:
        found = concept(specimen, 4)
        words += [*found.names, *(code.code for code in found.codes)]
    if report is not None and report.raw(15):
        source = report.components(15)[0].replace(report.delimiters.sub or "&", " ")
        words.append(clean(source))
    return tuple(dict.fromkeys(word for word in words if word))


def _collected(report: Segment | None, specimen: Segment | None, reading: Reading) -> Moment | None:
    """When the specimen was taken: OBR-7, else SPM-17."""
    if report is not None and report.raw(7):
        return reading.moment(report, 7)
    return reading.moment(specimen, 17) if specimen is not None and specimen.raw(17) else None


def _taken(segment: Segment, shared: _Shared, reading: Reading) -> Moment | None:
    """OBX-14, else the order's; a bare day gives way to a time of the same day."""
    own = reading.moment(segment, 14) if segment.raw(14) else None
    if own is None:
        return shared.taken
    finer = shared.taken
    return finer if finer is not None and finer.has_time and not own.has_time and finer.day == own.day else own


def _sent(segment: Segment, shared: _Shared, reading: Reading) -> Sent:
    what, value = concept(segment, 3), value_of(segment)
    taken = _taken(segment, shared, reading)
    letter = segment.text_of(11).upper() or shared.letter
    code, sub = _code(what), segment.text_of(4)
    raw = RawResult(
        id="/".join(text for text in (shared.number or reading.part.message.control_id, code, sub) if text)
        + _at(taken),
        place=reading.place(segment, 5),
        codes=what.codes,
        names=what.names,
        value_text=value.text or None,
        absent=_absent(letter),
        unit_text=plain(segment, 6) or value.unit,
        interval_text=plain(segment, 7),
        specimen=shared.specimen,
        method_text=" ".join(concept(segment, 17).names),
        status=STATUSES.get(letter, "unknown"),
        flags=flags(segment, 8),
        taken=taken,
        issued=shared.issued,
        draw=shared.draw,
        resource_id=reading.part.message.control_id or None,
    )
    known = shared.number != "" and code != ""
    key = (shared.facility, shared.number, code, sub) if known else None
    return Sent(raw=raw, key=key, letter=letter, stamp=shared.stamp, deleted=value.deleted)


def _at(taken: Moment | None) -> str:
    """The time of the draw, as a part of the name: one order may have several draws."""
    return "" if taken is None else f"@{taken.at.strftime('%Y%m%d%H%M%S' if taken.has_time else '%Y%m%d')}"


def _code(what: Concept) -> str:
    return what.codes[0].code if what.codes else what.label


def _absent(letter: str) -> str | None:
    return {"I": "pending", "O": "ordered only", "N": "not asked", "X": "cannot be obtained"}.get(letter)


def made_final(older: RawResult, newer: RawResult) -> RawResult:
    """The value of a preliminary result under a status that made it final without sending it again."""
    return replace(older, status=newer.status, issued=newer.issued, place=newer.place)
