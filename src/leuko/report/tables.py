"""The tables that several views show: the latest counts, and their grades in every edition side by side."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from leuko.frozen import Frozen
from leuko.report.outline import POSITIONS, grade_words, scheme_words, short_interval
from leuko.report.references import References
from leuko.result import Assessment, Grade, Status
from leuko.wording import say_count, say_list, say_moment


class GradeTable(Frozen, frozen=True, kw_only=True):
    """Grades side by side: a column an edition, a row an analyte; a cell is None where the edition has no rule."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Status, tuple[Grade | None, ...]], ...]
    shifts: tuple[str, ...]


def grade_table(statuses: Iterable[Status]) -> GradeTable:
    """The grades of these counts in every edition, and where editions of one scheme disagree, in words."""
    graded = [status for status in statuses if status.grades]
    columns = sorted({(grade.scheme, grade.edition) for status in graded for grade in status.grades})
    rows = []
    for status in graded:
        own = {(grade.scheme, grade.edition): grade for grade in status.grades}
        rows.append((status, tuple(own.get(column) for column in columns)))
    return GradeTable(
        columns=tuple(scheme_words(*column) for column in columns),
        rows=tuple(rows),
        shifts=tuple(shift for status in graded for shift in _shifts(status)),
    )


def _shifts(status: Status) -> list[str]:
    """Where editions of one scheme give one count different grades, unless the status itself explains the shift."""
    if any(reason.rule.startswith("shift:") for reason in status.conflicts):
        return []
    found = []
    for scheme, same in groupby(status.grades, key=lambda grade: grade.scheme):
        grades = sorted(same, key=lambda grade: grade.edition)
        if len({grade.value for grade in grades if grade.value is not None}) > 1:
            said = [f"{scheme_words(scheme, grade.edition)} {_grade_sentence(grade)}" for grade in grades]
            found.append(
                f"{status.label} {say_count(status.count)}: {say_list(said)}. "
                "The limits differ between the editions; the count is the same."
            )
    return found


def _grade_sentence(grade: Grade) -> str:
    if grade.value is None and grade.least is None:
        return "cannot grade it"
    return f"says grade {grade_words(grade)}"


def latest_rows(assessment: Assessment, refs: References) -> list[list[str]]:
    """The latest counts as rows of words: label, value, day, interval, position, then a grade an edition."""
    grades = grade_table(assessment.latest)
    graded = {status.count.id: row for status, row in grades.rows}
    empty = (None,) * len(grades.columns)
    return [
        [
            status.label,
            say_count(status.count),
            say_moment(status.count.taken),
            short_interval(status.interval) + refs.mark(status.interval.reason),
            POSITIONS[status.position],
            *("no rule" if grade is None else grade_words(grade) for grade in graded.get(status.count.id, empty)),
        ]
        for status in assessment.latest
    ]
