"""What cannot wait, before all else: infection, signs that are there now, what hides or decides a fever."""

from __future__ import annotations

from collections.abc import Iterator

from leuko.report.blocks import Line, said
from leuko.report.brief.passage import Passage, first_few, left_out, number
from leuko.report.sections.danger import SUSPECTED, URGENT_TONES, temperature_words
from leuko.result import Assessment
from leuko.result.advice import AdviceSet
from leuko.result.infection import FeverVerdict, Infection
from leuko.wording import say_list, say_number


def urgent(assessment: Assessment) -> Passage:
    """Every sign that is present, every definition of fever that is met, every call rule that holds now."""
    infection, advice = assessment.infection, assessment.advice
    lines = [*(() if infection is None else _infection(infection))]
    lines += [] if advice is None else [*_calls(advice)]
    parts = (*(() if infection is None else _unsaid(infection)), *(() if advice is None else _unsaid_advice(advice)))
    return Passage(title="Infection and fever", lines=tuple(lines), left=left_out(parts))


def _unsaid(infection: Infection) -> Iterator[str]:
    yield number(sum(one.present is None for one in infection.symptoms), "sign not asked for", "signs not asked for")
    if infection.urgency.level == "cannot_say":
        yield number(len(infection.gaps), "more gap", "more gaps")


def _unsaid_advice(advice: AdviceSet) -> Iterator[str]:
    yield number(sum(not rule.active for rule in advice.calls), "further call rule", "further call rules")
    yield number(len(advice.cautions), "caution on the fever limit", "cautions on the fever limit")
    yield "outlook and advice" if advice.outlook or advice.advice else ""


def _infection(infection: Infection) -> Iterator[Line]:
    urgency = infection.urgency
    tone = URGENT_TONES.get(urgency.level, "plain")
    # An emergency stands in the headline or right below it, with whom to call.
    if tone != "alert":
        yield Line(text=urgency.text, tone=tone)
    present = [one.name for one in infection.symptoms if one.present]
    if present:
        yield Line(text=say_list(present), label="present", tone="alert")
    for each in (infection.suspects_urinary, infection.suspects_pneumonia):
        if each.suspected:
            yield said(each.reason, SUSPECTED[each.id], "alert")
    if infection.temperatures:
        yield Line(text="; ".join(map(temperature_words, infection.temperatures[-3:])), label="temperature")
    yield from _verdicts(infection.verdicts)
    yield from (said(reason, "caution", "unsure") for reason in infection.cautions)
    # Where nothing can be said of an infection, the sentence above says so already.
    if urgency.level != "cannot_say":
        yield from (Line(text=f"{gap.what}: {gap.why}", label="cannot say", tone="unsure") for gap in infection.gaps)


def _verdicts(verdicts: tuple[FeverVerdict, ...]) -> Iterator[Line]:
    """Fever with neutropenia in one line: which bodies' definitions are met, the others by number."""
    met = list(dict.fromkeys(one.body for one in verdicts if one.met))
    if not verdicts:
        return
    open_, not_met = sum(one.met is None for one in verdicts), sum(one.met is False for one in verdicts)
    told = (f"met by {first_few(met)}" if met else "", f"{open_} open" if open_ else "")
    parts = [*told, f"{not_met} not met" if not_met else ""]
    definitions = number(len(verdicts), "definition", "definitions")
    text = f"{definitions}: {', '.join(part for part in parts if part)}"
    yield Line(text=text, label="fever with neutropenia", tone="alert" if met else "unsure" if open_ else "plain")


def _calls(advice: AdviceSet) -> Iterator[Line]:
    yield from (Line(text=rule.text, label="call now", tone="alert") for rule in advice.calls if rule.active)
    limits = f"{say_number(advice.fever_limit)} °C or more"
    if advice.low_limit is not None:
        limits += f", or below {say_number(advice.low_limit)} °C"
    yield Line(text=f"at {limits}", label="call")
