"""An answer to one predicate, and the logic of yes, no and unknown."""

from __future__ import annotations

from collections.abc import Iterable

from leuko.frozen import Frozen


class Finding(Frozen, frozen=True, kw_only=True):
    """What the record says to one predicate: `met` None is unknown; `text` says what was found or why nothing was."""

    met: bool | None
    text: str
    evidence: tuple[str, ...] = ()


def unknown(text: str, *evidence: str) -> Finding:
    """A finding that leaves the question open."""
    return Finding(met=None, text=text, evidence=evidence)


def all_met(verdicts: Iterable[bool | None]) -> bool | None:
    """Kleene's and: no if one is no, else unknown if one is unknown; yes of nothing."""
    found = set(verdicts)
    return False if False in found else None if None in found else True


def some_met(verdicts: Iterable[bool | None], least: int = 1) -> bool | None:
    """Kleene's or, for at least so many: unknown as long as the unknown ones could still make up the number."""
    found = list(verdicts)
    sure = sum(verdict is True for verdict in found)
    if sure >= least:
        return True
    return None if sure + sum(verdict is None for verdict in found) >= least else False


def negated(verdict: bool | None) -> bool | None:
    """No for yes, yes for no; unknown stays."""
    return None if verdict is None else not verdict
