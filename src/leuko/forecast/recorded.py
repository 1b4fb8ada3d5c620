"""The doses of a record that act on the marrow, one entry for each time one was given, with amounts in mg."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leuko.drugs.shelf import Shelf, cytotoxic, in_group, medicines_of
from leuko.forecast.amounts import impossible, milligrams
from leuko.forecast.catalogue import CycleDoses, largest
from leuko.forecast.covariates import Covariates, Rules
from leuko.forecast.given import Given, Told
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.knowledge.schema.forecast import GivenHours, ModelRow
from leuko.record import Dose, Moment
from leuko.result import Gap
from leuko.wording import say_date, say_list

_DAY = timedelta(days=1)
_STANDING = frozenset({"active", "on-hold", "draft", "stated", "unknown", "intended"})


class Reader(Frozen, frozen=True, kw_only=True):
    """What reading the doses of one person takes."""

    library: Library
    shelf: Shelf
    covariates: Covariates
    rules: Rules
    as_of: datetime
    adult: bool


class TakenDoses(Frozen, frozen=True, kw_only=True):
    """The doses that acted up to now, and those that are ordered for later, with what was assumed."""

    doses: tuple[Given, ...]
    texts: tuple[str, ...]
    gaps: tuple[Gap, ...]
    withheld: str = ""

    @property
    def drugs(self) -> tuple[str, ...]:
        """The medicines, in the order of their first dose."""
        return tuple(dict.fromkeys(one.drug for one in self.doses))


@dataclass(slots=True)
class _Notes:
    texts: list[str]
    gaps: list[Gap]
    withheld: str = ""


def taken_of(doses: Iterable[Dose], reader: Reader, *, cycle: CycleDoses | None) -> TakenDoses:
    """The doses of a record that act on the marrow; `cycle` has the usual doses of the regimen, where one is known."""
    notes = _Notes(texts=[], gaps=[])
    named = [(drug, dose) for dose in doses for drug in _drugs(dose, reader)]
    undated = sorted({drug for drug, dose in named if dose.start is None})
    if undated:
        notes.gaps.append(_undated(undated))
    dated = _of_time([(drug, dose) for drug, dose in named if dose.start is not None], reader, notes)
    found = [one for drug, dose in dated for one in _one(drug, dose, reader, cycle, notes)]
    shared = _shared(found, reader, cycle, notes)
    ordered = sorted(dict.fromkeys(shared), key=lambda one: (one.at, one.drug))
    return TakenDoses(
        doses=tuple(ordered),
        texts=tuple(dict.fromkeys(notes.texts)),
        gaps=tuple(dict.fromkeys(notes.gaps)),
        withheld=notes.withheld,
    )


def _drugs(dose: Dose, reader: Reader) -> tuple[str, ...]:
    """The medicines of a dose that act on the marrow: chemotherapy, those of models, growth factors."""
    found = medicines_of(dose, reader.shelf, reader.library)
    modelled = {drug for row in reader.library.rows(ModelRow) for drug in row.drugs}
    wanted = {*cytotoxic(found, reader.shelf), *in_group(found, "growth factor", reader.shelf)}
    return tuple(drug for drug in found if drug in wanted or drug in modelled)


def _undated(drugs: Sequence[str]) -> Gap:
    return Gap(
        what="the doses",
        why=f"doses of {say_list(list(drugs))} have no day: they cannot be placed, and are left out",
        settle="the day of each dose",
    )


def _of_time(named: Sequence[tuple[str, Dose]], reader: Reader, notes: _Notes) -> list[tuple[str, Dose]]:
    """Administrations go before orders and statements of the same medicine; nothing is counted twice."""
    given = {drug for drug, dose in named if dose.given}
    horizon = reader.as_of - reader.rules["history_days"] * _DAY
    kept: list[tuple[str, Dose]] = []
    for drug, dose in named:
        assert dose.start is not None  # noqa: S101 (asked before)
        last = dose.end.at if dose.end is not None else dose.start.at
        past = dose.start.at <= reader.as_of
        if past and last < horizon and (dose.end is not None or dose.given):
            continue
        if past and not dose.given and drug in given:
            notes.texts.append(f"{drug}: administrations are on record, so orders and statements of it are not counted")
            continue
        kept.append((drug, dose))
    return kept


def _one(drug: str, dose: Dose, reader: Reader, cycle: CycleDoses | None, notes: _Notes) -> list[Given]:
    amount = _amount(drug, dose, reader, cycle, notes)
    at = _instant(dose.start, reader, drug, notes)
    one = Given(drug=drug, at=at, amount=amount, share=1.0, told=_told(at, reader), dose_id=dose.id)
    if _daily(drug, dose, reader):
        return _every_day(dose, one, reader, cycle, notes)
    return [replace(one, hours=_hours(drug, dose, reader, cycle, notes))]


def _instant(moment: Moment | None, reader: Reader, drug: str, notes: _Notes) -> datetime:
    assert moment is not None  # noqa: S101 (asked before)
    if moment.has_time:
        return moment.at
    hour = reader.rules["dose_hour"]
    notes.texts.append(f"{drug}: the hour of the doses is not on record: {hour:g}:00 is taken")
    return moment.at + timedelta(hours=hour)


# --- amounts ---------------------------------------------------------------------------------------------------------


def _amount(drug: str, dose: Dose, reader: Reader, cycle: CycleDoses | None, notes: _Notes) -> float | None:
    factor = bool(in_group((drug,), "growth factor", reader.shelf))
    usual = _usual(drug, reader, cycle) if not factor else None
    if dose.amount is None:
        return _from_catalogue(drug, dose, usual, cycle, notes) if not factor else None
    found = milligrams(
        dose.amount,
        dose.unit,
        drug,
        covariates=reader.covariates,
        rules=reader.rules,
        adult=reader.adult,
    )
    if isinstance(found, Gap):
        found = replace(found, why=f"{found.why} ({say_date(dose.start.day)})") if dose.start is not None else found
        notes.gaps.append(found)
        notes.withheld = notes.withheld or f"{found.what}: {found.why}"
        return None
    if found.text:
        notes.texts.append(f"{drug} {found.milligrams:.4g} mg: {found.text}")
    day = f" on {say_date(dose.start.day)}" if dose.start is not None else ""
    shown = f"{dose.amount:g} {dose.unit or ''}".strip() + day
    wrong = impossible(found.milligrams, usual, drug, shown, reader.rules) if usual is not None else None
    if wrong is not None:
        notes.gaps.append(wrong)
        notes.withheld = notes.withheld or f"{wrong.what}: {wrong.why}"
        return None
    _surface_lost(drug, dose, cycle, notes)
    return found.milligrams


def _usual(drug: str, reader: Reader, cycle: CycleDoses | None) -> tuple[float, float] | None:
    own = cycle.span(drug) if cycle is not None else None
    if own is not None:
        return own
    most = largest(drug, covariates=reader.covariates, library=reader.library, rules=reader.rules)
    return (most, most) if most is not None else None


def _from_catalogue(
    drug: str, dose: Dose, usual: tuple[float, float] | None, cycle: CycleDoses | None, notes: _Notes
) -> float | None:
    own = cycle.usual(drug, dose.day) if cycle is not None else None
    if own is not None and cycle is not None:
        name = cycle.regimen.name
        notes.texts.append(f"{drug}: the record has no amount; {own:.4g} mg as in the catalogue of {name}")
        return own
    if usual is not None or cycle is None or cycle.share(drug) is None:
        notes.gaps.append(
            Gap(
                what=f"the dose of {drug}",
                why="the record has no amount, and no regimen on file tells a usual one",
                settle="the dose, or the name of the regimen",
            )
        )
    return None


def _surface_lost(drug: str, dose: Dose, cycle: CycleDoses | None, notes: _Notes) -> None:
    """“75 mg” where the regimen has 75 mg/m²: taken as written, and said."""
    if cycle is None or (dose.unit or "").strip() != "mg":
        return
    usual = cycle.usual(drug)
    per_m2 = [one for one in cycle.texts if one.startswith(f"{drug} ") and f": {dose.amount:g} mg/m2 x" in one]
    if per_m2 and usual is not None and dose.amount is not None and dose.amount < usual:
        notes.texts.append(
            f"{drug}: the record has {dose.amount:g} mg, the number that the regimen gives per m²; taken as written"
        )


# --- time ------------------------------------------------------------------------------------------------------------


def _hours(drug: str, dose: Dose, reader: Reader, cycle: CycleDoses | None, notes: _Notes) -> float:
    limit = reader.rules["infusion_hours"]
    if dose.hours is not None and 0.0 < dose.hours <= limit:
        return dose.hours
    start, end = dose.start, dose.end
    if start is not None and end is not None and start.has_time and end.has_time:
        between = (end.at - start.at).total_seconds() / 3600.0
        if 0.0 < between <= limit:
            return between
    planned = [one.hours for one in cycle.doses if one.drug == drug] if cycle is not None else []
    usual = {row.drug: row.hours for row in reader.library.rows(GivenHours)}
    hours = max(planned) if planned else usual.get(drug, 0.0)
    if hours > 0.0:
        notes.texts.append(f"{drug}: how long it ran is not on record: {hours:g} h is taken")
    return hours


def _daily(drug: str, dose: Dose, reader: Reader) -> bool:
    """Whether a dose states a stretch of a medicine that is taken every day."""
    daily = {row.drug for row in reader.library.rows(GivenHours) if row.daily or (row.usual_ug and row.acts_days == 1)}
    if drug not in daily or dose.start is None:
        return False
    if dose.end is None:
        return dose.status in _STANDING and not dose.given
    return dose.end.at - dose.start.at >= _DAY


def _every_day(dose: Dose, first: Given, reader: Reader, cycle: CycleDoses | None, notes: _Notes) -> list[Given]:
    """One entry for each day of a stretch; only on the days of the cycle where the regimen has some off."""
    own = [one for one in cycle.doses if one.drug == first.drug] if cycle is not None else []
    days = {one.day for one in own}
    length = cycle.regimen.cycle_days if cycle is not None and own else None
    end = _end(dose.end) if dose.end is not None else reader.as_of + reader.rules["daily_ahead"] * _DAY
    if length:  # what is to come is planned by cycles
        end = min(end, reader.as_of)
    elif dose.end is None:
        notes.texts.append(f"{first.drug}: no end is on record: it is taken to go on every day")
    found = []
    for step in range(int((end - first.at) / _DAY) + 1 if end >= first.at else 0):
        day = step % int(length) + 1 if length else step + 1
        if length and day not in days:
            continue
        for offset in sorted({one.offset for one in own}) or [0.0]:
            when = first.at + step * _DAY + timedelta(hours=offset)
            found.append(replace(first, at=when, told=_told(when, reader)))
    return found


def _end(moment: Moment) -> datetime:
    """The end of a stretch; a day without an hour counts whole."""
    return moment.at if moment.has_time else moment.at + _DAY


def _told(at: datetime, reader: Reader) -> Told:
    return "record" if at <= reader.as_of else "ordered"


# --- shares ----------------------------------------------------------------------------------------------------------


def _shared(found: Sequence[Given], reader: Reader, cycle: CycleDoses | None, notes: _Notes) -> list[Given]:
    """What each dose is of the medicine's doing in a usual cycle: by the regimen, else by the first doses on record."""
    usual = {drug: _usual_share(drug, found, reader, cycle, notes) for drug in dict.fromkeys(one.drug for one in found)}
    shared = []
    for one in found:
        part, per_mg = usual[one.drug]
        known = one.amount is not None and per_mg is not None
        shared.append(replace(one, share=(one.amount or 0.0) * (per_mg or 0.0) if known else part))
    return shared


def _usual_share(
    drug: str, found: Sequence[Given], reader: Reader, cycle: CycleDoses | None, notes: _Notes
) -> tuple[float, float | None]:
    """The share of one usual dose, and of one milligram."""
    part = cycle.share(drug) if cycle is not None else None
    if part is not None and cycle is not None:
        return part, cycle.per_mg(drug)
    own = [one for one in found if one.drug == drug]
    first = min(one.at for one in own)
    window = reader.rules["whole_cycle_days"] * _DAY
    number = len([one for one in own if one.at - first < window])
    if cytotoxic((drug,), reader.shelf):
        notes.texts.append(f"{drug}: no regimen tells a usual dose; the first on record is taken as one")
    amount = next((one.amount for one in own if one.amount is not None), None)
    return 1.0 / number, 1.0 / number / amount if amount else None
