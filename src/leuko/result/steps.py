"""What to find out next: tests, questions, referrals and repeats, in order, with what is already in the record."""

from __future__ import annotations

from datetime import date
from typing import Literal

from leuko.frozen import Frozen
from leuko.result.core import Citation, Gap, Reason

StepUrgency = Literal["emergency", "same_day", "urgent", "soon", "routine"]
Pathway = Literal["safety", "confirm", "classify", "tests", "marrow", "refer", "monitor", "none"]
Advises = Literal["do", "not", "note"]
URGENCIES: tuple[StepUrgency, ...] = ("emergency", "same_day", "urgent", "soon", "routine")
"""From the most to the least urgent."""


class Already(Frozen, frozen=True, kw_only=True):
    """A test that the record already holds: `test` is its id, `evidence` the ids of the results, `day` of the latest.

    `recent` false: it is too old, or undated, to stand for a new one; then it is asked for again, and this says why.
    """

    test: str
    name: str
    text: str
    evidence: tuple[str, ...]
    day: date | None
    recent: bool


class BodySays(Frozen, frozen=True, kw_only=True):
    """What one body says about a step: to do it ("do"), not to do it ("not"), or what to know with it ("note").

    `within_days` is the time it allows [days]; None where it names none.
    """

    id: str
    body: str
    advises: Advises
    says: str
    urgency: StepUrgency | None = None
    by_when: str = ""
    within_days: float | None = None
    citation: Citation


class Step(Frozen, frozen=True, kw_only=True):
    """One thing to do next.

    `pathway` is the part of the work-up it belongs to, `path` the way that was chosen for the person (adult, child,
    newborn, pregnancy, anticancer treatment, incidental mild neutropenia). `tests` are those to ask for, with their ids
    in `test_ids`; what the record already holds stands in `already`, and is not asked for again while it is recent.
    `done` is true where nothing of the step remains to be done. `urgency` and `by_when` are the earliest that any body
    asks for; `bodies` has each of them, and `conflict` says where they disagree. `separates` are ids of causes that the
    results would tell apart. `gap` says what the record leaves open here, and what would settle it.
    """

    id: str
    pathway: Pathway
    path: str
    order: int
    what: str
    tests: tuple[str, ...] = ()
    test_ids: tuple[str, ...] = ()
    why: Reason
    urgency: StepUrgency
    by_when: str = ""
    who: str
    separates: tuple[str, ...] = ()
    already: tuple[Already, ...] = ()
    done: bool = False
    bodies: tuple[BodySays, ...] = ()
    conflict: Reason | None = None
    gap: Gap | None = None
