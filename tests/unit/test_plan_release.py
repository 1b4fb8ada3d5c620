"""Orders about to be signed, held against the rules for the day of treatment."""

from __future__ import annotations

import pytest

from fixtures.dosings import ORIGIN, day, moment
from leuko.assessment import Asked, assess
from leuko.knowledge import load_library
from leuko.plan.release import Release, release_of
from leuko.record import Count, Dose, Patient, Record

LIBRARY = load_library()


def count(number: float, value: float, analyte: str = "neutrophils") -> Count:
    return Count(
        id=f"{analyte}:{number}", analyte=analyte, value=value, unit="10*9/L", taken=moment(number), origin=ORIGIN
    )


def dose(drug: str, number: float | None, name: str = "order", *, given: bool = False, status: str = "draft") -> Dose:
    start = None if number is None else moment(number)
    return Dose(id=name, drug=drug, start=start, status=status, given=given, origin=ORIGIN)


def released(orders: list[Dose], *counts: Count, on: float, given: tuple[Dose, ...] = ()) -> tuple[Release, ...]:
    record = Record(patient=Patient(id="ada"), counts=counts, doses=given)
    made = assess(record, as_of=day(on), library=LIBRARY, asked=Asked(wish=None))
    return release_of(made, orders, library=LIBRARY)


PLATELETS = count(7, 150.0, "platelets")
DOUBLET = (
    dose("carboplatin", 0, "c", given=True, status="completed"),
    dose("gemcitabine", 0, "g", given=True, status="completed"),
)


@pytest.mark.parametrize(("value", "verdict"), [(0.4, "withhold"), (1.49, "withhold"), (1.5, "give"), (4.0, "give")])
def test_a_draft_is_held_against_the_rule_of_its_medicine(value: float, verdict: str) -> None:
    (found,) = released([dose("Docetaxel", 1)], count(1, value), on=1)
    assert (found.due, found.drugs, found.unruled) == (day(1), ("docetaxel",), ())
    assert {rule.verdict for rule in found.rules if rule.checkpoint == "day_1"} == {verdict}
    assert all(rule.today for rule in found.rules)


@pytest.mark.parametrize(("ordered", "due"), [(None, 5), (2, 5), (5, 5), (9, 9)])
def test_an_order_is_for_its_day_and_never_for_one_that_has_passed(ordered: float | None, due: float) -> None:
    (found,) = released([dose("docetaxel", ordered)], count(5, 4.0), on=5)
    assert found.due == day(due)
    assert {rule.verdict for rule in found.rules} == ({"give"} if due == 5 else {"cannot_say"})  # too old by then


def test_orders_for_several_days_stand_apart() -> None:
    orders = [dose("docetaxel", 1, "one"), dose("docetaxel", 22, "two")]
    assert [one.orders for one in released(orders, count(1, 4.0), on=1)] == [("one",), ("two",)]


def test_a_further_day_of_a_cycle_has_the_rule_of_that_day() -> None:
    (found,) = released([dose("gemcitabine", 7)], count(7, 1.2), PLATELETS, on=7, given=DOUBLET)
    assert {(rule.id, rule.verdict) for rule in found.rules} == {("gemcitabine with carboplatin:8", "reduce")}
    assert {rule.checkpoint for rule in found.rules} == {"day_8"}


def test_the_next_cycle_has_the_rules_of_its_first_day_and_of_the_cycle_before() -> None:
    given = (dose("docetaxel", 0, "d", given=True, status="completed"),)
    (found,) = released([dose("docetaxel", 21)], count(8, 0.3), count(21, 3.0), on=21, given=given)
    assert {"day_1", "previous_cycle"} <= {rule.checkpoint for rule in found.rules}
    assert {rule.due for rule in found.rules} == {day(21)}


def test_without_a_cycle_begun_no_rule_of_a_later_day_speaks() -> None:
    orders = [dose("carboplatin", 7, "c"), dose("gemcitabine", 7, "g")]
    (found,) = released(orders, count(7, 4.0), PLATELETS, on=7)
    assert found.orders == ("c", "g")
    assert not {rule.checkpoint for rule in found.rules} & {"day_8", "day_15", "previous_cycle", "nadir"}


def test_what_has_no_rule_is_named_and_what_is_no_treatment_left_out() -> None:
    (found,) = released([dose("fludarabine", 1), dose("paracetamol", 1, "p")], count(1, 4.0), on=1)
    assert (found.drugs, found.rules, found.unruled) == (("fludarabine",), (), ("fludarabine",))
    assert released([dose("paracetamol", 1)], count(1, 4.0), on=1) == ()


def test_no_count_is_no_go_ahead() -> None:
    (found,) = released([dose("docetaxel", 1)], on=1)
    assert {rule.verdict for rule in found.rules} == {"cannot_say"}
