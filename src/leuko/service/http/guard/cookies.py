"""The cookies of the guard. Each is kept to this host, to HTTP, and under HTTPS to HTTPS."""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import quote, unquote

from fastapi import Request, Response

from leuko.service.http.settings import HttpSettings

Purpose = Literal["session", "form", "next", "oidc"]
_NAMES: Final[dict[Purpose, str]] = {
    "session": "leuko",  # the login
    "form": "leuko-form",  # binds a login form to the browser that it was shown to
    "next": "leuko-next",  # where the person wanted to go: not in the address, which others may log
    "oidc": "leuko-oidc",  # binds a login with a provider to the browser that began it
}


def name_of(settings: HttpSettings, purpose: Purpose) -> str:
    """The name; under HTTPS with the prefix by which browsers bind it to this host."""
    return f"__Host-{_NAMES[purpose]}" if settings.secure else _NAMES[purpose]


def read(request: Request, settings: HttpSettings, purpose: Purpose) -> str:
    """The value that the browser sent, or nothing."""
    return unquote(request.cookies.get(name_of(settings, purpose), ""))


def put(
    response: Response, settings: HttpSettings, purpose: Purpose, value: str, *, seconds: int | None = None
) -> None:
    """Give the browser a cookie; without seconds it goes when the browser is closed."""
    response.set_cookie(
        name_of(settings, purpose),
        quote(value, safe=""),
        max_age=seconds,
        path="/",
        secure=settings.secure,
        httponly=True,
        # the provider sends the browser back from its own site, and a strict cookie would not come along
        samesite="lax" if purpose == "oidc" else "strict",
    )


def drop(response: Response, settings: HttpSettings, purpose: Purpose) -> None:
    """Take a cookie back."""
    response.delete_cookie(
        name_of(settings, purpose), path="/", secure=settings.secure, httponly=True, samesite="strict"
    )
