"""What a record says of the person at the time of a draw: pregnancy, and a Duffy phenotype that was tested.

Both choose the reference interval, so both are read only from what the record states, with its date; nothing is
inferred from race, ancestry or the counts. Where statements contradict each other, nothing is taken.
"""

from __future__ import annotations

from collections.abc import Iterator

from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.knowledge.schema.person import PersonClue
from leuko.record import Code, Moment, Patient, Record

_SECONDS_A_DAY = 86_400


class Statement(Frozen, frozen=True, kw_only=True):
    """One thing that an entry of the record says of the person, and from when to when the entry itself holds."""

    clue: PersonClue
    start: Moment | None
    end: Moment | None


def statements_of(record: Record, *, library: Library) -> tuple[Statement, ...]:
    """Every statement in the record about pregnancy or the Duffy phenotype."""
    clues = [clue for clue in library.rows(PersonClue) if clue.basis.drives]
    return tuple(
        Statement(clue=clue, start=entry.start, end=entry.end)
        for entry in _entries(record)
        for clue in clues
        if _speaks(clue, entry)
    )


def person_at(record: Record, moment: Moment | None, statements: tuple[Statement, ...]) -> Patient:
    """The patient as the record describes them at the time of a draw; what the patient entry says comes first."""
    patient = record.patient
    if not statements:
        return patient
    pregnant = _agreed(statements, "pregnant", moment) if patient.sex != "male" else None
    return replace(
        patient,
        duffy_null=patient.duffy_null if patient.duffy_null is not None else _agreed(statements, "duffy_null", moment),
        pregnant=patient.pregnant if patient.pregnant is not None else pregnant,
    )


class _Entry(Frozen, frozen=True, kw_only=True):
    name: str
    codes: tuple[Code, ...]
    value: str
    start: Moment | None
    end: Moment | None


def _entries(record: Record) -> Iterator[_Entry]:
    for fact in record.facts:
        yield _Entry(name=fact.name, codes=fact.codes, value=fact.detail, start=fact.start, end=fact.end)
    for sign in record.signs:
        said = "" if sign.present is None else ("present" if sign.present else "absent")
        yield _Entry(name=sign.name, codes=sign.codes, value=sign.text or said, start=sign.taken, end=sign.taken)


def _speaks(clue: PersonClue, entry: _Entry) -> bool:
    named = any(word in entry.name.casefold() for word in clue.words) if clue.words else False
    coded = bool(clue.code) and any(_is_code(clue, code) for code in entry.codes)
    answered = not clue.answers or entry.value.strip().casefold() in clue.answers
    return (named or coded) and answered


def _is_code(clue: PersonClue, code: Code) -> bool:
    fits = code.code.startswith(clue.code) if clue.prefix else code.code == clue.code
    return fits and code.system == clue.system


def _agreed(statements: tuple[Statement, ...], tells: str, moment: Moment | None) -> bool | None:
    answers = {one.clue.answer for one in statements if one.clue.tells == tells and _holds(one, moment)}
    return answers.pop() if len(answers) == 1 else None


def _holds(statement: Statement, moment: Moment | None) -> bool:
    """Whether a statement holds at a time: for life, or from some days before its start to some days after its end."""
    clue = statement.clue
    if clue.days_before is None or clue.days_after is None:
        return True
    if moment is None or statement.start is None:
        return False
    end = statement.end or statement.start
    return _days(statement.start, moment) >= -clue.days_before and _days(end, moment) <= clue.days_after


def _days(earlier: Moment, later: Moment) -> float:
    return (later.at - earlier.at).total_seconds() / _SECONDS_A_DAY
