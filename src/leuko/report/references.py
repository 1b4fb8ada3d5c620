"""Numbered sources: every citation in an assessment gets one number, the same in every view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from leuko.frozen import Frozen
from leuko.result import Assessment, Citation, Reason
from leuko.result.citing import citations_in


class Reference(Frozen, frozen=True, kw_only=True):
    """One work of the list at the end: its number, and the places in it that conclusions rest on."""

    number: int
    source: str
    title: str
    url: str
    places: tuple[Citation, ...]
    confidence: str


class References(Frozen, frozen=True, kw_only=True):
    """The list of sources, in order of first use."""

    listed: tuple[Reference, ...]
    _numbers: Mapping[str, int]

    @classmethod
    def of(cls, assessment: Assessment) -> References:
        """Number the sources of an assessment: first those of the answers, then the rest as they come."""
        return cls.over((assessment.answers, assessment.latest, assessment.lines, assessment.courses, assessment))

    @classmethod
    def over(cls, ordered: Iterable[Any]) -> References:
        """Number the sources of parts of an assessment, in their order."""
        found: dict[str, dict[Citation, None]] = {}
        for citation in (each for part in ordered for each in citations_in(part)):
            found.setdefault(citation.source, {})[citation] = None
        listed = tuple(_reference(n, tuple(places)) for n, places in enumerate(found.values(), 1))
        return cls(listed=listed, _numbers=MappingProxyType({each.source: each.number for each in listed}))

    def numbers(self, citations: Iterable[Citation]) -> tuple[int, ...]:
        """The numbers of these citations, ascending, once each."""
        return tuple(sorted({self._numbers[citation.source] for citation in citations}))

    def mark(self, reason: Reason) -> str:
        """What stands behind a sentence: " [1, 3]", or nothing where the reason is the record itself."""
        return self.marks(reason.citations)

    def marks(self, citations: Iterable[Citation]) -> str:
        """The same for citations by themselves."""
        found = self.numbers(citations)
        return f" [{', '.join(map(str, found))}]" if found else ""


def _reference(number: int, places: tuple[Citation, ...]) -> Reference:
    first = places[0]
    # Where a work was confirmed in one place and not in another, the weaker word is printed.
    confidence = next((each.confidence for each in places if each.confidence != "confirmed"), "confirmed")
    url = next((each.url for each in places if each.url), "")
    return Reference(
        number=number, source=first.source, title=first.title, url=url, places=places, confidence=confidence
    )
