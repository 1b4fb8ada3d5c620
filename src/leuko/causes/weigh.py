"""From answers to a cause: pure arithmetic on the integers of its row, and nothing else.

Unknown answers weigh nothing. A clue with a weight above 0 speaks for the cause, below 0 against it; the sum says how
strong the evidence is, in words. A cause is supported only where a clue that points to it is met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leuko.causes.finding import Finding
from leuko.frozen import Frozen
from leuko.knowledge.schema.causes import CauseRow, CauseRules, ClueRow
from leuko.result.causes import Standing, Strength


class Weighed(Frozen, frozen=True, kw_only=True):
    """The sum of a cause's weights and what follows from it.

    `clues` is the sum of its clues alone, `total` with what else weighs; `pointing`: a clue that points to it is met.
    """

    clues: int
    total: int
    pointing: bool
    standing: Standing
    strength: Strength


def weight_of(clue: ClueRow, met: bool | None) -> int:
    """What an answer weighs; nothing where it is unknown."""
    return 0 if met is None else clue.yes if met else clue.no


def weigh(row: CauseRow, met: Mapping[str, bool | None], rules: CauseRules, *, beside: int = 0) -> Weighed:
    """Weigh a cause: `met` has the answers by predicate, `beside` what else weighs (lines left unexplained)."""
    weights = [weight_of(clue, met[clue.predicate]) for clue in row.clues]
    pointing = any(clue.points and weight > 0 for clue, weight in zip(row.clues, weights, strict=True))
    total = sum(weights) + beside
    ruled_out = any(clue.decides and met[clue.predicate] is False for clue in row.clues)
    strength = strength_of(total, rules) if pointing and not ruled_out else "none"
    standing: Standing = (
        "ruled_out" if ruled_out else "open" if not pointing else "supported" if strength != "none" else "against"
    )
    return Weighed(clues=sum(weights), total=total, pointing=pointing, standing=standing, strength=strength)


def strength_of(total: int, rules: CauseRules) -> Strength:
    """The evidence in a word."""
    steps: Sequence[tuple[Strength, int]] = (
        ("strong", rules.strong),
        ("moderate", rules.moderate),
        ("weak", rules.weak),
    )
    return next((word for word, least in steps if total >= least), "none")


def force_of(weight: int, rules: CauseRules) -> Strength:
    """The force of a single clue, for or against, in a word."""
    size = abs(weight)
    if size == 0:
        return "none"
    return "strong" if size >= rules.clue_strong else "moderate" if size >= rules.clue_moderate else "weak"


def answers(row: CauseRow, findings: Mapping[str, Finding]) -> dict[str, bool | None]:
    """The verdicts of the predicates that a cause asks."""
    return {clue.predicate: findings[clue.predicate].met for clue in row.clues}
