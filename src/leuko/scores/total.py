"""What the items that are known and those that are not leave of a total and of its band: every way they may add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from leuko.knowledge.schema.scores import BandRow, Option
from leuko.scores.items import Judged
from leuko.scores.reading import Reading, inside, touches


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The totals that remain possible, the bands they lead to (None: no band), and the points left for each item."""

    totals: tuple[int, ...]
    bands: tuple[BandRow | None, ...]
    points: Mapping[str, tuple[int, ...]]


def sums(items: Sequence[Judged], bands: Sequence[BandRow]) -> Sums:
    """Every way in which the options that remain may be chosen together."""
    named = {name for band in bands for name in band.when}
    named |= {name for item in items for option in item.options for name in option.needs}
    bound = any(option.needs for item in items for option in item.options)
    choices = [_told_apart(item, by_value=item.item.id in named) for item in items]
    ids = [item.item.id for item in items]
    totals: set[int] = set()
    found: dict[str | None, BandRow | None] = {}
    points: dict[str, set[int]] = {name: set() for name in ids}
    for chosen in product(*choices):
        values = {name: option.value for name, option in zip(ids, chosen, strict=True)}
        if bound and not all(_allowed(option, values) for option in chosen):
            continue
        total = sum(option.points for option in chosen)
        band = _band(total, chosen, values, bands)
        totals.add(total)
        found[band.name if band is not None else None] = band
        for name, option in zip(ids, chosen, strict=True):
            points[name].add(option.points)
    return Sums(
        totals=tuple(sorted(totals)),
        bands=_in_order(found, bands),
        points={name: tuple(sorted(left)) for name, left in points.items()},
    )


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


def _band(total: int, chosen: Iterable[Option], values: Mapping[str, str], bands: Sequence[BandRow]) -> BandRow | None:
    worst = max((option.points for option in chosen), default=0)
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
