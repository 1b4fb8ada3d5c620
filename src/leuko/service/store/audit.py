"""The audit: what was done, each row bound to all rows before it by a hash, so that none can be changed unseen.

The hash of a row is SHA-256 over the hash before it and the row's own content. A row that is changed, removed or put
in between breaks the chain there. Rows cut off at the end leave a whole chain: against that, keep the last hash
elsewhere (`leuko audit verify` prints it, and takes it with `--head`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, func, insert, select

from leuko.service.store import Store, next_id
from leuko.service.store.tables import audit, message

START: Final = "0" * 64  # the hash before the first row
_CHUNK: Final = 1000  # rows fetched at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a check of the chain found: how many rows, the last hash, and the first row that does not fit, if any.

    `has_head` says whether the hash that was asked for is in the chain; None where none was asked for.
    """

    rows: int
    head: str
    broken_at: int | None
    has_head: bool | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing was changed, removed or added as far as the chain can say."""
        return self.broken_at is None and self.has_head is not False


def record(
    connection: Connection, at: str, *, actor: str, action: str, subject: str = "", detail: Mapping[str, object]
) -> None:
    """Add a row, inside the transaction of what it tells of. `detail` holds ids and numbers, no names and no values."""
    last = connection.execute(select(audit.c.hash).order_by(audit.c.id.desc()).limit(1)).scalar_one_or_none()
    row: dict[str, object] = {
        "id": next_id(connection, audit),
        "at": at,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": json.dumps(detail, sort_keys=True, ensure_ascii=True),
    }
    connection.execute(insert(audit), {**row, "hash": _hash(last or START, row)})


def _hash(before: str, row: Mapping[str, object]) -> str:
    content = json.dumps([row[name] for name in ("id", "at", "actor", "action", "subject", "detail")])
    return hashlib.sha256(f"{before}\n{content}".encode()).hexdigest()


def verify(store: Store, *, head: str | None = None) -> Verified:
    """Check the whole chain, and whether it holds a hash that was kept from an earlier check."""
    before, rows, expected = START, 0, 1
    seen = None if head is None else head == START
    with store.read() as connection:
        found = connection.execution_options(yield_per=_CHUNK).execute(select(audit).order_by(audit.c.id)).mappings()
        for row in found:
            own = {name: row[name] for name in ("id", "at", "actor", "action", "subject", "detail")}
            if row["id"] != expected or _hash(before, own) != row["hash"]:
                return Verified(rows=rows, head=before, broken_at=expected, has_head=seen)
            before, rows, expected = str(row["hash"]), rows + 1, expected + 1
            seen = seen or (None if head is None else before == head)
    return Verified(rows=rows, head=before, broken_at=None, has_head=seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows are asked for; what is empty asks for all. Words need only be a part of actor, subject or detail.

    `since` and `until` are days in UTC, both included.
    """

    actor: str = ""
    action: str = ""
    subject: str = ""
    detail: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the audit, for people to read."""

    id: int
    at: str
    actor: str
    action: str
    subject: str
    detail: Mapping[str, object]


def entries(connection: Connection, wanted: Wanted, *, skip: int = 0, most: int = 50) -> tuple[tuple[Entry, ...], int]:
    """The rows that are asked for, the newest first, from `skip` on; and how many there are in all."""
    parts = {audit.c.actor: wanted.actor, audit.c.subject: wanted.subject, audit.c.detail: wanted.detail}
    tests = [column.icontains(words, autoescape=True) for column, words in parts.items() if words]
    tests += [audit.c.action == wanted.action] if wanted.action else []
    tests += [audit.c.at >= wanted.since.isoformat()] if wanted.since is not None else []
    tests += [audit.c.at < (wanted.until + timedelta(days=1)).isoformat()] if wanted.until is not None else []
    total = connection.execute(select(func.count()).select_from(audit).where(*tests)).scalar_one()
    asked = select(audit).where(*tests).order_by(audit.c.id.desc()).offset(skip).limit(most)
    found = tuple(
        Entry(
            id=row.id, at=row.at, actor=row.actor, action=row.action, subject=row.subject, detail=json.loads(row.detail)
        )
        for row in connection.execute(asked)
    )
    return found, int(total)


def actions(connection: Connection) -> tuple[str, ...]:
    """Every kind of thing that was done."""
    return tuple(connection.execute(select(audit.c.action).distinct().order_by(audit.c.action)).scalars())


def first_changed_message(store: Store) -> int | None:
    """The first stored message whose bytes are not those that the audit tells of; None where all are.

    Also a message that is missing, or that no row of the audit tells of, counts as changed.
    """
    expected = 1
    with store.read() as connection:
        received = select(audit.c.detail).where(audit.c.action == "received").order_by(audit.c.id)
        for detail in connection.execute(received).scalars().all():
            told = json.loads(detail)
            first, last = int(told["first"]), int(told["last"])
            if first != expected:
                return expected
            bad = _first_unlike(connection, first, last, str(told["digest"]))
            if bad is not None:
                return bad
            expected = last + 1
        beyond = select(message.c.id).where(message.c.id >= expected).order_by(message.c.id).limit(1)
        return connection.execute(beyond).scalar_one_or_none()


def _first_unlike(connection: Connection, first: int, last: int, digest: str) -> int | None:
    """The first message of a batch that is missing or changed."""
    asked = select(message.c.id, message.c.digest, message.c.raw).where(message.c.id.between(first, last))
    found = {row.id: row for row in connection.execute(asked)}
    for number in range(first, last + 1):
        row = found.get(number)
        # SQLite keeps what it is given: someone may have put a text where bytes were
        if row is None or not isinstance(row.raw, (bytes, memoryview)) or _digest(bytes(row.raw)) != row.digest:
            return number
    whole = _digest("".join(found[number].digest for number in sorted(found)).encode())
    return None if whole == digest else first


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
