"""Keeping by hand: what somebody sent or told of a person, and taking it back. Each is one commit with what follows.

The row, the counts and the assessment that come of it, and the row of the audit are written together: a kill leaves all
of them or none, and nothing stands in the store ungraded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Connection

from leuko.service.grade import Graded, Grading, Whose, grade_with, whose_of
from leuko.service.store import Store, fitted
from leuko.service.store.audit import record as told
from leuko.service.store.kept import Entry, NewEntry, digest_of, keep_entry, withdraw_entry

_WIDTH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who keeps something, and what the audit adds of how they came: ids and numbers, no names and no values."""

    actor: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What came of it: how many things are new, how many were kept of the person already, and what grading did."""

    added: int
    known: int
    graded: Graded


def keep(store: Store, grading: Grading, new: Sequence[NewEntry], by: By) -> Kept:
    """Keep things of one person; what is kept of them already has no second effect. Raises StoreDown, LeukoError."""
    (person,) = {fitted(one.person, _WIDTH) for one in new}
    with store.read() as connection:
        whose = whose_of(connection, person)
    at, done = store.now(), {"added": 0, "known": 0}

    def change(found: Whose) -> Whose:
        there = {one.digest for one in found.entries if one.person == person}
        fresh = tuple(_as_it_will_be(one, at, by.actor) for one in new if one.digest not in there)
        return replace(found, entries=(*found.entries, *fresh))

    def write(connection: Connection, now: str) -> None:
        numbers = [keep_entry(connection, at, one, actor=by.actor) for one in new]
        added = [number for number in numbers if number is not None]
        done.update(added=len(added), known=len(numbers) - len(added))
        tell(connection, now, person, added, By(actor=by.actor, detail={"known": done["known"], **by.detail}))

    graded = grade_with(store, whose, grading, change=change, keep=write)
    return Kept(added=done["added"], known=done["known"], graded=graded)


def tell(connection: Connection, at: str, person: str, entries: Sequence[int], by: By) -> None:
    """The row of the audit for what was kept, with a digest of it: a later change is found."""
    detail = {"access": "create", "what": "kept", "entries": list(entries), **by.detail}
    if entries:
        detail["digest"] = digest_of(connection, entries)
    told(connection, at, actor=fitted(by.actor, 200), action="person-create", subject=person, detail=detail)


def _as_it_will_be(new: NewEntry, at: str, actor: str) -> Entry:
    return Entry(
        id=0,
        at=at,
        actor=actor,
        person=fitted(new.person, _WIDTH),
        kind=new.kind,
        digest=new.digest,
        named=new.named,
        payload=new.payload,
        raw=b"" if new.upload is None else msgspec.json.encode(new.upload),
    )


def withdraw(store: Store, grading: Grading, person: str, number: int, by: By) -> bool:
    """Take back an entry of a person; False where they have none of that number that holds."""
    with store.read() as connection:
        whose = whose_of(connection, person)
    if number not in {one.id for one in whose.entries}:
        return False
    done = [False]

    def change(found: Whose) -> Whose:
        return replace(found, entries=tuple(one for one in found.entries if one.id != number))

    def write(connection: Connection, now: str) -> None:
        done[0] = withdraw_entry(connection, now, number, actor=by.actor)
        detail = {"access": "update", "what": "withdrawn", "entries": [number], **by.detail}
        told(connection, now, actor=fitted(by.actor, 200), action="person-update", subject=person, detail=detail)

    grade_with(store, whose, grading, change=change, keep=write)
    return done[0]
