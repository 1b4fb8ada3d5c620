"""Runs the cases that show one entry each of the plan's tables at work: tests/cases/entries-plan.toml."""

from __future__ import annotations

import tomllib
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.plans import LIBRARY, day, plan, record
from leuko.knowledge.schema import Row
from leuko.knowledge.schema.plan import (
    AntimicrobialRow,
    FactorRow,
    GrowthRow,
    MonitorNote,
    NextCountRow,
    RegimenRow,
    TreatDayRow,
)
from leuko.result import Reason
from leuko.result.plan import Option, Plan

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "entries-plan.toml").read_text(encoding="utf-8"))
PERSON = {"row", "name", "counts", "doses", "facts", "patient", "regimen", "as_of", "says", "never"}
KEYS = {
    "treat": {"verdict", "then", "carried"},
    "regimen": {"told", "risk", "next", "class", "carried", "reported"},
    "growth": {"option", "standing", "shown", "holds"},
    "factor": {"standing"},
    "antimicrobial": {"option", "standing", "shown", "start", "stop", "holds", "without"},
    "next_count": {"due"},
    "note": {"scheme", "carried", "holds"},
}


def cases(kind: str) -> list[Any]:
    found = CASES[kind]
    assert all(set(case) <= PERSON | KEYS[kind] for case in found)
    return [pytest.param(case, id=f"{case['row']}: {case['name']}") for case in found]


def made(case: dict[str, Any], **more: Any) -> Plan:
    person = dict(case.get("patient", {}))
    if "born" in person:
        person["born"] = date.fromisoformat(person["born"])
    known = record(
        counts=case.get("counts", ()),
        doses=case.get("doses", ()),
        facts=more.pop("facts", case.get("facts", ())),
        patient=person,
    )
    return plan(known, day(case["as_of"]), regimen=case.get("regimen"), **more)


def row_of(kind: type[Any], name: str) -> Any:
    row = next(row for row in LIBRARY.rows(kind) if row.id == name)
    assert row.basis.drives
    return row


def texts(value: Any) -> str:
    """Every text of a result, to look for words in."""
    if isinstance(value, str):
        return value
    if is_dataclass(value):
        return " | ".join(texts(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, Row):
        return " | ".join(texts(getattr(value, name)) for name in value.__struct_fields__)
    return " | ".join(map(texts, value)) if isinstance(value, tuple | frozenset) else ""


def check_words(case: dict[str, Any], said: str) -> None:
    assert [words for words in case.get("says", ()) if words not in said] == []
    assert [words for words in case.get("never", ()) if words in said] == []


@pytest.mark.parametrize("case", cases("treat"))
def test_the_count_on_the_day_of_treatment(case: dict[str, Any]) -> None:
    row = row_of(TreatDayRow, case["row"])
    found = made(case)
    if case.get("carried"):
        assert row.says not in texts(found)
        return
    rule = next(one for one in found.treat_days if (one.id, one.checkpoint) == (row.table, row.checkpoint))
    assert rule.verdict == case["verdict"]
    assert case["row"] in rule.rows
    assert rule.reason.citations
    assert case.get("then", "") in rule.then
    check_words(case, rule.text)


@pytest.mark.parametrize("case", cases("regimen"))
def test_the_regimen_and_its_risk(case: dict[str, Any]) -> None:
    row = row_of(RegimenRow, case["row"])
    found = made(case)
    assert found.regimen.told == case["told"]
    if case.get("carried"):
        assert found.regimen.id is None
        assert found.regimen.risks == ()
        assert case.get("class") in {None, *(one for risk in row.risks for one in risk.classes)}
        assert case.get("reported", "") in row.reported
        return
    assert found.regimen.id == case["row"]
    risks = {risk.body: risk for risk in found.regimen.risks if risk.reviewed}
    assert {body: list(risk.classes) for body, risk in risks.items()} == case["risk"]
    assert all(risk.reason.citations for risk in risks.values())
    assert found.regimen.next_day_1 == (day(case["next"]) if "next" in case else found.regimen.next_day_1)
    check_words(case, texts(found))


def option_of(found: Plan, name: str) -> Option:
    return next(one for one in found.options if one.id == name)


def reasons(option: Option, place: str) -> dict[str, Reason]:
    """The reasons of one side of an option, by the entry that they come from."""
    sides = {"for": option.speaks_for, "against": option.speaks_against, "caution": option.cautions}
    return {reason.rule.rpartition(":")[2]: reason for reason in sides[place]}


# a person of whom every option of growth factor and antimicrobials is said
CHEMO = [[0, "docetaxel"], [0, "doxorubicin"], [0, "cyclophosphamide"]]
SITUATIONS: dict[str, dict[str, Any]] = {
    "from the first cycle": {"doses": CHEMO, "as_of": 1},
    "after febrile neutropenia": {"doses": CHEMO, "facts": [["Febrile neutropenia", 9]], "as_of": 21},
    "in fever": {
        "doses": CHEMO,
        "facts": [["Febrile neutropenia", 9]],
        "as_of": 9,
        "counts": [[9, {"neutrophils": 0.1}]],
    },
    "without fever": {"doses": CHEMO, "as_of": 9, "counts": [[9, {"neutrophils": 0.1}]]},
    "congenital": {"facts": [["Severe congenital neutropenia"]], "as_of": 9, "counts": [[9, {"neutrophils": 0.1}]]},
}


@pytest.fixture(scope="module")
def everything_said() -> str:
    return texts(tuple(made(person) for person in SITUATIONS.values()))


@pytest.mark.parametrize("case", cases("growth"))
def test_growth_factor(case: dict[str, Any], everything_said: str) -> None:
    row = row_of(GrowthRow, case["row"])
    if case["shown"] == "carried":
        assert row.says not in everything_said
        assert [words for words in case["holds"] if words not in texts(row)] == []
        return
    option = option_of(made(case), f"growth:{case['option']}")
    assert option.standing == case["standing"]
    if case["shown"] in {"when", "until"}:
        assert f"{row.body}: {row.says}" in getattr(option, case["shown"])
        check_words(case, texts(option))
        return
    reason = reasons(option, case["shown"])[case["row"]]
    assert reason.citations
    check_words(case, reason.text)


@pytest.mark.parametrize("case", cases("factor"))
def test_personal_factors(case: dict[str, Any]) -> None:
    """CMF is of 10 to 20 %: what a body makes of it is for the person's own factors to say."""
    person = {"doses": [[0, "cyclophosphamide"], [0, "methotrexate"], [0, "fluorouracil"]], "as_of": 1} | case
    row = row_of(FactorRow, case["row"])
    bare = option_of(made(person | {"facts": [["Breast cancer"]], "patient": {}}), "growth:primary")
    assert bare.standing == "not_routine"
    assert row.name not in texts(bare)
    found = made(person)
    if case["standing"] == "secondary":
        assert option_of(found, "growth:secondary").standing == "consider"
        return
    option = option_of(found, "growth:primary")
    assert option.standing == case["standing"]
    check_words(case, texts(option.speaks_for))


def low_risk() -> SimpleNamespace:
    """MASCC with all its items, by a clinician: 26, low risk."""
    reason = Reason(rule="score:mascc", text="MASCC 26: low risk")
    return SimpleNamespace(id="mascc", eligible=True, band="low risk", says="MASCC 26", reason=reason, citations=())


@pytest.mark.parametrize("case", cases("antimicrobial"))
def test_antimicrobials(case: dict[str, Any]) -> None:
    row = row_of(AntimicrobialRow, case["row"])
    found = made(case, scores=(low_risk(),) if "low_risk" in row.needs else ())
    if case["shown"] == "carried":
        assert row.trigger not in texts(found)
        assert [words for words in case["holds"] if words not in row.trigger] == []
        return
    option = option_of(found, f"antimicrobial:{case['option']}")
    assert option.standing == case["standing"]
    reason = reasons(option, case["shown"])[case["row"]]
    assert reason.citations
    assert f"{row.body}: {case['start']}" in option.when if "start" in case else True
    assert f"{row.body}: {case['stop']}" in option.until if "stop" in case else True
    check_words(case, reason.text)
    if "without" in case:
        assert row.trigger not in texts(made(case, facts=case["without"]))


@pytest.mark.parametrize("case", cases("next_count"))
def test_when_to_count_again(case: dict[str, Any]) -> None:
    row_of(NextCountRow, case["row"])
    found = {one.reason.rule.removeprefix("plan:next:"): one for one in made(case).next_counts}
    one = found[case["row"]]
    assert one.due == day(case["due"])
    assert one.reason.citations
    check_words(case, one.text)


@pytest.mark.parametrize("case", cases("note"))
def test_notes_beside_a_schedule(case: dict[str, Any]) -> None:
    row = row_of(MonitorNote, case["row"])
    found = made(case)
    if case.get("carried"):
        assert row.says not in texts(found)
        assert [words for words in case["holds"] if words not in row.says] == []
        return
    schemes = {one.scheme: one for one in found.monitoring}
    notes = {reason.rule.removeprefix("plan:note:"): reason for reason in schemes[case["scheme"]].notes}
    assert notes[case["row"]].citations
    check_words(case, notes[case["row"]].text)
