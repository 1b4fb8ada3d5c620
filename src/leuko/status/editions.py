"""Grades of a count in every edition side by side, and why editions differ, read off their tables."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from itertools import pairwise

from leuko.frozen import replace
from leuko.grading import graded_analytes, grades_between_ages, rules_at, rules_of, title
from leuko.knowledge import Library
from leuko.knowledge.same import Same
from leuko.knowledge.schema import GradeRule, GradeScheme
from leuko.record import Count
from leuko.result import Gap, Grade, Reason
from leuko.status.knownness import Person
from leuko.wording import say_list


def graded(analyte: str, library: Library) -> bool:
    """Whether any scheme grades an analyte."""
    return analyte in graded_analytes(library)


def grades_of(count: Count, *, person: Person, library: Library) -> tuple[Grade, ...]:
    """The grade in every edition of every scheme, in the order of scheme and of entry into force.

    The lower limit of normal is the laboratory's own, printed with the result: no published interval stands in for it.
    """
    if not graded(count.analyte, library):
        return ()
    found = grades_between_ages(
        count.value,
        analyte=count.analyte,
        lab_low=count.lab_low,
        ages=person.ages,
        sex=person.sex,
        bound=count.bound,
        library=library,
    )
    ordered = _ordered(Same(library.schemes))
    return tuple(_rests_on(count, found[scheme.id, scheme.edition]) for scheme in ordered)


@lru_cache(maxsize=16)
def _ordered(schemes: Same[tuple[GradeScheme, ...]]) -> tuple[GradeScheme, ...]:
    return tuple(sorted(schemes.value, key=lambda scheme: (scheme.id, scheme.in_force_from)))


def _rests_on(count: Count, found: Grade) -> Grade:
    return replace(found, reason=replace(found.reason, evidence=(count.id,)))


def gaps_of(grades: tuple[Grade, ...]) -> tuple[Gap, ...]:
    """The gaps of all editions, those with the same cause as one."""
    causes: dict[tuple[str, str], list[Gap]] = defaultdict(list)
    for found in grades:
        if found.gap is not None:
            causes[found.gap.why, found.gap.settle].append(found.gap)
    return tuple(
        Gap(what=say_list([gap.what for gap in gaps]), why=why, settle=settle) for (why, settle), gaps in causes.items()
    )


def shifts(count: Count, grades: tuple[Grade, ...], *, person: Person, library: Library) -> tuple[Reason, ...]:
    """For each pair of editions of one scheme that grade this count apart: what moved, from their own limits."""
    if not grades:
        return ()
    found: list[Reason] = []
    for (older, before), (newer, after) in pairwise(zip(_ordered(Same(library.schemes)), grades, strict=True)):
        if older.id == newer.id and None not in {before.value, after.value} and before.value != after.value:
            old, new = (_rule(scheme, count.analyte, person, library) for scheme in (older, newer))
            if old is not None and new is not None:
                found.append(_shift(count, (older, old, before), (newer, new, after)))
    return tuple(found)


def _rule(scheme: GradeScheme, analyte: str, person: Person, library: Library) -> GradeRule | None:
    rules = rules_at(rules_of(scheme, analyte, library), person.ages, person.sex)
    return rules[0] if len(rules) == 1 else None


def _shift(
    count: Count, older: tuple[GradeScheme, GradeRule, Grade], newer: tuple[GradeScheme, GradeRule, Grade]
) -> Reason:
    (old_scheme, old, before), (new_scheme, new, after) = older, newer
    text = (
        f"{title(old_scheme)} gives grade {before.value} and {title(new_scheme)} grade {after.value} for the same "
        f"count: {_what_moved(Same(old), Same(new))}"
    )
    return Reason(
        rule=f"shift:{old.id}:{new.id}",
        text=text,
        evidence=(count.id,),
        citations=tuple(dict.fromkeys((*before.reason.citations, *after.reason.citations))),
    )


@lru_cache(maxsize=256)
def _what_moved(older: Same[GradeRule], newer: Same[GradeRule]) -> str:
    """How the limits of two editions differ: all moved by as many grades, or these were changed."""
    old, new = older.value, newer.value
    before = {row.band.upper: row.grade for row in old.bands}
    after = {row.band.upper: row.grade for row in new.bands}
    shared = [limit for limit in after if limit in before]
    moved = {after[limit] - before[limit] for limit in shared}
    if len(moved) == 1 and (step := moved.pop()) != 0:
        limits = say_list([f"<{limit:g}" for limit in shared if isinstance(limit, (int, float))])
        word = f"{abs(step)} grade{'s' if abs(step) > 1 else ''} {'lower' if step < 0 else 'higher'}"
        added = [f"grade {row.grade} is now {row.text}" for row in new.bands if row.band.upper not in before]
        return "; ".join([f"every limit that both have ({limits}) stands {word} in the newer edition", *added])
    texts = {row.grade: row.text for row in old.bands}
    changed = [
        f"grade {row.grade} was {texts.get(row.grade, 'not there')} and is {row.text}"
        for row in sorted(new.bands, key=lambda row: row.grade)
        if texts.get(row.grade) != row.text
    ]
    return "; ".join(changed)
