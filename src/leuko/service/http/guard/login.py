"""The pages by which people come in and go."""

from __future__ import annotations

import asyncio
import math
import secrets
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from leuko.service.http.context import Context, context
from leuko.service.http.guard import cookies, csrf
from leuko.service.http.guard.attempts import Attempt, Attempts
from leuko.service.http.guard.entrance import wanted_of
from leuko.service.http.guard.who import Who, needs
from leuko.service.http.pages import page, stylesheet
from leuko.service.http.problems import Problem
from leuko.service.passwords import authenticate
from leuko.service.roles import Role
from leuko.service.store import fitted
from leuko.service.store.accounts import WIDTH, Account, account_of, begin_login, end_login
from leuko.service.store.attempts import was_good
from leuko.service.store.audit import record

_FORM_SECONDS: Final = 3600  # how long a form that was opened can be sent
_AT_ONCE: Final = 2  # passwords that are tried at the same time: each takes 64 MiB


def router(attempts: Attempts) -> APIRouter:
    """/login, /logout and how they look."""
    routes = APIRouter(include_in_schema=False)
    at_once = asyncio.Semaphore(_AT_ONCE)

    @routes.get("/login")
    async def form(request: Request) -> Response:
        """The form."""
        return _form(request)

    @routes.post("/login")
    async def log_in(
        request: Request, name: Annotated[str, Form()] = "", password: Annotated[str, Form()] = ""
    ) -> Response:
        """A name and a password: in, or the form again."""
        given, client = context(request), client_of(request)
        name = fitted(name.strip(), WIDTH)
        await csrf.verify(request, _form_token(request))
        attempt = await given.off_loop(attempts.begin, given, name, client)
        if attempt.wait:
            return _form(request, "Too many attempts. Wait a while, then try again.", seconds=attempt.wait)
        async with at_once:
            found = await given.off_loop(authenticate, given.store, name, password)
        if found is None:
            await given.off_loop(refused, given, attempts, name, client)
            return _form(request, "The name or the password is wrong.")
        secret = await given.off_loop(_begin, given, found, client, attempt)
        return let_in(request, RedirectResponse(wanted_of(request), status_code=303), secret)

    @routes.post("/logout")
    def log_out(request: Request, who: Annotated[Who, Depends(needs(Role.VIEWER))]) -> Response:
        """Out: the cookie opens nothing any more."""
        given = context(request)
        if who.login is None:
            raise Problem(400, "a machine has no login that could be ended")
        with given.store.write() as connection:
            end_login(connection, given.store.now(), who.login, actor=who.name)
        response = RedirectResponse("/login", status_code=303)
        cookies.drop(response, given.settings, "session")
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    @routes.get("/guard.css")
    async def style() -> Response:
        """How the pages of the guard look."""
        return Response(stylesheet(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    return routes


def client_of(request: Request) -> str:
    """The address that asks; that of a proxy is replaced by the one it tells of, where it is a known proxy."""
    return request.client.host if request.client is not None else ""


def let_in(request: Request, response: Response, secret: str, *, keep_next: bool = False) -> Response:
    """Give the browser the cookie of its login, and take those of the way there back."""
    settings = context(request).settings
    cookies.put(response, settings, "session", secret)
    cookies.drop(response, settings, "form")
    cookies.drop(response, settings, "oidc")
    if not keep_next:
        cookies.drop(response, settings, "next")
    return response


def _form_token(request: Request) -> str:
    secret = cookies.read(request, context(request).settings, "form")
    return csrf.token_of(secret) if secret else ""


def _form(request: Request, error: str = "", *, seconds: float = 0.0) -> Response:
    settings = context(request).settings
    secret = cookies.read(request, settings, "form") or secrets.token_urlsafe(32)
    label = settings.oidc.label if settings.oidc is not None else ""
    content = page("login", csrf=csrf.token_of(secret), error=error, provider=label)
    status = 429 if seconds else 401 if error else 200
    response = HTMLResponse(content, status_code=status)
    if seconds:
        response.headers["Retry-After"] = str(math.ceil(seconds))
    cookies.put(response, settings, "form", secret, seconds=_FORM_SECONDS)
    return response


def _begin(given: Context, found: Account, client: str, attempt: Attempt) -> str:
    with given.store.write() as connection:
        at = given.store.now()
        was_good(connection, at, attempt.number)
        return begin_login(connection, at, name=found.name, role=found.role, via="account", client=client)


def refused(given: Context, attempts: Attempts, name: str, client: str) -> None:
    """Keep that a password was wrong, and whether the next attempt has to wait.

    A name that is no account is not kept, for it may be a password.
    """
    with given.store.write() as connection:
        known = account_of(connection, name) is not None
        detail = {"client": client, "known": known, "must_wait": attempts.full(connection, given.now(), name, client)}
        record(connection, given.store.now(), actor=name if known else "", action="login-refused", detail=detail)
