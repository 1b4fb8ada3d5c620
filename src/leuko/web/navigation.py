"""What stands in the bar at the top of every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One place to go: its words, its path, and the least role that may see it (`viewer`, `clinician`, `admin`)."""

    title: str
    path: str
    role: str = "viewer"


LINKS: Final = (Link(title="Worklist", path="/"),)
RANKS: Final = ("viewer", "clinician", "admin")


def links_for(role: str) -> tuple[Link, ...]:
    """The places that a role may go to; the order is that of the bar."""
    held = RANKS.index(role) if role in RANKS else 0
    return tuple(link for link in LINKS if RANKS.index(link.role) <= held)


def here(link: Link, path: str) -> bool:
    """Whether a path lies at or below a place."""
    return path == link.path or (link.path != "/" and path.startswith(f"{link.path}/"))
