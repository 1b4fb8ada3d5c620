"""Which mark is the decimal mark of a file. A thousands separator is never guessed.

"3,2" can only be a decimal comma, "1,234" can be either. A file's clear values decide for its unclear ones; where
nothing decides, an unclear value is not used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from leuko.frozen import Frozen

Mark = Literal["plain", "comma", "dot", "comma?", "dot?", "grouped", "none"]

_PREFIX = re.compile(r"^\s*(?:[<>≤≥]=?|=)?\s*[-+]?\s*")
_MARKS = re.compile(r"\s*[(\[]?(?:HH|LL|[HLNA]|\*+|[↑↓!]+)[)\]]?\s*$")  # flags behind a number
_PLAIN = re.compile(r"\d+")
_CLEAR = re.compile(r"\d+([.,])\d+")
_UNCLEAR = re.compile(r"[1-9]\d{0,2}([.,])\d{3}")
_GROUPED = re.compile(r"\d{1,3}(?:([.,'’\s\u00a0\u202f])\d{3})+(?:[.,]\d+)?")


@lru_cache(maxsize=65536)
def mark_of(text: str) -> Mark:
    """What the decimal mark of a number is; with "?" where it could as well separate thousands."""
    number = _MARKS.sub("", _PREFIX.sub("", text)).strip().removesuffix("%").strip()
    if _PLAIN.fullmatch(number):
        return "plain"
    if match := _UNCLEAR.fullmatch(number):
        return "comma?" if match[1] == "," else "dot?"
    if match := _CLEAR.fullmatch(number):
        return "comma" if match[1] == "," else "dot"
    return "grouped" if _GROUPED.fullmatch(number) else "none"


def is_number(text: str) -> bool:
    """Whether a text is a number, with or without a comparator before it."""
    return mark_of(text) != "none"


class Decimals(Frozen, frozen=True, kw_only=True):
    """How numbers are read: `mark` for the whole file, None where each value must be clear by itself."""

    mark: Literal[",", "."] | None
    why: str = ""
    forced: bool = False
    typed: bool = False

    @property
    def comma(self) -> bool:
        """Whether commas are decimal marks in this file."""
        return self.mark == ","

    def reads_comma(self, text: str) -> bool | None:
        """Whether the commas of this value are decimal marks; None where the value could be two numbers."""
        kind = mark_of(text)
        if kind in {"comma", "dot"}:
            clear = kind == "comma"
            return clear if not self.forced or clear == self.comma else None
        if kind == "dot?":
            return self._point(text)
        return self.comma

    def _point(self, text: str) -> bool | None:
        # A workbook's own numbers end in no zero: "4.500" was typed as text, and a person may have meant 4500.
        if self.mark is None or (self.typed and text.endswith("0")):
            return None
        return self.comma


def decide(values: Iterable[str], *, forced: str | None, typed: bool, comma_language: bool) -> Decimals:
    """The decimal mark of a file from all of its values.

    `comma_language` is true where the separator or the headers come from a country that writes decimal commas: then
    nothing but values such as "4.500" leaves open whether they are thousands.
    """
    if forced is not None:
        return Decimals(mark="," if forced == "," else ".", why="the column map says so", forced=True)
    if typed:
        return Decimals(mark=".", typed=True)
    return _by_evidence(Counter(mark_of(value) for value in set(values)), comma_language=comma_language)


def _by_evidence(seen: Counter[Mark], *, comma_language: bool) -> Decimals:
    if seen["dot"] and seen["comma"]:
        return Decimals(mark=None, why="it holds decimal commas and decimal points")
    if seen["comma"] or seen["dot"]:
        mark: Literal[",", "."] = "," if seen["comma"] else "."
        return Decimals(mark=mark, why=f"values such as 0{mark}48 stand in it")
    if seen["dot?"] and (comma_language or seen["comma?"]):
        return Decimals(mark=None, why="its points could separate thousands")
    return Decimals(
        mark=None if seen["comma?"] else ".", why="its commas could separate thousands" if seen["comma?"] else ""
    )
