"""What the items that are known and those that are not leave of a total and of its band: every way they may add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from leuko.frozen import Frozen
from leuko.knowledge.schema.scores import BandRow, Option
from leuko.scores.items import Judged
from leuko.scores.reading import Reading, inside, touches


class Sums(Frozen, frozen=True, kw_only=True):
    """The totals that remain possible, the bands they lead to (None: no band), and the points left for each item."""

    totals: tuple[int, ...]
    bands: tuple[BandRow | None, ...]
    points: Mapping[str, tuple[int, ...]]


def sums(items: Sequence[Judged], bands: Sequence[BandRow]) -> Sums:
    """Every way in which the options that remain may be chosen together.

    Only items that something names, or that name another, are tried in every combination: of the others no more than
    the points counts, and what they may add up to is told once.
    """
    named = {name for band in bands for name in band.when}
    named |= {name for item in items for option in item.options for name in option.needs}
    tied = [item for item in items if item.item.id in named or any(option.needs for option in item.options)]
    free = [item for item in items if item not in tied]
    totals: set[int] = set()
    found: dict[str | None, BandRow | None] = {}
    points: dict[str, set[int]] = {item.item.id: set() for item in items}
    for chosen in product(*(_told_apart(item, by_value=item.item.id in named) for item in tied)):
        values = {item.item.id: option.value for item, option in zip(tied, chosen, strict=True)}
        if not all(_allowed(option, values) for option in chosen):
            continue
        for total, worst in _added(free, [option.points for option in chosen]):
            band = _band(total, worst, values, bands)
            totals.add(total)
            found[band.name if band is not None else None] = band
        for item, option in zip(tied, chosen, strict=True):
            points[item.item.id].add(option.points)
    if totals:
        points |= {item.item.id: {option.points for option in item.options} for item in free}
    return Sums(
        totals=tuple(sorted(totals)),
        bands=_in_order(found, bands),
        points={name: tuple(sorted(left)) for name, left in points.items()},
    )


def _added(free: Iterable[Judged], chosen: Sequence[int]) -> set[tuple[int, int]]:
    """The totals that the points chosen and any options of the free items make, each with its highest single points."""
    ways = {(sum(chosen), max(chosen))} if chosen else {(0, 0)}
    for first, item in enumerate(free):
        left = {option.points for option in item.options}
        alone = not chosen and first == 0
        ways = {(total + one, one if alone else max(worst, one)) for total, worst in ways for one in left}
    return ways


def _in_order(found: Mapping[str | None, BandRow | None], bands: Sequence[BandRow]) -> tuple[BandRow | None, ...]:
    names = dict.fromkeys([*(band.name for band in bands), None])
    return tuple(found[name] for name in names if name in found)


def _told_apart(item: Judged, *, by_value: bool) -> list[Option]:
    """The options that make a difference: one of each number of points, unless something asks for the option itself."""
    if by_value:
        return list(item.options)
    kept = {(option.points, tuple(sorted(option.needs.items()))): option for option in item.options}
    return list(kept.values())


def _allowed(option: Option, values: Mapping[str, str]) -> bool:
    return all(values.get(name, value) == value for name, value in option.needs.items())


def _band(total: int, worst: int, values: Mapping[str, str], bands: Sequence[BandRow]) -> BandRow | None:
    return next((band for band in bands if _fits(band, total, worst, values)), None)


def _fits(band: BandRow, total: int, worst: int, values: Mapping[str, str]) -> bool:
    within = (band.least is None or total >= band.least) and (band.most is None or total <= band.most)
    single = band.single is None or worst >= band.single
    return within and single and all(values.get(name) == value for name, value in band.when.items())


def bands_of(reading: Reading, bands: Sequence[BandRow]) -> tuple[BandRow | None, ...]:
    """The bands that a measured total may lie in; None among them where it may lie in none."""
    proven = next((band for band in bands if band.band is not None and inside(reading, band.band)), None)
    if proven is not None:
        return (proven,)
    left = [band for band in bands if band.band is not None and touches(reading, band.band)]
    complete = any(band.band and band.band.lower is None for band in bands) and any(
        band.band and band.band.upper is None for band in bands
    )
    return tuple(left) if left and complete else (*left, None)
