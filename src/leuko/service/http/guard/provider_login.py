"""The pages of a login with a provider: there, back, and on to where the person wanted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from leuko.service.http.context import Context, context
from leuko.service.http.guard import cookies
from leuko.service.http.guard.entrance import wanted_of
from leuko.service.http.guard.login import client_of, let_in
from leuko.service.http.guard.oidc import Oidc, ProviderError, Vouched
from leuko.service.http.pages import page
from leuko.service.http.problems import Problem
from leuko.service.http.settings import HttpSettings, OidcSettings
from leuko.service.store import fitted
from leuko.service.store.accounts import begin_login
from leuko.service.store.audit import record

BACK: Final = "/login/oidc/back"
_FORM_SECONDS: Final = 600
_T = TypeVar("_T")
_LOG: Final = logging.getLogger(__name__)


def router(settings: HttpSettings, provider: OidcSettings) -> APIRouter:
    """/login/oidc and what follows."""
    routes = APIRouter(include_in_schema=False)
    own = settings.public_url or f"http://{settings.host}:{settings.port}"
    oidc = Oidc(provider, back=own + BACK)

    @routes.get("/login/oidc")
    def there(request: Request) -> Response:
        """To the provider."""
        given = context(request)
        address, secret = _asked(lambda: oidc.begin(given.now()))
        response = RedirectResponse(address, status_code=303)
        cookies.put(response, given.settings, "oidc", secret, seconds=_FORM_SECONDS)
        return response

    @routes.get(BACK)
    def back(request: Request, state: str = "", code: str = "") -> Response:
        """Back: a page, not a redirect, for the strict cookie of the login is sent only where our own page leads."""
        given = context(request)
        browser = cookies.read(request, given.settings, "oidc")
        if not code or not state or not browser:
            raise Problem(403, "the provider did not let you in, or this login was not begun here", do="log in again")
        found = _asked(lambda: oidc.finish(state=state, code=code, browser=browser, now=given.now()))
        client = client_of(request)
        if found.role is None:
            _refused(given, found, client)
            raise Problem(403, "none of your groups has a role in leuko", do="ask an admin of leuko")
        with given.store.write() as connection:
            secret = begin_login(
                connection, given.store.now(), name=found.name, role=found.role, via="oidc", client=client
            )
        return let_in(request, HTMLResponse(page("welcome")), secret, keep_next=True)

    @routes.get("/login/done")
    async def done(request: Request) -> Response:
        """On to where the person wanted."""
        response = RedirectResponse(wanted_of(request), status_code=303)
        cookies.drop(response, context(request).settings, "next")
        return response

    return routes


def _asked(ask: Callable[[], _T]) -> _T:
    """What the provider says; a fault of it is told in the log, and to the person in a word."""
    try:
        return ask()
    except ProviderError as error:
        _LOG.warning("login with the provider failed: %s %s", error.what, error.why)
        raise Problem(403, error.what, do=error.do or "log in again") from None


def _refused(given: Context, found: Vouched, client: str) -> None:
    with given.store.write() as connection:
        detail = {"client": client, "via": "oidc", "known": True}
        actor = fitted(found.name, 200)
        record(connection, given.store.now(), actor=actor, action="login-refused", detail=detail)
