"""The view that a person reads first: what stands, what is urgent, what to do; a line says what is left out.

Nothing dangerous is left out: no urgent sign, step or rule, no critical count, no supported cause, no gap that touches
the verdict, no refused value. Only what is shown here is made: nothing of the full view is computed for it.
"""

from __future__ import annotations

from leuko.report.brief.coming import coming
from leuko.report.brief.counts import CountTable, beside, count_table
from leuko.report.brief.limits import cannot_say, notices
from leuko.report.brief.next_steps import next_steps, scores
from leuko.report.brief.passage import Passage
from leuko.report.brief.plan import plan
from leuko.report.brief.urgent import urgent
from leuko.report.brief.why import why
from leuko.result import Assessment

_MAKERS = (why, next_steps, scores, plan, coming, cannot_say, notices)


def passages(assessment: Assessment) -> tuple[Passage, ...]:
    """The passages that follow the counts and the four answers, in the order in which a clinician would ask."""
    return tuple(passage for passage in (make(assessment) for make in _MAKERS) if not passage.empty)


__all__ = ["CountTable", "Passage", "beside", "count_table", "passages", "urgent"]
