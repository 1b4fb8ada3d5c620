"""The engine against the same rules in SQL and in Polars, for the plain results that those hold for."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from cohort_peers import SERIES, graded, in_polars, said_in_sql, said_of, sql, units
from cohort_people import START
from leuko.cohort import frames
from leuko.cohort.batch import Batch, run_batch
from leuko.cohort.tables import rules_of

RULES = rules_of()
PERSONS = ["person", "results", "counts", *(name for name, *_ in graded(RULES))]
EPISODES = [
    "person", "analyte", "onset_earliest", "onset_latest", "nadir", "recovery_earliest", "recovery_latest",
    "confirmed", "days_least", "days_most", "counts",
]  # fmt: skip
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
LOW = [4, 49, 50, 60, 99, 100, 149, 150, 151, 199, 200, 250, 399, 400, 600]  # hundredths, on and beside the limits


@st.composite
def draw_of(draw: st.DrawFn) -> list[tuple[str, float, str]]:
    """One draw: name, value, unit."""
    thousand = draw(st.booleans())
    unit, times = ("/uL", 1000) if thousand else ("10*9/L", 1)

    def count(name: str) -> tuple[str, float, str]:
        hundredths = draw(st.sampled_from(LOW) | st.integers(5, 900))
        return name, float(hundredths * 10) if times > 1 else hundredths / 100, unit

    rows = []
    kind = draw(st.sampled_from(["percent", "absolute", "both", "alone", "none"]))
    if kind in {"percent", "absolute", "both"}:
        rows.append(count("wbc"))
    if kind in {"percent", "both"}:
        rows.append(("neutrophils_percent", float(draw(st.integers(1, 90))), "%"))
    if kind in {"absolute", "both", "alone"}:
        rows.append(count("neutrophils"))
    if kind == "none" or draw(st.booleans()):
        rows.append(("platelets", float(draw(st.sampled_from([9, 10, 25, 49, 50, 75, 149, 150, 300]))), "10*9/L"))
    return rows


@st.composite
def studies(draw: st.DrawFn) -> pl.DataFrame:
    """Rows as a study writes them: repeats and corrections among them."""
    rows: list[dict[str, Any]] = []
    for person in range(draw(st.integers(1, 3))):
        taken = START + timedelta(hours=8)
        for results in draw(st.lists(draw_of(), min_size=1, max_size=14)):
            taken += timedelta(days=draw(st.sampled_from([1, 1, 2, 3, 44, 45, 46])))
            for name, value, unit in results:
                row = {"person": person, "analyte": name, "value": value, "taken": taken, "unit": unit}
                rows += [{**row, "status": "final"}] * draw(st.sampled_from([1, 1, 1, 2]))
                if draw(st.integers(0, 6)) == 0:
                    other = float(draw(st.integers(1, 80))) if unit == "%" else value * 2
                    rows.append({**row, "status": "corrected", "value": other})
    kinds = {"person": pl.Int64(), "taken": pl.Datetime("us", "UTC"), "value": pl.Float64()}
    return pl.DataFrame(rows, schema_overrides=kinds)


def by_the_engine(study: pl.DataFrame) -> Batch:
    """The engine on the rows in the units of the analytes."""
    factors = {(name, unit): (over, under) for name, unit, over, under in units(RULES)}
    values = [
        value * factors[name, unit][0] / factors[name, unit][1]
        for name, unit, value in study.select("analyte", "unit", "value").iter_rows()
    ]
    whole = study.with_columns(pl.Series("value", values), has_time=pl.lit(value=True), file=pl.lit("study.csv"))
    kinds = frames.schema(frames.RESULTS, person=pl.Int64())
    results = whole.with_row_index("row", offset=1).select(
        pl.col(name).cast(kind) if name in {*whole.columns, "row"} else pl.lit(None, dtype=kind).alias(name)
        for name, kind in kinds.items()
    )
    empty = {
        name: pl.DataFrame(schema=frames.schema(columns, person=pl.Int64()))
        for name, columns in (("people", frames.PEOPLE), ("treatments", frames.TREATMENTS))
    }
    return run_batch(results, empty["people"], empty["treatments"], RULES)


def persons_of(table: pl.DataFrame) -> pl.DataFrame:
    return table.select(pl.col(name).cast(pl.Int64) for name in PERSONS).sort("person")


def episodes_of(table: pl.DataFrame) -> pl.DataFrame:
    found = table.rename({"recovery_confirmed": "confirmed"}, strict=False).filter(pl.col("analyte").is_in(SERIES))
    kinds = {"analyte": pl.String(), "nadir": pl.Float64(), "days_least": pl.Float64(), "days_most": pl.Float64()}
    return found.select(
        (pl.col(name).to_physical() if name not in kinds else pl.col(name)).cast(kinds.get(name, pl.Int64()))
        for name in EPISODES
    ).sort("person", "analyte", "onset_latest")


@SLOW
@given(studies())
def test_polars_says_what_the_engine_says(study: pl.DataFrame) -> None:
    found = by_the_engine(study)
    persons, episodes = pl.collect_all(in_polars(RULES, study.lazy()))
    assert_frame_equal(persons_of(persons), persons_of(found.persons))
    assert_frame_equal(episodes_of(episodes), episodes_of(found.episodes))
    # sums are rounded to thousandths; in another order of adding they may fall to the other side
    assert said_of(persons, episodes, RULES) == pytest.approx(
        said_of(found.persons, found.episodes, RULES), rel=0, abs=0.0011
    )


@SLOW
@given(studies())
def test_sql_says_what_the_engine_says(study: pl.DataFrame) -> None:
    found = by_the_engine(study)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "study.parquet"
        study.write_parquet(path)
        for name, query in sql(RULES, f"read_parquet('{path}')", micros="epoch_us").items():
            connection.execute(f"create temp table {name} as {query}")
        persons = asked(connection, "persons", [name.replace(".", "_") for name in PERSONS]).rename(
            lambda name: name.replace("daids_2_1", "daids_2.1")
        )
        assert_frame_equal(persons_of(persons), persons_of(found.persons))
        assert_frame_equal(episodes_of(asked(connection, "episodes", EPISODES)), episodes_of(found.episodes))
        said = connection.execute(said_in_sql(RULES)).fetchone()
        # Sums are rounded to three digits: half of the last one may fall either way.
        assert [float(number or 0) for number in said] == pytest.approx(
            said_of(found.persons, found.episodes, RULES), abs=1.5e-3, rel=0
        )


def asked(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> pl.DataFrame:
    rows = connection.execute(f"select {', '.join(columns)} from {table}").fetchall()  # noqa: S608 (fixed names)
    return pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)
