"""A weighed cause in words: its clues in order, what is missing, and the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from leuko.causes.ask import ask
from leuko.causes.finding import Finding
from leuko.causes.scene import Scene, predicates_of
from leuko.causes.settle import settle_of
from leuko.causes.weigh import Weighed, force_of, strength_of, weight_of
from leuko.frozen import replace
from leuko.knowledge import Library
from leuko.knowledge.schema.causes import CauseRow, ClueRow, DrugPredicate, FactPredicate
from leuko.result import Citation, Gap, Reason
from leuko.result.causes import Cause, Clue, Verdict
from leuko.wording import say_list

_MOST_SAID: Final = 4
_MOST_SETTLED: Final = 3
_LINE_WORDS: Final[Mapping[str, str]] = {"red": "red cells"}
_OPENING: Final[Mapping[str, str]] = {
    "open": "nothing in the record points to it, and nothing excludes it",
    "against": "more speaks against it than for it",
    "ruled_out": "ruled out",
}


def cause_of(
    row: CauseRow,
    findings: Mapping[str, Finding],
    weighed: Weighed,
    scene: Scene,
    *,
    fits: bool | None,
    unexplained: tuple[str, ...],
) -> Cause:
    """The cause with its clues. `fits` False: it lowers none of the lines that are low, and so is against."""
    clues = [_clue(clue, findings[clue.predicate], scene) for clue in row.clues]
    told = _by_line(row, scene) if fits is False else _left_over(unexplained, scene) if unexplained else None
    against = [
        clue for clue in (*clues, *([told] if told is not None else [])) if clue.weight < 0 or _decides(row, clue)
    ]
    standing = "against" if fits is False and weighed.standing in {"supported", "open"} else weighed.standing
    cause = Cause(
        id=row.id,
        name=row.name,
        group=row.group,
        standing=standing,
        strength=weighed.strength if standing == "supported" else "none",
        rank=0,
        clues_for=tuple(sorted((clue for clue in clues if clue.weight > 0), key=_by_weight)),
        clues_against=tuple(sorted(against, key=lambda clue: (clue.weight, clue.predicate))),
        missing=_missing(clues, row, scene),
        lowers=row.lowers,
        unexplained=unexplained,
        mechanism=row.mechanism,
        onset=row.onset if "onset" in row.read else "",
        film=row.film if "film" in row.read else "",
        frequency=row.frequency if "frequency" in row.read else "",
        icd10cm=row.icd10cm,
        drugs=_drugs(findings, scene),
        reason=Reason(rule=row.id, text=""),
    )
    return _reasoned(cause, row, scene.library)


def _by_weight(clue: Clue) -> tuple[int, str]:
    return -clue.weight, clue.predicate


def _decides(row: CauseRow, clue: Clue) -> bool:
    return clue.verdict == "no" and any(one.decides and one.predicate == clue.predicate for one in row.clues)


def _clue(clue: ClueRow, finding: Finding, scene: Scene) -> Clue:
    predicate = predicates_of(scene.library)[clue.predicate]
    weight = weight_of(clue, finding.met)
    verdict: Verdict = "unknown" if finding.met is None else "yes" if finding.met else "no"
    why = f" ({clue.why})" if clue.why and _is_meant(clue, weight) else ""
    own = (scene.library.cite(predicate.basis),) if predicate.basis.confidence != "house" else ()
    return Clue(
        predicate=clue.predicate,
        verdict=verdict,
        weight=weight,
        force=force_of(weight, scene.rules),
        points=clue.points,
        text=f"{finding.text}{why}",
        settle=settle_of(predicate, scene) if finding.met is None else "",
        worth=max(clue.yes, 0) if finding.met is None else 0,
        evidence=finding.evidence,
        citations=own,
    )


def _is_meant(clue: ClueRow, weight: int) -> bool:
    """Whether the clue's own words belong to this answer; where yes and no both weigh, they are about the no."""
    return weight < 0 or (weight > 0 and not clue.no)


def _missing(clues: Sequence[Clue], row: CauseRow, scene: Scene) -> tuple[Clue, ...]:
    """The unknown clues by what they are worth.

    First what the record says without certainty or date, then what can be tested or counted, then what can be asked.
    """
    weights = {clue.predicate: max(abs(clue.yes), abs(clue.no)) for clue in row.clues}
    predicates = predicates_of(scene.library)
    met = {clue.predicate for clue in clues if clue.verdict == "yes"}
    moot = {clue.predicate for clue in row.clues if met.intersection(clue.moot_with)}
    unknown = sorted(
        (clue for clue in clues if clue.verdict == "unknown" and clue.settle and clue.predicate not in moot),
        key=lambda clue: (
            not (clue.evidence and isinstance(predicates[clue.predicate], FactPredicate)),
            isinstance(predicates[clue.predicate], FactPredicate),
            -weights[clue.predicate],
            clue.predicate,
        ),
    )
    said: dict[tuple[str, str], Clue] = {}
    for clue in unknown:
        said.setdefault((clue.text, clue.settle), clue)
    return tuple(said.values())


def _by_line(row: CauseRow, scene: Scene) -> Clue:
    named = say_list([_LINE_WORDS.get(line, line) for line in row.lowers])
    return Clue(
        predicate="lowers",
        verdict="no",
        weight=-scene.rules.clue_strong,
        force="strong",
        text=f"it lowers {named}, none of which is low",
    )


def _left_over(unexplained: Sequence[str], scene: Scene) -> Clue:
    named = say_list([f"low {_LINE_WORDS.get(line, line)}" for line in unexplained])
    weight = scene.rules.unexplained
    return Clue(
        predicate="unexplained",
        verdict="yes",
        weight=weight,
        force=force_of(weight, scene.rules),
        points=False,
        text=f"it does not by itself explain {named}",
    )


def _drugs(findings: Mapping[str, Finding], scene: Scene) -> tuple[str, ...]:
    """The medicines that a cause by medicines rests on."""
    predicates = predicates_of(scene.library)
    met = [name for name, one in findings.items() if one.met and isinstance(predicates[name], DrugPredicate)]
    if not met:
        return ()
    doses = {dose for name in met for dose in findings[name].evidence}
    links = [link for link in scene.drug_links if any(set(one.doses) & doses for one in link.exposures)]
    return tuple(dict.fromkeys(link.drug for link in links))


# ---- in words -------------------------------------------------------------------------------------------------------


def _reasoned(cause: Cause, row: CauseRow, library: Library) -> Cause:
    said = (*cause.clues_for, *cause.clues_against)
    reason = Reason(
        rule=row.id,
        text=_text(cause),
        evidence=tuple(dict.fromkeys(name for clue in said for name in clue.evidence)),
        citations=_citations(row, said, library),
    )
    return replace(cause, reason=reason, gaps=_gaps(cause))


def _text(cause: Cause) -> str:
    opening = _OPENING.get(cause.standing, f"{cause.strength} evidence")
    parts = [opening]
    if cause.clues_for:
        opening = "fits" if cause.standing == "open" else "for it"
        parts.append(f"{opening}: {'; '.join(_texts(cause.clues_for))}")
    if cause.clues_against:
        parts.append(f"against it: {'; '.join(_texts(cause.clues_against))}")
    return ". ".join(f"{part[0].upper()}{part[1:]}" for part in parts) + "."


def _texts(clues: Sequence[Clue]) -> list[str]:
    return list(dict.fromkeys(clue.text for clue in clues))[:_MOST_SAID]


def _citations(row: CauseRow, clues: Sequence[Clue], library: Library) -> tuple[Citation, ...]:
    return tuple(dict.fromkeys((library.cite(row.basis), *(one for clue in clues for one in clue.citations))))


def _gaps(cause: Cause) -> tuple[Gap, ...]:
    wanted = [clue for clue in cause.missing if clue.worth][:_MOST_SETTLED]
    if not wanted:
        return ()
    return (
        Gap(
            what=f"whether {cause.name} is the cause",
            why="; ".join(dict.fromkeys(clue.text for clue in wanted)),
            settle="; ".join(dict.fromkeys(clue.settle for clue in wanted)),
        ),
    )


def given_way(cause: Cause, row: CauseRow, others: Sequence[Cause], scene: Scene) -> Cause:
    """A cause by exclusion, weighed again against others that have evidence."""
    best = sorted(others, key=lambda other: (-score_of(other), other.id))[:_MOST_SETTLED]
    weight = scene.rules.excluded
    clue = Clue(
        predicate="others-have-evidence",
        verdict="yes",
        weight=weight,
        force=force_of(weight, scene.rules),
        points=False,
        text=f"other causes have evidence: {say_list([other.name for other in best])}",
    )
    weaker = replace(cause, clues_against=(clue, *cause.clues_against))
    strength = strength_of(score_of(weaker), scene.rules)
    if cause.standing == "supported":
        weaker = replace(weaker, strength=strength, standing="supported" if strength != "none" else "against")
    return _reasoned(weaker, row, scene.library)


def score_of(cause: Cause) -> int:
    """The sum of the weights of a cause's clues: an order, no probability."""
    return sum(clue.weight for clue in (*cause.clues_for, *cause.clues_against))


def unreviewed_of(row: CauseRow, scene: Scene) -> Cause | None:
    """A cause whose row is not confirmed, where the record names it: listed without any weight."""
    met = [clue for clue in row.clues if clue.points and clue.yes > 0 and ask(clue.predicate, scene).met]
    if not met:
        return None
    named = "; ".join(dict.fromkeys(ask(clue.predicate, scene).text for clue in met))
    return Cause(
        id=row.id,
        name=row.name,
        group=row.group,
        standing="unreviewed",
        strength="none",
        rank=0,
        lowers=row.lowers,
        icd10cm=row.icd10cm,
        reason=Reason(
            rule=row.id,
            text=f"In the record ({named}), but the row for this cause is not reviewed yet: it weighs nothing here.",
            evidence=tuple(dict.fromkeys(name for clue in met for name in ask(clue.predicate, scene).evidence)),
            citations=(scene.library.cite(row.basis),),
        ),
    )
