"""What an assessment says that is worth a card. No words of cards stand here and no limit: those are in data/cards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from leuko.answers import LEADING, is_low
from leuko.knowledge import Library
from leuko.knowledge.schema.cards import Finding as Kind
from leuko.knowledge.schema.outputs import IssueSeverity
from leuko.plan.limits import strictness
from leuko.plan.release import Release
from leuko.plan.treatday import SAID
from leuko.record import Count
from leuko.report.outline import grade_words, scheme_words
from leuko.report.sections.todo import VERDICTS
from leuko.result import Assessment, Course, Gap, Reason, Status
from leuko.result.forecast import Forecast
from leuko.result.plan import Advice, Monitoring, TreatDay
from leuko.wording import say_count, say_date, say_list, say_moment

SEVERITIES: Final = ("high", "moderate", "low")
"""FHIR's words for how severe an issue is, the worst first."""
_PAST: Final = ("nadir", "previous_cycle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing worth saying. `words` fill the wordings of its card, `lines` stand below them.

    `counts` are ids of the counts that it rests on, `about` what else tells it from another finding; `orders` are ids
    of the orders that it speaks of.
    """

    kind: Kind
    level: str = ""
    analyte: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    gaps: tuple[Gap, ...] = ()
    counts: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()


def findings_of(assessment: Assessment, releases: Sequence[Release], *, library: Library) -> tuple[Finding, ...]:
    """Everything worth a card, at any hook; which of it is said where stands with the cards."""
    found = (
        *_infection(assessment),
        *_counts(assessment, library),
        *(finding for release in releases for finding in _release(release, assessment)),
        *_today(assessment),
        *_monitoring(assessment),
        *_overdue(assessment),
        *_unusable(assessment),
        *_forecasts(assessment),
        *_going_home(assessment, library),
    )
    return tuple(found)


def count_digests(assessment: Assessment) -> dict[str, str]:
    """A digest of each count, by its id: what a card that rests on it falls with."""
    return {status.count.id: digest_of(status.count) for status in assessment.history}


def digest_of(count: Count) -> str:
    """What a count says, the place and state of its report aside: a final result of the same value is no other one."""
    said = (count.analyte, count.value, count.bound, count.unit, count.taken)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


# ---- infection ------------------------------------------------------------------------------------------------------


def _infection(assessment: Assessment) -> Iterator[Finding]:
    infection = assessment.infection
    if infection is None or infection.urgency.level not in {"emergency", "urgent"}:
        return
    urgency = infection.urgency
    anc = _latest(assessment).get("neutrophils")
    calls = () if assessment.advice is None else tuple(one.text for one in assessment.advice.calls if one.active)
    yield Finding(
        kind="emergency" if urgency.level == "emergency" else "urgent",
        words={"text": urgency.text.rstrip("."), **({} if anc is None else _words_of(anc))},
        lines=(urgency.text, *([f"Call: {urgency.call}"] if urgency.call else []), *calls),
        reasons=urgency.reasons,
        gaps=infection.gaps,
        counts=() if anc is None else (anc.count.id,),
        about=(urgency.level, *sorted(evidence for reason in urgency.reasons for evidence in reason.evidence)),
    )


# ---- counts ---------------------------------------------------------------------------------------------------------


def _latest(assessment: Assessment) -> Mapping[str, Status]:
    return {status.count.analyte: status for status in assessment.latest}


def _stale(assessment: Assessment, status: Status, library: Library) -> bool:
    """Whether a count no longer speaks for the day, as the headline has it; one without a day never does."""
    longest = min((rules.hole_days for rules in library.course.values()), default=inf)
    return status.count.taken is None or (assessment.as_of - status.count.taken.day).days > longest


def _counts(assessment: Assessment, library: Library) -> Iterator[Finding]:
    latest = _latest(assessment)
    severities = {row.definition: row.severity for row in library.rows(IssueSeverity)}
    low = [latest[name] for name in LEADING if name in latest and is_low(latest[name]) and latest[name].usual is None]
    courses = {course.analyte: course for course in assessment.courses}
    now = [status for status in low if not _stale(assessment, status, library)]
    if now:
        worst = min(now, key=lambda status: _rank(_severity(status, severities)))
        yield _count(worst, _severity(worst, severities), courses.get(worst.count.analyte), now)
    elif low:
        yield Finding(
            kind="old_count",
            analyte=low[0].count.analyte,
            words=_words_of(low[0]),
            lines=(assessment.headline,),
            counts=(low[0].count.id,),
        )
    if assessment.lines.name in {"pancytopenia", "bicytopenia"} and now:
        yield _lines(assessment, latest)


def _severity(status: Status, severities: Mapping[str, str]) -> str:
    """The worst severity that data/outputs gives the bands and critical values that the count meets; empty: none."""
    met = [one for one in (status.severity, *status.critical) if one is not None and one.met]
    found = [severities[one.id] for one in met if one.id in severities]
    return min(found, key=_rank, default="")


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _count(status: Status, level: str, course: Course | None, low: Sequence[Status]) -> Finding:
    house = status.severity or next((met for met in status.definitions if met.house and met.met), None)
    named = house.name if house is not None else f"{status.label} below the reference interval"
    grades = [f"{scheme_words(one.scheme, one.edition)} {grade_words(one)}" for one in status.grades]
    told = [one for one in (status.severity, *status.critical) if one is not None and one.met]
    others = [
        f"{one.label} {say_count(one.count)} on {say_moment(one.count.taken)}" for one in low if one is not status
    ]
    since = {} if course is None or not course.episodes else _since(course)
    return Finding(
        kind="count",
        level=level,
        analyte=status.count.analyte,
        words={**_words_of(status), "named": f"{named[0].upper()}{named[1:]}", **since},
        lines=(
            status.position_reason.text,
            *([f"Grades: {'; '.join(grades)}"] if grades else []),
            *([f"Also low: {say_list(others)}"] if others else []),
            *dict.fromkeys(f"{one.name}{f' ({one.authority})' if one.authority else ''}" for one in told),
        ),
        reasons=tuple(one.reason for one in told) or (status.position_reason,),
        gaps=status.gaps,
        counts=tuple(one.count.id for one in low),
        about=(level,),
    )


def _since(course: Course) -> dict[str, str]:
    onset = course.episodes[-1].onset
    if course.episodes[-1].recovery is not None or onset.latest is None:
        return {}
    return {"since": f"low since {say_date(onset.latest)}{'' if onset.earliest is not None else ' or before'}"}


def _lines(assessment: Assessment, latest: Mapping[str, Status]) -> Finding:
    lines = assessment.lines
    name = lines.name
    shown = [status for status in latest.values() if is_low(status) and status.count.analyte in _OF_LINES]
    counts = [f"{status.label[0].lower()}{status.label[1:]} {say_count(status.count)}" for status in shown]
    days = [status.count.taken for status in shown if status.count.taken is not None]
    words = {"named": f"{name[0].upper()}{name[1:]}", "counts": say_list(counts)}
    return Finding(
        kind="lines",
        level=name,
        words=words | ({"day": say_moment(max(days, key=lambda moment: moment.at))} if days else {}),
        lines=(lines.reason.text,),
        reasons=(lines.reason,),
        counts=tuple(status.count.id for status in shown),
        about=(name,),
    )


_OF_LINES: Final = ("neutrophils", "wbc", "haemoglobin", "platelets")


def _words_of(status: Status) -> dict[str, str]:
    return {
        "label": status.label,
        "value": say_count(status.count),
        "day": say_moment(status.count.taken),
    }


# ---- treatment ------------------------------------------------------------------------------------------------------


def _strictest(rules: Iterable[TreatDay]) -> Advice:
    """What asks for most; a silence counts for more than a yes, and less than a no."""
    said = [rule.verdict for rule in rules]
    bound = [one for one in said if one != "cannot_say"]
    worst = max(bound, key=strictness, default=None)
    against = worst is not None and strictness(worst) >= strictness("reduce")
    return worst if worst is not None and (against or "cannot_say" not in said) else "cannot_say"


def _release(release: Release, assessment: Assessment) -> Iterator[Finding]:
    day = say_date(release.due)
    if release.rules:
        present = [rule for rule in release.rules if rule.checkpoint not in _PAST] or list(release.rules)
        past = [rule for rule in release.rules if rule not in present and rule.verdict != "cannot_say"]
        level = _strictest([*present, *past])
        counts = _counts_of(release.rules, assessment)
        gap = next((rule.gap for rule in present if rule.gap is not None), None)
        yield Finding(
            kind="order",
            level=level,
            words={
                "drugs": say_list(release.drugs),
                "day": day,
                "verdict": SAID[level],
                **({"counts": _say_counts(counts)} if counts else {}),
                **({"why": gap.why} if gap is not None else {}),
            },
            lines=tuple(f"{rule.text}{f' {rule.then}' if rule.then else ''}" for rule in release.rules),
            reasons=tuple(rule.reason for rule in release.rules),
            gaps=tuple(rule.gap for rule in release.rules if rule.gap is not None),
            counts=tuple(count.id for count in counts),
            about=(release.due.isoformat(), *release.orders, level),
            orders=release.orders,
        )
    if release.unruled:
        drugs = say_list(release.unruled)
        yield Finding(
            kind="unruled_order",
            words={"drugs": drugs, "day": day},
            lines=(f"leuko's tables hold no confirmed rule on the counts before {drugs}. That is no go-ahead.",),
            about=(release.due.isoformat(), *release.unruled),
            orders=release.orders,
        )


def _counts_of(rules: Iterable[TreatDay], assessment: Assessment) -> tuple[Count, ...]:
    """The latest counts that rules rest on, one of each analyte."""
    named = {evidence for rule in rules for evidence in rule.reason.evidence}
    return tuple(status.count for status in assessment.latest if status.count.id in named)


def _say_counts(counts: Sequence[Count]) -> str:
    return say_list([f"{count.analyte} {say_count(count)} on {say_moment(count.taken)}" for count in counts])


def _today(assessment: Assessment) -> Iterator[Finding]:
    """Treatment that is due by the plan of the record; rules on the cycle before only where they ask for something."""
    plan = assessment.plan
    due = [] if plan is None else [rule for rule in plan.treat_days if rule.today and rule.due is not None]
    present = [rule for rule in due if rule.checkpoint not in _PAST or rule.verdict != "cannot_say"]
    if not present:
        return
    level = _strictest(present)
    spoke = [rule for rule in present if rule.verdict == level] or present
    counts = _counts_of(spoke, assessment)
    yield Finding(
        kind="treatment_today",
        level=level,
        words={
            "title": spoke[0].title,
            "verdict": SAID[level],
            **({"counts": _say_counts(counts)} if counts else {}),
        },
        lines=tuple(rule.text for rule in present),
        reasons=tuple(rule.reason for rule in present),
        gaps=tuple(rule.gap for rule in present if rule.gap is not None),
        counts=tuple(count.id for count in counts),
        about=(level, *(rule.id for rule in present), *(str(rule.due) for rule in present)),
    )


def _monitoring(assessment: Assessment) -> Iterator[Finding]:
    """For each monitored medicine that is, or may be, taken: the scheme that asks for most."""
    drugs: dict[str, list[Monitoring]] = {}
    for one in () if assessment.plan is None else assessment.plan.monitoring:
        read = any(citation.confidence != "house" for citation in one.reason.citations)
        if one.running is not False and read and one.action != "cannot_say":
            drugs.setdefault(one.drug, []).append(one)
    for drug, schemes in drugs.items():
        worst = max(schemes, key=lambda one: strictness(one.action) if one.action != "escalate" else inf)
        counts = [status.count for status in assessment.latest if status.count.id in worst.reason.evidence]
        yield Finding(
            kind="monitoring",
            level=worst.action,
            words={
                "title": worst.title[0].upper() + worst.title[1:],
                "drug": drug,
                "verdict": VERDICTS[worst.action],
                **({"counts": _say_counts(counts)} if counts else {}),
            },
            lines=tuple(one.text for one in schemes),
            reasons=tuple(one.reason for one in schemes),
            gaps=tuple(gap for one in schemes for gap in one.gaps),
            counts=tuple(count.id for count in counts),
            about=(drug, worst.scheme, worst.action),
        )


def _overdue(assessment: Assessment) -> Iterator[Finding]:
    plan = assessment.plan
    if plan is None:
        return
    found = [(one.due, one.title, one.text, one.reason) for one in plan.monitoring if one.overdue]
    found += [
        (one.due, one.text.partition(". ")[0].rstrip("."), one.text, one.reason)
        for one in plan.next_counts
        if one.overdue
    ]
    dated = sorted((one for one in found if one[0] is not None), key=lambda one: str(one[0]))
    if not dated:
        return
    due, title, _, _ = dated[0]
    yield Finding(
        kind="overdue",
        words={"day": say_date(due), "title": title} if due is not None else {},
        lines=tuple(dict.fromkeys(text for _, _, text, _ in dated)),
        reasons=tuple(reason for _, _, _, reason in dated),
        counts=tuple(dict.fromkeys(evidence for _, _, _, reason in dated for evidence in reason.evidence)),
        about=tuple(dict.fromkeys(f"{day} {title}" for day, title, _, _ in dated)),
    )


# ---- the rest -------------------------------------------------------------------------------------------------------


def _unusable(assessment: Assessment) -> Iterator[Finding]:
    lost = [one for one in assessment.notices if one.severity == "error" and one.data_lost]
    if lost:
        places = tuple(f"{one.code} {one.place} {one.text}" for one in lost)
        number = f"{len(lost)} result{'s' if len(lost) > 1 else ''}"
        yield Finding(
            kind="unusable",
            words={"number": number, **({"text": lost[0].text} if len(lost) == 1 else {})},
            lines=tuple(f"{one.text} ({one.code}, {one.place}){f': {one.help}' if one.help else ''}" for one in lost),
            about=places,
        )


def _forecasts(assessment: Assessment) -> Iterator[Finding]:
    for one in assessment.forecasts:
        if one.outcome is not None:
            yield _forecast(one)


def _forecast(one: Forecast) -> Finding:
    models = [f"{model.title} ({model.population}; {model.domain_text})" for model in one.models]
    return Finding(
        kind="forecast",
        analyte=one.analyte,
        words={"text": one.headline.rstrip("."), "label": one.analyte},
        lines=(one.headline, one.start_text, *one.cautions, *models),
        reasons=(one.reason,),
        gaps=one.gaps,
        counts=one.reason.evidence,
        about=(one.analyte, one.headline),
    )


def _going_home(assessment: Assessment, library: Library) -> Iterator[Finding]:
    latest, advice = _latest(assessment), assessment.advice
    low = [latest[name] for name in LEADING if name in latest and is_low(latest[name])]
    low = [status for status in low if not _stale(assessment, status, library)]
    if not low or advice is None:
        return
    due = [] if assessment.plan is None else [one.text for one in assessment.plan.next_counts if one.due is not None]
    yield Finding(
        kind="going_home",
        words=_words_of(low[0]),
        lines=(
            f"Call at {advice.fever_limit:g} °C or more",
            *(rule.text for rule in advice.calls),
            *(f"Next count: {text}" for text in due[:2]),
        ),
        reasons=(advice.fever_reason, *(rule.reason for rule in advice.calls)),
        gaps=advice.gaps,
        counts=(low[0].count.id,),
    )
