"""Runs the cases of the marrow models that a pharmacometrician can read and write: tests/cases/models.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leuko.forecast.covariates import Covariates
from leuko.forecast.library import build, model_row
from leuko.forecast.model import Model, Schedule
from leuko.forecast.receptor import Injected, course
from leuko.forecast.solve.reference import reference
from leuko.knowledge import load_library
from leuko.knowledge.schema.forecast import ModelRow

CASES = tomllib.loads((Path(__file__).resolve().parents[1] / "cases" / "models.toml").read_text("utf-8"))
LIBRARY = load_library()
NEAR = {"nadir": 0.01, "first": 0.01, "steady": 0.01, "day": 0.02, "above": 0.02, "back": 0.02, "severe": 0.08}


def params(table: str) -> list[Any]:
    return [
        pytest.param(case, id=f"{number}-{case.get('name', case['model'])}") for number, case in enumerate(CASES[table])
    ]


def doses(case: dict, model: Model) -> list[tuple[float, str, float, float]]:
    found = []
    part = model.drugs[0]
    for line in case["doses"]:
        day, amount, hours, *times = (one.strip() for one in line.split(","))
        number, unit = amount.split()
        value = float(number) * (part.per_mg if unit == "mg" else 1.0)
        repeats = range(int(times[0].removeprefix("x")) if times else 1)
        found += [((float(day) + one) * 24.0, part.drug, value, float(hours.split()[0])) for one in repeats]
    return found


def drawn(case: dict) -> tuple[np.ndarray, np.ndarray]:
    """Hours and counts of the typical person."""
    factors = ("filgrastim",) if "factor_days" in case else ()
    known = Covariates(values={**({"bsa": case["surface"]} if "surface" in case else {}), **case.get("person", {})})
    row = model_row(case["model"], LIBRARY)
    model = build(row, covariates=known, drugs=case.get("drugs", ()), factors=factors, library=LIBRARY)
    theta = model.typical.copy()
    for name, value in case.get("set", {}).items():
        theta[model.at(name)] = value
    rows = sorted(
        [*doses(case, model), *((day * 24.0, "growth factor", 1.0, 0.0) for day in case.get("factor_days", ()))]
    )
    hour, drug, amount, length = zip(*rows, strict=True)
    schedule = Schedule(hour=np.array(hour), drug=drug, amount=np.array(amount), hours=np.array(length))
    hours = np.arange(0.0, case.get("until", 60) * 24.0 + 1.0)
    return hours, reference(model, theta, schedule, hours=hours, rtol=1e-8)


def told(hours: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    lowest = int(np.argmin(counts))
    after, later = hours[lowest:] / 24.0, counts[lowest:]
    return {
        "nadir": counts[lowest],
        "day": hours[lowest] / 24.0,
        "severe": float(np.count_nonzero(counts < 0.5)) / 24.0,
        "above": next(iter(after[later >= 1.5]), np.nan),
        "back": next(iter(after[later >= counts[0] * 0.9999]), np.nan),
        "steady": counts[-1],
        "first": counts[: 21 * 24].min(),
        "peak": counts.max(),
        "peak_day": hours[int(np.argmax(counts))] / 24.0,
        **{f"at_{hour}": counts[hour] for hour in (12, 24, 48, 72)},
    }


@pytest.mark.parametrize("case", params("model_case"))
def test_the_course_of_a_typical_person(case) -> None:
    assert model_row(case["model"], LIBRARY).basis.drives
    found = told(*drawn(case))
    for what, expected in case["expect"].items():
        assert found[what] == pytest.approx(expected, rel=NEAR[what], abs=0.06 if what == "severe" else 1e-3), what


@pytest.mark.parametrize("case", params("covariate_case"))
def test_covariates_are_worked_in(case) -> None:
    model = build(model_row(case["model"], LIBRARY), covariates=Covariates(values=case["person"]))
    for name, expected in case["expect"].items():
        assert model.typical[model.at(name)] == pytest.approx(expected, rel=5e-4), name


def injected(case: dict) -> tuple[np.ndarray, np.ndarray]:
    """Hours and counts of the typical person by the receptor model."""
    given = [Injected(hour=day * 24.0, amount=mg) for day, mg in case["injections"]]
    if "chemotherapy" in case:
        given.append(Injected(hour=0.0, amount=case["chemotherapy"], what="chemotherapy"))
    hours = np.arange(0.0, 21 * 24.0 + 1.0)
    row = model_row(case["model"], LIBRARY)
    return hours, course(row, given, hours=hours, factor=case["factor"], healthy=case.get("healthy", False))


@pytest.mark.parametrize("case", params("receptor_case"))
def test_the_receptor_model(case) -> None:
    found = told(*injected(case))
    for what, expected in case["expect"].items():
        assert found[what] == pytest.approx(expected, rel=0.01, abs=0.05), what


@pytest.mark.parametrize("case", params("published"))
def test_published_numbers_are_met_or_missed_as_said(case) -> None:
    """A miss that is said is no failure; one that turns into a pass, or the reverse, is."""
    found = told(*(injected(case) if "injections" in case else drawn(case)))[case["measure"]]
    far = abs(found - case["published"])
    limit = case["days"] if "days" in case else case["within"] * case["published"]
    assert bool(far <= limit) is case["met"], found
    assert case["met"] or case["why"]


def test_every_model_has_a_case() -> None:
    named = {
        name
        for table in CASES.values()
        if isinstance(table, list)
        for case in table
        for name in (case["model"], case.get("adds"))
        if name
    }
    assert {row.id for row in LIBRARY.rows(ModelRow)} == named


@pytest.mark.parametrize("row", LIBRARY.rows(ModelRow), ids=lambda row: row.id)
def test_a_check_of_a_model_is_one_of_its_cases(row) -> None:
    """What a row says that it was checked against stands in the cases, where it is computed."""
    tables = ("model_case", "receptor_case")
    own = [case["expect"] for name in tables for case in CASES[name] if row.id in {case["model"], case.get("adds")}]
    names = {"nadir": "nadir", "nadir_day": "day", "baseline_day": "back", "days_below_half": "severe"}
    for check in row.checks:
        what = names.get(check.what, check.what)
        near = [case[what] for case in own if what in case and abs(case[what] - check.expected) <= check.tolerance]
        assert near, f"{check.what} {check.dose}"


def test_the_page_of_the_models_names_each_of_them() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "marrow-models.md").read_text("utf-8")
    ships = page.split("## What does not ship")[0]
    assert [row.id for row in LIBRARY.rows(ModelRow) if f"| {row.id} |" not in ships] == []
