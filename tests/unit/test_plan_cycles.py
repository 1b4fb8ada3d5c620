"""Day 1 of a cycle whose doses carry no cycle number, in a regimen given on several days."""

from __future__ import annotations

import pytest

from fixtures.plans import day, plan, record

BOTH = ("gemcitabine", "nab-paclitaxel")  # days 1, 8 and 15 of 28


def told(days: list[int]):
    known = record(doses=[(number, drug) for number in days for drug in BOTH], facts=[("pancreatic cancer", 0)])
    return plan(known, day(days[-1] + 1), regimen="gemcitabine + nab-paclitaxel").regimen


@pytest.mark.parametrize(
    ("days", "day_1"),
    [
        ([0], 0),
        ([0, 7], 0),  # day 8 is not day 1
        ([0, 7, 14], 0),
        ([0, 7, 14, 28], 28),  # 28 days on: the next cycle
        ([0, 7, 14, 28, 35], 28),
        ([0, 14], 0),  # day 8 left out
        ([0, 7, 14, 35, 42], 35),  # the second cycle a week late
    ],
)
def test_the_cycle_is_walked_from_its_first_dose(days, day_1):
    assert told(days).day_1 == day(day_1)
    assert told(days).next_day_1 == day(day_1 + 28)
