"""Which definitions, severity bands and critical values a count meets, by body, and where bodies disagree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from leuko.ages import AgeSpan, PerAge
from leuko.frozen import Frozen
from leuko.grading import Edge, above, below, edges, say_exact
from leuko.knowledge import Library
from leuko.knowledge.same import Same
from leuko.knowledge.schema import Band, DefinitionRow
from leuko.record import Count, Sex
from leuko.result import Citation, DefinitionMet, Gap, Reason
from leuko.status.knownness import Person, age_limits, holds, inside, rows_for, say_band
from leuko.wording import say_list

PREGNANT: Final = "pregnant"
"""What the `condition` of every definition for pregnancy begins with."""


class Judged(Frozen, frozen=True, kw_only=True):
    """What the rows of one analyte say of a count; `definitions` has the house's own first."""

    definitions: tuple[DefinitionMet, ...]
    severity: DefinitionMet | None
    critical: tuple[DefinitionMet, ...]
    conflicts: tuple[Reason, ...]
    gaps: tuple[Gap, ...]


def judge(count: Count, *, person: Person, library: Library, pregnant: bool = False) -> Judged:
    """Hold a count against every definition that applies to the person.

    Of a person who is known to be `pregnant` the house definition is that of pregnancy, where there is one.
    """
    rows = _chosen(count.analyte, Same(library.definitions)).at(person.ages, (person.sex, pregnant))
    house = _house(rows.own, count, person, library)
    met = tuple(
        _met(row, count, person, library)
        for row in rows.sure
        if (house is not None and row.concept == house.name) or inside(count, row.band) is not False
    )
    doubts = tuple(_doubt(row, count, library) for row in rows.doubtful if _differs(row, count, house))
    return Judged(
        definitions=(*([house] if house else []), *met, *doubts),
        severity=_severity(rows.bands, count, person, library),
        critical=tuple(
            _met(row, count, person, library) for row in rows.critical if inside(count, row.band) is not False
        ),
        conflicts=_disagreement(house, met),
        gaps=_open(house, count, library),
    )


class _Chosen(Frozen, frozen=True, kw_only=True):
    """The rows that speak of one analyte for one person: the house's own that are possible, those of other bodies that
    hold for certain, by whether a count settles them, severity bands that are possible, critical values."""

    own: tuple[DefinitionRow, ...]
    sure: tuple[DefinitionRow, ...]
    doubtful: tuple[DefinitionRow, ...]
    bands: tuple[DefinitionRow, ...]
    critical: tuple[DefinitionRow, ...]


@lru_cache(maxsize=64)
def _chosen(analyte: str, definitions: Same[tuple[DefinitionRow, ...]]) -> PerAge[tuple[Sex | None, bool], _Chosen]:
    rows = _rows(analyte, definitions)
    named = [row for row in rows if row.category == "definition"]

    def choose(ages: AgeSpan, known: tuple[Sex | None, bool]) -> _Chosen:
        person, pregnant = Person(ages=ages, sex=known[0]), known[1]
        own = own_rows(named, pregnant=pregnant)
        others = [row for row in named if not row.house and row not in own and _applies(row, person)]
        critical = [row for row in rows if row.category == "critical" and _applies(row, person)]
        return _Chosen(
            own=rows_for(own, person),
            sure=tuple(row for row in others if not _needs_more(row)),
            doubtful=tuple(row for row in others if _needs_more(row)),
            bands=rows_for(_bands(rows), person),
            critical=tuple(sorted(critical, key=lambda row: not row.house)),
        )

    return PerAge(age_limits(rows), choose)


@lru_cache(maxsize=64)
def _rows(analyte: str, rows: Same[tuple[DefinitionRow, ...]]) -> tuple[DefinitionRow, ...]:
    """The rows of an analyte that may drive a conclusion."""
    return tuple(row for row in rows.value if row.analyte == analyte and row.basis.drives)


def above_bands(count: Count, *, person: Person, library: Library) -> bool:
    """Whether a count is known to lie above every severity band that may be the person's; False where none may."""
    lowest, _ = edges(count.value, count.bound)
    tops = [row.band for row in rows_for(_bands(_rows(count.analyte, Same(library.definitions))), person)]
    return bool(tops) and all(_is_above(lowest, band) for band in tops)


def _is_above(edge: Edge, band: Band) -> bool:
    return isinstance(band.upper, float | int) and not below(edge, band.upper, inclusive=band.upper_inclusive)


def _bands(rows: Iterable[DefinitionRow]) -> list[DefinitionRow]:
    """The severity bands of the house among the rows of an analyte."""
    return [row for row in rows if row.category == "severity" and row.house]


def own_rows(named: Sequence[DefinitionRow], *, pregnant: bool) -> list[DefinitionRow]:
    """The rows of the house: those of pregnancy, of which the week of the pregnancy would choose one, or the others."""
    expecting = [row for row in named if of_pregnancy(row)] if pregnant else []
    return expecting or [row for row in named if row.house]


def of_pregnancy(row: DefinitionRow) -> bool:
    """Whether a row is a definition for pregnancy."""
    return row.condition.startswith(PREGNANT)


def _applies(row: DefinitionRow, person: Person) -> bool:
    """Whether a row holds for the person for certain: rows of other bodies are shown, not weighed."""
    return bool(rows_for([row], person)) and holds(row.ages, person) is True and row.sex in {None, person.sex}


def _needs_more(row: DefinitionRow) -> bool:
    """Whether a row asks for what no count shows: an ancestry, another line, a diagnosis, a time."""
    return bool(row.condition or row.population)


def _differs(row: DefinitionRow, count: Count, house: DefinitionMet | None) -> bool:
    return house is not None and house.met is not None and inside(count, row.band) is not house.met


def _house(possible: Sequence[DefinitionRow], count: Count, person: Person, library: Library) -> DefinitionMet | None:
    """The house definition: one row, or those that an uncertain age or sex leaves possible."""
    if not possible:
        return None
    if len(possible) == 1:
        return _met(possible[0], count, person, library)
    verdicts = {inside(count, row.band) for row in possible}
    met = verdicts.pop() if len(verdicts) == 1 else None
    bands = say_list([f"{say_band(row.band, count.unit)} ({_for_whom(row)})" for row in possible], "or")
    name = possible[0].concept
    start = {True: "yes under each", False: "no under each", None: "they disagree"}[met]
    return DefinitionMet(
        id="+".join(row.id for row in possible),
        name=name,
        met=met,
        reason=Reason(
            rule="+".join(row.id for row in possible),
            text=f"{name} is {bands}; which applies is not known: {start}",
            evidence=(count.id,),
            citations=_cited(possible, library),
        ),
        authority=say_list(list(dict.fromkeys(row.authority for row in possible))),
        house=True,
    )


def _for_whom(row: DefinitionRow) -> str:
    return row.condition or row.ages.text or row.sex or ""


def _met(row: DefinitionRow, count: Count, person: Person, library: Library) -> DefinitionMet:
    met = inside(count, row.band)
    text = _said(Same(row), met, count.unit)
    if not person.age_known and row.ages.text:
        text += "; the date of birth is not known, an adult is assumed"
    return DefinitionMet(
        id=row.id,
        name=row.concept,
        met=met,
        reason=Reason(rule=row.id, text=text, evidence=(count.id,), citations=(library.cite(row.basis),)),
        authority=row.authority,
        house=row.house,
    )


@lru_cache(maxsize=1024)
def _said(same: Same[DefinitionRow], met: bool | None, unit: str) -> str:
    row = same.value
    band = say_band(row.band, unit)
    whom = f", {row.ages.text}" if row.ages.text else ""
    text = {
        True: f"{band}: {row.concept}",
        False: f"not {band}: no {row.concept}",
        None: f"whether it is {band} ({row.concept}) is left open by the bound",
    }[met]
    return f"{text} ({row.authority}{whom})"


def _doubt(row: DefinitionRow, count: Count, library: Library) -> DefinitionMet:
    """A row that would say otherwise than the house, if a condition held that the count cannot show."""
    need = row.condition or f"for {row.population}"
    text = f"{say_band(row.band, count.unit)}: {row.concept} ({row.authority}), {need}: not judged"
    return DefinitionMet(
        id=row.id,
        name=row.concept,
        met=None,
        reason=Reason(rule=row.id, text=text, evidence=(count.id,), citations=(library.cite(row.basis),)),
        authority=row.authority,
    )


def _severity(
    possible: Sequence[DefinitionRow], count: Count, person: Person, library: Library
) -> DefinitionMet | None:
    """The severity band of a count; of an upper bound, the mildest that it leaves possible, "or worse"."""
    low, high = edges(count.value, count.bound)
    mildest, worst = _band_at(possible, high), _band_at(possible, low)
    if mildest is None or worst is None:
        return None
    found = _met(mildest, count, person, library)
    if mildest is worst:
        return found
    name = f"{mildest.concept} or worse"
    text = f"{say_exact(count.value, count.bound)} is {name}, down to {worst.concept} ({mildest.authority})"
    citations = _cited((mildest, worst), library)
    return DefinitionMet(
        id=f"{mildest.id}+{worst.id}",
        name=name,
        met=True,
        reason=Reason(rule=f"{mildest.id}+{worst.id}", text=text, evidence=(count.id,), citations=citations),
        authority=mildest.authority,
        house=True,
    )


def _band_at(rows: Iterable[DefinitionRow], edge: Edge) -> DefinitionRow | None:
    return next((row for row in rows if _holds_edge(row, edge)), None)


def _holds_edge(row: DefinitionRow, edge: Edge) -> bool:
    band = row.band
    if isinstance(band.lower, str) or isinstance(band.upper, str):
        return False
    lower = above(edge, band.lower, inclusive=band.lower_inclusive)
    return lower and below(edge, band.upper, inclusive=band.upper_inclusive)


def _disagreement(house: DefinitionMet | None, others: Iterable[DefinitionMet]) -> tuple[Reason, ...]:
    """One reason where other bodies, or another sentence of the same one, say otherwise than the house definition."""
    if house is None or house.met is None:
        return ()
    apart = [
        found for found in others if found.met is not None and found.met is not house.met and _same_kind(found, house)
    ]
    if not apart:
        return ()
    bodies = "; ".join(f"{found.authority}: {found.reason.text}" for found in apart)
    citations = (*house.reason.citations, *(c for found in apart for c in found.reason.citations))
    return (
        Reason(
            rule=f"conflict:definition:{house.id}",
            text=f"definitions disagree: {house.authority}: {house.reason.text}; {bodies}",
            evidence=house.reason.evidence,
            citations=tuple(dict.fromkeys(citations)),
        ),
    )


def _same_kind(found: DefinitionMet, house: DefinitionMet) -> bool:
    """Another body's limit of the same thing, or a band that is met beside it (below a quoted normal range)."""
    return found.name == house.name or found.met is True


def _open(house: DefinitionMet | None, count: Count, library: Library) -> tuple[Gap, ...]:
    if house is None or house.met is not None:
        return ()
    row = library.analytes.get(count.analyte)
    settle = "a measured value instead of a bound" if count.bound != "=" else "the date of birth and the sex"
    if count.bound == "=" and PREGNANT in house.reason.text:
        settle = "the week of the pregnancy"
    what = f"whether {row.label if row else count.analyte} {say_exact(count.value, count.bound)} is {house.name}"
    return (Gap(what=what, why=house.reason.text, settle=settle),)


def _cited(rows: Iterable[DefinitionRow], library: Library) -> tuple[Citation, ...]:
    return library.cite_all(row.basis for row in rows)
