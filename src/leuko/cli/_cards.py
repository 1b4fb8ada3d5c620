"""Cards of knowledge as text: a title, labelled facts, the source behind them."""

from __future__ import annotations

import shutil
from textwrap import fill
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leuko.knowledge.audit import Card
    from leuko.knowledge.schema import NoticeEntry
    from leuko.result import Citation

_WIDEST, _LABEL, _SEE_ALSO = 100, 16, 12


def card_text(card: Card) -> str:
    """One row of knowledge; whether a conclusion may rest on it is always said."""
    facts = [*card.facts, *_citation(card.citation), ("entered", card.note)]
    if card.citation is not None:
        rests = "conclusions may rest on it" if card.drives else "listed only: no conclusion rests on it"
        facts.append(("standing", f"{card.citation.confidence}; {rests}"))
    return _block(f"{card.key}: {card.title}", [*facts, ("see", _see(card.see))])


def notice_text(entry: NoticeEntry) -> str:
    """What a notice means and what to do about it."""
    facts = [("what it means", entry.explain), ("what to do", entry.help)]
    block = _block(f"{entry.code} ({entry.severity}): {entry.title}", facts)
    example = [f"    {line}" for line in entry.example.strip("\n").splitlines()]
    return "\n".join([block, "  example", *example]) if example else block


def _citation(citation: Citation | None) -> list[tuple[str, str]]:
    if citation is None:
        return []
    where = f", {citation.locator}" if citation.locator else ""
    return [
        ("says", citation.says),
        ("source", f"{citation.title}{where} [{citation.source}]"),
        ("at", citation.url),
    ]


def _see(keys: tuple[str, ...]) -> str:
    rest = len(keys) - _SEE_ALSO
    return ", ".join(keys[:_SEE_ALSO]) + (f" and {rest} more" if rest > 0 else "")


def _block(title: str, facts: list[tuple[str, str]]) -> str:
    return "\n".join([title, *(_fact(label, text) for label, text in facts if text)])


def _fact(label: str, text: str) -> str:
    width = min(_WIDEST, shutil.get_terminal_size((80, 24)).columns)
    head = f"  {label:<{_LABEL}} "
    return fill(
        " ".join(text.split()),
        width=width,
        initial_indent=head,
        subsequent_indent=" " * len(head) if len(head) <= _LABEL + 3 else "    ",
        break_long_words=False,
        break_on_hyphens=False,  # an id is never broken
    )
