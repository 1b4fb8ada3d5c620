"""Which chemotherapy regimen is given: as the caller says, as the record says, or from the drugs of one cycle.

Where several regimens have the same drugs, the tumour in the record and the days between cycles may leave one; else
they are all named and none is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from leuko.drugs.shelf import cytotoxic
from leuko.frozen import Frozen
from leuko.knowledge.schema.plan import FnRisk, RegimenRow, TumourRow
from leuko.plan.person import Known, Taken, facts_named
from leuko.record import Fact
from leuko.result import Gap
from leuko.result.plan import Regimen, RiskClass, Told
from leuko.wording import say_date, say_days, say_list

_MOST_NAMED: Final = 6


class Found(Frozen, frozen=True, kw_only=True):
    """A regimen and the rows of knowledge behind it: one, or those that cannot be told apart."""

    regimen: Regimen
    rows: tuple[RegimenRow, ...] = ()


class _Fit(Frozen, frozen=True, kw_only=True):
    row: RegimenRow
    day_1: date
    drugs: tuple[str, ...]
    wanted: int


def regimen_of(known: Known, *, asked: str | None) -> Found:
    """The present regimen. `asked` is the caller's word for it; it goes before what the record tells."""
    rows = tuple(row for row in known.library.rows(RegimenRow) if row.phases)
    if asked is not None:
        return _by_word(asked, rows, known, told="argument")
    chemo = _chemo(known)
    if not chemo:
        return Found(regimen=_none(known))
    worded = chemo[-1].dose.regimen
    if worded:
        found = _by_word(worded, rows, known, told="record")
        if found.rows:
            return found
    return _by_drugs(rows, chemo, known, worded)


def _chemo(known: Known) -> tuple[Taken, ...]:
    """Doses of cytotoxic medicines, where the last of them is of the present."""
    found = tuple(one for one in known.taken if cytotoxic((one.drug,), known.shelf))
    recent = found and (known.as_of - found[-1].day).days <= known.rules.present_days
    return found if recent else ()


def _none(known: Known) -> Regimen:
    old = [one for one in known.taken if cytotoxic((one.drug,), known.shelf)]
    undated = [dose for dose in known.undated if cytotoxic(known.shelf.find(dose.drug), known.shelf)]
    if old:
        days = float((known.as_of - old[-1].day).days)
        text = (
            f"no chemotherapy now: the last dose ({old[-1].drug}, {say_date(old[-1].day)}) lies {say_days(days)} back"
        )
    else:
        text = "no chemotherapy in the record"
    gaps = (
        Gap(
            what="the chemotherapy",
            why=f"{len(undated)} doses ({say_list(sorted({dose.drug for dose in undated}))}) have no day",
            settle="the day of each dose",
        ),
    )
    return Regimen(
        told="none",
        text=text,
        reason=known.reason("plan:regimen:none", text, known.rules.basis, evidence=[one.dose.id for one in old[-1:]]),
        gaps=gaps if undated else (),
    )


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.casefold())


def _names(row: RegimenRow) -> set[str]:
    """The names that mean the regimen; "R-ICE / ICE" is two, and a part in brackets may be left out."""
    shown = {row.id, row.name, *row.name.split(" / "), re.sub(r"\s*\(.*?\)", "", row.name), *row.aliases}
    return {_key(name) for name in shown}


def _by_word(word: str, rows: Sequence[RegimenRow], known: Known, *, told: Told) -> Found:
    fitting = _of_tumour([row for row in rows if _key(word) in _names(row)], known)
    if not fitting:
        return Found(regimen=_unknown(word, known))
    fits = [_fitted(row, known) for row in fitting]
    if len(fits) == 1:
        text = f"{fits[0].row.name} ({fits[0].row.tumour}), as {'asked' if told == 'argument' else 'the record says'}"
        return Found(regimen=_told(fits[0], told, text, known), rows=(fits[0].row,))
    return _ambiguous(fits, known, f"{word} means several regimens")


def _fitted(row: RegimenRow, known: Known) -> _Fit:
    """A regimen that was named: its drugs are those of the record where they are its own, else those of the table."""
    fit = _fit(row, _chemo(known), known)
    if fit is not None:
        return fit
    drugs = tuple(dict.fromkeys(drug for phase in row.phases for drug in phase.drugs))
    chemo = [one for one in _chemo(known) if one.drug in drugs]
    return _Fit(row=row, day_1=chemo[-1].day if chemo else date.min, drugs=drugs, wanted=len(drugs))


def _by_drugs(rows: Sequence[RegimenRow], chemo: tuple[Taken, ...], known: Known, worded: str | None) -> Found:
    fits = [fit for row in rows if row.dose_basis.drives and (fit := _fit(row, chemo, known)) is not None]
    most = max((fit.wanted for fit in fits), default=0)
    fits = [fit for fit in fits if fit.wanted == most]
    tumours = _tumours(known)
    kept = {fit.row.id for fit in fits if not tumours or fit.row.tumour in tumours}
    fits = _of_phases(_of_spacing([fit for fit in fits if fit.row.id in kept], chemo, known), chemo)
    if not fits:
        return Found(regimen=_unknown(worded or "", known, chemo))
    if most == 1 and not tumours and len(fits) == 1:
        only = _ambiguous(fits, known, f"{fits[0].drugs[0]} alone, and the record names no tumour; on file")
        return Found(regimen=only.regimen)
    if len(fits) > 1:
        return _ambiguous(fits, known, f"several have the drugs on record ({say_list(fits[0].drugs)})")
    text = f"{fits[0].row.name} ({fits[0].row.tumour}), by its drugs: {say_list(fits[0].drugs)}"
    return Found(regimen=_told(fits[0], "drugs", text, known), rows=(fits[0].row,))


def _fit(row: RegimenRow, chemo: tuple[Taken, ...], known: Known) -> _Fit | None:
    """The regimen on the doses of its own length of cycle, if the cytotoxic drugs in it are exactly one phase's."""
    if not chemo:
        return None
    last = chemo[-1].day
    length = row.cycle_days or known.rules.same_cycle_days
    window = [one for one in known.taken if last - timedelta(days=length) < one.day <= last]
    given = {one.drug for one in window}
    poisons = set(cytotoxic(given, known.shelf))
    for phase in reversed(row.phases):
        wanted = set(phase.drugs)
        if wanted and wanted <= given and poisons <= wanted | set(phase.optional):
            own = [one for one in window if one.drug in wanted]
            shown = tuple(sorted(poisons | (wanted & given)))
            return _Fit(row=row, day_1=_cycle_start(row, own, chemo), drugs=shown, wanted=len(wanted))
    return None


def _cycle_start(row: RegimenRow, own: Sequence[Taken], chemo: Sequence[Taken]) -> date:
    """Day 1 of the present cycle. Where nothing numbers it and the regimen is given on several days, its doses are
    walked from the first on: a dose belongs to the cycle until half-way from its last treatment day to the next cycle.
    """
    last_day = max(row.treatment_days, default=1)
    if own[-1].dose.cycle is not None or last_day == 1 or row.cycle_days is None:
        return _day_1(own)
    drugs = {one.drug for one in own}
    days = sorted({one.day for one in chemo if one.drug in drugs} | {one.day for one in own})
    start, half_way = days[0], (last_day + row.cycle_days) / 2
    for day in days:
        if (day - start).days >= half_way:
            start = day
    return start


def _day_1(window: Sequence[Taken]) -> date:
    """The day on which the cycle began: numbered so, else the latest day that most of its drugs were given on."""
    number = window[-1].dose.cycle
    if number is not None:
        return min(one.day for one in window if one.dose.cycle == number)
    days: dict[date, set[str]] = {}
    for one in window:
        days.setdefault(one.day, set()).add(one.drug)
    most = max(len(found) for found in days.values())
    first = max(day for day, found in days.items() if len(found) == most)
    while first - timedelta(days=1) in days:
        first -= timedelta(days=1)
    return first


def _of_tumour(rows: Sequence[RegimenRow], known: Known) -> list[RegimenRow]:
    """Those for a tumour that the record names; all of them where it names none that they are for."""
    named = _tumours(known)
    return [row for row in rows if row.tumour in named] or list(rows)


def _tumours(known: Known) -> frozenset[str]:
    """The tumours that the record names, in the words of the regimens."""
    rows = known.rows(TumourRow)
    named = [row for row in rows if facts_named(_but(row, known), words=row.words, icd10=row.icd10)]
    return frozenset(tumour for row in named for tumour in row.tumours)


def _but(row: TumourRow, known: Known) -> Iterator[Fact]:
    """The facts but for those that name another tumour whose name holds the one of the row."""
    return (fact for fact in known.record.facts if not any(word in fact.name.casefold() for word in row.unless))


def _of_spacing(fits: list[_Fit], chemo: Sequence[Taken], known: Known) -> list[_Fit]:
    """Those whose cycle is as long as the last one was; all of them where no cycle came before."""
    fitting = []
    for fit in fits:
        before = [one.day for one in chemo if one.drug in fit.drugs and one.day < fit.day_1]
        if not before or fit.row.cycle_days is None:
            return fits
        earlier = _day_1_before(before, fit.row.cycle_days)
        if abs((fit.day_1 - earlier).days - fit.row.cycle_days) <= known.rules.spacing_days:
            fitting.append(fit)
    return fitting or fits


def _of_phases(fits: list[_Fit], chemo: Sequence[Taken]) -> list[_Fit]:
    """Those of which an earlier phase is on record too; all of them where there is none."""
    given = {one.drug for one in chemo}
    later = [fit for fit in fits if _after_phase(fit.row, fit.drugs, given)]
    return later or fits


def _after_phase(row: RegimenRow, drugs: Sequence[str], given: set[str]) -> bool:
    """Whether the drugs are those of a later phase, and all drugs of the one before were given."""
    number = next((n for n, phase in enumerate(row.phases) if set(phase.drugs) <= set(drugs)), 0)
    return number > 0 and set(row.phases[number - 1].drugs) <= given


def _day_1_before(days: Sequence[date], length: float) -> date:
    last = max(days)
    return min(day for day in days if (last - day).days < length)


def _ambiguous(fits: Sequence[_Fit], known: Known, why: str) -> Found:
    names = [f"{fit.row.name} ({fit.row.tumour})" for fit in fits]
    shown = say_list([*names[:_MOST_NAMED], f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else names)
    text = f"the regimen cannot be told: {why}: {shown}"
    lengths = {fit.row.cycle_days for fit in fits}
    length = lengths.pop() if len(lengths) == 1 else None
    day_1 = fits[0].day_1 if len({fit.day_1 for fit in fits}) == 1 and fits[0].day_1 != date.min else None
    regimen = Regimen(
        told="ambiguous",
        candidates=tuple(names),
        drugs=tuple(sorted(set.intersection(*(set(fit.drugs) for fit in fits)))),
        cycle_days=length,
        day_1=day_1,
        next_day_1=_next(day_1, length, known),
        text=text,
        reason=known.reason("plan:regimen:ambiguous", text, *(fit.row.dose_basis for fit in fits)),
        gaps=(Gap(what="the regimen", why=text, settle="the name of the regimen, its tumour, or its doses"),),
    )
    return Found(regimen=regimen, rows=tuple(fit.row for fit in fits))


def _unknown(word: str, known: Known, chemo: Sequence[Taken] = ()) -> Regimen:
    last = chemo[-1].day if chemo else None
    near = known.rules.same_cycle_days
    drugs = sorted({one.drug for one in chemo if last is not None and (last - one.day).days <= near})
    named = f"{word!r} is none of the regimens on file" if word else "no regimen on file has just these drugs"
    text = f"{named}{f': {say_list(drugs)}' if drugs else ''}"
    return Regimen(
        told="unknown",
        name=word,
        drugs=tuple(drugs),
        day_1=min((one.day for one in chemo if last and (last - one.day).days <= near), default=None),
        text=text,
        reason=known.reason("plan:regimen:unknown", text, evidence=[one.dose.id for one in chemo]),
        gaps=(Gap(what="the regimen and its risk of febrile neutropenia", why=text, settle="the name of the regimen"),),
    )


def _told(fit: _Fit, told: Told, text: str, known: Known) -> Regimen:
    day_1 = fit.day_1 if fit.day_1 != date.min else None
    doses = [one.dose.id for one in _chemo(known) if day_1 is not None and one.day >= day_1]
    return Regimen(
        told=told,
        id=fit.row.id,
        name=fit.row.name,
        drugs=fit.drugs,
        cycle_days=fit.row.cycle_days,
        day_1=day_1,
        next_day_1=_next(day_1, fit.row.cycle_days, known),
        risks=tuple(_risk(risk, fit.row, known) for risk in fit.row.risks),
        text=text,
        reason=known.reason(f"plan:regimen:{fit.row.id}", text, fit.row.dose_basis, evidence=doses),
    )


def _next(day_1: date | None, length: float | None, known: Known) -> date | None:
    """The next day 1: as ordered, else by the length of the cycle."""
    ordered = [one.day for one in known.planned if cytotoxic((one.drug,), known.shelf)]
    if ordered:
        return min(ordered)
    return day_1 + timedelta(days=length) if day_1 is not None and length is not None else None


def _risk(risk: FnRisk, row: RegimenRow, known: Known) -> RiskClass:
    text = risk.text if risk.text.startswith(risk.body) else f"{risk.body}: {risk.text}"
    return RiskClass(
        body=risk.body,
        classes=risk.classes,
        text=text,
        reviewed=risk.basis.drives,
        reason=known.reason(f"plan:risk:{row.id}", text, risk.basis),
    )


def classes_of(rows: Iterable[RegimenRow]) -> frozenset[str]:
    """The risk classes that confirmed rows give: of one regimen, or of several only where each gives the same."""
    found = [
        frozenset(one for risk in row.risks if risk.basis.drives for one in risk.classes if one != "not_listed")
        for row in rows
    ]
    return found[0] if found and all(classes == found[0] for classes in found) else frozenset()
