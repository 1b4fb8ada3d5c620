"""The interval that a count is held against, and where the count lies in it.

In this order: the interval printed with the result; that of people with the Duffy-null phenotype where it was tested;
pregnancy; the band of age and sex; adults. Duffy status is never inferred.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from leuko.ages import AgeSpan, PerAge
from leuko.frozen import Frozen
from leuko.grading import say_exact
from leuko.knowledge import Library
from leuko.knowledge.same import Same
from leuko.knowledge.schema import Band, IntervalRow
from leuko.record import Count, Patient, Sex
from leuko.result import Citation, Gap, IntervalOrigin, Position, Reason, ReferenceInterval
from leuko.status.knownness import Person, age_limits, inside, rows_for
from leuko.wording import say_list, say_unit


class Held(Frozen, frozen=True, kw_only=True):
    """The interval chosen, the position in it, and why."""

    interval: ReferenceInterval
    position: Position
    reason: Reason
    gaps: tuple[Gap, ...] = ()


class _Ends(Frozen, frozen=True, kw_only=True):
    low: float | None
    high: float | None


def hold(count: Count, *, patient: Patient, person: Person, library: Library) -> Held:
    """Choose the interval for a count and place the count in it."""
    if count.lab_low is not None or count.lab_high is not None:
        return _printed(count, library)
    origin, rows = _published(count.analyte, patient, person, library)
    if not rows:
        return _none(count, library)
    return _chosen(count, origin, rows, person, library)


def duffy_rows(analyte: str, person: Person, library: Library) -> tuple[IntervalRow, ...]:
    """The house intervals of an analyte for a tested Duffy-null phenotype at this age."""
    return _choices(analyte, Same(library.intervals)).at(person.ages, person.sex).duffy_null


def _house(analyte: str, library: Library) -> tuple[IntervalRow, ...]:
    return _house_rows(analyte, Same(library.intervals))


@lru_cache(maxsize=64)
def _house_rows(analyte: str, rows: Same[tuple[IntervalRow, ...]]) -> tuple[IntervalRow, ...]:
    return tuple(row for row in rows.value if row.analyte == analyte and row.house and row.basis.drives)


def _published(
    analyte: str, patient: Patient, person: Person, library: Library
) -> tuple[IntervalOrigin, tuple[IntervalRow, ...]]:
    chosen = _choices(analyte, Same(library.intervals)).at(person.ages, person.sex)
    if patient.duffy_null is True and chosen.duffy_null:
        return "duffy_null", chosen.duffy_null
    if patient.pregnant is True and chosen.pregnancy:
        return "pregnancy", chosen.pregnancy
    adult = all(row.ages.high_days is None for row in chosen.plain)
    return ("adult" if adult else "age_sex"), chosen.plain


class _Choice(Frozen, frozen=True, kw_only=True):
    """The house intervals of one analyte that may be a person's own, by whom they are for."""

    duffy_null: tuple[IntervalRow, ...]
    pregnancy: tuple[IntervalRow, ...]
    plain: tuple[IntervalRow, ...]


@lru_cache(maxsize=64)
def _choices(analyte: str, intervals: Same[tuple[IntervalRow, ...]]) -> PerAge[Sex | None, _Choice]:
    house = _house_rows(analyte, intervals)
    others = [row for row in house if row.duffy_null is not True]

    def choose(ages: AgeSpan, sex: Sex | None) -> _Choice:
        person = Person(ages=ages, sex=sex)
        return _Choice(
            duffy_null=rows_for([row for row in house if row.duffy_null is True], person),
            pregnancy=rows_for([row for row in others if row.pregnancy != "no"], person),
            plain=rows_for([row for row in others if row.pregnancy == "no"], person),
        )

    return PerAge(age_limits(house), choose)


def _printed(count: Count, library: Library) -> Held:
    text = f"the interval that the laboratory printed with the result, {_ends(count.lab_low, count.lab_high, count)}"
    interval = ReferenceInterval(
        id="laboratory",
        label="the laboratory's own interval",
        origin="laboratory",
        low=count.lab_low,
        high=count.lab_high,
        reason=Reason(rule="interval:laboratory", text=text, evidence=(count.id,)),
    )
    ends = _Ends(low=count.lab_low, high=count.lab_high)
    position = _position(count, [ends])
    gaps: tuple[Gap, ...] = ()
    if count.lab_low is None and position == "within" and _has_low(count.analyte, library):
        position = "cannot_say"
        gaps = (
            Gap(
                what=f"whether {_label(count.analyte, library)} {say_exact(count.value, count.bound)} is low",
                why="the laboratory printed only an upper end of its interval",
                settle="the laboratory's lower limit of normal",
            ),
        )
    return Held(interval=interval, position=position, reason=_placed(count, position, interval, ()), gaps=gaps)


def _has_low(analyte: str, library: Library) -> bool:
    """Whether an interval of the analyte has a lower end above zero, so that a lower end is to be expected."""
    return any(row.low is not None and row.low > 0 for row in _house(analyte, library))


def _chosen(
    count: Count, origin: IntervalOrigin, rows: tuple[IntervalRow, ...], person: Person, library: Library
) -> Held:
    lows, highs = [row.low for row in rows], [row.high for row in rows]
    citations = library.cite_all(row.basis for row in rows)
    interval = ReferenceInterval(
        id="+".join(row.id for row in rows),
        label=_named(origin, rows),
        origin=origin,
        low=None if None in lows else min(low for low in lows if low is not None),
        high=None if None in highs else max(high for high in highs if high is not None),
        reason=Reason(
            rule=f"interval:{'+'.join(row.id for row in rows)}",
            text=_why(count, origin, rows, person),
            citations=citations,
        ),
    )
    position = _position(count, [_Ends(low=row.low, high=row.high) for row in rows])
    return Held(interval=interval, position=position, reason=_placed(count, position, interval, citations))


def _why(count: Count, origin: IntervalOrigin, rows: tuple[IntervalRow, ...], person: Person) -> str:
    shown = say_list([f"{_ends(row.low, row.high, count)} ({_whom(row)})" for row in rows], "or")
    why = {
        "duffy_null": "no interval was printed; the Duffy-null phenotype was tested",
        "pregnancy": "no interval was printed; the person is pregnant",
        "age_sex": "no interval was printed; age and sex choose it",
        "adult": "no interval was printed; that of adults applies",
    }[origin]
    text = f"{why}: {shown}"
    if not person.age_known:
        text += ". The date of birth is not known: an adult is assumed, and the interval of a child may differ"
    if len(rows) > 1:
        text += ". Which of them applies is not known; between them nothing is said"
    return text


def _whom(row: IntervalRow) -> str:
    parts = [row.ages.text, row.sex or "", "pregnant" if row.pregnancy != "no" else "", row.population]
    return ", ".join(part for part in parts if part) or "all ages"


def _named(origin: IntervalOrigin, rows: Iterable[IntervalRow]) -> str:
    words = {"duffy_null": "Duffy-null", "pregnancy": "pregnancy", "age_sex": "age and sex", "adult": "adults"}[origin]
    sex = {row.sex for row in rows if row.sex is not None}
    return f"{words}, {sex.pop()}" if origin == "adult" and len(sex) == 1 else words


def _position(count: Count, candidates: list[_Ends]) -> Position:
    """Where a count lies; "cannot_say" where a bound, or several intervals, leave more than one answer."""
    found = {_in(count, ends) for ends in candidates}
    return found.pop() if len(found) == 1 else "cannot_say"


def _in(count: Count, ends: _Ends) -> Position:
    low = False if ends.low is None else inside(count, Band(upper=ends.low))
    high = False if ends.high is None else inside(count, Band(lower=ends.high, lower_inclusive=False))
    if low is True:
        return "below"
    if high is True:
        return "above"
    return "within" if low is False and high is False else "cannot_say"


def _placed(count: Count, position: Position, interval: ReferenceInterval, citations: tuple[Citation, ...]) -> Reason:
    shown = f"{interval.label} ({_ends(interval.low, interval.high, count)})"
    text = {
        "below": f"below the interval of {shown}",
        "within": f"within the interval of {shown}",
        "above": f"above the interval of {shown}",
        "cannot_say": f"whether it lies in the interval of {shown} cannot be said",
    }[position]
    if interval.origin == "laboratory":
        text = text.replace("the interval of ", "", 1)
    return Reason(rule=f"position:{interval.id}", text=text, evidence=(count.id,), citations=citations)


def _none(count: Count, library: Library) -> Held:
    label = _label(count.analyte, library)
    why = "the laboratory printed no interval, and no published interval is on file for this age and sex"
    reason = Reason(rule="interval:none", text=why, evidence=(count.id,))
    interval = ReferenceInterval(id="none", label="none", origin="none", low=None, high=None, reason=reason)
    gap = Gap(what=f"whether {label} lies in a reference interval", why=why, settle="the laboratory's interval")
    return Held(interval=interval, position="cannot_say", reason=reason, gaps=(gap,))


def _ends(low: float | None, high: float | None, count: Count) -> str:
    unit = say_unit(count.unit)
    if low is None:
        return f"up to {say_exact(high or 0.0)} {unit}"
    return f"{say_exact(low)} {unit} or more" if high is None else f"{say_exact(low)} to {say_exact(high)} {unit}"


def _label(analyte: str, library: Library) -> str:
    row = library.analytes.get(analyte)
    return row.label if row is not None else analyte
