"""People for the tests of cohorts: rows that meet, repeat, correct and contradict each other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from leuko.cohort import frames

START = datetime(2020, 1, 1, tzinfo=UTC)
PERCENT = [0.0, 0.5, 2.0, 10.0, 25.0, 33.3, 40.0, 55.0, 61.5, 97.0]
COUNT = [0.0, 0.05, 0.2, 0.5, 0.8, 1.0, 1.24, 1.49, 1.5, 1.8, 1.82, 3.0, 3.9, 4.0, 7.25]
OTHER = {"haemoglobin": [60.0, 79.0, 105.0, 120.0, 150.0], "platelets": [5.0, 24.0, 74.0, 149.0, 150.0, 300.0]}
ANALYTES = (
    ["wbc"] * 4
    + ["neutrophils_percent"] * 3
    + ["neutrophils"] * 3
    + ["segments_percent", "bands_percent", "segments", "bands", "granulocytes", "granulocytes_percent"]
    + ["wbc_corrected", "nrbc_per_100_wbc", "lymphocytes_percent", "lymphocytes", "monocytes_percent"]
    + ["eosinophils_percent", "basophils_percent", "immature_granulocytes_percent", "blasts_percent"]
    + ["variant_lymphocytes_percent", "platelets", "haemoglobin", "cd4", "monocytes"]
)
HOURS = [timedelta(), timedelta(hours=8), timedelta(hours=8, minutes=5), timedelta(hours=20)]
HALVES = [timedelta(hours=8, microseconds=us) for us in (1, 400_000, 500_000)]
BORN = [None, date(1980, 2, 29), date(2002, 1, 30), date(2019, 12, 31), date(2020, 1, 2), date(2018, 2, 1)]


def _value(analyte: str) -> st.SearchStrategy[float]:
    if analyte in OTHER:
        return st.sampled_from(OTHER[analyte])
    if analyte.endswith("_percent") or analyte == "nrbc_per_100_wbc":
        return st.sampled_from(PERCENT)
    return st.sampled_from(COUNT) | st.integers(0, 5000).map(lambda whole: whole / 1000)


@st.composite
def results(draw: st.DrawFn, person: Any, *, plain: bool) -> dict[str, Any]:
    """One row. `plain`: a time of day, no name of a sample."""
    analyte = draw(st.sampled_from(ANALYTES))
    timed = plain or draw(st.integers(0, 3)) > 0
    day = timedelta(days=draw(st.integers(0, 4) | st.integers(0, 120)))
    moment = START + day + (draw(st.sampled_from(HOURS + HALVES)) if timed else timedelta())
    rare = draw(st.integers(0, 60))
    return {
        "person": person,
        "analyte": analyte,
        "value": None if rare == 1 else draw(_value(analyte)),
        "bound": draw(st.sampled_from(["="] * 9 + ["<", "<=", ">", ">="])),
        "taken": None if rare == 2 else moment,
        "has_time": timed,
        "low": draw(st.sampled_from([None, None, None, 1.5, 1.8, 4.0, 0.0])),
        "high": draw(st.sampled_from([None, None, 10.0])),
        "draw": None if plain else draw(st.sampled_from([None, None, "x", "y"])),
        "status": draw(st.sampled_from(["final"] * 4 + ["corrected", "preliminary", "registered", None])),
        "sequence": draw(st.sampled_from([None, None, None, 1, 2])),
        "digits": draw(st.sampled_from([None, None, 0, 1, 2, 3])),
        "file": draw(st.sampled_from(["a.csv", "b.csv"])),
    }


@st.composite
def cohorts(draw: st.DrawFn, *, most: int = 5, whole: bool = False) -> dict[str, pl.DataFrame]:
    """A few people as the frames of reading; `whole` numbers as ids, else text."""
    kind = pl.Int64() if whole else pl.String()
    rows: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    treatments: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, most))):
        person: Any = number if whole else f"p{number}"
        found = draw(st.lists(results(person, plain=draw(st.booleans())), max_size=14))
        again = [found[at] for at in draw(st.lists(st.integers(0, 13), max_size=2)) if at < len(found)]
        rows += [{**row, "row": len(rows) + at} for at, row in enumerate((*found, *again))]
        born, precision = draw(st.sampled_from(BORN)), draw(st.sampled_from(["day", "day", "month", "year"]))
        sex = draw(st.sampled_from([None, "female", "male"]))
        if draw(st.integers(0, 4)):
            people.append({"person": person, "born": born, "born_precision": precision, "sex": sex})
        for day in draw(st.lists(st.integers(0, 30), max_size=2)):
            start = START + timedelta(days=day, hours=draw(st.sampled_from([0, 9])))
            treatments.append({"person": person, "start": start, "given": True, "cytotoxic": True})
    return {
        "results": _frame(draw(st.permutations(rows)), frames.RESULTS, kind),
        "people": _frame(people, frames.PEOPLE, kind),
        "treatments": _frame(treatments, frames.TREATMENTS, kind),
        "notices": _frame([], frames.NOTICES, kind),
    }


def _frame(rows: list[dict[str, Any]], columns: dict[str, str], kind: pl.DataType) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=frames.schema(columns, person=kind), orient="row")


def people_of(tables: dict[str, pl.DataFrame], wanted: list[Any]) -> dict[str, pl.DataFrame]:
    """The rows of some people."""
    return {name: table.filter(pl.col("person").is_in(wanted)) for name, table in tables.items()}


def everybody(tables: dict[str, pl.DataFrame]) -> list[Any]:
    """The ids of all people, in order."""
    return sorted(set().union(*(table["person"].to_list() for table in tables.values())))
