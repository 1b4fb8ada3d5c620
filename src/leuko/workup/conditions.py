"""The closed vocabulary of the work-up: one small pure function for each kind of condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final

from leuko.ages import last_day
from leuko.causes.ask import ask as ask_cause
from leuko.causes.facts import fact_met
from leuko.causes.finding import Finding, all_met, negated, some_met, unknown
from leuko.causes.phrases import holds_any
from leuko.causes.scene import ANALYTE
from leuko.causes.spans import age_in
from leuko.errors import KnowledgeError
from leuko.knowledge.schema import Band
from leuko.knowledge.schema.causes import Line
from leuko.knowledge.schema.steps import (
    CauseCondition,
    CombinedCondition,
    FactCondition,
    InfectionCondition,
    KnownCondition,
    LastedCondition,
    LatestCondition,
    LowCondition,
    MedicineCondition,
    PersonCondition,
)
from leuko.record import Count, Dose
from leuko.result.causes import Cause, Strength
from leuko.result.infection import Infection
from leuko.status import is_low
from leuko.status.knownness import inside
from leuko.wording import say_count, say_days, say_list, say_moment
from leuko.workup.view import View, tables_of

_RISING: Final[tuple[Strength, ...]] = ("none", "weak", "moderate", "strong")
_LINE_NAMES: Final[Mapping[Line, str]] = {"red": "red cells"}


def latest_met(row: LatestCondition, view: View) -> Finding:
    """Whether the latest counts, of as many different days as asked, lie in the band."""
    counts = _last_days(row, view)
    label = _label(row.analyte, view)
    if not counts:
        return unknown(f"no {label} that speaks for today is in the record")
    verdicts = [inside(count, row.band) for count in counts]
    shown = say_list([f"{say_count(one)} on {say_moment(one.taken)}" for one in counts])
    if len(counts) < row.repeated and False not in verdicts:
        return unknown(f"{label} {shown}: not repeated yet", *(one.id for one in counts))
    evidence = tuple(one.id for one in counts)
    if row.apart_days and False not in verdicts and _stretch(row, view) < row.apart_days:
        return unknown(f"{label} {shown}: not known to last {say_days(row.apart_days)}", *evidence)
    return Finding(met=all_met(verdicts), text=f"{label} {shown}", evidence=evidence)


def _stretch(row: LatestCondition, view: View) -> float:
    """How far back the latest counts in a row lie in the band [days]."""
    days = _by_day(row, view)
    latest = earliest = max(days)
    for day in sorted(days, reverse=True):
        if inside(days[day], row.band) is not True:
            break
        earliest = day
    return float((latest - earliest).days)


def _last_days(row: LatestCondition, view: View) -> list[Count]:
    """The last count of each of the last days, latest first; none where the latest is too old."""
    latest = view.counted(row.analyte)
    if latest is None:
        return []
    by_day = _by_day(row, view)
    return [by_day[day] for day in sorted(by_day, reverse=True)][: row.repeated]


def _by_day(row: LatestCondition, view: View) -> dict[date, Count]:
    """The last count of each day."""
    return {count.taken.day: count for count in view.series[row.analyte] if count.taken is not None}


def known_met(row: KnownCondition, view: View) -> Finding:
    """Whether the counts of these analytes are known as asked."""
    latest = [view.latest[name] for name in row.analytes if name in view.latest]
    fresh = [one for one in latest if view.speaks(one.count) and (row.state != "exact" or one.count.bound == "=")]
    if row.state == "never":
        return Finding(met=not latest, text=row.label)
    if row.state == "old_low":
        old = [one for one in latest if is_low(one)] if not fresh else []
        text = f"{old[0].label} {say_count(old[0].count)} on {say_moment(old[0].count.taken)}" if old else row.label
        return Finding(met=bool(old), text=text, evidence=tuple(one.count.id for one in old))
    shown = [f"{one.label} {say_count(one.count)} on {say_moment(one.count.taken)}" for one in fresh or latest]
    evidence = tuple(one.count.id for one in fresh or latest)
    return Finding(met=bool(fresh), text=say_list(shown) or f"{row.label}: not counted", evidence=evidence)


def low_met(row: LowCondition, view: View) -> Finding:
    """Whether the lines are low, or not, as asked."""
    verdicts: list[bool | None] = [_line_low(line, view) for line in row.low]
    verdicts += [negated(_line_low(line, view)) for line in row.not_low]
    if row.any_of:
        verdicts.append(some_met([_line_low(line, view) for line in row.any_of]))
    if row.named:
        verdicts.append(_named(row, view))
    lines = tuple(dict.fromkeys((*row.low, *row.any_of, *row.not_low, *(("red", "platelets") if row.named else ()))))
    return Finding(met=all_met(verdicts), text=_say_lines(lines, view), evidence=_line_evidence(lines, view))


def _line_low(line: Line, view: View) -> bool | None:
    status = view.fresh(ANALYTE[line])
    return is_low(status) if status is not None else None


def _named(row: LowCondition, view: View) -> bool | None:
    """How many of the three lines are low, each number that is still possible; no white line low: none of the names."""
    white = some_met([_line_low("neutrophils", view), _line_low("lymphocytes", view), _white(view)])
    if white is not True:
        return white
    others = (_line_low("red", view), _line_low("platelets", view))
    names = ("isolated", "bicytopenia", "pancytopenia")
    least, most = sum(one is True for one in others), sum(one is not False for one in others)
    answers = {names[number] in row.named for number in range(least, most + 1)}
    return answers.pop() if len(answers) == 1 else None


def _white(view: View) -> bool | None:
    status = view.fresh("wbc")
    return is_low(status) if status is not None else None


def _say_lines(lines: Iterable[Line], view: View) -> str:
    """The low lines with their counts, as a count is said elsewhere, then the others by name."""
    by: dict[bool | None, list[Line]] = {True: [], False: [], None: []}
    for line in lines:
        by[_line_low(line, view)].append(line)
    low = [view.latest[ANALYTE[line]] for line in by[True]]
    parts = [f"{one.label} {say_count(one.count)} on {say_moment(one.count.taken)}" for one in low]
    words = {False: "not low", None: "not known"}
    names = {key: [_LINE_NAMES.get(line, line) for line in found] for key, found in by.items()}
    parts += [f"{say_list(names[key])} {said}" for key, said in words.items() if names[key]]
    return "; ".join(parts)


def _line_evidence(lines: Iterable[Line], view: View) -> tuple[str, ...]:
    return tuple(status.count.id for line in lines if (status := view.fresh(ANALYTE[line])) is not None)


def lasted_met(row: LastedCondition, view: View) -> Finding:
    """Whether the stretch that goes on has lasted so long, or the last one is over."""
    course, label = view.courses.get(row.analyte), _label(row.analyte, view)
    if course is None or not course.episodes:
        return Finding(met=False, text=f"no low stretch of {label} is in the record")
    last = course.episodes[-1]
    if row.resolved:
        status = view.fresh(row.analyte)
        over = negated(is_low(status)) if status is not None else None
        text = f"{label} {say_count(status.count)} after a low stretch" if status is not None else f"{label}: not known"
        return Finding(met=over if last.recovery is not None else False, text=text, evidence=last.counts[-1:])
    if last.recovery is not None or row.days is None:
        return Finding(met=False, text=f"{label} is not low now", evidence=last.counts[-1:])
    least, before = last.duration[0], last.onset.earliest
    most = (view.as_of - before.date()).days + 1 if before is not None else None
    text = f"{label} known to be low for {say_days(least)}" if least else f"{label} counted low on one day only"
    if least >= row.days:
        return Finding(met=True, text=text, evidence=last.counts)
    return Finding(met=False if most is not None and most < row.days else None, text=text, evidence=last.counts)


def person_met(row: PersonCondition, view: View) -> Finding:
    """Whether the person is of this age today, pregnant, or tested Duffy-null."""
    patient = view.patient
    verdicts: list[bool | None] = []
    if row.ages is not None:
        verdicts.append(age_in(row.ages, view.age))
    if row.age_known is not None:
        verdicts.append((patient.born is not None) is row.age_known)
    if row.pregnant is not None:
        verdicts.append(None if patient.pregnant is None else patient.pregnant is row.pregnant)
    if row.duffy_null is not None:
        verdicts.append(None if patient.duffy_null is None else patient.duffy_null is row.duffy_null)
    if row.duffy_known is not None:
        verdicts.append((patient.duffy_null is not None) is row.duffy_known)
    return Finding(met=all_met(verdicts), text=row.label)


def fact_asked(row: FactCondition, view: View) -> Finding:
    """Whether the record names the fact, as the causes read facts."""
    return fact_met(row, view.scene) if view.scene is not None else unknown(f"{row.label}: not asked")


def infection_met(row: InfectionCondition, view: View) -> Finding:
    """Whether any of the questions about an infection is answered yes."""
    if view.infection is None:
        return unknown("infection was not assessed")
    answers = [*_fever(row, view.infection), *_symptoms(row, view.infection), *_organs(row, view.infection)]
    met = some_met([one.met for one in answers])
    telling = [one for one in answers if one.met is met]
    return Finding(
        met=met,
        text="; ".join(dict.fromkeys(one.text for one in telling[:3] if one.text)) or row.label,
        evidence=tuple(dict.fromkeys(name for one in telling for name in one.evidence)),
    )


def _fever(row: InfectionCondition, infection: Infection) -> Iterable[Finding]:
    for verdict in infection.verdicts:
        asked = verdict.id in row.verdicts or (row.any_verdict and verdict.kind == "guideline")
        if asked and verdict.applies is not False:
            said = f"{verdict.name} as {verdict.body} defines it" if verdict.met else ""
            yield Finding(met=verdict.met, text=said, evidence=verdict.reason.evidence)
        if row.fever and verdict.applies is not False:
            yield Finding(met=verdict.fever, text="fever" if verdict.fever else "", evidence=verdict.reason.evidence)
    if row.temperature is not None:
        readings = [one for one in infection.temperatures if _within(one.celsius, row.temperature)]
        met = True if readings else False if infection.temperatures else None
        text = f"temperature {readings[-1].celsius:g} °C" if readings else ""
        yield Finding(met=met, text=text, evidence=tuple(one.id for one in readings))


def _within(value: float, band: Band) -> bool:
    low, high = band.lower, band.upper
    over = not isinstance(low, float) or value > low or (band.lower_inclusive and value == low)
    under = not isinstance(high, float) or value < high or (band.upper_inclusive and value == high)
    return over and under


def _symptoms(row: InfectionCondition, infection: Infection) -> Iterable[Finding]:
    for symptom in infection.symptoms:
        asked = row.any_symptom or symptom.id in row.symptoms or (row.sepsis and symptom.sepsis)
        if asked:
            text = symptom.name if symptom.present else ""
            yield Finding(met=symptom.present, text=text, evidence=symptom.reason.evidence)


def _organs(row: InfectionCondition, infection: Infection) -> Iterable[Finding]:
    for suspicion in (infection.suspects_urinary, infection.suspects_pneumonia):
        if suspicion.id == row.suspects:
            yield Finding(met=suspicion.suspected, text=suspicion.reason.text, evidence=suspicion.reason.evidence)
    if row.urgency:
        level = infection.urgency.level
        met = None if level == "cannot_say" else level in row.urgency
        yield Finding(met=met, text=infection.urgency.text)


def medicine_met(row: MedicineCondition, view: View) -> Finding:
    """Whether a medicine of the kind is taken now or was lately; what is not recorded is unknown."""
    found = [dose for dose in view.record.doses if _of_kind(row, dose, view) and _lately(row, dose, view)]
    if not found:
        return unknown(f"the record does not mention {row.label} lately")
    names = say_list(list(dict.fromkeys(dose.drug for dose in found)))
    last = max((dose for dose in found), key=lambda dose: dose.start.at.timestamp() if dose.start else 0.0)
    since = f", {_when_taken(last)}" if last.start is not None else ""
    return Finding(met=True, text=f"{names}{since}", evidence=tuple(dose.id for dose in found))


def _when_taken(dose: Dose) -> str:
    if dose.end is not None or dose.given:
        return f"last on {say_moment(dose.end or dose.start)}"
    still = " and still taken" if dose.status in {"active", "in-progress"} else ""
    return f"since {say_moment(dose.start)}{still}"


def _of_kind(row: MedicineCondition, dose: Dose, view: View) -> bool:
    from leuko.drugs.identify import identify  # noqa: PLC0415 (the medicines' tables load only where one is asked for)

    drug = identify(dose, library=view.library)
    if drug is None:  # no medicine known to lower counts: it is meant where it is asked for by its own name
        return not (row.groups or row.patterns) and holds_any(dose.drug, row.names)
    named = not row.names or drug.inn.casefold() in row.names
    return named and (not row.groups or drug.group in row.groups) and (not row.patterns or drug.pattern in row.patterns)


def _lately(row: MedicineCondition, dose: Dose, view: View) -> bool:
    """Whether a dose reaches into the days asked for; one without any date counts: it may be taken now."""
    if not view.past(dose.start) or dose.status in {"not-done", "entered-in-error", "cancelled"}:
        return False
    end = dose.end or (None if dose.status in {"active", "intended"} and not dose.given else dose.start)
    return end is None or last_day(end) >= view.as_of - timedelta(days=row.within_days)


def cause_met(row: CauseCondition, view: View) -> Finding:
    """Whether one of the causes stands as asked; a cause that is not told is unknown."""
    asked = [one for one in view.causes if one.id in row.causes or one.group in row.groups]
    found = [one for one in asked if one.standing in row.standings and _strong(one.strength, row.least, one.standing)]
    if not found:
        return unknown(f"nothing points to {row.label}")
    return Finding(met=True, text=_say_cause(found[0]), evidence=found[0].reason.evidence)


def _say_cause(cause: Cause) -> str:
    name = cause.name[0].lower() + cause.name[1:] if cause.name[1:2].islower() else cause.name
    return f"{cause.strength} evidence for {name}" if cause.standing == "supported" else f"{name} remains possible"


def _strong(strength: Strength, least: Strength, standing: str) -> bool:
    return standing != "supported" or _RISING.index(strength) >= _RISING.index(least)


def _label(analyte: str, view: View) -> str:
    row = view.library.analytes.get(analyte)
    return row.label if row is not None else analyte


VOCABULARY: Final[Mapping[type[Any], Callable[[Any, View], Finding]]] = MappingProxyType(
    {
        LatestCondition: latest_met,
        KnownCondition: known_met,
        LowCondition: low_met,
        LastedCondition: lasted_met,
        PersonCondition: person_met,
        FactCondition: fact_asked,
        InfectionCondition: infection_met,
        MedicineCondition: medicine_met,
        CauseCondition: cause_met,
    }
)
"""Every kind of condition and the function that answers it; `CombinedCondition` joins answers and is beside it."""


def ask(condition: str, view: View) -> Finding:
    """The answer to one condition, or to a predicate of the causes, by its id.

    A condition whose row is not confirmed answers unknown. Raises KnowledgeError where conditions ask in a circle.
    """
    if condition not in view.kept:
        view.kept[condition] = None  # an answer under way: asked again from within, it is a circle
        view.kept[condition] = _answer(condition, view)
    if view.kept[condition] is None:
        raise KnowledgeError(f"{condition} asks itself", where="steps/", do="break the circle of combined conditions")
    return view.kept[condition]  # type: ignore[no-any-return]


def _answer(condition: str, view: View) -> Finding:
    row = tables_of(view.library).conditions.get(condition)
    if row is None:
        return ask_cause(condition, view.scene) if view.scene is not None else unknown("no low count to ask it of")
    if not row.basis.drives:
        return unknown(f"{row.label}: the rule for it is not confirmed")
    if isinstance(row, CombinedCondition):
        return _combined(row, view)
    return VOCABULARY[type(row)](row, view)


def _combined(row: CombinedCondition, view: View) -> Finding:
    every = [ask(name, view) for name in row.all_of]
    some = [ask(name, view) for name in row.any_of]
    none = [ask(name, view) for name in row.none_of]
    enough = some_met([one.met for one in some], row.least) if some else True
    absent = [one.met is not True if row.tolerant else negated(one.met) for one in none]
    met = all_met([*(one.met for one in every), enough, *absent])
    telling = [one for one in (*every, *some) if one.met is met] or [*every, *some, *none]
    return Finding(
        met=met,
        text="; ".join(dict.fromkeys(one.text for one in telling if one.text)) or row.label,
        evidence=tuple(dict.fromkeys(name for one in telling for name in one.evidence)),
    )


def questions(condition: str, view: View) -> dict[str, str]:
    """What to ask or look for to settle a condition that is unknown: label and question of each part that is open."""
    row = tables_of(view.library).conditions.get(condition)
    if row is None or not row.basis.drives or ask(condition, view).met is not None:
        return {}
    parts = [*row.all_of, *row.any_of] if isinstance(row, CombinedCondition) else []
    found = {label: text for name in parts for label, text in questions(name, view).items()}
    return found or ({row.label: row.ask} if row.ask else {})
