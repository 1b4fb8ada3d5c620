"""What `shifts` says of two editions is what grading does: inside a shift the grades differ, outside they agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leuko.grading import grade
from leuko.knowledge import load_library
from leuko.knowledge.audit import shifts
from leuko.knowledge.probing import holds
from leuko.knowledge.schema import GradeRule

LIBRARY = load_library()
FAR_ABOVE = 1e6
"""A lower limit of normal above every number tried, so that "below the lower limit of normal" is always true."""


def rule_of(edition: str, analyte: str) -> GradeRule:
    return next(rule for rule in LIBRARY.scheme("ctcae", edition).rules if rule.analyte == analyte)


@pytest.mark.parametrize("analyte", ["wbc", "neutrophils", "cd4", "platelets", "haemoglobin"])
@given(fraction=st.floats(0, 1.5))
def test_shifts_between_ctcae_5_and_6_agree_with_grading(analyte: str, fraction: float) -> None:
    old, new = rule_of("5", analyte), rule_of("6", analyte)
    top = max(float(row.band.lower) for row in old.bands if isinstance(row.band.lower, int | float))
    value = fraction * top
    before, after = (
        grade(value, analyte=analyte, scheme="ctcae", edition=edition, lab_low=FAR_ABOVE).value
        for edition in ("5", "6")
    )
    inside = any(holds(shift.band, value) for shift in shifts(old, new))
    assert inside == (before != after)
