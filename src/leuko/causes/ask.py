"""The closed vocabulary: which function answers which kind of predicate, and predicates made of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from leuko.causes.counts import count_met, course_met, flag_met, pattern_met, repeat_met
from leuko.causes.facts import fact_met
from leuko.causes.finding import Finding, all_met, negated, some_met, unknown
from leuko.causes.persons import drug_met, person_met
from leuko.causes.results import result_met
from leuko.causes.scene import Scene, predicates_of
from leuko.errors import KnowledgeError
from leuko.knowledge.schema.causes import (
    CombinedPredicate,
    CountPredicate,
    CoursePredicate,
    DrugPredicate,
    FactPredicate,
    FlagPredicate,
    PatternPredicate,
    PersonPredicate,
    RepeatPredicate,
    ResultPredicate,
)

VOCABULARY: Final[Mapping[type[Any], Callable[[Any, Scene], Finding]]] = MappingProxyType(
    {
        FactPredicate: fact_met,
        ResultPredicate: result_met,
        DrugPredicate: drug_met,
        PersonPredicate: person_met,
        CountPredicate: count_met,
        PatternPredicate: pattern_met,
        CoursePredicate: course_met,
        FlagPredicate: flag_met,
        RepeatPredicate: repeat_met,
    }
)
"""Every kind of predicate and the pure function that answers it; `CombinedPredicate` joins answers and is beside it."""


def ask(predicate: str, scene: Scene) -> Finding:
    """The answer to one predicate, by its id. A predicate whose row is not confirmed answers unknown.

    Raises KnowledgeError where no predicate has the id, or where combined predicates ask one another in a circle.
    """
    if predicate not in scene.kept:
        scene.kept[predicate] = None  # an answer under way: asked again from within, it is a circle
        scene.kept[predicate] = _answer(predicate, scene)
    if scene.kept[predicate] is None:
        raise KnowledgeError(f"{predicate} asks itself", where="causes/", do="break the circle of combined predicates")
    return scene.kept[predicate]  # type: ignore[no-any-return]


def _answer(predicate: str, scene: Scene) -> Finding:
    row = predicates_of(scene.library).get(predicate)
    if row is None:
        raise KnowledgeError(
            f"no predicate has the id {predicate}", where="causes/", do="correct the id or add the row"
        )
    if not row.basis.drives:
        return unknown(f"{row.label}: the rule for it is not confirmed")
    if isinstance(row, CombinedPredicate):
        return _combined(row, scene)
    return VOCABULARY[type(row)](row, scene)


def _combined(row: CombinedPredicate, scene: Scene) -> Finding:
    every = [ask(name, scene) for name in row.all_of]
    some = [ask(name, scene) for name in row.any_of]
    none = [ask(name, scene) for name in row.none_of]
    enough = some_met([one.met for one in some], row.least) if some else True
    met = all_met([*(one.met for one in every), enough, *(negated(one.met) for one in none)])
    telling = _telling(met, every, some, none)
    return Finding(
        met=met,
        text="; ".join(dict.fromkeys(one.text for one in telling)),
        evidence=tuple(dict.fromkeys(name for one in telling for name in one.evidence)),
    )


def _telling(met: bool | None, every: list[Finding], some: list[Finding], none: list[Finding]) -> list[Finding]:
    """The answers that made the whole what it is; all of them where it is unknown."""
    if met is None:
        return [one for one in (*every, *some, *none) if one.met is None]
    if met:
        return [*every, *(one for one in some if one.met), *none]
    return [
        *(one for one in every if one.met is False),
        *(one for one in some if one.met is False),
        *(one for one in none if one.met),
    ]


def may_be(predicate: str, scene: Scene) -> bool:
    """Whether a predicate is met, or would be if the person were of the age and sex that it asks for.

    Only to decide what is to be thought of: a record without a date of birth is no reason to think of nothing. As in
    the choice of an interval, an adult is assumed then: what asks for the newborn or for children is not thought of.
    """
    row = predicates_of(scene.library).get(predicate)
    met = ask(predicate, scene).met
    if met is None and isinstance(row, PersonPredicate):
        return row.sex is not None or (row.ages is not None and row.ages.high_days is None)
    if met is None and isinstance(row, CombinedPredicate):
        every = all(may_be(name, scene) for name in row.all_of)
        some = sum(may_be(name, scene) for name in row.any_of) >= row.least or not row.any_of
        return every and some and all(ask(name, scene).met is False for name in row.none_of)
    return met is True
