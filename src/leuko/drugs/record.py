"""What the rest of the record says that bears on a medicine: diseases, earlier reactions, growth factors, death."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from leuko.drugs.book import Book
from leuko.drugs.identify import is_growth_factor
from leuko.drugs.names import key_of
from leuko.drugs.spans import days_between, may_precede, span_of
from leuko.frozen import Frozen
from leuko.knowledge.schema.drugs import CausalityExclusion, DrugRow
from leuko.record import Dose, Fact, Record
from leuko.result import Between, Episode

_LOW_COUNT = re.compile(r"neutropeni|agranulocyt|leu[ck]openi|pancytopeni|cytopeni|low white", re.IGNORECASE)
_WORD = re.compile(r"[\w-]+")


class Explanation(Frozen, frozen=True, kw_only=True):
    """Another explanation found in the record: what it is called there, the row that asked for it, and the fact."""

    name: str
    row: CausalityExclusion
    fact: str


def explanations_of(record: Record, episode: Episode, book: Book) -> tuple[Explanation, ...]:
    """Diseases and infections of the record that could explain an episode, each once."""
    found = (
        Explanation(name=fact.name, row=row, fact=fact.id)
        for fact in record.facts
        if fact.kind in {"condition", "organism", "procedure"} and not _denied(fact)
        for row in book.exclusions
        if row.basis.drives and _matches(fact, row) and _in_time(fact, row, episode)
    )
    return tuple({(one.row.id, one.name): one for one in found}.values())


def _denied(fact: Fact) -> bool:
    return any(word in fact.status for word in ("refuted", "entered-in-error", "not-done"))


def _matches(fact: Fact, row: CausalityExclusion) -> bool:
    coded = any(
        "icd" in code.system.casefold() and code.code.upper().startswith(row.icd10) for code in fact.codes if row.icd10
    )
    text = f" {' '.join(_WORD.findall(fact.name.casefold()))} "
    return coded or any(f" {word} " in text for word in row.words)


def _in_time(fact: Fact, row: CausalityExclusion, episode: Episode) -> bool:
    """Begun before the onset, and not longer ago than the row allows; a fact without a date may always have been."""
    moment = fact.start or fact.recorded
    if moment is None:
        return True
    begun = span_of(moment)
    if not may_precede(begun, episode.onset):
        return False
    ended = span_of(fact.end) if fact.end is not None else begun
    ago = days_between(ended, episode.onset)[0] if row.within_days is not None else None
    return ago is None or row.within_days is None or ago <= row.within_days


def earlier_reactions(record: Record, row: DrugRow, start: Between | None, book: Book) -> tuple[Fact, ...]:
    """Recorded allergies and adverse events of low counts with this medicine, from before it was given this time."""
    wanted = {key_of(name, book.index.words) for name in (row.inn, row.us_name, *row.names, *row.brands) if name}
    return tuple(
        fact
        for fact in record.facts
        if fact.kind in {"allergy", "adverse_event"} and not _denied(fact)
        if _LOW_COUNT.search(f"{fact.name} {fact.detail}") and _names(fact, wanted, book)
        if start is None or _known_before(fact, start)
    )


def _names(fact: Fact, wanted: set[str], book: Book) -> bool:
    said = f" {key_of(f'{fact.name} {fact.detail}', book.index.words)} "
    return any(f" {name} " in said for name in wanted if name)


def _known_before(fact: Fact, start: Between) -> bool:
    moment = fact.start or fact.recorded
    return moment is not None and not may_precede(start, span_of(moment))


def growth_factors(doses: Iterable[Dose], episode: Episode, book: Book) -> tuple[Dose, ...]:
    """Growth factors between onset and recovery: they raise neutrophils whatever else was done."""
    until = episode.recovery
    return tuple(
        dose
        for dose in doses
        if dose.start is not None and is_growth_factor(dose, book.index.words)
        if may_precede(Between(earliest=episode.onset.earliest, latest=episode.onset.earliest), span_of(dose.start))
        if until is None or may_precede(span_of(dose.start), until)
    )


def died_in(record: Record, episode: Episode, days: float) -> bool | None:
    """Whether the person died before the episode could recover; None where death is not recorded."""
    died = record.patient.died
    if died is None:
        return None
    last = episode.onset.latest
    return episode.recovery is None and last is not None and died <= (last + timedelta(days=days)).date()


def evidence_of(found: Sequence[Explanation]) -> tuple[str, ...]:
    """The ids of the facts behind explanations."""
    return tuple(dict.fromkeys(one.fact for one in found))
