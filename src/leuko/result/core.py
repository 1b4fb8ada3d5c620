"""What leuko concludes: every conclusion carries a `Reason`, every silence a `Gap`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from leuko.errors import Notice
from leuko.record import Count

SCHEMA_VERSION = "1.0"

Position = Literal["below", "within", "above", "cannot_say"]
IntervalOrigin = Literal["laboratory", "duffy_null", "pregnancy", "age_sex", "adult", "none"]
CourseClass = Literal["transient", "persistent", "chronic", "cyclic", "ongoing", "not_low", "not_assessable"]
Censoring = Literal["none", "left", "right", "both"]
Direction = Literal["falling", "rising", "stable", "cannot_say"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A source and the place in it. `says` is our own short paraphrase; `confidence` how well it was confirmed."""

    source: str
    title: str
    locator: str = ""
    url: str = ""
    says: str = ""
    confidence: str = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why: the rule that spoke, in words, the ids of the counts or facts it rests on, and the sources."""

    rule: str
    text: str
    evidence: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What cannot be said, why, and what would settle it."""

    what: str
    why: str
    settle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A grade on one scheme and edition.

    `value` is None where the value cannot be graded; then `gap` says why, and `least`/`most` give the grades that
    remain possible (a bound, or a missing lower limit of normal, may still leave only some).
    """

    scheme: str
    edition: str
    analyte: str
    term: str
    value: int | None
    least: int | None = None
    most: int | None = None
    reason: Reason
    gap: Gap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceInterval:
    """The interval a count is held against [unit of the analyte], and how it was chosen."""

    id: str
    label: str
    origin: IntervalOrigin
    low: float | None
    high: float | None
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionMet:
    """A named definition or severity band that the value meets (`met` None: a bound leaves it open).

    `authority` is the body whose row this is; `house` is true for the row that leuko's own answer uses.
    """

    id: str
    name: str
    met: bool | None
    reason: Reason
    authority: str = ""
    house: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where one count stands: interval, position, definitions and bands, grades in every edition, conflicts.

    `usual` says why a count that is low by the general definition is usual for people like this one, as tested.
    """

    count: Count
    label: str
    interval: ReferenceInterval
    position: Position
    position_reason: Reason
    definitions: tuple[DefinitionMet, ...] = ()
    severity: DefinitionMet | None = None
    critical: tuple[DefinitionMet, ...] = ()
    grades: tuple[Grade, ...] = ()
    conflicts: tuple[Reason, ...] = ()
    usual: Reason | None = None
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Which of the three lines (white, red, platelets) are low together at one draw."""

    low: tuple[str, ...]
    not_low: tuple[str, ...]
    unknown: tuple[str, ...]
    name: Literal["none", "isolated", "bicytopenia", "pancytopenia", "cannot_say"]
    reason: Reason
    gap: Gap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """A time known only to lie in an interval; an open end is None (not observed)."""

    earliest: datetime | None
    latest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysBelow:
    """Days spent below one cut [10*9/L]: the least and the most that the sampling allows. `most` None: open-ended."""

    cut: float
    least: float
    most: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A stretch of low counts. Onset, nadir and recovery are interval-censored by the sampling [days, 10*9/L]."""

    analyte: str
    cut: float
    cut_reason: Reason
    onset: Between
    nadir_count: Count
    nadir: Between
    recovery: Between | None
    recovery_confirmed: bool
    recovery_gap: Gap | None
    censoring: Censoring
    counts: tuple[str, ...]
    duration: tuple[float, float | None]
    days_below: tuple[DaysBelow, ...]
    days_to_nadir: tuple[float | None, float | None]
    days_nadir_to_recovery: tuple[float | None, float | None]
    worst: tuple[Grade, ...]
    holes: tuple[Between, ...]
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The latest count against the person's own baseline [10*9/L]; `fold` is latest / baseline."""

    analyte: str
    baseline: float | None
    baseline_n: int
    latest: float | None
    fold: float | None
    direction: Direction
    reason: Reason
    gap: Gap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """A test for periodic counts: period [days] and false-alarm probability, or why it cannot be tested."""

    assessable: bool
    period: float | None
    false_alarm: float | None
    reason: Reason
    gap: Gap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One analyte over time."""

    analyte: str
    episodes: tuple[Episode, ...]
    kind: CourseClass
    kind_reason: Reason
    trend: Trend
    cycle: Cycle
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A count that was read but is not used, and why; nothing is removed without one."""

    count: Count
    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One sentence that answers one of the page's questions, with its reason; `known` false = cannot say."""

    question: Literal["is_it_low", "which_line", "how_bad", "since_when"]
    text: str
    known: bool
    reason: Reason
