"""The work-up as data: tests, steps, what each body says of them, and the conditions under which it holds.

A statement is what one body says; it belongs to a step, and holds where all of its conditions are met. Conditions are
a closed vocabulary: the row types below, and the predicates of the causes (`schema.causes`), by id. Days are days,
counts are in the canonical unit of their analyte.
"""

from typing import Any, ClassVar, Literal

from leuko.knowledge.schema.causes import FactPredicate, Line
from leuko.knowledge.schema.core import Ages, Band, Basis, Row
from leuko.result.causes import Standing, Strength
from leuko.result.infection import Urgent
from leuko.result.steps import Advises, Pathway, StepUrgency


class TestRow(Row, frozen=True, kw_only=True):
    """A test that can be asked for, and how a result of it is known in a record.

    A result is meant by a LOINC code, by an analyte among the counts, or by a phrase of `words` in its name (unless one
    of `unless`). It stands for a new one for `valid_days` (None: for good). A `renewed` test, such as a blood count to
    be repeated, is asked for anew whatever the record holds; only a step with `today_stands` takes one whose `analytes`
    were all counted on the day itself. `told_by` are predicates of the causes that its result
    answers: they say which causes it separates. `met` and `unmet` word the result ("low", "not low") where the first of
    them that read it is met or not.
    """

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "test"
    __test__: ClassVar[bool] = False

    id: str
    name: str
    loinc: tuple[str, ...] = ()
    analytes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    valid_days: float | None = None
    renewed: bool = False
    told_by: tuple[str, ...] = ()
    met: str = ""
    unmet: str = ""
    basis: Basis


class PathRow(Row, frozen=True, kw_only=True):
    """The way of a person through the work-up: the first, by `order`, all of whose conditions are met."""

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "path"

    id: str
    order: int
    label: str
    when: tuple[str, ...] = ()
    basis: Basis


class StepRow(Row, frozen=True, kw_only=True):
    """One step: what to do, why it helps, and who does it.

    It is taken on the `paths` named (none: on all), where a statement speaks for it and no condition of `unless` is
    met. `urgency` holds where no statement names one. `instead` words it where every statement advises against it.
    `separates` are causes that it tells apart beside those that its tests answer. `caution` is said with it always. The
    step that `collects` says what the record leaves open for every other step of the path. One that goes `beside`
    others is taken only where one of them is to be done. Where `today_stands`, a blood count of the day itself is not
    asked for again.
    """

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "step"

    id: str
    pathway: Pathway
    order: int
    what: str
    instead: str = ""
    because: str
    who: str
    urgency: StepUrgency = "routine"
    paths: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    separates: tuple[str, ...] = ()
    caution: str = ""
    collects: bool = False
    beside: tuple[str, ...] = ()
    today_stands: bool = False
    basis: Basis


class StatementRow(Row, frozen=True, kw_only=True):
    """What one body says about a step.

    It holds where all conditions of `when` are met and none of `unless` is. Where only conditions with an `ask` are
    unknown, the step says so: what to look for, and what it would change. `tests` are test ids.
    """

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "statement"

    id: str
    step: str
    body: str
    population: str = ""
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    advises: Advises = "do"
    says: str
    tests: tuple[str, ...] = ()
    urgency: StepUrgency | None = None
    by_when: str = ""
    within_days: float | None = None
    basis: Basis


# ---- conditions -----------------------------------------------------------------------------------------------------


class LatestCondition(Row, frozen=True, kw_only=True):
    """Does the latest count of an analyte lie in the band? A count too old to speak for today leaves it open.

    With `repeated`, so many counts of different days in a row, the latest of them, must lie in it; with `apart_days`,
    those counts in a row, however many there are, must reach back so many days [days] before it counts as lasting.
    """

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "latest"

    id: str
    label: str
    analyte: str
    band: Band
    repeated: int = 1
    apart_days: float = 0.0
    ask: str = ""
    basis: Basis


class KnownCondition(Row, frozen=True, kw_only=True):
    """What is known of these analytes? Yes or no, never open.

    "fresh": a count of one of them speaks for today; "exact": one that is no bound does; "never": none was ever
    counted; "old_low": the latest one was low, and is too old to speak for today.
    """

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "known"

    id: str
    label: str
    analytes: tuple[str, ...]
    state: Literal["fresh", "exact", "never", "old_low"] = "fresh"
    ask: str = ""
    basis: Basis


class LowCondition(Row, frozen=True, kw_only=True):
    """Are any of the lines `any_of` low now, all of `low`, none of `not_low`, and is the picture one of `named`?"""

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "low"

    id: str
    label: str
    any_of: tuple[Line, ...] = ()
    low: tuple[Line, ...] = ()
    not_low: tuple[Line, ...] = ()
    named: tuple[Literal["isolated", "bicytopenia", "pancytopenia"], ...] = ()
    ask: str = ""
    basis: Basis


class LastedCondition(Row, frozen=True, kw_only=True):
    """Has the low stretch of now lasted for `days`, or, with `resolved`, is the last one over?"""

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "lasted"

    id: str
    label: str
    analyte: str
    days: float | None = None
    resolved: bool = False
    ask: str = ""
    basis: Basis


class PersonCondition(Row, frozen=True, kw_only=True):
    """Is the person of this age today, pregnant, tested Duffy-null? `duffy_known` asks only whether it was tested."""

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "person"

    id: str
    label: str
    ages: Ages | None = None
    age_known: bool | None = None
    pregnant: bool | None = None
    duffy_null: bool | None = None
    duffy_known: bool | None = None
    ask: str = ""
    basis: Basis


class FactCondition(FactPredicate, frozen=True, kw_only=True):
    """Does the record name this condition? A fact is meant as in `FactPredicate` of the causes."""

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "fact"

    ask: str = ""


class InfectionCondition(Row, frozen=True, kw_only=True):
    """What is known of an infection: any of the questions asked below is answered yes.

    `verdicts` are definitions of febrile neutropenia by id, `any_verdict` any of a guideline in force, `fever` the
    fever half of any, `temperature` a reading of now [Cel], `suspects` an organ, `symptoms` by id, `any_symptom` any
    that is present, `sepsis` any that counts as a sign of it, `urgency` how soon somebody must see the person.
    """

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "infection"

    id: str
    label: str
    verdicts: tuple[str, ...] = ()
    any_verdict: bool = False
    fever: bool = False
    temperature: Band | None = None
    suspects: Literal["urinary", "pneumonia"] | None = None
    symptoms: tuple[str, ...] = ()
    any_symptom: bool = False
    sepsis: bool = False
    urgency: tuple[Urgent, ...] = ()
    ask: str = ""
    basis: Basis


class MedicineCondition(Row, frozen=True, kw_only=True):
    """Is a medicine of these names or groups taken now, or was it, at most `within_days` ago? Yes or unknown."""

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "medicine"

    id: str
    label: str
    names: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    within_days: float
    ask: str = ""
    basis: Basis


class CauseCondition(Row, frozen=True, kw_only=True):
    """Has any of these causes, or of these groups of causes, one of the standings, with at least the strength?"""

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "cause"

    id: str
    label: str
    causes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    standings: tuple[Standing, ...] = ("supported",)
    least: Strength = "weak"
    ask: str = ""
    basis: Basis


class CombinedCondition(Row, frozen=True, kw_only=True):
    """Are all conditions of `all_of` met, at least `least` of `any_of`, and none of `none_of`? Kleene's logic.

    With `tolerant`, a condition of `none_of` that is unknown counts as not met.
    """

    FOLDER: ClassVar[str] = "steps"
    KEY: ClassVar[str] = "combined"

    id: str
    label: str
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    least: int = 1
    tolerant: bool = False
    ask: str = ""
    basis: Basis


CONDITIONS: tuple[Any, ...] = (
    LatestCondition,
    KnownCondition,
    LowCondition,
    LastedCondition,
    PersonCondition,
    FactCondition,
    InfectionCondition,
    MedicineCondition,
    CauseCondition,
    CombinedCondition,
)
KINDS = (TestRow, PathRow, StepRow, StatementRow, *CONDITIONS)
