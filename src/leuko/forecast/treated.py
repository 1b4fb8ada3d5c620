"""The forecast of a person under treatment that acts on the marrow: doses, models, posterior, course, options."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from leuko.errors import UsageError
from leuko.forecast.barred import Bars, bars_of
from leuko.forecast.case import DAY, HOUR, Case
from leuko.forecast.choose import Weighing, asked_options, front_of, front_text, options_of
from leuko.forecast.counted import Seen, first_kept, seen_of
from leuko.forecast.dosing import Dosing, schedule_of
from leuko.forecast.estimates import estimates_of
from leuko.forecast.fan import EVERY, fan_of
from leuko.forecast.fit import Course, contradictions
from leuko.forecast.fit.several import HEARD
from leuko.forecast.heard import Ahead, Heard, listen
from leuko.forecast.library import Candidate
from leuko.forecast.model import Floats
from leuko.forecast.outcome import HOURS, Courses, outcome_of
from leuko.forecast.ready import Rule, reason_of, rules_for
from leuko.forecast.said import nadir_words, recovery_words
from leuko.forecast.speakers import speakers
from leuko.forecast.treatment import Treatment, dosing_for, left_open, named_in_vain, treatment_of
from leuko.forecast.wish import Wish
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.knowledge.schema.forecast import ModelRow
from leuko.result import Citation, Gap, Reason
from leuko.result.forecast import Chance, Fitting, Forecast, ModelUsed, Option, Outcome
from leuko.wording import say_chance, say_date, say_list, say_number


class _Told(Frozen, frozen=True, kw_only=True):
    """All that goes into one forecast."""

    case: Case
    analyte: str
    treatment: Treatment
    seen: Seen
    bars: Bars


def treated(case: Case, analyte: str) -> tuple[Forecast, ...] | None:
    """The forecast of one line under treatment; several where models contradict each other. None: no treatment acts."""
    found = _asked(case, analyte)
    if not isinstance(found, _Asked):
        return found
    ways = _ways(found.told, found.candidates)
    if isinstance(ways, Forecast):
        return (ways,)
    made = [_forecast(way.heard, way.whole, found.told, ways.origin) for way in ways.every]
    unnamed = named_in_vain(case)
    gaps = ways.gaps if unnamed is None else (*ways.gaps, unnamed)
    return tuple(replace(one, gaps=(*gaps, *one.gaps)) for one in made) if gaps else tuple(made)


class Weighed(Frozen, frozen=True, kw_only=True):
    """What options are weighed with, the models that speak, and what must be known of all they say."""

    models: str
    weighing: Weighing
    cautions: tuple[str, ...]


def weighings(case: Case, analyte: str) -> tuple[Weighed, ...]:
    """What options of the next cycle are weighed with; several where models contradict each other.

    Empty where no next cycle is planned, or where nothing can be said: `treated` says why.
    """
    found = _asked(case, analyte)
    if not isinstance(found, _Asked) or found.told.treatment.next_start is None:
        return ()
    ways = _ways(found.told, found.candidates)
    if isinstance(ways, Forecast):
        return ()
    open_ = tuple(gap.why for gap in ways.gaps)
    return tuple(
        Weighed(
            models=_names(way.heard),
            weighing=_weighing(way.heard, found.told),
            cautions=(*open_, *_said(found.told, way.heard)),
        )
        for way in ways.every
    )


def _names(heard: Heard) -> str:
    return say_list([voice.candidate.row.title for voice in heard.sound()])


class _Asked(Frozen, frozen=True, kw_only=True):
    """What goes into a forecast, and the models that may speak."""

    told: _Told
    candidates: tuple[Candidate, ...]


def _asked(case: Case, analyte: str) -> _Asked | tuple[Forecast, ...] | None:
    """Doses, models and counts; or why there is no forecast, or None where no treatment acts."""
    dosing = dosing_for(case)
    treatment = treatment_of(dosing, case) if dosing.given else None
    if treatment is None:
        return (withheld(case, analyte, gaps=_of_doses(dosing), dosing=dosing),) if _undecided(dosing) else None
    if dosing.withheld:
        return (withheld(case, analyte, gaps=_of_doses(dosing), dosing=dosing, start=treatment.start),)
    candidates, gaps = speakers(case, analyte, dosing)
    bars = bars_of(case, "marrow", models=tuple(one.row.id for one in candidates))
    if bars.gaps or not candidates:
        gaps = (*bars.gaps, *gaps)
        return (withheld(case, analyte, gaps=gaps, dosing=dosing, start=treatment.start),) if gaps else ()
    seen = seen_of(case, analyte, since=first_kept(treatment.first, case))
    told = _Told(case=case, analyte=analyte, treatment=treatment, seen=seen, bars=bars)
    return _Asked(told=told, candidates=candidates)


def _undecided(dosing: Dosing) -> bool:
    """Whether medicines that act are named, and nothing can be placed."""
    return bool(dosing.gaps)


def _of_doses(dosing: Dosing) -> tuple[Gap, ...]:
    if dosing.gaps:
        return dosing.gaps
    return (Gap(what="the doses", why=dosing.withheld, settle="the doses with their days"),)


def withheld(
    case: Case,
    analyte: str,
    *,
    gaps: Sequence[Gap],
    dosing: Dosing | None = None,
    start: datetime | None = None,
    fitting: Fitting | None = None,
    models: tuple[ModelUsed, ...] = (),
) -> Forecast:
    """A forecast that says only why there is none."""
    label = case.library.analytes[analyte].label
    text = f"{label}: no forecast; {gaps[0].why}" if gaps else f"{label}: no forecast"
    return Forecast(
        analyte=analyte,
        method="marrow",
        start=start,
        start_text="",
        horizon_days=case.ask.horizon,
        headline=text,
        models=models,
        fan=None,
        outcome=None,
        fitting=fitting,
        options=(),
        dosing=dosing.texts if dosing is not None else (),
        reason=Reason(rule="forecast:withheld", text=text),
        gaps=tuple(gaps),
    )


class _Way(Frozen, frozen=True, kw_only=True):
    """Models that agree, and their courses as planned."""

    heard: Heard
    whole: Ahead


class _Ways(Frozen, frozen=True, kw_only=True):
    """One way of seeing what comes, or several that contradict each other, with what would settle it."""

    every: tuple[_Way, ...]
    gaps: tuple[Gap, ...]
    origin: datetime


def _ways(told: _Told, candidates: Sequence[Candidate]) -> _Ways | Forecast:
    """The models fitted to the person; or the forecast that says why they cannot be."""
    case, origin = told.case, _origin(told)
    dosing = told.treatment.present
    try:
        heard = listen(
            candidates,
            lambda model: schedule_of(dosing, model, origin=origin),
            told.seen.observed(origin),
            drugs=dosing.drugs,
            case=case,
            origin=origin,
        )
    except UsageError as error:
        gap = Gap(what="the coming counts", why=str(error), settle=error.do or "the counts as the laboratory gave them")
        return withheld(case, told.analyte, gaps=[gap], dosing=dosing, start=told.treatment.start)
    if not heard.sound():
        return _unsound(heard, told)
    whole = _run_planned(heard, told, origin)
    sound = heard.sound()
    apart = contradictions(
        [_from_now(part, told, origin) for part in whole.parts],
        np.array([voice.weight for voice in sound[: len(whole.parts)]]),
        [voice.candidate.row.title for voice in sound[: len(whole.parts)]],
    )
    if not apart:
        return _Ways(every=(_Way(heard=heard, whole=whole),), gaps=(), origin=origin)
    gaps = tuple(Gap(what="which model is right", why=one.text, settle="another count") for one in apart)
    alone = [heard.only(voice) for voice in sound if voice.weight >= HEARD]
    ways = tuple(_Way(heard=one, whole=_run_planned(one, told, origin)) for one in alone)
    return _Ways(every=ways, gaps=gaps, origin=origin)


def _origin(told: _Told) -> datetime:
    return min([told.treatment.first, *told.seen.at])


def _unsound(heard: Heard, told: _Told) -> Forecast:
    """Why the diagnostics do not carry a conclusion."""
    gaps = [
        Gap(
            what="the coming counts",
            why=f"{voice.candidate.row.title}: {finding.text.rstrip('.')}",
            settle="counts in this cycle, and whether doses and counts are as recorded",
        )
        for voice in heard.voices
        for finding in voice.posterior.findings
        if finding.withholds
    ]
    case, dosing = told.case, told.treatment.present
    return withheld(
        case,
        told.analyte,
        gaps=tuple(dict.fromkeys(gaps)),
        dosing=dosing,
        start=told.treatment.start,
        fitting=_fitting(heard),
        models=_models(heard),
    )


def _run_planned(heard: Heard, told: _Told, origin: datetime) -> Ahead:
    """Courses as planned, from as far back as the figure shows to the horizon."""
    case, treatment = told.case, told.treatment
    first = max(origin, case.now - case.rules["shown_back"] * DAY)
    end = case.now + case.ask.horizon * DAY
    if treatment.next_start is not None:
        end = max(end, treatment.next_start + treatment.cycle_days * DAY)
    dosing = treatment.with_next()
    return heard.run(
        lambda model: schedule_of(dosing, model, origin=origin),
        _hours(first, end, origin, case),
        draws=case.ask.draws,
    )


def _hours(first: datetime, end: datetime, origin: datetime, case: Case) -> Floats:
    step = case.ask.step * HOURS
    begin = np.floor((first - origin) / HOUR / step) * step
    return np.arange(max(begin, 0.0), (end - origin) / HOUR + step, step)


def _from_now(part: Course, told: _Told, origin: datetime) -> Course:
    """The part of a course that is still to come."""
    later = part.hours >= (told.case.now - origin) / HOUR
    return replace(part, hours=part.hours[later], counts=part.counts[later])


def _forecast(heard: Heard, whole: Ahead, told: _Told, origin: datetime) -> Forecast:
    case, treatment = told.case, told.treatment
    start = treatment.start
    present = _run_present(heard, told, origin) if treatment.coming else whole
    days = present.hours / HOURS - (start - origin) / DAY
    courses = Courses(days=days, counts=present.counts, baseline=present.baseline).between(-1e-6, np.inf)
    rules = rules_for(case, told.analyte)
    chances = (*_below(courses, told), *_ready(present, rules, told, origin))
    outcome = outcome_of(
        courses, cuts=case.ask.cuts, chances=chances, until=_ends(treatment), hold=case.rules["recovered_days"]
    )
    weighing = _weighing(heard, told)
    options, front, unanswered = _weighed(weighing, case.wish)
    label = case.library.analytes[told.analyte].label
    models = _models(heard)
    fitting = _fitting(heard)
    shown = whole.hours / HOURS
    return Forecast(
        analyte=told.analyte,
        method="marrow",
        start=start,
        start_text=f"day 0 is {say_date(start.date())}, the first dose of the present cycle",
        horizon_days=float((whole.hours[-1] - (case.now - origin) / HOUR) / HOURS),
        headline=headline(label, outcome, start, case, population=not len(told.seen)),
        models=models,
        fan=fan_of(
            whole.counts,
            shown,
            start=origin,
            cuts=case.ask.cuts,
            paths=case.ask.paths,
            reported=whole.measured(EVERY),
        ),
        outcome=outcome,
        fitting=fitting,
        options=options,
        dosing=(*treatment.present.texts, *treatment.texts, *told.seen.texts, *_of_growth(options, case.library)),
        reason=_reason(told, models),
        gaps=(*treatment.present.gaps, *unanswered),
        fan_text=_fan_text(treatment),
        next_dose=treatment.next_start,
        severe_cut=case.ask.severe,
        cautions=_said(told, heard),
        front=front,
        front_text=front_text(weighing, case.wish.limits) if case.wish.limits is not None else "",
    )


def _ends(treatment: Treatment) -> float:
    """The day, from the start of the present cycle, on which it ends: its lowest count is looked for up to there."""
    planned = (treatment.next_start - treatment.start) / DAY if treatment.next_start is not None else 0.0
    return max(planned, treatment.cycle_days)


def _run_present(heard: Heard, told: _Told, origin: datetime) -> Ahead:
    """Courses as if nothing further were given than what belongs to the present cycle."""
    case, treatment = told.case, told.treatment
    end = max(treatment.start, case.now) + case.ask.horizon * DAY
    return heard.run(
        lambda model: schedule_of(treatment.present, model, origin=origin),
        _hours(treatment.start, end, origin, case),
        draws=case.ask.draws,
    )


def _said(told: _Told, heard: Heard) -> tuple[str, ...]:
    """What is true of the whole forecast."""
    return (*told.bars.cautions, *_infected(told.case), *left_open(told.treatment, told.case), *_cautions(heard))


def _weighing(heard: Heard, told: _Told) -> Weighing:
    rules, draws = rules_for(told.case, told.analyte), int(told.case.rules["option_draws"])
    return Weighing(treatment=told.treatment, heard=heard, rules=rules, case=told.case, draws=draws)


def _weighed(weighing: Weighing, wish: Wish) -> tuple[tuple[Option, ...], tuple[Option, ...], tuple[Gap, ...]]:
    """The options, those of a search, and what was asked and cannot be weighed."""
    if weighing.treatment.next_start is None:
        return (), (), ()
    options, gaps = asked_options(wish.changes, weighing) if wish.changes else (options_of(weighing), ())
    front = front_of(weighing, wish.limits) if wish.limits is not None else ()
    return options, front, gaps


# --- chances ----------------------------------------------------------------------------------------------------------


def _of_growth(options: Sequence[Option], library: Library) -> tuple[str, ...]:
    """What stands behind a growth factor that this person has not had."""
    if not any(option.factor_days for option in options):
        return ()
    row = next(row for row in library.rows(ModelRow) if row.role == "addition")
    return (f"growth factor: {row.note}; this person's counts say nothing of it yet",)


def _below(courses: Courses, told: _Told) -> list[Chance]:
    """To fall below the cuts of severe neutropenia from now on until the next dose."""
    case, treatment = told.case, told.treatment
    start, now = treatment.start, (case.now - treatment.start) / DAY
    end = (treatment.next_start - start) / DAY if treatment.next_start is not None else float(courses.days[-1])
    ahead = courses.between(now, max(end, now + case.ask.step))
    if not ahead.days.size:
        return []
    lowest = ahead.counts.min(axis=0)
    until = f" until {say_date(treatment.next_start.date())}" if treatment.next_start is not None else ""
    return [
        Chance(
            id=f"below:{say_number(cut)}",
            text=f"below {say_number(cut)} ×10⁹/L at any time from now on{until}",
            probability=float((lowest < cut).mean()),
            on=None,
            reason=Reason(rule="forecast:below", text="share of the courses whose true count falls below the cut"),
        )
        for cut in case.ask.cuts
        if cut <= case.ask.severe
    ]


def _ready(present: Ahead, rules: Sequence[Rule], told: _Told, origin: datetime) -> list[Chance]:
    """That the rules of the plan are met on the planned day, by a count with its error."""
    start = told.treatment.next_start
    if start is None:
        return []
    reported = present.reported((start - origin) / HOUR)
    return [
        Chance(
            id=f"ready:{rule.id}",
            text=f"neutrophils measured {rule.text} on {say_date(start.date())}, as the rule for {rule.title} asks",
            probability=float(rule.met(reported).mean()),
            on=start.date(),
            reason=reason_of(rule),
        )
        for rule in rules
    ]


# --- words ------------------------------------------------------------------------------------------------------------


def headline(label: str, outcome: Outcome, start: datetime, case: Case, *, population: bool = False) -> str:
    """The forecast in two sentences."""
    middle = case.ask.cuts[-1]
    last = next(at for at in outcome.cuts if at.cut == middle)
    first = [nadir_words(outcome, start, case.now), recovery_words(last, start)]
    said = "; ".join(part for part in first if part)
    ready = [chance for chance in outcome.chances if chance.on is not None]
    more = [f"{say_chance(one.probability)} for {one.text}" for one in ready[:1]]
    whose = " (of people on this treatment: no count of this person was used)" if population else ""
    return f"{label}{whose}: {'. '.join(part for part in (said, *more) if part)}"


def _fan_text(treatment: Treatment) -> str:
    if treatment.next_start is None:
        return "with the doses that are on record or stand to come, and none beyond them; no next cycle is planned"
    return f"as planned, with the next cycle from {say_date(treatment.next_start.date())}"


def _cautions(heard: Heard) -> list[str]:
    found = [
        finding.text.rstrip(".")
        for voice in heard.sound()
        for finding in voice.posterior.findings
        if not finding.withholds
    ]
    return list(dict.fromkeys([*_edges(heard), *found]))


def _infected(case: Case) -> list[str]:
    """An infection is not in any model, and can hold the count down."""
    under_way = case.infection is not None and case.infection.urgency.level in {"emergency", "urgent"}
    return (
        ["an infection may be under way: no model knows of it, and the count may come back later"] if under_way else []
    )


def _edges(heard: Heard) -> list[str]:
    """Where the models that speak are at the edge of what they were made for."""
    told = max(heard.sound(), key=lambda voice: voice.weight).candidate
    if told.row.role == "regimen":
        return ["no published model speaks of these doses: a stand-in does, with a wide spread"]
    _, _, here = told.domain_text.partition("; here ")
    return [f"at the edge of what the models were fitted on: {here}"] if told.domain == "soft" and here else []


def _models(heard: Heard) -> tuple[ModelUsed, ...]:
    return tuple(
        ModelUsed(
            id=voice.candidate.row.id,
            title=voice.candidate.row.title,
            line=voice.candidate.row.line,
            population=voice.candidate.row.domain.population,
            domain=voice.candidate.domain,
            domain_text="; ".join([voice.candidate.domain_text, *voice.candidate.notes]),
            weight=voice.weight,
            checks=voice.candidate.checks,
            reason=voice.candidate.reason,
            estimates=estimates_of(voice.posterior, voice.candidate.row),
        )
        for voice in heard.voices
    )


def _fitting(heard: Heard) -> Fitting:
    """The diagnostics of all models together: the least effective, the heaviest tail."""
    every = [voice.posterior.fitting for voice in (heard.sound() or heard.voices)]
    return Fitting(
        method=every[0].method,
        draws=sum(one.draws for one in every),
        effective=min(one.effective for one in every),
        khat=max(one.khat for one in every),
        rounds=max(one.rounds for one in every),
        seed=heard.seed,
        counts_used=every[0].counts_used,
        sound=all(one.sound for one in every),
        text=every[0].text if len(every) == 1 else f"{len(every)} models; of the first: {every[0].text}",
    )


def _reason(told: _Told, models: Sequence[ModelUsed]) -> Reason:
    dosing = told.treatment.present
    ids = [one.dose_id for one in dosing.given if one.dose_id]
    cited: list[Citation] = [citation for model in models for citation in model.reason.citations]
    named = say_list([f"{model.title} ({say_chance(model.weight)})" for model in models])
    text = f"posterior of {named} given {len(told.seen)} counts and {len(ids)} doses of this person"
    return Reason(
        rule="forecast:marrow",
        text=text,
        evidence=tuple(dict.fromkeys([*told.seen.ids, *ids])),
        citations=tuple(dict.fromkeys(cited)),
    )
