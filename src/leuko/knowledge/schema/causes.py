"""The causes of low white counts as data, and the closed vocabulary of predicates that their clues are made of.

A predicate asks one question of one person's record and findings, and is answered yes, no or unknown (`leuko.causes`).
Each kind of row below is one word of the vocabulary; there are no others. A cause names predicates by id and gives
integer weights to their answers. No likelihood ratios are published for most of them, so the weights are choices of
leuko's own (`house`), on the scale that `CauseRules` declares.
"""

from typing import Any, ClassVar, Literal

import msgspec

from leuko.knowledge.schema.core import Ages, Band, Basis, Row
from leuko.knowledge.schema.drugs import DrugGroup, Pattern
from leuko.record import FactKind, Sex
from leuko.result import CourseClass

Line = Literal["neutrophils", "lymphocytes", "monocytes", "eosinophils", "basophils", "red", "platelets"]
Group = Literal[
    "cancer treatment",
    "medicine",
    "marrow disorder",
    "autoimmune",
    "infection",
    "nutrition",
    "congenital",
    "sequestration",
    "endocrine",
    "immunodeficiency",
    "newborn",
    "benign variant",
    "inflammation",
    "toxin",
    "physiological",
    "other",
    "artefact",
]
FACT_KINDS: tuple[FactKind, ...] = ("condition", "procedure", "organism", "transfusion", "genotype", "other")


class FactPredicate(Row, frozen=True, kw_only=True):
    """Does the record name this condition, procedure, organism or genotype?

    A fact is meant by an ICD-10-CM code that begins with one of `icd10cm` (dots as written), by the same category in
    another ICD-10 where the prefix has three characters, by an HPO term, by a SNOMED CT code of the `SnomedRow` of the
    same id, or by a phrase of `words` in its name, unless a phrase of `unless` stands there too. What is not named is
    unknown, never absent. A `lasting` fact holds from its start on for good; another must not have ended before the low
    counts began. `before_days`/`after_days` bound how long before the first and after the last low count the fact may
    begin [days]; then an undated fact is unknown. `about_family` asks for facts about relatives, which no other row
    counts; `doses` looks at the names of medicines too (supplements, cell products).
    """

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "fact"

    id: str
    label: str
    icd10cm: tuple[str, ...] = ()
    hpo: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    kinds: tuple[FactKind, ...] = FACT_KINDS
    lasting: bool = False
    before_days: float | None = None
    after_days: float | None = None
    about_family: bool = False
    doses: bool = False
    settle: str
    basis: Basis


class SnomedRow(Row, frozen=True, kw_only=True):
    """SNOMED CT codes that mean the fact of the `FactPredicate` with the same id; no descriptions are shipped.

    SNOMED CT has a licence of its own: the file with these rows can be left out, and everything else still works.
    """

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "snomed"

    id: str
    codes: tuple[str, ...]
    basis: Basis


class ResultPredicate(Row, frozen=True, kw_only=True):
    """Does a test other than a blood count say so?

    A result is meant by a LOINC code or by a phrase of `words` in its name (unless one of `unless`). It answers yes
    where the source says present or positive, where its number lies in the band of its unit in `yes` (or, with
    `by_interval`, outside the interval printed with it, on that side), where its titre is at least `titre`, or where
    its text holds a phrase of `texts`. Other answers are no; where `no` has a band for the unit, only numbers in it
    are. A number in a unit that is not listed is unknown. A no counts from `valid_days` before the first low count
    on; a yes for good where `lasting`, else likewise. Bands are open at one end, so that a bound ("<150") can be
    judged.
    """

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "result"

    id: str
    label: str
    loinc: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    yes: dict[str, Band] = msgspec.field(default_factory=dict)
    no: dict[str, Band] = msgspec.field(default_factory=dict)
    by_interval: Literal["low", "high"] | None = None
    titre: float | None = None
    lasting: bool = False
    valid_days: float
    settle: str
    basis: Basis


class DrugPredicate(Row, frozen=True, kw_only=True):
    """Does the time line link a medicine to these low counts (`drug_links`)?

    A link answers where its medicine is of one of `patterns` and `groups` (none named: of any) and, where `names` has
    any, one of these INNs, none of `without_names`, and where the link itself is at least as strong as `least`. It must
    belong to the low stretch that is to be explained. A medicine that is not recorded, or not known to lower counts, is
    unknown: lists of medicines are seldom complete.
    """

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "medicine"

    id: str
    label: str
    patterns: tuple[Pattern, ...] = ()
    groups: tuple[DrugGroup, ...] = ()
    names: tuple[str, ...] = ()
    without_names: tuple[str, ...] = ()
    least: Literal["weak", "moderate", "strong"] = "weak"
    settle: str
    basis: Basis


class PersonPredicate(Row, frozen=True, kw_only=True):
    """Is the person, at the low count, of this age, of this sex, pregnant, or tested Duffy-null?"""

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "person"

    id: str
    label: str
    ages: Ages | None = None
    sex: Sex | None = None
    pregnant: bool | None = None
    duffy_null: bool | None = None
    settle: str
    basis: Basis


class CountPredicate(Row, frozen=True, kw_only=True):
    """Does a count lie in a band, or below, within or above its interval?

    `which`: the latest count, the lowest of the low stretch, any, or every one in the record. With `near_days` only
    counts so close to the latest low count are asked [days]. `share_of` asks the count as a share of another count of
    the same draw; the band is then a fraction.
    """

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "count"

    id: str
    label: str
    analyte: str
    band: Band | None = None
    position: Literal["below", "within", "above"] | None = None
    which: Literal["latest", "lowest", "any", "every"] = "latest"
    near_days: float | None = None
    share_of: str | None = None
    settle: str
    basis: Basis


class PatternPredicate(Row, frozen=True, kw_only=True):
    """Are all of the lines `low` low, none of `not_low`, and is the number of low lines one of `named`?"""

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "pattern"

    id: str
    label: str
    low: tuple[Line, ...] = ()
    not_low: tuple[Line, ...] = ()
    named: tuple[Literal["isolated", "bicytopenia", "pancytopenia"], ...] = ()
    settle: str
    basis: Basis


class CoursePredicate(Row, frozen=True, kw_only=True):
    """Is the course of one analyte of one of these kinds, did it begin at this age, or was it normal before?

    `begun` is the age at which the count is known to have been low first; an earlier count that was not low answers
    `earlier_normal`, and makes `begun` a fact rather than the first look. `over_days` asks that low counts are known
    over at least so many days, `recovered` that the last low stretch has ended and stayed so, `never_below` that no
    count ever lay below the number.
    """

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "course"

    id: str
    label: str
    analyte: str
    kinds: tuple[CourseClass, ...] = ()
    begun: Ages | None = None
    earlier_normal: bool | None = None
    over_days: float | None = None
    recovered: bool = False
    never_below: float | None = None
    settle: str
    basis: Basis


class FlagPredicate(Row, frozen=True, kw_only=True):
    """Does the laboratory or the analyser mark a draw with one of these phrases?

    Draws of the low counts are asked; `near_days` lets others so close take part. No mark is unknown, not no.
    """

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "flag"

    id: str
    label: str
    words: tuple[str, ...]
    unless: tuple[str, ...] = ()
    near_days: float | None = None
    settle: str
    basis: Basis


class RepeatPredicate(Row, frozen=True, kw_only=True):
    """Do two counts of one analyte, at most `within_days` apart, disagree by at least the factor `fold`?"""

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "repeat"

    id: str
    label: str
    analyte: str
    within_days: float
    fold: float
    settle: str
    basis: Basis


class CombinedPredicate(Row, frozen=True, kw_only=True):
    """Are all predicates of `all_of` met, at least `least` of `any_of`, and none of `none_of`? Kleene's logic."""

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "combined"

    id: str
    label: str
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    least: int = 1
    settle: str = ""
    basis: Basis


class ClueRow(Row, frozen=True, kw_only=True):
    """What the answers to one predicate weigh for one cause: `yes` and `no`, above 0 for it, below 0 against it.

    `points` false: the clue fits the cause but does not by itself point to it. `decides`: "no" rules the cause out.
    `why` says how the finding bears on the cause, in our own words; where both answers weigh, it is about the no.
    `moot_with` are other predicates: where one of them is met, an unknown here is no longer worth asking for.
    """

    predicate: str
    yes: int = 0
    no: int = 0
    points: bool = True
    decides: bool = False
    why: str = ""
    moot_with: tuple[str, ...] = ()


class CauseRow(Row, frozen=True, kw_only=True):
    """One cause of low white counts.

    `lowers` are the lines that it lowers; a person of whom none of these is low, and of whom they are all known, does
    not have it as the cause. `clues` carry the weights. `consider` are predicates which, all met, make it one to think
    of although nothing points to it yet; `priority` then orders it (1 first). `icd10cm` are the codes under which it is
    recorded. `exclusion`: it is what remains when the others are excluded, and is named after them. `read` names what
    was read in a source: of `onset`, `film` and `frequency` only that is printed for a person.
    """

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "cause"

    id: str
    name: str
    group: Group
    lowers: tuple[Line, ...]
    association: Literal["very strong", "strong", "moderate", "weak", "context"]
    mechanism: str = ""
    onset: str = ""
    film: str = ""
    other_clues: str = ""
    frequency: str = ""
    read: tuple[Literal["association", "onset", "film", "frequency"], ...] = ("association",)
    icd10cm: tuple[str, ...] = ()
    clues: tuple[ClueRow, ...] = ()
    consider: tuple[str, ...] = ()
    priority: int = 9
    exclusion: bool = False
    basis: Basis


class CauseRules(Row, frozen=True, kw_only=True):
    """How clues are weighed and said; one row.

    Evidence is strong, moderate or weak where the weights add up to at least so much; a single clue has force by the
    `clue_*` numbers. `unexplained` is the weight of the low lines that a cause does not explain, `excluded` that of
    other causes with moderate or strong evidence for a cause by exclusion. `open_most` bounds the list of causes to
    think of, `open_most_explained` where strong evidence for one cause explains every low line. Counts of other lines
    answer for the low count where they lie at most `near_days` from it.

    The word lists say which words turn the meaning of a phrase, at most `guard_words` words before it (`denied`,
    `doubted`, `past`), after it (`denied_after`) or anywhere (`family`), and how test results say yes and no.
    `doubtful_status` and `past_status` are statuses of facts.
    """

    FOLDER: ClassVar[str] = "causes"
    KEY: ClassVar[str] = "rules"

    id: str
    strong: int
    moderate: int
    weak: int
    clue_strong: int
    clue_moderate: int
    unexplained: int
    excluded: int
    open_most: int
    open_most_explained: int
    near_days: float
    guard_words: int
    denied: tuple[str, ...]
    denied_after: tuple[str, ...]
    doubted: tuple[str, ...]
    past: tuple[str, ...]
    family: tuple[str, ...]
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    doubtful_status: tuple[str, ...]
    past_status: tuple[str, ...]
    basis: Basis


PREDICATES: tuple[Any, ...] = (
    FactPredicate,
    ResultPredicate,
    DrugPredicate,
    PersonPredicate,
    CountPredicate,
    PatternPredicate,
    CoursePredicate,
    FlagPredicate,
    RepeatPredicate,
    CombinedPredicate,
)
KINDS = (CauseRow, CauseRules, SnomedRow, *PREDICATES)
