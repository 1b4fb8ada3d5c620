"""Who may open a page: the dependencies that the routes of the pages name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import tzinfo
from typing import Annotated, TypeAlias

from fastapi import Depends, Request

from leuko.service.http.context import Context, context
from leuko.service.http.guard.who import Who, needs
from leuko.service.keep import By
from leuko.service.roles import Role

Viewer: TypeAlias = Annotated[Who, Depends(needs(Role.VIEWER))]
Clinician: TypeAlias = Annotated[Who, Depends(needs(Role.CLINICIAN))]
Admin: TypeAlias = Annotated[Who, Depends(needs(Role.ADMIN))]
Given: TypeAlias = Annotated[Context, Depends(context)]


def in_zone(zone: tzinfo) -> Callable[[Request], Awaitable[None]]:
    """What every request to the pages is told: the zone of the service."""

    async def tell(request: Request) -> None:
        request.state.zone = zone

    return tell


async def _zone(request: Request) -> tzinfo:
    found: tzinfo = request.state.zone
    return found


Zone: TypeAlias = Annotated[tzinfo, Depends(_zone)]


def by_hand(request: Request, who: Who) -> By:
    """Who keeps something, as the audit tells of them."""
    client = request.client.host if request.client is not None else ""
    return By(
        actor=who.name, detail={"via": who.via, "client": client, "request": getattr(request.state, "number", "")}
    )
