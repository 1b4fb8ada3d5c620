"""The tables of a batch that its outputs are made of, and the days that they are counted from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from leuko.cohort import frames
from leuko.cohort.tables import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Counts and episodes, what was read of the same people, and each person's `first`: the day days count from."""

    counts: pl.DataFrame
    episodes: pl.DataFrame
    persons: pl.DataFrame
    people: pl.DataFrame
    treatments: pl.DataFrame
    signs: pl.DataFrame
    facts: pl.DataFrame
    first: pl.DataFrame
    rules: Rules

    @classmethod
    def of(cls, tables: Mapping[str, pl.DataFrame], rules: Rules) -> Given:
        """From tables by name; those that were not read are empty."""
        kind = tables["counts"].schema["person"]
        empty = {
            name: pl.DataFrame(schema=frames.schema(columns, person=kind))
            for name, columns in (
                ("people", frames.PEOPLE),
                ("treatments", frames.TREATMENTS),
                ("signs", frames.SIGNS),
                ("facts", frames.FACTS),
            )
        }
        held = {**empty, **tables}
        people = held["people"].unique("person", keep="first", maintain_order=True)
        return cls(
            counts=held["counts"],
            episodes=held["episodes"],
            persons=held["persons"],
            people=people,
            treatments=held["treatments"],
            signs=held["signs"],
            facts=held["facts"],
            first=_first(held["treatments"], people),
            rules=rules,
        )

    def analyte(self, name: str) -> pl.DataFrame:
        """The counts of one analyte that have a day, in order of person and time, with that `day`."""
        rows = self.counts.filter((pl.col("analyte") == name) & pl.col("taken").is_not_null())
        return rows.with_columns(day=pl.col("taken").dt.date()).sort("person", "taken", "value", maintain_order=True)


def _first(treatments: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The day of the first treatment that was given, else of the start that the source names: person, first."""
    given = treatments.filter(pl.col("given") & pl.col("start").is_not_null())
    dosed = given.group_by("person").agg(first=pl.col("start").min().dt.date())
    stated = people.filter(pl.col("start").is_not_null()).select("person", first="start")
    return pl.concat([dosed, stated.join(dosed, on="person", how="anti")]).sort("person")
