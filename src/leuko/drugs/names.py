"""The names of medicines, brought to a form in which equal means the same medicine; nothing is matched by likeness."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.same import Same
from leuko.knowledge.schema.drugs import DrugRow, DrugWords

_TOKEN: Final = re.compile(r"[^\s,;()\[\]{}®™\"“”]+")
_NUMBER: Final = re.compile(r"[\d.,]+(?:[x×][\d.,]+)?%?")
_BRACKET: Final = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_SPLIT: Final = re.compile(r"\s+/\s+|\s*[+&;]\s*|\s+and\s+|\s+plus\s+|,\s+")
_SUFFIX: Final = re.compile(r"-[b-df-hj-np-tv-z][a-z]{3}$")
_PARTS: Final = re.compile(r"[/-]")


class Words(Frozen, frozen=True, kw_only=True):
    """The words around the name of a medicine, by what they do."""

    dropped: frozenset[str]
    units: frozenset[str]
    qualifiers: frozenset[str]
    local_atc: tuple[str, ...]
    growth: frozenset[str]
    growth_atc: tuple[str, ...]


class Index(Frozen, frozen=True, kw_only=True):
    """Where the rows are found by name, combination, RxNorm and ATC; a key may lead to several rows."""

    words: Words
    rows: Mapping[str, DrugRow]
    names: Mapping[str, frozenset[str]]
    combinations: Mapping[frozenset[str], str]
    rxnorm: Mapping[str, frozenset[str]]
    atc: Mapping[str, frozenset[str]]


def index_of(library: Library) -> Index:
    """The index of the medicines of a library."""
    return _index(Same(library.rows(DrugRow)), Same(library.rows(DrugWords)))


@lru_cache(maxsize=4)
def _index(drug_rows: Same[tuple[DrugRow, ...]], word_rows: Same[tuple[DrugWords, ...]]) -> Index:
    rows, words = drug_rows.value, _words(word_rows.value)
    names = ((key_of(name, words), row.id) for row in rows for name in _names(row))
    return Index(
        words=words,
        rows={row.id: row for row in rows},
        names=_gathered((name, row) for name, row in names if name),
        combinations={
            frozenset(key_of(name, words) for name in row.combination): row.id for row in rows if row.combination
        },
        rxnorm=_gathered((code, row.id) for row in rows for code in row.rxnorm),
        atc=_gathered((code, row.id) for row in rows for code in row.atc),
    )


def _names(row: DrugRow) -> tuple[str, ...]:
    own = () if row.group == "class" else (row.inn, row.us_name)
    return (*own, *row.names, *row.brands)


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for key, row in pairs:
        found.setdefault(key, set()).add(row)
    return {key: frozenset(ids) for key, ids in found.items()}


def _words(rows: Iterable[DrugWords]) -> Words:
    by: dict[str, set[str]] = {}
    atc: dict[str, tuple[str, ...]] = {}
    for row in rows:
        by.setdefault(row.kind, set()).update(map(_folded, row.words))
        atc[row.kind] = (*atc.get(row.kind, ()), *row.atc)
    dropped = by.get("salt", set()) | by.get("form", set()) | by.get("filler", set())
    return Words(
        dropped=frozenset(dropped),
        units=frozenset(by.get("unit", ())),
        qualifiers=frozenset(by.get("qualifier", ())),
        local_atc=atc.get("qualifier", ()),
        growth=frozenset(by.get("growth_factor", ())),
        growth_atc=atc.get("growth_factor", ()),
    )


def _folded(text: str) -> str:
    """Lower case without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def tokens_of(text: str) -> list[str]:
    """The words of a name, folded."""
    return [found.strip(".:'’*") for found in _TOKEN.findall(_folded(text))]


def key_of(text: str, words: Words) -> str:
    """What is left of a name without strength, form and salt; "" where nothing is."""
    kept: list[str] = []
    after_number = False
    for token in tokens_of(text):
        is_number = bool(_NUMBER.fullmatch(token)) or _strength(token, words)
        if token and not is_number and token not in words.dropped and not (after_number and _unit(token, words)):
            kept.append(token)
        after_number = is_number or (after_number and (_unit(token, words) or token == "/"))  # noqa: S105
    return " ".join(kept)


def _unit(token: str, words: Words) -> bool:
    return token in words.units


def _strength(token: str, words: Words) -> bool:
    """A number with its unit in one word: 25mg, 2mg/ml, AUC5."""
    match = re.fullmatch(r"[\d.,]+(.+)|(\D{3,})[\d.,]+", token)
    return match is not None and (match[1] or match[2]) in words.units


def qualified(text: str, words: Words) -> str | None:
    """The word that makes a name another product (liposomal, eye drops), if there is one."""
    return next((token for token in tokens_of(text) if token in words.qualifiers), None)


def readings_of(text: str) -> list[str]:
    """The name without what stands in brackets, and each bracket by itself: generic and brand, in either order."""
    return [part for part in (_BRACKET.sub(" ", text).strip(), *_BRACKET.findall(text)) if part.strip()]


def parts_of(text: str) -> list[str]:
    """The ingredients that a name lists."""
    return [part for part in _SPLIT.split(text) if part.strip()]


def known_as(text: str, index: Index) -> frozenset[str]:
    """The rows that carry exactly this name, strength, form, salt and the suffix of a biosimilar apart."""
    key = key_of(text, index.words)
    return index.names.get(key) or index.names.get(_SUFFIX.sub("", key), frozenset())


def inner_parts(text: str, index: Index) -> list[str]:
    """The ingredients of a name written with a dash (sulfamethoxazole-trimethoprim), where each of them is known."""
    parts = _PARTS.split(key_of(text, index.words))
    wanted = {name for names in index.combinations for name in names}
    return parts if len(parts) > 1 and all(known_as(part, index) or part in wanted for part in parts) else []
