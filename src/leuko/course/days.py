"""Days below a cut, as the least and the most that the sampling allows.

The one assumption, as in interval-censored durations of neutropenia: between two neighbouring counts on the same side
of a cut, no further apart than a hole, the true count stays on that side. Everything else is left open: a crossing may
lie anywhere between the two counts that enclose it, and a hole says nothing. Within an episode the lowest counts seen
prove nothing of a deeper cut: the true nadir may lie beside them (`episodes` passes such points as open).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from leuko.course.points import Point, Side, hole_between

_DIGITS: Final = 6


def days_below(
    points: Sequence[Point], sides: Sequence[Side], *, hole_days: float, seen_whole: bool = True
) -> tuple[float, float | None]:
    """The least and the most days below a cut along the points [days], from the first of them to the last.

    `sides` tells for each point where it lies. The most is None where it is open: the points do not begin and end at or
    above the cut, or (`seen_whole` False) the stretch itself began or ended unseen.
    """
    told = [(point, side) for point, side in zip(points, sides, strict=True) if side != "open"]
    least = sum(max(0.0, run[-1].lo - run[0].hi) for run in _runs(told, "below", hole_days))
    most = _possible(list(zip(points, sides, strict=True)), hole_days) if seen_whole else None
    return round(float(least), _DIGITS), None if most is None else round(float(most), _DIGITS)


def _runs(told: Sequence[tuple[Point, Side]], wanted: Side, hole_days: float) -> list[list[Point]]:
    """The neighbours on one side of the cut, without a hole between them."""
    runs: list[list[Point]] = []
    joined = False
    for point, side in told:
        if side == wanted and joined and not hole_between(runs[-1][-1], point, hole_days):
            runs[-1].append(point)
        elif side == wanted:
            runs.append([point])
        joined = side == wanted
    return runs


def _possible(told: Sequence[tuple[Point, Side]], hole_days: float) -> float | None:
    """The length of all time that is not proven to lie above the cut.

    Between two runs of counts above the cut it reaches from the earliest instant of the last draw of the one to the
    latest of the first draw of the other; a window that ends one stretch and begins the next counts once.
    """
    if not told or told[0][1] != "above" or told[-1][1] != "above":
        return None
    runs = _runs(told, "above", hole_days)
    stretches = sum(after[0].hi - before[-1].lo for before, after in pairwise(runs))
    return stretches - sum(max(0.0, run[0].hi - run[-1].lo) for run in runs[1:-1])
