"""Records of kinetics and counts together, as pharmacometric programs take them (NONMEM's columns).

A row is a dose (EVID 1, with ADDL further ones every II hours) or a measurement: CONC, ANC, or both. Times are hours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from leuko.forecast.model import Floats
from leuko.forecast.score.table import files_of, read_frame
from leuko.frozen import Frozen

if TYPE_CHECKING:
    import polars as pl

NEEDED: Final = ("ID", "TIME", "AMT", "EVID", "II", "ADDL", "WEIGHT", "CONC", "ANC")


class Recorded(Frozen, frozen=True, kw_only=True):
    """One person: weight [kg], hours and amounts of doses (D,), hours and values of concentrations and of counts."""

    name: str
    weight: float
    dose_hours: Floats
    amounts: Floats
    conc_hours: Floats
    concs: Floats
    count_hours: Floats
    counts: Floats


def find_records(folder: Path) -> tuple[Recorded, ...]:
    """The people of the first table with all the columns; nobody where there is none."""
    for path in files_of(folder):
        frame = read_frame(path)
        if set(NEEDED) <= set(frame.columns):
            return tuple(_person(str(name[0]), part) for name, part in frame.group_by("ID", maintain_order=True))
    return ()


def _person(name: str, rows: pl.DataFrame) -> Recorded:
    import polars as pl  # noqa: PLC0415 (heavy)

    numbers = rows.select(pl.col(NEEDED).cast(pl.Float64, strict=False))
    hours, amounts = [], []
    for row in numbers.filter(pl.col("EVID") == 1).iter_rows(named=True):
        times = np.arange((row["ADDL"] or 0) + 1)
        hours.append(row["TIME"] + times * (row["II"] or 0))
        amounts.append(np.full(times.size, row["AMT"]))
    conc, count = (numbers.filter(pl.col("EVID") == 0, pl.col(what) > 0) for what in ("CONC", "ANC"))
    return Recorded(
        name=name,
        weight=float(numbers["WEIGHT"][0]),
        dose_hours=np.concatenate(hours) if hours else np.zeros(0),
        amounts=np.concatenate(amounts) if amounts else np.zeros(0),
        conc_hours=conc["TIME"].to_numpy(),
        concs=conc["CONC"].to_numpy(),
        count_hours=count["TIME"].to_numpy(),
        counts=count["ANC"].to_numpy(),
    )
