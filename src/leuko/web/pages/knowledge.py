"""The knowledge browser: every threshold, cause and score, with its source, edition, place in it and confidence."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from leuko.errors import UsageError
from leuko.knowledge import load_library
from leuko.knowledge.audit import coverage
from leuko.knowledge.browsing import Shelf
from leuko.knowledge.library import every_basis
from leuko.knowledge.showing import show
from leuko.web.access import Viewer
from leuko.web.paging import paged
from leuko.web.render import page

PATH: Final = "/knowledge"
ROW: Final = f"{PATH}/row"
SHOWN: Final = 30  # cards on a page
SEE: Final = 60  # links to what belongs to a card


@lru_cache(maxsize=1)
def _shelf() -> Shelf:
    return Shelf(load_library())


def router() -> APIRouter:
    """The book, a search in it, and single rows by their key."""
    found = APIRouter()

    @found.get(PATH)
    def book(
        *, request: Request, who: Viewer, q: str = "", chapter: str = "", confidence: str = "", at: int = 1
    ) -> Response:
        shelf = _shelf()
        asked = {"q": q.strip(), "chapter": chapter, "confidence": confidence}
        words: dict[str, Any] = {"shelf": shelf, "asked": asked, "row_path": address, "found": None}
        words["confidences"] = sorted({basis.confidence for _, basis in every_basis(shelf.library)})
        if any(asked.values()):
            hits = shelf.find(asked["q"], chapter=chapter, confidence=confidence)
            words |= {"found": hits, "paged": paged(hits.cards, at, SHOWN, PATH, asked)}
        else:
            words["coverage"] = coverage(shelf.library)
        return page(request, "knowledge.html", words, who=who)

    @found.get(ROW)
    def row(request: Request, who: Viewer, key: str = "") -> Response:
        shelf = _shelf()
        try:
            cards, trouble = show(shelf.library, key), None
        except UsageError as error:
            cards, trouble = (), error
        words = {"cards": cards, "key": key, "trouble": trouble, "row_path": address, "see": SEE}
        return page(request, "knowledge-row.html", words, who=who, status=404 if trouble else 200)

    return found


def address(key: str) -> str:
    """Where the row of a key is shown."""
    return f"{ROW}?{urlencode({'key': key})}"
