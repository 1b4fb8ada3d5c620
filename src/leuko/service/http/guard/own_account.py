"""A person's own account: who they are here, and another password."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from leuko.errors import UsageError
from leuko.service.http.context import Context, context
from leuko.service.http.guard import cookies
from leuko.service.http.guard.attempts import Attempts
from leuko.service.http.guard.login import client_of, refused
from leuko.service.http.guard.who import Who, needs
from leuko.service.http.pages import page
from leuko.service.http.problems import Problem
from leuko.service.passwords import LEAST, authenticate, hashed
from leuko.service.roles import Role
from leuko.service.store.accounts import keep_account

Person = Annotated[Who, Depends(needs(Role.VIEWER))]


def router(attempts: Attempts) -> APIRouter:
    """/account. A wrong password counts as an attempt to log in: whoever finds a browser open must not guess here."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/account")
    def shown(who: Person) -> Response:
        """Who one is."""
        return _page(who)

    @routes.post("/account/password")
    def change(
        *,
        request: Request,
        who: Person,
        old: Annotated[str, Form()] = "",
        new: Annotated[str, Form()] = "",
        again: Annotated[str, Form()] = "",
    ) -> Response:
        """Another password; every login of the account ends with it, this one too."""
        if who.via != "account":
            raise Problem(400, "this login has no password here", do="change it where you log in")
        given, client = context(request), client_of(request)
        if new != again:
            return _page(who, "The new password was written in two ways.", 422)
        attempt = attempts.begin(given, who.name, client)
        if attempt.wait:
            wait = str(math.ceil(attempt.wait))
            return _page(who, "Too many attempts. Wait a while, then try again.", 429, {"Retry-After": wait})
        try:
            known = _changed(given, who.name, old, new)
        except UsageError as error:
            attempts.good(given, attempt)
            return _page(who, f"{error.what}: {error.do}.", 422)
        if not known:
            refused(given, attempts, who.name, client)
            return _page(who, "The old password is wrong.", 403)
        attempts.good(given, attempt)
        response = RedirectResponse("/login", status_code=303)
        cookies.drop(response, given.settings, "session")
        return response

    return routes


def _changed(given: Context, name: str, old: str, new: str) -> bool:
    """Keep the new password; False where the old one is wrong. Raises UsageError where the new one is too easy."""
    found = authenticate(given.store, name, old)
    if found is None:
        return False
    secret = hashed(new, name=name)
    with given.store.write() as connection:
        keep_account(connection, given.store.now(), replace(found, secret=secret), actor=name)
    return True


def _page(who: Who, error: str = "", status: int = 200, headers: dict[str, str] | None = None) -> Response:
    content = page("account", who=who, error=error, least=LEAST)
    return HTMLResponse(content, status_code=status, headers=headers)
