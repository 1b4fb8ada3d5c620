"""What browsers are told to refuse, on every answer; and which names of the service are believed."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leuko.service.http.problems import Problem, answer
from leuko.service.http.settings import HttpSettings

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
_ALWAYS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# Balancers ask by the bare address; these say nothing that another site could use.
_ANY_HOST: Final = frozenset({"/health", "/ready"})
_HSTS: Final = "max-age=31536000"


class SecurityHeaders:
    """Adds the headers; a route that may be kept by a cache says so itself, everything else is kept by none."""

    def __init__(self, app: ASGIApp, *, settings: HttpSettings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if self.settings.secure:
                    headers.setdefault("Strict-Transport-Security", _HSTS)
            await send(message)

        known = _host(Headers(scope=scope).get("host", "")) in self.settings.known_hosts
        if not known and scope["path"] not in _ANY_HOST:
            request = Request(scope)
            problem = Problem(421, "this service is not known by that name", do="set http.public_url or http.hosts")
            await answer(request, problem)(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)


def _host(header: str) -> str:
    """The name in a Host header, without port and brackets."""
    name = header.rpartition("]")[0].lstrip("[") if header.startswith("[") else header.partition(":")[0]
    return name.casefold()
