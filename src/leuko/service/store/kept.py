"""What people of this site kept by hand: uploads, signs that were told, what became of each. Rows are only added."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Connection, insert, select

from leuko.errors import Notice
from leuko.frozen import Frozen
from leuko.record import Record
from leuko.service.store import Store, fitted, next_id
from leuko.service.store.kept_tables import entry, entry_event, upload
from leuko.service.store.tables import audit

Kind = Literal["sent", "told", "record"]
_NAME: Final = 500  # width of the name of a person
_ACTOR: Final = 200
_CHUNK: Final = 200  # values in one question to the database


class File(Frozen, frozen=True, kw_only=True):
    """One file of an upload, or the text that was pasted."""

    name: str
    data: bytes


class Upload(Frozen, frozen=True, kw_only=True):
    """What was sent, and what was said beside it: the day it was read as of, the name of a person it does not name."""

    files: tuple[File, ...]
    as_of: date
    patient: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the whole."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class Held(Frozen, frozen=True, kw_only=True):
    """A record that was made elsewhere, with what intake said of it."""

    record: Record
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """Something to keep of a person; `digest` names its content. `upload` with the name that it has for the person."""

    person: str
    kind: Kind
    digest: str
    upload: Upload | None = None
    named: str = ""
    payload: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that was kept: by whom, since when, of whom; `raw` is its upload as it came, `payload` all else."""

    id: int
    at: str
    actor: str
    person: str
    kind: Kind
    digest: str
    named: str = ""
    payload: bytes = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def upload(self) -> Upload:
        """What was sent."""
        return msgspec.json.decode(self.raw, type=Upload)

    @property
    def content(self) -> bytes:
        """The bytes that it rests on."""
        return self.raw or self.payload


def keep_entry(connection: Connection, at: str, new: NewEntry, *, actor: str) -> int | None:
    """Keep something of a person; its number, or None where the very same is kept of them already."""
    person, actor = fitted(new.person, _NAME), fitted(actor, _ACTOR)
    if any(one.digest == new.digest for one in entries_of(connection, [person])):
        return None
    row: dict[str, Any] = {"id": next_id(connection, entry), "at": at, "actor": actor, "person": person}
    row |= {"kind": new.kind, "digest": new.digest, "named": fitted(new.named, _NAME), "payload": new.payload}
    row["upload_id"] = None if new.upload is None else _upload(connection, at, new.upload, actor)
    connection.execute(insert(entry), row)
    return int(row["id"])


def _upload(connection: Connection, at: str, new: Upload, actor: str) -> int:
    """The number of an upload: of the same bytes that are there already, else of a new row."""
    there = connection.execute(select(upload.c.id).where(upload.c.digest == new.digest)).scalar_one_or_none()
    if there is not None:
        return int(there)
    number = next_id(connection, upload)
    row = {"id": number, "at": at, "actor": actor, "digest": new.digest, "raw": msgspec.json.encode(new)}
    connection.execute(insert(upload), row)
    return number


def withdraw_entry(connection: Connection, at: str, number: int, *, actor: str) -> bool:
    """Say that an entry holds no more; False where it did not hold any more already."""
    if connection.execute(select(entry_event.c.id).where(entry_event.c.entry_id == number)).first() is not None:
        return False
    row = {"id": next_id(connection, entry_event), "at": at, "actor": fitted(actor, _ACTOR), "entry_id": number}
    connection.execute(insert(entry_event), {**row, "kind": "withdrawn"})
    return True


def entries_of(connection: Connection, names: Iterable[str]) -> tuple[Entry, ...]:
    """What holds now of people by any of their names, oldest first."""
    wanted = sorted(names)
    rows: list[Any] = []
    for at in range(0, len(wanted), _CHUNK):
        asked = (
            select(entry, upload.c.raw)
            .join(upload, upload.c.id == entry.c.upload_id, isouter=True)
            .join(entry_event, entry_event.c.entry_id == entry.c.id, isouter=True)
            .where(entry.c.person.in_(wanted[at : at + _CHUNK]), entry_event.c.id.is_(None))
        )
        rows += connection.execute(asked).all()
    return tuple(_entry(row) for row in sorted(rows, key=lambda row: int(row.id)))


def _entry(row: Any) -> Entry:
    return Entry(
        id=row.id,
        at=row.at,
        actor=row.actor,
        person=row.person,
        kind=row.kind,
        digest=row.digest,
        named=row.named,
        payload=bytes(row.payload),
        raw=bytes(row.raw or b""),
    )


def digest_of(connection: Connection, numbers: Iterable[int]) -> str:
    """SHA-256 over what entries rest on, in their order; empty where one of them is not there, or is no bytes."""
    wanted = list(numbers)
    asked = (
        select(entry.c.id, entry.c.payload, upload.c.raw)
        .join(upload, upload.c.id == entry.c.upload_id, isouter=True)
        .where(entry.c.id.in_(wanted))
    )
    found = {row.id: (row.payload, row.raw or b"") for row in connection.execute(asked)}
    sums = []
    for number in wanted:
        parts = found.get(number, (None, None))
        if not all(isinstance(part, (bytes, memoryview)) for part in parts):
            return ""
        sums += [hashlib.sha256(bytes(part)).hexdigest() for part in parts if part is not None]
    return hashlib.sha256("".join(sums).encode()).hexdigest()


def first_changed_entry(store: Store) -> int | None:
    """The first entry that is not what the audit tells of, is missing, or is not told of; None where all are whole."""
    told: set[int] = set()
    with store.read() as connection:
        asked = select(audit.c.detail).where(audit.c.action == "person-create").order_by(audit.c.id)
        for text in connection.execute(asked).scalars().all():
            detail = json.loads(text)
            numbers = [int(number) for number in detail.get("entries", ())]
            if numbers and digest_of(connection, numbers) != detail.get("digest"):
                return numbers[0]
            told.update(numbers)
        there = set(connection.execute(select(entry.c.id)).scalars())
    return min(there ^ told, default=None)


def kept_people(connection: Connection) -> Sequence[str]:
    """Everyone of whom something was ever kept by hand, by name."""
    return list(connection.execute(select(entry.c.person).distinct().order_by(entry.c.person)).scalars())
