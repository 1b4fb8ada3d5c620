"""What must hold for every raw result: no crash, no silent refusal, no count in a unit a thousand times off."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from leuko.errors import Place
from leuko.intake.base import ReadOptions
from leuko.intake.checks import Interpreted, interpret
from leuko.intake.raw import RawResult
from leuko.knowledge import load_library
from leuko.record import Code
from leuko.units import known_spellings

LIBRARY = load_library()
NAMES = sorted({name for analyte in LIBRARY.analytes.values() for name in analyte.names})
LOINCS = sorted(code for system, code in LIBRARY.codes if system == "http://loinc.org")
TEXTS = st.text(max_size=30)
VALUES = (
    st.none()
    | TEXTS
    | st.decimals(allow_nan=True, allow_infinity=True, places=3).map(str)
    | st.sampled_from(["<0.1", "4,5", "0"])
)
UNITS = TEXTS | st.sampled_from([*known_spellings(), "10*3/uL", "/uL", "K/uL", "10*9/L", "/hpf"])
CODES = st.lists(
    st.builds(Code, system=st.sampled_from(["http://loinc.org", "", "L"]), code=st.sampled_from(LOINCS) | TEXTS),
    max_size=2,
)


def run(raw: RawResult) -> Interpreted:
    return interpret(raw, library=LIBRARY, options=ReadOptions())


RESULTS = st.builds(
    RawResult,
    id=st.just("x"),
    place=st.just(Place(source="s")),
    codes=CODES.map(tuple),
    names=st.lists(st.sampled_from(NAMES) | TEXTS, max_size=2).map(tuple),
    value_text=VALUES,
    unit_text=UNITS,
    unit_code=UNITS,
    low_text=VALUES,
    high_text=VALUES,
    interval_text=TEXTS | st.sampled_from(["4-10", "0-0", "<5", "1.5 - 7.5"]),
    specimen=st.lists(TEXTS | st.sampled_from(["Blood", "CSF", "Urine"]), max_size=2).map(tuple),
)


@given(RESULTS)
def test_every_raw_result_becomes_a_count_a_notice_or_nothing_of_ours(raw: RawResult) -> None:
    result = run(raw)
    assert (result.count is not None) == (result.kind == "count")
    assert all(notice.code in LIBRARY.notices for notice in result.notices)
    if result.kind == "refused":
        assert result.notices
    if result.count is not None:
        assert math.isfinite(result.count.value)
        assert result.count.value >= 0
        assert result.count.unit == LIBRARY.analytes[result.count.analyte].unit
        assert not any(notice.data_lost for notice in result.notices)


@given(tenths=st.integers(min_value=1, max_value=300), up=st.booleans(), with_interval=st.booleans())
def test_a_white_count_in_a_unit_a_thousand_times_off_never_becomes_a_low_count(
    tenths: int, up: bool, with_interval: bool
) -> None:
    """0.1 to 30.0: sent a thousand times too large or too small, with an interval that is off alike or without one."""
    number = f"{tenths * 100}" if up else f"{tenths / 10:.1f}"
    ends = (("4000", "10000") if up else ("4.0", "10.0")) if with_interval else (None, None)
    unit = "10*9/L" if up else "/uL"
    result = run(
        RawResult(
            id="x",
            place=Place(source="s"),
            codes=(Code(system="http://loinc.org", code="6690-2"),),
            value_text=number,
            unit_text=unit,
            low_text=ends[0],
            high_text=ends[1],
        )
    )
    if with_interval:
        assert result.kind == "refused"
    elif result.count is not None:
        assert result.notices, result


@given(cells=st.integers(min_value=0, max_value=99_000))
def test_a_right_count_per_microlitre_is_never_refused(cells: int) -> None:
    result = run(
        RawResult(
            id="x",
            place=Place(source="s"),
            codes=(Code(system="http://loinc.org", code="751-8"),),
            value_text=str(cells),
            unit_text="/uL",
            low_text="1500",
            high_text="7500",
        )
    )
    assert result.count is not None
    assert result.count.value == cells / 1000
