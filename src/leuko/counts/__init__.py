"""Clean series from what was read: one best count per draw and analyte, with everything else accounted for.

screen -> draws -> one result per draw -> corrected white count -> derived counts and bounds -> series

Nothing is removed without a notice; every derived count names what it rests on and how it was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from leuko.counts.derive import ANC, WBC, bounded, derive
from leuko.counts.draws import Draw, draws_of, samples_of
from leuko.counts.findings import Step, joined, notice
from leuko.counts.nucleated import without_red_cells
from leuko.counts.resolve import resolve, unsure_draws, without_repeats
from leuko.counts.screen import screen
from leuko.errors import Notice
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.record import Count, Record
from leuko.result import Gap, SetAside
from leuko.wording import say_date, say_list

MOST_DAYS_NAMED: Final = 5


class Cleaned(Frozen, frozen=True, kw_only=True):
    """The counts of a record, ready to be judged.

    `series` has, by analyte, one count per draw, the earliest first; those with `kind` "derived" were made from others
    of the same draw. `set_aside` holds what is not used; its notices stand among `notices` too.
    """

    series: Mapping[str, tuple[Count, ...]]
    set_aside: tuple[SetAside, ...] = ()
    notices: tuple[Notice, ...] = ()
    gaps: tuple[Gap, ...] = ()


def clean(record: Record, *, library: Library, as_of: date | None = None) -> Cleaned:
    """Clean series from a record. Counts drawn after `as_of` are set aside; None: none are."""
    screened = screen(record.counts, patient=record.patient, as_of=as_of, library=library)
    draws, repeated = without_repeats(draws_of(screened.kept), library)
    steps = [_of_draw(draw, library) for draw in draws]
    kept = tuple(count for step in steps for count in step.kept)
    series = _series(kept)
    found = joined((screened, repeated, unsure_draws(draws, library), *steps, _order_unknown(series, library)))
    return Cleaned(
        series=series,
        set_aside=found.set_aside,
        notices=found.notices,
        gaps=(*dict.fromkeys(found.gaps), *_no_differential(series)),
    )


def latest_draws(cleaned: Cleaned) -> Mapping[str, Count]:
    """The last count of each analyte; they need not come from one draw."""
    return MappingProxyType({analyte: counts[-1] for analyte, counts in cleaned.series.items()})


def _of_draw(draw: Draw, library: Library) -> Step:
    samples = [_of_sample(sample, library) for sample in samples_of(draw)]
    whole = joined(samples)
    one = whole if len(samples) == 1 else joined((replace(whole, kept=()), resolve(Draw(counts=whole.kept), library)))
    return joined((one, bounded({count.analyte: count for count in one.kept}, library)))


def _of_sample(sample: Draw, library: Library) -> Step:
    resolved = resolve(sample, library)
    by, corrected = without_red_cells({count.analyte: count for count in resolved.kept}, library)
    return joined((replace(resolved, kept=()), corrected, derive(by, library)))


def _series(counts: Iterable[Count]) -> Mapping[str, tuple[Count, ...]]:
    by_analyte: dict[str, list[Count]] = {}
    for count in counts:
        by_analyte.setdefault(count.analyte, []).append(count)
    return MappingProxyType({name: tuple(sorted(found, key=_when)) for name, found in sorted(by_analyte.items())})


def _when(count: Count) -> tuple[float, str]:
    # screened counts have a time
    return (count.taken.at.timestamp() if count.taken is not None else 0.0), count.id


def _order_unknown(series: Mapping[str, tuple[Count, ...]], library: Library) -> Step:
    """Say where a day holds several counts of one analyte and one of them has no time of day."""
    said: list[Notice] = []
    for analyte, counts in series.items():
        days: dict[date, list[Count]] = {}
        for count in counts:
            if count.taken is not None:
                days.setdefault(count.taken.day, []).append(count)
        for day, found in days.items():
            if len(found) > 1 and any(count.taken is not None and not count.taken.has_time for count in found):
                label = library.analytes[analyte].label if analyte in library.analytes else analyte
                text = f"{label}: the order of {len(found)} counts of {say_date(day)} is not known"
                said.append(notice("LK617", found[0], text, library, read="those without a time of day come first"))
    return Step(notices=tuple(said))


def _no_differential(series: Mapping[str, tuple[Count, ...]]) -> tuple[Gap, ...]:
    """One gap for all draws whose neutrophils are only bounded by the white count."""
    whites = {count.id for count in series.get(WBC, ())}
    bare = [count for count in series.get(ANC, ()) if count.bound != "=" and whites.issuperset(count.derived_from)]
    bare = [count for count in bare if count.kind == "derived" and len(count.derived_from) == 1]
    if not bare:
        return ()
    days = list(dict.fromkeys(say_date(count.taken.day) for count in bare if count.taken is not None))
    shown = say_list(days) if len(days) <= MOST_DAYS_NAMED else f"{days[0]} to {days[-1]} ({len(days)} days)"
    return (
        Gap(
            what=f"the neutrophil count of {shown}",
            why="the white count was reported without a differential of the same draw, which only bounds it from above",
            settle="a differential with the white count",
        ),
    )


__all__ = ["Cleaned", "clean", "latest_draws"]
