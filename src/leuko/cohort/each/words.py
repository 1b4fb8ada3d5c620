"""Lists as the text of one cell."""

from __future__ import annotations

from collections.abc import Iterable

from leuko.result import Citation


def listed(parts: Iterable[str]) -> str | None:
    """Texts, each once, parted by semicolons; null where there are none."""
    return "; ".join(dict.fromkeys(part for part in parts if part)) or None


def sources_of(citations: Iterable[Citation]) -> str | None:
    """Sources by their ids, with the place in each and how well it was confirmed where that is not fully."""
    return listed(_source(one) for one in citations)


def _source(one: Citation) -> str:
    place = f" {one.locator}" if one.locator else ""
    return f"{one.source}{place}" + ("" if one.confidence == "confirmed" else f" [{one.confidence}]")
