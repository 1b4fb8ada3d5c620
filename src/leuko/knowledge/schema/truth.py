"""What forecasts are held against beyond single numbers: published studies of forecasting, refits, posteriors, and the
doses under which a model's people are drawn. Rows of `data/models`.

Counts are 10*9/L, times days unless a name says hours, amounts in the unit of the model's doses.
"""

from typing import ClassVar

from leuko.knowledge.schema.core import Basis, Row


class Claim(Row, frozen=True, kw_only=True):
    """A figure that has to be met: `expected` within `tolerance`, or more than that where `at_least`. `misses`: it is
    known not to be met, `why` says so."""

    what: str
    title: str
    expected: float
    tolerance: float = 0.0
    at_least: bool = False
    misses: bool = False
    why: str = ""


class MonitoredRow(Row, frozen=True, kw_only=True):
    """A study of people whose counts were taken every day up to `last` and forecast from each day.

    A fall below `severe` is foretold where its chance is `chance` or more. The day back at the own baseline is well
    foretold where half of the forecasts lie within `within` days of the true one; `typical` is that day of a typical
    person, from which the lead is counted. `fixed` parameters do not vary in the study. Claims: sensitivity, lead.
    """

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "monitored"

    id: str
    title: str
    model: str
    drug: str
    amount: float
    hours: float
    last: int
    until: float
    severe: float
    chance: float
    within: float
    typical: float
    people: int
    quick_people: int
    fixed: tuple[str, ...] = ()
    claims: tuple[Claim, ...]
    basis: Basis


class RefitRow(Row, frozen=True, kw_only=True):
    """A population learned anew from people made by the model itself: the values they were made with must come out.

    `fixed` do not vary (the source knew each person's own), `freed` get a spread of `freed_sd` so that they are learned
    though nobody differs in them. The search begins `away` (on the log scale) from the truth. A value is met within
    `errors` standard errors. `theirs` are the estimates that the source printed for its own cohort.
    """

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "refit"

    id: str
    title: str
    model: str
    drug: str
    amount: float
    hours: float
    dose_days: tuple[float, ...]
    count_days: tuple[float, ...]
    people: int
    quick_people: int
    fixed: tuple[str, ...] = ()
    freed: tuple[str, ...] = ()
    freed_sd: float = 0.1
    away: float
    rounds: int
    errors: float
    theirs: dict[str, float]
    basis: Basis


class PooledRow(Row, frozen=True, kw_only=True):
    """A posterior of a population that another program printed, to be had from the same people's records.

    `kinetics` (with `kinetics_sd` of what varies between people, `kinetics_error` of one concentration) are its
    posterior means and stay; `powers` say how each goes with weight / `weight`. `priors` are medians and SDs of the
    logarithms of the typical values, `scale` that of the half-Cauchy priors of spreads and error. Claims name the
    posterior means, and the tolerance is the published posterior SD.
    """

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "pooled"

    id: str
    title: str
    drug: str
    kinetics: dict[str, float]
    kinetics_sd: dict[str, float]
    kinetics_error: float
    powers: dict[str, float]
    weight: float
    priors: dict[str, tuple[float, float]]
    varies: tuple[str, ...]
    scale: float
    claims: tuple[Claim, ...]
    basis: Basis


class PredictiveRow(Row, frozen=True, kw_only=True):
    """The doses under which people of a model are drawn for a predictive check: day, mg, hours, days in a row.

    `real`: tables of real counts with doses are of this medicine, where they do not name another.
    """

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "predictive"

    id: str
    title: str
    model: str
    doses: tuple[tuple[float, float, float, int], ...]
    drugs: tuple[str, ...] = ()
    until: float
    real: bool = False
    basis: Basis


KINDS = (MonitoredRow, RefitRow, PooledRow, PredictiveRow)
