"""How often somebody may fail to log in before they have to wait.

Failures are counted from the store, so that they count after a restart as well, and in every process on it. Those of
names that are no account's are the exception: the store must not know such a name, which may be a password, and a count
of them in memory serves only to answer as for any other name.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from leuko.service.http.context import Context
from leuko.service.http.settings import LimitSettings
from leuko.service.store.accounts import account_of
from leuko.service.store.attempts import failures_of_client, failures_of_name, keep_attempt, was_good

_MOST: Final = 20_000  # names that are no account's; the one not tried for longest is forgotten first
_NAME, _CLIENT = 4, 10  # how many times the failures of one address for one name are let pass for either alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt that counts as a failure until it was good, or one that has to `wait` so many seconds."""

    number: int = 0
    wait: float = 0.0


class Attempts:
    """Few failures of one address for one name in `login_minutes`, more for a name, and more for an address.

    So that whoever guesses is slowed down, and cannot shut a colleague out for long from elsewhere. All of it waits
    for the disk: call it from where the event loop does not wait.
    """

    def __init__(self, limits: LimitSettings) -> None:
        self._most, self._within = limits.login_failures, timedelta(minutes=limits.login_minutes)
        self._strangers: OrderedDict[str, list[tuple[str, str]]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, given: Context, name: str, client: str) -> Attempt:
        """Count an attempt, before its password is looked at. Raises StoreDown."""
        with given.store.read() as connection:  # who has to wait must not hold up those who write
            seconds = self._wait(connection, given.now(), name, client)
        if seconds:
            return Attempt(wait=seconds)
        with given.store.write() as connection:
            seconds = self._wait(connection, given.now(), name, client)
            if seconds:
                return Attempt(wait=seconds)
            at, known = given.store.now(), account_of(connection, name) is not None
            if not known:
                self._remember(name, at, client)
            return Attempt(number=keep_attempt(connection, at, name=name if known else "", client=client))

    def good(self, given: Context, attempt: Attempt) -> None:
        """An attempt was none of somebody who guesses. Raises StoreDown."""
        with given.store.write() as connection:
            was_good(connection, given.store.now(), attempt.number)

    def full(self, connection: Connection, now: datetime, name: str, client: str) -> bool:
        """Whether the next attempt would have to wait."""
        return self._wait(connection, now, name, client) > 0

    def _wait(self, connection: Connection, now: datetime, name: str, client: str) -> float:
        within = self._within
        if account_of(connection, name) is not None:
            of_name = failures_of_name(connection, name, now=now, within=within)
        else:
            with self._lock:
                of_name = list(self._strangers.get(name, ()))
        of_client = failures_of_client(connection, client, now=now, within=within)
        counted = (
            ([at for at, address in of_name if address == client], self._most),
            ([at for at, _ in of_name], self._most * _NAME),
            (of_client, self._most * _CLIENT),
        )
        return max(_seconds(times, most, now, within) for times, most in counted)

    def _remember(self, name: str, at: str, client: str) -> None:
        with self._lock:
            kept = [*self._strangers.pop(name, ()), (at, client)]
            self._strangers[name] = kept[-self._most * _NAME :]
            while len(self._strangers) > _MOST:
                self._strangers.popitem(last=False)


def _seconds(times: Sequence[str], most: int, now: datetime, within: timedelta) -> float:
    """How long until there are fewer than `most` failures within the time; 0 where there are already."""
    if len(times) < most:
        return 0.0
    return max(0.0, (datetime.fromisoformat(times[-most]) + within - now).total_seconds())
