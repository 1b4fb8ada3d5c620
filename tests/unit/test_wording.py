"""How numbers, days and lists are said."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from leuko.record import Moment
from leuko.wording import say_bounded, say_days, say_list, say_moment, say_number


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.5, "0.5"),
        (0.49996, "0.49996"),  # below 0.5, and never said as 0.5
        (4.6 * 20 / 100, "0.92"),  # 0.9199999999999999 in binary
        (3.843283474181327, "3.843"),
        (128.0, "128"),
        (0.05, "0.05"),
        (0.0, "0"),
        (1.4999999, "1.4999999"),
        (12345.6, "12346"),
    ],
)
def test_a_number_is_said_short_but_never_rounded_onto_a_rounder_one(value, said):
    assert say_number(value) == said


def test_a_bound_keeps_its_sign():
    assert [say_bounded(0.1, bound) for bound in ("=", "<", "<=", ">", ">=")] == ["0.1", "<0.1", "≤0.1", ">0.1", "≥0.1"]


@pytest.mark.parametrize(("days", "said"), [(1.0, "1 day"), (0.0, "0 days"), (12.0, "12 days"), (0.5, "0.5 days")])
def test_days(days, said):
    assert say_days(days) == said


@pytest.mark.parametrize(
    ("precision", "said"),
    [("year", "2026"), ("month", "March 2026"), ("day", "3 March 2026"), ("second", "3 March 2026")],
)
def test_a_moment_is_said_as_precisely_as_it_is_known(precision, said):
    assert say_moment(Moment(at=datetime(2026, 3, 3, tzinfo=UTC), precision=precision)) == said


def test_lists():
    assert [say_list(()), say_list(["a"]), say_list(["a", "b"]), say_list(["a", "b", "c"], "or")] == [
        "",
        "a",
        "a and b",
        "a, b or c",
    ]
