"""From what each body says under the person's conditions to one step for each thing to do, ordered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, get_args

from leuko.causes.finding import Finding
from leuko.frozen import Frozen, replace
from leuko.knowledge.schema.steps import PathRow, StatementRow, StepRow
from leuko.result import Gap, Reason
from leuko.result.causes import Cause
from leuko.result.steps import URGENCIES, BodySays, Pathway, Step, StepUrgency
from leuko.status import is_low
from leuko.wording import say_list
from leuko.workup.conditions import ask, questions
from leuko.workup.held import held_of
from leuko.workup.view import View, tables_of

PATHWAYS: Final[tuple[Pathway, ...]] = get_args(Pathway)
_FIRST: Final[tuple[StepUrgency, ...]] = ("emergency", "same_day", "urgent")
_REMAINING: Final = frozenset({"supported", "open"})
_MOST_SHOWN: Final = 5
_MOST_SAID: Final = 3
_SAID: Final[Mapping[StepUrgency, str]] = {
    "emergency": "an emergency",
    "same_day": "a matter of the same day",
    "urgent": "urgent",
    "soon": "further tests",
    "routine": "further tests or a referral",
}


class Spoken(Frozen, frozen=True, kw_only=True):
    """A step with the statements that hold for the person, and those that hang on what can still be asked."""

    row: StepRow
    holding: tuple[StatementRow, ...]
    open: tuple[StatementRow, ...]


def gather(view: View) -> tuple[Step, ...]:
    """Every step that a statement speaks for, ordered; or the one that says that nothing follows."""
    path = path_of(view)
    spoken = [_spoken(row, view) for row in tables_of(view.library).steps.values() if _on_path(row, path, view)]
    spoken = [one for one in spoken if _goes_along(one, spoken)]
    open_ = [statement for one in spoken for statement in one.open]
    steps = [_step(one, open_, path, view) for one in spoken if _speaks(one)]
    return _once_each(_ordered(_as_urgent(steps, tables_of(view.library).steps))) or _nothing(path, view)


def path_of(view: View) -> PathRow | None:
    """The person's way through the work-up: the first whose conditions are all met."""
    paths = tables_of(view.library).paths
    return next((path for path in paths if path.basis.drives and all(ask(name, view).met for name in path.when)), None)


def _on_path(row: StepRow, path: PathRow | None, view: View) -> bool:
    fits = not row.paths or (path is not None and path.id in row.paths)
    return fits and row.basis.drives and row.pathway != "none" and not any(ask(name, view).met for name in row.unless)


def _spoken(row: StepRow, view: View) -> Spoken:
    rows = [one for one in tables_of(view.library).statements if one.step == row.id and one.basis.drives]
    standing = {one.id: _standing(one, view) for one in rows}
    return Spoken(
        row=row,
        holding=tuple(one for one in rows if standing[one.id] is True),
        open=tuple(one for one in rows if standing[one.id] is None),
    )


def _standing(row: StatementRow, view: View) -> bool | None:
    """Whether a statement holds; None where it hangs only on what somebody can look for or ask."""
    if any(ask(name, view).met for name in row.unless):
        return False
    findings = {name: ask(name, view) for name in row.when}
    unknown = [name for name, finding in findings.items() if finding.met is None]
    if any(finding.met is False for finding in findings.values()):
        return False
    if not unknown:
        return True
    return None if row.advises == "do" and all(questions(name, view) for name in unknown) else False


def _speaks(one: Spoken) -> bool:
    return any(statement.advises != "note" for statement in one.holding)


def _goes_along(one: Spoken, others: Sequence[Spoken]) -> bool:
    """Whether a step that only goes beside others has one of them that is to be done."""
    done = {other.row.id for other in others if any(statement.advises == "do" for statement in other.holding)}
    return not one.row.beside or bool(done & set(one.row.beside))


# ---- one step -------------------------------------------------------------------------------------------------------


def _step(one: Spoken, open_: Sequence[StatementRow], path: PathRow | None, view: View) -> Step:
    row, doing = one.row, [statement for statement in one.holding if statement.advises == "do"]
    names = tuple(dict.fromkeys(test for statement in doing for test in statement.tests))
    held = {name: held_of(tables_of(view.library).tests[name], view, today=row.today_stands) for name in names}
    wanted = tuple(name for name, found in held.items() if found is None or not found.recent)
    bodies = tuple(_body(statement, view) for statement in one.holding)
    first = _first(bodies)
    return Step(
        id=row.id,
        pathway=row.pathway,
        path=path.label if path is not None else "",
        order=row.order,
        what=row.what if doing else row.instead or row.what,
        tests=tuple(tables_of(view.library).tests[name].name for name in wanted),
        test_ids=wanted,
        why=_why(row, one.holding, view),
        urgency=_urgency(row, doing),
        by_when=first.by_when if first is not None else "",
        who=row.who,
        separates=_separates(row, wanted, view),
        already=tuple(found for found in held.values() if found is not None),
        done=bool(names) and not wanted and all(statement.tests for statement in doing),
        bodies=bodies,
        conflict=_conflict(row, bodies),
        gap=_gap(open_ if row.collects else (), view),
    )


def _body(row: StatementRow, view: View) -> BodySays:
    return BodySays(
        id=row.id,
        body=row.body,
        advises=row.advises,
        says=row.says,
        urgency=row.urgency,
        by_when=row.by_when,
        within_days=row.within_days,
        citation=view.library.cite(row.basis),
    )


def _first(bodies: Iterable[BodySays]) -> BodySays | None:
    """The body that asks for it soonest; one without a number of days goes by its urgency alone."""
    timed = [one for one in bodies if one.advises == "do" and one.by_when]
    return min(timed, key=lambda one: (_days(one), _rank(one.urgency)), default=None)


def _days(body: BodySays) -> float:
    return body.within_days if body.within_days is not None else float("inf")


def _rank(urgency: StepUrgency | None) -> int:
    return URGENCIES.index(urgency) if urgency is not None else len(URGENCIES)


def _urgency(row: StepRow, doing: Sequence[StatementRow]) -> StepUrgency:
    """The most urgent that any body asks for."""
    if not doing:
        return "routine"
    return min((statement.urgency or row.urgency for statement in doing), key=_rank)


def _why(row: StepRow, holding: Sequence[StatementRow], view: View) -> Reason:
    findings = [ask(name, view) for statement in holding for name in statement.when]
    shown = _shown(findings)
    parts = (row.because, f"Here: {'; '.join(shown)}." if shown else "", _said(holding), row.caution)
    return Reason(
        rule=f"step:{row.id}",
        text=" ".join(part for part in parts if part),
        evidence=tuple(dict.fromkeys(name for one in findings for name in one.evidence)),
        citations=tuple(dict.fromkeys(view.library.cite(one.basis) for one in holding)),
    )


def _said(holding: Sequence[StatementRow]) -> str:
    """What the bodies say, the most urgent first; the rest stands in `bodies`."""
    sides = sorted((one for one in holding if one.body != "leuko"), key=lambda one: _rank(one.urgency))
    texts = list(dict.fromkeys(f"{one.body}: {one.says.rstrip('.')}." for one in sides))
    return " ".join(texts[:_MOST_SAID])


def _shown(findings: Iterable[Finding]) -> list[str]:
    """What was found, of what rests on the record; a text that another one holds is not said twice."""
    texts = list(dict.fromkeys(part for one in findings if one.evidence for part in one.text.split("; ") if part))
    return [text for text in texts if not any(text != other and text in other for other in texts)][:_MOST_SHOWN]


def _separates(row: StepRow, wanted: Sequence[str], view: View) -> tuple[str, ...]:
    """The remaining causes of which a wanted test answers a clue that is still missing."""
    told = {name for test in wanted for name in tables_of(view.library).tests[test].told_by}
    return tuple(
        cause.id
        for cause in view.causes
        if cause.standing in _REMAINING and (cause.id in row.separates or _waits_for(cause, told))
    )


def _waits_for(cause: Cause, told: set[str]) -> bool:
    return any(clue.predicate in told for clue in cause.missing)


def _conflict(row: StepRow, bodies: Sequence[BodySays]) -> Reason | None:
    """Where bodies disagree: on whether to do it at all, or on how soon."""
    sides = [one for one in bodies if one.advises != "note"]
    times = {one.within_days for one in sides if one.within_days is not None}
    if len({one.body for one in sides}) < 2 or (len({one.advises for one in sides}) < 2 and len(times) < 2):
        return None
    said = "; ".join(dict.fromkeys(f"{one.body}: {_side(one)}" for one in sides))
    return Reason(
        rule=f"conflict:step:{row.id}",
        text=f"Bodies differ. {said}.",
        citations=tuple(dict.fromkeys(one.citation for one in sides)),
    )


def _side(body: BodySays) -> str:
    return f"{body.says.rstrip('.')} ({body.by_when})" if body.by_when else body.says.rstrip(".")


def _gap(open_: Sequence[StatementRow], view: View) -> Gap | None:
    """What the record leaves open for the other steps, by how urgent an answer would make them."""
    asked = {one.id: _asked(one, view) for one in open_}
    every = {label: text for found in asked.values() for label, text in found.items()}
    if not every:
        return None
    told: set[str] = set()
    parts = []
    for urgency in URGENCIES:
        statements = [one for one in open_ if (one.urgency or "routine") == urgency]
        labels = [label for one in statements for label in asked[one.id] if label not in told]
        told.update(labels)
        parts += [f"{_SAID[urgency]} with {say_list(list(dict.fromkeys(labels)), 'or')}"] if labels else []
    return Gap(
        what="whether something is found that makes it more urgent, or changes what to test",
        why=f"the record does not say. {_sentence('; '.join(parts))}",
        settle="; ".join(dict.fromkeys(every.values())),
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _asked(row: StatementRow, view: View) -> dict[str, str]:
    return {label: text for name in row.when for label, text in questions(name, view).items()}


# ---- the whole ------------------------------------------------------------------------------------------------------


def _ordered(steps: Iterable[Step]) -> list[Step]:
    return sorted(steps, key=lambda one: (one.done, _tier(one), PATHWAYS.index(one.pathway), one.order, one.id))


def _tier(step: Step) -> int:
    return _FIRST.index(step.urgency) if step.urgency in _FIRST else len(_FIRST)


def _once_each(steps: Sequence[Step]) -> tuple[Step, ...]:
    """No test is asked for twice: the most urgent step asks, and a step that has none left of its own goes."""
    owner: dict[str, str] = {}
    for step in sorted(steps, key=lambda one: _rank(one.urgency)):
        for test in step.test_ids:
            owner.setdefault(test, step.id)
    kept = []
    for step in steps:
        left = [(name, test) for name, test in zip(step.tests, step.test_ids, strict=True) if owner[test] == step.id]
        if left or not step.test_ids or not _only_tests(step):
            kept.append(replace(step, tests=tuple(name for name, _ in left), test_ids=tuple(test for _, test in left)))
    return tuple(kept)


def _only_tests(step: Step) -> bool:
    return step.pathway in {"confirm", "tests"} and step.conflict is None


def _as_urgent(steps: Sequence[Step], rows: Mapping[str, StepRow]) -> list[Step]:
    """History and examination are as urgent as the most urgent of the other steps: they come with it."""
    most: StepUrgency = min((step.urgency for step in steps), key=_rank, default="routine")
    return [replace(step, urgency=most) if rows[step.id].collects else step for step in steps]


def _nothing(path: PathRow | None, view: View) -> tuple[Step, ...]:
    """The step that says that nothing follows, with what the counts leave unseen."""
    rows = tables_of(view.library).steps.values()
    row = next((one for one in rows if one.pathway == "none" and one.basis.drives), None)
    if row is None:
        return ()
    evidence = tuple(status.count.id for status in view.latest.values())
    anc = view.latest.get("neutrophils")
    unseen = "wbc" in view.latest and (anc is None or is_low(anc) is None)
    return (
        Step(
            id=row.id,
            pathway=row.pathway,
            path=path.label if path is not None else "",
            order=row.order,
            what=row.what,
            why=Reason(
                rule=f"step:{row.id}",
                text=row.because,
                evidence=evidence,
                citations=(view.library.cite(row.basis),),
            ),
            urgency="routine",
            who=row.who,
            gap=_unseen() if unseen else _unconfirmed(view),
        ),
    )


def _unconfirmed(view: View) -> Gap | None:
    """A recovery of the neutrophils that too few counts show: whether it holds is open."""
    course = view.courses.get("neutrophils")
    last = course.episodes[-1] if course is not None and course.episodes else None
    if last is None or last.recovery is None or last.recovery_confirmed:
        return None
    why = "the neutrophils were low, and too few counts since then are not"
    settle = last.recovery_gap.settle if last.recovery_gap is not None else "another count"
    return Gap(what="whether the recovery holds", why=why, settle=settle)


def _unseen() -> Gap:
    return Gap(
        what="whether the neutrophils are low",
        why="they were not counted: a white count that is not low can hide a line that is",
        settle="a differential with the white count",
    )
