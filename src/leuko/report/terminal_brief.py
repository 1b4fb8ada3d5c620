"""The brief view in the terminal: one screen or two, with one line for what each part leaves to the full view."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from leuko.report.blocks import Line
from leuko.report.brief import Passage, beside, count_table, passages, urgent
from leuko.report.outline import question_words
from leuko.report.terminal_parts import POSITION_STYLES, TONES, indented, table, text, title
from leuko.result import Assessment

if TYPE_CHECKING:
    from rich.console import RenderableType

UNSAID: Final = ("which_line", "since_when")


def brief_parts(assessment: Assessment) -> Iterator[RenderableType]:
    """Everything between the head and the foot."""
    yield from _passage(urgent(assessment))
    yield from _counts(assessment)
    yield from _answers(assessment)
    found = passages(assessment)
    for passage in found:
        yield from _passage(passage)
    yield from _also(found)
    works = len({citation.source for citation in assessment.sources})
    if works:
        words = "1 work" if works == 1 else f"{works} works"
        yield text((f"--full shows all, with what each answer rests on and which of {words} stands behind it.", "dim"))


def _passage(passage: Passage) -> Iterator[RenderableType]:
    if not passage.lines:
        return
    yield from title(passage.title)
    yield from _below(passage)


def _below(passage: Passage) -> Iterator[RenderableType]:
    yield from (_line(line) for line in passage.lines)
    if passage.left:
        yield indented(text((f"--full: {passage.left}", "dim")))


def _also(found: Iterable[Passage]) -> Iterator[RenderableType]:
    """The passages of which nothing is shown: what is left out, with its heading."""
    also = [f"{passage.title} ({passage.left})" for passage in found if passage.left and not passage.lines]
    yield ""
    if also:
        yield text((f"--full also has: {'; '.join(also)}", "dim"))


def _line(line: Line) -> RenderableType:
    """A line below its heading; one that belongs to the line before it stands further in."""
    label = line.label.lstrip()
    named = [(f"{label}: ", "bold" if line.tone == "alert" else "dim")] if label else []
    said = text(*named, (line.text, TONES[line.tone]))
    return indented(said, 4 if label != line.label else 2)


def _counts(assessment: Assessment) -> Iterator[RenderableType]:
    if not assessment.latest:
        return
    made = count_table(assessment)
    yield from title(made.title)
    rows = table(*made.columns, right=(1,))
    for status, cells in made.rows:
        styles = {1: "bold", 2: POSITION_STYLES[status.position]}
        rows.add_row(*(text((cell, styles.get(number, ""))) for number, cell in enumerate(cells)))
    yield rows
    yield from _below(beside(assessment))


def _answers(assessment: Assessment) -> Iterator[RenderableType]:
    """What headline and counts do not say already: lines, time, and every question that has no answer."""
    shown = [answer for answer in assessment.answers if answer.question in UNSAID or not answer.known]
    yield from title("What it means") if shown else ()
    for answer in shown:
        style = "bold" if answer.known else "bold magenta"
        yield indented(text((question_words(answer), style), "  ", answer.text))
