"""How soon somebody must see the person: from the definitions that alert, the signs, and how low the count is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from leuko.infection.readings import Readings, inside, say_reading
from leuko.knowledge import Library
from leuko.knowledge.schema.infection import FeverRules, MaskRow, RedFlagRow
from leuko.record import Dose
from leuko.result import Gap, Reason, Status
from leuko.result.infection import FeverVerdict, SignOfPage, Symptom, Urgency
from leuko.status import is_low
from leuko.wording import say_count, say_instant, say_list

_LINES = ("neutrophils", "wbc")
_LOW_COUNT = "RF-low-count"
_NEUTROPENIC_SEPSIS = "RF-neutropenic-sepsis"


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Whether the count makes an infection dangerous; None: no count of these days says."""

    low: bool | None
    text: str
    evidence: tuple[str, ...] = ()


def risk_of(latest: Mapping[str, Status], rules: FeverRules, as_of: date) -> Risk:
    """The latest neutrophil count, else the white count.

    A count that is not low speaks for its own day only, a low one for as long as readings speak of now.
    """
    for line in _LINES:
        status = latest.get(line)
        if status is None or status.count.taken is None:
            continue
        low = is_low(status)
        shown = f"{_label(status)} {say_count(status.count)} on {say_instant(status.count.taken)}"
        days = (as_of - status.count.taken.day).days
        if low is True and days <= rules.recent_hours / 24:
            usual = ", though usual for the Duffy-null phenotype" if status.usual is not None else ""
            return Risk(low=True, text=f"{shown}, which is low{usual}", evidence=(status.count.id,))
        if low is True:
            return Risk(low=None, text=f"{shown} was low, but is too old for today", evidence=(status.count.id,))
        is_old = days > rules.count_hours / 24
        if low is False and not is_old:
            return Risk(low=False, text=f"{shown}, which is not low", evidence=(status.count.id,))
        if low is False:
            return Risk(low=None, text=f"{shown} was not low, but is too old for today", evidence=(status.count.id,))
    return Risk(low=None, text="no neutrophil count says how dangerous an infection would be")


def _label(status: Status) -> str:
    """The name of a line inside a sentence; an abbreviation stays as it is."""
    return status.label if status.label[:2].isupper() else status.label[0].lower() + status.label[1:]


def urgency_of(
    *,
    verdicts: Sequence[FeverVerdict],
    symptoms: Sequence[Symptom],
    page_signs: Sequence[SignOfPage],
    readings: Readings,
    risk: Risk,
    library: Library,
) -> Urgency:
    """The most urgent thing that can be said, with everything that says it."""
    flags = {row.id: row for row in library.rows(RedFlagRow) if row.basis.drives}
    met = [one for one in verdicts if one.alerts and one.met]
    if met:
        return _febrile_neutropenia(met, flags.get(_NEUTROPENIC_SEPSIS), library)
    severe = [one for one in symptoms if one.sepsis == "strong" and one.present]
    raised = list(_raised(flags.values(), symptoms, readings))
    if severe:
        return _severe(severe, raised, risk, library)
    if raised:
        falling = any(one.alerts and one.fever and one.met is None for one in verdicts)
        return _flagged(raised, risk, flags.get(_LOW_COUNT), library, falling=falling)
    present = [one for one in symptoms if one.present]
    if present and risk.low is not False:
        names = say_list([one.name for one in present])
        text = f"Call today: {names}, and {risk.text}."
        return Urgency(level="urgent", text=text, call=_call(flags.get(_LOW_COUNT)), reasons=_low(flags, risk, library))
    return _quiet(symptoms, page_signs, readings, risk)


def _febrile_neutropenia(met: Sequence[FeverVerdict], row: RedFlagRow | None, library: Library) -> Urgency:
    latest = max(met, key=lambda one: one.at.at.timestamp() if one.at is not None else 0.0)
    bodies = say_list([one.body for one in met])
    name = "Neutropenic sepsis" if all("sepsis" in one.name for one in met) else "Febrile neutropenia"
    text = f"{name} by {bodies} ({say_instant(latest.at)}): an emergency. Assess and treat in hospital at once"
    reasons = (*(one.reason for one in met), *_cited(row, library))
    return Urgency(level="emergency", text=f"{text}, unless this has been done.", call=_call(row), reasons=reasons)


def _severe(
    severe: Sequence[Symptom], raised: Sequence[tuple[RedFlagRow, Reason]], risk: Risk, library: Library
) -> Urgency:
    names = say_list([one.name for one in severe])
    text = f"{names[0].upper()}{names[1:]}: a sign of a severe infection, an emergency at any count; {risk.text}."
    emergencies = [(row, reason) for row, reason in raised if row.urgency == "emergency"]
    call = emergencies[0][0].call if emergencies else "the emergency number"
    reasons = (*(one.reason for one in severe), *(_with_source(row, reason, library) for row, reason in emergencies))
    return Urgency(level="emergency", text=text, call=call, reasons=reasons)


def _flagged(
    raised: Sequence[tuple[RedFlagRow, Reason]],
    risk: Risk,
    low_count: RedFlagRow | None,
    library: Library,
    *,
    falling: bool,
) -> Urgency:
    reasons = tuple(_with_source(row, reason, library) for row, reason in raised)
    names = say_list(list(dict.fromkeys(reason.text for _, reason in raised)))
    if risk.low is False and falling:
        text = f"Call today: {names}. Now {risk.text}, but whether it will fall is not known: on anticancer treatment a"
        text += " fever is an emergency until that is known."
        return Urgency(level="urgent", text=text, call=raised[0][0].call, reasons=reasons)
    if risk.low is False:
        text = f"Signs of infection ({names}), but {risk.text}: as for anybody with these signs."
        return Urgency(level="routine", text=text, reasons=reasons)
    first = next((row for row, _ in raised if row.urgency == "emergency"), raised[0][0])
    if risk.low:
        reasons = (*reasons, *_cited(low_count, library))
    if first.urgency == "emergency":
        text = f"Call at once, also at night: {names}; {risk.text}."
    else:
        start = "Call today" if risk.low else "With a low count or on anticancer treatment, call today"
        text = f"{start}: {names}; {risk.text}."
    text += " A neutrophil count now decides." if risk.low is None else ""
    level = "emergency" if first.urgency == "emergency" else "urgent"
    return Urgency(level="emergency" if level == "emergency" else "urgent", text=text, call=first.call, reasons=reasons)


def _raised(
    flags: Iterable[RedFlagRow], symptoms: Sequence[Symptom], readings: Readings
) -> Iterator[tuple[RedFlagRow, Reason]]:
    """Every red flag that a symptom or a temperature raises."""
    there = {one.id: one for one in symptoms if one.present}
    for row in flags:
        mine = [there[name] for name in row.symptoms if name in there]
        band = row.temperature
        measured = [
            one for one in (*readings.placed, *readings.undated) if band is not None and inside(one.celsius, band)
        ]
        said = [say_reading(measured[-1])] if measured else [one.name for one in mine]
        if said:
            evidence = (*(one.id for one in measured), *(name for one in mine for name in one.reason.evidence))
            yield row, Reason(rule=row.id, text=say_list(said), evidence=tuple(dict.fromkeys(evidence)))


def _with_source(row: RedFlagRow, reason: Reason, library: Library) -> Reason:
    text = f"{reason.text}: {row.name}; call {row.call} ({row.audience})"
    return Reason(rule=row.id, text=text, evidence=reason.evidence, citations=(library.cite(row.basis),))


def _cited(row: RedFlagRow | None, library: Library) -> tuple[Reason, ...]:
    if row is None:
        return ()
    return (Reason(rule=row.id, text=f"{row.name}: call {row.call}", citations=(library.cite(row.basis),)),)


def _low(flags: Mapping[str, RedFlagRow], risk: Risk, library: Library) -> tuple[Reason, ...]:
    stated = Reason(rule="urgency:count", text=risk.text, evidence=risk.evidence)
    return (stated, *_cited(flags.get(_LOW_COUNT), library))


def _call(row: RedFlagRow | None) -> str:
    return row.call if row is not None else ""


def _quiet(symptoms: Sequence[Symptom], page_signs: Sequence[SignOfPage], readings: Readings, risk: Risk) -> Urgency:
    """Nothing was found; whether that says anything depends on whether it was looked for."""
    stated = Reason(rule="urgency:count", text=risk.text, evidence=risk.evidence)
    there = [one.name for one in symptoms if one.present]
    if there:
        text = f"{say_list(there)}; {risk.text}: as for anybody with this."
        return Urgency(level="routine", text=text[0].upper() + text[1:], reasons=(stated,))
    missing = [name for sign in page_signs if sign.present is None for name in _unasked(sign, symptoms)]
    if not readings.placed and all(sign.present is None for sign in page_signs):
        text = "Cannot say whether there is an infection: no temperature and no symptom of these days is on record"
        return Urgency(level="cannot_say", text=f"{text}; {risk.text}.", reasons=(stated,))
    missing = ["the temperature", *missing] if not readings.placed else missing
    if missing:
        text = f"Cannot say whether there is an infection: not asked or measured: {say_list(missing)}; {risk.text}."
        return Urgency(level="cannot_say", text=text, reasons=(stated,))
    text = (
        f"No sign of infection was found; {risk.text}. A fever can be the first and only sign: measure again if unwell."
    )
    return Urgency(level="none_found", text=text, reasons=(stated,))


def _unasked(sign: SignOfPage, symptoms: Sequence[Symptom]) -> list[str]:
    """The sign, or what of it is still unknown: a normal temperature leaves only the chills to ask for."""
    mine = [one for one in symptoms if one.page_sign == sign.id]
    known = any(one.present is not None for one in mine)
    return [one.name for one in mine if one.present is None] if known else [sign.name]


# ---- what to keep in mind -------------------------------------------------------------------------------------------


def cautions_of(
    *,
    doses: Iterable[Dose],
    readings: Readings,
    routes: Mapping[str, Reason],
    rules: FeverRules,
    library: Library,
    as_of: date,
) -> tuple[Reason, ...]:
    """What makes a temperature less than it seems: how it was taken, and medicines that hide a fever."""
    taken = {reading.route for reading in readings.placed if reading.route is not None}
    return (*(routes[route] for route in sorted(taken) if route in routes), *_masks(doses, rules, library, as_of))


def _masks(doses: Iterable[Dose], rules: FeverRules, library: Library, as_of: date) -> Iterator[Reason]:
    recent = [dose for dose in doses if _is_recent(dose, rules, as_of)]
    for row in library.rows(MaskRow):
        mine = [dose for dose in recent if any(word in dose.drug.casefold() for word in row.drugs)]
        if mine and row.basis.drives:
            names = say_list(list(dict.fromkeys(dose.drug for dose in mine)))
            text = f"{names}: {row.name} can hide a fever; a normal temperature says less"
            evidence = tuple(dose.id for dose in mine)
            yield Reason(rule=row.id, text=text, evidence=evidence, citations=(library.cite(row.basis),))


def _is_recent(dose: Dose, rules: FeverRules, as_of: date) -> bool:
    """Whether a medicine was given or taken in the days that speak of now."""
    last = dose.end or dose.start
    return last is not None and 0 <= (as_of - last.day).days <= rules.recent_hours / 24


def disagreements(readings: Readings, library: Library) -> tuple[Gap, ...]:
    """Where a reading lies between the limits at which different sources call."""
    rows = [row for row in library.rows(RedFlagRow) if row.basis.drives and row.temperature is not None]
    rows = [row for row in rows if row.temperature is not None and row.temperature.upper is None]
    if not readings.placed or not rows:
        return ()
    top = max(readings.placed, key=lambda reading: reading.celsius)
    call = [row for row in rows if row.temperature is not None and inside(top.celsius, row.temperature)]
    silent = [row for row in rows if row not in call]
    if not call or not silent:
        return ()
    calling, quiet = say_list([row.name for row in call]), say_list([row.name for row in silent])
    why = f"sources disagree: {calling} would call; {quiet} would not"
    what = f"whether {say_reading(top)} is a reason to call"
    return (Gap(what=what, why=why, settle="the limit that the person's own centre gave"),)
