"""What makes a person a member of a cohort: rows of `data/cohorts`, and of a TOML file of the user's own.

Counts in the unit of the analyte, times days. `number` is the cohort_definition_id of the OMOP table COHORT. Every kind
looks at one analyte; `starts` are the words, in the names of medicines, procedures and conditions, that tell from which
event days are counted.
"""

from typing import ClassVar

from leuko.knowledge.schema.core import Band, Basis, Row


class Published(Row, frozen=True, kw_only=True):
    """An `EntryRow` as its source runs it, where that differs: with its holes.

    `bounds` and `derived` tell whether it knows "<0.1" and counts made from a differential; `end_days` is counted from
    the end of the event that its own engine sets.
    """

    band: Band
    not_with: Band | None = None
    censor: Band | None = None
    end_days: float
    bounds: bool = False
    derived: bool = False
    observed: bool = False


class EntryRow(Row, frozen=True, kw_only=True):
    """Every count in `band`, or a condition of `concepts` (OMOP ids) or `words`, is an entry that lasts `end_days`.

    A concept stands for its descendants too, where the source tells them, save those of `alone`. No entry where another
    count of that day lies in `not_with`, where a condition of `beside` begins that day, or where one of `without` is on
    record up to `without_after` days later. A count in `censor` ends it sooner. Entries less than `era_days` apart are
    one.
    """

    FOLDER: ClassVar[str] = "cohorts"
    KEY: ClassVar[str] = "entry"

    id: str
    number: int
    title: str
    analyte: str = "neutrophils"
    band: Band
    not_with: Band | None = None
    censor: Band | None = None
    concepts: tuple[int, ...] = ()
    alone: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    beside: tuple[int, ...] = ()
    without: tuple[int, ...] = ()
    without_after: float = 0.0
    end_days: float
    era_days: float = 0.0
    holes: tuple[str, ...] = ()
    published: Published | None = None
    basis: Basis


class PublishedTogether(Row, frozen=True, kw_only=True):
    """A `TogetherRow` as its source runs it: with its holes. `also_low` are further conditions that it takes for low
    counts; the rest is as in `Published`."""

    band: Band
    warm: Band
    not_with: Band | None = None
    also_low: tuple[int, ...] = ()
    end_days: float = 0.0
    era_days: float = 0.0
    bounds: bool = False
    derived: bool = False
    observed: bool = False


class TogetherRow(Row, frozen=True, kw_only=True):
    """An event near a low count: a temperature in `warm` [Cel], or a condition of `events` that is none of
    `events_without`, with a count in `band` or a condition of `low` no more than `near_days` before or after it.

    A condition of `proof` is an event, and proves the low count of an event up to `near_days` before it. The event's
    day must lie within a visit of `visits` or one whose name holds one of `visit_words`; no count of that day may lie
    in `not_with`. All concepts are OMOP ids with their descendants. An event without an end lasts `lasts` days; a
    member leaves `end_days` after its end, and events no further apart than `era_days` are one.
    """

    FOLDER: ClassVar[str] = "cohorts"
    KEY: ClassVar[str] = "together"

    id: str
    number: int
    title: str
    analyte: str = "neutrophils"
    band: Band
    near_days: float
    not_with: Band | None = None
    warm: Band
    events: tuple[int, ...]
    events_without: tuple[int, ...] = ()
    proof: tuple[int, ...]
    low: tuple[int, ...]
    visits: tuple[int, ...]
    visit_words: tuple[str, ...] = ()
    lasts: float
    end_days: float = 0.0
    era_days: float = 0.0
    holes: tuple[str, ...] = ()
    published: PublishedTogether | None = None
    basis: Basis


class LastingRow(Row, frozen=True, kw_only=True):
    """Low counts that last: within one episode, results below `band` on `occasions` days over at least `days`."""

    FOLDER: ClassVar[str] = "cohorts"
    KEY: ClassVar[str] = "lasting"

    id: str
    number: int
    title: str
    analyte: str = "neutrophils"
    band: Band
    occasions: int
    days: float
    basis: Basis


class CycleRow(Row, frozen=True, kw_only=True):
    """Days below `severe` in each cycle of cytotoxic treatment; `low` is the milder limit that a fall goes through.

    A dose begins a cycle where none was given for `apart` days before it. Days end with the next cycle, those of the
    last one `longest` days after its last dose.
    """

    FOLDER: ClassVar[str] = "cohorts"
    KEY: ClassVar[str] = "cycle"

    id: str
    number: int
    title: str
    analyte: str = "neutrophils"
    severe: float
    low: float
    apart: float
    longest: float
    basis: Basis


class EngraftmentRow(Row, frozen=True, kw_only=True):
    """The first of `values` consecutive results of different days at or above `limit`, after a fall below it.

    An event whose name holds one of `starts` and no word that begins as one of `starts_without`
    is the first day.
    """

    FOLDER: ClassVar[str] = "cohorts"
    KEY: ClassVar[str] = "engraftment"

    id: str
    number: int
    title: str
    analyte: str = "neutrophils"
    starts: tuple[str, ...]
    starts_without: tuple[str, ...] = ()
    limit: float
    values: int
    basis: Basis


class StayGrade(Row, frozen=True, kw_only=True):
    """A grade that is reached by `days` days in a row at or below `limit`; `always`: by all days of the window."""

    grade: int
    limit: float
    days: int = 0
    always: bool = False


class StayRow(Row, frozen=True, kw_only=True):
    """A grade by the longest stay at or below limits, from day `first` to day `last` after the start.

    Fewer than `recovered` days above a limit end no stay. Days between two results no further apart than `bridge` are
    taken as those results are. A stay that begins by day `early` and never ends counts as `always`. The start is an
    event whose name holds one of `starts` and no word that begins as one of `starts_without`.
    """

    FOLDER: ClassVar[str] = "cohorts"
    KEY: ClassVar[str] = "stay"

    id: str
    number: int
    title: str
    analyte: str = "neutrophils"
    starts: tuple[str, ...]
    starts_without: tuple[str, ...] = ()
    first: int
    last: int
    recovered: int
    bridge: int
    early: int
    grades: tuple[StayGrade, ...]
    basis: Basis


class LateGrade(Row, frozen=True, kw_only=True):
    """A grade of the lowest result at or below `limit`."""

    grade: int
    limit: float


class LateRow(Row, frozen=True, kw_only=True):
    """A grade by the lowest result from day `first` to day `last` after the start, where `values` results of different
    days lie at or below the mildest limit. The start is an event whose name holds one of `starts` and no word that
    begins as one of `starts_without`."""

    FOLDER: ClassVar[str] = "cohorts"
    KEY: ClassVar[str] = "late"

    id: str
    number: int
    title: str
    analyte: str = "neutrophils"
    starts: tuple[str, ...]
    starts_without: tuple[str, ...] = ()
    first: int
    last: int
    values: int
    grades: tuple[LateGrade, ...]
    basis: Basis


class ReportRow(Row, frozen=True, kw_only=True):
    """What the summary of a cohort looks at: the analyte, the limits that recovery is counted to, and the definition
    that gives the days of severe neutropenia."""

    FOLDER: ClassVar[str] = "cohorts"
    KEY: ClassVar[str] = "report"

    id: str
    analytes: tuple[str, ...]
    severe: str
    basis: Basis


KINDS = (EntryRow, TogetherRow, LastingRow, CycleRow, EngraftmentRow, StayRow, LateRow, ReportRow)
