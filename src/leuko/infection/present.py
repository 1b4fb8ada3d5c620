"""Which symptoms are present, denied or unknown: from signs, conditions, temperatures and vital signs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from leuko.ages import age_span
from leuko.frozen import Frozen
from leuko.infection.readings import Readings, inside, on_a_day, say_reading, speaks_of_now
from leuko.intake.symptom_words import CARRIERS, Vocabulary, fold, yes_or_no
from leuko.knowledge import Library
from leuko.knowledge.schema.infection import PageSignRow, SymptomRow, VitalRow
from leuko.record import Fact, Moment, Record, Sign
from leuko.result import Gap, Reason
from leuko.result.infection import SignOfPage, Suspicion, Symptom
from leuko.status.knownness import Person, holds
from leuko.wording import say_instant, say_list, say_number

_KINDS = frozenset({"condition", "adverse_event"})
_OVER = ("inactive", "resolved", "remission", "refuted", "entered-in-error")
_DOUBTED = ("unconfirmed", "provisional", "differential")


class Evidence(Frozen, frozen=True, kw_only=True):
    """One thing that speaks of a symptom: `present` None: it names the symptom without deciding."""

    symptom: str
    present: bool | None
    taken: Moment | None
    id: str
    text: str


def symptoms_of(
    record: Record, signs: Sequence[Sign], readings: Readings, *, words: Vocabulary, library: Library, as_of: date
) -> tuple[tuple[Symptom, ...], tuple[Gap, ...]]:
    """Every symptom that the person can have, the present ones first, and what was reported without a day."""
    found: dict[str, list[Evidence]] = {name: [] for name in words.symptoms}
    for evidence in _evidence(record, signs, readings, words, as_of):
        found[evidence.symptom].append(evidence)
    symptoms = [_symptom(words.symptoms[name], told, words, library, as_of) for name, told in found.items()]
    symptoms = [one for one in symptoms if one.present is not None or _is_asked(words.symptoms[one.id], record)]
    order = {True: 0, None: 1, False: 2}
    ordered = tuple(sorted(symptoms, key=lambda one: order[one.present]))
    return ordered, _undated(ordered)


def _is_asked(row: SymptomRow, record: Record) -> bool:
    """Whether the symptom is one that a person of this sex can be asked for; of an unknown sex it is."""
    return row.sex is None or record.patient.sex in {None, row.sex}


def _undated(symptoms: Iterable[Symptom]) -> tuple[Gap, ...]:
    named = [one.name for one in symptoms if one.present and not one.placed]
    if not named:
        return ()
    why = "it was reported without a day; it is said, but stands at no time, and is joined to no count"
    return (Gap(what=f"when this began: {say_list(named)}", why=why, settle="the day and time of each symptom"),)


def _evidence(
    record: Record, signs: Sequence[Sign], readings: Readings, words: Vocabulary, as_of: date
) -> Iterator[Evidence]:
    for sign in signs:
        yield from _of_sign(sign, record, words, as_of)
    for fact in record.facts:
        yield from _of_fact(fact, words, as_of)
    for row in words.symptoms.values():
        if row.temperature is None:
            continue
        for reading in (*readings.placed, *readings.undated):
            hit = inside(reading.celsius, row.temperature)
            text = say_reading(reading)
            yield Evidence(symptom=row.id, present=hit, taken=reading.taken, id=reading.id, text=text)


def _of_sign(sign: Sign, record: Record, words: Vocabulary, as_of: date) -> Iterator[Evidence]:
    if words.thermometer(sign) is not None:
        return
    vital = words.vital(sign)
    if vital is not None:
        yield from _of_vital(sign, vital, record)
        return
    row, present = words.coded(sign.codes) or words.named(sign.name), _said(sign)
    if row is None and fold(sign.name) in CARRIERS and sign.text:
        row, present = words.named(sign.text), True
    if row is not None and not _later(sign.taken, as_of):
        text = f"{sign.origin.name_text or sign.name}: {_answer(present, sign)}"
        yield Evidence(symptom=row.id, present=present, taken=sign.taken, id=sign.id, text=text)


def _later(moment: Moment | None, as_of: date) -> bool:
    return moment is not None and moment.day > as_of


def _said(sign: Sign) -> bool | None:
    if sign.present is not None:
        return sign.present
    return yes_or_no(sign.text) if sign.text else None


def _answer(present: bool | None, sign: Sign) -> str:
    said = {True: "present", False: "denied", None: "recorded without an answer"}[present]
    return f"{said} ({sign.text})" if sign.text and yes_or_no(sign.text) is None else said


def _of_vital(sign: Sign, row: VitalRow, record: Record) -> Iterator[Evidence]:
    """A vital sign beyond its limit; only where age and unit are those the limit is for."""
    if sign.value is None or (sign.unit and sign.unit not in row.unit_words):
        return
    person = Person(ages=age_span(record.patient, sign.taken), sex=record.patient.sex)
    if holds(row.ages, person) is not True:
        return
    text = f"{row.name} {say_number(sign.value)} {row.unit.replace('mm[Hg]', 'mmHg')}"
    present = inside(sign.value, row.band)
    yield Evidence(symptom=row.symptom, present=present, taken=sign.taken, id=sign.id, text=text)


def _of_fact(fact: Fact, words: Vocabulary, as_of: date) -> Iterator[Evidence]:
    """A condition that began or was written down lately; an old one says nothing of now."""
    row = words.coded(fact.codes) or words.named(fact.name)
    when = fact.start if on_a_day(fact.start) else fact.recorded
    if row is None or fact.kind not in _KINDS or _later(when, as_of):
        return
    status = fact.status.casefold()
    is_over = status.startswith(_OVER) or (fact.end is not None and fact.end.day < as_of)
    is_doubted = any(word in status for word in _DOUBTED)
    if when is None:
        present = None if is_over or is_doubted or not status.startswith("active") else True
    else:
        present = None if is_over or is_doubted else True
    text = f"{fact.name} ({fact.status})"
    yield Evidence(symptom=row.id, present=present, taken=when, id=fact.id, text=text)


def _symptom(row: SymptomRow, told: list[Evidence], words: Vocabulary, library: Library, as_of: date) -> Symptom:
    now = [
        one for one in told if one.taken is None or not on_a_day(one.taken) or speaks_of_now(one.taken, words, as_of)
    ]
    chosen = _decisive(now, words.rules.fade_hours)
    if chosen is None:
        text = f"{row.name}: {_silence(told)}"
    else:
        same = [one for one in now if one.present is chosen.present]
        text = f"{row.name}: {say_list(list(dict.fromkeys(one.text for one in same)))}"
        text += _against(chosen, now)
    return Symptom(
        id=row.id,
        name=row.name,
        present=chosen.present if chosen is not None else None,
        page_sign=row.page_sign,
        sepsis=row.sepsis,
        taken=chosen.taken if chosen is not None else None,
        placed=chosen is not None and on_a_day(chosen.taken),
        detail=chosen.text if chosen is not None else "",
        reason=Reason(
            rule=f"symptom:{row.id}",
            text=text,
            evidence=tuple(one.id for one in now),
            citations=(library.cite(row.basis),) if chosen is not None and chosen.present else (),
        ),
    )


def _decisive(told: list[Evidence], fade_hours: float) -> Evidence | None:
    """The evidence that decides: the latest that says "present", unless it was denied long enough afterwards."""
    there = [one for one in told if one.present]
    denied = [one for one in told if one.present is False]
    dated = [one for one in there if on_a_day(one.taken)]
    if there:
        last = max(dated, key=_instant, default=there[0])
        over = [one for one in denied if on_a_day(one.taken) and dated == there]
        later = [one for one in over if (_day(one) - _day(last)).days >= fade_hours / 24]
        return max(later, key=_instant) if later else last
    return max(denied, key=_instant, default=None)


def _day(one: Evidence) -> date:
    return one.taken.day if one.taken is not None else date.min


def _instant(one: Evidence) -> float:
    return one.taken.at.timestamp() if one.taken is not None else 0.0


def _silence(told: list[Evidence]) -> str:
    if not told:
        return "not asked or not recorded"
    last = max(told, key=_instant)
    return f"last spoken of on {say_instant(last.taken)}: {last.text}" if last.taken is not None else last.text


def _against(chosen: Evidence, told: list[Evidence]) -> str:
    """What says otherwise on the same day or later."""
    other = [one for one in told if one.present is (not chosen.present) and _instant(one) >= _instant(chosen)]
    other = other or [one for one in told if one.present is (not chosen.present) and _day(one) == _day(chosen)]
    return f"; but {max(other, key=_instant).text}" if other else ""


# ---- what the symptoms add up to ------------------------------------------------------------------------------------


def either(verdicts: Iterable[bool | None]) -> bool | None:
    """True if one is, False if all are denied, None where nothing decides."""
    seen = set(verdicts)
    return True if True in seen else None if None in seen or not seen else False


def page_signs_of(symptoms: Iterable[Symptom], library: Library) -> tuple[SignOfPage, ...]:
    """The page's signs, each from the symptoms that make it up."""
    told = tuple(symptoms)
    found = []
    for row in sorted(library.rows(PageSignRow), key=lambda row: row.order):
        mine = [one for one in told if one.page_sign == row.id]
        if not mine:
            continue
        there = tuple(one.id for one in mine if one.present)
        found.append(SignOfPage(id=row.id, name=row.name, present=either(one.present for one in mine), symptoms=there))
    return tuple(found)


def suspicion(kind: str, symptoms: Iterable[Symptom], words: Vocabulary, library: Library) -> Suspicion:
    """Whether symptoms point to the urinary tract or the lungs, with those that do."""
    rows = {name: row for name, row in words.symptoms.items() if kind in row.suspects}
    mine = [one for one in symptoms if one.id in rows]
    there = [one for one in mine if one.present]
    asked = [one for one in mine if rows[one.id].question]
    suspected = True if there else either(one.present for one in asked)
    what = {"urinary": "an infection of the urinary tract", "pneumonia": "pneumonia"}[kind]
    # What was read as a number was not denied by anybody: "no" holds of both.
    names = say_list([one.name for one in (there or asked)], "or" if suspected is False else "and")
    text = {
        True: f"{names} can point to {what}",
        False: f"nothing points to {what}: no {names}",
        None: f"whether anything points to {what} is not known: {names} not asked",
    }[suspected]
    return Suspicion(
        id="urinary" if kind == "urinary" else "pneumonia",
        suspected=suspected,
        symptoms=tuple(one.id for one in there),
        reason=Reason(
            rule=f"suspects:{kind}",
            text=text,
            evidence=tuple(name for one in there for name in one.reason.evidence),
            citations=tuple(dict.fromkeys(library.cite(rows[one.id].basis) for one in there)),
        ),
    )
