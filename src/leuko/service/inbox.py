"""What becomes of a message: stored and acknowledged, refused, or put aside for a person to look at.

A message is acknowledged with AA only after it was committed. The same message again has no second effect and gets AA
again. The same control id with other bytes is refused and put aside: one of the two is not what the sender thinks.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DataError, IntegrityError

from leuko.intake.hl7.people import identifiers, stand_in
from leuko.intake.hl7.wire import Message, NoMessage, parse
from leuko.service.store import Store, StoreDown, fitted, next_id
from leuko.service.store.audit import record
from leuko.service.store.dead import put_aside
from leuko.service.store.tables import message, message_person

Code = Literal["AA", "AE", "AR"]
Reason = Literal["unreadable", "not-for-production", "no-control-id", "id-reused", "refused-by-store", "not-graded"]
_LOG: Final = logging.getLogger(__name__)
_WIDTHS: Final = {"identity": 500, "control_id": 200, "number": 200, "authority": 200, "source": 200, "kind": 40}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message as it came: without framing, and from where."""

    raw: bytes = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the sender is told; `new` where the message had an effect. `message` is None where it cannot be read."""

    code: Code
    text: str
    message: Message | None = None
    new: bool = False
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A message that was looked at, and is not stored yet."""

    incoming: Incoming
    digest: str
    message: Message | None = None
    reason: Reason | None = None
    text: str = ""
    identity: str = ""
    known: bool = False


def _identity(message: Message, digest: str = "") -> str:
    """Sender and control id; with a digest where a person let a message in beside another one of the same id."""
    own = f"|{digest[:16]}" if digest else ""
    return fitted(f"{message.sender}|{message.control_id}{own}", _WIDTHS["identity"])


class Inbox:
    """Takes messages into the store. `accept_test` lets training and debugging messages (MSH-11 T, D) in."""

    def __init__(self, store: Store, *, accept_test: bool = False) -> None:
        self.store, self.accept_test = store, accept_test

    def take(self, batch: Sequence[Incoming]) -> list[Verdict]:
        """Store a batch in one durable commit, and say what to answer; AE for all where the store is down."""
        judged = [self._judge(one) for one in batch]
        try:
            return self._commit(judged)
        except StoreDown as down:
            if _is_outage(down):
                return [_try_again(one) for one in judged]
        except Exception as error:  # noqa: BLE001 (one message must not hold up all others)
            _LOG.error("a batch was taken apart: %s", type(error).__name__)
        return [self._alone(one) for one in judged]

    def let_in(self, incoming: Incoming) -> Verdict:
        """Store a message that a person has looked at: of production or not, beside another one of its control id."""
        judged = self._judge(incoming)
        if judged.message is not None and judged.reason in {"not-for-production", None}:
            judged = replace(judged, reason=None, text="", identity=_identity(judged.message, judged.digest))
        return self._commit([judged])[0]

    # -- looking --

    def _judge(self, incoming: Incoming) -> _Judged:
        digest = hashlib.sha256(incoming.raw).hexdigest()
        try:
            message = parse(incoming.raw)
        except NoMessage as error:
            return _Judged(incoming=incoming, digest=digest, reason="unreadable", text=str(error))
        reason, text = self._objection(message)
        return _Judged(
            incoming=incoming, digest=digest, message=message, reason=reason, text=text, identity=_identity(message)
        )

    def _objection(self, message: Message) -> tuple[Reason | None, str]:
        """Why a message can never be taken, if so."""
        if not message.control_id:
            return "no-control-id", "MSH-10 is empty: the message cannot be acknowledged by name"
        if not message.kind:
            return "unreadable", "MSH-9 does not say what kind of message this is"
        if not message.header.text_of(12).startswith("2"):
            return "unreadable", "MSH-12 is no version 2 of HL7"
        if message.processing[:1] in {"T", "D"} and not self.accept_test:
            return "not-for-production", "MSH-11 marks the message as training or debugging"
        return None, ""

    # -- storing --

    def _commit(self, judged: Sequence[_Judged]) -> list[Verdict]:
        with self.store.write() as connection:
            at = self.store.now()
            known = _known(connection, [one.identity for one in judged if one.message is not None])
            verdicts: list[Verdict] = []
            fresh: list[_Judged] = []
            aside: list[_Judged] = []
            for one in judged:
                found = _against(one, known)
                verdicts.append(_verdict(found))
                if found.reason is not None:
                    aside.append(found)
                elif verdicts[-1].new:
                    known[found.identity] = found.digest
                    fresh.append(found)
            if fresh:
                _insert(connection, at, fresh)
            for one in aside:
                put_aside(
                    connection,
                    at,
                    source=one.incoming.source,
                    reason=str(one.reason),
                    text=one.text,
                    raw=one.incoming.raw,
                    identity=one.identity,
                )
        return verdicts

    def _alone(self, one: _Judged) -> Verdict:
        """A message by itself, after a batch that held it failed: one that fails again is put aside."""
        refused = replace(one, reason="refused-by-store", text="the store does not take this message")
        for each in (one, refused):
            try:
                return self._commit([each])[0]
            except StoreDown as down:
                if _is_outage(down):
                    break
            except Exception as error:  # noqa: BLE001 (the same)
                _LOG.error("a message cannot be stored: %s", type(error).__name__)
        return _try_again(one)


def _is_outage(down: StoreDown) -> bool:
    """Whether the database is down or full, rather than refusing this very row."""
    return not isinstance(down.__cause__, (DataError, IntegrityError))


def _try_again(one: _Judged) -> Verdict:
    return Verdict(code="AE", text="the store is down: nothing was stored, send again", message=one.message)


def _against(one: _Judged, known: dict[str, str]) -> _Judged:
    """The message held against those that are stored: the same again, or another one under its control id."""
    stored = None if one.reason is not None else known.get(one.identity)
    if stored is None:
        return one
    if stored == one.digest:
        return replace(one, known=True)
    text = "this control id (MSH-10) came before on a message with other content"
    return replace(one, reason="id-reused", text=text)


def _verdict(one: _Judged) -> Verdict:
    if one.reason is not None:
        return Verdict(code="AR", text=one.text, message=one.message, reason=one.reason)
    return Verdict(code="AA", text="known already" if one.known else "", message=one.message, new=not one.known)


def _known(connection: Connection, identities: Sequence[str]) -> dict[str, str]:
    """The digest of each identity that the store holds."""
    if not identities:
        return {}
    asked = select(message.c.identity, message.c.digest).where(message.c.identity.in_(identities))
    return {row.identity: row.digest for row in connection.execute(asked)}


def _insert(connection: Connection, at: str, fresh: Sequence[_Judged]) -> None:
    first = next_id(connection, message)
    rows, people = [], []
    for number, one in enumerate(fresh, start=first):
        assert one.message is not None  # noqa: S101 (only what was read is fresh)
        rows.append(
            {
                "id": number,
                "received_at": at,
                "source": fitted(one.incoming.source, _WIDTHS["source"]),
                "identity": one.identity,
                "control_id": fitted(one.message.control_id, _WIDTHS["control_id"]),
                "kind": fitted(f"{one.message.kind}^{one.message.event}", _WIDTHS["kind"]),
                "digest": one.digest,
                "raw": one.incoming.raw,
            }
        )
        people += [{"message_id": number, "number": name, "authority": by} for name, by in people_of(one.message)]
    connection.execute(insert(message), rows)
    if people:
        connection.execute(insert(message_person), people)
    digest = hashlib.sha256("".join(one.digest for one in fresh).encode()).hexdigest()
    detail = {"first": first, "last": first + len(fresh) - 1, "digest": digest}
    record(connection, at, actor="feed", action="received", detail=detail)


def people_of(message: Message) -> list[tuple[str, str]]:
    """The numbers of the people of a message, each with who gave it."""
    found: dict[tuple[str, str], None] = {}
    for part in message.parts():
        own = [(one.number, one.authority) for one in identifiers(part)] or [(stand_in(part), "")]
        for number, authority in own:
            found[fitted(number, _WIDTHS["number"]), fitted(authority, _WIDTHS["authority"])] = None
    return list(found)
