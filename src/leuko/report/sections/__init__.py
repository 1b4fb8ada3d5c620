"""The sections that follow the four answers, in the order in which a clinician asks: one module each."""

from __future__ import annotations

from leuko.report.blocks import Section
from leuko.report.sections.ahead import ahead
from leuko.report.sections.danger import danger
from leuko.report.sections.forecast import forecast
from leuko.report.sections.todo import todo
from leuko.report.sections.why import why
from leuko.report.sections.workup import workup
from leuko.result import Assessment

_MAKERS = (why, workup, danger, todo, forecast, ahead)


def sections(assessment: Assessment) -> tuple[Section, ...]:
    """What the assessment says beyond the four answers; a part that it does not hold gives no section."""
    return tuple(section for section in (make(assessment) for make in _MAKERS) if not section.empty)


__all__ = ["sections"]
