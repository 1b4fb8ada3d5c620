"""What the caller says of people beside the sources: an arm or stratum, and the weight of a survey."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from leuko.cohort.read import Frames
from leuko.errors import UsageError

_TOLD = ("arm", "weight")


def read_strata(path: Path) -> pl.DataFrame:
    """A CSV or Parquet file with the columns person and arm, weight or both; UsageError where it is none.

    What it says takes the place of what the sources say.
    """
    try:
        whole = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        why = str(error).partition("\n")[0]
        raise UsageError("the file of strata cannot be read", where=str(path), why=why) from error
    told = [name for name in _TOLD if name in whole.columns]
    if "person" not in whole.columns or not told:
        raise UsageError(
            "the file of strata lacks a column",
            where=str(path),
            why=f"it has {', '.join(whole.columns)}",
            do="name its columns person, and arm or weight",
        )
    found = whole.select("person", *told).cast(pl.String)
    if found["person"].is_duplicated().any():
        raise UsageError("the file of strata names a person twice", where=str(path), do="give each person one row")
    if "weight" not in told:
        return found
    numbers = found["weight"].cast(pl.Float64, strict=False)
    wrong = (numbers.is_null() & found["weight"].is_not_null()) | (numbers < 0).fill_null(value=False)
    if wrong.any():
        first = found.filter(wrong)["weight"][0]
        raise UsageError("a weight is no number from 0 on", where=str(path), why=f"{first!r}")
    return found.with_columns(weight=numbers)


def with_strata(batches: Iterable[Frames], strata: pl.DataFrame | None) -> Iterator[Frames]:
    """The batches with what is told of their people."""
    for batch in batches:
        yield batch if strata is None else _told(batch, strata)


def _told(batch: Frames, strata: pl.DataFrame) -> Frames:
    kind = batch.people.schema["person"]
    known = strata.with_columns(pl.col("person").cast(kind, strict=False)).drop_nulls("person")
    names = [name for name in _TOLD if name in strata.columns]
    told = {name: f"_{name}" for name in names}
    everybody = pl.concat([batch.people.select("person"), batch.results.select("person")]).drop_nulls().unique()
    new = everybody.join(batch.people, on="person", how="anti").sort("person")
    whole = pl.concat([batch.people, new.select("person")], how="diagonal").join(
        known.rename(told), on="person", how="left", maintain_order="left"
    )
    people = whole.with_columns(pl.coalesce(f"_{name}", name).alias(name) for name in names)
    return replace(batch, people=people.select(batch.people.columns))
