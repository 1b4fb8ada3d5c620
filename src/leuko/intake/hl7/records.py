"""From messages to records: whose each message is, which versions count, and what had to be said about them."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from leuko.errors import Place
from leuko.frozen import Frozen, replace
from leuko.intake.base import ReadOptions
from leuko.intake.checks import interpret
from leuko.intake.fhir.people import without_birth
from leuko.intake.fhir.tell import Teller
from leuko.intake.fhir.times import last_day
from leuko.intake.hl7 import doses, facts
from leuko.intake.hl7.people import (
    Key,
    People,
    Said,
    identifiers,
    listen,
    merged_numbers,
    of_nobody,
    patient_of,
    stand_in,
)
from leuko.intake.hl7.results import STATUSES, WITHDRAWN, Reading, Sent, results_of
from leuko.intake.hl7.versions import Chain, chains
from leuko.intake.hl7.wire import Message, Part
from leuko.intake.kept import code_words, own_draws, sign_of
from leuko.knowledge import Library
from leuko.record import Count, Dose, Fact, Moment, Patient, Record, Sign

# Messages that speak of people but hold no result, medicine or diagnosis that leuko reads.
_UNUSED: Final = frozenset({"ACK", "SIU", "MDM", "DFT", "BAR", "MFN", "MFK", "QRY", "QBP", "RSP", "NMD", "SRM", "PPR"})
_PENDING: Final = frozenset({"I", "O", "N"})
_SHOWN: Final = 12


class Found(Frozen, frozen=True, kw_only=True):
    """One message of a file."""

    message: Message
    source: str
    line: int

    def place(self) -> Place:
        """Where it begins."""
        return Place(source=self.source, line=self.line, pointer="MSH")


@dataclass(slots=True, kw_only=True)
class _Person:
    """What was found of one person so far."""

    said: Said = field(default_factory=Said)
    sent: list[tuple[int, Sent]] = field(default_factory=list)
    medicines: list[doses.Medicine] = field(default_factory=list)
    facts: list[facts.Told] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    place: Place


def records_of(
    found: Iterable[Found], options: ReadOptions, library: Library, tell: Teller, *, qualified: bool = False
) -> tuple[Record, ...]:
    """One record for each person whom the messages name, in the order of their ids.

    `qualified` names each person by number and authority, which other messages cannot change.
    """
    used = _without_repeats([one for one in found if _is_used(one, tell)], tell)
    parts = [(number, one, part) for number, one in enumerate(used) for part in one.message.parts()]
    ignored = of_nobody(part for *_, part in parts)
    linked = People([part for *_, part in parts], _stand_ins(parts, ignored, options, tell), ignored)
    for index in linked.doubtful:
        text = "a number of the person stands beside another birth date elsewhere; the two were not joined"
        tell.say("LK811", text, replace(parts[index][1].place(), pointer="PID-3"))
    names = linked.names(qualified=qualified)
    people: dict[str, _Person] = {}
    for (number, one, part), name in zip(parts, names, strict=True):
        person = people.setdefault(name, _Person(place=one.place()))
        tell.person = name
        reading = Reading(source=one.source, part=part, zone=options.zone, tell=tell)
        listen(person.said, reading, replace(one.place(), pointer="PID"))
        _listen(person, number, reading)
    records = tuple(_record(name, people[name], options, library, tell) for name in sorted(people))
    tell.person = None
    return records


# ---- messages -------------------------------------------------------------------------------------------------------


def _is_used(one: Found, tell: Teller) -> bool:
    """Whether a message may hold something; what is odd about it as a whole is told."""
    message, place = one.message, one.place()
    if message.odd_characters:
        tell.say("LK802", message.odd_characters, replace(place, pointer="MSH-18"), read=f"as {message.charset}")
    if message.strays:
        lines = ", ".join(map(str, message.strays[:5])) + (" …" if len(message.strays) > 5 else "")
        text = f"lines that begin no segment were joined to the segment before them (lines {lines})"
        tell.say("LK804", text, Place(source=one.source, line=message.strays[0]), lost=True)
    if message.processing[:1] in {"T", "D"}:
        text = "{n} messages are marked as training or debugging (MSH-11): they may be of nobody"
        tell.add("LK806", text, replace(place, pointer="MSH-11"), one=text.replace("{n} messages are", "1 message is"))
    if message.kind in _UNUSED:
        text = f"{{n}} {message.kind} messages hold no result, medicine or diagnosis that leuko reads"
        tell.add("LK805", text, place, one=text.replace("{n}", "1").replace("messages hold", "message holds"))
        return False
    return True


def _without_repeats(found: list[Found], tell: Teller) -> list[Found]:
    """Each message once, in an order of their own; the same control id with other content is told, and both count."""
    seen: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.message.header.text_of(7), one.message.raw, one.source, one.line)):
        message = one.message
        digest, key = hashlib.sha256(message.raw.strip()).digest(), (message.sender, message.control_id)
        if digest in seen[key]:
            text = "{n} messages are exact repeats of others; they count once"
            tell.add("LK808", text, one.place(), one="1 message is an exact repeat of another; it counts once")
            continue
        if seen[key] and message.control_id:
            text = f"the control id {message.control_id[:40]!r} of one sender stands on messages of differing content"
            tell.say("LK809", text, replace(one.place(), pointer="MSH-10"), read="each is read")
        seen[key].add(digest)
        kept.append(one)
    return kept


def _stand_ins(
    parts: Sequence[tuple[int, Found, Part]], ignored: frozenset[Key], options: ReadOptions, tell: Teller
) -> list[str | None]:
    """A name for each part that identifies nobody: the caller's, else one of the sample, as an analyser's results."""
    names: list[str | None] = []
    for _, one, part in parts:
        if identifiers(part, ignored):
            names.append(None)
        elif identifiers(part):
            names.append(stand_in(part))
            text = "{n} messages carry a number that stands for several people; each sample stands by itself"
            one_text = "1 message carries a number that stands for several people; its sample stands by itself"
            tell.add("LK816", text, replace(one.place(), pointer="PID-3"), one=one_text)
        elif options.patient is not None:
            names.append(options.patient)
        else:
            names.append(stand_in(part))
            text = "{n} messages name no person (PID-3); each sample stands by itself"
            tell.add("LK810", text, one.place(), one="1 message names no person (PID-3); its sample stands by itself")
    return names


def _listen(person: _Person, number: int, reading: Reading) -> None:
    person.sources.add(reading.source)
    person.sent += [(number, sent) for sent in results_of(reading)]
    person.medicines += doses.medicines_of(reading)
    person.facts += facts.facts_of(reading)
    merge = reading.part.first("MRG")
    if merge is not None and not merged_numbers(reading.part):
        text = "the message says that two numbers are one person (MRG) in a way that leuko does not follow"
        reading.tell.say("LK814", text, reading.place(merge, 1))


# ---- one person -----------------------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _Read:
    """Counts and measurements of one person so far."""

    counts: list[Count] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    place: Place | None = None


def _record(name: str, person: _Person, options: ReadOptions, library: Library, tell: Teller) -> Record:
    tell.person = name
    read = _Read()
    for chain in chains(person.sent):
        _take(chain, read, options, library, tell)
    _tell_others(read, tell)
    said = patient_of(name, person.said, tell)
    patient = _checked(said, read.counts, person, options, tell)
    return Record(
        patient=patient,
        born_in_doubt=said.born is not None and patient.born is None,
        counts=own_draws(read.counts),
        doses=tuple(_doses(person, options, tell)),
        signs=tuple(read.signs),
        facts=tuple(_facts(person, options, tell)),
        sources=tuple(sorted(person.sources)),
    )


def _take(chain: Chain, read: _Read, options: ReadOptions, library: Library, tell: Teller) -> None:
    now = chain.current
    if not _tell_chain(chain, tell):
        return
    if now.letter in _PENDING and now.raw.value_text is None:
        text = "{n} results have no value yet (pending, or not asked for)"
        tell.add("LK825", text, now.raw.place, one="1 result has no value yet (pending, or not asked for)")
        return
    outcome = interpret(now.raw, library=library, options=options)
    tell.pass_on(outcome.notices)
    if outcome.count is not None:
        count = replace(outcome.count, superseded=_earlier(chain, options, library))
        read.counts.append(count)
        _tell_replaced(count, chain, tell)
        _tell_future(count.taken, count.origin.place, "blood counts", options, tell)
    elif outcome.kind == "other" and (now.raw.value_text is not None or now.raw.names):
        read.signs.append(sign_of(now.raw))
        read.others[code_words(now.raw)] += 1
        read.place = read.place or now.raw.place


def _tell_chain(chain: Chain, tell: Teller) -> bool:
    """Tell what is odd about a chain; whether its current version holds."""
    now = chain.current
    what = now.raw.names[0] if now.raw.names else "a result"
    if now.withdrawn:
        how = 'deleted ("")' if now.letter not in WITHDRAWN else f"withdrawn (OBX-11 {now.letter})"
        text = f"{{n}} results ({what}) were {how}; they count for nothing"
        tell.add("LK820", text, now.raw.place, one=f"1 result ({what}) was {how}; it counts for nothing")
    elif now.letter not in STATUSES:
        said = f"“{now.letter[:10]}” (OBX-11) is no status of HL7's" if now.letter else "OBX-11 is empty"
        tell.add("LK823", f"{{n}} results: {said}", now.raw.place, one=f"1 result: {said}", read="status unknown")
    if chain.alone:
        how = "withdraws" if now.withdrawn else "corrects"
        text = f"a message {how} a result ({what}) that is not among the messages read"
        tell.say("LK826", text, now.raw.place)
    if chain.unclear:
        text = f"versions of one result ({what}) differ, and nothing says which is newer; each stands by itself"
        tell.say("LK822", text, now.raw.place)
    if chain.again:
        tell.say("LK824", f"a result ({what}) was withdrawn and then sent again; the newer is used", now.raw.place)
    return not now.withdrawn


def _earlier(chain: Chain, options: ReadOptions, library: Library) -> tuple[Count, ...]:
    """Earlier versions as counts, oldest first; what they lacked is no news."""
    earlier = (interpret(one.raw, library=library, options=options).count for one in chain.older if not one.withdrawn)
    return tuple(count for count in earlier if count is not None)


def _tell_replaced(count: Count, chain: Chain, tell: Teller) -> None:
    if count.superseded:
        was = ", ".join(old.origin.value_text for old in count.superseded)
        text = f"a {count.status} result stands in place of {len(count.superseded)} other version of it"
        tell.say("LK821", text, chain.current.raw.place, read=f"was {was}, now {count.origin.value_text}")


def _tell_future(when: Moment | None, place: Place, what: str, options: ReadOptions, tell: Teller) -> None:
    if when is not None and options.as_of is not None and when.day > options.as_of:
        after = f"after {options.as_of.isoformat()}, the day of the assessment"
        tell.add("LK833", f"{{n}} dates of {what} lie {after}", place, one=f"1 date of {what} lies {after}")


def _tell_others(read: _Read, tell: Teller) -> None:
    if read.place is None:
        return
    ranked = sorted(read.others.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = ", ".join(f"{number} × {what}" for what, number in ranked[:_SHOWN])
    rest = f", and {len(ranked) - _SHOWN} more" if len(ranked) > _SHOWN else ""
    tell.say("LK842", f"results that are no blood count: {shown}{rest}", read.place, read="kept as measurements")


def _checked(patient: Patient, counts: Sequence[Count], person: _Person, options: ReadOptions, tell: Teller) -> Patient:
    """The patient without a birth date that lies after a count: then one of the two is wrong."""
    if patient.born is None:
        return patient
    early = [count for count in counts if count.taken is not None and last_day(count.taken).date() < patient.born]
    if not early and not (options.as_of is not None and patient.born > options.as_of):
        return patient
    text = "the birth date lies after a blood count or the day of the assessment; it is not used"
    tell.say("LK813", text, replace(person.place, pointer="PID-7"))
    return without_birth(patient)


def _doses(person: _Person, options: ReadOptions, tell: Teller) -> Iterable[Dose]:
    for one in doses.newest(person.medicines):
        place = one.dose.origin.place
        if one.deleted:
            tell.add("LK852", "{n} doses were deleted by a later message", place, one="1 dose was deleted later")
            continue
        _tell_future(one.dose.start, place, "medicines", options, tell)
        yield one.dose


def _facts(person: _Person, options: ReadOptions, tell: Teller) -> Iterable[Fact]:
    for fact in facts.newest(person.facts):
        _tell_future(fact.start, fact.origin.place, "diagnoses", options, tell)
        yield fact
