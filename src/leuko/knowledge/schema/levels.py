"""How counts move where no marrow model speaks, and how forecasts are asked and judged: rows of `data/models`.

Levels are natural logarithms of the count in 10*9/L, spreads are SDs of that logarithm, times days.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from leuko.knowledge.schema.core import Ages, Basis, Row
from leuko.knowledge.schema.learned import LearnedFrom


class LevelRow(Row, frozen=True, kw_only=True):
    """How the counts of one kind of people move: `leuko.forecast.state_space` says what each number means.

    `use`: for whom it speaks. `people` and `counts` it was learned from, 0 where it was put together from the
    literature.
    """

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "level"

    id: str
    title: str
    analyte: str
    use: Literal["untreated", "maintenance"]
    ages: Ages | None = None
    level: float
    level_sd: float
    drift: float
    tau: float
    swing: float
    noise: float
    tails: float
    wave: float = 0.0
    fade: float = 0.0
    people: int = 0
    counts: int = 0
    learned: LearnedFrom | None = None
    basis: Basis


class SwingRow(Row, frozen=True, kw_only=True):
    """How a model's error of one count divides: `noise` is the SD on the log scale of what is new with every count (the
    measurement, and the hour), the rest is a swing of the true count about the model's course, whose correlation is
    exp(-t / tau), t and `tau` in days. `people` and `counts` that `tau` was learned from; `noise_basis` says where the
    noise is from."""

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "swing"

    id: str
    title: str
    noise: float
    tau: float
    people: int = 0
    counts: int = 0
    noise_basis: Basis
    basis: Basis


class RecoveryRow(Row, frozen=True, kw_only=True):
    """How counts come back after a cause has gone: half of the way (on the log scale) at `half` days, whose logarithm
    varies by `half_sd`; the rise takes about `width` days, its logarithm varies by `width_sd`."""

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "recovery"

    id: str
    title: str
    after: Literal["medicine", "infection"]
    half: float
    half_sd: float
    width: float
    width_sd: float
    noise: float
    basis: Basis


class AskRow(Row, frozen=True, kw_only=True):
    """What is asked of every forecast: cuts [10*9/L], horizon and grid [d], draws, sample courses."""

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "ask"

    id: str
    cuts: tuple[float, ...]
    severe: float
    horizon: float
    step: float
    draws: int
    paths: int
    fewest_counts: int
    stale_days: float
    basis: Basis


class JudgeRow(Row, frozen=True, kw_only=True):
    """How forecasts are judged on counts really seen: a count is told from all that lie at least `least` and at most
    `most` days before it; a count below `severe` [10*9/L] is what the Brier score asks for; `smoothing` is the share of
    the newest count in the exponentially weighted mean. `quick_people` are taken where time is short."""

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "judge"

    id: str
    title: str
    least: float
    most: float
    severe: float
    smoothing: float
    quick_people: int
    basis: Basis


class DesignRow(Row, frozen=True, kw_only=True):
    """A design under which the posterior is calibrated: `amount` [the model's dose unit] of `drug` on `dose_days` over
    `hours`, counts on `count_days` (below `limit` [10*9/L] only as a bound), forecasts on `ahead_days`."""

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "design"

    id: str
    title: str
    model: str
    drug: str
    amount: float
    hours: float
    dose_days: tuple[float, ...]
    count_days: tuple[float, ...]
    ahead_days: tuple[float, ...]
    limit: float = 0.0
    basis: Basis


class PublishedRow(Row, frozen=True, kw_only=True):
    """A number that a model must give, computed anew whenever forecasts are judged.

    `doses`: day, mg, hours of infusion, and how many days in a row. `factor` and `injections` (day, mg), `chemotherapy`
    and `healthy` are for the receptor model of growth factors. `what`: nadir [10*9/L], nadir_day, severe (days below
    0.5), back (day at the baseline again), peak, at_hour (with `hour`). `kind`: published (a figure of the literature)
    or regression (computed from the same table by another program). `misses`: it is known not to be met, `why` says so.
    """

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "published"

    id: str
    model: str
    title: str
    doses: tuple[tuple[float, float, float, int], ...] = ()
    drugs: tuple[str, ...] = ()
    factor: Literal["filgrastim", "pegfilgrastim"] | None = None
    injections: tuple[tuple[float, float], ...] = ()
    chemotherapy: float | None = None
    healthy: bool = False
    until: float = 60.0
    what: Literal["nadir", "nadir_day", "severe", "back", "peak", "at_hour"]
    hour: int = 0
    expected: float
    tolerance: float
    kind: Literal["published", "regression"]
    misses: bool = False
    why: str = ""
    basis: Basis


KINDS = (LevelRow, SwingRow, RecoveryRow, AskRow, JudgeRow, DesignRow, PublishedRow)
