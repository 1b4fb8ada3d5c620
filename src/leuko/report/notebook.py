"""What a notebook shows for an assessment: a fragment of HTML without scripts; `.chart()` gives the live figure."""

from __future__ import annotations

from leuko.knowledge import Library
from leuko.report.page import fill
from leuko.result import Assessment


def fragment(assessment: Assessment, *, library: Library | None = None, still: bool = False) -> str:
    """Headline, answers, latest counts with grades, gaps, notices and sources as one `<div>`.

    `still` adds the static drawing (needs the extra `leuko[pdf]`); by default the figure is left to `.chart()`.
    """
    return fill("fragment.html.j2", assessment, library=library, still=still, theme="light")
