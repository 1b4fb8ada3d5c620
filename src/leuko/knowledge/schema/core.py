"""The shape of the knowledge files. Code holds no clinical number: it reads them from here.

Every row names its source, the place in it and how well it was confirmed. Only `confirmed`, `secondary` and `house`
rows may drive a conclusion (`Basis.drives`); the others are kept to be listed as unreviewed. `house` marks a choice of
method that leuko declares as its own (docs/decisions), such as how long a hole between counts may be; it is no clinical
fact.

Ages are completed days since birth; a year is 365.25 days, so that every birthday stands on a multiple of it (`ages`).

Limits read "value < upper, value >= lower" unless `*_inclusive` says otherwise. A limit is a number in the canonical
unit of the analyte, or the word "lab_low": the lower limit of normal that applies to the person.
"""

from datetime import date
from typing import Literal

import msgspec

from leuko.errors import Severity
from leuko.record import Method, Sex

Confidence = Literal["confirmed", "secondary", "house", "partial", "derived", "unconfirmed", "suspect", "preliminary"]
DRIVING: frozenset[str] = frozenset({"confirmed", "secondary", "house"})
Quantity = Literal["count", "percent", "ratio", "mass", "volume", "other"]
Limit = float | Literal["lab_low"]
Pregnancy = Literal["no", "any", "trimester_1", "trimester_2", "trimester_3", "postpartum"]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What every row type, and every table inside a row, is made from: frozen, and read by msgspec with no unknown key.

    A `msgspec.Struct`, not a dataclass: there are a hundred of them, all made at each start, and one costs a tenth. The
    modules of this package leave `from __future__ import annotations` out: msgspec would evaluate each text again.
    The collector of cycles does not look at rows (`leuko.frozen` says why).
    """


class Source(Row, frozen=True, kw_only=True):
    """One work: a guideline, paper, label, standard. Identifiers are printed only if they were checked."""

    id: str
    title: str
    publisher: str = ""
    year: int | None = None
    edition: str = ""
    doi: str = ""
    pmid: str = ""
    url: str = ""
    licence: str = ""
    note: str = ""


class Basis(Row, frozen=True, kw_only=True):
    """What a row rests on: source, place in it, confidence, and what the person who entered it decided."""

    source: str
    locator: str = ""
    confidence: Confidence
    says: str = ""
    note: str = ""

    @property
    def drives(self) -> bool:
        """Whether a conclusion may rest on this row."""
        return self.confidence in DRIVING


class Ages(Row, frozen=True, kw_only=True):
    """A half-open or closed band of ages in days; None is unbounded. `text` is how the source words it."""

    low_days: float | None = None
    low_inclusive: bool = True
    high_days: float | None = None
    high_inclusive: bool = False
    text: str = ""

    def holds(self, age_days: float | None) -> bool | None:
        """Whether an age lies in the band; None where the age is unknown and the band is not all ages."""
        if self.low_days is None and self.high_days is None:
            return True
        if age_days is None:
            return None
        above = self.low_days is None or age_days > self.low_days or (self.low_inclusive and age_days == self.low_days)
        below = (
            self.high_days is None or age_days < self.high_days or (self.high_inclusive and age_days == self.high_days)
        )
        return above and below


class Band(Row, frozen=True, kw_only=True):
    """A stretch of values; None is unbounded."""

    lower: Limit | None = None
    lower_inclusive: bool = True
    upper: Limit | None = None
    upper_inclusive: bool = False


class GradeBand(Row, frozen=True, kw_only=True):
    """One grade of one rule, with the scheme's own words in short."""

    grade: int
    band: Band
    text: str


class GradeRule(Row, frozen=True, kw_only=True):
    """How one scheme and edition grades low values of one analyte, for one age band and sex.

    `bands` is empty where the edition has no numeric criterion; `ungraded` then says so. `clinical` names what else in
    the edition's text could raise the grade and no number can decide (transfusion, life-threatening consequences).
    """

    id: str
    analyte: str
    term: str
    unit: str
    ages: Ages = Ages()
    sex: Sex | None = None
    bands: tuple[GradeBand, ...] = ()
    ungraded: str = ""
    clinical: str = ""
    basis: Basis


class GradeScheme(Row, frozen=True, kw_only=True):
    """One edition of one grading scheme, in force from one date until another took its place.

    `overlap` says why it is in force beside another edition of the same scheme, where it is.
    """

    id: str
    edition: str
    title: str
    in_force_from: date
    in_force_to: date | None = None
    overlap: str = ""
    note: str = ""
    rules: tuple[GradeRule, ...]
    basis: Basis


class DefinitionRow(Row, frozen=True, kw_only=True):
    """A named definition, severity band or critical value of one body.

    `house` marks the row that leuko's own answer uses where bodies disagree (docs/decisions); the others are shown. One
    value has at most one house row of a category at one age and sex: house severity bands do not overlap.
    `condition` names what else the definition asks for (a duration, a second line, a pregnancy, a group of people): a
    row that has one is never met by a number alone.
    """

    id: str
    concept: str
    category: Literal["definition", "severity", "critical", "course", "method"]
    analyte: str
    band: Band
    ages: Ages = Ages()
    sex: Sex | None = None
    population: str = ""
    condition: str = ""
    authority: str
    house: bool = False
    basis: Basis


class IntervalRow(Row, frozen=True, kw_only=True):
    """A published reference interval in the canonical unit of the analyte.

    `house` marks the row that is used when no better one applies; `duffy_null` True rows need a tested phenotype.
    """

    id: str
    analyte: str
    low: float | None = None
    high: float | None = None
    ages: Ages = Ages()
    sex: Sex | None = None
    pregnancy: Pregnancy = "no"
    duffy_null: bool | None = None
    population: str = ""
    method: str = ""
    house: bool = False
    basis: Basis


class CourseRules(Row, frozen=True, kw_only=True):
    """The numbers that the course of an analyte is judged by [days, canonical unit, counts].

    `cuts` descend: days below each are reported. An episode has recovered when `recovery_values` results of different
    days in a row, or all results over `recovery_days`, stand at or above the cut. Low counts persist from
    `persistent_days` on and are chronic from `chronic_days` on, between the first and the last of them. Two low results
    further apart than `hole_days` are not bridged. The latest count is a fall where it is at most `trend_fold_fall`
    times the baseline of at least `trend_min_baseline` counts. The `cyclic_*` numbers say when a periodogram may be
    asked at all, and what it must show. `bases` gives single numbers a basis of their own; `basis` holds for the rest.

    `within_person_cv` is the variation of healthy people's own counts from week to week [coefficient, 0.1 is 10 %];
    where it is on file, the reference change value made from it tells a fall or a rise from chance in place of
    `trend_fold_fall`.
    """

    analyte: str
    cuts: tuple[float, ...]
    recovery_values: int
    recovery_days: float
    persistent_days: float
    chronic_days: float
    hole_days: float
    trend_min_baseline: int
    trend_fold_fall: float
    cyclic_min_counts: int
    cyclic_min_days: float
    cyclic_min_cycles: float
    cyclic_period_low: float
    cyclic_period_high: float
    cyclic_max_false_alarm: float
    within_person_cv: float | None = None
    basis: Basis
    bases: dict[str, Basis] = msgspec.field(default_factory=dict)

    def basis_of(self, name: str) -> Basis:
        """What one of the numbers rests on, by its field name."""
        return self.bases.get(name, self.basis)


class Analyte(Row, frozen=True, kw_only=True):
    """A thing that is counted or measured in blood.

    `unit` is canonical. Values outside `plausible_low..plausible_high` are reported as implausible, never corrected.
    `names` are what laboratories and analysers call it (compared without case, spaces and punctuation); `absolute` is
    the analyte that a percentage becomes after multiplication with the white count.

    Further guard rails, in the same unit: from `unusual_high` on a value is used with a warning; above `confirm_above`
    or below `confirm_below` only where something confirms its unit. Up to `whole_cells_below` a count must be a whole
    number of cells per microlitre. A printed interval whose low end lies outside `lab_low_least..lab_low_most`, or
    whose high end falls short of `lab_high_least`, is none of this analyte. Zero is never implausible. `molar_mass`
    [g/mol] turns mmol/L into g/L. `broader` is the analyte that this one is a part of (bands of neutrophils).
    """

    id: str
    label: str
    short: str
    quantity: Quantity
    unit: str
    plausible_low: float | None = None
    plausible_high: float | None = None
    confirm_above: float | None = None
    confirm_below: float | None = None
    unusual_high: float | None = None
    whole_cells_below: float | None = None
    lab_low_least: float | None = None
    lab_low_most: float | None = None
    lab_high_least: float | None = None
    molar_mass: str | None = None
    names: tuple[str, ...] = ()
    absolute: str | None = None
    broader: str | None = None
    basis: Basis


class CodeRow(Row, frozen=True, kw_only=True):
    """A code of a code system and its meaning here; `refuse` says why it is no blood count (urine, CSF, morphology)."""

    system: str
    code: str
    analyte: str | None = None
    method: Method | None = None
    refuse: str = ""
    panel: bool = False
    basis: Basis


class NoticeEntry(Row, frozen=True, kw_only=True):
    """What `leuko explain LKnnn` says: what was found, why it matters, an example, what to do."""

    code: str
    title: str
    severity: Severity
    explain: str
    help: str
    example: str = ""
