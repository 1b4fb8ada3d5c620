"""How soon somebody must see the person: from the definitions that alert, the signs, and how low the count is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from math import inf

from leuko.frozen import Frozen, replace
from leuko.infection.callers import call_words, caller, is_for_everybody, most_cautious, rules_for
from leuko.infection.readings import Readings, inside, say_reading
from leuko.knowledge import Library
from leuko.knowledge.schema import Band
from leuko.knowledge.schema.advice import CallRow
from leuko.knowledge.schema.infection import FeverRules, MaskRow, RedFlagRow
from leuko.record import Dose
from leuko.result import Gap, Reason, Status
from leuko.result.advice import Situation, Tier
from leuko.result.infection import FeverVerdict, SignOfPage, Symptom, Temperature, Urgency
from leuko.status import is_low
from leuko.wording import say_count, say_instant, say_list

_LINES = ("neutrophils", "wbc")
_LOW_COUNT = "RF-low-count"
_NEUTROPENIC_SEPSIS = "RF-neutropenic-sepsis"


class Risk(Frozen, frozen=True, kw_only=True):
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
    situation: Situation | None = None,
    limit: float | None = None,
) -> Urgency:
    """The most urgent thing that can be said, with everything that says it.

    `situation` decides how fast and whom to call, by the call rules; without it the count alone does. `limit` [Cel] is
    the fever limit that holds for the person: below it no reading calls.
    """
    flags = {row.id: row for row in library.rows(RedFlagRow) if row.basis.drives}
    met = [one for one in verdicts if one.alerts and one.met]
    falling = any(one.alerts and one.fever and one.met is None for one in verdicts)
    raised = list(_raised(flags.values(), symptoms, readings, limit))
    present = [one for one in symptoms if one.present]
    tier = _tier(situation, risk, met=bool(met), found=bool(raised or present), falling=falling)
    high, low = _beyond(flags.values(), readings, limit)
    case = _Case(
        tier=tier,
        situation=situation,
        risk=risk,
        raised=raised,
        present=present,
        high=high,
        low=low,
        falling=falling,
        library=library,
    )
    if met:
        return _febrile_neutropenia(met, flags.get(_NEUTROPENIC_SEPSIS), case)
    if any(one.sepsis == "strong" for one in present):
        return _severe(case)
    call = case.caller
    if call is not None and call.speed != "as_usual" and (raised or present):
        return _pressing(case, call, flags.get(_LOW_COUNT))
    if raised:
        names = say_list(list(dict.fromkeys(reason.text for _, reason in raised)))
        text = f"Signs of infection ({names}), but {risk.text}: as for anybody with these signs."
        return Urgency(level="routine", tier=tier, text=text, reasons=case.reasons)
    return replace(_quiet(symptoms, page_signs, readings, risk), tier=tier)


class _Case(Frozen, frozen=True, kw_only=True):
    """What was found, and how cautious the call rules are today."""

    tier: Tier
    situation: Situation | None
    risk: Risk
    raised: Sequence[tuple[RedFlagRow, Reason]]
    present: Sequence[Symptom]
    high: bool
    low: bool
    falling: bool
    library: Library

    @property
    def caller(self) -> CallRow | None:
        """The call rule that holds now."""
        known = self.situation
        rules = rules_for(
            self.tier,
            known.watched if known is not None else (),
            self.library,
            child=known.child if known is not None else None,
        )
        return caller(rules, signs={one.id for one in self.present}, high=self.high, low=self.low)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return tuple(_with_source(row, reason, self.library) for row, reason in self.raised)

    @property
    def may_be_treated(self) -> bool:
        """Whether treatment for cancer may be given without the record saying so."""
        return self.situation is None or (self.situation.treatment is None and self.situation.asks_treatment)


def _tier(situation: Situation | None, risk: Risk, *, met: bool, found: bool, falling: bool) -> Tier:
    """How cautious the call rules are: as the person's situation says, more so where today's findings ask for it."""
    if met:
        return "high"
    if situation is None:
        return "high" if risk.low is not False else "raised" if falling else "usual"
    return most_cautious(situation.tier, "raised") if found and risk.low is None else situation.tier


def _febrile_neutropenia(met: Sequence[FeverVerdict], row: RedFlagRow | None, case: _Case) -> Urgency:
    latest = max(met, key=lambda one: one.at.at.timestamp() if one.at is not None else 0.0)
    bodies = say_list([one.body for one in met])
    name = "Neutropenic sepsis" if all("sepsis" in one.name for one in met) else "Febrile neutropenia"
    text = f"{name} by {bodies} ({say_instant(latest.at)}): an emergency. Assess and treat in hospital at once"
    reasons = (*(one.reason for one in met), *_cited(row, case.library))
    text = f"{text}, unless this has been done."
    return Urgency(level="emergency", tier=case.tier, text=text, call=_call(row), reasons=reasons)


def _severe(case: _Case) -> Urgency:
    severe = [one for one in case.present if one.sepsis == "strong"]
    names = say_list([one.name for one in severe])
    text = f"{names[0].upper()}{names[1:]}: a sign of a severe infection, an emergency at any count; {case.risk.text}."
    emergencies = [(row, reason) for row, reason in case.raised if row.urgency == "emergency"]
    call = case.caller
    reasons = (
        *(one.reason for one in severe),
        *(_with_source(row, reason, case.library) for row, reason in emergencies),
    )
    words = call_words(call) if call is not None else ""
    return Urgency(level="emergency", tier=case.tier, text=text, call=words, reasons=reasons)


def _pressing(case: _Case, call: CallRow, low_count: RedFlagRow | None) -> Urgency:
    """Somebody is to be called: how fast and whom is what the call rule says, so that both say the same."""
    risk = case.risk
    names = say_list(
        list(dict.fromkeys(reason.text for _, reason in case.raised)) or [one.name for one in case.present]
    )
    alarms = any(row.urgency == "emergency" for row, _ in case.raised)
    is_emergency = call.speed == "at_once" and alarms and (risk.low is not False or is_for_everybody(call))
    start = "Call at once, also at night" if call.speed == "at_once" else "Call today"
    text = f"{start}: {names}; {risk.text}."
    if call.speed == "same_day" and case.may_be_treated:
        text += (
            " On treatment for cancer at once, also at night: a fever is then an emergency until the count is known."
        )
    elif risk.low is False and case.falling:
        text += " Whether it will fall is not known: on treatment for cancer a fever is an emergency until that is."
    text += " A neutrophil count now decides." if risk.low is None else ""
    stated = () if case.raised else (Reason(rule="urgency:count", text=risk.text, evidence=risk.evidence),)
    counted = _cited(low_count, case.library) if risk.low or not case.raised else ()
    return Urgency(
        level="emergency" if is_emergency else "urgent",
        tier=case.tier,
        text=text,
        call=call_words(call),
        reasons=(*case.reasons, *stated, *counted),
    )


def _raised(
    flags: Iterable[RedFlagRow], symptoms: Sequence[Symptom], readings: Readings, limit: float | None
) -> Iterator[tuple[RedFlagRow, Reason]]:
    """Every red flag that a symptom or a temperature raises; a reading below the limit that holds here raises none."""
    there = {one.id: one for one in symptoms if one.present}
    for row in flags:
        mine = [there[name] for name in row.symptoms if name in there]
        band = row.temperature
        measured = _measured(band, readings, limit) if band is not None else []
        said = [say_reading(measured[-1])] if measured else [one.name for one in mine]
        if said:
            evidence = (*(one.id for one in measured), *(name for one in mine for name in one.reason.evidence))
            yield row, Reason(rule=row.id, text=say_list(said), evidence=tuple(dict.fromkeys(evidence)))


def _measured(band: Band, readings: Readings, limit: float | None) -> list[Temperature]:
    """The readings within the band of a flag; a fever below the limit that holds here is none."""
    least = limit if limit is not None and band.lower is not None else -inf
    return [one for one in (*readings.placed, *readings.undated) if inside(one.celsius, band) and one.celsius >= least]


def _beyond(flags: Iterable[RedFlagRow], readings: Readings, limit: float | None) -> tuple[bool, bool]:
    """Whether a temperature was read that a flag calls high, and one that a flag calls low."""
    bands = [row.temperature for row in flags if row.temperature is not None]
    hit = [band for band in bands if _measured(band, readings, limit)]
    return any(band.lower is not None for band in hit), any(band.lower is None for band in hit)


def _with_source(row: RedFlagRow, reason: Reason, library: Library) -> Reason:
    text = f"{reason.text}: {row.name}; call {row.call} ({row.audience})"
    return Reason(rule=row.id, text=text, evidence=reason.evidence, citations=(library.cite(row.basis),))


def _cited(row: RedFlagRow | None, library: Library) -> tuple[Reason, ...]:
    if row is None:
        return ()
    return (Reason(rule=row.id, text=f"{row.name}: call {row.call}", citations=(library.cite(row.basis),)),)


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
