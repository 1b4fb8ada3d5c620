"""What could explain the low count: each reviewed cause with what speaks for it, against it, and what is missing.

scene (which low count is to be explained) -> answers to the predicates of the causes -> weights of the rows, summed
       -> causes with evidence, ranked; causes to think of that nothing excludes; causes that are ruled out

No likelihood ratio is published for most clues: the weights are integers that the rows of `data/causes` declare as
leuko's own choices. They order causes and choose the word strong, moderate or weak; no number of theirs is a
probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from leuko.causes.ask import VOCABULARY, ask, may_be
from leuko.causes.said import cause_of, given_way, score_of, unreviewed_of
from leuko.causes.scene import ANALYTE, Scene, scene_of
from leuko.causes.weigh import answers, weigh
from leuko.frozen import replace
from leuko.knowledge import Library
from leuko.knowledge.schema.causes import CauseRow
from leuko.record import Count, Record
from leuko.result import Course, Lines, Status
from leuko.result.causes import Cause, Standing
from leuko.result.drugs import DrugLink

__all__ = ["VOCABULARY", "causes_of", "unreviewed_causes"]

STANDINGS: Final[tuple[Standing, ...]] = ("supported", "open", "against", "ruled_out", "unreviewed")
"""The order in which causes are told."""


def causes_of(
    record: Record,
    *,
    series: Mapping[str, tuple[Count, ...]],
    latest: Mapping[str, Status],
    courses: Mapping[str, Course],
    lines: Lines,
    drug_links: Sequence[DrugLink],
    library: Library,
    as_of: date,
) -> tuple[Cause, ...]:
    """The causes of the latest low white count, or, where none is low now, of the last low stretch on record.

    First those that something points to, the best supported first; then a short list of those to think of with such
    counts that nothing excludes yet, with what is missing; then those with more against than for them, those that a
    finding rules out, and those in the record whose knowledge row is not reviewed. Empty where no white count is or was
    low. Raises KnowledgeError where the rows name predicates that do not exist.
    """
    scene = scene_of(
        record,
        series=series,
        latest=latest,
        courses=courses,
        lines=lines,
        drug_links=drug_links,
        library=library,
        as_of=as_of,
    )
    if scene is None:
        return ()
    rows = library.rows(CauseRow)
    found = [cause for row in rows if row.basis.drives and (cause := _cause(row, scene)) is not None]
    found = _exclusions(found, rows, scene)
    unreviewed = [cause for row in rows if not row.basis.drives and (cause := unreviewed_of(row, scene)) is not None]
    return _ranked([*found, *unreviewed], rows, scene)


def unreviewed_causes(library: Library) -> tuple[CauseRow, ...]:
    """The causes whose rows are not confirmed: listed, never driving."""
    return tuple(row for row in library.rows(CauseRow) if not row.basis.drives)


def _cause(row: CauseRow, scene: Scene) -> Cause | None:
    """The cause for this person; None where nothing points to it and nothing asks to think of it."""
    findings = {clue.predicate: ask(clue.predicate, scene) for clue in row.clues}
    explains = [scene.low[line] for line in row.lowers]
    fits = None if None in explains and True not in explains else True in explains
    unexplained = tuple(line for line, low in scene.low.items() if low and line not in row.lowers)
    beside = scene.rules.unexplained if unexplained and fits else 0
    weighed = weigh(row, answers(row, findings), scene.rules, beside=beside)
    if not weighed.pointing and not (weighed.clues >= 0 and _is_thought_of(row, scene)):
        return None
    return cause_of(row, findings, weighed, scene, fits=fits, unexplained=unexplained if fits else ())


def _is_thought_of(row: CauseRow, scene: Scene) -> bool:
    """Whether the picture asks to think of a cause that nothing points to: it must lower the very line that is low."""
    leading = next((line for line, analyte in ANALYTE.items() if analyte == scene.low_count.analyte), None)
    if leading is not None and leading not in row.lowers:
        return False
    return bool(row.consider) and all(may_be(name, scene) for name in row.consider)


def _exclusions(found: Sequence[Cause], rows: Sequence[CauseRow], scene: Scene) -> list[Cause]:
    """A cause by exclusion gives way where another has moderate or strong evidence."""
    last = {row.id: row for row in rows if row.exclusion}
    others = [cause for cause in found if cause.id not in last and cause.strength in {"moderate", "strong"}]
    if not others:
        return list(found)
    return [given_way(cause, last[cause.id], others, scene) if cause.id in last else cause for cause in found]


def _most_open(found: Sequence[Cause], scene: Scene) -> int:
    """How many causes to think of are told: few where strong evidence already explains every low line."""
    explained = any(cause.strength == "strong" and not cause.unexplained for cause in found)
    return scene.rules.open_most_explained if explained else scene.rules.open_most


def _ranked(found: Sequence[Cause], rows: Sequence[CauseRow], scene: Scene) -> tuple[Cause, ...]:
    priority = {row.id: row.priority for row in rows}
    ranked: list[Cause] = []
    for standing in STANDINGS:
        group = sorted(
            (cause for cause in found if cause.standing == standing),
            key=lambda cause: (
                (-score_of(cause), priority[cause.id], cause.id)
                if cause.standing != "open"
                else (priority[cause.id], -score_of(cause), cause.id)
            ),
        )
        most = _most_open(found, scene) if standing == "open" else len(group)
        ranked += [replace(cause, rank=rank) for rank, cause in enumerate(group[:most], start=1)]
    return tuple(ranked)
