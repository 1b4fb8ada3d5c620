"""Runs the cases of doses that a pharmacist can read and write: tests/cases/dosing.toml and dosing-regimens.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import leuko
from fixtures.dosings import LIBRARY, covariates, day, dosing, person, said, sign
from leuko.drugs.shelf import cytotoxic, shelf_of
from leuko.forecast.catalogue import cycle_of, regimen_row
from leuko.forecast.covariates import Covariates, rules_of
from leuko.forecast.library import models_for
from leuko.knowledge.coverage import read_cases, without_case
from leuko.knowledge.schema.forecast import GivenHours, RegimenDose
from leuko.knowledge.schema.plan import RegimenRow
from leuko.record import Patient, Record

FOLDER = Path(__file__).resolve().parents[1] / "cases"
CASES = tomllib.loads((FOLDER / "dosing.toml").read_text("utf-8"))
REGIMENS = tomllib.loads((FOLDER / "dosing-regimens.toml").read_text("utf-8"))
KEYS = {
    *("name", "person", "regimen", "doses", "as_of", "start", "ahead", "expect", "planned", "factors"),
    *("shares", "says", "gaps", "withheld", "shows"),
}
# regimens whose wording has no number for these medicines: without one, no dose is made up
WITHOUT_NUMBERS = {("R62", "idarubicin"), ("R86", ""), ("R100", "")}


def params(table: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in CASES[table]]


def holds(pieces: list[str], texts: tuple[str, ...]) -> None:
    for piece in pieces:
        assert any(piece in text for text in texts), (piece, texts)


@pytest.mark.parametrize("case", params("dosing_case"))
def test_doses_of_a_person(case) -> None:
    assert set(case) <= KEYS
    record = person(case["person"], case.get("doses", ()))
    more = {"cycles_ahead": case["ahead"]} if "ahead" in case else {}
    start = day(case["start"]) if "start" in case else None
    found = dosing(record, case["as_of"], regimen=case.get("regimen"), start=start, **more)
    assert found.withheld.startswith(case.get("withheld", "")) or case["withheld"] in found.withheld
    assert bool(found.withheld) == ("withheld" in case)
    limit = day(case["as_of"])
    if "expect" in case:
        assert sorted(said(one for one in found.given if one.told == "record")) == sorted(case["expect"])
        coming = [one for one in found.given if one.told != "record"]
        assert sorted(said(coming)) == sorted(case["planned"])
        assert all(one.at.date() >= limit for one in coming)
    assert said(found.factors, share=True) == case.get("factors", [])
    for drug, shares in case.get("shares", {}).items():
        assert [one.share for one in found.given if one.drug == drug] == pytest.approx(shares, abs=1e-5)
    holds(case.get("says", []), found.texts)
    assert bool(found.gaps) == ("gaps" in case), found.gaps
    holds(case.get("gaps", []), tuple(gap.why for gap in found.gaps))


@pytest.mark.parametrize("case", params("person_case"))
def test_what_the_record_tells_of_the_person(case) -> None:
    signs = []
    for line in case["values"]:
        name, value, when = (part.strip() for part in line.split(","))
        number, _, unit = value.partition(" ")
        signs.append(sign(name, float(number), unit or None, float(when)))
    found = covariates(Record(patient=Patient(id="p"), signs=tuple(signs)), case["as_of"])
    assert dict(found.values) == pytest.approx(case["expect"], rel=1e-4)
    holds(case["gaps"], tuple(gap.why for gap in found.gaps))
    assert len(found.gaps) == len(case["gaps"])
    for name, note in case["notes"].items():
        assert found.notes[name] == note


@pytest.mark.parametrize("case", params("domain_case"))
def test_whom_a_model_speaks_of(case) -> None:
    every = models_for(
        case["drugs"],
        covariates=Covariates(values=case["person"]),
        library=LIBRARY,
        factors=case.get("factors", ()),
        per_m2=case.get("per_m2"),
        outside=True,
    )
    by = {one.row.id: one for one in every}
    for name, domain in case["expect"].items():
        assert by[name].domain == domain, by[name].domain_text
    speaking = [one for one in every if one.domain != "outside"]
    assert speaking[0].row.id == case.get("first", speaking[0].row.id)
    assert speaking[-1].row.id == case.get("last", speaking[-1].row.id)
    holds(case.get("says", []), tuple(text for one in every for text in (one.domain_text, *one.notes)))
    if "shares" in case:
        part = next(part for part in by[case["first"]].model.drugs if part.shares)
        assert dict(part.shares) == pytest.approx(case["shares"], abs=1e-5)


def test_how_medicines_are_given() -> None:
    rows = {row.id: row for row in LIBRARY.rows(GivenHours)}
    told = {key: value for case in CASES["given_case"] for key, value in case.items()}
    for name in told["daily"]:
        found = dosing(person({"age": 60, "height": 180, "weight": 80}, [f"{rows[name].drug}, stated, 0-2, 100 mg"]), 9)
        assert said(found.given) == [f"{rows[name].drug} 0-2 100"]
    for name, days in [(name, 10) for name in told["long"]] + [(name, 1) for name in told["short"]]:
        found = dosing(person({"age": 60}, [f"{rows[name].drug}, given, 0, {rows[name].usual_ug} ug"]), 9)
        assert [one.share for one in found.factors] == pytest.approx([1.0] * days)
    for name, hours in told["hours"].items():
        found = dosing(person({"age": 60}, [f"{rows[name].drug}, given, 0, 200 mg"]), 9)
        assert [one.hours for one in found.given] == [hours]
    assert {name: rows[name].weight for name in told["weight"]} == told["weight"]


# --- the catalogue ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case", REGIMENS["regimen_doses"], ids=lambda case: f"{case['regimen']}-{case.get('phase', 1)}"
)
def test_a_regimen_for_one_person(case) -> None:
    known = Covariates(values={"bsa": 2.0, "weight": 80.0, "crcl": 100.0, "age": 50.0})
    cycle = cycle_of(
        regimen_row(case["regimen"], LIBRARY),
        phase=case.get("phase", 1),
        covariates=known,
        library=LIBRARY,
        rules=rules_of(LIBRARY),
    )
    left = [(one.drug, one.day, one.amount, one.hours) for one in cycle.doses]
    if not regimen_row(case["regimen"], LIBRARY).dose_basis.drives:
        assert not left  # on file, not confirmed: never taken
        assert "not confirmed" in cycle.gaps[0].why
        return
    for line in case["expect"]:
        drug, amount, days, times, hours = read(line)
        for number in days:
            for _ in range(times):
                fitting = [
                    one for one in left if one[:2] == (drug, number) and one[2] == pytest.approx(amount, rel=1e-5)
                ]
                assert fitting, line
                assert hours is None or fitting[0][3] == hours
                left.remove(fitting[0])
    assert not left


def read(line: str) -> tuple[str, float, list[int], int, float | None]:
    match = re.fullmatch(r"(.+): ([\d.e+]+) on ([\d,-]+)(?: x(\d))?(?: /([\d.]+) h)?", line)
    assert match is not None, line
    days = [
        number
        for part in match[3].split(",")
        for number in range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)
    ]
    return match[1], float(match[2]), days, int(match[4] or 1), float(match[5]) if match[5] else None


@pytest.mark.parametrize("row", LIBRARY.rows(RegimenDose), ids=lambda row: row.id)
def test_a_dose_is_what_the_catalogue_says_in_words(row: RegimenDose) -> None:
    prose = regimen_row(row.as_in or row.regimen, LIBRARY).doses
    assert row.prose in prose
    for number in (row.amount, row.most, row.first):
        if number is not None:
            assert re.search(rf"(?<![\d.]){re.escape(f'{number:g}')}(?!\d|\.\d)", row.prose), number


def test_every_medicine_of_the_catalogue_has_a_dose_where_the_words_have_a_number() -> None:
    shelf = shelf_of(LIBRARY)
    with_dose = {(row.regimen, row.phase, row.drug) for row in LIBRARY.rows(RegimenDose)}
    for row in LIBRARY.rows(RegimenRow):
        for number, phase in enumerate(row.phases, 1):
            for drug in cytotoxic(phase.drugs, shelf):
                silent = {(row.id, drug), (row.id, "")} & WITHOUT_NUMBERS
                assert (row.id, number, drug) in with_dose or silent, (row.id, drug)


def test_every_row_of_the_models_folder_and_every_dose_has_a_case() -> None:
    rules = tomllib.loads((Path(leuko.__file__).parent / "data" / "models" / "rules.toml").read_text("utf-8"))["rule"]
    own = {f"{kind}:" for kind in ("model", "covariate", "given", "dose")} | {f"rule:{rule['id']}" for rule in rules}
    left = [row.key for row in without_case(LIBRARY, read_cases(FOLDER))]
    assert not [key for key in left if any(key.startswith(mine) or f".{mine}" in key for mine in own)]
