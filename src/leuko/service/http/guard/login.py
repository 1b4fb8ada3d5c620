"""The pages by which people come in and go."""

from __future__ import annotations

from fastapi import APIRouter, Response

from leuko.service.http.pages import stylesheet


def router() -> APIRouter:
    """/guard.css."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/guard.css")
    async def style() -> Response:
        """How the pages of the guard look."""
        return Response(stylesheet(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    return routes
