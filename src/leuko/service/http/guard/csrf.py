"""Against requests that another site makes in a person's name: a token that only our own pages know.

The token is derived from the secret in the cookie, so that nothing more is kept, and tells nothing of that secret.
Forms send it as `csrf`, scripts as the header X-CSRF-Token.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from fastapi import Request
from starlette.formparsers import MultiPartException

from leuko.service.http.problems import Problem

FIELD: Final = "csrf"
HEADER: Final = "X-CSRF-Token"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


def token_of(secret: str) -> str:
    """The token that belongs to the secret of a cookie."""
    return hmac.new(secret.encode(), b"leuko csrf", hashlib.sha256).hexdigest()


async def verify(request: Request, token: str) -> None:
    """Refuse a request that changes something and does not carry the token. Raises Problem 403."""
    sent = request.headers.get(HEADER, "")
    if not sent and request.headers.get("content-type", "").startswith(_FORMS):
        try:
            found = (await request.form()).get(FIELD, "")
        except MultiPartException as error:
            raise Problem(400, "the form cannot be read") from error
        sent = found if isinstance(found, str) else ""
    if not token or not hmac.compare_digest(sent.encode(), token.encode()):
        raise Problem(403, "the request does not come from a page of this login", do="open the page again and repeat")
