"""How dangerous is it: infection and fever by each body's own definition, then the scores with their items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leuko.report.blocks import Entry, Group, Line, Section, Table, Tone, cell, said, sentence, unlike
from leuko.report.sections.why import gap_line
from leuko.result import Assessment
from leuko.result.infection import FeverVerdict, Infection
from leuko.result.scores import Score
from leuko.wording import say_instant, say_list, say_number

KNOWN: Final = {True: "yes", False: "no", None: "cannot say"}
MET: Final = {True: "met", False: "not met", None: "cannot say"}
SUSPECTED: Final = {"urinary": "urinary tract infection", "pneumonia": "pneumonia"}
URGENT_TONES: Final[dict[str, Tone]] = {"emergency": "alert", "urgent": "alert", "cannot_say": "unsure"}
SHOWN: Final = 5
_MET_FIRST: Final = {True: 0, None: 1, False: 2}


def danger(assessment: Assessment) -> Section:
    """Infection first: it is what kills."""
    infection = assessment.infection
    groups = () if infection is None else (_signs(infection), _verdicts(infection))
    return Section(
        id="danger",
        title="How dangerous",
        lead=() if infection is None else tuple(_lead(infection)),
        groups=(*groups, *_scores(assessment)),
    )


def _lead(infection: Infection) -> Iterator[Line]:
    tone: Tone = URGENT_TONES.get(infection.urgency.level, "plain")
    citations = tuple(dict.fromkeys(each for reason in infection.urgency.reasons for each in reason.citations))
    yield Line(text=infection.urgency.text, tone=tone, citations=citations)
    if infection.urgency.call:
        yield Line(text=infection.urgency.call, label="call", tone=tone)
    yield from (said(reason, "caution") for reason in infection.cautions)


def _signs(infection: Infection) -> Group:
    present = [symptom.name for symptom in infection.symptoms if symptom.present]
    denied = [symptom.name for symptom in infection.symptoms if symptom.present is False]
    unknown = sum(symptom.present is None for symptom in infection.symptoms)
    lines = [
        Line(text=say_list(present), label="present", tone="alert"),
        Line(text=say_list(denied), label="denied"),
        Line(text=f"{unknown} of {len(infection.symptoms)} signs were not asked for", label="not known", tone="unsure")
        if unknown
        else Line(text=""),
        *(_suspicion_line(infection)),
        *(_temperatures(infection)),
    ]
    more = (
        *(said(symptom.reason, symptom.name) for symptom in infection.symptoms if symptom.present is not None),
        *(said(reason, "why so urgent") for reason in infection.urgency.reasons),
        *(said(grade.reason, f"{grade.scheme.upper()} {grade.edition}") for grade in infection.fever_grades),
        *map(gap_line, infection.gaps),
    )
    entry = Entry(title="Signs of infection", lines=unlike(lines), more=unlike(more))
    return Group(entries=(entry,), shown=1)


def _suspicion_line(infection: Infection) -> Iterator[Line]:
    for each in (infection.suspects_urinary, infection.suspects_pneumonia):
        if each.suspected:
            yield said(each.reason, SUSPECTED[each.id], "alert")


def _temperatures(infection: Infection) -> Iterator[Line]:
    for each in infection.temperatures:
        route = f", {each.route}" if each.route else ""
        text = f"{say_number(each.celsius)} °C{route}, {say_instant(each.taken)}"
        yield Line(text=text + (f" ({each.note})" if each.note else ""), label="temperature", evidence=(each.id,))


def _verdicts(infection: Infection) -> Group:
    columns = ("Body", "Definition of", "Verdict", "Fever", "Neutropenia", "For this person", "What would change it")
    ordered = sorted(infection.verdicts, key=lambda each: (_MET_FIRST[each.met], each.applies is False))
    rows = tuple(_verdict(each) for each in ordered)
    return Group(
        title="Fever with neutropenia, by each body's definition",
        table=Table(columns=columns, rows=rows, narrow=(0, 1, 2, 3, 4), shown=SHOWN),
        entries=tuple(
            Entry(
                title=f"{each.body}: {each.name}",
                tag=MET[each.met],
                lines=(said(each.reason), *_changes(each)),
                more=(Line(text=each.document, label="document"), Line(text=each.population, label="people")),
            )
            for each in ordered
        ),
        shown=0,
        rest="verdict in words|verdicts in words",
    )


def _changes(each: FeverVerdict) -> tuple[Line, ...]:
    return (Line(text="; ".join(each.would_change), label="would change it"),) if each.would_change else ()


def _verdict(each: FeverVerdict) -> tuple[Line, ...]:
    tone: Tone = "alert" if each.met else "unsure" if each.met is None else "plain"
    return (
        cell(each.body, each.reason),
        cell(each.name),
        cell(MET[each.met], tone=tone),
        cell(KNOWN[each.fever]),
        cell(KNOWN[each.neutropenia]),
        cell(KNOWN[each.applies]),
        cell("; ".join(each.would_change)),
    )


# ---- scores ----------------------------------------------------------------------------------------------------------


def _scores(assessment: Assessment) -> tuple[Group, ...]:
    used = [score for score in assessment.scores if score.eligible]
    open_ = [score for score in assessment.scores if score.eligible is None]
    others = [score for score in assessment.scores if score.eligible is False]
    return (
        Group(title="Scores", entries=tuple(map(_score, used)), shown=SHOWN, rest="further score|further scores"),
        Group(
            title="Scores of which it is open whether they apply",
            entries=tuple(map(_score, open_)),
            shown=0,
            rest="score: {0}|scores: {0}".format(say_list([score.name for score in open_])),
        ),
        Group(
            entries=tuple(map(_score, others)),
            shown=0,
            rest="score that does not apply to this person|scores that do not apply to this person",
        ),
    )


def _score(score: Score) -> Entry:
    warnings = tuple(Line(text=each, label="warning", tone="unsure") for each in score.warnings)
    meaning = (Line(text=score.meaning, label="meant"),) if score.meaning else ()
    summary = Line(text=sentence(score.says.removeprefix(f"{score.name}:").strip()), citations=score.citations)
    return Entry(
        title=score.name,
        tag=_score_tag(score),
        tone="unsure" if score.total is None else "plain",
        lines=(summary, *meaning, *warnings[:1]),
        more=unlike((said(score.reason, "applies"), *warnings[1:], *_score_lines(score))),
        tables=_items(score),
    )


def _score_tag(score: Score) -> str:
    if score.total is not None:
        unit = score.unit.removesuffix("s") if score.total == 1 else score.unit
        shown = f"{say_number(score.total)} {unit}".strip()
        return f"{shown}, {score.band}" if score.band else shown
    return score.band or "cannot say"


def _score_lines(score: Score) -> Iterator[Line]:
    if score.band is None and score.possible:
        yield Line(text=say_list(score.possible, "or"), label="still possible", tone="unsure")
    yield from (Line(text=each, label="validated in", tone="quiet") for each in score.validated)
    yield Line(text=score.edition, label="edition", tone="quiet")
    yield from ([gap_line(score.gap)] if score.gap is not None else [])


def _items(score: Score) -> tuple[Table, ...]:
    conditions = tuple(
        (cell(each.question), cell(KNOWN[each.met], tone="unsure" if each.met is None else "plain"), cell(each.asked))
        for each in score.criteria
    )
    rows = tuple(
        (
            cell(item.question),
            cell(item.value or "not known", item.reason, tone="plain" if item.value else "unsure"),
            cell(str(item.points) if item.points is not None else f"{item.least} to {item.most}"),
            cell(item.asked),
        )
        for item in score.items
    )
    made = (
        Table(columns=("Condition", "Met", "Asked as"), rows=conditions, caption=f"{score.name}: may it be used"),
        Table(columns=("Item", "Found", "Points", "Asked as"), rows=rows, caption=f"{score.name}: items"),
    )
    return tuple(table for table in made if table.rows)
