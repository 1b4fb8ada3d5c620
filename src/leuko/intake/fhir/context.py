"""What an Observation takes over from its report, panel and specimen: time, issue, sample, draw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from leuko.frozen import Frozen, replace
from leuko.intake.fhir.people import People, members
from leuko.intake.fhir.pool import Item, Pool, target
from leuko.intake.fhir.tell import Teller
from leuko.intake.fhir.versions import WITHDRAWN, Chain, status_of
from leuko.intake.fhir.wire import Observation, Period, Reference, Specimen
from leuko.intake.fhir.words import clean, codes, names

_MOST_NESTED = 5  # panels within panels within a report; real ones end at three


class Context(Frozen, frozen=True, kw_only=True):
    """Times as written, the words for the sample, and what it shares with others; `time_from` names the lender.

    `end` is the end of a period. `doubt` is true where several lenders give differing times, so that none is used.
    """

    taken: str | None = None
    end: str | None = None
    time_from: str = ""
    issued: str | None = None
    specimen: tuple[str, ...] = ()
    sample: str | None = None
    draw: str | None = None
    doubt: bool = False


class Contexts:
    """Contexts of all Observations; reports that were withdrawn lend nothing."""

    def __init__(self, pool: Pool, people: People, reports: Sequence[Chain], panels: Sequence[Chain]) -> None:
        self._pool, self._people = pool, people
        self.parents: dict[tuple[str | None, str], list[Item]] = defaultdict(list)
        self._draws: dict[int, str] = {}
        holders = [chain.current for chain in (*reports, *panels) if not chain.withdrawn]
        for holder in sorted(holders, key=lambda item: (item.key, msgspec.json.encode(item.resource))):
            self._adopt(holder)

    def _adopt(self, holder: Item) -> None:
        """Note what it holds: of its own person, or where it holds none of those, of whomever it names."""
        held = list(members(holder, self._pool))
        owner = self._people.of(holder)
        held = [member for member in held if self._people.of(member) == owner] or held
        times = {_own_time(member.resource)[0] for member in held} - {None}
        self._draws[id(holder)] = "" if len(times) > 1 else holder.key
        for key in dict.fromkeys((self._people.of(member), member.key) for member in held):
            self.parents[key].append(holder)

    def of(self, item: Item, tell: Teller) -> Context:
        """What holds for this Observation, its own statements first."""
        return self._of(item, tell, frozenset())

    def _of(self, item: Item, tell: Teller, seen: frozenset[str]) -> Context:
        own = self._own(item)
        owner = self._people.of(item)
        lenders: list[tuple[Item, Context]] = []
        for holder in self.parents.get((owner, item.key), ()):
            if len(seen) >= _MOST_NESTED or holder.key in seen or not self._same_person(holder, owner, item, tell):
                continue
            lenders.append((holder, self._of(holder, tell, seen | {item.key})))
        for holder, lent in lenders:
            own = self._lend(own, holder, lent)
        return self._agree(own, item, lenders)

    def _same_person(self, holder: Item, owner: str | None, item: Item, tell: Teller) -> bool:
        if self._people.of(holder) in {owner, None}:
            return True
        text = f"{holder.key} is about one person, its result {item.key} about another; it lends no time or sample"
        tell.say("LK443", text, holder.found.place())
        return False

    def _own(self, item: Item) -> Context:
        resource = item.resource
        (start, end), lender = _own_time(resource), ""
        words, sample, collected = self._sample(item)
        if start is None and collected[0] is not None:
            (start, end), lender = collected, "its Specimen"
        return Context(
            taken=start,
            end=end,
            time_from=lender,
            issued=resource.issued,
            specimen=words,
            sample=sample,
            draw=sample,
        )

    def _sample(self, item: Item) -> tuple[tuple[str, ...], str | None, tuple[str | None, str | None]]:
        """Words, key and collection time of the one specimen."""
        reference = item.resource.specimen
        if isinstance(reference, list):
            reference = reference[0] if len(reference) == 1 else None
        if reference is None:
            return (), None, (None, None)
        found = self._pool.find(reference, "Specimen", item)
        said = (clean(reference.display),) if reference.display else ()
        if found is None:
            return said, _sample_name(reference), (None, None)
        specimen: Specimen = found.resource
        words = (*names(specimen.type), *(code.code for code in codes(specimen.type)), *said)
        shared = found.key if found.found.container is None else None  # a contained one is nobody else's
        return tuple(dict.fromkeys(words)), shared, _collected(specimen)

    def _lend(self, own: Context, holder: Item, lent: Context) -> Context:
        shared = self._draws.get(id(holder))
        draw = own.draw or lent.draw or (shared if shared != "" else f"{holder.key}@{own.taken}")
        if not own.specimen and lent.specimen:
            own = replace(own, specimen=lent.specimen, sample=lent.sample)
        own = replace(own, draw=draw, issued=own.issued or lent.issued)
        if own.taken is None and lent.taken is not None:
            own = replace(own, taken=lent.taken, end=lent.end, time_from=lent.time_from or holder.key)
        return own

    def _agree(self, own: Context, item: Item, lenders: list[tuple[Item, Context]]) -> Context:
        """Drop a borrowed time that another lender contradicts."""
        if own.time_from in {"", "its Specimen"} or _own_time(item.resource)[0] is not None:
            return own
        times = {lent.taken for _, lent in lenders} - {None}
        return replace(own, taken=None, end=None, doubt=True) if len(times) > 1 else own


def withdrawn_reports(reports: Iterable[Chain], pool: Pool, tell: Teller) -> None:
    """Tell of reports that count for nothing while their results still claim to hold."""
    for chain in reports:
        if chain.withdrawn:
            kept = {one.key for one in members(chain.current, pool) if status_of(one) not in WITHDRAWN}
            if kept:
                text = f"{chain.current.key} is {status_of(chain.current)}, but {len(kept)} of its results are not"
                tell.say("LK424", text, chain.current.found.place("/status"), read="the results are used")


def _own_time(resource: Any) -> tuple[str | None, str | None]:
    """Start and end of the Observation's or report's own time."""
    if resource.effective_date_time:
        return resource.effective_date_time, None
    if resource.effective_period is not None:
        return _span(resource.effective_period)
    if isinstance(resource, Observation):
        if resource.effective_instant:
            return resource.effective_instant, None
        if resource.effective_timing is not None and resource.effective_timing.event:
            events = sorted(resource.effective_timing.event)
            return events[0], events[-1] if len(events) > 1 else None
    return None, None


def _collected(specimen: Specimen) -> tuple[str | None, str | None]:
    collection = specimen.collection
    if collection is None:
        return None, None
    if collection.collected_date_time:
        return collection.collected_date_time, None
    return _span(collection.collected_period) if collection.collected_period is not None else (None, None)


def _span(period: Period) -> tuple[str | None, str | None]:
    return (period.start, period.end) if period.start else (period.end, None)


def _sample_name(reference: Reference) -> str | None:
    return (
        target(reference) or (clean(reference.identifier.value) if reference.identifier is not None else None) or None
    )
