"""Who makes a request: a person by the cookie of their login, or a machine by its token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from leuko.service.http.context import Context, context
from leuko.service.http.guard import cookies, csrf
from leuko.service.http.problems import Problem
from leuko.service.roles import Role
from leuko.service.store.accounts import Login, account_of, login_of, machine_of, saw_login

# A page that renews itself says so: nobody need sit before it, and a login that nobody uses must end.
BY_ITSELF: Final = "X-Leuko-By-Itself"
_MINUTE: Final = timedelta(minutes=1)  # how exactly the store knows when a login was last used


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who makes a request. `csrf` is the token for the forms of their pages; a machine has none, and no `login`."""

    name: str
    role: Role
    via: Literal["account", "oidc", "token"]
    login: int | None = None
    csrf: str = field(default="", repr=False)


class LoginNeeded(Problem):
    """Nobody is logged in: a browser is led to the login, a program is told."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "nobody is logged in",
            do="log in, or send the token of an account",
            headers={"WWW-Authenticate": "Bearer"},
        )


def needs(role: Role) -> Callable[[Request], Awaitable[Who]]:
    """A dependency that lets only that role and the ones above it in, and gives who it is."""

    async def guard(request: Request) -> Who:
        who = await run_in_threadpool(who_of, request)
        if who is None:
            raise LoginNeeded
        if who.role < role:
            raise Problem(403, f"this needs the role {role.word}; yours is {who.role.word}", do="ask an admin")
        if who.login is not None and request.method not in csrf.SAFE:
            await csrf.verify(request, who.csrf)
        return who

    return guard


def who_of(request: Request) -> Who | None:
    """Who makes the request; None where nobody is known. Raises StoreDown."""
    given = context(request)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.casefold() == "bearer" and token:
        return _machine(given, token.strip())
    secret = cookies.read(request, given.settings, "session")
    return _person(given, secret, by_itself=BY_ITSELF in request.headers) if secret else None


def _machine(given: Context, token: str) -> Who | None:
    with given.store.read() as connection:
        found = machine_of(connection, token)
    if found is None or not found.enabled:
        return None
    return Who(name=found.name, role=found.role, via="token")


def _person(given: Context, secret: str, *, by_itself: bool) -> Who | None:
    with given.store.read() as connection:
        login = login_of(connection, secret)
        if login is None or _too_old(given, login):
            return None
        role = login.role
        if login.via == "account":
            account = account_of(connection, login.name)
            if account is None or not account.enabled or account.at > login.began.isoformat(timespec="microseconds"):
                return None  # a new password or role ends what was begun before
            role = account.role
    if given.now() - login.seen >= _MINUTE and not by_itself:
        with given.store.write() as connection:
            saw_login(connection, given.store.now(), login.id)
    return Who(name=login.name, role=role, via=login.via, login=login.id, csrf=csrf.token_of(secret))


def _too_old(given: Context, login: Login) -> bool:
    limits, now = given.settings.session, given.now()
    return now - login.seen > timedelta(minutes=limits.idle_minutes) or now - login.began > timedelta(
        hours=limits.hours
    )
