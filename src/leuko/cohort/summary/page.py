"""The summary as one HTML page: works offline, without scripts, and prints."""

from __future__ import annotations

from typing import Any, Final

from leuko import __version__
from leuko.cohort.summary import Summary
from leuko.cohort.summary.base import Figure, Section
from leuko.errors import UsageError
from leuko.report.chart import to_svg
from leuko.report.outline import PURPOSE
from leuko.report.page import environment, policy, safe, static

_STYLE: Final = """
.contents { list-style: none; margin: 0 0 2rem; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
figure { margin: 0 0 1rem; }
.still { background: #ffffff; border: 1px solid var(--grid); border-radius: .4rem; padding: .5rem; overflow-x: auto; }
.still svg { max-width: 100%; height: auto; }
.scroll + .scroll { margin-top: 1.25rem; }
caption { font-weight: 600; color: var(--ink); }
td { white-space: nowrap; }
td:first-child { white-space: normal; min-width: 8rem; }
th { vertical-align: bottom; }
@media print, (min-width: 60rem) { td, th { white-space: normal; } }
@media print { section { break-inside: auto; } }
"""


def html(summary: Summary) -> str:
    """The summary as a page that loads nothing and runs nothing."""
    style = static("page.css") + _STYLE
    template = environment().get_template("cohort.html.j2")
    return template.render(
        summary_words(summary), policy=policy(style, ()), style=safe(style), version=__version__, purpose=PURPOSE
    )


def summary_words(summary: Summary) -> dict[str, Any]:
    """What `cohort_main.html.j2` lays out, for a page of one's own around it."""
    return {
        "people": f"{summary.asked['people']:,}",
        "asked": _asked(summary.asked),
        "sections": [_section(section) for section in summary.sections],
    }


def _asked(asked: dict[str, Any]) -> str:
    edition = str(asked["edition"]).replace("-", " ").upper()
    day = f", as of {asked['as_of']}" if asked["as_of"] else ""
    holes = ", definitions as published" if asked["as_published"] else ""
    return f"analysis records by {edition}{day}{holes}; knowledge {str(asked['knowledge'])[:12]}"


def _section(section: Section) -> dict[str, Any]:
    return {
        "id": section.id,
        "title": section.title,
        "note": section.note,
        "tables": section.tables,
        "figures": [_figure(figure) for figure in section.figures],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    try:
        still = safe(to_svg(figure.spec))
    except UsageError:  # the extra that draws is not installed; the page says so
        still = ""
    return {"text": figure.text, "still": still}
