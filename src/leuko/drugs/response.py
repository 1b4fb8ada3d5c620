"""What happened when the medicine was stopped (dechallenge) and when it was given again (rechallenge)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from leuko.drugs.book import Book
from leuko.drugs.exposure import Taken, last_given_before
from leuko.drugs.spans import Days, days_between, may_precede, say_range, say_span, span_of, surely_before
from leuko.drugs.timing import Timed, timed
from leuko.frozen import Frozen
from leuko.knowledge.schema.drugs import DrugRow
from leuko.record import Count, Moment
from leuko.result import Between, Episode
from leuko.result.drugs import Dechallenge, Exposure, Rechallenge

_FITS: Final = frozenset({"inside", "partly", "during"})
_Stopped = tuple[Dechallenge, str]
_Again = tuple[Rechallenge, str, tuple[str, ...]]


class Scene(Frozen, frozen=True, kw_only=True):
    """One medicine and one episode, among all episodes and counts of its line."""

    taken: Taken
    row: DrugRow
    episode: Episode
    episodes: Sequence[Episode]
    counts: Sequence[Count]
    book: Book


class Response(Frozen, frozen=True, kw_only=True):
    """The answers, each with its sentence. `evidence` are counts that the rechallenge rests on."""

    dechallenge: Dechallenge
    dechallenge_text: str
    rechallenge: Rechallenge
    rechallenge_text: str
    evidence: tuple[str, ...] = ()


def response_of(scene: Scene, found: Timed) -> Response:
    """Dechallenge and rechallenge of one medicine for one episode."""
    dechallenge, text = _dechallenge(scene, found)
    cycles = _cycles(scene, found) if scene.row.pattern == "cytotoxic" else None
    rechallenge, again, evidence = cycles or _rechallenge(scene, found)
    return Response(
        dechallenge=dechallenge,
        dechallenge_text=text,
        rechallenge=rechallenge,
        rechallenge_text=again,
        evidence=evidence,
    )


# --- stopped ---------------------------------------------------------------------------------------------------------


def _dechallenge(scene: Scene, found: Timed) -> _Stopped:
    exposure, name, episode = found.exposure, scene.row.inn, scene.episode
    if exposure is None or found.timing in {"before_start", "after_stop"}:
        return "cannot_say", f"nothing can be said of stopping {name}"
    if scene.row.pattern == "late_onset":
        usual = scene.book.own(scene.row, "recovery")
        lasts = f" (such falls lasted {usual.low_days:g} to {usual.high_days:g} days)" if usual is not None else ""
        return "cannot_say", f"a late fall begins after the last dose of {name}: stopping tells nothing{lasts}"
    if scene.row.pattern == "cytotoxic":
        dose = _last_dose(scene) or found.anchor
        return _after(dose, episode, _recovery_days(scene), f"the dose of {name} ({say_span(dose)})")
    return _stopped(scene, exposure)


def _last_dose(scene: Scene) -> Between | None:
    """The last dose before the recovery, or before the last low count: later cycles start the clock anew."""
    end = scene.episode.recovery or _last_low(scene.episode)
    return last_given_before(scene.taken.exposures, end.earliest) if end.earliest is not None else None


def _stopped(scene: Scene, exposure: Exposure) -> _Stopped:
    name, episode = scene.row.inn, scene.episode
    last = _last_exposure(scene.taken, exposure, episode)
    if last.running or last.stop is None or last.stop.latest is None:
        return _unstopped(last, episode, name)
    if episode.recovery is not None and surely_before(episode.recovery, last.stop):
        return "negative", f"counts recovered before {name} was stopped"
    if episode.recovery is None and surely_before(_last_low(episode), last.stop):
        return "too_soon", f"no count was taken after {name} was stopped ({say_span(last.stop)})"
    what = "the last recorded dose of" if last.inferred_stop else "stopping"
    return _after(last.stop, episode, _recovery_days(scene), f"{what} {name}")


def _last_exposure(taken: Taken, exposure: Exposure, episode: Episode) -> Exposure:
    """The exposure that the recovery is read against: the last that began before the recovery."""
    dated = [one for one in taken.exposures if one.start is not None]
    ahead = [one for one in dated if one.start and (not episode.recovery or may_precede(one.start, episode.recovery))]
    return ahead[-1] if ahead else exposure


def _recovery_days(scene: Scene) -> float:
    """Until when a recovery counts as a response [days]: the window, else the month of the consensus criteria."""
    window = scene.book.window(scene.row, "recovery")
    month = scene.book.item("benichou", "full_recovery").days
    return window.high_days if window is not None else month or 0.0


def _unstopped(exposure: Exposure, episode: Episode, name: str) -> _Stopped:
    if exposure.running and episode.recovery is not None and episode.recovery_confirmed:
        return "negative", f"counts recovered while {name} went on"
    if exposure.running:
        return "not_stopped", f"{name} is still being taken"
    return "cannot_say", f"no stop date of {name} is recorded"


def _after(stop: Between | None, episode: Episode, high: float, what: str) -> _Stopped:
    if stop is None:
        return "cannot_say", f"the day of {what} is not known"
    if episode.recovery is None:
        return _not_yet(stop, episode, high, what)
    days = days_between(stop, episode.recovery)
    least, most = days
    held = "" if episode.recovery_confirmed else ", not yet confirmed by further counts"
    if most is not None and most <= high:
        return "positive", f"recovered {say_range(days)} after {what}{held}"
    if least is not None and least > high:
        return "negative", f"recovered only {say_range(days)} after {what} (usually within {high:g} days)"
    return "cannot_say", f"recovered {say_range(days)} after {what}: the counts lie too far apart to tell"


def _not_yet(stop: Between, episode: Episode, high: float, what: str) -> _Stopped:
    still: Days = days_between(stop, _last_low(episode))
    if still[0] is not None and still[0] > high:
        return "negative", f"still low {say_range(still)} after {what} (usually recovered within {high:g} days)"
    return "too_soon", f"not recovered at the last count, {say_range(still)} after {what}"


def _last_low(episode: Episode) -> Between:
    """When an episode that has not recovered was last seen to be low: its onset was seen, and it lasted at least so."""
    seen = episode.onset.latest
    until = None if seen is None else seen + timedelta(days=episode.duration[0])
    return Between(earliest=until, latest=until)


# --- given again -----------------------------------------------------------------------------------------------------


def _rechallenge(scene: Scene, found: Timed) -> _Again:
    dated = [one for one in scene.taken.exposures if one.start is not None]
    if not dated or scene.taken.undated:
        return "cannot_say", "not every dose has a date", ()
    if len(dated) < 2:
        return "not_done", "the record shows no second exposure", ()
    if found.timing in {"before_start", "after_stop", "unknown"}:
        return "cannot_say", "the first fall does not fit in time", ()
    for other in scene.episodes:
        if other is not scene.episode and _fell_again(scene, other):
            first, second = sorted((scene.episode, other), key=_when)
            text = f"{scene.row.inn} was given again after counts had recovered, and they fell again"
            return "positive", f"{text} ({say_span(second.onset)})", (*first.counts[:1], *second.counts[:1])
    return _tolerated(scene, found)


def _when(episode: Episode) -> float:
    moment: datetime | None = episode.onset.latest or episode.onset.earliest
    return moment.timestamp() if moment is not None else 0.0


def _fell_again(scene: Scene, other: Episode) -> bool:
    """Whether the earlier episode fits the one exposure, had recovered before the next, and the later fits that."""
    first, second = sorted((scene.episode, other), key=_when)
    one = timed(scene.taken, scene.row, first, scene.book)
    two = timed(scene.taken, scene.row, second, scene.book)
    if one.exposure is None or two.exposure is None or one.exposure is two.exposure:
        return False
    if one.timing not in _FITS or two.timing not in _FITS or first.recovery is None or two.exposure.start is None:
        return False
    recovered = Between(earliest=first.recovery.latest, latest=first.recovery.latest)
    return first.recovery_confirmed and surely_before(recovered, two.exposure.start)


def _tolerated(scene: Scene, found: Timed) -> _Again:
    """Given again for longer than the first fall took, with counts, and no fall: a negative rechallenge."""
    unclear: _Again = ("cannot_say", "it was given again, but the counts do not tell what came of it", ())
    again, longest = _next_exposure(scene), found.latency[1]
    if again is None or again.start is None or longest is None:
        return unclear
    start = again.start
    fell = any(may_precede(start, one.onset) for one in scene.episodes if one is not scene.episode)
    fine = [count for count in scene.counts if not _low(count, scene) and _tells(count.taken, again, start, longest)]
    if fell or not fine:
        return unclear
    text = f"{scene.row.inn} was given again, for longer than the first fall took, without a new fall"
    return "negative", text, tuple(count.id for count in fine[:1])


def _next_exposure(scene: Scene) -> Exposure | None:
    """The first exposure that began after the recovery."""
    recovery = scene.episode.recovery
    if recovery is None:
        return None
    later = (one for one in scene.taken.exposures if one.start is not None and not may_precede(one.start, recovery))
    return next(later, None)


def _tells(taken: Moment | None, again: Exposure, start: Between, longest: float) -> bool:
    if taken is None:
        return False
    after = days_between(start, span_of(taken))[0]
    ended = again.stop is not None and again.stop.latest is not None and taken.at > again.stop.latest
    return after is not None and after >= longest and not ended


def _low(count: Count, scene: Scene) -> bool:
    return any(count.id in episode.counts for episode in scene.episodes)


def _cycles(scene: Scene, found: Timed) -> _Again | None:
    """Cycles: the count fell after more than one of them."""
    placed = [(one, timed(scene.taken, scene.row, one, scene.book)) for one in scene.episodes]
    fallen = [(one, place) for one, place in placed if place.timing in {"inside", "partly"}]
    number = len({place.anchor for _, place in fallen})
    if found.timing not in {"inside", "partly"} or number < 2:
        return None
    evidence = tuple(one.nadir_count.id for one, _ in fallen)
    return "positive", f"the count fell after each of {number} cycles of {scene.row.inn}", evidence
