"""A fault that nobody foresaw is an answer without content, and a line in the log without content.

The message of an exception may quote what was sent or stored, so neither the log nor the answer repeats it: they tell
the kind of fault and where in leuko it arose.
"""

from __future__ import annotations

import json
import logging
import secrets
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leuko.errors import place_of

_LOG: Final = logging.getLogger(__name__)
_BODY: Final = json.dumps(
    {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "leuko itself failed; nothing was concluded",
        "do": "give the number of the request (X-Request-Id) to whoever runs the service",
    }
).encode()


class Faults:
    """The layer that numbers each request, and catches what nothing else has caught."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number = secrets.token_hex(8)
        scope.setdefault("state", {})["number"] = number
        begun = False

        async def numbered(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", number.encode())]}
            await send(message)

        try:
            await self.app(scope, receive, numbered)
        except Exception as error:  # noqa: BLE001 (the last place where a fault can become an answer)
            _LOG.error("request %s failed: %s%s", number, type(error).__name__, place_of(error))
            if not begun:
                await numbered({"type": "http.response.start", "status": 500, "headers": _headers()})
                await numbered({"type": "http.response.body", "body": _BODY})
            else:
                raise ConnectionError("the answer broke off") from None


def _headers() -> list[tuple[bytes, bytes]]:
    return [(b"content-type", b"application/problem+json"), (b"content-length", str(len(_BODY)).encode())]
