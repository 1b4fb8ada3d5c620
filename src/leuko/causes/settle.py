"""What would answer a question that the record leaves open: a test that is on record already is not asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leuko.causes.ask import ask
from leuko.causes.results import read_now
from leuko.causes.scene import Scene, predicates_of
from leuko.knowledge.schema.causes import CombinedPredicate, ResultPredicate
from leuko.wording import say_moment


def settle_of(predicate: Any, scene: Scene) -> str:
    """What would settle a predicate: its test; where that was done, a second look at it; "" where it answered.

    A film that is on record answers for itself: it is read again where it says nothing of the question, and not asked
    for where it says no.
    """
    for row in _read_from(predicate, scene):
        done = read_now(row, predicate.settle, scene)
        if done is not None:
            answered = ask(row.id, scene).met is not None
            return "" if answered else f"{done.name} of {say_moment(done.taken)} read again for {predicate.label}"
    return str(predicate.settle)


def _read_from(predicate: Any, scene: Scene) -> Iterator[ResultPredicate]:
    """The predicates on a result that a predicate is, or rests on."""
    if isinstance(predicate, ResultPredicate):
        yield predicate
    elif isinstance(predicate, CombinedPredicate):
        named = (predicates_of(scene.library)[name] for name in predicate.any_of)
        yield from (row for row in named if isinstance(row, ResultPredicate))
