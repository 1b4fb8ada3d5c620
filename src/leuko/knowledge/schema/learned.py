"""What a row learned from a site's own counts (`leuko learn`) tells of how it came about; forecasts under treatment."""

from __future__ import annotations

from typing import ClassVar

from leuko.knowledge.schema.core import Basis, Row


class JudgedOn(Row, frozen=True, kw_only=True):
    """How one set of parameters told counts of people it was not learned from: mean log predictive density of a count,
    error and CRPS of its logarithm, coverage of the central 50, 80 and 95 %."""

    name: str
    people: int
    counts: int
    log_score: float
    log_rmse: float
    crps_log: float
    coverage: tuple[float, float, float]


class LearnedFrom(Row, frozen=True, kw_only=True):
    """Where learning began (`begun`: the id of a row), from how many people and counts, with a SHA-256 of them.

    `on` is the day that the caller gave, `prior_people` how many pseudo-people stood for the row where it began.
    `errors`: standard errors of the logarithms of the values; `shrinkage`: 1 - SD of people's means over the SD
    learned.
    """

    begun: str
    people: int
    counts: int
    digest: str
    on: str = ""
    seed: int = 0
    rounds: int = 0
    settled: bool = True
    prior_people: float = 0.0
    evidence: float
    evidence_before: float
    errors: dict[str, float] = {}  # noqa: RUF012 (msgspec copies defaults)
    shrinkage: dict[str, float] = {}  # noqa: RUF012
    validation: tuple[JudgedOn, ...] = ()
    said: tuple[str, ...] = ()


class TreatedRow(Row, frozen=True, kw_only=True):
    """How a marrow model forecasts people under treatment: `model` with its spread between people `widen` times as wide
    where learning begins (of the parameters in `further` by as much more, an SD of the logarithm), and beside it the
    swings of a `level`; `shift` is the SD of a lasting difference between a person and the model."""

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "treated"

    id: str
    title: str
    model: str
    level: str
    widen: float
    further: dict[str, float] = {}  # noqa: RUF012 (msgspec copies defaults)
    shift: float
    basis: Basis


KINDS = (TreatedRow,)
