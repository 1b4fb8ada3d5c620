"""Where one count stands: the interval it is held against, definitions and bands it meets, and its grades.

Everything carries its reason. Where sources disagree (an interval and a grade, two bodies, two editions) the status
shows the disagreement as a conflict and does not settle it.
"""

from __future__ import annotations

from collections.abc import Iterable

from leuko.ages import age_span
from leuko.grading import say_exact
from leuko.knowledge import Library
from leuko.knowledge.same import once_for
from leuko.record import Count, Patient
from leuko.result import Gap, Grade, Reason, Status
from leuko.status.definitions import judge
from leuko.status.editions import gaps_of, graded, grades_of, shifts
from leuko.status.intervals import Held, duffy_rows, hold
from leuko.status.knownness import Person
from leuko.status.lines import house_definition, is_low, lines_of
from leuko.wording import say_list, say_unit


@once_for
def assessed_analytes(library: Library) -> tuple[str, ...]:
    """The analytes that a status can be given for: those with a definition, an interval or a grade; in table order."""
    known = {row.analyte for row in library.definitions if row.category in {"definition", "severity", "critical"}}
    known |= {row.analyte for row in library.intervals if row.house}
    return tuple(name for name in library.analytes if name in known or graded(name, library))


def status_of(count: Count, *, patient: Patient, library: Library) -> Status:
    """Where a count stands, for the person as they were at the draw (`leuko.person.person_at`)."""
    person = Person(ages=age_span(patient, count.taken), sex=patient.sex)
    held = hold(count, patient=patient, person=person, library=library)
    judged = judge(count, person=person, library=library, pregnant=patient.pregnant is True)
    grades = grades_of(count, person=person, library=library)
    row = library.analytes.get(count.analyte)
    return Status(
        count=count,
        label=row.label if row is not None else count.analyte,
        interval=held.interval,
        position=held.position,
        position_reason=held.reason,
        definitions=judged.definitions,
        severity=judged.severity,
        critical=judged.critical,
        grades=grades,
        conflicts=(
            *_graded_inside(count, held, grades),
            *judged.conflicts,
            *shifts(count, grades, person=person, library=library),
        ),
        usual=_usual(count, patient, person, library),
        gaps=(*held.gaps, *judged.gaps, *_duffy(count, patient, person, held, library), *gaps_of(grades)),
    )


def _graded_inside(count: Count, held: Held, grades: Iterable[Grade]) -> tuple[Reason, ...]:
    """The conflict of a count inside its own interval that a scheme grades all the same."""
    if held.position not in {"within", "above"}:
        return ()
    found = [found for found in grades if found.least is not None and found.least > 0]
    if not found:
        return ()
    said = say_list([f"{one.scheme.upper()} {one.edition} gives {_grade_words(one)}" for one in found])
    value = f"{say_exact(count.value, count.bound)} {say_unit(count.unit)}"
    return (
        Reason(
            rule=f"conflict:interval:{held.interval.id}",
            text=f"{value} is {held.reason.text}, and yet {said}: the grade does not know this interval",
            evidence=(count.id,),
            citations=tuple(
                dict.fromkeys((*held.interval.reason.citations, *(c for one in found for c in one.reason.citations)))
            ),
        ),
    )


def _grade_words(found: Grade) -> str:
    return f"grade {found.value}" if found.value is not None else f"grade {found.least} to {found.most}"


def _usual(count: Count, patient: Patient, person: Person, library: Library) -> Reason | None:
    """Whether a count lies inside the interval of Duffy-null people, for a person tested to be one of them."""
    rows = duffy_rows(count.analyte, person, library)
    lows = [row.low for row in rows if row.low is not None]
    if patient.duffy_null is not True or not lows or count.bound != "=" or count.value < max(lows):
        return None
    return Reason(
        rule=f"usual:duffy-null:{count.analyte}",
        text=f"inside the reference interval of adults with the Duffy-null phenotype, from {say_exact(max(lows))} on",
        evidence=(count.id,),
        citations=tuple(library.cite(row.basis) for row in rows),
    )


def _duffy(count: Count, patient: Patient, person: Person, held: Held, library: Library) -> tuple[Gap, ...]:
    """What the Duffy phenotype would change: a low count that is within the interval of Duffy-null people.

    The phenotype is never inferred: where it was not tested, the test is what would settle the question.
    """
    rows = duffy_rows(count.analyte, person, library)
    lows = [row.low for row in rows if row.low is not None]
    if held.position != "below" or not lows or patient.duffy_null is False or count.value < max(lows):
        return ()
    shown = say_list([f"{say_exact(row.low)} {say_unit(count.unit)}" for row in rows if row.low is not None], "or")
    interval = f"the interval of adults with the Duffy-null phenotype begins at {shown}"
    if patient.duffy_null is True:
        why = f"{interval}, and the interval printed with the result was not made for them"
        settle = "an interval of the laboratory's own for them"
        return (Gap(what="whether this laboratory would call the count low for this person", why=why, settle=settle),)
    why = f"{interval}; the phenotype was not tested, and is never inferred"
    settle = "red cell phenotype Fy(a)/Fy(b), or ACKR1 genotype"
    return (Gap(what="whether this count is low for the person", why=why, settle=settle),)


__all__ = ["assessed_analytes", "house_definition", "is_low", "lines_of", "status_of"]
