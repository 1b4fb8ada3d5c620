"""What to find out: the next steps in their order, with urgency, who, and what the record already holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leuko.report.blocks import Entry, Group, Line, Section, Tone, said, sentence, unlike
from leuko.report.sections.why import gap_line
from leuko.result import Assessment
from leuko.result.steps import BodySays, Step
from leuko.wording import say_list

URGENCIES: Final = {
    "emergency": "at once",
    "same_day": "today",
    "urgent": "urgent",
    "soon": "soon",
    "routine": "routine",
}
TONES: Final[dict[str, Tone]] = {"emergency": "alert", "same_day": "alert", "urgent": "alert"}
ADVISES: Final = {"do": "says", "not": "says not to", "note": "notes"}
SHOWN: Final = 5


def workup(assessment: Assessment) -> Section:
    """What remains to be done, then what is done already."""
    open_ = [step for step in assessment.steps if not step.done]
    done = [step for step in assessment.steps if step.done]
    names = {cause.id: cause.name for cause in assessment.causes}
    return Section(
        id="find-out",
        title="What to find out",
        groups=(
            Group(entries=tuple(_step(s, names) for s in open_), shown=SHOWN, rest="further step|further steps"),
            Group(
                title="Already done", entries=tuple(_step(s, names) for s in done), shown=0, rest="step done|steps done"
            ),
        ),
    )


def _step(step: Step, names: dict[str, str]) -> Entry:
    when = step.by_when if step.by_when.lower() != URGENCIES[step.urgency] else ""
    tag = "done" if step.done else ", ".join(part for part in (URGENCIES[step.urgency], when) if part)
    tests = (Line(text=say_list(step.tests), label="ask for"),) if step.tests and not step.done else ()
    conflict = (said(step.conflict, "bodies differ", "unsure"),) if step.conflict is not None else ()
    return Entry(
        title=step.what,
        tag=tag,
        tone=TONES.get(step.urgency, "plain") if not step.done else "quiet",
        lines=(*tests, said(step.why, "why"), *conflict),
        more=unlike(_details(step, names)),
    )


def _details(step: Step, names: dict[str, str]) -> Iterator[Line]:
    yield Line(text=step.who, label="who")
    tells = [names[each] for each in step.separates if each in names]
    if tells:
        yield Line(text=say_list(tells), label="tells apart")
    yield from (Line(text=each.text, label="on record", evidence=each.evidence) for each in step.already)
    yield from (_body(each) for each in step.bodies)
    yield from ([gap_line(step.gap)] if step.gap is not None else [])


def _body(each: BodySays) -> Line:
    when = f" ({each.by_when})" if each.by_when else ""
    label = f"{each.body} {ADVISES[each.advises]}" if each.advises != "note" else f"{each.body} notes"
    return Line(text=sentence(each.says) + when, label=label, citations=(each.citation,))
