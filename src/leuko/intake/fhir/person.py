"""The records: for each person the counts, signs, facts and doses, with what had to be said about them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from leuko.errors import Place
from leuko.frozen import replace
from leuko.intake import questionnaire
from leuko.intake.base import ReadOptions
from leuko.intake.checks import interpret
from leuko.intake.fhir.context import Contexts, withdrawn_reports
from leuko.intake.fhir.events import Reading, dose, fact
from leuko.intake.fhir.people import ABOUT_PEOPLE, People, check_birth, patient_of
from leuko.intake.fhir.pool import Item, Pool, target
from leuko.intake.fhir.results import Surroundings, only_holds_others, raw_results, surroundings
from leuko.intake.fhir.tell import Teller
from leuko.intake.fhir.versions import Chain, chains, join_by_identifier, status_of
from leuko.intake.fhir.wire import Observation, Reference
from leuko.intake.fhir.words import code_of, concepts, label
from leuko.intake.kept import code_words, own_draws, sign_of
from leuko.knowledge import Library
from leuko.record import Count, Dose, Fact, Moment, Patient, Record, Sign

_NO_LABORATORY = frozenset({"vital-signs", "social-history", "survey", "exam", "imaging", "procedure", "activity"})
_OWN_FOCUS = frozenset({"Condition", "BodyStructure", "Specimen", "Procedure", "Observation", "DiagnosticReport"})
_SHOWN_CODES = 12


@dataclass(slots=True)
class _Work:
    """What all people share while one reading runs."""

    pool: Pool
    people: People
    contexts: Contexts
    options: ReadOptions
    library: Library
    tell: Teller


@dataclass(slots=True)
class _Found:
    """What was found of one person so far."""

    counts: list[Count] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    doses: list[Dose] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    others: Counter[str] = field(default_factory=Counter)
    other_places: list[Place] = field(default_factory=list)


def records_of(pool: Pool, options: ReadOptions, library: Library, tell: Teller) -> tuple[Record, ...]:
    """One record for each person, in the order of their ids."""
    people = People(pool, options, tell)
    grouped = {kind: _chains(pool.items[kind], people) for kind in ABOUT_PEOPLE}
    observations = join_by_identifier(grouped.pop("Observation"), people.of)
    reports = grouped.pop("DiagnosticReport")
    withdrawn_reports(reports, pool, tell)
    contexts = Contexts(pool, people, reports, [chain for chain in observations if chain.current.resource.has_member])
    work = _Work(pool, people, contexts, options, library, tell)
    mine: dict[str, list[Chain]] = defaultdict(list)
    for chain in (*observations, *(chain for kind in grouped.values() for chain in kind)):
        mine[people.of(chain.current) or ""].append(chain)
    records = tuple(_record(name, mine.get(name, []), work) for name in people.ids())
    tell.person = None
    return records


def _chains(items: Iterable[Item], people: People) -> list[Chain]:
    return chains((item for item in items if people.of(item) is not None), people.of)


def _record(name: str, mine: Sequence[Chain], work: _Work) -> Record:
    work.tell.person = name
    patient = patient_of(name, work.people, work.options, work.tell)
    found = _Found()
    for chain in mine:
        _take(chain, patient, found, work)
    _tell_others(name, found, work.tell)
    checked = _checked(name, patient, found, mine, work)
    return Record(
        patient=checked,
        counts=own_draws(found.counts),
        doses=tuple(found.doses),
        signs=tuple(found.signs),
        facts=tuple(found.facts),
        sources=tuple(sorted(found.sources | _patient_sources(name, work))),
        born_in_doubt=patient.born is not None and checked.born is None,
    )


def _patient_sources(name: str, work: _Work) -> set[str]:
    chain = work.people.chains.get(name)
    return set() if chain is None else {item.source for item in (chain.current, *chain.older)}


def _checked(name: str, patient: Patient, found: _Found, mine: Sequence[Chain], work: _Work) -> Patient:
    """The patient after the dates were held against one another."""
    chain = work.people.chains.get(name)
    if chain is None:
        place = mine[0].current.found.place() if mine else Place(source="input")
        text = f"the input holds no Patient resource for {name}: birth date and sex are unknown"
        work.tell.say("LK410", text, place)
        return patient
    days = [count.taken for count in found.counts if count.taken is not None]
    return check_birth(patient, days, chain.current.found.place("/birthDate"), work.options, work.tell)


# ---- one chain of versions ------------------------------------------------------------------------------------------


def _take(chain: Chain, patient: Patient, found: _Found, work: _Work) -> None:
    item = chain.current
    found.sources.update(one.source for one in (item, *chain.older))
    if chain.withdrawn:
        what = label(getattr(item.resource, "code", None)) or "without a name"
        text = f"{{n}} {item.kind} ({what}) marked {status_of(item)}; they count for nothing"
        one = f"1 {item.kind} ({what}) marked {status_of(item)}; it counts for nothing"
        work.tell.add("LK420", text, item.found.place("/status"), one=one)
        return
    if chain.unclear:
        text = f"{item.key} occurs with differing content, and nothing says which is newer; both are kept"
        work.tell.say("LK422", text, item.found.place())
    reading = Reading(pool=work.pool, zone=work.options.zone, tell=work.tell)
    if isinstance(item.resource, Observation):
        _take_observation(chain, patient, found, work)
    elif item.kind == "QuestionnaireResponse":
        _take_answers(item, found, work)
    elif (new_fact := fact(item, reading)) is not None:
        found.facts.append(new_fact)
        _tell_future(new_fact.start, new_fact.origin.place, item.kind, work)
    elif (new_dose := dose(item, reading)) is not None:
        found.doses.append(new_dose)
        _tell_future(new_dose.start, new_dose.origin.place, item.kind, work)


def _take_observation(chain: Chain, patient: Patient, found: _Found, work: _Work) -> None:
    item = chain.current
    if _is_about_another(item, work):
        text = "{n} Observations are about a focus other than the patient (a fetus, a donor, a device); set aside"
        one = "1 Observation is about a focus other than the patient (a fetus, a donor, a device); set aside"
        work.tell.add("LK414", text, item.found.place("/focus"), one=one, lost=True)
        return
    around = _around(item, patient, work, work.tell)
    earlier = _earlier(chain, patient, work)
    is_laboratory = not _is_no_laboratory(item.resource)
    for raw, valued in raw_results(around, work.tell):
        read = interpret(raw, library=work.library, options=work.options)
        work.tell.pass_on(read.notices)
        if read.count is not None:
            count = replace(read.count, superseded=(*earlier.get(raw.id, ()), *read.count.superseded))
            found.counts.append(count)
            _tell_count(count, work)
        elif read.kind == "other" and not (isinstance(valued, Observation) and only_holds_others(valued)):
            found.signs.append(sign_of(raw, present=valued.value_boolean))
            found.others.update([code_words(raw)] if is_laboratory else [])
            found.other_places += [raw.place] if is_laboratory else []


def _take_answers(item: Item, found: _Found, work: _Work) -> None:
    """The symptoms that a form tells of."""
    answers = questionnaire.signs_from_response(
        msgspec.json.decode(item.found.raw),
        library=work.library,
        zone=work.options.zone,
        source=item.source,
        pointer=item.found.pointer,
    )
    found.signs.extend(answers.signs)
    work.tell.pass_on(answers.notices)


def _is_about_another(item: Item, work: _Work) -> bool:
    """FHIR's `focus` names what is measured; the person's own tumour or sample is no one else."""
    observation: Observation = item.resource
    return any(not _is_own(reference, item, work) for reference in observation.focus or [])


def _is_own(reference: Reference, item: Item, work: _Work) -> bool:
    kind = reference.type or target(reference).split("/")[-2:][0]
    if kind in _OWN_FOCUS:
        return True
    patient = work.pool.find(reference, "Patient", item)
    return patient is not None and patient.key.removeprefix("Patient/") == work.people.of(item)


def _around(item: Item, patient: Patient, work: _Work, tell: Teller) -> Surroundings:
    return surroundings(item, patient, work.contexts.of(item, tell), work.options.zone, tell)


def _earlier(chain: Chain, patient: Patient, work: _Work) -> dict[str, tuple[Count, ...]]:
    """The counts of earlier versions by their id today, oldest first; what they lacked is no news."""
    quiet = Teller(work.library)
    history: dict[str, list[Count]] = defaultdict(list)
    for item in chain.older:
        if status_of(item) in {"entered-in-error", "cancelled"}:
            continue
        for raw, _ in raw_results(_around(item, patient, work, quiet), quiet):
            read = interpret(raw, library=work.library, options=work.options)
            if read.count is not None:
                history[raw.id.replace(item.key, chain.current.key, 1)].append(read.count)
    return {key: tuple(counts) for key, counts in history.items()}


def _tell_count(count: Count, work: _Work) -> None:
    if count.superseded:
        was = ", ".join(old.origin.value_text for old in count.superseded)
        text = f"a {count.status} result replaced {len(count.superseded)} earlier version of it"
        work.tell.say("LK421", text, count.origin.place, read=f"was {was}, now {count.origin.value_text}")
    _tell_future(count.taken, count.origin.place, "blood counts", work)


def _tell_future(when: Moment | None, place: Place, what: str, work: _Work) -> None:
    as_of = work.options.as_of
    if when is not None and as_of is not None and when.day > as_of:
        after = f"after {as_of.isoformat()}, the day of the assessment"
        text, one = f"{{n}} dates of {what} lie {after}", f"1 date of {what} lies {after}"
        work.tell.add("LK433", text, place, one=one)


# ---- results that are no counts -------------------------------------------------------------------------------------


def _is_no_laboratory(observation: Observation) -> bool:
    return any(code_of(concept) in _NO_LABORATORY for concept in concepts(observation.category))


def _tell_others(name: str, found: _Found, tell: Teller) -> None:
    """One notice for all laboratory results that are no blood count; they stay in the record as measurements."""
    if not found.others:
        return
    ranked = sorted(found.others.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = ", ".join(f"{number} × {what}" for what, number in ranked[:_SHOWN_CODES])
    rest = f", and {len(ranked) - _SHOWN_CODES} more codes" if len(ranked) > _SHOWN_CODES else ""
    total = found.others.total()
    results = "1 laboratory result" if total == 1 else f"{total} laboratory results"
    text = f"{results} of {name} {'is' if total == 1 else 'are'} no blood count: {shown}{rest}"
    tell.say("LK442", text, min(found.other_places, key=str), read="kept as measurements")
