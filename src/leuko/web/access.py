"""Who may open a page: the dependencies that the routes of the pages name."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Depends

from leuko.service.http.context import Context, context
from leuko.service.http.guard.who import Who, needs
from leuko.service.roles import Role

Viewer: TypeAlias = Annotated[Who, Depends(needs(Role.VIEWER))]
Clinician: TypeAlias = Annotated[Who, Depends(needs(Role.CLINICIAN))]
Admin: TypeAlias = Annotated[Who, Depends(needs(Role.ADMIN))]
Given: TypeAlias = Annotated[Context, Depends(context)]
