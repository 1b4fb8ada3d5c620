"""The parts of a summary: sections of tables and figures, the same for terminal, page and JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from leuko.cohort.outputs.definitions import severe_row
from leuko.knowledge import Library
from leuko.knowledge.schema.cohorts import ReportRow

Cell = str | int | float | None
NO_ARM: Final = "no arm on record"


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

    @property
    def edition(self) -> str:
        """The edition that was asked for, as it is called: "CTCAE 5"."""
        return self.grade.replace("_", " ").upper()

    @property
    def severe(self) -> float:
        """The limit of severe neutropenia: that of the definition that counts its days."""
        return severe_row(self.library).severe

    def has(self, name: str) -> bool:
        """Whether the run has a table of that name."""
        return name in self.manifest["tables"]

    def label(self, analyte: str) -> str:
        """What an analyte is called."""
        return self.library.analytes[analyte].label

    def measure(self, analyte: str) -> str:
        """What an analyte is called, with the unit of its counts."""
        return f"{self.label(analyte)} [{self.library.analytes[analyte].unit}]"

    @property
    def groups(self) -> tuple[str, ...]:
        """What a table has a column or rows for: each arm, who is in none, and all."""
        if len(self.arms) + (self.people["arm"].null_count() > 0) < 2:
            return ("all",)
        return (*self.arms, *((NO_ARM,) if self.people["arm"].null_count() else ()), "all")

    @property
    def each_arm(self) -> str:
        """What a caption says of panels, where there are several."""
        return ", arm by arm" if len(self.groups) > 1 else ""

    @property
    def by_colour(self) -> str:
        """What a caption says of lines, where there are several."""
        return ", arms by colour and dashes" if len(self.groups) > 1 else ""

    def by_arm(self, frame: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
        """A frame of people arm by arm, and of all where there are several: a part for each of `groups`."""
        if len(self.groups) < 2:
            return [("all", frame)]
        arms = frame.drop("arm", strict=False).join(
            self.people.select("person", "arm"), on="person", how="left", maintain_order="left"
        )
        return [
            (group, arms if group == "all" else arms.filter(pl.col("arm").fill_null(NO_ARM) == group))
            for group in self.groups
        ]


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


def moment(tables: Tables) -> str:
    """As of when each person is told of."""
    day = tables.manifest["as_of"]
    return f"as of {day}" if day else "as of the day of their own last count"
