"""One result per analyte and draw: repeats are merged, conflicts decided or, where nothing decides, taken as worst.

The choice is written down in docs/decisions/0005-conflicting-results.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final

from leuko.counts.draws import Draw, repeats
from leuko.counts.findings import Step, aside, joined, notice
from leuko.counts.numbers import span_of
from leuko.frozen import replace
from leuko.knowledge import Library
from leuko.record import Count, ResultStatus
from leuko.wording import say_count, say_moment

_RANK: Final[dict[ResultStatus, int]] = {
    "registered": 0,
    "preliminary": 1,
    "unknown": 2,
    "final": 3,
    "amended": 4,
    "corrected": 4,
}


def without_repeats(draws: tuple[Draw, ...], library: Library) -> tuple[tuple[Draw, ...], Step]:
    """Leave out draws that only repeat another draw of the day without its time (two exports of one result)."""
    left: dict[date, list[Draw]] = defaultdict(list)
    for draw in draws:
        left[draw.day].append(draw)
    kept: list[Draw] = []
    steps: list[Step] = []
    for draw in draws:
        same_day = left[draw.day]
        twin = next((other for other in same_day if other is not draw and repeats(draw, other)), None)
        if twin is None:
            kept.append(draw)
        else:
            same_day[:] = [other for other in same_day if other is not draw]
            steps += [_merged(count, _twin(count, twin), library) for count in draw.counts]
    return tuple(kept), joined(steps)


def _twin(count: Count, draw: Draw) -> Count:
    return next(other for other in draw.counts if (other.analyte, other.value) == (count.analyte, count.value))


def resolve(draw: Draw, library: Library) -> Step:
    """One count per analyte of a draw; every other one merged or set aside with its notice."""
    by_analyte: dict[str, list[Count]] = {}
    for count in draw.counts:
        by_analyte.setdefault(count.analyte, []).append(count)
    return joined(_one(tuple(counts), library) for counts in by_analyte.values())


def _one(counts: tuple[Count, ...], library: Library) -> Step:
    # in an order of their own, so that the order of the files decides nothing
    best, *others = sorted(counts, key=_standing)
    steps: list[Step] = []
    for other in others:
        best, step = _pair(best, other, library)
        steps.append(step)
    return joined((*steps, Step(kept=(best,))))


def _pair(one: Count, other: Count, library: Library) -> tuple[Count, Step]:
    if _agree(one, other):
        best = max((one, other), key=_fullness)
        rest = other if best is one else one
        return _filled(best, rest), _merged(rest, best, library)
    decided = _decided(one, other)
    if decided is None:
        best, rest = sorted((one, other), key=_height)
        return best, _conflict("LK607", best, rest, "nothing says which one is right: the lower is used", library)
    best, why = decided
    rest = other if best is one else one
    return best, _conflict("LK606", best, rest, why, library)


def _standing(count: Count) -> tuple[int, float, tuple[float, int], str, str]:
    """Sorts results by status, then the last issued, then the lowest."""
    issued = -count.issued.at.timestamp() if count.issued is not None else 0.0
    return -_RANK[count.status], issued, _height(count), count.id, str(count.origin.place)


def _agree(one: Count, other: Count) -> bool:
    """Whether two results are the same one, perhaps printed with different numbers of digits."""
    if one.bound != other.bound:
        return False
    return one.value == other.value or (one.bound == "=" and not _digits_apart(one, other))


def _digits_apart(one: Count, other: Count) -> bool:
    fine, coarse = sorted((span_of(one), span_of(other)), key=lambda span: (span.most or 0) - span.least)
    value = (fine.least + (fine.most or fine.least)) / 2
    return not (coarse.least <= value and (coarse.most is None or value <= coarse.most))


def _decided(one: Count, other: Count) -> tuple[Count, str] | None:
    """Which of two different results stands, where their status or time of issue says so."""
    if _RANK[one.status] != _RANK[other.status]:
        best, rest = (one, other) if _RANK[one.status] > _RANK[other.status] else (other, one)
        return best, f"the {best.status} result stands above the {rest.status} one"
    if one.issued is not None and other.issued is not None and one.issued.at != other.issued.at:
        best = one if one.issued.at > other.issued.at else other
        return best, "the one issued last stands"
    return None


def _fullness(count: Count) -> tuple[int, float, bool, bool]:
    """Which of two equal results says more: by status, digits, printed interval, a time of day."""
    span = span_of(count)
    width = 0.0 if span.most is None else float(span.most - span.least)
    timed = count.taken is not None and count.taken.has_time
    return _RANK[count.status], -width, count.lab_low is not None, timed


def _filled(best: Count, rest: Count) -> Count:
    """The better of two equal results, with the printed interval of the other where it has none of its own."""
    if best.lab_low is None and best.lab_high is None:
        return replace(best, lab_low=rest.lab_low, lab_high=rest.lab_high)
    return best


def _height(count: Count) -> tuple[float, int]:
    return count.value, {"<": 0, "<=": 1, "=": 2, ">=": 3, ">": 4}[count.bound]


def _merged(rest: Count, best: Count, library: Library) -> Step:
    text = f"{_said(rest, library)} stands twice in the record ({rest.origin.place} and {best.origin.place})"
    return aside("LK605", rest, text, library, read=f"counted once, as {say_count(best)}")


def _conflict(code: str, best: Count, rest: Count, why: str, library: Library) -> Step:
    text = f"{_said(rest, library)} and {say_count(best)} come from the same draw: {why}"
    return aside(code, rest, text, library, read=f"{say_count(best)} ({best.origin.place}) is used")


def _said(count: Count, library: Library) -> str:
    row = library.analytes.get(count.analyte)
    label = row.label if row is not None else count.analyte
    return f"{label} {say_count(count)} of {say_moment(count.taken)}"


def unsure_draws(draws: Iterable[Draw], library: Library) -> Step:
    """Say where only the day joins results into a draw, and where a day's results could not be told apart."""
    said: list[Step] = []
    split_days = set()
    for draw in draws:
        first = draw.counts[0]
        if draw.assumed and len({count.analyte for count in draw.counts}) > 1:
            text = f"the results of {say_moment(first.taken)} have no time of day and no common sample or report"
            said.append(Step(notices=(notice("LK611", first, text, library, read="taken as one draw"),)))
        if draw.split and draw.day not in split_days:
            split_days.add(draw.day)
            text = f"several samples of {say_moment(first.taken)} cannot be told apart: no time of day, no sample named"
            said.append(Step(notices=(notice("LK610", first, text, library, read="each result by itself"),)))
    return joined(said)
