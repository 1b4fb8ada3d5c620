"""What columns are called: the roles of a table's columns, by header text, in several languages.

The words stand in `leuko/data/headers/headers.toml`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import rtoml

from leuko.errors import KnowledgeError
from leuko.frozen import Frozen

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt")
# Results that a row can hold besides its main value carry roles of their own (SDTM's standardised columns).
ROLES = frozenset(
    [
        "patient",
        "patient_name",
        "born",
        "sex",
        "age",
        "date",
        "time",
        "issued",
        "analyte",
        "code",
        "value",
        "unit",
        "low",
        "high",
        "range",
        "flag",
        "specimen",
        "status",
        "absent",
        "absent_reason",
        "method",
        "sample",
        "comparator",
        "derived",
        "value_standard",
        "unit_standard",
        "low_standard",
        "high_standard",
        "drug",
        "start",
        "stop",
        "dose",
        "dose_unit",
        "route",
        "regimen",
        "cycle",
        "ignore",
    ]
)


class Meaning(Frozen, frozen=True, kw_only=True):
    """What one header word means: its role, how specific it is (1 is best), and the languages that use it."""

    role: str
    rank: int
    order: int
    languages: frozenset[str]


class Words(Frozen, frozen=True, kw_only=True):
    """All header knowledge, keyed by `key_of`."""

    headers: Mapping[str, Meaning]
    sex: Mapping[str, str]
    status: Mapping[str, str]
    absent: frozenset[str]
    months: Mapping[str, int]
    beside: Mapping[str, str]
    marks: tuple[str, ...]
    unset: frozenset[str]
    scales: tuple[str, ...]
    second: Mapping[str, str]

    def meaning(self, header: str) -> Meaning | None:
        """The meaning of a header, if it is known."""
        return self.headers.get(key_of(header))

    def marked(self, header: str) -> bool:
        """Whether a header is that of an analyser's mark on the sample."""
        return header.startswith((*self.marks, *self.scales))

    def day_first(self, headers: Iterable[str]) -> bool:
        """Whether the headers are in a language that writes the day before the month.

        True only where some header is no English word, and none is only English.
        """
        found = [meaning.languages for header in headers if (meaning := self.meaning(header)) and meaning.languages]
        return any("en" not in languages for languages in found) and all(languages != {"en"} for languages in found)


@lru_cache(maxsize=65536)
def key_of(text: str) -> str:
    """A text without case, accents, spaces and punctuation; `#` and `%` stay, for they tell counts from percent."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss"))
    return "".join(c for c in plain if c.isalnum() or c in "#%")


@lru_cache(maxsize=1)
def load_words() -> Words:
    """Read the shipped words. Raises KnowledgeError where the file breaks its own rules."""
    table = rtoml.loads((Path(__file__).parents[2] / "data" / "headers" / "headers.toml").read_text(encoding="utf-8"))
    words = table["words"]
    return Words(
        headers=MappingProxyType(_headers(table["role"])),
        sex=_inverted(words["sex"]),
        status=_inverted(words["status"]),
        absent=frozenset(text.casefold() for text in words["absent"]["absent"]),
        months=MappingProxyType(_months(table["months"])),
        beside=MappingProxyType({key_of(text): role for role, texts in table["beside"].items() for text in texts}),
        marks=tuple(text for row in table["mark"] for text in row["starts"]),
        unset=frozenset(text.casefold() for row in table["mark"] for text in row["unset"]),
        scales=tuple(text for row in table["scale"] for text in row["starts"]),
        second=MappingProxyType({name.casefold(): main.casefold() for name, main in table["second"].items()}),
    )


def _headers(rows: list[dict[str, Any]]) -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}
    for row in rows:
        if row["name"] not in ROLES:
            raise KnowledgeError(f"{row['name']!r} is no role of a column", where="headers/headers.toml")
        texts = [(text, "") for text in row.get("any", [])]
        texts += [(text, language) for language in LANGUAGES for text in row.get(language, [])]
        for order, (text, language) in enumerate(texts):
            _add(
                found,
                key_of(text),
                Meaning(role=row["name"], rank=row.get("rank", 2), order=order, languages=_one(language)),
            )
    return found


def _one(language: str) -> frozenset[str]:
    return frozenset({language} if language else ())


def _add(found: dict[str, Meaning], key: str, new: Meaning) -> None:
    """A word with two roles keeps the first one of the file; the same role in another language joins its languages."""
    old = found.get(key)
    if old is None:
        found[key] = new
    else:
        both = old.languages | new.languages
        found[key] = Meaning(role=old.role, rank=old.rank, order=old.order, languages=both)


def _inverted(table: Mapping[str, list[str]]) -> Mapping[str, str]:
    return MappingProxyType({key_of(text): name for name, texts in table.items() for text in texts})


def _months(table: Mapping[str, Any]) -> dict[str, int]:
    names = {key_of(text): number for language in LANGUAGES for number, text in enumerate(table[language], start=1)}
    short = {key_of(text): number for number, texts in enumerate(table["short"], start=1) for text in texts}
    return {**short, **names}


_TAIL = re.compile(r"^(?P<name>[^(\[]*\S)\s*(?P<tail>\(.*\)|\[.*\])$")


def split_header(header: str) -> tuple[str, str]:
    """A header's name and what stands in brackets after it: "WBC(10/uL)" is ("WBC", "10/uL"); "" where nothing does.

    Brackets may hold brackets ("NEUT%(10^(-1)%)").
    """
    match = _TAIL.match(header.strip())
    if match is None:
        return header.strip(), ""
    return match["name"].strip(), match["tail"][1:-1].strip()
