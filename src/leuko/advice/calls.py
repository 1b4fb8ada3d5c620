"""Which sign, which reading, whom to call, how fast; and which of them the record shows now."""

from __future__ import annotations

from leuko.advice.limits import Limits
from leuko.infection.callers import call_words, caller, is_for_everybody, rules_for
from leuko.knowledge import Library
from leuko.knowledge.schema.advice import CallRow
from leuko.result import Reason
from leuko.result.advice import CallRule, Phone, Situation
from leuko.result.infection import Infection
from leuko.site import ROLES, SiteSettings
from leuko.wording import say_number


def calls_of(
    situation: Situation, infection: Infection | None, limits: Limits, *, library: Library
) -> tuple[CallRule, ...]:
    """The rules for the person, those that the record shows now first."""
    rows = rules_for(situation.tier, situation.watched, library, child=situation.child)
    found = [_rule(row, situation, infection, limits, library) for row in rows]
    return tuple(sorted(found, key=lambda rule: not rule.active))


def phones_of(site: SiteSettings) -> tuple[Phone, ...]:
    """The site's telephone list, a blank (None) for every role without a number."""
    return tuple(Phone(role=role, number=site.phones.get(role)) for role in ROLES)


def _rule(
    row: CallRow, situation: Situation, infection: Infection | None, limits: Limits, library: Library
) -> CallRule:
    at_least = limits.fever if row.reading == "fever" else None
    below = limits.low if row.reading == "low" else None
    shown = _shown(row, infection, at_least, below)
    text = f"{_text(row, at_least, below)}{_on_treatment(row, situation, library)}"
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
    return f"{row.text}{reading}: {call_words(row)}."


def _on_treatment(row: CallRow, situation: Situation, library: Library) -> str:
    """What holds instead where treatment for cancer may be given and the record does not say so."""
    if row.speed != "same_day" or row.medicines or situation.treatment is not None or not situation.asks_treatment:
        return ""
    high = rules_for("high", (), library, child=situation.child)
    sooner = caller((one for one in high if not is_for_everybody(one)), signs=row.signs, high=True, low=False)
    return f" On treatment for cancer: {call_words(sooner)}." if sooner is not None else ""


def _shown(row: CallRow, infection: Infection | None, at_least: float | None, below: float | None) -> tuple[str, ...]:
    """What of a rule the record shows now: symptoms that are present, readings beyond the limit."""
    if infection is None:
        return ()
    signs = [symptom.name for symptom in infection.symptoms if symptom.present and symptom.id in row.signs]
    readings = [one.celsius for one in infection.temperatures]
    high = [f"{say_number(one)} °C" for one in readings if at_least is not None and one >= at_least]
    low = [f"{say_number(one)} °C" for one in readings if below is not None and one < below]
    return (*signs, *high, *low)
