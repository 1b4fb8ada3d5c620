"""What is made of a batch beside counts and episodes, whole people at a time: analysis records and cohorts.

    episodes     -> days of severe neutropenia, worst grades, the bound of the nadir
    adam, events -> records like ADaM's ADLB and ADAE
    definitions  -> who meets which definition (`entries`, `together`, `spells`, `since`), and the OMOP table COHORT

Everything is made inside a batch, so that memory is bounded by it and neither batches nor engines leave a trace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

from leuko.cohort.outputs.adam import adlb
from leuko.cohort.outputs.definitions import Definition, findings, members
from leuko.cohort.outputs.episodes import deepened
from leuko.cohort.outputs.events import adae
from leuko.cohort.outputs.given import Given
from leuko.cohort.tables import Rules
from leuko.knowledge.schema.cohorts import CycleRow, EntryRow, TogetherRow

__all__ = ["Wanted", "derived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be made: the edition whose grades the analysis records carry, the definitions, how they are run.

    `severe` is the definition whose limit counts days in episodes. `as_published` runs definitions with their holes.
    """

    scheme: str
    edition: str
    definitions: tuple[Definition, ...]
    severe: CycleRow
    as_published: bool = False

    @property
    def grade(self) -> str:
        """The name of the columns of the edition: "ctcae_5"."""
        return f"{self.scheme}_{self.edition}"

    @property
    def concepts(self) -> frozenset[int]:
        """The OMOP concepts that the definitions name."""
        found: set[int] = set()
        for row in self.definitions:
            if isinstance(row, EntryRow):
                found |= {*row.concepts, *row.without, *row.beside}
            elif isinstance(row, TogetherRow):
                found |= {*row.events, *row.events_without, *row.proof, *row.low, *row.visits}
                found |= set() if row.published is None else set(row.published.also_low)
        return frozenset(found)

    @property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        rows = [(type(row).__name__, row) for row in (*self.definitions, self.severe)]
        told: Any = [self.scheme, self.edition, self.as_published, rows]
        return hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()


def derived(
    found: Mapping[str, pl.DataFrame], known: Mapping[str, pl.DataFrame], rules: Rules, wanted: Wanted
) -> dict[str, pl.DataFrame]:
    """The tables of a batch with what is made of them; `known` is what was read of its people."""
    episodes = deepened(found["episodes"], found["counts"], rules, wanted.severe)
    given = Given.of({**known, **found, "episodes": episodes}, rules)
    met = findings(given, wanted.definitions, as_published=wanted.as_published)
    return {
        **found,
        "episodes": episodes,
        "adlb": adlb(given, wanted.scheme, wanted.edition),
        "adae": adae(given, wanted.scheme, wanted.edition),
        "findings": met,
        "cohort": members(met),
    }
