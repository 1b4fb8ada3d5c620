"""The time grid that all persons of a batch share: doses lie exactly on it, and steps are finer after each of them."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from leuko.forecast.model import Floats
from leuko.forecast.solve.reading import Arrival
from leuko.frozen import Frozen

BOLUS, RATE = 0, 1
GROWTH = 2.0  # of one step over the one before, after a dose
TINY = 1e-9  # hours: events closer than this are one


class Grid(Frozen, frozen=True):
    """Steps (S,) [h] from `start`; events (E,) by channel, kind (bolus, rate) and amount, `first` (S + 1,) those at
    the start of each step; outputs (T,) by the step that holds them and where in it (0..1)."""

    start: float
    steps: Floats
    first: np.ndarray
    channel: np.ndarray
    kind: np.ndarray
    amount: Floats
    out_step: np.ndarray
    out_at: Floats


def build(
    doses: list[Arrival], hours: Floats, start: float, finest: Floats, longest: float, shorter: float = 1.0
) -> Grid:
    """`finest` (channels,) [h] is the first step after a dose of a channel, `longest` [h] the longest of all;
    steps after a dose grow more slowly where they are to be `shorter`."""
    end = max(float(hours.max(initial=start)), start)
    events = _events(doses, end)
    edges = _edges(events, start, end)
    first_step = _first_steps(events, edges, finest, longest)
    pieces = [
        _ramp(high - low, small, longest, 1 + (GROWTH - 1) / shorter)
        for low, high, small in zip(edges, edges[1:], first_step, strict=False)
    ]
    steps = np.concatenate(pieces) if pieces else np.zeros(0)
    counts = np.cumsum([0, *(len(piece) for piece in pieces)])
    at = (
        counts[np.searchsorted(edges, [event[0] - TINY for event in events])] if events else np.zeros(0, dtype=np.int64)
    )
    nodes = np.concatenate([[start], start + np.cumsum(steps)])
    nodes[counts] = edges  # no rounding piles up
    out_step, out_at = _outputs(hours, nodes)
    return Grid(
        start=start,
        steps=steps,
        first=np.searchsorted(at, np.arange(len(steps) + 1)).astype(np.int64),
        channel=np.array([event[1] for event in events], dtype=np.int64),
        kind=np.array([event[2] for event in events], dtype=np.int64),
        amount=np.array([event[3] for event in events], dtype=np.float64),
        out_step=out_step,
        out_at=out_at,
    )


def _events(doses: list[Arrival], end: float) -> list[tuple[float, int, int, float]]:
    """(hour, channel, kind, amount); an infusion sets the rate of its channel. What lies behind the end is left."""
    found: list[tuple[float, int, int, float]] = []
    changes: list[tuple[float, int, int, float]] = []
    for dose in doses:
        if dose.hours == 0:
            found.append((dose.hour, dose.channel, BOLUS, dose.amount))
        else:
            rate = dose.amount / dose.hours
            changes += [(dose.hour, dose.channel, 1, rate), (dose.hour + dose.hours, dose.channel, -1, -rate)]
    running: dict[int, tuple[int, float]] = {}
    for hour, channel, step, rate in sorted(changes):
        many, total = running.get(channel, (0, 0.0))
        running[channel] = (many + step, total + rate if many + step else 0.0)  # nothing runs: exactly nothing
        found.append((hour, channel, RATE, running[channel][1]))
    return sorted((one for one in found if one[0] < end - TINY), key=lambda one: one[0])


def _edges(events: list[tuple[float, int, int, float]], start: float, end: float) -> Floats:
    hours = sorted({start, end, *(event[0] for event in events)})
    kept = [hours[0]]
    for hour in hours[1:]:
        if hour - kept[-1] > TINY:
            kept.append(hour)
    return np.array(kept)


def _first_steps(events: list[tuple[float, int, int, float]], edges: Floats, finest: Floats, longest: float) -> Floats:
    smallest, begins = np.full(max(len(edges) - 1, 0), longest, dtype=np.float64), edges.tolist()
    for hour, channel, _kind, _amount in events:
        at = bisect_left(begins, hour - TINY)
        if at < len(smallest):
            smallest[at] = min(smallest[at], finest[channel])
    return smallest


def _ramp(length: float, small: float, large: float, growth: float) -> Floats:
    """Steps from `small`, each longer by `growth`, then even ones of at most `large`; they fill `length` exactly."""
    steps: list[float] = []
    one, left = small, length
    while one < large and left > one:
        steps.append(one)
        left -= one
        one *= growth
    if one < large:  # the ramp does not fit: stretch it
        return (
            np.array([*steps, left])
            if left > 0.5 * (steps[-1] if steps else 0)
            else np.array(steps) * (length / sum(steps))
        )
    many = max(1, int(np.ceil(left / large - TINY)))
    return np.array(steps + [left / many] * many) if left > TINY else np.array(steps)


def _outputs(hours: Floats, nodes: Floats) -> tuple[np.ndarray, Floats]:
    """The step that ends at or after each hour, and the place in it; -1 before the start."""
    at = np.searchsorted(nodes, hours - TINY) - 1
    inside = at >= 0
    held = np.clip(at, 0, max(len(nodes) - 2, 0))
    if len(nodes) < 2:
        return np.full(len(hours), -1, dtype=np.int64), np.zeros(len(hours))
    place = (hours - nodes[held]) / (nodes[held + 1] - nodes[held])
    place = np.where(np.abs(place - 1) < 1e-9, 1.0, place)
    return np.where(inside, held, -1).astype(np.int64), np.where(inside, place, 0.0)
