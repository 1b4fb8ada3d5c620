"""The four questions a low count raises first, each answered in one sentence that the record can carry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, Literal

from leuko.frozen import Frozen
from leuko.result import Answer, Citation, Course, DefinitionMet, Episode, Grade, Lines, Reason, Status
from leuko.wording import say_count, say_date, say_days, say_list, say_moment, say_number

WHITE_LINES: Final = ("neutrophils", "lymphocytes", "monocytes", "eosinophils", "basophils")
LEADING: Final = ("neutrophils", "wbc", "lymphocytes")
SEVERAL: Final = ("bicytopenia", "pancytopenia")
Question = Literal["is_it_low", "which_line", "how_bad", "since_when"]


class Findings(Frozen, frozen=True, kw_only=True):
    """What the answers are made from: the latest status of each analyte, the courses, the lines at the latest draw.

    `stale_days` is how long after its draw a count still speaks for the day of the assessment [days]; `emergency` is
    what cannot wait, in one sentence, where there is such.
    """

    latest: Mapping[str, Status]
    courses: Mapping[str, Course]
    lines: Lines
    as_of: date
    stale_days: float
    emergency: str = ""

    def stale(self, status: Status) -> bool:
        """Whether a count is too old to speak for the day of the assessment."""
        return status.count.taken is not None and (self.as_of - status.count.taken.day).days > self.stale_days


def answer(findings: Findings) -> tuple[Answer, ...]:
    """The answers in the order people ask: is it low, which line, how bad, since when."""
    return (_is_it_low(findings), _which_line(findings), _how_bad(findings), _since_when(findings))


def headline(findings: Findings) -> str:
    """One sentence that carries the main finding, or says why there is none; an emergency comes before it."""
    return " ".join(filter(None, (findings.emergency, _counts_in_short(findings))))


def _counts_in_short(findings: Findings) -> str:
    leading = _leading(findings)
    if leading is None:
        return "Cannot say whether the white count is low: the record holds no usable white cell or neutrophil count."
    where = f"{leading.label} {say_count(leading.count)} on {say_moment(leading.count.taken)}"
    when = _age_words(leading, findings.as_of)
    since = _since_words(findings, leading)
    unseen = f"{_other_lines(findings)}{_unseen_words(findings)}"
    named = _with_lines(findings, leading)
    if not findings.stale(leading):
        return f"{named}: {where}{when}{since}{unseen}."
    named = f"{named} at the last count" if is_low(leading) else f"{named}, at the last count"
    return f"{named}: {where}{when}{unseen}. How it stands on {say_date(findings.as_of)} cannot be said."


def _with_lines(findings: Findings, leading: Status) -> str:
    """The main finding, behind the name for low counts in several lines: the work-up turns on it."""
    name, own = findings.lines.name, _named(leading)
    if name not in SEVERAL or not is_low(leading):
        return own
    return f"{name[0].upper()}{name[1:]} with {own[0].lower()}{own[1:]}"


def _other_lines(findings: Findings) -> str:
    """The counts of red cells and platelets that are low beside the white cells."""
    if findings.lines.name not in SEVERAL:
        return ""
    others = [findings.latest[name] for name in ("haemoglobin", "platelets") if name in findings.latest]
    low = [f"{_small(status)} {say_count(status.count)}" for status in others if is_low(status)]
    return f"; {say_list(low)}" if low else ""


def is_low(status: Status) -> bool | None:
    """Whether the house definition of low is met, else whether the count lies below its interval; None: cannot say."""
    house = _house(status)
    if house is not None and house.met is not None:
        return house.met or status.position == "below"
    return {"below": True, "within": False, "above": False, "cannot_say": None}[status.position]


def _usual(status: Status) -> str:
    """Why a count that is low by the general definition is usual for people like this one; empty where it is not."""
    return status.usual.text if status.usual is not None and is_low(status) else ""


def _leading(findings: Findings) -> Status | None:
    """The count that the answer is about: the first that is low, else the first that can be told, else any.

    A count that is usual for the person stands behind one that is not.
    """
    known = [findings.latest[analyte] for analyte in LEADING if analyte in findings.latest]
    low = sorted((status for status in known if is_low(status)), key=lambda status: bool(_usual(status)))
    told = [status for status in known if is_low(status) is not None]
    return next(iter([*low, *told, *known]), None)


def _named(status: Status) -> str:
    house, low = _house(status), is_low(status)
    if usual := _usual(status):
        return f"{status.label} {usual}, though below the general limit"
    if house is not None and house.met:
        severe = status.severity.name if status.severity is not None else house.name
        return severe[0].upper() + severe[1:]
    if status.position == "below":
        return f"{status.label} below the reference interval, but not below the limit that defines {_defined(house)}"
    return f"Cannot say whether {_small(status)} are low" if low is None else f"{status.label} not low"


def _small(status: Status) -> str:
    return status.label[0].lower() + status.label[1:]


def _unseen_words(findings: Findings) -> str:
    """A normal white count says nothing of its parts: say so where the neutrophils are not known."""
    anc = findings.latest.get("neutrophils")
    if "wbc" not in findings.latest or (anc is not None and is_low(anc) is not None):
        return ""
    return "; whether neutrophils are low cannot be said: they were not counted"


def _defined(house: DefinitionMet | None) -> str:
    return house.name if house is not None else "a low count"


def _house(status: Status) -> DefinitionMet | None:
    return next((met for met in status.definitions if met.house), None)


def _age_words(status: Status, as_of: date) -> str:
    if status.count.taken is None:
        return ""
    days = (as_of - status.count.taken.day).days
    return f" ({say_days(days)} before this assessment)" if days > 0 else ""


def _is_it_low(findings: Findings) -> Answer:
    wbc, anc = findings.latest.get("wbc"), findings.latest.get("neutrophils")
    both = [status for status in (wbc, anc) if status is not None]
    told = [status for status in both if is_low(status) is not None] or both
    if not told:
        return _silent("is_it_low", "no white cell count and no neutrophil count could be used")
    text = "; ".join(_low_words(status) for status in told)
    verdicts = [is_low(status) for status in told]
    start = "Yes" if True in verdicts else "Cannot say" if None in verdicts else "No"
    text += _age_words(told[0], findings.as_of) + _unseen_words(findings)
    if wbc is None:
        text += "; the total white count is not in the record"
    if start == "Yes" and (usual := _usual_of_all(told)):
        start = "Only by the general limits, not for this person"
        text += f". Yet the neutrophils are {usual}: usual for this person"
    known = start != "Cannot say" and not findings.stale(told[0])
    if findings.stale(told[0]):
        text = f"{text}. How it stands on {say_date(findings.as_of)} cannot be said"
        start = f"{start}, at the last count" if start != "Cannot say" else start
    reason = _joined("answer:low", told)
    return Answer(question="is_it_low", text=f"{start}: {text}.", known=known, reason=reason)


def _usual_of_all(told: list[Status]) -> str:
    """Why the neutrophils are usual for the person, where nothing that is low is unusual."""
    if any(is_low(status) and not _usual(status) for status in told):
        return ""
    return next((words for status in told if status.count.analyte == "neutrophils" and (words := _usual(status))), "")


def _low_words(status: Status) -> str:
    house = _house(status)
    where = f"{status.label} {say_count(status.count)} on {say_moment(status.count.taken)}"
    return f"{where}: {house.reason.text if house is not None else status.position_reason.text}"


def _which_line(findings: Findings) -> Answer:
    white = [findings.latest[line] for line in WHITE_LINES if line in findings.latest]
    told = [status for status in white if is_low(status) is not None]
    lines = findings.lines.reason.text
    if not told:
        why = "without a differential the lines of the white cells are not known"
        return _silent("which_line", f"{why}. Of the three lines of the blood: {lines}")
    groups = {"low": True, "not low": False}
    parts = [f"{name}: {say_list(found)}" for name, low in groups.items() if (found := _labels(told, low=low))]
    open_ = [_small(status) for status in white if status not in told]
    parts += [f"cannot say: {say_list(open_)}"] if open_ else []
    text = f"{'; '.join(parts)}. Of the three lines of the blood: {lines}"
    evidence = tuple(status.count.id for status in white)
    citations = tuple(dict.fromkeys(citation for status in told for citation in _low_citations(status)))
    reason = Reason(
        rule="answer:line", text=text, evidence=evidence, citations=(*citations, *findings.lines.reason.citations)
    )
    return Answer(question="which_line", text=text[0].upper() + text[1:], known=True, reason=reason)


def _labels(told: list[Status], *, low: bool) -> list[str]:
    return [_small(status) for status in told if is_low(status) is low]


def _low_citations(status: Status) -> tuple[Citation, ...]:
    house = _house(status)
    return house.reason.citations if house is not None else status.position_reason.citations


def _how_bad(findings: Findings) -> Answer:
    leading = _leading(findings)
    if leading is None:
        return _silent("how_bad", "there is no count to grade")
    grades = ", ".join(f"{_scheme(grade)} {_grade_words(grade)}" for grade in leading.grades)
    name = _named(leading)
    text = f"{name} ({leading.label} {say_count(leading.count)})"
    text += f"; grades: {grades}" if grades else "; no scheme grades this count"
    text += ". The grades do not know the Duffy-null phenotype." if _usual(leading) and grades else "."
    known = leading.severity is not None or any(grade.value is not None for grade in leading.grades)
    return Answer(question="how_bad", text=text, known=known, reason=_graded(leading))


def _scheme(grade: Grade) -> str:
    return f"{grade.scheme.upper()} {grade.edition}"


def _grade_words(grade: Grade) -> str:
    if grade.value is not None:
        return f"grade {grade.value}"
    if grade.least is not None and grade.most is not None:
        return f"grade {grade.least} to {grade.most}"
    return "cannot be graded"


def _graded(status: Status) -> Reason:
    citations = [c for grade in status.grades for c in grade.reason.citations]
    if status.severity is not None:
        citations = [*status.severity.reason.citations, *citations]
    text = "; ".join(grade.reason.text for grade in status.grades)
    return Reason(
        rule="answer:grade", text=text, evidence=(status.count.id,), citations=tuple(dict.fromkeys(citations))
    )


def _since_when(findings: Findings) -> Answer:
    leading = _leading(findings)
    course = findings.courses.get(leading.count.analyte) if leading is not None else None
    if leading is None or course is None:
        return _silent("since_when", "there is no series of counts to follow")
    if not course.episodes:
        text = f"No low stretch of {_small(leading)} in the record: {course.kind_reason.text}"
        return Answer(question="since_when", text=text, known=is_low(leading) is False, reason=course.kind_reason)
    last = course.episodes[-1]
    if _again_and_again(course):
        lowest = min((one.nadir_count for one in course.episodes), key=lambda count: count.value)
        text = f"{leading.label}: {course.kind_reason.text.rstrip('.')}. Lowest on record {say_count(lowest)} on "
        text += f"{say_moment(lowest.taken)}. The latest stretch: {_episode_words(last)}."
        reason = Reason(rule="answer:since", text=text, evidence=last.counts, citations=course.kind_reason.citations)
        return Answer(question="since_when", text=text, known=True, reason=reason)
    now = "not low now; the latest low stretch: " if is_low(leading) is False else ""
    text = f"{leading.label}: {now}{_episode_words(last)}. {course.kind_reason.text}"
    reason = Reason(
        rule="answer:since",
        text=text,
        evidence=last.counts,
        citations=(*last.reason.citations, *course.kind_reason.citations),
    )
    return Answer(question="since_when", text=text, known=True, reason=reason)


def _again_and_again(course: Course) -> bool:
    """Chronic over several stretches: the latest by itself would tell too short a story."""
    return course.kind == "chronic" and len(course.episodes) > 1


def _since_words(findings: Findings, leading: Status) -> str:
    course = findings.courses.get(leading.count.analyte)
    if course is None or not course.episodes or course.episodes[-1].recovery is not None:
        return ""
    first = course.episodes[0].onset.latest
    if _again_and_again(course) and first is not None:
        return f"; chronic, first seen below {say_number(course.episodes[0].cut)} on {say_date(first)}"
    if _usual(leading):
        return ""
    return f"; {_onset_words(course.episodes[-1])}"


def _onset_words(episode: Episode) -> str:
    earliest, latest = episode.onset.earliest, episode.onset.latest
    if earliest is None:
        return f"low since {say_date(latest)} or before ({_unseen_onset(episode)})" if latest else "low"
    if latest is None or earliest.date() == latest.date():
        return f"low since {say_date(earliest)}"
    return f"low since between {say_date(earliest)} and {say_date(latest)}"


def _unseen_onset(episode: Episode) -> str:
    first = episode.onset.latest
    holes = [hole for hole in episode.holes if hole.latest is not None and first is not None and hole.latest <= first]
    return "the first count after a stretch without one" if holes else "the first count on record is already low"


def _episode_words(episode: Episode) -> str:
    onset = _onset_words(episode)
    nadir = f"lowest {say_count(episode.nadir_count)} on {say_moment(episode.nadir_count.taken)}"
    return f"{onset}, {nadir}, {_end_words(episode)}"


def _end_words(episode: Episode) -> str:
    if episode.recovery is None:
        return "not seen to recover"
    earliest, latest = episode.recovery.earliest, episode.recovery.latest
    days = [say_date(day) for day in (earliest, latest) if day is not None]
    when = f"between {say_list(days)}" if len(set(days)) == 2 else f"on {days[0]}" if days else "at an unknown time"
    return (
        f"back above the limit {when}"
        if episode.recovery_confirmed
        else f"back above the limit {when}, not yet confirmed"
    )


def _joined(rule: str, told: list[Status]) -> Reason:
    citations = [citation for status in told for citation in _low_citations(status)]
    evidence = tuple(status.count.id for status in told)
    text = "; ".join(_low_words(status) for status in told)
    return Reason(rule=rule, text=text, evidence=evidence, citations=tuple(dict.fromkeys(citations)))


def _silent(question: Question, why: str) -> Answer:
    text = f"Cannot say: {why}."
    return Answer(question=question, text=text, known=False, reason=Reason(rule=f"answer:{question}", text=text))
