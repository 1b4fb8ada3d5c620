"""Counts and assessments of a person: what holds now, and everything that held before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, or_, select

from leuko.record import Count, Record
from leuko.report.document import encode
from leuko.result import Assessment
from leuko.service.store import fitted, next_id
from leuko.service.store.audit import record as told
from leuko.service.store.tables import assessment, count, setting

_KEY = 500  # width of a key and of a person's name


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCount:
    """One version of a count: since when the store has it, whether it holds, and the count itself."""

    at: str
    state: str
    count: Count


# ---- counts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCounts:
    """How many rows were added, and how many of them say that what held before holds no more."""

    added: int
    changed: int


def keep_counts(connection: Connection, at: str, person: str, counts: Iterable[Count], through: int) -> KeptCounts:
    """Add a row for each count that is new, differs from what holds, or holds no more."""
    held = _held(connection, person)
    now = {fitted(one.id, _KEY): one for one in counts}
    rows: list[dict[str, Any]] = []
    for key, one in now.items():
        digest = hashlib.sha256(repr(one).encode()).hexdigest()
        if key not in held or (held[key].state, held[key].digest) != ("current", digest):
            rows.append({"key": key, "state": "current", "digest": digest, "payload": msgspec.json.encode(one)})
    for key, row in held.items():
        if key not in now and row.state == "current":
            rows.append({"key": key, "state": "withdrawn", "digest": row.digest, "payload": row.payload})
    first = next_id(connection, count)
    for number, new in enumerate(rows, start=first):
        new |= {"id": number, "at": at, "person": person, "through": through}
    if rows:
        connection.execute(insert(count), rows)
    return KeptCounts(added=len(rows), changed=sum(_was_current(held.get(row["key"])) for row in rows))


def _was_current(row: Any) -> bool:
    return row is not None and row.state == "current"


def _held(connection: Connection, person: str) -> dict[str, Any]:
    """The last row of each key."""
    rows = connection.execute(select(count).where(count.c.person == person).order_by(count.c.id))
    return {row.key: row for row in rows}


def counts_now(connection: Connection, person: str) -> tuple[Count, ...]:
    """The counts of a person that hold now, by key."""
    held = _held(connection, person)
    return tuple(_count(held[key]) for key in sorted(held) if held[key].state == "current")


def history_of(connection: Connection, person: str, key: str) -> tuple[StoredCount, ...]:
    """Every version of one count that the store ever held, oldest first."""
    asked = select(count).where(count.c.person == person, count.c.key == key).order_by(count.c.id)
    return tuple(StoredCount(at=row.at, state=row.state, count=_count(row)) for row in connection.execute(asked))


def _count(row: Any) -> Count:
    return msgspec.json.decode(row.payload, type=Count)


# ---- assessments ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAssessment:
    """An assessment as it was made; `payload` is its JSON, empty where the person is now a part of another one."""

    id: int
    at: str
    as_of: str
    knowledge_hash: str
    record_digest: str
    site_digest: str
    payload: bytes = field(repr=False)


def keep_assessment(
    connection: Connection, at: str, person: str, made: Assessment | None, through: int, *, site_digest: str = ""
) -> bool:
    """Add an assessment (None: the person is no longer one of its own); False where it says nothing new."""
    last = latest_assessment(connection, person)
    new = ("", "", "") if made is None else (made.knowledge_hash, made.record_digest, site_digest)
    if (last is None and made is None) or (last is not None and _rests_on(last) == new):
        return False
    row = {
        "id": next_id(connection, assessment),
        "at": at,
        "person": person,
        "as_of": "" if made is None else made.as_of.isoformat(),
        "leuko_version": "" if made is None else made.leuko_version,
        "knowledge_hash": new[0],
        "record_digest": new[1],
        "site_digest": new[2],
        "through": through,
        "payload": b"" if made is None else encode(made),
    }
    connection.execute(insert(assessment), row)
    return True


def latest_assessment(connection: Connection, person: str) -> StoredAssessment | None:
    """What was concluded last of a person."""
    asked = select(assessment).where(assessment.c.person == person).order_by(assessment.c.id.desc()).limit(1)
    row = connection.execute(asked).first()
    if row is None:
        return None
    return StoredAssessment(
        id=row.id,
        at=row.at,
        as_of=row.as_of,
        knowledge_hash=row.knowledge_hash,
        record_digest=row.record_digest,
        site_digest=row.site_digest,
        payload=bytes(row.payload),
    )


def last_assessment(connection: Connection) -> int:
    """The number of the newest row of conclusions, 0 where there is none: another one says that something changed."""
    return next_id(connection, assessment) - 1


def people(connection: Connection) -> Sequence[str]:
    """Everyone of whom there is an assessment, by name."""
    return list(connection.execute(select(assessment.c.person).distinct().order_by(assessment.c.person)).scalars())


def changed(connection: Connection, person: str, record: Record, knowledge_hash: str, site_digest: str = "") -> bool:
    """Whether a person's record, the knowledge or the settings of the site differ from those of the last assessment."""
    last = latest_assessment(connection, person)
    return last is None or _rests_on(last) != (knowledge_hash, record.digest, site_digest)


def _rests_on(last: StoredAssessment) -> tuple[str, str, str]:
    return (last.knowledge_hash, last.record_digest, last.site_digest)


def any_outdated(connection: Connection, knowledge_hash: str, site_digest: str) -> bool:
    """Whether the last assessment of anyone rests on other knowledge, or other settings of the site."""
    last = select(func.max(assessment.c.id)).group_by(assessment.c.person)
    other = or_(assessment.c.knowledge_hash != knowledge_hash, assessment.c.site_digest != site_digest)
    asked = select(assessment.c.id).where(assessment.c.id.in_(last), assessment.c.as_of != "", other).limit(1)
    return connection.execute(asked).first() is not None


# ---- settings -------------------------------------------------------------------------------------------------------


def set_setting(connection: Connection, at: str, name: str, value: str, *, actor: str) -> None:
    """Give a setting of the site a value from now on."""
    row = {"id": next_id(connection, setting), "at": at, "actor": actor, "name": name, "value": value}
    connection.execute(insert(setting), row)
    told(connection, at, actor=actor, action="setting", subject=name, detail={"setting": row["id"]})


def settings(connection: Connection) -> dict[str, str]:
    """The settings of the site that hold now."""
    return {row.name: row.value for row in connection.execute(select(setting).order_by(setting.c.id))}


def last_setting(connection: Connection) -> int:
    """The number of the newest row of the settings, 0 where there is none: another one says that something changed."""
    return next_id(connection, setting) - 1
