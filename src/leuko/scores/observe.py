"""Measurements in a record: the latest that is young enough, or why there is none."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final

from leuko.ages import UNKNOWN, YEAR_DAYS, age_span
from leuko.course import course_of
from leuko.frozen import Frozen
from leuko.grading import Edge, edges
from leuko.knowledge.schema.scores import ObservableRow, ObservedIn
from leuko.record import Bound, Count, Moment, Sign
from leuko.result import Course, Episode
from leuko.scores.area import latest_area
from leuko.scores.named import matches
from leuko.scores.reading import Reading, believable, in_unit
from leuko.scores.setting import Setting
from leuko.wording import say_count, say_date, say_days, say_moment, say_number

LOINC: Final = frozenset({"http://loinc.org", "loinc", "urn:oid:2.16.840.1.113883.6.1", "2.16.840.1.113883.6.1", "LN"})
_HOUR: Final = 3600.0
_BOUNDED: Final = re.compile(r"\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*")
_GRADE: Final = re.compile(r"grade\s*([0-5])\b", re.IGNORECASE)
_FIRST_NUMBER: Final = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)(?![\d.])")


class Observed(Frozen, frozen=True, kw_only=True):
    """The readings of one observable: one, several that contradict one another, or none and `why`.

    `never` is true where what is looked for is known not to be there (no stretch of low counts), rather than not known.
    """

    readings: tuple[Reading, ...] = ()
    why: str = ""
    never: bool = False


def observe(row: ObservableRow, setting: Setting) -> Observed:
    """What is known of an observable on the day; an answer given by hand goes before the record."""
    if row.id not in setting.observed:
        answered = setting.answers.readings.get(row.id)
        setting.observed[row.id] = (
            Observed(readings=(answered,)) if answered is not None else _FOUND[row.found](row, setting)
        )
    found: Observed = setting.observed[row.id]
    return found


# ---- signs ----------------------------------------------------------------------------------------------------------


def _from_signs(row: ObservableRow, setting: Setting) -> Observed:
    return _chosen([_of_sign(sign, row) for sign in setting.record.signs if _is_meant(sign, row)], row, setting)


def _is_meant(sign: Sign, row: ObservableRow) -> bool:
    codes = {code.code for code in sign.codes if code.system in LOINC}
    return bool(codes & set(row.loinc)) or (not codes and sign.name.strip().lower() in row.names)


class _Found(Frozen, frozen=True, kw_only=True):
    """A reading, or why one that stands in the record cannot be used."""

    reading: Reading | None
    taken: Moment | None
    why: str = ""


def _of_sign(sign: Sign, row: ObservableRow) -> _Found:
    said = sign.origin.value_text or (say_number(sign.value) if sign.value is not None else sign.text or "")
    bound, number = _number(sign, row)
    if number is None:
        return _Found(reading=None, taken=sign.taken, why=f"{row.label} {said!r} is no number")
    turned = in_unit(number, sign.unit or "", row)
    if turned is None:
        unit = f"in {sign.unit!r}" if sign.unit else "without a unit"
        return _Found(reading=None, taken=sign.taken, why=f"{row.label} {said} {unit} cannot be read")
    if not believable(turned.middle, row):
        return _Found(
            reading=None, taken=sign.taken, why=f"{row.label} {said} {sign.unit or ''} is not believed".strip()
        )
    low, high = (turned.low, turned.high) if bound == "=" else edges(turned.middle, bound)
    unit = f" {sign.unit}" if sign.unit and not row.unitless else ""
    reading = Reading(
        low=low,
        high=high,
        middle=turned.middle if bound == "=" else None,
        text=f"{row.label} {said}{unit} on {_say_when(sign.taken)}",
        evidence=(sign.id,),
        taken=sign.taken,
    )
    return _Found(reading=reading, taken=sign.taken)


def _number(sign: Sign, row: ObservableRow) -> tuple[Bound, Decimal | None]:
    if sign.value is not None:
        text = sign.origin.value_text.strip()
        exact = re.fullmatch(r"[+-]?\d+(?:\.\d+)?", text) is not None and float(text) == sign.value
        return "=", Decimal(text if exact else str(sign.value))
    text = (sign.text or "").strip()
    if bounded := _BOUNDED.fullmatch(text):
        signs: dict[str, Bound] = {"<": "<", ">": ">", "<=": "<=", ">=": ">="}
        return signs[bounded.group(1)], Decimal(bounded.group(2))
    if text.lower() in row.words:
        return "=", Decimal(str(row.words[text.lower()]))
    numbers = _FIRST_NUMBER.findall(text) if row.unitless else []
    return "=", Decimal(numbers[0]) if len(numbers) == 1 else None


def _say_when(moment: Moment | None) -> str:
    if moment is not None and moment.precision in {"hour", "minute", "second"}:
        return f"{say_date(moment.day)}, {moment.at:%H:%M}"
    return say_moment(moment)


def _chosen(found: Iterable[_Found], row: ObservableRow, setting: Setting) -> Observed:
    """The latest reading that is young enough; readings of one day whose order is unknown stand side by side."""
    found = list(found)
    dated = [one for one in found if one.taken is not None and one.taken.day <= setting.as_of]
    young = [one for one in dated if _age(one.taken, setting.as_of) <= _max_age(row)]
    if young and row.apart_hours is not None:
        young = [one for one in young if _of_one_set(one.taken, row.apart_hours, setting)]
        if not young:
            return Observed(why=f"{row.label}: the last value is too old beside the newest vital sign")
    usable = [one for one in young if one.reading is not None]
    if not usable:
        return Observed(why=_why_none(found, dated, young, row, setting.as_of))
    last_day = max(one.taken.day for one in usable if one.taken is not None)
    of_day = [one for one in usable if one.taken is not None and one.taken.day == last_day]
    if all(one.taken is not None and one.taken.has_time for one in of_day):
        latest = max(one.taken.at for one in of_day if one.taken is not None)
        of_day = [one for one in of_day if one.taken is not None and one.taken.at == latest]
    distinct = {(one.reading.low, one.reading.high): one.reading for one in of_day if one.reading is not None}
    return Observed(readings=tuple(distinct.values()))


def _of_one_set(moment: Moment | None, hours: float, setting: Setting) -> bool:
    """Whether a reading is not much older than the newest vital sign; days without a time are taken as they are."""
    newest = _newest(setting)
    if newest is None or moment is None or not moment.has_time:
        return True
    return (newest - moment.at).total_seconds() <= hours * _HOUR


def _newest(setting: Setting) -> datetime | None:
    rows = [row for row in setting.tables.observables.values() if row.apart_hours is not None]
    signs = (sign.taken for sign in setting.record.signs if any(_is_meant(sign, row) for row in rows))
    read = (one.taken for one in setting.infection.temperatures) if setting.infection is not None else ()
    times = [taken.at for taken in (*signs, *read) if taken is not None and taken.has_time]
    return max((at for at in times if at.date() <= setting.as_of), default=None)


def _age(moment: Moment | None, as_of: date) -> float:
    if moment is None or moment.precision in {"year", "month"}:
        return math.inf
    return float((as_of - moment.day).days)


def _max_age(row: ObservableRow) -> float:
    return math.inf if row.max_age_days is None else row.max_age_days


def _why_none(found: list[_Found], dated: list[_Found], young: list[_Found], row: ObservableRow, as_of: date) -> str:
    if young:
        return young[-1].why
    if dated:
        last = max((one.taken for one in dated if one.taken is not None), key=lambda moment: moment.at)
        age = _age(last, as_of)
        old = f"is {say_days(age)} old, too old to score" if math.isfinite(age) else "has no day"
        return f"{row.label}: the last value {old}"
    if found:
        return f"{row.label} is in the record without a day, or dated later"
    return f"no {row.label} in the record"


# ---- counts and the person ------------------------------------------------------------------------------------------


def _from_counts(row: ObservableRow, setting: Setting) -> Observed:
    return _chosen([_of_count(count, row) for count in setting.series.get(row.analyte, ())], row, setting)


def _of_count(count: Count, row: ObservableRow) -> _Found:
    if count.unit.lower() != row.unit.lower():
        return _Found(reading=None, taken=count.taken, why=f"{row.label} in {count.unit!r} cannot be read")
    low, high = edges(count.value, count.bound)
    reading = Reading(
        low=low,
        high=high,
        middle=count.value if count.bound == "=" else None,
        text=f"{row.label} {say_count(count)} on {_say_when(count.taken)}",
        evidence=(count.id,),
        taken=count.taken,
    )
    return _Found(reading=reading, taken=count.taken)


def _from_age(row: ObservableRow, setting: Setting) -> Observed:
    span = age_span(setting.record.patient, _at(setting.as_of))
    if span == UNKNOWN or span.most < 0:
        return Observed(why="the date of birth is not known")
    low, high = (float(math.floor(days / YEAR_DAYS)) for days in (max(span.least, 0.0), span.most))
    said = say_number(low) if low == high else f"{say_number(low)} or {say_number(high)}"
    return Observed(readings=(_span(low, high, f"{row.label} {said}"),))


def _at(day: date) -> Moment:
    return Moment(at=datetime.combine(day, time(), tzinfo=UTC), precision="day")


def _span(low: float, high: float, text: str, evidence: tuple[str, ...] = ()) -> Reading:
    middle = low if low == high else None
    return Reading(low=Edge(value=low), high=Edge(value=high), middle=middle, text=text, evidence=evidence)


def _from_temperature(row: ObservableRow, setting: Setting) -> Observed:
    temperatures = setting.infection.temperatures if setting.infection is not None else ()
    found = [
        _Found(
            reading=Reading(
                low=Edge(value=round(one.celsius, 2)),
                high=Edge(value=round(one.celsius, 2)),
                middle=round(one.celsius, 2),
                text=f"{row.label} {say_number(round(one.celsius, 2))} °C on {_say_when(one.taken)}",
                evidence=(one.id,),
                taken=one.taken,
            ),
            taken=one.taken,
        )
        for one in temperatures
    ]
    return _chosen(found, row, setting)


def _from_grade(row: ObservableRow, setting: Setting) -> Observed:
    concept = setting.tables.concepts.get(row.concept)
    found = []
    for fact in setting.record.facts if concept is not None else ():
        grade = _GRADE.search(f"{fact.name} {fact.detail}")
        ended = fact.end is not None and fact.end.day <= setting.as_of
        if concept is None or grade is None or ended or matches(fact, concept) != "yes":
            continue
        when = fact.recorded or fact.start
        text = f"{row.label} {grade.group(1)} as reported on {_say_when(when)}"
        found.append(_Found(reading=_span(float(grade.group(1)), float(grade.group(1)), text, (fact.id,)), taken=when))
    return _chosen(found, row, setting)


def _from_bmi(row: ObservableRow, setting: Setting) -> Observed:
    return _body(row, setting, lambda height, weight: weight / (height / 100) ** 2)


def _from_bsa(row: ObservableRow, setting: Setting) -> Observed:
    return _body(row, setting, lambda height, weight: math.sqrt(height * weight / 3600))


def _body(row: ObservableRow, setting: Setting, formula: Callable[[float, float], float]) -> Observed:
    height, weight = setting.record.patient.height_cm, setting.record.patient.weight_kg
    if not height or not weight:
        return Observed(why="height or weight is not known")
    value = formula(height, weight)
    text = f"{row.label} {value:.1f} {row.unit}"
    return Observed(readings=(_span(value, value, text),)) if believable(value, row) else Observed(why=f"{text}: no")


# ---- the course of the neutrophils ----------------------------------------------------------------------------------


def _course(analyte: str, counts: tuple[Count, ...], setting: Setting) -> Course:
    if analyte not in setting.courses:
        setting.courses[analyte] = course_of(
            analyte,
            counts,
            patient=setting.record.patient,
            library=setting.library,
            as_of=setting.as_of,
            doses=setting.record.doses,
        )
    return setting.courses[analyte]


def _from_days(row: ObservableRow, setting: Setting) -> Observed:
    counts = setting.series.get(row.analyte, ())
    if not counts or row.cut is None:
        return Observed(why=f"no count of {row.analyte} in the record")
    course = _course(row.analyte, counts, setting)
    last = course.episodes[-1] if course.episodes else None
    days = next((days for days in last.days_below if days.cut == row.cut), None) if last is not None else None
    if last is None or days is None or days.most == 0:
        return Observed(why=f"no {row.label} in the record", never=True)
    if _ended_before(last, row, setting.as_of):
        return Observed(why="the last episode is over", never=True)
    if not any(edges(one.value, one.bound)[1].value < row.cut for one in counts if one.id in last.counts):
        cut = f"{say_number(row.cut)} ×10⁹/L"
        return Observed(why=f"no count below {cut} was seen; one between the counts cannot be excluded")
    if days.least == 0 and days.most is None:
        return Observed(why="the low counts that were seen prove no length yet")
    most = math.inf if days.most is None else days.most
    span = (
        f"at least {say_days(days.least)}" if days.most is None else f"{say_days(days.least)} to {say_days(days.most)}"
    )
    text = f"{row.label}: {span}"
    return Observed(readings=(_span(days.least, most, text, last.counts),))


def _ended_before(episode: Episode, row: ObservableRow, as_of: date) -> bool:
    ends = episode.recovery.latest if episode.recovery is not None else None
    return ends is not None and (as_of - ends.date()).days > _max_age(row)


def _from_area(row: ObservableRow, setting: Setting, *, whole: bool) -> Observed:
    counts = [one for one in setting.series.get(row.analyte, ()) if one.taken and one.taken.day <= setting.as_of]
    if not counts or row.cut is None or row.hole_days is None:
        return Observed(why=f"no count of {row.analyte} in the record")
    until = setting.answers.days.get(row.until) if row.until else None
    area = latest_area(counts, cut=row.cut, until=until)
    if area is None:
        return Observed(why=f"no count of {row.analyte} below {say_number(row.cut)} ×10⁹/L", never=until is None)
    if whole and not area.over:
        return Observed(why="the stretch is not over: the cumulative index tells how far it has come")
    if area.span == 0:
        return Observed(why="one day with a count makes no area")
    if area.longest_gap > row.hole_days:
        return Observed(why=f"{say_days(area.longest_gap)} lie between two counts: too long to draw a line over")
    first, last = say_date(area.days[0].day), say_date(area.days[-1].day)
    text = f"{len(area.days)} daily counts from {first} to {last}, {say_days(area.span)}"
    if area.longest_gap > 1:
        text += f", up to {say_days(area.longest_gap)} apart"
    return Observed(readings=(_span(area.least, area.most, text, tuple(day.id for day in area.days)),))


def _from_whole_area(row: ObservableRow, setting: Setting) -> Observed:
    return _from_area(row, setting, whole=True)


def _from_area_so_far(row: ObservableRow, setting: Setting) -> Observed:
    return _from_area(row, setting, whole=False)


_FOUND: Final[Mapping[ObservedIn, Callable[[ObservableRow, Setting], Observed]]] = {
    "signs": _from_signs,
    "counts": _from_counts,
    "age": _from_age,
    "temperature": _from_temperature,
    "grade": _from_grade,
    "days_below": _from_days,
    "area_whole": _from_whole_area,
    "area_so_far": _from_area_so_far,
    "bmi": _from_bmi,
    "bsa": _from_bsa,
}
