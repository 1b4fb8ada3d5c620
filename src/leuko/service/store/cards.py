"""Cards that EHRs were shown, the calls that asked for them, and what became of each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, insert, select

from leuko.service.store import fitted, next_id
from leuko.service.store.card_tables import card, card_event, card_person, hook_call

NAME: Final = 500  # width of the name of a person or a clinician
_CHUNK: Final = 200  # values in one question to the database
_WIDTHS: Final = {"issuer": 300, "jti": 200, "service": 60, "hook": 60, "instance": 100, "clinician": NAME}


class Replayed(Exception):  # noqa: N818 (what happened, not a fault of the program)
    """A call with a token that was used before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of an EHR, as it is kept; `jti` names its token."""

    issuer: str
    jti: str
    service: str = ""
    hook: str = ""
    instance: str = ""
    clinician: str = ""
    person: str = ""
    status: int
    elapsed_ms: int = 0
    as_of: str = ""
    record_digest: str = ""
    knowledge_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCard:
    """A card to keep; `counts` gives a digest of each count that it rests on, by its id."""

    id: str
    kind: str
    about: str
    counts: Mapping[str, str]
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A card that was shown. `in_time`: the answer went out soon enough for the clinician to have seen it."""

    id: str
    at: str
    kind: str
    about: str
    clinician: str
    instance: str
    in_time: bool
    withdrawn: bool
    counts: Mapping[str, str]
    payload: bytes = field(repr=False)


# ---- calls ----------------------------------------------------------------------------------------------------------


def used(connection: Connection, issuer: str, jti: str) -> bool:
    """Whether a token was used before."""
    asked = select(hook_call.c.id).where(
        hook_call.c.issuer == fitted(issuer, _WIDTHS["issuer"]), hook_call.c.jti == fitted(jti, _WIDTHS["jti"])
    )
    return connection.execute(asked).first() is not None


def keep_call(connection: Connection, at: str, call: Call) -> int:
    """Keep a call, whose number it gives. Raises Replayed where its token was used before; the caller writes alone."""
    if used(connection, call.issuer, call.jti):
        raise Replayed
    row: dict[str, Any] = {name: getattr(call, name) for name in call.__dataclass_fields__}
    row |= {name: fitted(row[name], width) for name, width in _WIDTHS.items()}
    row |= {"id": next_id(connection, hook_call), "at": at, "person": fitted(call.person, NAME)}
    connection.execute(insert(hook_call), row)
    return int(row["id"])


# ---- cards ----------------------------------------------------------------------------------------------------------


def keep_cards(
    connection: Connection, at: str, call: int, *, clinician: str, people: Sequence[str], cards: Sequence[NewCard]
) -> None:
    """Keep the cards of a call, for a person under all their names."""
    names = sorted({fitted(name, NAME) for name in people})
    for one in cards:
        row = {"id": one.id, "at": at, "call_id": call, "kind": one.kind, "about": one.about, "payload": one.payload}
        row |= {"clinician": fitted(clinician, NAME), "counts": msgspec.json.encode(dict(one.counts))}
        connection.execute(insert(card), row)
        connection.execute(insert(card_person), [{"card_id": one.id, "person": name} for name in names])


def shown_of(connection: Connection, person: str, *, late_ms: int) -> tuple[Shown, ...]:
    """Every card shown of a person, oldest first; one that took longer than `late_ms` may not have been seen."""
    asked = (
        select(card, hook_call.c.instance, hook_call.c.elapsed_ms)
        .join(card_person, card_person.c.card_id == card.c.id)
        .join(hook_call, hook_call.c.id == card.c.call_id)
        .where(card_person.c.person == fitted(person, NAME))
        .order_by(hook_call.c.id, card.c.id)
    )
    rows = connection.execute(asked).all()
    gone = _withdrawn(connection, [row.id for row in rows])
    return tuple(
        Shown(
            id=row.id,
            at=row.at,
            kind=row.kind,
            about=row.about,
            clinician=row.clinician,
            instance=row.instance,
            in_time=row.elapsed_ms <= late_ms,
            withdrawn=row.id in gone,
            counts=msgspec.json.decode(row.counts, type=dict[str, str]),
            payload=bytes(row.payload),
        )
        for row in rows
    )


def _withdrawn(connection: Connection, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for at in range(0, len(ids), _CHUNK):
        asked = select(card_event.c.card_id).where(
            card_event.c.kind == "withdrawn", card_event.c.card_id.in_(ids[at : at + _CHUNK])
        )
        found |= set(connection.execute(asked).scalars())
    return found


def issuer_of(connection: Connection, card_id: str) -> tuple[str, str] | None:
    """Which EHR was shown a card, and by which service; None where there is no such card."""
    asked = (
        select(hook_call.c.issuer, hook_call.c.service)
        .join(card, card.c.call_id == hook_call.c.id)
        .where(card.c.id == card_id)
    )
    row = connection.execute(asked).first()
    return None if row is None else (row.issuer, row.service)


# ---- what became of them --------------------------------------------------------------------------------------------


def add_card_event(connection: Connection, at: str, card_id: str, kind: str, payload: bytes) -> bool:
    """Keep what became of a card (withdrawn, feedback); False where the very same was kept before."""
    digest = hashlib.sha256(kind.encode() + b"\n" + payload).hexdigest()
    same = select(card_event.c.id).where(card_event.c.card_id == card_id, card_event.c.digest == digest)
    if connection.execute(same).first() is not None:
        return False
    row = {"id": next_id(connection, card_event), "at": at, "card_id": card_id, "kind": kind}
    connection.execute(insert(card_event), {**row, "digest": digest, "payload": payload})
    return True


def withdraw_cards(connection: Connection, at: str, person: str, why: str) -> int:
    """Withdraw every card of a person that is not withdrawn yet; how many."""
    return sum(
        add_card_event(connection, at, name, "withdrawn", why.encode()) for name in cards_shown(connection, person)
    )


def cards_shown(connection: Connection, person: str) -> Sequence[str]:
    """The ids of the cards of a person that were shown and not withdrawn."""
    gone = select(card_event.c.card_id).where(card_event.c.kind == "withdrawn")
    asked = (
        select(card.c.id)
        .join(card_person, card_person.c.card_id == card.c.id)
        .where(card_person.c.person == fitted(person, NAME), card.c.id.not_in(gone))
        .order_by(card.c.at, card.c.id)
    )
    return list(connection.execute(asked).scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often cards of one kind were shown, and what became of them; a card counts once for each outcome."""

    kind: str
    shown: int
    accepted: int
    overridden: int
    withdrawn: int


def tally(connection: Connection) -> tuple[Tally, ...]:
    """What became of all cards, by kind."""
    grouped = connection.execute(select(card.c.kind, func.count()).group_by(card.c.kind))
    every = {str(kind): int(number) for kind, number in grouped}
    asked = (
        select(card.c.kind, card_event.c.kind, func.count(card_event.c.card_id.distinct()))
        .join(card, card.c.id == card_event.c.card_id)
        .group_by(card.c.kind, card_event.c.kind)
    )
    became = {(kind, event): number for kind, event, number in connection.execute(asked)}
    return tuple(
        Tally(
            kind=kind,
            shown=every[kind],
            accepted=became.get((kind, "accepted"), 0),
            overridden=became.get((kind, "overridden"), 0),
            withdrawn=became.get((kind, "withdrawn"), 0),
        )
        for kind in sorted(every)
    )
