"""What to do: the count on the day of treatment, options with what speaks for and against, monitoring, next counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leuko.report.blocks import Entry, Group, Line, Section, Tone, beyond, said, sentence, unlike
from leuko.report.sections.why import gap_line
from leuko.result import Assessment, Reason
from leuko.result.plan import Monitoring, NextCount, Option, Plan, Regimen, TreatDay
from leuko.wording import say_date, say_days, say_list

STANDINGS: Final = {
    "recommended": "recommended by the bodies read",
    "consider": "to be considered",
    "not_routine": "not a routine",
    "cannot_say": "cannot say",
}
STANDING_TONES: Final[dict[str, Tone]] = {"recommended": "for", "cannot_say": "unsure", "not_routine": "quiet"}
VERDICTS: Final = {
    "escalate": "turn to a specialist at once",
    "give": "the rule lets it be given",
    "not_barred": "not barred by this rule",
    "caution": "with caution",
    "reduce": "reduce the dose",
    "delay": "delay",
    "withhold": "withhold",
    "stop": "stop",
    "contraindicated": "contraindicated",
    "titrate": "adjust the dose",
    "cannot_say": "cannot say",
}
_STRICT: Final = ("escalate", "delay", "withhold", "stop", "contraindicated")
SHOWN: Final = 5


def todo(assessment: Assessment) -> Section:
    """The plan; it informs a professional, and prescribes nothing."""
    plan = assessment.plan
    groups = () if plan is None else tuple(_groups(plan))
    lead = () if plan is None else tuple(_regimen(plan.regimen))
    return Section(id="to-do", title="What to do", lead=lead, groups=groups)


def _groups(plan: Plan) -> Iterator[Group]:
    yield _behind(plan.regimen)
    yield Group(
        title="Next counts",
        entries=tuple(_next(each) for each in plan.next_counts),
        shown=3,
        rest="more date|more dates",
    )
    yield Group(
        title="The count on the day of treatment",
        entries=tuple(_treat_day(each) for each in plan.treat_days),
        shown=SHOWN,
        rest="further rule|further rules",
    )
    yield Group(title="Monitored medicines", entries=tuple(map(_monitoring, plan.monitoring)), shown=SHOWN)
    yield Group(
        title="Options",
        entries=tuple(_option(each) for each in plan.options),
        shown=SHOWN,
        rest="further option|further options",
    )
    yield Group(
        title="Where sources disagree",
        entries=tuple(Entry(title="", lines=(said(each, tone="unsure"),)) for each in _other_conflicts(plan)),
        shown=3,
        rest="further disagreement|further disagreements",
    )
    rest = (
        *map(gap_line, plan.gaps),
        *(Line(text=each, label="not reviewed", tone="quiet") for each in plan.unreviewed),
    )
    more = Entry(title="What the plan leaves open", lines=unlike(rest))
    yield Group(
        entries=(more,) if rest else (),
        shown=0,
        folded=f"What the plan leaves open: {len(more.lines)} {'point' if len(more.lines) == 1 else 'points'}",
    )


def _other_conflicts(plan: Plan) -> list[Reason]:
    """The disagreements that no option before this shows already."""
    shown = {reason.text for option in plan.options[:SHOWN] for reason in option.conflicts}
    return [reason for reason in plan.conflicts if reason.text not in shown]


def _behind(regimen: Regimen) -> Group:
    """What the regimen and its risk classes were told by."""
    lines = (said(regimen.reason, "regimen"), *(said(risk.reason, risk.body) for risk in regimen.risks))
    entries = (Entry(title="The regimen and its risk", lines=unlike(lines)),) if regimen.told != "none" else ()
    return Group(entries=entries, shown=0, folded="What the regimen and its risk were told by")


def _regimen(regimen: Regimen) -> Iterator[Line]:
    if regimen.told == "none":
        return
    yield Line(text=regimen.text, label="regimen", citations=regimen.reason.citations, evidence=regimen.reason.evidence)
    for risk in regimen.risks:
        listed = "" if risk.reviewed else " (not reviewed: drives nothing)"
        told = risk.text if risk.text.startswith(risk.body) else f"{risk.body}: {risk.text}"
        yield Line(text=f"{told}{listed}", label="risk of fever", citations=risk.reason.citations)
    yield from map(gap_line, regimen.gaps)


def _next(each: NextCount) -> Entry:
    tag = "overdue" if each.overdue else ""
    due = f"by {say_date(each.due)}" if each.due is not None and say_date(each.due) not in each.text else ""
    within = f"within {say_days(each.within_days)}" if each.within_days is not None and each.due is None else ""
    return Entry(
        title=sentence(each.text),
        tag=", ".join(part for part in (tag, due, within) if part),
        tone="alert" if each.overdue else "plain",
        citations=each.reason.citations,
        more=(said(each.reason, "why"),),
    )


def _treat_day(each: TreatDay) -> Entry:
    due = f", due {say_date(each.due)}" if each.due is not None else ""
    strict = each.verdict in _STRICT
    lines = [Line(text=each.text, citations=each.reason.citations, evidence=each.reason.evidence)]
    lines += [Line(text=each.then, label="then")] if each.then else []
    if each.verdict == "cannot_say":
        lines.append(Line(text=_on_count(each), label="at the last counts", tone="unsure"))
    more = [said(each.reason, "why"), Line(text=_whose(each), label="rule")]
    more += [gap_line(each.gap)] if each.gap is not None else []
    return Entry(
        title=each.title,
        tag=VERDICTS[each.verdict] + due,
        tone="alert" if strict else "unsure" if each.verdict == "cannot_say" else "plain",
        lines=unlike(lines),
        more=beyond(more, lines),
    )


def _on_count(each: TreatDay) -> str:
    possible = f"; possible: {say_list([VERDICTS[one] for one in each.possible], 'or')}" if each.possible else ""
    return VERDICTS[each.on_count] + possible if each.on_count != "cannot_say" else f"cannot say{possible}"


def _whose(each: TreatDay) -> str:
    return ", ".join(part for part in (each.setting, each.region, each.checkpoint, *each.rows) if part)


def _option(option: Option) -> Entry:
    timing = (("when", option.when), ("until", option.until))
    brief = [Line(text=option.what, citations=option.reason.citations)]
    brief += [Line(text=text, label=label) for label, text in timing if text]
    weighed = unlike(
        (
            *(said(reason, "for", "for") for reason in option.speaks_for),
            *(said(reason, "against", "against") for reason in option.speaks_against),
            *(said(reason, "caution", "unsure") for reason in option.cautions),
            *(said(reason, "sources differ", "unsure") for reason in option.conflicts),
        )
    )
    lines = unlike((*brief, *_first_each(weighed)))
    return Entry(
        title=option.title,
        tag=STANDINGS[option.standing],
        tone=STANDING_TONES.get(option.standing, "plain"),
        lines=lines,
        more=beyond((said(option.reason, "why"), *weighed, *map(gap_line, option.missing)), lines),
    )


def _first_each(lines: tuple[Line, ...]) -> Iterator[Line]:
    """The first line of each kind, so that the short view hides no kind of argument."""
    seen: set[str] = set()
    for line in lines:
        if line.label not in seen:
            seen.add(line.label)
            yield line


def _monitoring(each: Monitoring) -> Entry:
    due = f"next count by {say_date(each.due)}" if each.due is not None else ""
    parts = (VERDICTS[each.action], "overdue" if each.overdue else "", due)
    counts = (Line(text=each.counts, label="counts"),) if each.counts else ()
    lines = (Line(text=each.text, citations=each.reason.citations, evidence=each.reason.evidence), *counts)
    return Entry(
        title=f"{each.drug}: {each.title}",
        tag=", ".join(part for part in parts if part),
        tone="alert" if each.overdue or each.action in _STRICT else "unsure" if each.band is None else "plain",
        lines=lines,
        more=beyond(_monitoring_lines(each), lines),
    )


def _monitoring_lines(each: Monitoring) -> Iterator[Line]:
    yield Line(
        text=", ".join(part for part in (each.scheme, each.jurisdiction, each.population) if part), label="scheme"
    )
    yield said(each.reason, "why")
    yield from (said(reason, "note") for reason in each.notes)
    yield from (said(reason, "sources differ", "unsure") for reason in each.conflicts)
    yield from map(gap_line, each.gaps)
