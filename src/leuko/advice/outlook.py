"""What can be expected: published figures for the causes that the record supports, with the people they come from.

Figures that answer the same question stand side by side and are never averaged. Where none is known, that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leuko.advice.situation import rules_of
from leuko.knowledge import Library
from leuko.knowledge.schema.advice import OutlookRow
from leuko.result import Gap, Reason
from leuko.result.advice import Outlook, OutlookFigure, Situation
from leuko.result.causes import Cause
from leuko.result.infection import Infection

FEVER = "fever"


def outlook_of(
    causes: Sequence[Cause], infection: Infection | None, situation: Situation, *, library: Library
) -> tuple[Outlook, ...]:
    """The outlook by cause, febrile neutropenia first where a definition of it is met."""
    rows = [row for row in library.rows(OutlookRow) if row.basis.drives and _of_age(row, situation, library)]
    told = [cause for cause in causes if cause.standing == "supported" and not _calm(situation)]
    found = list(_grouped(FEVER, "febrile neutropenia", _fever(rows, infection), library))
    for cause in told:
        own = [row for row in rows if cause.id in row.causes and _on_medicine(row, situation)]
        own = [row for row in own if not row.levels or situation.level in row.levels]
        found += _grouped(cause.id, cause.name, own, library) if own else [_unknown(cause, library)]
    for id_, name in _plain(situation, told, library):
        found += _grouped(id_, name, [row for row in rows if id_ in row.causes], library)
    if not found and situation.tier != "usual":
        found.append(_open(library))
    return tuple(found)


def _calm(situation: Situation) -> bool:
    """Whether the count is simply normal for the person: then no cause of a low count has an outlook."""
    return situation.benign and situation.stale_days is None and not situation.treatment


def _plain(situation: Situation, told: Sequence[Cause], library: Library) -> list[tuple[str, str]]:
    """Causes that the situation shows by itself: a tested phenotype, treatment on record."""
    rules = rules_of(library)
    known = {cause.id for cause in told}
    found = [(rules.benign_cause, "Duffy-null phenotype")] if situation.benign else []
    found += [(rules.treatment_causes[0], "cancer treatment")] if situation.treatment else []
    return [(id_, name) for id_, name in found if id_ not in known]


def _fever(rows: Iterable[OutlookRow], infection: Infection | None) -> list[OutlookRow]:
    if infection is None or not any(verdict.met for verdict in infection.verdicts):
        return []
    return [row for row in rows if row.of_fever]


def _of_age(row: OutlookRow, situation: Situation, library: Library) -> bool:
    """Figures of children are not shown for adults; where the age is open they are, with their people named."""
    if row.ages.low_days is None and row.ages.high_days is None:
        return True
    of_children = row.ages.high_days is not None and row.ages.high_days <= (rules_of(library).adult.low_days or 0)
    return situation.child is None or situation.child is of_children


def _on_medicine(row: OutlookRow, situation: Situation) -> bool:
    return not row.medicines or bool(set(row.medicines) & set(situation.watched))


def _grouped(cause: str, name: str, rows: Sequence[OutlookRow], library: Library) -> list[Outlook]:
    questions = dict.fromkeys(row.question for row in rows)
    return [
        _outlook(cause, name, question, [r for r in rows if r.question == question], library) for question in questions
    ]


def _outlook(cause: str, name: str, question: str, rows: Sequence[OutlookRow], library: Library) -> Outlook:
    figures = tuple(_figure(row, library) for row in rows)
    differ = len({figure.value for figure in figures}) > 1
    said = "; ".join(f"{figure.value} ({figure.population})" for figure in figures)
    apart = " The figures stand side by side, each with its people; none is an average." if differ else ""
    text = f"{name[0].upper()}{name[1:]}, {question}: {said}.{apart}"
    citations = tuple(dict.fromkeys(citation for figure in figures for citation in figure.reason.citations))
    return Outlook(
        cause=cause,
        name=name,
        question=question,
        text=text,
        figures=figures,
        differ=differ,
        reason=Reason(rule=f"outlook:{cause}", text=text, citations=citations),
    )


def _figure(row: OutlookRow, library: Library) -> OutlookFigure:
    text = f"{row.question}: {row.value}, in {row.population}"
    reason = Reason(rule=row.id, text=text, citations=(library.cite(row.basis),))
    return OutlookFigure(id=row.id, value=row.value, population=row.population, reason=reason)


def _unknown(cause: Cause, library: Library) -> Outlook:
    gap = Gap(
        what=f"the outlook with {cause.name} in figures",
        why="leuko holds no confirmed figure for it and a count like this",
        settle="what specialists for this condition publish",
    )
    text = f"{cause.name}: cannot say in figures, as {gap.why}. It depends on why the count is low."
    return Outlook(
        cause=cause.id,
        name=cause.name,
        question="outlook",
        text=text,
        figures=(),
        differ=False,
        reason=_depends(cause.id, text, library),
        gap=gap,
    )


def _open(library: Library) -> Outlook:
    gap = Gap(
        what="the outlook",
        why="it depends on why the count is low, and the record supports no cause",
        settle="what settles the cause",
    )
    text = f"Cannot say: {gap.why}."
    return Outlook(
        cause="",
        name="cause not known",
        question="outlook",
        text=text,
        figures=(),
        differ=False,
        reason=_depends("unknown", text, library),
        gap=gap,
    )


def _depends(cause: str, text: str, library: Library) -> Reason:
    """What the page says of every cause: the outlook depends on it."""
    page = [row for row in library.rows(OutlookRow) if row.id == "outlook:page-why" and row.basis.drives]
    return Reason(rule=f"outlook:{cause}", text=text, citations=tuple(library.cite(row.basis) for row in page))
