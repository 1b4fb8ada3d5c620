"""What could explain the low count: causes with what speaks for them, against them, and what is missing."""

from __future__ import annotations

from typing import Literal

from leuko.frozen import Frozen
from leuko.result.core import Citation, Gap, Reason

Verdict = Literal["yes", "no", "unknown"]
Strength = Literal["strong", "moderate", "weak", "none"]
Standing = Literal["supported", "open", "against", "ruled_out", "unreviewed"]


class Clue(Frozen, frozen=True, kw_only=True):
    """One predicate of the closed vocabulary, answered for one person.

    `predicate` is the id of its knowledge row, `verdict` what the record says, `weight` the integer that the cause's
    row gives that answer (above 0 speaks for the cause, below 0 against it; 0 where the answer is unknown), `force` the
    same in a word. The weights are choices of leuko's own, no likelihood ratios. `points` is false for a clue that only
    fits the cause: it never makes a cause supported by itself. `evidence` are ids of counts, facts, signs or doses;
    `settle` says which finding would answer an unknown, and `worth` is the weight that a yes would then have.
    """

    predicate: str
    verdict: Verdict
    weight: int = 0
    force: Strength = "none"
    points: bool = True
    text: str
    settle: str = ""
    worth: int = 0
    evidence: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()


class Cause(Frozen, frozen=True, kw_only=True):
    """One possible cause of the low counts of one person.

    `standing`: "supported" (something points to it), "open" (nothing points to it, but it is to be thought of with this
    picture and is not excluded), "against" (more speaks against it than for it), "ruled_out" (a finding it cannot do
    without is known to be absent), "unreviewed" (the record names it, but its knowledge row is not confirmed: it
    carries no weight and drives nothing). `strength` is the evidence in a word, `rank` the place among the causes of
    the same standing, from 1. Clues are ordered by weight, missing ones by what they would be worth. `lowers` are the
    lines that the cause lowers, `unexplained` the low lines that it does not explain. `onset`, `film`, `mechanism` and
    `frequency` are what is known of the cause in general, not of the person.
    """

    id: str
    name: str
    group: str
    standing: Standing
    strength: Strength
    rank: int
    clues_for: tuple[Clue, ...] = ()
    clues_against: tuple[Clue, ...] = ()
    missing: tuple[Clue, ...] = ()
    lowers: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()
    mechanism: str = ""
    onset: str = ""
    film: str = ""
    frequency: str = ""
    icd10cm: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
    reason: Reason
    gaps: tuple[Gap, ...] = ()
