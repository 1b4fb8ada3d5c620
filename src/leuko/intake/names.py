"""What the name of a result says: which analytes it can mean, and what it tells of specimen and method.

A name is recognised only where each of its words is known (`data/names/words.toml`, the analytes' names): "Hemoglobin
A1c" is no haemoglobin and "Leukocyte esterase" no leukocyte count, because one word of each is left over.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

import rtoml
from msgspec import field

from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.schema import Analyte
from leuko.record import Method

SpecimenKind = Literal["blood", "doubtful", "other", "unknown"]
_TOKEN = re.compile(r"[^\W_]+|[#%]")
_LONGEST_NAME = 160  # characters; a longer text is no name
REMEMBERED = 20_000  # names kept in memory per library
_PARTS = frozenset({"percent", "ratio"})
_METHODS: tuple[Method, ...] = ("automated", "manual", "estimated")


class NameReading(Frozen, frozen=True, kw_only=True):
    """What one name says; `ids` is empty where it is not recognised, `mentions` then holds what it speaks of.

    `strange` is the first word of it that is not known.
    """

    ids: frozenset[str] = frozenset()
    mentions: frozenset[str] = frozenset()
    strange: str = ""
    specimen: SpecimenKind = "unknown"
    specimen_word: str = ""
    method: Method | None = None


class Index(Frozen, frozen=True):
    """The analytes of one library by name; reads are remembered, and so is what identity made of them (`claims`)."""

    analytes: Mapping[str, Analyte]
    by_name: Mapping[str, frozenset[str]]
    longest: int
    twins: Mapping[str, str]
    claims: dict[object, object] = field(default_factory=dict)
    _seen: dict[str, NameReading] = field(default_factory=dict)

    def read(self, name: str) -> NameReading:
        """What a name says."""
        reading = self._seen.get(name)
        if reading is None:
            reading = self._read(name)
            if len(self._seen) < REMEMBERED:
                self._seen[name] = reading
        return reading

    def family(self, analyte: str) -> str:
        """The absolute analyte that an analyte belongs to: itself, or what its percentage is a percentage of."""
        return self.analytes[analyte].absolute or analyte

    def _read(self, name: str) -> NameReading:
        tokens = tokens_of(name[:_LONGEST_NAME])
        whole = self.by_name.get("".join(tokens))
        if whole is not None:
            return NameReading(ids=whole, mentions=whole)
        found, rest = self._match(tokens)
        specimen = specimen_of(rest)
        return NameReading(
            ids=self._decide(found, rest),
            mentions=frozenset().union(*found),
            strange=next((word for word in rest if word not in _words().known), ""),
            specimen=specimen[0],
            specimen_word=specimen[1],
            method=_method_of(rest),
        )

    def _match(self, tokens: tuple[str, ...]) -> tuple[list[frozenset[str]], list[str]]:
        """Known names in a row of words, longest first, and the words that are left."""
        found: list[frozenset[str]] = []
        rest: list[str] = []
        at = 0
        while at < len(tokens):
            for length in range(min(self.longest, len(tokens) - at), 0, -1):
                ids = self.by_name.get("".join(tokens[at : at + length]))
                if ids is not None:
                    found.append(ids)
                    at += length
                    break
            else:
                rest.append(tokens[at])
                at += 1
        return found, rest

    def _decide(self, found: list[frozenset[str]], rest: list[str]) -> frozenset[str]:
        words = _words()
        if not found or not all(word in words.known for word in rest):
            return frozenset()
        percent = any(word in words.percent for word in rest) or any(self._all_parts(ids) for ids in found)
        # "Neutrophils % of WBC": the white cells are what the percentage is of.
        cells = [ids for ids in found if "wbc" not in ids] if percent and len(found) > 1 else found
        common = frozenset.intersection(*cells) if cells else frozenset()
        if percent:
            return frozenset(i for i in common if self.analytes[i].quantity in _PARTS)
        if any(word in words.absolute for word in rest):
            return frozenset(i for i in common if self.analytes[i].quantity == "count")
        return common

    def _all_parts(self, ids: frozenset[str]) -> bool:
        """Whether ids are all percentages or ratios."""
        return all(self.analytes[i].quantity in _PARTS for i in ids)


def tokens_of(text: str) -> tuple[str, ...]:
    """The words of a text without case, accents and punctuation; "#" and "%" are words of their own."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if unicodedata.category(c) not in {"Mn", "Cf"})
    return tuple(_TOKEN.findall(plain))


def specimen_of(words: Iterator[str] | list[str] | tuple[str, ...]) -> tuple[SpecimenKind, str]:
    """What words say of the specimen: a fluid other than blood outweighs the word blood beside it."""
    table = _words()
    found: dict[SpecimenKind, str] = {}
    for word in words:
        kind = table.specimen.get(word)
        if kind is not None:
            found.setdefault(kind, word)
    for kind in ("other", "blood", "doubtful"):
        if kind in found:
            return kind, found[kind]
    return "unknown", ""


def method_in(text: str) -> Method | None:
    """The method that a text names."""
    return _method_of(list(tokens_of(text))) if text else None


_INDICES: list[tuple[object, object, Index]] = []


def index_of(library: Library) -> Index:
    """The name index of a library's analytes and codes, built once."""
    for analytes, codes, index in _INDICES:
        if analytes is library.analytes and codes is library.codes:
            return index
    del _INDICES[:-7]  # a process uses one or two libraries; tests build some more
    _INDICES.append((library.analytes, library.codes, _build(library)))
    return _INDICES[-1][2]


def _build(library: Library) -> Index:
    by_name: dict[str, set[str]] = {}
    longest = 1
    for analyte in library.analytes.values():
        for name in (*analyte.names, analyte.label, analyte.short):
            tokens = tokens_of(name)
            longest = max(longest, len(tokens))
            by_name.setdefault("".join(tokens), set()).add(analyte.id)
    twins = {a.id: a.absolute for a in library.analytes.values() if a.absolute}
    return Index(
        analytes=library.analytes,
        by_name={name: frozenset(ids) for name, ids in by_name.items()},
        longest=longest,
        twins={**twins, **{absolute: percent for percent, absolute in twins.items()}},
    )


class _Words(Frozen, frozen=True, kw_only=True):
    known: frozenset[str]
    absolute: frozenset[str]
    percent: frozenset[str]
    methods: Mapping[str, Method]
    specimen: Mapping[str, SpecimenKind]


@lru_cache(maxsize=1)
def _words() -> _Words:
    raw = rtoml.loads((Path(__file__).parents[1] / "data" / "names" / "words.toml").read_text(encoding="utf-8"))
    methods: dict[str, Method] = {word: method for method in _METHODS for word in raw[method]}
    kinds: tuple[SpecimenKind, ...] = ("blood", "doubtful", "other")
    specimen: dict[str, SpecimenKind] = {word: kind for kind in kinds for word in raw["specimen"][kind]}
    known = {*raw["filler"], *raw["absolute"], *raw["percent"], *methods, *specimen}
    return _Words(
        known=frozenset(known),
        absolute=frozenset(raw["absolute"]),
        percent=frozenset(raw["percent"]),
        methods=methods,
        specimen=specimen,
    )


def _method_of(words: list[str]) -> Method | None:
    table = _words().methods
    return next((table[word] for word in words if word in table), None)
