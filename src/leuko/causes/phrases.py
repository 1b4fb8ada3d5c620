"""Finding a phrase in the words of a record, and what the words around it make of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, Literal

from leuko.knowledge.schema.causes import CauseRules

Sense = Literal["said", "past", "doubted", "denied", "family"]
_STRENGTH: Final[tuple[Sense, ...]] = ("said", "past", "doubted", "family", "denied")
_WORD: Final = re.compile(r"[^\W_]+|\?")


@lru_cache(maxsize=50_000)
def words_of(text: str) -> tuple[str, ...]:
    """The words of a text without case and accents; a question mark is a word, as it casts doubt."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return tuple(_WORD.findall("".join(mark for mark in plain if not unicodedata.combining(mark))))


def holds_any(text: str, phrases: Iterable[str]) -> bool:
    """Whether a text holds one of the phrases, whatever stands around it."""
    words = words_of(text)
    return any(next(_places(words, words_of_phrase(phrase)), None) is not None for phrase in phrases)


def sense_of(text: str, phrases: Iterable[str], rules: CauseRules) -> Sense | None:
    """In which sense a text holds one of the phrases; the firmest where there are several, None where it holds none."""
    words = words_of(text)
    found = {
        _sense(words, place, len(pattern), rules)
        for pattern in map(words_of_phrase, phrases)
        for place in _places(words, pattern)
    }
    return next((sense for sense in _STRENGTH if sense in found), None)


@lru_cache(maxsize=10_000)
def words_of_phrase(phrase: str) -> tuple[str, ...]:
    """The words of a phrase of the knowledge files; a star at the end of one stands for any ending."""
    return tuple(f"{stem}*" if star else stem for stem, star in _stems(phrase))


def _stems(phrase: str) -> Iterator[tuple[str, bool]]:
    for part in phrase.split():
        words = words_of(part)
        for word in words[:-1]:
            yield word, False
        if words:
            yield words[-1], part.endswith("*")


def _places(words: Sequence[str], pattern: Sequence[str]) -> Iterator[int]:
    size = len(pattern)
    for place in range(len(words) - size + 1 if size else 0):
        if all(_fits(word, wanted) for word, wanted in zip(words[place : place + size], pattern, strict=True)):
            yield place


def _fits(word: str, wanted: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted


def _sense(words: Sequence[str], place: int, size: int, rules: CauseRules) -> Sense:
    before = words[max(0, place - rules.guard_words) : place]
    after = words[place + size : place + size + rules.guard_words]
    if _any_in(words, rules.family):
        return "family"
    if _any_in(before, rules.denied) or _any_in(after, rules.denied_after):
        return "denied"
    if _any_in(before, rules.doubted) or "?" in (*before, *after):
        return "doubted"
    return "past" if _any_in(before, rules.past) else "said"


def _any_in(words: Sequence[str], phrases: Iterable[str]) -> bool:
    return any(next(_places(words, words_of_phrase(phrase)), None) is not None for phrase in phrases)
