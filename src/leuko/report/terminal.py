"""The assessment in a terminal: good at 80 columns, in colour or plain, and readable when piped into a file.

Colour never carries meaning alone: positions have a sign and a word, severities a word.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from leuko.report.outline import (
    POSITIONS,
    PURPOSE,
    Evidence,
    NoticeGroup,
    alarm_words,
    course_words,
    episode_words,
    grade_words,
    joined_gaps,
    label_of,
    notice_groups,
    origins_key,
    patient_words,
    question_words,
    remarks,
    short_interval,
)
from leuko.report.references import References
from leuko.report.sections import sections
from leuko.report.series import shown_analytes
from leuko.report.sketch import sketch
from leuko.report.tables import grade_table
from leuko.report.terminal_brief import brief_parts
from leuko.report.terminal_parts import POSITION_STYLES, grid, hanging, indented, table, text, title
from leuko.report.terminal_sections import drawn
from leuko.result import Assessment, Reason, Status
from leuko.wording import say_bounded, say_date, say_list, say_moment, say_unit

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

DEFAULT_WIDTH: Final = 80
SHOWN_EACH: Final = 3
SEVERITY_STYLES: Final = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def render(assessment: Assessment, *, width: int = DEFAULT_WIDTH, color: bool = False, full: bool = False) -> str:
    """The assessment as text of at most `width` columns, in ANSI colours where asked for; `full` shows all."""
    return _printed(assessment, _console(io.StringIO(), width=width, color=color), full=full)


def show(
    assessment: Assessment, console: Console | None = None, *, width: int | None = None, full: bool = False
) -> None:
    """Print the assessment; without a console to stdout, plain where it is no terminal or NO_COLOR is set."""
    target = console or _console(None, width=width, color=None)
    target.file.write(_printed(assessment, target, full=full))


def _printed(assessment: Assessment, console: Console, *, full: bool) -> str:
    with console.capture() as capture:
        for part in _full(assessment, console.width) if full else _brief(assessment):
            console.print(part, crop=False)  # everything here keeps to the width by itself: rich would look again
    # Tables pad their cells; kept in a file, the blanks would only be noise.
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _console(file: Any, *, width: int | None, color: bool | None) -> Console:
    from rich.console import Console  # noqa: PLC0415 (only this view needs rich)

    off = None if color is None else not color
    # A pipe has no width of its own: 80 columns then, so that the text is the same wherever it is kept.
    console = Console(
        file=file, width=width, highlight=False, emoji=False, markup=False, force_terminal=color, no_color=off
    )
    if width is None and not console.is_terminal:
        console.width = DEFAULT_WIDTH
    console.size = console.size  # asked of the terminal once, not for every line
    return console


def _brief(assessment: Assessment) -> Iterator[RenderableType]:
    yield from _head(assessment)
    yield from brief_parts(assessment)
    yield from foot(assessment)


def _full(assessment: Assessment, width: int) -> Iterator[RenderableType]:
    refs = References.of(assessment)
    yield from _head(assessment)
    yield from _answers(assessment, refs)
    yield from _sketches(assessment, width)
    for section in sections(assessment):
        yield from drawn(section, refs)
    yield from _latest(assessment, refs)
    yield from _grades(assessment)
    yield from _lines(assessment, refs)
    yield from _courses(assessment, refs)
    yield from _gaps(assessment)
    yield from notices(assessment)
    yield from _set_aside(assessment)
    yield from source_list(refs)
    yield ""
    yield from foot(assessment)


def _head(assessment: Assessment) -> Iterator[RenderableType]:
    yield text((assessment.headline, "bold"))
    alarm = alarm_words(assessment)
    if alarm:
        yield text(("! ", "bold red"), (alarm, "bold red"))
    yield text((f"{patient_words(assessment.patient)}; as of {say_date(assessment.as_of)}", "dim"))


def _answers(assessment: Assessment, refs: References) -> Iterator[RenderableType]:
    evidence = Evidence.of(assessment)
    for answer in assessment.answers:
        yield ""
        style = "bold" if answer.known else "bold magenta"
        yield text((question_words(answer), style), "  ", answer.text, (refs.mark(answer.reason), "cyan"))
        yield from (indented(line) for line in _because(answer.reason, answer.text, evidence))


def _because(reason: Reason, said: str, evidence: Evidence) -> Iterator[RenderableType]:
    if reason.text.rstrip(".").lower() not in said.lower():
        yield text(("because ", "dim"), reason.text)
    rests = evidence.words(reason.evidence)
    if rests:
        more = f" and {len(rests) - SHOWN_EACH} more" if len(rests) > SHOWN_EACH else ""
        yield text((f"from {'; '.join(rests[:SHOWN_EACH])}{more}", "dim"))


def _latest(assessment: Assessment, refs: References) -> Iterator[RenderableType]:
    if not assessment.latest:
        return
    yield from title("Latest counts")
    rows = table("Count", "Value", "Unit", "Taken", "Reference", "Position", right=(1,))
    for status in assessment.latest:
        count, interval = status.count, status.interval
        rows.add_row(
            text(status.label),
            text((say_bounded(count.value, count.bound), "bold")),
            text(say_unit(count.unit)),
            say_moment(count.taken),
            text(f"{short_interval(interval)}{refs.mark(interval.reason)}"),
            text((POSITIONS[status.position], POSITION_STYLES[status.position])),
        )
    yield rows
    if origins_key(assessment.latest):
        yield indented(text((f"reference interval: {origins_key(assessment.latest)}", "dim")))
    yield from (indented(text(line)) for status in assessment.latest for line in _remarks(status, refs))


def _remarks(status: Status, refs: References) -> Iterator[str]:
    for words, reason in remarks(status):
        yield f"{status.label}: {words}{'' if reason is None else refs.mark(reason)}"


def _grades(assessment: Assessment) -> Iterator[RenderableType]:
    found = grade_table(assessment.latest)
    if not found.rows:
        return
    yield from title("Grades of the latest counts, side by side")
    rows = table("Count", *found.columns)
    for status, grades in found.rows:
        rows.add_row(text(status.label), *("no rule" if grade is None else grade_words(grade) for grade in grades))
    yield rows
    yield from (indented(text(shift)) for shift in found.shifts)


def _sketches(assessment: Assessment, width: int) -> Iterator[RenderableType]:
    analyte = next(iter(shown_analytes(assessment)), "")
    drawn = sketch(assessment, analyte, width=width - 2)
    if drawn:
        yield from title(f"{label_of(assessment, analyte)} over time")
        yield indented(text(drawn))


def _lines(assessment: Assessment, refs: References) -> Iterator[RenderableType]:
    lines = assessment.lines
    yield from title("Lines")
    for words, found in (("low", lines.low), ("not low", lines.not_low), ("cannot say", lines.unknown)):
        if found:
            yield indented(text(f"{words}: {say_list(found)}"))
    yield indented(text(lines.reason.text, (refs.mark(lines.reason), "cyan")))


def _courses(assessment: Assessment, refs: References) -> Iterator[RenderableType]:
    for course in assessment.courses:
        label = label_of(assessment, course.analyte)
        yield from title(f"Course of {label}")
        yield indented(text(course_words(course), (refs.mark(course.kind_reason), "cyan")))
        for part in (course.trend, course.cycle):
            yield indented(text(part.reason.text, (refs.mark(part.reason), "cyan")))
        for number, episode in enumerate(course.episodes, 1):
            said = episode_words(episode, number, label)
            yield ""
            yield indented(text((said.title, "bold"), (refs.mark(episode.cut_reason), "cyan")))
            yield indented(grid(said.facts), 4)


def _gaps(assessment: Assessment) -> Iterator[RenderableType]:
    gaps = joined_gaps(assessment)
    if not gaps:
        return
    yield from title("What cannot be said")
    for gap in gaps:
        yield indented(text(("? ", "bold magenta"), (gap.what, "bold"), f": {gap.why}"))
        yield indented(text(("what would settle it: ", "dim"), gap.settle), 4)


def notices(assessment: Assessment, *, all_: bool = True) -> Iterator[RenderableType]:
    """What was said of the input; without `all_` what is not merely for information: each with where and what to do."""
    groups = notice_groups(one for one in assessment.notices if all_ or one.severity != "info" or one.data_lost)
    if not groups:
        return
    yield from title("Notices about the input")
    for group in groups:
        yield from _notice_group(group)


def _notice_group(group: NoticeGroup) -> Iterator[RenderableType]:
    for notice in group.notices[:SHOWN_EACH]:
        lost = " (content set aside)" if notice.data_lost else ""
        style = SEVERITY_STYLES[group.severity]
        yield indented(text((f"{group.severity}[{notice.code}]", style), f" {notice.text}{lost}"))
        yield indented(text((f"--> {notice.place}", "dim")), 4)
        if notice.read:
            yield indented(text(f" = {notice.read}"), 4)
        if notice.help:
            yield indented(text(("help: ", "bold"), notice.help), 4)
    more = len(group.notices) - SHOWN_EACH
    if more > 0:
        yield indented(text((f"and {more} more {group.code}; `leuko explain {group.code}` says what it means", "dim")))


def _set_aside(assessment: Assessment) -> Iterator[RenderableType]:
    if not assessment.set_aside:
        return
    yield from title("Counts that were read but are not used")
    for aside in assessment.set_aside:
        count = aside.count
        label = label_of(assessment, count.analyte)
        value = f"{say_bounded(count.value, count.bound)} {say_unit(count.unit)}"
        why = f" ({aside.notice.code}: {aside.notice.text})"
        yield indented(text(("x ", "red"), f"{label} {value}, {say_moment(count.taken)}{why}"))


def source_list(refs: References) -> Iterator[RenderableType]:
    """The numbered sources."""
    if not refs.listed:
        return
    yield from title("Sources")
    for ref in refs.listed:
        places = "; ".join(dict.fromkeys(place.locator for place in ref.places if place.locator))
        # Before the title: how sure a source is must not be what a narrow column takes away.
        weak = "" if ref.confidence == "confirmed" else f"({ref.confidence}) "
        pieces = [piece for piece in (f"{weak}{ref.title}", places, ref.url) if piece]
        yield hanging(f"[{ref.number}]", ". ".join(pieces))


def foot(assessment: Assessment) -> Iterator[RenderableType]:
    """What leuko is for, and what this was made from."""
    yield text((PURPOSE, "dim"))
    known = f"leuko {assessment.leuko_version}, knowledge {assessment.knowledge_hash[:12]}"
    yield text((f"{known}, record {assessment.record_digest[:12]}, as of {assessment.as_of.isoformat()}", "dim"))
