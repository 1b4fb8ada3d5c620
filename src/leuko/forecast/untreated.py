"""The forecast where no medicine of a marrow model acts: a rhythm, a recovery, or a level of the person's own.

A count that fell lately, and of which nothing tells why, gets no forecast: that it comes back would be a guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Literal

import numpy as np

from leuko.drugs.shelf import cytotoxic, in_group, medicines_of, shelf_of
from leuko.forecast.barred import Bars, bars_of
from leuko.forecast.case import DAY, Case
from leuko.forecast.counted import Seen, seen_of
from leuko.forecast.fan import fan_of
from leuko.forecast.library import level_row
from leuko.forecast.model import Floats
from leuko.forecast.outcome import Courses, outcome_of
from leuko.forecast.recovering import Recovery, recovering
from leuko.forecast.said import nadir_words, recovery_words, spread_words
from leuko.forecast.state_space import Level, Series, after, courses, move
from leuko.forecast.treatment import named_in_vain
from leuko.frozen import Frozen
from leuko.knowledge.schema.levels import LevelRow, RecoveryRow
from leuko.result import Course, Gap, Reason, Status
from leuko.result.drugs import DrugLink
from leuko.result.forecast import Chance, Forecast, ModelUsed, Outcome
from leuko.wording import say_chance, say_date, say_days, say_list, say_number

LINE = "neutrophils"
# Draws that agree with the counts since: fewer say that the counts are no recovery of this kind.
_LEAST_EFFECTIVE = 200.0
_LASTING = frozenset({"chronic", "persistent", "cyclic"})


class _Drawn(Frozen, frozen=True, kw_only=True):
    """What a way to forecast gives: courses from `start` on, and the words that go with it."""

    counts: Floats
    days: Floats
    baseline: Floats
    start: datetime
    start_text: str
    model: ModelUsed
    text: str
    rhythm: bool = False
    back: bool = False
    evidence: tuple[str, ...] = ()


class _Gone(Frozen, frozen=True, kw_only=True):
    """What lowered the count and has gone, since which day."""

    day: date
    said: str
    kind: Literal["medicine", "infection"]
    evidence: tuple[str, ...]


def untreated(case: Case) -> tuple[Forecast, ...]:
    """The forecast of the neutrophils of a person whom no marrow model speaks of; empty where none is asked for."""
    status, course = case.latest.get(LINE), case.courses.get(LINE)
    if status is None or course is None or not _asked(status, course):
        return ()
    bars = bars_of(case, "state_space")
    seen = seen_of(case, LINE, since=_since(case))
    gap = (_of_regimen(case) or _gap(case, seen)) if not bars.gaps else None
    if bars.gaps or gap is not None:
        return (_withheld(case, bars.gaps or ((gap,) if gap is not None else ())),)
    drawn = _cyclic(case, seen, course) or _after(case, seen, course) or _own_level(case, seen, course)
    if isinstance(drawn, Gap):
        return (_withheld(case, (drawn,)),)
    return (_forecast(case, seen, drawn, bars),)


def _asked(status: Status, course: Course) -> bool:
    """A count that is not low, or usual for the person's phenotype, and never was in rhythm needs no forecast."""
    return (status.position == "below" and status.usual is None) or course.kind == "cyclic"


def _since(case: Case) -> datetime | None:
    """From when on counts are no longer those of chemotherapy."""
    shelf = shelf_of(case.library)
    days = [
        dose.start.at
        for dose in case.record.doses
        if dose.start is not None
        and dose.start.at <= case.now
        and cytotoxic(medicines_of(dose, shelf, case.library), shelf)
    ]
    return max(days) + case.rules["treated_days"] * DAY if days else None


def _of_regimen(case: Case) -> Gap | None:
    """A chemotherapy that is named and of which no dose is known: the counts to come are not the person's own."""
    regimen = case.plan.regimen if case.plan is not None else None
    if regimen is None or regimen.told != "argument":
        return named_in_vain(case)
    why = f"{regimen.name} is named, and no dose of these weeks is on record"
    return Gap(what="the doses", why=why, settle="the doses that were given, with their days")


def _gap(case: Case, seen: Seen) -> Gap | None:
    """Why nothing can be forecast from these counts."""
    what = "the coming counts"
    if not len(seen):
        under = seen_of(case, LINE)
        if not len(under):
            return Gap(what=what, why="no count has a day that can be used", settle="the day of each count")
        why = f"every count on record is of the time of chemotherapy, and the last is {_age(case, under)} old"
        return Gap(what=what, why=why, settle="a blood count now")
    if (case.now - seen.at[-1]) / DAY > case.ask.stale_days:
        why = f"the last count is {_age(case, seen)} old"
        return Gap(what=what, why=why, settle="a blood count now")
    if all(bound != "=" for bound in seen.bounds):
        return Gap(what=what, why="every count is only a bound", settle="a count measured in full")
    growth = _growth_factor(case)
    if growth:
        why = f"{say_list(growth)} was given without chemotherapy, and no model on file speaks of that"
        return Gap(what=what, why=why, settle="counts a week after the last injection")
    return None


def _age(case: Case, seen: Seen) -> str:
    """How old the last count is, by the calendar as everywhere else."""
    return say_days(float((case.now.astimezone(case.zone).date() - seen.at[-1].astimezone(case.zone).date()).days))


def _growth_factor(case: Case) -> list[str]:
    """Growth factors of the last days: counts under them are not the person's own."""
    shelf = shelf_of(case.library)
    first = case.now - case.rules["factor_days"] * DAY
    found: dict[str, None] = {}
    for dose in case.record.doses:
        last = dose.end or dose.start
        if last is not None and dose.start is not None and last.at >= first and dose.start.at <= case.now:
            found |= dict.fromkeys(in_group(medicines_of(dose, shelf, case.library), "growth factor", shelf))
    return list(found)


# --- three ways -------------------------------------------------------------------------------------------------------


def _cyclic(case: Case, seen: Seen, course: Course) -> _Drawn | None:
    """A rhythm that the course has found goes on."""
    cycle = course.cycle
    certain = cycle.false_alarm is not None and cycle.false_alarm <= case.rules["wave_false_alarm"]
    if course.kind != "cyclic" or cycle.period is None or not certain:
        return None
    row = _level_row(case)
    text = f"a rhythm of {say_number(round(cycle.period, 1))} days that goes on as before"
    return _moved(case, seen, _level(row, period=cycle.period), row, text, rhythm=True)


def _after(case: Case, seen: Seen, course: Course) -> _Drawn | Gap | None:
    """A recovery after a medicine was stopped, or after an infection."""
    if not course.episodes:
        return None
    link = _stopped(case)
    if link is not None:
        day = _stop_day(link)
        if day is not None:
            gone = _Gone(day=day, said=f"{link.drug} was stopped", kind="medicine", evidence=link.reason.evidence)
            return _recovery(case, seen, course, gone)
    infection = _over(case)
    if infection is not None:
        return _recovery(case, seen, course, infection)
    return None


def _own_level(case: Case, seen: Seen, course: Course) -> _Drawn | Gap:
    """Counts go on to move about the person's own level."""
    what = "the coming counts"
    if len(seen) < case.ask.fewest_counts:
        why = f"{len(seen)} counts tell too little of how this person's counts move"
        return Gap(what=what, why=why, settle=f"at least {case.ask.fewest_counts} counts on different days")
    if course.kind not in _LASTING:
        why = "the low stretch is new, and nothing on record tells what would end it"
        return Gap(what=what, why=why, settle="its cause; counts over the next weeks")
    row = _level_row(case)
    return _moved(case, seen, _level(row), row, "a level of the person's own, as the counts moved so far")


def _stopped(case: Case) -> DrugLink | None:
    """The medicine that most likely took the counts away, where it was stopped; none where another still goes on."""
    last = max((link.episode for link in case.drug_links if link.analyte == LINE), default=None)
    own = [link for link in case.drug_links if link.analyte == LINE and link.episode == last]
    likely = [link for link in own if link.role == "candidate" and link.strength in {"strong", "moderate"}]
    if not likely or any(link.running is not False for link in likely):
        return None
    return min(likely, key=lambda link: link.rank)


def _stop_day(link: DrugLink) -> date | None:
    stops = [one.stop.latest for one in link.exposures if one.stop is not None and one.stop.latest is not None]
    return max(stops).date() if stops else None


def _over(case: Case) -> _Gone | None:
    """The last infection that the causes support and that has an end on record."""
    ids = {
        each
        for cause in case.causes
        if cause.standing == "supported" and cause.group == "infection"
        for clue in cause.clues_for
        for each in clue.evidence
    }
    ended = [
        _Gone(day=fact.end.day, said=f"{fact.name} was over", kind="infection", evidence=(fact.id,))
        for fact in case.record.facts
        if fact.id in ids and fact.end is not None and fact.end.day <= case.as_of
    ]
    return max(ended, key=lambda one: one.day, default=None)


# --- drawing ----------------------------------------------------------------------------------------------------------


def _level_row(case: Case) -> LevelRow:
    return level_row("untreated", case.library, LINE)


def _level(row: LevelRow, *, period: float | None = None) -> Level:
    return Level(
        level=row.level,
        level_sd=row.level_sd,
        drift=row.drift,
        tau=row.tau,
        swing=row.swing,
        noise=row.noise,
        tails=row.tails,
        wave=row.wave if period is not None else 0.0,
        period=period,
        fade=row.fade if period is not None else float("inf"),
    )


def _series(seen: Seen, origin: datetime) -> Series:
    return Series(
        days=np.array([(at - origin) / DAY for at in seen.at]),
        values=np.array(seen.values),
        bounds=seen.bounds,
        extra=np.array(seen.noise),
    )


def _grid(case: Case, first: datetime) -> Floats:
    """Days from the first instant to the horizon."""
    end = (case.now - first) / DAY + case.ask.horizon
    return np.arange(0.0, end + case.ask.step / 2, case.ask.step)


def _moved(case: Case, seen: Seen, level: Level, row: LevelRow, text: str, *, rhythm: bool = False) -> _Drawn:
    last = seen.at[-1]
    state = after(level, _series(seen, last))
    days = _grid(case, last)
    rng = np.random.default_rng(case.seed)
    counts = courses(level, move(level, state, 0.0), days, draws=case.ask.draws, rng=rng)
    return _Drawn(
        counts=counts,
        days=days,
        baseline=np.full(counts.shape[1], float(np.exp(state.mean[0]))),
        start=last,
        start_text=f"day 0 is {say_date(last.date())}, the last count",
        model=_used(
            case, row, f"{_rests_on(case, seen)}; a level, swings that fade and the error of a count (Kalman filter)"
        ),
        text=text,
        rhythm=rhythm,
    )


def _recovery(case: Case, seen: Seen, course: Course, gone: _Gone) -> _Drawn | Gap:
    row = next(row for row in case.library.rows(RecoveryRow) if row.after == gone.kind)
    start = datetime.combine(gone.day, time(), tzinfo=case.zone)
    if (case.now - start) / DAY > case.rules["recovered_margin"]:
        why = f"{gone.said} on {say_date(gone.day)}, and the count has not come back since: no recovery of that kind"
        return Gap(what="the coming counts", why=why, settle="another cause of the low count")
    level, own = _level_row(case), course.trend.baseline
    nadir = course.episodes[-1].nadir_count
    prior = Recovery(
        half=row.half,
        half_sd=row.half_sd,
        width=row.width,
        width_sd=row.width_sd,
        level=float(np.log(own)) if own else level.level,
        level_sd=level.swing if own else level.level_sd,
        depth=float(np.log(max(nadir.value, case.rules["zero_count"] if nadir.value <= 0 else nadir.value))),
        depth_sd=case.rules["depth_sd"],
        noise=row.noise,
    )
    later = [n for n, at in enumerate(seen.at) if at >= start]
    since = Series(
        days=np.array([(seen.at[n] - start) / DAY for n in later]),
        values=np.array([seen.values[n] for n in later]),
        bounds=tuple(seen.bounds[n] for n in later),
        extra=np.array([seen.noise[n] for n in later]),
    )
    found = recovering(prior, since, draws=case.ask.draws, rng=np.random.default_rng(case.seed))
    if found.effective < _LEAST_EFFECTIVE:
        why = f"{gone.said} on {say_date(gone.day)}, and the counts since are no recovery as the library knows it"
        return Gap(what="the coming counts", why=why, settle="another count; whether something else lowers it")
    days = _grid(case, start)
    return _Drawn(
        counts=found.courses(days),
        days=days,
        baseline=np.exp(found.level),
        start=start,
        start_text=f"day 0 is {say_date(gone.day)}, when {gone.said}",
        model=_used(
            case,
            row,
            f"{_rests_on(case, seen)}; curves of a recovery, weighed by the {len(later)} counts since"
            f" (importance sampling, worth {found.effective:.0f} draws)",
        ),
        text=f"a recovery after {gone.said} on {say_date(gone.day)}",
        back=True,
        evidence=gone.evidence,
    )


def _rests_on(case: Case, seen: Seen) -> str:
    """Why no marrow model speaks, and from how many counts of the person this is told."""
    taken = "none on file speaks of what is taken" if _running(case) else "no medicine on record acts on the marrow"
    return f"no marrow model: {taken}; from {len(seen)} counts of this person"


def _used(case: Case, row: LevelRow | RecoveryRow, text: str) -> ModelUsed:
    citation = case.library.cite(row.basis)
    return ModelUsed(
        id=row.id,
        title=row.title,
        line=LINE,
        population=row.title,
        domain="soft" if row.basis.confidence == "house" else "inside",
        domain_text=text,
        weight=1.0,
        checks=(),
        reason=Reason(rule=f"level:{row.id}", text=row.basis.says, citations=(citation,)),
    )


# --- the forecast -----------------------------------------------------------------------------------------------------


def _forecast(case: Case, seen: Seen, drawn: _Drawn, bars: Bars) -> Forecast:
    whole = Courses(days=drawn.days, counts=drawn.counts, baseline=drawn.baseline)
    ahead = whole.between(max((case.now - drawn.start) / DAY, 0.0), np.inf)
    outcome = outcome_of(
        whole if drawn.back else ahead,  # a recovery is from its beginning, all else is still to come
        cuts=case.ask.cuts,
        chances=_chances(case, ahead),
        hold=case.rules["recovered_days"],
    )
    label = case.library.analytes[LINE].label
    return Forecast(
        analyte=LINE,
        method="state_space",
        start=drawn.start,
        start_text=drawn.start_text,
        horizon_days=case.ask.horizon,
        headline=_headline(label, outcome, drawn, case),
        models=(drawn.model,),
        fan=fan_of(drawn.counts, drawn.days, start=drawn.start, cuts=case.ask.cuts, paths=case.ask.paths),
        outcome=outcome,
        fitting=None,
        options=(),
        dosing=seen.texts,
        reason=Reason(
            rule="forecast:state_space",
            text=f"{drawn.text}; {len(seen)} counts",
            evidence=tuple(dict.fromkeys([*seen.ids, *drawn.evidence])),
            citations=drawn.model.reason.citations,
        ),
        gaps=(),
        fan_text=drawn.text,
        severe_cut=case.ask.severe,
        cautions=(*bars.cautions, *_running(case)),
    )


def _headline(label: str, outcome: Outcome, drawn: _Drawn, case: Case) -> str:
    weeks = say_days(case.ask.horizon)
    if drawn.back:
        last = next(at for at in outcome.cuts if at.cut == case.ask.cuts[-1])
        return f"{label}, {drawn.text}: {recovery_words(last, drawn.start)}"
    if drawn.rhythm:
        return f"{label}, {drawn.text}: {nadir_words(outcome, drawn.start, case.now)}"
    severe = next((one for one in outcome.chances if one.id == f"below:{say_number(case.ask.severe)}"), None)
    risk = f"; {say_chance(severe.probability)} to be {severe.text}" if severe is not None else ""
    return f"{label}, {drawn.text}: lowest in {weeks} about {spread_words(outcome.nadir)} ×10⁹/L{risk}"


def _chances(case: Case, ahead: Courses) -> tuple[Chance, ...]:
    if not ahead.days.size:
        return ()
    return tuple(
        Chance(
            id=f"below:{say_number(cut)}",
            text=f"below {say_number(cut)} ×10⁹/L at any time in the next {say_days(case.ask.horizon)}",
            probability=float((ahead.counts < cut).any(axis=0).mean()),
            on=None,
            reason=Reason(rule="forecast:below", text="share of the courses whose true count falls below the cut"),
        )
        for cut in case.ask.cuts
        if cut <= case.ask.severe
    )


def _running(case: Case) -> Iterable[str]:
    """Medicines that may lower the count and are still taken: the forecast assumes that nothing changes."""
    names = [
        link.drug
        for link in case.drug_links
        if link.analyte == LINE and link.role == "candidate" and link.running and link.strength != "against"
    ]
    if not names:
        return ()
    return (f"{say_list(list(dict.fromkeys(names)))} may lower the count and is still taken: as if that went on",)


def _withheld(case: Case, gaps: tuple[Gap, ...]) -> Forecast:
    label = case.library.analytes[LINE].label
    text = f"{label}: no forecast; {gaps[0].why}"
    return Forecast(
        analyte=LINE,
        method="state_space",
        start=None,
        start_text="",
        horizon_days=case.ask.horizon,
        headline=text,
        models=(),
        fan=None,
        outcome=None,
        fitting=None,
        options=(),
        dosing=(),
        reason=Reason(rule="forecast:withheld", text=text),
        gaps=gaps,
    )
