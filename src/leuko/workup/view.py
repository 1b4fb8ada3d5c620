"""What the conditions of the work-up look at: the record, the findings so far, and which counts speak for today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cached_property, lru_cache
from typing import Any, get_args

from leuko.ages import AgeSpan, age_span, first_day
from leuko.causes.scene import Scene, predicates_of, scene_of
from leuko.errors import KnowledgeError
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.schema.causes import Line
from leuko.knowledge.schema.steps import CONDITIONS, PathRow, StatementRow, StepRow, TestRow
from leuko.person import person_at, statements_of
from leuko.record import Count, Moment, Patient, Record
from leuko.result import Course, Lines, Status
from leuko.result.causes import Cause
from leuko.result.drugs import DrugLink
from leuko.result.infection import Infection


@dataclass(frozen=True, kw_only=True)
class View:
    """One person on the day of the assessment. `kept` remembers the answers to conditions."""

    record: Record
    series: Mapping[str, tuple[Count, ...]]
    latest: Mapping[str, Status]
    courses: Mapping[str, Course]
    lines: Lines
    causes: Sequence[Cause]
    infection: Infection | None
    drug_links: Sequence[DrugLink]
    library: Library
    as_of: date
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def scene(self) -> Scene | None:
        """The low count as the predicates of the causes see it; None where no white count is or was low."""
        return scene_of(
            self.record,
            series=self.series,
            latest=self.latest,
            courses=self.courses,
            lines=self.lines,
            drug_links=self.drug_links,
            library=self.library,
            as_of=self.as_of,
        )

    @cached_property
    def age(self) -> AgeSpan:
        """The ages that are possible today [days]."""
        return age_span(self.patient, self._today)

    @cached_property
    def patient(self) -> Patient:
        """The person as the record describes them today."""
        return person_at(self.record, self._today, statements_of(self.record, library=self.library))

    @property
    def _today(self) -> Moment:
        return Moment(at=datetime.combine(self.as_of, time(), UTC), precision="day")

    def speaks(self, count: Count) -> bool:
        """Whether a count still speaks for today: no longer ago than a low stretch is carried on without another."""
        return count.taken is not None and (self.as_of - count.taken.day).days <= self.speaks_days

    @cached_property
    def speaks_days(self) -> float:
        """How long a count speaks for [days]."""
        return min((rules.hole_days for rules in self.library.course.values()), default=float("inf"))

    def fresh(self, analyte: str) -> Status | None:
        """The latest status of an analyte, where it speaks for today."""
        status = self.latest.get(analyte)
        return status if status is not None and self.speaks(status.count) else None

    def counted(self, analyte: str) -> Count | None:
        """The latest count of an analyte, where it speaks for today; also of those that have no status."""
        counts = self.series.get(analyte, ())
        return counts[-1] if counts and self.speaks(counts[-1]) else None

    def past(self, moment: Moment | None) -> bool:
        """Whether a moment lies on or before the day of the assessment; one without a date counts as past."""
        return moment is None or first_day(moment) <= self.as_of


class Tables(Frozen, frozen=True, kw_only=True):
    """The knowledge of the work-up by id."""

    tests: Mapping[str, TestRow]
    paths: tuple[PathRow, ...]
    steps: Mapping[str, StepRow]
    statements: tuple[StatementRow, ...]
    conditions: Mapping[str, Any]


@lru_cache(maxsize=4)
def _kept(library_hash: str) -> dict[str, Tables]:  # noqa: ARG001 (one cache entry for each library)
    return {}


def tables_of(library: Library) -> Tables:
    """The tables of the work-up, checked: every id that a row names exists, else KnowledgeError."""
    kept = _kept(library.hash)
    if "tables" not in kept:
        kept["tables"] = _checked(_read(library), library)
    return kept["tables"]


def _read(library: Library) -> Tables:
    conditions: dict[str, Any] = {}
    for row in (row for kind in CONDITIONS for row in library.rows(kind)):
        if row.id in conditions:
            raise KnowledgeError(f"two conditions carry the id {row.id}", where="steps/", do="rename one of them")
        conditions[row.id] = row
    if shared := set(conditions) & set(predicates_of(library)):
        raise KnowledgeError(
            f"conditions carry the ids of predicates: {', '.join(sorted(shared))}", where="steps/", do="rename them"
        )
    return Tables(
        tests={row.id: row for row in library.rows(TestRow)},
        paths=tuple(sorted(library.rows(PathRow), key=lambda row: row.order)),
        steps={row.id: row for row in library.rows(StepRow)},
        statements=library.rows(StatementRow),
        conditions=conditions,
    )


def _checked(tables: Tables, library: Library) -> Tables:
    known = {*tables.conditions, *predicates_of(library)}
    for row in tables.statements:
        _require({row.step}, set(tables.steps), f"statement {row.id}", "steps")
        _require(set(row.tests), set(tables.tests), f"statement {row.id}", "tests")
        _require({*row.when, *row.unless}, known, f"statement {row.id}", "conditions")
    for step in tables.steps.values():
        _require(set(step.unless), known, f"step {step.id}", "conditions")
        _require(set(step.beside), set(tables.steps), f"step {step.id}", "steps")
        _require(set(step.paths), {path.id for path in tables.paths}, f"step {step.id}", "paths")
    for test in tables.tests.values():
        _require(set(test.told_by), known, f"test {test.id}", "predicates")
    for row in tables.conditions.values():
        named = {*getattr(row, "all_of", ()), *getattr(row, "any_of", ()), *getattr(row, "none_of", ())}
        _require(named - set(get_args(Line)), known, f"condition {row.id}", "conditions")
    for path in tables.paths:
        _require(set(path.when), known, f"path {path.id}", "conditions")
    return tables


def _require(named: set[str], known: set[str], who: str, kind: str) -> None:
    if missing := named - known:
        raise KnowledgeError(
            f"{who} names {kind} that do not exist: {', '.join(sorted(missing))}",
            where="steps/",
            do="correct the id or add the row",
        )
