"""The people of the store as the pages know them: by a number that says nothing of them, with what was concluded last.

A person's number is that of their first assessment in the store: it never changes, and may stand in an address.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from threading import Lock
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Connection, func, select

from leuko.assessment import Asked, assess
from leuko.errors import Notice
from leuko.forecast.wish import Wish
from leuko.knowledge import Library, load_library
from leuko.record import Record, Sign
from leuko.report.document import decode
from leuko.result import Assessment
from leuko.service.store import Store
from leuko.service.store.people import counts_now
from leuko.service.store.site import digest_of, site_now
from leuko.service.store.tables import assessment
from leuko.site import SiteSettings

_T = TypeVar("_T")
_KEPT: Final = 64  # people whose assessment of today is kept ready
_BORN_IN_DOUBT: Final = frozenset({"LK415", "LK813"})  # what intake says where it leaves a birth date out for it
_NUMBERS: Final = range(1, 2**63)  # what a key of either database can be; an address may hold anything


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
    if number not in _NUMBERS:
        return None
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
        born_in_doubt=any(notice.code in _BORN_IN_DOUBT for notice in made.notices),
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
        self,
        *,
        symptoms: tuple[Sign, ...] = (),
        wish: Wish | None = None,
        day: date | None = None,
        notices: Iterable[Notice] = (),
    ) -> Assessment:
        """The same person with signs that were just told, with a forecast, or as of an earlier day."""
        asked = Asked(symptoms=symptoms, site=self.site, wish=wish)
        made = assess(self.record, as_of=day or self.day, library=self.library, notices=notices, asked=asked)
        return replace(made, notices=tuple(dict.fromkeys(made.notices)))


class People:
    """Gives people of the store as of a day; who was asked for lately is kept ready. Safe to use from threads."""

    def __init__(self) -> None:
        self._seen: Kept[Seen] = Kept()
        self._made: Kept[Any] = Kept()

    def seen(self, store: Store, number: int, day: date) -> Seen | None:
        """The person of a number as of a day; None where there is none. Raises StoreDown."""
        library = load_library()
        with store.read() as connection:
            who = known_by(connection, number)
            if who is None:
                return None
            site = site_now(connection)
        return self._seen.get((who.last, day, digest_of(site)), lambda: _seen(store, who, site, library, day))

    def forecast(self, seen: Seen) -> Assessment:
        """The same person with the forecast, which takes seconds where a medicine acts on the marrow."""
        made: Assessment = self.made(seen, "forecast", lambda: seen.again(wish=Wish(), notices=seen.assessment.notices))
        return made

    def has_forecast(self, seen: Seen) -> bool:
        """Whether the forecast is made already."""
        return self._made.has((*_key(seen), "forecast"))

    def made(self, seen: Seen, what: str, make: Callable[[], Any]) -> Any:
        """What takes long to make of a person, made once: the same record on the same day gives the same."""
        return self._made.get((*_key(seen), what), make)


def _key(seen: Seen) -> tuple[Hashable, ...]:
    return seen.known.last, seen.day, digest_of(seen.site)


def _seen(store: Store, who: Known, site: SiteSettings, library: Library, day: date) -> Seen:
    with store.read() as connection:
        made = concluded(connection, [who.last])[who.last]
        record = record_of(connection, who.person, made)
    day = max(day, made.as_of)  # where a count was drawn it may be the next day already (`service.day`)
    fresh = assess(record, as_of=day, library=library, notices=made.notices, asked=Asked(site=site, wish=None))
    told = replace(fresh, notices=tuple(dict.fromkeys(fresh.notices)))
    return Seen(known=who, record=record, assessment=told, library=library, site=site, day=day)


class Kept(Generic[_T]):
    """Values by key, the ones asked for last; a value is made once, also where several ask at the same time."""

    def __init__(self, most: int = _KEPT) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, _T] = OrderedDict()
        self._making: dict[Hashable, Lock] = {}
        self._lock = Lock()

    def has(self, key: Hashable) -> bool:
        """Whether the value is there."""
        with self._lock:
            return key in self._values

    def get(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """The value, made where it is not there; what `make` raises is raised, and nothing is kept."""
        with self._lock:
            making = self._making.setdefault(key, Lock())
        with making:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key]
            try:
                value = make()
            finally:
                with self._lock:
                    self._making.pop(key, None)
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._most:
                    self._values.popitem(last=False)
            return value
