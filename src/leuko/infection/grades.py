"""Grades of fever itself, where a scheme grades it."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby

from leuko.infection.readings import Readings, inside, instants, say_reading
from leuko.knowledge import Library
from leuko.knowledge.schema.infection import FeverGradeRow
from leuko.result import Gap, Grade, Reason
from leuko.result.infection import Temperature


def fever_grades(readings: Readings, library: Library) -> tuple[Grade, ...]:
    """The highest reading graded on every edition that grades fever; none where there is no reading."""
    if not readings.placed:
        return ()
    rows = sorted(library.rows(FeverGradeRow), key=lambda row: (row.scheme, row.edition, row.grade))
    driving = [row for row in rows if row.basis.drives]
    return tuple(
        _graded(list(mine), readings, library)
        for _, mine in groupby(driving, key=lambda row: (row.scheme, row.edition))
    )


def _graded(rows: list[FeverGradeRow], readings: Readings, library: Library) -> Grade:
    top = max(readings.placed, key=lambda reading: reading.celsius)
    fitting = [row for row in rows if inside(top.celsius, row.band)]
    # Where length decides between grades, the readings say it only if they span it.
    if len(fitting) > 1:
        fitting = [row for row in fitting if _long(row, readings)] or fitting
    values = [row.grade for row in fitting] or [0]
    exact = len(values) == 1
    named = " or ".join(f"{value}" for value in values)
    text = f"{say_reading(top)}: fever grade {named}"
    text += "" if exact else " (which of them depends on how long it lasted)"
    return Grade(
        scheme=rows[0].scheme,
        edition=rows[0].edition,
        analyte="temperature",
        term="Fever",
        value=values[0] if exact else None,
        least=min(values),
        most=max(values),
        reason=Reason(
            rule="+".join(row.id for row in fitting) or f"fever:{rows[0].scheme}-{rows[0].edition}",
            text=text,
            evidence=(top.id,),
            citations=tuple(library.cite(row.basis) for row in (fitting or rows[:1])),
        ),
        gap=None
        if exact
        else Gap(what="the grade of the fever", why="its length is not known", settle="later readings"),
    )


def _long(row: FeverGradeRow, readings: Readings) -> bool:
    """Whether readings without a lower one between them lie in the band for longer than the grade asks."""
    if row.over_hours is None:
        return False
    longest = timedelta(0)
    run: list[Temperature] = []
    for reading in readings.placed:
        run = [*run, reading] if inside(reading.celsius, row.band) else []
        if len(run) > 1 and run[0].taken is not None and reading.taken is not None:
            longest = max(longest, instants(reading.taken)[0] - instants(run[0].taken)[1])
    return longest > timedelta(hours=row.over_hours)
