"""What cannot be said, and what was wrong with the input: never left out where it touches the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leuko.frozen import Frozen
from leuko.report.blocks import Line, Tone
from leuko.report.brief.passage import Passage, left_out, number
from leuko.report.outline import NoticeGroup, all_gaps, notice_groups, scheme_words
from leuko.result import Assessment, Course, Gap

TONES: Final[dict[str, Tone]] = {"error": "alert", "warning": "unsure"}


class _Sorted(Frozen, frozen=True, kw_only=True):
    """The gaps by what they concern: `verdict` touches the answers, the others only details of them."""

    verdict: tuple[Gap, ...]
    grades: int
    course: int


def cannot_say(assessment: Assessment) -> Passage:
    """All gaps of the counts themselves; those of single grades, and of recovery and rhythm, by number."""
    found = _sorted(assessment)
    alike: dict[tuple[str, str], list[str]] = {}
    for gap in found.verdict:
        alike.setdefault((gap.why, gap.settle), []).append(_what(gap, assessment))
    lines = tuple(
        Line(text=f"{why} (settled by: {settle})", label="; ".join(dict.fromkeys(whats)), tone="unsure")
        for (why, settle), whats in alike.items()
    )
    left = left_out(
        (
            number(found.grades, "grade", "grades"),
            number(
                found.course,
                "point on recovery, rhythm and age",
                "points on recovery, rhythm and age",
            ),
        )
    )
    return Passage(title="What cannot be said", lines=lines, left=left)


def _what(gap: Gap, assessment: Assessment) -> str:
    """What is meant, with the count that it is about where the words only say "this count"."""
    label = next((status.label for status in assessment.latest if gap in status.gaps), "")
    return gap.what if label in gap.what else f"{label}: {gap.what}"


def _sorted(assessment: Assessment) -> _Sorted:
    gaps = all_gaps(assessment)
    course = {gap for each in assessment.courses for gap in _of_course(each)}
    heads = tuple(
        {f"{scheme_words(one.scheme, one.edition)} grade of" for status in assessment.latest for one in status.grades}
    )
    grades = [gap for gap in gaps if gap not in course and gap.what.startswith(heads)]
    verdict = tuple(gap for gap in gaps if gap not in course and gap not in grades)
    return _Sorted(verdict=verdict, grades=len(grades), course=sum(gap in course for gap in gaps))


def _of_course(course: Course) -> Iterator[Gap]:
    yield from course.gaps
    yield from (part.gap for part in (course.trend, course.cycle) if part.gap is not None)
    yield from (episode.recovery_gap for episode in course.episodes if episode.recovery_gap is not None)


def notices(assessment: Assessment) -> Passage:
    """One line for each kind of error and warning, and for all content that was set aside; infos by number."""
    groups = notice_groups(assessment.notices)
    shown = [group for group in groups if group.severity != "info" or any(one.data_lost for one in group.notices)]
    infos = sum(len(group.notices) for group in groups if group not in shown)
    refused = [one for one in assessment.set_aside if one.notice.severity != "info"]
    left = left_out(
        (
            number(infos, "for information", "for information"),
            number(len(assessment.set_aside), "count not used", "counts not used"),
            "where each stands" if groups else "",
        )
    )
    lines = [_group(group) for group in shown]
    told = {group.code for group in shown}
    lines += [
        Line(text=one.notice.text, label=f"not used[{one.notice.code}]", tone="unsure")
        for one in refused
        if one.notice.code not in told
    ]
    return Passage(title="Notices about the input", lines=tuple(dict.fromkeys(lines)), left=left)


def _group(group: NoticeGroup) -> Line:
    first, more = group.notices[0], len(group.notices) - 1
    lost = sum(one.data_lost for one in group.notices)
    also = [f"and {more} more" if more else "", _lost(lost, len(group.notices))]
    text = f"{first.text}{''.join(f' ({part})' for part in also if part)}"
    return Line(text=text, label=f"{group.severity}[{group.code}]", tone=TONES.get(group.severity, "plain"))


def _lost(lost: int, every: int) -> str:
    if not lost:
        return ""
    return "content set aside" if lost == every else f"content set aside in {lost}"
