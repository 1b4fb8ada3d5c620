"""One medicine against one episode: everything found, before it is said, scored and ranked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from leuko.drugs.book import Book
from leuko.drugs.exposure import Taken
from leuko.drugs.response import Response, Scene, response_of
from leuko.drugs.timing import Timed, ran_at_onset, timed
from leuko.frozen import Frozen
from leuko.knowledge.schema.drugs import DrugRow
from leuko.record import Count
from leuko.result import Episode
from leuko.result.drugs import DrugRole, LinkStrength

FITTING: Final = frozenset({"inside", "partly", "during"})
RULED_OUT: Final = frozenset({"before_start", "after_stop"})
_LEVELS: Final[tuple[LinkStrength, ...]] = ("weak", "moderate", "strong")


class Low(Frozen, frozen=True, kw_only=True):
    """One episode of one line, among the line's other episodes and all its counts."""

    analyte: str
    number: int
    episodes: Sequence[Episode]
    counts: Sequence[Count]
    book: Book

    @property
    def episode(self) -> Episode:
        """The episode itself."""
        return self.episodes[self.number]


class Finding(Frozen, frozen=True, kw_only=True):
    """A medicine, its place on the time line of an episode, and what followed; `row` None: not in leuko's table."""

    taken: Taken
    row: DrugRow | None
    low: Low
    timed: Timed
    response: Response | None

    @property
    def reviewed(self) -> bool:
        """Whether the association is confirmed: only then may it drive anything."""
        return self.row is not None and self.row.basis.drives

    @property
    def proven(self) -> bool:
        """Whether a dose is recorded as given or taken, not only ordered or dispensed."""
        exposure = self.timed.exposure
        return exposure is not None and bool({"administered", "stated"} & set(exposure.kinds))

    @property
    def could(self) -> bool:
        """Whether it can explain the episode: confirmed, and in time."""
        return self.reviewed and self.timed.timing in FITTING

    @property
    def role(self) -> DrugRole:
        """What part it plays."""
        if self.row is None:
            return "unlisted"
        if self.timed.timing == "before_start":
            return "excluded"
        in_cycle = self.row.pattern == "cytotoxic" and self.timed.timing in {"inside", "partly"}
        return "cycle" if in_cycle and self.reviewed else "candidate"

    @property
    def strength(self) -> LinkStrength:
        """How strongly it is tied to the episode (`_level` says by which steps)."""
        timing = self.timed.timing
        if timing in RULED_OUT:
            return "against"
        if not self.reviewed:
            return "unreviewed"
        if timing == "unknown":
            return "unknown"
        return _level(self)


def _level(found: Finding) -> LinkStrength:
    """Weak, one step up for each of: in time with conclusive reports, recovery on stopping, again on re-exposure."""
    assert found.row is not None  # noqa: S101 (reviewed)
    assert found.response is not None  # noqa: S101 (of the table)
    steps = 0
    if found.timed.timing in FITTING:
        known = found.row.reports == "conclusive"
        seen = found.timed.timing != "during" and found.low.episode.onset.earliest is not None
        steps += known and (seen or found.response.dechallenge == "positive")
        steps += {"positive": int(seen), "negative": -1}.get(found.response.dechallenge, 0)
        steps += {"positive": 2, "negative": -1}.get(found.response.rechallenge, 0)
        steps += found.row.pattern == "cytotoxic" and found.timed.timing == "inside"
    most = 2 if found.proven and not found.taken.local else 0 if found.taken.local else 1
    return _LEVELS[max(0, min(steps, most))]


def lowers(row: DrugRow, analyte: str) -> bool:
    """Whether a medicine is known to lower a line; the white count falls with neutrophils or lymphocytes."""
    lines = {"wbc": {"neutrophils", "lymphocytes"}, "cd4": {"lymphocytes"}}.get(analyte, {analyte})
    return bool(lines & set(row.lineages))


def findings_of(taken: Sequence[Taken], low: Low) -> tuple[Finding, ...]:
    """Every medicine of a record that deserves a word for one episode."""
    every = (_unlisted(one, low) if one.row is None else _listed(one, one.row, low) for one in taken)
    return tuple(finding for finding in every if finding is not None)


def _unlisted(taken: Taken, low: Low) -> Finding | None:
    exposure = ran_at_onset(taken, low.episode, low.book.days("unlisted_look_back"))
    if exposure is None:
        return None
    return Finding(taken=taken, row=None, low=low, timed=Timed(timing="during", exposure=exposure), response=None)


def _listed(taken: Taken, row: DrugRow, low: Low) -> Finding | None:
    if not lowers(row, low.analyte):
        return None
    place = timed(taken, row, low.episode, low.book)
    scene = Scene(taken=taken, row=row, episode=low.episode, episodes=low.episodes, counts=low.counts, book=low.book)
    finding = Finding(taken=taken, row=row, low=low, timed=place, response=response_of(scene, place))
    return finding if _worth_saying(finding) else None


def _worth_saying(found: Finding) -> bool:
    """Leaves out what ended long before the onset, and what began after the episode was over."""
    if found.timed.timing == "before_start":
        return _began_within(found)
    ended = found.timed.since_stop[0]
    return ended is None or ended <= found.low.book.days("look_back")


def _began_within(found: Finding) -> bool:
    """Whether a medicine that came too late came while counts were still low: only then would anyone suspect it."""
    start, recovery = found.timed.anchor, found.low.episode.recovery
    if start is None or start.earliest is None or recovery is None or recovery.latest is None:
        return True
    return start.earliest < recovery.latest
