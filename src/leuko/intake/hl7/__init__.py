"""HL7 v2: results (ORU, OUL), orders and administrations of medicines (OML, ORM, RDE, RAS, RXA), ADT.

The way of a message: `wire` takes it out of file or frame and splits it, `people` says whose it is, `results`, `doses`
and `facts` what it says, `versions` which version of a result counts over all messages. `checks.interpret` then decides
whether a result is a blood count. Nothing depends on the order in which the messages came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from leuko.errors import Place, UnreadableInput
from leuko.intake.base import Blob, Intake, ReadOptions
from leuko.intake.fhir.tell import Teller
from leuko.intake.hl7.wire import NoMessage, looks_like_hl7, parse, pieces
from leuko.knowledge import Library

if TYPE_CHECKING:
    from leuko.intake.hl7.records import Found

NAME = "hl7"


def claims(blob: Blob) -> bool:
    """Whether the bytes begin with a message header or the header of a batch, framed or not."""
    return looks_like_hl7(blob.data)


def read(blobs: Sequence[Blob], *, options: ReadOptions, library: Library) -> Intake:
    """Read all messages together, as corrections may stand in other files. Raises UnreadableInput for none at all."""
    from leuko.intake.hl7.records import records_of  # noqa: PLC0415 (files of other kinds wait for nothing)

    tell = Teller(library)
    found = [one for blob in blobs for one in _messages(blob, tell)]
    if not found:
        told = next(iter(tell.all()), None)
        why = "" if told is None else f"{told.place}: {told.text}"
        raise UnreadableInput("no HL7 v2 message could be read", why=why, do="export the messages again")
    return Intake(records=records_of(found, options, library, tell), notices=tell.all())


def _messages(blob: Blob, tell: Teller) -> Iterator[Found]:
    from leuko.intake.hl7.records import Found  # noqa: PLC0415 (as above)

    for piece in pieces(blob.data):
        place = Place(source=blob.name, line=piece.line)
        if piece.kind == "torn":
            text = "the frame of a message has no end: the message broke off, and was set aside"
            tell.say("LK807", text, place, lost=True)
            continue
        if piece.kind == "junk":
            tell.say("LK803", "bytes that belong to no message were set aside", place, lost=True)
            continue
        try:
            message = parse(piece.data, line=piece.line)
        except NoMessage as error:
            tell.say("LK801", f"this is no message that can be read: {error}", place, lost=True)
            continue
        yield Found(message=message, source=blob.name, line=piece.line)
