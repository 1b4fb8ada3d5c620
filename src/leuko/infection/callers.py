"""Whom to call and how fast, from the call rules: one wording for the urgency of today and for the rules themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from leuko.knowledge import Library
from leuko.knowledge.schema.advice import CallRow
from leuko.result.advice import Role, Speed, Tier

_ORDER: Final[tuple[Speed, ...]] = ("at_once", "same_day", "as_usual")
_CAUTIOUS: Final[tuple[Tier, ...]] = ("high", "raised", "usual")
_SPEED: Final[dict[Speed, str]] = {
    "at_once": "at once, day or night",
    "same_day": "the same day",
    "as_usual": "as everybody does",
}
_WHOM: Final[dict[Role, str]] = {
    "emergency": "the emergency number",
    "helpline": "the treating team's number for day and night",
    "out_of_hours": "the doctor on call",
    "doctor": "the person's doctor",
    "prescriber": "whoever prescribes the medicine",
}


def call_words(row: CallRow) -> str:
    """Whom a rule says to call, whom else, and how fast."""
    otherwise = f", else {_WHOM[row.otherwise]}" if row.otherwise is not None else ""
    return f"{_WHOM[row.whom]}{otherwise}, {_SPEED[row.speed]}"


def rules_for(tier: Tier, watched: Collection[str], library: Library, *, child: bool | None) -> list[CallRow]:
    """The rules for a person: of their tier, of the medicines (INN) they take, of their age."""
    return [
        row
        for row in library.rows(CallRow)
        if row.basis.drives
        and tier in row.tiers
        and (not row.medicines or bool(set(row.medicines) & set(watched)))
        and (not row.children or child is True)
    ]


def is_for_everybody(row: CallRow) -> bool:
    """Whether a rule holds whatever the count: a sign that is an emergency in anybody."""
    return set(row.tiers) == set(_CAUTIOUS) and row.speed == "at_once"


def most_cautious(*tiers: Tier) -> Tier:
    """The tier that calls soonest."""
    return min(tiers, key=_CAUTIOUS.index)


def caller(rules: Iterable[CallRow], *, signs: Collection[str], high: bool, low: bool) -> CallRow | None:
    """The rule that calls soonest for these symptoms (ids) and readings, None where none calls.

    `high` and `low`: a temperature above or below a limit was read. What no rule names (a sign of another source) is
    called for as a fever is.
    """
    rules = tuple(rules)
    named = [row for row in rules if set(row.signs) & set(signs)]
    read = [row for row in rules if (high and row.reading == "fever") or (low and row.reading == "low")]
    found = (*named, *read) or [row for row in rules if row.reading == "fever"]
    return min(found, key=lambda row: _ORDER.index(row.speed), default=None)
