"""The assessment as PDF: A4, tagged (PDF/UA-1), set by typst, figures as vector graphics (docs/decisions/0006-pdf.md).

Equal assessments give equal bytes: typst uses only the fonts that it brings, and the time stamp is the day of the
assessment.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Final

from leuko.errors import LeukoError, Notice
from leuko.knowledge import Library
from leuko.record import Dose
from leuko.report.blocks import Entry, Group, Line, Section, Table
from leuko.report.chart import Spec, spec, to_svg
from leuko.report.chart_forecast import KEY, forecast_spec
from leuko.report.extras import typst
from leuko.report.outline import (
    PURPOSE,
    alarm_words,
    course_words,
    dose_words,
    episode_words,
    harmless,
    joined_gaps,
    label_of,
    notice_groups,
    origins_key,
    patient_words,
    question_words,
    remarks,
    scheme_words,
)
from leuko.report.references import References
from leuko.report.sections import sections
from leuko.report.series import lanes, points, shown_analytes
from leuko.report.tables import grade_table, latest_rows
from leuko.result import Assessment, Course
from leuko.wording import say_date, say_moment, say_unit

STANDARD: Final = "ua-1"
SCHEME: Final = "ctcae"
EDITION: Final = "5"
MOST_NOTICES: Final = 5
FORECAST: Final = "forecast"


def pdf(assessment: Assessment, *, library: Library | None = None) -> bytes:
    """The assessment as a PDF for archiving and paper (needs the extra `leuko[pdf]`).

    Raises UsageError, naming what to install, where the extra is missing.
    """
    setter = typst()
    curves, coming = _figures(assessment, library), _coming(assessment)
    figures = [*curves, *coming]
    files = {
        "main.typ": (resources.files("leuko.report") / "templates" / "report.typ").read_bytes(),
        "report.json": _data(_words(assessment, _described(curves), _described(coming))),
        **{f"figure-{number}.svg": to_svg(figure).encode() for number, figure in enumerate(figures)},
    }
    stamp = datetime.combine(assessment.as_of, datetime.min.time(), UTC)
    try:
        made = setter.compile(
            files,
            format="pdf",
            ignore_system_fonts=True,
            pdf_standards=[STANDARD],
            timestamp=int(stamp.timestamp()),
        )
    except setter.TypstError as error:
        raise LeukoError("the PDF could not be set", why=str(error), do="please report this as a bug") from error
    return bytes(made)


def _data(words: dict[str, Any]) -> bytes:
    return harmless(json.dumps(words, ensure_ascii=False)).encode()


def _figures(assessment: Assessment, library: Library | None) -> list[Spec]:
    """The leading count by itself, for the first page; then the others, with the key to the marks."""
    shown = shown_analytes(assessment)
    parts = [part for part in (shown[:1], shown[1:]) if part]
    return [
        spec(
            assessment,
            analytes=part,
            scheme=SCHEME,
            edition=EDITION,
            theme="print",
            width=560,
            with_key=part is parts[-1],
            library=library,
        )
        for part in parts
    ]


def _coming(assessment: Assessment) -> list[Spec]:
    """The figure of each forecast that has a course."""
    return [forecast_spec(assessment, one, theme="print", width=560) for one in assessment.forecasts if one.fan]


def _described(figures: list[Spec]) -> list[str]:
    return [figure["description"] for figure in figures]


def _words(assessment: Assessment, curves: list[str], coming: list[str]) -> dict[str, Any]:
    refs = References.of(assessment)
    day = assessment.as_of
    return {
        "title": f"Blood counts of {assessment.patient.id}, {say_date(day)}",
        "version": assessment.leuko_version,
        "headline": assessment.headline,
        "alarm": alarm_words(assessment),
        "as_of": [day.year, day.month, day.day],
        "as_of_words": say_date(day),
        "who": patient_words(assessment.patient),
        "purpose": PURPOSE,
        "answers": [
            {"question": question_words(a), "text": a.text, "known": a.known, "refs": refs.mark(a.reason)}
            for a in assessment.answers
        ],
        **_tables(assessment, refs),
        "figures": [*curves, *coming],
        "curves": len(curves),
        "key": "; ".join(KEY),
        "sections": [
            {
                **_section(section, refs),
                "figures": [len(curves) + number for number in range(len(coming))] if section.id == FORECAST else [],
            }
            for section in sections(assessment)
        ],
        "lines": {"text": assessment.lines.reason.text, "refs": refs.mark(assessment.lines.reason)},
        "courses": [_course(assessment, course, refs) for course in assessment.courses],
        "notices": _notices(assessment),
        "sources": [
            {"number": f"[{ref.number}]", "text": _source(ref.title, ref.confidence), "url": ref.url}
            for ref in refs.listed
        ],
        "foot": f"leuko {assessment.leuko_version}, assessment schema {assessment.schema_version}, "
        f"knowledge {assessment.knowledge_hash[:12]}, record {assessment.record_digest[:12]}, as of {day.isoformat()}",
    }


def _tables(assessment: Assessment, refs: References) -> dict[str, Any]:
    grades = grade_table(assessment.latest)
    return {
        "columns": grades.columns,
        "latest": latest_rows(assessment, refs),
        "origins": origins_key(assessment.latest),
        "shifts": grades.shifts,
        "remarks": [
            {"text": f"{status.label}: {text}", "refs": "" if reason is None else refs.mark(reason)}
            for status in assessment.latest
            for text, reason in remarks(status)
        ],
        "gaps": [
            {"what": gap.what, "why": gap.why.rstrip("."), "settle": gap.settle.rstrip(".")}
            for gap in joined_gaps(assessment)
        ],
        "edition": f"{scheme_words(SCHEME, EDITION)} grade",
        "counts": [
            [row.when, row.label, f"{row.text} {say_unit(row.unit)}", row.interval, row.grade, row.note]
            for row in points(assessment, scheme=SCHEME, edition=EDITION)
        ],
        "doses": [_dose(dose) for lane in lanes(assessment) for dose in lane.doses],
    }


def _section(section: Section, refs: References) -> dict[str, Any]:
    return {
        "title": section.title,
        "lead": [_line(line, refs) for line in section.lead],
        "groups": [_group(group, refs) for group in section.groups if not group.empty],
    }


def _group(group: Group, refs: References) -> dict[str, Any]:
    """On paper stands what comes first, in full; the rest by name, as a page cannot be opened."""
    left = [f"{entry.title} ({entry.tag})" if entry.tag else entry.title for entry in group.entries[group.shown :]]
    return {
        "title": group.title,
        "tables": [_table(group.table, refs)] if group.table is not None else [],
        "entries": [_entry(entry, refs) for entry in group.entries[: group.shown]],
        "left": "; ".join(each for each in left if each) if group.table is None else "",
        "rest": group.left(len(left)),
    }


def _entry(entry: Entry, refs: References) -> dict[str, Any]:
    return {
        "title": entry.title,
        "tag": entry.tag,
        "tone": entry.tone,
        "refs": refs.marks(entry.citations),
        "lines": [_line(line, refs) for line in entry.lines],
        "more": [_line(line, refs) for line in entry.more if line.tone != "quiet"],
        "tables": [_table(table, refs) for table in entry.tables],
    }


def _table(table: Table, refs: References) -> dict[str, Any]:
    kept = table.narrow or tuple(range(len(table.columns)))
    rows = [[row[number].text + refs.marks(row[number].citations) for number in kept] for row in table.rows]
    return {"columns": [table.columns[number] for number in kept], "rows": rows, "caption": table.caption}


def _line(line: Line, refs: References) -> dict[str, str]:
    return {"label": line.label, "text": line.text, "tone": line.tone, "refs": refs.marks(line.citations)}


def _course(assessment: Assessment, course: Course, refs: References) -> dict[str, Any]:
    label = label_of(assessment, course.analyte)
    episodes = [episode_words(episode, number, label) for number, episode in enumerate(course.episodes, 1)]
    return {
        "label": label,
        "text": course_words(course),
        "refs": refs.mark(course.kind_reason),
        "more": [course.trend.reason.text, course.cycle.reason.text],
        "episodes": [{"title": said.title, "facts": said.facts} for said in episodes],
    }


def _dose(dose: Dose) -> list[str]:
    ends = [say_moment(end) if end is not None else "" for end in (dose.start, dose.end)]
    known = "given" if dose.given else f"ordered or stated ({dose.status})"
    return [dose.drug, ends[0] or "no date", ends[1], dose_words(dose), known]


def _notices(assessment: Assessment) -> list[dict[str, str]]:
    found = []
    for group in notice_groups(assessment.notices):
        found += [_notice(notice) for notice in group.notices[:MOST_NOTICES]]
        more = len(group.notices) - MOST_NOTICES
        if more > 0:
            found.append({"head": f"{group.severity}[{group.code}]", "text": f"and {more} more of these", "more": ""})
    return found


def _notice(notice: Notice) -> dict[str, str]:
    lost = " (content set aside)" if notice.data_lost else ""
    more = [f"at {notice.place}", notice.read or "", f"help: {notice.help}" if notice.help else ""]
    return {
        "head": f"{notice.severity}[{notice.code}]",
        "text": notice.text + lost,
        "more": "; ".join(part for part in more if part),
    }


def _source(title: str, confidence: str) -> str:
    return title if confidence == "confirmed" else f"{title} ({confidence})"
