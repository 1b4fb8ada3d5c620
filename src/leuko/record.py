"""What is known of a person: frozen values, read once at the edge.

Counts of cells are in 10*9/L, everything else in the unit that the analyte's knowledge row names (UCUM). What the
source wrote is kept beside each value, in its `Origin`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from leuko.errors import Place
from leuko.frozen import Frozen

Bound = Literal["=", "<", "<=", ">", ">="]
Precision = Literal["year", "month", "day", "hour", "minute", "second"]
Sex = Literal["female", "male"]
Method = Literal["automated", "manual", "estimated"]
CountKind = Literal["measured", "derived"]
ResultStatus = Literal["registered", "preliminary", "final", "amended", "corrected", "unknown"]
FactKind = Literal["condition", "procedure", "organism", "transfusion", "genotype", "allergy", "adverse_event", "other"]


class Code(Frozen, frozen=True, kw_only=True):
    """A code from a code system: `system` is its FHIR URI where one exists, else a local name."""

    system: str
    code: str
    display: str | None = None


class Moment(Frozen, frozen=True, kw_only=True):
    """A time as precise as the source wrote it.

    `at` is aware; a date without a time of day stands at its first instant, and `precision` says so. `zone_assumed` is
    true where the source named no zone and the caller's default was used.
    """

    at: datetime
    precision: Precision = "second"
    zone_assumed: bool = False

    @property
    def day(self) -> date:
        """The calendar day in the source's own zone."""
        return self.at.date()

    @property
    def has_time(self) -> bool:
        """Whether the source wrote a time of day."""
        return self.precision in {"hour", "minute", "second"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the source itself wrote, and where. The place is no part of `repr`: digests rest on content, not files."""

    place: Place = field(repr=False)
    value_text: str = ""
    unit_text: str = ""
    name_text: str = ""
    codes: tuple[Code, ...] = ()
    interval_text: str = ""
    resource_id: str | None = None


class Patient(Frozen, frozen=True, kw_only=True):
    """The person. `duffy_null` is a tested phenotype or genotype, never inferred; None is unknown throughout."""

    id: str
    born: date | None = None
    born_precision: Precision = "day"
    sex: Sex | None = None
    died: date | None = None
    duffy_null: bool | None = None
    pregnant: bool | None = None
    height_cm: float | None = None
    weight_kg: float | None = None


class Count(Frozen, frozen=True, kw_only=True):
    """One result of one draw, for one analyte, in the canonical unit of that analyte.

    `value` with `bound` "<" is an upper bound that was not measured further. `lab_low`/`lab_high` is the reference
    interval that was printed with the result, in the same unit; one end may be missing. `draw` names the sample or
    report that the count shares with others (specimen id, report id, file row) where the source says so. `superseded`
    holds earlier versions of the same result, oldest first. `derived_from` names the counts a derived one rests on.
    """

    id: str
    analyte: str
    value: float
    bound: Bound = "="
    unit: str
    taken: Moment | None
    lab_low: float | None = None
    lab_high: float | None = None
    kind: CountKind = "measured"
    method: Method | None = None
    status: ResultStatus = "final"
    flags: tuple[str, ...] = ()
    draw: str | None = None
    issued: Moment | None = None
    origin: Origin
    derived_from: tuple[str, ...] = ()
    derivation: str | None = None
    superseded: tuple[Count, ...] = ()


class Dose(Frozen, frozen=True, kw_only=True):
    """A medicine given, taken, ordered or stated. `given` is true only for an administration that happened."""

    id: str
    drug: str
    codes: tuple[Code, ...] = ()
    start: Moment | None = None
    end: Moment | None = None
    hours: float | None = None
    amount: float | None = None
    unit: str | None = None
    route: str | None = None
    regimen: str | None = None
    cycle: int | None = None
    day: int | None = None
    status: str = "unknown"
    given: bool = False
    origin: Origin


class Sign(Frozen, frozen=True, kw_only=True):
    """A vital sign, measurement other than a blood count, or symptom, at a time."""

    id: str
    name: str
    codes: tuple[Code, ...] = ()
    value: float | None = None
    unit: str | None = None
    text: str | None = None
    present: bool | None = None
    taken: Moment | None = None
    origin: Origin


class Fact(Frozen, frozen=True, kw_only=True):
    """A condition, procedure, organism, transfusion or genotype, with start and end as far as known.

    `recorded` is when someone wrote it down: the start lies no later. `detail` is what the source adds in words.
    """

    id: str
    kind: FactKind
    name: str
    codes: tuple[Code, ...] = ()
    start: Moment | None = None
    end: Moment | None = None
    status: str = "unknown"
    detail: str = ""
    recorded: Moment | None = None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything that intake read of one person. `digest` is a SHA-256 over the content, not over the files.

    `born_in_doubt`: a birth date that was read lay after a count or after the day of the assessment, and was left out:
    it, or a count, may be another person's.
    """

    patient: Patient
    counts: tuple[Count, ...] = ()
    doses: tuple[Dose, ...] = ()
    signs: tuple[Sign, ...] = ()
    facts: tuple[Fact, ...] = ()
    sources: tuple[str, ...] = ()
    digest: str = field(default="", compare=False)
    born_in_doubt: bool = False


def digest_of(record: Record) -> str:
    """SHA-256 (hex) over the record's own values; the same content gives the same digest on every machine."""
    parts = (record.patient, record.counts, record.doses, record.signs, record.facts)
    return hashlib.sha256(repr(parts).encode()).hexdigest()
