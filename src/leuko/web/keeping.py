"""What of a reading can be kept in the store: of whom, what is new in it, and the keeping itself.

HL7 v2 messages go the way of the feed, byte by byte: whose they are stands in them, and what the feed would refuse is
refused. Everything else is kept as it was sent, of people that somebody chooses from those who could be meant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection

from leuko.errors import UsageError
from leuko.intake import hl7
from leuko.intake.base import Blob
from leuko.intake.hl7.people import qualified_name
from leuko.intake.hl7.wire import NoMessage, parse, pieces
from leuko.knowledge import load_library
from leuko.record import Count, Patient, Record, Sign
from leuko.report.outline import patient_words
from leuko.service.grade import Grading, grade
from leuko.service.inbox import Inbox, Incoming, Verdict, people_of
from leuko.service.keep import By, Kept, keep
from leuko.service.store import Store
from leuko.service.store.kept import File, NewEntry, Upload
from leuko.service.store.people import counts_now
from leuko.web.people import Known, concluded, known
from leuko.web.sent import MOST_PEOPLE, PASTED, Sent, Understood
from leuko.wording import say_count, say_date

MOST_BYTES: Final = 4 << 20  # of an upload that is kept from the page; more is fed by `leuko feed`
NEW: Final = "new"
_SHOWN: Final = 12  # counts that are named one by one
Standing = Literal["new", "known", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody of the store whom a record could mean, how many of its counts they have, and why it cannot be them."""

    known: Known
    words: str
    new: int
    there: int
    other: int
    against: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A record that can be kept: its name in what was sent, what it holds, and whom of the store it could mean."""

    named: str
    words: str
    holds: str
    days: str
    values: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    chosen: str
    record: Record = field(repr=False)

    @property
    def new(self) -> bool:
        """Whether it can be kept as a person that the store does not have yet."""
        return all(one.known.person != self.named for one in self.candidates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keepable:
    """What of a reading can be kept; `why_not` where nothing can. `messages` are HL7 v2 of `people`."""

    upload: Upload
    offers: tuple[Offer, ...] = ()
    signs: tuple[Sign, ...] = ()
    messages: tuple[bytes, ...] = field(default=(), repr=False)
    people: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def mark(self) -> str:
        """Names what was shown: something else is not kept unseen."""
        held = [self.upload.digest, *(hashlib.sha256(each).hexdigest() for each in self.messages), repr(self.signs)]
        return hashlib.sha256("\n".join(held).encode()).hexdigest()


def keepable(connection: Connection, sent: Sent, done: Understood, *, signs: tuple[Sign, ...]) -> Keepable:
    """What can be kept of a reading, and whom of the store it could mean."""
    hl7_blobs = [blob for blob in done.gathered.blobs if hl7.claims(blob)]
    others = tuple(File(name=b.name, data=b.data) for b in done.gathered.blobs if not hl7.claims(b))
    upload = Upload(files=others, as_of=sent.as_of, patient=sent.person)
    messages = tuple(each for blob in hl7_blobs for each in _messages(blob))
    held = {file.name for file in others}
    records = [one for one in done.intake.records if held.intersection(one.sources)]
    records = [one for one in records if not sent.person or one.patient.id == sent.person]
    why_not = _why_not(sent, done, messages, records, signs)
    if why_not:
        return Keepable(upload=upload, why_not=why_not)
    everyone = known(connection)
    offers = tuple(_offer(connection, record, everyone) for record in records)
    names = sorted({qualified_name(*key) for raw in messages for key in people_of(parse(raw))})
    return Keepable(upload=upload, offers=offers, signs=signs, messages=messages, people=tuple(names))


def _messages(blob: Blob) -> Iterable[bytes]:
    for piece in pieces(blob.data):
        # a field of a form ends every line with LF, a segment of HL7 ends with CR
        raw = piece.data.replace(b"\n", b"\r") if blob.name == PASTED else piece.data
        if piece.kind == "message" and _is_message(raw):
            yield raw


def _is_message(raw: bytes) -> bool:
    try:
        parse(raw)
    except NoMessage:
        return False
    return True


def _why_not(
    sent: Sent, done: Understood, messages: Sequence[bytes], records: Sequence[Record], signs: Sequence[Sign]
) -> str:
    """Why nothing can be kept, in words for the page; empty where something can."""
    names = [blob.name for blob in done.gathered.blobs]
    nameless = any(one.patient.id.startswith(name) for one in records for name in names)
    much = sent.carried is None or sum(len(blob.data) for blob in done.gathered.blobs) > MOST_BYTES
    holds = messages or any(one.counts or one.doses or one.signs or one.facts for one in records)
    reasons = (
        (not records and not messages, "Nothing of a person was read."),
        (bool(done.unassessed), f"These are more than {MOST_PEOPLE} people: name one, or feed files with leuko feed."),
        (much, "This is too much to keep from here: an admin can feed files with leuko feed."),
        (
            bool(messages) and bool(sent.person),
            "HL7 messages say themselves whose they are: leave the field Person empty to keep them.",
        ),
        (
            nameless,
            "It does not say whose results these are: write the name or number in the field Person, and read again.",
        ),
        (
            bool(signs) and (len(records) != 1 or bool(messages)),
            "Symptoms are kept of one person: leave them out, or name the person.",
        ),
        (
            any(sign.taken is None for sign in signs),
            "To keep symptoms, write when they were there: fever=38.6@2026-01-30T21:00.",
        ),
        (not holds, "Nothing was read that could be kept."),
    )
    return next((words for holds_now, words in reasons if holds_now), "")


# ---- whom it means --------------------------------------------------------------------------------------------------


def _offer(connection: Connection, record: Record, everyone: Sequence[Known]) -> Offer:
    named = record.patient.id
    could = [one for one in everyone if named in {one.person, one.person.rpartition("^")[0]}]
    made = concluded(connection, [one.last for one in could])
    candidates = tuple(
        _candidate(one, made[one.last].patient, record, counts_now(connection, one.person)) for one in could
    )
    fitting = [one for one in candidates if not one.against]
    exact = [one for one in fitting if one.known.person == named]
    chosen = str(exact[0].known.number) if exact else "" if candidates else NEW
    return Offer(
        named=named,
        words=patient_words(record.patient),
        holds=_holds(record),
        days=_days(record.counts),
        values=tuple(_value(count) for count in record.counts) if len(record.counts) <= _SHOWN else (),
        candidates=candidates,
        chosen=chosen,
        record=record,
    )


def _candidate(one: Known, patient: Patient, record: Record, held: Sequence[Count]) -> Candidate:
    found = [standing(count, held) for count in record.counts]
    return Candidate(
        known=one,
        words=patient_words(patient),
        new=found.count("new"),
        there=found.count("known"),
        other=found.count("other"),
        against=_against(record.patient, patient),
    )


def _against(new: Patient, there: Patient) -> str:
    """Why two cannot be the same person; empty where nothing says so."""
    if new.born is not None and there.born is not None and new.born != there.born:
        exact = new.born_precision == there.born_precision == "day" or new.born.year != there.born.year
        if exact:
            return "has another birth date"
    if new.sex is not None and there.sex is not None and new.sex != there.sex:
        return "has another sex on record"
    return ""


def standing(count: Count, held: Iterable[Count]) -> Standing:
    """Whether a count is new, is there already, or is there with another value for the same sample."""
    found: Standing = "new"
    for one in held:
        if one.analyte != count.analyte or not _same_time(one, count):
            continue
        if (one.value, one.bound) == (count.value, count.bound):
            return "known"
        found = "other"
    return found


def _same_time(one: Count, other: Count) -> bool:
    if one.taken is None or other.taken is None:
        return one.taken is other.taken
    if one.taken.has_time and other.taken.has_time:
        return one.taken.at == other.taken.at
    return one.taken.has_time == other.taken.has_time and one.taken.day == other.taken.day


def _holds(record: Record) -> str:
    parts = {"count": record.counts, "dose": record.doses, "sign": record.signs, "fact": record.facts}
    said = [f"{len(each)} {name}{'' if len(each) == 1 else 's'}" for name, each in parts.items() if each]
    return ", ".join(said) or "nothing"


def _value(count: Count) -> str:
    row = load_library().analytes.get(count.analyte)
    return f"{row.label if row is not None else count.analyte} {say_count(count)}"


def _days(counts: Iterable[Count]) -> str:
    days = sorted(count.taken.day for count in counts if count.taken is not None)
    if not days:
        return "no day"
    return say_date(days[0]) if days[0] == days[-1] else f"{say_date(days[0])} to {say_date(days[-1])}"


# ---- keeping --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A person that somebody chose for a record: an offer, and the name that it is kept under."""

    offer: Offer
    person: str


def chosen_of(found: Keepable, form: Mapping[str, str], everyone: Sequence[Known]) -> tuple[Chosen, ...]:
    """Whom the form names for each record; a record that it leaves out is not kept. Raises UsageError."""
    chosen: list[Chosen] = []
    names = {one.person for one in everyone}
    for number, offer in enumerate(found.offers):
        word = form.get(f"keep-{number}", "")
        if word in {"", "none"}:
            continue
        if word == NEW:
            name = form.get(f"as-{number}", "").strip() or offer.named
            if name in names:
                raise UsageError(
                    f"{name} is in the store already", do="choose that person for it, or write another name"
                )
            chosen.append(Chosen(offer=offer, person=name))
            continue
        one = next((each for each in offer.candidates if str(each.known.number) == word), None)
        if one is None or one.against:
            raise UsageError("somebody was chosen who cannot be meant", do="choose again")
        chosen.append(Chosen(offer=offer, person=one.known.person))
    taken = [one.person for one in chosen]
    if len(set(taken)) < len(taken):
        raise UsageError("two people of what was sent were given one name", do="choose for each of them")
    if not chosen and not found.messages:
        raise UsageError("nothing was chosen to be kept", do="choose for each person whom it means")
    return tuple(chosen)


def keep_chosen(store: Store, found: Keepable, chosen: Iterable[Chosen], *, zone: tzinfo, by: By) -> tuple[Kept, ...]:
    """Keep what was chosen, a commit for each person. Raises StoreDown."""
    grading = Grading(library=load_library(), zone=zone)
    return tuple(keep(store, grading, _entries(found, one), by) for one in chosen)


def _entries(found: Keepable, one: Chosen) -> list[NewEntry]:
    record = one.offer.record
    digest = hashlib.sha256(repr((record.patient, record.counts, record.doses, record.signs, record.facts)).encode())
    sent = NewEntry(
        person=one.person, kind="sent", digest=digest.hexdigest(), upload=found.upload, named=one.offer.named
    )
    return [sent, told_entry(one.person, found.signs)] if found.signs else [sent]


def told_entry(person: str, signs: Sequence[Sign]) -> NewEntry:
    """Signs that were told of a person, to be kept: the same signs of the same times are the same entry."""
    digest = hashlib.sha256(repr(tuple(signs)).encode()).hexdigest()
    return NewEntry(person=person, kind="told", digest=digest, payload=msgspec.json.encode(tuple(signs)))


def feed(store: Store, found: Keepable, *, actor: str, zone: tzinfo, grades: bool) -> list[Verdict]:
    """Take the messages as the feed does; `grades` where no grading process does so. Raises StoreDown."""
    if not found.messages:
        return []
    verdicts = Inbox(store).take([Incoming(raw=raw, source=f"page, {actor}") for raw in found.messages])
    if grades and any(one.new for one in verdicts):
        grade(store, Grading(library=load_library(), zone=zone))
    return verdicts
