"""Every card of the knowledge, to be leafed through by chapter and searched by words."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Final

from leuko.frozen import Frozen
from leuko.knowledge.chapters import Chapter, chapters
from leuko.knowledge.library import Library
from leuko.knowledge.showing import Card, chapter_cards, source_cards

SOURCES: Final = "sources"  # the chapter of the sources themselves


class Found(Frozen, frozen=True, kw_only=True):
    """The cards that fit a question, the best first, and how many of them each chapter has."""

    cards: tuple[Card, ...]
    by_chapter: Mapping[str, int]


class Shelf:
    """The cards of one library, made once when they are first asked for."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.chapters: tuple[Chapter, ...] = chapters(library)

    @cached_property
    def cards(self) -> Mapping[str, tuple[Card, ...]]:
        """The cards of every chapter by its id, those of the sources last."""
        found = {chapter.id: tuple(chapter_cards(self.library, chapter)) for chapter in self.chapters}
        return {**found, SOURCES: tuple(source_cards(self.library))}

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """The title of every chapter by its id."""
        return {**{chapter.id: chapter.title for chapter in self.chapters}, SOURCES: "Sources"}

    def find(self, words: str = "", *, chapter: str = "", confidence: str = "") -> Found:
        """The cards that hold every word of a question, in their key, title, facts, source or place in it.

        `chapter` keeps to one chapter, `confidence` to rows confirmed so well; empty strings keep to nothing.
        """
        wanted = _plain(words).split()
        ranked = [
            (rank, id_, card)
            for id_, cards in self._texts.items()
            for card, head, text in cards
            if confidence in {"", _confidence(card)} and (rank := _rank(wanted, head, text)) is not None
        ]
        kept = [(rank, card) for rank, id_, card in ranked if chapter in {"", id_}]
        kept.sort(key=lambda each: each[0])  # stable: equals stay in the order of the book
        return Found(
            cards=tuple(card for _, card in kept),
            by_chapter=Counter(id_ for _, id_, _ in ranked),
        )

    @cached_property
    def _texts(self) -> Mapping[str, tuple[tuple[Card, str, str], ...]]:
        return {id_: tuple((card, *_text(card)) for card in cards) for id_, cards in self.cards.items()}


def _confidence(card: Card) -> str:
    return "" if card.citation is None else card.citation.confidence


def _text(card: Card) -> tuple[str, str]:
    """What the key and title say, and everything."""
    head = _plain(f"{card.key} {card.title}")
    cited = card.citation
    of_source = () if cited is None else (cited.source, cited.title, cited.locator, cited.says, cited.confidence)
    facts = (f"{label} {text}" for label, text in card.facts)
    return head, " ".join([head, *map(_plain, facts), *map(_plain, of_source), _plain(card.note)])


def _rank(wanted: list[str], head: str, text: str) -> int | None:
    """0 where all are whole words of key or title, 1 where all stand in them, 2 anywhere; None where one is missing."""
    if not all(word in text for word in wanted):
        return None
    if wanted and all(word in head for word in wanted):
        whole = set(head.replace(":", " ").replace("(", " ").replace(")", " ").split())
        return 0 if set(wanted) <= whole else 1
    return 2


def _plain(text: str) -> str:
    """Without case and accents, and with one sign for micro."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))
