"""Which tests the record already holds, what they showed, and whether they are recent enough to stand for a new one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from leuko.ages import first_day, last_day
from leuko.causes.ask import ask as ask_cause
from leuko.causes.phrases import holds_any
from leuko.causes.scene import predicates_of
from leuko.knowledge.schema.causes import ResultPredicate
from leuko.knowledge.schema.steps import TestRow
from leuko.record import Code, Count, Fact, Moment, Sign
from leuko.result.steps import Already
from leuko.wording import say_bounded, say_count, say_days, say_moment, say_number, say_unit
from leuko.workup.view import View

LOINC: Final = frozenset({"http://loinc.org", "loinc", "ln", "urn:oid:2.16.840.1.113883.6.1"})
_UNDONE: Final = frozenset({"registered", "cancelled", "entered-in-error", "not-done", "preparation", "planned"})


def held_of(test: TestRow, view: View, *, today: bool = False) -> Already | None:
    """The latest result of a test in the record, recent or not; None where there is none.

    A result without a date is shown, and never recent: when it was true is not known. `today`: a test that is
    otherwise always renewed stands where it was done on the day of the assessment itself.
    """
    if test.renewed:
        return _done_today(test, view) if today else None
    found = sorted(_results(test, view), key=lambda one: (_day(one), one.id))
    if not found:
        return None
    last = found[-1]
    day = _moment(last).day if _moment(last) is not None else None  # type: ignore[union-attr]
    recent = _recent(test, last, view)
    return Already(
        test=test.id,
        name=test.name,
        text=_text(test, last, view, recent=recent),
        evidence=(last.id,),
        day=day,
        recent=recent,
    )


def _done_today(test: TestRow, view: View) -> Already | None:
    """A test made of counts, where every one of them was counted on the day of the assessment."""
    counts = [count for analyte in test.analytes if (count := _counted_today(analyte, view)) is not None]
    if not counts or len(counts) < len(test.analytes):
        return None
    return Already(
        test=test.id,
        name=test.name,
        text=f"{test.name} already done on {say_moment(counts[0].taken)}",
        evidence=tuple(count.id for count in counts),
        day=view.as_of,
        recent=True,
    )


def _counted_today(analyte: str, view: View) -> Count | None:
    days = [one for one in view.series.get(analyte, ()) if one.taken is not None and _is_day(one.taken, view.as_of)]
    return days[-1] if days else None


def _is_day(moment: Moment, day: date) -> bool:
    """Whether a moment is known to lie on the day: a month or a year that holds the day is not enough."""
    return first_day(moment) == day == last_day(moment)


def _results(test: TestRow, view: View) -> Iterator[Sign | Count | Fact]:
    for sign in view.record.signs:
        if _named(test, sign.name, sign.codes) and _has_result(sign) and view.past(sign.taken):
            yield sign
    for analyte in test.analytes:
        yield from (count for count in view.series.get(analyte, ()) if view.past(count.taken))
    for fact in view.record.facts:
        done = fact.kind in {"procedure", "genotype"} and fact.status.casefold() not in _UNDONE
        if done and _named(test, fact.name, fact.codes) and view.past(fact.start or fact.recorded):
            yield fact


def _named(test: TestRow, name: str, codes: tuple[Code, ...]) -> bool:
    if any(code.system.casefold() in LOINC and code.code in test.loinc for code in codes):
        return True
    return holds_any(name, test.words) and not holds_any(name, test.unless)


def _has_result(sign: Sign) -> bool:
    """A request without an answer is no result."""
    return sign.value is not None or sign.present is not None or bool((sign.text or sign.origin.value_text).strip())


def _moment(result: Sign | Count | Fact) -> Moment | None:
    return result.start or result.recorded if isinstance(result, Fact) else result.taken


def _day(result: Sign | Count | Fact) -> date:
    moment = _moment(result)
    return moment.day if moment is not None else date.min


def _recent(test: TestRow, result: Sign | Count | Fact, view: View) -> bool:
    if test.valid_days is None:
        return True
    moment = _moment(result)
    return moment is not None and last_day(moment) >= view.as_of - timedelta(days=test.valid_days)


def _text(test: TestRow, result: Sign | Count | Fact, view: View, *, recent: bool) -> str:
    moment = _moment(result)
    when = f"on {say_moment(moment)}" if moment is not None else "on an unknown day"
    value, meaning = _value(result), _meaning(test, result, view)
    said = f"{test.name} already done {when}{f': {value}' if value else ''}{f', {meaning}' if meaning else ''}"
    if recent:
        return said
    if moment is None:
        return f"{said}; without a date it cannot stand for a new one"
    limit = say_days(test.valid_days or 0.0)
    return f"{said}; older than the {limit} for which it is taken to hold, so it is asked for again"


def _value(result: Sign | Count | Fact) -> str:
    if isinstance(result, Count):
        return say_count(result)
    if isinstance(result, Fact):
        return result.detail
    if result.value is not None:
        unit = f" {say_unit(result.unit)}" if result.unit else ""
        return f"{result.origin.value_text or say_number(result.value)}{unit}"
    if result.text or result.origin.value_text:
        return (result.text or result.origin.value_text).strip()
    return "positive" if result.present else "negative"


def _meaning(test: TestRow, result: Sign | Count | Fact, view: View) -> str:
    """What the result says to the causes: the first of their predicates that this very result meets."""
    if view.scene is None:
        return ""
    rows = predicates_of(view.library)
    for name in test.told_by:
        row = rows.get(name)
        if isinstance(row, ResultPredicate):
            finding = ask_cause(name, view.scene)
            if result.id in finding.evidence and finding.met is not None:
                return test.met if finding.met else test.unmet
    return _by_interval(result)


def _by_interval(result: Sign | Count | Fact) -> str:
    if not isinstance(result, Count) or result.bound != "=":
        return ""
    if result.lab_low is not None and result.value < result.lab_low:
        return f"low (laboratory: from {say_bounded(result.lab_low)})"
    if result.lab_high is not None and result.value > result.lab_high:
        return f"high (laboratory: to {say_bounded(result.lab_high)})"
    return ""
