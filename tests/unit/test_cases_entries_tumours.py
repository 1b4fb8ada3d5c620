"""Runs the cases of tumours that tell a regimen, and breaks each row: tests/cases/entries-tumours.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fixtures.asked import SYSTEMS
from fixtures.mutants import broken, other_rows, removed
from fixtures.plans import LIBRARY, day, dose, fact
from leuko.knowledge import Library
from leuko.knowledge.schema.plan import TumourRow
from leuko.plan import plan_of
from leuko.record import Code, Fact, Patient, Record

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "entries-tumours.toml").read_text("utf-8"))
KEYS = {"id", "by_name", "by_icd10cm", "not_name", "alone", "drugs", "tells"}


def entries(case: Mapping[str, Any]) -> Iterator[tuple[Fact, bool]]:
    """Entries of the problem list, and whether they name the tumour."""
    yield from ((fact(name, -90), True) for name in case["by_name"])
    for code in case.get("by_icd10cm", ()):
        yield fact("an entry", -90, codes=(Code(system=SYSTEMS["icd10cm"], code=code),)), True
    yield from ((fact(name, -90), False) for name in case["not_name"])


def said(one: Fact, case: Mapping[str, Any], library: Library) -> str:
    """What is said of the regimen of somebody with the entry."""
    beside = () if case.get("alone") else (fact("Breast cancer", -900),)
    doses = tuple(dose(0, drug) for drug in case["drugs"])
    record = Record(patient=Patient(id="p"), doses=doses, facts=(*beside, one))
    return plan_of(record, series={}, latest={}, library=library, as_of=day(9)).regimen.text


def wrong(case: Mapping[str, Any], library: Library = LIBRARY) -> list[str]:
    """The entries that are read otherwise than the case says."""
    tell = partial(said, case=case, library=library)
    return [one.name for one, meant in entries(case) if all(text in tell(one) for text in case["tells"]) is not meant]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES["tumour"]])
def test_a_tumour_tells_the_regimen(case) -> None:
    assert set(case) <= KEYS
    assert wrong(case) == []
    row = next(row for row in LIBRARY.rows(TumourRow) if row.id == case["id"])
    others = [("removed", removed(row)), *other_rows(row)]
    unnoticed = {name for name, other in others if not wrong(case, broken(LIBRARY, row, other))}
    # the one row of gynaecological tumours at large has no medicines: nobody's can be recognised as it
    # and the one of ALL alone is known by its name only
    assert unnoticed <= {"tumours: without gynaecological", "tumours: without ALL"}
