"""Rows of text are told apart by what they say, however their texts are kept."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leuko.cohort.read.distinct import combined

TEXTS = st.one_of(
    st.none(), st.sampled_from(["", " a", "a", "neutrophils", "neutrophils_percent"]), st.text(max_size=40)
)
ROWS = st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=60)


def said(rows: list[tuple[str | None, ...]]) -> list[dict[str, str]]:
    return [{name: (text or "").strip() for name, text in zip("abc", row, strict=True)} for row in rows]


@given(rows=ROWS, cut=st.integers(0, 60), again=st.booleans())
def test_every_row_says_what_its_combination_says(rows: list[tuple[str | None, ...]], cut: int, again: bool) -> None:
    whole = pl.DataFrame(rows, schema=dict.fromkeys("abc", pl.String), orient="row")
    frame = pl.concat([whole, whole], rechunk=False) if again else whole
    frame, expected = frame.slice(cut), said(rows * (1 + again))[cut:]
    kinds, places = combined(frame.to_dict())
    assert [kinds[place] for place in places] == expected


@pytest.mark.parametrize("many", [4_095, 4_096, 4_097, 9_000])
def test_many_different_texts_are_told_apart_as_well(many: int) -> None:
    texts = [f"a text that is too long to lie in a view: {number}" for number in range(many)] * 2
    kinds, places = combined({"a": pl.Series(texts), "b": pl.Series(["x"] * len(texts))})
    assert [kinds[place]["a"] for place in places] == texts
    assert {kind["b"] for kind in kinds} == {"x"}
