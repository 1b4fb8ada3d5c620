"""What every view must keep for any series of counts: nothing lost, nothing off the axis, no wide line."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from fixtures.assessments import count, rich, status
from leuko.report.chart import describe, spec
from leuko.report.document import decode, encode
from leuko.report.page import html
from leuko.report.series import points
from leuko.report.terminal import render
from leuko.wording import say_bounded

VALUES = st.one_of(st.just(0.0), st.floats(min_value=1e-4, max_value=500, allow_subnormal=False))
BOUNDS = st.sampled_from(["=", "=", "=", "<", "<=", ">", ">="])
DAYS = st.one_of(st.none(), st.floats(min_value=0, max_value=4000))
SERIES = st.lists(st.tuples(DAYS, VALUES, BOUNDS), min_size=1, max_size=12)


def _assessment(series):
    rows = [
        status(count("neutrophils", day, value, id=f"n{number}", bound=bound))
        for number, (day, value, bound) in enumerate(sorted(series, key=lambda row: row[0] or 0.0))
    ]
    return replace(rich(), history=tuple(rows), latest=(rows[-1],), set_aside=(), courses=())


@settings(max_examples=60, deadline=None)
@given(SERIES)
def test_every_dated_count_stands_on_the_axis(series):
    assessment = _assessment(series)
    layers = spec(assessment)["vconcat"][0]["layer"]
    marks = next(layer for layer in layers if "shape" in layer["encoding"])
    low, high = marks["encoding"]["y"]["scale"]["domain"]
    drawn = {value["id"]: value for value in marks["data"]["values"]}
    dated = [s.count for s in assessment.history if s.count.taken is not None]
    assert drawn.keys() == {each.id for each in dated}
    assert all(low <= value["y"] <= high for value in drawn.values())
    assert all(drawn[each.id]["y"] == (each.value or low) for each in dated)


@settings(max_examples=60, deadline=None)
@given(SERIES)
def test_the_words_name_the_lowest_value(series):
    assessment = _assessment(series)
    lowest = min(s.count.value for s in assessment.history)
    shown = {say_bounded(s.count.value, s.count.bound) for s in assessment.history if s.count.value == lowest}
    text = describe(assessment, analytes=["neutrophils"])
    if any(s.count.taken is not None for s in assessment.history):
        assert any(f"Lowest {each} " in text for each in shown)
    assert f"{len(series)} count" in text


@settings(max_examples=25, deadline=None)
@given(SERIES)
def test_views_lose_no_count_and_print_no_wide_line(series):
    assessment = _assessment(series)
    assert decode(encode(assessment)) == assessment
    page = html(assessment)
    for row in points(assessment):
        assert row.when in page
    assert all(cell_len(line) <= 80 for line in render(assessment).splitlines())


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_no_text_from_outside_breaks_a_view(text):
    assessment = replace(
        rich(),
        headline=f"x{text}",
        doses=(replace(rich().doses[0], drug=text or "x"),),
        notices=(replace(rich().notices[0], text=text),),
    )
    written = render(assessment)
    assert "\x1b" not in written
    assert all(cell_len(line) <= 80 for line in written.splitlines())
    assert "<script>x" not in html(assessment)
    assert decode(encode(assessment)) == assessment
