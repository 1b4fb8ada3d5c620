"""The causes of each person's low counts as rows: what speaks for and against each, what is missing, the sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from leuko.cohort.each.words import listed, sources_of
from leuko.result import Assessment
from leuko.result.causes import Cause, Clue

NOTHING: Final = "no white count is low, and none on record was: there is nothing to explain"
# The type of each column (as in `leuko.cohort.frames`), and what it holds.
COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "person": ("String|Int64", "the person; everybody has a row"),
    "as_of": ("Date", "the day as of which: that asked for (`--as-of`), else the day of their last count"),
    "said": ("Boolean", "false: nothing can be said, and `text` says why"),
    "cause": ("String", "id of the cause (`leuko knowledge show cause`)"),
    "name": ("String", "its name"),
    "group": ("String", "the group that it belongs to"),
    "standing": ("String", "`supported`, `open`, `against`, `ruled_out`, `unreviewed`"),
    "strength": ("String", "the evidence in a word: `strong`, `moderate`, `weak`, `none`; no probability"),
    "rank": ("Int64", "its place among those of the same standing"),
    "speaks_for": ("String", "what speaks for it"),
    "speaks_against": ("String", "what speaks against it"),
    "missing": ("String", "what is not known, the most worth first"),
    "settle": ("String", "what would settle it"),
    "unexplained": ("String", "low lines that it does not explain"),
    "drugs": ("String", "medicines that it names"),
    "text": ("String", "the reason in words, or why nothing can be said"),
    "sources": ("String", "the sources that it rests on, with the place in each"),
}


def rows_of(said: Assessment) -> Iterator[dict[str, Any]]:
    """A row a cause, in the order in which they are told."""
    for cause in said.causes:
        yield {
            "said": True,
            "cause": cause.id,
            "name": cause.name,
            "group": cause.group,
            "standing": cause.standing,
            "strength": cause.strength,
            "rank": cause.rank,
            "speaks_for": _words(cause.clues_for),
            "speaks_against": _words(cause.clues_against),
            "missing": _words(cause.missing),
            "settle": listed(clue.settle for clue in cause.missing),
            "unexplained": listed(cause.unexplained),
            "drugs": listed(cause.drugs),
            "text": cause.reason.text,
            "sources": sources_of(_cited(cause)),
        }


def _words(clues: Iterable[Clue]) -> str | None:
    return listed(clue.text for clue in clues)


def _cited(cause: Cause) -> Iterator[Any]:
    yield from cause.reason.citations
    for clue in (*cause.clues_for, *cause.clues_against):
        yield from clue.citations
