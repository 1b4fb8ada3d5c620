"""The dead-letter queue: messages that could not be taken, for a person to read, to let in or to dismiss."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select

from leuko.service.store import fitted, next_id
from leuko.service.store.audit import record
from leuko.service.store.tables import dead, dead_event


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One message of the queue; `settled` is how a person settled it, empty while it waits."""

    id: int
    at: str
    source: str
    reason: str
    text: str
    raw: bytes = field(repr=False)
    settled: str = ""


def put_aside(
    connection: Connection, at: str, *, source: str, reason: str, text: str, raw: bytes, identity: str = ""
) -> int | None:
    """Put a message into the queue; None where it lies there already for the same reason."""
    digest = hashlib.sha256(raw).hexdigest()
    there = select(dead.c.id).where(dead.c.digest == digest, dead.c.reason == reason)
    if connection.execute(there).first() is not None:
        return None
    number = next_id(connection, dead)
    row = {"id": number, "at": at, "source": fitted(source, 200), "reason": reason, "text": text}
    connection.execute(insert(dead), {**row, "identity": identity, "digest": digest, "raw": raw})
    action = "alarm" if reason == "id-reused" else "put-aside"
    record(connection, at, actor="feed", action=action, detail={"dead": number, "reason": reason})
    return number


def letters(connection: Connection, *, waiting_only: bool = True) -> Sequence[DeadLetter]:
    """The queue, oldest first."""
    settled = {
        row.dead_id: row.kind
        for row in connection.execute(select(dead_event).order_by(dead_event.c.id))
        if row.kind in {"let-in", "dismissed"}
    }
    return [
        DeadLetter(
            id=row.id,
            at=row.at,
            source=row.source,
            reason=row.reason,
            text=row.text,
            raw=bytes(row.raw),
            settled=settled.get(row.id, ""),
        )
        for row in connection.execute(select(dead).order_by(dead.c.id))
        if not (waiting_only and row.id in settled)
    ]


def settle(connection: Connection, at: str, number: int, kind: str, *, actor: str, text: str = "") -> None:
    """Keep what a person did with a letter: tried, let-in, dismissed."""
    row = {"id": next_id(connection, dead_event), "at": at, "dead_id": number, "kind": kind}
    connection.execute(insert(dead_event), {**row, "actor": fitted(actor, 200), "text": text})
    record(connection, at, actor=actor, action=f"dead-{kind}", detail={"dead": number})


def look(connection: Connection, at: str, number: int, *, actor: str) -> None:
    """Keep that a person looked at a letter: it may hold what is said of someone."""
    record(connection, at, actor=actor, action="dead-shown", detail={"dead": number})
