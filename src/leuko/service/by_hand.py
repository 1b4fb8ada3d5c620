"""What people of the site kept by hand becomes a part of a record, read anew each time as messages are.

A count of an upload has an id made of the digest of what was kept, so that the same upload, kept again after it was
withdrawn, gives the same counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace as copy
from datetime import tzinfo
from typing import Any, Final

import msgspec

from leuko.errors import LeukoError, Notice
from leuko.frozen import replace
from leuko.intake import merge, read_gathered
from leuko.intake.base import Blob, Intake, ReadOptions
from leuko.intake.sources import gather_content
from leuko.intake.whose import told_of
from leuko.knowledge import Library
from leuko.record import Count, Patient, Record, Sign
from leuko.service.store.kept import Entry, Held, Upload

_MARK: Final = 12  # digits of the digest that an id begins with


class NotThere(LeukoError):  # noqa: N818 (named for people)
    """An upload does not give what was kept of it any more: it is put aside for a person to look at."""


def with_entries(
    read: Intake, entries: Sequence[Entry], *, names: Iterable[str], zone: tzinfo, library: Library
) -> Intake:
    """What messages say of people, joined with what was kept of them by hand.

    An entry of a person whom no record has by name belongs to the one record of the group; where there are several, or
    none, to one of its own.
    """
    if not entries:
        return read
    known, taken = {record.patient.id for record in read.records}, set(names)
    alone = next(iter(known)) if len(known) == 1 else None
    parts, notices = list(read.records), list(read.notices)
    for one in entries:
        name = alone if alone is not None and one.person in taken else one.person
        record, told = read_entry(one, zone=zone, library=library)
        parts.append(_named(record, name))
        notices += [copy(each, person=name if each.person is not None else None) for each in told]
    merged = merge(parts)
    return Intake(records=merged.records, notices=(*notices, *merged.notices))


def read_entry(one: Entry, *, zone: tzinfo, library: Library) -> tuple[Record, tuple[Notice, ...]]:
    """What an entry says, and what there is to say of it. Raises NotThere where its upload does not give it."""
    if one.kind == "record":
        held = msgspec.json.decode(one.payload, type=Held)
        return held.record, held.notices
    if one.kind == "told":
        signs = msgspec.json.decode(one.payload, type=tuple[Sign, ...])
        own = tuple(replace(sign, id=f"{one.digest[:_MARK]} {sign.id}") for sign in signs)
        return Record(patient=Patient(id=one.person), signs=own), ()
    given = one.upload
    label = f"kept {one.at[:10]} by {one.actor} ({given.digest[:8]})"  # no two uploads share the name of a sample
    blobs = [Blob(name=f"{label}: {file.name}", data=file.data) for file in given.files]
    read = read_upload(given, blobs, zone=zone, library=library)
    record = next((each for each in read.records if each.patient.id == one.named), None)
    if record is None:
        raise NotThere("an upload does not give the person any more that was kept of it")
    ((_, told),) = told_of(read, [record])
    return _marked(record, one.digest[:_MARK]), told


def read_upload(given: Upload, blobs: Iterable[Blob], *, zone: tzinfo, library: Library) -> Intake:
    """What an upload says."""
    options = ReadOptions(zone=zone, as_of=given.as_of, patient=given.patient or None)
    return read_gathered(gather_content(tuple(blobs)), options=options, library=library)


def _named(record: Record, name: str) -> Record:
    return copy(record, patient=replace(record.patient, id=name))


def _marked(record: Record, mark: str) -> Record:
    """The record with ids that no other source has."""

    def own(entries: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(replace(each, id=f"{mark} {each.id}") for each in entries)

    counts: tuple[Count, ...] = tuple(
        replace(each, derived_from=tuple(f"{mark} {name}" for name in each.derived_from)) for each in own(record.counts)
    )
    return copy(record, counts=counts, doses=own(record.doses), signs=own(record.signs), facts=own(record.facts))
