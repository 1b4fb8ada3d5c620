"""How counts move where no marrow model speaks, and how forecasts are asked and judged: rows of `data/models`.

Levels are natural logarithms of the count in 10*9/L, spreads are SDs of that logarithm, times days.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from leuko.knowledge.schema.core import Ages, Basis, Row


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


KINDS = (LevelRow, RecoveryRow, AskRow, JudgeRow)
