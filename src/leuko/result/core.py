"""What leuko concludes: every conclusion carries a `Reason`, every silence a `Gap`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from leuko.errors import Notice
from leuko.frozen import Frozen
from leuko.record import Count

SCHEMA_VERSION = "1.0"

Position = Literal["below", "within", "above", "cannot_say"]
IntervalOrigin = Literal["laboratory", "duffy_null", "pregnancy", "age_sex", "adult", "none"]
CourseClass = Literal["transient", "persistent", "chronic", "cyclic", "ongoing", "not_low", "not_assessable"]
Censoring = Literal["none", "left", "right", "both"]
Direction = Literal["falling", "rising", "stable", "cannot_say"]


class Citation(Frozen, frozen=True, kw_only=True, cache_hash=True):
    """A source and the place in it. `says` is our own short paraphrase; `confidence` how well it was confirmed."""

    source: str
    title: str
    locator: str = ""
    url: str = ""
    says: str = ""
    confidence: str = "confirmed"


class Reason(Frozen, frozen=True, kw_only=True):
    """Why: the rule that spoke, in words, the ids of the counts or facts it rests on, and the sources."""

    rule: str
    text: str
    evidence: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()


class Gap(Frozen, frozen=True, kw_only=True):
    """What cannot be said, why, and what would settle it."""

    what: str
    why: str
    settle: str


class Grade(Frozen, frozen=True, kw_only=True):
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


class ReferenceInterval(Frozen, frozen=True, kw_only=True):
    """The interval a count is held against [unit of the analyte], and how it was chosen."""

    id: str
    label: str
    origin: IntervalOrigin
    low: float | None
    high: float | None
    reason: Reason


class DefinitionMet(Frozen, frozen=True, kw_only=True):
    """A named definition or severity band that the value meets (`met` None: a bound leaves it open).

    `authority` is the body whose row this is; `house` is true for the row that leuko's own answer uses.
    """

    id: str
    name: str
    met: bool | None
    reason: Reason
    authority: str = ""
    house: bool = False


class Status(Frozen, frozen=True, kw_only=True):
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


class Lines(Frozen, frozen=True, kw_only=True):
    """Which of the three lines (white, red, platelets) are low together at one draw."""

    low: tuple[str, ...]
    not_low: tuple[str, ...]
    unknown: tuple[str, ...]
    name: Literal["none", "isolated", "bicytopenia", "pancytopenia", "cannot_say"]
    reason: Reason
    gap: Gap | None = None


class Between(Frozen, frozen=True, kw_only=True):
    """A time known only to lie in an interval; an open end is None (not observed)."""

    earliest: datetime | None
    latest: datetime | None


class DaysBelow(Frozen, frozen=True, kw_only=True):
    """Days spent below one cut [10*9/L]: the least and the most that the sampling allows. `most` None: open-ended."""

    cut: float
    least: float
    most: float | None


class Episode(Frozen, frozen=True, kw_only=True):
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


class Trend(Frozen, frozen=True, kw_only=True):
    """The latest count against the person's own baseline [10*9/L]; `fold` is latest / baseline."""

    analyte: str
    baseline: float | None
    baseline_n: int
    latest: float | None
    fold: float | None
    direction: Direction
    reason: Reason
    gap: Gap | None = None


class Cycle(Frozen, frozen=True, kw_only=True):
    """A test for periodic counts: period [days] and false-alarm probability, or why it cannot be tested."""

    assessable: bool
    period: float | None
    false_alarm: float | None
    reason: Reason
    gap: Gap | None = None


class Course(Frozen, frozen=True, kw_only=True):
    """One analyte over time."""

    analyte: str
    episodes: tuple[Episode, ...]
    kind: CourseClass
    kind_reason: Reason
    trend: Trend
    cycle: Cycle
    gaps: tuple[Gap, ...] = ()


class SetAside(Frozen, frozen=True, kw_only=True):
    """A count that was read but is not used, and why; nothing is removed without one."""

    count: Count
    notice: Notice


class Answer(Frozen, frozen=True, kw_only=True):
    """One sentence that answers one of the page's questions, with its reason; `known` false = cannot say."""

    question: Literal["is_it_low", "which_line", "how_bad", "since_when"]
    text: str
    known: bool
    reason: Reason
