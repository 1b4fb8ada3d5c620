"""Signs of infection as they are told on a person's page: a temperature, and symptoms that are there or are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from leuko.errors import UsageError
from leuko.intake.symptom_words import vocabulary
from leuko.intake.symptoms import parse_symptom
from leuko.knowledge import Library
from leuko.record import Sign
from leuko.result import Assessment

ROUTES: Final = ("oral", "tympanic", "axillary", "temporal", "rectal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One symptom of the form."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The form as it was filled in: texts as they were typed, the ids of the symptoms that are there."""

    temperature: str = ""
    route: str = ""
    when: str = ""
    present: tuple[str, ...] = ()
    others_denied: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was told."""
        return not (self.temperature.strip() or self.present or self.others_denied)


def questions(made: Assessment, library: Library) -> tuple[Question, ...]:
    """The symptoms that the form for patients asks for, as far as the assessment asks this person for them."""
    asked = {one.id for one in made.infection.symptoms} if made.infection is not None else set()
    rows = vocabulary(library).symptoms.values()
    return tuple(Question(id=row.id, name=row.name) for row in rows if row.question and row.id in asked)


def told_of(form: Mapping[str, list[str]]) -> Told:
    """What was sent, as text; nothing is judged yet."""

    def first(name: str) -> str:
        return form.get(name, [""])[0].strip()

    return Told(
        temperature=first("temperature"),
        route=first("route"),
        when=first("when"),
        present=tuple(dict.fromkeys(form.get("present", []))),
        others_denied=first("others") == "denied",
    )


def signs_of(told: Told, asked: tuple[Question, ...], *, library: Library, now: datetime) -> tuple[Sign, ...]:
    """The signs that were told. Raises UsageError, in words for the form, where something cannot be understood."""
    known = {question.id for question in asked}
    unknown = [name for name in told.present if name not in known]
    if unknown:
        raise UsageError("a symptom of the form is not known", do="load the page again, and fill the form in again")
    if told.route and told.route not in ROUTES:
        raise UsageError("the way of measuring is not known", do="choose one of the list")
    at = _when(told, now)
    texts = [f"{name}@{at}" for name in told.present]
    if told.others_denied:
        texts += [f"no {name}@{at}" for name in sorted(known - set(told.present) - _measured(told))]
    if told.temperature:
        route = f"/{told.route}" if told.route else ""
        texts.append(f"temperature={told.temperature}{route}@{at}")
    zone = now.tzinfo
    assert zone is not None  # noqa: S101 (the clock of the service is aware)
    return tuple(parse_symptom(text, library=library, zone=zone) for text in texts)


def _measured(told: Told) -> set[str]:
    """A temperature that was measured answers for fever by its number, whatever was ticked."""
    return {"fever"} if told.temperature else set()


def _when(told: Told, now: datetime) -> str:
    """The time as it was typed, or now."""
    if not told.when:
        return now.isoformat(timespec="minutes")
    try:
        at = datetime.fromisoformat(told.when)
    except ValueError as error:
        raise UsageError("the time cannot be read", do="write it as 2026-03-09T14:00, or leave it empty") from error
    at = at if at.tzinfo is not None else at.replace(tzinfo=now.tzinfo)
    if at > now:
        raise UsageError("the time lies ahead", do="write when it was measured or noticed")
    return at.isoformat(timespec="minutes")
