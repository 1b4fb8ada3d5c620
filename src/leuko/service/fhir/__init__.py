"""FHIR: `router` answers `POST /fhir/$leuko-assess` and says what it can; `client` fetches from a hospital's server.

Neither loads the other: the client needs no web server, and the service no keys of a client.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter

    from leuko.service.http.settings import HttpSettings


def router(settings: HttpSettings | None = None, zone: tzinfo = UTC) -> APIRouter:
    """The routes under /fhir. Raises UsageError where the table `fhir` of the settings cannot be understood.

    `zone` is that of the service; it holds where the table names none.
    """
    from leuko.service.fhir.routes import router as made  # noqa: PLC0415 (loads the web server's library)

    return made(settings, zone)


__all__ = ["router"]
