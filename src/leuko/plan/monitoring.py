"""Monitored medicines: which band the counts lie in by each scheme, what it asks for, and when the next count is due.

Every country's scheme is shown. The table for benign ethnic (Duffy-null) neutropenia is used only where the phenotype
was tested or the condition is declared in the record; it is never inferred.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from leuko.frozen import Frozen, replace
from leuko.knowledge.schema.plan import MonitorBand, MonitorInterval, MonitorNote, MonitorScheme, PlanDrug
from leuko.plan.limits import meets, speak, strictness
from leuko.plan.person import Known, Taken, facts_named
from leuko.record import Count
from leuko.result import Gap, Reason
from leuko.result.plan import Advice, Monitoring
from leuko.wording import say_count, say_date, say_days, say_list, say_moment

_BEN: Final = ("benign ethnic neutrop", "duffy-null", "duffy null", "constitutional neutrop")
_ON_SCHEDULE: Final = frozenset({"give", "escalate"})
"""What a band may ask for while the schedule of a person with good counts still holds."""
_STOPPED: Final = frozenset({"stopped", "completed", "ended", "discontinued"})


class Course(Frozen, frozen=True, kw_only=True):
    """One medicine in the record: since when, whether it is still taken, and breaks in it [days]."""

    drug: str
    start: date | None
    end: date | None
    running: bool | None
    breaks: tuple[tuple[date, int], ...]
    doses: tuple[str, ...]
    gaps: tuple[Gap, ...]


def monitoring_of(known: Known, *, but: Iterable[str], site: Any = None) -> tuple[Monitoring, ...]:
    """Every scheme for every monitored medicine of the record, except those in `but` (parts of chemotherapy)."""
    courses = [_course(drug, known) for drug in _monitored(known) if drug not in set(but)]
    found = [
        _scheme(scheme, course, known)
        for course in courses
        for scheme in known.rows(MonitorScheme)
        if course.drug in scheme.drugs and (scheme.population == "general" or _declared(known))
    ]
    return tuple(_with_conflicts(sorted(found, key=lambda one: _place(one, site))))


def _place(found: Monitoring, site: Any) -> tuple[str, bool, int]:
    own = str(getattr(site, "jurisdiction", "") or getattr(site, "country", "") or "")
    rank = -strictness(found.action) if found.action != "cannot_say" else 1
    return (found.drug, found.jurisdiction != own, rank)


def _monitored(known: Known) -> tuple[str, ...]:
    names = {drug for scheme in known.library.rows(MonitorScheme) for drug in scheme.drugs}
    rows = {row.id for row in known.library.rows(PlanDrug) if row.id in names}
    seen = [one.drug for one in known.taken] + [d for dose in known.undated for d in known.shelf.find(dose.drug)]
    return tuple(dict.fromkeys(drug for drug in seen if drug in rows))


def _declared(known: Known) -> bool:
    return known.record.patient.duffy_null is True or bool(facts_named(known.record.facts, words=_BEN))


# ---- since when, and still? ----


def _course(drug: str, known: Known) -> Course:
    doses = [one for one in known.taken if one.drug == drug]
    wrong = [one for one in doses if one.dose.end is not None and one.dose.end.day < one.day]
    good = [one for one in doses if one not in wrong]
    undated = [dose.id for dose in known.undated if drug in known.shelf.find(dose.drug)]
    end, running = _end(good, known.as_of)
    gaps = [_contradiction(one) for one in wrong]
    if not good:
        gaps.append(Gap(what=f"since when {drug} is taken", why="no usable start in the record", settle="the start"))
    return Course(
        drug=drug,
        start=min((one.day for one in good), default=None),
        end=end,
        running=running if good else None,
        breaks=_breaks(good),
        doses=(*(one.dose.id for one in doses), *undated),
        gaps=tuple(gaps),
    )


def _contradiction(one: Taken) -> Gap:
    end = one.dose.end.day if one.dose.end is not None else one.day
    return Gap(
        what=f"when {one.drug} was taken",
        why=f"the record contradicts itself: stopped on {say_date(end)}, before it started on {say_date(one.day)}",
        settle="the true days of start and stop",
    )


def _end(doses: Sequence[Taken], as_of: date) -> tuple[date | None, bool | None]:
    """The day it was stopped, and whether it is still taken: open where only single doses are on record."""
    if not doses:
        return None, None
    if any(one.dose.end is None and one.dose.status in {"active", "in-progress"} for one in doses):
        return None, True
    ends = [one.dose.end.day for one in doses if one.dose.end is not None]
    if ends and max(ends) > as_of:
        return None, True
    last = max(doses, key=lambda one: one.day)
    if last.dose.end is not None:
        return max(ends), False
    return None, False if last.dose.status in _STOPPED and not last.dose.given else None


def _breaks(doses: Sequence[Taken]) -> tuple[tuple[date, int], ...]:
    """Breaks between stretches with a known end: the day it began again, and the days between."""
    found = []
    spans = sorted((one.day, one.dose.end.day) for one in doses if one.dose.end is not None)
    starts = sorted({one.day for one in doses})
    for _, end in spans:
        later = [start for start in starts if start > end]
        covered = any(a <= end < b for a, b in spans)
        if later and not covered:
            found.append((later[0], (later[0] - end).days))
    return tuple(dict.fromkeys(found))


# ---- one scheme ----


def _scheme(scheme: MonitorScheme, course: Course, known: Known) -> Monitoring:
    since, notes, conflicts = _since(scheme, course, known)
    bands = [row for row in known.rows(MonitorBand) if row.scheme == scheme.id and _applies(row, course, known)]
    counts = {n: c for n, c in known.counts.items() if any(n in band.limits for band in bands)}
    said = speak(bands, counts, {})
    own = next((band for band in bands if band.id in said.rows and meets(band, counts)), None)
    named = _named(bands, said.rows, said.verdict, own)
    due, every = _due(scheme, own, since, counts, known)
    open_gap = _open(scheme, bands, counts, named, known)
    gaps = (*course.gaps, *open_gap, *_no_interval(scheme, own, every, course))
    return Monitoring(
        scheme=scheme.id,
        title=scheme.title,
        drug=course.drug,
        jurisdiction=scheme.jurisdiction,
        population=scheme.population,
        band=named,
        possible=tuple(band.name for band in bands if band.id in said.rows) if named is None else (),
        action=said.verdict,
        text=_text(scheme, own, counts, known, gaps=open_gap, course=course),
        since=since,
        on_drug_days=(known.as_of - since).days if since is not None else None,
        running=course.running,
        counts=own.counts if own is not None and own.counts else every,
        due=due if course.running is not False else None,
        overdue=due < known.as_of if due is not None and course.running is not False else None,
        reason=_reason(scheme, own, bands, counts, known),
        notes=(*notes, *_notes(course.drug, scheme, known)),
        conflicts=conflicts,
        gaps=gaps,
    )


def _applies(band: MonitorBand, course: Course, known: Known) -> bool:
    """Whether a band is asked: one for the start only where the last counts are from before the first dose."""
    if not band.at_start:
        return True
    days = [known.counts[name].taken for name in band.limits if name in known.counts]
    return course.start is not None and bool(days) and all(d is not None and d.day <= course.start for d in days)


def _named(bands: Sequence[MonitorBand], ids: Sequence[str], verdict: Advice, own: MonitorBand | None) -> str | None:
    if verdict == "cannot_say":
        return None
    if verdict == "not_barred":
        return "beyond every limit"
    return own.name if own is not None else next((band.name for band in bands if band.id in ids), None)


def _open(
    scheme: MonitorScheme, bands: Sequence[MonitorBand], counts: Mapping[str, Count], named: str | None, known: Known
) -> tuple[Gap, ...]:
    if named is not None or not bands:
        return ()
    asked = dict.fromkeys(name for band in bands for name in band.limits)
    missing = [_label(known, name) for name in asked if name not in counts]
    why = f"no count of {say_list(missing)}" if missing else "the count is only a bound, or lies between the bands"
    return (Gap(what=f"the band by {scheme.title}", why=why, settle="a blood count with a differential"),)


def _since(
    scheme: MonitorScheme, course: Course, known: Known
) -> tuple[date | None, tuple[Reason, ...], tuple[Reason, ...]]:
    """The day that the schedule counts from: the start, or the return after a long break."""
    since, notes, conflicts = course.start, [], []
    for back, days in course.breaks:
        if scheme.restart_days is None:
            continue
        text = f"{course.drug} was interrupted for {say_days(float(days))} until {say_date(back)}"
        if scheme.restart_open is not None and days == scheme.restart_open:
            words = f"{text}: {scheme.restart_says} Counted here as a new start, the stricter reading"
            conflicts.append(known.reason(f"plan:monitor:{scheme.id}:restart", words, scheme.basis))
            since = back
        elif days > scheme.restart_days:
            words = f"{text}: the schedule starts again. {scheme.restart_says}"
            notes.append(known.reason(f"plan:monitor:{scheme.id}:restart", words, scheme.basis))
            since = back
    return since, tuple(notes), tuple(conflicts)


def _due(
    scheme: MonitorScheme, own: MonitorBand | None, since: date | None, counts: Mapping[str, Count], known: Known
) -> tuple[date | None, str]:
    """The day of the next count and the words for its interval. A band's own interval goes before the schedule's."""
    intervals = [row for row in known.rows(MonitorInterval) if row.scheme == scheme.id]
    last = max((c.taken.day for c in _asked(counts, known) if c.taken is not None), default=None)
    if own is not None and own.next_days is not None:
        return (last + timedelta(days=own.next_days) if last is not None else None), own.counts
    if own is not None and own.action not in _ON_SCHEDULE:
        return None, own.counts
    if since is None or not intervals:
        return None, say_list([row.says for row in intervals], "then") if intervals else ""
    day = (known.as_of - since).days
    row = next((r for r in intervals if r.from_days <= day and (r.to_days is None or day < r.to_days)), None)
    if row is None:
        return None, ""
    row = _strict(row, intervals, scheme, since, known)
    words = f"{row.says} (if there was {row.only_if})" if row.only_if else row.says
    if last is None or last < since:
        return since, words
    return last + timedelta(days=row.every_days), words


def _no_interval(scheme: MonitorScheme, own: MonitorBand | None, every: str, course: Course) -> tuple[Gap, ...]:
    """The schedule of good counts must not stand beside a band that calls for action."""
    if own is None or own.action in _ON_SCHEDULE or own.counts or every or course.running is False:
        return ()
    why = f"the count calls for action ({own.name}), and the text that was read names no interval for it"
    return (Gap(what=f"when to count again by {scheme.title}", why=why, settle="the full label or scheme"),)


def _asked(counts: Mapping[str, Count], known: Known) -> tuple[Count, ...]:
    """The counts that a scheme follows; for one without limits the neutrophils, else the white count."""
    if counts:
        return tuple(counts.values())
    found = known.counts.get("neutrophils") or known.counts.get("wbc")
    return (found,) if found is not None else ()


def _strict(
    row: MonitorInterval,
    intervals: Sequence[MonitorInterval],
    scheme: MonitorScheme,
    since: date,
    known: Known,
) -> MonitorInterval:
    """A longer interval that depends on a clean record falls back to the one before, where counts were low since."""
    if not row.only_if or not _low_since(scheme, since, known):
        return row
    before = [one for one in intervals if not one.only_if]
    return before[-1] if before else row


def _low_since(scheme: MonitorScheme, since: date, known: Known) -> bool:
    bands = [b for b in known.rows(MonitorBand) if b.scheme == scheme.id and b.action not in {"give", "escalate"}]
    counts = [c for c in known.series.get("neutrophils", ()) if c.taken is not None and c.taken.day >= since]
    return any(meets(band, {"neutrophils": count}) for band in bands for count in counts)


def _text(
    scheme: MonitorScheme,
    own: MonitorBand | None,
    counts: Mapping[str, Count],
    known: Known,
    *,
    gaps: Sequence[Gap],
    course: Course,
) -> str:
    shown = say_list([f"{_label(known, n)} {say_count(c)} on {say_moment(c.taken)}" for n, c in counts.items()])
    if own is not None:
        stopped = " It is no longer taken." if course.running is False else ""
        return f"{scheme.title}: {own.name}; {shown}. {own.says}{stopped}"
    if gaps:
        return f"{scheme.title}: cannot say: {gaps[0].why}{f' ({shown})' if shown else ''}."
    if counts:
        return f"{scheme.title}: beyond every limit of the scheme; {shown}."
    return f"{scheme.title}: {scheme.basis.says}"


def _reason(
    scheme: MonitorScheme,
    own: MonitorBand | None,
    bands: Sequence[MonitorBand],
    counts: Mapping[str, Count],
    known: Known,
) -> Reason:
    text = own.says if own is not None else scheme.basis.says
    bases = [own.basis] if own is not None else [scheme.basis, *(band.basis for band in bands)]
    return known.reason(f"plan:monitor:{scheme.id}", text, *bases, evidence=[c.id for c in counts.values()])


def _notes(drug: str, scheme: MonitorScheme, known: Known) -> tuple[Reason, ...]:
    own = (known.reason(f"plan:monitor:{scheme.id}", scheme.note, scheme.basis),) if scheme.note else ()
    fitting = [
        row
        for row in known.rows(MonitorNote)
        if drug in row.drugs and row.jurisdiction in {"", re.sub(r",.*", "", scheme.jurisdiction)}
    ]
    return (*own, *(known.reason(f"plan:note:{row.id}", row.says, row.basis) for row in fitting))


def _with_conflicts(found: Sequence[Monitoring]) -> Iterable[Monitoring]:
    """Where schemes for one medicine ask for different things at these counts, each carries the same conflict."""
    for one in found:
        said = [other for other in found if other.drug == one.drug and other.action != "cannot_say"]
        if one not in said or len({other.action for other in said}) < 2:
            yield one
            continue
        words = say_list([f"{other.title}: {other.band} ({other.action.replace('_', ' ')})" for other in said])
        clash = Reason(
            rule=f"conflict:monitor:{one.drug}",
            text=f"Schemes differ at these counts. {words}",
            evidence=tuple(dict.fromkeys(e for other in said for e in other.reason.evidence)),
            citations=tuple(dict.fromkeys(c for other in said for c in other.reason.citations)),
        )
        yield replace(one, conflicts=(*one.conflicts, clash))


def duffy_gap(known: Known, found: Sequence[Monitoring]) -> tuple[Gap, ...]:
    """What a test of the Duffy phenotype would change: counts that the table for Duffy-null people judges otherwise."""
    if known.record.patient.duffy_null is not None or _declared(known):
        return ()
    drugs = {one.drug for one in found if one.action not in {"give", "not_barred", "cannot_say", "escalate"}}
    tables = [s for s in known.rows(MonitorScheme) if s.population == "duffy_null" and drugs & set(s.drugs)]
    if not tables:
        return ()
    return (
        Gap(
            what=f"which table holds for {say_list(sorted(drugs & {d for s in tables for d in s.drugs}))}",
            why="there is a table of its own for benign ethnic (Duffy-null) neutropenia; the phenotype was not tested",
            settle="red cell phenotype Fy(a)/Fy(b), or ACKR1 genotype; counts from before the treatment",
        ),
    )


def _label(known: Known, analyte: str) -> str:
    row = known.library.analytes.get(analyte)
    return row.short if row is not None and row.short else analyte
