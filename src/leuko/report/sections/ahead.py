"""Outlook and advice: what to expect, what to do oneself, and whom to call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leuko.report.blocks import Entry, Group, Line, Section, Tone, said, sentence, unlike
from leuko.report.sections.why import gap_line
from leuko.result import Assessment
from leuko.result.advice import Advice, AdviceSet, CallRule, Outlook
from leuko.wording import say_number

SPEEDS: Final = {"at_once": "at once", "same_day": "the same day", "as_usual": "as usual"}
ROLES: Final = {
    "emergency": "the emergency number",
    "helpline": "the helpline of the treating team",
    "out_of_hours": "the out-of-hours service",
    "doctor": "the doctor",
    "prescriber": "the prescriber of the medicine",
}
KINDS: Final = {"do": "", "avoid": "avoid", "ask": "ask", "evidence": "evidence"}
APPLIES: Final = {True: "", None: "depends on what is not known", False: "not for this person"}
SHOWN: Final = 5


def ahead(assessment: Assessment) -> Section:
    """Call rules first: they are what saves."""
    advice = assessment.advice
    groups = () if advice is None else tuple(_groups(advice))
    return Section(
        id="ahead",
        title="Outlook and advice",
        lead=() if advice is None else tuple(_lead(advice)),
        groups=groups,
    )


def _lead(advice: AdviceSet) -> Iterator[Line]:
    limits = f"{say_number(advice.fever_limit)} °C or more"
    if advice.low_limit is not None:
        limits += f", or below {say_number(advice.low_limit)} °C"
    citations = advice.fever_reason.citations
    yield Line(text=f"Call at {limits}", label="temperature", tone="alert", citations=citations)
    yield from (said(reason, "caution", "unsure") for reason in advice.cautions)


def _groups(advice: AdviceSet) -> Iterator[Group]:
    active = sorted(advice.calls, key=lambda rule: not rule.active)
    # No call rule is hidden: the one that is left away may be the one that this person needs.
    yield Group(
        title="When to call",
        entries=tuple(map(_call, active)),
        shown=len(active),
    )
    yield Group(
        title="Outlook",
        entries=tuple(map(_outlook, advice.outlook)),
        shown=3,
        rest="further question|further questions",
    )
    told = sorted((each for each in advice.advice if each.applies is not False), key=lambda a: a.applies is None)
    yield Group(
        title="Advice",
        entries=tuple(map(_advice, told)),
        shown=SHOWN,
        rest="further piece of advice|further pieces of advice",
    )
    yield Group(entries=(_limits(advice),), shown=0, folded="What the temperatures rest on, and telephone numbers")


def _call(rule: CallRule) -> Entry:
    otherwise = f", else {ROLES[rule.otherwise]}" if rule.otherwise is not None else ""
    whom = f"{ROLES[rule.whom]}, {SPEEDS[rule.speed]}{otherwise}"
    return Entry(
        title=rule.text,
        tag="now: on record" if rule.active else "",
        tone="alert" if rule.active else "plain",
        citations=rule.reason.citations,
        more=(Line(text=whom, label="call"), said(rule.reason, "why")),
    )


def _outlook(each: Outlook) -> Entry:
    figures = tuple(
        Line(text=f"{one.value} ({one.population})", label="figure", citations=one.reason.citations)
        for one in each.figures
    )
    tone: Tone = "unsure" if not each.figures else "plain"
    differ = (Line(text="the figures differ, or speak of different people", tone="unsure"),) if each.differ else ()
    return Entry(
        title=sentence(f"{each.name}: {each.question}"),
        tone=tone,
        lines=(Line(text=_told(each), citations=each.reason.citations), *differ),
        more=unlike((*figures, *([gap_line(each.gap)] if each.gap is not None else []))),
    )


def _told(each: Outlook) -> str:
    """The text without the name and the question, where it begins with them as the title does."""
    for start in (f"{each.name}, {each.question}:", f"{each.name}:"):
        if each.text.lower().startswith(start.lower()):
            return sentence(each.text[len(start) :].strip())
    return each.text


def _advice(each: Advice) -> Entry:
    tag = ", ".join(part for part in (KINDS[each.kind], APPLIES[each.applies]) if part)
    lines = (
        Line(text=each.because, label="because"),
        Line(text=sentence(each.evidence), label="evidence", citations=each.reason.citations),
        said(each.reason, "why"),
    )
    tone: Tone = "unsure" if each.applies is None else "plain"
    return Entry(title=each.text, tag=tag, tone=tone, citations=each.reason.citations, more=unlike(lines))


def _limits(advice: AdviceSet) -> Entry:
    low = () if advice.low_reason is None else (said(advice.low_reason, "low"),)
    every = tuple(
        Line(text=f"{each.text}{' (used)' if each.used else ''}", label=each.body, citations=each.reason.citations)
        for each in advice.limits
    )
    phones = tuple(Line(text=each.number or "not given by the site", label=ROLES[each.role]) for each in advice.phones)
    lines = (
        said(advice.fever_reason, "fever"),
        *low,
        said(advice.situation.reason, "why so cautious"),
        *every,
        *phones,
    )
    return Entry(title="Temperatures and telephone numbers", lines=unlike((*lines, *map(gap_line, advice.gaps))))
