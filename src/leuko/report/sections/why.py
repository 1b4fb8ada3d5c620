"""Why is it low: causes with what speaks for and against them, and medicines held against the counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leuko.report.blocks import Entry, Group, Line, Section, Table, Tone, cell, said, sentence, unlike
from leuko.result import Assessment, Gap
from leuko.result.causes import Cause, Clue
from leuko.result.drugs import Causality, DrugLink
from leuko.wording import say_list

STANDINGS: Final = {
    "supported": "supported",
    "open": "open",
    "against": "more speaks against it",
    "ruled_out": "ruled out",
    "unreviewed": "not reviewed: carries no weight",
}
TONES: Final[dict[str, Tone]] = {
    "supported": "for",
    "open": "plain",
    "against": "against",
    "ruled_out": "against",
    "unreviewed": "quiet",
}
TIMINGS: Final = {
    "inside": "inside its usual window",
    "partly": "may lie in its usual window",
    "during": "while it was taken",
    "early": "earlier than usual",
    "late": "later than usual",
    "after_stop": "long after it was stopped",
    "before_start": "before it was begun",
    "other_line": "not known to lower this line",
    "unknown": "cannot say",
}
DECHALLENGES: Final = {
    "positive": "recovered",
    "negative": "did not recover",
    "not_stopped": "not stopped",
    "too_soon": "too soon to say",
    "cannot_say": "cannot say",
}
RECHALLENGES: Final = {
    "positive": "fell again",
    "negative": "did not fall again",
    "not_done": "not given again",
    "cannot_say": "cannot say",
}
SCHEMES: Final = {"naranjo": "Naranjo", "who_umc": "WHO-UMC", "benichou": "Bénichou"}
SHOWN: Final = 5
CLUES: Final = 3
ANSWERS: Final = {"yes": "yes", "no": "no", "not_done": "not done", "unknown": "not known"}


def why(assessment: Assessment) -> Section:
    """Causes in their order, then the medicines on the time line with the causality schemes."""
    entries = tuple(_cause(cause) for cause in assessment.causes)
    return Section(
        id="why",
        title="Why",
        groups=(
            Group(entries=entries, shown=SHOWN, rest="further possible cause|further possible causes"),
            Group(
                title="Medicines against the counts",
                table=_time_line(assessment),
                entries=tuple(_link(link, assessment) for link in assessment.drug_links),
                shown=0,
                rest="medicine item by item|medicines item by item",
            ),
        ),
    )


def _cause(cause: Cause) -> Entry:
    strength = f", {cause.strength} evidence" if cause.strength != "none" and cause.standing == "supported" else ""
    speaks = unlike(
        (
            *(_clue(clue, "for" if clue.points else "fits") for clue in cause.clues_for),
            *(_clue(clue, "against") for clue in cause.clues_against),
        )
    )
    brief = _brief(speaks)
    settle = tuple(dict.fromkeys(clue.settle for clue in cause.missing if clue.settle))
    ask = (Line(text=say_list(settle[:CLUES]), label="would tell"),) if settle else ()
    return Entry(
        title=cause.name,
        tag=STANDINGS[cause.standing] + strength,
        tone=TONES[cause.standing],
        lines=(*brief, *(_unexplained(cause)), *ask),
        more=(*(line for line in speaks if line not in brief), *unlike(_missing(cause)), *_general(cause)),
    )


def _clue(clue: Clue, label: str) -> Line:
    tone: Tone = "against" if label == "against" else "for"
    return Line(text=clue.text, label=label, tone=tone, citations=clue.citations, evidence=clue.evidence)


def _brief(speaks: tuple[Line, ...]) -> tuple[Line, ...]:
    """The first lines of each kind: a short view must never hide that something speaks against a cause."""
    return tuple(
        line
        for label, most in (("for", CLUES), ("fits", 1), ("against", CLUES))
        for line in [each for each in speaks if each.label == label][:most]
    )


def _unexplained(cause: Cause) -> Iterator[Line]:
    if cause.unexplained and cause.standing == "supported":
        words = f"it does not by itself explain low {say_list(cause.unexplained)}"
        yield Line(text=words, label="leaves open", tone="unsure")


def _missing(cause: Cause) -> Iterator[Line]:
    for clue in cause.missing:
        settle = f" What would settle it: {clue.settle}." if clue.settle else ""
        yield Line(text=f"{clue.text.rstrip('.')}.{settle}", label="not known", tone="unsure", citations=clue.citations)
    yield from map(gap_line, cause.gaps)


def _general(cause: Cause) -> Iterator[Line]:
    known = (("how", cause.mechanism), ("onset", cause.onset), ("film", cause.film), ("how often", cause.frequency))
    yield from (Line(text=words, label=label, tone="quiet") for label, words in known if words)
    if cause.icd10cm:
        yield Line(text=f"ICD-10-CM {say_list(cause.icd10cm)}", label="codes", tone="quiet")
    if cause.reason.citations:
        yield Line(text="the sources of this entry", label="from", tone="quiet", citations=cause.reason.citations)


def gap_line(gap: Gap) -> Line:
    """A gap as a line."""
    return Line(text=f"{gap.what}: {gap.why}. What would settle it: {gap.settle}", label="cannot say", tone="unsure")


# ---- medicines -------------------------------------------------------------------------------------------------------


def _time_line(assessment: Assessment) -> Table | None:
    if not assessment.drug_links:
        return None
    columns = ("Medicine", "Low stretch", "Onset or nadir", "After stopping", "Given again", "Evidence")
    order = {link.analyte: number for number, link in reversed(list(enumerate(assessment.drug_links)))}
    links = sorted(assessment.drug_links, key=lambda link: (order[link.analyte], -link.episode, link.rank))
    return Table(columns=columns, rows=tuple(_row(link, assessment) for link in links), narrow=(0, 1, 2, 3, 5))


def _row(link: DrugLink, assessment: Assessment) -> tuple[Line, ...]:
    strength = "not reviewed" if not link.reviewed else link.strength
    tone: Tone = {"strong": "for", "against": "against"}.get(link.strength, "plain")  # type: ignore[assignment]
    return (
        cell(link.drug),
        cell(_stretch(link, assessment)),
        cell(TIMINGS[link.timing]),
        cell(DECHALLENGES[link.dechallenge]),
        cell(RECHALLENGES[link.rechallenge]),
        cell(strength, link.reason, tone=tone),
    )


def _stretch(link: DrugLink, assessment: Assessment) -> str:
    number = f"episode {link.episode + 1}"
    if all(other.analyte == link.analyte for other in assessment.drug_links):
        return number
    label = next((s.label for s in assessment.latest if s.count.analyte == link.analyte), link.analyte)
    return f"{number}, {label}"


def _link(link: DrugLink, assessment: Assessment) -> Entry:
    return Entry(
        title=f"{link.drug}: {_stretch(link, assessment)}",
        tag=link.strength if link.reviewed else "not reviewed: drives nothing",
        tone="against" if link.strength == "against" else "plain",
        lines=(said(link.reason),),
        more=unlike(_link_lines(link)),
        tables=tuple(_causality(each) for each in link.causality),
    )


def _link_lines(link: DrugLink) -> Iterator[Line]:
    yield from (Line(text=each.text, label="taken", evidence=each.doses) for each in link.exposures)
    yield from (said(reason, "for", "for") for reason in link.clues_for)
    yield from (said(reason, "against", "against") for reason in link.clues_against)
    yield from (said(reason, "contradiction", "alert") for reason in link.contradictions)
    yield from map(gap_line, link.missing)
    if link.others:
        yield Line(text=say_list(link.others), label="also possible")
    known = (("how", link.mechanism), ("how often", link.incidence), ("known from", link.evidence_level))
    yield from (Line(text=text, label=label, tone="quiet") for label, text in known if text)
    for each in link.causality:
        yield Line(text=each.reason.text, label=SCHEMES[each.scheme], citations=each.reason.citations)


def _causality(each: Causality) -> Table:
    scored = any(item.points is not None for item in each.items)
    columns = ("No.", "Question", "Answer", *(("Points",) if scored else ()), "Because")
    rows = []
    for item in each.items:
        points = (cell("" if item.points is None else str(item.points)),) if scored else ()
        answer = cell(ANSWERS[item.answer], tone="unsure" if item.answer == "unknown" else "plain")
        rows.append((cell(str(item.number)), cell(item.question), answer, *points, cell(sentence(item.because))))
    return Table(columns=columns, rows=tuple(rows), caption=each.title)
