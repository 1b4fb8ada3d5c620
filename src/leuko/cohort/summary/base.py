"""The parts of a summary: sections of tables and figures, the same for terminal, page and JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from leuko.knowledge import Library
from leuko.knowledge.schema.cohorts import ReportRow

Cell = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells below names of columns; `note` says what they are."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A Vega-Lite specification and the words that stand for it."""

    title: str
    text: str
    spec: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One question: what is said of it, or why nothing can be."""

    id: str
    title: str
    note: str = ""
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables of a finished run, and what the sections share."""

    open: Callable[[str], pl.LazyFrame]
    library: Library
    report: ReportRow
    account: dict[str, Any]
    manifest: dict[str, Any]
    folder: Path
    arms: tuple[str, ...]
    people: pl.DataFrame = field(repr=False)

    @property
    def grade(self) -> str:
        """The columns of the edition that was asked for: "ctcae_5"."""
        return str(self.account["edition"]).replace("-", "_", 1)

    def label(self, analyte: str) -> str:
        """What an analyte is called."""
        return self.library.analytes[analyte].label

    def by_arm(self, frame: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
        """A frame of people arm by arm, and of all where there are several."""
        if len(self.arms) < 2:
            return [("all", frame)]
        arms = frame.join(self.people.select("person", "arm"), on="person", how="left", maintain_order="left")
        parts = [(arm, arms.filter(pl.col("arm") == arm)) for arm in self.arms]
        return [*parts, ("all", arms)]


def share(number: int, of: int) -> str:
    """A number with its share: "12 (34.3 %)"."""
    return f"{number:,}" if not of else f"{number:,} ({number / of:.1%})".replace("%)", " %)")


def spread(values: pl.Series, digits: int = 1) -> str:
    """Median and quartiles: "3.2 (1.1 to 5.0)"; a dash where there is nothing."""
    known = values.drop_nulls()
    if not len(known):
        return "–"
    low, middle, high = (known.quantile(at, interpolation="linear") for at in (0.25, 0.5, 0.75))
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
