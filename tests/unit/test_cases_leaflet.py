"""Runs tests/cases/leaflet.toml: every sentence of the leaflet, for whom and for whom not, in both languages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fixtures.leaflets import LANGUAGES, Told, changed, parts_of, told_of
from fixtures.people import LIBRARY
from leuko import __version__
from leuko.errors import UsageError
from leuko.knowledge import Library
from leuko.knowledge.schema.advice import BlockRow, LanguageRow
from leuko.report.leaflet import Leaflet, leaflet

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "leaflet.toml").read_text("utf-8"))
PHRASE = 4
PEOPLE = {case["name"]: case for case in CASES["person"]}


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=f"{case['row']} {case['to'] if kind == 'language' else ''}") for case in CASES[kind]]


@cache
def told(name: str) -> Told:
    return told_of(PEOPLE[name])


@cache
def own_sheet(name: str, language: str) -> Leaflet:
    return sheet(name, language, LIBRARY)


def sheet(name: str, language: str, library: Library) -> Leaflet:
    assessment, advice = told(name)
    return leaflet(assessment, advice, language=language, library=library)


def made(name: str, language: str, library: Library) -> Leaflet:
    return own_sheet(name, language) if library is LIBRARY else sheet(name, language, library)


def words_in(value: Any) -> Iterator[str]:
    """Every piece of text of a leaflet."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from words_in(tuple(value.values()))
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from words_in(inner)


def pattern(row: str, language: str) -> re.Pattern[str]:
    """The sentence of a row with anybody's values in it."""
    text = next(one for one in LIBRARY.rows(LanguageRow) if one.id == language).texts[row]
    return re.compile("".join(".*" if n % 2 else re.escape(part) for n, part in enumerate(re.split(r"{(\w+)}", text))))


def times(case: dict, name: str, language: str, library: Library) -> int:
    """How often the person is told the sentence, in the place of the case."""
    wanted = pattern(case["row"], language)
    return sum(bool(wanted.fullmatch(said)) for said in parts_of(made(name, language, library))[case["in"]])


def check_block(case: dict, library: Library = LIBRARY, languages: Sequence[str] = LANGUAGES) -> None:
    """The first person is told it in the words of the case, the others once with their own values, the rest never."""
    for language in languages:
        first = parts_of(made(case["to"][0], language, library))[case["in"]]
        assert first.count(case[language]) == 1, (case["to"][0], first)
        assert [name for name in case["to"] if times(case, name, language, library) != 1] == []
        assert [name for name in case["not_to"] if times(case, name, language, library)] == []


@pytest.mark.parametrize("case", cases("block"))
def test_block(case: dict) -> None:
    check_block(case)


@pytest.mark.parametrize("case", cases("block"))
def test_a_sentence_that_is_lost_is_missed(case: dict) -> None:
    with pytest.raises((AssertionError, IndexError)):
        check_block(case, changed(BlockRow, case["row"]), ("en",))


def test_every_sentence_and_every_language_has_a_case() -> None:
    assert {case["row"] for case in CASES["block"]} == {row.id for row in LIBRARY.rows(BlockRow)}
    assert {case["row"] for case in CASES["made"]} == {row.id for row in LIBRARY.rows(LanguageRow)}


def check_language(case: dict, library: Library = LIBRARY) -> None:
    said = tuple(words_in(asdict(made(case["to"], case["row"], library))))
    whole = "\n".join(said)
    assert [words for words in case["says"] if not told_in(words, said, whole)] == []
    assert [words for words in case.get("not_says", ()) if words in said] == []


def told_in(words: str, said: Sequence[str], whole: str) -> bool:
    """A heading or label stands alone; only a phrase of four words and more may be part of a sentence."""
    return words in said or (len(words.split()) >= PHRASE and words in whole)


@pytest.mark.parametrize("case", cases("language"))
def test_language(case: dict) -> None:
    check_language(case)


def check_made(case: dict, library: Library = LIBRARY) -> None:
    assessment, advice = told("Anna")
    days = [replace(assessment, as_of=date(2026, month, 1)) for month in range(1, 13)]
    said = [leaflet(day, advice, language=case["row"], library=library) for day in days]
    assert [one.day for one in said] == [case["first"].format(month=month) for month in case["months"]]
    assert made("Anna", case["row"], library).sources[0] == case["foot"].format(version=__version__)
    with pytest.raises(UsageError) as caught:
        leaflet(assessment, advice, language="xx", library=library)
    assert f"{case['row']} ({case['name_of_language']})" in caught.value.why


@pytest.mark.parametrize("case", cases("made"))
def test_made(case: dict) -> None:
    check_made(case)


ORDER = [pytest.param(case, id=case["to"]) for case in CASES["order"]]


def check_order(case: dict, library: Library = LIBRARY) -> None:
    """The person's sentences of one place, all of them and none else, by the rows that they are of."""
    said = parts_of(made(case["to"], "en", library))[case["in"]]
    assert len(said) == len(case["rows"])
    assert [row for row, words in zip(case["rows"], said, strict=True) if not pattern(row, "en").fullmatch(words)] == []


@pytest.mark.parametrize("case", ORDER)
def test_order(case: dict) -> None:
    check_order(case)
