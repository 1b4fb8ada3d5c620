"""What changed between two libraries, and what that means: which values are judged differently now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from leuko.frozen import Frozen
from leuko.knowledge.library import Library
from leuko.knowledge.probing import holds, say_band, value_points
from leuko.knowledge.schema import Band, DefinitionRow, GradeRule, IntervalRow, Row

Graded = int | str | None
"""A grade; a word where the lower limit of normal decides; None where no grade is given."""


class Shift(Frozen, frozen=True, kw_only=True):
    """A stretch of values that one rule grades and another grades differently [canonical unit of the analyte]."""

    band: Band
    before: Graded
    after: Graded

    def __str__(self) -> str:
        return f"{say_band(self.band)}: {_say_grade(self.before)} -> {_say_grade(self.after)}"


class Change(Frozen, frozen=True, kw_only=True):
    """A row that stands in both libraries and is not the same; `fields` pairs each name with the old and new value.

    `effects` says in words which values are judged differently; it is empty where only the words changed.
    """

    key: str
    fields: tuple[tuple[str, str, str], ...]
    effects: tuple[str, ...] = ()


class Difference(Frozen, frozen=True, kw_only=True):
    """Rows added, removed and changed, by key."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Change, ...]

    @property
    def empty(self) -> bool:
        """Whether the two libraries say the same."""
        return not (self.added or self.removed or self.changed)


def diff(old: Library, new: Library) -> Difference:
    """What the new library says otherwise than the old one."""
    before, after = _rows(old), _rows(new)
    kept = [key for key in after if key in before]
    return Difference(
        added=tuple(key for key in after if key not in before),
        removed=tuple(key for key in before if key not in after),
        changed=tuple(_change(key, before[key], after[key]) for key in kept if before[key] != after[key]),
    )


def shifts(old: GradeRule, new: GradeRule) -> tuple[Shift, ...]:
    """The stretches of values that two rules grade differently; use it across editions too.

    Between the worst numeric limit and the lower limit of normal a grade hangs on that limit: there it reads "1 if
    below the lower limit of normal".
    """
    points = value_points(graded.band for rule in (old, new) for graded in rule.bands)
    graded_points = [(point, _grade_at(old, point), _grade_at(new, point)) for point in points]
    found = []
    for (before, after), run in groupby(graded_points, key=lambda item: item[1:]):
        if before != after:
            found.append(Shift(band=_stretch([point for point, *_ in run], points), before=before, after=after))
    return tuple(found)


def _grade_at(rule: GradeRule, value: float) -> Graded:
    if not rule.bands:
        return "ungraded"
    for graded in reversed(rule.bands):
        if holds(graded.band, value) and graded.band.upper != "lab_low":
            return graded.grade
    for graded in rule.bands:
        if graded.band.upper == "lab_low" and holds(graded.band, value):
            return f"{graded.grade} if below the lower limit of normal"
    return 0


def _stretch(run: list[float], points: tuple[float, ...]) -> Band:
    """The band that a run of neighbouring points stands for: limits are points, and every other point lies between."""
    first, last = points.index(run[0]), points.index(run[-1])
    limits = points[::2]
    starts_on, ends_on = run[0] in limits, run[-1] in limits
    lower = points[first] if starts_on else points[first - 1]
    upper = points[last] if ends_on else points[last + 1]
    open_top = last >= len(points) - 2
    return Band(
        lower=lower if lower > 0 else None,
        lower_inclusive=starts_on,
        upper=None if open_top else upper,
        upper_inclusive=ends_on and not open_top,
    )


def _rows(library: Library) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for scheme in library.schemes:
        found[f"{scheme.id}-{scheme.edition}"] = (scheme.title, scheme.in_force_from, scheme.in_force_to, scheme.note)
        found |= {rule.id: rule for rule in scheme.rules}
    found |= {f"definition:{row.id}": row for row in library.definitions}
    found |= {f"interval:{row.id}": row for row in library.intervals}
    found |= {f"course:{name}": row for name, row in library.course.items()}
    found |= {f"analyte:{name}": row for name, row in library.analytes.items()}
    found |= {f"code:{system}|{code}": row for (system, code), row in library.codes.items()}
    found |= {f"notice:{code}": row for code, row in library.notices.items()}
    found |= {f"source:{name}": row for name, row in library.sources.items()}
    return found


def _change(key: str, before: Any, after: Any) -> Change:
    return Change(key=key, fields=tuple(_field_changes(before, after)), effects=tuple(_effects(before, after)))


def _field_changes(before: Any, after: Any) -> Iterator[tuple[str, str, str]]:
    if not isinstance(before, Row):
        yield ("scheme", _say(before), _say(after))
        return
    for name in before.__struct_fields__:
        was, now = getattr(before, name), getattr(after, name)
        if was == now:
            continue
        if isinstance(was, Row) and not isinstance(was, Band):
            yield from ((f"{name}.{inner}", old, new) for inner, old, new in _field_changes(was, now))
        else:
            yield (name, _say(was), _say(now))


def _effects(before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, GradeRule):
        yield from (f"{before.analyte} {shift}" for shift in shifts(before, after))
    elif isinstance(before, IntervalRow):
        yield from _interval_effects(before, after)
    elif isinstance(before, DefinitionRow) and before.band != after.band:
        yield f"{before.analyte}: {before.concept} was {say_band(before.band)}, now {say_band(after.band)}"


def _interval_effects(before: IntervalRow, after: IntervalRow) -> Iterator[str]:
    for side, was, now in (("below", before.low, after.low), ("above", before.high, after.high)):
        if was is not None and now is not None and was != now:
            wider = (now > was) == (side == "below")
            low, high = sorted((was, now))
            verb = "is now" if wider else "is no longer"
            yield f"{before.analyte} from {low:g} to {high:g} {verb} {side} the interval"


def _say(value: Any) -> str:
    if isinstance(value, Band):
        return say_band(value)
    if isinstance(value, tuple):
        return ", ".join(map(_say, value)) or "none"
    return str(getattr(value, "id", value)) if isinstance(value, Row) else str(value)


def _say_grade(grade: Graded) -> str:
    return "no grade" if grade is None else str(grade) if grade == "ungraded" else f"grade {grade}"
