"""What somebody sent to be read: a paste, files, and what they said beside it. Reading it keeps nothing.

The answer carries what was sent back to the browser, so that the same can be read again, printed, saved, or kept
(`leuko.web.keeping`), without the service holding any of it in between.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from typing import Final

from leuko.assessment import Asked, assess
from leuko.errors import Notice, UsageError
from leuko.forecast.wish import Wish
from leuko.infection import parse_symptom
from leuko.intake import read_gathered
from leuko.intake.base import Blob, Intake, ReadOptions
from leuko.intake.sources import Gathered, Limits, gather_content
from leuko.intake.whose import told_of, told_of_nobody
from leuko.knowledge import Library
from leuko.record import Sign
from leuko.result import Assessment
from leuko.site import SiteSettings

PASTED: Final = "pasted text"
MOST_PEOPLE: Final = 100  # who is assessed in one answer; more is a cohort
MOST_CARRIED: Final = 600_000  # bytes of files that an answer carries back (a form's field holds a million)
LIMITS: Final = Limits(total_bytes=64 << 20, members=2000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was sent: text, files, the day to assess as of, one person of several, symptoms line by line, a regimen."""

    text: str = field(default="", repr=False)
    files: tuple[Blob, ...] = field(default=(), repr=False)
    as_of: date
    person: str = ""
    symptoms: str = field(default="", repr=False)
    regimen: str = ""

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """The paste and the files, as sources."""
        pasted = (Blob(name=PASTED, data=self.text.encode()),) if self.text.strip() else ()
        return (*pasted, *self.files)

    @property
    def carried(self) -> tuple[str, ...] | None:
        """The files as text for hidden fields; None where they are too large to travel to and fro."""
        if sum(len(file.data) for file in self.files) > MOST_CARRIED:
            return None
        return tuple(f"{file.name}\n{base64.b64encode(file.data).decode()}" for file in self.files)


def carried_back(fields: Iterable[str]) -> tuple[Blob, ...]:
    """The files that hidden fields hold. UsageError where one was changed on the way."""
    found = []
    for text in fields:
        name, _, content = text.partition("\n")
        try:
            found.append(Blob(name=name.strip(), data=base64.b64decode("".join(content.split()), validate=True)))
        except (binascii.Error, ValueError) as error:
            raise UsageError("a file came back changed", do="choose the file again") from error
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What was read of it, and what it says of whom. `unassessed` counts people beyond MOST_PEOPLE."""

    gathered: Gathered
    intake: Intake
    people: tuple[Assessment, ...]
    signs: tuple[Sign, ...] = ()
    unassessed: int
    of_nobody: tuple[Notice, ...]

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Everything that is to be said: of intake, then what the assessments add."""
        added = (notice for person in self.people for notice in person.notices)
        return tuple(dict.fromkeys([*self.intake.notices, *added]))

    @property
    def tally(self) -> Mapping[str, int]:
        """How many notices of each severity there are, and how many set content aside."""
        found = {"lost": 0, "error": 0, "warning": 0, "info": 0}
        for notice in self.notices:
            found[notice.severity] += 1
            found["lost"] += notice.data_lost
        return found


def understand(sent: Sent, *, library: Library, site: SiteSettings, zone: tzinfo = UTC) -> Understood:
    """Read what was sent and assess everybody in it; one person with forecasts, several without (they take long).

    `zone` is that of times that name none.

    Raises UsageError for symptoms or a person that cannot be understood; what cannot be read is a notice.
    """
    gathered = gather_content(sent.blobs, limits=LIMITS)
    options = ReadOptions(zone=zone, as_of=sent.as_of, patient=sent.person or None)
    intake = read_gathered(gathered, options=options, library=library)
    chosen = [one for one in intake.records if not sent.person or one.patient.id == sent.person]
    if sent.person and not chosen:
        known = ", ".join(one.patient.id for one in intake.records[:5])
        raise UsageError(f"no person {sent.person!r} in what was sent", why=f"found: {known}" if known else "")
    asked = _asked(sent, len(chosen), library, site, zone)
    people = tuple(
        assess(record, as_of=sent.as_of, library=library, notices=notices, asked=asked)
        for record, notices in told_of(intake, chosen[:MOST_PEOPLE])
    )
    return Understood(
        gathered=gathered,
        intake=intake,
        people=people,
        signs=asked.symptoms,
        unassessed=max(0, len(chosen) - MOST_PEOPLE),
        of_nobody=told_of_nobody(intake, chosen),
    )


def _asked(sent: Sent, people: int, library: Library, site: SiteSettings, zone: tzinfo) -> Asked:
    lines = [line.strip() for line in sent.symptoms.splitlines() if line.strip()]
    if people > 1 and (lines or sent.regimen.strip()):
        raise UsageError(
            f"symptoms and a regimen are of one person, and {people} were read", do="name the person in the form"
        )
    return Asked(
        symptoms=tuple(parse_symptom(line, library=library, zone=zone) for line in lines),
        regimen=sent.regimen.strip() or None,
        site=site,
        wish=Wish() if people == 1 else None,
    )
