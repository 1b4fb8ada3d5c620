"""FHIR: `router` answers `POST /fhir/$leuko-assess` and says what it can; `client` fetches from a hospital's server.

Neither loads the other: the client needs no web server, and the service no keys of a client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter


def router() -> APIRouter:
    """The routes under /fhir."""
    from leuko.service.fhir.routes import router as made  # noqa: PLC0415 (loads the web server's library)

    return made()


__all__ = ["router"]
