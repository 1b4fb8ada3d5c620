"""The shape of the tables about infection: fevers, what each body calls febrile neutropenia, symptoms, vital signs.

Temperatures are in degrees Celsius, counts in 10*9/L, times in hours unless a field says otherwise.
"""

from typing import ClassVar, Literal

import msgspec

from leuko.knowledge.schema.core import Ages, Band, Basis, Row
from leuko.record import Sex

FeverKind = Literal["guideline", "superseded", "grading", "study"]
Route = Literal["oral", "axillary", "tympanic", "temporal", "rectal", "other"]
Suspect = Literal["urinary", "pneumonia"]
SepsisWeight = Literal["", "possible", "strong"]
SymptomKind = Literal["symptom", "sign", "diagnosis"]
UrgencyLevel = Literal["emergency", "urgent", "routine"]


class Sustained(Row, frozen=True, kw_only=True):
    """A lower limit that must hold: `band` [Cel] over `hours`, or at `readings` occasions `within_hours`.

    `hours_inclusive` true reads "for an hour", false "for more than an hour". `consecutive` false reads "on so many
    occasions", whatever lies between them.
    """

    band: Band
    readings: int = 2
    hours: float = 0.0
    hours_inclusive: bool = True
    within_hours: float | None = None
    consecutive: bool = True
    text: str


class Falling(Row, frozen=True, kw_only=True):
    """The clause for a count that is not low yet but expected to fall.

    `now` is the band the count may still lie in (no limits: any count), `to` the band it is expected to reach within
    `hours` (None: the text names no time). All counts in 10*9/L.
    """

    now: Band = msgspec.field(default_factory=Band)
    to: Band
    hours: float | None = None
    text: str


class FeverRow(Row, frozen=True, kw_only=True):
    """What one body, in one document, calls febrile neutropenia or neutropenic sepsis.

    `kind` "guideline" rows are in force and alert; "superseded", "grading" (trials) and "study" rows are evaluated and
    shown, and alert only where a site names them. `route` is the way of measuring that the text names; None where it
    names none. `or_sepsis` true: other signs of sepsis take the place of the fever.
    """

    FOLDER: ClassVar[str] = "fever"
    KEY: ClassVar[str] = "fever"

    id: str
    body: str
    name: str
    document: str
    kind: FeverKind
    population: str
    ages: Ages = msgspec.field(default_factory=Ages)
    single: Band | None = None
    sustained: Sustained | None = None
    route: Route | None = None
    neutrophils: Band
    falling: Falling | None = None
    or_sepsis: bool = False
    clause: str = ""
    basis: Basis


class FeverGradeRow(Row, frozen=True, kw_only=True):
    """One grade of fever on one edition of a scheme [Cel]; `hours` is the length that a grade sets, with its side."""

    FOLDER: ClassVar[str] = "fever"
    KEY: ClassVar[str] = "fever_grade"

    id: str
    scheme: str
    edition: str
    grade: int
    band: Band
    most_hours: float | None = None
    over_hours: float | None = None
    text: str
    basis: Basis


class FeverRules(Row, frozen=True, kw_only=True):
    """How readings and counts are joined: house rules, no clinical facts.

    A count joins a reading if it lies within `count_hours` of it. Two readings further apart than `bridge_hours` say
    nothing of the time between them. `recent_hours` is how far back a reading or symptom still speaks of now; a denial
    takes a symptom back only from `fade_hours` later on. An axillary reading short of a limit by at most
    `axillary_below` [Cel] leaves open whether an oral one would reach it. Readings outside `plausible` [Cel] are not
    used.
    """

    FOLDER: ClassVar[str] = "fever"
    KEY: ClassVar[str] = "rules"

    id: str
    count_hours: float
    bridge_hours: float
    recent_hours: float
    fade_hours: float
    axillary_below: float
    plausible: Band
    basis: Basis


class RouteRow(Row, frozen=True, kw_only=True):
    """How a temperature was taken: `names` name the measurement, `words` the place alone; `route` None: not said."""

    FOLDER: ClassVar[str] = "fever"
    KEY: ClassVar[str] = "route"

    id: str
    route: Route | None = None
    loinc: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    caution: str = ""
    basis: Basis


class PageSignRow(Row, frozen=True, kw_only=True):
    """One of the signs of infection that patient information on leukopenia lists, in our own words."""

    FOLDER: ClassVar[str] = "symptoms"
    KEY: ClassVar[str] = "page_sign"

    id: str
    order: int
    name: str
    name_de: str
    basis: Basis


class SymptomRow(Row, frozen=True, kw_only=True):
    """A symptom, sign or diagnosis of infection, with what patients and records call it.

    `words` (English) and `words_de` are compared whole, without case and punctuation. `icd10cm` codes hold for the
    codes below them too. `question` and `question_de` make the form. `temperature` [Cel]: a reading in this band is the
    symptom. `suspects` names what it points to, `sepsis` how far it counts among other signs of sepsis.
    `sex` keeps the question to people of one sex; a symptom that the record reports counts in anybody.
    """

    FOLDER: ClassVar[str] = "symptoms"
    KEY: ClassVar[str] = "symptom"

    id: str
    name: str
    name_de: str
    kind: SymptomKind = "symptom"
    page_sign: str = ""
    words: tuple[str, ...]
    words_de: tuple[str, ...] = ()
    icd10cm: tuple[str, ...] = ()
    question: str = ""
    question_de: str = ""
    temperature: Band | None = None
    suspects: tuple[Suspect, ...] = ()
    sepsis: SepsisWeight = ""
    sex: Sex | None = None
    basis: Basis


class SymptomCodeRow(Row, frozen=True, kw_only=True):
    """A code of a licensed terminology for a symptom; its file can be left out and everything else still works."""

    FOLDER: ClassVar[str] = "symptoms"
    KEY: ClassVar[str] = "symptom_code"

    id: str
    symptom: str
    system: str
    code: str
    basis: Basis


class VitalRow(Row, frozen=True, kw_only=True):
    """A vital sign whose value is itself a sign: `symptom` is present where the value lies in `band` [unit, UCUM]."""

    FOLDER: ClassVar[str] = "symptoms"
    KEY: ClassVar[str] = "vital"

    id: str
    name: str
    symptom: str
    loinc: tuple[str, ...]
    words: tuple[str, ...] = ()
    unit: str
    unit_words: tuple[str, ...] = ()
    band: Band
    ages: Ages = msgspec.field(default_factory=Ages)
    basis: Basis


class MaskRow(Row, frozen=True, kw_only=True):
    """Medicines that can hide a fever; `drugs` are words that their names contain."""

    FOLDER: ClassVar[str] = "symptoms"
    KEY: ClassVar[str] = "mask"

    id: str
    name: str
    drugs: tuple[str, ...]
    basis: Basis


class RedFlagRow(Row, frozen=True, kw_only=True):
    """When somebody is to be called at once: any of `symptoms`, or a temperature in `temperature` [Cel]."""

    FOLDER: ClassVar[str] = "symptoms"
    KEY: ClassVar[str] = "red_flag"

    id: str
    name: str
    symptoms: tuple[str, ...] = ()
    temperature: Band | None = None
    urgency: UrgencyLevel
    call: str
    audience: str = ""
    basis: Basis


KINDS = (
    FeverRow,
    FeverGradeRow,
    FeverRules,
    RouteRow,
    PageSignRow,
    SymptomRow,
    SymptomCodeRow,
    VitalRow,
    MaskRow,
    RedFlagRow,
)
