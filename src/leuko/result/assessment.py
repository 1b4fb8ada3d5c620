"""The whole answer for one person: what every view shows, and what the published JSON Schema describes."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from typing import Any

from msgspec import field

from leuko.errors import Notice
from leuko.frozen import Frozen
from leuko.record import Dose, Fact, Patient, Sign
from leuko.result.advice import AdviceSet
from leuko.result.causes import Cause
from leuko.result.core import (
    SCHEMA_VERSION,
    Answer,
    Citation,
    Course,
    Gap,
    Lines,
    SetAside,
    Status,
)
from leuko.result.drugs import DrugLink
from leuko.result.forecast import Forecast
from leuko.result.infection import Infection
from leuko.result.plan import Plan
from leuko.result.scores import Score
from leuko.result.steps import Step


class Assessment(Frozen, frozen=True, kw_only=True):
    """The whole answer for one person at one moment. Its JSON Schema is a public, versioned interface."""

    schema_version: str = SCHEMA_VERSION
    leuko_version: str
    as_of: date
    record_digest: str
    knowledge_hash: str
    patient: Patient
    headline: str
    answers: tuple[Answer, ...]
    latest: tuple[Status, ...]
    history: tuple[Status, ...]
    lines: Lines
    courses: tuple[Course, ...]
    doses: tuple[Dose, ...] = ()
    signs: tuple[Sign, ...] = ()
    facts: tuple[Fact, ...] = ()
    drug_links: tuple[DrugLink, ...] = ()
    causes: tuple[Cause, ...] = ()
    infection: Infection | None = None
    scores: tuple[Score, ...] = ()
    steps: tuple[Step, ...] = ()
    plan: Plan | None = None
    advice: AdviceSet | None = None
    forecasts: tuple[Forecast, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notices: tuple[Notice, ...] = ()
    sources: tuple[Citation, ...] = field(default=())

    def chart(self, **options: Any) -> Any:
        """The figure as an Altair chart; options as in `leuko.report.chart.chart`."""
        # A view may be asked of a result, but results stand below views: the name is looked up when it is asked.
        return import_module("leuko.report.chart").chart(self, **options)

    def to_polars(self, table: str = "counts") -> Any:
        """One of its tables as a Polars frame: "counts", "grades" or "forecast", as in `leuko.report.frame.frame`."""
        return import_module("leuko.report.frame").frame(self, table)

    def _repr_html_(self) -> str:
        return str(import_module("leuko.report.notebook").fragment(self))
