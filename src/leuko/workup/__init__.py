"""What to find out next: the tests, questions, referrals and repeats that would separate what remains, in order.

view (record and findings) -> the person's path -> what each body says of each step under these conditions
      -> one step for each, with the tests that the record does not hold yet, and where the bodies disagree
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from leuko.knowledge import Library
from leuko.record import Count, Record
from leuko.result import Course, Lines, Status
from leuko.result.causes import Cause
from leuko.result.drugs import DrugLink
from leuko.result.infection import Infection
from leuko.result.steps import Step
from leuko.workup.conditions import VOCABULARY
from leuko.workup.gather import gather
from leuko.workup.view import View

__all__ = ["VOCABULARY", "steps_of"]


def steps_of(
    record: Record,
    *,
    series: Mapping[str, tuple[Count, ...]],
    latest: Mapping[str, Status],
    courses: Mapping[str, Course],
    lines: Lines,
    causes: Sequence[Cause],
    infection: Infection | None,
    library: Library,
    as_of: date,
    drug_links: Sequence[DrugLink] = (),
) -> tuple[Step, ...]:
    """The next steps for one person, in the order in which to take them; what is done already comes last.

    Emergencies come first, then what is to be done the same day, then confirming, classifying, tests, marrow, referral
    and monitoring. Where no white count is low and nothing points to an infection, one step says that nothing follows.
    Raises KnowledgeError where the rows name conditions, tests or steps that do not exist.
    """
    view = View(
        record=record,
        series=series,
        latest=latest,
        courses=courses,
        lines=lines,
        causes=causes,
        infection=infection,
        drug_links=drug_links,
        library=library,
        as_of=as_of,
    )
    return gather(view)
