"""Which counts come from the same sample.

Counts share a draw where the source says so (`Count.draw`), or where they were taken at the same instant. Counts that
only share a day share a draw where nothing contradicts it: no draw is named, and no analyte comes twice with different
results. A differential is never joined to a white count of another draw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from datetime import date

from leuko.frozen import Frozen
from leuko.record import Count, Moment


class Draw(Frozen, frozen=True, kw_only=True):
    """The counts of one sample. `assumed`: only the day joins them. `split`: a day of several samples, taken apart."""

    counts: tuple[Count, ...]
    assumed: bool = False
    split: bool = False

    @property
    def day(self) -> date:
        """The calendar day, in the source's own zone."""
        return _taken(self.counts[0]).day


def draws_of(counts: Iterable[Count]) -> tuple[Draw, ...]:
    """Group counts, each with a time, into draws; the earliest first."""
    counts = tuple(counts)
    cumulative = _cumulative(counts)
    links = _Links()
    for count in counts:
        keys = tuple(_keys(count, cumulative))
        for key in keys:
            links.join(keys[0], key)
    groups: dict[Hashable, list[Count]] = defaultdict(list)
    for count in counts:
        groups[links.root(next(_keys(count, cumulative)))].append(count)
    found = [draw for key, group in groups.items() for draw in _as_draws(key, tuple(group))]
    return tuple(sorted(found, key=lambda draw: _taken(draw.counts[0]).at))


def _keys(count: Count, cumulative: set[str]) -> Iterator[Hashable]:
    """What ties a count to others; the first is its own."""
    taken = _taken(count)
    named = count.draw is not None and count.draw not in cumulative
    if named:
        yield ("draw", count.draw)
    if taken.has_time:
        yield ("instant", taken.at.timestamp())
    elif not named:
        yield ("day", count.draw, taken.day, taken.precision)


def _cumulative(counts: Iterable[Count]) -> set[str]:
    """Names of draws that cannot be one sample: they span several days, or hold one analyte at several times."""
    days: dict[str, set[date]] = defaultdict(set)
    times: dict[tuple[str, str], set[float]] = defaultdict(set)
    for count in counts:
        taken = _taken(count)
        if count.draw is not None:
            days[count.draw].add(taken.day)
            if taken.has_time:
                times[count.draw, count.analyte].add(taken.at.timestamp())
    return {name for name, found in days.items() if len(found) > 1} | {
        name for (name, _), found in times.items() if len(found) > 1
    }


def _as_draws(key: Hashable, group: tuple[Count, ...]) -> Iterator[Draw]:
    by_day = isinstance(key, tuple) and key[0] == "day"
    if not by_day or len(group) == 1:
        yield Draw(counts=group)
    elif _one_sample(group):
        yield Draw(counts=group, assumed=True)
    else:
        yield from (Draw(counts=(count,), split=True) for count in group)


def _one_sample(group: Iterable[Count]) -> bool:
    results: dict[str, set[tuple[float, str]]] = defaultdict(set)
    for count in group:
        results[count.analyte].add((count.value, count.bound))
    return all(len(found) == 1 for found in results.values())


def samples_of(draw: Draw) -> tuple[Draw, ...]:
    """The samples of a draw: one, unless samples of different names at the same instant contradict each other.

    Two reports of one draw (a blood count and its differential) are one sample; two blood counts that differ are two,
    and nothing of the one is multiplied with the other.
    """
    if _one_sample(draw.counts) or len({count.draw for count in draw.counts}) == 1:
        return (draw,)
    by_name: dict[str | None, list[Count]] = defaultdict(list)
    for count in draw.counts:
        by_name[count.draw].append(count)
    return tuple(Draw(counts=tuple(counts)) for counts in by_name.values())


def repeats(draw: Draw, other: Draw) -> bool:
    """Whether a draw without a time of day says nothing that another draw of the day does not say already."""
    if _timed(draw) or draw.day != other.day:
        return False
    told = {(count.analyte, count.value, count.bound) for count in other.counts}
    return all((count.analyte, count.value, count.bound) in told for count in draw.counts)


def _timed(draw: Draw) -> bool:
    return any(_taken(count).has_time for count in draw.counts)


def _taken(count: Count) -> Moment:
    if count.taken is None:
        raise ValueError("a draw needs a time: screen the counts first")
    return count.taken


class _Links:
    """Keys that belong together (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[Hashable, Hashable] = {}

    def root(self, key: Hashable) -> Hashable:
        while (parent := self._parent.setdefault(key, key)) != key:
            key = parent
        return key

    def join(self, one: Hashable, other: Hashable) -> None:
        self._parent[self.root(other)] = self.root(one)
