"""How dangerous is it: infection and fever by each body's own definition, then the scores with their items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from leuko.report.blocks import Entry, Group, Line, Section, Table, Tone, cell, said, sentence, unlike
from leuko.report.sections.why import gap_line
from leuko.result import Assessment
from leuko.result.infection import FeverVerdict, Infection, Symptom, Temperature
from leuko.result.scores import Score, ScoreCriterion
from leuko.wording import say_instant, say_list, say_number

KNOWN: Final = {True: "yes", False: "no", None: "cannot say"}
MET: Final = {True: "met", False: "not met", None: "cannot say"}
SUSPECTED: Final = {"urinary": "urinary tract infection", "pneumonia": "pneumonia"}
URGENT_TONES: Final[dict[str, Tone]] = {"emergency": "alert", "urgent": "alert", "cannot_say": "unsure"}
CAUSES: Final = {
    "febrile_neutropenia": "febrile neutropenia",
    "suspected_infection": "a suspected infection",
    "bacteraemia": "bacteraemia",
    "cancer": "cancer under treatment",
    "solid_tumour": "a solid tumour",
    "solid_tumour_or_lymphoma": "a solid tumour or lymphoma",
    "haematological": "a blood cancer",
    "acute_myeloid_leukaemia": "acute myeloid leukaemia",
    "before_first_cycle": "chemotherapy",
}
BRIEFLY: Final = {
    "febrile_neutropenia": "febrile neutropenia",
    "suspected_infection": "a suspected infection",
    "bacteraemia": "bacteraemia",
}
SHOWN: Final = 5
_MET_FIRST: Final = {True: 0, None: 1, False: 2}


def danger(assessment: Assessment) -> Section:
    """Infection first: it is what kills."""
    infection = assessment.infection
    groups = () if infection is None else (_signs(infection, _measured(assessment)), _verdicts(infection))
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


def _measured(assessment: Assessment) -> frozenset[str]:
    """The ids of readings with a number: what they rule out was measured, and nobody was asked."""
    temperatures = () if assessment.infection is None else assessment.infection.temperatures
    return frozenset([one.id for one in temperatures] + [one.id for one in assessment.signs if one.value is not None])


def _signs(infection: Infection, measured: frozenset[str]) -> Group:
    present = [symptom.name for symptom in infection.symptoms if symptom.present]
    absent = [symptom for symptom in infection.symptoms if symptom.present is False]
    readings = [symptom for symptom in absent if _by_reading(symptom, measured)]
    denied = [symptom.name for symptom in absent if symptom not in readings]
    unknown = sum(symptom.present is None for symptom in infection.symptoms)
    lines = [
        Line(text=say_list(present), label="present", tone="alert"),
        Line(text=say_list(denied), label="denied"),
        *_ruled_out(readings),
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


def _by_reading(symptom: Symptom, measured: frozenset[str]) -> bool:
    """Whether a number, and nobody's answer, says that it is absent."""
    return not measured.isdisjoint(symptom.reason.evidence) and ": denied" not in symptom.detail


def _ruled_out(readings: Iterable[Symptom]) -> Iterator[Line]:
    """What a reading is not, with the reading; one reading may speak of several signs."""
    alike: dict[str, list[Symptom]] = {}
    for symptom in readings:
        alike.setdefault(symptom.detail, []).append(symptom)
    for detail, found in alike.items():
        evidence = tuple(dict.fromkeys(each for symptom in found for each in symptom.reason.evidence))
        names = say_list([symptom.name for symptom in found], "or")
        yield Line(text=detail, label=f"not {names}", evidence=evidence)


def _suspicion_line(infection: Infection) -> Iterator[Line]:
    for each in (infection.suspects_urinary, infection.suspects_pneumonia):
        if each.suspected:
            yield said(each.reason, SUSPECTED[each.id], "alert")


def _temperatures(infection: Infection) -> Iterator[Line]:
    for each in infection.temperatures:
        yield Line(text=temperature_words(each), label="temperature", evidence=(each.id,))


def temperature_words(each: Temperature) -> str:
    """A reading with its route and time, and what must be known of it."""
    route = f", {each.route}" if each.route else ""
    text = f"{say_number(each.celsius)} °C{route}, {say_instant(each.taken)}"
    return text + (f" ({each.note})" if each.note else "")


def _verdicts(infection: Infection) -> Group:
    columns = ("Body", "Definition of", "Verdict", "Fever", "Neutropenia", "For this person", "What would change it")
    ordered = sorted(infection.verdicts, key=lambda each: (_MET_FIRST[each.met], each.applies is False))
    rows = tuple(_verdict(each) for each in ordered)
    return Group(
        title="Fever with neutropenia, by each body's definition",
        table=Table(columns=columns, rows=rows, narrow=(0, 1, 2, 3, 4)),
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
    pointed = _points_to_them(assessment)
    idle = [score for score in assessment.scores if score.eligible is None and not pointed and _open_causes(score)]
    open_ = [score for score in assessment.scores if score.eligible is None and score not in idle]
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
            entries=tuple(map(_idle, idle)),
            shown=0,
            folded=_idle_words(idle),
        ),
        Group(
            entries=tuple(map(_score, others)),
            shown=0,
            rest="score that does not apply to this person|scores that do not apply to this person",
        ),
    )


def _points_to_them(assessment: Assessment) -> bool:
    """Whether anything on record points to fever, infection, cancer or its treatment; evidence both ways does too."""
    advice, plan, infection = assessment.advice, assessment.plan, assessment.infection
    if advice is not None and (advice.situation.treatment or advice.situation.treatments):
        return True
    if plan is not None and plan.regimen.told != "none":
        return True
    if infection is not None and _infected(infection):
        return True
    return any(_spoken_of(each) for score in assessment.scores for each in score.criteria if each.asked in CAUSES)


def _infected(infection: Infection) -> bool:
    fever = any(each.fever for each in infection.verdicts)
    organs = infection.suspects_urinary.suspected or infection.suspects_pneumonia.suspected
    urgent = infection.alert or infection.urgency.level in {"emergency", "urgent"}
    return bool(fever or organs or urgent or any(each.present for each in infection.symptoms))


def _spoken_of(each: ScoreCriterion) -> bool:
    return each.met is True or (each.met is None and each.reason.text.startswith("contradictory"))


def _open_causes(score: Score) -> list[str]:
    """What the score is for and the record does not show."""
    return [CAUSES[each.asked] for each in score.criteria if each.met is None and each.asked in CAUSES]


def _idle(score: Score) -> Entry:
    needs = say_list(list(dict.fromkeys(_open_causes(score))))
    return Entry(title=score.name, tag="open", lines=(Line(text=needs, label="applies only with"),))


def _idle_words(scores: list[Score]) -> str:
    found = {each.asked for score in scores for each in score.criteria if each.met is None and each.asked in CAUSES}
    causes = list(dict.fromkeys(BRIEFLY.get(each, "cancer") for each in CAUSES if each in found))
    shown = "which the record does not show now" if len(causes) == 1 else "none of which the record shows now"
    names = say_list([score.name for score in scores])
    apply = "score applies" if len(scores) == 1 else "scores apply"
    return f"{len(scores)} {apply} only with {say_list(causes, 'or')}, {shown}: {names}"


def _score(score: Score) -> Entry:
    warnings = tuple(Line(text=each, label="warning", tone="unsure") for each in score.warnings)
    meaning = (Line(text=score.meaning, label="meant"),) if score.meaning else ()
    summary = Line(text=sentence(score.says.removeprefix(f"{score.name}:").strip()), citations=score.citations)
    return Entry(
        title=score.name,
        tag=score_tag(score),
        tone="unsure" if score.total is None else "plain",
        lines=(summary, *meaning, *warnings[:1]),
        more=unlike((said(score.reason, "applies"), *warnings[1:], *_score_lines(score))),
        tables=_items(score),
    )


def score_tag(score: Score) -> str:
    """The total with its unit and band, or that it cannot be said."""
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
