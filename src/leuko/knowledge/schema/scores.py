"""Risk scores as data: whom they are for, their point tables, bands, validation and warnings.

A score is made of rows that name it: conditions for its use (`CriterionRow`), items with their points (`ItemRow`),
bands of the total (`BandRow`) and findings about it (`FindingRow`). What an item looks at is either a measurement
(`ObservableRow`) or something the record may name (`ConceptRow`); both are shared by all scores.

What the record does not name is unknown, never absent: no option of an item can rest on silence.
"""

from typing import ClassVar, Literal

import msgspec

from leuko.knowledge.schema.core import Band, Basis, Row
from leuko.record import FactKind

_FOLDER = "scores"
ScoreKind = Literal["points", "measure", "listed"]
ObservedIn = Literal[
    "signs", "counts", "age", "temperature", "grade", "days_below", "area_so_far", "area_whole", "bmi", "bsa"
]
FindingKind = Literal["validation", "criticism", "warning", "eligibility", "risk", "factors", "pitfall"]
FACT_KINDS: tuple[FactKind, ...] = ("condition", "procedure", "organism", "adverse_event", "other")


class ScoreRow(Row, frozen=True, kw_only=True):
    """One edition of one score.

    `points` scores add the points of their items; a `measure` is one observable held against bands; a `listed` one is
    known but not computed, and `why_listed` says why. `lowest`/`highest` is the published range. `predicts` is the
    outcome. `order` is the place in which scores are shown.
    """

    FOLDER: ClassVar[str] = _FOLDER
    KEY: ClassVar[str] = "score"

    id: str
    name: str
    edition: str
    kind: ScoreKind
    order: int
    unit: str = "points"
    lowest: int | None = None
    highest: int | None = None
    population: str
    predicts: str = ""
    observable: str = ""
    why_listed: str = ""
    basis: Basis


class CriterionRow(Row, frozen=True, kw_only=True):
    """One condition for the use of a score. It is met only where something shows it, unmet only where something does.

    It is met by a concept of `met_with`, a measurement in `met_bands`, or by the infection part (`infection`); unmet by
    a concept of `unmet_with`, a measurement in `unmet_bands`, or (`unmet_points`) by at least so many points of
    another score. `asks` is the key under which it is answered by hand, for all scores at once; `met_answers` and
    `unmet_answers` are the answers that decide it.
    """

    FOLDER: ClassVar[str] = _FOLDER
    KEY: ClassVar[str] = "criterion"

    id: str
    score: str
    question: str
    asks: str
    met_with: tuple[str, ...] = ()
    unmet_with: tuple[str, ...] = ()
    met_bands: dict[str, Band] = msgspec.field(default_factory=dict)
    unmet_bands: dict[str, Band] = msgspec.field(default_factory=dict)
    unmet_points: dict[str, int] = msgspec.field(default_factory=dict)
    met_answers: tuple[str, ...] = ("yes",)
    unmet_answers: tuple[str, ...] = ("no",)
    infection: Literal["", "febrile_neutropenia", "suspected_infection"] = ""
    basis: Basis


class Option(Row, frozen=True, kw_only=True):
    """One answer to an item, with its points, and what in a record shows that it is the right one.

    `bands` says for which values of which observable it is; `concepts` must all be named in the record. Where a concept
    of `possible_with` is named (and no option is shown), only the options that name one stay possible. Where a concept
    of `unless` is named, its bands prove nothing. `needs` names other items' answers (item id -> option) without which
    the option cannot be.
    """

    value: str
    text: str
    points: int
    bands: dict[str, Band] = msgspec.field(default_factory=dict)
    concepts: tuple[str, ...] = ()
    possible_with: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    needs: dict[str, str] = msgspec.field(default_factory=dict)


class ItemRow(Row, frozen=True, kw_only=True):
    """One item of a score. `asks` is the key under which it is answered by hand, shared where scores ask the same.

    `missing` is what is missing where the item is not known; else the label of its observable, or its own.
    `step` is the step of the published chart: a value that falls between two of its bands is rounded to it first.
    `scale_with`/`scale_without` is a concept that must be stated, or must not be, for the item to be the one that
    counts.
    """

    FOLDER: ClassVar[str] = _FOLDER
    KEY: ClassVar[str] = "item"

    id: str
    score: str
    label: str
    question: str
    asks: str
    missing: str = ""
    options: tuple[Option, ...]
    step: float | None = None
    scale_with: str = ""
    scale_without: str = ""
    basis: Basis


class BandRow(Row, frozen=True, kw_only=True):
    """A band of the total, with both ends in it; the first of a score's rows that fits is the one.

    `when` asks for answers to items (item id -> option), `single` for one item with at least so many points.
    `reassuring` bands are withheld while it is open whether the score may be used. `band` has fractions of a unit.
    """

    FOLDER: ClassVar[str] = _FOLDER
    KEY: ClassVar[str] = "band"

    id: str
    score: str
    name: str
    text: str
    least: int | None = None
    most: int | None = None
    band: Band | None = None
    single: int | None = None
    when: dict[str, str] = msgspec.field(default_factory=dict)
    reassuring: bool = False
    basis: Basis


class FindingRow(Row, frozen=True, kw_only=True):
    """What is known about a score: validation, criticism, its authors' warnings, risks, errors seen in software.

    `scores` names the scores that it is about. `shown` false keeps it for the reference pages only.
    """

    FOLDER: ClassVar[str] = _FOLDER
    KEY: ClassVar[str] = "finding"

    id: str
    scores: tuple[str, ...]
    kind: FindingKind
    text: str
    shown: bool = True
    basis: Basis


class UnitFactor(Row, frozen=True, kw_only=True):
    """How a unit is turned into the canonical one: value x factor + offset. `names` are its spellings, without case."""

    names: tuple[str, ...]
    factor: float
    offset: float = 0.0


class ObservableRow(Row, frozen=True, kw_only=True):
    """A measurement that scores look at: where it stands in a record, and how old it may be [days].

    `apart_hours` is how much older than the newest vital sign a reading may be and still be of one set with it.
    `least`/`most` bound what a person can have: a value outside is not believed, and told. `words` maps what a text
    result says ("Alert") to a number. `area_whole` is the area of a stretch that is over, `area_so_far` that of the
    latest, over or not, up to the answer `until` (a day) where one is given. `cut` is the limit of `days_below` and of
    the areas [10*9/L], `hole_days` the longest time between two counts that a line is drawn over. `concept` is the
    adverse event that a grade is of.
    """

    FOLDER: ClassVar[str] = _FOLDER
    KEY: ClassVar[str] = "observable"

    id: str
    label: str
    unit: str
    found: ObservedIn = "signs"
    loinc: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    units: tuple[UnitFactor, ...] = ()
    unitless: bool = False
    analyte: str = ""
    concept: str = ""
    words: dict[str, float] = msgspec.field(default_factory=dict)
    max_age_days: float | None = None
    apart_hours: float | None = None
    least: float | None = None
    most: float | None = None
    cut: float | None = None
    hole_days: float | None = None
    until: str = ""
    basis: Basis


class ConceptRow(Row, frozen=True, kw_only=True):
    """Something a record may name: a condition, a procedure, a medicine, a state of the person.

    ICD-10 codes are meant by prefix (`C92.0`), or by a range of three-character categories (`C00-C80`); `maybe` codes
    and `maybe_words` may or may not be meant: they leave an item open, and are told. `drugs` are medicine names, `atc`
    prefixes. A fact ended more than `max_age_days` before the day, or a medicine last given so long before, is over.
    """

    FOLDER: ClassVar[str] = _FOLDER
    KEY: ClassVar[str] = "concept"

    id: str
    label: str
    icd10: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    maybe_words: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
    atc: tuple[str, ...] = ()
    kinds: tuple[FactKind, ...] = FACT_KINDS
    person: Literal["", "pregnant", "not_pregnant"] = ""
    max_age_days: float | None = None
    basis: Basis


KINDS = (ScoreRow, CriterionRow, ItemRow, BandRow, FindingRow, ObservableRow, ConceptRow)
