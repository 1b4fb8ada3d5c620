"""Reasons as rows: what is said of many people in words, counted."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from leuko.cohort.summary.base import Cell, Table, Tables

_MOST: Final = 20
_MONTH: Final = (
    "January|February|March|April|May|June|July|August|September|October|November|December"  # as `wording.say_date`
)
_OWN: Final = re.compile(rf"\d{{1,2}} (?:{_MONTH}) \d{{4}}|\d{{4}}-\d{{2}}-\d{{2}}|(?<![\w.-])\d+(?:[.,]\d+)*(?![\w-])")
BLANK: Final = "…"


def without_numbers(text: str) -> str:
    """A reason without the dates and numbers of one person, each part once, so that like reasons count together."""
    return "; ".join(dict.fromkeys(_OWN.sub(BLANK, text).split("; ")))


def reasons(tables: Tables, rows: pl.DataFrame, *, title: str) -> list[Table]:
    """People by the reason that is given for them, the most frequent first; `rows` holds person and text.

    A person with several reasons counts for each. Empty where nobody has one.
    """
    told = rows.drop_nulls("text").with_columns(
        pl.col("text").map_elements(without_numbers, return_dtype=pl.String, skip_nulls=True)
    )
    told = told.unique(["person", "text"], maintain_order=True)
    if not told.height:
        return []
    order = told.group_by("text").len().sort("len", "text", descending=[True, False])["text"].to_list()
    parts = [part for _, part in tables.by_arm(told)]
    shown = [
        (text, *(f"{part.filter(pl.col('text') == text)['person'].n_unique():,}" for part in parts))
        for text in order[:_MOST]
    ]
    cells: tuple[tuple[Cell, ...], ...] = tuple(shown)
    note = f"Numbers and dates of a person are left out ({BLANK})." if any(BLANK in text for text in order) else ""
    note += f" {len(order) - _MOST} rarer reasons are in the table." if len(order) > _MOST else ""
    return [Table(title=title, columns=("reason", *tables.groups), rows=cells, note=note.strip())]
