"""What stands in the bar at the top of every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from leuko.service.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One place to go: its words, its path, and the least role that may go there."""

    title: str
    path: str
    role: Role = Role.VIEWER


LINKS: Final = (
    Link(title="Worklist", path="/"),
    Link(title="Read counts", path="/read"),
    Link(title="Cohorts", path="/cohorts"),
    Link(title="Knowledge", path="/knowledge"),
    Link(title="Site", path="/site", role=Role.ADMIN),
    Link(title="Audit", path="/audit", role=Role.ADMIN),
)


def links_for(role: Role) -> tuple[Link, ...]:
    """The places that a role may go to, in the order of the bar."""
    return tuple(link for link in LINKS if link.role <= role)


def here(link: Link, path: str) -> bool:
    """Whether a path lies at or below a place."""
    return path == link.path or (link.path != "/" and path.startswith(f"{link.path}/"))
