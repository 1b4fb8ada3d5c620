"""What the counts did since the last treatment: lowest count seen, days below a limit, febrile neutropenia."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from leuko.knowledge.schema import Band
from leuko.knowledge.schema.plan import SituationRow, TreatDayRow
from leuko.plan.person import Known, facts_named
from leuko.record import Count, Fact
from leuko.status.knownness import inside


def counts_since(known: Known, analyte: str, day_1: date) -> tuple[Count, ...]:
    """The counts of an analyte from after a day on, oldest first."""
    return tuple(c for c in known.series.get(analyte, ()) if c.taken is not None and c.taken.day > day_1)


def nadir_met(row: TreatDayRow, known: Known, day_1: date) -> bool | None:
    """Whether the counts since the last treatment meet a row's nadir; None: open, or no counts.

    A count that was never seen in the band counts as not met, as far as counts were taken: the text must say so. One
    analyte is enough, unless the row joins them all: a full dose is never allowed on half of what it asks for.
    """
    found = [_one(row, known, day_1, analyte, band) for analyte, band in row.nadir.items()]
    if row.join == "all":
        return False if False in found else None if None in found else bool(found)
    return True if True in found else None if None in found else False if found else None


def _one(row: TreatDayRow, known: Known, day_1: date, analyte: str, band: Band) -> bool | None:
    counts = counts_since(known, analyte, day_1)
    if not counts:
        return None
    if row.checkpoint == "nadir":
        return inside(min(counts, key=lambda count: count.value), band)
    seen = [inside(count, band) for count in counts]
    if row.lasting_days is None:
        return True if True in seen else None if None in seen else False
    least, most = _span(counts, seen, day_1, known.as_of)
    enough = least >= row.lasting_days if row.lasting_inclusive else least > row.lasting_days
    possible = most >= row.lasting_days if row.lasting_inclusive else most > row.lasting_days
    return True if enough else None if possible else False


def _span(counts: Sequence[Count], seen: Sequence[bool | None], day_1: date, as_of: date) -> tuple[int, int]:
    """Days in the band: the least between counts surely in it, the most between counts surely out of it."""
    days = [count.taken.day for count in counts if count.taken is not None]
    least = most = 0
    start: int | None = None
    for number, (day, met) in enumerate(zip(days, seen, strict=True)):
        if met is True:
            start = number if start is None else start
            least = max(least, (day - days[start]).days)
        else:
            start = None
        if met is not False:
            before = next((days[i] for i in range(number, -1, -1) if seen[i] is False), day_1)
            after = next((days[i] for i in range(number, len(days)) if seen[i] is False), as_of)
            most = max(most, (after - before).days)
    return least, most


def febrile(known: Known, day_1: date | None) -> tuple[bool | None, tuple[str, ...]]:
    """Whether there was febrile neutropenia since a day, and the evidence. What is not recorded is unknown."""
    verdicts = getattr(known.infection, "verdicts", ())
    met = [verdict for verdict in verdicts if verdict.met and verdict.applies is not False]
    if met:
        return True, tuple(dict.fromkeys(i for verdict in met for i in verdict.reason.evidence))
    facts = _named(known)
    since = day_1 or known.as_of
    recent = [fact for fact in facts if fact.start is not None and since <= fact.start.day <= known.as_of]
    return (True, tuple(fact.id for fact in recent)) if recent else (None, ())


def _named(known: Known) -> tuple[Fact, ...]:
    rows = [row for row in known.rows(SituationRow) if row.id == "febrile_neutropenia"]
    return tuple(f for row in rows for f in facts_named(known.record.facts, words=row.words, icd10=row.icd10))


def had_febrile_neutropenia(known: Known) -> tuple[str, ...]:
    """The ids of facts that name febrile neutropenia at any time up to now."""
    facts = _named(known)
    return tuple(fact.id for fact in facts if fact.start is None or fact.start.day <= known.as_of)
