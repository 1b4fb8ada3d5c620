"""Reading a cohort: nothing is lost, the vectorised way is the way for one person, and order and size do not matter."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from leuko.cohort.read import Frames, read_source
from leuko.errors import UnreadableInput
from leuko.intake import read

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = [
    "WBC",
    "Leukocytes",
    "ANC",
    "Neutrophils",
    "Neutrophils %",
    "NEUT#",
    "Platelets",
    "Hemoglobin",
    "Glucose",
    "CSF WBC",
    "Blasts",
]
UNITS = ["10*9/L", "K/uL", "/uL", "cells/uL", "G/L", "%", "FRACTION", "g/dL", "g/L", "mmol/L", "/hpf", "?", ""]
VALUES = st.one_of(
    st.decimals(0, 20, places=2).map(str),
    st.integers(0, 20_000).map(str),
    st.decimals(0, 1, places=3).map(str),
    st.sampled_from(
        ["<0.1", ">100", "0", "", "haemolysed", "-1", "4.0 H", "1e2", "0.45", "500", "500.5", "1.5 /uL", ".5"]
    ),
)
LIMITS = st.sampled_from(
    [("", ""), ("4.0", "11.0"), ("4000", "11000"), ("1.8", "7.7"), ("0", "0"), ("0", "5"), ("150", "400")]
)
DAYS = st.dates(date(2023, 1, 1), date(2024, 12, 31)).map(str) | st.sampled_from(
    ["2024-05-03T08:15", "3.5.2024", "2024-05", "soon"]
)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, str]]:
    found = []
    for _ in range(draw(st.integers(1, 40))):
        low, high = draw(LIMITS)
        found.append(
            {
                "patient": draw(st.sampled_from(["A", "B", "C", "D"])),
                "test": draw(st.sampled_from(NAMES)),
                "value": draw(VALUES),
                "unit": draw(st.sampled_from(UNITS)),
                "low": low,
                "high": high,
                "date": draw(DAYS),
            }
        )
    return found


def cohort(folder: str, **options: int) -> list[Frames]:
    return list(read_source([folder], **options))


def together(parts: list[Frames]) -> pl.DataFrame:
    return pl.concat(part.results for part in parts)


@SETTINGS
@given(rows())
def test_each_row_is_used_or_told_and_as_for_one_person(table: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labs.csv"
        pl.DataFrame(table).write_csv(path)
        parts = cohort(str(path), batch_people=2)
        results = together(parts)
        notices = pl.concat(part.notices for part in parts)
        assert sum(part.rows for part in parts) == len(table)
        assert results.height + notices["rows"].fill_null(0).sum() == len(table)
        assert not results["value"].is_nan().any()
        try:
            records = read(path).records
        except UnreadableInput:
            records = ()
        alone = {
            (record.patient.id, (count.origin.place.line or 0) - 1): (
                count.analyte,
                count.value,
                count.bound,
                count.lab_low,
                count.lab_high,
                count.taken.at if count.taken and count.taken.precision not in {"year", "month"} else None,
            )
            for record in records
            for count in record.counts
        }
        columns = ("analyte", "value", "bound", "low", "high", "taken")
        many = {(person, row): tuple(rest) for person, row, *rest in results.select("person", "row", *columns).rows()}
        assert many == alone


@SETTINGS
@given(rows(), st.integers(1, 5), st.randoms())
def test_files_order_and_batches_change_nothing(table: list[dict[str, str]], people: int, random) -> None:
    columns = ("person", "analyte", "value", "bound", "low", "high", "taken", "digits")
    whole = [row for row in table if row["patient"]]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
        pl.DataFrame(whole).write_csv(Path(one) / "labs.csv")
        shuffled = list(whole)
        random.shuffle(shuffled)
        for number in range(3):
            part = shuffled[number::3]
            if part:
                pl.DataFrame(part).write_csv(Path(many) / f"{number}.csv")
        left = together(cohort(one)).select(columns).sort(columns)
        right = together(cohort(many, batch_people=people)).select(columns).sort(columns)
        assert left.equals(right)


@SETTINGS
@given(
    st.lists(
        st.tuples(
            st.integers(1, 6),
            st.sampled_from(["WBC", "Neutrophils", "Neutrophils %", "Hemoglobin"]),
            st.floats(0, 20_000, allow_nan=False).map(lambda x: round(x, 3)),
            st.sampled_from(["10*9/L", "/uL", "K/uL", "%", "g/dL", "FRACTION"]),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_stored_numbers_are_read_as_their_text_would_be(table: list[tuple[int, str, float, str]]) -> None:
    names = ["person_id", "test", "value", "unit"]
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(len(table))]
    frame = pl.DataFrame(table, schema=names, orient="row").with_columns(pl.Series("collected", days))
    with tempfile.TemporaryDirectory() as folder:
        frame.write_parquet(Path(folder) / "labs.parquet")
        stored = together(cohort(folder)).select("row", "analyte", "value").sort("row")
        records = ()
        with suppress(UnreadableInput):
            records = read(Path(folder) / "labs.parquet").records
        alone = sorted(((c.origin.place.line or 0) - 1, c.analyte, c.value) for r in records for c in r.counts)
        assert stored.rows() == alone


TESTS = st.sampled_from(["WBC", "Neutrophils %", "ANC", "Platelets", "Glucose", "CSF WBC", "Blasts", ""])
NUMBERS = st.one_of(
    st.decimals(0, 20, places=2).map(float),
    st.integers(0, 20_000).map(float),
    st.sampled_from([0.0, 0.01, 1e6, -1.0, float("nan")]),
    st.none(),
)
TIMES = st.none() | st.datetimes(datetime.fromisoformat("2023-01-01"), datetime.fromisoformat("2024-12-31"))
STATUSES = st.sampled_from(["final", "corrected", "preliminary", "cancelled", "F", "hm", "", None])


@st.composite
def typed_rows(draw: st.DrawFn) -> pl.DataFrame:
    """Rows of a table whose columns have types; some of them without a person, a number or a time."""
    odd = st.tuples(st.integers(1, 4) | st.none(), TESTS, NUMBERS, st.sampled_from(UNITS) | st.none(), TIMES, STATUSES)
    plain = st.tuples(
        st.integers(1, 4),
        st.sampled_from(["WBC", "Platelets"]),
        st.sampled_from([0.0, 0.01, 0.4, 3.5, 7.25, 90.0, 250.0, 4e3]),
        st.sampled_from(["10*9/L", "/uL"]),
        TIMES.filter(bool),
        st.sampled_from(["final", "corrected"]),
    )
    told = draw(st.sampled_from([odd, plain, odd | plain]))
    kinds = {
        "patient_id": pl.Int64(), "test": pl.String(), "value": pl.Float64(), "unit": pl.String(),
        "date": pl.Datetime("us", "UTC"), "status": pl.String(),
    }  # fmt: skip
    found = pl.DataFrame(draw(st.lists(told, min_size=1, max_size=40)), schema=kinds, orient="row")
    found = found.drop(draw(st.sampled_from([[], ["status"], ["unit"]])))
    if draw(st.booleans()):
        named = draw(st.sampled_from(["P{}", "P{} "]))
        found = found.with_columns(patient_id=pl.format(named, "patient_id"))
    return found.sort("patient_id", maintain_order=True) if draw(st.booleans()) else found


@SETTINGS
@given(typed_rows())
def test_plain_rows_are_read_at_once_as_they_are_one_by_one(table: pl.DataFrame) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table.write_parquet(Path(folder) / "labs.parquet")
        with suppress(UnreadableInput):
            quick = cohort(folder)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("leuko.cohort.read.quick.Plainly.read", lambda *_: None)
                slow = cohort(folder)
            assert len(quick) == len(slow)
            for one, other in zip(quick, slow, strict=True):
                assert one.rows == other.rows
                for name, kept in one.tables.items():
                    assert_frame_equal(kept, other.tables[name])
