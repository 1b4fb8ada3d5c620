"""Runs tests/cases/told.toml: how medicines, tumours, situations, concepts and the person are told from a record."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.entries import LIBRARY, seen_with, view_for
from fixtures.people import TODAY, back, facts_of, person, signs_of
from fixtures.plans import day, fact, record
from fixtures.plans import dose as plan_dose
from leuko.causes.ask import ask
from leuko.drugs.shelf import cytotoxic, in_group, medicines_of, shelf_of
from leuko.knowledge import Library
from leuko.knowledge.schema.plan import PlanDrug
from leuko.person import person_at, statements_of
from leuko.plan import plan_of
from leuko.record import Code, Patient, Record
from leuko.result.plan import Plan
from leuko.scores.answers import read_answers
from leuko.scores.named import named
from leuko.scores.setting import Setting
from leuko.scores.tables import tables_of

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "told.toml").read_text("utf-8"))
GROUPS = ("anti-CD20", "growth factor", "myeloprotection", "monitored", "steroid")


def plan(doses: Sequence[Any], facts: Sequence[Any], library: Library, regimen: str | None = None) -> Plan:
    """The plan of a person on day 1; a dose is a medicine of day 0, or (day, medicine)."""
    rows = [(0, one) if isinstance(one, str) else one for one in doses]
    known = record(doses=rows)
    kept = tuple(fact(one, 0, codes=(icd(one),)) if is_code(one) else fact(one, 0) for one in facts)
    known = Record(patient=known.patient, doses=known.doses, facts=kept)
    return plan_of(known, series={}, latest={}, library=library, as_of=day(1), regimen=regimen)


def is_code(text: str) -> bool:
    return text[:1].isupper() and text[1:3].isdigit()


def icd(code: str) -> Code:
    return Code(system="http://hl7.org/fhir/sid/icd-10-cm", code=code)


def wrong_drug(case: Mapping[str, Any], library: Library = LIBRARY) -> Iterator[str]:
    shelf, row = shelf_of(library), case["row"]
    if not any(one.id == row and one.basis.drives for one in library.rows(PlanDrug)):
        yield "not confirmed"
    for said in case["called"]:
        if (found := medicines_of(plan_dose(0, said), shelf, library)) != (row,):
            yield f"{said}: {found}"
    for said in case["other"]:
        if row in medicines_of(plan_dose(0, said), shelf, library):
            yield f"{said} is taken for it"
    if bool(cytotoxic((row,), shelf)) is not case.get("cytotoxic", False):
        yield "cytotoxic or not"
    groups = [group for group in GROUPS if in_group((row,), group, shelf)]
    if groups != case.get("groups", []):
        yield f"groups: {groups}"


def wrong_tumour(case: Mapping[str, Any], library: Library = LIBRARY) -> Iterator[str]:
    for said in (*case["said"], *([case["icd"]] if "icd" in case else [])):
        found = plan(case["drugs"], [said], library).regimen
        if ((found.id or "") if found.told != "ambiguous" else "?") != case["regimen"]:
            yield f"{said}: {found.text}"
    for said in case["other"]:
        found = plan(case["drugs"], [said], library).regimen
        if found.told != "ambiguous" and (found.id or "") == case["regimen"]:
            yield f"{said}: {found.text}"


def wrong_situation(case: Mapping[str, Any], library: Library = LIBRARY) -> Iterator[str]:
    def raised(doses: Sequence[Any] = (), facts: Sequence[str] = (), regimen: str | None = None) -> bool:
        return case["option"] in {one.id for one in plan(doses, facts, library, regimen).options}

    yield from (f"{one} does not" for one in (*case["facts"], *case.get("icd", ())) if not raised(facts=[one]))
    yield from (f"{one} does" for one in case["not"] if raised(facts=[one]))
    yield from (f"{one} do" for one in case.get("not_drugs", ()) if raised(one))
    if "regimen" in case and (not raised(regimen=case["regimen"]) or raised(regimen=case["not_regimen"])):
        yield "the regimen"
    for drugs in case.get("drugs", ()):
        if not raised([(1 - case["days"], one) for one in drugs]) or raised([(-case["days"], one) for one in drugs]):
            yield f"{drugs}: not for {case['days']} days"


def wrong_concept(case: Mapping[str, Any], library: Library = LIBRARY) -> Iterator[str]:
    tables = tables_of(library)
    for expected, key in (("yes", "is"), ("no", "no"), ("silent", "open"), ("maybe", "perhaps")):
        for told in case.get(key, ()):
            setting = Setting(
                record=person(dict(told)),
                series={},
                infection=None,
                answers=read_answers(None, tables),
                library=library,
                tables=tables,
                as_of=TODAY,
            )
            found = named(tables.concepts[case["row"]], setting)
            if found.state != expected:
                yield f"{told}: {found.state}, not {expected}"


def wrong_clue(case: Mapping[str, Any], library: Library = LIBRARY) -> Iterator[str]:
    says = case["says"]
    facts = facts_of([{"name": says.get("fact", "Coded finding"), "icd": says.get("icd", "X"), "days": 0}])
    signs = signs_of([{"name": says.get("name", "Observation"), "days": 0, **says}]) if "text" in says else ()
    known = Record(patient=Patient(id="p", sex="female"), facts=facts if not signs else (), signs=signs)
    statements = statements_of(known, library=library)
    if "silent" in case:
        other = Record(patient=known.patient, signs=tuple(replace(sign, text=case["silent"]) for sign in signs))
        if statements_of(other, library=library):
            yield f"{case['silent']} tells something"
    before, after = case.get("holds", (20_000, 20_000))
    days = [(0, True), (before, True), (-after, True)]
    days += [(before + 1, False), (-after - 1, False)] if "holds" in case else []
    for number, holds in days:
        found = getattr(person_at(known, back(number), statements), case["tells"])
        if found is not (case["answer"] if holds else None):
            yield f"{number} days before: {found}"


def wrong_repeat(case: Mapping[str, Any], library: Library = LIBRARY) -> Iterator[str]:
    for expected, key in ((True, "is"), (False, "no"), (None, "open")):
        for counts in case[key]:
            scene = seen_with(view_for({"age_years": 40, "counts": counts}), library).scene
            if scene is None or ask(case["row"], scene).met is not expected:
                yield f"{counts}: not {expected}"


CHECKS = {
    "drug": wrong_drug,
    "tumour": wrong_tumour,
    "situation": wrong_situation,
    "concept": wrong_concept,
    "clue": wrong_clue,
    "repeat": wrong_repeat,
}


@pytest.mark.parametrize(
    ("kind", "case"),
    [pytest.param(kind, case, id=f"{kind} {case['row']}") for kind in CHECKS for case in CASES[kind]],
)
def test_what_a_record_tells(kind: str, case: Mapping[str, Any]) -> None:
    assert list(CHECKS[kind](case)) == []


def test_the_days_of_the_cases() -> None:
    assert back(1).day == TODAY - timedelta(days=1)
