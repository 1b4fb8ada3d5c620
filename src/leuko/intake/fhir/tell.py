"""Notices of the FHIR reader: told one by one, or summed where many resources share one finding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from leuko.errors import Notice, Place
from leuko.knowledge import Library


@dataclass(slots=True)
class Teller:
    """Collects notices; severity and help come from the catalogue, so that both say the same."""

    library: Library
    notices: list[Notice] = field(default_factory=list)
    sums: dict[tuple[str, str], list[Place]] = field(default_factory=dict)
    facts: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

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
            )
        )

    def add(self, code: str, text: str, place: Place, *, read: str | None = None, lost: bool = False) -> None:
        """One of perhaps many equal findings: `text` is told once, with their number in the place of `{n}`."""
        self.sums.setdefault((code, text), []).append(place)
        self.facts[(code, text)] = {"read": read, "lost": lost}

    def all(self) -> tuple[Notice, ...]:
        """Everything told so far; sums stand at their first place."""
        for (code, text), places in self.sums.items():
            first = min(places, key=lambda place: (place.source, place.line or 0, len(place.pointer or ""), str(place)))
            self.say(code, text.replace("{n}", str(len(places))), first, **self.facts[(code, text)])
        self.sums.clear()
        return tuple(self.notices)
