"""Risk scores: every item shown, the total as far as it is known, and whom the score was validated on."""

from __future__ import annotations

from leuko.frozen import Frozen
from leuko.result.core import Citation, Gap, Reason


class ScoreItem(Frozen, frozen=True, kw_only=True):
    """One item of a score.

    `value` is what was found, in words ("118 mm[Hg]", "yes"); empty where nothing was. `points` is None where several
    are possible; `least` and `most` bound them, `possible` lists them. `asked` is the key under which the item can be
    answered by hand, `choices` the answers that it takes (a measured item also takes a number in `unit`).
    """

    item: str
    question: str
    value: str
    points: int | None
    least: int
    most: int
    possible: tuple[int, ...]
    asked: str
    choices: tuple[str, ...] = ()
    unit: str = ""
    evidence: tuple[str, ...] = ()
    reason: Reason


class ScoreCriterion(Frozen, frozen=True, kw_only=True):
    """One condition for a score to be used at all; `met` None: not known."""

    id: str
    question: str
    met: bool | None
    asked: str
    reason: Reason


class Score(Frozen, frozen=True, kw_only=True):
    """A score in one edition, as far as it can be told for one person.

    `eligible` says whether it may be used at all, with `criteria` and `reason`; False: nothing is scored. `total` is
    None where it is not known; then `least`/`most` are what remains possible [`unit`], never a guess. `band` is given
    only where everything that remains possible leads to it, else `possible` lists the bands that are left. While it is
    open whether the score applies, a band that would reassure is withheld. `says` is the one-line summary, `meaning`
    what the band meant in the people it was found in, `validated` on whom, `warnings` those of its authors and of later
    studies.
    """

    id: str
    name: str
    edition: str
    unit: str
    says: str
    eligible: bool | None
    reason: Reason
    criteria: tuple[ScoreCriterion, ...]
    items: tuple[ScoreItem, ...]
    total: float | None
    least: float | None
    most: float | None
    lowest: float | None
    highest: float | None
    band: str | None
    possible: tuple[str, ...] = ()
    meaning: str = ""
    validated: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    gap: Gap | None = None
