"""Predicates on what the record names: conditions, procedures, organisms, genotypes."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from leuko.ages import first_day, last_day
from leuko.causes.finding import Finding, unknown
from leuko.causes.phrases import Sense, holds_any, sense_of, words_of
from leuko.causes.scene import Scene, snomed_of
from leuko.knowledge.schema.causes import FactPredicate
from leuko.record import Code, Dose, Fact, Moment
from leuko.wording import say_moment

ICD10CM: Final = frozenset(
    {"http://hl7.org/fhir/sid/icd-10-cm", "icd-10-cm", "icd10cm", "urn:oid:2.16.840.1.113883.6.90"}
)
SNOMED: Final = frozenset(
    {"http://snomed.info/sct", "snomed", "snomed ct", "snomedct", "urn:oid:2.16.840.1.113883.6.96"}
)
HPO: Final = frozenset({"http://human-phenotype-ontology.org", "http://purl.obolibrary.org/obo/hp.owl", "hpo"})
NOT_TAKEN: Final = frozenset({"not-done", "not-taken", "entered-in-error", "cancelled", "declined"})
CATEGORY_LENGTH: Final = 3
"""ICD-10 of other publishers shares the three-character categories with ICD-10-CM, not the further digits."""


def fact_met(row: FactPredicate, scene: Scene) -> Finding:
    """Whether the record names the fact; yes or unknown, never no: what is not written down may still be so."""
    facts = [fact for fact in scene.record.facts if fact.kind in row.kinds]
    if row.doses:
        facts += [_as_fact(dose) for dose in scene.record.doses if dose.status not in NOT_TAKEN]
    found = [_told(row, fact, scene) for fact in facts]
    told = [finding for finding in found if finding is not None]
    sure = [finding for finding in told if finding.met]
    if sure:
        return sure[0]
    return told[0] if told else unknown(f"the record does not mention {row.label}")


def _as_fact(dose: Dose) -> Fact:
    """A medicine as something that the record names."""
    return Fact(
        id=dose.id, kind="other", name=dose.drug, codes=dose.codes, start=dose.start, end=dose.end, origin=dose.origin
    )


def _told(row: FactPredicate, fact: Fact, scene: Scene) -> Finding | None:
    sense = _sense(row, fact, scene)
    if sense is None or sense == "denied" or (sense == "family") != row.about_family:
        return None
    if fact.start is not None and first_day(fact.start) > scene.as_of:
        return None
    name = _named(fact)
    if sense == "doubted" or set(words_of(fact.status)) & set(scene.rules.doubtful_status):
        return unknown(f"{name} is in the record, but not as certain", fact.id)
    if fact.start is not None and fact.end is not None and last_day(fact.end) < first_day(fact.start):
        return unknown(f"{name} is said to end before it begins", fact.id)
    return _in_time(row, fact, sense, scene)


def _in_time(row: FactPredicate, fact: Fact, sense: Sense, scene: Scene) -> Finding:
    name, began = _named(fact), fact.start or fact.recorded
    if row.before_days is not None or row.after_days is not None:
        return _in_window(row, fact, began, scene)
    if row.lasting:
        return Finding(met=True, text=f"{name} is in the record{_since(began)}", evidence=(fact.id,))
    if fact.end is not None and last_day(fact.end) < scene.first_low:
        return unknown(f"{name} ended before the low counts, {_on(fact.end)}", fact.id)
    is_past = sense == "past" or bool(set(words_of(fact.status)) & set(scene.rules.past_status))
    if is_past and fact.end is None:
        return unknown(f"{name} is in the record as past, without a date of its end", fact.id)
    return Finding(met=True, text=f"{name} is in the record{_since(began)}", evidence=(fact.id,))


def _in_window(row: FactPredicate, fact: Fact, began: Moment | None, scene: Scene) -> Finding:
    name = _named(fact)
    if began is None:
        return unknown(f"{name} is in the record without a date", fact.id)
    earliest = _shift(scene.first_low, -row.before_days) if row.before_days is not None else date.min
    latest = _shift(scene.last_low, row.after_days) if row.after_days is not None else date.max
    if last_day(began) < earliest or first_day(began) > latest:
        return unknown(f"{name} is in the record, but too far from the low counts ({say_moment(began)})", fact.id)
    if first_day(began) < earliest or last_day(began) > latest:
        return unknown(f"{name} is in the record, but its date ({say_moment(began)}) is not exact enough", fact.id)
    return Finding(met=True, text=f"{name}, {say_moment(began)}", evidence=(fact.id,))


def _shift(day: date, days: float) -> date:
    return day + timedelta(days=days)


def _sense(row: FactPredicate, fact: Fact, scene: Scene) -> Sense | None:
    """In which sense a fact is meant: a code says it outright unless the name beside it turns the meaning."""
    named = sense_of(fact.name, row.words, scene.rules)
    if holds_any(f"{fact.name} {fact.detail}", row.unless):
        return None
    return named or ("said" if _coded(row, fact, scene) else None)


def _coded(row: FactPredicate, fact: Fact, scene: Scene) -> bool:
    return any(_code_meant(row, code, scene) for code in fact.codes)


def _code_meant(row: FactPredicate, code: Code, scene: Scene) -> bool:
    system = code.system.casefold().strip()
    if system in SNOMED:
        return code.code in snomed_of(scene.library).get(row.id, frozenset())
    if system in HPO:
        return code.code.upper() in row.hpo
    return _plain(code.code).startswith(_prefixes(row.icd10cm, system))


@lru_cache(maxsize=1024)
def _prefixes(icd10cm: tuple[str, ...], system: str) -> tuple[str, ...]:
    if "icd-10" in system or "icd10" in system or system in ICD10CM:
        plain = map(_plain, icd10cm)
        return tuple(prefix for prefix in plain if system in ICD10CM or len(prefix) <= CATEGORY_LENGTH)
    return ()


def _plain(code: str) -> str:
    return code.replace(".", "").upper().strip()


def _named(fact: Fact) -> str:
    name = " ".join(fact.name.split())
    return f"{name[:79]}…" if len(name) > 80 else name


def _since(began: Moment | None) -> str:
    return f" ({say_moment(began)})" if began is not None else ""


def _on(end: Moment) -> str:
    return say_moment(end)
