"""What the record knows of the person that advice turns on: how low, how lately, on which treatment.

What is not known stays open: a list of medicines may be incomplete, and an old count says nothing of today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Final

from leuko.ages import age_span
from leuko.answers import is_low
from leuko.causes.phrases import holds_any
from leuko.drugs.identify import Identified, identified
from leuko.drugs.names import Words, index_of, key_of
from leuko.infection.callers import most_cautious
from leuko.knowledge import Library
from leuko.knowledge.schema.advice import AdviceRules
from leuko.knowledge.schema.drugs import DrugRow
from leuko.person import person_at, statements_of
from leuko.record import Dose, Fact, Moment, Patient, Record
from leuko.result import Reason, Status
from leuko.result.advice import Level, Situation, Tier
from leuko.result.causes import Cause
from leuko.status.definitions import above_bands
from leuko.status.intervals import duffy_rows
from leuko.status.knownness import Person, holds
from leuko.wording import say_age, say_list

Medicines = tuple[tuple[Dose, Identified], ...]
_CALLS: Final[Mapping[Tier, str]] = {"high": "call at once", "raised": "call the same day", "usual": "as everybody"}
_UNSAID: Final = Reason(rule="advice:tier", text="")


def situation_of(
    record: Record, *, latest: Mapping[str, Status], causes: Sequence[Cause], library: Library, as_of: date
) -> Situation:
    """The situation on a day; the tier of the call rules follows from it by house rules (`AdviceRules`)."""
    rules = rules_of(library)
    medicines = _medicines(record, rules, library, as_of)
    anc = latest.get("neutrophils")
    level = level_of(anc, rules)
    level = "slight" if level == "low" and anc is not None and _is_slight(record, anc, library) else level
    white = latest.get("wbc")
    stale = _stale(anc or white, library, as_of)
    treatments = _named(medicines, rules.treatment_groups)
    treatment = _treatment(medicines, treatments, causes, rules, index_of(library).words)
    watched = tuple(sorted({row.inn for _, found in medicines for row in found.rows} & set(rules.watched)))
    white_low = is_low(white) if white is not None else None
    benign = level != "not_low" and _benign(record, anc, library)
    serious = _supported(causes, rules.high_causes)
    part_low = lymphocytes_low(latest, library, as_of)
    quiet = stale is None and not part_low
    tier = _tier(level, white_low, rules, treatment=treatment, serious=bool(serious), benign=benign, quiet=quiet)
    tier = "raised" if watched and tier == "usual" else tier
    found = Situation(
        level=level,
        white_low=white_low,
        stale_days=stale,
        treatment=treatment,
        treatments=treatments,
        cyclic=_cyclic(medicines, rules),
        watched=watched,
        benign=benign,
        asks_treatment=not (benign and not medicines and not _cancer(record, rules)),
        child=_child(record, rules, as_of),
        tier=tier,
        reason=_UNSAID,
    )
    return replace(found, reason=_reason(found, serious, anc, library, part_low=part_low))


def at_least(situation: Situation, tier: Tier) -> Situation:
    """The situation with call rules that are at least as cautious as a tier."""
    if most_cautious(situation.tier, tier) == situation.tier:
        return situation
    text = f"Call rules: {_CALLS[tier]}, for what was found today; before that: {situation.reason.text}"
    reason = replace(situation.reason, rule=f"advice:tier:{tier}", text=text)
    return replace(situation, tier=tier, reason=reason)


def rules_of(library: Library) -> AdviceRules:
    """The house rules of this part."""
    return library.rows(AdviceRules)[0]


def level_of(anc: Status | None, rules: AdviceRules) -> Level:
    """How low the neutrophils were: the level of the house severity band, "low" where only that is known."""
    if anc is None:
        return "unknown"
    low = is_low(anc)
    if low is None:
        return "unknown"
    if not low:
        return "not_low"
    severity = anc.severity
    return rules.levels.get(severity.id, "low") if severity is not None and severity.met else "low"


def lymphocytes_low(latest: Mapping[str, Status], library: Library, as_of: date) -> bool:
    """Whether the lymphocytes are known to be low at a count that still speaks for the day."""
    status = latest.get("lymphocytes")
    return status is not None and is_low(status) is True and _stale(status, library, as_of) is None


def _stale(status: Status | None, library: Library, as_of: date) -> float | None:
    """The age of a count [days] where it no longer speaks for the day; a count without a day never does."""
    if status is None:
        return None
    if status.count.taken is None:
        return inf
    days = (as_of - status.count.taken.day).days
    longest = min((rules.hole_days for rules in library.course.values()), default=inf)
    return float(days) if days > longest else None


def _medicines(record: Record, rules: AdviceRules, library: Library, as_of: date) -> Medicines:
    """The medicines that still count on the day, with what each was read as."""
    index = index_of(library)
    return tuple((dose, identified(dose, index)) for dose in record.doses if _counts(dose, rules, as_of))


def _counts(dose: Dose, rules: AdviceRules, as_of: date) -> bool:
    if dose.status in rules.void_statuses or (dose.start is not None and dose.start.day > as_of):
        return False
    last = _last_day(dose)
    return last is None or last >= as_of - timedelta(days=rules.treatment_days)


def _last_day(dose: Dose) -> date | None:
    """The last day a dose is known for; None while it goes on or no day is known."""
    moment: Moment | None = dose.end or (dose.start if dose.given or dose.status == "completed" else None)
    return moment.day if moment is not None else None


def _rows(medicines: Medicines) -> Iterator[DrugRow]:
    for _, found in medicines:
        if not found.local:
            yield from found.rows


def _named(medicines: Medicines, groups: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({row.inn for row in _rows(medicines) if row.group in groups}))


def _cyclic(medicines: Medicines, rules: AdviceRules) -> bool:
    return any(row.pattern in rules.cyclic_patterns and row.group in rules.treatment_groups for row in _rows(medicines))


def _treatment(
    medicines: Medicines, treatments: tuple[str, ...], causes: Sequence[Cause], rules: AdviceRules, words: Words
) -> bool | None:
    """Whether cancer treatment is on record: never denied where a medicine was not understood or none is listed."""
    if treatments or _supported(causes, rules.treatment_causes) or any(dose.regimen for dose, _ in medicines):
        return True
    understood = all(found.rows or key_of(dose.drug, words) in rules.other_medicines for dose, found in medicines)
    return False if medicines and understood else None


def _supported(causes: Sequence[Cause], ids: Sequence[str]) -> tuple[Cause, ...]:
    return tuple(cause for cause in causes if cause.standing == "supported" and cause.id in ids)


def _benign(record: Record, anc: Status | None, library: Library) -> bool:
    """Whether the count lies within the interval of the Duffy-null phenotype, tested in this person."""
    if anc is None:
        return False
    patient = person_at(record, anc.count.taken, statements_of(record, library=library))
    if patient.duffy_null is not True:
        return False
    person = _person(patient, anc)
    rows = duffy_rows("neutrophils", person, library)
    return bool(rows) and all(row.low is not None and anc.count.value >= row.low for row in rows) and _exact(anc)


def _is_slight(record: Record, anc: Status, library: Library) -> bool:
    """Whether a low count lies above every severity band: below the usual range, above the line of mild."""
    return above_bands(anc.count, person=_person(record.patient, anc), library=library)


def _person(patient: Patient, anc: Status) -> Person:
    return Person(ages=age_span(patient, anc.count.taken), sex=patient.sex)


def _exact(anc: Status) -> bool:
    return anc.count.bound not in {"<", "<="}


def _cancer(record: Record, rules: AdviceRules) -> bool:
    """Whether anything that the record names has a word of cancer or of its treatment, however it is said."""
    return any(_points_to_cancer(fact, rules) for fact in record.facts)


def _points_to_cancer(fact: Fact, rules: AdviceRules) -> bool:
    """What the fact is of is unknown where it has no name: then it may be cancer."""
    coded = any(code.code.upper().startswith(rules.cancer_codes) for code in fact.codes)
    return coded or not fact.name.strip() or holds_any(f"{fact.name} {fact.detail}", rules.cancer_words)


def _child(record: Record, rules: AdviceRules, as_of: date) -> bool | None:
    if record.patient.born is None:
        return None
    years = Person(ages=age_span(record.patient, _moment(as_of)), sex=None)
    adult = holds(rules.adult, years)
    return None if adult is None else not adult


def _moment(day: date) -> Moment:
    return Moment(at=datetime(day.year, day.month, day.day, tzinfo=UTC), precision="day")


def _tier(
    level: Level,
    white_low: bool | None,
    rules: AdviceRules,
    *,
    treatment: bool | None,
    serious: bool,
    benign: bool,
    quiet: bool,
) -> Tier:
    if treatment or serious:
        return "high"
    if benign:
        return "usual" if quiet else "raised"
    if level in rules.high_levels:
        return "high"
    if level == "unknown":
        return "raised" if white_low is False else "high"
    return "usual" if quiet and level == "not_low" and white_low is not True else "raised"


def _reason(
    found: Situation, serious: tuple[Cause, ...], anc: Status | None, library: Library, *, part_low: bool
) -> Reason:
    stale = found.stale_days
    parts = [_level_words(found.level, benign=found.benign)]
    parts += ["that count has no date" if stale == inf else f"that count is {say_age(stale)} old"] if stale else []
    parts += ["the lymphocytes were low"] if part_low else []
    parts += [_treatment_words(found.treatment, found.treatments)]
    parts += [f"{say_list(found.watched)} can stop neutrophils suddenly"] if found.watched else []
    parts += [f"{say_list([cause.name for cause in serious])} is supported by the record"] if serious else []
    return Reason(
        rule=f"advice:tier:{found.tier}",
        text=f"Call rules: {_CALLS[found.tier]}. {'; '.join(parts)}.",
        evidence=(anc.count.id,) if anc is not None else (),
        citations=(library.cite(rules_of(library).basis),),
    )


def _level_words(level: Level, *, benign: bool) -> str:
    if benign:
        return "The count lies within the interval of the Duffy-null phenotype, which was tested"
    return {
        "not_low": "The neutrophils were not low",
        "low": "The neutrophils were low, how low is open",
        "slight": "The neutrophils were low, above the line of mild",
        "unknown": "Whether the neutrophils are low is not known",
    }.get(level, f"The neutrophils were low: {level}")


def _treatment_words(treatment: bool | None, treatments: tuple[str, ...]) -> str:
    if treatment is None:
        return "whether treatment for cancer is given is not known"
    if not treatment:
        return "no treatment for cancer is on record"
    return f"{say_list(treatments)} on record" if treatments else "treatment for cancer is on record"
