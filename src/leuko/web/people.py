"""The people of the store as the pages know them: by a number that says nothing of them, with what was concluded last.

A person's number is that of their first assessment in the store: it never changes, and may stand in an address.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from threading import Lock
from typing import Final

from sqlalchemy import Connection, func, select

from leuko.assessment import Asked, assess
from leuko.forecast.wish import Wish
from leuko.knowledge import Library, load_library
from leuko.record import Record, Sign
from leuko.report.document import decode
from leuko.result import Assessment
from leuko.service.store import Store
from leuko.service.store.people import counts_now
from leuko.service.store.site import site_now
from leuko.service.store.tables import assessment
from leuko.site import SiteSettings

_KEPT: Final = 64  # people whose assessment of today is kept ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who is in the store: their number, their name there, and the id and time of what was concluded last."""

    number: int
    person: str
    last: int
    at: str


def known(connection: Connection) -> tuple[Known, ...]:
    """Everyone of whom something is concluded that still holds."""
    ends = (
        select(assessment.c.person, func.min(assessment.c.id).label("first"), func.max(assessment.c.id).label("last"))
        .group_by(assessment.c.person)
        .subquery()
    )
    asked = (
        select(ends.c.first, ends.c.person, ends.c.last, assessment.c.at)
        .join(assessment, assessment.c.id == ends.c.last)
        .where(assessment.c.as_of != "")
        .order_by(ends.c.first)
    )
    rows = connection.execute(asked)
    return tuple(Known(number=row.first, person=row.person, last=row.last, at=row.at) for row in rows)


def known_by(connection: Connection, number: int) -> Known | None:
    """The person of a number; None where there is none, or where they are now a part of another one."""
    person = connection.execute(select(assessment.c.person).where(assessment.c.id == number)).scalar_one_or_none()
    if person is None:
        return None
    rows = connection.execute(
        select(assessment.c.id, assessment.c.at, assessment.c.as_of)
        .where(assessment.c.person == person)
        .order_by(assessment.c.id)
    ).all()
    if rows[0].id != number or not rows[-1].as_of:
        return None
    return Known(number=number, person=person, last=rows[-1].id, at=rows[-1].at)


def concluded(connection: Connection, ids: Sequence[int]) -> dict[int, Assessment]:
    """Assessments by their ids, as they were made."""
    found = {}
    for number in ids:
        payload = connection.execute(select(assessment.c.payload).where(assessment.c.id == number)).scalar_one()
        found[number] = decode(bytes(payload))
    return found


def record_of(connection: Connection, person: str, made: Assessment) -> Record:
    """A person's record again: all counts that hold now, and the rest as the last assessment read it."""
    return Record(
        patient=made.patient,
        counts=counts_now(connection, person),
        doses=made.doses,
        signs=made.signs,
        facts=made.facts,
        digest=made.record_digest,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A person on a day: their record, and what it says on that day by the knowledge and the settings of now."""

    known: Known
    record: Record
    assessment: Assessment
    library: Library
    site: SiteSettings
    day: date

    def again(
        self, *, symptoms: tuple[Sign, ...] = (), wish: Wish | None = None, day: date | None = None
    ) -> Assessment:
        """The same person with signs that were just told, with a forecast, or as of an earlier day."""
        asked = Asked(symptoms=symptoms, site=self.site, wish=wish)
        return assess(self.record, as_of=day or self.day, library=self.library, asked=asked)


class People:
    """Gives people of the store as of a day; who was asked for lately is kept ready. Safe to use from threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, date, str], Seen] = OrderedDict()
        self._lock = Lock()

    def seen(self, store: Store, number: int, day: date) -> Seen | None:
        """The person of a number as of a day; None where there is none. Raises StoreDown."""
        library = load_library()
        with store.read() as connection:
            who = known_by(connection, number)
            if who is None:
                return None
            site = site_now(connection)
            key = (who.last, day, repr(site))
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
            made = concluded(connection, [who.last])[who.last]
            record = record_of(connection, who.person, made)
        asked = Asked(site=site, wish=None)
        fresh = assess(record, as_of=day, library=library, notices=made.notices, asked=asked)
        told = replace(fresh, notices=tuple(dict.fromkeys(fresh.notices)))
        found = Seen(known=who, record=record, assessment=told, library=library, site=site, day=day)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found
