"""Medicines that lower blood counts: what they are called, when counts fall and recover, how causality is judged.

The association of a medicine (`DrugRow`) and its windows of time (`DrugWindow`) are rows of their own, each with its
own basis: many an association is confirmed where the usual number of days is not.
"""

from typing import ClassVar, Literal

from leuko.knowledge.schema.core import Basis, Row

Evidence = Literal["A", "B", "C", "D"]
Reports = Literal["conclusive", "listed", "weak"]
Pattern = Literal[
    "cytotoxic", "dose_related", "idiosyncratic", "redistribution", "depletion", "late_onset", "immune", "unclear"
]
DrugGroup = Literal["cytotoxic", "targeted", "immunosuppressant", "immunotherapy", "other", "class"]


class DrugRow(Row, frozen=True, kw_only=True):
    """One medicine and the lines that it is known to lower.

    `lineages` are analyte ids, `lineages_text` the source's wording. `pattern` is how it lowers them, in one word: a
    "cytotoxic" drug is followed from dose to nadir, every other from start to onset. `reports` says whether the
    literature or label is conclusive for the association, merely lists it, or is thin. `windows_of` names the row whose
    windows hold where this one has none that is confirmed. Codes are exact: ATC of the fifth level, RxNorm of the
    ingredient (of the combination, for a combination). `combination` lists the ingredients of a row that stands for a
    fixed combination. `incidence` is printed only where `incidence_confirmed`.
    """

    FOLDER: ClassVar[str] = "drugs"
    KEY: ClassVar[str] = "drug"

    id: str
    inn: str
    us_name: str = ""
    names: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    combination: tuple[str, ...] = ()
    atc: tuple[str, ...] = ()
    rxnorm: tuple[str, ...] = ()
    drug_class: str
    group: DrugGroup
    pattern: Pattern
    lineages: tuple[str, ...]
    lineages_text: str = ""
    mechanism: str = ""
    incidence: str = ""
    incidence_confirmed: bool = False
    evidence: Evidence | None = None
    evidence_text: str = ""
    reports: Reports = "listed"
    windows_of: str = ""
    note: str = ""
    basis: Basis


class DrugWindow(Row, frozen=True, kw_only=True):
    """When counts fall or recover with one medicine [days], as a window that is usual and no limit.

    `what`: "onset" of the fall, "nadir" (lowest count of a cycle) or "recovery"; `after`: the days count from the
    "start" of the medicine, from each "dose", from the "last_dose", from the "stop", or from the "onset" itself (how
    long a late-onset fall lasts).
    """

    FOLDER: ClassVar[str] = "drugs"
    KEY: ClassVar[str] = "drug_window"

    id: str
    drug: str
    what: Literal["onset", "nadir", "recovery"]
    after: Literal["start", "dose", "last_dose", "stop", "onset"]
    low_days: float
    high_days: float
    text: str = ""
    basis: Basis


class DrugWords(Row, frozen=True, kw_only=True):
    """Words in the name of a medicine that do not change which medicine it is (salts, forms), or that do (qualifiers).

    `kind`: "salt", "form", "filler" and "unit" are dropped; a "qualifier" (liposomal, albumin-bound) makes another
    product, so that a name with one is not matched to the plain medicine; "growth_factor" names medicines that raise
    neutrophils, which a recovery must be read against.
    """

    FOLDER: ClassVar[str] = "drugs"
    KEY: ClassVar[str] = "drug_words"

    id: str
    kind: Literal["salt", "form", "filler", "unit", "qualifier", "growth_factor"]
    words: tuple[str, ...] = ()
    atc: tuple[str, ...] = ()
    basis: Basis


class DrugRule(Row, frozen=True, kw_only=True):
    """A number that the time line of medicines is put together with [days]; each names its source in its basis."""

    FOLDER: ClassVar[str] = "drugs"
    KEY: ClassVar[str] = "drug_rule"

    id: str
    days: float
    basis: Basis


class CausalityItemRow(Row, frozen=True, kw_only=True):
    """One item of a causality scheme: the question in our words, and the points for each answer (None: no points).

    `asks` names the finding that answers it. `days` and `value` [10*9/L] are limits that the item itself sets.
    """

    FOLDER: ClassVar[str] = "causality"
    KEY: ClassVar[str] = "causality_item"

    id: str
    scheme: Literal["naranjo", "who_umc", "benichou"]
    number: int
    asks: str
    question: str
    yes: int | None = None
    no: int | None = None
    unknown: int | None = None
    days: float | None = None
    value: float | None = None
    basis: Basis


class CausalityCategory(Row, frozen=True, kw_only=True):
    """One category of a causality scheme, weakest first by `order`; `least` is the lowest total that reaches it."""

    FOLDER: ClassVar[str] = "causality"
    KEY: ClassVar[str] = "causality_category"

    id: str
    scheme: Literal["naranjo", "who_umc", "benichou"]
    name: str
    order: int
    least: int | None = None
    meaning: str
    basis: Basis


class CausalityExclusion(Row, frozen=True, kw_only=True):
    """Another explanation to look for in the record before a medicine is blamed.

    A fact counts where an ICD-10 code starts with one of `icd10` or its name holds one of `words` as whole words, and
    it began no more than `within_days` before the onset (None: at any time before it).
    """

    FOLDER: ClassVar[str] = "causality"
    KEY: ClassVar[str] = "causality_exclusion"

    id: str
    name: str
    icd10: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    within_days: float | None = None
    basis: Basis


KINDS = (DrugRow, DrugWindow, DrugWords, DrugRule, CausalityItemRow, CausalityCategory, CausalityExclusion)
