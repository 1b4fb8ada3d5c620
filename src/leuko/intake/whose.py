"""Whose a notice is: those that name a person, and those of a line or resource of which something else was theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from leuko.errors import Notice, Place
from leuko.intake.base import Intake
from leuko.record import Record

_Spot = tuple[str, int | None, str]


def told_of(intake: Intake, records: Sequence[Record]) -> Iterator[tuple[Record, tuple[Notice, ...]]]:
    """These records, each with the notices of its person: those that name them, and of their sources those that may be
    about anybody.

    What names nobody, and lies where nothing else was read, goes to all of that source: a result that was set aside
    must not be lost.
    """
    owners = _owners(intake.records)
    for record in records:
        yield record, _of(record, intake, owners)


def told_of_nobody(intake: Intake, records: Sequence[Record]) -> tuple[Notice, ...]:
    """Where several people were read, the notices that reach none of these records; of one person, everything does."""
    if len(intake.records) <= 1:
        return ()
    carried = {source for record in records for source in record.sources}
    known = {record.patient.id for record in intake.records}
    return tuple(
        notice for notice in intake.notices if notice.person not in known and notice.place.source not in carried
    )


def _spot(place: Place) -> _Spot:
    """The line or resource that a place lies in: one line or resource is one person's."""
    parts = (place.pointer or "").split("/")
    return (place.source, place.line, "/".join(parts[:3]) if parts[1:2] == ["entry"] else "")


def _owners(records: Sequence[Record]) -> dict[_Spot, str]:
    """Whose each line or resource is, as far as something of it was read."""
    owners: dict[_Spot, str] = {}
    for record in records:
        for entries in (record.counts, record.doses, record.signs, record.facts):
            owners |= {_spot(entry.origin.place): record.patient.id for entry in entries}
    return owners


def _of(record: Record, intake: Intake, owners: Mapping[_Spot, str]) -> tuple[Notice, ...]:
    if len(intake.records) == 1:
        return intake.notices
    name = record.patient.id
    return tuple(
        notice for notice in intake.notices if _concerns(notice, record, owners.get(_spot(notice.place), name))
    )


def _concerns(notice: Notice, record: Record, owner: str) -> bool:
    if notice.person is not None:
        return notice.person == record.patient.id
    return notice.place.source in record.sources and owner == record.patient.id
