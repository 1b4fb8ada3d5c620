"""Failed logins count after a restart as before it, on SQLite and on PostgreSQL; what was typed stands nowhere."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from fixtures.http import PASSWORD, asked, enter
from fixtures.stores import START, Hand
from leuko.service.http.guard.attempts import Attempts
from leuko.service.http.settings import HttpSettings, LimitSettings
from leuko.service.passwords import hashed
from leuko.service.roles import Role
from leuko.service.store import Store, open_store
from leuko.service.store.accounts import Account, keep_account
from leuko.service.store.tables import audit, login_attempt

LIMITS = LimitSettings(login_failures=3, login_minutes=15.0)


@pytest.fixture
def hand() -> Hand:
    return Hand()


def restarted(address: str, hand: Hand, *passwords: str, name: str = "ada") -> list[int]:
    """What a service that starts on this store answers to a few logins."""
    store = open_store(address, clock=hand)
    with store.write() as connection:
        made = Account(name="ada", kind="person", role=Role.VIEWER, enabled=True, secret=hashed(PASSWORD, name="ada"))
        keep_account(connection, store.now(), made, actor="test")
    try:
        with asked(store, settings=HttpSettings(limits=LIMITS)) as client:
            return [enter(client, name, password) for password in passwords]
    finally:
        store.close()


def test_a_restart_forgets_no_failure(address: str, hand: Hand) -> None:
    assert restarted(address, hand, "wrong", "wrong") == [401, 401]
    assert restarted(address, hand, "wrong", "wrong") == [401, 429]
    assert restarted(address, hand, PASSWORD) == [429]
    hand.at += timedelta(minutes=15, seconds=1)
    assert restarted(address, hand, PASSWORD, "wrong", "wrong", "wrong", PASSWORD) == [303, 401, 401, 401, 429]


def test_what_was_let_in_is_no_failure_after_a_restart_either(address: str, hand: Hand) -> None:
    assert restarted(address, hand, "wrong", *[PASSWORD] * 4, "wrong") == [401, 303, 303, 303, 303, 401]
    assert restarted(address, hand, PASSWORD, "wrong", "wrong") == [303, 401, 429]


def test_names_that_are_no_accounts_wait_alike_and_stand_nowhere(address: str, hand: Hand) -> None:
    typed = "my password, typed as a name"
    assert restarted(address, hand, *["wrong"] * 4, name=typed) == [401, 401, 401, 429]
    store = open_store(address, clock=hand)
    with store.read() as connection:
        assert typed not in repr([list(connection.execute(select(table))) for table in (login_attempt, audit)])
    store.close()


def test_an_address_that_tries_many_names_waits_after_a_restart_too(address: str, hand: Hand) -> None:
    for number in range(4):
        assert restarted(address, hand, "wrong", name=f"nobody {number}") == [401]
    store = open_store(address, clock=hand)
    with asked(store, settings=HttpSettings(limits=LIMITS)) as client:
        assert [enter(client, f"another {number}", "x") for number in range(26)] == [401] * 26
    with asked(store, settings=HttpSettings(limits=LIMITS)) as client:
        assert enter(client, "a third", "x") == 429
        assert enter(client, "ada") == 429
    store.close()


def test_a_clock_that_once_went_wrong_shuts_nobody_out_for_long(address: str, hand: Hand) -> None:
    hand.at += timedelta(days=400)
    assert restarted(address, hand, *["wrong"] * 4) == [401, 401, 401, 429]
    hand.at = START
    assert restarted(address, hand, PASSWORD) == [303]


def test_the_audit_tells_that_the_next_one_has_to_wait(address: str, hand: Hand) -> None:
    restarted(address, hand, *["wrong"] * 5)
    store = open_store(address, clock=hand)
    with store.read() as connection:
        asked_for = select(audit.c.detail).where(audit.c.action == "login-refused").order_by(audit.c.id)
        told = [json.loads(row)["must_wait"] for row in connection.execute(asked_for).scalars()]
    assert told == [False, False, True]
    store.close()


def test_attempts_at_once_do_not_slip_through_together(store: Store) -> None:
    with asked(store, settings=HttpSettings(limits=LIMITS)) as client, ThreadPoolExecutor(8) as pool:
        given = client.app.state.context  # type: ignore[attr-defined]
        # two services on one store: what one counts, the other sees
        services = [Attempts(LIMITS), Attempts(LIMITS)]
        with store.write() as connection:
            made = Account(name="ada", kind="person", role=Role.VIEWER, enabled=True, secret="x")  # noqa: S106
            keep_account(connection, store.now(), made, actor="test")
        begun = list(pool.map(lambda n: services[n % 2].begin(given, "ada", "10.0.0.7"), range(16)))
    assert sum(not one.wait for one in begun) == 3
