"""Gather what the rows of tables say of each person, and close it into records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from leuko.intake.table.tell import Teller
from leuko.record import Count, Dose, Patient, Precision, Record, Sex, Sign


@dataclass(slots=True, kw_only=True)
class Person:
    """One person so far; `said` holds what every source says of the person."""

    id: str
    born: dict[tuple[date, Precision], str] = field(default_factory=dict)
    sex: dict[Sex, str] = field(default_factory=dict)
    counts: list[Count] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    doses: list[Dose] = field(default_factory=list)
    sources: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class People:
    """Everybody that the tables of one reading name, by id."""

    persons: dict[str, Person] = field(default_factory=dict)

    def person(self, id_: str, source: str) -> Person:
        """The person of an id, made where there is none yet."""
        person = self.persons.get(id_)
        if person is None:
            person = self.persons[id_] = Person(id=id_)
        person.sources[source] = None
        return person

    def records(self, teller: Teller) -> tuple[Record, ...]:
        """One record a person; contradictions about a person are told, and neither statement is believed."""
        return tuple(_close(self.persons[id_], teller) for id_ in sorted(self.persons))


def _close(person: Person, teller: Teller) -> Record:
    for what, said in (("birth date", person.born), ("sex", person.sex)):
        if len(said) > 1:
            teller.say(
                "LK524", f"the rows of one person give {len(said)} different entries for the {what}; none is used"
            )
    born: date | None = None
    precision: Precision = "day"
    if len(person.born) == 1:
        born, precision = next(iter(person.born))
    sex = next(iter(person.sex)) if len(person.sex) == 1 else None
    return Record(
        patient=Patient(id=person.id, born=born, born_precision=precision, sex=sex),
        counts=tuple(person.counts),
        doses=tuple(person.doses),
        signs=tuple(person.signs),
        sources=tuple(person.sources),
    )
