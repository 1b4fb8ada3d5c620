"""Which sign, which reading, whom to call, how fast; and which of them the record shows now."""

from __future__ import annotations

from leuko.advice.limits import Limits
from leuko.knowledge import Library
from leuko.knowledge.schema.advice import CallRow
from leuko.result import Reason
from leuko.result.advice import CallRule, Phone, Role, Situation
from leuko.result.infection import Infection
from leuko.site import ROLES, SiteSettings
from leuko.wording import say_number

_SPEED = {"at_once": "at once, day or night", "same_day": "the same day", "as_usual": "as everybody does"}
_WHOM: dict[Role, str] = {
    "emergency": "the emergency number",
    "helpline": "the treating team's number for day and night",
    "out_of_hours": "the doctor on call",
    "doctor": "the person's doctor",
    "prescriber": "whoever prescribes the medicine",
}


def calls_of(
    situation: Situation, infection: Infection | None, limits: Limits, *, library: Library
) -> tuple[CallRule, ...]:
    """The rules for the person, those that the record shows now first."""
    rows = [row for row in library.rows(CallRow) if row.basis.drives and _for(row, situation)]
    found = [_rule(row, infection, limits, library) for row in rows]
    return tuple(sorted(found, key=lambda rule: not rule.active))


def phones_of(site: SiteSettings) -> tuple[Phone, ...]:
    """The site's telephone list, a blank (None) for every role without a number."""
    return tuple(Phone(role=role, number=site.phones.get(role)) for role in ROLES)


def _for(row: CallRow, situation: Situation) -> bool:
    on_it = not row.medicines or bool(set(row.medicines) & set(situation.watched))
    return on_it and situation.tier in row.tiers and (not row.children or situation.child is True)


def _rule(row: CallRow, infection: Infection | None, limits: Limits, library: Library) -> CallRule:
    at_least = limits.fever if row.reading == "fever" else None
    below = limits.low if row.reading == "low" else None
    shown = _shown(row, infection, at_least, below)
    text = _text(row, at_least, below)
    seen = f" The record shows it now: {', '.join(shown)}." if shown else ""
    return CallRule(
        id=row.id,
        text=text,
        signs=row.signs,
        at_least=at_least,
        below=below,
        speed=row.speed,
        whom=row.whom,
        otherwise=row.otherwise,
        active=bool(shown),
        reason=Reason(rule=row.id, text=f"{text}{seen}", citations=(library.cite(row.basis),)),
    )


def _text(row: CallRow, at_least: float | None, below: float | None) -> str:
    reading = f" ({say_number(at_least)} °C or more)" if at_least is not None else ""
    reading += f" (below {say_number(below)} °C)" if below is not None else ""
    otherwise = f", else {_WHOM[row.otherwise]}" if row.otherwise is not None else ""
    return f"{row.text}{reading}: {_WHOM[row.whom]}{otherwise}, {_SPEED[row.speed]}."


def _shown(row: CallRow, infection: Infection | None, at_least: float | None, below: float | None) -> tuple[str, ...]:
    """What of a rule the record shows now: symptoms that are present, readings beyond the limit."""
    if infection is None:
        return ()
    signs = [symptom.name for symptom in infection.symptoms if symptom.present and symptom.id in row.signs]
    readings = [one.celsius for one in infection.temperatures]
    high = [f"{say_number(one)} °C" for one in readings if at_least is not None and one >= at_least]
    low = [f"{say_number(one)} °C" for one in readings if below is not None and one < below]
    return (*signs, *high, *low)
