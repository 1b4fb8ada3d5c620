"""What the parts of the plan know of one person, gathered once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeVar

from leuko.ages import age_span
from leuko.drugs.shelf import Shelf, medicines_of, shelf_of
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.schema import Ages, Basis, Row
from leuko.knowledge.schema.plan import PlanRules
from leuko.record import Count, Dose, Fact, Moment, Record
from leuko.result import Citation, Reason, Status
from leuko.status.knownness import Person as Aged
from leuko.status.knownness import holds

Entry = TypeVar("Entry", bound=Row)
_DENIED: Final = re.compile(
    r"\b(no|not|without|denies|denied|excluded|ruled out|family history of|suspected|rule out)\b"
)
_ABSENT: Final = frozenset({"refuted", "entered-in-error", "ruled-out", "unconfirmed", "provisional", "differential"})


class Taken(Frozen, frozen=True, kw_only=True):
    """One dose of one known medicine, on a day."""

    drug: str
    day: date
    dose: Dose


class Known(Frozen, frozen=True, kw_only=True):
    """The person, as the plan needs them. `counts` are the latest by analyte, `series` all of them, oldest first.

    `infection` and `scores` are those of their own parts, or None and empty.
    """

    record: Record
    library: Library
    as_of: date
    series: Mapping[str, tuple[Count, ...]]
    latest: Mapping[str, Status]
    shelf: Shelf
    rules: PlanRules
    taken: tuple[Taken, ...]
    planned: tuple[Taken, ...]
    undated: tuple[Dose, ...]
    infection: Any = None
    scores: tuple[Any, ...] = ()

    @property
    def counts(self) -> Mapping[str, Count]:
        """The last count of each analyte that has a day."""
        return {name: found[-1] for name, found in self.series.items() if found and found[-1].taken is not None}

    def rows(self, kind: type[Entry]) -> tuple[Entry, ...]:
        """The rows of a kind that may drive a conclusion."""
        return tuple(row for row in self.library.rows(kind) if _basis(row).drives)

    def cite(self, *bases: Basis) -> tuple[Citation, ...]:
        """The citations of rows, once each."""
        return tuple(dict.fromkeys(self.library.cite(basis) for basis in bases))

    def reason(self, rule: str, text: str, *bases: Basis, evidence: Iterable[str] = ()) -> Reason:
        """A reason with the citations of the rows it rests on."""
        return Reason(rule=rule, text=text, evidence=tuple(dict.fromkeys(evidence)), citations=self.cite(*bases))

    def of_age(self, ages: Ages) -> bool | None:
        """Whether an age band holds for the person today; None: the age is not known."""
        now = Moment(at=_midnight(self.as_of, self.record), precision="day")
        aged = Aged(ages=age_span(self.record.patient, now), sex=self.record.patient.sex)
        return holds(ages, aged) if aged.age_known else None


def known_of(
    record: Record,
    *,
    series: Mapping[str, tuple[Count, ...]],
    latest: Mapping[str, Status],
    infection: Any,
    scores: Sequence[Any],
    library: Library,
    as_of: date,
    ordered: Iterable[Dose] = (),
) -> Known:
    """Gather what the plan needs; doses from after `as_of` are planned, doses without a day are kept apart.

    `ordered` are doses beside the record that somebody is about to order or release: planned, for `as_of` or later.
    """
    shelf = shelf_of(library)
    taken: list[Taken] = []
    planned: list[Taken] = []
    undated: list[Dose] = []
    for dose in record.doses:
        drugs = medicines_of(dose, shelf, library)
        if drugs and dose.start is None:
            undated.append(dose)
        elif dose.start is not None:
            day = dose.start.day
            (taken if day <= as_of else planned).extend(Taken(drug=drug, day=day, dose=dose) for drug in drugs)
    for dose in ordered:
        day = as_of if dose.start is None else max(dose.start.day, as_of)
        planned.extend(Taken(drug=drug, day=day, dose=dose) for drug in medicines_of(dose, shelf, library))
    return Known(
        record=record,
        library=library,
        as_of=as_of,
        series={name: _until(found, as_of) for name, found in series.items()},
        latest=latest,
        shelf=shelf,
        rules=library.rows(PlanRules)[0],
        taken=tuple(sorted(taken, key=lambda one: (one.day, one.drug))),
        planned=tuple(sorted(planned, key=lambda one: (one.day, one.drug))),
        undated=tuple(undated),
        infection=infection,
        scores=tuple(scores),
    )


def facts_named(facts: Iterable[Fact], *, words: Sequence[str] = (), icd10: Sequence[str] = ()) -> tuple[Fact, ...]:
    """Facts that a word or a code prefix names; denied, refuted and doubted ones are not meant."""
    return tuple(fact for fact in facts if _coded(fact, icd10) or _named(fact, words))


def _named(fact: Fact, words: Sequence[str]) -> bool:
    text = f"{fact.name} {fact.detail}".casefold()
    if fact.status in _ABSENT or not words:
        return False
    for word in words:
        place = re.search(rf"(?<!\w){re.escape(word.casefold())}", text)
        if place is not None and not _DENIED.search(text[: place.start()]):
            return True
    return False


def _coded(fact: Fact, icd10: Sequence[str]) -> bool:
    if fact.status in _ABSENT:
        return False
    codes = [code.code.upper() for code in fact.codes if "icd-10" in code.system.casefold()]
    return any(code.startswith(prefix) for code in codes for prefix in icd10)


def _until(counts: Iterable[Count], as_of: date) -> tuple[Count, ...]:
    return tuple(count for count in counts if count.taken is not None and count.taken.day <= as_of)


def _midnight(day: date, record: Record) -> Any:
    from datetime import UTC, datetime  # noqa: PLC0415 (one use)

    zones = [count.taken.at.tzinfo for count in record.counts if count.taken is not None]
    return datetime(day.year, day.month, day.day, tzinfo=zones[0] if zones else UTC)


def _basis(row: Any) -> Basis:
    found: Basis = row.basis
    return found
