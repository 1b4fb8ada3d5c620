"""The worst grade of an episode, on every edition that grades the analyte."""

from __future__ import annotations

from collections.abc import Iterable

from leuko.course.lowness import Lowness
from leuko.frozen import replace
from leuko.grading import grades_between_ages, rules_at, rules_of
from leuko.knowledge.schema import GradeScheme
from leuko.record import Count
from leuko.result import Grade, Reason
from leuko.wording import say_count, say_moment

_SEVEREST = 99


def worst_grades(lows: tuple[Count, ...], lowness: Lowness) -> tuple[Grade, ...]:
    """The worst grade over the low counts of an episode, one for each scheme and edition that has a rule for them."""
    schemes = (s for s in lowness.library.schemes if any(rule.analyte == lowness.analyte for rule in s.rules))
    return tuple(_worst([(count, _grade(count, s, lowness)) for count in _telling(lows, s, lowness)]) for s in schemes)


def _telling(lows: Iterable[Count], scheme: GradeScheme, lowness: Lowness) -> tuple[Count, ...]:
    """The counts that can decide: of those graded by the same rules, limit and kind of bound, the lowest."""
    rules = rules_of(scheme, lowness.analyte, lowness.library)
    found: dict[object, Count] = {}
    for count in lows:
        own = rules_at(rules, lowness.person(count).ages, lowness.patient.sex)
        key = (tuple(rule and rule.id for rule in own), count.lab_low, count.bound)
        if key not in found or count.value < found[key].value:
            found[key] = count
    return tuple(found.values())


def _grade(count: Count, scheme: GradeScheme, lowness: Lowness) -> Grade:
    found = grades_between_ages(
        count.value,
        analyte=lowness.analyte,
        lab_low=count.lab_low,
        ages=lowness.person(count).ages,
        sex=lowness.patient.sex,
        bound=count.bound,
        library=lowness.library,
    )
    return found[scheme.id, scheme.edition]


def _worst(graded: list[tuple[Count, Grade]]) -> Grade:
    """The grade that the episode reached: the worst least and the worst most of its counts."""
    count, leading = max(graded, key=lambda pair: (_range(pair[1]), -pair[0].value))
    least = max(_range(grade)[0] for _, grade in graded)
    open_at = next((grade for _, grade in graded if _range(grade)[1] > least), None)
    mosts = [_range(grade)[1] for _, grade in graded]
    return replace(
        leading,
        value=least if open_at is None else None,
        least=least if leading.least is not None else None,
        most=max(mosts) if max(mosts) < _SEVEREST else None,
        reason=_reason(count, leading.reason),
        gap=open_at.gap if open_at is not None else None,
    )


def _range(grade: Grade) -> tuple[int, int]:
    """The least and the most severe grade that remain possible; a grade that cannot be told may be any."""
    if grade.value is not None:
        return grade.value, grade.value
    return (grade.least or 0, _SEVEREST if grade.most is None else grade.most)


def _reason(count: Count, reason: Reason) -> Reason:
    text = f"Worst of the episode, at {say_count(count)} on {say_moment(count.taken)}: {reason.text}"
    return replace(reason, text=text, evidence=(count.id,))
