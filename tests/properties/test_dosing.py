"""Doses: units are one scale, the record goes before the catalogue, schedules are in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.dosings import LIBRARY, START, covariates, dosing, person
from leuko.forecast.amounts import Amount, milligrams
from leuko.forecast.covariates import Covariates, rules_of
from leuko.forecast.dosing import schedule_of
from leuko.forecast.library import build, model_row, models_for
from leuko.forecast.stability import closed_form, stable
from leuko.result import Gap

RULES = rules_of(LIBRARY)
WOMAN = {"age": 50, "height": 165, "weight": 60, "sex": "female"}


@given(st.floats(0.001, 1e5), st.floats(0.2, 3.0))
def test_units_are_one_scale(amount: float, area: float) -> None:
    known = Covariates(values={"bsa": area, "weight": 60.0})
    read = {
        unit: milligrams(value, unit, "docetaxel", covariates=known, rules=RULES)
        for unit, value in (("mg", amount), ("g", amount / 1000.0), ("ug", amount * 1000.0), ("mg/m2", amount / area))
    }
    for found in read.values():
        assert isinstance(found, Amount)
        assert found.milligrams == pytest.approx(amount)


@given(st.text(max_size=12))
def test_no_unit_breaks_it(unit: str) -> None:
    found = milligrams(100.0, unit, "docetaxel", covariates=Covariates(), rules=RULES)
    assert isinstance(found, Amount | Gap)
    assert not isinstance(found, Amount) or found.milligrams > 0


@settings(max_examples=25)
@given(st.lists(st.integers(0, 80), min_size=1, max_size=6, unique=True), st.integers(0, 90), st.floats(60.0, 300.0))
def test_schedules_are_in_order_and_hold_every_dose_of_the_record(days, as_of, amount) -> None:
    record = person(WOMAN, [f"docetaxel, given, {day}, {amount:.1f} mg, 1" for day in days])
    found = dosing(record, as_of, regimen="R12")
    model = build(model_row("docetaxel-kloft", LIBRARY), library=LIBRARY)
    schedule = schedule_of(found, model, origin=START)
    assert (np.diff(schedule.hour) >= 0).all()
    assert len(schedule.hour) == len(schedule.drug) == len(schedule.amount) == len(found.given)
    on_record = {one.at.date() for one in found.given if one.dose_id}
    assert on_record == {(START + timedelta(days=day)).date() for day in days}
    assert schedule.amount == pytest.approx(schedule.amount[0])


@given(st.floats(0.5, 20.0))
def test_the_ceiling_of_feedback_is_where_stability_ends(ratio: float) -> None:
    ceiling = closed_form(ratio)
    assert stable(ceiling * 0.999, 3, ratio)
    assert not stable(ceiling * 1.001, 3, ratio)


@settings(max_examples=25)
@given(
    st.sets(st.sampled_from(["docetaxel", "doxorubicin", "cyclophosphamide", "etoposide", "vincristine"]), min_size=1)
)
def test_a_combination_has_every_medicine_once(drugs: set[str]) -> None:
    for one in models_for(sorted(drugs), covariates=Covariates(values={"age": 50.0}), library=LIBRARY):
        own = [part.drug for part in one.model.drugs if not part.shares]
        shared = [drug for part in one.model.drugs for drug, _ in part.shares]
        assert sorted([*own, *shared]) == sorted(drugs - {"vincristine"})
        assert len(one.model.names) == len(set(one.model.names)) == len(one.model.typical)
        assert one.model.omega.shape == (len(one.model.random),) * 2
        assert (np.linalg.eigvalsh(one.model.omega) >= 0).all() if one.model.random else True


def test_the_same_record_gives_the_same_doses_in_any_order() -> None:
    lines = ["docetaxel, given, 0, 120 mg", "docetaxel, given, 21, 120 mg", "cyclophosphamide, given, 0, 900 mg"]
    record = person(WOMAN, lines)
    turned = replace(record, doses=record.doses[::-1])
    assert covariates(record, 30).values == covariates(turned, 30).values
    assert dosing(record, 30, regimen="R03").given == dosing(turned, 30, regimen="R03").given
