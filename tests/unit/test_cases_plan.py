"""Runs the cases of the plan that a clinician can read and write: tests/cases/plan*.toml."""

from __future__ import annotations

import tomllib
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fixtures.plans import day, plan, record
from leuko.result.plan import Plan

CASES = Path(__file__).resolve().parents[1] / "cases"
KEYS = {
    *("name", "counts", "doses", "facts", "patient", "as_of", "regimen"),
    *("treat", "on_count", "band", "due", "option", "told", "name_is", "says", "never"),
}


def cases() -> list[Any]:
    found = [case for file in sorted(CASES.glob("plan*.toml")) for case in tomllib.loads(file.read_text())["plan"]]
    assert found
    return [pytest.param(case, id=case["name"]) for case in found]


def texts(value: Any) -> str:
    """Every text of a result, to look for words in."""
    if isinstance(value, str):
        return value
    if is_dataclass(value):
        return " | ".join(texts(getattr(value, field.name)) for field in fields(value))
    return " | ".join(map(texts, value)) if isinstance(value, tuple) else ""


def made(case: dict[str, Any]) -> Plan:
    person = dict(case.get("patient", {}))
    if "born" in person:
        person["born"] = date.fromisoformat(person["born"])
    known = record(
        counts=case.get("counts", ()), doses=case.get("doses", ()), facts=case.get("facts", ()), patient=person
    )
    return plan(known, day(case["as_of"]), regimen=case.get("regimen"))


@pytest.mark.parametrize("case", cases())
def test_plans(case: dict[str, Any]) -> None:
    assert set(case) <= KEYS
    found = made(case)
    treat = {one.id: one for one in found.treat_days}
    assert {name: treat[name].verdict for name in case.get("treat", {})} == case.get("treat", {})
    assert {name: treat[name].on_count for name in case.get("on_count", {})} == case.get("on_count", {})
    schemes = {one.scheme: one for one in found.monitoring}
    bands = {n: (schemes[n].band or "?") if n in schemes else "absent" for n in case.get("band", {})}
    assert bands == case.get("band", {})
    assert {name: schemes[name].due for name in case.get("due", {})} == {
        n: day(d) for n, d in case.get("due", {}).items()
    }
    options = {one.id: one.standing for one in found.options}
    assert {name: options.get(name) for name in case.get("option", {})} == case.get("option", {})
    assert found.regimen.told == case.get("told", found.regimen.told)
    assert found.regimen.name == case.get("name_is", found.regimen.name)
    said = texts(found)
    for words in case.get("says", ()):
        assert words in said
    for words in case.get("never", ()):
        assert words not in said
