"""One self-contained HTML page: works offline, without JavaScript, on paper, on a phone and with a screen reader.

The page carries its style, its scripts and its data. A strict Content-Security-Policy names each by its hash, forbids
everything else and needs no `unsafe-eval`: Vega runs its expressions in its own interpreter.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.record import Count
from leuko.report.chart import spec, to_svg
from leuko.report.chart_forecast import KEY, forecast_spec
from leuko.report.chart_frame import stamp
from leuko.report.chart_lanes import key_words
from leuko.report.outline import (
    POSITIONS,
    PURPOSE,
    Evidence,
    alarm_words,
    course_words,
    dose_words,
    episode_words,
    grade_words,
    harmless,
    interval_origin,
    interval_words,
    joined_gaps,
    label_of,
    notice_groups,
    patient_words,
    question_words,
    remarks,
    scheme_words,
)
from leuko.report.references import References
from leuko.report.sections import sections
from leuko.report.series import Point, lanes, points, shown_analytes
from leuko.report.tables import grade_table, latest_rows
from leuko.result import Assessment
from leuko.wording import say_bounded, say_date, say_moment, say_unit

if TYPE_CHECKING:
    from jinja2 import Environment

SCRIPTS: Final = ("vega.min.js", "vega-lite.min.js", "vega-interpreter.js", "page.js")
SCHEME: Final = "ctcae"
EDITION: Final = "5"
MOST_GAPS: Final = 4
OPEN_ROWS: Final = 40


def html(assessment: Assessment, *, library: Library | None = None, still: bool = False) -> str:
    """The assessment as one HTML page that loads nothing.

    `still` adds a static drawing for readers without JavaScript, who otherwise have the figure's words and its table.
    It needs the extra `leuko[pdf]` and about a second.
    """
    return fill("page.html.j2", assessment, library=library, still=still, theme="page")


def fill(template: str, assessment: Assessment, *, library: Library | None, still: bool, theme: str) -> str:
    """One of the templates, filled with an assessment."""
    words = report_words(assessment, library=library, still=still, theme=theme)
    style = static("page.css")
    scripts = tuple(static(name) for name in SCRIPTS) if words["figure"].drawn or words["coming"] else ()
    return environment().get_template(template).render(
        words,
        policy=policy(style, scripts),
        style=safe(style),
        scripts=[safe(script) for script in scripts],
    )  # fmt: skip


def report_words(
    assessment: Assessment, *, library: Library | None = None, still: bool = False, theme: str = "page"
) -> dict[str, Any]:
    """What `report_main.html.j2` and `report_data.html.j2` lay out, for a page of one's own around them."""
    return words_of(assessment) | {
        "coming": coming_of(assessment, theme, still=still),
        "figure": figure_of(assessment, library, still=still, theme=theme),
    }


class Figure(Frozen, frozen=True, kw_only=True):
    """What the template needs of the figure; the strings are safe to stand in the page as they are."""

    drawn: bool
    edition: str
    spec: Any
    points: Any
    still: Any
    key: tuple[str, ...]
    description: str


def figure_of(
    assessment: Assessment,
    library: Library | None,
    *,
    still: bool = False,
    theme: str = "page",
    scheme: str = SCHEME,
    edition: str = EDITION,
) -> Figure:
    """The figure on the bands of one edition, with all that stands around it. UsageError for an unknown edition."""
    made = spec(assessment, scheme=scheme, edition=edition, theme=theme, with_key=False, library=library)
    rows = points(assessment, scheme=scheme, edition=edition)
    named = scheme_words(scheme, edition)
    drawn = bool(shown_analytes(assessment))
    return Figure(
        drawn=drawn,
        edition=named,
        spec=data_block(made),
        points=data_block(_stops(assessment, rows, named)),
        still=safe(to_svg(made)) if still and drawn else "",
        key=key_words(rows),
        description=made["description"],
    )


class Coming(Frozen, frozen=True, kw_only=True):
    """The figure of one forecast."""

    id: str
    spec: Any
    still: Any
    key: tuple[str, ...]
    description: str


def coming_of(assessment: Assessment, theme: str = "page", *, still: bool = False) -> tuple[Coming, ...]:
    """A figure for every forecast that has a course."""
    found = []
    for number, one in enumerate(assessment.forecasts, 1):
        if one.fan is None:
            continue
        made = forecast_spec(assessment, one, theme=theme)
        found.append(
            Coming(
                id=f"coming-{number}",
                spec=data_block(made),
                still=safe(to_svg(made)) if still else "",
                key=KEY,
                description=made["description"],
            )
        )
    return tuple(found)


def _stops(assessment: Assessment, rows: tuple[Point, ...], edition: str) -> list[dict[str, Any]]:
    """Where the keyboard cursor can stand, panel by panel, and what it says there."""
    return [
        {
            "label": label_of(assessment, analyte),
            "points": [
                {"id": row.id, "at": stamp(row.at), "text": _stop_words(row, edition)}
                for row in rows
                if row.analyte == analyte and row.at is not None
            ],
        }
        for analyte in shown_analytes(assessment)
    ]


def _stop_words(row: Point, edition: str) -> str:
    parts = [f"{row.when}: {row.label} {row.text} {say_unit(row.unit)}"]
    parts += [f"{edition} grade {row.grade}"] if row.grade else []
    parts += [f"reference interval {row.interval}"] if row.interval else []
    return "; ".join(part for part in [*parts, row.note] if part)


def words_of(assessment: Assessment) -> dict[str, Any]:
    """Everything but the figure that the template lays out."""
    references = References.of(assessment)
    return {
        "assessment": assessment,
        "who": patient_words(assessment.patient),
        "gaps": joined_gaps(assessment),
        "most_gaps": MOST_GAPS,
        "grades": grade_table(assessment.latest),
        "courses": [_course(assessment, course) for course in assessment.courses],
        "points": points(assessment, scheme=SCHEME, edition=EDITION),
        "open_rows": OPEN_ROWS,
        "lanes": lanes(assessment),
        "notices": notice_groups(assessment.notices),
        "references": references,
        "sections": sections(assessment),
        "alarm": alarm_words(assessment),
        "latest": latest_rows(assessment, references),
        "evidence": Evidence.of(assessment),
        "purpose": PURPOSE,
    }


def _course(assessment: Assessment, course: Any) -> dict[str, Any]:
    label = label_of(assessment, course.analyte)
    episodes = [episode_words(episode, number, label) for number, episode in enumerate(course.episodes, 1)]
    return {"course": course, "label": label, "words": course_words(course), "episodes": episodes}


def _value(count: Count) -> str:
    return say_bounded(count.value, count.bound)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates of the views: everything in them is escaped, and an unknown name is an error."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 (only this view needs it)

    from leuko.report.compiled import kept  # noqa: PLC0415

    folder = Path(__file__).parent / "templates"
    found = Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: harmless(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=kept(),
    )
    found.filters |= {
        "date": say_date,
        "moment": say_moment,
        "unit": say_unit,
        "value": _value,
        "interval": interval_words,
        "origin": interval_origin,
        "position": lambda status: POSITIONS[status.position],
        "question": question_words,
        "grade": grade_words,
        "remarks": remarks,
        "dose": dose_words,
    }
    return found


@lru_cache
def static(name: str) -> str:
    """The text of a file that a page carries in itself: style, script."""
    text = (Path(__file__).parent / "static" / name).read_text(encoding="utf-8")
    lines = text.splitlines()
    # A map of the sources lies beside the library, not inside this page.
    return "\n".join(line for line in lines if not line.startswith("//# sourceMappingURL="))


def safe(text: str) -> Any:
    """Text that stands in a page as it is."""
    from markupsafe import Markup  # noqa: PLC0415

    return Markup(text)  # noqa: S704 (our own files, and drawings made from escaped data)


def data_block(value: Any) -> Any:
    """JSON for a data block: no text in it can end the block."""
    return safe(harmless(json.dumps(value, ensure_ascii=False, separators=(",", ":"))).replace("<", "\\u003c"))


def policy(style: str, scripts: tuple[str, ...]) -> str:
    """A Content-Security-Policy that allows this style and these scripts, by their hash, and nothing else."""
    allowed = " ".join(_hash(script) for script in scripts) or "'none'"
    rules = (
        "default-src 'none'",
        f"script-src {allowed}",
        f"style-src {_hash(style)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
