"""What an assessment says, in the order and the words in which every view says it. Views only lay it out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from leuko.errors import Notice
from leuko.frozen import Frozen
from leuko.record import Count, Dose, Fact, Patient, Sign
from leuko.result import (
    Answer,
    Assessment,
    Between,
    Course,
    DaysBelow,
    DefinitionMet,
    Episode,
    Gap,
    Grade,
    Reason,
    ReferenceInterval,
    Status,
)
from leuko.wording import say_bounded, say_count, say_date, say_days, say_list, say_moment, say_number, say_unit

QUESTIONS: Final = {
    "is_it_low": "Is it low?",
    "which_line": "Which line?",
    "how_bad": "How bad?",
    "since_when": "Since when?",
}
POSITIONS: Final = {"below": "▼ below", "within": "• within", "above": "▲ above", "cannot_say": "? cannot say"}
ORIGINS: Final = {
    "laboratory": "printed with the result",
    "duffy_null": "for Duffy-null people",
    "pregnancy": "for pregnancy",
    "age_sex": "for age and sex",
    "adult": "for adults",
    "none": "none known",
}
SHORT_ORIGINS: Final = {
    "laboratory": "lab",
    "duffy_null": "Duffy-null",
    "pregnancy": "pregnancy",
    "age_sex": "age, sex",
    "adult": "adult",
    "none": "",
}
COURSES: Final = {
    "transient": "transient",
    "persistent": "persistent",
    "chronic": "chronic",
    "cyclic": "cyclic",
    "ongoing": "ongoing",
    "not_low": "no low stretch",
    "not_assessable": "cannot be classed",
}
PURPOSE: Final = (
    "leuko informs professionals and shows its basis. It prescribes nothing and is no medical device: "
    "a person who knows the patient decides."
)
STRICT: Final = ("stop", "withhold", "contraindicated", "escalate")
SEVERITIES: Final = ("error", "warning", "info")


# Control characters, and the marks that turn the direction of text: in a terminal they could repaint what was printed,
# in any view they could show digits in another order than they were read.
_UNSAFE: Final = [*range(0x20), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
# Searched for, not translated: of a long text with one sign beyond ASCII, such as a figure's, that takes a hundredth.
_HARMFUL: Final = re.compile("[" + "".join(re.escape(chr(code)) for code in _UNSAFE if chr(code) not in "\n\t") + "]")


def harmless(text: str) -> str:
    """Text from outside without what could change more than its own place in a view; each such sign becomes U+FFFD."""
    return _HARMFUL.sub("\ufffd", text)


def question_words(answer: Answer) -> str:
    """The question that an answer answers, as a heading."""
    return QUESTIONS[answer.question]


def scheme_words(scheme: str, edition: str) -> str:
    """A grading scheme with its edition, without which a grade means nothing: "CTCAE 5"."""
    return f"{scheme.upper()} {edition}"


def grade_words(grade: Grade) -> str:
    """A grade, the grades that remain possible, or that there is none: "4", "3 or 4", "cannot say"."""
    if grade.value is not None:
        return str(grade.value)
    if grade.least is None or grade.most is None:
        return "cannot say"
    if grade.most - grade.least == 1:
        return f"{grade.least} or {grade.most}"
    return f"{grade.least} to {grade.most}" if grade.least != grade.most else str(grade.least)


def interval_words(interval: ReferenceInterval) -> str:
    """The ends of a reference interval: "1.8 to 7.5", "from 1.8", "none known"."""
    low, high = interval.low, interval.high
    if low is not None and high is not None:
        return f"{say_number(low)} to {say_number(high)}"
    if low is not None:
        return f"from {say_number(low)}"
    return f"up to {say_number(high)}" if high is not None else "none known"


def interval_origin(interval: ReferenceInterval) -> str:
    """Whose interval it is."""
    return ORIGINS[interval.origin]


def count_notes(count: Count) -> tuple[str, ...]:
    """What a reader must know beside the number: derived, a bound, corrected, not final."""
    notes = [f"derived: {count.derivation}" if count.derivation else "derived"] if count.kind == "derived" else []
    if count.bound != "=":
        notes.append("a bound, not a value")
    if count.status not in {"final", "unknown"}:
        notes.append(count.status)
    if count.superseded:
        notes.append("earlier: " + ", ".join(say_bounded(old.value, old.bound) for old in count.superseded))
    return tuple(notes)


def alarm_words(assessment: Assessment) -> str:
    """What must be read before all else: who must be seen at once, a monitored medicine to stop; else nothing.

    What the headline says already is not said twice; whom to call still stands by itself.
    """
    return " ".join(part for part in (*_urgent_words(assessment), _stop_words(assessment)) if part)


def _urgent_words(assessment: Assessment) -> tuple[str, ...]:
    infection = assessment.infection
    if infection is None or infection.urgency.level not in {"emergency", "urgent"}:
        return ()
    text, call = infection.urgency.text, infection.urgency.call
    return ("" if text.rstrip(".") in assessment.headline else text, f"Call: {call.rstrip('.')}." if call else "")


def _stop_words(assessment: Assessment) -> str:
    """Every scheme by its name, as they differ; a medicine that is known to be stopped already alarms nobody."""
    plan = assessment.plan
    strict = [each for each in plan.monitoring if each.action in STRICT] if plan is not None else []
    told = [f"{each.title}: {each.action}" for each in strict if each.running is not False]
    return f"Monitored medicine: {'; '.join(dict.fromkeys(told))}." if told else ""


def patient_words(patient: Patient) -> str:
    """Who the record is about, as far as it says."""
    parts = [f"patient {patient.id}"]
    if patient.born is not None:
        parts.append(f"born {_born_words(patient)}")
    parts.append(patient.sex if patient.sex is not None else "sex not on record")
    if patient.duffy_null is not None:
        parts.append("Duffy-null" if patient.duffy_null else "not Duffy-null")
    return ", ".join(parts)


def _born_words(patient: Patient) -> str:
    born = patient.born
    if born is None:
        return ""
    return {"year": f"{born:%Y}", "month": f"{born:%B %Y}"}.get(patient.born_precision, say_date(born))


def short_interval(interval: ReferenceInterval) -> str:
    """The ends and, in short, whose they are: "1.8 to 7.5 (lab)"."""
    short = SHORT_ORIGINS[interval.origin]
    return f"{interval_words(interval)} ({short})" if short else interval_words(interval)


def origins_key(statuses: Iterable[Status]) -> str:
    """What the short words for the intervals' origins mean, for those that occur."""
    seen = dict.fromkeys(status.interval.origin for status in statuses)
    return "; ".join(f"{SHORT_ORIGINS[each]}: {ORIGINS[each]}" for each in seen if SHORT_ORIGINS[each])


def remarks(status: Status) -> list[tuple[str, Reason | None]]:
    """What a reader must know beside a count: critical values, severity, how it came about, conflicts."""
    told: list[tuple[str, Reason | None]] = []
    told += [(met_words(met), met.reason) for met in (*status.critical, status.severity) if met is not None and met.met]
    told += [(note, None) for note in count_notes(status.count)]
    return told + [(reason.text, reason) for reason in status.conflicts]


def dose_words(dose: Dose) -> str:
    """Amount, route, regimen and cycle of a dose, as far as the record says."""
    amount = "" if dose.amount is None else f"{say_number(dose.amount)} {say_unit(dose.unit or '')}".strip()
    cycle = "" if dose.cycle is None else f"cycle {dose.cycle}" + ("" if dose.day is None else f" day {dose.day}")
    return ", ".join(part for part in (amount, dose.route or "", dose.regimen or "", cycle) if part)


def between_words(between: Between) -> str:
    """A time that sampling brackets: "between 12 and 14 January 2026", "on or before …", "after …"."""
    earliest, latest = between.earliest, between.latest
    if earliest is not None and latest is not None:
        if earliest.date() == latest.date():
            return f"on {say_date(latest)}"
        return f"between {say_date(earliest)} and {say_date(latest)}"
    if latest is not None:
        return f"on or before {say_date(latest)}, not seen"
    return f"after {say_date(earliest)}, not seen" if earliest is not None else "at an unknown time"


def span_words(least: float, most: float | None) -> str:
    """A stretch of days that is only bracketed: "at least 4 and at most 9 days"."""
    if most is None:
        return f"at least {say_days(least)}, no upper limit"
    return say_days(least) if least == most else f"at least {say_days(least)}, at most {say_days(most)}"


def below_words(days: Sequence[DaysBelow], unit: str) -> str:
    """Days below one cut, or below several of which the same is known, as the least and the most."""
    cuts = say_list([say_number(each.cut) for each in days])
    each = ", each" if len(days) > 1 else ""
    return f"below {cuts} {say_unit(unit)}{each}: {span_words(days[0].least, days[0].most)}"


def _alike(days: Iterable[DaysBelow]) -> list[list[DaysBelow]]:
    """The cuts of which the same span is known, together."""
    found: dict[tuple[float, float | None], list[DaysBelow]] = {}
    for each in days:
        found.setdefault((each.least, each.most), []).append(each)
    return list(found.values())


class EpisodeWords(Frozen, frozen=True, kw_only=True):
    """An episode as pairs of a name and what is known of it."""

    title: str
    facts: tuple[tuple[str, str], ...]
    episode: Episode


def episode_words(episode: Episode, number: int, label: str) -> EpisodeWords:
    """One episode in words; what is not known says so."""
    unit = episode.nadir_count.unit
    facts = [
        ("Onset", between_words(episode.onset)),
        ("Nadir", f"{say_count(episode.nadir_count)} on {say_moment(episode.nadir_count.taken)}"),
        ("True nadir", between_words(episode.nadir)),
        ("Recovery", _recovery_words(episode)),
        ("Length", span_words(*episode.duration)),
        *(("Days", below_words(days, unit)) for days in _alike([one for one in episode.days_below if one.most != 0])),
    ]
    never = [say_number(days.cut) for days in episode.days_below if days.most == 0]
    if never:
        facts.append(("Never below", f"{say_list(never, 'or')} {say_unit(unit)}, as far as counts were taken"))
    if episode.holes:
        facts.append(("Not sampled", say_list([between_words(hole) for hole in episode.holes])))
    if episode.worst:
        worst = [f"{scheme_words(grade.scheme, grade.edition)} {_worst_words(grade)}" for grade in episode.worst]
        facts.append(("Worst grade", ", ".join(worst)))
    title = f"{label} below {say_number(episode.cut)} {say_unit(unit)}, episode {number}"
    return EpisodeWords(title=title, facts=tuple(facts), episode=episode)


def _worst_words(grade: Grade) -> str:
    return "cannot say" if grade.value is None and grade.least is None else f"grade {grade_words(grade)}"


def _recovery_words(episode: Episode) -> str:
    if episode.recovery is None:
        return "not seen: the last count is still low" if episode.censoring in {"right", "both"} else "not seen"
    return between_words(episode.recovery) + ("" if episode.recovery_confirmed else "; not yet confirmed")


def course_words(course: Course) -> str:
    """What kind of course it is, with its reason; the kind is not said twice."""
    kind, why = COURSES[course.kind], course.kind_reason.text
    return why if why.lower().startswith(kind) else f"{kind[0].upper()}{kind[1:]}: {why}"


def label_of(assessment: Assessment, analyte: str) -> str:
    """What an analyte is called in this assessment."""
    return next((status.label for status in assessment.history if status.count.analyte == analyte), analyte)


def all_gaps(assessment: Assessment) -> tuple[Gap, ...]:
    """Everything that cannot be said, once each: the assessment's own list, then what its parts add."""
    parts = [*assessment.gaps]
    parts += [gap for status in assessment.latest for gap in status.gaps]
    parts += [assessment.lines.gap] if assessment.lines.gap is not None else []
    for course in assessment.courses:
        parts += [*course.gaps, *(part.gap for part in (course.trend, course.cycle) if part.gap is not None)]
        parts += [episode.recovery_gap for episode in course.episodes if episode.recovery_gap is not None]
    return tuple(dict.fromkeys(parts))


def joined_gaps(assessment: Assessment) -> tuple[Gap, ...]:
    """The gaps for reading: those with the same cause and remedy are said once, for all that they concern."""
    alike: dict[tuple[str, str], list[str]] = {}
    for gap in all_gaps(assessment):
        alike.setdefault((gap.why, gap.settle), []).append(gap.what)
    return tuple(Gap(what="; ".join(whats), why=why, settle=settle) for (why, settle), whats in alike.items())


def met_words(met: DefinitionMet) -> str:
    """A definition that is met, by its name and its reason, the name only once."""
    return met.reason.text if met.name.lower() in met.reason.text.lower() else f"{met.name}. {met.reason.text}"


class NoticeGroup(Frozen, frozen=True, kw_only=True):
    """All notices of one code, the gravest groups first."""

    code: str
    severity: str
    notices: tuple[Notice, ...]


def notice_groups(notices: Iterable[Notice]) -> tuple[NoticeGroup, ...]:
    """Notices gathered by code; errors before warnings before infos, lost content first within each."""
    ordered = sorted(notices, key=lambda n: (SEVERITIES.index(n.severity), not n.data_lost, n.code))
    groups: dict[tuple[str, str], list[Notice]] = {}
    for notice in ordered:
        groups.setdefault((notice.severity, notice.code), []).append(notice)
    return tuple(NoticeGroup(code=code, severity=s, notices=tuple(found)) for (s, code), found in groups.items())


class Evidence(Frozen, frozen=True, kw_only=True):
    """The values and facts that reasons rest on, in words, each with the place it was read from."""

    _words: Mapping[str, str]

    @classmethod
    def of(cls, assessment: Assessment) -> Evidence:
        """Everything in an assessment that a reason may point to."""
        counts = [status.count for status in assessment.history] + [aside.count for aside in assessment.set_aside]
        labels = {status.count.analyte: status.label for status in assessment.history}
        said = {count.id: _count_words(count, labels.get(count.analyte, count.analyte)) for count in counts}
        others: tuple[Dose | Sign | Fact, ...] = (*assessment.doses, *assessment.signs, *assessment.facts)
        return cls(_words=MappingProxyType(said | {each.id: _other_words(each) for each in others}))

    def words(self, ids: Iterable[str]) -> tuple[str, ...]:
        """These values and facts; one that the assessment does not hold is named by its id."""
        return tuple(self._words.get(each, each) for each in ids)


def _count_words(count: Count, label: str) -> str:
    return f"{label} {say_count(count)}, {say_moment(count.taken)} ({count.origin.place})"


def _other_words(each: Dose | Sign | Fact) -> str:
    name = each.drug if isinstance(each, Dose) else each.name
    when = each.taken if isinstance(each, Sign) else each.start
    return f"{name}, {say_moment(when)} ({each.origin.place})"
