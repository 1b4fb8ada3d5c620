"""What the scores are told: the record, the counts, what the infection part found, the answers given by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from leuko.knowledge import Library
from leuko.record import Count, Record
from leuko.result import Course
from leuko.result.infection import Infection
from leuko.scores.answers import Answers
from leuko.scores.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Everything that the scores of one person on one day are made from.

    `courses`, `observed` and `judged` remember what several ask for: by analyte, observable and item.
    """

    record: Record
    series: Mapping[str, tuple[Count, ...]]
    infection: Infection | None
    answers: Answers
    library: Library
    tables: Tables
    as_of: date
    courses: dict[str, Course] = field(default_factory=dict, compare=False, repr=False)
    observed: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    judged: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
