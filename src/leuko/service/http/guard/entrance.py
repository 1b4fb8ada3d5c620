"""What becomes of a request of nobody: a browser is led to the login and then to where it wanted, a program is told."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from leuko.service.http.context import context
from leuko.service.http.guard import cookies
from leuko.service.http.guard.who import LoginNeeded
from leuko.service.http.pages import page
from leuko.service.http.problems import answer, wants_page

_LONGEST: Final = 1500  # characters of an address that is kept for after the login
_REMEMBERED: Final = 900  # seconds


def install(app: FastAPI) -> None:
    """Lead browsers to the login."""
    app.add_exception_handler(LoginNeeded, _led)


async def _led(request: Request, error: Exception) -> Response:
    assert isinstance(error, LoginNeeded)  # noqa: S101 (what the handler is for)
    if request.headers.get("hx-request"):  # a part of a page: the whole page must go to the login
        error.headers = {**(error.headers or {}), "HX-Redirect": "/login"}
        return answer(request, error)
    if request.method != "GET" or not wants_page(request):
        return answer(request, error)
    if request.headers.get("sec-fetch-site") == "cross-site":
        # Someone followed a link of the EHR: browsers keep strict cookies back then. Asked again from a page of our
        # own, the browser sends them, and who is logged in goes on.
        return HTMLResponse(page("again"))
    response = RedirectResponse("/login", status_code=303)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if len(wanted) <= _LONGEST:
        cookies.put(response, context(request).settings, "next", wanted, seconds=_REMEMBERED)
    return response


def wanted_of(request: Request) -> str:
    """Where the person wanted to go: a path of this service, and nothing else."""
    path = cookies.read(request, context(request).settings, "next")
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if own else "/"
