"""The shape of the tables about outlook, prevention, call rules and the leaflet.

Temperatures are in degrees Celsius, times in days.
"""

from typing import ClassVar, Literal

import msgspec

from leuko.knowledge.schema.core import Ages, Band, Basis, Row
from leuko.result.advice import Level, Role, Speed, Tier

AdviceKind = Literal["do", "avoid", "ask", "evidence"]
When = Literal["low", "high", "treatment", "profound", "chronic", "anyone"]
Section = Literal["title", "lead", "call_now", "call_day", "call_emergency", "hint", "means", "do", "avoid", "card"]


class OutlookRow(Row, frozen=True, kw_only=True):
    """One published figure: `question` groups those that answer the same one, in the words that a reader sees.

    `causes` are ids of causes; `of_fever` is true for figures about febrile neutropenia, whatever its cause.
    `medicines` (INN) narrows it to people on one of them, `levels` to people whose count is so low. `value` and
    `population` are as printed.
    """

    FOLDER: ClassVar[str] = "outlook"
    KEY: ClassVar[str] = "outlook"

    id: str
    causes: tuple[str, ...] = ()
    of_fever: bool = False
    medicines: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    question: str
    value: str
    population: str
    ages: Ages = msgspec.field(default_factory=Ages)
    basis: Basis


class AdviceRow(Row, frozen=True, kw_only=True):
    """One piece of advice. It applies where any of `when` holds; `evidence` says what stands behind it."""

    FOLDER: ClassVar[str] = "prevention"
    KEY: ClassVar[str] = "advice"

    id: str
    area: str
    kind: AdviceKind
    text: str
    when: tuple[When, ...]
    on_page: bool = False
    evidence: str
    basis: Basis


class CallRow(Row, frozen=True, kw_only=True):
    """Which sign, whom to call, how fast, for people of these tiers or on one of these medicines (INN).

    `children` keeps it to children. `reading` names the temperature limit that calls too: that of fever, or that
    of a low temperature.
    """

    FOLDER: ClassVar[str] = "callrules"
    KEY: ClassVar[str] = "call"

    id: str
    text: str
    tiers: tuple[Tier, ...]
    medicines: tuple[str, ...] = ()
    children: bool = False
    signs: tuple[str, ...] = ()
    reading: Literal["fever", "low", ""] = ""
    speed: Speed
    whom: Role
    otherwise: Role | None = None
    basis: Basis


class FeverLimitRow(Row, frozen=True, kw_only=True):
    """The temperature [Cel] at which one body's leaflet says to call.

    `hours`: the reading must hold so long ("" in the text else: one reading is enough); such rows are shown and never
    taken as the default. `ages` are those of the leaflet's readers.
    """

    FOLDER: ClassVar[str] = "callrules"
    KEY: ClassVar[str] = "fever_limit"

    id: str
    body: str
    country: str
    audience: str
    ages: Ages = msgspec.field(default_factory=Ages)
    side: Literal["high", "low"]
    celsius: float
    inclusive: bool = True
    hours: float | None = None
    text: str
    basis: Basis


class TriageRow(Row, frozen=True, kw_only=True):
    """What a telephone helpline or a symptom questionnaire does with an answer: for professionals, listed."""

    FOLDER: ClassVar[str] = "callrules"
    KEY: ClassVar[str] = "triage"

    id: str
    name: str
    text: str
    basis: Basis


class AdviceRules(Row, frozen=True, kw_only=True):
    """How the record decides which advice is shown; one row of house rules.

    `levels` gives a house severity band (id of its definition) its level; `high_levels` are those that make the call
    rules most cautious, as do `high_causes` where they are supported. `treatment_groups` are groups of medicines that
    treat cancer, `cyclic_patterns` those after which counts fall and rise with each dose; a dose counts for
    `treatment_days` [days] after its end. Statuses in `void_statuses` were never given. `plausible` [Cel] bounds the
    fever limit that a site may set. `adult`, `viral_causes`, `blood_causes` and
    `benign_cause` choose the words. `cancer_words` and `cancer_codes` (how a code begins) are anything that points to
    cancer or its treatment; `other_medicines` treat no cancer, though leuko's table of medicines has no row of them.
    """

    FOLDER: ClassVar[str] = "callrules"
    KEY: ClassVar[str] = "rules"

    id: str
    levels: dict[str, Level]
    high_levels: tuple[Level, ...]
    high_causes: tuple[str, ...]
    treatment_causes: tuple[str, ...]
    treatment_groups: tuple[str, ...]
    cyclic_patterns: tuple[str, ...]
    watched: tuple[str, ...]
    viral_causes: tuple[str, ...]
    blood_causes: tuple[str, ...]
    benign_cause: str
    treatment_days: float
    void_statuses: tuple[str, ...]
    plausible: Band
    adult: Ages
    cancer_words: tuple[str, ...] = ()
    cancer_codes: tuple[str, ...] = ()
    other_medicines: tuple[str, ...] = ()
    basis: Basis


class StandardRow(Row, frozen=True, kw_only=True):
    """A standard of plain language; `grade_most` is the highest reading grade (years of school) it allows."""

    FOLDER: ClassVar[str] = "leaflets"
    KEY: ClassVar[str] = "standard"

    id: str
    name: str
    text: str
    grade_most: float | None = None
    basis: Basis


class BlockRow(Row, frozen=True, kw_only=True):
    """One sentence of the leaflet: where it stands and for whom; its words are in the language files under its id.

    It is shown where all of `needs` and none of `without` are among the facts of the person, and the tier is one of
    `tiers`. `rests` are ids of the rows of knowledge that it rests on.
    """

    FOLDER: ClassVar[str] = "leaflets"
    KEY: ClassVar[str] = "block"

    id: str
    section: Section
    order: int
    tiers: tuple[Tier, ...] = ("high", "raised", "usual")
    needs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    rests: tuple[str, ...]
    basis: Basis


class LanguageRow(Row, frozen=True, kw_only=True):
    """One language of the leaflet: a file of its own. `texts` has a text for every block and every fixed phrase."""

    FOLDER: ClassVar[str] = "leaflets"
    KEY: ClassVar[str] = "language"

    id: str
    name: str
    decimal: str
    capital_nouns: bool = False
    months: tuple[str, ...]
    date: str
    texts: dict[str, str] = msgspec.field(default_factory=dict)
    basis: Basis


class StatementRow(Row, frozen=True, kw_only=True):
    """One statement of the patient page that leuko grew from, in our own words, and the rows that carry it."""

    FOLDER: ClassVar[str] = "leaflets"
    KEY: ClassVar[str] = "page_statement"

    id: str
    section: str
    text: str
    carried: tuple[str, ...]
    basis: Basis


KINDS = (
    OutlookRow,
    AdviceRow,
    CallRow,
    FeverLimitRow,
    TriageRow,
    AdviceRules,
    StandardRow,
    BlockRow,
    LanguageRow,
    StatementRow,
)
