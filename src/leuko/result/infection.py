"""What is known of an infection: symptoms, fever joined to the neutrophils, suspicions, urgency."""

from __future__ import annotations

from typing import Literal

from leuko.frozen import Frozen
from leuko.record import Moment
from leuko.result.advice import Tier
from leuko.result.core import Gap, Grade, Reason

Urgent = Literal["emergency", "urgent", "routine", "none_found", "cannot_say"]


class Symptom(Frozen, frozen=True, kw_only=True):
    """A symptom, sign or diagnosis of infection: `present` True, False (asked and denied), or None (not known).

    `placed` is false where it was reported without a day: then it counts as present, but stands at no time.
    """

    id: str
    name: str
    present: bool | None
    page_sign: str = ""
    sepsis: Literal["", "possible", "strong"] = ""
    taken: Moment | None = None
    placed: bool = False
    detail: str = ""
    reason: Reason


class SignOfPage(Frozen, frozen=True, kw_only=True):
    """One of the signs of infection that patient information lists, made of one or more symptoms."""

    id: str
    name: str
    present: bool | None
    symptoms: tuple[str, ...] = ()


class Temperature(Frozen, frozen=True, kw_only=True):
    """A body temperature [Cel] at a time, as it was read; `route` None: not said. `said` is what the source wrote."""

    id: str
    celsius: float
    taken: Moment | None
    route: str | None = None
    said: str = ""
    note: str = ""


class FeverVerdict(Frozen, frozen=True, kw_only=True):
    """One body's definition, held against the readings and the neutrophil count that belongs to them.

    `met` None: cannot be said. `fever` and `neutropenia` are the two halves. `would_change` says what would change the
    verdict. `alerts` true: this verdict is one that the site's choice of body lets alert. `applies` is whether the
    population is the person's, as far as the age tells. `at` is the reading that decided, `count` the id of the count.
    """

    id: str
    body: str
    name: str
    document: str
    kind: str
    population: str
    met: bool | None
    fever: bool | None
    neutropenia: bool | None
    applies: bool | None
    alerts: bool
    at: Moment | None = None
    count: str | None = None
    would_change: tuple[str, ...] = ()
    reason: Reason
    gap: Gap | None = None


class Suspicion(Frozen, frozen=True, kw_only=True):
    """Whether symptoms point to an infection of one organ; None: the symptoms were not asked for."""

    id: Literal["urinary", "pneumonia"]
    suspected: bool | None
    symptoms: tuple[str, ...] = ()
    reason: Reason


class Urgency(Frozen, frozen=True, kw_only=True):
    """How soon somebody must see the person. "none_found" is no reassurance: it says what was asked and not found.

    `tier` is how cautious the call rules are today; `call` is whom they call and how fast.
    """

    level: Urgent
    tier: Tier | None = None
    text: str
    call: str = ""
    reasons: tuple[Reason, ...] = ()


class Infection(Frozen, frozen=True, kw_only=True):
    """All that is known of an infection on the day of the assessment.

    `symptoms` has every symptom of the tables, present ones first. `temperatures` are those that speak of now, the
    earliest first. `alert_body` is the site's choice of whose definition alerts ("any": the cautious default), `alert`
    whether one of them is met (None: none is met and one is open).
    """

    symptoms: tuple[Symptom, ...]
    page_signs: tuple[SignOfPage, ...]
    temperatures: tuple[Temperature, ...]
    verdicts: tuple[FeverVerdict, ...]
    fever_grades: tuple[Grade, ...] = ()
    alert_body: str
    alert: bool | None
    suspects_urinary: Suspicion
    suspects_pneumonia: Suspicion
    urgency: Urgency
    cautions: tuple[Reason, ...] = ()
    gaps: tuple[Gap, ...] = ()
