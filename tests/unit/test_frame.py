"""An assessment as tables and arrays; and the examples in the docstrings run."""

from __future__ import annotations

import doctest
import shutil
from datetime import UTC, date
from importlib import import_module
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import leuko
from leuko.errors import UsageError
from leuko.frozen import replace
from leuko.result import Assessment

SOURCE = Path(leuko.__file__).parent
EXAMPLES = SOURCE / "data" / "examples"
WITH_EXAMPLES = sorted(
    ".".join(("leuko", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if "    >>> " in path.read_text("utf-8")
)


@pytest.fixture(scope="module")
def adult() -> Assessment:
    record = leuko.read(EXAMPLES / "adult-on-docetaxel.json").records[0]
    return leuko.assess(record, as_of=date(2026, 3, 10))


def test_every_count_that_was_used_has_its_row(adult: Assessment) -> None:
    found = adult.to_polars()
    assert found["id"].to_list() == [status.count.id for status in adult.history]
    assert found["value"].to_list() == [status.count.value for status in adult.history]
    assert found["low"].to_list() == [status.interval.low for status in adult.history]
    assert found["position"].to_list() == [status.position for status in adult.history]
    assert found["taken"].dtype == pl.Datetime("us", "UTC")


def test_a_grade_that_cannot_be_given_is_null_and_says_why(adult: Assessment) -> None:
    found = adult.to_polars("grades")
    every = [grade for status in adult.history for grade in status.grades]
    assert found["grade"].to_list() == [grade.value for grade in every]
    open_ = found.filter(pl.col("grade").is_null())
    assert open_.height == sum(grade.value is None for grade in every)
    assert open_["why"].null_count() == 0
    assert found.filter(pl.col("grade").is_not_null())["why"].is_null().all()


def test_a_forecast_has_a_row_a_time(adult: Assessment) -> None:
    fan = adult.forecasts[0].fan
    assert fan is not None
    found = adult.to_polars("forecast").filter(analyte=adult.forecasts[0].analyte)
    assert found["time"].to_list() == list(fan.times)
    assert found["q0.5"].to_list() == list(fan.quantiles[fan.levels.index(0.5)])
    assert found["below_0.5"].to_list() == list(dict(fan.below)[0.5])


def test_tables_of_nothing_have_their_columns(adult: Assessment) -> None:
    nothing = replace(adult, history=(), forecasts=())
    assert nothing.to_polars().columns == adult.to_polars().columns
    assert nothing.to_polars().schema == adult.to_polars().schema
    assert nothing.to_polars("grades").schema == adult.to_polars("grades").schema
    assert nothing.to_polars("forecast").height == 0


def test_an_unknown_table_is_refused_with_those_there_are(adult: Assessment) -> None:
    with pytest.raises(UsageError, match="no table sums") as refused:
        adult.to_polars("sums")
    assert "counts, grades or forecast" in str(refused.value)


def test_the_fan_as_arrays(adult: Assessment) -> None:
    fan = adult.forecasts[0].fan
    assert fan is not None
    found = fan.to_numpy()
    times = len(fan.times)
    assert found["times"].dtype == np.dtype("datetime64[s]")
    assert found["times"][0] == np.datetime64(fan.times[0].astimezone(UTC).replace(tzinfo=None))
    assert found["quantiles"].shape == (len(fan.levels), times)
    assert found["below"].shape == (found["cuts"].size, times)
    assert found["paths"].shape == (len(fan.paths), times)
    assert np.all(np.diff(found["quantiles"], axis=0) >= 0)
    assert replace(fan, measured=(), paths=()).to_numpy()["measured"].shape == (0, times)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_in_docstrings_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(import_module(name), raise_on_error=False)
    assert found.attempted > 0
    assert found.failed == 0


def test_the_front_door_has_examples() -> None:
    assert {"leuko.assessment", "leuko.grading", "leuko.intake", "leuko.report.frame"} <= set(WITH_EXAMPLES)
