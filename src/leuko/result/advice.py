"""What to expect, what to do oneself, and whom to call: outlook, advice, call rules for one person."""

from __future__ import annotations

from typing import Literal

from leuko.frozen import Frozen
from leuko.result.core import Gap, Reason

Level = Literal["not_low", "slight", "mild", "moderate", "severe", "profound", "low", "unknown"]
Tier = Literal["high", "raised", "usual"]
Speed = Literal["at_once", "same_day", "as_usual"]
Role = Literal["emergency", "helpline", "out_of_hours", "doctor", "prescriber"]


class Situation(Frozen, frozen=True, kw_only=True):
    """What the record knows of the person that advice turns on; None and "unknown" mean that it does not know.

    `level` is how low the neutrophils were at their latest count ("low": low, but how low is open), `white_low` whether
    the white count was low, `stale_days` the age of that count [days] where it is too old to speak for today.
    `treatment` is whether a medicine that lowers white cells to treat cancer is on record and recent, `treatments` its
    names, `watched` medicines that can stop neutrophils suddenly. `benign`: a lower count is normal for this person,
    who was tested Duffy-null. `asks_treatment` is false where nothing at all points to cancer in such a person: whether
    they have treatment is then not asked, nor denied. `tier` is how cautious the call rules are: a house rule,
    explained by `reason`.
    """

    level: Level
    white_low: bool | None
    stale_days: float | None
    treatment: bool | None
    treatments: tuple[str, ...]
    cyclic: bool
    watched: tuple[str, ...]
    benign: bool
    asks_treatment: bool = True
    child: bool | None
    tier: Tier
    reason: Reason


class OutlookFigure(Frozen, frozen=True, kw_only=True):
    """One published figure with the people it was measured in; `value` is as the source prints it."""

    id: str
    value: str
    population: str
    reason: Reason


class Outlook(Frozen, frozen=True, kw_only=True):
    """What is known of one question about the future of one cause.

    `cause` is the id of a cause, or "fever" for febrile neutropenia. Figures of several sources stand side by side;
    `differ` is true where they disagree or speak of different people: they are never averaged. Without a figure there
    is a `gap`.
    """

    cause: str
    name: str
    question: str
    text: str
    figures: tuple[OutlookFigure, ...]
    differ: bool
    reason: Reason
    gap: Gap | None = None


class Advice(Frozen, frozen=True, kw_only=True):
    """One thing to do, to leave or to know; `applies` None: it depends on what the record does not say (`because`).

    `evidence` says what stands behind it, in words; `on_page` whether common patient information lists it.
    """

    id: str
    area: str
    kind: Literal["do", "avoid", "ask", "evidence"]
    text: str
    applies: bool | None
    because: str
    evidence: str
    on_page: bool
    reason: Reason


class CallRule(Frozen, frozen=True, kw_only=True):
    """Which sign or reading, whom to call, how fast.

    `signs` are ids of symptoms; `at_least` and `below` [Cel] are readings that call. `whom` is a role of the site's
    telephone list, `otherwise` whom to turn to where nobody answers. `active` is true where the record holds such a
    sign or reading now; false is no reassurance, as nobody may have asked.
    """

    id: str
    text: str
    signs: tuple[str, ...]
    at_least: float | None
    below: float | None
    speed: Speed
    whom: Role
    otherwise: Role | None
    active: bool
    reason: Reason


class FeverLimit(Frozen, frozen=True, kw_only=True):
    """The temperature [Cel] from which (`side` "high") or below which ("low") one body's leaflet says to call."""

    id: str
    body: str
    side: Literal["high", "low"]
    celsius: float
    inclusive: bool
    audience: str
    text: str
    used: bool
    reason: Reason


class Phone(Frozen, frozen=True, kw_only=True):
    """A telephone number of the site; None where the site gave none: it is printed as a blank line."""

    role: Role
    number: str | None


class AdviceSet(Frozen, frozen=True, kw_only=True):
    """Outlook, advice and call rules of one person, with the temperatures [Cel] at which to call and whose they are."""

    situation: Situation
    outlook: tuple[Outlook, ...]
    advice: tuple[Advice, ...]
    calls: tuple[CallRule, ...]
    fever_limit: float
    fever_reason: Reason
    low_limit: float | None
    low_reason: Reason | None
    limits: tuple[FeverLimit, ...]
    phones: tuple[Phone, ...]
    cautions: tuple[Reason, ...] = ()
    gaps: tuple[Gap, ...] = ()
