"""Counts of many people from a table with a person, a day and a count in each row.

Days are numbers from any origin of the person, as studies publish them; counts are 10*9/L. Dates and other units go
through `leuko.intake`. A file is taken by its columns, whatever its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from leuko.errors import UnreadableInput
from leuko.forecast.state_space import Series
from leuko.frozen import Frozen

if TYPE_CHECKING:
    import polars as pl

PERSON: Final = ("id", "subject", "usubjid", "person", "patient")
DAY: Final = ("time_day", "day", "days", "time")
COUNT: Final = ("anc_g_per_l", "anc", "neutrophils")
# A table with this column holds pharmacometric records, whose time is in hours (`records`).
_RECORDS: Final = ("evid",)
_ENDINGS: Final = (".csv", ".csv.gz", ".tsv", ".parquet")


class Table(Frozen, frozen=True, kw_only=True):
    """The people of a table, the step in which its counts are printed [10*9/L], and what was left out, in words."""

    people: dict[str, Series]
    resolution: float
    said: tuple[str, ...]


def read_counts(folder: Path) -> Table:
    """The counts of the first table below `folder` (or the file itself) that has person, day and count.

    Raises UnreadableInput where there is none. Rows that lack one of the three, or have a count below zero, are left
    out and said. A count printed as 0 lay below the least that is printed, and is taken as that.
    """
    for path in files_of(folder):
        frame = read_frame(path)
        columns = _columns(frame)
        if columns is not None:
            return _table(frame.select(**dict(zip(("person", "day", "count"), columns, strict=True))), path)
    raise UnreadableInput(
        f"no table of counts in {folder}",
        why=f"a table needs a person ({', '.join(PERSON)}), a day ({', '.join(DAY)}) and a count"
        f" ({', '.join(COUNT)}) in every row",
        do="name the folder or the file that holds such a table (CSV, TSV, Parquet)",
    )


def files_of(folder: Path) -> Iterator[Path]:
    """The tables of a folder by name, or the file itself."""
    found = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    return (path for path in found if path.is_file() and path.name.lower().endswith(_ENDINGS))


def read_frame(path: Path) -> pl.DataFrame:
    """A table as it stands. Raises UnreadableInput."""
    import polars as pl  # noqa: PLC0415 (heavy)

    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, separator="\t" if path.suffix == ".tsv" else ",", infer_schema_length=None)
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as error:
        raise UnreadableInput(
            f"{path} cannot be read", why=str(error), do="look at the file in a text editor"
        ) from error


def column_of(frame: pl.DataFrame, words: Sequence[str]) -> str | None:
    """The first of these columns that the table has, whatever its case."""
    names = {name.strip().lower(): name for name in frame.columns}
    return next((names[word.lower()] for word in words if word.lower() in names), None)


def _columns(frame: pl.DataFrame) -> tuple[str, str, str] | None:
    if column_of(frame, _RECORDS):
        return None
    person, day, count = (column_of(frame, words) for words in (PERSON, DAY, COUNT))
    return None if person is None or day is None or count is None else (person, day, count)


def _table(frame: pl.DataFrame, path: Path) -> Table:
    import polars as pl  # noqa: PLC0415 (heavy)

    numbers = frame.with_columns(
        pl.col("person").cast(pl.String),
        pl.col("day").cast(pl.Float64, strict=False),
        pl.col("count").cast(pl.Float64, strict=False),
    )
    whole = numbers.drop_nulls().filter(pl.col("count") >= 0, pl.col("count").is_finite(), pl.col("day").is_finite())
    once = whole.unique(["person", "day"], keep="last", maintain_order=True).sort("person", "day")
    if once.is_empty():
        raise UnreadableInput(
            f"{path} holds no count",
            why="no row has a person, a day and a count of 0 or more",
            do="look whether the columns hold numbers",
        )
    step = _step(once["count"].to_numpy())
    least = float(once.filter(pl.col("count") > 0)["count"].min() or step)  # type: ignore[arg-type]
    people = {
        str(name[0]): Series(
            person=str(name[0]), days=part["day"].to_numpy(), values=np.maximum(part["count"].to_numpy(), least)
        )
        for name, part in once.group_by("person", maintain_order=True)
    }
    return Table(people=people, resolution=step, said=tuple(_said(numbers, whole, once, least)))


def _said(numbers: pl.DataFrame, whole: pl.DataFrame, once: pl.DataFrame, least: float) -> Iterator[str]:
    if zeros := int((once["count"] == 0).sum()):
        yield f"{zeros} counts printed as 0 are taken as {least:g}, the least that is printed"
    if missing := numbers.height - whole.height:
        yield f"{missing} rows without a person, a day or a count of 0 or more"
    if twice := whole.height - once.height:
        yield f"{twice} rows of the same person and time as a later row"


def _step(counts: np.ndarray) -> float:
    """The step in which most counts are printed: the coarsest of these that nine in ten are whole multiples of."""
    for step in (1.0, 0.1, 0.01):
        if np.mean(np.abs(counts / step - np.round(counts / step)) < 1e-6) > 0.9:
            return step
    return 0.001
