"""What to do, in brief: what the rules ask for at these counts, medicines that are watched, options by standing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from leuko.report.blocks import Line, Tone, sentence
from leuko.report.brief.passage import Passage, left_out, number
from leuko.report.outline import STRICT
from leuko.report.sections.todo import STANDING_TONES, STANDINGS, VERDICTS
from leuko.result import Assessment
from leuko.result.plan import Monitoring, NextCount, Option, Plan, TreatDay
from leuko.wording import say_date, say_list

_HOLDS: Final = (*STRICT, "delay")
_PAST: Final = {"nadir": "by the lowest count", "previous_cycle": "by the last cycle"}
"""What a rule goes by that does not ask for the count of the day."""
NEXT: Final = 2
VACCINE: Final = "antimicrobial:vaccine"


def plan(assessment: Assessment) -> Passage:
    """Every rule for the day of treatment and every watched medicine has a line; overdue counts stand first."""
    found = assessment.plan
    if found is None:
        return Passage(title="What to do")
    ordered = sorted(found.next_counts, key=lambda one: not one.overdue)
    overdue = sum(one.overdue for one in ordered)
    counts = ordered[: max(NEXT, overdue)]
    told = {one.due for one in counts}
    later = _later(assessment)
    return Passage(
        title="What to do",
        lines=(
            *_regimen(found),
            *(_next(one) for one in counts),
            *(_monitoring(one, told) for one in found.monitoring),
            *(line for one in found.treat_days for line in _treat_day(one)),
            *_options(found, later),
        ),
        left=_left(found, len(ordered) - len(counts), later),
    )


def _later(assessment: Assessment) -> set[str]:
    """The titles of options that can wait while an emergency cannot: vaccines."""
    urgent = assessment.infection is not None and assessment.infection.urgency.level == "emergency"
    options = assessment.plan.options if assessment.plan is not None and urgent else ()
    return {option.title for option in options if option.id == VACCINE}


def _left(found: Plan, dates: int, later: set[str]) -> str:
    cautions = sum(len(option.cautions) for option in found.options)
    parts = (
        number(len(later), "option that can wait", "options that can wait"),
        number(dates, "more date", "more dates"),
        number(cautions, "caution", "cautions"),
        number(len(found.conflicts), "disagreement", "disagreements"),
        number(len(found.gaps), "open point", "open points"),
        "what each rests on" if found.options or found.treat_days or found.monitoring else "",
    )
    return left_out(parts)


def _regimen(found: Plan) -> Iterator[Line]:
    if found.regimen.told != "none":
        yield Line(text=found.regimen.text, label="regimen")
    yield from (Line(text=risk.text, label="risk of fever") for risk in found.regimen.risks if risk.reviewed)


def _next(one: NextCount) -> Line:
    text = sentence(one.text)
    return Line(text=text, label="overdue", tone="alert") if one.overdue else Line(text=text, label="next count")


def _monitoring(one: Monitoring, told: set[date | None]) -> Line:
    """What a scheme asks for; when the next count is due only where no line before says so."""
    strict = one.action in _HOLDS
    due = "" if one.due is None or one.due in told else f", next count by {say_date(one.due)}"
    due = ", next count overdue" if one.overdue else due
    tone: Tone = "alert" if strict or one.overdue else "unsure" if one.band is None else "plain"
    return Line(text=f"{VERDICTS[one.action]}{due}", label=one.title, tone=tone)


def _treat_day(one: TreatDay) -> Iterator[Line]:
    """One rule; its setting and what it goes by keep several rules of one drug apart."""
    about = "; ".join(part for part in (one.setting, _PAST.get(one.checkpoint, "")) if part)
    due = f", due {say_date(one.due)}" if one.due is not None else ""
    told = f"{VERDICTS[one.verdict]}{due}"
    if one.verdict == "cannot_say" and one.on_count != "cannot_say":
        told += f"; at the last counts: {VERDICTS[one.on_count]}"
    elif one.verdict == "cannot_say" and one.possible:
        told += f"; possible: {say_list([VERDICTS[each] for each in one.possible], 'or')}"
    tone: Tone = "alert" if one.verdict in _HOLDS else "unsure" if one.verdict == "cannot_say" else "plain"
    yield Line(text=told, label=f"{one.title} ({about})" if about else one.title, tone=tone)
    if one.verdict in _HOLDS:
        yield Line(text=one.text, label="  why")


def _options(found: Plan, later: set[str]) -> Iterator[Line]:
    shown = [option for option in found.options if option.title not in later]
    for standing, words in STANDINGS.items():
        titles = [_option(option) for option in shown if option.standing == standing]
        if titles:
            yield Line(text="; ".join(titles), label=words, tone=STANDING_TONES.get(standing, "plain"))


def _option(option: Option) -> str:
    """Its name; for the treatment of an infection also when, as that cannot wait for the full view."""
    now = option.topic == "antimicrobial_therapy" and option.standing == "recommended" and option.when
    return f"{option.title} ({option.when.rstrip('.')})" if now else option.title
