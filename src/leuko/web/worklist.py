"""Whom to look at first: a row a person, made of what was concluded last, in the order of what needs a person first.

Nothing is judged here: urgency, grades, trends and due days are those of the assessment; only days that have passed
since it was made are counted again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Final, Literal

from leuko.record import Count
from leuko.report.outline import STRICT, grade_words, patient_words, scheme_words
from leuko.report.sections.todo import VERDICTS
from leuko.result import Assessment, Course, Grade, Status
from leuko.result.plan import NextCount, TreatDay
from leuko.service.store import Store
from leuko.status import is_low
from leuko.web.people import Known, concluded, known
from leuko.wording import say_age, say_bounded, say_count, say_date, say_instant, say_list, say_number

Tone = Literal["alert", "low", "fall", "due", "unsure", "ok", "quiet"]
LEADING: Final = ("neutrophils", "wbc")
OTHER: Final = ("platelets", "haemoglobin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """Why a person stands where they stand, in a word or two."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is due on a day: a count, or the count of a day of treatment."""

    day: date
    what: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the worklist holds of one person; all of it comes from one assessment."""

    known: Known
    name: str
    who: str
    concluded: date
    headline: str
    count: str
    taken: date | None
    when: str
    grades: str
    trend: str
    also: tuple[str, ...]
    emergency: bool
    urgent: bool
    stop: bool
    critical: bool
    low: bool | None
    usual: bool
    stale: bool
    falling: bool
    turned: bool
    depth: float
    dues: tuple[Due, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A row as of a day: what is overdue by then, why it stands there, and its rank (the least comes first)."""

    row: Row
    badges: tuple[Badge, ...]
    due: Due | None
    overdue: int
    age: str
    rank: tuple[int, float, int]


Choice = Callable[[Shown, date], bool]


def _due_soon(shown: Shown, day: date) -> bool:
    return shown.due is not None and shown.due.day <= day


CHOICES: Final[Mapping[str, tuple[str, Choice]]] = {
    "all": ("Everyone", lambda _, __: True),
    "urgent": ("Cannot wait", lambda shown, _: shown.row.emergency or shown.row.urgent or shown.row.stop),
    "low": ("Low now", lambda shown, _: shown.row.low is True and not shown.row.stale),
    "falling": ("Falling", lambda shown, _: shown.row.falling and not shown.row.stale),
    "due": ("Due or overdue", _due_soon),
    "open": ("Cannot say", lambda shown, _: shown.row.low is None or shown.row.stale),
}
"""What the list can be narrowed to: the word in the address, the words on the page, and who belongs to it."""


class Worklist:
    """Makes the rows, and keeps them: an assessment never changes. Safe to use from threads."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._lock = Lock()

    def shown(self, store: Store, day: date) -> tuple[Shown, ...]:
        """Everyone, as of a day, in the order of what needs a person first. Raises StoreDown."""
        with store.read() as connection:
            everyone = known(connection)
            with self._lock:
                missing = [one for one in everyone if one.last not in self._rows]
            made = concluded(connection, [one.last for one in missing])
        fresh = {one.last: row_of(one, made[one.last]) for one in missing}
        with self._lock:
            self._rows |= fresh
            held = {one.last: self._rows[one.last] for one in everyone}
            self._rows = dict(held)
        found = [as_of(row, day) for row in held.values()]
        return tuple(sorted(found, key=lambda one: (one.rank, one.row.name)))


# ---- a row ----------------------------------------------------------------------------------------------------------


def row_of(who: Known, made: Assessment) -> Row:
    """What the worklist says of an assessment."""
    latest = {status.count.analyte: status for status in made.latest}
    leading = next((latest[name] for name in LEADING if name in latest), None)
    low = [is_low(latest[name]) for name in LEADING if name in latest]
    infection, advice = made.infection, made.advice
    level = infection.urgency.level if infection is not None else "none_found"
    taken = leading.count.taken if leading is not None else None
    return Row(
        known=who,
        name=made.patient.id,
        who=patient_words(made.patient).removeprefix(f"patient {made.patient.id}, "),
        concluded=made.as_of,
        headline=made.headline,
        count="no count" if leading is None else f"{leading.label} {say_count(leading.count)}",
        taken=taken.day if taken is not None else None,
        when=say_instant(taken) if taken is not None else "no day",
        grades="" if leading is None else _grades(leading.grades),
        trend=_trend(made),
        also=tuple(_short(latest[name]) for name in (*LEADING, *OTHER) if _is_also(latest.get(name), leading)),
        emergency=level == "emergency",
        urgent=level == "urgent",
        stop=_stops(made),
        critical=any(met.met for status in made.latest for met in status.critical),
        low=True if True in low else False if low and None not in low else None,
        usual=leading is not None and leading.usual is not None,
        stale=advice is not None and advice.situation.stale_days is not None,
        falling=_falls(made),
        turned=_turned(made),
        depth=leading.count.value if leading is not None else float("inf"),
        dues=tuple(sorted(_dues(made), key=lambda due: due.day)),
    )


def _is_also(status: Status | None, leading: Status | None) -> bool:
    return status is not None and status is not leading and (status.position == "below" or is_low(status) is True)


def _short(status: Status) -> str:
    return f"{status.label} {say_count(status.count)}"


def _grades(grades: Iterable[Grade]) -> str:
    """The grades of one count, each with its editions: a grade without one means nothing."""
    editions: dict[str, list[str]] = {}
    for one in grades:
        if one.scheme == "ctcae":
            editions.setdefault(grade_words(one), []).append(one.edition)
    return ", ".join(
        f"{scheme_words('ctcae', say_list(named))}{' grade' if grade[0].isdigit() else ':'} {grade}"
        for grade, named in editions.items()
    )


def _falls(made: Assessment) -> bool:
    return any(_is_falling(course) for course in made.courses)


def _is_falling(course: Course) -> bool:
    return course.analyte in LEADING and course.trend.direction == "falling"


def _turned(made: Assessment) -> bool:
    """Whether every leading count that has fallen is higher than the one before it: on the way up again, perhaps."""
    pairs = [_last_two(made, course.analyte) for course in made.courses if _is_falling(course)]
    return all(last is not None and before is not None and _above(last, before) for last, before in pairs)


def _above(last: Count, before: Count) -> bool:
    return last.bound == before.bound == "=" and last.value > before.value


def _last_two(made: Assessment, analyte: str) -> tuple[Count | None, Count | None]:
    """The latest count of an analyte and the one before it, by their times."""
    dated = [(c.taken.at, c) for one in made.history if (c := one.count).analyte == analyte and c.taken is not None]
    ordered = [count for _, count in sorted(dated, key=lambda pair: pair[0])]
    return (ordered[-1] if ordered else None), (ordered[-2] if len(ordered) > 1 else None)


def _trend(made: Assessment) -> str:
    """The course of the leading count in words; only what can be said."""
    for name in LEADING:
        course = next((one for one in made.courses if one.analyte == name), None)
        if course is not None and course.trend.direction != "cannot_say":
            fold = course.trend.fold
            own = f"{say_number(round(100 * fold))} % of own baseline" if fold is not None else ""
            _, before = _last_two(made, name)
            was = f"; {say_bounded(before.value, before.bound)} the time before" if before is not None else ""
            falling = course.trend.direction == "falling"
            said = f"fallen to {own}" if falling and own else ", ".join(filter(None, (course.trend.direction, own)))
            return f"{said}{was}"
    return ""


def _stops(made: Assessment) -> bool:
    """Whether a scheme asks at these counts to stop or withhold what is still taken, as the headline says it."""
    plan = made.plan
    return plan is not None and any(one.action in STRICT and one.running is not False for one in plan.monitoring)


def _dues(made: Assessment) -> Iterator[Due]:
    if made.plan is None:
        return
    for count in made.plan.next_counts:
        if count.due is not None:
            yield Due(day=count.due, what="count", text=_count_words(count))
    for one in made.plan.treat_days:
        if one.due is not None and one.due >= made.as_of:
            yield Due(day=one.due, what="treatment", text=_treat_words(one))
    day_1 = made.plan.regimen.next_day_1
    if day_1 is not None and day_1 >= made.as_of:
        yield Due(day=day_1, what="treatment", text=f"next cycle of {made.plan.regimen.name or 'the regimen'}")


def _count_words(one: NextCount) -> str:
    return one.text


def _treat_words(one: TreatDay) -> str:
    verdict = one.on_count if one.verdict == "cannot_say" else one.verdict
    said = "" if verdict == "cannot_say" else f"; at the last counts: {VERDICTS[verdict]}"
    return f"day of treatment, {one.title}{said}"


# ---- as of a day ----------------------------------------------------------------------------------------------------


def as_of(row: Row, day: date) -> Shown:
    """The row on a day: what is due next, what is overdue, and why it stands where it stands."""
    due = row.dues[0] if row.dues else None
    overdue = (day - due.day).days if due is not None and due.what == "count" and due.day < day else 0
    return Shown(
        row=row,
        badges=tuple(_badges(row, due, overdue, day)),
        due=due,
        overdue=overdue,
        age="" if row.taken is None else _ago((day - row.taken).days),
        rank=_rank(row, due, overdue, day),
    )


def _ago(days: int) -> str:
    return "today" if days == 0 else "yesterday" if days == 1 else f"{say_age(days)} ago" if days > 0 else "ahead"


def _badges(row: Row, due: Due | None, overdue: int, day: date) -> Iterator[Badge]:
    if row.emergency or row.urgent:
        yield Badge(text="Emergency" if row.emergency else "Call today", tone="alert")
    if row.stop:
        yield Badge(text="Medicine: stop or interrupt", tone="alert")
    yield from _counted(row)
    if overdue:
        yield Badge(text=f"Count overdue by {say_age(overdue)}", tone="due")
    elif due is not None and due.day <= day:
        yield Badge(text="Due today", tone="due")
    if row.concluded < day:  # what was an emergency then may be over, and what was calm may be one
        yield Badge(text=f"As concluded {_ago((day - row.concluded).days)}", tone="quiet")


def _counted(row: Row) -> Iterator[Badge]:
    """What the counts say; those that are too old to speak for today say only that."""
    if row.stale:
        yield Badge(text="Last count too old to speak for today", tone="unsure")
        return
    if row.critical:
        yield Badge(text="Critical value", tone="low")
    if row.low is None:
        yield Badge(text="Cannot say", tone="unsure")
    elif row.low:
        yield Badge(text="Low, usual for this person", tone="ok") if row.usual else Badge(text="Low", tone="low")
    if row.falling:
        yield Badge(text="Fallen, higher than the time before" if row.turned else "Falling", tone="fall")


def _rank(row: Row, due: Due | None, overdue: int, day: date) -> tuple[int, float, int]:
    """Danger first, then what is missed, then how low; two of one kind by the depth of the count."""
    fresh = not row.stale
    order = (
        row.emergency,
        row.urgent,
        row.stop,
        row.critical and fresh,
        row.low is True and row.falling and fresh,
        row.low is True and fresh and not row.usual,
        overdue > 0 or (due is not None and due.day <= day),
        row.falling and fresh,
        row.low is not False or row.stale,
    )
    step = next((number for number, holds in enumerate(order) if holds), len(order))
    return step, row.depth, -overdue


def due_words(shown: Shown, day: date) -> str:
    """What comes next, with its day: "12 March 2026, in 2 days"."""
    if shown.due is None:
        return ""
    left = (shown.due.day - day).days
    near = "today" if left == 0 else "tomorrow" if left == 1 else f"in {left} days" if left > 0 else _ago(-left)
    return f"{say_date(shown.due.day)} ({near})"
