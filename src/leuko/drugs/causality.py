"""Naranjo, WHO-UMC and Bénichou, item by item from the findings; what the record is silent about stays unknown.

A total is a range where an answer is unknown, and a category is named only where every possible answer gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Final

from leuko.drugs.book import Book
from leuko.frozen import Frozen
from leuko.knowledge.schema.drugs import CausalityItemRow
from leuko.result import Gap, Reason
from leuko.result.drugs import Causality, CausalityItem, CausalityScheme, ItemAnswer
from leuko.wording import say_list

TITLES: Final[Mapping[CausalityScheme, str]] = {
    "naranjo": "Naranjo scale",
    "who_umc": "WHO-UMC category",
    "benichou": "Bénichou criteria for agranulocytosis by a medicine",
}
_Known = Mapping[str, bool]


class Answer(Frozen, frozen=True, kw_only=True):
    """What the record answers to one question, why, and the ids it rests on."""

    answer: ItemAnswer
    because: str
    evidence: tuple[str, ...] = ()


Answers = Mapping[str, Answer]
SILENT: Final = Answer(answer="unknown", because="the record does not say")


def causality_of(scheme: CausalityScheme, answers: Answers, book: Book) -> Causality:
    """One scheme, from the answers to what its items ask."""
    rows = [row for row in book.items if row.scheme == scheme]
    items = tuple(_item(row, answers.get(row.asks, SILENT)) for row in rows)
    return _scored(items, book) if scheme == "naranjo" else _judged(scheme, items, rows, answers, book)


def _item(row: CausalityItemRow, found: Answer) -> CausalityItem:
    points = {"yes": row.yes, "no": row.no, "not_done": row.unknown, "unknown": row.unknown}
    given = points[found.answer]
    open_ = [one for one in (row.yes, row.no, row.unknown) if one is not None]
    spread = open_ if found.answer == "unknown" and open_ else [given] if given is not None else []
    return CausalityItem(
        id=row.id,
        number=row.number,
        question=row.question,
        answer=found.answer,
        points=given,
        least=min(spread) if spread else None,
        most=max(spread) if spread else None,
        because=found.because,
        evidence=found.evidence,
    )


# --- with points -----------------------------------------------------------------------------------------------------


def _scored(items: tuple[CausalityItem, ...], book: Book) -> Causality:
    total = sum(item.points or 0 for item in items)
    least, most = sum(item.least or 0 for item in items), sum(item.most or 0 for item in items)
    possible = tuple(dict.fromkeys(_band(score, book) for score in range(least, most + 1)))
    as_scored = _band(total, book)
    return Causality(
        scheme="naranjo",
        title=TITLES["naranjo"],
        items=items,
        total=total,
        least=least,
        most=most,
        as_scored=as_scored,
        category=possible[0] if len(possible) == 1 else None,
        possible=possible,
        reason=_reason("naranjo", items, _score_words(total, as_scored, least, most, possible), book),
        gap=_gap("naranjo", items, possible),
    )


def _band(total: int, book: Book) -> str:
    bands = [one for one in book.categories if one.scheme == "naranjo"]
    return [one.name for one in bands if one.least is None or total >= one.least][-1]


def _score_words(total: int, as_scored: str, least: int, most: int, possible: Sequence[str]) -> str:
    words = f"Naranjo {total} ({as_scored})"
    if least == most:
        return f"{words}."
    range_ = possible[0] if len(possible) == 1 else f"{possible[0]} to {possible[-1]}"
    return f"{words} with what is unknown scored as the scale says; {least} to {most} ({range_}) once it is answered."


# --- in words --------------------------------------------------------------------------------------------------------


def _judged(
    scheme: CausalityScheme,
    items: tuple[CausalityItem, ...],
    rows: Sequence[CausalityItemRow],
    answers: Answers,
    book: Book,
) -> Causality:
    judge, open_asks = _JUDGES[scheme]
    asked = {row.asks: item.answer for row, item in zip(rows, items, strict=True)}
    found = {judge(answers, known) for known in _worlds(asked, open_asks)}
    possible = tuple(one.name for one in book.categories if one.scheme == scheme and one.name in found)
    words = say_list(possible, "or")
    return Causality(
        scheme=scheme,
        title=TITLES[scheme],
        items=items,
        category=possible[0] if len(possible) == 1 else None,
        possible=possible,
        reason=_reason(scheme, items, f"{TITLES[scheme]}: {words}.", book),
        gap=_gap(scheme, items, possible),
    )


def _worlds(asked: Mapping[str, ItemAnswer], open_asks: Sequence[str]) -> list[_Known]:
    """Every way in which the unknown answers that count can turn out; all else that is unknown counts as not shown."""
    unknown = [ask for ask in open_asks if asked.get(ask) == "unknown"]
    known = {ask: answer == "yes" for ask, answer in asked.items()}
    return [
        {**known, **dict(zip(unknown, outcome, strict=True))} for outcome in product((True, False), repeat=len(unknown))
    ]


def _who_umc(answers: Answers, known: _Known) -> str:
    if "contradiction" in answers:
        return "unassessable"
    if "undated" in answers:
        return "conditional"
    if not known["time"]:
        return "unlikely"
    if known["other_cause"] or not known["withdrawal"]:
        return "possible"
    return "certain" if known["rechallenge"] and known["objective"] else "probable"


def _benichou(_: Answers, known: _Known) -> str:
    if not known["agranulocytosis"]:
        return "does not apply"
    if known["death"] and not known["full_recovery"]:
        return "cannot be assessed"
    met = known["onset_on_drug"] and known["full_recovery"] and known["no_other_cause"]
    return "criteria met" if met else "criteria not met"


# the judge of a scheme, and the questions whose unknown answers leave the category open
_JUDGES: Final[Mapping[CausalityScheme, tuple[Callable[[Answers, _Known], str], tuple[str, ...]]]] = {
    "who_umc": (_who_umc, ("time", "other_cause")),
    "benichou": (_benichou, ("agranulocytosis", "onset_on_drug", "full_recovery", "no_other_cause")),
}


def _reason(scheme: CausalityScheme, items: Sequence[CausalityItem], text: str, book: Book) -> Reason:
    rows = [row for row in book.items if row.scheme == scheme]
    evidence = tuple(dict.fromkeys(one for item in items for one in item.evidence))
    return Reason(rule=f"causality:{scheme}", text=text, evidence=evidence, citations=book.cite(*rows[:1]))


def _gap(scheme: CausalityScheme, items: Sequence[CausalityItem], possible: Sequence[str]) -> Gap | None:
    unknown = [item for item in items if item.answer == "unknown"]
    if len(possible) == 1 or not unknown:
        return None
    numbers = say_list([str(item.number) for item in unknown])
    many = "item" if len(unknown) == 1 else "items"
    return Gap(
        what=TITLES[scheme], why=f"{many} {numbers} unknown", settle="; ".join(item.question for item in unknown)
    )
