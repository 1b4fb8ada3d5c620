"""Stored messages become counts and assessments: everything of a person is read again when a message of theirs came.

The record of a person is made of all their messages by the same reader that reads files, so that a correction counts
wherever it stands, and of what was kept of them by hand. What a run was doing when it was killed is done again by the
next one, with the same result.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Final

from sqlalchemy import Connection, func, insert, select, tuple_

from leuko.assessment import Asked, assess
from leuko.errors import Notice
from leuko.intake import merge
from leuko.intake.base import Intake, ReadOptions
from leuko.intake.fhir.tell import Teller
from leuko.intake.hl7.people import qualified_name
from leuko.intake.hl7.records import Found, records_of
from leuko.intake.hl7.wire import parse
from leuko.knowledge import Library, load_library
from leuko.record import Record
from leuko.result import Assessment
from leuko.service.by_hand import with_entries
from leuko.service.day import day_of
from leuko.service.store import Store, StoreDown, fitted, next_id
from leuko.service.store.audit import record as told
from leuko.service.store.cards import withdraw_cards
from leuko.service.store.dead import put_aside
from leuko.service.store.kept import Entry, entries_of, kept_people
from leuko.service.store.people import (
    any_outdated,
    changed,
    keep_assessment,
    keep_counts,
    latest_assessment,
)
from leuko.service.store.site import digest_of, site_now
from leuko.service.store.tables import message, message_person, reading
from leuko.site import SiteSettings

Key = tuple[str, str]  # number, authority
_MOST: Final = 200  # messages a run: what a kill throws back
_CHUNK: Final = 200  # values in one question to the database
_NAME: Final = 500  # width of the name of a person
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """How to grade: the knowledge, the zone of times without one, and whether forecasts are made (they take long).

    `site` are the settings of the site; those that the store holds when a run begins, where it is None.
    """

    library: Library
    zone: tzinfo = UTC
    forecasts: bool = False
    site: SiteSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """What a run did: people looked at, counts and assessments added, cards withdrawn, people that failed."""

    people: int = 0
    counts: int = 0
    assessments: int = 0
    withdrawn: int = 0
    failed: int = 0
    through: int = 0


def grade(store: Store, grading: Grading | None = None, *, most: int = _MOST) -> Graded:
    """Grade everyone whom messages name that came since the last run, at most `most` messages of them."""
    grading = grading or Grading(library=load_library())
    with store.read() as connection:
        grading = _at_this_site(connection, grading)
        done = connection.execute(select(func.coalesce(func.max(reading.c.through), 0))).scalar_one()
        asked = select(message.c.id).where(message.c.id > done).order_by(message.c.id).limit(most)
        fresh = list(connection.execute(asked).scalars())
        groups = _groups(connection, fresh)
    if not fresh:
        return Graded(through=done)
    done_now = _sum([_group(store, whose, grading) for whose in groups], fresh[-1])
    with store.write() as connection:
        row = {"id": next_id(connection, reading), "at": store.now(), "through": fresh[-1]}
        connection.execute(insert(reading), row)
    return done_now


def grade_again(store: Store, grading: Grading | None = None, *, after: int = 0, most: int | None = None) -> Graded:
    """Grade everyone whose last assessment rests on other knowledge, settings, or another reading of the messages.

    Only those whom the messages `after` a number name, `most` messages of them, where that is asked: `through` says
    how far this came, 0 where no message follows. Of whom there is no message is graded with the last of them.
    """
    grading = grading or Grading(library=load_library())
    with store.read() as connection:
        grading = _at_this_site(connection, grading)
        asked = select(message.c.id).where(message.c.id > after).order_by(message.c.id).limit(most)
        every = list(connection.execute(asked).scalars())
        groups = _groups(connection, every)
        if most is None or not every:
            groups += [whose for name in kept_people(connection) if not (whose := whose_of(connection, name)).ids]
    return _sum([_group(store, whose, grading) for whose in groups], every[-1] if every else 0)


def outdated(store: Store, library: Library) -> bool:
    """Whether somebody's last assessment rests on other knowledge than this, or on other settings of the site."""
    with store.read() as connection:
        return any_outdated(connection, library.hash, digest_of(site_now(connection)))


def _at_this_site(connection: Connection, grading: Grading) -> Grading:
    return grading if grading.site is not None else replace(grading, site=site_now(connection))


def _sum(totals: Sequence[Graded], through: int) -> Graded:
    return Graded(
        people=sum(one.people for one in totals),
        counts=sum(one.counts for one in totals),
        assessments=sum(one.assessments for one in totals),
        withdrawn=sum(one.withdrawn for one in totals),
        failed=sum(one.failed for one in totals),
        through=through,
    )


# ---- whose messages belong together ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Of whom everything is read together: the numbers that messages tie together, and all names of the person.

    `ids` are their messages, `entries` what was kept of them by hand; both as of when they were asked for.
    """

    keys: frozenset[Key] = frozenset()
    names: frozenset[str] = frozenset()
    ids: tuple[int, ...] = ()
    entries: tuple[Entry, ...] = field(default=(), repr=False)

    def now(self, connection: Connection) -> Whose:
        """The same with what has come since."""
        ids = tuple(_messages_of(connection, self.keys))
        return replace(self, ids=ids, entries=entries_of(connection, self.names))


def whose_of(connection: Connection, name: str) -> Whose:
    """Of whom there is something under a name: with every number that messages tie to it."""
    number, mark, authority = name.rpartition("^")
    keys = _closure(connection, (number, authority)) if mark else frozenset()
    return _whose(keys, name).now(connection)


def _whose(keys: frozenset[Key], *names: str) -> Whose:
    return Whose(keys=keys, names=frozenset({fitted(qualified_name(*key), _NAME) for key in keys} | set(names)))


def _groups(connection: Connection, fresh: Sequence[int]) -> list[Whose]:
    """A group for each person that the fresh messages name."""
    groups: list[Whose] = []
    seen: set[Key] = set()
    for key in _keys_of(connection, fresh):
        if key not in seen:
            groups.append(_whose(_closure(connection, key)).now(connection))
            seen |= groups[-1].keys
    return groups


def _closure(connection: Connection, start: Key) -> frozenset[Key]:
    """Every number that stands beside another one of the group in some message."""
    keys, edge = {start}, [start]
    while edge:
        near = set(_keys_of(connection, _messages_of(connection, edge)))
        edge = sorted(near - keys)
        keys |= near
    return frozenset(keys)


def _keys_of(connection: Connection, ids: Sequence[int]) -> list[Key]:
    found: dict[Key, None] = {}
    for at in range(0, len(ids), _CHUNK):
        asked = select(message_person.c.number, message_person.c.authority).where(
            message_person.c.message_id.in_(ids[at : at + _CHUNK])
        )
        found |= dict.fromkeys((row.number, row.authority) for row in connection.execute(asked))
    return list(found)


def _messages_of(connection: Connection, keys: Iterable[Key]) -> list[int]:
    wanted, found = sorted(keys), set()
    pair = tuple_(message_person.c.number, message_person.c.authority)
    for at in range(0, len(wanted), _CHUNK):
        asked = select(message_person.c.message_id).where(pair.in_(wanted[at : at + _CHUNK]))
        found |= set(connection.execute(asked).scalars())
    return sorted(found)


# ---- one person -----------------------------------------------------------------------------------------------------


def _group(store: Store, whose: Whose, grading: Grading) -> Graded:
    """Grade one group; a fault in it is put aside for a person to look at, and does not stop the others."""
    with store.read() as connection:
        whose = whose.now(connection)
    try:
        return grade_with(store, whose, grading)
    except StoreDown:
        raise
    except Exception as error:  # noqa: BLE001 (one person's fault must not stop the others' grading)
        _fault(store, error, whose)
        return Graded(failed=1)


def grade_with(
    store: Store,
    whose: Whose,
    grading: Grading,
    *,
    change: Callable[[Whose], Whose] = lambda whose: whose,
    keep: Callable[[Connection, str], None] = lambda _, __: None,
) -> Graded:
    """Grade one group as it is after a change of what was kept of it by hand, which `keep` writes in the same commit.

    Where a message or an entry of the group came in while it was read, it is read again: what is kept is never older
    than that. Raises whatever the readers and the flow raise.
    """
    while True:
        with store.read() as connection:
            whose = whose.now(connection)
            raws = _raws(connection, whose.ids)
            grading = _at_this_site(connection, grading)
        read = _read(raws, change(whose), grading)
        made = _assessed(store, read.records, read.notices, grading)
        with store.write() as connection:
            if whose.now(connection) == whose:
                at = store.now()
                keep(connection, at)
                return _keep(connection, at, whose.names, made, whose.ids[-1] if whose.ids else 0)


def _read(raws: Sequence[tuple[int, bytes]], whose: Whose, grading: Grading) -> Intake:
    records, notices = read_messages(raws, grading) if raws else ((), ())
    read = Intake(records=records, notices=notices)
    return with_entries(read, whose.entries, names=whose.names, zone=grading.zone, library=grading.library)


def _fault(store: Store, error: Exception, whose: Whose) -> None:
    with store.read() as connection:
        raws = _raws(connection, whose.ids[-1:])
    number, raw = raws[-1] if raws else (0, whose.entries[-1].content if whose.entries else b"")
    text = f"{type(error).__name__} while grading messages up to {number}"  # the message of an error may hold values
    _LOG.error(text)
    with store.write() as connection:
        put_aside(connection, store.now(), source="grading", reason="not-graded", text=text, raw=raw)


def _raws(connection: Connection, ids: Sequence[int]) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    for at in range(0, len(ids), _CHUNK):
        asked = select(message.c.id, message.c.raw).where(message.c.id.in_(ids[at : at + _CHUNK]))
        found += [(row.id, bytes(row.raw)) for row in connection.execute(asked.order_by(message.c.id))]
    return found


def read_messages(raws: Iterable[tuple[int, bytes]], grading: Grading) -> tuple[tuple[Record, ...], tuple[Notice, ...]]:
    """The records of numbered messages, as the reader of files makes them, people by number and authority."""
    tell = Teller(grading.library)
    found = [Found(message=parse(raw), source=f"message {number}", line=1) for number, raw in raws]
    options = ReadOptions(zone=grading.zone)
    merged = merge(records_of(found, options, grading.library, tell, qualified=True))
    return merged.records, (*tell.all(), *merged.notices)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A person's record, and the assessment where one was due."""

    record: Record
    assessment: Assessment | None
    site_digest: str
    due: bool


def _assessed(store: Store, records: Iterable[Record], notices: Iterable[Notice], grading: Grading) -> list[_Made]:
    """Assess whoever's record, knowledge or settings of the site are others than last time."""
    now = store.clock()
    site = grading.site or SiteSettings()
    digest, asked = digest_of(site), Asked(site=site) if grading.forecasts else Asked(site=site, wish=None)
    told_of = tuple(notices)
    made: list[_Made] = []
    for record in records:
        with store.read() as connection:
            due = changed(connection, _name(record), record, grading.library.hash, digest)
        own = tuple(notice for notice in told_of if notice.person in {None, record.patient.id})
        as_of = day_of(record.counts, now=now, zone=grading.zone)
        result = assess(record, as_of=as_of, library=grading.library, notices=own, asked=asked) if due else None
        made.append(_Made(record=record, assessment=result, site_digest=digest, due=due))
    return made


def _name(record: Record) -> str:
    return fitted(record.patient.id, _NAME)


def _keep(connection: Connection, at: str, known: frozenset[str], made: Sequence[_Made], through: int) -> Graded:
    """Everything of a group in one transaction: counts, assessments, and cards that no longer hold."""
    counts = assessments = withdrawn = 0
    names = {_name(one.record) for one in made}
    for one in made:
        name = _name(one.record)
        kept = keep_counts(connection, at, name, one.record.counts, through)
        counts += kept.added
        assessments += one.due and keep_assessment(
            connection, at, name, one.assessment, through, site_digest=one.site_digest
        )
        if kept.changed:  # cards may name the person by any of the numbers
            for each in sorted({name, *(known - names)}):
                withdrawn += withdraw_cards(connection, at, each, "the counts have changed")
    for name in sorted(known - names):
        if latest_assessment(connection, name) is not None:  # joined to another number since
            keep_counts(connection, at, name, (), through)
            withdrawn += withdraw_cards(connection, at, name, "the person is known under another number")
            keep_assessment(connection, at, name, None, through)
    if counts or assessments or withdrawn:
        detail = {"through": through, "counts": counts, "assessments": assessments, "cards_withdrawn": withdrawn}
        told(connection, at, actor="grading", action="graded", detail=detail)
    return Graded(people=len(made), counts=counts, assessments=assessments, withdrawn=withdrawn, through=through)
