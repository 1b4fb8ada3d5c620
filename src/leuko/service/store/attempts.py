"""Attempts to log in, kept so that a restart forgets none: an attempt is a row, and one that was good is followed by
another. What is left are failures.

The name stands in a row only where it is that of an account: what else is typed as a name may be a password.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, exists, insert, select

from leuko.service.store import fitted, next_id
from leuko.service.store.tables import login_attempt

_CLIENT = 200  # width of the column


def keep_attempt(connection: Connection, at: str, *, name: str, client: str) -> int:
    """Keep an attempt before its password is looked at; gives its number. `name` is empty where it is no account's."""
    number = next_id(connection, login_attempt)
    row = {"id": number, "at": at, "name": name, "client": fitted(client, _CLIENT), "good": None}
    connection.execute(insert(login_attempt), row)
    return number


def was_good(connection: Connection, at: str, attempt: int) -> None:
    """An attempt was none of somebody who guesses: it no longer counts."""
    row = {"id": next_id(connection, login_attempt), "at": at, "name": "", "client": "", "good": attempt}
    connection.execute(insert(login_attempt), row)


def failures_of_name(connection: Connection, name: str, *, now: datetime, within: timedelta) -> list[tuple[str, str]]:
    """When and from which address somebody failed to log in as `name`, oldest first."""
    asked = _failures(now, within).where(login_attempt.c.name == name)
    return [(row.at, row.client) for row in connection.execute(asked)]


def failures_of_client(connection: Connection, client: str, *, now: datetime, within: timedelta) -> list[str]:
    """When somebody at this address failed to log in, under any name, oldest first."""
    asked = _failures(now, within).where(login_attempt.c.client == fitted(client, _CLIENT))
    return [row.at for row in connection.execute(asked)]


def _failures(now: datetime, within: timedelta) -> Select[tuple[str, str]]:
    """Failures within a time. Rows from far ahead of the clock, which once went wrong, shut nobody out."""
    first, last = ((now + shift).isoformat(timespec="microseconds") for shift in (-within, within))
    good = login_attempt.alias()
    return (
        select(login_attempt.c.at, login_attempt.c.client)
        .where(login_attempt.c.good.is_(None), login_attempt.c.at.between(first, last))
        .where(~exists().where(good.c.good == login_attempt.c.id))
        .order_by(login_attempt.c.id)
    )
