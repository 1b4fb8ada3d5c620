"""Notices of the FHIR reader: told one by one, or summed where many resources share one finding."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from leuko.errors import Notice, Place
from leuko.frozen import replace
from leuko.knowledge import Library


@dataclass(slots=True)
class Teller:
    """Collects notices; severity and help come from the catalogue, so that both say the same.

    While `person` is set, what is told is about that person.
    """

    library: Library
    person: str | None = None
    notices: list[Notice] = field(default_factory=list)
    sums: dict[tuple[str | None, str, str], list[Place]] = field(default_factory=dict)
    facts: dict[tuple[str | None, str, str], dict[str, Any]] = field(default_factory=dict)
    single: dict[tuple[str | None, str, str], str] = field(default_factory=dict)

    def say(self, code: str, text: str, place: Place, *, read: str | None = None, lost: bool = False) -> None:
        """One finding about one place."""
        entry = self.library.notices[code]
        self.notices.append(
            Notice(
                code=code,
                severity=entry.severity,
                text=text,
                place=place,
                read=read,
                help=entry.help or None,
                data_lost=lost,
                person=self.person,
            )
        )

    def add(
        self, code: str, text: str, place: Place, *, one: str = "", read: str | None = None, lost: bool = False
    ) -> None:
        """One of perhaps many equal findings: `text` is told once, with their number in the place of `{n}`.

        `one` is told instead where it stays the only one.
        """
        key = (self.person, code, text)
        self.sums.setdefault(key, []).append(place)
        self.facts[key] = {"read": read, "lost": lost}
        self.single[key] = one

    def pass_on(self, notices: Iterable[Notice]) -> None:
        """Notices that interpretation made of a result of this person."""
        self.notices += [replace(notice, person=self.person) for notice in notices]

    def all(self) -> tuple[Notice, ...]:
        """Everything told so far; sums stand at their first place."""
        for key, places in self.sums.items():
            self.person, code, text = key
            first = min(places, key=lambda place: (place.source, place.line or 0, len(place.pointer or ""), str(place)))
            told = self.single[key] if len(places) == 1 and self.single[key] else text.replace("{n}", str(len(places)))
            self.say(code, told, first, **self.facts[key])
        self.sums.clear()
        self.person = None
        return tuple(self.notices)
