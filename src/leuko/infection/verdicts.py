"""Each body's definition of febrile neutropenia, by name: met, not met, or cannot be said, and what would change it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time

from leuko.ages import age_span
from leuko.errors import UsageError
from leuko.frozen import Frozen
from leuko.infection.fever import Event, events, hits, say_limit, say_reading_in
from leuko.infection.neutropenia import ExpectedFall, Half, neutropenia
from leuko.infection.readings import Readings, inside, say_reading
from leuko.knowledge import Library
from leuko.knowledge.same import once_for
from leuko.knowledge.schema import Band
from leuko.knowledge.schema.infection import FeverRow, FeverRules
from leuko.record import Count, Moment, Patient
from leuko.result import Gap, Reason
from leuko.result.infection import FeverVerdict, Symptom, Temperature
from leuko.status.knownness import Person, holds
from leuko.wording import say_list, say_number

ANY = "any"


class Case(Frozen, frozen=True, kw_only=True):
    """What every definition is held against."""

    readings: Readings
    counts: tuple[Count, ...]
    symptoms: tuple[Symptom, ...]
    expected: ExpectedFall | None
    rules: FeverRules
    patient: Patient
    as_of: date
    library: Library
    alert_body: str
    fever: Band | None = None


class _Judged(Frozen, frozen=True, kw_only=True):
    """One event joined with the count that belongs to it."""

    event: Event
    half: Half

    @property
    def met(self) -> bool | None:
        verdicts = {self.event.met, self.half.met}
        return False if False in verdicts else None if None in verdicts else True


@once_for
def rows_that_drive(library: Library) -> tuple[FeverRow, ...]:
    """The definitions that are confirmed, guidelines in force first."""
    order = ("guideline", "superseded", "grading", "study")
    return tuple(
        sorted((row for row in library.rows(FeverRow) if row.basis.drives), key=lambda row: order.index(row.kind))
    )


def check_alert_body(name: str, library: Library) -> None:
    """Raise UsageError for a body that no definition carries."""
    rows = rows_that_drive(library)
    if name != ANY and not any(_is_named(row, name) for row in rows):
        known = ", ".join((ANY, *(row.body for row in rows)))
        raise UsageError(
            f"no definition of febrile neutropenia by {name!r}", why=f"known: {known}", do="name one of these"
        )


def alert_body_of(bodies: Iterable[str], library: Library) -> str:
    """The first of a site's preferred bodies that has a definition of febrile neutropenia; else any body alerts."""
    rows = rows_that_drive(library)
    return next((name for name in bodies if any(_is_named(row, name) for row in rows)), ANY)


def _is_named(row: FeverRow, name: str) -> bool:
    return name.casefold() in {row.id.casefold(), row.body.casefold()}


def verdict(row: FeverRow, case: Case) -> FeverVerdict:
    """One definition, held against every reading that speaks of now and the counts that belong to them."""
    found = [_Judged(event=event, half=_half(row, event.at, case)) for event in _events(row, case)]
    chosen = _decisive(found)
    if chosen is None:
        return _without_fever(row, case)
    changes = (*([chosen.event.settle] if chosen.event.settle else []), *chosen.half.settle) if not chosen.met else ()
    text = f"{chosen.event.text}; {chosen.half.text}"
    return _told(
        row,
        case,
        met=chosen.met,
        fever=chosen.event.met,
        half=chosen.half,
        event=chosen.event,
        text=text,
        changes=changes,
    )


def _half(row: FeverRow, at: Moment | None, case: Case) -> Half:
    return neutropenia(row, at, case.counts, case.rules, case.expected)


def _events(row: FeverRow, case: Case) -> Iterator[Event]:
    readings = (*case.readings.placed, *case.readings.undated)
    yield from events(row, readings, case.rules)
    yield from _said_fever(readings, case)
    if row.or_sepsis:
        yield from _sepsis(case)


def _said_fever(readings: Sequence[Temperature], case: Case) -> Iterator[Event]:
    """A fever that was told without a number, and that no reading shows, leaves every definition open."""
    said = next((one for one in case.symptoms if one.id == "fever" and one.present), None)
    if said is not None and case.fever is not None and not any(inside(one.celsius, case.fever) for one in readings):
        evidence = said.reason.evidence
        text = "a fever was reported without a reading"
        yield Event(met=None, at=said.taken, text=text, evidence=evidence, settle="a measured temperature")


def _sepsis(case: Case) -> Iterator[Event]:
    """Other signs of sepsis in the place of the fever: severe ones count, milder ones leave it to the clinician."""
    there = [one for one in case.symptoms if one.sepsis and one.present]
    strong = [one for one in there if one.sepsis == "strong"]
    for weight, mine in (("strong", strong), ("possible", there)):
        if mine:
            latest = max(mine, key=lambda one: (one.placed, _instant(one.taken)))
            names = say_list([one.name for one in there])
            evidence = tuple(name for one in there for name in one.reason.evidence)
            at = latest.taken if latest.placed else None
            if weight == "strong":
                yield Event(met=True, at=at, text=f"other signs of sepsis: {names}", evidence=evidence)
            else:
                text = f"{names}: whether these are signs of significant sepsis is for the clinician to judge"
                yield Event(met=None, at=at, text=text, evidence=evidence, settle="the clinician's judgement on sepsis")


def _instant(moment: Moment | None) -> float:
    return moment.at.timestamp() if moment is not None else 0.0


def _decisive(found: Sequence[_Judged]) -> _Judged | None:
    """The event that decides: a met one before an open one before one that is not met; the latest of its kind."""
    for wanted in (True, None, False):
        alike = [one for one in found if one.met is wanted]
        if alike:
            return max(alike, key=lambda one: (one.event.met is True, one.half.met is not None, _instant(one.event.at)))
    return None


def _without_fever(row: FeverRow, case: Case) -> FeverVerdict:
    """No reading is or may be a fever by this definition, or there is none at all."""
    placed = case.readings.placed
    last = placed[-1] if placed else next(iter(case.readings.undated), None)
    at = last.taken if last is not None else None
    half = _half(row, at if last is not None else _today(case), case)
    sepsis = _sepsis_open(case) if row.or_sepsis else False
    fever = None if last is None or sepsis is None else False
    if last is None:
        text = "no temperature that speaks of now is on record"
        changes: tuple[str, ...] = ("a temperature now",)
    else:
        shown = say_reading(last if len(placed) < 2 else max(placed, key=lambda one: one.celsius))
        text = f"{shown} is no fever by this definition ({_limits(row)})"
        changes = _fever_changes(row, last, case)
    if last is not None and sepsis is None:
        text += "; other signs of sepsis were not recorded"
        changes = (*changes, "blood pressure, alertness and the other signs of sepsis")
    met = False if half.met is False or fever is False else None
    return _told(
        row, case, met=met, fever=fever, half=half, event=None, text=f"{text}; {half.text}", changes=changes, at=at
    )


def _sepsis_open(case: Case) -> bool | None:
    """None while a severe sign of sepsis has not been asked for."""
    asked = [one.present for one in case.symptoms if one.sepsis == "strong" and one.id != "sepsis"]
    return None if None in asked else False


def _today(case: Case) -> Moment:
    """The day of the assessment, at no time of day."""
    return Moment(at=datetime.combine(case.as_of, time(), tzinfo=UTC), precision="day")


def _limits(row: FeverRow) -> str:
    parts = [f"{say_limit(row.single)} once"] if row.single is not None else []
    parts += [f"{say_limit(row.sustained.band)}, {row.sustained.text}"] if row.sustained is not None else []
    return " or ".join(parts)


def _fever_changes(row: FeverRow, last: Temperature, case: Case) -> tuple[str, ...]:
    """What further reading would make a fever of it."""
    changes = []
    rule = row.sustained
    if rule is not None and hits(last, rule.band, row, case.rules) is not False:
        if rule.consecutive:
            later = f"{say_number(rule.hours)} hours later" if rule.hours != 1.0 else "an hour later"
            later = later if rule.hours_inclusive else f"more than {later}"
            changes.append(f"a second {say_reading_in(rule.band)}, {later}")
        else:
            changes.append(f"another {say_reading_in(rule.band)} ({rule.text})")
    if row.single is not None:
        changes.append(f"one {say_reading_in(row.single)}")
    return tuple(changes)


def _told(
    row: FeverRow,
    case: Case,
    *,
    met: bool | None,
    fever: bool | None,
    half: Half,
    event: Event | None,
    text: str,
    changes: tuple[str, ...],
    at: Moment | None = None,
) -> FeverVerdict:
    applies = _applies(row, case)
    said = {True: "met", False: "not met", None: "cannot be said"}[met]
    whom = "" if applies is not False else f"; it was written for {row.population}, which the person is not by age"
    readings = event.evidence if event is not None else ()
    counts = (half.count.id,) if half.count is not None else ()
    return FeverVerdict(
        id=row.id,
        body=row.body,
        name=row.name,
        document=row.document,
        kind=row.kind,
        population=row.population,
        met=met,
        fever=fever,
        neutropenia=half.met,
        applies=applies,
        alerts=_alerts(row, applies, case.alert_body),
        at=event.at if event is not None else at,
        count=half.count.id if half.count is not None else None,
        would_change=tuple(dict.fromkeys(changes)),
        reason=Reason(
            rule=row.id,
            text=f"{row.body}, {row.name}: {said}. {text[0].upper()}{text[1:]}{whom}.",
            evidence=(*readings, *counts),
            citations=(case.library.cite(row.basis),),
        ),
        gap=_gap(row, text, changes) if met is None else None,
    )


def _gap(row: FeverRow, text: str, changes: tuple[str, ...]) -> Gap:
    settle = say_list(list(dict.fromkeys(changes)), "or") or "a temperature and a neutrophil count"
    return Gap(what=f"{row.name} by {row.body}", why=text, settle=settle)


def _applies(row: FeverRow, case: Case) -> bool | None:
    """Whether the person is of the population, as far as the age tells; None: the age is not known."""
    ages = age_span(case.patient, _today(case))
    person = Person(ages=ages, sex=case.patient.sex)
    is_bounded = row.ages.low_days is not None or row.ages.high_days is not None
    return None if is_bounded and not person.age_known else holds(row.ages, person)


def _alerts(row: FeverRow, applies: bool | None, alert_body: str) -> bool:
    if alert_body == ANY:
        return row.kind == "guideline" and applies is not False
    return _is_named(row, alert_body)
