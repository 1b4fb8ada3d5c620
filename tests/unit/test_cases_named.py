"""Runs the cases of what a record names, codes and states: tests/cases/causes_named.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.asked import LIBRARY, answer, record_of, view_of, with_library
from fixtures.mutants import broken, mutants, other_rows, removed
from leuko.knowledge import Library
from leuko.knowledge.schema.causes import FactPredicate, SnomedRow
from leuko.knowledge.schema.person import PersonClue
from leuko.person import person_at, statements_of

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "causes_named.toml").read_text("utf-8"))
DRAWN = 200
"""The low count lies so many days before today, so that entries can follow it."""
NAMED = {"id", "by_name", "by_icd10cm", "by_hpo", "by_medicine", "by_kind"}
NAMED |= {"not_name", "not_icd10cm", "not_kind", "within"}
STATED = {"id", "of", "icd10cm", "loinc", "not_loinc", "answers", "is", "not_by", "days"}
Question = tuple[str, Mapping[str, Any], bool | None]


def params(table: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in CASES[table]]


def entry(days_after: float = 0, **said: Any) -> dict[str, Any]:
    """A person with one entry in the record, which begins so many days after the low count."""
    return {"drawn": DRAWN, "facts": [{"days": DRAWN - days_after, **said}]}


def questions(case: Mapping[str, Any]) -> Iterator[Question]:
    """What is asked of a named fact: who, and the answer. Never no."""
    meant = [{"name": name} for name in case.get("by_name", ())]
    meant += [{"icd10cm": code} for code in case.get("by_icd10cm", ())]
    meant += [{"hpo": code} for code in case.get("by_hpo", ())]
    meant += [{**meant[0], "kind": kind} for kind in case.get("by_kind", ())]
    yield from ((str(said), entry(**said), True) for said in meant)
    looks = [{"name": name} for name in case.get("not_name", ())]
    looks += [{"icd10cm": code} for code in case.get("not_icd10cm", ())]
    looks += [{**meant[0], "kind": kind} for kind in case.get("not_kind", ())]
    yield from ((f"not {said}", entry(**said), None) for said in looks)
    yield "in the family", entry(name=f"Family history of {case['by_name'][0]}"), None
    for drug in case.get("by_medicine", ()):
        yield drug, {"drawn": DRAWN, "medicines": [{"drug": drug, "days": DRAWN + 90, "given": False}]}, True
    if "within" in case:
        first, last = case["within"]
        for day, met in ((first - 1, None), (first, True), (last, True), (last + 1, None)):
            yield f"day {day}", entry(day, **meant[0]), met
    else:
        yield "ended", entry(-300, until=DRAWN + 100, **meant[0]), True if case["lasting"] else None


def coded(case: Mapping[str, Any]) -> Iterator[Question]:
    for code in case["snomed"]:
        yield code, entry(snomed=code), True
    yield "another code", entry(snomed="404684003"), None


def wrong(asked: list[tuple[str, Any, bool | None]], question: str, library: Library = LIBRARY) -> list[str]:
    """The questions that are answered otherwise than the case says."""
    return [said for said, view, met in asked if answer(question, with_library(view, library)) is not met]


def views(asked: Iterator[Question]) -> list[tuple[str, Any, bool | None]]:
    return [(said, view_of(record_of(person)), met) for said, person, met in asked]


@pytest.mark.parametrize("case", params("named"))
def test_what_an_entry_means(case) -> None:
    assert set(case) <= NAMED | {"lasting"}
    assert ("lasting" in case) is not ("within" in case)
    asked = views(questions(case))
    assert wrong(asked, case["id"]) == []
    row = next(row for row in LIBRARY.rows(FactPredicate) if row.id == case["id"])
    unnoticed = [said for said, library in mutants(LIBRARY, row) if not wrong(asked, case["id"], library)]
    # a window in time decides by itself whether an entry still speaks
    unnoticed = [said for said in unnoticed if "within" not in case or not said.startswith("lasting")]
    assert unnoticed == [], "the row can be broken so and every answer stays"


@pytest.mark.parametrize("case", params("coded"))
def test_what_a_snomed_code_means(case) -> None:
    assert set(case) == {"id", "snomed"}
    asked = views(coded(case))
    assert wrong(asked, case["id"]) == []
    row = next(row for row in LIBRARY.rows(SnomedRow) if row.id == case["id"])
    others = [("removed", removed(row)), *other_rows(row)]
    unnoticed = [said for said, other in others if not wrong(asked, case["id"], broken(LIBRARY, row, other))]
    assert unnoticed == []


def stated(case: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], float, bool | None]]:
    """Who, how many days before the draw the entry stands, and what is known."""
    told = [({"icd10cm": code}, case["is"]) for code in case.get("icd10cm", ())]
    told += [({"loinc": case["loinc"], "detail": said}, met) for said, met in case.get("answers", ())]
    silent = [{"icd10cm": code} for code in case.get("not_by", ())]
    silent += [{"loinc": case["loinc"], "detail": "Unknown"}] if "loinc" in case else []
    silent += [{"loinc": code, "detail": case["answers"][0][0]} for code in case.get("not_loinc", ())]
    yield from ((said, 0, met) for said, met in told)
    yield from ((said, 0, None) for said in silent)
    days = case.get("days")
    for away in (-1, 1):
        if days is None:
            yield told[0][0], away * 190, told[0][1]
        else:
            yield told[0][0], away * days, told[0][1]
            yield told[0][0], away * (days + 1), None


def unlike(case: Mapping[str, Any], library: Library = LIBRARY) -> list[str]:
    """Where the person is described otherwise than the case says."""
    found = []
    for said, before, met in stated(case):
        record = record_of(entry(-before, **said))
        person = person_at(record, record.counts[0].taken, statements_of(record, library=library))
        if getattr(person, case["of"]) is not met:
            found.append(f"{said} {before} days before")
    return found


@pytest.mark.parametrize("case", params("stated"))
def test_what_a_record_states_of_the_person(case) -> None:
    assert set(case) <= STATED
    assert unlike(case) == []
    row = next(row for row in LIBRARY.rows(PersonClue) if row.id == case["id"])
    others = [("removed", removed(row)), *other_rows(row)]
    unnoticed = [said for said, other in others if not unlike(case, broken(LIBRARY, row, other))]
    assert unnoticed == []


def test_every_snomed_code_that_counts_has_a_case() -> None:
    assert {row.id for row in LIBRARY.rows(SnomedRow) if row.basis.drives} == {case["id"] for case in CASES["coded"]}
