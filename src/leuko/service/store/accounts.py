"""Accounts of this site and logins: the last row of a name says what holds; rows are only added."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, func, insert, select

from leuko.service.roles import Role
from leuko.service.store import next_id
from leuko.service.store.audit import record as told
from leuko.service.store.tables import account, session, session_event

Kind = Literal["person", "machine"]
Via = Literal["account", "oidc"]
WIDTH: Final = 200  # of a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as it is now. `secret` is what a password or token was hashed to."""

    name: str
    kind: Kind
    role: Role
    enabled: bool
    secret: str = field(repr=False)
    at: str = ""


def digest_of(secret: str) -> str:
    """SHA-256 of a secret that was drawn at random: nothing slower is needed, it cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


# ---- accounts -------------------------------------------------------------------------------------------------------


def keep_account(connection: Connection, at: str, kept: Account, *, actor: str) -> None:
    """From now on the account is as given; the audit keeps who changed it and what, never the secret."""
    before = account_of(connection, kept.name)
    row = {
        "id": next_id(connection, account),
        "at": at,
        "actor": actor,
        "name": kept.name,
        "kind": kept.kind,
        "role": kept.role.word,
        "state": "enabled" if kept.enabled else "disabled",
        "secret": kept.secret,
    }
    connection.execute(insert(account), row)
    detail = {"account": row["id"], "role": kept.role.word, "state": row["state"], "kind": kept.kind}
    detail["secret"] = "kept" if before is not None and before.secret == kept.secret else "new"
    told(connection, at, actor=actor, action="account", subject=kept.name, detail=detail)


def disable(connection: Connection, at: str, name: str, *, actor: str) -> bool:
    """Let an account in no more, from its next request on; False where it was not let in before."""
    before = account_of(connection, name)
    if before is None or not before.enabled:
        return False
    keep_account(connection, at, replace(before, enabled=False), actor=actor)
    return True


def account_of(connection: Connection, name: str) -> Account | None:
    """The account of a name, as it is now."""
    asked = select(account).where(account.c.name == name).order_by(account.c.id.desc()).limit(1)
    row = connection.execute(asked).first()
    return None if row is None else _account(row)


def machine_of(connection: Connection, token: str) -> Account | None:
    """The machine whose token this is, where it still is."""
    asked = select(account.c.name).where(account.c.kind == "machine", account.c.secret == digest_of(token))
    name = connection.execute(asked.order_by(account.c.id.desc()).limit(1)).scalar_one_or_none()
    found = None if name is None else account_of(connection, name)
    return found if found is not None and found.kind == "machine" and found.secret == digest_of(token) else None


def accounts(connection: Connection) -> Sequence[Account]:
    """Every account as it is now, by name."""
    rows = connection.execute(select(account).order_by(account.c.id))
    last = {row.name: _account(row) for row in rows}
    return [last[name] for name in sorted(last)]


def _account(row: Any) -> Account:
    return Account(
        name=row.name,
        kind=row.kind,
        role=Role.of(row.role),
        enabled=row.state == "enabled",
        secret=row.secret,
        at=row.at,
    )


# ---- logins ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login that has not ended: whose, since when, and when it was last seen."""

    id: int
    name: str
    role: Role
    via: Via
    began: datetime
    seen: datetime


def begin_login(connection: Connection, at: str, *, name: str, role: Role, via: Via, client: str) -> str:
    """Keep a new login; gives the secret for the cookie, of which the store keeps only a hash."""
    secret = secrets.token_urlsafe(32)
    row = {"id": next_id(connection, session), "at": at, "digest": digest_of(secret)}
    connection.execute(insert(session), {**row, "name": name, "role": role.word, "via": via})
    told(connection, at, actor=name, action="login", detail={"login": row["id"], "via": via, "client": client})
    return secret


def login_of(connection: Connection, secret: str) -> Login | None:
    """The login of a cookie, as long as it was not ended; whether it is too old, the caller decides."""
    row = connection.execute(select(session).where(session.c.digest == digest_of(secret))).first()
    if row is None:
        return None
    events = list(
        connection.execute(
            select(session_event.c.kind, func.max(session_event.c.at).label("at"))
            .where(session_event.c.session_id == row.id)
            .group_by(session_event.c.kind)
        )
    )
    if any(event.kind == "ended" for event in events):
        return None
    began = datetime.fromisoformat(row.at)
    seen = max([began, *(datetime.fromisoformat(event.at) for event in events)])
    return Login(id=row.id, name=row.name, role=Role.of(row.role), via=row.via, began=began, seen=seen)


def saw_login(connection: Connection, at: str, login: int) -> None:
    """Keep that a login was used; the caller does so now and then, not at each request."""
    row = {"id": next_id(connection, session_event), "at": at, "session_id": login, "kind": "seen"}
    connection.execute(insert(session_event), row)


def end_login(connection: Connection, at: str, login: int, *, actor: str) -> None:
    """End a login: its cookie opens nothing any more."""
    row = {"id": next_id(connection, session_event), "at": at, "session_id": login, "kind": "ended"}
    connection.execute(insert(session_event), row)
    told(connection, at, actor=actor, action="logout", detail={"login": login})
