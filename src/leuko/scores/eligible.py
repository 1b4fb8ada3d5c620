"""Whether a score may be used for this person at all: each condition by name, met, not met, or not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from leuko.frozen import Frozen
from leuko.knowledge.schema import Band
from leuko.knowledge.schema.scores import CriterionRow
from leuko.result import Reason
from leuko.result.infection import FeverVerdict, Infection
from leuko.result.scores import ScoreCriterion
from leuko.scores.items import judge
from leuko.scores.named import concept
from leuko.scores.observe import observe
from leuko.scores.reading import inside
from leuko.scores.setting import Setting
from leuko.wording import say_list

IN_FORCE: Final = "guideline"


class _Heard(Frozen, frozen=True, kw_only=True):
    """One piece of evidence for (True) or against (False) a condition."""

    met: bool
    text: str
    evidence: tuple[str, ...] = ()


def criterion_of(row: CriterionRow, setting: Setting) -> ScoreCriterion:
    """Whether one condition is met; evidence for and against it at once leaves it open."""
    heard = [*_answered(row, setting), *_named(row, setting), *_measured(row, setting), *_scored(row, setting)]
    if row.infection:
        heard += _infected(row.infection, setting)
    verdicts = {one.met for one in heard}
    met = verdicts.pop() if len(verdicts) == 1 else None
    texts = list(dict.fromkeys(one.text for one in heard))
    text = say_list(texts) if heard else "the record does not say"
    if len({one.met for one in heard}) > 1:
        text = f"contradictory: {text}"
    reason = Reason(
        rule=f"score:criterion:{row.id}",
        text=text,
        evidence=tuple(dict.fromkeys(found for one in heard for found in one.evidence)),
        citations=(setting.library.cite(row.basis),),
    )
    return ScoreCriterion(id=row.id, question=row.question, met=met, asked=row.asks, reason=reason)


def eligible(criteria: Iterable[ScoreCriterion]) -> bool | None:
    """Whether all conditions are met; one that is not decides, else one that is not known leaves it open."""
    met = {criterion.met for criterion in criteria}
    return False if False in met else None if None in met else True


def _answered(row: CriterionRow, setting: Setting) -> list[_Heard]:
    answer = setting.answers.words.get(row.asks)
    if answer in row.met_answers:
        return [_Heard(met=True, text=f"{answer} (given by hand)")]
    return [_Heard(met=False, text=f"{answer} (given by hand)")] if answer in row.unmet_answers else []


def _named(row: CriterionRow, setting: Setting) -> list[_Heard]:
    return [
        _Heard(met=met, text=one.text, evidence=one.evidence)
        for names, met in ((row.met_with, True), (row.unmet_with, False))
        for one in (concept(name, setting) for name in names)
        if one.state == "yes"
    ]


def _measured(row: CriterionRow, setting: Setting) -> list[_Heard]:
    heard = [*_in_bands(row.met_bands, setting, met=True), *_in_bands(row.unmet_bands, setting, met=False)]
    return list(dict.fromkeys(heard))


def _in_bands(bands: Mapping[str, Band], setting: Setting, *, met: bool) -> list[_Heard]:
    rows = setting.tables.observables
    found = []
    for name, band in bands.items():
        readings = observe(rows[name], setting).readings
        if readings and all(inside(reading, band) for reading in readings):
            evidence = tuple(one for reading in readings for one in reading.evidence)
            found.append(_Heard(met=met, text=say_list([reading.text for reading in readings]), evidence=evidence))
    return found


def _scored(row: CriterionRow, setting: Setting) -> list[_Heard]:
    """Another score whose points already speak against the condition, at the least that they can be."""
    heard = []
    names = {score.id: score.name for score in setting.tables.scores}
    for score, limit in row.unmet_points.items():
        items = [judge(item, setting) for item in setting.tables.items.get(score, ())]
        points = sum(min(option.points for option in item.options) for item in items)
        if points >= limit:
            evidence = tuple(one for item in items for one in item.evidence)
            heard.append(_Heard(met=False, text=f"{points} points or more of {names[score]}", evidence=evidence))
    return heard


def _infected(wanted: str, setting: Setting) -> list[_Heard]:
    infection = setting.infection
    if wanted == "suspected_infection" and setting.answers.words.get("febrile_neutropenia") == "yes":
        return [_Heard(met=True, text="febrile neutropenia (given by hand)")]
    if infection is None:
        return []
    verdicts = [one for one in infection.verdicts if one.kind == IN_FORCE and one.applies is not False]
    neutropenic = _febrile_neutropenia(verdicts)
    if wanted == "febrile_neutropenia" or any(one.met for one in neutropenic):
        return neutropenic
    return _suspected(infection, verdicts)


def _febrile_neutropenia(verdicts: list[FeverVerdict]) -> list[_Heard]:
    """Met where one body's definition in force is; not met only where none is and none is open."""
    met = [one for one in verdicts if one.met]
    if met:
        bodies = say_list(list(dict.fromkeys(one.body for one in met)))
        return [
            _Heard(met=True, text=f"by {bodies}: {met[0].reason.text.rstrip('.')}", evidence=met[0].reason.evidence)
        ]
    if verdicts and all(one.met is False for one in verdicts):
        return [
            _Heard(
                met=False,
                text=f"by no body: {verdicts[0].reason.text.rstrip('.')}",
                evidence=verdicts[0].reason.evidence,
            )
        ]
    return []


def _suspected(infection: Infection, verdicts: list[FeverVerdict]) -> list[_Heard]:
    fever = [one.reason for one in verdicts if one.fever]
    organs = (infection.suspects_urinary, infection.suspects_pneumonia)
    found = [*fever[:1], *(organ.reason for organ in organs if organ.suspected)]
    if found:
        return [_Heard(met=True, text=one.text, evidence=one.evidence) for one in found]
    clear = verdicts and all(one.fever is False for one in verdicts) and all(o.suspected is False for o in organs)
    return [_Heard(met=False, text="no fever, and no sign of infection where it was asked for")] if clear else []
