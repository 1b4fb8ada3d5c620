"""Why, in brief: every cause that something points to, then those to think of first, one reason each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from leuko.report.blocks import Line, said
from leuko.report.brief.passage import Passage, left_out, number
from leuko.report.sections.why import STANDINGS, TONES
from leuko.result import Assessment
from leuko.result.causes import Cause
from leuko.wording import say_list

FEWEST: Final = 4
SENTENCES: Final = 2
_SENTENCE: Final = re.compile(r"(?<=[a-z0-9)])\. (?=[A-Z])")
LEFT: Final = {
    "open": ("open cause", "open causes"),
    "against": ("cause that more speaks against", "causes that more speaks against"),
    "ruled_out": ("cause ruled out", "causes ruled out"),
    "unreviewed": ("cause not reviewed", "causes not reviewed"),
}


def why(assessment: Assessment) -> Passage:
    """A supported cause is never left out, nor what contradicts the blame of a medicine.

    Open causes are shown where no supported one has strong evidence: beside one that has, they are no news to look at.
    """
    supported = [cause for cause in assessment.causes if cause.standing == "supported"]
    others = [cause for cause in assessment.causes if cause.standing != "supported"]
    explained = any(cause.strength == "strong" and not cause.unexplained for cause in supported)
    room = 0 if explained else max(0, FEWEST - len(supported))
    shown = [*supported, *[cause for cause in others if cause.standing == "open"][:room]]
    left = [cause for cause in others if cause not in shown]
    contradicted = [(link.drug, each) for link in assessment.drug_links for each in link.contradictions]
    return Passage(
        title="Why",
        lines=(
            *(line for cause in shown for line in _cause(cause)),
            *(said(each, f"contradiction on {drug}", "alert") for drug, each in dict.fromkeys(contradicted)),
        ),
        left=left_out((*_left(left), "all reasons for and against")) if assessment.causes else "",
    )


def _cause(cause: Cause) -> Iterator[Line]:
    supported = cause.standing == "supported"
    strength = f", {cause.strength} evidence" if cause.strength != "none" and supported else ""
    first = next(iter(cause.clues_for), None)
    told = f": {_first(first.text)}" if first is not None else _settle(cause)
    standing = f"{STANDINGS[cause.standing]}{strength}"
    yield Line(text=f"{standing}{told}", label=cause.name, tone=TONES[cause.standing])
    if cause.clues_against:
        more = len(cause.clues_against) - 1
        also = f" (and {more} more)" if more else ""
        yield Line(text=f"{cause.clues_against[0].text.rstrip('.')}{also}", label="  against", tone="against")
    if cause.unexplained and supported:
        yield Line(text=f"low {say_list(cause.unexplained)}", label="  does not explain", tone="unsure")


def _settle(cause: Cause) -> str:
    """What would tell, where nothing on record speaks for the cause."""
    settle = next((clue.settle for clue in cause.missing if clue.settle), "")
    return f"; would tell: {settle}" if settle else ""


def _first(told: str) -> str:
    """The first sentences of a long reason, whole."""
    sentences = _SENTENCE.split(told)
    return ". ".join(sentences[:SENTENCES]).rstrip(".")


def _left(causes: list[Cause]) -> Iterator[str]:
    ordered = sorted(causes, key=lambda cause: list(STANDINGS).index(cause.standing))
    for standing, same in groupby(ordered, key=lambda cause: cause.standing):
        yield number(len(list(same)), *LEFT.get(standing, ("further cause", "further causes")))
