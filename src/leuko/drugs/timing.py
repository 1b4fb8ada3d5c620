"""Where the onset of an episode lies on the time line of one medicine; for a cytotoxic one, where its nadir lies."""

from __future__ import annotations

from collections.abc import Sequence

from leuko.drugs.book import Book
from leuko.drugs.exposure import Taken, last_given_before
from leuko.drugs.spans import Days, days_between, may_precede, span_of, surely_before
from leuko.frozen import Frozen, replace
from leuko.knowledge.schema.drugs import DrugRow, DrugWindow
from leuko.result import Between, Episode
from leuko.result.drugs import DrugTiming, Exposure


class Timed(Frozen, frozen=True, kw_only=True):
    """A medicine against an episode: the exposure that counts, the days from it, and where they lie.

    `anchor` is the time the days are counted from: start, dose or last dose. `began` is the start that the onset is
    held against: of a cytotoxic medicine the last dose before the first low count. `own` tells whether `window` is the
    medicine's own. `again` is true where it had been taken before: a fall may then come faster.
    """

    timing: DrugTiming
    exposure: Exposure | None = None
    anchor: Between | None = None
    began: Between | None = None
    latency: Days = (None, None)
    since_stop: Days = (None, None)
    window: DrugWindow | None = None
    own: bool = False
    again: bool = False


def timed(taken: Taken, row: DrugRow, episode: Episode, book: Book) -> Timed:
    """Where an episode lies for one medicine of the table."""
    dated = [exposure for exposure in taken.exposures if exposure.start is not None]
    if not dated:
        return Timed(timing="unknown")
    return _cycle(dated, row, episode, book) if row.pattern == "cytotoxic" else _course(dated, row, episode, book)


def ran_at_onset(taken: Taken, episode: Episode, look_back: float) -> Exposure | None:
    """The exposure that was running at the onset or had ended not long before it; None where there is none."""
    before = _before([exposure for exposure in taken.exposures if exposure.start is not None], episode)
    if not before:
        return None
    gap = _since_stop(before[-1], episode)[0]
    return before[-1] if gap is None or gap <= look_back else None


def _before(dated: Sequence[Exposure], episode: Episode) -> list[Exposure]:
    """The exposures that can have begun before the onset."""
    return [one for one in dated if one.start is not None and may_precede(one.start, episode.onset)]


def _since_stop(exposure: Exposure, episode: Episode) -> Days:
    return (None, None) if exposure.stop is None else days_between(exposure.stop, episode.onset)


def _course(dated: Sequence[Exposure], row: DrugRow, episode: Episode, book: Book) -> Timed:
    before = _before(dated, episode)
    if not before:
        return _too_late(dated[0], episode)
    exposure = before[-1]
    own = book.own(row, "onset")
    window = own or book.shared(row, "onset")
    last = last_given_before(before, episode.onset.latest) if episode.onset.latest is not None else None
    from_last = window is not None and window.after == "last_dose"
    anchor = (last or exposure.stop or exposure.start) if from_last else exposure.start
    assert anchor is not None  # noqa: S101 (a dated exposure has a start)
    since_stop = _since_stop(exposure, episode)
    found = Timed(
        timing="during",
        exposure=exposure,
        anchor=anchor,
        began=exposure.start,
        latency=days_between(anchor, episode.onset),
        since_stop=since_stop,
        window=window,
        own=own is not None,
        again=len(before) > 1,
    )
    if not from_last and since_stop[0] is not None and since_stop[0] > _allowed(row, book):
        return replace(found, timing="after_stop")
    place = _against_window(found)
    ended_somewhen = exposure.stop is not None and exposure.stop.latest is None
    # it is over, and nothing tells whether it still ran at the onset
    return replace(found, timing="unknown" if ended_somewhen and place in {"during", "late"} else place)


def _allowed(row: DrugRow, book: Book) -> float:
    """How long after its last dose a medicine may still begin to lower counts [days]."""
    recovery = book.own(row, "recovery") if row.pattern in {"depletion", "dose_related"} else None
    return max(book.days("after_stop"), recovery.high_days if recovery is not None else 0.0)


def _against_window(found: Timed) -> DrugTiming:
    least, most = found.latency
    if found.window is None:
        return "during"
    low = 0.0 if found.again else found.window.low_days
    place = _place(least, most, low, found.window.high_days)
    # the window of a class says what is seen often; what lies outside it is no evidence against a medicine
    return place if found.own or place in {"inside", "partly", "unknown"} else "during"


def _place(least: float | None, most: float | None, low: float, high: float) -> DrugTiming:
    if most is None:
        return "unknown"
    if most < low:
        return "early"
    if least is not None and least > high:
        return "late"
    return "inside" if least is not None and least >= low and most <= high else "partly"


def _too_late(first: Exposure, episode: Episode) -> Timed:
    assert first.start is not None  # noqa: S101 (dated)
    return Timed(
        timing="before_start", exposure=first, anchor=first.start, latency=days_between(first.start, episode.onset)
    )


def _cycle(dated: Sequence[Exposure], row: DrugRow, episode: Episode, book: Book) -> Timed:
    """A cytotoxic medicine: the dose before the lowest count, and whether the lowest count lies where nadirs lie."""
    if not _before(dated, episode):
        return _too_late(dated[0], episode)
    window = book.window(row, "nadir")
    candidates = [_from_dose(anchor, exposure, episode, window) for anchor, exposure in _doses(dated, episode)]
    order: dict[DrugTiming, int] = {"inside": 0, "partly": 1, "during": 2, "unknown": 3, "early": 4, "late": 5}
    best = min(reversed(candidates), key=lambda found: order[found.timing])
    recovery = book.window(row, "recovery")
    least = best.latency[0]
    if best.timing == "late" and recovery is not None and least is not None and least > recovery.high_days:
        best = replace(best, timing="after_stop")
    return replace(
        best,
        began=_dose_before(dated, episode),
        window=window,
        own=book.own(row, "nadir") is not None,
        again=len(candidates) > 1,
    )


def _dose_before(dated: Sequence[Exposure], episode: Episode) -> Between | None:
    """The last dose that began before the first low count was taken."""
    first_low = Between(earliest=episode.onset.latest, latest=episode.onset.latest)
    return next((dose for dose, _ in reversed(_pairs(dated)) if may_precede(dose, first_low)), None)


def _doses(dated: Sequence[Exposure], episode: Episode) -> list[tuple[Between, Exposure]]:
    """The doses that can lie before the lowest count, in order of time; else the start of an exposure."""
    lowest = _lowest(episode)
    pairs = _pairs(dated)
    return [(dose, one) for dose, one in pairs if may_precede(dose, lowest)] or [pairs[0]]


def _pairs(dated: Sequence[Exposure]) -> list[tuple[Between, Exposure]]:
    return [(dose, one) for one in dated for dose in (one.given or ((one.start,) if one.start else ()))]


def _lowest(episode: Episode) -> Between:
    taken = episode.nadir_count.taken
    return episode.nadir if taken is None else span_of(taken)


def _from_dose(anchor: Between, exposure: Exposure, episode: Episode, window: DrugWindow | None) -> Timed:
    measured = days_between(anchor, _lowest(episode))
    return Timed(timing=_nadir_place(anchor, episode, window), exposure=exposure, anchor=anchor, latency=measured)


def _nadir_place(anchor: Between, episode: Episode, window: DrugWindow | None) -> DrugTiming:
    if window is None:
        return "during"
    least, most = days_between(anchor, _lowest(episode))
    place = _place(least, most, window.low_days, window.high_days)
    if place in {"early", "late"}:
        # the true nadir lies anywhere between the counts around the lowest one
        around = _place(*days_between(anchor, episode.nadir), window.low_days, window.high_days)
        return "partly" if around in {"inside", "partly"} else place
    return place


def began_after(found: Timed, episode: Episode) -> bool | None:
    """Whether the fall came after the start: the first low count lies after it and the last normal one is known."""
    if found.timing == "before_start":
        return False
    start = found.began
    if start is None or episode.onset.latest is None:
        return None
    first_low = Between(earliest=episode.onset.latest, latest=episode.onset.latest)
    if episode.onset.earliest is None:
        return None
    return True if surely_before(start, first_low) else None
