"""Runs tests/cases/page-people.toml: statements of the patient page, each on a person taken through the assessment."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.entries import another, changed
from fixtures.people import LIBRARY, TODAY, person
from leuko.assessment import assess
from leuko.knowledge import Library
from leuko.knowledge.further import further_kinds, kind_name
from leuko.knowledge.schema.advice import StatementRow
from leuko.result import Assessment

CASES = Path(__file__).resolve().parents[1] / "cases"
CONTENT = tomllib.loads((CASES / "page-people.toml").read_text("utf-8"))
STATEMENTS, PEOPLE = CONTENT["statement"], CONTENT["person"]
LEAFLET = tomllib.loads((CASES / "leaflet-page.toml").read_text("utf-8"))["statement"]


def _options(found: Assessment) -> Iterable[str]:
    return (reason.text for one in found.plan.options for reason in (*one.speaks_for, one.reason))


def _outlook(found: Assessment) -> Iterable[str]:
    for one in found.advice.outlook:
        yield from (one.text, *(citation.says for citation in one.reason.citations))


def _steps(found: Assessment) -> Iterable[str]:
    for one in found.steps:
        yield from (one.what, one.why.text, *(f"{body.body}: {body.says}" for body in one.bodies))


PARTS: dict[str, Callable[[Assessment], Iterable[str]]] = {
    "is it low": lambda found: (answer.text for answer in found.answers if answer.question == "is_it_low"),
    "definitions": lambda found: (one.reason.text for status in found.latest for one in status.definitions if one.met),
    "intervals": lambda found: (status.interval.reason.text for status in found.latest),
    "course": lambda found: (course.kind_reason.text for course in found.courses),
    "causes": lambda found: (f"{one.name}: {one.mechanism}" for one in found.causes if one.standing == "supported"),
    "steps": _steps,
    "options": _options,
    "day of treatment": lambda found: (one.then for one in found.plan.treat_days),
    "medicines that are watched": lambda found: (one.text for one in found.plan.monitoring),
    "outlook": _outlook,
    "advice": lambda found: (one.text for one in found.advice.advice if one.applies),
    "whom to call now": lambda found: (one.text for one in found.advice.calls if one.active),
    "urgency": lambda found: (reason.text for reason in found.infection.urgency.reasons),
}
"""What is said in each part of an assessment."""


def said(name: str, part: str, library: Library = LIBRARY) -> list[str]:
    return list(PARTS[part](assess(person(PEOPLE[name]), as_of=TODAY, library=library)))


def broken(key: str) -> Library:
    """The library in which one row is no longer confirmed; of a course, in which a low count must last ten years."""
    kind, _, row = key.partition(":")
    if kind == "course":
        rules = another(LIBRARY.course[row], chronic_days=3650.0)
        return replace(LIBRARY, hash=f"another {key}", course={**LIBRARY.course, row: rules})
    if kind in ("definition", "interval"):
        return _unconfirmed(f"{kind}s", row)
    (found,) = (one for one in further_kinds() if kind in (kind_name(one), one.KEY) and _holds(one, row))
    return changed(found, row)


def _holds(kind: type[Any], row: str) -> bool:
    return any(one.id == row for one in LIBRARY.rows(kind))


def _unconfirmed(table: str, row: str) -> Library:
    rows = getattr(LIBRARY, table)
    (old,) = (one for one in rows if one.id == row)
    new = another(old, basis=another(old.basis, confidence="unconfirmed"))
    return replace(LIBRARY, hash=f"without {row}", **{table: tuple(new if one is old else one for one in rows)})


def check(case: Mapping[str, Any], library: Library = LIBRARY) -> None:
    (row,) = (one for one in library.rows(StatementRow) if one.id == case["row"])
    assert row.basis.drives
    assert row.text == case["says"]
    assert list(row.carried) == [one["row"] for one in case["shown"]]


def check_quoted(row: str, quoted: list[float], library: Library = LIBRARY) -> None:
    (found,) = (one for one in library.intervals if f"interval:{one.id}" == row and one.basis.drives)
    assert [found.low, found.high] == quoted


@pytest.mark.parametrize("case", [pytest.param(case, id=case["row"]) for case in STATEMENTS])
def test_statement(case: Mapping[str, Any]) -> None:
    check(case)
    with pytest.raises(AssertionError):
        check(case, changed(StatementRow, case["row"], another(_row(case["row"]), text="something else")))
    assert all(one.get("quoted") or one["not_of"] in PEOPLE for one in case["shown"])


def _row(row: str) -> StatementRow:
    return next(one for one in LIBRARY.rows(StatementRow) if one.id == row)


SHOWN = [pytest.param(one, id=f"{case['row']} {one['row']}") for case in STATEMENTS for one in case["shown"]]


@pytest.mark.parametrize("shown", SHOWN)
def test_carried(shown: Mapping[str, Any]) -> None:
    if "quoted" in shown:
        check_quoted(shown["row"], shown["quoted"])
        with pytest.raises(ValueError, match="unpack"):
            check_quoted(shown["row"], shown["quoted"], broken(shown["row"]))
        return
    name, part, told = shown["of"], shown["in"], shown["told"]
    assert any(told in text for text in said(name, part)), said(name, part)
    assert not any(told in text for text in said(shown["not_of"], part)), (shown["not_of"], told)
    assert not any(told in text for text in said(name, part, broken(shown["row"]))), "the row is not what tells it"


def test_every_statement_of_the_page_has_a_case() -> None:
    cases = [case["row"] for case in (*STATEMENTS, *LEAFLET)]
    assert sorted(cases) == sorted(row.id for row in LIBRARY.rows(StatementRow))


def test_every_person_is_told_something() -> None:
    used = {one[key] for case in STATEMENTS for one in case["shown"] for key in ("of", "not_of") if key in one}
    assert used == set(PEOPLE)
