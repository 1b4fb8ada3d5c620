"""What to do about a low count, as data: regimens, treat-day rules, growth factors, antimicrobials, monitored drugs.

Limits are bands in the canonical unit of the analyte. Nothing here is a dose to give: where a source names one, it is
carried so that a regimen can be recognised and a rule read, and never said as advice.
"""

from typing import ClassVar, Literal

import msgspec

from leuko.knowledge.schema.core import Ages, Band, Basis, Row

RiskClass = Literal["low", "intermediate", "high", "expected", "not_listed"]
Checkpoint = Literal[
    "day_1", "day_8", "day_15", "treatment_day", "before_start", "weekly", "any", "nadir", "previous_cycle"
]
Action = Literal[
    "escalate", "give", "not_barred", "caution", "reduce", "delay", "withhold", "stop", "contraindicated", "titrate"
]
GrowthTopic = Literal[
    "primary",
    "secondary",
    "therapeutic",
    "afebrile",
    "timing",
    "stop_rule",
    "dose",
    "product",
    "efficacy",
    "harm",
    "caution",
    "myeloprotection",
    "safety",
]
Use = Literal[
    "bacterial_prophylaxis",
    "fungal_prophylaxis",
    "pjp_prophylaxis",
    "viral_prophylaxis",
    "hbv_prophylaxis",
    "vaccine",
    "timing",
    "empirical_low_risk",
    "empirical_high_risk",
    "add_on",
    "antifungal_empirical",
    "stop_rule",
    "risk",
    "cultures",
    "chronic",
]


class PlanDrug(Row, frozen=True, kw_only=True):
    """What a medicine is called in records: INN, US name, common brands and short forms.

    `cytotoxic` is true for medicines that make up a chemotherapy regimen; `groups` are words that rules ask for
    (purine analogue, anti-CD20, growth factor).
    """

    FOLDER: ClassVar[str] = "regimens"
    KEY: ClassVar[str] = "name"

    id: str
    names: tuple[str, ...] = ()
    cytotoxic: bool = True
    groups: tuple[str, ...] = ()
    basis: Basis


class Phase(Row, frozen=True, kw_only=True):
    """The drugs of one part of a regimen: all of `drugs`, and any of `optional`."""

    drugs: tuple[str, ...]
    optional: tuple[str, ...] = ()


class FnRisk(Row, frozen=True, kw_only=True):
    """How one body classes a regimen's risk of febrile neutropenia; two classes where it gives a range."""

    body: str
    classes: tuple[RiskClass, ...] = ()
    text: str = ""
    basis: Basis


class RegimenRow(Row, frozen=True, kw_only=True):
    """One chemotherapy regimen. `basis` is that of its risk class, `dose_basis` that of drugs, doses and cycle [days].

    `phases` in order (AC, then a taxane); `treatment_days` are the days of a cycle on which it is given.
    """

    FOLDER: ClassVar[str] = "regimens"
    KEY: ClassVar[str] = "regimen"

    id: str
    name: str
    tumour: str
    aliases: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    doses: str = ""
    cycle_days: float | None = None
    treatment_days: tuple[int, ...] = ()
    risks: tuple[FnRisk, ...] = ()
    reported: str = ""
    reported_basis: Basis | None = None
    note: str = ""
    dose_basis: Basis
    basis: Basis


class TumourRow(Row, frozen=True, kw_only=True):
    """How a record names a tumour that regimens are for (`RegimenRow.tumour` is one of `tumours`).

    A fact whose name holds one of `unless` is another tumour whose name holds this one ("non-small cell").
    """

    FOLDER: ClassVar[str] = "regimens"
    KEY: ClassVar[str] = "tumour"

    id: str
    tumours: tuple[str, ...]
    icd10: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    basis: Basis


class TreatDayRow(Row, frozen=True, kw_only=True):
    """One line of a label's or protocol's rule on the count that a dose needs.

    Rows with the same `table` are judged together, and the strictest that holds speaks. `limits` are bands by analyte;
    `join` says whether one of them is enough. `otherwise` is what the rule says where the limits are not met. Without
    limits the row has no number of its own and only speaks. `nadir` asks for the counts since the last treatment: one
    in the band (any analyte is enough, unless `join` is "all") for more than `lasting_days` (None: once is enough).
    `febrile` asks for febrile neutropenia since then: instead of a nadir, but together with `limits`. The person's
    drugs must hold all of `drugs` and one of `any_of`; a row without both is carried and never speaks. `alone`: a rule
    for the drug by itself.
    `count_days` is how old the count may be [days]; None: the house rule.
    """

    FOLDER: ClassVar[str] = "treatday"
    KEY: ClassVar[str] = "treat_day"

    id: str
    table: str
    title: str
    drugs: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    alone: bool = False
    setting: str = ""
    region: str = ""
    checkpoint: Checkpoint
    limits: dict[str, Band] = msgspec.field(default_factory=dict)
    join: Literal["all", "any"] = "any"
    nadir: dict[str, Band] = msgspec.field(default_factory=dict)
    lasting_days: float | None = None
    lasting_inclusive: bool = False
    febrile: bool = False
    action: Action
    otherwise: Action | None = None
    says: str
    then: str = ""
    count_days: float | None = None
    basis: Basis


class PlanRules(Row, frozen=True, kw_only=True):
    """The house's own choices of method; one row.

    `count_days` is how old a count may be on the day of treatment where the rule does not say; `present_days` how long
    after its last dose a regimen counts as the present one; `same_cycle_days` how far apart doses of one cycle lie at
    most where no cycle is numbered, `spacing_days` how early or late a cycle may come and still be of its kind [days].
    """

    FOLDER: ClassVar[str] = "treatday"
    KEY: ClassVar[str] = "rules"

    id: str
    count_days: float
    present_days: float
    same_cycle_days: float
    spacing_days: float
    basis: Basis


class GrowthRow(Row, frozen=True, kw_only=True):
    """One statement on growth factors. Rows of topic "dose" and "product" are carried and never said as advice.

    `risk` are the risk classes that a prophylaxis row speaks of; `needs_factor`: only with a personal risk factor.
    `standing` is what the row makes of the option. `watch` are words of facts that make a caution the person's own.
    """

    FOLDER: ClassVar[str] = "growthfactor"
    KEY: ClassVar[str] = "growth"

    id: str
    topic: GrowthTopic
    body: str
    population: str = ""
    says: str
    start: str = ""
    stop: str = ""
    number: str = ""
    risk: tuple[RiskClass, ...] = ()
    needs_factor: bool = False
    standing: Literal["", "recommended", "consider", "not_routine"] = ""
    watch: tuple[str, ...] = ()
    limits: dict[str, Band] = msgspec.field(default_factory=dict)
    basis: Basis


class FactorRow(Row, frozen=True, kw_only=True):
    """A personal factor that raises the risk of febrile neutropenia, and the bodies that list it."""

    FOLDER: ClassVar[str] = "growthfactor"
    KEY: ClassVar[str] = "factor"

    id: str
    name: str
    body: str
    ages: Ages | None = None
    icd10: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    limits: dict[str, Band] = msgspec.field(default_factory=dict)
    basis: Basis


class AntimicrobialRow(Row, frozen=True, kw_only=True):
    """One statement on antimicrobials: a class and an indication, never a dose.

    `needs` are the situations of the person that make it speak; `unless` those that keep it silent. `standing` is what
    the statement makes of the option, `against` whether it speaks against it.
    """

    FOLDER: ClassVar[str] = "antimicrobials"
    KEY: ClassVar[str] = "antimicrobial"

    id: str
    use: Use
    drug_class: str
    body: str
    population: str
    trigger: str
    start: str = ""
    stop: str = ""
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    against: bool = False
    standing: Literal["recommended", "consider", "not_routine"] = "consider"
    basis: Basis


class SituationRow(Row, frozen=True, kw_only=True):
    """A situation that antimicrobial rows ask for, told from the record.

    Met by a fact (ICD-10 prefix, word), a medicine of the record (`drugs`, `groups`), or a regimen whose risk class is
    in `risk`. What the record does not name is unknown, never absent.
    """

    FOLDER: ClassVar[str] = "antimicrobials"
    KEY: ClassVar[str] = "situation"

    id: str
    name: str
    icd10: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    risk: tuple[RiskClass, ...] = ()
    recent_days: float | None = None
    basis: Basis


class MonitorScheme(Row, frozen=True, kw_only=True):
    """How one country or body monitors one medicine.

    `population` "duffy_null": the table for benign ethnic (Duffy-null) neutropenia, used only where it was tested or
    declared. `restart_days`: an interruption longer than this restarts the schedule; `restart_open` is the interruption
    at which the source's own wordings disagree [days].
    """

    FOLDER: ClassVar[str] = "monitoring"
    KEY: ClassVar[str] = "scheme"

    id: str
    title: str
    drugs: tuple[str, ...]
    jurisdiction: str
    population: Literal["general", "duffy_null"] = "general"
    in_force: str = ""
    restart_days: float | None = None
    restart_open: float | None = None
    restart_says: str = ""
    note: str = ""
    basis: Basis


class MonitorBand(Row, frozen=True, kw_only=True):
    """One band of a scheme: limits, what to do, and the counts that follow [`next_days`: the longest gap]."""

    FOLDER: ClassVar[str] = "monitoring"
    KEY: ClassVar[str] = "band"

    id: str
    scheme: str
    name: str
    limits: dict[str, Band]
    join: Literal["all", "any"] = "any"
    action: Action
    says: str
    counts: str = ""
    next_days: float | None = None
    at_start: bool = False
    basis: Basis


class MonitorInterval(Row, frozen=True, kw_only=True):
    """How often counts are due while nothing is wrong, from one day since the start to another [days]."""

    FOLDER: ClassVar[str] = "monitoring"
    KEY: ClassVar[str] = "interval"

    id: str
    scheme: str
    from_days: float
    to_days: float | None = None
    every_days: float
    says: str
    only_if: str = ""
    basis: Basis


class MonitorNote(Row, frozen=True, kw_only=True):
    """A fact about monitoring that is no limit: a change of the law, a definition, a proposal."""

    FOLDER: ClassVar[str] = "monitoring"
    KEY: ClassVar[str] = "note"

    id: str
    drugs: tuple[str, ...]
    jurisdiction: str = ""
    says: str
    basis: Basis


class NextCountRow(Row, frozen=True, kw_only=True):
    """When a count is due again because of the count itself, as one source says [`within_days`].

    `alone`: written for a low count of this line by itself; it says nothing where red cells or platelets are low too.
    `febrile`: written for febrile neutropenia, and said only there, under chemotherapy too.
    """

    FOLDER: ClassVar[str] = "monitoring"
    KEY: ClassVar[str] = "next_count"

    id: str
    analyte: str
    band: Band
    ages: Ages = Ages()
    population: str = ""
    within_days: float
    says: str
    after_repeat: bool = False
    alone: bool = False
    febrile: bool = False
    basis: Basis


KINDS = (
    PlanDrug,
    RegimenRow,
    TumourRow,
    TreatDayRow,
    PlanRules,
    GrowthRow,
    FactorRow,
    AntimicrobialRow,
    SituationRow,
    MonitorScheme,
    MonitorBand,
    MonitorInterval,
    MonitorNote,
    NextCountRow,
)
