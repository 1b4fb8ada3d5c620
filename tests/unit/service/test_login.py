"""Who comes in: accounts, passwords, the login page, and how long a login holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Response
from sqlalchemy import select
from starlette.testclient import TestClient

from fixtures.http import PASSWORD, asked, enter, log_in, token
from fixtures.stores import Hand
from leuko.__main__ import main
from leuko.errors import UsageError
from leuko.service.http.guard import Role, Who, needs
from leuko.service.http.guard.csrf import token_of
from leuko.service.http.settings import HttpSettings, LimitSettings, SessionSettings
from leuko.service.passwords import authenticate, hashed
from leuko.service.store import Store, open_store
from leuko.service.store.accounts import Account, account_of, begin_login, disable, keep_account
from leuko.service.store.tables import account, audit, session

PAGE = {"Accept": "text/html"}


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def store(tmp_path: Path, hand: Hand) -> Iterator[Store]:
    """On SQLite; that a login is kept on PostgreSQL as well, test_http.py and test_store.py show."""
    opened = open_store(tmp_path / "store.sqlite", clock=hand)
    yield opened
    opened.close()


def routes() -> APIRouter:
    made = APIRouter()

    @made.get("/", response_model=None)
    def start(who: Annotated[Who, Depends(needs(Role.VIEWER))]) -> Response:
        return Response(f"{who.name} {who.role.word}")

    @made.post("/change", response_model=None)
    def change(who: Annotated[Who, Depends(needs(Role.VIEWER))]) -> Response:
        return Response(who.name)

    return made


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    with asked(store, [routes()]) as made:
        yield made


def add(store: Store, name: str = "ada", role: Role = Role.CLINICIAN) -> None:
    with store.write() as connection:
        made = Account(name=name, kind="person", role=role, enabled=True, secret=hashed(PASSWORD, name=name))
        keep_account(connection, store.now(), made, actor="test")


# ---- the page -------------------------------------------------------------------------------------------------------


def test_who_knows_the_password_comes_in_and_to_where_they_wanted(client: TestClient, store: Store) -> None:
    add(store)
    led = client.get("/?a=1", headers=PAGE)
    assert (led.status_code, led.headers["location"]) == (303, "/login")
    form = token(client.get("/login").text)
    done = client.post("/login", data={"name": "ada", "password": PASSWORD, "csrf": form})
    assert (done.status_code, done.headers["location"]) == (303, "/?a=1")
    assert client.get("/").text == "ada clinician"
    cookie = next(one for one in done.headers.get_list("set-cookie") if one.startswith("leuko="))
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_the_store_knows_neither_password_nor_cookie(client: TestClient, store: Store) -> None:
    add(store)
    assert enter(client) == 303
    with store.read() as connection:
        kept = repr([list(connection.execute(select(table))) for table in (account, session, audit)])
    assert PASSWORD not in kept
    assert client.cookies["leuko"] not in kept
    assert "argon2id" in kept


def test_under_https_the_cookie_is_kept_to_it_and_to_this_host(store: Store) -> None:
    add(store)
    with asked(store, [routes()], settings=HttpSettings(public_url="https://localhost")) as client:
        form = token(client.get("/login").text)
        done = client.post("/login", data={"name": "ada", "password": PASSWORD, "csrf": form})
        cookie = next(one for one in done.headers.get_list("set-cookie") if one.startswith("__Host-leuko="))
        assert "Secure" in cookie
        assert client.get("/").text == "ada clinician"


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("nobody", PASSWORD), ("", ""), ("ada", "x" * 5000)])
def test_who_does_not_know_it_stays_outside(client: TestClient, store: Store, name: str, password: str) -> None:
    add(store)
    assert enter(client, name, password) == 401
    assert client.get("/").status_code == 401


def test_a_refused_login_stands_in_the_audit_without_what_was_typed(client: TestClient, store: Store) -> None:
    add(store)
    enter(client, "ada", "a wrong password")
    enter(client, "my password typed as a name", "x")
    with store.read() as connection:
        rows = list(connection.execute(select(audit).where(audit.c.action == "login-refused").order_by(audit.c.id)))
    assert [row.actor for row in rows] == ["ada", ""]
    assert "typed as a name" not in repr(rows)
    assert "a wrong password" not in repr(rows)


def test_a_form_of_another_site_is_refused(client: TestClient, store: Store) -> None:
    add(store)
    form = token(client.get("/login").text)
    stranger = {"name": "ada", "password": PASSWORD, "csrf": "0" * 64}
    assert client.post("/login", data=stranger).status_code == 403
    client.cookies.clear()  # another browser, with the token of this one
    assert client.post("/login", data={**stranger, "csrf": form}).status_code == 403


def test_whoever_guesses_must_wait_and_the_right_password_too(store: Store) -> None:
    add(store)
    with asked(store, [routes()], settings=HttpSettings(limits=LimitSettings(login_failures=3))) as client:
        assert [enter(client, "ada", "wrong") for _ in range(4)] == [401, 401, 401, 429]
        assert enter(client) == 429
        assert enter(client, "bert") == 401


def test_logins_that_succeed_are_not_counted(store: Store) -> None:
    add(store)
    with asked(store, [routes()], settings=HttpSettings(limits=LimitSettings(login_failures=2))) as client:
        assert [enter(client) for _ in range(5)] == [303] * 5


def test_a_page_of_another_site_is_never_where_one_is_led(client: TestClient, store: Store) -> None:
    add(store)
    form = token(client.get("/login").text)
    for wanted in ("//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aSet-Cookie: a=b"):
        client.cookies.set("leuko-next", wanted.replace("%", "%25") if wanted.startswith("/%") else wanted)
        done = client.post("/login", data={"name": "ada", "password": PASSWORD, "csrf": form})
        assert done.headers["location"].startswith("/")
        assert not done.headers["location"].startswith(("//", "/\\"))
        form = token(client.get("/login").text)


def test_a_link_of_the_ehr_is_opened_again_from_a_page_of_ours(client: TestClient) -> None:
    answer = client.get("/", headers={**PAGE, "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text


def test_a_part_of_a_page_sends_the_whole_page_to_the_login(client: TestClient) -> None:
    answer = client.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")


# ---- how long a login holds -----------------------------------------------------------------------------------------


def test_a_login_ends_when_it_is_not_used(store: Store, hand: Hand) -> None:
    add(store)
    with asked(store, [routes()], settings=HttpSettings(session=SessionSettings(idle_minutes=30))) as client:
        enter(client)
        for _ in range(3):
            hand.at += timedelta(minutes=29)
            assert client.get("/").status_code == 200
        hand.at += timedelta(minutes=31)
        assert client.get("/").status_code == 401


def test_a_login_ends_however_much_it_is_used(store: Store, hand: Hand) -> None:
    add(store)
    with asked(store, [routes()], settings=HttpSettings(session=SessionSettings(hours=1))) as client:
        enter(client)
        for _ in range(3):
            hand.at += timedelta(minutes=19)
            assert client.get("/").status_code == 200
        hand.at += timedelta(minutes=4)
        assert client.get("/").status_code == 401


def test_a_logout_ends_the_login_also_for_who_kept_the_cookie(client: TestClient, store: Store) -> None:
    log_in(client, Role.VIEWER)
    kept = client.cookies["leuko"]
    assert client.post("/logout").status_code == 303
    client.cookies.set("leuko", kept)
    assert client.get("/").status_code == 401


def test_a_disabled_account_is_out_at_once(client: TestClient, store: Store) -> None:
    add(store)
    enter(client)
    with store.write() as connection:
        assert disable(connection, store.now(), "ada", actor="test")
    assert client.get("/").status_code == 401
    assert enter(client) == 401


def test_another_password_ends_the_logins_of_the_one_before(client: TestClient, store: Store, hand: Hand) -> None:
    add(store)
    enter(client)
    hand.at += timedelta(seconds=1)
    add(store)
    assert client.get("/").status_code == 401


# ---- one's own account ----------------------------------------------------------------------------------------------


def change(client: TestClient, old: str, new: str, again: str = "") -> int:
    form = token(client.get("/account").text)
    sent = {"old": old, "new": new, "again": again or new, "csrf": form}
    return client.post("/account/password", data=sent).status_code


def test_people_change_their_own_password_and_log_in_again(client: TestClient, store: Store, hand: Hand) -> None:
    add(store)
    assert client.get("/account").status_code == 401
    enter(client)
    hand.at += timedelta(seconds=1)
    assert change(client, PASSWORD, "another correct horse", "another correct house") == 422
    assert change(client, PASSWORD, "short") == 422
    assert change(client, "not the password", "another correct horse") == 403
    assert client.get("/").status_code == 200
    kept = client.cookies["leuko"]
    assert change(client, PASSWORD, "another correct horse") == 303
    client.cookies.set("leuko", kept)
    assert client.get("/").status_code == 401, "every login of the account has ended"
    assert (enter(client, "ada", PASSWORD), enter(client, "ada", "another correct horse")) == (401, 303)


def test_who_finds_a_browser_open_cannot_guess_the_password_there(store: Store) -> None:
    add(store)
    with asked(store, [routes()], settings=HttpSettings(limits=LimitSettings(login_failures=2))) as client:
        enter(client)
        guessed = [change(client, f"a guess {number}", "another correct horse") for number in range(3)]
        assert guessed == [403, 403, 429]
        assert change(client, PASSWORD, "another correct horse") == 429


def test_a_password_elsewhere_is_not_changed_here(client: TestClient, store: Store) -> None:
    with store.write() as connection:
        secret = begin_login(connection, store.now(), name="eve (idp)", role=Role.VIEWER, via="oidc", client="")
    client.cookies.set("leuko", secret)
    assert "kept where you log in" in client.get("/account").text
    answer = client.post("/account/password", headers={"X-CSRF-Token": token_of(secret)})
    assert answer.status_code == 400


# ---- passwords ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["", "short", "aaaaaaaaaaaaaaa", "x" * 2000, "adamsadamsadams"])
def test_a_password_that_would_be_guessed_is_refused(password: str) -> None:
    with pytest.raises(UsageError):
        hashed(password, name="adams")


def test_a_letter_with_a_mark_is_one_letter_however_the_keyboard_writes_it(store: Store) -> None:
    with store.write() as connection:
        secret = hashed("Übermässig lange Wörter", name="ada")
        made = Account(name="ada", kind="person", role=Role.VIEWER, enabled=True, secret=secret)
        keep_account(connection, store.now(), made, actor="test")
    assert authenticate(store, "ada", "Übermässig lange Wo\u0308rter") is not None
    assert authenticate(store, "ada", "Ubermassig lange Worter") is None


def test_a_name_that_is_not_there_takes_as_long_as_one_that_is(store: Store) -> None:
    add(store)
    took = []
    for name in ("ada", "nobody"):
        authenticate(store, name, "warm up")
        start = time.process_time()
        for _ in range(3):
            authenticate(store, name, "wrong")
        took.append(time.process_time() - start)
    assert max(took) < 5 * min(took)


# ---- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("LEUKO_PASSWORD", raising=False)
    return str(tmp_path / "shop.sqlite")


def kept(where: str, name: str) -> Account | None:
    store = open_store(where)
    try:
        with store.read() as connection:
            return account_of(connection, name)
    finally:
        store.close()


def test_accounts_are_made_listed_changed_and_disabled(
    shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    assert main(["user", "add", "ada", "--role", "viewer", "--password-file", str(file), "--store", shop]) == 0
    monkeypatch.setenv("LEUKO_PASSWORD", "another correct horse")
    assert main(["user", "add", "bert", "--role", "admin", "--store", shop]) == 0
    assert main(["user", "add", "bert", "--role", "admin", "--store", shop]) == 2
    assert main(["user", "change", "ada", "--role", "clinician", "--store", shop]) == 0
    assert main(["user", "disable", "bert", "--store", shop]) == 0
    capsys.readouterr()
    assert main(["user", "list", "--store", shop]) == 0
    rows = [line.split("\t")[:4] for line in capsys.readouterr().out.splitlines()]
    assert rows == [["ada", "clinician", "person", "enabled"], ["bert", "admin", "person", "disabled"]]
    store = open_store(shop)
    assert authenticate(store, "ada", PASSWORD) is not None
    assert authenticate(store, "bert", "another correct horse") is None
    store.close()


def test_a_machine_gets_its_token_once(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "add", "engine", "--role", "clinician", "--machine", "--store", shop]) == 0
    first = capsys.readouterr().out.strip()
    made = kept(shop, "engine")
    assert made is not None
    assert first not in made.secret
    assert main(["user", "change", "engine", "--password", "--store", shop]) == 0
    assert capsys.readouterr().out.strip() != first
    changed = kept(shop, "engine")
    assert changed is not None
    assert changed.secret != made.secret


def test_no_option_takes_a_password(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "add", "ada", "--role", "viewer", "--password", PASSWORD, "--store", shop]) == 2
    assert not Path(shop).exists()
    assert main(["user", "list", "--store", shop]) == 2
    assert not Path(shop).exists()
    open_store(shop).close()
    assert main(["user", "change", "nobody", "--enable", "--store", shop]) == 2
    assert "there is no account" in capsys.readouterr().err
    assert kept(shop, "ada") is None
