"""Marrow models as data: published parameter sets, what they were fitted on, and how a regimen becomes doses.

Times in hours, counts in 10*9/L. Parameters carry the names that `leuko.forecast.model` gives them: those of the marrow
by their role (`circ0`), those of a medicine as `<medicine>.<role>` (`docetaxel.slope`).
"""

from math import log1p
from typing import ClassVar, Literal

import msgspec

from leuko.knowledge.schema.core import Basis, Row
from leuko.knowledge.schema.learned import LearnedFrom

Line = Literal["neutrophils", "wbc"]
MarrowKind = Literal["friberg", "pool", "turnover", "receptor"]
PkKind = Literal["compartments", "micro", "kpd", "saturable", "thiopurine"]
EffectKind = Literal["linear", "emax"]
ResidualKind = Literal["log", "proportional", "additive", "box-cox"]
Variability = Literal["published", "house", "learned", "none"]
Role = Literal["medicine", "regimen", "factor", "addition"]
EffectForm = Literal["power", "linear", "hinge", "factor"]
DoseUnit = Literal["mg/m2", "mg", "mg/kg", "AUC", "U", "U/m2"]


class Parameter(Row, frozen=True, kw_only=True):
    """One parameter: typical value, unit, and how it varies between people, lognormally.

    As the source prints it: `cv` (0.42 is 42 %) or `omega2`, the variance on the log scale; neither: it does not vary.
    `occasion_cv` is the variation between the cycles of one person. `ceiling`: bounded by the stability of the marrow
    (gamma). `house`: the variation is leuko's own assumption, or borrowed from another source; `note` says which.
    """

    name: str
    value: float
    unit: str = ""
    cv: float | None = None
    omega2: float | None = None
    occasion_cv: float | None = None
    house: bool = False
    note: str = ""

    @property
    def variance(self) -> float:
        """The variance of the parameter's logarithm between people; ln(1 + CV²) where a CV is printed."""
        return self.omega2 if self.omega2 is not None else log1p((self.cv or 0.0) ** 2)

    @property
    def occasion(self) -> float:
        """The same between the cycles of one person."""
        return log1p((self.occasion_cv or 0.0) ** 2)


class Correlation(Row, frozen=True, kw_only=True):
    """Two parameters that vary together (correlation of their logarithms)."""

    first: str
    second: str
    value: float


class Error(Row, frozen=True, kw_only=True):
    """The error of one count: SD on the log scale, relative, or in 10*9/L; `power` of a Box-Cox transform."""

    kind: ResidualKind
    sd: float
    power: float = 0.0
    house: bool = False
    note: str = ""


class Part(Row, frozen=True, kw_only=True):
    """One medicine of a model: its kinetics, and how an amount in mg becomes an amount in the model's unit."""

    drug: str
    dose_unit: str
    per_mg: float = 1.0
    pk: PkKind
    compartments: int = 1
    effect: EffectKind = "linear"
    note: str = ""


class Effect(Row, frozen=True, kw_only=True):
    """How a covariate changes a typical value; x is the covariate, r its `reference`, k the `coefficient`.

    power: (x/r)^k. linear: 1 + k (x - r). hinge: the same with `above` for k where x > r. factor: k where x is at
    least r, else 1 (a sign that is present is 1, absent 0). `low`..`high` is where the source had people. `typical`
    is taken where the record does not tell (None: the reference).
    """

    covariate: str
    parameter: str
    form: EffectForm
    reference: float
    coefficient: float
    above: float | None = None
    low: float | None = None
    high: float | None = None
    typical: float | None = None

    def at(self, value: float) -> float:
        """The factor on the typical value, for a covariate in the unit of its row."""
        if self.form == "power":
            return float((value / self.reference) ** self.coefficient)
        if self.form == "factor":
            return self.coefficient if value >= self.reference else 1.0
        far = value - self.reference
        slope = self.above if self.form == "hinge" and far > 0 and self.above is not None else self.coefficient
        return 1.0 + slope * far


class Domain(Row, frozen=True, kw_only=True):
    """Whom a model was fitted on. A band is what the source had, None where it does not say.

    `alone`: fitted on people who had no other chemotherapy; `with_drugs` names what they had besides. `growth_factor`:
    whether people with growth factors were in it. `doses` in `dose_unit` at one time.
    """

    population: str
    people: int | None = None
    counts: int | None = None
    age_low: float | None = None
    age_high: float | None = None
    children: bool = False
    female_only: bool = False
    dose_low: float | None = None
    dose_high: float | None = None
    dose_unit: DoseUnit = "mg/m2"
    alone: bool = True
    with_drugs: tuple[str, ...] = ()
    growth_factor: bool = False
    note: str = ""


class Check(Row, frozen=True, kw_only=True):
    """One number that the model must give: of the typical person at the dose named, or as the source prints it.

    `kind` regression: computed from the table itself, so that a change is noticed; published: from the literature.
    """

    what: str
    dose: str
    expected: float
    tolerance: float
    kind: Literal["regression", "published"]
    passed: bool = True
    why: str = ""


class ModelRow(Row, frozen=True, kw_only=True):
    """One published parameter set. `role`: of one medicine, for any regimen, of a growth factor, or to be added to one.

    `variability` says whether variation between people is published, assumed (house), learned, or not known: then the
    model can draw a typical course and never a person's posterior. `read` says where the numbers were read. `prefer`
    orders models of the same medicine (lower first): by people fitted on, covariates, and whether variation is known.
    """

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "model"

    id: str
    title: str
    role: Role = "medicine"
    drugs: tuple[str, ...] = ()
    line: Line = "neutrophils"
    marrow: MarrowKind = "friberg"
    transits: int = 3
    own_kcirc: bool = False
    dexamethasone: bool = False
    baseline_observed: bool = False
    parts: tuple[Part, ...] = ()
    growth: str = ""
    parameters: tuple[Parameter, ...]
    correlations: tuple[Correlation, ...] = ()
    residual: Error | None = None
    effects: tuple[Effect, ...] = ()
    domain: Domain
    variability: Variability
    prefer: int = 1
    read: str
    checks: tuple[Check, ...] = ()
    note: str = ""
    learned: LearnedFrom | None = None
    kinetics_basis: Basis | None = None
    basis: Basis

    def value(self, name: str) -> float:
        """The typical value of a parameter."""
        return next(one.value for one in self.parameters if one.name == name)


class CovariateRow(Row, frozen=True, kw_only=True):
    """A covariate that models ask for: its unit, what records call it, and how their units become its own.

    `units` maps a spelling of a unit to the factor to `unit`. Values outside `low..high` are not believed.
    """

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "covariate"

    id: str
    title: str
    unit: str
    names: tuple[str, ...] = ()
    loinc: tuple[str, ...] = ()
    units: dict[str, float] = msgspec.field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    basis: Basis


class RegimenDose(Row, frozen=True, kw_only=True):
    """One medicine of a regimen in numbers: what, how much, on which days of the cycle.

    `most` is the upper end where the source gives a range (then the middle is taken, and said); `first` a loading dose.
    `times` a day, `hours` of infusion where the source says, `limit` [mg] at most. `cycles` of this phase where told.
    `prose` is the piece of the catalogue's own wording that it stands for, of the regimen itself or that `as_in` names.
    """

    FOLDER: ClassVar[str] = "regimens"
    KEY: ClassVar[str] = "dose"

    id: str
    regimen: str
    phase: int = 1
    drug: str
    amount: float
    most: float | None = None
    first: float | None = None
    unit: DoseUnit = "mg/m2"
    days: tuple[int, ...]
    times: int = 1
    hours: float | None = None
    limit: float | None = None
    cycles: int | None = None
    prose: str
    as_in: str = ""
    note: str = ""
    basis: Basis


class GivenHours(Row, frozen=True, kw_only=True):
    """How long a medicine usually runs where neither record nor regimen says [h], and how it is given.

    `weight` is its part in the marrow suppression of a regimen of which no model speaks (0: hardly any). `daily`: where
    a record states a stretch of it, it is taken every day of that stretch. Of a growth factor: `usual_ug` is one usual
    daily dose [ug], `acts_days` how many usual daily doses one injection stands for.
    """

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "given"

    id: str
    drug: str
    hours: float = 0.0
    weight: float = 1.0
    daily: bool = False
    usual_ug: float | None = None
    acts_days: int = 1
    note: str = ""
    basis: Basis


class ForecastRule(Row, frozen=True, kw_only=True):
    """One number of a formula or of the house that doses and domains are worked out with."""

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "rule"

    id: str
    title: str
    value: float
    unit: str = ""
    basis: Basis


KINDS = (ModelRow, CovariateRow, RegimenDose, GivenHours, ForecastRule)
