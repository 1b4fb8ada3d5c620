"""What to find out next, in brief: all that is urgent, then the first of the rest; and the scores that can be told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leuko.report.blocks import Line, sentence
from leuko.report.brief.passage import Passage, left_out, number
from leuko.report.sections.danger import score_tag
from leuko.report.sections.workup import TONES, URGENCIES
from leuko.result import Assessment
from leuko.result.scores import Score
from leuko.result.steps import Step
from leuko.wording import say_list

FEWEST: Final = 4
# Words for a time that say no more than the urgency before them does.
NO_DAY: Final = ("immediately", "urgently")


def next_steps(assessment: Assessment) -> Passage:
    """No urgent step is left out."""
    open_ = [step for step in assessment.steps if not step.done]
    urgent = [step for step in open_ if step.urgency in TONES]
    others = [step for step in open_ if step not in urgent]
    shown = [*urgent, *others[: max(0, FEWEST - len(urgent))]]
    done = len(assessment.steps) - len(open_)
    left = left_out(
        (
            number(len(open_) - len(shown), "further step", "further steps"),
            number(done, "step done", "steps done"),
            "why, who and what each body says" if assessment.steps else "",
        )
    )
    return Passage(title="What to find out", lines=tuple(line for step in shown for line in _step(step)), left=left)


def _step(step: Step) -> Iterator[Line]:
    when = "" if step.by_when.lower() in (*NO_DAY, URGENCIES[step.urgency]) else step.by_when
    differ = "bodies differ" if step.conflict is not None else ""
    label = ", ".join(part for part in (URGENCIES[step.urgency], when, differ) if part)
    yield Line(text=step.what, label=label, tone=TONES.get(step.urgency, "plain"))
    if step.tests:
        yield Line(text=say_list(step.tests), label="  ask for")


def scores(assessment: Assessment) -> Passage:
    """Every score that was told, with its first warning; the others by name or number, for the full view."""
    used = [score for score in assessment.scores if score.eligible]
    told = [score for score in used if score.total is not None or score.band is not None]
    silent = [score.name for score in used if score not in told]
    open_ = sum(score.eligible is None for score in assessment.scores)
    others = sum(score.eligible is False for score in assessment.scores)
    left = left_out(
        (
            f"{say_list(silent)} that cannot be told" if silent else "",
            number(open_, "that may apply", "that may apply"),
            number(others, "that does not apply", "that do not apply"),
        )
    )
    return Passage(title="Scores", lines=tuple(line for score in told for line in _score(score)), left=left)


def _score(score: Score) -> Iterator[Line]:
    meaning = f". {sentence(score.meaning)}" if score.meaning else ""
    yield Line(text=f"{score_tag(score)}{meaning}", label=score.name)
    if score.warnings:
        more = len(score.warnings) - 1
        also = f" (and {number(more, 'more warning', 'more warnings')})" if more else ""
        yield Line(text=f"{score.warnings[0]}{also}", label="  warning", tone="unsure")
